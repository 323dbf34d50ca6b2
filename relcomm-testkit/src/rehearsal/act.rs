//! What people do in a rehearsal, and what happens to the machine.

use super::elapsed::Elapsed;
use super::play::{Play, Unplayable, wrong};
use super::scene::Scene;
use super::script::{Done, Event, JumpDraft};
use super::stage::{OnCall, at_once};
use relcomm_core::clock::Clock;
use relcomm_core::dispatch::{Attestation, GapOf, Whom};
use relcomm_core::id::CommuniqueId;
use relcomm_core::release::Declaration;

impl Play<'_> {
    /// What somebody does.
    pub(super) fn act(&mut self, scene: &mut Scene, event: &Event, path: &str) -> Result<(), Unplayable> {
        let at = |key: &str| format!("{path}.{key}");
        let acts = usize::from(event.declare.is_some())
            + usize::from(event.approve.is_some())
            + usize::from(event.attest.is_some())
            + usize::from(event.execute.is_some())
            + usize::from(event.hold.is_some())
            + usize::from(event.resume.is_some())
            + usize::from(event.cancel.is_some())
            + usize::from(event.retry.is_some())
            + usize::from(event.accept_gap.is_some())
            + usize::from(event.slip.is_some())
            + usize::from(event.change.is_some())
            + usize::from(event.lift.is_some())
            + usize::from(event.erase.is_some())
            + usize::from(event.join.is_some())
            + usize::from(event.leave.is_some())
            + usize::from(event.crash.is_some())
            + usize::from(event.jump.is_some());
        if acts > 1 {
            return Err(wrong(self.timeline, path, "one thing happens at a time: write an entry for each"));
        }
        let dispatcher = scene.dispatcher()?;
        if let Some(says) = &event.declare {
            let mut declaration = Declaration::new(says.outcome, &says.by);
            declaration.place.clone_from(&says.place);
            declaration.proof.clone_from(&says.proof);
            if let Some(as_of) = &says.as_of {
                let when = self
                    .instant(as_of, scene.clock.truly())
                    .map_err(|why| wrong(self.timeline, &at("declare"), why))?;
                declaration = declaration.at(when);
            }
            let place = says.place.as_ref().map(|p| format!(" at {p}")).unwrap_or_default();
            let what = format!("{} declares {}{place}", says.by, says.outcome);
            return scene.say(self.timeline, event, path, what, dispatcher.declare(&declaration));
        }
        if let Some(says) = &event.approve {
            let what = format!("{} {} as {}", says.by, if says.reject { "rejects" } else { "approves" }, says.role);
            let call = dispatcher.approve(&says.role, &says.by, None, says.reject, says.note.clone());
            return scene.say(self.timeline, event, path, what, call);
        }
        if let Some(says) = &event.attest {
            let (whom, name) = match (&says.person, &says.group) {
                (Some(person), None) => (Whom::Person(person.clone()), person.as_str()),
                (None, Some(group)) => (Whom::Group(group.clone()), group.as_str()),
                _ => return Err(wrong(self.timeline, &at("attest"), "name either a person or a group")),
            };
            let done = says.outcome == Done::Done;
            let mut word = match done {
                true => Attestation::done(says.communique.clone(), whom, &says.by),
                false => Attestation::failed(says.communique.clone(), whom, &says.by),
            };
            word = word.note(says.note.clone());
            if let Some(place) = &says.place {
                word = word.place(place.clone());
            }
            if let Some(assurance) = says.assurance {
                word = word.assurance(assurance);
            }
            let how = if done { "was done" } else { "failed" };
            let place = says.place.as_ref().map(|p| format!(" at {p}")).unwrap_or_default();
            let what = format!("{} attests that {} to {name}{place} {how}", says.by, says.communique);
            let call = async { dispatcher.attest(&word).await.map(|word| word.news > 0) };
            return scene.say(self.timeline, event, path, what, call);
        }
        if let Some(says) = &event.execute {
            let before = scene.executor.replace(says.by.clone());
            let dispatcher = scene.dispatcher()?;
            scene.say(self.timeline, event, path, format!("{} executes", says.by), dispatcher.executes())?;
            if at_once(dispatcher.executes()).is_some_and(|said| said.is_ok()) {
                scene.on_call.iter_mut().for_each(|on_call| on_call.replace(dispatcher.clone()));
            } else {
                scene.executor = before;
            }
            return Ok(());
        }
        let all = |c: &Option<CommuniqueId>| c.as_ref().map_or("everything".to_owned(), ToString::to_string);
        if let Some(says) = &event.hold {
            let what = format!("{} holds {}", says.by, all(&says.communique));
            let call = dispatcher.hold(says.communique.as_ref(), true, &says.by, says.why.clone());
            return scene.say(self.timeline, event, path, what, call);
        }
        if let Some(says) = &event.resume {
            let what = format!("{} lets {} go on", says.by, all(&says.communique));
            let call = dispatcher.hold(says.communique.as_ref(), false, &says.by, says.why.clone());
            return scene.say(self.timeline, event, path, what, call);
        }
        if let Some(says) = &event.cancel {
            let what = format!("{} cancels {}", says.by, all(&says.communique));
            let call = dispatcher.cancel(says.communique.as_ref(), &says.by, says.why.clone());
            return scene.say(self.timeline, event, path, what, call);
        }
        if let Some(says) = &event.retry {
            let person = says.person.as_ref().map(|who| format!(" for {}", who.as_str())).unwrap_or_default();
            let what = format!("{} has {} tried again{person}", says.by, all(&says.communique));
            let call = dispatcher.retry(says.communique.as_ref(), says.person.as_ref(), &says.by, says.why.clone());
            let call = async { call.await.map(|deliveries| deliveries > 0) };
            return scene.say(self.timeline, event, path, what, call);
        }
        if let Some(says) = &event.accept_gap {
            let (of, name) = match (&says.person, &says.company) {
                (Some(person), None) => (GapOf::Person(person.clone()), person.as_str()),
                (None, Some(company)) => (GapOf::Company(company.clone()), company.as_str()),
                _ => return Err(wrong(self.timeline, &at("accept_gap"), "name either a person or a company")),
            };
            let what = format!("{} accepts that {name} cannot be reached", says.by);
            let call = dispatcher.accept_gap(&of, &says.by, &says.why);
            return scene.say(self.timeline, event, path, what, call);
        }
        if let Some(says) = &event.slip {
            let planned = match says.planned.as_str() {
                "open" => None,
                time => {
                    let when = self.instant(time, scene.clock.truly());
                    Some(when.map_err(|why| wrong(self.timeline, &format!("{path}.slip"), why))?)
                }
            };
            let when = planned.map_or_else(|| "open".to_owned(), |at| at.to_string());
            let what = format!("{} says that the planned time is {when}", says.by);
            let call = dispatcher.slip(planned, &says.by, says.why.clone());
            return scene.say(self.timeline, event, path, what, call);
        }
        if let Some(says) = &event.lift {
            let what = format!("{} lifts the embargo", says.by);
            return scene.say(self.timeline, event, path, what, dispatcher.lift(&says.by, &says.cause));
        }
        if let Some(says) = &event.erase {
            // The timeline does not say who that was, either.
            let what = format!("{} erases somebody", says.by);
            scene.world.forget(says.person.as_str());
            return scene.say(self.timeline, event, path, what, dispatcher.erase(&says.person, &says.by));
        }
        if let Some(why) = &event.refused {
            return Err(wrong(
                self.timeline,
                &at("refused"),
                format!("nobody says anything here that could be refused: {why}"),
            ));
        }
        if let Some(values) = &event.change {
            for (path, value) in values {
                if !self.plan.put(path, value.kind()) {
                    return Err(wrong(self.timeline, &at("change"), format!("the plan has no `{path}` to change")));
                }
                scene.note(format!("the plan's {path} is changed"));
            }
            return self.prepare_again(scene);
        }
        if let Some(groups) = &event.join {
            for (group, count) in groups {
                self.casting.join(group, *count).map_err(|why| wrong(self.timeline, &at("join"), why))?;
                scene.note(format!("{count} join {group}"));
            }
            return self.prepare_again(scene);
        }
        if let Some(groups) = &event.leave {
            for (group, people) in groups {
                for who in people {
                    self.casting.leave(group, who.as_str()).map_err(|why| wrong(self.timeline, &at("leave"), why))?;
                    scene.note(format!("{} leaves {group}", who.as_str()));
                }
            }
            return self.prepare_again(scene);
        }
        if let Some(crash) = &event.crash {
            scene.die(crash.back.0);
        }
        if let Some(JumpDraft { ahead, back }) = &event.jump {
            let millis = |by: &Option<Elapsed>| i64::try_from(by.unwrap_or_default().0.as_millis()).unwrap_or(i64::MAX);
            let by = millis(ahead) - millis(back);
            scene.clock.jump(by);
            scene.note(format!("the machine's clock jumps by {} s", by / 1000));
            scene.on_call.iter_mut().for_each(OnCall::poke);
        }
        Ok(())
    }

    /// The people or the plan have changed: the plan is prepared anew, and whoever dispatches goes on with that.
    fn prepare_again(&self, scene: &mut Scene) -> Result<(), Unplayable> {
        let (prepared, channels, findings) = self.prepare(&scene.world, scene.clock.now())?;
        scene.known.add(&prepared);
        (scene.prepared, scene.channels, scene.findings) = (prepared, channels, findings);
        let dispatcher = scene.dispatcher()?;
        scene.on_call.iter_mut().for_each(|on_call| on_call.replace(dispatcher.clone()));
        Ok(())
    }
}

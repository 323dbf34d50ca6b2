//! Whether every mechanism is known, bound to a channel, and able to prove what is asked of it.

use super::super::audience::{Audience, audiences};
use super::super::{Rule, Subject};
use crate::communique::Step;
use crate::mechanism::Mechanism;
use crate::plan::draft::{GROUP_KEYS, MEMBER_KEYS};
use crate::plan::source::suggest;
use crate::plan::{Finding, Findings, key_path};
use crate::receipt::Assurance;
use std::collections::BTreeSet;

/// Every mechanism is a standard word or declared, and bound where the deployment is known.
#[derive(Debug)]
pub(super) struct Known;

impl Rule for Known {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0501", "RC0502"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        let is_known = |m: &Mechanism| m.is_standard() || cx.plan().mechanisms().contains_key(m);
        for (path, mechanism) in cx.mechanisms_named().into_iter().filter(|(_, m)| !is_known(m)) {
            let word = mechanism.as_str();
            let known = cx.plan().mechanisms().keys().map(Mechanism::as_str).chain(Mechanism::STANDARD);
            // Whatever is no key of a member is taken for a mechanism by which they have an address.
            let is_of_member =
                path.rsplit_once('.').is_some_and(|(of, _)| of.contains(".members[") && of.ends_with(']'));
            let groups = || cx.plan().groups().iter().map(|group| key_path("groups", group.id.as_str()));
            let is_of_group = path.rsplit_once('.').is_some_and(|(of, _)| groups().any(|group| group == of));
            let keys = || {
                let of_member = MEMBER_KEYS.into_iter().filter(|_| is_of_member);
                of_member.chain(GROUP_KEYS.into_iter().filter(|_| is_of_group))
            };
            let near = suggest(word, known.chain(keys())).or_else(|| keys().find(|key| key.starts_with(word)));
            let help = match near {
                Some(word) => format!("did you mean `{word}`?"),
                None if is_of_member => format!(
                    "what texts say of somebody stands under `vars: {{ {word}: … }}`; a mechanism of your own is declared: \
                     `mechanisms: {{ {word}: {{ proves: accepted }} }}`"
                ),
                None => "declare it: `mechanisms: { NAME: { proves: accepted } }`".into(),
            };
            let message = match (is_of_member, is_of_group) {
                (true, _) => format!("`{word}` is no key of a member, and neither a standard mechanism nor declared"),
                (_, true) => format!("`{word}` is no key of a group, and neither a standard mechanism nor declared"),
                _ => format!("`{word}` is neither a standard mechanism nor declared"),
            };
            out.push(Finding::error("RC0501", path, message).help(help));
        }
        let Some(channels) = &cx.deployment().channels else { return };
        let mut said = BTreeSet::new();
        for (path, mechanism) in cx.mechanisms_gone_by() {
            if is_known(&mechanism) && !channels.contains_key(&mechanism) && said.insert(mechanism.clone()) {
                let message = format!("the deployment has no channel for `{mechanism}`");
                out.push(Finding::error("RC0502", path, message).help("bind it in the deployment's `channels.yaml`"));
            }
        }
    }
}

/// What a member must reach to count as informed can be proved by a step.
#[derive(Debug)]
pub(super) struct Provable;

impl Rule for Provable {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0503", "RC0504", "RC0506"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        let mut said = BTreeSet::new();
        for communique in cx.plan().communiques() {
            for audience in audiences(cx, communique) {
                let (wanted, path) = audience.informed_when();
                let best = audience.mechanisms(cx).iter().map(|m| cx.proves(m)).max();
                if let Some(best) = best
                    && best < wanted
                    && said.insert(path.clone())
                {
                    let message = format!(
                        "nobody in {} can be shown to be informed by `{}`: {wanted} is asked, {best} is the most that its steps prove",
                        audience.named(),
                        communique.id
                    );
                    let help = audience.help("ask for less, or add a step that proves more");
                    out.push(Finding::error("RC0503", path, message).help(help));
                }
                unprovable_condition(cx, &audience, &mut said, out);
                repeated_step(cx, &audience, &mut said, out);
            }
        }
    }
}

/// A step that always opens, because no step before it can prove what would keep it shut.
fn unprovable_condition<'a>(
    cx: &Subject<'a>,
    audience: &Audience<'a>,
    said: &mut BTreeSet<String>,
    out: &mut Findings,
) {
    let (steps, path) = audience.steps(cx);
    let mut best: Option<Assurance> = None;
    for (i, Step { via, unless, .. }) in steps.iter().enumerate() {
        if let (Some(unless), Some(best)) = (unless, best)
            && best < *unless
            && said.insert(format!("{path}[{i}]"))
        {
            let path = cx.step_path(&path, steps, i);
            let message = format!("`{via}` always follows: the steps before it prove at most {best}, never {unless}");
            out.push(
                Finding::warning("RC0504", format!("{path}.unless"), message)
                    .help(format!("ask for `{best}` at most, or leave `unless` out if both are meant")),
            );
        }
        best = best.max(Some(cx.proves(via)));
    }
}

/// A step that reaches the same person by the same mechanism as one before it, and so has the same key.
fn repeated_step<'a>(cx: &Subject<'a>, audience: &Audience<'a>, said: &mut BTreeSet<String>, out: &mut Findings) {
    let (steps, path) = audience.steps(cx);
    for (i, step) in steps.iter().enumerate() {
        let is_alike = |before: &Step| before.via == step.via && before.to == step.to;
        if steps.iter().take(i).any(is_alike) && said.insert(format!("{path}[{i}] again")) {
            let message = format!(
                "`{}` comes again for the same person: a far side that honours keys takes it for a repeat and drops it",
                step.via
            );
            let help = "use another mechanism, reach somebody else with `to`, or remind in a communique of its own";
            out.push(Finding::warning("RC0506", cx.step_path(&path, steps, i), message).help(help));
        }
    }
}

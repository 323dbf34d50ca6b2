//! The far sides: channels that answer as the script says, remember what reached them, and bring receipts back later.

use super::answer::{Name, Reply, follow, reply};
use super::recipient::{Mark, Recipient, named};
use super::script::{AnswerDraft, CrashAt, Later, Point};
use crate::clock::VirtualClock;
use async_trait::async_trait;
use relcomm_core::channel::{
    About, Answered, AttemptContext, Batch, Channel, ChannelError, Descriptor, ErrorKind, Found, Key, Lookup, Outcome,
    Outcomes, Outgoing, Part, Prepared, ReceiptSource, Received, Retry, Scope, Wording,
};
use relcomm_core::clock::Moment;
use relcomm_core::dispatch::Task;
use relcomm_core::id::{CommuniqueId, DeliveryId, GroupId};
use relcomm_core::journal::{Journal, MemoryJournal};
use relcomm_core::mechanism::{Addressing, Capabilities, Deduplication, Mechanism};
use relcomm_core::plan::{Finding, People, Plan};
use relcomm_core::receipt::{Assurance, Evidence, Receipt, ReceiptKind, Token};
use relcomm_core::stakeholder::Address;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a try was about, as the far side saw it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) about: About,
    /// Who is behind the address; nobody where it is posted without one.
    pub(super) people: Vec<String>,
    pub(super) groups: Vec<String>,
    pub(super) via: Mechanism,
    /// What it says: subject, text and short line.
    pub(super) says: String,
    /// Whether it is told once for all.
    pub(super) is_post: bool,
    /// Whether the far side has it after this try, as a copy of its own.
    pub(super) arrived: bool,
}

/// All far sides of one rehearsal. Clones share them.
#[derive(Clone)]
pub(super) struct World {
    inner: Arc<Inner>,
}

struct Inner {
    clock: VirtualClock,
    answers: Vec<AnswerDraft>,
    outages: Vec<(Mechanism, Moment, Moment)>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By mechanism and address.
    people: BTreeMap<(Mechanism, String), Vec<Behind>>,
    seen: Vec<Seen>,
    /// What was taken over, by its key.
    keys: BTreeMap<Key, Name>,
    /// Those that have not happened, by their places in the script.
    crashes: Vec<(usize, CrashAt)>,
    crashed: Option<Duration>,
    /// Everybody who was ever among the people or answers for the release.
    met: BTreeSet<String>,
    /// By when they come, truly; a number tells those of one instant apart.
    receipts: BTreeMap<(Moment, u64), (Mechanism, Receipt)>,
    numbered: u64,
    /// The groups whose steps name a mechanism, by communique.
    told_by: BTreeMap<(CommuniqueId, Mechanism), BTreeSet<GroupId>>,
    /// Whether something that is done once for all was handed to somebody since that was last asked.
    handed: bool,
    /// How many calls there were under a key.
    tries: BTreeMap<Key, u32>,
    /// The record, once there is one.
    journal: Option<MemoryJournal>,
    /// Who was reached in the place of whose delivery it is, by delivery and leg.
    in_their_place: BTreeMap<(DeliveryId, u8), String>,
}

/// Who is behind an address, and their groups.
#[derive(Clone)]
struct Behind {
    id: String,
    groups: Vec<String>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("answers", &self.inner.answers.len()).finish_non_exhaustive()
    }
}

impl World {
    pub(super) fn new(
        clock: VirtualClock,
        answers: Vec<AnswerDraft>,
        outages: Vec<(Mechanism, Moment, Moment)>,
        crashes: Vec<CrashAt>,
    ) -> Self {
        let crashes = crashes.into_iter().enumerate().collect();
        let state = Mutex::new(State { crashes, ..State::default() });
        Self { inner: Arc::new(Inner { clock, answers, outages, state }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Learns who is behind which address.
    pub(super) fn meet(&self, plan: &Plan, people: &People) {
        let mut groups: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        for (group, members) in people.groups() {
            for member in members {
                groups.entry(*member).or_default().push(group.to_string());
            }
        }
        let mut behind: BTreeMap<(Mechanism, String), Vec<Behind>> = BTreeMap::new();
        for (number, who) in (0..).zip(people.iter()) {
            let mine = groups.remove(&number).unwrap_or_default();
            for (mechanism, address) in who.addresses() {
                let place = behind.entry((mechanism.clone(), address.to_owned())).or_default();
                place.push(Behind { id: who.id().to_owned(), groups: mine.clone() });
            }
        }
        // Whoever answers for the release may be reached in another's place; one of the people goes before.
        let responsible = plan.responsible();
        let parties = std::iter::once(&responsible.execute).chain(&responsible.backup);
        let parties: Vec<_> = parties.chain(responsible.performers.values()).chain(plan.holders()).collect();
        for party in &parties {
            for (mechanism, address) in &party.addresses {
                let place = behind.entry((mechanism.clone(), address.as_str().to_owned())).or_default();
                if place.is_empty() {
                    place.push(Behind { id: party.id.as_str().to_owned(), groups: Vec::new() });
                }
            }
        }
        let mut told_by: BTreeMap<_, BTreeSet<GroupId>> = BTreeMap::new();
        for communique in plan.communiques() {
            for group in communique.to.iter().filter_map(|id| plan.group(id)) {
                for step in communique.steps(Some(&group.id), &group.via) {
                    let of = (communique.id.clone(), step.via.clone());
                    told_by.entry(of).or_default().insert(group.id.clone());
                }
            }
        }
        let mut state = self.state();
        state.told_by = told_by;
        state.met.extend(people.iter().map(|who| who.id().to_owned()));
        state.met.extend(parties.iter().map(|party| party.id.as_str().to_owned()));
        // Whoever has left is still behind the address by which they were told.
        for (place, who) in std::mem::take(&mut state.people) {
            behind.entry(place).or_insert(who);
        }
        state.people = behind;
    }

    /// Everybody who was ever among the people or answers for the release.
    pub(super) fn met(&self) -> BTreeSet<String> {
        self.state().met.clone()
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.state().seen.clone()
    }

    /// When, truly, the next receipt comes after this.
    pub(super) fn next_receipt_after(&self, now: Moment) -> Option<Moment> {
        self.state().receipts.range((now, u64::MAX)..).next().map(|((at, _), _)| *at)
    }

    /// The places in the script of the crashes to which it never came.
    pub(super) fn crashes_left(&self) -> Vec<usize> {
        self.state().crashes.iter().map(|(number, _)| *number).collect()
    }

    /// Whether a dispatcher has died at a point of an attempt, and after how long it is back.
    pub(super) fn take_crash(&self) -> Option<Duration> {
        self.state().crashed.take()
    }

    fn answer(&self, to: &Recipient, via: &Mechanism, attempt: u32) -> Option<&AnswerDraft> {
        self.inner.answers.iter().find(|a| {
            to.is(&a.to)
                && a.via.as_ref().is_none_or(|m| m == via)
                && a.communique.as_ref().is_none_or(|c| c == &to.communique)
                && a.attempt.is_none_or(|n| n.get() == attempt)
        })
    }

    /// Learns which record it is that marks speak of.
    pub(super) fn look_into(&self, journal: MemoryJournal) {
        self.state().journal = Some(journal);
    }

    /// Who was reached in the place of whose delivery it is.
    pub(super) fn in_their_place(&self) -> BTreeMap<(DeliveryId, u8), String> {
        self.state().in_their_place.clone()
    }

    /// Of whoever is erased nothing is told.
    pub(super) fn forget(&self, who: &str) {
        self.state().in_their_place.retain(|_, reached| reached != who);
    }

    /// The number of this call under the key, from 1.
    fn count(&self, key: Key) -> u32 {
        let mut state = self.state();
        let tries = state.tries.entry(key).or_default();
        *tries += 1;
        *tries
    }

    /// Whose delivery a mark is of.
    async fn mark(&self, token: &Token) -> Option<Mark> {
        let journal = self.state().journal.clone()?;
        let (id, leg) = named(token)?;
        let whose = journal.read(&[id]).await.ok()?.pop()?.who?.as_str().to_owned();
        Some(Mark { id, leg, whose })
    }

    /// Whether something that is done once for all was handed to somebody since this was last asked.
    pub(super) fn take_handed(&self) -> bool {
        std::mem::take(&mut self.state().handed)
    }

    /// What is said of a post that somebody does by hand for a group, and after how long: what was reached, or that it failed.
    pub(super) fn words(&self, task: &Task) -> Vec<(Duration, Option<Assurance>)> {
        let group = vec![task.group.to_string()];
        let to = Recipient { people: Vec::new(), groups: group, communique: task.communique.clone() };
        let later = self.answer(&to, &task.mechanism, 1).and_then(|answer| answer.later.as_ref());
        let reached = |evidence| match evidence {
            Evidence::Reached(sure) => Some(sure),
            _ => None,
        };
        later
            .map(follow)
            .unwrap_or_default()
            .into_iter()
            .map(|(after, evidence, _)| (after, reached(evidence)))
            .collect()
    }

    fn is_out(&self, via: &Mechanism) -> bool {
        let now = self.inner.clock.truly();
        self.inner.outages.iter().any(|(of, from, until)| of == via && *from <= now && now < *until)
    }

    /// Whether the dispatcher dies here.
    async fn pass(&self, to: &Recipient, via: &Mechanism, attempt: u32, point: Point) {
        let dies = {
            let mut state = self.state();
            let here = |(_, c): &(usize, CrashAt)| {
                c.point == point
                    && to.is(&c.to)
                    && c.via.as_ref().is_none_or(|m| m == via)
                    && c.attempt.map_or(1, NonZeroU32::get) == attempt
            };
            let found = state.crashes.iter().position(here).map(|at| state.crashes.remove(at));
            state.crashed = state.crashed.or(found.as_ref().map(|(_, c)| c.back.0));
            found.is_some()
        };
        if dies {
            std::future::pending::<()>().await;
        }
    }
}

/// The part of a prepared text that tells the far side what it is about.
const ABOUT: &str = "about";

/// The far side of one mechanism.
#[derive(Clone, Debug)]
pub(super) struct FarSide {
    world: World,
    via: Mechanism,
    descriptor: Descriptor,
    capabilities: Capabilities,
}

impl FarSide {
    pub(super) fn new(world: World, via: Mechanism, capabilities: Capabilities) -> Self {
        Self { world, descriptor: Descriptor::new(format!("rehearsed-{via}")), via, capabilities }
    }

    /// Whether it reaches people each, rather than all at once.
    fn is_each(&self) -> bool {
        self.capabilities.addressing == Addressing::Each
    }

    async fn recipient(&self, item: &Outgoing, about: &About) -> Recipient {
        let of_text: Vec<String> = about.groups.iter().map(GroupId::to_string).collect();
        let address = item.address.as_ref().map(|a| a.as_str().to_owned());
        let known = address.and_then(|a| self.world.state().people.get(&(self.via.clone(), a)).cloned());
        let known = known.unwrap_or_default();
        if known.is_empty() {
            // A post is for those whose steps name it.
            let state = self.world.state();
            let told_by = state.told_by.get(&(about.communique.clone(), self.via.clone()));
            let groups = told_by.map_or(of_text, |groups| groups.iter().map(ToString::to_string).collect());
            return Recipient { people: Vec::new(), groups, communique: about.communique.clone() };
        }
        // Of several who share an address, those whom the text is for; or whoever is reached in the place of somebody for whom it is.
        let is_meant = |behind: &&Behind| behind.groups.iter().any(|g| of_text.contains(g));
        let mut meant: Vec<&Behind> = known.iter().filter(is_meant).collect();
        if meant.is_empty() {
            meant = known.iter().take(1).collect();
        }
        if self.is_each() {
            let mark = self.world.mark(&item.token()).await;
            // The record knows apart those who share an address.
            let own = mark.as_ref().and_then(|mark| meant.iter().position(|behind| behind.id == mark.whose));
            meant = meant.into_iter().skip(own.unwrap_or(0)).take(1).collect();
            if let (Some(mark), Some(reached)) = (mark, meant.first()) {
                let (leg, in_their_place) = ((mark.id, mark.leg), &mut self.world.state().in_their_place);
                if mark.whose == reached.id {
                    // Before the plan changed somebody else may have been meant.
                    in_their_place.remove(&leg);
                } else {
                    in_their_place.insert(leg, reached.id.clone());
                }
            }
        }
        let groups = meant.iter().flat_map(|b| &b.groups).filter(|g| of_text.contains(g)).cloned().collect();
        let people = meant.iter().map(|behind| behind.id.clone()).collect();
        Recipient { people, groups, communique: about.communique.clone() }
    }

    fn remember(&self, to: &Recipient, about: &About, text: &Prepared) -> usize {
        let says = ["subject", "text", "short"].map(|part| text.part(part)).join("\n");
        let seen = Seen {
            about: about.clone(),
            people: to.people.clone(),
            groups: to.groups.clone(),
            via: self.via.clone(),
            says,
            is_post: !self.is_each(),
            arrived: false,
        };
        let mut state = self.world.state();
        state.seen.push(seen);
        state.seen.len() - 1
    }

    /// The far side has it now; a repeat that it recognises is no copy of its own.
    fn take(&self, index: usize, item: &Outgoing, later: Option<&Later>, name: Name) {
        let mut state = self.world.state();
        let is_new =
            state.keys.insert(item.key, name).is_none() || self.capabilities.deduplication != Deduplication::ByKey;
        if !is_new {
            return;
        }
        if let Some(seen) = state.seen.get_mut(index) {
            seen.arrived = true;
        }
        let now = self.world.inner.clock.truly();
        for (after, evidence, code) in later.map(follow).unwrap_or_default() {
            let evidence = match evidence {
                Evidence::Reached(sure) => Evidence::Reached(sure.min(self.capabilities.proves)),
                other => other,
            };
            state.numbered += 1;
            let number = state.numbered;
            let identity = format!("{}-{number}", item.key);
            let mut receipt = Receipt::new(ReceiptKind::Callback, identity, evidence).token(item.token()).verified();
            if let Some(code) = code {
                receipt = receipt.code(&code);
            }
            // Not in the instant of the acceptance itself: it is not heard yet.
            let after = after.max(Duration::from_millis(1));
            state.receipts.insert((now + after, number), (self.via.clone(), receipt));
        }
    }
}

#[async_trait]
impl Channel for FarSide {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn check_address(&self, _: &Address) -> Result<(), String> {
        Ok(())
    }

    fn prepare(&self, wording: &Wording) -> Result<Prepared, Vec<Finding>> {
        let about = serde_json::to_string(&wording.about).unwrap_or_default();
        Ok(Prepared::new([
            Part::new("subject", "text/plain", &wording.subject),
            Part::new("text", "text/plain", wording.document.to_plain()),
            Part::new("short", "text/plain", &wording.short),
            Part::new(ABOUT, "application/json", about),
        ]))
    }

    async fn attempt(
        &self,
        cx: &AttemptContext,
        batch: &Batch<'_>,
        outcomes: &mut Outcomes,
    ) -> Result<(), ChannelError> {
        let about: About = serde_json::from_str(batch.text.part(ABOUT))
            .map_err(|_| ChannelError::new(ErrorKind::Internal, "the text does not say what it is about"))?;
        // Calls that fail are tries, too.
        let tries: Vec<u32> = batch.items.iter().map(|item| self.world.count(item.key)).collect();
        if self.world.is_out(&self.via) {
            return Err(ChannelError::new(ErrorKind::Connect, "out").scope(Scope::Channel).retry(Retry::Backoff));
        }
        for ((i, item), attempt) in batch.items.iter().enumerate().zip(tries) {
            let to = self.recipient(item, &about).await;
            let index = self.remember(&to, &about, batch.text);
            let answer = self.world.answer(&to, &self.via, attempt);
            self.world.pass(&to, &self.via, attempt, Point::Begun).await;
            if let Some(after) = answer.and_then(|a| a.after) {
                cx.clock.sleep(after.0).await;
            }
            // Of what is done by hand once for all somebody says that it was done for the group.
            let is_handed = self.capabilities.by_hand && !self.is_each();
            self.world.state().handed |= is_handed;
            let later = answer.and_then(|a| a.later.as_ref()).filter(|_| !is_handed);
            match reply(answer, &self.capabilities) {
                Reply::Accepted(accepted) => {
                    outcomes.crossing(i);
                    self.world.pass(&to, &self.via, attempt, Point::Crossed).await;
                    let name = Name { reference: accepted.reference.clone(), url: accepted.url.clone() };
                    self.take(index, item, later, name);
                    self.world.pass(&to, &self.via, attempt, Point::Taken).await;
                    outcomes.set(i, Outcome::Accepted(accepted));
                }
                Reply::Failed(error, true) => return Err(error),
                Reply::Failed(error, false) => outcomes.set(i, Outcome::Failed(error)),
                Reply::Indeterminate(arrived, name) => {
                    outcomes.crossing(i);
                    self.world.pass(&to, &self.via, attempt, Point::Crossed).await;
                    if arrived {
                        self.take(index, item, later, name);
                    }
                    let error = ChannelError::new(ErrorKind::Timeout, "no answer").retry(Retry::Backoff).maybe_sent();
                    outcomes.set(i, Outcome::Failed(error));
                }
                Reply::Hang => std::future::pending::<()>().await,
            }
        }
        Ok(())
    }

    fn receipts(&self) -> Option<&dyn ReceiptSource> {
        Some(self)
    }

    fn lookup(&self) -> Option<&dyn Lookup> {
        (self.capabilities.deduplication == Deduplication::ByLookup).then_some(self)
    }
}

#[async_trait]
impl Lookup for FarSide {
    async fn lookup(&self, _: &AttemptContext, key: &Key) -> Result<Answered, ChannelError> {
        let Some(Name { reference, url }) = self.world.state().keys.get(key).cloned() else {
            return Ok(Found::Absent.into());
        };
        let mut answered = Answered::from(Found::Found(Assurance::Accepted));
        if let Some(reference) = reference {
            answered = answered.reference(reference);
        }
        if let Some(url) = url {
            answered = answered.url(url);
        }
        Ok(answered)
    }
}

#[async_trait]
impl ReceiptSource for FarSide {
    async fn batch(&self, _: &AttemptContext, max: usize) -> Result<Vec<Received>, ChannelError> {
        let now = self.world.inner.clock.truly();
        let state = self.world.state();
        let due = state.receipts.range(..=(now, u64::MAX)).filter(|(_, (via, _))| via == &self.via);
        Ok(due
            .take(max)
            .map(|((_, number), (_, receipt))| Received::new(number.to_string(), vec![receipt.clone()], Vec::new()))
            .collect())
    }

    async fn done(&self, _: &AttemptContext, ids: &[String]) -> Result<(), ChannelError> {
        let done: BTreeSet<u64> = ids.iter().filter_map(|id| id.parse().ok()).collect();
        self.world.state().receipts.retain(|(_, number), _| !done.contains(number));
        Ok(())
    }
}

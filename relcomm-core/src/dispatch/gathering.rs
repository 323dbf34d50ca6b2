//! Who is told by a gate of which the bundle alone does not say it: those whom others told, for a correction or a revision, and those who
//! came after it had opened.

use super::driver::{Driver, alongside};
use super::entering::{Begin, CHUNK, Chunk};
use super::gates::PAGE;
use super::{DispatchError, Dispatcher, Record, erased_number, times_of};
use crate::clock::Moment;
use crate::communique::State;
use crate::course::{Delivery, Gate, Leg, Phase, Stage};
use crate::id::{GateNo, StakeholderId};
use crate::journal::{Entrant, GateRow, Row, Run};
use crate::prepare::{GatePlan, Gathered, Kept, KeptPost, PathPlan, Roll};
use crate::receipt::Assurance;
use crate::stakeholder::Stakeholder;
use smallvec::{SmallVec, smallvec};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::{Arc, PoisonError};

/// How far the people of a gate are gathered.
pub(super) struct Gathering {
    /// The posts that are shared.
    posts: Vec<KeptPost>,
    /// How many of them are entered.
    posted: usize,
    /// Who has a delivery here already, or is passed over.
    done: HashSet<StakeholderId>,
    /// The gates whose people are told, the latest first, and from which ordinal on.
    sources: VecDeque<(usize, u32)>,
    /// From which of the bundle's members on; `None` if they are not told by it.
    members: Option<u32>,
}

/// Somebody who is to be entered.
struct Found {
    who: Stakeholder,
    path: PathPlan,
}

impl Dispatcher {
    /// Begins to gather the people of a gate who have no delivery of it yet.
    pub(super) async fn gathering(&self, record: &Record, plan: &GatePlan) -> Result<Gathering, DispatchError> {
        let Some(row) = record.gates.get(plan.index) else {
            return Ok(Gathering::nobody());
        };
        let mut gathering = Gathering::nobody();
        let mut from = 0;
        loop {
            let page = self.journal.scan(row.no, from, PAGE).await?;
            let Some(last) = page.last() else { break };
            from = last.id.ordinal + 1;
            // Whoever was erased is not taken for somebody who is yet to hear.
            let erased = page.iter().filter_map(erased_number);
            gathering.done.extend(erased.filter_map(|number| self.who_was_erased(record, number)));
            gathering.done.extend(page.into_iter().filter_map(|row| row.who));
        }
        if !self.prepared.is_gathered(plan) {
            gathering.posts = self.entered_posts(row).await?;
            gathering.posted = gathering.posts.len();
            let wanted =
                self.posts_that_lack(record, plan, row, &gathering.posts).await?.into_iter().zip(row.tally.rows..);
            gathering.posts.extend(wanted.map(|(post, ordinal)| post.at(ordinal)));
            gathering.members = Some(0);
            return Ok(gathering);
        }
        let on = plan.requirements.iter().filter(|r| r.state == State::Drained).flat_map(|r| r.on.iter().rev());
        gathering.sources = on.map(|index| (*index, 0)).collect();
        gathering.members = plan.revised.is_some().then_some(0);
        if row.tally.rows > 0 {
            gathering.posts = record.roll(self, plan).kept_posts();
            gathering.posted = gathering.posts.len();
        } else {
            // Which posts there are is known only when everybody is seen who may share them.
            let (sources, members) = (gathering.sources.clone(), gathering.members);
            let mut all = Gathering { sources, members, ..Gathering::nobody() };
            while let Some(found) = self.next_found(record, plan, &mut all, PAGE).await? {
                for mut found in found {
                    let next = u32::try_from(gathering.posts.len()).unwrap_or(u32::MAX);
                    self.prepared.share_posts(plan, &mut found.path, &found.who, &mut gathering.posts, next);
                }
            }
        }
        Ok(gathering)
    }

    /// The next deliveries of a gate, to be entered from `cursor` on; the last when nobody is left.
    pub(super) async fn gather(
        &self,
        record: &Record,
        plan: &GatePlan,
        state: &Gate,
        gathering: &mut Gathering,
        cursor: u32,
    ) -> Result<Chunk, DispatchError> {
        let mut entering: Vec<Kept> = gathering.not_entered().map(Kept::Post).collect();
        let mut last = false;
        while entering.len() < CHUNK as usize {
            let most = CHUNK as usize - entering.len();
            let Some(found) = self.next_found(record, plan, gathering, most).await? else {
                last = true;
                break;
            };
            for Found { who, mut path } in found {
                // A post that others have brought in stands before them.
                let next = cursor.saturating_add(u32::try_from(entering.len()).unwrap_or(u32::MAX));
                self.prepared.share_posts(plan, &mut path, &who, &mut gathering.posts, next);
                entering.extend(gathering.not_entered().map(Kept::Post));
                entering.push(Kept::Member { who, path });
            }
        }
        let keeps = self.prepared.is_corrected(plan) || self.prepared.is_gathered(plan);
        let mut batch = Gathered::default();
        let mut paths = Vec::new();
        let mut who = Vec::new();
        for kept in entering {
            let (id, is_kept) = match &kept {
                Kept::Post(_) => (None, true),
                Kept::Member { who, .. } => (Some(who.id.clone()), keeps),
            };
            who.push(Entrant::new(id.clone()).kept(is_kept.then(|| kept.text()).flatten()));
            paths.push((id.is_none(), batch.push(&self.prepared, Some(kept))));
        }
        let roll = batch.finish();
        let opened = state.opened.unwrap_or(Moment::MIN);
        let mut begins: BTreeMap<u16, Begin> = BTreeMap::new();
        let mut chunk = Chunk { runs: Vec::new(), who, to: cursor, last, head: 0 };
        for (is_post, path) in paths {
            let ordinal = chunk.to;
            let alone = |(lane, (at, until))| smallvec![Run::new(1, 0, lane, at, until)];
            let legs: SmallVec<[Run; 1]> = match path {
                Some(_) if is_post => {
                    let begins = self.post_begins(record, plan, &roll, opened, ordinal);
                    alone(begins.unwrap_or_else(|| Begin::nowhere(opened)))
                }
                Some(no) => {
                    let begin = begins.entry(no).or_insert_with(|| self.begins(record, plan, &roll, opened, no));
                    begin.legs(ordinal)
                }
                None => alone(Begin::nowhere(opened)),
            };
            chunk.enter(&legs);
        }
        Ok(chunk)
    }

    /// Who is to be told by a gate and has no delivery of it, by their ids.
    pub(crate) async fn left_to_tell(
        &self,
        record: &Record,
        plan: &GatePlan,
    ) -> Result<HashSet<String>, DispatchError> {
        let mut gathering = self.gathering(record, plan).await?;
        let mut all = HashSet::new();
        while let Some(found) = self.next_found(record, plan, &mut gathering, PAGE).await? {
            all.extend(found.into_iter().map(|found| found.who.id.into()));
        }
        Ok(all)
    }

    /// Whether somebody is to be told by a gate who has no delivery of it.
    pub(super) async fn somebody_is_left(&self, record: &Record, plan: &GatePlan) -> Result<bool, DispatchError> {
        let mut gathering = self.gathering(record, plan).await?;
        while let Some(found) = self.next_found(record, plan, &mut gathering, PAGE).await? {
            if !found.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The next few who are to be told, and how; `None` when nobody is left.
    async fn next_found(
        &self,
        record: &Record,
        plan: &GatePlan,
        gathering: &mut Gathering,
        most: usize,
    ) -> Result<Option<Vec<Found>>, DispatchError> {
        while let Some((index, from)) = gathering.sources.front_mut() {
            let (Some(source), Some(row)) = (record.plans.get(*index), record.gates.get(*index)) else {
                gathering.sources.pop_front();
                continue;
            };
            let page = self.journal.scan(row.no, *from, most.min(PAGE)).await?;
            let Some(last) = page.last() else {
                gathering.sources.pop_front();
                continue;
            };
            let first = std::mem::replace(from, last.id.ordinal + 1);
            let kept = self.journal.kept(row.no, first, page.len()).await?;
            return Ok(Some(self.told_by(record, (plan, source), row, page, kept, &mut gathering.done).await?));
        }
        let Some(from) = gathering.members else { return Ok(None) };
        let roll = self.prepared.roll(plan);
        let mut found = Vec::new();
        let mut seen = 0;
        for (number, path) in roll.members().skip(from as usize).take(PAGE) {
            seen += 1;
            let (Some(who), Some(path)) = (self.prepared.people().get(number), roll.path(path)) else { continue };
            // In a revision whoever has not heard the old time is told when the communique is due by the new one.
            let is_due = plan.revised.is_none() || times_of(self, record, plan, path, path.zone).at.is_some();
            if is_due && gathering.done.insert(who.id.clone()) {
                found.push(Found { who, path: path.clone() });
            }
            if found.len() == most {
                break;
            }
        }
        gathering.members = (seen > 0).then_some(from + seen);
        Ok((seen > 0).then_some(found))
    }

    /// Those of a page of a gate's rows whom it told, or perhaps told, and how they are told now.
    async fn told_by(
        &self,
        record: &Record,
        (plan, source): (&GatePlan, &GatePlan),
        row: &GateRow,
        page: Vec<Row>,
        kept: Vec<(u32, Arc<str>)>,
        done: &mut HashSet<StakeholderId>,
    ) -> Result<Vec<Found>, DispatchError> {
        let perhaps = self.prepared.communique(plan).corrects.as_ref().is_none_or(|corrects| corrects.perhaps);
        let roll = record.roll(self, source);
        let held = if row.tally.doubt > 0 && perhaps { self.held_posts(row.no, roll).await? } else { Vec::new() };
        let kept: BTreeMap<u32, Arc<str>> = kept.into_iter().collect();
        let mut found = Vec::new();
        for delivery in page {
            let Some(id) = delivery.who.clone() else { continue };
            // Whoever was erased is not taken for somebody who has heard nothing yet.
            done.extend(erased_number(&delivery).and_then(|number| self.who_was_erased(record, number)));
            let behind = || held.iter().any(|post| self.shares(record, roll, &delivery, *post));
            let told = delivery.state.best() >= Some(Assurance::Accepted);
            // Whoever is being told just now is found once that is known.
            let perhaps_told = delivery.state.told_or_perhaps() || delivery.state.perhaps_before();
            let is_in_doubt = delivery.state.flying().is_none() && perhaps_told;
            if !told && !(perhaps && (is_in_doubt || behind())) {
                continue;
            }
            let leg = told_leg(&delivery.state);
            let known = kept.get(&delivery.id.ordinal).and_then(|text| Kept::read(delivery.id.ordinal, text));
            let as_kept = match known {
                Some(Kept::Member { who, path }) => kept_step(record, &path, leg).map(|step| (who, path, Some(step))),
                Some(Kept::Post(_)) => continue,
                None => None,
            };
            let as_now = || {
                let (number, path) = self.seat(roll, &delivery)?;
                let (who, path) = (self.people_of(roll).get(number)?, roll.path(path)?.clone());
                let step = leg.and_then(|leg| u8::try_from(record.step_of(&path, &delivery.state, leg)?).ok());
                Some((who, path, step))
            };
            // Or they were told by a way that was not kept: the plan has it since.
            let Some((who, path, step)) = as_kept.or_else(as_now) else { continue };
            let path = match plan.revised {
                Some(_) => Some(self.prepared.revise(&path, self.planned_by(record, source))),
                None => self.prepared.correct(plan, &who, &path, step.unwrap_or_default()),
            };
            // The latest that they heard counts.
            if let Some(path) = path
                && done.insert(id)
            {
                found.push(Found { who, path });
            }
        }
        Ok(found)
    }

    /// The planned time that a gate told.
    fn planned_by(&self, record: &Record, source: &GatePlan) -> Option<Moment> {
        let outdated = || record.gates.get(source.index).and_then(|row| row.state.outdated);
        // The number of the last slip that was known when it opened. What is not outdated told the latest.
        let slip = match source.id.revision.checked_sub(1) {
            None | Some(0) => outdated().and_then(|by| by.checked_sub(1)).unwrap_or_default(),
            Some(slip) => slip,
        };
        match slip.checked_sub(1) {
            None => self.first_planned(&record.head),
            Some(slip) => record.head.slips.get(slip as usize).and_then(|slip| slip.planned),
        }
    }

    /// Whether nothing of a gate is under way any more: nothing flies, and nothing can begin. `None` while that is open.
    pub(super) async fn drained(&self, row: &GateRow) -> Result<Option<bool>, DispatchError> {
        let flies = row.tally.flying > 0;
        let is = match row.state.phase {
            Phase::Opening { .. } => !flies && !row.state.leasable(),
            Phase::Open if row.state.leasable() => !flies && !self.can_begin(row.no).await?,
            Phase::Waiting | Phase::Open | Phase::Settled | Phase::Closed(_) => !flies,
        };
        Ok(is.then_some(true))
    }

    /// Whether a delivery of a gate may still be tried.
    async fn can_begin(&self, gate: GateNo) -> Result<bool, DispatchError> {
        let mut from = 0;
        loop {
            let page = self.journal.scan(gate, from, PAGE).await?;
            let Some(last) = page.last() else { return Ok(false) };
            from = last.id.ordinal + 1;
            if page.iter().any(|row| row.state.ready_leg().is_some()) {
                return Ok(true);
            }
        }
    }

    /// The posts of a gate, at the ordinals at which they were entered.
    async fn entered_posts(&self, row: &GateRow) -> Result<Vec<KeptPost>, DispatchError> {
        let mut posts = Vec::new();
        let mut from = 0;
        loop {
            let kept = self.journal.kept(row.no, from, PAGE).await?;
            let Some((last, _)) = kept.last() else { return Ok(posts) };
            from = last + 1;
            posts.extend(kept.iter().filter_map(|(ordinal, text)| Kept::read_post(*ordinal, text)));
        }
    }

    /// The bundle's posts of a gate that is out which were not entered, and for which somebody waits who was.
    async fn posts_that_lack(
        &self,
        record: &Record,
        plan: &GatePlan,
        row: &GateRow,
        entered: &[KeptPost],
    ) -> Result<Vec<KeptPost>, DispatchError> {
        let roll = self.prepared.roll(plan).as_entered(entered);
        let mut lacking: Vec<KeptPost> = Vec::new();
        let missing: Vec<KeptPost> = roll.kept_posts().into_iter().filter(|p| p.ordinal >= row.tally.rows).collect();
        let mut from = 0;
        while lacking.len() < missing.len() {
            let page = self.journal.scan(row.no, from, PAGE).await?;
            let Some(last) = page.last() else { break };
            from = last.id.ordinal + 1;
            for post in &missing {
                let waits = |delivery: &Row| self.waits_for(record, &roll, delivery, post.ordinal).is_some();
                if lacking.iter().all(|known| known.ordinal != post.ordinal) && page.iter().any(waits) {
                    lacking.push(post.clone());
                }
            }
        }
        Ok(lacking)
    }

    /// Whether a gate that is out lacks a post of the bundle's for which somebody waits.
    pub(super) async fn a_post_is_lacking(
        &self,
        record: &Record,
        plan: &GatePlan,
        row: &GateRow,
    ) -> Result<bool, DispatchError> {
        let is_known = !self.prepared.is_gathered(plan) && !self.prepared.roll(plan).posts().is_empty();
        Ok(is_known && !self.posts_that_lack(record, plan, row, &self.entered_posts(row).await?).await?.is_empty())
    }

    /// The roll of a gate that is out, with its posts where they stand in the record: which there are may have changed since it opened.
    pub(super) async fn entered_roll(
        &self,
        plan: &GatePlan,
        row: &GateRow,
        head: u64,
    ) -> Result<Arc<Roll>, DispatchError> {
        let roll = self.prepared.shared_roll(plan);
        if roll.posts().is_empty() {
            return Ok(Arc::clone(roll));
        }
        if let Some(known) = self.known_roll(row, head) {
            return Ok(known);
        }
        let roll = roll.as_entered(&self.entered_posts(row).await?);
        Ok(self.know_roll(row, head, roll))
    }

    /// The roll that was made of a gate's record, if that has not changed since.
    fn known_roll(&self, row: &GateRow, head: u64) -> Option<Arc<Roll>> {
        let known = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        let (version, rows, roll) = known.get(&row.no)?;
        ((*version, *rows) == (head, row.tally.rows)).then(|| Arc::clone(roll))
    }

    fn know_roll(&self, row: &GateRow, head: u64, roll: Roll) -> Arc<Roll> {
        let roll = Arc::new(roll);
        let mut known = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(row.no, (head, row.tally.rows, Arc::clone(&roll)));
        roll
    }

    /// The roll of a gate whose people only the record knows, made anew only when the record has changed.
    pub(super) async fn gathered_roll(&self, row: &GateRow, head: u64) -> Result<Arc<Roll>, DispatchError> {
        if let Some(known) = self.known_roll(row, head) {
            return Ok(known);
        }
        let many = row.tally.rows;
        let mut gathered = Gathered::default();
        let mut from = 0;
        while from < many {
            let kept = self.journal.kept(row.no, from, PAGE).await?;
            let Some((last, _)) = kept.last() else { break };
            let last = *last;
            let mut kept: BTreeMap<u32, Arc<str>> = kept.into_iter().collect();
            for ordinal in from..=last {
                gathered.push(&self.prepared, kept.remove(&ordinal).and_then(|text| Kept::read(ordinal, &text)));
            }
            from = last + 1;
        }
        Ok(self.know_roll(row, head, gathered.finish()))
    }
}

impl Driver<'_> {
    /// Whether a correction is out and somebody turns out to have been told who has no delivery of it. Looked at when those whom its
    /// sources told may have become more.
    pub(super) async fn heard_more(&mut self, plan: &GatePlan) -> Result<bool, DispatchError> {
        let on = self.on;
        let phase = self.record.gates.get(plan.index).map(|row| row.state.phase);
        if !on.prepared.is_gathered(plan) || !matches!(phase, Some(Phase::Open | Phase::Settled)) {
            return Ok(false);
        }
        let sources = plan.requirements.iter().flat_map(|requirement| &requirement.on);
        let tallies = sources.filter_map(|index| self.record.gates.get(*index)).map(|row| row.tally);
        let seen = tallies.map(|tally| (tally.reached(Assurance::Accepted), tally.doubt)).collect();
        if self.heard.get(&plan.index) == Some(&seen) {
            return Ok(false);
        }
        self.heard.insert(plan.index, seen);
        let call = on.somebody_is_left(&self.record, plan);
        alongside(&mut self.flights, &mut self.landed, call).await
    }
}

impl Gathering {
    /// Those of the posts that are to be entered next; they count as entered then.
    fn not_entered(&mut self) -> impl Iterator<Item = KeptPost> {
        let from = std::mem::replace(&mut self.posted, self.posts.len());
        self.posts.iter().skip(from).cloned()
    }

    fn nobody() -> Self {
        Self { posts: Vec::new(), posted: 0, done: HashSet::new(), sources: VecDeque::new(), members: None }
    }
}

/// The step of a kept path by which a leg went: that of its number, or the first by its mechanism. The kept lanes are no longer known.
fn kept_step(record: &Record, path: &PathPlan, leg: Option<&Leg>) -> Option<u8> {
    let Some(leg) = leg else { return Some(0) };
    let mechanism = record.mechanism_on(leg.lane)?;
    let is_it = |step: &usize| path.steps.get(*step).is_some_and(|step| step.mechanism == mechanism);
    let step = Some(usize::from(leg.step)).filter(is_it).or_else(|| (0..path.steps.len()).find(is_it))?;
    u8::try_from(step).ok()
}

/// The leg by which somebody was told: that which proves most, else the one of which nobody knows.
fn told_leg(state: &Delivery) -> Option<&Leg> {
    let best = state.best().filter(|best| *best >= Assurance::Accepted);
    let proves = |leg: &&Leg| best.is_some() && !leg.failed && leg.sure == best;
    let doubt = |leg: &&Leg| matches!(leg.stage, Stage::Doubt { .. } | Stage::Flying { .. });
    state.legs.iter().find(proves).or_else(|| state.legs.iter().rev().find(doubt)).or(state.legs.last())
}

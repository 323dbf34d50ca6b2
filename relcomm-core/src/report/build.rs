//! From the record to the report.

use super::WAIVED;
use super::attempts::{Carried, Joined, Story, stories};
use super::deadlines::Anchors;
use super::erased::{Erased, shown};
use super::quota::{Member, is_met, unmet};
use super::reasons::{HELD, class, worst_of};
use super::{
    Class, DeliveryReport, GapReport, GroupReport, Part, PersonReport, Report, SlipReport, Statement, Totals, Verdict,
};
use crate::clock::Moment;
use crate::course::{Delivery, HeadFact, Leg};
use crate::dispatch::{DispatchError, Dispatcher, Record};
use crate::id::{DeliveryId, GroupId};
use crate::journal::{Fact, GateRow, Row, Subject};
use crate::mechanism::Mechanism;
use crate::prepare::{Apart, GatePlan, PathPlan, Roll, StepPlan};
use crate::receipt::Assurance;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Why a report cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("the report cannot be made")]
#[non_exhaustive]
pub struct ReportError(#[from] DispatchError);

pub(super) const PAGE: usize = 1024;

const OPTED_OUT: &str = "opted out";

impl Dispatcher {
    /// Who is informed, and who is not, by the record as it is now.
    ///
    /// # Errors
    /// The journal fails.
    pub async fn report(&self) -> Result<Report, ReportError> {
        Ok(Builder::new(self).await?.build().await?)
    }
}

/// The last communique by which somebody was told, and when.
pub(super) type Told = Option<(Moment, String)>;

pub(super) struct Builder<'a> {
    pub(super) on: &'a Dispatcher,
    pub(super) record: Record,
    pub(super) stories: BTreeMap<DeliveryId, Story>,
    pub(super) joined: Joined,
    /// When other communiques reached what deadlines are relative to, by gate and variant.
    pub(super) anchors: Anchors,
    pub(super) people: Vec<Vec<DeliveryReport>>,
    /// Those who have left, by their ids.
    pub(super) gone: BTreeMap<String, (Vec<DeliveryReport>, Told)>,
    pub(super) told: Vec<Told>,
    /// By id, where somebody may stand on a roll that is not the bundle's.
    pub(super) numbers: HashMap<String, u32>,
    membership: BTreeMap<GroupId, Vec<bool>>,
    pub(super) erased: Erased,
}

impl<'a> Builder<'a> {
    async fn new(on: &'a Dispatcher) -> Result<Self, DispatchError> {
        let journal = on.journal();
        let record = Record::read(on).await?;
        let (stories, joined) = stories(journal.as_ref()).await?;
        let numbers = super::revisions::numbers(on, &record);
        let everyone = on.prepared().people().len();
        let mut membership = BTreeMap::new();
        for (group, members) in on.prepared().people().groups() {
            let mut is = vec![false; everyone];
            for &member in members {
                if let Some(slot) = is.get_mut(member as usize) {
                    *slot = true;
                }
            }
            membership.insert(group.clone(), is);
        }
        Ok(Self {
            on,
            record,
            anchors: Anchors::new(),
            gone: BTreeMap::new(),
            stories,
            joined,
            people: vec![Vec::new(); everyone],
            told: vec![None; everyone],
            numbers,
            membership,
            erased: Erased::default(),
        })
    }

    async fn build(mut self) -> Result<Report, DispatchError> {
        let standing = self.on.standing().await?;
        self.anchors = self.deadline_anchors().await?;
        self.kept_back();
        for plan in Arc::clone(&self.record.plans).iter() {
            if self.speaks_of(plan) {
                self.gate(plan).await?;
            }
        }
        self.supersede();
        let prepared = self.on.prepared();
        let mut report = Report {
            plan: prepared.plan().id().to_string(),
            product: prepared.plan().release().product.clone(),
            version: prepared.plan().release().version.clone(),
            mode: self.on.journal().scope().mode,
            digests: prepared.digests().clone(),
            journal_head: self.on.journal().seal().await?,
            verdict: Verdict::Informed,
            compliant: true,
            lacks_consent: standing.lacks_consent(),
            next_due: standing.next_due,
            waiting_for: standing.pending.iter().map(|p| format!("{}: {}", p.gate, p.waiting_for)).collect(),
            totals: Totals::default(),
            declarations: Vec::new(),
            approvals: Vec::new(),
            approvals_open: standing.approvals_open.clone(),
            executions: Vec::new(),
            groups: Vec::new(),
            people: Vec::new(),
            gaps: Vec::new(),
            slips: Vec::new(),
            dropped: self.dropped().await?,
            unmatched: self.on.journal().unmatched().await?,
        };
        self.statements(&mut report).await?;
        self.gaps(&mut report).await?;
        self.persons(&mut report);
        self.without_erased(&mut report);
        self.groups(&mut report);
        let in_time = standing.approvals_open.iter().all(|approval| !approval.late);
        report.compliant = in_time && report.groups.iter().all(|group| group.in_time);
        report.verdict = if !standing.is_done() {
            Verdict::Pending
        } else if !report.compliant {
            // Whoever is not informed can still be told, and stands in the report by name; a deadline that was missed stays missed.
            Verdict::NotCompliant
        } else if report.groups.iter().any(|g| !g.met) {
            Verdict::NotInformed
        } else {
            Verdict::Informed
        };
        Ok(report)
    }

    /// Communiques that are not meant for this release have no gates: their people are exempt by name.
    fn kept_back(&mut self) {
        let plan = self.on.prepared().plan();
        for communique in plan.communiques() {
            let why = communique.kept_back(plan.release());
            let Some(why) = why else { continue };
            for group in &communique.to {
                for &member in self.on.prepared().people().members(group) {
                    let Some(deliveries) = self.people.get_mut(member as usize) else { continue };
                    if deliveries.iter().all(|d| d.communique != communique.id.as_str()) {
                        let mut row = blank(communique.id.as_str());
                        row.reason = Some(why.clone());
                        row.groups = vec![group.to_string()];
                        deliveries.push(row);
                    }
                }
            }
        }
    }

    async fn gate(&mut self, plan: &GatePlan) -> Result<(), DispatchError> {
        let Some(row) = self.record.gates.get(plan.index).cloned() else { return Ok(()) };
        let row = &row;
        let is_out = row.state.is_out();
        // Before it is out it speaks of whom it may concern.
        let roll = if is_out { self.record.roll(self.on, plan) } else { self.on.prepared().shared_roll(plan) };
        let roll = &Arc::clone(roll);
        let whole = self.whole(plan, row);
        let mut entered: BTreeMap<u32, Row> = BTreeMap::new();
        let mut from = 0;
        if is_out {
            loop {
                let page = self.on.journal().scan(row.no, from, PAGE).await?;
                let Some(last) = page.last() else { break };
                from = last.id.ordinal + 1;
                entered.extend(page.into_iter().map(|r| (r.id.ordinal, r)));
            }
        }
        // Whoever was entered stands where the journal says, although the people may have changed since.
        let mut seats: BTreeMap<u32, u32> =
            entered.values().filter_map(|row| Some((self.on.seat(roll, row)?.0, row.id.ordinal))).collect();
        let replaced = row.state.outdated.is_some();
        let mut concerned = self.concerned(plan, is_out).await?;
        self.seat_erased(plan, row, roll, &entered, &mut seats);
        for (person, path_no) in roll.members() {
            let Some(path) = roll.path(path_no) else { continue };
            let Some(whose) = self.whose(roll, person) else { continue };
            if concerned.as_mut().is_some_and(|concerned| !concerned.remove(&whose.id)) {
                continue;
            }
            let mut report = self.row(plan, whose.number);
            self.revision(&mut report, plan, path);
            match seats.get(&person).and_then(|ordinal| entered.get(ordinal)) {
                Some(delivery) => {
                    self.delivery(&mut report, (plan, roll), row, path, delivery, &entered);
                    self.lateness(&mut report, plan, row, path, Some(delivery.id));
                    let told = self.stories.get(&delivery.id).and_then(|s| s.accepted);
                    if let Some(at) = told.filter(|_| delivery.state.told_or_perhaps()) {
                        self.told_last(&whose, at, plan);
                    }
                }
                // A revision tells them.
                None if replaced => continue,
                None => {
                    report.id = plan.id.to_string();
                    (report.class, report.reason) = whole.clone();
                    self.lateness(&mut report, plan, row, path, None);
                }
            }
            self.file(&whose, report);
        }
        let left = self.not_seated(plan, roll, &entered);
        // A revision that another replaced before it went out is for nobody.
        let gathers = is_out && self.on.prepared().is_gathered(plan);
        if !gathers && (is_out || !replaced) {
            let told = left.iter().filter(|(row, _)| row.state.told_or_perhaps()).filter_map(|(_, whose)| whose.number);
            self.apart(plan, roll, &whole, is_out, &told.collect());
        }
        for id in concerned.into_iter().flatten() {
            self.yet_to_correct((plan, roll), id, &whole);
        }
        self.left(plan, row, &entered, &left).await
    }

    /// Whoever has no delivery of their own stands as whoever tells them, or is exempt or out of reach, but for those who were told before.
    fn apart(
        &mut self,
        plan: &GatePlan,
        roll: &Roll,
        whole: &(Class, Option<String>),
        is_out: bool,
        told: &BTreeSet<u32>,
    ) {
        let through = |why: &Apart| matches!(why, Apart::Through(_));
        // Before it is out nobody has missed it.
        let beyond = |why: &str| if is_out { (Class::NotInformed, Some(why.to_owned())) } else { whole.clone() };
        let apart = roll.apart().filter(|(person, _)| !told.contains(person));
        let (led, alone): (Vec<_>, Vec<_>) = apart.partition(|(_, why)| through(why));
        for (person, why) in alone.into_iter().chain(led) {
            let mut report = self.row(plan, Some(person));
            report.id = plan.id.to_string();
            (report.class, report.reason) = match why {
                Apart::OptedOut => (Class::Exempt, Some(OPTED_OUT.to_owned())),
                Apart::Unreachable => beyond("nobody can reach them"),
                Apart::Through(leader) => {
                    let id = self.on.prepared().people().at(leader).map(|who| who.id().to_owned());
                    let of = self.people.get(leader as usize).and_then(|deliveries| deliveries.last());
                    let same = |d: &&DeliveryReport| {
                        (&d.communique, &d.occurrence, &d.place)
                            == (&report.communique, &report.occurrence, &report.place)
                    };
                    match of.filter(same).cloned() {
                        // The wish is the leader's own; those behind have none.
                        Some(leaders) if leaders.reason.as_deref() == Some(OPTED_OUT) => {
                            beyond("whoever tells them opted out")
                        }
                        Some(leaders) => {
                            let groups = std::mem::take(&mut report.groups);
                            report = DeliveryReport { groups, through: id, attempts: Vec::new(), ..leaders };
                            let told = self.told.get(leader as usize).cloned().flatten();
                            let told = told.filter(|(_, gate)| *gate == plan.id.to_string());
                            if let (Some(told), Some(slot)) = (told, self.told.get_mut(person as usize)) {
                                *slot = Some(told);
                            }
                            (report.class, report.reason.take())
                        }
                        None => beyond("whoever tells them is not told"),
                    }
                }
            };
            if let Some(deliveries) = self.people.get_mut(person as usize) {
                deliveries.push(report);
            }
        }
    }

    pub(super) fn row(&self, plan: &GatePlan, person: Option<u32>) -> DeliveryReport {
        let mut report = blank(plan.id.communique.as_str());
        report.occurrence = plan.id.occurrence.as_ref().map(ToString::to_string);
        report.revision = plan.id.revision;
        report.place = plan.id.place.as_ref().map(ToString::to_string);
        report.groups = person.map(|person| self.credited(plan, person)).unwrap_or_default();
        report
    }

    fn credited(&self, plan: &GatePlan, person: u32) -> Vec<String> {
        self.on
            .prepared()
            .communique(plan)
            .to
            .iter()
            .filter(|g| self.membership.get(*g).is_some_and(|is| is.get(person as usize) == Some(&true)))
            .map(ToString::to_string)
            .collect()
    }

    pub(super) fn delivery(
        &self,
        report: &mut DeliveryReport,
        (plan, roll): (&GatePlan, &Roll),
        gate: &GateRow,
        path: &PathPlan,
        row: &Row,
        entered: &BTreeMap<u32, Row>,
    ) {
        report.id = format!("{}.{}", plan.id, row.id.ordinal);
        let best = row.state.best();
        report.assurance = best;
        let credit = row.state.legs.iter().filter(|l| !l.failed && l.sure == best).find_map(|l| {
            let post = self.record.step_of(path, &row.state, l).and_then(|step| path.steps.get(step)?.post);
            Some((self.record.mechanism_on(l.lane)?, post))
        });
        report.mechanism = credit.as_ref().filter(|_| best >= Some(Assurance::Accepted)).map(|(m, _)| m.clone());
        report.posted = credit.is_some_and(|(_, post)| post.is_some()) && report.mechanism.is_some();
        let mut attempts = Vec::new();
        if let Some(story) = self.stories.get(&row.id) {
            report.text_digest.clone_from(&story.text_digest);
            attempts = story.attempts(&row.state, |no, leg| {
                let to = self.on.in_their_place(&self.record, roll, row, no).map(|reached| reached.id().to_owned());
                Some((self.carried_on((roll, path), &row.state, leg)?, to))
            });
        }
        // Whoever shares a post has its tries for their own.
        let step_of = |leg| self.record.step_of(path, &row.state, leg).and_then(|step| path.steps.get(step));
        for (leg, number) in row.state.legs.iter().zip(0u8..) {
            let Some(step) = step_of(leg) else { continue };
            // Of a step that was begun once more the last leg has the tries of all.
            let mut later = row.state.legs.iter().skip(usize::from(number) + 1).filter_map(step_of);
            if later.any(|later| later.post == step.post) {
                continue;
            }
            let Some(post) = step.post.and_then(|ordinal| entered.get(&ordinal)).filter(|p| p.who.is_none()) else {
                continue;
            };
            if let Some(story) = self.stories.get(&post.id) {
                let mut posted = story.attempts(&post.state, |_, _| Some((self.carried(step), None)));
                if let (Some((_, last)), Some(own)) = (posted.last_mut(), self.stories.get(&row.id)) {
                    own.speak_of(number, last);
                }
                attempts.extend(posted.into_iter().map(|(_, attempt)| (number, attempt)));
                report.text_digest = report.text_digest.take().or_else(|| story.text_digest.clone());
            }
        }
        attempts.sort_by_key(|(leg, attempt)| (attempt.at, *leg));
        report.attempts = attempts.into_iter().map(|(_, attempt)| attempt).collect();
        (report.class, report.reason) = class(&row.state, path.informed_when, gate);
        // A person who says that somebody was not reached is believed, although something before may have reached them.
        let last = row.state.legs.last().filter(|leg| leg.failed && row.state.end.is_some());
        let by_hand = |mechanism: Mechanism| self.on.prepared().is_by_hand(&mechanism);
        if report.class > Class::Informed
            && last.and_then(|leg| self.record.mechanism_on(leg.lane)).is_some_and(by_hand)
        {
            (report.class, report.reason) = (Class::NotInformed, Some("not reached".to_owned()));
        }
        let waits_for = row.state.ready_leg().and_then(|(leg, ..)| {
            let step = self.record.step_of(path, &row.state, row.state.legs.get(usize::from(leg))?)?;
            entered.get(&path.steps.get(step)?.post?)
        });
        if report.class == Class::Unconfirmed && waits_for.is_some_and(|post| post.state.is_held()) {
            report.reason = Some(HELD.to_owned());
        }
    }

    /// By what a leg was carried, and who performs it; of a step that their path has no more, who performs it for others.
    fn carried_on(&self, (roll, path): (&Roll, &PathPlan), state: &Delivery, leg: &Leg) -> Option<Carried> {
        match self.record.step_of(path, state, leg).and_then(|step| path.steps.get(step)) {
            Some(step) => Some(self.carried(step)),
            None => {
                let mechanism = self.record.mechanism_on(leg.lane)?;
                let mut steps = roll.paths().iter().flat_map(|path| &path.steps);
                let alike = steps.find(|step| step.mechanism == mechanism);
                Some(alike.map_or((mechanism, None), |step| self.carried(step)))
            }
        }
    }

    /// By what a step is carried, and who performs it: whom the plan names, else the responsible party.
    fn carried(&self, step: &StepPlan) -> Carried {
        let responsible = || self.on.prepared().plan().responsible().execute.id.as_str().to_owned();
        let performer = || step.performer.as_ref().map_or_else(responsible, ToString::to_string);
        (step.mechanism.clone(), self.on.prepared().is_by_hand(&step.mechanism).then(performer))
    }

    async fn statements(&self, report: &mut Report) -> Result<(), DispatchError> {
        for (entry, note) in self.on.journal().history(Subject::Head).await? {
            let Fact::Head(fact) = entry.fact else { continue };
            let note = note.unwrap_or_default();
            match *fact {
                HeadFact::Declared { place, outcome, at } => report.declarations.push(Statement {
                    of: place.to_string(),
                    says: outcome.to_string(),
                    at,
                    by: note.by,
                    proof: note.proof,
                    digest: None,
                }),
                HeadFact::Approved(approval) => report.approvals.push(Statement {
                    of: approval.role.to_string(),
                    says: if approval.rejected { "rejected" } else { "approved" }.into(),
                    at: approval.at,
                    by: note.by,
                    proof: None,
                    digest: Some(approval.digests.texts),
                }),
                HeadFact::Executing => report.executions.push(Statement {
                    of: "plan".into(),
                    says: "executed".into(),
                    at: entry.at,
                    by: note.by,
                    proof: None,
                    digest: None,
                }),
                HeadFact::Slipped(slip) => {
                    report.slips.push(SlipReport { planned: slip.planned, at: slip.at, by: note.by, why: note.text });
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn persons(&mut self, report: &mut Report) {
        let deliveries = std::mem::take(&mut self.people);
        let told = std::mem::take(&mut self.told);
        for ((number, deliveries), told) in (0u32..).zip(deliveries).zip(told) {
            let Some(who) = self.on.prepared().people().get(number) else { continue };
            let (class, worst) = worst_of(&deliveries);
            let waived = || self.waived(number).then(|| WAIVED.to_owned());
            let reason = match worst {
                Some(worst) => worst.reason.clone(),
                None => Some(waived().unwrap_or_else(|| "nothing due".into())),
            };
            report.totals.add(class);
            report.people.push(PersonReport {
                id: self.erased.here.get(&number).map_or_else(|| who.id.as_str().to_owned(), |n| shown(*n)),
                class,
                reason,
                last_statement: told.map(|(_, gate)| gate),
                deliveries,
                is_group: false,
            });
        }
        self.those_gone(report);
        self.erased.add_to(report);
        for group in self.on.prepared().plan().groups() {
            if group.waived.is_some() && self.on.prepared().people().members(&group.id).is_empty() {
                report.totals.add(Class::Exempt);
                report.people.push(PersonReport {
                    id: group.id.to_string(),
                    class: Class::Exempt,
                    reason: Some(WAIVED.into()),
                    last_statement: None,
                    deliveries: Vec::new(),
                    is_group: true,
                });
            }
        }
    }

    fn waived(&self, person: u32) -> bool {
        self.on.prepared().plan().groups().iter().any(|g| {
            g.waived.is_some() && self.membership.get(&g.id).is_some_and(|is| is.get(person as usize) == Some(&true))
        })
    }

    /// Who must be informed and cannot be reached, and who accepted that.
    async fn gaps(&self, report: &mut Report) -> Result<(), DispatchError> {
        let gaps = self.on.prepared().gaps();
        if gaps.is_empty() {
            return Ok(());
        }
        let mut accepted = BTreeMap::new();
        for (entry, note) in self.on.journal().history(Subject::Head).await? {
            if let Fact::Head(fact) = entry.fact
                && let HeadFact::GapAccepted { of } = *fact
            {
                accepted.insert(of, (entry.at, note.unwrap_or_default()));
            }
        }
        for gap in gaps {
            let who = gap.person.and_then(|number| self.on.prepared().people().at(number));
            let by = gap.marks.iter().find_map(|mark| accepted.get(mark));
            report.gaps.push(GapReport {
                group: gap.group.to_string(),
                person: who.map(|who| who.id().to_owned()),
                company: gap.company.clone(),
                accepted: by.map(|(at, _)| *at),
                by: by.and_then(|(_, note)| note.by.clone()),
                why: by.and_then(|(_, note)| note.text.clone()),
            });
        }
        Ok(())
    }

    /// The groups, each by its rule.
    fn groups(&self, report: &mut Report) {
        for group in self.on.prepared().plan().groups() {
            let mut totals = Totals::default();
            let id = group.id.to_string();
            let people = self.on.prepared().people();
            let mut members = Vec::new();
            let mut opted_out = 0;
            for &member in people.members(&group.id) {
                let (Some(person), Some(who)) = (report.people.get(member as usize), people.at(member)) else {
                    continue;
                };
                let due = || person.deliveries.iter().filter(|d| !d.superseded && d.groups.contains(&id));
                let class = due().map(|d| d.class).max().unwrap_or(Class::Exempt);
                totals.add_many(class, who.stands_for());
                if class == Class::Exempt && due().any(|d| d.reason.as_deref() == Some(OPTED_OUT)) {
                    opted_out += who.stands_for();
                }
                members.push(Member { who, class, late: due().any(|d| d.late_in.contains(&id)) });
            }
            if totals.people == 0 && group.waived.is_some() {
                totals.add(Class::Exempt);
            }
            let rule = match &group.waived {
                Some(waiver) => format!("{WAIVED}: {}", waiver.why),
                None => format!("{} {}", group.require, group.informed_when),
            };
            let met = is_met(&group.require, &members, |member| member.class == Class::Informed);
            let in_time =
                members.iter().all(|member| !member.late) || is_met(&group.require, &members, |member| !member.late);
            let unmet = unmet(&group.require, &members, |member| member.class == Class::Informed);
            let unmet = unmet.into_iter().map(ToOwned::to_owned).collect();
            report.groups.push(GroupReport { id, rule, met, unmet, in_time, opted_out, totals });
        }
    }
}

pub(super) fn blank(communique: &str) -> DeliveryReport {
    DeliveryReport {
        id: communique.to_owned(),
        communique: communique.to_owned(),
        occurrence: None,
        place: None,
        revision: 1,
        groups: Vec::new(),
        part: Part::Live,
        class: Class::Exempt,
        assurance: None,
        mechanism: None,
        posted: false,
        text_digest: None,
        deadline: None,
        late: false,
        late_in: Vec::new(),
        planned: None,
        superseded: false,
        reason: None,
        through: None,
        attempts: Vec::new(),
    }
}

//! What revisions, corrections and people who left add to the report.

use super::build::{Builder, Told};
use super::reasons::worst_of;
use super::{Class, DeliveryReport, DroppedReport, Part, PersonReport, Report};
use crate::clock::Moment;
use crate::course::{Phase, Verdict as GateVerdict};
use crate::dispatch::{DispatchError, Dispatcher, Record, erased_number};
use crate::id::GateName;
use crate::journal::{GateRow, Row};
use crate::prepare::{GatePlan, Kept, PathPlan, Roll};
use crate::receipt::Assurance;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Whose a row is: their id, and their number in the bundle if they have not left.
pub(super) struct Whose {
    pub(super) id: String,
    pub(super) number: Option<u32>,
}

/// The numbers of the bundle's people by their ids, if somebody may stand on a roll that is not the bundle's.
pub(super) fn numbers(on: &Dispatcher, record: &Record) -> HashMap<String, u32> {
    let prepared = on.prepared();
    if !record.head.prepared_again
        && !prepared.gates().iter().any(|gate| prepared.is_corrected(gate) || prepared.is_gathered(gate))
    {
        return HashMap::new();
    }
    prepared.people().iter().zip(0..).map(|(who, number)| (who.id().to_owned(), number)).collect()
}

impl Builder<'_> {
    /// Whether a gate tells anybody anything: a revision that nobody needs does not.
    pub(super) fn speaks_of(&self, plan: &GatePlan) -> bool {
        plan.revised.is_none() || self.record.gates.get(plan.index).is_some_and(|row| row.state.called)
    }

    /// Whose the place on a roll is.
    pub(super) fn whose(&self, roll: &Roll, person: u32) -> Option<Whose> {
        let id = self.on.people_of(roll).at(person)?.id().to_owned();
        let number = match roll.own_people() {
            None => Some(person),
            Some(_) => self.numbers.get(&id).copied(),
        };
        Some(Whose { id, number })
    }

    /// Whom alone a gate concerns that is not out, where that is not its roll: a correction those who were told.
    pub(super) async fn concerned(
        &self,
        plan: &GatePlan,
        is_out: bool,
    ) -> Result<Option<HashSet<String>>, DispatchError> {
        let corrects = self.on.prepared().communique(plan).corrects.is_some();
        let Some(row) = self.record.gates.get(plan.index).filter(|_| corrects && !is_out) else { return Ok(None) };
        let rule = self.on.rule(plan, &self.record.head, &row.state);
        // What is closed was to come, whatever it stood for then.
        let is_closed = matches!(row.state.phase, Phase::Closed(_));
        if !is_closed && row.state.verdict(&rule, self.on.now()) == GateVerdict::Standby {
            return Ok(None);
        }
        Ok(Some(self.on.left_to_tell(&self.record, plan).await?))
    }

    /// How many slips were known when a gate opened: all of them, if it is yet to open.
    fn slips_told(&self, plan: &GatePlan) -> usize {
        let slips = &self.record.head.slips;
        let revision = usize::try_from(plan.id.revision).unwrap_or(usize::MAX);
        let outdated = self.record.gates.get(plan.index).and_then(|row| row.state.outdated);
        match (plan.revised, outdated.and_then(|by| usize::try_from(by).ok())) {
            (Some(_), _) => revision - 1,
            (None, Some(by)) => by - 1,
            (None, None) => slips.len(),
        }
    }

    /// What a row is a part of, and which planned time it tells.
    pub(super) fn revision(&self, report: &mut DeliveryReport, plan: &GatePlan, path: &PathPlan) {
        report.part = path.part;
        if self.on.prepared().communique(plan).corrects_slips {
            let planned = match self.slips_told(plan).checked_sub(1) {
                None => self.on.first_planned(&self.record.head),
                Some(slip) => self.record.head.slips.get(slip).and_then(|slip| slip.planned),
            };
            report.planned = Some(planned.map_or_else(|| "open".to_owned(), |at| at.to_string()));
        }
    }

    /// Files a row where it belongs.
    pub(super) fn file(&mut self, whose: &Whose, report: DeliveryReport) {
        let deliveries = match whose.number {
            Some(number) => self.people.get_mut(number as usize),
            None => Some(&mut self.gone.entry(whose.id.clone()).or_default().0),
        };
        if let Some(deliveries) = deliveries {
            deliveries.push(report);
        }
    }

    /// That somebody was told by a gate at this time: the last counts.
    pub(super) fn told_last(&mut self, whose: &Whose, at: Moment, plan: &GatePlan) {
        let slot = match whose.number {
            Some(number) => self.told.get_mut(number as usize),
            None => Some(&mut self.gone.entry(whose.id.clone()).or_default().1),
        };
        if let Some(slot) = slot
            && slot.as_ref().is_none_or(|(then, _)| *then <= at)
        {
            *slot = Some((at, plan.id.to_string()));
        }
    }

    /// The row of somebody who was told and waits for the correction, where it is not for them by the bundle: they have left, or belong to
    /// another place.
    pub(super) fn yet_to_correct(
        &mut self,
        (plan, roll): (&GatePlan, &Roll),
        id: String,
        whole: &(Class, Option<String>),
    ) {
        let number = self.numbers.get(&id).copied();
        if roll.apart().any(|(person, _)| number == Some(person)) {
            return;
        }
        let mut report = self.row(plan, number);
        (report.id, report.part) = (plan.id.to_string(), Part::Correction);
        (report.class, report.reason) = whole.clone();
        self.file(&Whose { id, number }, report);
    }

    /// Rows of a gate of the bundle whose people have left since, or are not told by it any more: what they heard they have heard.
    pub(super) async fn left(
        &mut self,
        plan: &GatePlan,
        gate: &GateRow,
        entered: &BTreeMap<u32, Row>,
        left: &[(&Row, Whose)],
    ) -> Result<(), DispatchError> {
        let roll = &std::sync::Arc::clone(self.record.roll(self.on, plan));
        for (row, whose) in left {
            // Whoever is still among the people and has heard nothing stands where the plan puts them now.
            if whose.number.is_some() && !row.state.told_or_perhaps() {
                continue;
            }
            let kept = self.on.kept_at(row.id).await?.and_then(|text| Kept::read(row.id.ordinal, &text));
            let path = match kept {
                Some(Kept::Member { path, .. }) => path,
                _ if !row.state.told_or_perhaps() => continue,
                _ => match self.no_path(plan) {
                    Some(path) => path,
                    None => continue,
                },
            };
            let mut report = self.row(plan, whose.number);
            self.revision(&mut report, plan, &path);
            self.delivery(&mut report, (plan, roll), gate, &path, row, entered);
            if let Some(at) = self.stories.get(&row.id).and_then(|story| story.accepted)
                && row.state.told_or_perhaps()
            {
                self.told_last(whose, at, plan);
            }
            self.file(whose, report);
        }
        Ok(())
    }

    /// The rows of a gate of whose people the roll says nothing, and whose they are.
    pub(super) fn not_seated<'r>(
        &self,
        plan: &GatePlan,
        roll: &Roll,
        entered: &'r BTreeMap<u32, Row>,
    ) -> Vec<(&'r Row, Whose)> {
        if self.numbers.is_empty() || self.on.prepared().is_gathered(plan) {
            return Vec::new();
        }
        let rows = entered.values().filter(|row| self.on.seat(roll, row).is_none() && erased_number(row).is_none());
        let whose = |row: &'r Row| {
            let id = row.who.as_ref()?.as_str().to_owned();
            Some((row, Whose { number: self.numbers.get(&id).copied(), id }))
        };
        rows.filter_map(whose).collect()
    }

    /// How those are told of whom the plan says nothing any more: by what they were, the lanes tell.
    fn no_path(&self, plan: &GatePlan) -> Option<PathPlan> {
        let prepared = self.on.prepared();
        let group = prepared.communique(plan).to.first().and_then(|id| prepared.plan().group(id))?;
        Some(PathPlan::without_steps(&group.id, prepared.plan().zone(), group.informed_when))
    }

    /// What is out and stands in the plan no more.
    pub(super) async fn dropped(&self) -> Result<Vec<DroppedReport>, DispatchError> {
        let gates = self.on.journal().gates().await?.into_iter();
        let gone = gates.filter(|row| row.state.is_out() && self.record.plans.iter().all(|plan| plan.id != row.id));
        let told = |row: GateRow| DroppedReport {
            id: row.id.to_string(),
            communique: row.id.communique.to_string(),
            deliveries: row.tally.rows,
            accepted: row.tally.reached(Assurance::Accepted),
        };
        Ok(gone.map(told).collect())
    }

    /// Marks the rows in whose place a later revision to the same person has come.
    pub(super) fn supersede(&mut self) {
        if self.record.head.slips.is_empty() {
            return;
        }
        let revisions: HashMap<GateName<'_>, usize> =
            self.record.plans.iter().map(|plan| (plan.id.name(), self.slips_told(plan))).collect();
        let told_by = |d: &DeliveryReport| revisions.get(&d.gate()).copied();
        let everyone = self.people.iter_mut().chain(self.gone.values_mut().map(|(deliveries, _)| deliveries));
        for deliveries in everyone {
            let known: Vec<(String, Option<String>, usize)> =
                deliveries.iter().filter_map(|d| Some((d.communique.clone(), d.place.clone(), told_by(d)?))).collect();
            for delivery in deliveries.iter_mut() {
                let Some(own) = told_by(delivery) else { continue };
                delivery.superseded = known
                    .iter()
                    .any(|(of, place, other)| *of == delivery.communique && *place == delivery.place && *other > own);
            }
        }
    }

    /// Those who have left and were told.
    pub(super) fn those_gone(&mut self, report: &mut Report) {
        for (id, (deliveries, told)) in std::mem::take(&mut self.gone) {
            let (class, worst) = worst_of(&deliveries);
            let reason = worst.and_then(|worst| worst.reason.clone());
            let told: Told = told;
            report.totals.add(class);
            report.people.push(PersonReport {
                id,
                class,
                reason,
                last_statement: told.map(|(_, gate)| gate),
                deliveries,
                is_group: false,
            });
        }
    }
}

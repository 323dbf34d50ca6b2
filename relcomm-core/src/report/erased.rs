//! Persons who were erased: shown by a number, as what they were.

use super::build::Builder;
use super::reasons::class;
use super::{DeliveryReport, PersonReport, Report};
use crate::dispatch::erased_number;
use crate::journal::{GateRow, Row};
use crate::prepare::{GatePlan, Roll};
use crate::receipt::Assurance;
use std::collections::{BTreeMap, BTreeSet};

/// How an erased person is shown.
pub(super) fn shown(number: u32) -> String {
    format!("#erased-{number}")
}

/// The persons who were erased.
#[derive(Default)]
pub(super) struct Erased {
    /// Those who are still among the people, by their numbers there.
    pub(super) here: BTreeMap<u32, u32>,
    /// What was due to the others.
    gone: BTreeMap<u32, Vec<DeliveryReport>>,
}

impl Erased {
    pub(super) fn add_to(&mut self, report: &mut Report) {
        for (number, deliveries) in std::mem::take(&mut self.gone) {
            let Some(worst) = deliveries.iter().max_by_key(|d| d.class) else { continue };
            let (class, reason) = (worst.class, worst.reason.clone());
            report.totals.add(class);
            report.people.push(PersonReport {
                id: shown(number),
                class,
                reason,
                last_statement: None,
                deliveries,
                is_group: false,
            });
        }
    }
}

impl Builder<'_> {
    /// Where the rows of erased persons are shown. As long as the people are the same the record tells who that was, so that what is known
    /// of them counts where it did; otherwise they are persons of their own, of no group.
    pub(super) fn seat_erased(
        &mut self,
        plan: &GatePlan,
        gate: &GateRow,
        roll: &Roll,
        entered: &BTreeMap<u32, Row>,
        seats: &mut BTreeMap<u32, u32>,
    ) {
        let rows: Vec<(&Row, u32)> = entered.values().filter_map(|row| Some((row, erased_number(row)?))).collect();
        let here = rows.iter().filter_map(|(_, number)| self.on.number_of_erased(&self.record, *number));
        let mut here: BTreeSet<u32> = here.filter(|_| roll.own_people().is_none()).collect();
        if !here.is_empty() {
            here = roll.members().map(|(person, _)| person).filter(|person| here.contains(person)).collect();
        }
        for (row, number) in rows {
            let person = self.on.number_of_erased(&self.record, number);
            match person.filter(|person| !seats.contains_key(person) && here.contains(person)) {
                Some(person) => {
                    seats.insert(person, row.id.ordinal);
                    self.erased.here.insert(person, number);
                }
                None => {
                    let report = self.of_erased(plan, gate, row, person);
                    let has_another = |person: &u32| roll.own_people().is_none() && seats.contains_key(person);
                    let person = person.filter(|person| !has_another(person));
                    match person.and_then(|person| Some((person, self.people.get_mut(person as usize)?))) {
                        // Of whom the roll of a revision or correction does not know, they are the same all the same.
                        Some((person, deliveries)) => {
                            deliveries.push(report);
                            self.erased.here.insert(person, number);
                        }
                        None => self.erased.gone.entry(number).or_default().push(report),
                    }
                }
            }
        }
    }

    /// What is known of an erased person's row, of whom no roll knows.
    fn of_erased(&self, plan: &GatePlan, gate: &GateRow, row: &Row, person: Option<u32>) -> DeliveryReport {
        let communique = self.on.prepared().communique(plan);
        let groups = communique.to.iter().filter_map(|id| self.on.prepared().plan().group(id));
        let strictest = groups.map(|group| group.informed_when).max();
        let informed_when = communique.informed_when.or(strictest).unwrap_or(Assurance::Accepted);
        let mut report = self.row(plan, person);
        report.id = format!("{}.{}", plan.id, row.id.ordinal);
        report.assurance = row.state.best();
        (report.class, report.reason) = class(&row.state, informed_when, gate);
        report
    }

    /// No id of somebody who was erased stands with what others were told through them or in their place.
    pub(super) fn without_erased(&self, report: &mut Report) {
        let people = self.on.prepared().people();
        let known = |(person, number): (&u32, &u32)| Some((people.at(*person)?.id().to_owned(), shown(*number)));
        let erased: BTreeMap<String, String> = self.erased.here.iter().filter_map(known).collect();
        if erased.is_empty() {
            return;
        }
        let deliveries = report.people.iter_mut().flat_map(|person| &mut person.deliveries);
        let named = deliveries.flat_map(|delivery| {
            std::iter::once(&mut delivery.through).chain(delivery.attempts.iter_mut().map(|attempt| &mut attempt.to))
        });
        for name in named.chain(report.gaps.iter_mut().map(|gap| &mut gap.person)).flatten() {
            if let Some(shown) = erased.get(name) {
                name.clone_from(shown);
            }
        }
    }
}

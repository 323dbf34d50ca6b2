//! The report: who is informed, who is not, who is unconfirmed, and why, with evidence. It is computed from the bundle and the journal
//! alone, so any machine that has the two can make it.

mod attempts;
mod build;
mod deadlines;
mod erased;
mod lines;
mod markdown;
mod quota;
mod reasons;
mod revisions;
mod text;

use crate::clock::{Moment, rfc3339, rfc3339_option};
use crate::course::Digests;
use crate::dispatch::OpenApproval;
use crate::id::GateName;
use crate::journal::{Mode, Unmatched};
use crate::mechanism::Mechanism;
use crate::receipt::Assurance;
use serde::Serialize;
use std::sync::Arc;

pub use crate::communique::Part;
pub use build::ReportError;

/// Who is informed, and who is not.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The plan.
    pub plan: String,
    /// The product.
    pub product: String,
    /// The version of the release.
    pub version: String,
    /// Whether it was the sandbox or real.
    pub mode: Mode,
    /// The digests of the bundle.
    pub digests: Digests,
    /// The seal over the journal's entries.
    pub journal_head: String,
    /// What it comes to.
    pub verdict: Verdict,
    /// Whether the plan's deadlines were kept, by as many of each group as its rule wants. What is pending may have missed one already.
    pub compliant: bool,
    /// Whether something waits for a person's consent.
    #[serde(skip)]
    lacks_consent: bool,
    /// When something is next due by itself.
    #[serde(serialize_with = "rfc3339_option")]
    pub next_due: Option<Moment>,
    /// On what pending gates wait.
    pub waiting_for: Vec<String>,
    /// Totals over persons.
    pub totals: Totals,
    /// What was declared.
    pub declarations: Vec<Statement>,
    /// Who approved what.
    pub approvals: Vec<Statement>,
    /// The approvals that may come after the release and have not come in time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub approvals_open: Vec<OpenApproval>,
    /// Who prepared and who executed, as far as that was said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub executions: Vec<Statement>,
    /// Each group, by its memberships.
    pub groups: Vec<GroupReport>,
    /// Each person, and each waived group without members.
    pub people: Vec<PersonReport>,
    /// Who must be informed and cannot be reached.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<GapReport>,
    /// How the planned time moved.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub slips: Vec<SlipReport>,
    /// What is out and stands in the plan no more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<DroppedReport>,
    /// Receipts that match nothing.
    pub unmatched: Vec<Unmatched>,
}

/// A communique that is out, as a whole or at a place, and stands in the plan no more: how many heard it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DroppedReport {
    /// The gate.
    pub id: String,
    /// The communique.
    pub communique: String,
    /// For how many deliveries it was out, posts among them.
    pub deliveries: u32,
    /// How many of them were taken over.
    pub accepted: u32,
}

/// That the planned time moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SlipReport {
    /// The planned time from then on; open where there is none.
    #[serde(serialize_with = "rfc3339_option")]
    pub planned: Option<Moment>,
    /// When that was said.
    #[serde(serialize_with = "rfc3339")]
    pub at: Moment,
    /// Who said so; nobody in a redacted report.
    pub by: Option<String>,
    /// Why; nothing in a redacted report.
    pub why: Option<String>,
}

/// Somebody who must be informed and cannot be reached, or a company of whom that is true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct GapReport {
    /// The group that must be informed.
    pub group: String,
    /// The person's id.
    pub person: Option<String>,
    /// The company.
    pub company: Option<String>,
    /// When it was accepted; until then nothing goes out.
    #[serde(serialize_with = "rfc3339_option")]
    pub accepted: Option<Moment>,
    /// Who accepted it.
    pub by: Option<String>,
    /// Why.
    pub why: Option<String>,
}

/// What a report comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// Everyone who was due is informed or exempt, or at least as many as the rule of each group wants.
    Informed,
    /// The rule of a group is not met: someone who was due is not informed, or unconfirmed for good.
    NotInformed,
    /// A deadline was missed by more than the rule of a group allows, or an approval that may come after the release did not come in time, whether those are informed by now or not. It stands before *not
    /// informed*: that can still be mended, and [`GroupReport::met`] and the people say it all the same.
    NotCompliant,
    /// Something may still come.
    Pending,
}

impl Verdict {
    /// The exit code that it comes to, of those of the `relcomm` command: 0 informed, 5 pending, else 4.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Informed => 0,
            Self::NotInformed | Self::NotCompliant => 4,
            Self::Pending => 5,
        }
    }
}

/// How it stands with a person or a delivery, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Nothing was due.
    Exempt,
    /// Told, with the proof that the group's rule asks for.
    Informed,
    /// Perhaps told, or not yet proved.
    Unconfirmed,
    /// Not told.
    NotInformed,
}

impl Class {
    /// The words for people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Exempt => "exempt",
            Self::Informed => "informed",
            Self::Unconfirmed => "unconfirmed",
            Self::NotInformed => "not informed",
        }
    }
}

/// How many there are of each class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Totals {
    /// All of them.
    pub people: u32,
    /// Informed.
    pub informed: u32,
    /// Not informed.
    pub not_informed: u32,
    /// Unconfirmed.
    pub unconfirmed: u32,
    /// Exempt.
    pub exempt: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_zero(many: &u32) -> bool {
    *many == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_one(number: &u32) -> bool {
    *number == 1
}

impl Totals {
    pub(crate) fn add(&mut self, class: Class) {
        self.add_many(class, 1);
    }

    pub(crate) fn add_many(&mut self, class: Class, many: u32) {
        let of_class = match class {
            Class::Exempt => &mut self.exempt,
            Class::Informed => &mut self.informed,
            Class::Unconfirmed => &mut self.unconfirmed,
            Class::NotInformed => &mut self.not_informed,
        };
        // Whoever stands for many may stand for more than there are.
        *of_class = of_class.saturating_add(many);
        self.people = self.people.saturating_add(many);
    }
}

/// What a named person said: a declaration or an approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Statement {
    /// The place that was declared, or the role in which was approved.
    pub of: String,
    /// The outcome, or `approved` or `rejected`.
    pub says: String,
    /// As of when.
    #[serde(serialize_with = "rfc3339")]
    pub at: Moment,
    /// Who; nobody in a redacted report.
    pub by: Option<String>,
    /// With which proof; none in a redacted report.
    pub proof: Option<String>,
    /// The digest that was approved.
    pub digest: Option<String>,
}

/// How it stands with a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct GroupReport {
    /// Its id.
    pub id: String,
    /// Its rule.
    pub rule: String,
    /// Whether the rule is met.
    pub met: bool,
    /// Where one of each company must be informed: those of whom nobody who counts is; none in a redacted report.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unmet: Vec<String>,
    /// Whether as many as the rule wants have missed no deadline.
    pub in_time: bool,
    /// How many of the exempt wish not to be told, which is respected.
    #[serde(skip_serializing_if = "is_zero")]
    pub opted_out: u32,
    /// Totals over its members.
    pub totals: Totals,
}

/// How it stands with a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PersonReport {
    /// Their id; a number in a redacted report; the group's id for a waived group without members.
    pub id: String,
    /// The worst of what was due.
    pub class: Class,
    /// Why, where it is not *informed*.
    pub reason: Option<String>,
    /// The last communique by which they were told.
    pub last_statement: Option<String>,
    /// What was due to them.
    pub deliveries: Vec<DeliveryReport>,
    /// Whether it stands for a waived group without members.
    #[serde(skip)]
    pub(crate) is_group: bool,
}

/// How it stands with a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DeliveryReport {
    /// Its id: the gate, and the number in the journal.
    pub id: String,
    /// The communique.
    pub communique: String,
    /// Which of its occurrences.
    pub occurrence: Option<String>,
    /// The place.
    pub place: Option<String>,
    /// The number of the announcement: 1, and the next one by a slip.
    #[serde(skip_serializing_if = "is_one")]
    pub revision: u32,
    /// The groups to which it is credited.
    pub groups: Vec<String>,
    /// What it is: the communique itself, a correction, or news of a slip.
    pub part: Part,
    /// How it stands.
    pub class: Class,
    /// The most that is proved.
    pub assurance: Option<Assurance>,
    /// By which mechanism.
    pub mechanism: Option<Mechanism>,
    /// Whether it was posted once for all rather than sent to each.
    pub posted: bool,
    /// The digest of the words.
    pub text_digest: Option<Arc<str>>,
    /// Until when it has to be informed; the earliest of the communique's deadline and of its groups' `within`.
    #[serde(serialize_with = "rfc3339_option")]
    pub deadline: Option<Moment>,
    /// Whether it was informed after that, or is not informed and that has passed.
    pub late: bool,
    /// The groups of whose own time that is true: what one wants within an hour is not late for another.
    #[serde(skip)]
    late_in: Vec<String>,
    /// The planned time that it tells, of a communique that is told again when that moves; `open` where there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned: Option<String>,
    /// Whether a later revision to the same person has taken its place, so that it no longer counts.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub superseded: bool,
    /// Why it is not informed.
    pub reason: Option<String>,
    /// By whom they are told, where that is another member: the delivery is theirs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
    /// Every try on every mechanism.
    pub attempts: Vec<AttemptReport>,
}

impl DeliveryReport {
    /// The gate that it is of.
    fn gate(&self) -> GateName<'_> {
        GateName {
            communique: &self.communique,
            occurrence: self.occurrence.as_deref(),
            revision: self.revision,
            place: self.place.as_deref(),
        }
    }
}

/// One try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AttemptReport {
    /// The mechanism.
    pub mechanism: Mechanism,
    /// Who was to be reached in the person's place, where the step says so; nobody in a redacted report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Its number on that mechanism, from 1.
    pub number: u32,
    /// When it began.
    #[serde(serialize_with = "rfc3339")]
    pub at: Moment,
    /// How it ended: `accepted`, `refused`, `failed`, `in doubt`, `not sent`, or `in flight`; what a person does by hand is `task open`,
    /// `done` or `failed`.
    pub outcome: String,
    /// What it was, where it was not accepted; `bounced` where it was and came back later.
    pub reason: Option<String>,
    /// The far side's code; that of the report where it bounced.
    pub code: Option<String>,
    /// When it was known how it ended.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "rfc3339_option")]
    pub ended: Option<Moment>,
    /// The far side's name for it, such as a receipt number; none in a redacted report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Who does it, where that is a person: whom the plan names, else the responsible party; none in a redacted report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub performer: Option<String>,
    /// Who said how it ended, where a person does it; none in a redacted report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// In which words; none in a redacted report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Who had the steps taken once more, at the first try after that; none in a redacted report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retried_by: Option<String>,
    /// Why; none in a redacted report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Report {
    /// The exit code of verbs that end with a report: 3 if a person's consent is missing, else that of the verdict.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if self.lacks_consent { 3 } else { self.verdict.exit_code() }
    }

    /// The deliveries that were not informed in time, each with its person.
    pub fn late(&self) -> impl Iterator<Item = (&PersonReport, &DeliveryReport)> {
        let all = self.people.iter().flat_map(|person| person.deliveries.iter().map(move |d| (person, d)));
        all.filter(|(_, delivery)| delivery.late)
    }

    /// The people who were due and are not informed, or not confirmed.
    pub fn not_informed(&self) -> impl Iterator<Item = &PersonReport> {
        self.people.iter().filter(|p| p.class > Class::Informed)
    }

    /// As JSON, indented, with a line end. The same record gives the same bytes.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// As text for a terminal.
    #[must_use]
    pub fn to_text(&self) -> String {
        text::render(self)
    }

    /// As Markdown.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        markdown::render(self)
    }

    /// Without people: ids become numbers, and who said what is left out.
    #[must_use]
    pub fn redacted(mut self) -> Self {
        for (person, number) in self.people.iter_mut().zip(1u32..) {
            if !person.is_group {
                person.id = format!("#{number}");
            }
        }
        for statement in self.declarations.iter_mut().chain(&mut self.approvals).chain(&mut self.executions) {
            statement.by = None;
            statement.proof = None;
        }
        for slip in &mut self.slips {
            (slip.by, slip.why) = (None, None);
        }
        for delivery in self.people.iter_mut().flat_map(|p| &mut p.deliveries) {
            delivery.through = None;
            for attempt in &mut delivery.attempts {
                (attempt.reference, attempt.performer, attempt.by, attempt.note) = (None, None, None, None);
                (attempt.retried_by, attempt.why) = (None, None);
                attempt.to = None;
            }
        }
        for group in &mut self.groups {
            group.unmet.clear();
            // Why, and who says so, are a person's words.
            if group.rule.starts_with(WAIVED) {
                WAIVED.clone_into(&mut group.rule);
            }
        }
        for gap in &mut self.gaps {
            (gap.person, gap.company, gap.by, gap.why) = (None, None, None, None);
        }
        for unmatched in &mut self.unmatched {
            unmatched.identity.clear();
        }
        self
    }
}

/// With what the rule of a waived group begins, and why whoever is in nothing but such groups is exempt.
const WAIVED: &str = "waived";

#[cfg(test)]
mod tests {
    use super::Verdict;

    #[test]
    fn a_verdict_comes_to_an_exit_code() {
        let all = [Verdict::Informed, Verdict::NotInformed, Verdict::NotCompliant, Verdict::Pending];
        assert_eq!(all.map(Verdict::exit_code), [0, 4, 4, 5]);
    }
}

//! Who may do what: prepare, approve, declare, execute; and that nobody does two of those of which the plan says so.

use super::intake::refuse;
use super::{DispatchError, Dispatcher};
use crate::clock::Moment;
use crate::course::{Head, HeadFact};
use crate::id::Role;
use crate::journal::{Fact, Note, Subject};
use crate::plan::Need;
use crate::plan::draft::Act;
use crate::prepare::GatePlan;
use serde::Serialize;

/// An approval that may come after the release, and has not come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OpenApproval {
    /// By which role.
    pub role: Role,
    /// Until when.
    #[serde(serialize_with = "crate::clock::rfc3339")]
    pub until: Moment,
    /// Whether that has passed; it may still be given, and stays late.
    pub late: bool,
}

/// What somebody does, and has done.
fn words(act: Act) -> (&'static str, &'static str, &'static str) {
    match act {
        Act::Prepare => ("prepares", "prepared", "prepare"),
        Act::Approve => ("approves", "approved", "approve"),
        Act::Declare => ("declares", "declared", "declare"),
        Act::Execute => ("executes", "executed", "execute"),
    }
}

/// Whether two words name one person.
fn is_same(one: &str, other: &str) -> bool {
    one.trim().eq_ignore_ascii_case(other.trim())
}

impl Dispatcher {
    /// This person executes: recorded when it is first dispatched by them, and refused if the plan names others.
    #[must_use]
    pub fn execute_as(mut self, by: impl Into<String>) -> Self {
        self.executor = Some(by.into().into());
        self
    }

    /// Records who executes, as every run does before anything else. `false` if that is known, or nobody is named.
    ///
    /// # Errors
    /// Refused: the plan names who executes or prepares, and that is not said or is somebody else; or it wants another person than who
    /// prepared, approved or declared.
    pub async fn executes(&self) -> Result<bool, DispatchError> {
        let by = self.executor.as_deref().map(str::trim).filter(|by| !by.is_empty());
        let Some(by) = by else {
            if self.prepared.plan().asks_who(Act::Execute) {
                return refuse("the plan asks who executes: say by whom it is dispatched");
            }
            return Ok(false);
        };
        self.is_named(by, Act::Execute)?;
        self.is_prepared_by_whom_it_should()?;
        self.is_another(by, Act::Execute, None).await?;
        loop {
            let record = self.enrol().await?;
            let said = self.journal.history(Subject::Head).await?.into_iter().rev();
            let last = said
                .filter(|(entry, _)| matches!(&entry.fact, Fact::Head(fact) if **fact == HeadFact::Executing))
                .find_map(|(_, note)| note.and_then(|note| note.by));
            if last.is_some_and(|last| is_same(&last, by)) {
                return Ok(false);
            }
            let note = Note { by: Some(by.to_owned()), ..Note::default() };
            if self.record_together(&record, vec![HeadFact::Executing], Some(note)).await? {
                return Ok(true);
            }
        }
    }

    /// Whether the plan lets a person do an act.
    pub(super) fn is_named(&self, by: &str, act: Act) -> Result<(), DispatchError> {
        if self.prepared.plan().may(act, by) {
            return Ok(());
        }
        refuse(format!("the plan names who {}, and this person is not among them", words(act).0))
    }

    /// Whether it is known who prepared, where the plan asks.
    pub(super) fn is_prepared_by_whom_it_should(&self) -> Result<(), DispatchError> {
        let plan = self.prepared.plan();
        match self.prepared.preparer() {
            None if plan.asks_who(Act::Prepare) => {
                refuse("the plan asks who prepares: use a bundle that says so, made by `prepare --by`")
            }
            Some(by) => self.is_named(by, Act::Prepare),
            None => Ok(()),
        }
    }

    /// Whether somebody may do an act of which nobody does two: they have done no other of these, nor this one in another role. Who
    /// did what stands beside the entries; what was erased is no longer known.
    pub(super) async fn is_another(&self, by: &str, act: Act, in_role: Option<&Role>) -> Result<(), DispatchError> {
        let approvals = self.prepared.plan().approvals();
        if !approvals.distinct.contains(&act) {
            return Ok(());
        }
        let did = |other: Act| {
            if other == act || !approvals.distinct.contains(&other) {
                return Ok(());
            }
            let (has, asks) = (words(other).1, words(act).2);
            refuse(format!("this person has {has}: the plan asks for another to {asks}"))
        };
        if self.prepared.preparer().is_some_and(|preparer| is_same(preparer, by)) {
            did(Act::Prepare)?;
        }
        self.enrol().await?;
        for (entry, note) in self.journal.history(Subject::Head).await? {
            let Fact::Head(fact) = entry.fact else { continue };
            if !note.and_then(|n| n.by).is_some_and(|who| is_same(&who, by)) {
                continue;
            }
            match *fact {
                HeadFact::Approved(approval) if !approval.rejected && &approval.digests == self.prepared.digests() => {
                    did(Act::Approve)?;
                    if in_role.is_some_and(|role| role != &approval.role) {
                        let role = approval.role;
                        return refuse(format!("this person has approved as `{role}`: the plan asks for another"));
                    }
                }
                HeadFact::Declared { .. } => did(Act::Declare)?,
                HeadFact::Executing => did(Act::Execute)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Which approval of a gate is void, and what has changed since it was given.
    pub(super) fn voided(&self, gate: &GatePlan, head: &Head) -> Option<String> {
        let approvals = self.prepared.plan().approvals();
        let of = |need: &&Need| {
            need.retrospective.is_none() && (need.only.is_empty() || need.only.contains(&gate.id.communique))
        };
        approvals.need.iter().filter(of).find_map(|need| {
            let what = head.voided(&need.role, self.prepared.digests(), approvals.covers_people)?;
            Some(format!("{what} changed since {} approved", need.role))
        })
    }

    /// What has changed since a digest of texts was prepared or approved; `None` if the record does not know it.
    pub(super) async fn changed_since(&self, digest: &str) -> Result<Option<&'static str>, DispatchError> {
        self.enrol().await?;
        for (entry, _) in self.journal.history(Subject::Head).await? {
            let Fact::Head(fact) = entry.fact else { continue };
            let known = match *fact {
                HeadFact::Prepared(digests) => digests,
                HeadFact::Approved(approval) => approval.digests,
                _ => continue,
            };
            if known.texts.starts_with(digest) {
                let people = known.people != self.prepared.digests().people;
                return Ok(Some(if people { "the texts and the people" } else { "the texts" }));
            }
        }
        Ok(None)
    }

    /// The approvals that may come after the release and have not come in time, since something was declared.
    pub(crate) fn open_approvals(&self, head: &Head, now: Moment) -> Vec<OpenApproval> {
        let Some(declared) = head.first_declared() else { return Vec::new() };
        let approvals = self.prepared.plan().approvals();
        let open = approvals.need.iter().filter_map(|need| {
            let until = declared + need.retrospective?;
            let given = head.approved_at(&need.role, self.prepared.digests(), approvals.covers_people);
            let in_time = given.is_some_and(|at| at <= until);
            (!in_time).then(|| OpenApproval { role: need.role.clone(), until, late: now > until })
        });
        open.collect()
    }
}

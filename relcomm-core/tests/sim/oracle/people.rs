//! What people say, as it stands at any time: what is declared, approved, held, cancelled, accepted.

use super::calendar::At;
use crate::model::{Case, Communique, DAY, Event, Gap, Minutes, Outcome};
use std::collections::BTreeSet;

/// A look at the case's events from any time.
pub(super) struct Said<'a> {
    pub(super) case: &'a Case,
    /// Who must be informed and cannot be reached.
    pub(super) gaps: BTreeSet<String>,
    pub(super) refused: &'a BTreeSet<usize>,
}

impl Said<'_> {
    fn until(&self, at: Minutes) -> impl Iterator<Item = (Minutes, &Event)> {
        self.case.events.iter().filter(move |(when, _)| *when <= at).map(|(when, event)| (*when, event))
    }

    /// The declarations of a place up to then that were taken: nothing follows on a roll-back, and a roll-out begins first.
    fn record(&self, place: &str, at: Minutes) -> Vec<(Outcome, Minutes)> {
        let mut all: Vec<(Outcome, Minutes)> = Vec::new();
        for (number, (when, event)) in self.case.events.iter().enumerate().filter(|(_, (when, _))| *when <= at) {
            let (Event::Declare(of, outcome, by), when) = (event, *when) else { continue };
            let lacks = self.case.needs.contains_key(place) && self.refused.contains(&number);
            let refused = match all.last() {
                _ if *of != place || lacks || !self.case.may_declare(by) => continue,
                None => false,
                Some((last, _)) => *last == Outcome::RolledBack || last == outcome || *outcome == Outcome::Begun,
            };
            if !refused {
                all.push((*outcome, when));
            }
        }
        all
    }

    fn begun_at(&self, place: &str, at: Minutes) -> Option<Minutes> {
        self.record(place, at).iter().find(|(outcome, _)| *outcome == Outcome::Begun).map(|(_, when)| *when)
    }

    pub(super) fn begun(&self, place: Option<&str>, at: Minutes) -> Option<Minutes> {
        match place {
            Some(place) => self.begun_at(place, at),
            None => self.case.places.iter().filter_map(|place| self.begun_at(place, at)).min(),
        }
    }

    /// What is declared at a place, or of the release, at a time.
    pub(super) fn declared(&self, place: Option<&str>, at: Minutes) -> Option<(Outcome, Minutes)> {
        if let Some(place) = place {
            return self.record(place, at).last().copied();
        }
        let mut last = Vec::new();
        for place in &self.case.places {
            let now = self.record(place, at).last().copied()?;
            if now.0 == Outcome::Begun {
                return None;
            }
            last.push(now);
        }
        // Of those declared at once the last place counts.
        let latest = last.iter().copied().max_by_key(|(_, when)| *when)?;
        let succeeded = last.iter().any(|(outcome, _)| *outcome == Outcome::Success);
        Some((if succeeded { Outcome::Success } else { latest.0 }, latest.1))
    }

    /// What is declared where a gate is that is meant for an outcome.
    pub(super) fn declared_for(&self, of: &Communique, place: Option<&str>, at: Minutes) -> Option<(Outcome, Minutes)> {
        self.declared(place, at).or_else(|| {
            let begins = place.is_none() && of.meant_for() == Outcome::Begun;
            begins.then(|| self.begun(None, at)).flatten().map(|when| (Outcome::Begun, when))
        })
    }

    /// Whether what is not out may go out then.
    pub(super) fn is_approved(&self, of: &Communique, at: Minutes) -> bool {
        self.is_approved_for(of, at, self.case.approvals.expire_days)
    }

    /// Whether what is out may go on then: an approval does not expire any more.
    pub(super) fn goes_on(&self, of: &Communique, at: Minutes) -> bool {
        self.is_approved_for(of, at, None)
    }

    fn is_approved_for(&self, of: &Communique, at: Minutes, expire_days: Option<i64>) -> bool {
        let approvals = &self.case.approvals;
        approvals.need.iter().filter(|(_, only)| only.is_empty() || only.contains(&of.id)).all(|(role, _)| {
            let last = self.until(at).filter_map(|(when, event)| match event {
                Event::Approve(of, _, rejected) if of == role => Some((when, *rejected)),
                _ => None,
            });
            last.last().is_some_and(|(when, rejected)| {
                let is_of_these = !approvals.with_people || !self.people_change_within(when, at);
                is_of_these && !rejected && expire_days.is_none_or(|days| at - when <= days * DAY)
            })
        })
    }

    /// Whether somebody comes or goes between two times.
    fn people_change_within(&self, from: Minutes, to: Minutes) -> bool {
        self.until(to).any(|(when, event)| when > from && matches!(event, Event::Join(_) | Event::Leave(_)))
    }

    pub(super) fn is_held(&self, communique: usize, at: Minutes) -> bool {
        let mut held = (false, false);
        for (_, event) in self.until(at) {
            match event {
                Event::Hold(None) => held.0 = true,
                Event::Resume(None) => held.0 = false,
                Event::Hold(Some(of)) if *of == communique => held.1 = true,
                Event::Resume(Some(of)) if *of == communique => held.1 = false,
                _ => {}
            }
        }
        held.0 || held.1
    }

    /// Whether the planned time moves once more.
    pub(super) fn slips_after(&self, at: Minutes) -> bool {
        self.case.events.iter().any(|(when, event)| *when >= at && matches!(event, Event::Slip(_)))
    }

    /// The planned time as it is known then; nothing while it is open.
    pub(super) fn planned(&self, at: Minutes) -> Option<Minutes> {
        let slips = self
            .case
            .events
            .iter()
            .enumerate()
            .filter(|(number, (when, _))| *when <= at && !self.refused.contains(number));
        let mut slips =
            slips.filter_map(|(_, (_, event))| if let Event::Slip(planned) = event { Some(*planned) } else { None });
        slips.next_back().unwrap_or(Some(self.case.planned))
    }

    /// When the embargo ends by what is known then: never, once the release has failed and stands as a success nowhere, until it is lifted.
    pub(super) fn embargo_ends(&self, at: Minutes) -> Option<Minutes> {
        let until = self.case.embargo.as_ref()?.until;
        let (mut failed, mut last_failed) = (None, Minutes::MIN);
        let taken: BTreeSet<Minutes> =
            self.case.places.iter().flat_map(|place| self.record(place, at)).map(|(_, when)| when).collect();
        for when in taken {
            let stands = self.case.places.iter().filter_map(|place| self.record(place, when).last().copied());
            let (mut any, mut succeeds) = (false, false);
            for (outcome, _) in stands {
                any |= matches!(outcome, Outcome::Failure | Outcome::Halted | Outcome::RolledBack);
                succeeds |= outcome == Outcome::Success;
            }
            failed = (any && !succeeds).then_some(when);
            last_failed = failed.unwrap_or(last_failed);
        }
        let is_lift = |event: &Event| matches!(event, Event::Lift("ada" | "ben"));
        let lifted = self.until(at).find(|(when, event)| *when > last_failed && is_lift(event)).map(|(when, _)| when);
        match failed {
            Some(_) => lifted,
            None => Some(lifted.map_or(until, |lifted| lifted.min(until))),
        }
    }

    /// Whether somebody says just then that it goes on.
    pub(super) fn lets_go_on(&self, communique: usize, at: Minutes) -> bool {
        self.case.events.iter().any(|(when, event)| *when == at && *event == Event::Resume(Some(communique)))
    }

    /// When it was cancelled.
    pub(super) fn cancelled(&self, communique: usize) -> Option<Minutes> {
        let is_it = |event: &Event| match event {
            Event::Cancel(which) => which.is_none_or(|of| of == communique),
            _ => false,
        };
        self.case.events.iter().find(|(_, event)| is_it(event)).map(|(at, _)| *at)
    }

    /// Whether somebody who must be informed cannot be reached and nobody has accepted that.
    pub(super) fn is_gap(&self, at: Minutes) -> bool {
        let accepted = |id: &String| {
            let company = self.case.person(id).company;
            self.until(at).any(|(_, event)| match event {
                Event::AcceptGap(Gap::Person(of)) => of == id,
                Event::AcceptGap(Gap::Company(of)) => company == Some(*of),
                _ => false,
            })
        };
        !self.gaps.iter().all(accepted)
    }

    /// Every time at which something of this may change.
    pub(super) fn changes(&self) -> impl Iterator<Item = Minutes> {
        let expire = self.case.approvals.expire_days;
        let embargo = self.case.embargo.iter().map(|embargo| embargo.until);
        let events = self.case.events.iter().flat_map(move |(at, event)| {
            let expires = matches!(event, Event::Approve(..)).then_some(expire).flatten();
            [Some(*at), expires.map(|days| at + days * DAY + 1)].into_iter().flatten()
        });
        events.chain(embargo)
    }

    /// Whether something of this changes within such a time.
    pub(super) fn changes_within(&self, at: At) -> bool {
        self.changes().any(|change| at.lo < change && change <= at.hi)
    }
}

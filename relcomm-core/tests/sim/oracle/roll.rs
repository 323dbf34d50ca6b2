//! Whom a gate concerns, and by which way each is told.

use super::calendar::{At, Hours, zone};
use super::{Class, Fate, Gate, Oracle, Row, Told};
use crate::model::{Communique, Mech, Minutes, Outcome, Person, Step, Sure, Variant, Words};
use chrono_tz::Tz;
use std::collections::BTreeSet;

/// The way in which somebody is told.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) group: &'static str,
    pub(super) variant: Option<&'static str>,
    pub(super) steps: Vec<Step>,
    pub(super) informed_when: Sure,
    pub(super) zone: Tz,
    pub(super) hours: Hours,
    pub(super) language: Option<&'static str>,
    /// Whether the text lists what concerns one group alone.
    pub(super) lists_second: bool,
}

impl Way {
    pub(super) fn pursue(&self) -> Sure {
        self.steps.iter().filter_map(|s| s.unless.map(|(sure, _)| sure)).fold(self.informed_when, Sure::max)
    }

    pub(super) fn begins_with_a_post(&self) -> bool {
        self.steps.first().is_some_and(|s| s.via.is_post())
    }
}

impl Oracle<'_> {
    pub(super) fn of(&self, gate: &Gate) -> &Communique {
        &self.case.communiques[gate.communique]
    }

    pub(super) fn concerns(&self, gate: &Gate, who: &Person) -> bool {
        let is_there = gate.place.is_none_or(|place| who.places.is_empty() || who.places.contains(&place));
        is_there && self.of(gate).to.iter().any(|g| who.groups.contains(g))
    }

    /// Whether a wish not to be told is respected by this gate.
    fn is_let_be(&self, gate: &Gate, who: &Person) -> bool {
        let of = self.of(gate);
        who.opted_out && !of.to.iter().any(|g| who.groups.contains(g) && self.case.group(g).despite_opt_out)
    }

    /// Who must be informed and cannot be reached by one gate or another.
    pub(super) fn gaps(&self) -> BTreeSet<String> {
        let mut gaps = BTreeSet::new();
        for group in self.case.groups.iter().filter(|g| g.must_inform && !g.waived) {
            for gate in self.gates.iter().filter(|gate| self.of(gate).to.contains(&group.id)) {
                for who in self.case.people.iter().filter(|p| p.groups.contains(group.id) && self.concerns(gate, p)) {
                    let leader = who.through.as_ref().filter(|_| !self.is_let_be(gate, who));
                    let is_beyond = match leader {
                        Some(leader) => self.is_let_be(gate, self.case.person(leader)),
                        None => self.is_let_be(gate, who),
                    };
                    if is_beyond {
                        gaps.insert(who.id.clone());
                    }
                }
            }
        }
        gaps
    }

    /// The way to somebody whom a gate concerns and who is told themselves.
    pub(super) fn way(&self, gate: &Gate, who: &Person) -> Way {
        let of = self.of(gate);
        let theirs: Vec<&'static str> = of.to.iter().copied().filter(|g| who.groups.contains(g)).collect();
        let group = self.case.group(theirs[0]);
        let variant = theirs.iter().copied().find(|g| of.variants.contains_key(g));
        let own = variant.map(|g| of.variants[g].via.clone()).unwrap_or_default();
        let via = [own, of.via.clone(), group.via.clone()].into_iter().find(|via| !via.is_empty());
        let has = |via: Mech| via.is_post() || via.is_by_hand() || who.has.contains(&via);
        let own = |step: Step| {
            step.reaches(who).then_some(())?;
            let mut left = step.mechanisms().filter(|via| step.to.is_some() || has(*via));
            Some(Step { via: left.next()?, with: left.next(), ..step })
        };
        let steps = match via {
            Some(via) => via.into_iter().filter_map(own).collect(),
            // Mail first, then what the far side honours, then what wakes people.
            None => [Mech::Email, Mech::Webhook, Mech::Pager, Mech::Phone]
                .into_iter()
                .filter(|mech| who.has.contains(mech))
                .map(Step::by)
                .collect(),
        };
        let rule = |g: &&'static str| self.case.group(g).informed_when.unwrap_or(Sure::Accepted);
        let strictest = theirs.iter().map(rule).max().unwrap_or(Sure::Accepted);
        let zone = who.zone.or(group.zone).map_or(self.zone, zone);
        let mut hours = Hours::default();
        if !of.urgent {
            let at = self.time(of, gate, variant);
            hours.0.extend(at.between.map(|window| (window, if at.theirs { zone } else { self.zone })));
            hours.0.extend(group.between.map(|window| (window, zone)));
        }
        // Where the group says nothing, theirs as far as the words have it, and else the first of these.
        let (offered, fallback) = match group.languages.as_slice() {
            [] => (&["en", "de"][..], Some("en")),
            offered => (offered, offered.last().copied()),
        };
        let base = |language: &str| language.split('-').next().map(ToOwned::to_owned);
        let language =
            offered.iter().copied().find(|l| who.language.and_then(base).as_deref() == Some(*l)).or(fallback);
        Way {
            group: group.id,
            variant,
            steps,
            informed_when: of.informed_when.unwrap_or(strictest),
            zone,
            hours,
            language: language.filter(|_| of.words == Words::ByLanguage),
            lists_second: of.words == Words::BuiltIn
                && variant.is_none_or(|group| !of.variants[group].text)
                && self.case.second_item.is_some_and(|group| theirs.contains(&group)),
        }
    }

    pub(super) fn time<'a>(
        &self,
        of: &'a Communique,
        gate: &Gate,
        variant: Option<&'static str>,
    ) -> &'a crate::model::Time {
        let own = variant.and_then(|g| of.variants.get(g)).and_then(|v: &Variant| v.at.as_ref());
        own.unwrap_or(&of.occurrences[gate.occurrence].at)
    }

    pub(super) fn is_exempt(&self, gate: &Gate, who: &Person) -> bool {
        self.is_let_be(gate, who)
    }

    /// The zones of those who are told themselves.
    pub(super) fn zones(&self, gate: &Gate) -> Vec<Tz> {
        let told = |who: &&Person| self.concerns(gate, who) && !self.is_let_be(gate, who) && who.through.is_none();
        let mut zones: Vec<Tz> = self.case.people.iter().filter(told).map(|who| self.way(gate, who).zone).collect();
        zones.dedup();
        zones
    }

    /// What comes of one person at one gate.
    pub(super) fn row(&self, gate: &Gate, who: &Person) -> Row {
        // What was told of them stands under another name, and what opens later tells them all the same.
        if self.case.is_erased(&who.id) {
            return Row::Unclear;
        }
        if self.is_let_be(gate, who) {
            return Row::Exempt;
        }
        if let Some(leader) = &who.through {
            return Row::Through(leader.clone());
        }
        // How much of it was done before they left hangs on minutes.
        if self.case.leaves(&who.id).is_some() {
            return Row::Unclear;
        }
        match gate.fate {
            Fate::Opens(at) => match self.case.joins(&who.id).filter(|joined| *joined > at.lo) {
                // What is out is told to whoever joins.
                Some(joined) if self.closes(gate, at.lo).is_none_or(|closed| closed > joined + self.noise) => {
                    let late = At { lo: joined, hi: joined.max(at.hi) }.vague(self.noise);
                    let told = self.walk(gate, who, late);
                    // It counts from when it was due, whenever that was.
                    Row::Delivery(Told { late: None, ..told })
                }
                Some(_) => Row::Unclear,
                None => {
                    let told = self.walk(gate, who, at);
                    // News of a failure that was overtaken stands by where it is not told, and is in doubt where that is not known.
                    let is_news = matches!(self.of(gate).meant_for(), Outcome::Failure | Outcome::Halted);
                    let is_open = is_news && told.class == Some(Class::Unconfirmed) && self.stands_by_at_last(gate);
                    Row::Delivery(if is_open { Told { class: None, ..told } } else { told })
                }
            },
            _ => self.whole(gate).map_or(Row::Unclear, Row::Whole),
        }
    }

    /// How it stands with whoever cannot be told, by what comes of the gate.
    pub(super) fn whole(&self, gate: &Gate) -> Option<Class> {
        Some(match gate.fate {
            Fate::Opens(_) => Class::NotInformed,
            // What was never meant for what was declared is not missed.
            Fate::Closed("cancelled" | "expired", _) if self.stands_by_at_last(gate) => Class::Exempt,
            Fate::Closed(..) | Fate::Blocked(_) => Class::NotInformed,
            Fate::Standby(_) => Class::Exempt,
            Fate::Pending | Fate::Asks => Class::Unconfirmed,
            Fate::Unclear => return None,
        })
    }

    /// From when on somebody is due, once the gate is open.
    pub(super) fn begins(&self, gate: &Gate, way: &Way, opened: At) -> Option<At> {
        let of = self.of(gate);
        let time = self.time(of, gate, way.variant);
        let due = |now: Minutes, late| self.instant(gate, time, way.zone, now, late);
        let own = At { lo: due(opened.lo, false)?, hi: due(opened.hi, true)? };
        Some(own.max(opened))
    }
}

//! From the draft to a candidate plan: defaults filled in, references looked up, files loaded.
//!
//! Nothing stops at the first fault. What cannot be resolved is left out of the candidate, with a finding, so that the rules can judge
//! the rest.

mod approvals;
mod communiques;
mod embargo;
mod groups;
mod release;
mod steps;
mod wording;

use super::draft::{Named, ParamDraft, PartyDraft, PlanDraft};
use super::excerpt::without_addresses;
use super::finding::Finding;
use super::findings::Findings;
use super::members::Origins;
use super::people::People;
use super::source::Source;
use super::sources::Sources;
use super::texts::Text;
use super::time::{Span, TimeDraft};
use super::valid::{OwnMechanism, Plan, Protocol};
use crate::communique::{Reach, Timing};
use crate::id::PlanId;
use crate::mechanism::Addressing;
use crate::stakeholder::Party;
use chrono_tz::Tz;
use std::collections::BTreeMap;
use std::time::Duration;

/// A candidate plan, and all that was learnt on the way to it.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) plan: Plan,
    pub(crate) people: People,
    pub(crate) origins: Origins,
    pub(crate) texts: Vec<Text>,
    pub(crate) findings: Findings,
}

/// Resolves a draft. Findings are not yet located, unless they stand in another file than the plan.
pub(crate) fn resolve(draft: &PlanDraft, source: &Source, sources: &dyn Sources) -> Resolved {
    let mut cx =
        Resolver { draft, source, sources, zone: draft.zone.map(|zone| zone.0), planned: false, out: Findings::new() };
    let release = cx.release();
    cx.planned = release.when.planned.is_some();
    let responsible = cx.responsible();
    let (groups, people, origins) = cx.groups(&release, &responsible);
    let approvals = cx.approvals();
    let embargo = cx.embargo(&groups);
    let (mut communiques, texts) = cx.communiques(&release, &groups, &origins);
    if let Some(embargo) = &embargo {
        embargo::classify(embargo, &release, &mut communiques, &texts);
    }
    let needs = cx.needs();
    let id = cx.plan_id(&release.product, &release.version);
    if draft.zone.is_none() {
        cx.default_used("zone", "RC0811", "`zone` is UTC");
    }
    let mut plan = Plan {
        id,
        zone: cx.zone.unwrap_or(Tz::UTC),
        release,
        responsible,
        needs,
        protocol: protocol(draft),
        approvals,
        groups,
        communiques,
        mechanisms: draft
            .mechanisms
            .iter()
            .map(|(word, own)| {
                let addressing = own.addressing.or_else(|| word.standard_addressing()).unwrap_or(Addressing::Each);
                (word.clone(), OwnMechanism { address: own.address.clone(), proves: own.proves, addressing })
            })
            .collect(),
        indeterminate: draft.indeterminate.unwrap_or_default(),
        exposure: draft.exposure,
        settle: draft.settle.and_then(|settle| cx.elapsed("settle", settle)),
        params: params(draft),
        embargo,
        holders: BTreeMap::new(),
    };
    plan.holders = holders(draft, &plan);
    Resolved { plan, people, origins, texts, findings: cx.out }
}

fn protocol(draft: &PlanDraft) -> Protocol {
    let Some(draft) = &draft.protocol else { return Protocol::default() };
    let words = |named: &[Named]| named.iter().map(|named| named.as_str().trim().to_owned()).collect();
    Protocol {
        prepare: words(&draft.prepare),
        approve: words(&draft.approve),
        declare: words(&draft.declare),
        execute: words(&draft.execute),
    }
}

/// Whom the words mean that steps name in `to`, as far as they are roles or people who answer for the release.
fn holders(draft: &PlanDraft, plan: &Plan) -> BTreeMap<String, Vec<Party>> {
    let words = plan.all_steps().filter_map(|step| match &step.to {
        Some(Reach::Named(word)) => Some(word),
        _ => None,
    });
    let party = |draft: &PartyDraft| {
        let addresses = draft.addresses.iter().map(|(m, a)| (m.clone(), a.address().clone())).collect();
        Some(Party { id: groups::party_id(draft)?, name: draft.name.clone(), addresses })
    };
    let of = |word: &String| {
        let by_id = draft.parties().filter(|party| groups::party_id(party).is_some_and(|id| id.as_str() == word));
        draft.holders(word).into_iter().chain(by_id).filter_map(party).collect::<Vec<_>>()
    };
    words.map(|word| (word.clone(), of(word))).filter(|(_, holders)| !holders.is_empty()).collect()
}

fn params(draft: &PlanDraft) -> BTreeMap<String, String> {
    draft.params.iter().filter_map(|(name, param)| Some((name.clone(), value_of(param)?))).collect()
}

/// The value of a parameter: reading the plan has put it in the place of its origin.
fn value_of(param: &ParamDraft) -> Option<String> {
    match param {
        ParamDraft::Value(value) => Some(value.clone()),
        ParamDraft::From(from) => from.value.clone(),
    }
}

struct Resolver<'a> {
    draft: &'a PlanDraft,
    source: &'a Source,
    sources: &'a dyn Sources,
    zone: Option<Tz>,
    /// Whether the planned time is known.
    planned: bool,
    out: Findings,
}

impl Resolver<'_> {
    fn error(&mut self, code: &'static str, path: impl Into<String>, message: impl Into<String>) {
        self.out.push(Finding::error(code, path, message));
    }

    /// Notes that a default was used at `path`.
    fn default_used(&mut self, path: impl Into<String>, code: &'static str, what: impl Into<String>) {
        self.out.push(Finding::note(code, path, format!("default: {}", what.into())));
    }

    /// Says that `word` names no `kind` of the plan.
    fn dangling<'w>(
        &mut self,
        path: impl Into<String>,
        kind: &str,
        word: &str,
        known: impl IntoIterator<Item = &'w str>,
    ) {
        if self.out.is_full() {
            return;
        }
        let known: Vec<&str> = known.into_iter().collect();
        let finding = Finding::error("RC0101", path, format!("there is no {kind} `{}`", without_addresses(word)));
        let help = match super::source::did_you_mean(word, known.iter().copied()) {
            Some(help) => help,
            None if known.is_empty() => format!("the plan has no {kind}"),
            None => format!(
                "there is {}",
                known.iter().take(12).map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
            ),
        };
        self.out.push(finding.help(help));
    }

    /// A duration where only elapsed time will do.
    fn elapsed(&mut self, path: &str, span: Span) -> Option<Duration> {
        let elapsed = span.as_elapsed();
        if elapsed.is_none() {
            self.error("RC0605", path, "business days have no length of their own: write `d`, `h` or `m` here");
        }
        elapsed
    }

    /// A time of the plan.
    fn timing(&mut self, path: &str, time: &TimeDraft) -> Option<Timing> {
        match time.timing(self.zone) {
            Ok(timing) => Some(timing),
            Err(e) => {
                self.error("RC0605", path, e.to_string());
                None
            }
        }
    }

    fn plan_id(&mut self, product: &str, version: &str) -> PlanId {
        if let Some(id) = &self.draft.id {
            return id.clone();
        }
        let made = word_of(&format!("{product}-{version}"));
        match PlanId::new(&made) {
            Ok(id) => {
                self.default_used("id", "RC0801", format!("`id` is `{id}`"));
                id
            }
            Err(e) => {
                self.error("RC0103", "id", format!("product and version make no plan id, give one: {}", e.rule()));
                nameless()
            }
        }
    }
}

/// The id of a plan that has none: the plan is refused, so that it is never seen.
fn nameless() -> PlanId {
    PlanId::new("plan").expect("`plan` is a word")
}

/// A text as a word of the plan: what no word holds becomes `-`.
fn word_of(text: &str) -> String {
    let kept: String = text
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' })
        .skip_while(|c| !c.is_ascii_alphanumeric())
        .take(64)
        .collect();
    kept.trim_end_matches('-').to_owned()
}

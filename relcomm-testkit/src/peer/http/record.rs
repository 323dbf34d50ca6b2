//! What the receiver remembers, shared by its connections.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use super::exchange::Request;
use super::pagerduty;
use super::script::{HttpAct, HttpScript};
use super::signature::SignatureCheck;
use crate::peer::{Tally, held};

pub(super) struct Record {
    pub(super) script: HttpScript,
    pub(super) kept: Mutex<Kept>,
    pub(super) handled: Tally,
}

#[derive(Default)]
pub(super) struct Kept {
    pub(super) requests: Vec<Request>,
    pub(super) accepted: usize,
    pub(super) accepted_keys: Vec<String>,
    pub(super) repeats: usize,
    /// Path and key of what was accepted and would be a repeat.
    known: BTreeSet<(String, String)>,
    fitted: BTreeMap<(usize, String), u32>,
}

impl Record {
    pub(super) fn new(script: HttpScript) -> Self {
        Self { script, kept: Mutex::default(), handled: Tally::new() }
    }

    /// Records the head of a request, numbers it, and finds the rule that decides it.
    pub(super) fn arrive(&self, request: &mut Request) -> Option<HttpAct> {
        let mut kept = held(&self.kept);
        request.number = kept.requests.len() + 1;
        kept.requests.push(request.clone());
        let mut act = None;
        for (number, rule) in self.script.rules.iter().enumerate().filter(|(_, rule)| rule.fits(request)) {
            let nth = kept.fitted.entry((number, rule.counted_as(request))).or_default();
            let strikes = rule.strikes(*nth);
            *nth = nth.saturating_add(1);
            if strikes && act.is_none() {
                act = Some(rule.act.clone());
            }
        }
        act
    }

    /// Completes the record of a request with its body, and checks its signature where the script says so.
    pub(super) fn complete(&self, request: &mut Request, body: Vec<u8>) -> bool {
        request.body = body;
        request.complete = true;
        request.signature = self.script.verifier(&request.path).map(|verifier| verifier.check(request));
        if let Some(entry) = held(&self.kept).requests.get_mut(request.number - 1) {
            *entry = request.clone();
        }
        request.signature.is_none_or(|check| check == SignatureCheck::Good)
    }

    fn key(&self, request: &Request) -> Option<(String, String)> {
        let key = if request.path == pagerduty::ENQUEUE {
            pagerduty::key(request)
        } else {
            self.script.key.as_ref().and_then(|key| key(request))
        };
        key.map(|key| (request.path.clone(), key))
    }

    /// Whether the key of this request was accepted before.
    pub(super) fn is_repeat(&self, request: &Request) -> bool {
        self.key(request).is_some_and(|key| held(&self.kept).known.contains(&key))
    }

    /// Takes over responsibility, or counts a repeat.
    pub(super) fn accept(&self, request: &Request) {
        let key = self.key(request);
        let mut kept = held(&self.kept);
        if let Some((path, key)) = key {
            if !kept.known.insert((path.clone(), key.clone())) {
                kept.repeats += 1;
                return;
            }
            if path == pagerduty::ENQUEUE {
                for undone in pagerduty::reopened_by(&key) {
                    kept.known.remove(&(path.clone(), undone));
                }
            }
            kept.accepted_keys.push(key);
        }
        kept.accepted += 1;
        if let Some(entry) = kept.requests.get_mut(request.number - 1) {
            entry.taken = true;
        }
    }
}

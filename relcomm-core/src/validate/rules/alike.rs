//! Whether different people have different addresses.

use super::super::{Rule, Subject};
use crate::id::GroupId;
use crate::mechanism::{Addressing, Mechanism};
use crate::plan::{Finding, Findings, key_path};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};

/// No address is given to two people.
///
/// Only mail addresses, phone numbers and what a pattern of the plan's own describes are judged: many share an endpoint on purpose.
#[derive(Debug)]
pub(super) struct OneAddressEach;

impl Rule for OneAddressEach {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0416"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        // Eight octets for each address, however many people there are; the addresses themselves only where two hashes are alike.
        let hasher = RandomState::new();
        let mut hashes: Vec<u64> = Vec::with_capacity(cx.people().len());
        each_address(cx, |_, mechanism, address| hashes.push(hasher.hash_one((mechanism, address))));
        hashes.sort_unstable();
        let alike: BTreeSet<u64> =
            hashes.array_windows().filter(|[one, next]| one == next).map(|[one, _]| *one).collect();
        drop(hashes);
        if alike.is_empty() {
            return;
        }
        let mut holders: BTreeMap<&Mechanism, BTreeMap<String, Vec<u32>>> = BTreeMap::new();
        each_address(cx, |number, mechanism, address| {
            if alike.contains(&hasher.hash_one((mechanism, address))) {
                holders.entry(mechanism).or_default().entry(address.to_owned()).or_default().push(number);
            }
        });
        for (mechanism, by_address) in holders {
            let shared: Vec<&Vec<u32>> = by_address.values().filter(|people| people.len() > 1).collect();
            // The first who has what another before them has.
            let Some(first) = shared.iter().filter_map(|people| people.get(1)).min() else { continue };
            let people: usize = shared.iter().map(|people| people.len()).sum();
            let message = match shared.len() {
                1 => format!("{people} people have the same address for `{mechanism}`"),
                n => format!("{n} addresses for `{mechanism}` are each given to several people, {people} in all"),
            };
            let path = group_of(cx, *first).map_or_else(String::new, |group| key_path("groups", group.as_str()));
            let finding = Finding::warning("RC0416", path, message)
                .help("the position is that of the first who repeats one; give one person one id, and two people two addresses");
            out.push(match cx.member_position(*first) {
                Some(position) => finding.at(position),
                None => finding,
            });
        }
    }
}

/// Calls for every address that is one person's: their number, the mechanism, and the address as its mechanism compares it.
fn each_address<'a>(cx: &Subject<'a>, mut call: impl FnMut(u32, &'a Mechanism, &str)) {
    let endpoints = |mechanism: &Mechanism| {
        let channels = cx.deployment().channels.as_ref();
        channels.and_then(|channels| channels.get(mechanism)).and_then(|facts| facts.endpoints.as_ref())
    };
    let personal = |mechanism: &Mechanism| match cx.plan().mechanisms().get(mechanism) {
        Some(own) => own.address.is_some() && own.addressing == Addressing::Each,
        None => matches!(mechanism.as_str(), "email" | "phone" | "text"),
    };
    let mut folded = String::new();
    for number in (0..).take(cx.people().len()) {
        let Some(who) = cx.people().at(number) else { continue };
        for (mechanism, address) in who.addresses().filter(|(mechanism, _)| personal(mechanism)) {
            if endpoints(mechanism).is_some_and(|names| names.contains(address)) {
                continue;
            }
            folded.clear();
            if mechanism.as_str() == "email" {
                folded.push_str(address);
                folded.make_ascii_lowercase();
            } else {
                folded.extend(address.chars().filter(|c| !matches!(c, ' ' | '.' | '-' | '(' | ')')));
            }
            call(number, mechanism, &folded);
        }
    }
}

fn group_of<'a>(cx: &Subject<'a>, number: u32) -> Option<&'a GroupId> {
    cx.people().groups().find(|(_, members)| members.contains(&number)).map(|(group, _)| group)
}

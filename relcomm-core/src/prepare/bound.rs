//! Whether the channels fit the plan: each mechanism has one, it is addressed as the plan says, and it takes the addresses.

use super::PreparedPlan;
use crate::channel::ChannelSet;
use crate::mechanism::{Addressing, Mechanism};
use crate::plan::{Finding, key_path};

use crate::stakeholder::{Address, Party};
use std::collections::BTreeMap;

/// How many people are named.
const SHOWN: usize = 12;

pub(super) fn misfits(prepared: &PreparedPlan, channels: &ChannelSet) -> Vec<Finding> {
    let gone_by = gone_by(prepared);
    let mut findings = Vec::new();
    for (mechanism, path) in &gone_by {
        let Some(binding) = channels.get(mechanism) else {
            let message = format!("there is no channel for `{mechanism}`");
            let help = "bind one: in the deployment's `channels.yaml`, or in the `ChannelSet`";
            findings.push(Finding::error("RC0502", path, message).help(help));
            continue;
        };
        let (wanted, can) = (prepared.plan().addressing(mechanism), binding.channel.capabilities());
        // A person does either.
        if can.addressing != wanted && !can.by_hand {
            let says = |addressing| match addressing {
                Addressing::Each => "to each person",
                Addressing::Once => "once for all",
            };
            let message = format!(
                "`{mechanism}` goes {}, and the channel that is bound to it {}",
                says(wanted),
                says(can.addressing)
            );
            let help = "bind another channel, or declare a mechanism of your own with `addressing` under `mechanisms`";
            findings.push(Finding::error("RC1106", path, message).help(help));
        }
    }
    findings.extend(refused_addresses(prepared, channels));
    findings
}

/// Every mechanism that the plan goes by, with a path in the plan that says so.
fn gone_by(prepared: &PreparedPlan) -> BTreeMap<Mechanism, String> {
    let mut all = BTreeMap::new();
    for communique in prepared.plan().communiques() {
        let path = key_path("communiques", communique.id.as_str());
        let mut add = |mechanism: &Mechanism| _ = all.entry(mechanism.clone()).or_insert_with(|| path.clone());
        communique.corrects.iter().flat_map(|corrects| corrects.also.values().flatten()).for_each(|s| add(&s.via));
        for group in communique.to.iter().filter_map(|id| prepared.plan().group(id)) {
            match communique.steps(Some(&group.id), &group.via) {
                // By the kinds of address that they have.
                [] => {
                    let members = prepared.people().members(&group.id).iter();
                    let members = members.filter_map(|number| prepared.people().at(*number));
                    members.flat_map(|who| who.mechanisms()).for_each(&mut add);
                }
                steps => steps.iter().for_each(|step| add(&step.via)),
            }
        }
    }
    all
}

/// Finds addresses that the channel of their mechanism does not take.
fn refused_addresses(prepared: &PreparedPlan, channels: &ChannelSet) -> Vec<Finding> {
    let mut refused: BTreeMap<(Mechanism, String), (Vec<String>, usize)> = BTreeMap::new();
    let mut judge = |mechanism: &Mechanism, address: Option<Address>, id: &str| {
        let Some((binding, address)) = channels.get(mechanism).zip(address) else { return };
        if let Err(why) = binding.channel.check_address(&address) {
            let (named, count) = refused.entry((mechanism.clone(), why)).or_default();
            named.extend((named.len() < SHOWN).then(|| format!("`{id}`")));
            *count += 1;
        }
    };
    for who in prepared.people().iter() {
        for (mechanism, address) in who.addresses() {
            judge(mechanism, Address::new(address).ok(), who.id());
        }
    }
    let responsible = prepared.plan().responsible();
    let roles = prepared.plan().holders.values().flatten();
    let parties = [&responsible.execute].into_iter().chain(&responsible.backup);
    let parties: Vec<&Party> = parties.chain(responsible.performers.values()).chain(roles).collect();
    for party in parties {
        for (mechanism, address) in &party.addresses {
            judge(mechanism, Some(address.clone()), party.id.as_str());
        }
    }
    let finding = |((mechanism, why), (named, count)): ((Mechanism, String), (Vec<String>, usize))| {
        let more = match count - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let whose = if count == 1 { "the address".to_owned() } else { format!("{count} addresses") };
        let message =
            format!("the channel for `{mechanism}` does not take {whose} of {}{more}: {why}", named.join(", "));
        Finding::error("RC1105", "groups", message)
            .help("correct them where the people come from, or bind another channel")
    };
    refused.into_iter().map(finding).collect()
}

//! Whether the channels fit the plan: each mechanism has one, it is addressed as the plan says, and it takes the addresses.

use super::PreparedPlan;
use crate::channel::ChannelSet;
use crate::mechanism::{Addressing, Mechanism};
use crate::plan::{Finding, key_path, listed};

use crate::stakeholder::{Address, Party};
use std::collections::BTreeMap;

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
    let mut refused: BTreeMap<(Mechanism, String), Vec<String>> = BTreeMap::new();
    let mut judge = |mechanism: &Mechanism, address: Option<Address>, id: &str| {
        let Some((binding, address)) = channels.get(mechanism).zip(address) else { return };
        if let Err(why) = binding.channel.check_address(&address) {
            refused.entry((mechanism.clone(), why)).or_default().push(id.to_owned());
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
    let finding = |((mechanism, why), ids): ((Mechanism, String), Vec<String>)| {
        let whose = if ids.len() == 1 { "the address".to_owned() } else { format!("{} addresses", ids.len()) };
        let named = listed(ids.iter().map(String::as_str), ids.len());
        let message = format!("the channel for `{mechanism}` does not take {whose} of {named}: {why}");
        Finding::error("RC1105", "groups", message)
            .help("correct them where the people come from, or bind another channel")
    };
    refused.into_iter().map(finding).collect()
}

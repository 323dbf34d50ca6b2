//! Whether everyone can be reached, at addresses that can be right.

use super::super::audience::{Audience, audiences};
use super::super::{Rule, Subject, address};
use crate::communique::{Communique, Per, Step};
use crate::id::GroupId;
use crate::mechanism::{Addressing, Mechanism};
use crate::plan::{Finding, Findings, Position, StakeholderRef, key_path, listed};
use crate::stakeholder::{Group, Require};
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};

/// Everyone who is told has an address for a step that reaches them.
#[derive(Debug)]
pub(super) struct Addressed;

impl Rule for Addressed {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0410", "RC0412", "RC0417"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        // The same people by the same steps are one finding, whichever communique comes first.
        let mut judged = BTreeSet::new();
        let mut asked = BTreeSet::new();
        for communique in cx.plan().communiques() {
            for group in communique.to.iter().filter_map(|id| cx.plan().group(id)) {
                opted_out(cx, group, &mut asked, out);
            }
            for audience in audiences(cx, communique) {
                if audience.members().is_empty() {
                    // A post is made for those to whom it is credited: for nobody there would be none.
                    audience.groups().iter().for_each(|group| nobody(cx, group, out));
                    continue;
                }
                let (steps, path) = audience.steps(cx);
                if steps.iter().any(|step| cx.plan().addressing(&step.via) == Addressing::Once) {
                    continue;
                }
                let groups: Vec<&GroupId> = audience.groups().iter().map(|group| &group.id).collect();
                let mechanisms: Vec<&Mechanism> = steps.iter().map(|step| &step.via).collect();
                if judged.insert((groups, mechanisms)) {
                    out.extend(unreachable(cx, communique, &audience, (steps, path)));
                }
            }
        }
    }
}

/// Finds members whom no step reaches.
fn unreachable<'a>(
    cx: &Subject<'a>,
    communique: &Communique,
    audience: &Audience<'a>,
    (steps, path): (&[Step], String),
) -> Option<Finding> {
    let despite_opt_out = audience.groups().iter().any(|group| group.despite_opt_out);
    // Whoever is not told, or is told by another member, needs no address.
    let told = |who: &StakeholderRef<'_>| who.through().is_none() && (!who.opted_out() || despite_opt_out);
    let is_beyond = |who: StakeholderRef<'_>| {
        if steps.is_empty() {
            who.mechanisms().is_empty()
        } else {
            // Whether whoever is reached in their place can be is another rule's to judge.
            !steps.iter().any(|step| step.to.is_some() || who.mechanisms().contains(&step.via))
        }
    };
    let members = audience.members().iter().copied();
    let without: Vec<u32> = members.filter(|n| cx.people().at(*n).filter(told).is_some_and(is_beyond)).collect();
    let first = without.first()?;
    let steps = steps.iter().map(|step| format!("`{}`", step.via)).collect::<Vec<_>>().join(", ");
    let wanted = if steps.is_empty() { "no address at all".to_owned() } else { format!("no address for {steps}") };
    let people = if without.len() == 1 { "one member".to_owned() } else { format!("{} members", without.len()) };
    let message = format!("{people} of {} cannot be reached by `{}`: {wanted}", audience.named(), communique.id);
    let (finding, help) = match audience.groups().iter().find(|group| group.must_inform) {
        Some(group) => {
            let who = match &group.require {
                Require::OnePer { variable, .. } => format!("one of each `{variable}`"),
                _ => "each of them".to_owned(),
            };
            let message = format!("{message}; {who} must be informed: {}", named(cx, &without));
            (Finding::warning("RC0417", path, message), ACCEPTED)
        }
        None => {
            let help = "the position is that of the first; give an address, or another step";
            (Finding::error("RC0410", path, message), help)
        }
    };
    Some(at(cx.member_position(*first), finding).help(audience.help(help)))
}

const ACCEPTED: &str = "the position is that of the first; nothing goes out until somebody accepts each gap by name (`relcomm \
                        accept-gap --person ID --why … --by …`), or an address or another step is given";

/// Finds members who must be informed and wish not to be told.
fn opted_out<'a>(cx: &Subject<'a>, group: &'a Group, asked: &mut BTreeSet<&'a GroupId>, out: &mut Findings) {
    if !group.must_inform || group.despite_opt_out || !asked.insert(&group.id) {
        return;
    }
    let members = cx.people().members(&group.id).iter().copied();
    let people = cx.people();
    let led = people.led();
    // Whoever is reached through somebody who opted out is not told either.
    let wishes =
        |number: u32| people.at(led.leader(number).flatten().unwrap_or(number)).is_some_and(|who| who.opted_out());
    let opted_out: Vec<u32> = members.filter(|number| wishes(*number)).collect();
    let Some(first) = opted_out.first() else { return };
    let who = if opted_out.len() == 1 { "one member".to_owned() } else { format!("{} members", opted_out.len()) };
    let path = key_path("groups", group.id.as_str()) + ".must_inform";
    let is_own = |number: &u32| led.leader(*number).is_none();
    let wish = if opted_out.iter().all(is_own) { "opted out" } else { "opted out, or whoever tells them did" };
    let message = format!(
        "{who} of `{}` must be informed and {wish}, so that they are not told: {}",
        group.id,
        named(cx, &opted_out)
    );
    let help = "the position is that of the first; say `opt_out: ignore` where law or contract demands the notice; else nothing \
                goes out until somebody accepts each gap by name (`relcomm accept-gap --person ID --why … --by …`)";
    out.push(at(cx.member_position(*first), Finding::warning("RC0417", path, message)).help(help));
}

/// The first of them by their ids, and how many more there are.
fn named(cx: &Subject<'_>, people: &[u32]) -> String {
    listed(people.iter().filter_map(|number| Some(cx.people().at(*number)?.id())), people.len())
}

fn nobody(cx: &Subject<'_>, group: &Group, out: &mut Findings) {
    let path = key_path("groups", group.id.as_str());
    // A list that could not be read, or is empty, is a finding of its own.
    let said = out.iter().any(|f| f.code == "RC0412" && f.path == path);
    if group.waived.is_none() && !said && !cx.has_member_list(&group.id) {
        let message = format!("nobody is in the group `{}`", group.id);
        let help = "give it `members`, or an address of its own such as `website: front-page`";
        out.push(Finding::error("RC0412", path, message).help(help));
    }
}

fn at(position: Option<Position>, finding: Finding) -> Finding {
    match position {
        Some(position) => finding.at(position),
        None => finding,
    }
}

/// Nobody hears the same once for each place without its being said.
#[derive(Debug)]
pub(super) struct OncePerPlace;

impl Rule for OncePerPlace {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0415"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        let places = cx.plan().release().places.len();
        if places < 2 {
            return;
        }
        for communique in cx.plan().communiques().iter().filter(|c| c.per == Per::Place) {
            let count: usize = communique.to.iter().map(|group| cx.members_everywhere(group)).sum();
            if count > 0 {
                let who = if count == 1 { "one member belongs".to_owned() } else { format!("{count} members belong") };
                let message = format!("{who} to every place, and will hear `{}` {places} times", communique.id);
                let path = key_path("communiques", communique.id.as_str());
                out.push(Finding::warning("RC0415", path, message).help(
                    "say `per: release`, or tie members to their places: to every one, if they are to hear it at each",
                ));
            }
        }
    }
}

/// Addresses can be right: the syntax of mail and phone numbers, the plan's own patterns, the deployment's endpoints.
#[derive(Debug)]
pub(super) struct Addresses;

impl Rule for Addresses {
    fn codes(&self) -> &'static [&'static str] {
        &["RC0411", "RC0413", "RC0414"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        let patterns = patterns(cx, out);
        // The first of each kind, and how many.
        let mut wrong: BTreeMap<(&'static str, String), (Option<Position>, String, usize)> = BTreeMap::new();
        let mut judged = vec![false; cx.people().len()];
        for (group, members) in cx.people().groups() {
            let path = key_path("groups", group.as_str());
            for number in members {
                if std::mem::replace(judged.get_mut(*number as usize).unwrap_or(&mut true), true) {
                    continue;
                }
                let Some(who) = cx.people().at(*number) else { continue };
                for (mechanism, address) in who.addresses() {
                    if let Some((code, message)) = judge(cx, &patterns, mechanism, address) {
                        let entry = wrong
                            .entry((code, message))
                            .or_insert_with(|| (cx.member_position(*number), path.clone(), 0));
                        entry.2 += 1;
                    }
                }
            }
        }
        for ((code, message), (position, path, count)) in wrong {
            let message = if count > 1 { format!("{message} ({count} members; this is the first)") } else { message };
            out.push(at(position, Finding::error(code, path, message)));
        }
        let responsible = cx.plan().responsible();
        let mut parties = vec![(cx.execute_path().to_owned(), &responsible.execute)];
        parties.extend(responsible.backup.iter().map(|party| ("responsible.backup".to_owned(), party)));
        for (role, party) in &responsible.performers {
            parties.push((key_path("responsible.performers", role.as_str()), party));
        }
        // Of roles only the holders whom a step may reach.
        let roles = cx.draft().approvals.iter().flat_map(|approvals| approvals.roles.keys());
        for role in roles {
            let holders = cx.plan().holders.get(role.as_str()).into_iter().flatten();
            let path = key_path("approvals.roles", role.as_str());
            parties.extend(holders.zip(0..).map(|(party, i)| (cx.entry_path(&path, i), party)));
        }
        for (path, party) in parties {
            for (mechanism, address) in &party.addresses {
                if let Some((code, message)) = judge(cx, &patterns, mechanism, address.as_str()) {
                    let position = cx.source().at(&path);
                    // The line holds the address.
                    let position = Position::new(position.file, position.line, position.column, "");
                    out.push(Finding::error(code, &path, message).at(position));
                }
            }
        }
    }
}

fn patterns(cx: &Subject<'_>, out: &mut Findings) -> BTreeMap<Mechanism, Regex> {
    let mut patterns = BTreeMap::new();
    for (mechanism, own) in cx.plan().mechanisms() {
        let Some(pattern) = &own.address else { continue };
        match Regex::new(pattern) {
            Ok(regex) => {
                patterns.insert(mechanism.clone(), regex);
            }
            Err(_) => {
                let path = key_path("mechanisms", mechanism.as_str()) + ".address";
                let message = format!("the pattern of addresses of `{mechanism}` is no regular expression");
                out.push(Finding::error("RC0414", path, message).help("the syntax is that of the Rust crate `regex`"));
            }
        }
    }
    patterns
}

fn judge(
    cx: &Subject<'_>,
    patterns: &BTreeMap<Mechanism, Regex>,
    mechanism: &Mechanism,
    text: &str,
) -> Option<(&'static str, String)> {
    let endpoints = cx
        .deployment()
        .channels
        .as_ref()
        .and_then(|channels| channels.get(mechanism))
        .and_then(|facts| facts.endpoints.as_ref());
    if endpoints.is_some_and(|names| names.contains(text)) {
        return None;
    }
    let wrong = match (patterns.get(mechanism), mechanism.as_str()) {
        (Some(pattern), _) => (!pattern.is_match(text)).then_some("does not match the plan's pattern"),
        (None, "email") => (!address::is_email(text)).then_some("is no mail address such as `name@domain`"),
        (None, "phone" | "text") => {
            (!address::is_phone(text)).then_some("is no phone number such as `+41 44 555 0101`")
        }
        // Nothing is known of how it is written: where there are endpoints, it must be one.
        (None, _) if endpoints.is_some() => {
            return Some(("RC0413", format!("an address for `{mechanism}` is no endpoint of the deployment")));
        }
        (None, _) => None,
    };
    wrong.map(|wrong| ("RC0411", format!("an address for `{mechanism}` {wrong}")))
}

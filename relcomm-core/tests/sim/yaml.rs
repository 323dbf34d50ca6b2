//! The plan of a case, as somebody would write it.

use crate::model::{
    After, Anchor, Case, Communique, DAY, Group, HOUR, Mech, Minutes, Person, Reach, Require, Step, Then, Time, Window,
    Words,
};
use chrono::DateTime;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write;

pub(crate) fn instant(minutes: Minutes) -> String {
    DateTime::from_timestamp(minutes * 60, 0).expect("an instant").format("%Y-%m-%dT%H:%MZ").to_string()
}

fn duration(minutes: Minutes) -> String {
    let (hours, rest) = (minutes / HOUR, minutes % HOUR);
    match (hours, rest) {
        (0, m) => format!("{m}m"),
        (h, 0) => format!("{h}h"),
        (h, m) => format!("{h}h{m}m"),
    }
}

fn list(all: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let all: Vec<String> = all.into_iter().map(|one| one.as_ref().to_owned()).collect();
    format!("[{}]", all.join(", "))
}

fn window(window: Window) -> String {
    format!("\"{:02}:00-{:02}:00\"", window.0, window.1)
}

fn steps(steps: &[Step]) -> String {
    list(steps.iter().map(|step| {
        let mut says = vec![match step.with {
            Some(with) => format!("all: [{}, {}]", step.via.word(), with.word()),
            None => format!("via: {}", step.via.word()),
        }];
        says.extend(step.to.map(|to| match to {
            Reach::Named(id) => format!("to: {id}"),
            Reach::Second => "to: { column: second }".to_owned(),
        }));
        says.extend(step.performer.map(|performer| format!("performer: {performer}")));
        says.extend(step.unless.map(|(sure, within)| format!("unless: {}, within: {}", sure.word(), duration(within))));
        match says.as_slice() {
            [_] if step.with.is_none() => step.via.word().to_owned(),
            says => format!("{{ {} }}", says.join(", ")),
        }
    }))
}

impl Case {
    /// `planned -5bd @09:00`, or a map where there is more to say.
    fn time(&self, time: &Time) -> String {
        let mut text = match &time.anchor {
            Anchor::Planned => "planned".to_owned(),
            Anchor::Begun => "begun".to_owned(),
            Anchor::Declared => "declared".to_owned(),
            Anchor::LastDeclared => "last declared".to_owned(),
            Anchor::Embargo => "embargo".to_owned(),
            Anchor::At(at) => instant(*at),
            Anchor::Reached(on, state) => format!("{} {}", self.communiques[*on].id, state.word()),
        };
        let mut offset = |n: i64, unit: &str| {
            if n != 0 {
                let _ = write!(text, " {}{}{unit}", if n < 0 { '-' } else { '+' }, n.abs());
            }
        };
        offset(time.days, "d");
        offset(time.business_days, "bd");
        if time.plus % DAY == 0 || time.plus % HOUR == 0 {
            offset(time.plus / HOUR, "h");
        } else {
            offset(time.plus, "m");
        }
        if let Some(hour) = time.hour {
            let _ = write!(text, " @{hour:02}:00");
        }
        if !time.theirs && time.between.is_none() && time.spread.is_none() {
            return format!("\"{text}\"");
        }
        let mut map = format!("{{ from: \"{text}\"");
        if time.theirs {
            map += ", zone: recipient";
        }
        if let Some(between) = time.between {
            let _ = write!(map, ", between: {}", window(between));
        }
        if let Some(spread) = time.spread {
            let _ = write!(map, ", spread: {}", duration(spread));
        }
        map + " }"
    }

    /// The plan while these are not there.
    pub(crate) fn yaml(&self, absent: &BTreeSet<String>) -> String {
        let mut out = String::new();
        let w = &mut out;
        let _ = writeln!(w, "plan: 1\nid: sim\nzone: {}", self.zone);
        if self.params {
            w.push_str("params: { word: News }\n");
        }
        if let Some(settle) = self.settle {
            let _ = writeln!(w, "settle: {}", duration(settle));
        }
        if let Some(exposure) = self.exposure {
            let _ = writeln!(w, "exposure: {exposure}");
        }
        if self.resend {
            let _ = writeln!(w, "indeterminate: resend");
        }
        let _ = writeln!(w, "release:\n  product: Anvil\n  version: {}", self.version);
        if let Some(kind) = self.kind {
            let _ = writeln!(w, "  kind: {kind}");
        }
        let second =
            self.second_item.map(|group| format!(", {{ id: two, text: A second thing, concerns: [{group}] }}"));
        let _ = writeln!(
            w,
            "  what: [{{ id: one, text: Folders can be shared }}{}]\n  why: Asked for.\n  how: Choose Share.",
            second.unwrap_or_default()
        );
        let places = self.places.iter().map(|place| match self.needs.get(place) {
            Some(need) => format!("{place}: {{ needs: {} }}", self.reached(need)),
            None => format!("{place}: {{}}"),
        });
        let places: Vec<String> = places.collect();
        let _ = writeln!(w, "  where: {{ {} }}\n  when: {{ planned: {} }}", places.join(", "), instant(self.planned));
        let performers = "{ caller: Cal <cal@sim.example>, walker: Wim <wim@sim.example> }";
        let _ = writeln!(
            w,
            "responsible: {{ execute: Ada <ada@sim.example>, backup: Ben <ben@sim.example>, performers: {performers} }}"
        );
        self.approvals(w);
        if !self.declares.is_empty() {
            let _ = writeln!(w, "protocol: {{ declare: {} }}", list(&self.declares));
        }
        if let Some(of) = &self.embargo {
            let _ = writeln!(
                w,
                "embargo: {{ until: {}, cleared: {}, classified: [release.what] }}",
                instant(of.until),
                list(&of.cleared)
            );
        }
        let _ = writeln!(w, "groups:");
        for group in &self.groups {
            self.one_group(w, group, absent);
        }
        let _ = writeln!(w, "communiques:");
        for communique in &self.communiques {
            self.communique(w, communique);
        }
        out
    }

    /// Who stands on the list of a group while these are not there.
    fn listed<'a>(&'a self, group: &Group, absent: &BTreeSet<String>) -> impl Iterator<Item = &'a Person> {
        let is_on = |p: &&Person| p.groups.contains(group.id) || p.left_out.contains(group.id);
        self.people.iter().filter(is_on).filter(|p| !absent.contains(&p.id))
    }

    /// The files beside the plan while these are not there, by name.
    pub(crate) fn files(&self, absent: &BTreeSet<String>) -> Vec<(String, String)> {
        let of = |group: &Group| (format!("{}.jsonl", group.id), self.listed(group, absent).map(line).collect());
        self.groups.iter().filter(|group| group.in_file).map(of).collect()
    }

    /// `c1 75% accepted for staff`.
    fn reached(&self, what: &After) -> String {
        let share = match what.share {
            None => String::new(),
            Some(Require::Share(share)) => format!(" {share}%"),
            Some(Require::All) => " all".to_owned(),
            Some(_) => " any".to_owned(),
        };
        let group = what.group.map(|group| format!(" for {group}")).unwrap_or_default();
        format!("{}{share} {}{group}", self.communiques[what.on].id, what.state.word())
    }

    fn approvals(&self, w: &mut String) {
        let of = &self.approvals;
        if of.need.is_empty() {
            return;
        }
        let roles = of.need.iter().map(|(role, _)| format!("{role}: [{role}-a@sim.example, {role}-b@sim.example]"));
        let need = of.need.iter().map(|(role, only)| match only.as_slice() {
            [] => (*role).to_owned(),
            only => format!("{{ role: {role}, only: {} }}", list(only)),
        });
        let roles: Vec<String> = roles.collect();
        let _ = writeln!(w, "approvals:\n  roles: {{ {} }}\n  need: {}", roles.join(", "), list(need));
        if of.with_people {
            let _ = writeln!(w, "  covers: texts+people");
        }
        if of.distinct {
            let _ = writeln!(w, "  distinct: [approve, declare]");
        }
        if let Some(days) = of.expire_days {
            let _ = writeln!(w, "  expire: {days}d");
        }
    }

    fn one_group(&self, w: &mut String, group: &Group, absent: &BTreeSet<String>) {
        let _ = writeln!(w, "  {}:", group.id);
        if group.waived {
            let _ = writeln!(w, "    waived: {{ why: Nobody reads it., by: Mia }}");
        }
        if !group.via.is_empty() {
            let _ = writeln!(w, "    via: {}", steps(&group.via));
        }
        if let Some(sure) = group.informed_when {
            let _ = writeln!(w, "    informed_when: {}", sure.word());
        }
        if let Some(within) = group.within {
            let _ = writeln!(w, "    within: {}", duration(within));
        }
        match group.require {
            Require::All => {}
            Require::Any => w.push_str("    require: any\n"),
            Require::Share(share) => {
                let _ = writeln!(w, "    require: {share}%");
            }
            Require::OnePerCompany => w.push_str("    require: { one_per: company }\n"),
        }
        if group.must_inform {
            w.push_str("    must_inform: true\n");
        }
        if group.despite_opt_out {
            w.push_str("    opt_out: ignore\n");
        }
        if let Some(zone) = group.zone {
            let _ = writeln!(w, "    zone: {zone}");
        }
        if let Some(between) = group.between {
            let _ = writeln!(w, "    between: {}", window(between));
        }
        if let [_, .., last] = group.languages.as_slice() {
            let _ = writeln!(w, "    languages: {}\n    fallback: {last}", list(&group.languages));
        }
        if group.only {
            w.push_str("    only: chosen\n");
        }
        if group.in_file {
            let _ = writeln!(w, "    members: {}.jsonl", group.id);
            return;
        }
        let _ = writeln!(w, "    members:");
        for person in self.listed(group, absent) {
            let _ = writeln!(w, "      - {}", member(person));
        }
    }

    fn communique(&self, w: &mut String, of: &Communique) {
        let to = match of.corrects {
            None => list(&of.to),
            Some(of) => {
                let perhaps = if of.perhaps { "include" } else { "exclude" };
                format!("{{ told: {}, perhaps: {perhaps} }}", self.communiques[of.of].id)
            }
        };
        let _ = writeln!(w, "  {}:\n    to: {to}", of.id);
        if let Some(of) = of.corrects.filter(|of| of.as_told) {
            let also = of.also.map(|(group, step)| format!(", also: {{ {group}: {} }}", steps(&[step])));
            let _ = writeln!(w, "    via: {{ as_told: true{} }}", also.unwrap_or_default());
        }
        let _ = writeln!(w, "    per: {}", if of.per_place { "place" } else { "release" });
        let conditions = of.outcome.map(|outcome| format!("outcome: {}", outcome.word()));
        let conditions = conditions.into_iter().chain(of.kind.map(|kind| format!("kind: {kind}")));
        let places = (!of.only_at.is_empty()).then(|| format!("place: {}", list(&of.only_at)));
        let host = of.host.map(|holds| format!("host: {}", if holds { "holds" } else { "fails" }));
        let conditions: Vec<String> = conditions.chain(places).chain(host).collect();
        if !conditions.is_empty() {
            let _ = writeln!(w, "    if: {{ {} }}", conditions.join(", "));
        }
        let usual = Time::at(Anchor::Declared);
        match of.occurrences.as_slice() {
            [only] if only.id.is_none() => {
                if only.at != usual {
                    let _ = writeln!(w, "    at: {}", self.time(&only.at));
                }
            }
            all => {
                let _ = writeln!(w, "    occurrences:");
                for occurrence in all {
                    let _ = writeln!(w, "      {}: {}", occurrence.id.unwrap_or("only"), self.time(&occurrence.at));
                }
            }
        }
        if !of.after.is_empty() {
            let _ = writeln!(w, "    after: {}", list(of.after.iter().map(|after| self.reached(after))));
        }
        if let Some(of) = of.if_blocked {
            let then = match of.then {
                Then::Proceed => "proceed",
                Then::Cancel => "cancel",
                Then::Ask => "ask responsible",
            };
            let after = if of.after > 0 { format!("after: {}, ", duration(of.after)) } else { String::new() };
            let _ = writeln!(w, "    if_blocked: {{ {after}then: {then} }}");
        }
        if let Some(not_after) = &of.not_after {
            let _ = writeln!(w, "    not_after: {}", self.time(not_after));
        }
        if let Some(deadline) = &of.deadline {
            let _ = writeln!(w, "    deadline: {}", self.time(deadline));
        }
        if of.urgent {
            w.push_str("    urgent: true\n");
        }
        if of.on_slip {
            w.push_str("    on_slip: correct\n");
        }
        if of.undeclared {
            w.push_str("    undeclared: true\n");
        }
        if !of.via.is_empty() {
            let _ = writeln!(w, "    via: {}", steps(&of.via));
        }
        if let Some(sure) = of.informed_when {
            let _ = writeln!(w, "    informed_when: {}", sure.word());
        }
        if let Some(resend) = of.resend {
            let _ = writeln!(w, "    indeterminate: {}", if resend { "resend" } else { "hold" });
        }
        if self.second_item.is_some() && of.id == "c0" {
            w.push_str("    covers: [one, two]\n");
        }
        let word = if self.params { "{{ params.word }}" } else { "News" };
        let text = match of.words {
            Words::BuiltIn => None,
            Words::Shared => Some(format!("\"{word}: {{{{ item.one }}}}\"")),
            Words::Personal => Some("\"For {{ person.id }}: {{ item.one }}\"".to_owned()),
            Words::Neutral => Some("\"Something new comes.\"".to_owned()),
            Words::ByLanguage => Some("{ en: \"News: {{ item.one }}\", de: \"Neues: {{ item.one }}\" }".to_owned()),
        };
        if let Some(text) = text {
            let _ = writeln!(w, "    text: {text}");
        }
        if !of.variants.is_empty() {
            let _ = writeln!(w, "    for:");
        }
        for (group, variant) in &of.variants {
            let mut says = Vec::new();
            says.extend(variant.at.as_ref().map(|at| format!("at: {}", self.time(at))));
            says.extend((!variant.via.is_empty()).then(|| format!("via: {}", steps(&variant.via))));
            says.extend(variant.deadline.as_ref().map(|deadline| format!("deadline: {}", self.time(deadline))));
            says.extend(variant.text.then(|| "text: \"For you: {{ item.one }}\"".to_owned()));
            let _ = writeln!(w, "      {group}: {{ {} }}", says.join(", "));
        }
    }
}

/// The address of somebody on a mechanism.
pub(crate) fn address(id: &str, mech: Mech) -> String {
    match mech {
        Mech::Email => format!("{id}@sim.example"),
        Mech::Phone => format!("+4144555{:04}", id.trim_start_matches('p').parse::<u32>().unwrap_or(0)),
        _ => format!("{}-{id}", mech.word()),
    }
}

/// Whose address that is.
pub(crate) fn who_is(address: &str) -> Option<String> {
    if let Some(number) = address.strip_prefix("+4144555") {
        return Some(format!("p{}", number.parse::<u32>().ok()?));
    }
    let name = address.split('@').next()?;
    name.rsplit('-').next().map(ToOwned::to_owned)
}

fn member(person: &Person) -> String {
    let mut says = vec![format!("id: {}", person.id)];
    says.extend(person.has.iter().map(|mech| format!("{}: \"{}\"", mech.word(), address(&person.id, *mech))));
    says.extend(person.language.map(|language| format!("language: {language}")));
    says.extend((!person.places.is_empty()).then(|| format!("place: {}", list(&person.places))));
    says.extend(person.zone.map(|zone| format!("zone: {zone}")));
    says.extend((person.stands_for > 1).then(|| format!("stands_for: {}", person.stands_for)));
    says.extend(person.through.as_ref().map(|leader| format!("through: {leader}")));
    says.extend(person.opted_out.then(|| "opted_out: true".to_owned()));
    let company = person.company.map(|company| format!("company: {company}"));
    let vars: Vec<String> = company.into_iter().chain(person.second.map(|id| format!("second: {id}"))).collect();
    says.extend((!vars.is_empty()).then(|| format!("vars: {{ {} }}", vars.join(", "))));
    format!("{{ {} }}", says.join(", "))
}

/// Somebody as a line of a file.
fn line(person: &Person) -> String {
    let mut says = json!({ "id": person.id });
    let mut say = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            says[key] = value;
        }
    };
    for mech in &person.has {
        say(mech.word(), Some(address(&person.id, *mech).into()));
    }
    say("language", person.language.map(Value::from));
    say("place", (!person.places.is_empty()).then(|| person.places.clone().into()));
    say("zone", person.zone.map(Value::from));
    say("stands_for", (person.stands_for > 1).then(|| person.stands_for.into()));
    say("through", person.through.clone().map(Value::from));
    say("opted_out", person.opted_out.then(|| true.into()));
    say("company", person.company.map(Value::from));
    say("second", person.second.map(Value::from));
    format!("{says}\n")
}

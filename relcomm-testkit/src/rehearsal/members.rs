//! People who are made up, in the place of a group's own.

use super::script::{Deal, MadeUp};
use relcomm_core::id::GroupId;
use relcomm_core::mechanism::{Addressing, Mechanism};
use relcomm_core::plan::Sources;
use relcomm_core::plan::draft::SecretRef;
use relcomm_core::plan::source::{Entry, Kind, Node, Source};
use secrecy::SecretString;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Cursor, Read};

/// More than any plan tells, and few enough to be held in memory.
const MOST: u32 = 10_000_000;

/// The people of one group.
#[derive(Clone, Debug)]
struct Cast {
    group: GroupId,
    spec: MadeUp,
    mechanisms: Vec<Mechanism>,
    /// The numbers of those who are on the list now.
    on: Vec<u32>,
    made: u32,
}

/// Everyone who is made up.
#[derive(Clone, Debug, Default)]
pub(super) struct Casting {
    casts: Vec<Cast>,
}

impl Casting {
    /// Puts made-up people in the place of the groups' own; what cannot be is said in a phrase.
    pub(super) fn new<'a>(
        made_up: impl IntoIterator<Item = (&'a GroupId, &'a MadeUp)>,
        plan: &mut Source,
    ) -> Result<Self, String> {
        let mut casts = Vec::new();
        for (group, spec) in made_up {
            let path = format!("groups.{group}");
            let Some(node) = plan.get(&path) else { return Err(format!("the plan has no group `{group}`")) };
            let path = match node.kind() {
                Kind::Map(_) if node.get("members").is_some() => format!("{path}.members"),
                Kind::Map(_) => return Err(format!("`{group}` has no members whose place others could take")),
                _ => path,
            };
            let mechanisms = match &spec.via {
                Some(via) => via.iter().cloned().collect(),
                None => mechanisms(plan, group),
            };
            plan.set(&path, &file(group));
            let mut cast = Cast { group: group.clone(), spec: spec.clone(), mechanisms, on: Vec::new(), made: 0 };
            cast.join(spec.count)?;
            casts.push(cast);
        }
        Ok(Self { casts })
    }

    fn cast(&mut self, group: &GroupId) -> Result<&mut Cast, String> {
        let found = self.casts.iter_mut().find(|c| &c.group == group);
        found.ok_or_else(|| format!("the people of `{group}` are not made up here: give it `members`"))
    }

    /// So many more.
    pub(super) fn join(&mut self, group: &GroupId, count: u32) -> Result<(), String> {
        self.cast(group)?.join(count)
    }

    /// One less.
    pub(super) fn leave(&mut self, group: &GroupId, who: &str) -> Result<(), String> {
        let cast = self.cast(group)?;
        let at = cast.on.iter().position(|n| cast.id(*n) == who);
        let at = at.ok_or_else(|| format!("`{group}` has no member `{who}`"))?;
        cast.on.remove(at);
        Ok(())
    }

    /// The plan's files, with those of the people who are made up.
    pub(super) fn beside<'a>(&self, base: &'a dyn Sources) -> Staged<'a> {
        Staged { base, files: self.casts.iter().map(|cast| (file(&cast.group), cast.csv())).collect() }
    }
}

fn file(group: &GroupId) -> String {
    format!("rehearsal/{group}.csv")
}

impl Cast {
    fn join(&mut self, count: u32) -> Result<(), String> {
        let made = self.made.checked_add(count).filter(|made| *made <= MOST);
        let made = made.ok_or_else(|| format!("`{}` would have more than {MOST} members", self.group))?;
        self.on.extend(self.made + 1..=made);
        self.made = made;
        Ok(())
    }

    fn id(&self, number: u32) -> String {
        let pattern = self.spec.id.clone().unwrap_or_else(|| format!("{}-{{n}}", self.group));
        pattern.replace("{n}", &number.to_string())
    }

    fn csv(&self) -> Vec<u8> {
        let made = self.mechanisms.iter().filter(|m| !self.spec.columns.keys().any(|c| c == m.as_str()));
        let made: Vec<&Mechanism> = made.collect();
        let mut header = vec!["id".to_owned()];
        header.extend(made.iter().map(ToString::to_string));
        header.extend(self.spec.columns.keys().cloned());
        let mut csv = line(&header);
        for number in &self.on {
            let id = self.id(*number);
            let mut row = vec![id.clone()];
            row.extend(made.iter().map(|mechanism| address(mechanism, &self.group, *number)));
            row.extend(self.spec.columns.values().map(|column| deal(&column.0, *number)));
            csv.push_str(&line(&row));
        }
        csv.into_bytes()
    }
}

fn deal(column: &Deal, number: u32) -> String {
    let index = number.saturating_sub(1);
    match column {
        Deal::Turns(values) => {
            let turn = values.get(index as usize % values.len().max(1));
            turn.cloned().unwrap_or_default().replace("{n}", &number.to_string())
        }
        Deal::Each(each, value) => value.replace("{n}", &(index / each + 1).to_string()),
    }
}

fn address(mechanism: &Mechanism, group: &GroupId, number: u32) -> String {
    match mechanism.as_str() {
        "email" => format!("{group}-{number}@rehearsal.example"),
        "phone" | "text" => format!("+15550{number:07}"),
        _ => format!("{group}-{number}"),
    }
}

/// A line of CSV (RFC 4180).
fn line(cells: &[String]) -> String {
    let quoted: Vec<String> = cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
    quoted.join(",") + "\n"
}

/// The mechanisms that reach each by an address of their own, as far as the steps for a group name them.
fn mechanisms(plan: &Source, group: &GroupId) -> Vec<Mechanism> {
    let mut all = BTreeSet::new();
    let mut take = |node: Option<&Node>| steps(node, &mut all);
    take(plan.get(&format!("groups.{group}.via")));
    if let Some(Kind::Map(communiques)) = plan.get("communiques").map(Node::kind) {
        for communique in communiques.iter().map(Entry::value) {
            if is_to(communique.get("to"), group) {
                take(communique.get("via"));
                take(communique.get("for").and_then(|of| of.get(group.as_str())).and_then(|v| v.get("via")));
            }
        }
    }
    let own = |m: &Mechanism| match plan.get(&format!("mechanisms.{m}.addressing")).and_then(Node::text) {
        Some(word) => word != "once",
        None => m.standard_addressing() != Some(Addressing::Once),
    };
    all.retain(own);
    if all.is_empty() {
        all.extend(Mechanism::new("email"));
    }
    all.into_iter().collect()
}

fn is_to(to: Option<&Node>, group: &GroupId) -> bool {
    match to.map(Node::kind) {
        Some(Kind::Scalar { text, .. }) => text == group.as_str(),
        Some(Kind::List(groups)) => groups.iter().any(|g| g.text() == Some(group.as_str())),
        _ => false,
    }
}

/// The mechanisms of steps: words, and what stands under `via` and `all`.
fn steps(node: Option<&Node>, all: &mut BTreeSet<Mechanism>) {
    match node.map(Node::kind) {
        Some(Kind::Scalar { text, .. }) => all.extend(Mechanism::new(text)),
        Some(Kind::List(steps_of)) => steps_of.iter().for_each(|step| steps(Some(step), all)),
        Some(Kind::Map(entries)) => {
            let named = entries.iter().filter(|e| matches!(e.key(), "via" | "all"));
            named.for_each(|entry| steps(Some(entry.value()), all));
        }
        _ => {}
    }
}

/// A plan's files, some of them made up.
#[derive(Debug)]
pub(super) struct Staged<'a> {
    base: &'a dyn Sources,
    files: BTreeMap<String, Vec<u8>>,
}

impl Sources for Staged<'_> {
    fn open(&self, path: &str) -> io::Result<Box<dyn Read + Send>> {
        match self.files.get(path) {
            Some(made) => Ok(Box::new(Cursor::new(made.clone()))),
            None => self.base.open(path),
        }
    }

    fn name(&self, path: &str) -> String {
        if self.files.contains_key(path) { path.to_owned() } else { self.base.name(path) }
    }

    fn directory(&self, name: &str) -> Option<&dyn relcomm_core::plan::Directory> {
        self.base.directory(name)
    }

    fn predicate(&self, name: &str) -> Option<&dyn relcomm_core::plan::Predicate> {
        self.base.predicate(name)
    }

    fn secret(&self, at: &SecretRef) -> io::Result<SecretString> {
        self.base.secret(at)
    }
}

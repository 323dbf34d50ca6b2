//! The variables of templates: one table, by which validation judges and which preparation fills.

use crate::plan::Plan;

/// How a name below a namespace is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Below {
    /// The namespace is itself a value and has nothing below it.
    Value,
    /// These names, and no others.
    Names(&'static [&'static str]),
    /// Whatever the member data holds.
    Open,
    /// The plan's parameters.
    Params,
    /// The ids of the plan's items.
    Items,
    /// The id of a communique, the id of one of its groups, then these names.
    Told(&'static [&'static str]),
}

/// One namespace of templates.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Namespace {
    /// Its name.
    pub name: &'static str,
    /// What stands below it.
    pub below: Below,
    /// What it is.
    pub is: &'static str,
}

const fn space(name: &'static str, below: Below, is: &'static str) -> Namespace {
    Namespace { name, below, is }
}

/// Every namespace that a template may use. In ids, every character but letters, digits and `_` becomes `_`.
pub const NAMESPACES: &[Namespace] = &[
    space(
        "release",
        Below::Names(&[
            "product",
            "version",
            "prerelease",
            "kind",
            "what",
            "why",
            "where",
            "how",
            "how.access",
            "how.circumstances",
            "how.support",
            "when",
            "when.planned",
            "when.before",
            "when.lasts",
        ]),
        "the release; `release.what` lists the items that concern the gate's groups and places, each with `id`, `kind`, `text`; `release.when.before` is the planned time that they heard before, in news of a slip",
    ),
    space(
        "place",
        Below::Names(&["id", "name", "platforms", "declared_at", "declared_by"]),
        "the gate's place, for communiques with one gate a place",
    ),
    space("places", Below::Names(&["all", "live"]), "the names of all places, and of those declared to be live"),
    space("group", Below::Names(&["id", "owner"]), "the group through which the person is told"),
    space(
        "person",
        Below::Open,
        "the person: `id`, `name`, `lang`, `places`, `zone`, and every further column of the member data",
    ),
    space("communique", Below::Names(&["id", "occurrence", "revision"]), "the communique itself"),
    space("params", Below::Params, "the plan's parameters"),
    space("item", Below::Items, "one item of `what` by its id: its text"),
    space(
        "told",
        Below::Told(&["url", "at", "via"]),
        "what became of an earlier communique for a group; needs `after` it",
    ),
    space("declaration", Below::Names(&["at", "by", "cause", "outcome"]), "the declaration that opened the gate"),
    space("lang", Below::Value, "the language of the text"),
];

/// What the built-in text states. Preparation renders it; a test there compares the two.
pub(crate) const STATED_BY_DEFAULT: [&str; 13] = [
    "release",
    "release.product",
    "release.version",
    "release.what",
    "release.why",
    "release.where",
    "release.how",
    "release.how.access",
    "release.how.circumstances",
    "release.how.support",
    "release.when",
    "release.when.planned",
    "release.when.before",
];

/// An id as templates write it: every character but letters, digits and `_` becomes `_`.
#[must_use]
pub fn identifier(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// What is wrong with a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// There is no such name; these are the names there.
    Name { part: String, names: Vec<String> },
    /// It speaks of an earlier communique: its identifier and the group's.
    Told { communique: String, group: Option<String> },
}

/// Judges a dotted path that a template uses.
pub(crate) fn judge(plan: &Plan, path: &str) -> Result<(), Unknown> {
    let (root, rest) = path.split_once('.').unwrap_or((path, ""));
    let Some(space) = NAMESPACES.iter().find(|space| space.name == root) else {
        return Err(Unknown::Name { part: root.into(), names: NAMESPACES.iter().map(|s| s.name.to_owned()).collect() });
    };
    if rest.is_empty() {
        return Ok(());
    }
    let within = |names: Vec<String>, part: &str| {
        if names.iter().any(|name| name == part) { Ok(()) } else { Err(Unknown::Name { part: part.into(), names }) }
    };
    let fixed = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    match space.below {
        Below::Open => Ok(()),
        Below::Value => within(Vec::new(), rest),
        Below::Names(names) => within(fixed(names), rest),
        Below::Params => within(plan.params().keys().map(|key| identifier(key)).collect(), rest),
        Below::Items => within(plan.release().what.iter().map(|item| identifier(item.id.as_str())).collect(), rest),
        Below::Told(names) => {
            let mut parts = rest.splitn(3, '.');
            let (communique, group, field) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
            within(plan.communiques().iter().map(|c| identifier(c.id.as_str())).collect(), communique)?;
            if let Some(group) = group {
                let to =
                    plan.communiques().iter().filter(|c| identifier(c.id.as_str()) == communique).flat_map(|c| &c.to);
                within(to.map(|g| identifier(g.as_str())).collect(), group)?;
            }
            if let Some(field) = field {
                within(fixed(names), field)?;
            }
            Err(Unknown::Told { communique: communique.into(), group: group.map(str::to_owned) })
        }
    }
}

//! One row of member data: which field each column fills, and what is wrong with its values.

use super::{List, Vocabulary};
use crate::id::{Lang, PlaceId, StakeholderId};
use crate::mechanism::Mechanism;
use crate::plan::time::ZoneName;
use crate::stakeholder::{Address, Stakeholder};

/// A word for yes or no, as spreadsheets and databases write it.
fn is_yes(value: &str) -> Option<bool> {
    let is_one_of = |words: [&str; 4]| words.iter().any(|word| value.eq_ignore_ascii_case(word));
    match (is_one_of(["1", "true", "y", "yes"]), is_one_of(["0", "false", "n", "no"])) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

/// What a column fills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Id,
    Name,
    Lang,
    Zone,
    Place,
    OptedOut,
    StandsFor,
    Through,
    Address(Mechanism),
    Var(String),
}

impl Field {
    /// The field of that name. The names of fields are known in any case, since spreadsheets like capitals; all else keeps its own.
    pub(crate) fn named(name: &str, words: &Vocabulary) -> Self {
        let lower = name.to_ascii_lowercase();
        match lower.as_str() {
            "id" => Self::Id,
            "name" => Self::Name,
            "lang" | "language" => Self::Lang,
            "place" | "places" => Self::Place,
            "opted_out" => Self::OptedOut,
            "stands_for" => Self::StandsFor,
            "through" => Self::Through,
            "zone" => Self::Zone,
            _ => match words.mechanisms.get(lower.as_str()) {
                Some(mechanism) => Self::Address(mechanism.clone()),
                None => Self::Var(name.to_owned()),
            },
        }
    }
}

/// A row, not yet checked: each value with its field and the column's name.
#[derive(Debug, Default)]
pub(crate) struct Row<'a> {
    cells: Vec<(&'a Field, &'a str, &'a str)>,
    inbox: bool,
}

/// What is wrong with a row.
#[derive(Debug)]
pub(crate) struct Wrong {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) help: Option<&'static str>,
}

/// A row that was read: the person, where an id could be made, and what is wrong.
#[derive(Debug)]
pub(crate) struct Complete {
    pub(crate) who: Option<Stakeholder>,
    pub(crate) wrong: Vec<Wrong>,
}

impl<'a> Row<'a> {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Room for so many cells.
    pub(crate) fn with_room(cells: usize) -> Self {
        Self { cells: Vec::with_capacity(cells), inbox: false }
    }

    /// The row of a group that is one inbox itself: without id or email, its id is the group's.
    pub(crate) fn inbox() -> Self {
        Self { cells: Vec::new(), inbox: true }
    }

    /// With the value of a column; spaces around it are dropped, and an empty one says nothing.
    pub(crate) fn cell(&mut self, field: &'a Field, column: &'a str, value: &'a str) {
        let value = value.trim_matches([' ', '\t']);
        if !value.is_empty() {
            self.cells.push((field, column, value));
        }
    }

    pub(crate) fn is_blank(&self) -> bool {
        self.cells.is_empty()
    }

    /// Makes the person.
    pub(crate) fn read(self, words: &Vocabulary, list: List<'_>) -> Complete {
        let mut wrong = Vec::new();
        let id = self.id(list, &mut wrong);
        // The rest is read for its findings even where there is no id.
        let placeholder = || StakeholderId::new("nobody").ok();
        let known = id.is_some();
        let Some(mut who) = id.or_else(placeholder).map(Stakeholder::new) else { return Complete { who: None, wrong } };
        for (field, column, value) in self.cells {
            match field {
                Field::Id => {}
                Field::Name if value.chars().any(char::is_control) => {
                    wrong.push(Wrong::value(column, "holds a control character"));
                }
                Field::Name => who.name = Some(value.to_owned()),
                Field::Lang => match Lang::new(value) {
                    Ok(lang) => who.lang = Some(lang),
                    Err(_) => wrong.push(Wrong::value(column, "is no language tag such as `en` or `de-CH`")),
                },
                Field::Zone => match value.parse::<ZoneName>() {
                    Ok(zone) => who.zone = Some(zone.0),
                    Err(_) => {
                        wrong.push(Wrong::value(column, "is no zone of the IANA database such as `Europe/London`"));
                    }
                },
                Field::Place => places(&mut who, words, column, value, &mut wrong),
                Field::Address(mechanism) => match Address::new(value) {
                    Ok(address) => {
                        who.addresses.insert(mechanism.clone(), address);
                    }
                    Err(_) => {
                        wrong.push(Wrong::value(column, "is longer than 512 octets or holds a control character"));
                    }
                },
                Field::OptedOut => match is_yes(value) {
                    Some(is) => who.opted_out = is,
                    None => wrong.push(Wrong::value(column, "is neither `yes` nor `no`")),
                },
                Field::StandsFor => match value.parse() {
                    Ok(many) => who.stands_for = Some(many),
                    Err(_) => wrong.push(Wrong::value(column, "is no number of people, from 1 on")),
                },
                Field::Through => match StakeholderId::new(value) {
                    Ok(leader) => who.through = Some(leader),
                    Err(e) => wrong.push(Wrong::value(column, &format!("cannot be an id: {}", e.rule()))),
                },
                Field::Var(name) => {
                    who.vars.insert(name.clone(), value.to_owned());
                }
            }
        }
        Complete { who: known.then_some(who), wrong }
    }

    /// The id that the row gives, else one that is made of an address: derived where there is a key, else the email's local part.
    fn id(&self, list: List<'_>, wrong: &mut Vec<Wrong>) -> Option<StakeholderId> {
        let of = |wanted: &dyn Fn(&Field) -> bool| self.cells.iter().find(|(field, ..)| wanted(field)).copied();
        let email = |field: &Field| matches!(field, Field::Address(m) if m.as_str() == "email");
        if let Some((_, column, value)) = of(&|field| *field == Field::Id) {
            return StakeholderId::new(value)
                .map_err(|e| wrong.push(Wrong::value(column, &format!("cannot be an id: {}", e.rule()))))
                .ok();
        }
        if let Some(key) = list.id_key {
            let addresses = self.cells.iter().filter_map(|(field, _, value)| match field {
                Field::Address(mechanism) => Some((mechanism, *value)),
                _ => None,
            });
            if let Some(id) = key.id(addresses) {
                return Some(id);
            }
        } else if let Some((_, column, value)) = of(&email) {
            let local = value.rsplit_once('@').map_or(value, |(local, _)| local).to_lowercase();
            return StakeholderId::new(local)
                .map_err(|e| wrong.push(Wrong::value(column, &format!("makes no id, give one: {}", e.rule()))))
                .ok();
        }
        if self.inbox
            && let Ok(id) = StakeholderId::new(list.group.as_str())
        {
            return Some(id);
        }
        let from = if list.id_key.is_some() { "address to derive one of" } else { "email to make one of" };
        wrong.push(Wrong {
            code: "RC0404",
            message: format!("a member has neither an id nor an {from}"),
            help: Some(
                "give everyone an `id` (in a file `columns: { id: HEADER }` may name its column), or derive ids from addresses \
                 with a secret (`id_key: { env: NAME }`)",
            ),
        });
        None
    }
}

impl Wrong {
    fn value(column: &str, what: &str) -> Self {
        Self { code: "RC0407", message: format!("a value in column `{column}` {what}"), help: None }
    }
}

fn places(who: &mut Stakeholder, words: &Vocabulary, column: &str, value: &str, wrong: &mut Vec<Wrong>) {
    for word in value.split(';').map(str::trim).filter(|word| !word.is_empty()) {
        match words.places.get(word) {
            Some(place) if who.places.contains(place) => {}
            Some(place) => who.places.push(PlaceId::clone(place)),
            None => wrong.push(Wrong {
                code: "RC0408",
                message: format!("a value in column `{column}` is no place of the release"),
                help: Some("the places are the ids in `release.where`; several are divided by `;`"),
            }),
        }
    }
}

//! The release: the six answers with their defaults.

use super::{Resolver, word_of};
use crate::communique::Dependency;
use crate::id::{ItemId, PlaceId};
use crate::plan::draft::{HowDraft, ItemDraft, WhenDraft, WhereDraft};
use crate::plan::finding::Finding;
use crate::plan::key_path;
use crate::plan::time::{Instant, Span};
use crate::release::{How, Item, Place, Release, When};
use std::collections::{BTreeMap, BTreeSet};

/// The kind of release that every plan knows.
pub(super) const PRERELEASE: &str = "prerelease";

impl Resolver<'_> {
    pub(super) fn release(&mut self) -> Release {
        let draft = &self.draft.release;
        let places = self.places();
        let what = self.items(&places);
        for (key, missing) in
            [("what", draft.what.is_none()), ("why", draft.why.is_none()), ("how", draft.how.is_none())]
        {
            if missing {
                let help = format!("write `{key}:` under `release`");
                self.out
                    .push(Finding::error("RC0204", "release", format!("the answer to `{key}` is missing")).help(help));
            }
        }
        let how = match &draft.how {
            Some(HowDraft::Access(access)) => How { access: access.clone(), ..How::default() },
            Some(HowDraft::Full(full)) => How {
                access: full.access.clone(),
                circumstances: full.circumstances.clone(),
                support: full.support.clone(),
            },
            None => How::default(),
        };
        Release {
            product: draft.product.clone(),
            version: draft.version.clone(),
            prerelease: is_prerelease(&draft.version) || draft.kind.as_deref() == Some(PRERELEASE),
            kind: draft.kind.clone(),
            what,
            why: draft.why.clone().unwrap_or_default(),
            places,
            how,
            when: self.when(),
        }
    }

    fn when(&mut self) -> When {
        let (planned, lasts, path) = match &self.draft.release.when {
            None => {
                self.default_used("release", "RC0803", "`when` is open");
                return When::default();
            }
            Some(WhenDraft::Planned(instant)) => (Some(*instant), None, "release.when"),
            Some(WhenDraft::Full(full)) => (full.planned, full.lasts, "release.when.planned"),
        };
        let planned = match planned.map(|instant: Instant| instant.moment(self.zone)) {
            Some(Ok(moment)) => moment,
            Some(Err(e)) => {
                self.error("RC0605", path, e.to_string());
                None
            }
            None => None,
        };
        When { planned, lasts: lasts.and_then(|span: Span| self.elapsed("release.when.lasts", span)) }
    }

    fn places(&mut self) -> Vec<Place> {
        let plain = |id: PlaceId, name: &str| Place { id, name: name.to_owned(), platforms: Vec::new() };
        let mut places = Vec::new();
        match &self.draft.release.places {
            None => {}
            Some(WhereDraft::One(name)) => match PlaceId::new(name).or_else(|_| PlaceId::new(word_of(name))) {
                Ok(id) => places.push(plain(id, name)),
                Err(_) if name.trim().is_empty() => {
                    self.error("RC0201", "release.where", "the answer to `where` is empty");
                }
                Err(e) => {
                    self.error("RC0103", "release.where", format!("the place makes no id, give one: {}", e.rule()));
                }
            },
            Some(WhereDraft::Ids(ids)) => {
                let mut seen = BTreeSet::new();
                for (i, id) in ids.iter().enumerate() {
                    if seen.insert(id) {
                        places.push(plain(id.clone(), id.as_str()));
                    } else {
                        self.error("RC0102", format!("release.where[{i}]"), format!("the place `{id}` is named twice"));
                    }
                }
            }
            Some(WhereDraft::Places(map)) => {
                for (id, place) in map {
                    places.push(Place {
                        id: id.clone(),
                        name: place.name.clone().unwrap_or_else(|| id.as_str().to_owned()),
                        platforms: place.platforms.to_vec(),
                    });
                }
            }
        }
        match &self.draft.release.places {
            None => self.default_used("release", "RC0802", "`where` is one place, `production`"),
            Some(WhereDraft::One(_)) => {}
            Some(_) if places.is_empty() => self.error("RC0201", "release.where", "the answer to `where` is empty"),
            Some(_) => {}
        }
        if places.is_empty()
            && let Ok(id) = PlaceId::new("production")
        {
            places.push(plain(id, "production"));
        }
        places
    }

    /// What must have been reached before the release can be declared at each place.
    pub(super) fn needs(&mut self) -> BTreeMap<PlaceId, Vec<Dependency>> {
        let Some(WhereDraft::Places(places)) = &self.draft.release.places else { return BTreeMap::new() };
        let needy = places.iter().filter(|(_, place)| !place.needs.0.is_empty());
        needy
            .map(|(id, place)| {
                let path = key_path("release.where", id.as_str()) + ".needs";
                (id.clone(), self.dependencies(&path, &place.needs))
            })
            .collect()
    }

    fn items(&mut self, places: &[Place]) -> Vec<Item> {
        let Some(what) = &self.draft.release.what else { return Vec::new() };
        let given: BTreeSet<&str> = what
            .0
            .iter()
            .filter_map(|item| match item {
                ItemDraft::Full(full) => full.id.as_ref().map(ItemId::as_str),
                ItemDraft::Text(_) => None,
            })
            .collect();
        let mut items: Vec<Item> = Vec::new();
        for (i, draft) in what.0.iter().enumerate() {
            let path = format!("release.what[{i}]");
            let (id, item) = match draft {
                ItemDraft::Text(text) => (None, (None, text, Vec::new(), Vec::new())),
                ItemDraft::Full(full) => {
                    (full.id.clone(), (full.kind.clone(), &full.text, full.concerns.to_vec(), full.places.to_vec()))
                }
            };
            let (kind, text, mut concerns, mut within) = item;
            let id = match id {
                Some(id) if items.iter().any(|before| before.id == id) => {
                    self.error("RC0102", format!("{path}.id"), format!("the item `{id}` is named twice"));
                    continue;
                }
                Some(id) => id,
                None => {
                    let mut word = format!("item-{}", i + 1);
                    while given.contains(word.as_str()) {
                        word.push('x');
                    }
                    let Ok(id) = ItemId::new(&word) else { continue };
                    self.default_used(&path, "RC0812", format!("the item's id is `{id}`"));
                    id
                }
            };
            let groups = &self.draft.groups;
            let mut n = 0;
            concerns.retain(|group| {
                let known = groups.keys().any(|known| known == group);
                if !known {
                    let at = format!("{path}.concerns[{n}]");
                    self.dangling(at, "group", group.as_str(), groups.keys().map(crate::id::GroupId::as_str));
                }
                n += 1;
                known
            });
            n = 0;
            within.retain(|place| {
                let known = places.iter().any(|known| known.id == *place);
                if !known {
                    let at = format!("{path}.places[{n}]");
                    self.dangling(at, "place", place.as_str(), places.iter().map(|p| p.id.as_str()));
                }
                n += 1;
                known
            });
            items.push(Item { id, kind, text: text.clone(), concerns, places: within });
        }
        items
    }
}

/// Whether the version is a pre-release in the sense of SemVer 2.0.0; a leading `v` is no part of it.
fn is_prerelease(version: &str) -> bool {
    semver::Version::parse(version.trim().trim_start_matches('v')).is_ok_and(|version| !version.pre.is_empty())
}

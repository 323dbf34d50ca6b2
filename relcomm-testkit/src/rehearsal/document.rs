//! The documents of a script, and what one has of another.

use super::script::Script;
use super::value;
use relcomm_core::plan::Finding;
use relcomm_core::plan::source::{Format, Ordered, Source};

/// A script and the trees it was read from, for positions.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) script: Script,
    pub(super) source: Source,
    /// Where the timeline stands, and where what is expected at the end: in this document, or in one that it is like.
    pub(super) timeline: Source,
    pub(super) expect: Source,
}

impl Document {
    /// A script that stands in no file.
    pub(super) fn of(script: Script) -> Self {
        let empty = Source::parse("rehearsal.json", b"{}", Format::Json);
        let source = empty.unwrap_or_else(|_| unreachable!("an empty map is JSON"));
        Self { script, timeline: source.clone(), expect: source.clone(), source }
    }

    /// Reads the documents of a file; each that is `like` another has what that has and it has not.
    pub(super) fn read(file: &str, bytes: &[u8]) -> Result<Vec<Self>, Vec<Finding>> {
        let mut all: Vec<Self> = Vec::new();
        for source in Source::parse_all(file, bytes, Format::of(file)).map_err(|finding| vec![*finding])? {
            let mut script: Script = source.decode()?;
            if script.rehearsal != 1 {
                let message = "this version of relcomm reads rehearsals of version 1";
                return Err(vec![Finding::error("RC1201", "rehearsal", message).at(source.at("rehearsal"))]);
            }
            if all.iter().any(|above| above.script.name == script.name) {
                let message = format!("another rehearsal of the name `{}` stands above in this file", script.name);
                return Err(vec![Finding::error("RC1201", "name", message).at(source.at("name"))]);
            }
            value::read_plain(&mut script, &source);
            let (mut timeline, mut expect) = (source.clone(), source.clone());
            if let Some(like) = &script.like {
                let Some(base) = all.iter().find(|d| &d.script.name == like) else {
                    let message = format!("no rehearsal of the name `{like}` stands above in this file");
                    return Err(vec![Finding::error("RC1201", "like", message).at(source.at("like"))]);
                };
                if script.timeline.is_none() {
                    timeline = base.timeline.clone();
                }
                if script.expect.is_none() {
                    expect = base.expect.clone();
                }
                script = script.over(&base.script);
            }
            all.push(Self { script, source, timeline, expect });
        }
        Ok(all)
    }
}

impl Script {
    /// This, and what it does not say as the other does.
    fn over(self, base: &Self) -> Self {
        fn or<T: Clone>(own: Option<T>, base: &Option<T>) -> Option<T> {
            own.or_else(|| base.clone())
        }
        fn joined<K: PartialEq + Clone, V: Clone>(own: Ordered<K, V>, base: &Ordered<K, V>) -> Ordered<K, V> {
            let kept: Vec<(K, V)> = base.iter().filter(|(key, _)| !own.keys().any(|k| k == key)).cloned().collect();
            kept.into_iter().chain(own).collect()
        }
        Self {
            rehearsal: self.rehearsal,
            name: self.name,
            like: self.like,
            plan: or(self.plan, &base.plan),
            set: joined(self.set, &base.set),
            params: joined(self.params, &base.params),
            clock: or(self.clock, &base.clock),
            seed: or(self.seed, &base.seed),
            dispatchers: or(self.dispatchers, &base.dispatchers),
            members: joined(self.members, &base.members),
            channels: joined(self.channels, &base.channels),
            answers: or(self.answers, &base.answers),
            outages: or(self.outages, &base.outages),
            crashes: or(self.crashes, &base.crashes),
            timeline: or(self.timeline, &base.timeline),
            expect: or(self.expect, &base.expect),
        }
    }
}

//! What the far sides of the sandbox do: `PLAN.sandbox.yaml`, in the form of a rehearsal's answers.
//!
//! ```yaml
//! sandbox: 1
//! carried_by: { intranet: webhook }        # a word of the plan's own, carried by a peer rather than by hand
//! answers:                                 # the first match wins; what is not matched is accepted
//!   - { to: pack-3, via: email, refused: { status: 5.1.1 } }
//!   - { to: "pack-*", via: email, later: { bounced: { after: 2m, status: 5.2.2 } } }
//!   - { to: ops, via: webhook, attempt: 1, answer: lost }
//!   - { to: auditors, via: phone, later: { acknowledged: 10m } }
//! ```

use relcomm_core::mechanism::Mechanism;
use relcomm_core::plan::Finding;
use relcomm_core::plan::source::{Format, Ordered, Source, did_you_mean};
use relcomm_core::plan::time::Span;
use relcomm_testkit::rehearsal::fits;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::time::Duration;

/// The script of a sandbox.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SandboxScript {
    #[serde(rename = "sandbox")]
    _version: Option<u32>,
    /// Which mechanisms are carried by the peer of another one.
    #[serde(default)]
    pub carried_by: Ordered<Mechanism, Mechanism>,
    /// What the far sides do.
    #[serde(default)]
    pub answers: Vec<ScriptedAnswer>,
}

/// What a far side does for some recipients.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptedAnswer {
    /// A stakeholder, a group, or a pattern with `*`.
    pub to: String,
    /// On this mechanism; on all, where none is named.
    pub via: Option<Mechanism>,
    /// At this try only, from 1.
    pub attempt: Option<u32>,
    /// How the attempt is answered: `accepted` (the default), `lost` (taken over, but the answer is lost), `silent` (nobody ever
    /// acknowledges), or one of the keys below.
    pub answer: Option<AnswerWord>,
    /// Refused for good: mail with this enhanced status (RFC 3463), HTTP with this code; where none fits, with 5.1.1, a webhook with 422,
    /// the paging service with 400.
    pub refused: Option<Refused>,
    /// Not now: with this HTTP or mail code, and how long to wait.
    pub failed: Option<NotNow>,
    /// What follows later.
    pub later: Option<Later>,
}

/// An answer in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AnswerWord {
    /// Taken over.
    Accepted,
    /// Taken over, but the answer is lost.
    Lost,
    /// Nobody acknowledges.
    Silent,
    /// It failed, says the person who performs it.
    Failed,
}

/// A final refusal.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// The enhanced status, or the code of HTTP.
    pub status: Option<String>,
}

/// A passing refusal.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotNow {
    /// The code: 503, 429, 451.
    pub status: u16,
    /// How long to wait.
    pub retry_after: Option<Span>,
}

/// What follows an acceptance.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Later {
    /// It comes back.
    pub bounced: Option<Bounced>,
    /// It reaches the mailbox, so long after.
    pub delivered: Option<Span>,
    /// A person acknowledges it, so long after.
    pub acknowledged: Option<Span>,
}

/// A bounce.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounced {
    /// How long after the acceptance.
    pub after: Option<Span>,
    /// The enhanced status; 5.1.1 where none is given.
    pub status: Option<String>,
}

/// Whom an answer is about.
#[derive(Clone, Debug)]
pub struct Recipient<'a> {
    /// Their id.
    pub id: &'a str,
    /// Their groups.
    pub groups: &'a [String],
}

impl SandboxScript {
    /// Reads a script.
    ///
    /// # Errors
    /// Findings about its form.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<(Self, Source), Vec<Finding>> {
        let source = Source::parse(file, bytes, Format::of(file)).map_err(|f| vec![*f])?;
        Ok((source.decode()?, source))
    }

    /// Findings for answers that are for nobody: they would do nothing, and nobody would know.
    ///
    /// `known` is everyone for whom there can be an answer: people, groups, and the plan's own words that a peer carries.
    #[must_use]
    pub fn for_nobody<'a>(&self, source: &Source, known: impl Iterator<Item = &'a str> + Clone) -> Vec<Finding> {
        let is_for_nobody = |answer: &&ScriptedAnswer| !known.clone().any(|word| fits(&answer.to, word));
        let numbered = self.answers.iter().enumerate().filter(|(_, answer)| is_for_nobody(answer));
        numbered
            .map(|(n, answer)| {
                let path = format!("answers[{n}].to");
                let message = format!("`{}` is no person and no group of the plan", answer.to);
                let mut finding = Finding::error("RC1201", &path, message).at(source.at(&path));
                finding.help = did_you_mean(&answer.to, known.clone());
                finding
            })
            .collect()
    }

    /// Findings for answers by a mechanism that the plan does not speak of: they would do nothing either.
    #[must_use]
    pub fn by_nothing(&self, source: &Source, spoken_of: &BTreeSet<Mechanism>) -> Vec<Finding> {
        let numbered = self.answers.iter().enumerate();
        let named =
            numbered.filter_map(|(n, answer)| Some((n, answer.via.as_ref().filter(|m| !spoken_of.contains(*m))?)));
        named
            .map(|(n, via)| {
                let path = format!("answers[{n}].via");
                let message = format!("nobody is told by `{via}` in this plan");
                let mut finding = Finding::error("RC1201", &path, message).at(source.at(&path));
                finding.help = did_you_mean(via.as_str(), spoken_of.iter().map(Mechanism::as_str));
                finding
            })
            .collect()
    }

    /// Findings for what an answer says that no mechanism does by which it may be given: it would do nothing, and nobody would know.
    #[must_use]
    pub fn without_effect(&self, source: &Source, spoken_of: &BTreeSet<Mechanism>) -> Vec<Finding> {
        let by = |via: &Mechanism| self.carried_by.get(via).unwrap_or(via).as_str().to_owned();
        let mut found = Vec::new();
        for (n, answer) in self.answers.iter().enumerate() {
            let kinds: BTreeSet<String> = match &answer.via {
                Some(via) => BTreeSet::from([by(via)]),
                None => spoken_of.iter().map(by).collect(),
            };
            for (key, does) in answer.says() {
                if kinds.iter().any(|kind| does.contains(&kind_of(kind))) {
                    continue;
                }
                let path = format!("answers[{n}].{key}");
                let on = does.iter().map(|kind| format!("`{kind}`")).collect::<Vec<_>>().join(", ");
                let on = on.replace("`by hand`", "what is done by hand");
                let message = "this does nothing on the mechanism of the answer";
                let finding = Finding::error("RC1201", &path, message).at(source.at(&path));
                found.push(finding.help(format!("the sandbox knows it on {on}")));
            }
            if let Some(status) = answer.refused.as_ref().and_then(|refused| refused.status.as_deref())
                && http_code(status).is_none()
                && !is_enhanced(status)
            {
                let path = format!("answers[{n}].refused.status");
                let finding = Finding::error("RC1201", &path, "this status refuses nothing").at(source.at(&path));
                found.push(finding.help("mail is refused with `5.1.1` and the like, HTTP with a code from 400 to 499"));
            }
        }
        found
    }

    /// The first answer that matches.
    #[must_use]
    pub fn answer(&self, to: &Recipient<'_>, via: &str, attempt: u32) -> Option<&ScriptedAnswer> {
        self.answers.iter().find(|a| {
            (fits(&a.to, to.id) || to.groups.iter().any(|g| fits(&a.to, g)))
                && a.via.as_ref().is_none_or(|m| m.as_str() == via)
                && a.attempt.is_none_or(|n| n == attempt)
        })
    }
}

/// The code with which HTTP refuses for good.
pub(super) fn http_code(status: &str) -> Option<u16> {
    status.parse().ok().filter(|code| (400..500).contains(code))
}

/// Whether this is an enhanced status that refuses for good (RFC 3463).
fn is_enhanced(status: &str) -> bool {
    let mut parts = status.split('.');
    let is_number = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    parts.next() == Some("5")
        && parts.by_ref().take(2).filter(|part| is_number(part)).count() == 2
        && parts.next().is_none()
}

/// What the sandbox knows of a mechanism by.
fn kind_of(carrier: &str) -> &str {
    match carrier {
        "email" | "webhook" | "pager" => carrier,
        _ => "by hand",
    }
}

impl ScriptedAnswer {
    /// What it says, by key, and on what the sandbox does that.
    fn says(&self) -> Vec<(&'static str, &'static [&'static str])> {
        let word = match self.answer {
            Some(AnswerWord::Lost) => Some(&["webhook"][..]),
            Some(AnswerWord::Silent | AnswerWord::Failed) => Some(&["by hand"][..]),
            Some(AnswerWord::Accepted) | None => None,
        };
        let later = |key, of: fn(&Later) -> bool, does| self.later.as_ref().filter(|l| of(l)).map(|_| (key, does));
        [
            word.map(|does| ("answer", does)),
            self.refused.as_ref().map(|_| ("refused", &["email", "webhook", "pager"][..])),
            self.failed.as_ref().map(|_| ("failed", &["email", "webhook", "pager"][..])),
            later("later.bounced", |l| l.bounced.is_some(), &["email"][..]),
            later("later.delivered", |l| l.delivered.is_some(), &["email"][..]),
            later("later.acknowledged", |l| l.acknowledged.is_some(), &["by hand"][..]),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// A span of the script as elapsed time.
#[must_use]
pub(super) fn elapsed(span: Option<Span>, default: Duration) -> Duration {
    span.and_then(Span::as_elapsed).unwrap_or(default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_match_wins() {
        let script = SandboxScript::parse(
            "x.yaml",
            b"sandbox: 1\nanswers:\n- { to: pack-3, answer: lost }\n- { to: \"pack-*\", via: email }\n- { to: users, attempt: 2 }\n",
        )
        .unwrap()
        .0;
        let of = |id: &str, groups: &[&str], via: &str, n| {
            let groups: Vec<String> = groups.iter().map(ToString::to_string).collect();
            let found = script.answer(&Recipient { id, groups: &groups }, via, n).map(|a| a.to.clone());
            found.unwrap_or_default()
        };
        assert_eq!(of("pack-3", &[], "email", 1), "pack-3");
        assert_eq!(of("pack-4", &[], "email", 1), "pack-*");
        assert_eq!(of("pack-4", &[], "pager", 1), "");
        assert_eq!(of("x", &["users"], "pager", 2), "users");
        assert_eq!(of("x", &["users"], "pager", 1), "");
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        assert!(SandboxScript::parse("x.yaml", b"sandbox: 1\nanswer: []\n").is_err());
    }
}

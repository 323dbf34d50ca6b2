//! What a far side answers, and what follows.

use super::elapsed::Elapsed;
use super::script::{AnswerDraft, AnswerMap, AnswerWord, Bounce, Later};
use relcomm_core::channel::{Accepted, ChannelError, ErrorKind, Retry, Scope};
use relcomm_core::mechanism::Capabilities;
use relcomm_core::plan::source::WordOr;
use relcomm_core::receipt::{Assurance, Evidence};
use std::time::Duration;

/// What follows an acceptance: after how long, what, and with which code.
pub(super) fn follow(later: &Later) -> Vec<(Duration, Evidence, Option<String>)> {
    let reached = [
        (later.relayed, Assurance::Relayed),
        (later.delivered, Assurance::Delivered),
        (later.displayed, Assurance::Displayed),
        (later.acknowledged, Assurance::Acknowledged),
    ];
    let mut all: Vec<_> =
        reached.into_iter().filter_map(|(span, sure)| Some((span?.0, Evidence::Reached(sure), None))).collect();
    if let Some(bounced) = &later.bounced {
        let Bounce { after, status } = match bounced {
            WordOr::Word(after) => Bounce { after: Some(*after), status: None },
            WordOr::Map(bounce) => bounce.clone(),
        };
        all.push((after.unwrap_or_default().0, Evidence::Failed, status));
    }
    all
}

/// The far side's name for what it has, and where that can be seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Name {
    pub(super) reference: Option<String>,
    pub(super) url: Option<String>,
}

/// An answer as it is acted on.
pub(super) enum Reply {
    Accepted(Accepted),
    Failed(ChannelError, bool),
    Indeterminate(bool, Name),
    Hang,
}

pub(super) fn reply(answer: Option<&AnswerDraft>, can: &Capabilities) -> Reply {
    let usual = if can.by_hand { Assurance::Attempted } else { Assurance::Accepted };
    // Nothing shows more than the far side can prove.
    let taken_over = |sure: Option<Assurance>| Accepted::new(sure.unwrap_or(usual).min(can.proves));
    let refused = |status: Option<&str>| {
        Reply::Failed(ChannelError::new(ErrorKind::RecipientInvalid, "refused").code(status.unwrap_or("5.1.1")), false)
    };
    let not_now = |status: Option<&str>, after: Option<Elapsed>, channel: bool| {
        let retry = after.map_or(Retry::Backoff, |after| Retry::After(after.0));
        let mut error = ChannelError::new(ErrorKind::Unavailable, "not now").retry(retry).code(status.unwrap_or("503"));
        if channel {
            error = error.scope(Scope::Channel);
        }
        Reply::Failed(error, channel)
    };
    match answer.and_then(|a| a.answer.as_ref()) {
        None | Some(WordOr::Word(AnswerWord::Accepted)) => Reply::Accepted(taken_over(None)),
        Some(WordOr::Word(AnswerWord::Refused)) => refused(None),
        Some(WordOr::Word(AnswerWord::Failed)) => not_now(None, None, false),
        Some(WordOr::Word(AnswerWord::Indeterminate)) => Reply::Indeterminate(true, Name::default()),
        Some(WordOr::Word(AnswerWord::Hang)) => Reply::Hang,
        Some(WordOr::Map(AnswerMap { refused: Some(with), .. })) => refused(with.status.as_deref()),
        Some(WordOr::Map(AnswerMap { failed: Some(with), .. })) => {
            not_now(with.status.as_deref(), with.retry_after, with.channel)
        }
        Some(WordOr::Map(AnswerMap { indeterminate: Some(with), .. })) => {
            let name = Name { reference: with.reference.clone(), url: with.url.clone() };
            Reply::Indeterminate(with.arrived.unwrap_or(true), name)
        }
        Some(WordOr::Map(AnswerMap { accepted, .. })) => {
            let taken = accepted.clone().unwrap_or_default();
            let mut accepted = taken_over(taken.assurance);
            if let Some(url) = taken.url {
                accepted = accepted.url(url);
            }
            if let Some(reference) = taken.reference {
                accepted = accepted.reference(reference);
            }
            Reply::Accepted(accepted)
        }
    }
}

//! C21: nothing that is shown holds a secret, an address or a text.

use crate::contract::channel::exam::{Exam, Held, Stop, ensure};
use crate::contract::channel::fault::{Fault, Plot};
use relcomm_core::channel::Outcome;
use relcomm_core::stakeholder::Address;
use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::instrument::WithSubscriber;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

pub(in crate::contract::channel) async fn c21_nothing_shown_holds_a_secret(exam: &Exam<'_>) -> Held {
    let letter = exam.letter(0);
    let refused = exam.refused().map(|address| exam.letter_to(1, [Some(address)]));
    let secrets = exam.far_side.secrets.iter().map(|secret| ("a secret", secret.clone()));
    let mut hidden: Vec<(&str, String)> = secrets.collect();
    for letter in std::iter::once(&letter).chain(&refused) {
        let item = letter.item();
        hidden.push(("the text", letter.mark.clone()));
        hidden.push(("the recipient's name", item.name.clone().unwrap_or_default()));
        hidden.push(("the token", item.token().as_str().to_owned()));
        hidden.extend(item.address.iter().map(|address| ("an address", address.as_str().to_owned())));
    }
    let well = exam.well().await?;
    // What is no address of the channel must not be repeated either.
    let odd = Address::new("zz-nobody-here@@quillmark\u{2028}").ok();
    let mut shown = Vec::new();
    let ear = Ear::default();
    let listening = async {
        let channel = &well.channel;
        shown.push(("its Debug", format!("{channel:?} {channel:#?}")));
        shown.push(("its capabilities", format!("{:?}", channel.capabilities())));
        if let Some(Err(why)) = odd.as_ref().map(|odd| channel.check_address(odd)) {
            hidden.push(("an address", "zz-nobody-here".into()));
            shown.push(("why it takes no such address", why));
        }
        let cx = exam.context(Duration::from_secs(15));
        for finding in channel.verify(&cx).await.unwrap_or_default() {
            shown.push(("a finding", format!("{finding} {finding:?}")));
        }
        for letter in std::iter::once(&letter).chain(&refused) {
            show(&exam.attempt(&**channel, letter).await?.outcome(), &mut shown);
        }
        for fault in Fault::ALL {
            let Some(trial) = exam.showing_quietly(Plot::failing(fault)).await else { continue };
            show(&exam.attempt_under(fault, &trial, &letter).await?.outcome(), &mut shown);
            if matches!(fault, Fault::Unreachable | Fault::BadCredentials)
                && let Err(error) = trial.channel.verify(&exam.context(Duration::from_secs(15))).await
            {
                shown.push(("an error of the verification", format!("{error} {error:?}")));
            }
        }
        Ok::<(), Stop>(())
    };
    listening.with_subscriber(ear.clone()).await?;
    shown.push(("a span or a line of a log", ear.heard()));
    for (what, text) in &shown {
        let text = text.to_lowercase();
        for (of, secret) in hidden.iter().filter(|(_, secret)| !secret.is_empty()) {
            ensure!(!text.contains(&secret.to_lowercase()), "{what} holds {of}");
        }
    }
    Ok(())
}

fn show(outcome: &Outcome, shown: &mut Vec<(&'static str, String)>) {
    match outcome {
        Outcome::Accepted(accepted) => {
            shown.push(("an acceptance", format!("{accepted:?}")));
            let told = [accepted.reference.as_deref(), accepted.url.as_deref()];
            shown.push(("the far side's reference", told.map(Option::unwrap_or_default).join(" ")));
        }
        Outcome::Failed(error) => shown.push(("an error", format!("{error} {error:?} {error:#?}"))),
    }
}

/// Hears every span and every event.
#[derive(Clone, Default)]
struct Ear {
    heard: Arc<Mutex<String>>,
    spans: Arc<AtomicU64>,
}

impl Ear {
    fn heard(&self) -> String {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, record: impl FnOnce(&mut Notes<'_>)) {
        record(&mut Notes(&mut self.heard.lock().unwrap_or_else(PoisonError::into_inner)));
    }
}

struct Notes<'a>(&'a mut String);

impl Visit for Notes<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "{field}={value:?}");
    }
}

impl Subscriber for Ear {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.note(|notes| span.record(notes));
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        self.note(|notes| values.record(notes));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.note(|notes| event.record(notes));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

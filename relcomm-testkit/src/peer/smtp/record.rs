//! What the server remembers, shared by its sessions.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::fate::RecipientAnswer;
use super::mail::Mail;
use super::script::{FaultAct, RecipientAttempt, SmtpScript, Step};
use crate::peer::{Tally, held};

pub(super) struct Record {
    pub(super) script: SmtpScript,
    pub(super) kept: Mutex<Kept>,
    pub(super) mails: Tally,
    pub(super) dsns: Tally,
}

#[derive(Default)]
pub(super) struct Kept {
    pub(super) mails: Vec<Mail>,
    pub(super) dsns: Vec<Vec<u8>>,
    pub(super) transcript: Vec<(usize, String)>,
    pub(super) violations: Vec<String>,
    attempts: BTreeMap<String, u32>,
    reached: BTreeMap<usize, u32>,
}

impl Record {
    pub(super) fn new(script: SmtpScript) -> Self {
        Self { script, kept: Mutex::default(), mails: Tally::new(), dsns: Tally::new() }
    }

    /// The fault that strikes now at this step.
    pub(super) fn fault(&self, step: Step) -> Option<FaultAct> {
        if self.script.faults.is_empty() {
            return None;
        }
        let mut kept = held(&self.kept);
        let mut act = None;
        for (number, fault) in self.script.faults.iter().enumerate().filter(|(_, fault)| fault.step == step) {
            let nth = kept.reached.entry(number).or_default();
            let strikes = fault.strikes(*nth);
            *nth = nth.saturating_add(1);
            if strikes && act.is_none() {
                act = Some(fault.act.clone());
            }
        }
        act
    }

    /// Counts the attempt and decides it.
    pub(super) fn decide(&self, address: &str, envelope_from: &str) -> RecipientAnswer {
        let attempt = {
            let mut kept = held(&self.kept);
            let count = kept.attempts.entry(address.to_lowercase()).or_default();
            *count = count.saturating_add(1);
            *count
        };
        // Without the lock: the script may hold a closure that asks this server something.
        self.script.decide(&RecipientAttempt { address, attempt, envelope_from })
    }

    pub(super) fn note(&self, connection: usize, command: String) {
        held(&self.kept).transcript.push((connection, command));
    }

    pub(super) fn violation(&self, connection: usize, text: &str) {
        held(&self.kept).violations.push(format!("connection {connection}: {text}"));
    }

    pub(super) fn store(&self, mail: Mail) {
        held(&self.kept).mails.push(mail);
        self.mails.add_one();
    }
}

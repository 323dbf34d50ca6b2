//! Email: mail submission (RFC 5321, RFC 6409) with delivery reports asked for (RFC 3461), and the reports read back (RFC 3464).
//!
//! Every recipient gets an outcome of their own, also where one transaction carries several. Delivery reports return to an address
//! with the delivery's token, so that a report is matched by a signed mark and not by what it says.

mod address;
mod compose;
mod error;
mod options;
pub mod receipts;
mod wire;

pub use address::{BadReturnPath, ReturnPath};
pub use options::{BadEmailOptions, EmailOptions, Reports, SmtpTimeouts};

use address::Mailable;
use async_trait::async_trait;
use compose::{Draft, html_document, is_one_line};
use error::Fault;
use receipts::Maildir;
use relcomm_core::channel::{
    AttemptContext, Batch, Channel, ChannelError, Descriptor, ErrorKind, Outcome, Outcomes, Outgoing, Part, Prepared,
    ReceiptSource, Scope, Wording,
};
use relcomm_core::mechanism::{Addressing, Capabilities, Limit, Unit};
use relcomm_core::plan::Finding;
use relcomm_core::receipt::Assurance;
use relcomm_core::stakeholder::Address;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;
use wire::Bounds;
use wire::pool::Pool;
use wire::session::{Link, Session};
use wire::transaction::{Envelope, carry};

/// RFC 5321, 4.5.3.1.8 lets a relay stop at 100 recipients.
const MOST_RECIPIENTS: NonZeroU32 = NonZeroU32::MIN.saturating_add(49);
/// The octets of a subject (RFC 5322, 2.1.1).
const LONGEST_SUBJECT: usize = 998;

/// The channel that submits mail to a relay.
///
/// A channel keeps idle connections for a minute and uses them again; it does not retry. `Debug` shows neither user, password nor
/// addresses.
pub struct EmailChannel {
    options: EmailOptions,
    link: Link,
    pool: Pool,
    descriptor: Descriptor,
    capabilities: Capabilities,
    maildir: Option<Maildir>,
}

/// How long a transaction may take in all: a relay that looks into each of several recipients takes its time.
const CALL: Duration = Duration::from_secs(600);

impl EmailChannel {
    /// A channel to the relay that the options name. Nothing is connected yet.
    ///
    /// # Errors
    /// [`BadEmailOptions`] if there is a user without a password or the other way round, or TLS cannot be set up.
    pub fn new(mut options: EmailOptions) -> Result<Self, BadEmailOptions> {
        // Nobody could match the word that each mail arrived.
        if options.return_path.is_none() && options.reports == Reports::All {
            options.reports = Reports::Trouble;
        }
        if options.relay.login.is_some() != options.password.is_some() {
            return Err(BadEmailOptions::Login);
        }
        let link = Link::new(&options).map_err(BadEmailOptions::Relay)?;
        let sender = match &options.from_name {
            Some(name) => format!("{name} <{}>", options.from.as_str()),
            None => options.from.as_str().to_owned(),
        };
        // Without a token no report can be matched, and without a report nothing more than acceptance is known.
        let reported = options.return_path.is_some() && options.reports == Reports::All;
        let proves = if reported { Assurance::Delivered } else { Assurance::Accepted };
        let per_call = if options.return_path.is_some() { NonZeroU32::MIN } else { MOST_RECIPIENTS };
        let mut capabilities = Capabilities::new(Addressing::Each, proves)
            .limits([Limit::reject("subject", LONGEST_SUBJECT, Unit::Bytes)])
            .per_call(per_call)
            .concurrency(options.concurrency)
            .timeout(CALL);
        capabilities.rate = options.rate;
        let maildir = match (&options.maildir, &options.return_path) {
            (Some(directory), Some(base)) => {
                Some(Maildir::new(directory, std::iter::once(base).chain(&options.other_bases).cloned()))
            }
            _ => None,
        };
        let pool = Pool::new(options.concurrency);
        let descriptor = Descriptor::new("smtp").sender(sender);
        Ok(Self { options, link, pool, descriptor, capabilities, maildir })
    }

    /// The recipients that have a mail address, with their places; the others have their outcome then.
    fn mailable(&self, items: &[Outgoing], first: usize, outcomes: &mut Outcomes) -> Vec<(usize, Mailable)> {
        let mut found = Vec::with_capacity(items.len());
        for (offset, item) in items.iter().enumerate() {
            let parsed = item.address.as_ref().ok_or("no address").and_then(|a| Mailable::parse(a.as_str()));
            match parsed {
                Ok(mailable) => found.push((first + offset, mailable)),
                Err(words) => {
                    let error = ChannelError::new(ErrorKind::RecipientInvalid, words);
                    outcomes.set(first + offset, Outcome::Failed(error));
                }
            }
        }
        found
    }

    /// All transactions of a batch.
    async fn carry_all(
        &self,
        bounds: Bounds<'_>,
        batch: &Batch<'_>,
        crowded: &mut bool,
        outcomes: &mut Outcomes,
    ) -> Result<(), ChannelError> {
        let per_call = usize::try_from(self.capabilities.per_call.get()).unwrap_or(1);
        for (number, items) in batch.items.chunks(per_call).enumerate() {
            let first = number * per_call;
            let carried = self.transaction(bounds, batch, (items, first), crowded, outcomes).await;
            match carried {
                Ok(()) => {}
                // It speaks for this transaction's recipients; the next one may fare better.
                Err(error) if error.scope == Scope::Recipient && error.kind != ErrorKind::Cancelled => {
                    (first..first + items.len()).for_each(|i| outcomes.set(i, Outcome::Failed(error.clone())));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// One transaction for these items, of which the first has this place in the batch.
    async fn transaction(
        &self,
        bounds: Bounds<'_>,
        batch: &Batch<'_>,
        (items, first): (&[Outgoing], usize),
        crowded: &mut bool,
        outcomes: &mut Outcomes,
    ) -> Result<(), ChannelError> {
        let recipients = self.mailable(items, first, outcomes);
        if recipients.is_empty() {
            return Ok(());
        }
        let from = match (&self.options.return_path, items) {
            (None, _) => self.options.from.as_str().to_owned(),
            (Some(base), [item]) => base
                .with(&item.token())
                .ok_or_else(|| ChannelError::new(ErrorKind::Internal, "the token has no place in a return path"))?,
            (Some(_), _) => return Err(ChannelError::new(ErrorKind::Internal, "one return path for many tokens")),
        };
        // Whether others are addressed too is for the batch to say, not for what is left of it.
        let alone = match (batch.items, recipients.as_slice()) {
            ([item], [(_, mailable)]) => Some((item, mailable.clone())),
            _ if self.options.return_path.is_some() => items.first().zip(recipients.first().map(|(_, m)| m.clone())),
            _ => None,
        };
        let draft = Draft {
            text: batch.text,
            key: batch.message_key,
            from: &self.options.from,
            from_name: self.options.from_name.as_deref(),
            to: alone.as_ref().map(|(item, mailable)| (mailable, item.name.as_deref())),
            date: bounds.cx.clock.now().datetime(),
        };
        let envelope =
            Envelope { from: &from, envid: batch.message_key.as_str(), reports: self.options.reports, recipients };
        carry(&self.link, &self.pool, bounds, envelope, |offers| draft.compose(offers), crowded, outcomes).await
    }
}

#[async_trait]
impl Channel for EmailChannel {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn check_address(&self, address: &Address) -> Result<(), String> {
        Mailable::parse(address.as_str()).map(drop).map_err(str::to_owned)
    }

    fn prepare(&self, wording: &Wording) -> Result<Prepared, Vec<Finding>> {
        let lang = wording.lang.as_ref().map(ToString::to_string);
        let html = html_document(lang.as_deref(), &wording.subject, &wording.document.to_html());
        let prepared = Prepared::new([
            Part::new("subject", "text/plain", &wording.subject),
            Part::new("text", "text/plain", wording.document.to_plain()),
            Part::new("html", "text/html", html),
        ]);
        let mut findings = prepared.over(&self.capabilities.limits);
        if !is_one_line(&wording.subject) {
            findings.push(Finding::error("RC1104", "", "the subject holds control characters"));
        }
        if findings.is_empty() { Ok(prepared) } else { Err(findings) }
    }

    async fn attempt(
        &self,
        cx: &AttemptContext,
        batch: &Batch<'_>,
        outcomes: &mut Outcomes,
    ) -> Result<(), ChannelError> {
        let bounds = Bounds { cx, crossed: false };
        let permit = self.pool.permit(bounds).await.map_err(|fault| fault.error(&[]))?;
        let mut crowded = false;
        let done = self.carry_all(bounds, batch, &mut crowded, outcomes).await;
        if crowded {
            self.pool.give_up(permit);
        }
        done
    }

    async fn verify(&self, cx: &AttemptContext) -> Result<Vec<Finding>, ChannelError> {
        let bounds = Bounds { cx, crossed: false };
        let told = |fault: Fault| fault.error(&[]);
        let _permit = self.pool.permit(bounds).await.map_err(told)?;
        let session = Session::open(&self.link, bounds).await.map_err(told)?;
        let offers = session.offers;
        session.quit(bounds).await;
        let mut findings = Vec::new();
        if !offers.dsn && self.options.reports != Reports::Unasked {
            let finding =
                Finding::warning("RC1111", "", "the relay offers no DSN: receipt of delivery cannot be requested");
            findings.push(finding.help("expect bounces at most, or ask people to acknowledge"));
        }
        findings.push(match offers.size {
            Some(most) => Finding::note("RC1112", "", format!("the relay takes mails of up to {most} octets")),
            None => Finding::note("RC1112", "", "the relay names no greatest size"),
        });
        if !offers.eight_bit {
            findings.push(Finding::note("RC1113", "", "the relay offers no 8BITMIME: texts are sent encoded"));
        }
        if !offers.smtputf8 {
            let words = "the relay offers no SMTPUTF8: addresses whose local part is not in ASCII are refused";
            findings.push(Finding::note("RC1114", "", words));
        }
        if let Some(maildir) = &self.maildir
            && maildir.batch(cx, 1).await.is_err()
        {
            findings.push(Finding::warning("RC1115", "", "the Maildir of receipts cannot be read"));
        }
        Ok(findings)
    }

    fn receipts(&self) -> Option<&dyn ReceiptSource> {
        self.maildir.as_ref().map(|maildir| maildir as &dyn ReceiptSource)
    }
}

impl fmt::Debug for EmailChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmailChannel").field("options", &self.options).finish_non_exhaustive()
    }
}

//! One mail transaction (RFC 5321, 3.3): an envelope, a text, and an outcome for each recipient.

use super::Bounds;
use super::pool::{AtWork, Pool};
use super::reply::{Offers, Reply};
use super::session::{Link, Session};
use crate::email::address::{Mailable, xtext};
use crate::email::compose::{Composed, stuffed};
use crate::email::error::{Fault, Phase};
use crate::email::options::Reports;
use relcomm_core::channel::{Accepted, ChannelError, ErrorKind, Outcome, Outcomes, Scope};
use relcomm_core::receipt::Assurance;

/// Texts are written in pieces of this size, so that each can be bounded in time. The last piece holds the final dot.
const BLOCK: usize = 64 * 1024;

/// The envelope of one transaction.
pub(in crate::email) struct Envelope<'a> {
    /// The return path, without angle brackets.
    pub(in crate::email) from: &'a str,
    /// What delivery reports bring back as `Original-Envelope-Id`.
    pub(in crate::email) envid: &'a str,
    pub(in crate::email) reports: Reports,
    /// The recipients, with their places in the batch.
    pub(in crate::email) recipients: Vec<(usize, Mailable)>,
}

impl Envelope<'_> {
    fn mail(&self, offers: &Offers, text: &[u8]) -> String {
        let mut line = format!("MAIL FROM:<{}>", self.from);
        if offers.size.is_some() {
            line += &format!(" SIZE={}", text.len());
        }
        if offers.eight_bit && !text.is_ascii() {
            line += " BODY=8BITMIME";
        }
        if self.recipients.iter().any(|(_, recipient)| recipient.needs_utf8()) {
            line += " SMTPUTF8";
        }
        if self.asks(offers) {
            line += &format!(" RET=HDRS ENVID={}", xtext(self.envid));
        }
        line
    }

    fn rcpt(&self, offers: &Offers, recipient: &Mailable) -> String {
        let mut line = format!("RCPT TO:<{}>", recipient.as_str());
        if self.asks(offers) {
            line += match self.reports {
                Reports::All => " NOTIFY=SUCCESS,FAILURE,DELAY",
                _ => " NOTIFY=FAILURE,DELAY",
            };
            if let Some(original) = recipient.orcpt() {
                line += &format!(" ORCPT={original}");
            }
        }
        line
    }

    fn asks(&self, offers: &Offers) -> bool {
        offers.dsn && self.reports != Reports::Unasked
    }

    fn addresses(&self) -> Vec<&str> {
        self.recipients.iter().map(|(_, recipient)| recipient.as_str()).collect()
    }
}

/// A session of one's own; or another's, once they have done with it, where the relay takes no more sessions at once.
async fn open<'p>(
    link: &Link,
    pool: &'p Pool,
    bounds: Bounds<'_>,
    crowded: &mut bool,
) -> Result<(Session, AtWork<'p>), Fault> {
    loop {
        let at_work = pool.work();
        match Session::open(link, bounds).await {
            Ok(session) => return Ok((session, at_work)),
            Err(Fault::Refused(Phase::Greeting, reply)) if (400..500).contains(&reply.code) => {
                drop(at_work);
                if !pool.is_at_work() {
                    return Err(Fault::Refused(Phase::Greeting, reply));
                }
                if let Some(session) = pool.another(bounds).await?
                    && let Some(session) = session.unless_ended(link, bounds).await?
                {
                    *crowded = true;
                    return Ok((session, pool.work()));
                }
            }
            Err(fault) => return Err(fault),
        }
    }
}

/// Carries one envelope and its text. `crowded` tells that the relay takes no more sessions at once than there are. An error speaks for the
/// recipients whose outcome is not set.
pub(in crate::email) async fn carry(
    link: &Link,
    pool: &Pool,
    bounds: Bounds<'_>,
    mut envelope: Envelope<'_>,
    compose: impl Fn(&Offers) -> Result<Composed, ChannelError>,
    crowded: &mut bool,
    outcomes: &mut Outcomes,
) -> Result<(), ChannelError> {
    let told = |fault: &Fault| fault.error(&[]);
    let idle = match pool.take() {
        Some(session) => session.unless_ended(link, bounds).await.map_err(|fault| told(&fault))?,
        None => None,
    };
    let (mut session, mut at_work) = match idle {
        Some(session) => (session, pool.work()),
        None => open(link, pool, bounds, crowded).await.map_err(|fault| told(&fault))?,
    };
    let text = loop {
        refuse_unsupported(&session.offers, &mut envelope, outcomes);
        if envelope.recipients.is_empty() {
            put_back(pool, bounds, session).await;
            return Ok(());
        }
        let text = match fitting(&session.offers, &compose) {
            Ok(text) => text,
            Err(error) => {
                put_back(pool, bounds, session).await;
                return Err(error);
            }
        };
        let line = envelope.mail(&session.offers, &text);
        match session.exchange(link, bounds, &line).await {
            Ok(reply) if reply.is_positive() => break text,
            Ok(reply) if !(session.reused && reply.code == 421) => {
                let error = Fault::Refused(Phase::Mail, reply).error(&envelope.addresses());
                session.quit(bounds).await;
                return Err(error);
            }
            Err(fault) if !(session.reused && fault.is_end_of_session()) => return Err(told(&fault)),
            // The relay had closed the idle session: it has seen nothing of this transaction.
            Ok(_) | Err(_) => {
                pool.clear();
                drop(at_work);
                (session, at_work) = open(link, pool, bounds, crowded).await.map_err(|fault| told(&fault))?;
            }
        }
    };
    let taken = recipients(link, bounds, &mut session, &envelope, outcomes).await?;
    if taken.is_empty() {
        reset(link, pool, bounds, session).await;
        return Ok(());
    }
    let about = envelope.addresses();
    let reply = session.exchange(link, bounds, "DATA").await.map_err(|fault| fault.error(&about))?;
    if reply.code != 354 {
        let error = Fault::Refused(Phase::Data, reply).error(&about);
        session.quit(bounds).await;
        return Err(error);
    }
    let done = hand_over(link, pool, bounds, session, &text, &taken, &about, outcomes).await;
    drop(at_work);
    done
}

/// The text in the form that this relay takes.
fn fitting(
    offers: &Offers,
    compose: impl Fn(&Offers) -> Result<Composed, ChannelError>,
) -> Result<Vec<u8>, ChannelError> {
    let text = compose(offers)?.into_bytes();
    let refused = |kind, words: &str| Err(ChannelError::new(kind, words).scope(Scope::Message));
    if offers.size.is_some_and(|most| text.len() > most) {
        return refused(ErrorKind::TooLarge, "the text is larger than the relay takes");
    }
    if !text.is_ascii() && !offers.eight_bit {
        return refused(ErrorKind::Unsupported, "the relay does not offer 8BITMIME, which the headers need");
    }
    Ok(text)
}

/// RFC 6531, 3.2: an address beyond ASCII needs a relay that says SMTPUTF8.
fn refuse_unsupported(offers: &Offers, envelope: &mut Envelope<'_>, outcomes: &mut Outcomes) {
    if offers.smtputf8 {
        return;
    }
    envelope.recipients.retain(|(place, recipient)| {
        if recipient.needs_utf8() {
            let words = "the address is not in ASCII and the relay does not offer SMTPUTF8";
            outcomes.set(*place, Outcome::Failed(ChannelError::new(ErrorKind::Unsupported, words)));
        }
        !recipient.needs_utf8()
    });
}

/// Names every recipient; returns the places of those that were taken.
async fn recipients(
    link: &Link,
    bounds: Bounds<'_>,
    session: &mut Session,
    envelope: &Envelope<'_>,
    outcomes: &mut Outcomes,
) -> Result<Vec<usize>, ChannelError> {
    let mut taken = Vec::new();
    // What the text needs, and half of the time that is left at the most.
    let text = link.timeouts.command * 2 + link.timeouts.block + link.timeouts.acceptance;
    let text = text.min(bounds.cx.remaining() / 2);
    for (place, recipient) in &envelope.recipients {
        if !taken.is_empty() && bounds.cx.remaining() < text {
            // The relay is slow: those who are left have a mail of their own.
            outcomes.set(*place, Outcome::Failed(Fault::Cancelled.error(&[])));
            continue;
        }
        let about = [recipient.as_str()];
        let line = envelope.rcpt(&session.offers, recipient);
        let reply = session.exchange(link, bounds, &line).await.map_err(|fault| fault.error(&about))?;
        if reply.is_positive() {
            taken.push(*place);
            continue;
        }
        let error = Fault::Refused(Phase::Recipient, reply).error(&about);
        // What ends the session (421), or bars it, speaks for those who have no answer yet too.
        if error.scope != Scope::Recipient {
            return Err(error);
        }
        outcomes.set(*place, Outcome::Failed(error));
    }
    Ok(taken)
}

/// Writes the text and reads what the relay makes of it.
#[allow(clippy::too_many_arguments, reason = "the last act of a transaction needs all that the acts before it learned")]
async fn hand_over(
    link: &Link,
    pool: &Pool,
    mut bounds: Bounds<'_>,
    mut session: Session,
    text: &[u8],
    taken: &[usize],
    about: &[&str],
    outcomes: &mut Outcomes,
) -> Result<(), ChannelError> {
    let wire_form = stuffed(text);
    let last = wire_form.len().saturating_sub(1) / BLOCK * BLOCK;
    let (blocks, last) = wire_form.split_at(last);
    for block in blocks.chunks(BLOCK) {
        bounds.within(link.timeouts.block, session.wire.write(block)).await.map_err(|fault| fault.error(about))?;
    }
    // An answer that is there before its question would pass for the acceptance.
    session.wire.expect_silence().map_err(|fault| fault.error(about))?;
    // The last moment at which nothing can be out.
    if bounds.cx.cancellation.is_cancelled() {
        return Err(Fault::Cancelled.error(&[]));
    }
    if bounds.cx.remaining().is_zero() {
        return Err(Fault::Timeout.error(&[]));
    }
    taken.iter().for_each(|place| outcomes.crossing(*place));
    bounds.crossed = true;
    let answer = match bounds.within(link.timeouts.block, session.wire.write(last)).await {
        Ok(()) => bounds.within(link.timeouts.acceptance, session.wire.reply()).await,
        Err(fault) => Err(fault),
    };
    let (outcome, well) = match answer {
        Ok(reply) if reply.is_positive() => (Outcome::Accepted(accepted(&reply)), true),
        Ok(reply) => {
            let unclear = !(400..600).contains(&reply.code);
            let error = Fault::Refused(Phase::Dot, reply).error(about);
            (Outcome::Failed(if unclear { error.maybe_sent() } else { error }), false)
        }
        Err(fault) => (Outcome::Failed(fault.error(about).maybe_sent()), false),
    };
    taken.iter().for_each(|place| outcomes.set(*place, outcome.clone()));
    if well {
        session.served += 1;
        put_back(pool, bounds, session).await;
    }
    Ok(())
}

fn accepted(reply: &Reply) -> Accepted {
    let accepted = Accepted::new(Assurance::Accepted);
    match reply.queue_id() {
        Some(id) => accepted.reference(id),
        None => accepted,
    }
}

/// No recipient was taken: DATA would be an error, so the transaction is called off.
async fn reset(link: &Link, pool: &Pool, bounds: Bounds<'_>, mut session: Session) {
    match session.exchange(link, bounds, "RSET").await {
        Ok(reply) if reply.is_positive() => put_back(pool, bounds, session).await,
        _ => session.quit(bounds).await,
    }
}

async fn put_back(pool: &Pool, bounds: Bounds<'_>, session: Session) {
    if let Err(worn) = pool.keep(session) {
        worn.quit(bounds).await;
    }
}

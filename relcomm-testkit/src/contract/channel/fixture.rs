//! What an author gives the suite: the channel, what its far side saw, and how to make the far side fail.

use super::fault::{CannotShow, Plot};
use crate::peer::http::{HttpPeer, Request};
use crate::peer::smtp::{Mail, SmtpPeer};
use async_trait::async_trait;
use relcomm_core::channel::{Channel, Wording};
use relcomm_core::clock::{Clock, Moment, SystemClock};
use relcomm_core::receipt::Token;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A channel on trial. Two methods are needed; the others say more, so that more clauses apply.
#[async_trait]
pub trait ChannelFixture: Send + Sync {
    /// A new channel and a new far side that behaves so. Nothing is shared with earlier trials.
    ///
    /// [`Plot::smtp`] and [`Plot::http`] are scripts of the loopback peers for it.
    ///
    /// # Errors
    /// The far side has no way to fail so. Every clause that needs it says so in the report.
    async fn set_up(&self, plot: Plot) -> Result<Trial, CannotShow>;

    /// Whom the far side takes messages for, whom it refuses, and what must never be shown.
    fn far_side(&self) -> FarSide;

    /// What a reader must find in [`Arrival::text`]. Default: the plain text of the document.
    fn reads(&self, wording: &Wording) -> String {
        wording.document.to_plain()
    }

    /// A call back as the far side makes it, if the channel understands calls back.
    fn callback(&self, about: &CallBack<'_>) -> Option<RawCall> {
        let _ = about;
        None
    }

    /// How much time an attempt is given whose far side falls silent: long enough to come to the silence. Default: 1 s.
    fn silence(&self) -> Duration {
        Duration::from_secs(1)
    }

    /// The time of the channel. Default: the machine's, which tests with a socket need.
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SystemClock::new())
    }
}

/// What the suite must know of a far side. `Debug` shows none of it.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FarSide {
    /// Addresses that it takes.
    pub addresses: Vec<String>,
    /// An address that [`Channel::check_address`] takes and it refuses for good.
    pub refused: Option<String>,
    /// Passwords, keys and parts of URLs. Addresses, texts and tokens need not be named.
    pub secrets: Vec<String>,
}

impl FarSide {
    /// One that takes messages for these addresses: three if it can, none where the mechanism is addressed once.
    #[must_use]
    pub fn taking<const N: usize>(addresses: [&str; N]) -> Self {
        Self { addresses: addresses.map(str::to_owned).into(), ..Self::default() }
    }

    /// That refuses this one.
    #[must_use]
    pub fn refusing(mut self, address: &str) -> Self {
        self.refused = Some(address.to_owned());
        self
    }

    /// Whose channel must never show these.
    #[must_use]
    pub fn secrets<const N: usize>(mut self, secrets: [&str; N]) -> Self {
        self.secrets = secrets.map(str::to_owned).into();
        self
    }
}

impl fmt::Debug for FarSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FarSide").field("addresses", &self.addresses.len()).finish_non_exhaustive()
    }
}

type Arrivals = Box<dyn Fn() -> Vec<Arrival> + Send + Sync>;
type Calls = Box<dyn Fn() -> usize + Send + Sync>;

/// One channel and its far side.
pub struct Trial {
    pub(super) channel: Box<dyn Channel>,
    arrivals: Arrivals,
    calls: Calls,
}

impl Trial {
    /// A channel, what its far side took over (a repeat that it recognised is not counted again), and how often it was asked to take
    /// something over, whatever came of it.
    #[must_use]
    pub fn new(
        channel: impl Channel,
        arrivals: impl Fn() -> Vec<Arrival> + Send + Sync + 'static,
        calls: impl Fn() -> usize + Send + Sync + 'static,
    ) -> Self {
        Self { channel: Box::new(channel), arrivals: Box::new(arrivals), calls: Box::new(calls) }
    }

    /// A channel that submits mail to this peer. The closure reads a mail; recipient and bytes are put in.
    #[must_use]
    pub fn smtp(
        channel: impl Channel,
        peer: SmtpPeer,
        read: impl Fn(&Mail) -> Arrival + Send + Sync + 'static,
    ) -> Self {
        let peer = Arc::new(peer);
        let asked = Arc::clone(&peer);
        let arrivals = move || {
            let mails = peer.mails();
            let each = mails.iter().flat_map(|mail| mail.recipients.iter().map(move |recipient| (mail, recipient)));
            each.map(|(mail, recipient)| read(mail).to(&recipient.address).raw(mail.data.clone())).collect()
        };
        Self::new(channel, arrivals, move || asked.transcript().iter().filter(|line| line.starts_with("MAIL")).count())
    }

    /// A channel that calls this peer. The closure reads a request that was taken over; what of it a recipient can see is put in.
    #[must_use]
    pub fn http(
        channel: impl Channel,
        peer: HttpPeer,
        read: impl Fn(&Request) -> Arrival + Send + Sync + 'static,
    ) -> Self {
        let peer = Arc::new(peer);
        let asked = Arc::clone(&peer);
        let arrivals = move || {
            let taken: Vec<Request> = peer.requests().into_iter().filter(|request| request.taken).collect();
            taken.iter().map(|request| read(request).raw(request.body.clone())).collect()
        };
        Self::new(channel, arrivals, move || asked.requests().len())
    }

    /// A channel whose work a person does: nothing reaches a far side.
    #[must_use]
    pub fn by_hand(channel: impl Channel) -> Self {
        Self::new(channel, Vec::new, || 0)
    }

    pub(super) fn arrivals(&self) -> Vec<Arrival> {
        (self.arrivals)()
    }

    pub(super) fn calls(&self) -> usize {
        (self.calls)()
    }
}

impl fmt::Debug for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trial").field("channel", &self.channel).field("calls", &self.calls()).finish_non_exhaustive()
    }
}

/// One message that the far side took over, for one recipient. `Debug` shows none of it.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Arrival {
    /// What a reader reads, decoded: the text, perhaps with more around it.
    pub text: String,
    /// The subject, where there is one, decoded.
    pub subject: Option<String>,
    /// Where the far side keeps the key: a header, a field. It may hold more than the key.
    pub key: Option<String>,
    /// Whom it reached, as the address of a fixture.
    pub to: Option<String>,
    /// All that a recipient can see of it, as it came.
    pub raw: Vec<u8>,
}

impl Arrival {
    /// A message with this text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// With this subject.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// With this key.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// To this recipient.
    #[must_use]
    pub fn to(mut self, address: impl Into<String>) -> Self {
        self.to = Some(address.into());
        self
    }

    /// With these bytes.
    #[must_use]
    pub fn raw(mut self, raw: impl Into<Vec<u8>>) -> Self {
        self.raw = raw.into();
        self
    }
}

impl fmt::Debug for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrival").field("octets", &self.raw.len()).finish_non_exhaustive()
    }
}

/// What a call back is about.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallBack<'a> {
    /// The mark of the delivery that it speaks of.
    pub token: &'a Token,
    /// Which call it is; another number is another call.
    pub number: u32,
    /// When it is made.
    pub at: Moment,
}

impl<'a> CallBack<'a> {
    pub(super) fn new(token: &'a Token, number: u32, at: Moment) -> Self {
        Self { token, number, at }
    }
}

/// A call back as it comes in at a host. `Debug` shows none of it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RawCall {
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl RawCall {
    /// A call with this body and no headers.
    #[must_use]
    pub fn new(body: impl Into<Vec<u8>>) -> Self {
        Self { headers: Vec::new(), body: body.into() }
    }

    /// With this header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

impl fmt::Debug for RawCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawCall").field("octets", &self.body.len()).finish_non_exhaustive()
    }
}

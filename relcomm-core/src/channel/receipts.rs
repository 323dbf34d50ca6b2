//! Receipts that a channel fetches or understands, and looking earlier attempts up.

use super::attempt::{REFERENCE, URL, within};
use super::{AttemptContext, ChannelError, Key};
use crate::receipt::{Assurance, Receipt};
use async_trait::async_trait;
use std::fmt;

/// Where receipts are fetched from: a bounce mailbox, a provider's list.
///
/// # Contract
/// The numbered clauses are the names of the tests in the contract suite, `relcomm_testkit::receipt_source_contract!`.
///
/// * **R1** `batch` returns what is there now, oldest first, at most `max` of them, and does not wait for more.
/// * **R2** What was returned comes again until `done` named it: at least once, never lost. To say so twice changes nothing.
/// * **R3** What cannot be understood is returned with no receipts, never dropped silently.
/// * **R4** A receipt says what came, with the mark that it brought back; what comes again is the same, under the same identity.
/// * **R5** No mark and nothing that came appears in `Debug` or errors.
#[async_trait]
pub trait ReceiptSource: fmt::Debug + Send + Sync {
    /// What has come in.
    ///
    /// # Errors
    /// Why the source cannot be read.
    async fn batch(&self, cx: &AttemptContext, max: usize) -> Result<Vec<Received>, ChannelError>;

    /// These are durably recorded and need not come again.
    ///
    /// # Errors
    /// Why the source cannot be written; they will come again.
    async fn done(&self, cx: &AttemptContext, ids: &[String]) -> Result<(), ChannelError>;
}

/// One raw thing that came in, and the receipts in it.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Received {
    /// The source's name for it.
    pub id: String,
    /// What it says; empty if it says nothing that we understand.
    pub receipts: Vec<Receipt>,
    /// The raw bytes, for the erasable evidence.
    pub raw: Vec<u8>,
}

impl Received {
    /// One raw thing and what it says.
    #[must_use]
    pub fn new(id: impl Into<String>, receipts: Vec<Receipt>, raw: Vec<u8>) -> Self {
        Self { id: id.into(), receipts, raw }
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("receipts", &self.receipts.len())
            .field("bytes", &self.raw.len())
            .finish_non_exhaustive()
    }
}

/// Reads calls back. The host has the HTTP server; core opens no port.
pub trait Callbacks: fmt::Debug + Send + Sync {
    /// Verifies the origin and reads what it says.
    ///
    /// # Errors
    /// The call is not from the far side, or says nothing that we understand.
    fn parse(&self, inbound: &Inbound<'_>) -> Result<Vec<Receipt>, ChannelError>;
}

/// A request that came in at the host.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Inbound<'a> {
    /// Header names (any case) and values.
    pub headers: &'a [(String, String)],
    /// The exact bytes of the body.
    pub body: &'a [u8],
    /// When it came.
    pub at: crate::clock::Moment,
}

impl<'a> Inbound<'a> {
    /// A request.
    #[must_use]
    pub fn new(headers: &'a [(String, String)], body: &'a [u8], at: crate::clock::Moment) -> Self {
        Self { headers, body, at }
    }

    /// The first header of that name, whatever its case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

impl fmt::Debug for Inbound<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbound")
            .field("headers", &self.headers.len())
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Asks the far side about an earlier attempt.
#[async_trait]
pub trait Lookup: fmt::Debug + Send + Sync {
    /// What became of the delivery of that key.
    ///
    /// # Errors
    /// The far side could not be asked.
    async fn lookup(&self, cx: &AttemptContext, key: &Key) -> Result<Answered, ChannelError>;
}

/// What a far side says of an earlier attempt.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answered {
    /// What it knows.
    pub found: Found,
    /// The far side's name for it, as an acceptance would have given it.
    pub reference: Option<String>,
    /// Where it can be seen.
    pub url: Option<String>,
}

impl From<Found> for Answered {
    fn from(found: Found) -> Self {
        Self { found, reference: None, url: None }
    }
}

impl Answered {
    /// Under this name, held to 200 characters without control characters.
    #[must_use]
    pub fn reference(mut self, reference: impl AsRef<str>) -> Self {
        self.reference = Some(within(reference.as_ref(), REFERENCE));
        self
    }

    /// To be seen there, held to 500 characters without control characters.
    #[must_use]
    pub fn url(mut self, url: impl AsRef<str>) -> Self {
        self.url = Some(within(url.as_ref(), URL));
        self
    }
}

impl fmt::Debug for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answered").field("found", &self.found).finish_non_exhaustive()
    }
}

/// What a far side knows of an earlier attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It has it, with this proved.
    Found(Assurance),
    /// It never got it.
    Absent,
    /// It cannot tell.
    Unknown,
}

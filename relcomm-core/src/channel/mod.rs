//! Channels: the plug-ins that carry mechanisms. Write one by implementing [`Channel`].

mod attempt;
mod error;
mod key;
mod receipts;
mod set;
mod wording;

pub(crate) use attempt::Mint;
pub use attempt::{Accepted, AttemptContext, Batch, Outcome, Outcomes, Outgoing};
pub use error::{ChannelError, Effect, ErrorKind, Retry, Scope};
pub(crate) use key::KeyStem;
pub use key::{BadKey, Key};
pub use receipts::{Answered, Callbacks, Found, Inbound, Lookup, ReceiptSource, Received};
pub use set::{Binding, ChannelSet};
pub use wording::{About, Part, Prepared, Wording};

use crate::mechanism::{Capabilities, Mechanism};
use crate::plan::Finding;
use crate::stakeholder::Address;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// The code that carries a mechanism.
///
/// # Contract
/// The numbered clauses are the names of the tests in the contract suite, `relcomm_testkit::channel_contract!`.
///
/// What it says of itself:
/// * **C1** `descriptor` and `capabilities` are the same for the life of the channel.
/// * **C2** They are honest in both directions: what is declared can be shown, and what can be shown is declared.
/// * **C3** `check_address` and `prepare` are pure: no network, no clock, the same input gives the same bytes.
/// * **C4** `prepare` keeps every limit that `capabilities` names, to the last unit of it, or returns findings.
/// * **C5** `verify` sends nothing to any stakeholder.
///
/// What an attempt does:
/// * **C6** It sets exactly one outcome for each item before it returns `Ok`. An `Err` speaks for the unset ones only.
/// * **C7** Each outcome is set as soon as it is known.
/// * **C8** Exactly one message reaches the far side for each accepted item, and none for one that certainly failed.
/// * **C9** Nobody else's address is visible in a message.
/// * **C10** The key of the item, or of the message, goes with it in the far side's own terms, the same on every attempt.
/// * **C11** The words arrive unchanged, whatever characters they hold and whatever they look like.
///
/// What it makes of faults:
/// * **C12** Each fault has its kind, scope, effect and retry advice; what the engine makes of them stands at [`ChannelError`].
/// * **C13** A lost answer is *maybe sent*: neither accepted nor certainly failed.
/// * **C14** `crossing` is not called for an item while its message certainly cannot be out.
/// * **C15** It is called before the first act after which the message may be out. Whatever ends the call — an error, a drop, a
///   time-out, a panic — an item that is unset and crossed counts as *maybe sent*, one unset and not crossed as *not sent*.
/// * **C16** No retry inside: every try is journaled by the engine.
/// * **C17** The deadline and the cancellation of the context are kept: after a cancellation nothing new is begun, and what has crossed is
///   finished.
/// * **C18** Dropping the future at any await is safe: nothing is sent later.
/// * **C19** No connection that broke, or on which a call was dropped, is used again.
/// * **C20** Calls at the same time do not mix: neither words, nor keys, nor addresses, nor outcomes.
/// * **C21** No secret, no address and no text appears in `Debug`, `Display`, errors, findings, spans or logs.
/// * **C22** Limits that are learned only on connecting are findings of `verify`; met later they are a refusal of the message.
/// * **C23** It is the same through `Box` and `Arc`, and for whichever task calls it.
///
/// What comes back:
/// * **C24** A call back that comes again gives the same receipts, and in whatever order calls come each gives its own.
/// * **C25** A forged call back is refused: it gives no receipt.
/// * **C26** Looking up is truthful: *found* only what arrived, *absent* only what did not.
///
/// # Errors
/// What kinds there are and what the engine makes of them stands at [`ChannelError`].
#[async_trait]
pub trait Channel: fmt::Debug + Send + Sync + 'static {
    /// What it is.
    fn descriptor(&self) -> &Descriptor;

    /// What it can do, hold and prove.
    fn capabilities(&self) -> &Capabilities;

    /// Whether the address can be one of this channel; the error says why not, without repeating it.
    ///
    /// # Errors
    /// A phrase such as `no such endpoint`.
    fn check_address(&self, address: &Address) -> Result<(), String>;

    /// Makes the parts that go out from the words. Pure.
    ///
    /// # Errors
    /// Findings, one for each limit that is not kept.
    fn prepare(&self, wording: &Wording) -> Result<Prepared, Vec<Finding>>;

    /// Tries to deliver one text to one or more recipients.
    ///
    /// # Errors
    /// A fault that speaks for every item whose outcome is not set.
    async fn attempt(
        &self,
        cx: &AttemptContext,
        batch: &Batch<'_>,
        outcomes: &mut Outcomes,
    ) -> Result<(), ChannelError>;

    /// Checks the configuration, connects and authenticates; sends nothing. Returns what was learned.
    ///
    /// # Errors
    /// Why the channel cannot be used.
    async fn verify(&self, cx: &AttemptContext) -> Result<Vec<Finding>, ChannelError> {
        let _ = cx;
        Ok(Vec::new())
    }

    /// The receipts that it can fetch.
    fn receipts(&self) -> Option<&dyn ReceiptSource> {
        None
    }

    /// The calls back that it understands.
    fn callbacks(&self) -> Option<&dyn Callbacks> {
        None
    }

    /// How it looks an earlier attempt up by its key.
    fn lookup(&self) -> Option<&dyn Lookup> {
        None
    }
}

/// What a channel is. The public part of its configuration: it enters the digest of the texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Descriptor {
    /// The kind, such as `smtp`.
    pub kind: String,
    /// What the recipient sees as the origin: the From address, the event's source. Not a secret.
    pub sender: Option<String>,
}

impl Descriptor {
    /// A channel of that kind.
    #[must_use]
    pub fn new(kind: impl Into<String>) -> Self {
        Self { kind: kind.into(), sender: None }
    }

    /// Whose messages come from there.
    #[must_use]
    pub fn sender(mut self, sender: impl Into<String>) -> Self {
        self.sender = Some(sender.into());
        self
    }
}

macro_rules! through_pointer {
    ($pointer:ty) => {
        #[async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl<T: Channel + ?Sized> Channel for $pointer {
            fn descriptor(&self) -> &Descriptor {
                (**self).descriptor()
            }
            fn capabilities(&self) -> &Capabilities {
                (**self).capabilities()
            }
            fn check_address(&self, address: &Address) -> Result<(), String> {
                (**self).check_address(address)
            }
            fn prepare(&self, wording: &Wording) -> Result<Prepared, Vec<Finding>> {
                (**self).prepare(wording)
            }
            async fn attempt(
                &self,
                cx: &AttemptContext,
                batch: &Batch<'_>,
                outcomes: &mut Outcomes,
            ) -> Result<(), ChannelError> {
                (**self).attempt(cx, batch, outcomes).await
            }
            async fn verify(&self, cx: &AttemptContext) -> Result<Vec<Finding>, ChannelError> {
                (**self).verify(cx).await
            }
            fn receipts(&self) -> Option<&dyn ReceiptSource> {
                (**self).receipts()
            }
            fn callbacks(&self) -> Option<&dyn Callbacks> {
                (**self).callbacks()
            }
            fn lookup(&self) -> Option<&dyn Lookup> {
                (**self).lookup()
            }
        }
    };
}

through_pointer!(Arc<T>);
through_pointer!(Box<T>);

const _: () = {
    fn _object_safe(_: &dyn Channel, _: &dyn ReceiptSource, _: &dyn Callbacks, _: &dyn Lookup, _: &Mechanism) {}
};

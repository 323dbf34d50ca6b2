//! Tasks: a person does it, and says so.
//!
//! An attempt hands nothing over: it makes a task, which the engine lists until somebody attests that it was done. What is prepared is a
//! title and a script to read out or to copy.

use async_trait::async_trait;
use relcomm_core::channel::{
    Accepted, AttemptContext, Batch, Channel, ChannelError, Descriptor, Outcome, Outcomes, Part, Prepared, Wording,
};
use relcomm_core::mechanism::{Addressing, Capabilities, Deduplication};
use relcomm_core::plan::Finding;
use relcomm_core::receipt::Assurance;
use relcomm_core::stakeholder::Address;

/// The channel whose work a person does.
#[derive(Debug)]
pub struct ManualChannel {
    descriptor: Descriptor,
    capabilities: Capabilities,
}

impl ManualChannel {
    /// A channel that reaches people so. To list a task twice is harmless, so it counts as deduplicating by key.
    #[must_use]
    pub fn new(addressing: Addressing) -> Self {
        Self {
            descriptor: Descriptor::new("manual"),
            capabilities: Capabilities::new(addressing, Assurance::Acknowledged)
                .deduplication(Deduplication::ByKey)
                .by_hand(),
        }
    }
}

#[async_trait]
impl Channel for ManualChannel {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Takes any address: a person knows what to make of it.
    fn check_address(&self, _: &Address) -> Result<(), String> {
        Ok(())
    }

    /// Two parts: `title`, the subject, and `script`, the text without markup.
    fn prepare(&self, wording: &Wording) -> Result<Prepared, Vec<Finding>> {
        Ok(Prepared::new([
            Part::new("title", "text/plain", &wording.subject),
            Part::new("script", "text/plain", wording.document.to_plain()),
        ]))
    }

    /// Every item is accepted at once as *attempted*: the task stands, nothing else is proved.
    async fn attempt(
        &self,
        _: &AttemptContext,
        batch: &Batch<'_>,
        outcomes: &mut Outcomes,
    ) -> Result<(), ChannelError> {
        for i in 0..batch.items.len() {
            outcomes.set(i, Outcome::Accepted(Accepted::new(Assurance::Attempted)));
        }
        Ok(())
    }
}

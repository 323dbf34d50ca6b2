//! Which channel carries which mechanism.

use super::Channel;
use crate::mechanism::Mechanism;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The channels of a deployment: one for each mechanism.
#[derive(Clone, Debug, Default)]
pub struct ChannelSet {
    bindings: BTreeMap<Mechanism, Binding>,
}

/// One mechanism's channel.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Binding {
    /// The channel.
    pub channel: Arc<dyn Channel>,
    /// Whether addresses name endpoints: then each has a lane of its own.
    pub endpoints: bool,
}

impl ChannelSet {
    /// No channels.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With this channel for the mechanism; the last one stands.
    #[must_use]
    pub fn with(mut self, mechanism: Mechanism, channel: impl Channel) -> Self {
        self.bindings.insert(mechanism, Binding { channel: Arc::new(channel), endpoints: false });
        self
    }

    /// With this channel for the mechanism, whose addresses name endpoints, so that the fault of one does not stop the others.
    #[must_use]
    pub fn with_endpoints(mut self, mechanism: Mechanism, channel: impl Channel) -> Self {
        self.bindings.insert(mechanism, Binding { channel: Arc::new(channel), endpoints: true });
        self
    }

    /// The channel for the mechanism.
    #[must_use]
    pub fn get(&self, mechanism: &Mechanism) -> Option<&Binding> {
        self.bindings.get(mechanism)
    }

    /// All, ordered by mechanism.
    pub fn iter(&self) -> impl Iterator<Item = (&Mechanism, &Binding)> {
        self.bindings.iter()
    }
}

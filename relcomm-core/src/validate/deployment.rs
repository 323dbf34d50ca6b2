//! What is known of the deployment when a plan is checked: values only, so that a check opens no connection.

use crate::clock::Moment;
use crate::mechanism::{Capabilities, Mechanism};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What is known of the deployment. What is `None` is unknown, and the checks that need it are left out.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Deployment {
    /// The channel of each mechanism.
    pub channels: Option<BTreeMap<Mechanism, ChannelFacts>>,
    /// How often `dispatch` is called, where a scheduler calls it.
    pub tick: Option<Duration>,
    /// Whether real people will be told: a past date is then an error.
    pub live: bool,
    /// The present instant.
    pub now: Option<Moment>,
}

/// What is known of the channel of one mechanism.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChannelFacts {
    /// What it can do, hold and prove.
    pub capabilities: Capabilities,
    /// The names of its endpoints, where addresses are such names.
    pub endpoints: Option<BTreeSet<String>>,
}

impl ChannelFacts {
    /// A channel that can do this, whose addresses are no endpoint names.
    #[must_use]
    pub fn new(capabilities: Capabilities) -> Self {
        Self { capabilities, endpoints: None }
    }

    /// With endpoints of these names, which its addresses must be.
    #[must_use]
    pub fn endpoints(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.endpoints = Some(names.into_iter().map(Into::into).collect());
        self
    }
}

impl Deployment {
    /// Nothing is known.
    #[must_use]
    pub fn unknown() -> Self {
        Self::default()
    }

    /// With these channels, and no others.
    #[must_use]
    pub fn channels(mut self, channels: impl IntoIterator<Item = (Mechanism, ChannelFacts)>) -> Self {
        self.channels = Some(channels.into_iter().collect());
        self
    }

    /// Called so often.
    #[must_use]
    pub fn tick(mut self, tick: Duration) -> Self {
        self.tick = Some(tick);
        self
    }

    /// At this instant.
    #[must_use]
    pub fn now(mut self, now: Moment) -> Self {
        self.now = Some(now);
        self
    }

    /// With real people.
    #[must_use]
    pub fn live(mut self) -> Self {
        self.live = true;
        self
    }
}

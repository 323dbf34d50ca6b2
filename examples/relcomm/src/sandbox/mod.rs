//! The sandbox: in-process peers on loopback, real sockets, a clock that jumps, and stand-in people. Nothing leaves the machine.

mod clock;
mod peers;
mod script;
mod stand_ins;
mod world;

pub use clock::SandboxClock;
pub use script::SandboxScript;
pub(crate) use stand_ins::{stand_in, stand_in_to_prepare};
pub use world::STAND_IN;

use crate::Failure;
use peers::Peers;
use relcomm_channels::email::{EmailChannel, EmailOptions, ReturnPath};
use relcomm_channels::http::HttpOptions;
use relcomm_channels::manual::ManualChannel;
use relcomm_channels::paging::{PagingChannel, PagingOptions};
use relcomm_channels::webhook::{WebhookChannel, WebhookEndpoint, WebhookOptions};
use relcomm_core::channel::{Binding, ChannelSet};
use relcomm_core::mechanism::{Addressing, Mechanism};
use relcomm_core::plan::{People, Plan};
use relcomm_core::validate::{ChannelFacts, Deployment as Facts};
use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use world::World;

/// The peers and people of one plan's sandbox.
#[derive(Debug)]
pub struct Sandbox {
    peers: Peers,
    pub(crate) world: World,
    /// Its time.
    pub clock: Arc<SandboxClock>,
}

/// What lies beside a plan for its sandbox.
#[derive(Debug)]
pub(crate) struct Beside {
    /// Scripts the far sides.
    script: PathBuf,
    /// The journal.
    pub(crate) journal: PathBuf,
    /// The mailbox to which bounces and reports come back, while there are any.
    maildir: PathBuf,
}

/// The sandbox's files beside a plan.
pub(crate) fn beside(plan: &Path) -> Beside {
    let stem = plan.file_stem().unwrap_or_default().to_os_string();
    let named = |end: &str| {
        let mut name = stem.clone();
        name.push(end);
        plan.with_file_name(name)
    };
    Beside { script: named(".sandbox.yaml"), journal: named(".sandbox.db"), maildir: named(".sandbox.mail") }
}

/// The address from which the sandbox's mail comes.
const FROM: &str = "relcomm sandbox <sandbox@relcomm.example>";
const BOUNCES: &str = "bounces@relcomm.example";

/// A signing secret for a peer on this machine: it guards nothing.
const SECRET: &str = "whsec_c2FuZGJveC1zYW5kYm94LXNhbmRib3gtMDA=";

impl Sandbox {
    /// Starts the peers for a plan and its people. Where there is no record to go on with, what came back for an earlier one is thrown
    /// away: it would match nothing.
    ///
    /// # Errors
    /// The script is not understood, or a port or directory cannot be had.
    pub fn start(plan_file: &Path, record: &Path, plan: &Plan, people: &People) -> Result<Self, Failure> {
        let files = beside(plan_file);
        let script = match std::fs::read(&files.script) {
            Ok(bytes) => {
                let name = files.script.display().to_string();
                let (script, source) = SandboxScript::parse(&name, &bytes).map_err(Failure::Findings)?;
                let mut found = script.for_nobody(&source, answerable(people, &script).iter().map(String::as_str));
                let mut mechanisms = plan.spoken_of(people);
                mechanisms.extend(script.carried_by.iter().map(|(_, by)| by.clone()));
                found.extend(script.by_nothing(&source, &mechanisms));
                found.extend(script.without_effect(&source, &mechanisms));
                if !found.is_empty() {
                    return Err(Failure::Findings(found));
                }
                script
            }
            Err(_) => SandboxScript::default(),
        };
        let clock = Arc::new(SandboxClock::default());
        let world = World::new(script, people, Arc::clone(&clock));
        let failed = |e| Failure::Tool(format!("the sandbox cannot be started: {e}"));
        if !record.exists() && files.maildir.exists() {
            std::fs::remove_dir_all(&files.maildir).map_err(failed)?;
        }
        let peers = Peers::start(&world, files.maildir).map_err(failed)?;
        Ok(Self { peers, world, clock })
    }

    /// The channels of the sandbox for a plan: mail to the loopback SMTP server, webhook and pager to the loopback HTTP receiver,
    /// everything else by hand.
    ///
    /// # Errors
    /// A channel cannot be made.
    pub fn channels(&self, plan: &Plan, people: &People) -> Result<ChannelSet, Failure> {
        let mut set = ChannelSet::new();
        for mechanism in plan.spoken_of(people) {
            let by = self.world.script().carried_by.get(&mechanism).unwrap_or(&mechanism).clone();
            set =
                self.bind(set, plan, people, mechanism, &by).map_err(|why| Failure::Tool(format!("sandbox: {why}")))?;
        }
        Ok(set)
    }

    /// What validation needs to know of the peers: what they can do and prove.
    #[must_use]
    pub fn facts(&self, channels: &ChannelSet) -> Facts {
        let of = |binding: &Binding| ChannelFacts::new(binding.channel.capabilities().clone());
        Facts::unknown().channels(channels.iter().map(|(mechanism, binding)| (mechanism.clone(), of(binding))))
    }

    fn bind(
        &self,
        set: ChannelSet,
        plan: &Plan,
        people: &People,
        mechanism: Mechanism,
        by: &Mechanism,
    ) -> Result<ChannelSet, String> {
        let addressing = plan.addressing(&mechanism);
        let http = || -> Result<HttpOptions, String> {
            let loopback = "127.0.0.0/8".parse().map_err(|e: relcomm_channels::http::BadAllowed| e.to_string())?;
            Ok(HttpOptions::new().allow(loopback))
        };
        let many = NonZeroU32::MIN.saturating_add(15);
        match by.as_str() {
            "email" => {
                let base = ReturnPath::new(BOUNCES).map_err(|e| e.to_string())?;
                let options = EmailOptions::new(&self.peers.smtp_url(), FROM)
                    .map_err(|e| e.to_string())?
                    .concurrency(many)
                    .receipts(self.peers.maildir(), base);
                Ok(set.with(mechanism, EmailChannel::new(options).map_err(|e| e.to_string())?))
            }
            "webhook" => {
                let mut options = WebhookOptions::new().addressing(addressing).http(http()?).concurrency(many);
                if addressing == Addressing::Once {
                    options = options.default_endpoint(mechanism.as_str());
                    options = options.endpoint(mechanism.as_str(), self.endpoint(mechanism.as_str()));
                }
                for name in addresses(people, &mechanism) {
                    options = options.endpoint(&name, self.endpoint(&name));
                }
                let channel = WebhookChannel::new(options).map_err(|e| e.to_string())?;
                Ok(match addressing {
                    Addressing::Each => set.with_endpoints(mechanism, channel),
                    Addressing::Once => set.with(mechanism, channel),
                })
            }
            "pager" => {
                let mut options =
                    PagingOptions::new().base_url(self.peers.http_url("")).http(http()?).concurrency(many);
                for name in addresses(people, &mechanism) {
                    options = options.endpoint(&name, routing_key(&name));
                }
                let channel = PagingChannel::new(options).map_err(|e| e.to_string())?;
                Ok(set.with_endpoints(mechanism, channel))
            }
            _ => Ok(set.with(mechanism, ManualChannel::new(addressing))),
        }
    }

    fn endpoint(&self, name: &str) -> WebhookEndpoint {
        WebhookEndpoint::new(self.peers.http_url(&format!("/hook/{name}"))).secret(SECRET.to_owned())
    }

    /// To which addresses the mail server reports.
    #[must_use]
    pub fn return_path() -> Option<ReturnPath> {
        ReturnPath::new(BOUNCES).ok()
    }

    /// How many mails and requests the peers have taken over, and how many requests were repeats of one they had.
    #[must_use]
    pub fn taken(&self) -> (usize, usize, usize) {
        self.peers.taken()
    }
}

/// The routing key of a pager's endpoint: 32 characters, and told from the others.
fn routing_key(endpoint: &str) -> String {
    endpoint.to_ascii_lowercase().bytes().cycle().map(|b| char::from(b'a' + b % 26)).take(32).collect()
}

/// Everyone for whom a script can have an answer.
fn answerable(people: &People, script: &SandboxScript) -> BTreeSet<String> {
    let ids = people.iter().map(|who| who.id().to_owned());
    let groups = people.groups().map(|(group, _)| group.to_string());
    ids.chain(groups).chain(script.carried_by.keys().map(ToString::to_string)).collect()
}

/// The addresses that people have on a mechanism.
fn addresses(people: &People, mechanism: &Mechanism) -> BTreeSet<String> {
    people.iter().filter_map(|who| who.address(mechanism)).map(str::to_owned).collect()
}

//! What a verb works with: the prepared plan, its channels, its record, and a dispatcher that joins them.

use crate::arguments::Common;
use crate::deployment::Deployment;
use crate::load::{Loaded, load, prepared};
use crate::sandbox::{Sandbox, beside, stand_in_to_prepare};
use crate::{Failure, record};
use relcomm_channels::email::ReturnPath;
use relcomm_core::channel::ChannelSet;
use relcomm_core::clock::{Clock, Moment, SystemClock};
use relcomm_core::dispatch::{DispatchOptions, Dispatcher};
use relcomm_core::journal::{Create, Journal, JournalErrorKind, Mode, Scope, SqliteJournal};
use relcomm_core::plan::draft::Act;
use relcomm_core::plan::{Finding, People, Plan};
use relcomm_core::prepare::PreparedPlan;
use relcomm_core::validate::Deployment as Facts;
use secrecy::ExposeSecret;
use std::path::PathBuf;
use std::sync::Arc;

/// How a verb uses the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It only looks.
    Look,
    /// It writes.
    Write,
}

/// What is prepared, before any record is opened.
#[derive(Debug)]
pub(super) struct Bench {
    /// The prepared plan.
    pub prepared: PreparedPlan,
    /// Warnings and notes.
    pub findings: Vec<Finding>,
    /// The channels.
    pub channels: ChannelSet,
    /// The sandbox, where it is one.
    pub sandbox: Option<Sandbox>,
    journal: Option<String>,
    return_paths: Vec<ReturnPath>,
}

/// A bench with its record.
#[derive(Debug)]
pub struct Desk {
    /// Joins all.
    pub dispatcher: Dispatcher,
    /// The sandbox, where it is one.
    pub sandbox: Option<Sandbox>,
    /// Warnings and notes.
    pub findings: Vec<Finding>,
    /// To which addresses the far sides of mail report.
    pub return_paths: Vec<ReturnPath>,
}

impl Bench {
    /// Loads, validates and prepares.
    ///
    /// # Errors
    /// What is missing, invalid or cannot be had.
    pub(super) async fn open(common: &Common) -> Result<Self, Failure> {
        match &common.channels {
            Some(path) => Self::live(common, &Deployment::read(path, common.kinds.clone())?).await,
            None => Self::sandbox(common),
        }
    }

    async fn live(common: &Common, deployment: &Deployment) -> Result<Self, Failure> {
        // The facts need the channels, and how those address the plan's own words only the plan says: so it is read first.
        let first = load(common, &Facts::unknown())?;
        let channels = deployment.channels(plan_of(&first)).await?;
        let now = SystemClock::new().now();
        let journal = match &deployment.journal {
            Some(reference) if common.journal.is_none() => {
                Some(reference.read().map_err(|e| Failure::Tool(format!("journal: {e}")))?.expose_secret().to_owned())
            }
            _ => None,
        };
        let loaded = match first {
            Loaded::Plan(judged) => {
                let facts = deployment.facts(&channels).now(now);
                let journal = common.journal.as_ref().or(journal.as_ref());
                let is_begun = is_begun(journal, judged.validation.plan(), common.new_journal).await?;
                load(common, &if is_begun { facts } else { facts.live() })?
            }
            bundle @ Loaded::Bundle(_) => bundle,
        };
        let (prepared, findings) = prepared(loaded, &channels)?;
        let return_paths = deployment.return_paths()?;
        Ok(Self { prepared, findings, channels, sandbox: None, journal, return_paths })
    }

    fn sandbox(common: &Common) -> Result<Self, Failure> {
        let first = load(common, &Facts::unknown())?;
        let (sandbox, channels) = match &first {
            Loaded::Plan(judged) => match judged.validation.plan() {
                Some(plan) => Self::peers(common, plan, judged.validation.people())?,
                None => return Err(Failure::Findings(judged.validation.findings().to_vec())),
            },
            Loaded::Bundle(bundle) => Self::peers(common, bundle.plan(), bundle.people())?,
        };
        let loaded = match first {
            // What a peer cannot prove would stay unproved for ever.
            Loaded::Plan(_) => load(common, &sandbox.facts(&channels))?,
            bundle @ Loaded::Bundle(_) => bundle,
        };
        let (prepared, findings) = prepared(loaded, &channels)?;
        let prepared = stand_in_to_prepare(prepared)?;
        let return_paths = Sandbox::return_path().into_iter().collect();
        Ok(Self { prepared, findings, channels, sandbox: Some(sandbox), journal: None, return_paths })
    }

    fn peers(common: &Common, plan: &Plan, people: &People) -> Result<(Sandbox, ChannelSet), Failure> {
        let record = match &common.journal {
            Some(url) => record::path_of(url)?,
            None => beside(&common.plan).journal,
        };
        let sandbox = Sandbox::start(&common.plan, &record, plan, people)?;
        let channels = sandbox.channels(plan, people)?;
        Ok((sandbox, channels))
    }

    /// Whether the plan asks who prepares, and nobody has said so.
    pub(super) fn asks_who_prepares(&self) -> bool {
        let said = self.prepared.preparer().is_some() && self.sandbox.is_none();
        self.prepared.plan().asks_who(Act::Prepare) && !said
    }

    fn place(&self, common: &Common) -> Result<PathBuf, Failure> {
        match (&common.journal, &self.journal, &self.sandbox) {
            (Some(url), ..) | (None, Some(url), _) => record::path_of(url),
            (None, None, Some(_)) => Ok(beside(&common.plan).journal),
            (None, None, None) => {
                Err(Failure::Tool("no journal: give --journal file:PATH, or `journal` in the channels file".into()))
            }
        }
    }

    /// The record, to look at.
    ///
    /// # Errors
    /// There is none; it was made in the other mode; it cannot be read.
    pub(super) fn journal(&self, common: &Common) -> Result<SqliteJournal, Failure> {
        Ok(SqliteJournal::open_read_only(self.place(common)?, self.scope(), Arc::new(SystemClock::new()))?)
    }

    /// The record to look at, if anything is recorded of this plan and version, or `None`.
    ///
    /// # Errors
    /// It was made in the other mode; it cannot be read.
    pub(super) async fn so_far(self, common: &Common) -> Result<Option<Desk>, Failure> {
        match self.record_so_far(common)? {
            Some(journal) => Ok(Some(self.desk(journal).await?)),
            None => Ok(None),
        }
    }

    /// Whether the embargo is over by the record; `None` if there is none.
    pub(super) async fn embargo_is_over(&self, common: &Common) -> Result<Option<bool>, Failure> {
        let Some(journal) = self.record_so_far(common)? else { return Ok(None) };
        let (_, head) = journal.head().await?;
        let dispatcher = Dispatcher::new(self.prepared.clone(), self.channels.clone(), journal)?;
        Ok(Some(dispatcher.clock(self.clock()).embargo_is_over(&head)))
    }

    fn record_so_far(&self, common: &Common) -> Result<Option<SqliteJournal>, Failure> {
        if common.journal.is_none() && self.journal.is_none() && self.sandbox.is_none() {
            return Ok(None);
        }
        match SqliteJournal::open_read_only(self.place(common)?, self.scope(), self.clock()) {
            Ok(journal) => Ok(Some(journal)),
            Err(error) if error.kind == JournalErrorKind::Missing => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn scope(&self) -> Scope {
        let mode = if self.sandbox.is_none() { Mode::Live } else { Mode::Sandbox };
        Scope::new(self.prepared.plan().id().clone(), &self.prepared.plan().release().version, mode)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        match &self.sandbox {
            Some(sandbox) => Arc::clone(&sandbox.clock) as Arc<dyn Clock>,
            None => Arc::new(SystemClock::new()),
        }
    }

    /// Opens the record.
    ///
    /// # Errors
    /// There is none and none was asked for; it was made in the other mode; it cannot be read.
    pub(super) async fn record(self, common: &Common, access: Access) -> Result<Desk, Failure> {
        let place = self.place(common)?;
        let journal = match access {
            Access::Look => SqliteJournal::open_read_only(&place, self.scope(), self.clock())?,
            Access::Write => {
                let live = self.sandbox.is_none();
                let create = if live && !common.new_journal { Create::Never } else { Create::IfMissing };
                record::open(&place, &self.prepared, self.scope().mode, self.clock(), create)?
            }
        };
        self.desk(journal).await
    }

    async fn desk(self, journal: SqliteJournal) -> Result<Desk, Failure> {
        let clock = self.clock();
        if let Some(sandbox) = &self.sandbox {
            // A sandbox that goes on does so where its time had got to.
            sandbox.clock.jump_to(last(&journal).await?);
        }
        let mut options = DispatchOptions::default();
        if self.sandbox.is_some() {
            options.poll = None;
        }
        let dispatcher = Dispatcher::new(self.prepared, self.channels, journal)?.clock(clock).options(options);
        Ok(Desk { dispatcher, sandbox: self.sandbox, findings: self.findings, return_paths: self.return_paths })
    }
}

impl Desk {
    /// Loads, prepares and opens the record.
    ///
    /// # Errors
    /// As `Bench::open` and `Bench::record`.
    pub async fn open(common: &Common, access: Access) -> Result<Self, Failure> {
        Bench::open(common).await?.record(common, access).await
    }
}

fn plan_of(loaded: &Loaded) -> Option<&Plan> {
    match loaded {
        Loaded::Plan(judged) => judged.validation.plan(),
        Loaded::Bundle(bundle) => Some(bundle.plan()),
    }
}

/// Whether something has been said or done of a plan and version: then its times may pass, as they are meant to. So it counts, too, where the
/// record is missing and none may be made: that it is missing is what has to be said then.
async fn is_begun(journal: Option<&String>, plan: Option<&Plan>, may_be_made: bool) -> Result<bool, Failure> {
    let (Some(url), Some(plan)) = (journal, plan) else { return Ok(false) };
    let Ok(place) = record::path_of(url) else { return Ok(false) };
    let scope = Scope::new(plan.id().clone(), &plan.release().version, Mode::Live);
    match SqliteJournal::open_read_only(place, scope, Arc::new(SystemClock::new())) {
        Ok(journal) => Ok(!journal.entries(0, 1).await?.is_empty()),
        Err(error) if error.kind == JournalErrorKind::Missing => Ok(!may_be_made),
        Err(error) => Err(error.into()),
    }
}

/// The instant of the last entry.
async fn last(journal: &SqliteJournal) -> Result<Moment, Failure> {
    let (mut after, mut last) = (0, Moment::MIN);
    loop {
        let page = journal.entries(after, 4096).await?;
        let Some(entry) = page.last() else { return Ok(last) };
        after = entry.seq;
        last = page.iter().map(|e| e.at).max().unwrap_or(last).max(last);
    }
}

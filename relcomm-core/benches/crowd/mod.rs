//! Many people, the plan that tells them, and a channel that counts.

#![allow(dead_code, reason = "each measurement takes what it needs")]

use async_trait::async_trait;
use relcomm_core::channel::{
    Accepted, AttemptContext, Batch, Channel, ChannelError, ChannelSet, Descriptor, Outcome, Outcomes, Part, Prepared,
    Wording,
};
use relcomm_core::mechanism::{Addressing, Capabilities, Deduplication, Mechanism};
use relcomm_core::plan::{Finding, People, Plan, PlanDir, PlanDraft};
use relcomm_core::prepare::prepare;
use relcomm_core::receipt::Assurance;
use relcomm_core::stakeholder::Address;
use relcomm_core::validate::{Deployment, standard_rules, validate};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

pub(crate) const PLAN: &str = "
plan: 1
id: scale
zone: UTC
release: { product: Scale, version: 1.0.0, what: [{ id: one, text: One }], why: Because., how: Open it. }
responsible: Ada <ada@scale.example>
groups: { all: { members: { file: people.csv, columns: { email: MAIL, language: LANG } } } }
communiques: { out: { to: all } }
";

/// Writes a member file of so many.
pub(crate) fn write_people(n: u32, to: &Path) {
    let mut csv = std::io::BufWriter::new(fs::File::create(to).expect("a temporary file"));
    writeln!(csv, "id,name,MAIL,LANG,company").expect("disk");
    for i in 0..n {
        let lang = ["en", "de", "fr"][i as usize % 3];
        let company = i % 4000;
        writeln!(csv, "c{i:07},Given{} Family{i},person.{i}@mail{company}.example,{lang},Company {company}", i % 97)
            .expect("disk");
    }
    csv.flush().expect("disk");
}

/// The plan over that file, read and judged by all rules.
pub(crate) fn loaded(folder: &Path) -> (Plan, People) {
    let (draft, source) = PlanDraft::read("plan.yaml", PLAN.as_bytes()).expect("the plan above");
    let judged = validate(&draft, &source, &PlanDir::new(folder), &Deployment::unknown(), &standard_rules());
    judged.into_plan().expect("the plan above")
}

/// Takes so many over, and says when it is called once more.
#[derive(Clone, Debug)]
pub(crate) struct Counting {
    descriptor: Descriptor,
    capabilities: Capabilities,
    pub(crate) taken: Arc<AtomicU32>,
    pub(crate) enough: Arc<tokio::sync::Notify>,
    until: u32,
}

impl Counting {
    pub(crate) fn new(until: u32) -> Self {
        let capabilities = Capabilities::new(Addressing::Each, Assurance::Accepted);
        Self {
            descriptor: Descriptor::new("counting"),
            capabilities: capabilities.deduplication(Deduplication::ByKey),
            taken: Arc::default(),
            enough: Arc::default(),
            until,
        }
    }
}

#[async_trait]
impl Channel for Counting {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }
    fn check_address(&self, _: &Address) -> Result<(), String> {
        Ok(())
    }
    fn prepare(&self, wording: &Wording) -> Result<Prepared, Vec<Finding>> {
        Ok(Prepared::new([Part::new("text", "text/plain", wording.document.to_plain())]))
    }
    async fn attempt(
        &self,
        _: &AttemptContext,
        batch: &Batch<'_>,
        outcomes: &mut Outcomes,
    ) -> Result<(), ChannelError> {
        let many = u32::try_from(batch.items.len()).expect("a batch");
        if self.taken.fetch_add(many, Ordering::Relaxed) >= self.until {
            self.enough.notify_one();
            std::future::pending::<()>().await;
        }
        tokio::task::yield_now().await;
        for i in 0..batch.items.len() {
            outcomes.crossing(i);
            outcomes.set(i, Outcome::Accepted(Accepted::new(Assurance::Accepted)));
        }
        Ok(())
    }
}

/// It carries `email`.
pub(crate) fn channels(channel: Counting) -> ChannelSet {
    ChannelSet::new().with(Mechanism::new("email").expect("a standard word"), channel)
}

/// What people take in memory, beyond the octets of their own strings.
#[derive(Debug)]
pub(crate) struct Room {
    /// Octets on the heap for each person.
    pub(crate) heap: f64,
    /// Octets of each person's id, name, addresses and variables. What many have alike, such as a language, is not counted.
    pub(crate) strings: f64,
    /// The most that the heap held for each person while they were loaded and judged.
    pub(crate) peak: f64,
}

impl Room {
    pub(crate) fn beyond_strings(&self) -> f64 {
        self.heap - self.strings
    }
}

/// Loads, judges and prepares so many, computes the roll, and asks the allocator what of it is still held. That is the prepared plan with
/// its people and rolls: what a dispatch holds for as long as it runs.
pub(crate) fn room(n: u32, heap: peak_alloc::PeakAlloc) -> Room {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let people = folder.path().join("people.csv");
    let prepared = |(plan, people): (Plan, People)| {
        prepare(plan, people, &channels(Counting::new(0))).prepared.expect("the plan above")
    };
    // What is made once for a process, whoever is told, is there before anyone is counted.
    write_people(1, &people);
    drop(prepared(loaded(folder.path())));
    write_people(n, &people);
    let before = heap.current_usage();
    heap.reset_peak_usage();
    let judged = loaded(folder.path());
    let peak = heap.peak_usage() - before;
    let prepared = prepared(judged);
    let gate = prepared.gates().first().expect("one communique");
    let roll = prepared.roll(gate);
    let held = heap.current_usage() - before;
    assert_eq!(roll.len() as usize, prepared.people().len());
    let strings = |number: u32| {
        let who = prepared.people().at(number).expect("as many as there are");
        let addresses: usize = who.addresses().map(|(_, address)| address.len()).sum();
        let vars: usize = who.vars().map(|(_, value)| value.len()).sum();
        who.id().len() + who.name().map_or(0, str::len) + addresses + vars
    };
    let n = f64::from(roll.len());
    let strings: usize = (0..roll.len()).map(strings).sum();
    Room { heap: held as f64 / n, strings: strings as f64 / n, peak: peak as f64 / n }
}

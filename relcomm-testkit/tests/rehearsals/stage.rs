//! A small plan, and rehearsals of it.

use relcomm_core::plan::HeldFiles;
use relcomm_testkit::rehearsal::{Performance, Rehearsal, Unperformed};

pub(crate) const PLAN: &str = "
plan: 1
id: demo
zone: UTC
release:
  product: Demo
  version: 1.0.0
  what: [{ id: one, text: The one thing }]
  why: Because.
  how: Open it.
  where: { eu: {}, us: {} }
responsible: Ada <ada@demo.example>
groups:
  customers: { members: customers.csv, via: [email, { via: phone, unless: delivered, within: 1h }], informed_when: delivered }
  desk: { email: desk@demo.example }
  board: { presentation: board-room, informed_when: acknowledged }
communiques:
  brief: { to: desk, at: declared, per: place, text: \"Live: {{ release.what | length }}\" }
  live: { to: customers, at: declared, per: place, after: brief accepted, text: \"Dear {{ person.id }}: {{ release.what | length }}\" }
  talk: { to: board, at: declared, per: release, text: \"{{ release.what | length }}\" }
";

/// What every script here says besides what it is about.
pub(crate) const HEAD: &str = "
rehearsal: 1
name: it
clock: 2027-03-02T09:00Z
";

pub(crate) fn perform(script: &str) -> Result<Performance, Unperformed> {
    perform_with(PLAN, script)
}

pub(crate) fn perform_with(plan: &str, script: &str) -> Result<Performance, Unperformed> {
    let all = Rehearsal::read("script.yaml", format!("{HEAD}{script}").as_bytes()).map_err(Unperformed::Script)?;
    all[0].perform("plan.yaml", plan.as_bytes(), &HeldFiles::new())
}

/// Plays it; what was expected holds.
pub(crate) fn holds(script: &str) -> Performance {
    let performance = perform(script).unwrap_or_else(|why| panic!("{}", told(&why)));
    assert!(performance.held(), "{performance}");
    performance
}

/// The first expectation that did not hold, and why.
pub(crate) fn diverges(script: &str) -> (usize, String) {
    let performance = perform(script).unwrap_or_else(|why| panic!("{}", told(&why)));
    let first = performance.diverged().next().unwrap_or_else(|| panic!("all holds:\n{script}\n{performance}"));
    (first.at.line, first.failed.join("; "))
}

pub(crate) fn told(why: &Unperformed) -> String {
    match why {
        Unperformed::Script(findings) | Unperformed::Plan(findings) => {
            findings.iter().filter(|f| f.is_error()).map(ToString::to_string).collect()
        }
        other => other.to_string(),
    }
}

pub(crate) fn timeline(performance: &Performance) -> String {
    performance.timeline.iter().map(|line| format!("{line}\n")).collect()
}

//! What the targets share: judging a plan, and what must be true of every finding whatever the input was.

use relcomm_core::plan::{Finding, HeldFiles, PlanDraft};
use relcomm_core::validate::{Deployment, standard_rules, validate};
use std::collections::BTreeMap;

/// Reads a plan and, where its form is right, judges it with these files beside it.
///
/// # Panics
/// A finding does not point into its file, or a plan is refused without an error.
pub fn judge(name: &str, plan: &[u8], files: &BTreeMap<String, Vec<u8>>) {
    let findings = match PlanDraft::read(name, plan) {
        Err(findings) => findings,
        Ok((draft, source)) => {
            let held = HeldFiles::from(files.clone());
            let judged = validate(&draft, &source, &held, &Deployment::unknown(), &standard_rules());
            assert_eq!(judged.is_valid(), !judged.findings().iter().any(Finding::is_error));
            judged.findings().to_vec()
        }
    };
    for finding in &findings {
        let at = finding.at.as_ref().expect("every finding has a position");
        let content = if at.file == name { plan } else { files.get(&at.file).expect("a file of the plan") };
        points_into(content, at.line, at.column);
        shows_one_line(finding);
    }
}

/// Judges a member file as a plan loads it: once with the file's own column names, once with columns that the plan maps.
///
/// # Panics
/// As [`judge`].
pub fn judge_members(name: &str, members: &[u8]) {
    let plan = format!(
        "plan: 1
zone: UTC
release: {{ product: P, version: 1.0.0, what: Faster, why: Asked for, where: [eu, us], how: Open it }}
responsible: Ada <ada@b.example>
groups:
  named: {{ members: {name} }}
  mapped: {{ members: {{ file: {name}, columns: {{ id: name, name: id, email: phone, place: places }} }} }}
communiques:
  live: {{ to: [named, mapped] }}
"
    );
    judge("plan.yaml", plan.as_bytes(), &BTreeMap::from([(name.to_owned(), members.to_vec())]));
}

/// Checks that there is such a line, and such a column in it or right behind its end.
fn points_into(content: &[u8], line: usize, column: usize) {
    let content = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content);
    let found = content.split(|byte| *byte == b'\n').nth(line - 1).expect("there is such a line");
    let width = String::from_utf8_lossy(found).chars().count();
    assert!((1..=width + 1).contains(&column), "column {column} of {width}");
}

/// Checks that what is printed has the lines that it should have, and that nothing in it steers a terminal.
fn shows_one_line(finding: &Finding) {
    let shown = finding.to_string();
    assert!(shown.chars().all(|c| matches!(c, '\n' | '\t') || !c.is_control()), "{shown:?}");
    let source = finding.at.as_ref().is_some_and(|at| !at.source.is_empty());
    let lines =
        1 + usize::from(!finding.path.is_empty()) + 3 * usize::from(source) + usize::from(finding.help.is_some());
    assert_eq!(shown.lines().count(), lines, "{shown}");
}

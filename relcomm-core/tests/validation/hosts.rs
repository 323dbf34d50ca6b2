//! Rules of a host's own.

use super::support::{COMMUNIQUES, GROUPS, HEAD, RELEASE, RESPONSIBLE, judge_with};
use relcomm_core::plan::{Finding, Findings, HeldFiles};
use relcomm_core::validate::{Deployment, Rule, Subject};

/// In this house mail is not enough.
#[derive(Debug)]
struct NotByMailAlone;

impl Rule for NotByMailAlone {
    fn codes(&self) -> &'static [&'static str] {
        &["ACME001"]
    }

    fn check(&self, cx: &Subject<'_>, out: &mut Findings) {
        for group in cx.plan().groups().iter().filter(|group| group.via.len() == 1) {
            let path = format!("groups.{}.via", group.id);
            out.push(Finding::error("ACME001", path, "mail alone is not enough in this house"));
        }
    }
}

#[test]
fn a_rule_of_the_hosts_finds_at_its_place_and_refuses_the_plan() {
    let plan = [HEAD, RELEASE, RESPONSIBLE, GROUPS, COMMUNIQUES].concat();
    let judged = |rules| judge_with(&plan, &HeldFiles::new(), &Deployment::unknown(), rules).unwrap();
    assert!(judged(Vec::new()).into_plan().is_ok());
    let findings = judged(vec![Box::new(NotByMailAlone)]).into_plan().unwrap_err();
    let [finding] = findings.as_slice() else { panic!("{findings:?}") };
    let at = finding.at.as_ref().unwrap();
    let line = plan.lines().position(|line| line.contains("via: email")).unwrap();
    let column = plan.lines().nth(line).unwrap().find("via").unwrap();
    assert_eq!((finding.code, at.line, at.column), ("ACME001", line + 1, column + 1));
}

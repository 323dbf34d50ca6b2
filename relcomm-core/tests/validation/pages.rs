//! The pages of the codes: what each shows is what validation finds.

use super::cases::{self, hosted};
use super::support::{is_fault, judge_with, shown};
use relcomm_core::clock::Moment;
use relcomm_core::plan::{Finding, HeldFiles};
use relcomm_core::validate::{Deployment, Explanation, Rule, Unchanged, catalogue};
use std::collections::{BTreeMap, BTreeSet};

/// Found only where texts are rendered or channels connected to: their pages show no plan, and say by which verb they are found.
const NOT_OF_PLANS: [&str; 13] = [
    "RC1101", "RC1102", "RC1103", "RC1104", "RC1105", "RC1106", "RC1111", "RC1112", "RC1113", "RC1114", "RC1115",
    "RC1116", "RC1117",
];

/// What is known where these codes are judged, as their pages say.
fn deployment(code: &str) -> Deployment {
    match code {
        "RC0601" | "RC0608" => Deployment::unknown().now(Moment::parse("2027-06-01T00:00:00Z").unwrap()),
        _ => cases::deployment(code),
    }
}

/// The files that a section of a page shows: the plan, and what it names or is compared with.
#[derive(Debug, Default)]
struct Shown {
    plan: String,
    files: BTreeMap<String, String>,
}

/// The sections of a page by their headings, as far as they show a plan: `\`\`\`yaml` begins it, `\`\`\`csv NAME` a file.
fn sections(page: &str) -> Vec<(&str, Shown)> {
    let mut sections: Vec<(&str, Shown)> = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(heading) = line.strip_prefix("## ") {
            sections.push((heading, Shown::default()));
        } else if let Some(info) = line.strip_prefix("```") {
            let text: String =
                lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
            let (_, shown) = sections.last_mut().expect("a block stands in a section");
            match info.split_once(' ') {
                Some((_, name)) => {
                    shown.files.insert(name.to_owned(), text);
                }
                None => shown.plan = text,
            }
        }
    }
    sections.into_iter().filter(|(_, shown)| !shown.plan.is_empty()).collect()
}

fn findings(code: &str, shown: &Shown) -> Vec<Finding> {
    let files = shown.files.iter().fold(HeldFiles::new(), |files, (name, text)| files.file(name, text.as_str()));
    let files = hosted(files);
    let judge = |plan: &str, more| judge_with(plan, &files, &deployment(code), more);
    let mut more: Vec<Box<dyn Rule>> = Vec::new();
    if let Some(earlier) = shown.files.get("earlier.yaml") {
        let earlier = judge(earlier, Vec::new()).expect("the earlier plan is well-formed");
        more.push(Box::new(Unchanged::against(earlier.plan().expect("the earlier plan is valid"))));
    }
    judge(&shown.plan, more).map_or_else(|found| found, |validation| validation.findings().to_vec())
}

/// The codes of what weighs more than a note.
fn faults(found: &[Finding]) -> BTreeSet<&'static str> {
    found.iter().filter(|finding| is_fault(finding)).map(|finding| finding.code).collect()
}

fn without_notes(found: Vec<Finding>) -> String {
    shown(&found.into_iter().filter(is_fault).collect::<Vec<_>>())
}

fn severity(page: &str) -> &str {
    let line = page.lines().find_map(|line| line.strip_prefix("Severity: ")).unwrap_or_default();
    line.split([' ', ',', '.']).next().unwrap_or_default()
}

/// What is wrong with a page, if anything.
fn judge(explanation: &Explanation) -> Result<(), String> {
    let Explanation { code, page, .. } = explanation;
    let sections = sections(page);
    let is_default = code.starts_with("RC08");
    let headings = if is_default { ["Uses the default", "Says it"] } else { ["Breaks it", "Passes"] };
    let [(first, breaks), (second, passes)] = sections.as_slice() else {
        return Err(format!("{} sections show a plan", sections.len()));
    };
    if [*first, *second] != headings {
        return Err(format!("the headings are {first} and {second}"));
    }
    let (broken, passed) = (findings(code, breaks), findings(code, passes));
    let expected: BTreeSet<&str> = if is_default { BTreeSet::new() } else { BTreeSet::from([*code]) };
    if faults(&broken) != expected {
        return Err(format!("the first plan has\n{}", without_notes(broken)));
    }
    let Some(finding) = broken.iter().find(|finding| finding.code == *code) else {
        return Err("the first plan has not this finding".into());
    };
    if severity(page) != finding.severity.to_string() {
        return Err(format!("the page says {}, the finding is {}", severity(page), finding.severity));
    }
    if !faults(&passed).is_empty() || passed.iter().any(|finding| finding.code == *code) {
        return Err(format!("the second plan has\n{}", without_notes(passed)));
    }
    Ok(())
}

#[test]
fn each_page_shows_a_plan_that_breaks_only_it_and_one_that_passes() {
    let of_plans = catalogue().iter().filter(|explanation| !NOT_OF_PLANS.contains(&explanation.code));
    let wrong: Vec<String> =
        of_plans.filter_map(|page| Some(format!("{}: {}", page.code, judge(page).err()?))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn what_no_plan_shows_says_by_which_verb_it_is_found() {
    for code in NOT_OF_PLANS {
        let explanation = catalogue().iter().find(|explanation| explanation.code == code).expect("a code");
        assert!(sections(explanation.page).is_empty(), "{code}");
        assert!(["`relcomm prepare`", "`relcomm verify`"].iter().any(|verb| explanation.page.contains(verb)), "{code}");
    }
}

#[test]
fn every_file_of_a_page_is_a_page_of_the_catalogue_and_of_one_form() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/validate/pages");
    let files: BTreeSet<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let named: BTreeSet<String> = catalogue().iter().map(|explanation| format!("{}.md", explanation.code)).collect();
    assert_eq!(files, named);
    for Explanation { code, title, page, .. } in catalogue() {
        assert!(page.starts_with(&format!("# {code}: {title}\n\nSeverity: ")), "{code}");
        assert!(["error", "warning", "note"].contains(&severity(page)), "{code}");
        assert!(page.contains("\n## Why\n") && page.contains("\n## How to mend it\n"), "{code}");
    }
}

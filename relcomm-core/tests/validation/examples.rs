//! The example plans.

use super::support::{findings, is_fault, shown};
use relcomm_core::plan::{HeldFiles, PlanDraft, Settings};
use relcomm_core::validate::{Deployment, standard_rules, validate};

const TINY: &str = include_str!("../../../examples/plans/tiny.yaml");
const CRATE: &str = include_str!("../../../examples/plans/s1-crate.yaml");
const MEDIUM: &str = include_str!("../../../examples/plans/medium.yaml");

#[test]
fn the_tiny_plan_has_no_fault() {
    let mut settings = Settings::default();
    settings.set.insert("version".into(), "0.9.0".into());
    let (draft, source) = PlanDraft::read_with("tiny.yaml", TINY.as_bytes(), &settings).unwrap();
    let files = HeldFiles::new().file("members/packagers.csv", "id,email\ndeb,deb@p.example\nrpm,rpm@p.example\n");
    let validation = validate(&draft, &source, &files, &Deployment::unknown(), &standard_rules());
    assert!(!validation.findings().iter().any(is_fault), "{}", shown(validation.findings()));
    let (plan, people) = validation.into_plan().unwrap();
    assert_eq!(plan.id().as_str(), "tinycodec-0.9.0");
    assert_eq!(plan.params()["version"], "0.9.0");
    assert_eq!(plan.release().how.access, "cargo add tinycodec@0.9.0");
    assert_eq!(people.len(), 3);
}

/// The errors that are not about parts on which nothing acts yet, and the codes of those that are.
fn beyond_inert(text: &str, files: &HeldFiles) -> (Vec<String>, Vec<&'static str>) {
    let found = findings(text, files, &Deployment::unknown());
    let mut inert: Vec<&'static str> = found.iter().map(|f| f.code).filter(|code| code.starts_with("RC09")).collect();
    inert.dedup();
    let other = found.iter().filter(|f| f.is_error() && !f.code.starts_with("RC09"));
    (other.map(ToString::to_string).collect(), inert)
}

#[test]
fn the_crate_plan_has_no_fault() {
    let files = HeldFiles::new().file("members/packagers.csv", "id,email\ndeb,deb@p.example\n");
    assert_eq!(beyond_inert(CRATE, &files), (vec![], vec![]));
}

#[test]
fn the_medium_plan_only_asks_for_more_than_is_done() {
    let csv = "CONTACT_ID,MAIL,LANG,REGION\n1,a@c.example,en,eu\n2,b@c.example,de,us\n3,c@c.example,en,eu;us\n";
    let text = "{{ release.product }}: {{ release.what | length }} news";
    let mut files = HeldFiles::new().file("members/customers.csv", csv);
    for file in [
        "heads-up.en",
        "heads-up.de",
        "support",
        "live.en",
        "live.de",
        "auditors",
        "site",
        "townhall",
        "withdrawn.en",
        "withdrawn.de",
    ] {
        files = files.file(format!("texts/{file}.md"), text);
    }
    let (other, inert) = beyond_inert(MEDIUM, &files);
    assert_eq!(other, Vec::<String>::new());
    assert!(!inert.contains(&"RC0904") && !inert.contains(&"RC0903"), "{inert:?}");
}

#[test]
fn a_plan_that_lacks_a_line_or_a_word_is_judged_with_positions() {
    let lines: Vec<&str> = MEDIUM.lines().collect();
    let mut judged = 0;
    let mut judge = |plan: &str| {
        for finding in findings(plan, &HeldFiles::new(), &Deployment::unknown()) {
            let at = finding.at.as_ref().unwrap();
            assert!(at.file != "plan.yaml" || at.line <= lines.len() + 1, "{finding}");
            assert!(!finding.message.contains('\n') && finding.message.len() < 400, "{finding}");
        }
        judged += 1;
    };
    for skip in 0..lines.len() {
        let rest: Vec<&str> = lines.iter().enumerate().filter(|(i, _)| *i != skip).map(|(_, line)| *line).collect();
        judge(&rest.join("\n"));
    }
    for word in MEDIUM.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 1).step_by(4) {
        judge(&MEDIUM.replacen(word, "", 1));
    }
    assert!(judged > 150);
}

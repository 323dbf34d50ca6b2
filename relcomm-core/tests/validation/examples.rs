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

fn errors(text: &str, files: &HeldFiles) -> Vec<String> {
    let found = findings(text, files, &Deployment::unknown());
    found.iter().filter(|f| f.is_error()).map(ToString::to_string).collect()
}

#[test]
fn the_crate_plan_has_no_fault() {
    let files = HeldFiles::new().file("members/packagers.csv", "id,email\ndeb,deb@p.example\n");
    assert_eq!(errors(CRATE, &files), Vec::<String>::new());
}

#[test]
fn the_medium_plan_has_no_fault() {
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
    assert_eq!(errors(MEDIUM, &files), Vec::<String>::new());
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

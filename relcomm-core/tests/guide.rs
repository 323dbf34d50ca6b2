//! Every plan in the guide is what the guide says of it.

use relcomm_core::PlanDraft;
use relcomm_core::plan::{Finding, HeldFiles};
use relcomm_core::validate::{Deployment, standard_rules, validate};

const FIRST_PLAN: &str = include_str!("../src/guide/first_plan.md");

/// The blocks of YAML in a chapter.
fn plans(chapter: &str) -> Vec<&str> {
    chapter.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

fn errors(plan: &str) -> Vec<Finding> {
    let (draft, source) = PlanDraft::read("plan.yaml", plan.as_bytes()).unwrap_or_else(|f| panic!("{f:?}\n{plan}"));
    let judged = validate(&draft, &source, &HeldFiles::new(), &Deployment::unknown(), &standard_rules());
    judged.findings().iter().filter(|f| f.is_error()).cloned().collect()
}

#[test]
fn each_plan_is_valid_or_has_the_one_fault_that_it_shows() {
    let plans = plans(FIRST_PLAN);
    assert!(plans.len() >= 4, "the chapter holds {} plans", plans.len());
    for plan in plans {
        let codes: Vec<&str> = plan.lines().filter_map(|line| line.strip_prefix("# finds ")).collect();
        let found: Vec<&str> = errors(plan).iter().map(|f| f.code).collect();
        assert_eq!(found, codes, "{plan}\n{:#?}", errors(plan));
    }
}

//! What a valid plan holds: defaults, gates, words.

use super::support::{HEAD, RELEASE, RESPONSIBLE, judge_with, shown};
use relcomm_core::communique::{Anchor, Per};
use relcomm_core::id::{CommuniqueId, GroupId};
use relcomm_core::plan::{HeldFiles, Plan};
use relcomm_core::receipt::Assurance;
use relcomm_core::release::Outcome;
use relcomm_core::validate::Deployment;

fn valid(text: &str, files: &HeldFiles) -> Plan {
    let validation =
        judge_with(text, files, &Deployment::unknown(), Vec::new()).unwrap_or_else(|f| panic!("{}", shown(&f)));
    assert!(validation.is_valid(), "{}", shown(validation.findings()));
    validation.into_plan().unwrap().0
}

fn of_communiques(communiques: &str) -> Plan {
    let groups = "groups: { staff: { members: staff.csv }, office: { email: office@b.example } }\n";
    let files = HeldFiles::new()
        .file("staff.csv", "id,email,place\na,a@b.example,eu\nb,b@b.example,\n")
        .file("place.md", "Live in {{ place.name }}: {{ release.what | length }}");
    valid(
        &[HEAD, &RELEASE.replace("where: production", "where: [eu, us]"), RESPONSIBLE, groups, communiques].concat(),
        &files,
    )
}

/// For a communique to everybody with these keys: whether it has a gate for each place, and whether it awaits a declaration.
fn gate(keys: &str) -> (Per, bool) {
    let plan = of_communiques(&format!("communiques: {{ all: {{ to: [staff, office] }}, x: {{ {keys} }} }}\n"));
    let x = plan.communique(&CommuniqueId::new("x").unwrap()).unwrap();
    (x.per, x.awaits_declaration)
}

#[test]
fn a_gate_is_for_a_place_where_members_or_words_are_tied_to_one() {
    assert_eq!(gate("to: staff"), (Per::Place, true));
    assert_eq!(gate("to: office"), (Per::Release, true));
    assert_eq!(gate("to: office, text_file: place.md"), (Per::Place, true));
    assert_eq!(gate("to: staff, per: release"), (Per::Release, true));
}

#[test]
fn a_gate_awaits_a_declaration_only_if_its_time_or_condition_or_words_speak_of_one() {
    assert_eq!(gate("to: staff, at: planned -1d"), (Per::Release, false));
    assert_eq!(gate("to: staff, at: 2027-05-01T07:00Z"), (Per::Release, false));
    assert_eq!(gate("to: staff, at: last declared, per: release"), (Per::Release, true));
    assert_eq!(gate("to: office, at: planned, if: { outcome: failure }"), (Per::Release, true));
    assert_eq!(gate("to: office, at: planned, subject: 'By {{ declaration.by }}'"), (Per::Release, true));
    assert_eq!(gate("to: office, at: planned, subject: 'For {{ release.product }}'"), (Per::Release, false));
    assert_eq!(gate("to: office, at: planned, for: { office: { short: '{{ places.live }}' } }"), (Per::Release, true));
}

#[test]
fn what_is_left_out_is_filled_in() {
    let plan = of_communiques(
        "communiques: { all: { to: [staff, office] }, start: { to: office, if: { outcome: begun } } }\n",
    );
    let staff = plan.group(&GroupId::new("staff").unwrap()).unwrap();
    assert_eq!((staff.owner.as_str(), staff.informed_when), ("Ada", Assurance::Accepted));
    let [all, start] = plan.communiques() else { panic!("two communiques") };
    assert_eq!((all.outcome, &all.occurrences[0].at.anchor), (Outcome::Success, &Anchor::Declared));
    assert_eq!((start.outcome, &start.occurrences[0].at.anchor), (Outcome::Begun, &Anchor::Begun));
    assert!(all.wording.text.is_none() && all.covers.is_empty());
    assert_eq!(plan.responsible().execute.id.as_str(), "ada");
}

#[test]
fn a_pre_release_is_told_by_its_version() {
    let prerelease = |version: &str| {
        let release = RELEASE.replace("1.2.3", version);
        let plan = [HEAD, &release, RESPONSIBLE, super::support::GROUPS, super::support::COMMUNIQUES].concat();
        valid(&plan, &HeldFiles::new()).release().prerelease
    };
    assert!(prerelease("0.9.0-rc.1") && prerelease("v2.0.0-beta"));
    assert!(!prerelease("0.9.0") && !prerelease("1.0.0+build.5") && !prerelease("2026.4") && !prerelease("12-alpha"));
}

#[test]
fn a_text_is_loaded_for_the_language_of_the_groups_and_without_its_mark() {
    let groups = "groups: { staff: { email: all@b.example, languages: de } }\n";
    let communiques = "communiques: { out: { to: staff, covers: [export], text_file: 'out.{{ lang }}.md' } }\n";
    let files = HeldFiles::new().file("out.de.md", "\u{feff}Fertig.").file("out.en.md", "Ready.");
    let plan = valid(&[HEAD, RELEASE, RESPONSIBLE, groups, communiques].concat(), &files);
    let sources = plan.communiques()[0].wording.text.as_ref().unwrap();
    let [only] = sources.0.as_slice() else { panic!("one language") };
    assert_eq!((only.text.as_str(), only.lang.as_ref().unwrap().as_str()), ("Fertig.", "de"));
}

#[test]
fn an_end_within_a_time_is_the_end_of_the_communique() {
    let plan = of_communiques(
        "communiques: { all: { to: [staff, office], at: { from: declared, plus: 1h, not_after: declared +2h } } }\n",
    );
    let all = &plan.communiques()[0];
    assert_eq!(all.occurrences[0].at.elapsed_ms, 3_600_000);
    assert_eq!(all.not_after.as_ref().unwrap().elapsed_ms, 7_200_000);
}

#[test]
fn twenty_thousand_people_are_judged_while_one_waits() {
    let mut csv = String::from("id,email,place\n");
    for i in 0..20_000 {
        csv.push_str(&format!("p{i},p{i}@b.example,eu\n"));
    }
    let groups = "groups: { staff: { members: staff.csv } }\n";
    let communiques = "communiques: { a: { to: staff }, b: { to: staff }, c: { to: staff, via: email } }\n";
    let release = RELEASE.replace("where: production", "where: [eu, us]");
    let plan = [HEAD, &release, RESPONSIBLE, groups, communiques].concat();
    let validation =
        judge_with(&plan, &HeldFiles::new().file("staff.csv", csv), &Deployment::unknown(), Vec::new()).unwrap();
    assert_eq!(validation.people().members(&GroupId::new("staff").unwrap()).len(), 20_000);
    assert!(validation.is_valid());
}

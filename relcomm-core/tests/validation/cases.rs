//! A plan for every code: each is a plan without fault but for one thing.

use super::plans;
use super::support::{COMMUNIQUES, GROUPS, HEAD, RELEASE, RESPONSIBLE, findings, is_fault, shown};
use relcomm_core::clock::Moment;
use relcomm_core::id::GroupId;
use relcomm_core::mechanism::{Addressing, Capabilities, Mechanism};
use relcomm_core::plan::draft::SecretRef;
use relcomm_core::plan::{Directory, DirectoryError, HeldFiles, Hosted, MemberRecord};
use relcomm_core::receipt::Assurance;
use relcomm_core::validate::{ChannelFacts, Deployment};
use std::time::Duration;

/// A broken plan: the code, the plan's parts in place of the usual ones by their first word, and where the finding stands if not at
/// the mark `«`.
pub(crate) struct Case {
    pub(crate) code: &'static str,
    pub(crate) parts: &'static [&'static str],
    pub(crate) at: &'static str,
}

pub(crate) const fn case(code: &'static str, parts: &'static [&'static str]) -> Case {
    Case { code, parts, at: "" }
}

/// The plan: the usual parts, but for those that are given.
fn assemble(parts: &[&str]) -> String {
    let key = |part: &str| part.trim_start_matches('«').split(':').next().unwrap_or_default().to_owned();
    let usual = [HEAD, RELEASE, RESPONSIBLE, GROUPS, COMMUNIQUES];
    let mut plan = String::new();
    for part in usual {
        plan.push_str(parts.iter().find(|given| key(given) == key(part)).unwrap_or(&part));
    }
    for part in parts.iter().filter(|given| usual.iter().all(|part| key(part) != key(given))) {
        plan.push_str(part);
    }
    plan
}

/// Takes the mark out and says where it stood.
fn unmarked(plan: &str) -> (String, Option<String>) {
    let Some(at) = plan.find('«') else { return (plan.to_owned(), None) };
    let before = &plan[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (plan.replace('«', ""), Some(format!("plan.yaml:{line}:{column}")))
}

/// Two people, one of them without any address; then it may break off.
#[derive(Debug)]
struct Two {
    broken: bool,
    nameless: bool,
}

impl Directory for Two {
    fn members(&self, _: &GroupId, give: &mut dyn FnMut(MemberRecord<'_>)) -> Result<(), DirectoryError> {
        give(MemberRecord::new().name("Ann").address("email", "a@b.example"));
        let ben = MemberRecord::new().name("Ben");
        give(if self.nameless { ben } else { ben.id("b").address("email", "ben@b.example") });
        if self.broken { Err(DirectoryError::new("it has closed")) } else { Ok(()) }
    }
}

fn files() -> Hosted<HeldFiles> {
    hosted(held())
}

/// With directories and secrets beside the files.
pub(crate) fn hosted(files: HeldFiles) -> Hosted<HeldFiles> {
    Hosted::new(files)
        .directory("staff", Two { broken: false, nameless: false })
        .directory("broken", Two { broken: true, nameless: false })
        .directory("people", Two { broken: false, nameless: true })
        .secret(SecretRef::Env("KEY".into()), "0123456789abcdef")
        .secret(SecretRef::File("short.key".into()), "0123456789abcde")
}

fn held() -> HeldFiles {
    HeldFiles::new()
        .file("unnumbered.csv", "email\na.one@b.example\na.one@c.example\n")
        .file("good.csv", "id,email\na,a@b.example\n")
        .file("ragged.csv", "id,email\na,a@b.example\nb\n")
        .file("nameless.csv", "name\nAnn\n")
        .file("twice.csv", "id,email\na,a@b.example\na,b@b.example\n")
        .file("other.csv", "id,email\na,other@b.example\n")
        .file("control.csv", "id,email,name\na,a@b.example,\"x\ry\"\n")
        .file("placed.csv", "id,email,place\na,a@b.example,mars\n")
        .file("empty.csv", "id,email\n")
        .file("phones.csv", "id,phone\na,+41445550101\nb,\nc,\n")
        .file("wrong.csv", "id,email\na,a@b.example\nb,b.example\n")
        .file("opted.csv", "id,email,opted_out\na,a@b.example,no\nb,b@b.example,yes\nc,c@b.example,perhaps\n")
        .file("broken.md", "Hello\n\n  {{ release.product\n")
        .file("alike.csv", "id,email\nb,b@b.example\nbob,ANN@b.example\n")
        .file("secret.md", "Hello\n\nSet up {password: hunter2hunter2}\n")
        .file("unfinished.md", "Hello\n\nCall [your name] `TBD`\n")
        .file("good.en.md", "{{ release.what | length }}")
        .file("good.de.md", "{{ release.what | length }}")
}

/// What is known where a case needs it.
pub(crate) fn deployment(code: &str) -> Deployment {
    let email = Mechanism::new("email").unwrap();
    let webhook = Mechanism::new("webhook").unwrap();
    let hooks = ChannelFacts::new(Capabilities::new(Addressing::Each, Assurance::Accepted)).endpoints(["forum"]);
    let mail = ChannelFacts::new(Capabilities::new(Addressing::Each, Assurance::Delivered));
    match code {
        "RC0413" | "RC0502" => Deployment::unknown().channels([(email, mail), (webhook, hooks)]),
        "RC0601" => Deployment::unknown().now(Moment::parse("2027-05-12T07:00:01Z").unwrap()),
        "RC0604" => Deployment::unknown().tick(Duration::from_secs(300)),
        _ => Deployment::unknown(),
    }
}

#[test]
fn the_usual_parts_have_no_fault_and_use_no_default() {
    assert_eq!(shown(&findings(&assemble(&[]), &files(), &Deployment::unknown())), "");
}

#[test]
fn each_broken_plan_has_its_one_finding_at_its_place() {
    let mut wrong = String::new();
    for case in plans::all() {
        let (plan, mark) = unmarked(&assemble(case.parts));
        let found = findings(&plan, &files(), &deployment(case.code));
        let is_default = case.code.starts_with("RC08");
        let said: Vec<String> = found
            .iter()
            .filter(|finding| is_fault(finding) || is_default)
            .filter(|finding| !is_default || is_fault(finding) || finding.code == case.code)
            .map(|finding| {
                let at = finding.at.as_ref().expect("every finding has a position");
                format!("{} {}:{}:{}", finding.code, at.file, at.line, at.column)
            })
            .collect();
        let expected = vec![format!("{} {}", case.code, mark.as_deref().unwrap_or(case.at))];
        if said != expected {
            wrong.push_str(&format!("expected {expected:?}\nfound {}\nin\n{plan}\n", shown(&found)));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_is_past_is_an_error_only_where_people_are_really_told() {
    let plan = assemble(&[]);
    let at = |now: &str| Deployment::unknown().now(Moment::parse(now).unwrap());
    let found = |deployment: &Deployment| {
        let found = findings(&plan, &files(), deployment);
        let past = found.iter().find(|finding| finding.code == "RC0601").map(relcomm_core::plan::Finding::is_error);
        (past, found.iter().filter(|finding| finding.is_error()).count())
    };
    let late = at("2027-05-13T07:00:01Z");
    assert_eq!((found(&late), found(&late.clone().live())), ((Some(false), 0), (Some(true), 1)));
    // Who tells of it when it is done is later than it was planned for.
    assert_eq!(found(&at("2027-05-13T07:00:00Z").live()), (Some(false), 0));
    assert_eq!(found(&at("2027-05-12T07:00:00Z").live()), (None, 0));
}

#[test]
fn no_finding_about_people_shows_their_address_or_line() {
    for file in ["ragged.csv", "twice.csv", "other.csv", "control.csv", "wrong.csv", "opted.csv"] {
        let groups = format!(
            "groups:\n  staff: {{ owner: ada, via: email, informed_when: accepted, members: {file} }}\n  \
             more: {{ members: good.csv, waived: {{ why: No need, by: ada }} }}\n"
        );
        let plan = assemble(&[]).replace(GROUPS, &groups);
        let found = findings(&plan, &files(), &Deployment::unknown());
        assert!(found.iter().any(is_fault), "{file}");
        assert!(!shown(&found).contains("@b.example"), "{}", shown(&found));
    }
}

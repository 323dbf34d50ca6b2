//! What a careful reader would say, and what they would not.

use super::support::{COMMUNIQUES, GROUPS, HEAD, RELEASE, RESPONSIBLE, findings, is_fault, shown};
use relcomm_core::clock::Moment;
use relcomm_core::plan::{Finding, HeldFiles, PlanDraft, Settings, Severity};
use relcomm_core::validate::{Deployment, standard_rules, validate};

/// The faults of a plan of these parts, each in place of the usual one of its first word; what nothing acts on yet is left out.
fn faults_at(parts: &[&str], files: &HeldFiles, deployment: &Deployment) -> Vec<Finding> {
    let key = |part: &str| part.split(':').next().unwrap_or_default().to_owned();
    let usual = [HEAD, RELEASE, RESPONSIBLE, GROUPS, COMMUNIQUES];
    let mut plan: String =
        usual.iter().map(|part| *parts.iter().find(|given| key(given) == key(part)).unwrap_or(part)).collect();
    for part in parts.iter().filter(|given| usual.iter().all(|part| key(part) != key(given))) {
        plan.push_str(part);
    }
    let mut found = findings(&plan, files, deployment);
    found.retain(|finding| is_fault(finding) && !finding.code.starts_with("RC09"));
    found
}

fn faults(parts: &[&str]) -> Vec<Finding> {
    faults_at(parts, &HeldFiles::new(), &Deployment::unknown())
}

fn codes(parts: &[&str]) -> Vec<&'static str> {
    faults(parts).iter().map(|finding| finding.code).collect()
}

fn release(from: &str, to: &str) -> String {
    assert!(RELEASE.contains(from));
    RELEASE.replace(from, to)
}

/// One communique with these keys more.
fn out(keys: &str) -> String {
    COMMUNIQUES.replace(" }\n", &format!(", {keys} }}\n"))
}

const NONE: [&str; 0] = [];

#[test]
fn a_version_is_judged_in_every_format_and_only_where_it_stands_without_quotes() {
    let read = |file: &str, version: &str| {
        let (draft, source) = match file {
            "plan.json" => PlanDraft::read(
                file,
                format!("{{\"plan\":1,\"release\":{{\"product\":\"A\",\"version\":{version}}}}}").as_bytes(),
            ),
            "plan.toml" => {
                PlanDraft::read(file, format!("plan = 1\n[release]\nproduct = \"A\"\nversion = {version}\n").as_bytes())
            }
            _ => PlanDraft::read(file, format!("plan: 1\nrelease: {{ product: A, version: {version} }}\n").as_bytes()),
        }
        .unwrap();
        let judged = validate(&draft, &source, &HeldFiles::new(), &Deployment::unknown(), &standard_rules());
        judged.findings().iter().any(|finding| finding.code == "RC0007")
    };
    for file in ["plan.yaml", "plan.toml", "plan.json"] {
        assert!(read(file, "1.10"), "{file}");
        assert!(!read(file, "\"1.10\"") && !read(file, "1.1"), "{file}");
    }
    let text = "plan: 1\nparams: { tag: { env: TAG } }\nrelease: { product: A, version: '{{ params.tag }}' }\n";
    let mut settings = Settings::default();
    settings.set.insert("tag".into(), "1.10".into());
    let (draft, source) = PlanDraft::read_with("plan.yaml", text.as_bytes(), &settings).unwrap();
    let judged = validate(&draft, &source, &HeldFiles::new(), &Deployment::unknown(), &standard_rules());
    assert!(!judged.findings().iter().any(|finding| finding.code == "RC0007"), "{}", shown(judged.findings()));
}

#[test]
fn a_secret_is_shown_by_no_finding_not_even_another_one_of_its_line() {
    let groups =
        "groups:\n  staff: { webhook: 'https://ada:hunter2hunter2@h.example', via: [webhook, fax], owner: ada }\n";
    let found = faults(&[groups]);
    assert_eq!(found.iter().map(|f| f.code).collect::<Vec<_>>(), ["RC0008", "RC0501"]);
    assert!(!shown(&found).contains("hunter2"), "{}", shown(&found));
    let files = HeldFiles::new().file("a.md", "{{ release.what | length }}\npassword: hunter2hunter2\n");
    let communiques = "communiques:\n  out: { to: staff, at: declared, per: release, text_file: a.md }\n";
    let found = faults_at(&[communiques], &files, &Deployment::unknown());
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].at.as_ref().map(|at| (at.file.as_str(), at.line)), Some(("a.md", 2)));
    assert!(!shown(&found).contains("hunter2"), "{}", shown(&found));
}

#[test]
fn what_is_declared_and_used_anywhere_is_no_finding() {
    let used = [
        "params: { who: Ada }\n",
        "responsible: { execute: '{{ params.who }} <ada@b.example>', performers: { lead: Lea <lea@b.example> } }\n",
        "mechanisms: { ticket: { proves: accepted } }\n",
        "groups:\n  staff: { owner: ada, members: m.csv, via: [email, { via: ticket, performer: lead }], informed_when: accepted }\n",
    ];
    let files = HeldFiles::new().file("m.csv", "id,email\na,a@b.example\n");
    assert_eq!(faults_at(&used, &files, &Deployment::unknown()), []);
    // A parameter that only a text uses, by the name that templates know it by.
    assert_eq!(codes(&["params: { the-room: Blue }\n", &out("subject: 'In {{ params.the_room }}'")]), NONE);
    assert_eq!(codes(&["params: { the-room: Blue }\n", &out("subject: 'In params.the-rooms'")]), ["RC0106"]);
}

#[test]
fn a_misspelt_use_is_one_finding_and_not_two() {
    assert_eq!(codes(&["approvals:\n  roles: { legal: [jon] }\n  need: leagl\n"]), ["RC0101"]);
    let groups =
        "groups:\n  staff: { owner: ada, email: a@b.example, via: [email, tikcet], informed_when: accepted }\n";
    assert_eq!(codes(&["mechanisms: { ticket: { proves: accepted } }\n", groups]), ["RC0501"]);
}

#[test]
fn a_part_that_is_given_to_nobody_is_found_by_role_and_by_word() {
    let roles = "approvals:\n  roles: { owner: [mia], empty: [] }\n  need: owner\n";
    let protocol = |declare: &str| {
        let protocol = format!("protocol: {{ declare: {declare} }}\n");
        faults(&[roles, &protocol])
            .into_iter()
            .filter(|f| f.code == "RC0107")
            .map(|f| (f.severity, f.help))
            .collect::<Vec<_>>()
    };
    assert_eq!(protocol("[owner, mia, ada, responsible]"), []);
    assert_eq!(protocol("empty")[0].0, Severity::Error);
    let near = protocol("onwer");
    assert_eq!(near, [(Severity::Warning, Some("did you mean `owner`?".into()))]);
    let lift = "embargo: { until: 2027-05-12T07:00Z, lift: Miaa }\n";
    let found = faults(&["approvals:\n  roles: { owner: [mia] }\n  need: owner\n", lift]);
    assert_eq!(found.iter().map(|f| (f.code, f.path.as_str())).collect::<Vec<_>>(), [("RC0107", "embargo.lift")]);
}

#[test]
fn one_person_on_both_sides_is_a_warning_and_an_error_where_two_are_asked_for() {
    let of = |approvals: &str, more: &[&str]| {
        let approvals = format!("approvals:\n{approvals}");
        let mut parts = vec![approvals.as_str()];
        parts.extend(more);
        faults(&parts).into_iter().filter(|f| f.code == "RC0205").map(|f| f.severity).collect::<Vec<_>>()
    };
    let alone = "  roles: { owner: [ada] }\n  need: owner\n";
    assert_eq!(of(alone, &[]), [Severity::Warning]);
    assert_eq!(of(&format!("{alone}  distinct: [approve, execute]\n"), &[]), [Severity::Error]);
    assert_eq!(of("  roles: { owner: [ada, mia] }\n  need: owner\n", &[]), []);
    let backup = "responsible: { execute: Ada <ada@b.example>, backup: Ben <ben@b.example> }\n";
    assert_eq!(of(alone, &[backup]), []);
    // Everyone may declare unless the protocol says who.
    let declares = "  roles: { owner: [mia] }\n  need: owner\n  distinct: [approve, declare]\n";
    assert_eq!(of(declares, &[]), []);
    assert_eq!(of(declares, &["protocol: { declare: mia }\n"]), [Severity::Error]);
    assert_eq!(of(declares, &["protocol: { declare: owner }\n"]), [Severity::Error]);
    assert_eq!(of("  distinct: [declare, execute]\n", &["protocol: { declare: ada }\n"]), [Severity::Error]);
}

#[test]
fn whoever_waits_for_what_is_never_due_is_never_due() {
    let communiques = "communiques:
  out: { to: staff, at: declared, per: release, text: '{{ release.what | length }}' }
  never: { to: staff, at: embargo, per: release }
  then: { to: staff, at: declared, per: release, after: never accepted }
";
    let paths =
        |parts: &[&str]| faults(parts).into_iter().filter(|f| f.code == "RC0304").map(|f| f.path).collect::<Vec<_>>();
    assert_eq!(paths(&[communiques]), ["communiques.never.at", "communiques.then.after"]);
    let ends = "communiques:\n  out: { to: staff, at: declared, deadline: embargo +1h, not_after: embargo +2h }\n";
    let missing: Vec<_> = faults(&[ends]).into_iter().filter(|f| f.code == "RC0101").map(|f| f.path).collect();
    assert_eq!(missing, ["communiques.out.deadline", "communiques.out.not_after"]);
    assert_eq!(paths(&[communiques, "embargo: planned\n"]), Vec::<String>::new());
}

#[test]
fn people_who_share_an_address_are_counted_and_the_first_of_them_is_placed() {
    let mut csv = String::from("id,email,pager\n");
    for i in 0..5_000 {
        let email = if i % 1_000 == 999 { "Shared.1@b.example".to_owned() } else { format!("p{i}@b.example") };
        csv.push_str(&format!("p{i},{email},rota\n"));
    }
    csv.push_str("q1,shared.2@b.example,rota\nq2,SHARED.2@b.example,rota\n");
    let groups = "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: m.csv }\n";
    let found = faults_at(&[groups], &HeldFiles::new().file("m.csv", csv), &Deployment::unknown());
    let [finding] = found.as_slice() else { panic!("{}", shown(&found)) };
    assert_eq!(finding.code, "RC0416");
    assert_eq!(finding.message, "2 addresses for `email` are each given to several people, 7 in all");
    // The second of those who share, 1,999, stands after the header and 1,999 others.
    assert_eq!(finding.at.as_ref().map(|at| (at.file.as_str(), at.line)), Some(("m.csv", 2_001)));
    assert!(!shown(&found).to_lowercase().contains("shared."), "{}", shown(&found));
}

#[test]
fn those_who_must_be_informed_and_cannot_are_named_by_their_ids() {
    let mut csv = String::from("id,phone,email\nbea,,bea@b.example\n");
    for i in 0..14 {
        csv.push_str(&format!("p{i},+4144555010{},\n", i % 10));
    }
    let csv = csv.replace("+4144555010", "+41445550");
    let groups =
        "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, must_inform: true, members: m.csv }\n";
    let found = faults_at(&[groups], &HeldFiles::new().file("m.csv", csv), &Deployment::unknown());
    let unreachable: Vec<&Finding> = found.iter().filter(|f| f.code == "RC0417").collect();
    let [finding] = unreachable.as_slice() else { panic!("{}", shown(&found)) };
    assert!(finding.message.starts_with("14 members of `staff`"), "{}", finding.message);
    assert!(
        finding
            .message
            .ends_with("`p0`, `p1`, `p2`, `p3`, `p4`, `p5`, `p6`, `p7`, `p8`, `p9`, `p10`, `p11` and 2 more")
    );
    assert!(!found.iter().any(|f| f.code == "RC0410"));
}

#[test]
fn steps_are_in_time_up_to_the_moment_that_is_set() {
    let groups = |more: &str| {
        format!(
            "groups:\n  staff: {{ owner: ada, informed_when: accepted, via: [email, {{ via: phone, unless: delivered, within: 4h }}], \
             {more} members: [{{ email: a@b.example, phone: +41445550101 }}] }}\n"
        )
    };
    let late = |group: &str, keys: &str| codes(&[&groups(group), &out(keys)]);
    assert_eq!(late("", "not_after: declared +4h"), NONE);
    assert_eq!(late("", "not_after: declared +3h59m"), ["RC0609"]);
    assert_eq!(late("", "deadline: declared +4h"), NONE);
    assert_eq!(late("", "deadline: declared +3h"), ["RC0609"]);
    assert_eq!(late("", "for: { staff: { deadline: declared +3h } }"), ["RC0609"]);
    assert_eq!(late("within: 4h,", "covers: [export]"), NONE);
    assert_eq!(late("within: 3h,", "covers: [export]"), ["RC0609"]);
    // Nothing is known of a day against hours.
    assert_eq!(late("", "not_after: declared +1d"), NONE);

    let then = |wait: &str, end: &str| {
        let then = format!(
            "{COMMUNIQUES}  then: {{ to: staff, at: declared, via: email, per: release, after: out {wait}, {end} }}\n"
        );
        codes(&[&groups(""), &then])
    };
    assert_eq!(then("delivered", "not_after: declared +4h"), NONE);
    assert_eq!(then("delivered", "not_after: declared +3h"), ["RC0609"]);
    // Who only waits for the acceptance does not wait for the step that follows it.
    assert_eq!(then("accepted", "not_after: declared +3h"), NONE);
}

#[test]
fn times_beside_those_of_communiques_are_judged_too() {
    let now = |text: &str| Deployment::unknown().now(Moment::parse(text).unwrap());
    let at = |parts: &[&str], deployment: &Deployment| {
        let found = faults_at(parts, &HeldFiles::new(), deployment);
        found.into_iter().map(|finding| (finding.code, finding.path)).collect::<Vec<_>>()
    };
    let before = now("2027-01-01T00:00:00Z");
    let embargo = |until: &str| format!("embargo: {{ until: {until} }}\n");
    assert_eq!(at(&[&embargo("2026-12-31T23:59Z")], &before), [("RC0601", "embargo.until".to_owned())]);
    assert_eq!(at(&[&embargo("2037-12-31T23:59Z")], &before), [("RC0608", "embargo.until".to_owned())]);
    assert_eq!(at(&[&embargo("2027-12-31T23:59Z")], &before), []);
    let deadline = out("deadline: 2026-12-31T23:59Z");
    assert_eq!(at(&[&deadline], &before), [("RC0601", "communiques.out.deadline".to_owned())]);
    let local = ["plan: 1\nid: p\n", &out("deadline: 2027-12-31T23:59")];
    assert_eq!(at(&local, &Deployment::unknown()), [("RC0605", "communiques.out.deadline".to_owned())]);
    let local = ["plan: 1\nid: p\n", "embargo: 2027-12-31T23:59\n"];
    assert_eq!(at(&local, &Deployment::unknown()), [("RC0605", "embargo.until".to_owned())]);
    // Five years and no more.
    assert_eq!(at(&[&release("2027-05-12", "2031-12-31")], &before), []);
    assert_eq!(at(&[&release("2027-05-12", "2032-01-31")], &before), [("RC0608", "release.when".to_owned())]);
}

#[test]
fn a_text_is_judged_at_its_place_in_its_own_file() {
    let text =
        "# Billing\n\n{{ release.what | length }}: Billing 1.1 is\nplanned for 2027-05-11, see <http://localhost/>.\n";
    let communiques = "communiques:\n  out: { to: staff, at: declared, per: release, text_file: a.md }\n";
    let found = faults_at(&[communiques], &HeldFiles::new().file("a.md", text), &Deployment::unknown());
    let places: Vec<_> =
        found.iter().map(|f| (f.code, f.at.as_ref().map_or((0, 0), |at| (at.line, at.column)))).collect();
    assert_eq!(places, [("RC0707", (3, 38)), ("RC0708", (4, 13)), ("RC0711", (4, 30))]);
    assert!(found.iter().all(|finding| finding.severity == Severity::Warning));
}

#[test]
fn what_a_text_says_is_in_no_message_where_it_may_be_classified() {
    let text = "Billing 1.1 is\nplanned for 2027-05-11.\n";
    let communiques = "communiques:\n  out: { to: staff, at: declared, per: release, text_file: a.md }\n";
    let files = HeldFiles::new().file("a.md", text);
    let said = |parts: &[&str]| {
        let found = faults_at(parts, &files, &Deployment::unknown()).into_iter();
        found.filter(|f| matches!(f.code, "RC0707" | "RC0708")).map(|f| f.message).collect::<Vec<_>>()
    };
    let quotes = |said: &[String]| said.iter().filter(|m| m.contains("1.1") || m.contains("2027-05-11")).count();
    assert_eq!(quotes(&said(&[communiques])), 2);
    let under_embargo = said(&[communiques, "embargo: { until: 2027-05-20T12:00Z }\n"]);
    assert_eq!((under_embargo.len(), quotes(&under_embargo)), (2, 0), "{under_embargo:?}");
}

#[test]
fn a_profile_is_kept_by_every_text_of_its_communique() {
    let profiles = "profiles: { legal: { must_state: [release.what, item.export, release.how.support] } }\n";
    let stated = "profile: legal, subject: '{{ release.how.support }}'";
    let text = |text: &str| {
        COMMUNIQUES.replace("{{ release.what | length }}", text).replace(" }\n", &format!(", {stated} }}\n"))
    };
    assert_eq!(codes(&[profiles, &text("{{ release.what | length }} {{ release.how.support }}")]), NONE);
    // The subject is not the text, and an item does not state all of them.
    assert_eq!(codes(&[profiles, &text("{{ release.what | length }}")]), ["RC0710"]);
    let found = faults(&[profiles, &text("{{ item.export }}")]);
    assert!(found[0].message.contains("does not use `release.what`, `release.how.support`,"), "{}", found[0].message);
    // The built-in text states the six answers.
    assert_eq!(
        codes(&[profiles, "communiques:\n  out: { to: staff, at: declared, per: release, profile: legal }\n"]),
        NONE
    );
    let unknown = "profiles: { legal: { must_state: [release.waht] } }\n";
    let found = faults(&[unknown, "communiques:\n  out: { to: staff, at: declared, per: release, profile: legal }\n"]);
    assert_eq!(found.len(), 1);
    assert!(
        found.iter().any(|f| f.code == "RC0701" && f.help.as_deref() == Some("did you mean `what` for `waht`?")),
        "{}",
        shown(&found)
    );
}

#[test]
fn a_word_that_is_no_key_of_a_member_is_likened_to_one() {
    let help = |word: &str| {
        let groups = format!("groups: {{ staff: {{ members: [{{ id: a, email: a@anvil.example, {word}: x }}] }} }}\n");
        let found = faults(&[&groups]);
        assert_eq!(found.iter().map(|f| f.code).collect::<Vec<_>>(), ["RC0501"], "{word}");
        found.first().and_then(|f| f.help.clone()).unwrap_or_default()
    };
    assert_eq!(help("lang"), "did you mean `language`?");
    assert_eq!(help("nmae"), "did you mean `name`?");
    assert_eq!(help("emial"), "did you mean `email`?");
    assert!(help("company").starts_with("what texts say of somebody stands under `vars: { company: … }`"));
}

#[test]
fn a_variable_that_looks_like_a_key_is_no_slip_where_a_text_uses_it() {
    let groups = "groups: { staff: { members: [{ id: a, email: a@anvil.example, vars: { langauge: de } }] } }\n";
    let found = faults(&[groups]);
    assert_eq!(found.iter().map(|f| f.code).collect::<Vec<_>>(), ["RC0419"]);
    assert_eq!(found.first().and_then(|f| f.help.as_deref()), Some("did you mean `language`?"));
    let column = found.first().and_then(|f| f.at.as_ref()).map(|at| at.column);
    assert_eq!(column, groups.find("{ id: a").map(|at| at + 1), "it points at the first who has it");
    let text = "communiques: { out: { to: staff, text: \"{{ person.langauge }} {{ release.what | length }}\" } }\n";
    assert_eq!(codes(&[groups, text]), NONE);
}

#[test]
fn what_a_text_asks_for_somebody_for_whom_it_is_has() {
    let groups = "groups:\n  staff: { members: [{ id: a, email: a@anvil.example, vars: { desk-no: 7 } }] }\n  guests: { members: [{ id: b, email: b@anvil.example }] }\n";
    let asks = |to: &str, of: &str| {
        let text = format!(
            "communiques: {{ out: {{ to: {to}, text: \"{{{{ {of} | default('') }}}} {{{{ release.what | length }}}}\" }}, all: {{ to: [staff, guests] }} }}\n"
        );
        let found = faults(&[groups, &text]);
        found.iter().map(|f| (f.code, f.help.clone().unwrap_or_default())).collect::<Vec<_>>()
    };
    assert_eq!(asks("staff", "person.desk_no"), []);
    assert_eq!(asks("[staff, guests]", "person.desk_no"), [], "one of them has it");
    assert_eq!(asks("guests", "person.zone"), [], "everybody may have it");
    let wanting = asks("guests", "person.desk_no");
    assert_eq!(wanting.iter().map(|(code, _)| *code).collect::<Vec<_>>(), ["RC0714"]);
    assert!(wanting.iter().all(|(_, help)| help.contains("under `vars: { desk_no: … }`")), "{wanting:?}");
    assert_eq!(asks("staff", "person.deskno"), [("RC0714", "did you mean `desk_no`?".to_owned())]);
}

#[test]
fn all_words_of_a_message_are_in_one_language() {
    let found = |group: &str, communique: &str| {
        let members =
            "{ id: a, email: a@anvil.example, language: de-CH }, { id: b, email: b@anvil.example, language: en }";
        let groups = format!("groups: {{ staff: {{ members: [{members}]{group} }} }}\n");
        let text = format!("communiques: {{ out: {{ to: staff, covers: [a], {communique} }} }}\n");
        let found = faults(&[
            "release: { product: Anvil, version: 2.0.0, what: [{ id: a, text: Folders }], why: It was asked for., how: Choose Share. }\n",
            &groups,
            &text,
        ]);
        found.iter().map(|f| format!("{} {} {}", f.code, f.path, f.message)).collect::<Vec<_>>()
    };
    let both = "text: { en: Folders., de: Ordner. }";
    let subject = "subject: { en: Ready, de: Fertig }";
    assert_eq!(found("", &format!("{subject}, {both}")), NONE);
    assert_eq!(found("", "text: Folders."), NONE, "nobody says in which language that is");
    assert_eq!(
        found("", &format!("{subject}, text: {{ en: Folders. }}")),
        NONE,
        "who reads German gets English, as a whole"
    );
    assert_eq!(
        found("", both),
        ["RC0715 communiques.out the built-in `subject` is English, and members of `staff` are told in `de`"]
    );
    assert_eq!(
        found("", &format!("subject: {{ en: Ready }}, {both}")),
        ["RC0715 communiques.out.subject `subject` has no words in `de`, in which members of `staff` are told"]
    );
    assert_eq!(
        found(
            "",
            &format!(
                "{subject}, {both}, for: {{ staff: {{ subject: {{ en: Ready }}, text: {{ en: Your folders. }} }} }}"
            )
        ),
        [
            "RC0715 communiques.out.for.staff who reads `de-CH` is told in `en` here, although the communique has words in it"
        ]
    );
    assert_eq!(
        found(", languages: de, fallback: de", "text: Ordner."),
        [
            "RC0418 groups.staff.languages one member reads another language than those of `staff`, and will be told in `de`",
            "RC0715 communiques.out the built-in `subject` is English, and members of `staff` are told in `de`"
        ]
    );
}

#[test]
fn a_misspelt_key_of_a_group_is_likened_to_its_keys_and_is_no_address() {
    let groups = |word: &str| format!("groups: {{ staff: {{ members: [a@anvil.example], {word} }} }}\n");
    let found = faults(&[&groups("requires: 90%")]);
    let said: Vec<_> = found.iter().map(|f| (f.code, f.message.as_str(), f.help.as_deref())).collect();
    let message = "`requires` is no key of a group, and neither a standard mechanism nor declared";
    assert_eq!(said, [("RC0501", message, Some("did you mean `require`?"))]);
    let codes = faults(&[&groups("email: list@anvil.example")]).iter().map(|f| f.code).collect::<Vec<_>>();
    assert_eq!(codes, ["RC0104"], "it has an address and members");
}

#[test]
fn a_webhook_that_calls_back_may_acknowledge() {
    let groups = "groups: { staff: { members: [{ id: a, webhook: https://hooks.anvil.example/a }], via: webhook, informed_when: acknowledged } }\n";
    assert_eq!(codes(&[groups]), NONE);
}

#[test]
fn an_unknown_variable_is_found_in_its_line_of_a_text_in_the_plan() {
    let text = "communiques:\n  out:\n    to: all\n    covers: [item-1]\n    text:\n      en: |\n        {{ release.product }} is out:\n        {{ release.prod }}.\n      de: \"{{ release.product }}\"\n";
    let found = faults(&[text]);
    let said: Vec<_> =
        found.iter().filter(|f| f.code == "RC0701").map(|f| (f.path.as_str(), f.message.as_str())).collect();
    let message = "there is no variable `release.prod`, in line 2 of the text";
    assert_eq!(said, [("communiques.out.text.en", message)]);
}

#[test]
fn whoever_is_in_several_groups_is_judged_once_as_they_are_told() {
    let communiques = |keys: &str| {
        format!(
            "communiques:\n  out: {{ to: [staff, more], at: declared, per: release, {keys}text: \"{{{{ release.what | length }}}}\" }}\n"
        )
    };
    // Nobody is reached by the pager of the second group but whoever is in it alone.
    let groups = |pager: &str| {
        format!(
            "groups:\n  staff: {{ owner: ada, via: email, informed_when: accepted, members: [a@b.example] }}\n  more: {{ via: pager, informed_when: accepted, members: [a@b.example, {{ id: b, email: b@b.example{pager} }}] }}\n"
        )
    };
    assert_eq!(codes(&[&groups(", pager: x"), &communiques("")]), NONE);
    let found = faults(&[&groups(""), &communiques("")]);
    assert_eq!(found.iter().map(|f| f.code).collect::<Vec<_>>(), ["RC0410"]);
    assert!(shown(&found).contains("one member of `more` cannot be reached"), "{}", shown(&found));
    // `for` names the second group, and holds for whoever is in it and another.
    let found = faults(&[&groups(", pager: x"), &communiques("for: { more: { via: pager } }, ")]);
    assert!(shown(&found).contains("one member of `staff` and `more` cannot be reached"), "{}", shown(&found));
    assert!(shown(&found).contains("told by the steps of the first, unless"), "{}", shown(&found));

    // What concerns a group reaches its members through another of theirs.
    let release = release("Faster export }", "Faster export, concerns: more }");
    let communiques = "communiques:\n  out: { to: staff, at: declared, per: release, text: \"{{ item.export }}\" }\n  also: { to: more, at: declared, per: release, text: Ready. }\n";
    let groups = |members: &str| {
        format!(
            "groups:\n  staff: {{ owner: ada, via: email, informed_when: accepted, members: [a@b.example] }}\n  more: {{ via: email, informed_when: accepted, members: [{members}] }}\n"
        )
    };
    assert_eq!(codes(&[&release, &groups("a@b.example"), communiques]), NONE);
    assert_eq!(codes(&[&release, &groups("a@b.example, b@b.example"), communiques]), ["RC0302"]);
}

#[test]
fn an_item_of_one_place_is_told_where_it_is_and_a_company_of_the_opted_out_lacks_nobody() {
    let release = release("Faster export }", "Faster export, places: us }").replace("production", "[eu, us]");
    let groups = "groups:\n  staff: { owner: ada, via: email, informed_when: accepted, members: [{ email: a@b.example, place: [eu, us] }] }\n";
    let at = |place: &str| {
        format!(
            "communiques:\n  out: {{ to: staff, at: declared, per: place, if: {{ place: {place} }}, text: \"{{{{ release.what | length }}}}\" }}\n"
        )
    };
    assert_eq!(codes(&[&release, groups, &at("us")]), NONE);
    assert_eq!(codes(&[&release, groups, &at("eu")]), ["RC0302"]);
    let groups = |wish: &str| {
        format!(
            "groups:\n  staff: {{ owner: ada, via: email, informed_when: accepted, {wish}members: [{{ id: a, email: a@b.example, vars: {{ firm: acme, role: dev }} }}, {{ id: b, email: b@b.example, opted_out: true, vars: {{ firm: bolt }} }}], require: {{ one_per: firm, among: {{ role: dev }} }} }}\n"
        )
    };
    assert_eq!(codes(&[&groups("")]), NONE);
    assert_eq!(codes(&[&groups("opt_out: ignore, ")]), ["RC0422"]);
}

//! What people write arrives as they mean it.

use super::{EVERYTHING, MEDIUM, S1, TINY, read};
use relcomm_core::communique::{Per, State};
use relcomm_core::plan::draft::{
    BlockedThen, GroupShape, HowDraft, ItemDraft, MemberDraft, MembersDraft, ParamDraft, Quantifier, RequireDraft,
    StepDraft, TextDraft, ToDraft, ViaDraft, WhatDraft, WhereDraft,
};
use relcomm_core::plan::source::{Format, Source};
use relcomm_core::plan::{PlanDraft, Settings};
use relcomm_core::receipt::Assurance;

const SMALL_YAML: &str = r#"
plan: 1
zone: Europe/London
release:
  product: tinycodec
  version: 0.9.0
  what: [one, { id: two, text: Two, concerns: users }]
  why: "no"
  where: { eu: { platforms: [web] }, b.c: {} }
  how: cargo add
  when: { planned: 2027-05-12T07:00:00, lasts: 4h }
responsible: Ada Osei <ada@b.example>
exposure: 50
groups:
  users: { webhook: forum, must_inform: true }
  packagers: members/packagers.csv
communiques:
  out:
    to: [users, packagers]
    at: { from: declared, plus: 15m }
    via: [email, { via: pager, unless: acknowledged, within: 10m }]
"#;

const SMALL_TOML: &str = r#"
plan = 1
zone = "Europe/London"
responsible = "Ada Osei <ada@b.example>"
exposure = 50

[release]
product = "tinycodec"
version = "0.9.0"
what = ["one", { id = "two", text = "Two", concerns = "users" }]
why = "no"
where = { eu = { platforms = ["web"] }, "b.c" = {} }
how = "cargo add"
when = { planned = 2027-05-12T07:00:00, lasts = "4h" }

[groups]
users = { webhook = "forum", must_inform = true }
packagers = "members/packagers.csv"

[communiques.out]
to = ["users", "packagers"]
at = { from = "declared", plus = "15m" }

[[communiques.out.via]]
via = "email"

[[communiques.out.via]]
via = "pager"
unless = "acknowledged"
within = "10m"
"#;

const SMALL_JSON: &str = r#"{
  "plan": 1, "zone": "Europe/London", "exposure": 50,
  "release": {
    "product": "tinycodec", "version": "0.9.0", "why": "no",
    "what": ["one", { "id": "two", "text": "Two", "concerns": "users" }],
    "where": { "eu": { "platforms": ["web"] }, "b.c": {} }, "how": "cargo add",
    "when": { "planned": "2027-05-12T07:00:00", "lasts": "4h" }
  },
  "responsible": "Ada Osei <ada@b.example>",
  "groups": { "users": { "webhook": "forum", "must_inform": true }, "packagers": "members/packagers.csv" },
  "communiques": { "out": {
    "to": ["users", "packagers"], "at": { "from": "declared", "plus": "15m" },
    "via": ["email", { "via": "pager", "unless": "acknowledged", "within": "10m" }]
  } }
}"#;

#[test]
fn the_examples_load_unchanged() {
    for (file, text) in [("medium.yaml", MEDIUM), ("tiny.yaml", TINY), ("s1.yaml", S1), ("everything.yaml", EVERYTHING)]
    {
        if let Err(findings) = read(file, text) {
            panic!("{findings}");
        }
    }
}

#[test]
fn three_formats_of_one_plan_are_one_draft() {
    let yaml = read("p.yaml", SMALL_YAML).unwrap();
    let json = read("p.json", SMALL_JSON).unwrap();
    let toml = read(
        "p.toml",
        &SMALL_TOML.replace("\n\n[[communiques.out.via]]\nvia = \"email\"\n", "\n").replace(
            "[[communiques.out.via]]\nvia = \"pager\"\nunless = \"acknowledged\"\nwithin = \"10m\"\n",
            "via = [\"email\", { via = \"pager\", unless = \"acknowledged\", within = \"10m\" }]\n",
        ),
    )
    .unwrap();
    assert_eq!(yaml, json);
    assert_eq!(yaml, toml);
    // An array of tables is a list like any other.
    let tables = read("p.toml", SMALL_TOML).unwrap();
    let Some(ViaDraft::Steps(steps)) = &tables.communiques.values().next().unwrap().via else { panic!() };
    assert_eq!(steps.len(), 2);
}

#[test]
fn tables_keep_the_order_of_the_file_in_every_format() {
    let toml =
        "plan = 1\n[communiques.zeta]\nto='a'\n[communiques.alpha]\nto='a'\n[release]\nproduct='p'\nversion='1'\n";
    let draft = read("p.toml", toml).unwrap();
    assert_eq!(
        draft.communiques.keys().map(relcomm_core::id::CommuniqueId::as_str).collect::<Vec<_>>(),
        ["zeta", "alpha"]
    );
}

#[test]
fn text_stays_as_it_was_written() {
    for written in ["0.9.0", "2026.10", "1.10", "no", "0x1F", "1e3", "007", "2027-05-12", "true"] {
        let draft = read("p.yaml", &SMALL_YAML.replace("0.9.0", written)).unwrap();
        assert_eq!(draft.release.version, written);
    }
    let toml = read("p.toml", &SMALL_TOML.replace("version = \"0.9.0\"", "version = 1.10")).unwrap();
    assert_eq!(toml.release.version, "1.10");
    let json = read("p.json", &SMALL_JSON.replace("\"0.9.0\"", "1.10")).unwrap();
    assert_eq!(json.release.version, "1.10");
}

#[test]
fn medium_says_what_it_says() {
    let draft = read("medium.yaml", MEDIUM).unwrap();
    let groups: Vec<_> = draft.groups.keys().map(relcomm_core::id::GroupId::as_str).collect();
    assert_eq!(groups, ["support", "customers", "auditors", "staff", "change-board", "partners"]);
    let support = &draft.groups.get("support").unwrap().full;
    let Some(MembersDraft::Inline(members)) = &support.members else { panic!("{support:?}") };
    let MemberDraft::Full(desk) = &members[0] else { panic!() };
    assert_eq!(
        desk.addresses.keys().map(relcomm_core::mechanism::Mechanism::as_str).collect::<Vec<_>>(),
        ["email", "pager"]
    );
    assert_eq!(desk.addresses.get("pager").unwrap().address().as_str(), "support-rota");
    let Some(ViaDraft::Steps(steps)) = &support.via else { panic!() };
    let StepDraft::Full(step) = &steps[1] else { panic!() };
    assert_eq!(step.unless, Some(Assurance::Acknowledged));
    assert_eq!(draft.groups.get("customers").unwrap().full.require, Some(RequireDraft::Share(Quantifier::Share(9800))));

    let live = draft.communiques.get("live").unwrap();
    assert_eq!(live.after.0[0].communique.as_str(), "brief-support");
    assert_eq!(live.after.0[0].state.0, State::Reached(Assurance::Acknowledged));
    assert_eq!(live.if_blocked.as_ref().unwrap().then, BlockedThen::Ask("responsible".parse().unwrap()));
    assert_eq!(draft.communiques.get("townhall").unwrap().per, Some(Per::Release));
    let withdrawn = draft.communiques.get("withdrawn").unwrap();
    assert!(matches!(&withdrawn.to, ToDraft::Told(told) if told.told.as_str() == "live"));
    assert!(matches!(&withdrawn.via, Some(ViaDraft::AsTold(told)) if told.also.len() == 1));
}

#[test]
fn short_forms_say_the_same_as_long_ones() {
    let draft = read("tiny.yaml", TINY).unwrap();
    let WhatDraft(items) = draft.release.what.as_ref().unwrap();
    assert_eq!(items[0], ItemDraft::Text("no_std decoding".into()));
    assert_eq!(draft.release.places, Some(WhereDraft::One("crates.io".into())));
    assert_eq!(draft.groups.get("packagers").unwrap().shape, GroupShape::Text);
    let party = &draft.responsible.as_ref().unwrap().execute;
    assert_eq!(party.name.as_deref(), Some("Ada Osei"));
    assert_eq!(party.addresses.get("email").unwrap().address().as_str(), "ada@tinycodec.example");
}

#[test]
fn debug_shows_nobody() {
    let shown = format!("{:?}", read("everything.yaml", EVERYTHING).unwrap());
    for private in ["ada", "@b.example", "Lea", "leader-8", "+41", "CHG0031234", "mia", "cs-lead"] {
        assert!(!shown.contains(private), "{private}");
    }
}

#[test]
fn debug_of_a_source_shows_no_text() {
    let source = Source::parse("p.yaml", EVERYTHING.as_bytes(), Format::Yaml).unwrap();
    let shown = format!("{source:?} {:?}", source.root());
    assert!(shown.contains("p.yaml") && !shown.contains("b.example") && !shown.contains("LedgerLine"));
}

#[test]
fn positions_hold_in_tables_of_toml() {
    let source = Source::parse("p.toml", SMALL_TOML.as_bytes(), Format::Toml).unwrap();
    let line = |path: &str| {
        let at = source.at(path);
        (at.source, at.column)
    };
    assert_eq!(line("release"), ("[release]".into(), 2));
    assert_eq!(
        line("release.what[1].text"),
        (r#"what = ["one", { id = "two", text = "Two", concerns = "users" }]"#.into(), 30)
    );
    assert_eq!(line("communiques.out"), ("[communiques.out]".into(), 14));
    assert_eq!(line("communiques.out.via[1].within"), ("within = \"10m\"".into(), 1));
    assert_eq!(line("communiques.out.via[1].nothing").0, "[[communiques.out.via]]");
    assert_eq!(line("release.where[\"b.c\"]").0, r#"where = { eu = { platforms = ["web"] }, "b.c" = {} }"#);
}

#[test]
fn parameters_are_filled_outside_templates_only() {
    let draft = read("everything.yaml", EVERYTHING).unwrap();
    let WhatDraft(items) = draft.release.what.as_ref().unwrap();
    assert!(matches!(&items[1], ItemDraft::Full(item) if item.text == "CSV 1.10"));
    let live = draft.communiques.get("live").unwrap();
    assert_eq!(live.text, Some(TextDraft::All("{{ params.tag }} live".into())));
    let heads_up = draft.communiques.get("heads-up").unwrap();
    assert_eq!(heads_up.text_file, Some(TextDraft::All("texts/plain.{{ lang }}.md".into())));
    assert_eq!(draft.params.get("tag"), Some(&ParamDraft::Value("1.10".into())));
    let tiny = read("tiny.yaml", TINY).unwrap();
    assert_eq!(tiny.release.how, Some(HowDraft::Access("cargo add tinycodec@1.10".into())));
}

#[test]
fn what_is_set_wins_over_the_environment_and_the_plan() {
    let mut settings = Settings::default();
    settings.env.insert("TAG".into(), "from-env".into());
    settings.set.insert("version".into(), "from-set".into());
    let (draft, _) = PlanDraft::read_with("tiny.yaml", TINY.as_bytes(), &settings).unwrap();
    assert_eq!(draft.release.version, "from-set");
}

#[test]
fn an_alias_repeats_a_value() {
    let text =
        "plan: 1\nrelease: { product: &name app, version: '1', why: *name }\ncommuniques: { a: &a { to: x }, b: *a }";
    let draft = read("p.yaml", text).unwrap();
    assert_eq!(draft.release.why.as_deref(), Some("app"));
    assert_eq!(draft.communiques.get("a"), draft.communiques.get("b"));
}

#[test]
fn documents_and_paths_of_a_rehearsal() {
    let text = include_str!("../data/plans/s1-crate.rehearsal.yaml");
    let mut documents = Source::parse_all("r.yaml", text.as_bytes(), Format::Yaml).unwrap();
    assert_eq!(documents.len(), 2);
    assert_eq!(documents[1].get("name").unwrap().text(), Some("a release candidate reaches nobody"));
    assert_eq!(documents[1].at("expect[1].totals.exempt").line, 35);
    assert_eq!(documents[1].get("set[\"release.version\"]").unwrap().text(), Some("0.9.0-rc.1"));
    assert!(documents[1].set("set[\"release.version\"]", "1.0.0") && !documents[1].set("set.nothing", "1"));
    assert_eq!(documents[1].get("set[\"release.version\"]").unwrap().text(), Some("1.0.0"));
}

#[test]
fn positions_name_the_key_and_fall_back_to_what_is_there() {
    let source = Source::parse("m.yaml", MEDIUM.as_bytes(), Format::Yaml).unwrap();
    let at = |path: &str| {
        let at = source.at(path);
        (at.source.trim_start().chars().take(12).collect::<String>(), at.column)
    };
    assert_eq!(at("communiques.live"), ("live:".into(), 3));
    assert_eq!(at("communiques.live.after"), ("after: brief".into(), 5));
    assert_eq!(at("communiques.live.nothing.at.all"), ("live:".into(), 3));
    assert_eq!(at("groups.support.via[1]"), ("via: [email,".into(), 18));
    assert_eq!(at("groups.support.via[9]"), ("via: [email,".into(), 5));
    assert_eq!(source.at("").line, 2);
}

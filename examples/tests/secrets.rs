//! No secret and no address appears in any output but those that are meant for people: not in logs, errors, `Debug`, the journal's
//! entries or a redacted report. One test over all of them.

mod command;

use command::{Folder, relcomm_with};
use relcomm::deployment::{ChannelKinds, Deployment};
use relcomm_core::clock::{Clock, SystemClock};
use relcomm_core::dispatch::Dispatcher;
use relcomm_core::journal::{MemoryJournal, Mode, Scope};
use relcomm_core::plan::{PlanDir, PlanDraft};
use relcomm_core::prepare::prepare;
use relcomm_core::validate::{Deployment as Facts, standard_rules, validate};
use relcomm_testkit::peer::http::{HttpPeer, HttpScript, Response, Rule};
use relcomm_testkit::peer::smtp::{RecipientAnswer, SmtpPeer, SmtpScript};
use std::sync::Arc;

/// What must not appear: secrets first, then what is a person's.
const MARKERS: [&str; 9] = [
    "s3cr3t-passw0rd",
    "hook-t0ken-in-the-path",
    "bWFya2VyLW1hcmtlci1tYXJrZXItbWFya2VyLTAwMA",
    "r0utingkey00000000000000000marker",
    "marker-one@people.example",
    "marker-two@people.example",
    "marker-three@people.example",
    "Marker Surname",
    "+4144555marker",
];

const PLAN: &str = r#"
plan: 1
id: markers
zone: UTC
release:
  product: Demo
  version: 1.0.0
  what: [{ id: one, text: The one thing }]
  why: Because.
  how: Open it.
responsible: Ada <ada@demo.example>
groups:
  staff:
    members:
      - { id: p1, name: Marker Surname, email: marker-one@people.example, webhook: room }
      - { id: p2, name: Marker Surname, email: marker-two@people.example, webhook: gone }
      - { id: p3, name: Marker Surname, email: marker-three@people.example, pager: rota }
    via: [email, webhook, pager]
communiques:
  out: { to: staff, text: "Dear {{ person.name }}, **{{ release.product }}** is live." }
"#;

const CHANNELS: &str = r#"
channels: 1
email: { kind: smtp, url: { env: SMTP_URL }, password: { env: SMTP_PASSWORD }, from: releases@demo.example, return_path: bounces@demo.example }
webhook:
  kind: webhook
  allow: [127.0.0.0/8]
  endpoints:
    room: { url: { env: ROOM }, secret: { env: SECRET } }
    gone: { url: { env: GONE }, secret: { env: SECRET } }
pager: { kind: pagerduty, url: { env: PD }, allow: [127.0.0.0/8], endpoints: { rota: { routing_key: { env: KEY } } } }
"#;

fn check(what: &str, text: &str) {
    for marker in MARKERS {
        assert!(!text.contains(marker), "{what} shows `{marker}`:\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_output_shows_a_secret_or_an_address() {
    let smtp = SmtpPeer::start(
        SmtpScript::new()
            .credential("releases", MARKERS[0])
            .answer("marker-one@people.example", RecipientAnswer::refuse())
            .answer("marker-two@people.example", RecipientAnswer::refuse())
            .answer("marker-three@people.example", RecipientAnswer::refuse()),
    )
    .unwrap();
    let hook = format!("/{}", MARKERS[1]);
    let http = HttpPeer::start(
        HttpScript::new()
            .rule(Rule::answer(&format!("{hook}/gone"), Response::redirect(302, "https://elsewhere.example/")))
            .rule(Rule::answer("/v2/enqueue", Response::new(400).body("marker-three@people.example is not welcome")))
            .otherwise(Response::new(422).body(format!("no: {}", MARKERS[0]))),
    )
    .unwrap();
    let folder = Folder::empty();
    std::fs::write(folder.path("plan.yaml"), PLAN).unwrap();
    std::fs::write(folder.path("channels.yaml"), CHANNELS).unwrap();
    let secret = format!("whsec_{}==", MARKERS[2]);
    let env = [
        ("SMTP_URL", format!("smtp://releases@{}", smtp.addr())),
        ("SMTP_PASSWORD", MARKERS[0].to_owned()),
        ("ROOM", http.url(&format!("{hook}/room"))),
        ("GONE", http.url(&format!("{hook}/gone"))),
        ("SECRET", secret),
        ("PD", http.url("")),
        ("KEY", MARKERS[3].chars().take(32).collect()),
    ];
    let journal = ["--journal", "file:journal.db", "--new-journal"];
    let verbs: [&[&str]; 9] = [
        &["validate", "plan.yaml", "-v"],
        &["prepare", "plan.yaml"],
        &["verify", "plan.yaml"],
        &["declare", "plan.yaml", "--outcome", "success", "--by", "ada", "--proof", "run 7"],
        &["dispatch", "plan.yaml", "--execute"],
        &["status", "plan.yaml"],
        &["tasks", "plan.yaml"],
        &["report", "plan.yaml", "--redact"],
        &["report", "plan.yaml", "--redact", "--format", "json"],
    ];
    let mut told = String::new();
    for verb in verbs {
        let mut args = vec!["--log", "trace"];
        args.extend(verb);
        args.extend(["--channels", "channels.yaml"]);
        args.extend(journal);
        let ran = relcomm_with(&folder, &args, &env);
        check(&format!("{verb:?} on standard output"), &ran.stdout);
        check(&format!("{verb:?} on standard error"), &ran.stderr);
        told.push_str(&ran.stdout);
        told.push_str(&ran.stderr);
    }
    // The test would prove nothing if nothing had been tried.
    assert!(smtp.mails().is_empty() && smtp.transcript().len() > 6, "{told}");
    assert!(http.requests().len() >= 3, "{}", told);
    assert!(told.contains("refused"), "{told}");

    let db = rusqlite::Connection::open(folder.path("journal.db")).unwrap();
    let column = |sql: &str| -> String {
        let mut rows = db.prepare(sql).unwrap();
        let all = rows.query_map([], |row| row.get::<_, String>(0)).unwrap();
        all.map(Result::unwrap).collect::<Vec<_>>().join("\n")
    };
    let entries = column("SELECT fact FROM entry");
    assert!(entries.contains("shut"), "{entries}");
    check("the journal's entries", &entries);
    check("the journal's states", &column("SELECT state FROM v_delivery"));
    check("the journal's lanes and gates", &column("SELECT name FROM lane UNION ALL SELECT name FROM gate"));
    check("the notes", &column("SELECT coalesce(text, '') || coalesce(code, '') || coalesce(reference, '') FROM note"));

    // What a host could print by mistake.
    // References are read from files here, since the environment of a running process is not ours to change.
    let mut filled = CHANNELS.to_owned();
    for (name, value) in &env {
        std::fs::write(folder.path(name), value).unwrap();
        let file = folder.path(name).display().to_string();
        filled = filled.replace(&format!("{{ env: {name} }}"), &format!("{{ file: {file} }}"));
    }
    let deployment = Deployment::parse("channels.yaml", filled.as_bytes(), ChannelKinds::standard()).unwrap();
    let (draft, source) = PlanDraft::read("plan.yaml", PLAN.as_bytes()).unwrap();
    let validation = validate(&draft, &source, &PlanDir::new(folder.path("")), &Facts::unknown(), &standard_rules());
    check("Debug of a draft", &format!("{draft:?}"));
    check("Debug of a validation", &format!("{:?}", validation.people()));
    let channels = deployment.channels(validation.plan()).await.unwrap();
    check("Debug of the channels", &format!("{channels:?} {deployment:?}"));
    let (plan, people) = validation.into_plan().unwrap();
    check("Debug of a plan", &format!("{plan:?}"));
    check("Debug of a stakeholder", &format!("{:?}", people.get(0)));
    let prepared = prepare(plan, people, &channels).prepared.unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let scope = Scope::new(prepared.plan().id().clone(), "1.0.0", Mode::Live);
    let texts: Vec<String> = prepared.texts(&channels).map(|t| format!("{t:?}")).collect();
    check("Debug of the texts", &texts.join("\n"));
    let dispatcher = Dispatcher::new(prepared, channels, MemoryJournal::new(scope, clock)).unwrap();
    check("Debug of a dispatcher", &format!("{dispatcher:?}"));
}

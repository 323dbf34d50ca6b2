//! What is under embargo appears in no output and in no file before its end, and in what is sent after it. One test over all of them.

mod command;

use command::{Folder, relcomm, relcomm_with};
use relcomm_core::channel::ChannelSet;
use relcomm_core::clock::{Clock, Moment, SystemClock};
use relcomm_core::mechanism::Mechanism;
use relcomm_core::plan::{PlanDir, PlanDraft};
use relcomm_core::prepare::PreparedPlan;
use relcomm_core::validate::{Deployment as Facts, standard_rules, validate};
use relcomm_testkit::channel::ScriptedChannel;
use relcomm_testkit::peer::smtp::{SmtpPeer, SmtpScript};
use std::path::Path;
use std::time::Duration;

/// In an item, in why, and word for word in a text and in a file of a text.
const MARKERS: [&str; 4] = ["m4rker-of-the-item", "m4rker-of-why", "m4rker-in-a-text", "m4rker-in-a-file"];

fn plan(until: Moment) -> String {
    format!(
        r#"
plan: 1
id: markers
zone: UTC
release:
  product: Demo
  version: 1.0.0
  what: [{{ id: one, text: The {} }}]
  why: Because of {}.
  how: Open it.
responsible: Ada <ada@demo.example>
embargo: {{ until: {until}, cleared: staff, lift: ada }}
groups:
  staff: {{ members: [{{ id: sam, phone: "+41445550101" }}], via: [phone] }}
  customers: {{ members: [carla@demo.example, dov@demo.example], via: email }}
  board: {{ presentation: room }}
communiques:
  ahead: {{ to: staff, at: declared, text: "{}: {{{{ item.one }}}}" }}
  soon: {{ to: customers, at: declared, text: "Something comes." }}
  live: {{ to: customers, at: embargo, text_file: live.md }}
  talk: {{ to: board, at: embargo, text: "{{{{ release.why }}}} {{{{ item.one }}}}" }}
"#,
        MARKERS[0], MARKERS[1], MARKERS[2]
    )
}

const CHANNELS: &str = "
channels: 1
email: { kind: smtp, url: { env: SMTP_URL }, from: releases@demo.example, return_path: bounces@demo.example }
phone: { kind: manual }
presentation: { kind: manual }
";

fn lacks(what: &str, text: &str) {
    for marker in MARKERS {
        assert!(!text.contains(marker), "{what} shows `{marker}`:\n{text}");
    }
}

/// A file, part of which may be no text.
fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()
}

/// Every file below the folder but the plan and its text.
fn files_lack(when: &str, folder: &Path) -> usize {
    let mut searched = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            searched += files_lack(when, &path);
        } else if !["plan.yaml", "live.md", "broken.yaml", "misspelt.yaml"].iter().any(|own| path.ends_with(own)) {
            searched += 1;
            lacks(&format!("{} {when}", path.display()), &read(&path));
        }
    }
    searched
}

fn write(folder: &Folder, until: Moment) {
    std::fs::write(folder.path("plan.yaml"), plan(until)).unwrap();
    std::fs::write(folder.path("live.md"), format!("{}: {{{{ item.one }}}}. {{{{ release.why }}}}\n", MARKERS[3]))
        .unwrap();
    std::fs::write(folder.path("channels.yaml"), CHANNELS).unwrap();
}

const DECLARE: [&str; 8] = ["declare", "plan.yaml", "--outcome", "success", "--by", "ada", "--proof", "run 7"];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_classified_is_nowhere_before_the_end_and_in_what_is_sent_after_it() {
    let smtp = SmtpPeer::start(SmtpScript::new()).unwrap();
    let folder = Folder::empty();
    write(&folder, SystemClock::new().now() + Duration::from_secs(86_400));
    let env = [("SMTP_URL", format!("smtp://{}", smtp.addr())), ("RUST_BACKTRACE", "full".to_owned())];
    let live = |args: &[&str]| {
        let mut all = vec!["--log", "trace"];
        all.extend(args);
        all.extend(["--channels", "channels.yaml"]);
        if !matches!(args[0], "prepare" | "validate" | "verify") {
            all.extend(["--journal", "file:journal.db", "--new-journal"]);
        }
        relcomm_with(&folder, &all, &env)
    };
    let verbs: [&[&str]; 21] = [
        &["validate", "plan.yaml", "-v"],
        &["validate", "plan.yaml", "-v", "--format", "json"],
        &["validate", "plan.yaml", "-v", "--format", "github"],
        &["prepare", "plan.yaml", "--out", "texts", "--bundle", "release.bundle"],
        &["prepare", "release.bundle", "--out", "texts-of-the-bundle", "--bundle", "again.bundle"],
        &["verify", "plan.yaml"],
        &DECLARE,
        &["dispatch", "plan.yaml"],
        &["dispatch", "plan.yaml", "--execute", "--pending-ok"],
        &["dispatch", "release.bundle", "--execute"],
        &["status", "plan.yaml"],
        &["status", "release.bundle", "--format", "json"],
        &["tasks", "plan.yaml"],
        &["tasks", "plan.yaml", "--format", "json"],
        &["attest", "plan.yaml", "--communique", "ahead", "--person", "sam", "--outcome", "done", "--by", "ada"],
        &["retry", "plan.yaml", "--by", "ada"],
        &["lift", "plan.yaml", "--by", "carla", "--cause", "it is known"],
        &["report", "plan.yaml"],
        &["report", "plan.yaml", "--format", "json"],
        &["report", "plan.yaml", "--format", "github"],
        &["audit", "plan.yaml"],
    ];
    let mut codes = Vec::new();
    let mut told = String::new();
    for verb in verbs {
        let ran = live(verb);
        lacks(&format!("{verb:?} on standard output"), &ran.stdout);
        lacks(&format!("{verb:?} on standard error"), &ran.stderr);
        told.push_str(&format!("{verb:?} {}\n{}{}\n", ran.code, ran.stdout, ran.stderr));
        codes.push(ran.code);
    }
    // The test would prove nothing if nothing had been done: the neutral text is out, and the classified ones are prepared.
    assert_eq!(codes, [0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 5, 5, 0, 0, 0, 0, 3, 5, 5, 5, 0], "{told}");
    assert_eq!(smtp.mails().len(), 2, "{told}");
    assert!(told.contains("classified: sha256"), "{told}");
    assert!(told.contains("nothing can be sent from this bundle"), "{told}");
    assert!(files_lack("before the end", &folder.path("")) > 8);
    lacks("what was sent", &smtp.transcript().join("\n"));
    for format in ["text", "json", "junit"] {
        let ran = relcomm(&folder, &["rehearse", "plan.yaml", "--format", format]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        lacks("a rehearsal", &(ran.stdout + &ran.stderr));
    }

    // The lines of a broken plan are for the terminal of whoever writes it.
    let broken = std::fs::read_to_string(folder.path("plan.yaml")).unwrap();
    let broken = broken.replace("why: Because", "wyh: Because").replace("via: email", "via: emial");
    std::fs::write(folder.path("broken.yaml"), &broken).unwrap();
    let misspelt =
        std::fs::read_to_string(folder.path("plan.yaml")).unwrap().replace("{{ item.one }}", "{{ item.on }}");
    std::fs::write(folder.path("misspelt.yaml"), &misspelt).unwrap();
    for plan in ["broken.yaml", "misspelt.yaml"] {
        for verb in [
            ["validate", plan, "--format", "text"],
            ["validate", plan, "--format", "github"],
            ["prepare", plan, "--format", "json"],
        ] {
            let ran = live(&verb);
            assert_eq!(ran.code, 2, "{}", ran.stdout);
            lacks("a finding", &(ran.stdout + &ran.stderr));
        }
    }
    let ran = relcomm(&folder, &["rehearse", "broken.yaml"]);
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    lacks("a finding of a rehearsal", &(ran.stdout + &ran.stderr));

    // Lifted, it goes out, and may be read.
    let before = smtp.mails().len();
    let lifted = live(&["lift", "plan.yaml", "--by", "ada", "--cause", "it is in the papers"]);
    assert_eq!((lifted.code, lifted.stdout.as_str()), (0, "the embargo is lifted\n"), "{}", lifted.stderr);
    let again = live(&["lift", "plan.yaml", "--by", "ada", "--cause", "it is in the papers"]);
    assert_eq!((again.code, again.stdout.as_str()), (0, "the embargo is already lifted, or over\n"));
    let sent = live(&["dispatch", "plan.yaml", "--execute", "--pending-ok"]);
    assert_eq!(sent.code, 0, "{}{}", sent.stdout, sent.stderr);
    let mails: Vec<String> =
        smtp.mails().iter().skip(before).map(|mail| String::from_utf8_lossy(&mail.data).into_owned()).collect();
    assert_eq!(mails.len(), 2);
    for mail in &mails {
        let mail = mail.replace("=\r\n", "");
        assert!([0, 1, 3].iter().all(|n| mail.contains(MARKERS[*n])), "{mail}");
    }
    let tasks = live(&["tasks", "plan.yaml"]);
    assert!(tasks.stdout.contains(MARKERS[1]), "{}", tasks.stdout);
    lacks("the report after the end", &live(&["report", "plan.yaml", "--format", "json"]).stdout);
}

#[test]
fn when_it_is_over_texts_and_bundle_hold_everything() {
    let folder = Folder::empty();
    write(&folder, Moment::parse("2026-01-02T00:00:00Z").unwrap());
    let ran = relcomm(&folder, &["prepare", "plan.yaml", "--out", "texts", "--bundle", "release.bundle"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let bundle = read(&folder.path("release.bundle"));
    assert!(MARKERS.iter().all(|marker| bundle.contains(marker)));
    let bundle = PreparedPlan::read(&folder.path("release.bundle")).unwrap();
    assert!(!bundle.is_withheld());
    assert_eq!(relcomm(&folder, &["deliver", "release.bundle"]).code, 0);
}

#[test]
fn what_the_record_knows_holds_whatever_the_time_is() {
    let folder = Folder::empty();
    // An hour ago.
    let planned = Moment::from_millis(SystemClock::new().now().millis() - 3_600_000);
    write(&folder, planned);
    let by_planned = plan(planned)
        .replace(&format!("until: {planned}"), "until: planned")
        .replace("  how: Open it.", &format!("  how: Open it.\n  when: {{ planned: {planned} }}"));
    std::fs::write(folder.path("plan.yaml"), by_planned).unwrap();
    let env = [("SMTP_URL", "smtp://127.0.0.1:9".to_owned())];
    let live = |args: &[&str]| {
        let journal = ["--channels", "channels.yaml", "--journal", "file:j.db"];
        relcomm_with(&folder, &[args, &journal].concat(), &env)
    };
    let failure = ["declare", "plan.yaml", "--outcome", "failure", "--by", "ada", "--proof", "run 7", "--new-journal"];
    let said = live(&failure);
    assert_eq!(said.code, 0, "{}{}", said.stdout, said.stderr);
    // Its end has passed; the release has failed, and nobody has lifted it.
    let ran = live(&["prepare", "plan.yaml", "--out", "texts", "--bundle", "release.bundle"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    lacks("the bundle", &read(&folder.path("release.bundle")));
    assert!(files_lack("after a failure", &folder.path("texts")) > 0);
    let lifted = live(&["lift", "plan.yaml", "--by", "ada", "--cause", "it is known"]);
    assert_eq!(lifted.code, 0, "{}{}", lifted.stdout, lifted.stderr);
    assert_eq!(live(&["prepare", "plan.yaml", "--bundle", "release.bundle"]).code, 0);
    assert!(read(&folder.path("release.bundle")).contains(MARKERS[0]));
}

#[test]
fn a_bundle_takes_the_place_of_nothing_but_a_bundle() {
    let folder = Folder::empty();
    write(&folder, Moment::parse("2026-01-02T00:00:00Z").unwrap());
    let ran = relcomm(&folder, &["prepare", "plan.yaml", "--bundle", "live.md"]);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("a file that is no bundle stands there"), "{}", ran.stderr);
    assert!(read(&folder.path("live.md")).contains(MARKERS[3]));
}

#[test]
fn a_bundle_without_what_is_classified_has_the_digests_that_are_approved_and_debug_shows_nothing() {
    let folder = Folder::empty();
    write(&folder, SystemClock::new().now() + Duration::from_secs(86_400));
    let text = std::fs::read(folder.path("plan.yaml")).unwrap();
    let (draft, source) = PlanDraft::read("plan.yaml", &text).unwrap();
    let validation = validate(&draft, &source, &PlanDir::new(folder.path("")), &Facts::unknown(), &standard_rules());
    lacks("Debug of a draft", &format!("{draft:?}"));
    lacks("Debug of what was found", &format!("{validation:?}"));
    let (plan, people) = validation.into_plan().unwrap();
    lacks("Debug of a plan", &format!("{plan:?}"));
    let word = |word: &str| Mechanism::new(word).unwrap();
    let each = |kind: &str| ScriptedChannel::new(kind);
    let channels = ChannelSet::new()
        .with(word("email"), each("smtp"))
        .with(word("phone"), each("pbx"))
        .with(word("presentation"), each("stage").once());
    let prepared = relcomm_core::prepare::prepare(plan, people, &channels).prepared.unwrap();
    lacks("Debug of what is prepared", &format!("{prepared:?}"));
    let path = folder.path("release.bundle");
    prepared.write(&path).unwrap();
    lacks("the bundle", &read(&path));
    let read = PreparedPlan::read(&path).unwrap();
    assert!(read.is_withheld());
    assert_eq!(read.digests(), prepared.digests());
    assert!(read.write_classified(&path).is_err());
    read.write(&path).unwrap();
    assert_eq!(PreparedPlan::read(&path).unwrap().digests(), prepared.digests());
    let whole = folder.path("whole.bundle");
    prepared.write_classified(&whole).unwrap();
    assert!(!PreparedPlan::read(&whole).unwrap().is_withheld());
    // Whoever changes what is left of it is found out.
    let mut changed = std::fs::read(&path).unwrap();
    let at = changed.windows(9).position(|part| part == b"Something").expect("the neutral text is there");
    changed[at] = b'F';
    std::fs::write(&path, changed).unwrap();
    assert!(PreparedPlan::read(&path).is_err());
}

//! The ledgerline plan, live: to a real Postfix with Dovecot as the mail store, over STARTTLS and with a login, and to an HTTP receiver
//! in a process of its own.

mod real;
mod servers;

use real::{DOMAIN, Ended, Live, Relcomm};
use serde_json::{Value, json};
use servers::dovecot::{DOVECOT, Dovecot};
use servers::postfix::{POSTFIX, Postfix};
use servers::receiver::Receiver;
use servers::{Missing, certificate, root_and_programs, until};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

const PASSWORD: &str = "c0rrect-horse";
/// Refused when it is submitted: told by the next step.
const REFUSED: &str = "cust-007";
/// Put off when it is submitted, until the map says otherwise.
const DEFERRED: &str = "cust-042";
/// Taken by the relay and refused by the store: comes back later.
const BOUNCED: &str = "cust-123";
/// What the relay takes: for all customers but the refused one, two support desks, and an auditor.
const MAILS: usize = 502;

/// Everything that one test needs; what is first is stopped first.
struct Scene {
    relay: Postfix,
    store: Dovecot,
    receiver: Receiver,
    relcomm: Relcomm,
    live: Live,
    channels: String,
    _directory: TempDir,
}

impl Scene {
    fn set(password: &str) -> Result<Self, Missing> {
        root_and_programs(&[POSTFIX, DOVECOT])?;
        let directory = tempfile::tempdir().expect("a directory");
        // The servers go on as users of their own.
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).expect("permissions");
        let live = Live::copy(directory.path());
        let bounced = live.customer(BOUNCED).mailbox.clone();
        let people = live.customers.iter().map(|c| c.mailbox.as_str()).filter(|name| *name != bounced);
        let boxes = people.chain(["desk-eu", "desk-us", "it-audit", "bounces"]);
        let store = Dovecot::start(directory.path(), boxes, ("releases", PASSWORD));
        let certificate = certificate::for_loopback(directory.path());
        let answers = answers(&live, true);
        let domains = [DOMAIN, &format!("bounces.{DOMAIN}")];
        let relay = Postfix::start(directory.path(), &domains, &answers, &store, &certificate);
        let receiver = Receiver::start(directory.path());
        live.connect(&receiver, &certificate.pem);
        let mut environment = live.environment(&relay, &receiver, &store.maildir("bounces"));
        environment.push(("SMTP_PASSWORD".into(), password.into()));
        let relcomm = Relcomm::new(directory.path(), &live.plan, environment);
        let channels = live.channels.display().to_string();
        Ok(Self { relay, store, receiver, relcomm, live, channels, _directory: directory })
    }

    fn run(&self, verb: &str, rest: &[&str]) -> Ended {
        self.relcomm.run(verb, &[&["--channels", &self.channels], rest].concat())
    }

    fn approve_and_declare(&self) {
        let approved = self.run("approve", &["--by", "mia", "--role", "product-owner", "--new-journal"]).json(0);
        assert_eq!(approved["news"], true);
        // The customers are told a quarter of an hour after the declared time.
        let at = (chrono::Utc::now() - chrono::TimeDelta::minutes(20)).to_rfc3339();
        for place in ["eu", "us"] {
            let said =
                ["--place", place, "--outcome", "success", "--by", "ada", "--proof", "https://ci.test/1", "--at", &at];
            self.run("declare", &said).json(0);
        }
    }

    fn mails_of(&self, id: &str) -> Vec<String> {
        self.store.mails(&self.live.customer(id).mailbox)
    }
}

/// The relay's map of recipients.
fn answers(live: &Live, put_off: bool) -> String {
    let refused = &live.customer(REFUSED).mailbox;
    let deferred = &live.customer(DEFERRED).mailbox;
    let mut map =
        format!("{refused}@{DOMAIN} 550 5.1.1 no such person\ndesk@{DOMAIN} 550 5.7.1 this desk takes no mail\n");
    if put_off {
        writeln!(map, "{deferred}@{DOMAIN} 451 4.7.1 come back later").expect("text");
    }
    map
}

fn scene(password: &str) -> Option<Scene> {
    match Scene::set(password) {
        Ok(scene) => Some(scene),
        Err(Missing(why)) => {
            assert!(std::env::var_os("RELCOMM_REQUIRE").is_none(), "{why}");
            // Past the harness, which shows nothing of tests that pass.
            writeln!(std::io::stderr(), "SKIPPED: {why}").expect("standard error");
            None
        }
    }
}

fn person<'a>(report: &'a Value, id: &str) -> &'a Value {
    let people = report["people"].as_array().expect("people");
    people.iter().find(|p| p["id"] == id).expect("a person")
}

/// Mechanism, outcome, reason and code of every try of a person's only delivery.
fn attempts(report: &Value, id: &str) -> Vec<String> {
    let attempts = person(report, id)["deliveries"][0]["attempts"].as_array().expect("attempts");
    let words = |attempt: &Value| {
        let words = ["mechanism", "outcome", "reason", "code"].map(|key| attempt[key].as_str().unwrap_or_default());
        words.join(" ").trim().to_owned()
    };
    attempts.iter().map(words).collect()
}

/// The value of a header that stands on one line.
fn header<'a>(mail: &'a str, name: &str) -> &'a str {
    let line = mail.lines().take_while(|line| !line.is_empty()).find_map(|l| l.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("no {name} in {mail}"))
}

#[test]
fn everyone_is_told_once_through_servers_that_nobody_here_wrote() {
    let Some(scene) = scene(PASSWORD) else { return };
    scene.approve_and_declare();

    let running = scene.relcomm.begin("dispatch", &["--channels", &scene.channels, "--wait", "--execute"]);
    until("the relay puts somebody off", || scene.relay.log().contains("451 4.7.1").then_some(()));
    until("everyone else's mail is reported on", || (scene.store.count("bounces") == MAILS - 1).then_some(()));
    assert_eq!(scene.mails_of(DEFERRED), [""; 0]);
    scene.relay.answer(&answers(&scene.live, false));
    // What comes back does so while the dispatch runs: it cannot end before the telephone call is attested.
    let told = || scene.receiver.accepted().iter().filter(|call| call["path"] == "/crm").count();
    until("the refused and the bounced are told by the next step", || (told() == 2).then_some(()));
    until("the auditors' desk takes no mail", || scene.relay.log().contains("550 5.7.1").then_some(()));
    let task = until("somebody is to be called", || scene.run("tasks", &[]).json(0).get(0).cloned());
    assert_eq!((&task["person"], &task["performer"]), (&"north".into(), &"account-lead".into()));
    let said = ["--communique", "live", "--person", "north", "--outcome", "done", "--by", "lea"];
    assert_eq!(scene.run("attest", &said).json(0)["news"], 1);
    let report = running.end().json(0);

    assert_eq!((&report["mode"], &report["verdict"]), (&"live".into(), &"informed".into()));
    let all = json!({ "people": 1005, "informed": 1005, "not_informed": 0, "unconfirmed": 0, "exempt": 0 });
    assert_eq!(report["totals"], all);
    assert_eq!(attempts(&report, REFUSED), ["email refused recipient-invalid 550 5.1.1", "webhook accepted"]);
    assert_eq!(attempts(&report, BOUNCED), ["email accepted bounced 5.1.1", "webhook accepted"]);
    assert_eq!(attempts(&report, "north"), ["email refused policy 550 5.7.1", "phone done"]);
    assert_eq!(person(&report, "north")["deliveries"][0]["assurance"], "acknowledged");
    assert_eq!(person(&report, "kline")["deliveries"][0]["assurance"], "delivered");
    let tries = attempts(&report, DEFERRED);
    let (last, before) = tries.split_last().expect("a try");
    assert_eq!(last, "email accepted");
    assert!(!before.is_empty() && before.iter().all(|t| t == "email failed unavailable 451 4.7.1"), "{before:?}");

    scene.check_mails();
    scene.check_calls();

    // Every mail that the relay took was reported on, and a later call reads what came in after the dispatch had ended.
    until("every report is in", || (scene.store.count("bounces") == MAILS).then_some(()));
    let again = scene.run("dispatch", &["--execute"]).json(0);
    assert_eq!(again["totals"], all);
    assert_eq!(again["unmatched"], json!([]));
    assert_eq!(person(&again, "cust-500")["deliveries"][0]["assurance"], "delivered");
    assert_eq!(fs::read_dir(scene.store.maildir("bounces").join("new")).expect("a Maildir").count(), 0);
    scene.check_mails();
    scene.check_calls();
    let submitted = scene.relay.log().matches("sasl_method=PLAIN, sasl_username=releases").count();
    assert_eq!(submitted, MAILS, "the relay was given nothing else, and nothing without a login");

    scene.check_modes();
}

#[test]
fn a_wrong_password_stops_the_mail_and_sends_nobody_to_the_next_step() {
    let Some(scene) = scene("wr0ng") else { return };
    scene.approve_and_declare();
    let report = scene.run("dispatch", &["--execute"]).json(5);
    assert_eq!(report["verdict"], "pending");
    assert!(scene.relay.log().contains("SASL PLAIN authentication failed"));
    assert!(!scene.run("dispatch", &["--execute"]).err.contains("wr0ng"));
    let paths = |scene: &Scene| scene.receiver.accepted().iter().map(|r| r["path"].clone()).collect::<Vec<_>>();
    assert_eq!(paths(&scene), ["/ops-room"], "only what never goes by mail is out");

    let mended = Scene { relcomm: scene.relcomm.with("SMTP_PASSWORD", PASSWORD), ..scene };
    mended.run("dispatch", &["--execute"]).json(5);
    for desk in ["desk-eu", "desk-us"] {
        until("support is told", || (mended.store.count(desk) == 1).then_some(()));
    }
    assert_eq!(paths(&mended), ["/ops-room"]);
}

impl Scene {
    /// Everyone who is told by mail has one mail, and nobody else has any.
    fn check_mails(&self) {
        let mut ids = BTreeSet::new();
        let mut check = |mails: &[String], subject: &str, words: &str| {
            let [mail] = mails else { panic!("{} mails for `{words}`", mails.len()) };
            assert_eq!(header(mail, "Subject"), subject);
            assert!(mail.contains(words), "{words} in {mail}");
            let id =
                header(mail, "Message-ID").strip_prefix('<').and_then(|id| id.strip_suffix("@ledgerline.example>"));
            let id = id.expect("an id of the sender's domain");
            assert!(id.len() == 26 && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{id}");
            assert!(ids.insert(id.to_owned()), "{id} is the id of two mails");
        };
        for customer in self.live.customers.iter().filter(|c| ![REFUSED, BOUNCED].contains(&c.id.as_str())) {
            let subject = format!("LedgerLine 2026.4.0 is available in {}", customer.place);
            check(&self.store.mails(&customer.mailbox), &subject, &format!("Dear {},", customer.name));
        }
        check(&self.store.mails("it-audit"), "LedgerLine 2026.4.0 is available in eu", "went into production in eu");
        for place in ["eu", "us"] {
            let [mail] = &self.store.mails(&format!("desk-{place}"))[..] else { panic!("one mail for desk-{place}") };
            assert!(header(mail, "Subject").starts_with(&format!("LIVE in {place} since ")));
        }
        for id in [REFUSED, BOUNCED] {
            assert_eq!(self.mails_of(id), [""; 0]);
        }
        assert_eq!(self.store.mails("desk"), [""; 0]);
        // Without the two of the support desks, and the one that came back.
        assert_eq!(ids.len(), MAILS - 3);
    }

    /// The receiver was told once of each who could not be mailed, of the release, and of the posting.
    fn check_calls(&self) {
        let mut calls: Vec<(String, String)> = Vec::new();
        let mut ids = BTreeSet::new();
        for call in self.receiver.accepted() {
            assert!(ids.insert(call["id"].as_str().expect("a key").to_owned()), "a key came twice");
            assert!(call["headers"]["webhook-signature"].as_str().is_some_and(|s| s.starts_with("v1,")));
            let body: Value = serde_json::from_str(call["body"].as_str().expect("a body")).expect("JSON");
            calls.push((call["path"].as_str().expect("a path").to_owned(), body.to_string()));
        }
        let count = |path: &str| calls.iter().filter(|(p, _)| p == path).count();
        assert_eq!((count("/crm"), count("/ops-room"), count("/board"), calls.len()), (2, 1, 1, 4));
        for id in [REFUSED, BOUNCED] {
            let name = &self.live.customer(id).name;
            let told = calls.iter().filter(|(path, body)| path == "/crm" && body.contains(&format!("Dear {name},")));
            assert_eq!(told.count(), 1, "{name}");
        }
    }

    /// A live record is no sandbox's, and the other way round.
    fn check_modes(&self) {
        let refused = |ended: Ended| {
            let said = ended.json(3);
            assert!(said["error"].as_str().is_some_and(|e| e.contains("sandbox") || e.contains("live")), "{said}");
        };
        let journal = |name: &str| format!("file:{}", self.live.directory.join(name).display());
        let live = journal("journal.db");
        refused(self.relcomm.run("dispatch", &["--journal", &live]));
        let sandbox = journal("sandbox.db");
        let approve = ["--by", "mia", "--role", "product-owner", "--journal", &sandbox];
        self.relcomm.run("approve", &approve).json(0);
        refused(self.run("dispatch", &["--execute", "--journal", &sandbox]));
        refused(self.run("dispatch", &["--execute", "--new-journal", "--journal", &sandbox]));
    }
}

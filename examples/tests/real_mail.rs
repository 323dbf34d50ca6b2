//! The ledgerline plan, live: to a real Postfix with Dovecot as the mail store, over STARTTLS and with a login, and to an HTTP receiver
//! in a process of its own.

mod real;
mod servers;

use real::{Customer, DOMAIN, Live, Relcomm};
use serde_json::Value;
use servers::dovecot::{DOVECOT, Dovecot};
use servers::postfix::{POSTFIX, Postfix};
use servers::receiver::Receiver;
use servers::{Missing, certificate, root_and_programs, until};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

const PASSWORD: &str = "c0rrect-horse";
/// Refused when it is submitted: told by the next step.
const REFUSED: &str = "cust-007";
/// Put off when it is submitted, until the map says otherwise.
const DEFERRED: &str = "cust-042";
/// Taken by the relay and refused by the store: comes back later.
const BOUNCED: &str = "cust-123";

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

    fn run(&self, verb: &str, rest: &[&str]) -> real::Ended {
        self.relcomm.run(verb, &[&["--channels", &self.channels], rest].concat())
    }

    fn approve_and_declare(&self) {
        let approved = self.run("approve", &["--by", "mia", "--role", "product-owner", "--new-journal"]).json(0);
        assert_eq!(approved["news"], true);
        // The customers are told a quarter of an hour after the declared time.
        let at = (chrono::Utc::now() - chrono::TimeDelta::minutes(20)).to_rfc3339();
        for place in ["eu", "us"] {
            let said = ["--place", place, "--outcome", "success", "--by", "ada", "--proof", "https://ci.test/1", "--at", &at];
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
    let mut map = format!("{refused}@{DOMAIN} 550 5.1.1 no such person\ndesk@{DOMAIN} 550 5.1.10 this domain takes no mail\n");
    if put_off {
        map.push_str(&format!("{deferred}@{DOMAIN} 451 4.7.1 come back later\n"));
    }
    map
}

fn scene(password: &str) -> Option<Scene> {
    match Scene::set(password) {
        Ok(scene) => Some(scene),
        Err(Missing(why)) => {
            assert!(std::env::var_os("RELCOMM_REQUIRE").is_none(), "{why}");
            println!("SKIPPED: {why}");
            None
        }
    }
}

fn person<'a>(report: &'a Value, id: &str) -> &'a Value {
    let people = report["people"].as_array().expect("people");
    people.iter().find(|p| p["id"] == id).expect("a person")
}

/// Mechanism and outcome of every try of a person's only delivery.
fn attempts(report: &Value, id: &str) -> Vec<String> {
    let attempts = person(report, id)["deliveries"][0]["attempts"].as_array().expect("attempts");
    let words = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    attempts.iter().map(|a| format!("{} {} {}", words(&a["mechanism"]), words(&a["outcome"]), words(&a["code"]))).collect()
}

fn header<'a>(mail: &'a str, name: &str) -> &'a str {
    let head = mail.split("\n\n").next().unwrap_or_default();
    let line = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("no {name} in {head}"))
}

#[test]
fn a_plan_reaches_everyone_through_real_servers() {
    let Some(scene) = scene(PASSWORD) else { return };
    scene.approve_and_declare();
    let running = scene.relcomm.begin("dispatch", &["--channels", &scene.channels, "--wait", "--execute"]);
    std::thread::sleep(std::time::Duration::from_secs(20));
    println!("{}", scene.run("status", &[]).out);
    println!("{}", scene.run("tasks", &[]).out);
    let report = scene.run("report", &[]);
    let report: Value = serde_json::from_str(&report.out).unwrap();
    for id in [REFUSED, DEFERRED, BOUNCED, "north", "kline", "cust-001", "operations", "reader-001", "desk-eu"] {
        println!("{}", serde_json::to_string(person(&report, id)).unwrap());
    }
    println!("{}", report["unmatched"]);
    println!("{}", scene.relay.log().lines().take(60).collect::<Vec<_>>().join("\n"));
    for m in scene.mails_of("cust-001") { println!("{m}"); }
    println!("{:?}", scene.store.mails("bounces").len());
    drop(running);
    panic!();
}

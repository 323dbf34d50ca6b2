//! A mechanism carried by a program, through the command: `kind: exec` in the channels file, the spool in Python, what becomes of a
//! delivery whose program is killed, and kinds of channel that a host adds.

mod command;

use clap::Parser;
use command::{Folder, Ran, relcomm_with};
use relcomm::Exit;
use relcomm::arguments::Arguments;
use relcomm::deployment::{ChannelKind, ChannelKinds, Made};
use relcomm_testkit::channel::ScriptedChannel;
use relcomm_testkit::contract::channel::clauses;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

const PLAN: &str = r#"
plan: 1
id: anvil-2
zone: UTC
mechanisms: { spool: { address: "^[a-z]+$", proves: accepted, addressing: each } }
release: { product: Anvil, version: 2.0.0, what: Shared folders, why: Teams asked for them., how: Choose Share. }
responsible: ada@anvil.example
groups: { staff: { via: [spool], members: [{ id: ops, spool: ops }, { id: press, spool: press }] } }
communiques: { live: { to: staff, text: "Anvil {{ release.version }} is live: größer, \"quoted\" and in 漢字." } }
"#;

fn program(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("exec").join(name)
}

fn scene(channels: &str) -> Folder {
    let folder = Folder::empty();
    std::fs::create_dir(folder.path("spool")).unwrap();
    std::fs::write(folder.path("plan.yaml"), PLAN).unwrap();
    std::fs::write(folder.path("channels.yaml"), format!("channels: 1\njournal: file:journal.db\n{channels}")).unwrap();
    folder
}

fn deliver(folder: &Folder) -> Ran {
    let spool = folder.path("spool").display().to_string();
    let args = [
        "deliver",
        "plan.yaml",
        "--channels",
        "channels.yaml",
        "--execute",
        "--new-journal",
        "--by",
        "ada",
        "--proof",
        "pipeline 4711",
        "--format",
        "json",
    ];
    relcomm_with(folder, &args, &[("SPOOL_DIRECTORY", spool)])
}

fn files(folder: &Folder) -> Vec<Value> {
    let mut files: Vec<_> = std::fs::read_dir(folder.path("spool"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .map(|path| serde_json::from_slice::<Value>(&std::fs::read(path).unwrap()).unwrap())
        .collect();
    files.sort_by_key(|file| file["to"].as_str().map(str::to_owned));
    files
}

#[test]
fn a_plan_is_delivered_by_a_program_and_the_same_again_adds_nothing() {
    let channels = format!(
        "spool: {{ kind: exec, program: {:?}, env: {{ SPOOL: {{ env: SPOOL_DIRECTORY }} }} }}\n",
        program("spool.py")
    );
    let folder = scene(&channels);
    for round in ["at first", "again"] {
        let ran = deliver(&folder);
        assert_eq!(ran.code, 0, "{round}: {}{}", ran.stdout, ran.stderr);
        let files = files(&folder);
        let to: Vec<&str> = files.iter().filter_map(|f| f["to"].as_str()).collect();
        assert_eq!(to, ["ops", "press"], "{round}");
        for file in files {
            assert_eq!(
                file["text"].as_str().map(str::trim),
                Some("Anvil 2.0.0 is live: größer, \"quoted\" and in 漢字.")
            );
        }
    }
    let verified = relcomm_with(
        &folder,
        &["verify", "plan.yaml", "--channels", "channels.yaml"],
        &[("SPOOL_DIRECTORY", folder.path("nowhere").display().to_string())],
    );
    assert_eq!(verified.code, 2, "{}", verified.stdout);
    assert!(verified.stdout.contains("RC1117 error: the spool is no directory"), "{}", verified.stdout);
}

#[test]
fn whoever_was_refused_is_tried_once_more_when_somebody_says_so() {
    let folder = scene(&format!(
        "spool: {{ kind: exec, program: {:?}, env: {{ SPOOL: {{ env: SPOOL_DIRECTORY }}, CLOSED: {{ env: BOXES }} }} }}\n",
        program("spool.py")
    ));
    let with = |args: &[&str], closed: &str| {
        let spool = folder.path("spool").display().to_string();
        relcomm_with(&folder, args, &[("SPOOL_DIRECTORY", spool), ("BOXES", closed.to_owned())])
    };
    let of = ["plan.yaml", "--channels", "channels.yaml", "--by", "ada"];
    let verb = |verb: &str, more: &[&str], closed: &str| {
        let args: Vec<&str> = [verb].into_iter().chain(of).chain(more.iter().copied()).collect();
        with(&args, closed)
    };
    let ran = verb("deliver", &["--execute", "--new-journal", "--proof", "pipeline 4711"], "ops");
    assert_eq!(ran.code, 4, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(verb("dispatch", &["--execute"], "nobody").code, 4, "nobody has asked for it");
    let retry = || verb("retry", &["--why", "the box is open"], "nobody");
    assert_eq!(retry().stdout, "1 delivery is tried again; the next `dispatch` begins it\n");
    let ran = verb("dispatch", &["--execute"], "nobody");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(files(&folder).len(), 2);
    let ran = retry();
    assert!(ran.code == 0 && ran.stdout.starts_with("nothing to try again: "), "{}{}", ran.stdout, ran.stderr);
}

/// A spool that does not recognise repeats. With its message written it says under which number it runs, and goes no further.
const STOPS: &str = r#"
import os, signal, sys
sys.path.insert(0, os.environ["EXEC"])
import spool
spool.DESCRIPTION.update(deduplication="none", lookup=False, per_call=1)
keep = spool.keep
def keep_and_stop(out, text):
    keep(out, text)
    if out["address"] == "ops":
        with open(os.environ["FIFO"], "w") as fifo:
            fifo.write(str(os.getpid()))
        signal.pause()
spool.keep = keep_and_stop
spool.main()
"#;

#[test]
fn a_program_that_is_killed_leaves_its_delivery_in_doubt_and_held() {
    let folder = scene("");
    let fifo = folder.path("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    std::fs::write(folder.path("stops.py"), STOPS).unwrap();
    let channels = format!(
        "channels: 1\njournal: file:journal.db\nspool:\n  kind: exec\n  program: python3\n  args: [{:?}]\n  env:\n    SPOOL: {{ env: SPOOL_DIRECTORY }}\n    EXEC: {:?}\n    FIFO: {:?}\n",
        folder.path("stops.py"),
        program(""),
        fifo
    );
    std::fs::write(folder.path("channels.yaml"), channels).unwrap();
    let killing = std::thread::spawn(move || {
        let pid = std::fs::read_to_string(fifo).unwrap();
        assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
    });
    let ran = deliver(&folder);
    killing.join().unwrap();
    assert_eq!(ran.code, 4, "{}{}", ran.stdout, ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let of = |id: &str| report["people"].as_array().unwrap().iter().find(|p| p["id"] == id).unwrap().clone();
    assert_eq!(of("press")["class"], "informed", "{report:#}");
    let held = of("ops");
    assert_eq!(held["class"], "unconfirmed", "{held:#}");
    assert_eq!(held["reason"], "held: nobody knows whether it went out", "{held:#}");
    let attempt = &held["deliveries"][0]["attempts"][0];
    assert_eq!((&attempt["outcome"], &attempt["code"]), (&"in doubt".into(), &"signal 9".into()), "{held:#}");
    // It was written, and is not written again.
    let again = deliver(&folder);
    assert_eq!(again.code, 4, "{}{}", again.stdout, again.stderr);
    assert_eq!(files(&folder).len(), 2);
}

/// A program that says on standard error all that it was told, and that it knows the password.
const TALKS: &str = r#"read request
case "$request" in *describe*) echo '{"kind":"talks"}'; exit ;; esac
echo "the password is $PASSWORD" >&2; echo "$request" >&2; echo "the key is $KEY" >&2
case "$request" in *Voß*) printf '%s\n' '{"name":"Bea Vo\u00df"}' >&2 ;; esac
echo '{"failed":"policy","message":"not for ops or press, says Hush-Hush-4711"}'"#;

#[test]
fn what_a_program_says_is_logged_without_what_nobody_may_read() {
    let folder = scene("");
    std::fs::write(folder.path("talks.sh"), TALKS).unwrap();
    let channels = "channels: 1\njournal: file:journal.db\nspool: { kind: exec, program: /bin/sh, args: [talks.sh], env: { PASSWORD: { env: HUSH }, KEY: { file: key.pem } } }\n";
    std::fs::write(folder.path("key.pem"), "-----BEGIN KEY-----\nMIIEvQIB\nADANBg==\n-----END KEY-----\n").unwrap();
    let plan = PLAN.replace("{ id: ops, spool: ops }", "{ id: ops, spool: ops, name: Bea Voß }");
    std::fs::write(folder.path("plan.yaml"), plan).unwrap();
    std::fs::write(folder.path("channels.yaml"), channels).unwrap();
    let args = ["--log", "debug", "deliver", "plan.yaml", "--channels", "channels.yaml", "--execute", "--new-journal"];
    let more = ["--by", "ada", "--proof", "run 7", "--format", "json"];
    let ran = relcomm_with(&folder, &[args.as_slice(), &more].concat(), &[("HUSH", "hush-hush-4711".into())]);
    assert_eq!(ran.code, 4, "{}{}", ran.stdout, ran.stderr);
    let said: Vec<&str> = ran.stderr.lines().filter(|line| line.contains("the program says")).collect();
    assert!(said.iter().any(|line| line.contains("the password is …")), "{}", ran.stderr);
    let request = said.iter().find(|line| line.contains("message_key")).expect("the request is logged");
    assert!(request.contains(r#"address\":\"…\""#) || request.contains(r#""address":"…""#), "{request}");
    assert!(said.iter().any(|line| line.contains("the key is …")), "{}", ran.stderr);
    for hidden in ["hush-hush", "Hush-Hush", "größer", "v1-", "MIIEvQIB", "ADANBg", "END KEY", "Bea Vo"] {
        assert!(!ran.stderr.contains(hidden) && !ran.stdout.contains(hidden), "{hidden}: {}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn wrong_settings_of_a_program_are_found() {
    let cases = [
        ("kind: exec, prog: x", "RC1004"),
        ("kind: exec, program: /no/such/program", "cannot be started"),
        ("kind: exec", "`program` is missing"),
        ("kind: exec, program: \"true\"", "ended before it had answered"),
        ("kind: exec, program: echo, args: [{ env: SECRET }]", "secrets go into `env`"),
        ("kind: exec, program: echo, args: ['{\"kind\":\"x\",\"addressing\":\"once\"}']", "posts once for all"),
        ("kind: exec, program: echo, args: ['{\"kind\":\"x\"}'], timeout: soon", "a length of time"),
        (
            "kind: exec, program: echo, args: ['{\"kind\":\"x\"}'], env: { X: { env: NOT_SET_ANYWHERE } }",
            "NOT_SET_ANYWHERE is not set",
        ),
    ];
    for (settings, words) in cases {
        let folder = scene(&format!("spool: {{ {settings} }}\n"));
        let ran = relcomm_with(&folder, &["prepare", "plan.yaml", "--channels", "channels.yaml"], &[]);
        assert_eq!(ran.code, 2, "{settings}: {}{}", ran.stdout, ran.stderr);
        assert!(format!("{}{}", ran.stdout, ran.stderr).contains(words), "{settings}: {}{}", ran.stdout, ran.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_adds_a_kind_of_its_own_and_runs_the_command_with_it() {
    let ledger = ScriptedChannel::new("ledger");
    let book = ledger.clone();
    let kind = ChannelKind::new(&["kind", "book", "lines.*"], move |settings| {
        assert_eq!(settings.word(), "spool");
        match settings.needed("book")?.as_str() {
            "journal" => Ok(Made::channel(book.clone())),
            other => Err(format!("there is no book `{other}`")),
        }
    });
    let kinds = ChannelKinds::standard().with("ledger", kind);
    let run = |folder: &Folder| {
        let path = |name: &str| folder.path(name).display().to_string();
        let (plan, channels, journal) = (path("plan.yaml"), path("channels.yaml"), format!("file:{}", path("own.db")));
        let arguments = Arguments::try_parse_from([
            "relcomm",
            "deliver",
            &plan,
            "--channels",
            &channels,
            "--journal",
            &journal,
            "--new-journal",
            "--execute",
            "--by",
            "ada",
            "--proof",
            "pipeline 4711",
        ]);
        relcomm::verbs::run(arguments.unwrap().channel_kinds(kinds.clone()))
    };
    assert_eq!(run(&scene("spool: { kind: ledger, book: other }\n")).await, Exit::Invalid);
    assert_eq!(run(&scene("spool: { kind: ledger, book: journal, page: 7 }\n")).await, Exit::Invalid);
    assert_eq!(run(&scene("spool: { kind: ledgers, book: journal }\n")).await, Exit::Invalid);
    assert!(ledger.seen().is_empty());
    assert_eq!(run(&scene("spool: { kind: ledger, book: journal }\n")).await, Exit::Done);
    assert_eq!(ledger.seen().len(), 2);
}

#[test]
fn the_example_keeps_the_contract_of_channels() {
    let folder = Folder::empty();
    let spool = program("spool.py").display().to_string();
    let ran = relcomm_with(&folder, &["contract", "--exec", &spool], &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    for clause in clauses() {
        // A spool learns no limits, and nobody calls it back.
        let applies = !["c22", "c24", "c25"].iter().any(|number| clause.starts_with(number));
        let said = if applies { format!("{clause}: kept\n") } else { format!("{clause}: not applicable: ") };
        assert!(ran.stdout.contains(&said), "{said}\n{}", ran.stdout);
    }
}

/// The spool, as if all that it needs took long to load.
const SLOW: &str = r#"
import os, sys, time
time.sleep(1.6)
sys.path.insert(0, os.environ["EXEC"])
import spool
spool.main()
"#;

#[test]
fn a_program_that_takes_long_to_start_keeps_the_contract_all_the_same() {
    let folder = Folder::empty();
    std::fs::write(folder.path("slow.py"), SLOW).unwrap();
    let slow = folder.path("slow.py").display().to_string();
    let args = ["contract", "--clause", "c07", "--env", "EXEC", "--exec", "python3", &slow];
    let ran = relcomm_with(&folder, &args, &[("EXEC", program("").display().to_string())]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("c07_an_outcome_is_set_as_soon_as_it_is_known: kept"), "{}", ran.stdout);
}

#[test]
fn a_broken_program_is_told_which_clause_it_breaks() {
    let folder = Folder::empty();
    let broken = program("broken.py").display().to_string();
    let contract = |format: &str, program: &[&str]| {
        let args = ["contract", "--clause", "c02", "--clause", "c05", "--clause", "c10", "--format", format, "--exec"];
        relcomm_with(&folder, &[args.as_slice(), program].concat(), &[])
    };
    let ran = contract("text", &[&broken]);
    assert_eq!(ran.code, 4, "{}{}", ran.stdout, ran.stderr);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(
        lines,
        [
            "c02_it_claims_what_it_can_and_can_what_it_claims: BROKEN: it claims that a repeat is recognised; 2 copies arrived",
            "c05_verification_sends_nothing: kept",
            "c10_the_key_is_the_same_on_every_try: BROKEN: the key is another one on the second try",
            "3 clauses, 2 broken, 0 clauses and parts not applicable",
        ]
    );
    let report: Value = serde_json::from_str(&contract("json", &[&broken]).stdout).unwrap();
    assert_eq!(report["broken"], 2, "{report:#}");
    assert_eq!(report["clauses"][1]["verdict"], "kept", "{report:#}");

    let unknown = relcomm_with(&folder, &["contract", "--clause", "c02", "--clause", "c2", "--exec", &broken], &[]);
    assert_eq!(unknown.code, 1, "{}{}", unknown.stdout, unknown.stderr);
    assert!(unknown.stderr.contains("--clause c2: there is no such clause"), "{}", unknown.stderr);

    // What cannot be tested is a matter of usage.
    for (program, words) in [
        (&["/no/such/program"] as &[&str], "cannot be started"),
        (&["echo", r#"{"kind":"x"}"#], "describes no `trial`"),
        (&["echo", r#"{"kind":"x","trial":{"addresses":["a"]}}"#], "cannot be asked what its far side saw"),
    ] {
        let ran = contract("text", program);
        assert_eq!(ran.code, 1, "{program:?}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(words), "{program:?}: {}", ran.stderr);
    }
}

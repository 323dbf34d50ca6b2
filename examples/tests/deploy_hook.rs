//! The step of a pipeline ends as the command would, and says what is pending and why.

mod command;
#[path = "../deploy_hook.rs"]
mod deploy_hook;

use command::{Folder, relcomm_with};
use relcomm_testkit::peer::smtp::{Fault, FaultAct, RecipientAnswer, Reply, SmtpPeer, SmtpScript, Step};

const PLAN: &str = "
plan: 1
id: hooked
zone: UTC
release:
  product: Demo
  version: 1.0.0
  what: [{ id: one, text: The one thing }]
  why: Because.
  how: Open it.
responsible: Ada <ada@demo.example>
groups: { staff: { members: [{ id: p1, email: one@people.example }], via: email } }
communiques: { out: { to: staff } }
";

/// The exit code of the step against this relay, and what it prints.
async fn ended(script: SmtpScript) -> (u8, String) {
    let relay = SmtpPeer::start(script).unwrap();
    let folder = Folder::empty();
    let url = format!("smtp://{}", relay.addr());
    std::fs::write(folder.path("plan.yaml"), PLAN).unwrap();
    let channels = "channels: 1\nemail: { kind: smtp, url: { env: SMTP_URL }, from: releases@demo.example }\n";
    std::fs::write(folder.path("channels.yaml"), channels).unwrap();
    let prepare = ["prepare", "plan.yaml", "--channels", "channels.yaml", "--bundle", "demo.bundle"];
    let prepared = relcomm_with(&folder, &prepare, &[("SMTP_URL", url.clone())]);
    assert_eq!(prepared.code, 0, "{}{}", prepared.stdout, prepared.stderr);
    let [bundle, journal] = ["demo.bundle", "demo.db"].map(|name| folder.path(name).display().to_string());
    let given = [bundle, journal, "production".into(), "ada".into(), "run 7".into()];
    let var = |name: &str| match name {
        "SMTP_URL" => Some(url.clone()),
        "SMTP_FROM" => Some("releases@demo.example".to_owned()),
        "NEW_JOURNAL" => Some("1".to_owned()),
        _ => None,
    };
    let mut out = Vec::new();
    let code = deploy_hook::hook(&given, var, &mut out).await.unwrap();
    (code, String::from_utf8(out).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_step_ends_well_only_if_everyone_is_informed() {
    let (code, out) = ended(SmtpScript::new()).await;
    assert_eq!((code, out.as_str()), (0, ""));
    // Nothing is pending any more, and nobody was informed.
    let (code, out) = ended(SmtpScript::new().answer("*", RecipientAnswer::refuse())).await;
    assert_eq!((code, out.as_str()), (4, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pending_is_said_with_what_has_to_be_mended() {
    let (code, out) = ended(SmtpScript::new().answer("*", RecipientAnswer::defer())).await;
    assert_eq!(code, 5);
    assert!(out.contains("pending: out") && out.contains("call again at "), "{out}");
    let login = FaultAct::Reply(Reply::new(535, "5.7.8 log in"));
    let (code, out) = ended(SmtpScript::new().fault(Fault::at(Step::Mail, login))).await;
    assert_eq!(code, 5, "{out}");
    assert!(out.contains("email") && out.contains("mended"), "{out}");
}

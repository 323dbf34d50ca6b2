//! Delivery reports: multipart/report with a machine-readable part (RFC 6522, RFC 3464, RFC 6533).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, Utc};

use super::fate::{Action, Fate};
use super::mail::{Mail, MailRecipient, Ret};
use super::maildir;
use super::record::Record;
use crate::peer::held;

/// One recipient and what is said of it.
type Said<'a> = (&'a MailRecipient, &'a Fate);

/// Makes the reports that were asked for and hands them to whoever the script names.
pub(super) async fn report(record: &Record, mail: &Mail, fates: &[Vec<Fate>]) {
    // Nothing is ever said to the null sender (RFC 3464, 2).
    if mail.envelope_from.is_empty() {
        return;
    }
    let rounds = fates.iter().map(Vec::len).max().unwrap_or(0);
    for round in 0..rounds {
        let said: Vec<Said<'_>> = mail
            .recipients
            .iter()
            .zip(fates)
            .filter_map(|(recipient, fates)| Some((recipient, fates.get(round)?)))
            .filter(|(recipient, fate)| is_asked_for(recipient, fate.action()))
            .collect();
        let per_report = if record.script.joint_dsn { said.len().max(1) } else { 1 };
        for together in said.chunks(per_report) {
            let dsn = compose(&record.script.hostname, (record.script.now)(), mail, together);
            deliver(record, mail, dsn).await;
        }
    }
}

async fn deliver(record: &Record, mail: &Mail, dsn: Vec<u8>) {
    if let Some(call) = &record.script.on_dsn {
        call(&dsn);
    }
    if let Some(directory) = record.script.maildir.clone() {
        let mut file = format!("Return-Path: <>\r\nDelivered-To: {}\r\n", mail.envelope_from).into_bytes();
        file.extend_from_slice(&dsn);
        let host = record.script.hostname.clone();
        let written = tokio::task::spawn_blocking(move || maildir::deliver(&directory, &host, &file)).await;
        if !matches!(written, Ok(Ok(()))) {
            record.violation(mail.connection, "a report could not be written to the Maildir");
        }
    }
    held(&record.kept).dsns.push(dsn);
    record.dsns.add_one();
}

/// RFC 3461, 4.1; without NOTIFY only a failure is reported.
fn is_asked_for(recipient: &MailRecipient, action: Action) -> bool {
    let asked = recipient.notify;
    match action {
        Action::Delivered | Action::Relayed | Action::Expanded => asked.is_some_and(|asked| asked.success),
        Action::Delayed => asked.is_some_and(|asked| asked.delay),
        Action::Failed => asked.is_none_or(|asked| asked.failure),
    }
}

fn compose(host: &str, now: SystemTime, mail: &Mail, said: &[Said<'_>]) -> Vec<u8> {
    static SERIAL: AtomicU64 = AtomicU64::new(1);
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let now = DateTime::<Utc>::from(now);
    let date = now.to_rfc2822();
    let boundary = boundary(serial, mail);
    let kinds = Kinds::of(mail);

    let mut out = String::new();
    let encoding = if mail.smtputf8 || !mail.data.is_ascii() { "8bit" } else { "7bit" };
    out += &format!("From: Mail Delivery System <MAILER-DAEMON@{host}>\r\n");
    out += &format!("To: <{}>\r\n", mail.envelope_from);
    out += &format!("Subject: {}\r\n", subject(said));
    out += &format!("Date: {date}\r\n");
    out += &format!("Message-ID: <dsn.{serial}.{}@{host}>\r\n", now.timestamp_micros());
    out += "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n";
    out += &format!("Content-Type: multipart/report; report-type={}; boundary=\"{boundary}\"\r\n", kinds.report_type);
    out += &format!("Content-Transfer-Encoding: {encoding}\r\n\r\n");

    out += &format!("--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\n");
    out += &format!("Content-Transfer-Encoding: {encoding}\r\n\r\n");
    out += &format!("This is the mail system at {host}.\r\n\r\n");
    for (recipient, fate) in said {
        out += &format!("<{}>: {} ({})\r\n", recipient.address, fate.action(), fate.enhanced_code());
    }

    out += &format!("\r\n--{boundary}\r\nContent-Type: {}\r\n", kinds.status_part);
    out += &format!("Content-Transfer-Encoding: {encoding}\r\n\r\n");
    out += &format!("Reporting-MTA: dns; {host}\r\n");
    if let Some(envid) = &mail.envid {
        out += &format!("Original-Envelope-Id: {envid}\r\n");
    }
    out += &format!("Arrival-Date: {date}\r\n");
    for (recipient, fate) in said {
        out += &format!("\r\n{}", recipient_fields(mail, recipient, fate, now));
    }

    let failed = said.iter().any(|(_, fate)| fate.action() == Action::Failed);
    let whole = failed && mail.ret == Some(Ret::Full);
    let (kind, returned) =
        if whole { (kinds.mail_part, mail.data.as_slice()) } else { (kinds.headers_part, mail.header_bytes()) };
    out += &format!("\r\n--{boundary}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n");
    let mut out = out.into_bytes();
    out.extend_from_slice(returned);
    out.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    out
}

/// The media types of a report, by whether the transaction was an internationalized one (RFC 6533).
struct Kinds {
    report_type: &'static str,
    status_part: &'static str,
    headers_part: &'static str,
    mail_part: &'static str,
    address: &'static str,
}

impl Kinds {
    fn of(mail: &Mail) -> Self {
        if mail.smtputf8 {
            Self {
                report_type: "delivery-status",
                status_part: "message/global-delivery-status",
                headers_part: "message/global-headers",
                mail_part: "message/global",
                address: "utf-8",
            }
        } else {
            Self {
                report_type: "delivery-status",
                status_part: "message/delivery-status",
                headers_part: "text/rfc822-headers",
                mail_part: "message/rfc822",
                address: "rfc822",
            }
        }
    }
}

fn subject(said: &[Said<'_>]) -> &'static str {
    match said.first().map(|(_, fate)| fate.action()) {
        Some(Action::Failed) => "Undelivered Mail Returned to Sender",
        Some(Action::Delayed) => "Delayed Mail (still being retried)",
        _ => "Successful Mail Delivery Report",
    }
}

fn recipient_fields(mail: &Mail, recipient: &MailRecipient, fate: &Fate, now: DateTime<Utc>) -> String {
    let mut fields = String::new();
    if let Some(original) = &recipient.orcpt {
        fields += &format!("Original-Recipient: {}; {}\r\n", original.kind, original.address);
    }
    fields += &format!("Final-Recipient: {}; {}\r\n", Kinds::of(mail).address, recipient.address);
    fields += &format!("Action: {}\r\nStatus: {}\r\n", fate.action(), fate.enhanced_code());
    if let Some(diagnostic) = fate.diagnostic_code() {
        fields += &format!("Diagnostic-Code: {diagnostic}\r\n");
    }
    fields += &format!("Last-Attempt-Date: {}\r\n", now.to_rfc2822());
    if fate.action() == Action::Delayed {
        fields += &format!("Will-Retry-Until: {}\r\n", (now + TimeDelta::days(5)).to_rfc2822());
    }
    fields
}

/// A boundary that the returned mail does not contain.
fn boundary(serial: u64, mail: &Mail) -> String {
    let mut boundary = format!("=_report_{serial}");
    while mail.data.windows(boundary.len()).any(|window| window == boundary.as_bytes()) {
        boundary.push('_');
    }
    boundary
}

//! Every source of receipts keeps the contract of sources.
#![cfg(feature = "email")]

use async_trait::async_trait;
use relcomm_channels::email::ReturnPath;
use relcomm_channels::email::receipts::Maildir;
use relcomm_core::receipt::Evidence;
use relcomm_testkit::contract::source::{Came, SourceFixture, SourceTrial};
use std::fs;

struct Mailbox;

#[async_trait]
impl SourceFixture for Mailbox {
    async fn set_up(&self) -> SourceTrial {
        let directory = tempfile::tempdir().expect("a directory");
        for folder in ["new", "cur", "tmp"] {
            fs::create_dir(directory.path().join(folder)).expect("a folder");
        }
        let source = Maildir::new(directory.path(), ReturnPath::new("bounces@b.test").ok());
        SourceTrial::new(source, move |came| {
            let (number, mail) = match *came {
                Came::Report { number, token, evidence } => {
                    let action = if evidence == Evidence::Failed { "failed" } else { "delivered" };
                    (number, report(token.as_str(), action))
                }
                Came::Nonsense { number, words } => (number, format!("Subject: {words}\r\n\r\n{words}\r\n")),
                _ => panic!("nothing else comes"),
            };
            fs::write(directory.path().join("new").join(format!("{number}.M1.mx.test")), mail).expect("a mail");
        })
    }
}

fn report(token: &str, action: &str) -> String {
    format!(
        "Delivered-To: bounces+{token}@b.test\r\nFrom: <>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.test\r\n\r\n\
         Final-Recipient: rfc822; a@c.test\r\nAction: {action}\r\nStatus: 5.0.0\r\n\r\n--b--\r\n"
    )
}

relcomm_testkit::receipt_source_contract!(Mailbox);

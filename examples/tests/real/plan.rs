//! ledgerline.yaml and its channels file, copied and changed in nothing but addresses, endpoints and the planned day.

use crate::servers::postfix::Postfix;
use crate::servers::receiver::Receiver;
use chrono::{Days, Utc};
use std::fs;
use std::path::{Path, PathBuf};

/// The domain whose mail the servers take.
pub(crate) const DOMAIN: &str = "relcomm.test";

/// A customer of the plan.
#[derive(Clone, Debug)]
pub(crate) struct Customer {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The name of the mailbox.
    pub(crate) mailbox: String,
    pub(crate) place: String,
}

/// The plan and its deployment in a directory of their own.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) directory: PathBuf,
    pub(crate) plan: PathBuf,
    pub(crate) channels: PathBuf,
    pub(crate) customers: Vec<Customer>,
}

impl Live {
    /// Copies the plan below `directory`, with every address in [`DOMAIN`] and planned for a day to come.
    pub(crate) fn copy(directory: &Path) -> Self {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans");
        let to = directory.join("plans");
        for folder in ["members", "texts"] {
            fs::create_dir_all(to.join(folder)).expect("a directory");
            for file in fs::read_dir(from.join(folder)).expect("the examples") {
                let file = file.expect("a file").path();
                let name = file.file_name().expect("a name");
                fs::write(to.join(folder).join(name), addressed(&read(&file))).expect("a copy");
            }
        }
        let planned = Utc::now().date_naive() + Days::new(30);
        let plan = changed(&read(&from.join("ledgerline.yaml")), "2027-05-12T07:00", &format!("{planned}T07:00"));
        fs::write(to.join("ledgerline.yaml"), addressed(&plan)).expect("the plan");
        let customers = read(&to.join("members/customers.csv")).lines().skip(1).map(customer).collect();
        Self {
            directory: directory.to_owned(),
            plan: to.join("ledgerline.yaml"),
            channels: to.join("ledgerline.channels.yaml"),
            customers,
        }
    }

    /// Writes the channels file: the example's, with reports to a domain of the relay's, its certificate, and receivers on loopback.
    pub(crate) fn connect(&self, receiver: &Receiver, certificate: &Path) {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/ledgerline.channels.yaml");
        let reports = format!("return_path: bounces@bounces.{DOMAIN}\n  ca: {}", certificate.display());
        let text = changed(&read(&example), "return_path: bounces@ledgerline.example", &reports);
        let allowed = format!("kind: webhook\n  allow: [\"{}\"]", receiver.authority());
        fs::write(&self.channels, changed(&text, "kind: webhook", &allowed)).expect("the channels file");
    }

    /// What the references of the channels file lead to.
    pub(crate) fn environment(&self, relay: &Postfix, receiver: &Receiver, reports: &Path) -> Vec<(String, String)> {
        let journal = self.directory.join("journal.db");
        [
            ("RELCOMM_JOURNAL", format!("file:{}", journal.display())),
            ("SMTP_URL", format!("smtp+starttls://releases@127.0.0.1:{}", relay.port)),
            ("BOUNCE_MAILDIR", reports.display().to_string()),
            ("CRM_HOOK", receiver.url("/crm")),
            ("OPS_HOOK", receiver.url("/ops-room")),
            ("BOARD_HOOK", receiver.url("/board")),
            ("HOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// The customer with that id.
    pub(crate) fn customer(&self, id: &str) -> &Customer {
        self.customers.iter().find(|c| c.id == id).expect("a customer")
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("a file of the examples")
}

fn changed(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "the example no longer says `{from}`");
    text.replace(from, to)
}

fn addressed(text: &str) -> String {
    let here = format!("@{DOMAIN}");
    ["@customers.example", "@ledgerline.example", "@kline.example", "@north.example"]
        .iter()
        .fold(text.to_owned(), |text, there| text.replace(there, &here))
}

fn customer(line: &str) -> Customer {
    let mut columns = line.split(',').map(str::to_owned);
    let mut next = || columns.next().expect("a column");
    let (id, name, address, _, place) = (next(), next(), next(), next(), next());
    let mailbox = address.split('@').next().expect("a mailbox").to_owned();
    Customer { id, name, mailbox, place }
}

//! Dovecot: the mail store behind LMTP, and the logins of the relay.

use super::process::{free_port, ready, stop};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The program.
pub(crate) const DOVECOT: &str = "/usr/sbin/dovecot";
/// Who owns the mail: no mail store runs as root.
const OWNER: &str = "nobody";

/// A running Dovecot whose mailboxes are Maildirs.
#[derive(Debug)]
pub(crate) struct Dovecot {
    child: Child,
    home: PathBuf,
    /// Where mail is delivered to it.
    pub(crate) lmtp: u16,
    /// Where logins are asked for.
    pub(crate) auth: u16,
}

impl Dovecot {
    /// Starts one below `directory` for the mailboxes of these names; mail for any other is refused by it. `login` is the name and
    /// password of who may submit mail.
    pub(crate) fn start<'a>(directory: &Path, boxes: impl IntoIterator<Item = &'a str>, login: (&str, &str)) -> Self {
        let home = directory.join("dovecot");
        let mail = home.join("mail");
        fs::create_dir_all(&mail).expect("a directory");
        let users: String = boxes.into_iter().map(|name| format!("{name}:{{PLAIN}}none:::::\n")).collect();
        fs::write(home.join("boxes"), users).expect("the mailboxes");
        fs::write(home.join("logins"), format!("{}:{{PLAIN}}{}\n", login.0, login.1)).expect("the logins");
        let owned = Command::new("chown").arg(OWNER).arg(&mail).status().expect("chown");
        assert!(owned.success());
        let (lmtp, auth) = (free_port(), free_port());
        let config = home.join("dovecot.conf");
        fs::write(&config, configuration(&home, lmtp, auth)).expect("the configuration");
        let child = Command::new(DOVECOT)
            .arg("-F")
            .arg("-c")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("dovecot starts");
        let dovecot = Self { child, home, lmtp, auth };
        ready(lmtp, "220");
        ready(auth, "VERSION");
        dovecot
    }

    /// The Maildir of a mailbox.
    pub(crate) fn maildir(&self, name: &str) -> PathBuf {
        self.home.join("mail").join(name)
    }

    /// How many mails a mailbox holds, also while another reader moves them on.
    pub(crate) fn count(&self, name: &str) -> usize {
        let names = self.files(name).into_iter().filter_map(|file| file.file_name()?.to_str().map(str::to_owned));
        let stems: BTreeSet<String> = names.filter_map(|name| name.split(':').next().map(str::to_owned)).collect();
        stems.len()
    }

    /// The mails of a mailbox that nobody else reads.
    pub(crate) fn mails(&self, name: &str) -> Vec<String> {
        let text = |file: &PathBuf| String::from_utf8_lossy(&fs::read(file).expect("a mail")).into_owned();
        self.files(name).iter().map(text).collect()
    }

    /// What is new comes first: a mail that is moved meanwhile is then listed twice rather than not at all.
    fn files(&self, name: &str) -> Vec<PathBuf> {
        let maildir = self.maildir(name);
        let listed = ["new", "cur"].into_iter().filter_map(|folder| fs::read_dir(maildir.join(folder)).ok()).flatten();
        listed.map(|file| file.expect("a file").path()).collect()
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

fn configuration(home: &Path, lmtp: u16, auth: u16) -> String {
    let home = home.display();
    format!(
        "protocols = lmtp
listen = 127.0.0.1
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/log
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_username_format = %Ln
recipient_delimiter = +
mail_location = maildir:{home}/mail/%n
mail_uid = {OWNER}
mail_gid = nogroup
first_valid_uid = 1
passdb {{
  driver = passwd-file
  args = {home}/logins
}}
userdb {{
  driver = passwd-file
  args = {home}/boxes
  default_fields = uid={OWNER} gid=nogroup home={home}/mail/%n
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
service auth {{
  inet_listener auth {{
    address = 127.0.0.1
    port = {auth}
  }}
}}
"
    )
}

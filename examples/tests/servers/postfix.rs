//! Postfix: the relay to which mail is submitted.

use super::certificate::Certificate;
use super::dovecot::Dovecot;
use super::process::{free_port, ready, stop};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The program that governs the others.
pub(crate) const POSTFIX: &str = "/usr/sbin/postfix";

/// A running Postfix. It takes mail over STARTTLS from those who log in, and delivers it to a Dovecot.
#[derive(Debug)]
pub(crate) struct Postfix {
    child: Child,
    config: PathBuf,
    log: PathBuf,
    /// Where mail is submitted.
    pub(crate) port: u16,
}

impl Postfix {
    /// Starts one below `directory` for mail to these domains. `answers` are lines of an access(5) map on recipients:
    /// `address code text`.
    pub(crate) fn start(
        directory: &Path,
        domains: &[&str],
        answers: &str,
        store: &Dovecot,
        certificate: &Certificate,
    ) -> Self {
        let home = directory.join("postfix");
        let (config, data) = (home.join("config"), home.join("data"));
        for made in [&config, &data, &home.join("queue"), &home.join("run")] {
            fs::create_dir_all(made).expect("a directory");
        }
        let owned = Command::new("chown").arg("postfix").arg(&data).status().expect("chown");
        assert!(owned.success());
        let port = free_port();
        fs::write(config.join("answers"), answers).expect("the answers");
        fs::write(config.join("main.cf"), main_cf(&home, domains, store, certificate)).expect("main.cf");
        fs::write(config.join("master.cf"), master_cf(port)).expect("master.cf");
        let checked = postfix(&config, "check");
        assert!(checked.0, "postfix check: {}", checked.1);
        let child = Command::new(daemon(&config))
            .arg("-c")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("postfix starts");
        let log = home.join("run").join("postfix.log");
        let running = Self { child, config, log, port };
        ready(port, "220");
        running
    }

    /// Changes what recipients are answered, and lets the servers know. Nothing should be under way: of a mail that is being delivered
    /// during a reload, Postfix forgets to report the success.
    pub(crate) fn answer(&self, answers: &str) {
        fs::write(self.config.join("answers"), answers).expect("the answers");
        let done = postfix(&self.config, "reload");
        assert!(done.0, "postfix reload: {}", done.1);
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

fn postfix(config: &Path, verb: &str) -> (bool, String) {
    let done = Command::new(POSTFIX).arg("-c").arg(config).arg(verb).stdin(Stdio::null()).output().expect("postfix");
    (done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned())
}

/// The daemon itself: started as a child, it is up in a fraction of the time and is stopped by its own process id.
fn daemon(config: &Path) -> PathBuf {
    let said = Command::new("/usr/sbin/postconf").arg("-c").arg(config).args(["-h", "daemon_directory"]).output();
    let said = String::from_utf8(said.expect("postconf").stdout).expect("a path");
    Path::new(said.trim()).join("master")
}

fn main_cf(home: &Path, domains: &[&str], store: &Dovecot, certificate: &Certificate) -> String {
    let (home, domains) = (home.display(), domains.join(", "));
    let (pem, key) = (certificate.pem.display(), certificate.key.display());
    let (lmtp, auth) = (store.lmtp, store.auth);
    format!(
        "compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
maillog_file = {home}/run/postfix.log
maillog_file_prefixes = {home}/run
myhostname = mx.relcomm.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks =
alias_maps =
biff = no
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_tls_cert_file = {pem}
smtpd_tls_key_file = {key}
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{auth}
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = check_recipient_access texthash:{home}/config/answers
smtp_host_lookup = native
smtp_dns_support_level = disabled
default_transport = error:5.4.4 no route
virtual_mailbox_domains = {domains}
virtual_mailbox_maps = static:all
virtual_transport = lmtp:inet:127.0.0.1:{lmtp}
virtual_alias_maps =
recipient_delimiter = +
smtputf8_enable = yes
# A session goes on with the maps that it began with, so an idle one must not last.
smtpd_timeout = 5s
smtpd_forbid_bare_newline = yes
"
    )
}

fn master_cf(port: u16) -> String {
    let unix = [
        "cleanup unix n - n - 0 cleanup",
        "qmgr unix n - n 300 1 qmgr",
        "tlsmgr unix - - n 1000? 1 tlsmgr",
        "rewrite unix - - n - - trivial-rewrite",
        "bounce unix - - n - 0 bounce",
        "defer unix - - n - 0 bounce",
        "trace unix - - n - 0 bounce",
        "verify unix - - n - 1 verify",
        "proxymap unix - - n - - proxymap",
        "smtp unix - - n - - smtp",
        "relay unix - - n - - smtp",
        "showq unix n - n - - showq",
        "error unix - - n - - error",
        "retry unix - - n - - error",
        "lmtp unix - - n - - lmtp flags=X",
        "anvil unix - - n - 1 anvil",
        "scache unix - - n - 1 scache",
        "postlog unix-dgram n - n - 1 postlogd",
    ];
    format!("127.0.0.1:{port} inet n - n - - smtpd\n{}\n", unix.join("\n"))
}

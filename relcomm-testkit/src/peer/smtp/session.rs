//! One connection, from the greeting to its end.

use std::sync::Arc;

use super::auth::{self, Given};
use super::command::{Command, Mechanism, ReversePath, parse};
use super::data::{DataCollector, DataFaults};
use super::dsn;
use super::fate::{Fate, RecipientAnswer};
use super::mail::{Mail, MailRecipient};
use super::record::Record;
use super::reply::Reply;
use super::script::{Extensions, FaultAct, Step, Tls};
use super::wire::{Closed, Line, Wire};
use crate::peer::listen::Connection;

/// Where EHLO announced no `SIZE`, a runaway client must still not fill the memory.
const LARGEST_MAIL: usize = 64 << 20;
/// RFC 4954, 4.
const LONGEST_CREDENTIAL_LINE: usize = 12_288;

pub(super) struct Session {
    record: Arc<Record>,
    connection: usize,
    wire: Wire,
    greeted: bool,
    esmtp: bool,
    turned_away: bool,
    tls: bool,
    login: Option<String>,
    transaction: Option<Transaction>,
}

struct Transaction {
    reverse: ReversePath,
    recipients: Vec<(MailRecipient, Vec<Fate>)>,
}

impl Session {
    pub(super) async fn run(io: Connection, connection: usize, record: Arc<Record>) {
        let mut session = Self {
            record,
            connection,
            wire: Wire::new(io),
            greeted: false,
            esmtp: false,
            turned_away: false,
            tls: false,
            login: None,
            transaction: None,
        };
        // How a session ended is in the record; there is no one to hand an error to.
        let _ = session.converse().await;
    }

    async fn converse(&mut self) -> Result<(), Closed> {
        if let Tls::Implicit(config) = &self.record.script.tls {
            self.wire.secure(config).await?;
            self.tls = true;
        }
        let banner = Reply::new(220, &format!("{} ESMTP loopback peer", self.record.script.hostname));
        self.answer(Step::Greeting, async |_| banner).await?;
        loop {
            let longest = self.record.script.max_line;
            match self.wire.line(longest.max(LONGEST_CREDENTIAL_LINE)).await? {
                Line::Text(line) if line.len() + 2 <= longest || is_auth(&line) => self.command(&line).await?,
                Line::Text(_) | Line::TooLong => {
                    self.complain("a command line was too long");
                    self.wire.push(&Reply::new(500, "5.5.2 line too long"));
                }
                Line::BareNewline => {
                    self.complain("a command line ended in LF without CR");
                    self.wire.push(&Reply::new(500, "5.5.2 lines end in CRLF"));
                }
            }
        }
    }

    /// Does the work of a step and answers it, as far as no fault strikes; returns the code that went out.
    async fn answer(&mut self, step: Step, work: impl AsyncFnOnce(&mut Self) -> Reply) -> Result<u16, Closed> {
        let act = self.record.fault(step);
        let reply = match &act {
            Some(FaultAct::Stall) => return Err(self.wire.stall().await),
            Some(FaultAct::Cut) => {
                self.wire.flush().await?;
                return Err(Closed);
            }
            Some(FaultAct::Reply(instead)) if !instead.is_positive() => {
                if step == Step::Dot {
                    self.transaction = None;
                }
                self.turned_away |= step == Step::Greeting;
                instead.clone()
            }
            _ => work(self).await,
        };
        match act {
            Some(FaultAct::StallAccepted) => return Err(self.wire.stall().await),
            Some(FaultAct::CutAccepted) => {
                self.wire.flush().await?;
                return Err(Closed);
            }
            Some(FaultAct::Dribble) => self.wire.dribble(&reply).await?,
            Some(FaultAct::Truncate) => {
                let half = reply.bytes().len() / 2;
                self.wire.push_bytes(reply.bytes().get(..half).unwrap_or_default());
                self.wire.flush().await?;
                return Err(Closed);
            }
            Some(FaultAct::Reply(instead)) if reply.is_positive() => {
                self.wire.push(&instead);
                return Ok(instead.code());
            }
            _ => self.wire.push(&reply),
        }
        if reply.code() == 421 {
            return Err(self.wire.close().await);
        }
        Ok(reply.code())
    }

    async fn command(&mut self, line: &[u8]) -> Result<(), Closed> {
        self.record.note(self.connection, transcribed(line));
        if self.turned_away && !line.eq_ignore_ascii_case(b"QUIT") {
            self.wire.push(&Reply::new(503, "5.5.1 no service here"));
            return Ok(());
        }
        let offered = self.offered();
        let command = match parse(line, &offered) {
            Ok(command) => command,
            Err(reply) => {
                self.wire.push(&reply);
                return Ok(());
            }
        };
        self.check_group(&command, &offered);
        match command {
            Command::Hello { esmtp } => self.answer(Step::Ehlo, async |own| own.hello(esmtp)).await.map(drop),
            Command::Mail(reverse) => self.answer(Step::Mail, async |own| own.mail(reverse)).await.map(drop),
            Command::Rcpt(recipient) => self.answer(Step::Rcpt, async |own| own.rcpt(recipient)).await.map(drop),
            Command::Data => self.data().await,
            Command::Rset => {
                let work = async |own: &mut Self| {
                    own.transaction = None;
                    Reply::new(250, "2.0.0 forgotten")
                };
                self.answer(Step::Rset, work).await.map(drop)
            }
            Command::Quit => {
                self.answer(Step::Quit, async |_| Reply::new(221, "2.0.0 bye")).await?;
                Err(self.wire.close().await)
            }
            Command::StartTls => self.start_tls().await,
            Command::Auth { mechanism, initial } => self.authenticate(mechanism, initial).await,
            Command::Noop => {
                self.wire.push(&Reply::new(250, "2.0.0 ok"));
                Ok(())
            }
            Command::Vrfy => {
                self.wire.push(&Reply::new(252, "2.5.2 send some mail, I shall try my best"));
                Ok(())
            }
        }
    }

    /// RFC 2920, 3.1: what may be sent ahead of a reply, and what must be the last of its group.
    fn check_group(&self, command: &Command, offered: &Extensions) {
        if self.wire.pending().is_empty() {
            return;
        }
        if !(offered.pipelining && self.esmtp) {
            self.complain("commands were sent ahead of a reply though PIPELINING was not offered");
        } else if !matches!(command, Command::Mail(_) | Command::Rcpt(_) | Command::Rset) {
            self.complain("a command that must end its group was followed by more");
        }
    }

    fn complain(&self, text: &str) {
        self.record.violation(self.connection, text);
    }

    /// The extensions that hold now; what was offered before TLS counts for nothing after it.
    fn offered(&self) -> Extensions {
        let script = &self.record.script;
        match &script.extensions_after_tls {
            Some(extensions) if self.tls => extensions.clone(),
            _ => script.extensions.clone(),
        }
    }

    fn offers_starttls(&self) -> bool {
        !self.tls && matches!(self.record.script.tls, Tls::Start(_))
    }

    fn hello(&mut self, esmtp: bool) -> Reply {
        self.greeted = true;
        self.esmtp = esmtp;
        self.transaction = None;
        let script = &self.record.script;
        if !esmtp {
            return Reply::new(250, &script.hostname);
        }
        let offered = self.offered();
        let mut lines = vec![script.hostname.clone()];
        let keywords = [
            (offered.eight_bit, "8BITMIME"),
            (offered.smtputf8, "SMTPUTF8"),
            (offered.dsn, "DSN"),
            (offered.pipelining, "PIPELINING"),
            (self.offers_starttls(), "STARTTLS"),
            (script.credential.is_some() && !self.offers_starttls(), "AUTH PLAIN LOGIN"),
            (true, "ENHANCEDSTATUSCODES"),
        ];
        lines.extend(keywords.iter().filter(|(on, _)| *on).map(|(_, keyword)| (*keyword).to_owned()));
        lines.extend(offered.size.map(|octets| format!("SIZE {octets}")));
        Reply::lines(250, &lines.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn mail(&mut self, reverse: ReversePath) -> Reply {
        let script = &self.record.script;
        if !self.greeted {
            return Reply::new(503, "5.5.1 EHLO first");
        }
        if script.tls_required && !self.tls {
            return Reply::new(530, "5.7.0 STARTTLS first");
        }
        if script.credential.is_some() && self.login.is_none() {
            return Reply::new(530, "5.7.0 authentication required");
        }
        if self.transaction.is_some() {
            return Reply::new(503, "5.5.1 a transaction is open");
        }
        self.transaction = Some(Transaction { reverse, recipients: Vec::new() });
        Reply::new(250, "2.1.0 sender ok")
    }

    fn rcpt(&mut self, recipient: MailRecipient) -> Reply {
        let Some(transaction) = &mut self.transaction else {
            return Reply::new(503, "5.5.1 MAIL first");
        };
        if !recipient.address.is_ascii() && !transaction.reverse.smtputf8 {
            return Reply::new(553, "5.6.7 the address needs SMTPUTF8");
        }
        if transaction.recipients.len() >= self.record.script.max_recipients {
            return Reply::new(452, "4.5.3 too many recipients");
        }
        let (reply, fates) = match self.record.decide(&recipient.address, &transaction.reverse.address) {
            RecipientAnswer::Accept => (None, Vec::new()),
            RecipientAnswer::AcceptThen(fates) => (None, fates),
            RecipientAnswer::Reply(reply) => (Some(reply), Vec::new()),
        };
        let reply = reply.unwrap_or_else(|| Reply::new(250, "2.1.5 recipient ok"));
        if reply.is_positive() {
            transaction.recipients.push((recipient, fates));
        }
        reply
    }

    async fn data(&mut self) -> Result<(), Closed> {
        let go_on = |own: &mut Self| match &own.transaction {
            None => Reply::new(503, "5.5.1 MAIL first"),
            Some(open) if open.recipients.is_empty() && !own.record.script.data_without_recipients => {
                Reply::new(554, "5.5.1 no valid recipients")
            }
            Some(_) => Reply::new(354, "end with <CR><LF>.<CR><LF>"),
        };
        if self.answer(Step::Data, async |own| go_on(own)).await? != 354 {
            return Ok(());
        }
        let limit = self.offered().size.filter(|octets| *octets > 0).unwrap_or(LARGEST_MAIL);
        let mut collector = DataCollector::new(limit);
        self.wire.data(&mut collector).await?;
        let grouped = self.esmtp && self.offered().pipelining;
        if !grouped && !self.wire.pending().is_empty() {
            self.complain("commands were sent ahead of a reply though PIPELINING was not offered");
        }
        self.answer(Step::Dot, async |own| own.dot(collector).await).await.map(drop)
    }

    async fn dot(&mut self, collector: DataCollector) -> Reply {
        let too_large = collector.too_large();
        let (data, faults) = collector.finish();
        let Some(transaction) = self.transaction.take() else {
            return Reply::new(503, "5.5.1 MAIL first");
        };
        if transaction.recipients.is_empty() {
            return Reply::new(554, "5.5.1 no valid recipients");
        }
        self.complain_of_data(faults, &transaction.reverse);
        if too_large {
            return Reply::new(552, "5.3.4 mail exceeds the size limit");
        }
        let (recipients, fates): (Vec<_>, Vec<_>) = transaction.recipients.into_iter().unzip();
        let reverse = transaction.reverse;
        let mail = Mail {
            envelope_from: reverse.address,
            envid: reverse.envid,
            ret: reverse.ret,
            smtputf8: reverse.smtputf8,
            eight_bit: reverse.eight_bit,
            announced_size: reverse.size,
            recipients,
            data,
            connection: self.connection,
            tls: self.tls,
            login: self.login.clone(),
        };
        dsn::report(&self.record, &mail, &fates).await;
        self.record.store(mail);
        Reply::new(250, "2.0.0 queued")
    }

    fn complain_of_data(&self, faults: DataFaults, reverse: &ReversePath) {
        let noticed = [
            (faults.bare_newline, "a bare CR or LF in the data"),
            (faults.unstuffed_dot, "a leading dot was not doubled"),
            (faults.long_line, "a line of more than 998 octets in the data"),
            (faults.nul, "a NUL in the data"),
            (faults.eight_bit && !reverse.eight_bit, "octets above 127 in the data without BODY=8BITMIME"),
        ];
        for (_, text) in noticed.iter().filter(|(noticed, _)| *noticed) {
            self.complain(text);
        }
    }

    async fn start_tls(&mut self) -> Result<(), Closed> {
        let Tls::Start(config) = self.record.script.tls.clone() else {
            self.wire.push(&Reply::new(502, "5.5.1 STARTTLS is not offered"));
            return Ok(());
        };
        if self.tls {
            self.wire.push(&Reply::new(503, "5.5.1 TLS is up already"));
            return Ok(());
        }
        if self.answer(Step::StartTls, async |_| Reply::new(220, "2.0.0 go ahead")).await? != 220 {
            return Ok(());
        }
        let injected = self.record.script.injected_after_starttls.clone();
        self.wire.push_bytes(&injected);
        self.wire.flush().await?;
        self.wire.secure(&config).await?;
        self.tls = true;
        self.greeted = false;
        self.esmtp = false;
        self.login = None;
        self.transaction = None;
        Ok(())
    }

    async fn authenticate(&mut self, mechanism: Mechanism, initial: Option<String>) -> Result<(), Closed> {
        let refused = match &self.record.script.credential {
            None => Some(Reply::new(502, "5.5.1 AUTH is not offered")),
            Some(_) if !self.greeted || self.login.is_some() || self.transaction.is_some() => {
                Some(Reply::new(503, "5.5.1 not now"))
            }
            Some(_) if self.offers_starttls() => Some(Reply::new(538, "5.7.11 STARTTLS first")),
            Some(_) => None,
        };
        if let Some(reply) = refused {
            self.wire.push(&reply);
            return Ok(());
        }
        let given = match self.credential(mechanism, initial).await? {
            Ok(given) => given,
            Err(reply) => {
                self.wire.push(&reply);
                return Ok(());
            }
        };
        loop {
            let work = async |own: &mut Self| {
                let known = own.record.script.credential.as_ref();
                if known.is_some_and(|(name, password)| *name == given.name && *password == given.password) {
                    own.login = Some(given.name.clone());
                    Reply::new(235, "2.7.0 welcome")
                } else {
                    Reply::new(535, "5.7.8 name or password wrong")
                }
            };
            // A script may go on asking; what the client then says is a credential and no command.
            if self.answer(Step::Auth, work).await? != 334 {
                return Ok(());
            }
            self.wire.line(LONGEST_CREDENTIAL_LINE).await?;
            self.record.note(self.connection, "***".to_owned());
        }
    }

    async fn credential(
        &mut self,
        mechanism: Mechanism,
        initial: Option<String>,
    ) -> Result<Result<Given, Reply>, Closed> {
        let bad = || Reply::new(501, "5.5.2 cannot decode the credential");
        Ok(match mechanism {
            Mechanism::Plain => {
                let answer = match initial {
                    Some(answer) => Ok(answer),
                    None => self.challenge("").await?,
                };
                answer.and_then(|answer| auth::plain(&answer).ok_or_else(bad))
            }
            Mechanism::Login => {
                let name = match initial {
                    Some(answer) => Ok(answer),
                    // "Username:" and "Password:", as clients expect them.
                    None => self.challenge("VXNlcm5hbWU6").await?,
                };
                let name = name.and_then(|answer| auth::decode(&answer).ok_or_else(bad));
                match name {
                    Err(reply) => Err(reply),
                    Ok(name) => self
                        .challenge("UGFzc3dvcmQ6")
                        .await?
                        .and_then(|answer| auth::decode(&answer).ok_or_else(bad))
                        .map(|password| Given { name, password }),
                }
            }
        })
    }

    async fn challenge(&mut self, text: &str) -> Result<Result<String, Reply>, Closed> {
        self.wire.push(&Reply::new(334, text));
        let line = self.wire.line(LONGEST_CREDENTIAL_LINE).await?;
        self.record.note(self.connection, "***".to_owned());
        Ok(match line {
            Line::Text(line) if line == b"*" => Err(Reply::new(501, "5.7.0 cancelled")),
            Line::Text(line) => String::from_utf8(line).map_err(|_| Reply::new(501, "5.5.2 not base64")),
            Line::TooLong | Line::BareNewline => Err(Reply::new(500, "5.5.6 not a credential line")),
        })
    }
}

fn is_auth(line: &[u8]) -> bool {
    line.get(..5).is_some_and(|verb| verb.eq_ignore_ascii_case(b"AUTH "))
}

/// A command as the transcript shows it: AUTH without what follows the mechanism.
fn transcribed(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let mut words = text.split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some(verb), Some(mechanism), Some(_)) if verb.eq_ignore_ascii_case("AUTH") => {
            format!("{verb} {mechanism} ***")
        }
        _ => text.into_owned(),
    }
}

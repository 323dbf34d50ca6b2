//! The far sides: a mail server and an HTTP receiver on loopback, and a Maildir for what comes back.

use super::SECRET;
use super::script::{AnswerWord, ScriptedAnswer};
use super::world::World;
use relcomm_core::clock::Clock;
use relcomm_testkit::peer::http::{HttpAct, HttpPeer, HttpScript, Request, Response, Rule, SignatureVerifier};
use relcomm_testkit::peer::smtp::{Fate, RecipientAnswer, Reply, SmtpPeer, SmtpScript};
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

#[derive(Debug)]
pub(super) struct Peers {
    smtp: SmtpPeer,
    http: HttpPeer,
    maildir: PathBuf,
}

impl Drop for Peers {
    fn drop(&mut self) {
        // What was read is in the journal by now; what was not is left for whoever goes on.
        let waiting = std::fs::read_dir(self.maildir.join("new")).is_ok_and(|mut files| files.next().is_some());
        if !waiting {
            let _ = std::fs::remove_dir_all(&self.maildir);
        }
    }
}

impl Peers {
    pub(super) fn start(world: &World, maildir: PathBuf) -> io::Result<Self> {
        for part in ["tmp", "new", "cur"] {
            std::fs::create_dir_all(maildir.join(part))?;
        }
        let smtp = SmtpPeer::start(smtp_script(world))?;
        let http = HttpPeer::start(http_script(world))?;
        world.deliver_reports_to(&maildir);
        Ok(Self { smtp, http, maildir })
    }

    pub(super) fn smtp_url(&self) -> String {
        format!("smtp://{}", self.smtp.addr())
    }

    pub(super) fn http_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.http.addr())
    }

    pub(super) fn maildir(&self) -> PathBuf {
        self.maildir.clone()
    }

    pub(super) fn taken(&self) -> (usize, usize, usize) {
        (self.smtp.mails().len(), self.http.accepted(), self.http.repeats())
    }
}

fn smtp_script(world: &World) -> SmtpScript {
    let (answers, reports) = (world.clone(), world.clone());
    SmtpScript::new()
        .hostname("sandbox.relcomm.example")
        .answer_with(move |attempt| {
            let answer = answers.answer_to_address("email", attempt.address, attempt.attempt);
            Some(answer.map_or_else(RecipientAnswer::deliver, |a| mail_answer(&a)))
        })
        .on_dsn(move |raw| reports.take_report(raw))
}

fn mail_answer(answer: &ScriptedAnswer) -> RecipientAnswer {
    if let Some(refused) = &answer.refused {
        let status = refused.status.as_deref().unwrap_or("5.1.1");
        return RecipientAnswer::Reply(Reply::new(550, &format!("{status} refused by the script")));
    }
    if let Some(failed) = &answer.failed {
        let code = if (400..500).contains(&failed.status) { failed.status } else { 451 };
        return RecipientAnswer::Reply(Reply::new(code, "4.3.0 not now, says the script"));
    }
    match answer.later.as_ref().and_then(|l| l.bounced.as_ref()) {
        Some(bounced) => {
            let status = bounced.status.as_deref().unwrap_or("5.1.1");
            RecipientAnswer::AcceptThen(vec![Fate::failed().code(status)])
        }
        None => RecipientAnswer::deliver(),
    }
}

fn http_script(world: &World) -> HttpScript {
    let mut script = HttpScript::new().deduplicate_by("webhook-id");
    let clock = world.clock();
    let now = move || SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(clock.now().millis()).unwrap_or(0));
    if let Ok(verifier) = SignatureVerifier::new(SECRET) {
        script = script.verify("/hook/*", verifier.now(now));
    }
    // A lost answer is a fault of the connection, which only a rule can make; the rest is answered by name and try.
    for (endpoint, attempt) in world.lost_answers("webhook") {
        let rule = Rule::on(&format!("/hook/{endpoint}"), HttpAct::CutAccepted).for_each("webhook-id");
        script = script.rule(rule.after(attempt.saturating_sub(1)).times(1));
    }
    let world = world.clone();
    let tries: Arc<Mutex<BTreeMap<String, u32>>> = Arc::default();
    script.rule(Rule::respond("/hook/*", move |request: &Request| {
        let endpoint = request.path.trim_start_matches("/hook/").to_owned();
        let key = request.header("webhook-id").unwrap_or_default().to_owned();
        let attempt = {
            let mut tries = tries.lock().unwrap_or_else(PoisonError::into_inner);
            let n = tries.entry(key).or_default();
            *n += 1;
            *n
        };
        let answer = world.answer_to_address("webhook", &endpoint, attempt);
        let status = |a: &ScriptedAnswer| -> Response {
            if a.refused.is_some() {
                return Response::new(422);
            }
            match &a.failed {
                Some(failed) => {
                    let response = Response::new(failed.status);
                    match failed.retry_after.and_then(relcomm_core::plan::time::Span::as_elapsed) {
                        Some(wait) => response.retry_after(wait.as_secs()),
                        None => response,
                    }
                }
                None => taken(&endpoint),
            }
        };
        answer.filter(|a| a.answer != Some(AnswerWord::Lost)).map_or_else(|| taken(&endpoint), |a| status(&a))
    }))
}

fn taken(endpoint: &str) -> Response {
    Response::json(201, &serde_json::json!({ "url": format!("https://sandbox.relcomm.example/{endpoint}") }))
}

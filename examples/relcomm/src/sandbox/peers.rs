//! The far sides: a mail server and an HTTP receiver on loopback, and a Maildir for what comes back.

use super::script::{ScriptedAnswer, http_code};
use super::world::World;
use super::{SECRET, routing_key};
use relcomm_core::clock::Clock;
use relcomm_core::plan::time::Span;
use relcomm_testkit::peer::http::{HttpAct, HttpPeer, HttpScript, Request, Response, Rule, SignatureVerifier};
use relcomm_testkit::peer::smtp::{Fate, RecipientAnswer, Reply, SmtpPeer, SmtpScript};
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
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
        let status = refused.status.as_deref().filter(|status| http_code(status).is_none()).unwrap_or("5.1.1");
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
    let (hooks, pagers) = (world.clone(), world.clone());
    let (tries, pages) = (Tries::default(), Tries::default());
    let names: BTreeMap<String, String> =
        world.addresses("pager").into_iter().map(|name| (routing_key(&name), name)).collect();
    let script = script.rule(Rule::respond("/hook/*", move |request: &Request| {
        let endpoint = request.path.trim_start_matches("/hook/").to_owned();
        let attempt = tries.next(request.header("webhook-id").unwrap_or_default());
        let answer = hooks.answer_to_address("webhook", &endpoint, attempt);
        answer.and_then(|answer| not_taken(&answer, 422)).unwrap_or_else(|| taken(&endpoint))
    }));
    script.rule(Rule::respond("/v2/enqueue", move |request: &Request| {
        let event = request.json().unwrap_or_default();
        let word = |key: &str| event.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
        let attempt = pages.next(word("dedup_key"));
        let answer = names.get(word("routing_key")).and_then(|name| pagers.answer_to_address("pager", name, attempt));
        let taken = || Response::json(202, &serde_json::json!({ "status": "success", "dedup_key": word("dedup_key") }));
        answer.and_then(|answer| not_taken(&answer, 400)).unwrap_or_else(taken)
    }))
}

/// How often something was tried, by its key.
#[derive(Default)]
struct Tries(Mutex<BTreeMap<String, u32>>);

impl Tries {
    /// The number of the next try, from 1.
    fn next(&self, key: &str) -> u32 {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let n = tries.entry(key.to_owned()).or_default();
        *n += 1;
        *n
    }
}

/// How a request is answered that is not taken over; `None` for one that is.
fn not_taken(answer: &ScriptedAnswer, refused: u16) -> Option<Response> {
    if let Some(scripted) = &answer.refused {
        return Some(Response::new(scripted.status.as_deref().and_then(http_code).unwrap_or(refused)));
    }
    let failed = answer.failed.as_ref()?;
    let response = Response::new(failed.status);
    Some(match failed.retry_after.and_then(Span::as_elapsed) {
        Some(wait) => response.retry_after(wait.as_secs()),
        None => response,
    })
}

fn taken(endpoint: &str) -> Response {
    Response::json(201, &serde_json::json!({ "url": format!("https://sandbox.relcomm.example/{endpoint}") }))
}

//! Plots as scripts of the loopback peers.

use super::fault::{CannotShow, Fault, Plot, WAIT};
use crate::peer::http::{HttpAct, HttpScript, Request, Response, Rule};
use crate::peer::smtp::{self, Extensions, FaultAct, Reply, SmtpScript, Step};

impl Plot {
    /// The plot as a script of an [`SmtpPeer`](crate::peer::smtp::SmtpPeer), for a call of one recipient.
    ///
    /// # Errors
    /// SMTP has no way to fail so.
    pub fn smtp(&self) -> Result<SmtpScript, CannotShow> {
        let script = SmtpScript::new();
        let reply = |code, words: &str| FaultAct::Reply(Reply::new(code, words));
        let Some(fault) = self.fault() else { return Ok(script) };
        let (step, act) = match fault {
            Fault::Unreachable => return Ok(script.refuse_connections()),
            Fault::SmallLimit => {
                return Ok(script.extensions(Extensions { size: Some(64), ..Extensions::default() }));
            }
            Fault::StallEarly => (Step::Rcpt, FaultAct::Stall),
            Fault::CutEarly => (Step::Data, FaultAct::Cut),
            Fault::Stall => (Step::Dot, FaultAct::Stall),
            Fault::StallAccepted => (Step::Dot, FaultAct::StallAccepted),
            Fault::Cut => (Step::Dot, FaultAct::Cut),
            Fault::LoseAnswer => (Step::Dot, FaultAct::CutAccepted),
            Fault::TruncatedAnswer => (Step::Dot, FaultAct::Truncate),
            Fault::SlowAnswer => (Step::Dot, FaultAct::Dribble),
            Fault::Garbage => (Step::Dot, FaultAct::Reply(Reply::raw(250, "well, yes\r\n"))),
            Fault::RejectContent => (Step::Dot, reply(554, "5.6.0 not this")),
            Fault::TooLarge => (Step::Mail, reply(552, "5.3.4 too large")),
            Fault::BadCredentials => (Step::Mail, reply(535, "5.7.8 who are you?")),
            Fault::Busy => (Step::Rcpt, reply(451, "4.3.0 later")),
            Fault::RateLimited => (Step::Rcpt, reply(452, "4.5.3 too many")),
            Fault::BusyFor | Fault::RateLimitedFor => {
                return Err(CannotShow::because("SMTP does not say how long to wait"));
            }
            Fault::Redirect => return Err(CannotShow::because("SMTP has no redirection that a client follows")),
            Fault::Crashed => return Err(CannotShow::because("an SMTP server that fails inside has refused")),
            Fault::ErrorInSuccess => return Err(CannotShow::because("the code of an SMTP reply says what it is")),
        };
        Ok(script.fault(smtp::Fault::at(step, act).after(self.spared()).times(1)))
    }

    /// The plot as a script of an [`HttpPeer`](crate::peer::http::HttpPeer). Refusals repeat in their body all that was said, so that a
    /// channel which passes the far side's words on shows it.
    ///
    /// # Errors
    /// HTTP has no way to fail so, or only the author knows which.
    pub fn http(&self) -> Result<HttpScript, CannotShow> {
        let script = HttpScript::new();
        let Some(fault) = self.fault() else { return Ok(script) };
        let reference = || Response::new(200).body(r#"{"reference": "0123456789"}"#);
        let refusal = |response: Response| move |request: &Request| response.clone().body(repeated(request));
        let rule = match fault {
            Fault::Unreachable => return Ok(script.refuse_connections()),
            Fault::StallEarly | Fault::CutEarly => {
                return Err(CannotShow::because("a request is handed over as one: nothing is certain after that"));
            }
            Fault::SmallLimit => return Err(CannotShow::because("HTTP announces no limits")),
            Fault::ErrorInSuccess => {
                return Err(CannotShow::because("which body of a success is a failure is the service's own"));
            }
            Fault::Stall => Rule::on("*", HttpAct::Stall),
            Fault::StallAccepted => Rule::on("*", HttpAct::StallAccepted),
            Fault::Cut => Rule::on("*", HttpAct::Cut),
            Fault::LoseAnswer => Rule::on("*", HttpAct::CutAccepted),
            Fault::TruncatedAnswer => Rule::answer("*", reference().truncated(5)),
            Fault::SlowAnswer => Rule::answer("*", reference().slow(4, std::time::Duration::from_millis(5))),
            Fault::Garbage => Rule::on("*", HttpAct::Raw(b"220 not a web server\r\n".to_vec())),
            Fault::Crashed => Rule::respond("*", refusal(Response::new(500))),
            Fault::RejectContent => Rule::respond("*", refusal(Response::new(422))),
            Fault::TooLarge => Rule::respond("*", refusal(Response::new(413))),
            Fault::BadCredentials => Rule::respond("*", refusal(Response::new(401))),
            Fault::Busy => Rule::respond("*", refusal(Response::new(503))),
            Fault::BusyFor => Rule::respond("*", refusal(Response::new(503).retry_after(WAIT.as_secs()))),
            Fault::RateLimited => Rule::respond("*", refusal(Response::new(429))),
            Fault::RateLimitedFor => Rule::respond("*", refusal(Response::new(429).retry_after(WAIT.as_secs()))),
            Fault::Redirect => Rule::respond("*", refusal(Response::redirect(307, "/elsewhere"))),
        };
        Ok(script.rule(rule.after(self.spared()).times(1)))
    }
}

/// All that a request said.
fn repeated(request: &Request) -> Vec<u8> {
    let mut said =
        format!("{} {}?{}\n{:?}\n", request.method, request.path, request.query, request.headers).into_bytes();
    said.extend_from_slice(&request.body);
    said
}

//! What the email channel says when the relay is slow, silent, broken or gone: never more, and never less, than is known.
#![cfg(feature = "email")]

mod post;

use post::{
    PATIENCE, accepted, attempt, attempt_in, context, failure, key, notice, options, peer, personal, seen, shared, to,
};
use relcomm_channels::email::{EmailChannel, SmtpTimeouts};
use relcomm_core::channel::{AttemptContext, Batch, Channel, Effect, ErrorKind, Outcomes, Retry, Scope};
use relcomm_core::clock::SystemClock;
use relcomm_testkit::peer::smtp::{Fault, FaultAct, RecipientAnswer, Reply, SmtpPeer, SmtpScript, Step};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The steps of a session without TLS, in order.
const STEPS: [Step; 7] = [Step::Greeting, Step::Ehlo, Step::Auth, Step::Mail, Step::Rcpt, Step::Data, Step::Dot];

fn script(step: Step, act: FaultAct) -> SmtpScript {
    SmtpScript::new().credential("me", "secret").fault(Fault::at(step, act))
}

/// A channel that logs in and waits for each step as long as said.
fn hasty(peer: &SmtpPeer, bound: Duration) -> EmailChannel {
    let options = options(peer).login("me", "secret".to_owned().into()).timeouts(SmtpTimeouts::all(bound));
    EmailChannel::new(options).expect("a channel")
}

#[tokio::test]
async fn silence_at_any_step_ends_in_time_with_the_effect_that_is_known() {
    for step in STEPS {
        let peer = peer(script(step, FaultAct::Stall));
        let mut timeouts = SmtpTimeouts::all(PATIENCE);
        // Only the bound that must strike is short.
        match step {
            Step::Dot => timeouts.acceptance = Duration::from_millis(200),
            _ => timeouts.command = Duration::from_millis(700),
        }
        let login = options(&peer).login("me", "secret".to_owned().into());
        let channel = EmailChannel::new(login.timeouts(timeouts)).expect("a channel");
        let outcomes = attempt(&channel, &notice(), &[to("a@c.test")]).await;
        let error = failure(&outcomes[0]);
        let effect = if step == Step::Dot { Effect::MaybeSent } else { Effect::NotSent };
        assert_eq!((error.kind, error.effect, error.retry), (ErrorKind::Timeout, effect, Retry::Backoff), "{step:?}");
        assert_eq!(error.scope, Scope::Channel, "{step:?}");
    }
}

#[tokio::test]
async fn a_cut_before_the_final_dot_sent_nothing_and_one_after_it_may_have() {
    for step in STEPS {
        let peer = peer(script(step, FaultAct::Cut));
        let outcomes = attempt(&hasty(&peer, PATIENCE), &notice(), &[to("a@c.test")]).await;
        let error = failure(&outcomes[0]);
        let effect = if step == Step::Dot { Effect::MaybeSent } else { Effect::NotSent };
        assert_eq!((error.kind, error.effect), (ErrorKind::Unavailable, effect), "{step:?}");
        assert_eq!((error.scope, error.retry), (Scope::Channel, Retry::Backoff), "{step:?}");
        assert!(peer.mails().is_empty());
    }
    for act in [FaultAct::CutAccepted, FaultAct::StallAccepted] {
        let peer = peer(script(Step::Dot, act));
        let mut timeouts = SmtpTimeouts::all(PATIENCE);
        timeouts.acceptance = Duration::from_millis(200);
        let login = options(&peer).login("me", "secret".to_owned().into()).timeouts(timeouts);
        let outcomes = attempt(&EmailChannel::new(login).expect("a channel"), &notice(), &[to("a@c.test")]).await;
        assert_eq!(failure(&outcomes[0]).effect, Effect::MaybeSent);
        assert_eq!(peer.wait_for(1, PATIENCE).await.expect("it went out").len(), 1);
    }
}

#[tokio::test]
async fn a_relay_that_closes_says_not_now_to_all_who_have_no_answer_yet() {
    for step in STEPS {
        let peer = peer(script(step, FaultAct::Reply(Reply::closing())));
        let outcomes = attempt(&hasty(&peer, PATIENCE), &notice(), &[to("a@c.test")]).await;
        let error = failure(&outcomes[0]);
        assert_eq!((error.kind, error.scope), (ErrorKind::Unavailable, Scope::Channel), "{step:?}");
        assert_eq!((error.effect, error.retry), (Effect::NotSent, Retry::Backoff), "{step:?}");
        assert_eq!(error.code.as_deref(), Some("421 4.3.2"));
    }
    let second = Fault::at(Step::Rcpt, FaultAct::Reply(Reply::closing())).after(2);
    let peer = peer(SmtpScript::new().answer("gone@c.test", RecipientAnswer::refuse()).fault(second));
    let items = [to("gone@c.test"), to("a@c.test"), to("b@c.test"), to("c@c.test")];
    let outcomes = attempt(&shared(&peer), &notice(), &items).await;
    assert_eq!(failure(&outcomes[0]).kind, ErrorKind::RecipientInvalid, "what was known stays known");
    for outcome in &outcomes[1..] {
        let error = failure(outcome);
        assert_eq!((error.kind, error.effect), (ErrorKind::Unavailable, Effect::NotSent));
        assert_eq!((error.scope, error.code.as_deref()), (Scope::Channel, Some("421 4.3.2")), "the word for all");
    }
    assert!(peer.mails().is_empty());
}

#[tokio::test]
async fn refusals_of_the_whole_transaction_are_told_apart() {
    let cases = [
        (Step::Mail, "451 4.3.0 later", ErrorKind::Unavailable, Scope::Channel, Retry::Backoff),
        (Step::Mail, "550 5.7.1 not from you", ErrorKind::Policy, Scope::Message, Retry::Never),
        (Step::Data, "451 4.3.0 later", ErrorKind::Unavailable, Scope::Message, Retry::Backoff),
        (Step::Data, "554 5.6.0 no", ErrorKind::ContentRejected, Scope::Message, Retry::Never),
        (Step::Dot, "451 4.7.1 later", ErrorKind::Unavailable, Scope::Message, Retry::Backoff),
        (Step::Dot, "554 5.7.1 spam", ErrorKind::Policy, Scope::Message, Retry::Never),
        (Step::Dot, "552 5.3.4 too big", ErrorKind::TooLarge, Scope::Message, Retry::Never),
    ];
    for (step, said, kind, scope, retry) in cases {
        let (code, words) = said.split_once(' ').expect("a code");
        let reply = Reply::new(code.parse().expect("digits"), words);
        let peer = peer(SmtpScript::new().fault(Fault::at(step, FaultAct::Reply(reply)).times(1)));
        let channel = shared(&peer);
        let outcomes = attempt(&channel, &notice(), &[to("a@c.test"), to("b@c.test")]).await;
        for outcome in &outcomes {
            let error = failure(outcome);
            assert_eq!((error.kind, error.scope, error.retry), (kind, scope, retry), "{step:?} {said}");
            assert_eq!(error.effect, Effect::NotSent);
        }
        // What went wrong once is not built upon.
        assert!(accepted(&attempt(&channel, &notice(), &[to("a@c.test")]).await[0]));
        assert_eq!(peer.connections(), 2, "{step:?} {said}");
    }
}

#[tokio::test]
async fn too_many_recipients_is_a_matter_of_time_for_those_left_out() {
    let peer = peer(SmtpScript::new().max_recipients(2));
    let outcomes = attempt(&shared(&peer), &notice(), &[to("a@c.test"), to("b@c.test"), to("c@c.test")]).await;
    assert!(accepted(&outcomes[0]) && accepted(&outcomes[1]));
    let left = failure(&outcomes[2]);
    assert_eq!((left.kind, left.scope, left.retry), (ErrorKind::RateLimited, Scope::Recipient, Retry::Backoff));
}

#[tokio::test]
async fn what_is_no_reply_is_a_fault_of_the_protocol() {
    let endless = [b"250-".as_slice(), &[b'x'; 100_000]].concat();
    for bytes in [b"hello\r\n".to_vec(), b"250-a\r\n550 b\r\n".to_vec(), b"\r\n".to_vec(), endless] {
        for step in [Step::Greeting, Step::Ehlo, Step::Mail, Step::Rcpt] {
            let peer = peer(SmtpScript::new().fault(Fault::at(step, FaultAct::Reply(Reply::raw(250, bytes.clone())))));
            let outcomes = attempt(&shared(&peer), &notice(), &[to("a@c.test")]).await;
            let error = failure(&outcomes[0]);
            assert_eq!((error.kind, error.effect), (ErrorKind::Protocol, Effect::NotSent), "{step:?}");
        }
        let peer = peer(SmtpScript::new().fault(Fault::at(Step::Dot, FaultAct::Reply(Reply::raw(250, bytes)))));
        let outcomes = attempt(&shared(&peer), &notice(), &[to("a@c.test")]).await;
        assert_eq!(failure(&outcomes[0]).effect, Effect::MaybeSent, "nobody knows what it meant");
    }
}

#[tokio::test]
async fn replies_in_pieces_and_replies_with_odd_bytes_are_read() {
    for step in STEPS {
        let peer = peer(script(step, FaultAct::Dribble));
        assert!(accepted(&attempt(&hasty(&peer, PATIENCE), &notice(), &[to("a@c.test")]).await[0]), "{step:?}");
    }
    let odd = Reply::raw(250, b"250-2.0.0 \xff\xfe\r\n250 2.0.0 \0queued\r\n".to_vec());
    let peer = peer(SmtpScript::new().fault(Fault::at(Step::Dot, FaultAct::Reply(odd))));
    assert!(accepted(&attempt(&shared(&peer), &notice(), &[to("a@c.test")]).await[0]));
}

#[tokio::test]
async fn a_relay_that_speaks_out_of_turn_is_not_believed() {
    // Without a look at it the second reply would accept a recipient who is refused, or a text that was never sent.
    for (step, both) in [
        (Step::Mail, b"250 2.1.0 ok\r\n250 2.1.5 ok\r\n".to_vec()),
        (Step::Data, b"354 go on\r\n250 2.0.0 queued\r\n".to_vec()),
    ] {
        let twice = Fault::at(step, FaultAct::Reply(Reply::raw(250, both)));
        let peer = peer(SmtpScript::new().answer("gone@c.test", RecipientAnswer::refuse()).fault(twice));
        let outcomes = attempt(&shared(&peer), &notice(), &[to("a@c.test"), to("gone@c.test")]).await;
        let error = failure(&outcomes[0]);
        assert_eq!((error.kind, error.effect), (ErrorKind::Protocol, Effect::NotSent), "{step:?}");
        assert!(peer.mails().is_empty());
    }
    let odd = Fault::at(Step::Dot, FaultAct::Reply(Reply::new(354, "go on")));
    let peer = peer(SmtpScript::new().fault(odd));
    let outcomes = attempt(&shared(&peer), &notice(), &[to("a@c.test")]).await;
    let error = failure(&outcomes[0]);
    assert_eq!(
        (error.kind, error.effect),
        (ErrorKind::Protocol, Effect::MaybeSent),
        "an answer, but not to the question"
    );
}

#[tokio::test]
async fn a_relay_that_takes_a_mail_and_says_goodbye_at_once_is_called_anew_for_the_next() {
    let both = b"250 2.0.0 queued\r\n421 4.7.0 too many messages in this session\r\n".to_vec();
    let relay = peer(SmtpScript::new().fault(Fault::at(Step::Dot, FaultAct::Reply(Reply::raw(250, both)))));
    let (channel, items) = (personal(&relay), [to("a@c.test"), to("b@c.test")]);
    for _ in 0..2 {
        assert!(attempt(&channel, &notice(), &items).await.iter().all(accepted));
    }
    assert_eq!((relay.mails().len(), relay.connections()), (4, 4));

    // What else is said unasked may be meant for nothing that is said next.
    let both = b"250 2.0.0 queued\r\n250 2.1.0 ok\r\n".to_vec();
    let relay = peer(SmtpScript::new().fault(Fault::at(Step::Dot, FaultAct::Reply(Reply::raw(250, both)))));
    let channel = personal(&relay);
    assert!(accepted(&attempt(&channel, &notice(), &items[..1]).await[0]));
    let error = attempt(&channel, &notice(), &items[..1]).await;
    assert_eq!(failure(&error[0]).kind, ErrorKind::Protocol);
}

#[tokio::test]
async fn no_relay_at_all_is_a_fault_of_the_channel() {
    let addr = peer(SmtpScript::new()).addr();
    let options = relcomm_channels::email::EmailOptions::new(&format!("smtp://{addr}"), post::FROM).expect("options");
    let channel = EmailChannel::new(options).expect("a channel");
    let outcomes = attempt(&channel, &notice(), &[to("a@c.test")]).await;
    let error = failure(&outcomes[0]);
    assert_eq!((error.kind, error.scope, error.effect), (ErrorKind::Connect, Scope::Channel, Effect::NotSent));
    assert_eq!(channel.verify(&context()).await.expect_err("no relay").kind, ErrorKind::Connect);
}

#[tokio::test]
async fn the_deadline_of_the_attempt_bounds_every_step() {
    for (step, effect) in [(Step::Greeting, Effect::NotSent), (Step::Rcpt, Effect::NotSent)] {
        let peer = peer(SmtpScript::new().fault(Fault::at(step, FaultAct::Stall)));
        let cx = AttemptContext::new(Arc::new(SystemClock::new()), Duration::from_millis(700));
        let (channel, text, items) = (shared(&peer), notice(), [to("a@c.test")]);
        let within = attempt_in(&channel, &cx, &text, &items);
        let outcomes = tokio::time::timeout(PATIENCE, within).await.expect("it ends by itself");
        assert_eq!(
            (failure(&outcomes[0]).kind, failure(&outcomes[0]).effect),
            (ErrorKind::Timeout, effect),
            "{step:?}"
        );
    }
    let peer = peer(SmtpScript::new());
    let over = AttemptContext::new(Arc::new(SystemClock::new()), Duration::ZERO);
    let outcomes = attempt_in(&shared(&peer), &over, &notice(), &[to("a@c.test")]).await;
    assert_eq!(failure(&outcomes[0]).kind, ErrorKind::Timeout);
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn a_cancellation_begins_nothing_new_and_waits_for_what_has_crossed() {
    let early = CancellationToken::new();
    early.cancel();
    let relay = peer(SmtpScript::new());
    let outcomes = attempt_in(&shared(&relay), &context().cancellation(early), &notice(), &[to("a@c.test")]).await;
    assert_eq!((failure(&outcomes[0]).kind, failure(&outcomes[0]).effect), (ErrorKind::Cancelled, Effect::NotSent));
    assert_eq!(relay.connections(), 0);

    let stalled = peer(SmtpScript::new().fault(Fault::at(Step::Rcpt, FaultAct::Stall)));
    let token = CancellationToken::new();
    let (channel, cx) = (shared(&stalled), context().cancellation(token.clone()));
    let stop = async {
        seen(&stalled, "RCPT").await;
        token.cancel();
    };
    let (text, items) = (notice(), [to("a@c.test")]);
    let (outcomes, ()) = tokio::join!(attempt_in(&channel, &cx, &text, &items), stop);
    assert_eq!((failure(&outcomes[0]).kind, failure(&outcomes[0]).effect), (ErrorKind::Cancelled, Effect::NotSent));

    let token = CancellationToken::new();
    let cancel = token.clone();
    // The relay accepts the final dot only after the cancellation has come.
    let script = SmtpScript::new().on_dsn(move |_| cancel.cancel()).answer("*", RecipientAnswer::deliver());
    let late = peer(script);
    let outcomes = attempt_in(&personal(&late), &context().cancellation(token.clone()), &text, &items).await;
    assert!(token.is_cancelled() && accepted(&outcomes[0]));
}

#[tokio::test]
async fn a_dropped_attempt_leaves_no_half_used_session_and_tells_what_it_crossed() {
    for (step, verb, crossed) in [(Step::Mail, "MAIL", false), (Step::Rcpt, "RCPT", false), (Step::Dot, "", true)] {
        // The first attempt goes well, so that the second finds an idle session.
        let peer = peer(SmtpScript::new().fault(Fault::at(step, FaultAct::StallAccepted).after(1).times(1)));
        let channel = shared(&peer);
        let (text, key, items) = (notice(), key(), [to("a@c.test")]);
        assert!(accepted(&attempt(&channel, &text, &items).await[0]));
        let begun = peer.transcript().len();
        let (cx, batch) = (context(), Batch::new(&text, &key, &items));
        let mut outcomes = Outcomes::new(1);
        let reached = async {
            let there = || peer.transcript().iter().skip(begun).any(|line| line.starts_with(verb));
            while if crossed { peer.mails().len() < 2 } else { !there() } {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            ended = channel.attempt(&cx, &batch, &mut outcomes) => panic!("it ended: {ended:?}"),
            () = reached => {}
        }
        assert_eq!((outcomes.is_crossed(0), outcomes.is_set(0)), (crossed, false), "{step:?}");
        let before = peer.mails().len();
        assert!(accepted(&attempt(&channel, &text, &items).await[0]), "{step:?}");
        assert_eq!((peer.connections(), peer.mails().len()), (2, before + 1), "{step:?}");
    }
}

#[tokio::test]
async fn errors_name_nobody_even_if_the_relay_does() {
    let reply =
        Reply::new(550, "5.1.1 <jane.roe@c.test>: jane.roe@c.test is unknown to releases@b.test, said JANE.ROE");
    let peer = peer(SmtpScript::new().answer("*", RecipientAnswer::Reply(reply)));
    let outcomes = attempt(&personal(&peer), &notice(), &[to("jane.roe@c.test")]).await;
    let error = failure(&outcomes[0]);
    let shown = format!("{error} {error:?}").to_lowercase();
    assert!(!shown.contains("jane") && !shown.contains("releases") && !shown.contains('@'), "{shown}");
    assert!(shown.contains("unknown"), "{shown}");
}

#[tokio::test]
async fn where_a_relay_takes_no_more_sessions_the_mails_go_by_those_that_there_are() {
    // It takes one session; whoever comes meanwhile is sent away.
    let crowded = Reply::new(421, "4.3.2 Concurrent connections limit exceeded");
    let relay = peer(SmtpScript::new().fault(Fault::at(Step::Greeting, FaultAct::Reply(crowded)).after(1).times(9)));
    let three = std::num::NonZeroU32::new(3).expect("above zero");
    let channel = EmailChannel::new(options(&relay).concurrency(three)).expect("a channel");
    let (text, cx) = (notice(), context());
    let [first, second, third] = [[to("a@c.test")], [to("b@c.test")], [to("d@c.test")]];
    let (first, second, third) = tokio::join!(
        attempt_in(&channel, &cx, &text, &first),
        attempt_in(&channel, &cx, &text, &second),
        attempt_in(&channel, &cx, &text, &third)
    );
    assert!([first, second, third].iter().all(|outcomes| accepted(&outcomes[0])));
    let before = relay.connections();
    let [fourth, fifth] = [[to("e@c.test")], [to("f@c.test")]];
    let (fourth, fifth) =
        tokio::join!(attempt_in(&channel, &cx, &text, &fourth), attempt_in(&channel, &cx, &text, &fifth));
    assert!(accepted(&fourth[0]) && accepted(&fifth[0]));
    assert_eq!(relay.connections(), before, "it has learnt how many the relay takes");
}

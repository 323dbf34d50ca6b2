//! C6 to C11: what an attempt does.

use crate::contract::channel::exam::{AMPLE, Exam, Held, Letter, Stop, arrived, ensure, quiet, wording};
use crate::contract::channel::fault::{Fault, Plot};
use crate::contract::channel::fixture::Trial;
use relcomm_core::channel::{Effect, Outcome};
use relcomm_core::mechanism::Deduplication;
use relcomm_core::stakeholder::Address;
use std::collections::BTreeSet;

/// How many of one call are tried, at most.
const MANY: u32 = 3;

fn per_call(trial: &Trial) -> usize {
    usize::try_from(trial.channel.capabilities().per_call.get().min(MANY)).unwrap_or(1)
}

pub(in crate::contract::channel) async fn c06_every_outcome_is_set(exam: &Exam<'_>) -> Held {
    let trial = exam.well().await?;
    let many = per_call(&trial);
    let refused = exam.refused().map(Some);
    let to: Vec<_> = (0..many).map(|n| exam.address(n)).collect();
    all_set(exam, &trial, &exam.letter_to(0, to), "all are taken over").await?;
    if let Some(refused) = refused {
        let to: Vec<_> = std::iter::once(refused).chain((1..many).map(|n| exam.address(n))).collect();
        all_set(exam, &trial, &exam.letter_to(1, to), "the first is refused").await?;
    }
    for fault in [Fault::Busy, Fault::RejectContent, Fault::LoseAnswer, Fault::Garbage] {
        let Some(trial) = exam.showing(Plot::failing(fault)).await else { continue };
        all_set(exam, &trial, &exam.letter(2), &fault.to_string()).await?;
    }
    Ok(())
}

async fn all_set(exam: &Exam<'_>, trial: &Trial, letter: &Letter, when: &str) -> Held {
    let flown = exam.attempt(&*trial.channel, letter).await?;
    if matches!(flown.said, Some(Ok(()))) {
        let open = (0..flown.slots.len()).filter(|i| !flown.slots.is_set(*i)).count();
        ensure!(open == 0, "{when}: it says that all is well, and leaves {open} of {} open", letter.items.len());
    }
    Ok(())
}

pub(in crate::contract::channel) async fn c07_an_outcome_is_set_as_soon_as_it_is_known(exam: &Exam<'_>) -> Held {
    let trial = exam.well().await?;
    if per_call(&trial) < 2 {
        return Err(Stop::NotApplicable("one call carries one recipient".into()));
    }
    let Some(refused) = exam.refused() else {
        return Err(Stop::NotApplicable("the fixture knows no address that is refused".into()));
    };
    // The first is refused; the second is tried, and nothing more is heard until the call is dropped.
    let trial = exam.fixture.set_up(Plot::failing(Fault::StallEarly).after(1)).await?;
    let letter = exam.letter_to(0, [Some(refused), exam.address(1)]);
    let (cx, end) = (exam.context(AMPLE), tokio::time::sleep(exam.fixture.silence()));
    let flown = exam.attempt_until(&*trial.channel, &cx, &letter, end).await?;
    if flown.said.is_some() {
        return Err(Stop::NotApplicable("the far side does not fall silent between two recipients".into()));
    }
    let alone = exam.well().await?;
    let kind = match exam.attempt(&*alone.channel, &exam.letter_to(0, [exam.refused()])).await?.outcome() {
        Outcome::Failed(error) => error.kind,
        Outcome::Accepted(_) => return Err(Stop::Broken("the refused address is accepted".into())),
    };
    let known = matches!(flown.outcomes().first(), Some(Outcome::Failed(error)) if error.kind == kind);
    ensure!(known, "the first was refused before the far side fell silent for the second, and that is lost");
    Ok(())
}

pub(in crate::contract::channel) async fn c08_exactly_one_message_arrives(exam: &Exam<'_>) -> Held {
    let trial = exam.delivering().await?;
    let letters: Vec<Letter> = (0..3).map(|n| exam.letter(n)).collect();
    for letter in &letters {
        exam.accepted(&trial, letter, "one after another").await?;
    }
    quiet().await;
    for letter in &letters {
        let found = arrived(&trial, letter);
        ensure!(found.len() == 1, "{} messages arrived for one that was accepted", found.len());
        meant_for(exam, letter, &found.iter().filter_map(|a| a.to.as_deref()).collect::<Vec<_>>())?;
    }
    let (all, many) = (trial.arrivals().len(), per_call(&trial));
    ensure!(all == 3, "{all} messages arrived for three that were accepted");
    if many > 1 {
        let letter = exam.letter_to(7, (0..many).map(|n| exam.address(n)));
        exam.accepted(&trial, &letter, "several in one call").await?;
        let found = arrived(&trial, &letter);
        ensure!(found.len() == many, "{} messages arrived for {many} that were accepted in one call", found.len());
        meant_for(exam, &letter, &found.iter().filter_map(|a| a.to.as_deref()).collect::<Vec<_>>())?;
    }
    let Some(refused) = exam.refused() else {
        exam.leave_out("that nothing arrives for a refused address: the fixture knows none");
        return Ok(());
    };
    let before = trial.arrivals().len();
    let outcome = exam.attempt(&*trial.channel, &exam.letter_to(8, [Some(refused)])).await?.outcome();
    ensure!(matches!(outcome, Outcome::Failed(_)), "an address that the far side refuses is accepted");
    quiet().await;
    ensure!(trial.arrivals().len() == before, "a message arrived for an address that was refused");
    Ok(())
}

fn meant_for(exam: &Exam<'_>, letter: &Letter, reached: &[&str]) -> Held {
    let wanted: BTreeSet<&str> = letter.items.iter().flat_map(|i| i.address.as_ref()).map(Address::as_str).collect();
    // Some services do not say whom they were called for.
    let reached: BTreeSet<&str> = reached.iter().copied().collect();
    ensure!(exam.far_side.addresses.is_empty() || reached.is_empty() || reached == wanted, "it reached someone else");
    Ok(())
}

pub(in crate::contract::channel) async fn c09_nobody_elses_address_is_visible(exam: &Exam<'_>) -> Held {
    let trial = exam.delivering().await?;
    let many = per_call(&trial);
    if many < 2 {
        return Err(Stop::NotApplicable("one call carries one recipient".into()));
    }
    let letter = exam.letter_to(0, (0..many).map(|n| exam.address(n)));
    let addresses: BTreeSet<&str> = letter.items.iter().flat_map(|i| &i.address).map(Address::as_str).collect();
    if addresses.len() < 2 {
        return Err(Stop::NotApplicable("the fixture knows no two addresses".into()));
    }
    exam.accepted(&trial, &letter, "several in one call").await?;
    let found = arrived(&trial, &letter);
    for arrival in &found {
        let mut visible = visible(&String::from_utf8_lossy(&arrival.raw), &addresses);
        match arrival.to.as_deref() {
            Some(own) => _ = visible.remove(own),
            // One of them is whom it reached.
            None => _ = visible.pop_first(),
        }
        ensure!(visible.is_empty(), "the address of another recipient is visible");
    }
    if found.iter().any(|arrival| arrival.to.is_none()) {
        exam.leave_out(
            "whether the one address that is visible is another's: the far side does not say whom a message reached",
        );
    }
    Ok(())
}

/// Which addresses can be seen. One that stands within another is seen only where it stands elsewhere, too.
fn visible<'a>(seen: &str, addresses: &BTreeSet<&'a str>) -> BTreeSet<&'a str> {
    let mut left = seen.to_lowercase();
    let mut longest_first: Vec<&str> = addresses.iter().copied().collect();
    longest_first.sort_by_key(|address| std::cmp::Reverse(address.len()));
    let mut visible = BTreeSet::new();
    for address in longest_first {
        let word = address.to_lowercase();
        if left.contains(&word) {
            visible.insert(address);
            left = left.replace(&word, "\0");
        }
    }
    visible
}

pub(in crate::contract::channel) async fn c10_the_key_is_the_same_on_every_try(exam: &Exam<'_>) -> Held {
    let trial = exam.delivering().await?;
    let honours = trial.channel.capabilities().deduplication == Deduplication::ByKey;
    let trial = match exam.showing(Plot::failing(Fault::LoseAnswer)).await {
        Some(trial) => trial,
        None => trial,
    };
    let letter = exam.letter(0);
    exam.attempt(&*trial.channel, &letter).await?;
    exam.accepted(&trial, &letter.again(), "the second try").await?;
    exam.accepted(&trial, &exam.letter(1), "another message").await?;
    let found = arrived(&trial, &letter);
    let keys: Vec<&str> = found.iter().filter_map(|arrival| arrival.key.as_deref()).collect();
    ensure!(!keys.is_empty() && keys.len() == found.len(), "a message arrived without a key");
    let own = [letter.item().key.as_str(), letter.message_key.as_str()];
    let of_it = |key: &str| own.iter().any(|own| key.contains(own));
    ensure!(
        keys.iter().all(|key| of_it(key)),
        "the key at the far side holds neither the delivery's nor the message's"
    );
    ensure!(keys.iter().all(|key| Some(key) == keys.first()), "the key is another one on the second try");
    ensure!(!honours || found.len() == 1, "the far side did not recognise the second try by its key");
    let other = arrived(&trial, &exam.letter(1)).into_iter().find_map(|arrival| arrival.key);
    ensure!(other.as_deref() != keys.first().copied(), "two messages have one key");
    Ok(())
}

/// Texts that something on the way may take for more than text.
const HOSTILE: [(&str, &str); 12] = [
    ("characters of two, three and four octets", "Größe \u{20ac} 漢字 \u{1f680} \u{1f469}\u{200d}\u{1f680} e\u{301}"),
    ("words from right to left", "שלום עולם, مرحبا بالعالم 1.2.3"),
    ("a very long line", ""),
    ("what looks like headers", "Bcc: eve@evil.test\n\nContent-Type: text/html\n\nSubject: other"),
    ("what looks like the end of a mail", "one\n\n.\n\n..\n\nFrom here on"),
    ("what looks like markup", "\\<script>alert(1)\\</script> &amp;amp; \\<b>bold\\</b> \"quoted\" 'single'"),
    ("what looks like JSON", "\\\"}, {\\\"id\\\": 1, \\\\n \\\\u0000 \\\\"),
    ("what looks like an encoded word", "=?utf-8?q?=0D=0ABcc:_x?= =20 =E2=82=AC"),
    ("what looks like a URL's escapes", "100%25 %0d%0a +1 a=b&c=d ?x#y"),
    ("what looks like a template", "{{ person.name }} {% if x %} ${HOME} `ls`"),
    ("what looks like a boundary", "-- \n\n--relcomm\n\n--boundary--"),
    ("blanks of other kinds", "a\u{a0}b\u{2003}c\u{200b}d"),
];

pub(in crate::contract::channel) async fn c11_the_words_arrive_unchanged(exam: &Exam<'_>) -> Held {
    let trial = exam.delivering().await?;
    for (n, (what, text)) in HOSTILE.iter().enumerate() {
        let letter = exam.letter(n);
        let mark = &letter.mark;
        let text = if text.is_empty() { "long \u{fc}line ".repeat(400) } else { (*text).to_owned() };
        let first = text.lines().next().unwrap_or_default().chars().take(60).collect::<String>();
        let words = wording(&format!("{} {mark}", first.trim()), &format!("{mark}\n\n{text}\n\n{mark}"), mark);
        if trial.channel.prepare(&words).is_err() {
            exam.leave_out(format!("{what}: the channel does not take it"));
            continue;
        }
        let expected = exam.fixture.reads(&words);
        let subject = words.subject.clone();
        let letter = letter.saying(words);
        exam.accepted(&trial, &letter, what).await?;
        for arrival in arrived(&trial, &letter) {
            ensure!(reading(&arrival.text).contains(&reading(&expected)), "{what} is changed: {:?}", arrival.text);
            let same = arrival.subject.as_ref().is_none_or(|arrived| arrived == &subject);
            ensure!(same, "{what} is changed in the subject: {:?}", arrival.subject);
        }
        ensure!(!arrived(&trial, &letter).is_empty(), "{what} does not arrive");
    }
    Ok(())
}

/// Line ends are the wire's own.
fn reading(text: &str) -> String {
    text.replace("\r\n", "\n").trim_end().to_owned()
}

/// Whether the outcome says that the message may be out.
pub(in crate::contract::channel) fn is_maybe(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed(error) if error.effect == Effect::MaybeSent)
}

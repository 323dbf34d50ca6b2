//! C4: every limit is held to its last unit.

use crate::contract::channel::exam::{Exam, Held, Stop, ensure, wording};
use crate::contract::channel::fixture::Trial;
use relcomm_core::channel::{Outcome, Prepared, Wording};
use relcomm_core::mechanism::{Limit, OnExcess, Unit};
use relcomm_core::plan::Finding;

/// Where words can be made longer.
const KNOBS: [fn(&str) -> Wording; 3] = [
    |filler| wording("Anvil is live", &format!("a{filler}"), "Anvil is live"),
    |filler| wording("Anvil is live", "Anvil is live", &format!("a{filler}")),
    |filler| wording(&format!("a{filler}"), "Anvil is live", "Anvil is live"),
];
/// Characters of one, two and four octets.
const FILLERS: [&str; 3] = ["a", "é", "\u{1f680}"];
/// A document holds no more octets than this.
const LONGEST: usize = relcomm_core::document::MAX_SOURCE - 8;

pub(in crate::contract::channel) async fn c04_limits_are_held_to_the_last_unit(exam: &Exam<'_>) -> Held {
    let trial = exam.well().await?;
    let limits = trial.channel.capabilities().limits.clone();
    if limits.is_empty() {
        return Err(Stop::NotApplicable("no limits are declared".into()));
    }
    for limit in &limits {
        if limit.unit == Unit::Items {
            exam.leave_out(format!("the limit of `{}`: items are counted by their own rule", limit.part));
            continue;
        }
        let short = KNOBS[0]("");
        let parts =
            trial.channel.prepare(&short).map_err(|_| Stop::Broken("a short text cannot be prepared".into()))?;
        let named = parts.parts.iter().any(|part| part.name == limit.part);
        ensure!(named, "it limits a part `{}`, which it does not prepare", limit.part);
        let mut reached = false;
        for filler in FILLERS {
            for knob in KNOBS {
                reached |= at_the_limit(exam, &trial, limit, knob, filler).await?;
            }
        }
        if !reached {
            exam.leave_out(format!("the limit of `{}`: no words that were tried reach it", limit.part));
        }
    }
    Ok(())
}

/// Judges one limit with words that grow at one place; `false` if they do not reach it.
async fn at_the_limit(
    exam: &Exam<'_>,
    trial: &Trial,
    limit: &Limit,
    knob: fn(&str) -> Wording,
    filler: &str,
) -> Result<bool, Stop> {
    let prepare = |n: usize| trial.channel.prepare(&knob(&filler.repeat(n)));
    let measure = |parts: &Prepared| limit.unit.measure(parts.part(&limit.part));
    let length = |n: usize| prepare(n).ok().and_then(|parts| measure(&parts));
    let (Some(one), Some(two)) = (length(1), length(2)) else { return Ok(false) };
    let weight = two.saturating_sub(one);
    if weight == 0 || one >= limit.max {
        return Ok(false);
    }
    // The most characters that fit, if each weighs the same.
    let fitting = 1 + (limit.max - one) / weight;
    if (fitting + 1) * filler.len() > LONGEST {
        return Ok(false);
    }
    let (part, max, unit) = (&limit.part, limit.max, limit.unit);
    for n in [fitting - 1, fitting] {
        let Ok(parts) = prepare(n) else {
            if another_is_narrower(trial, limit, prepare, n) {
                return Ok(false);
            }
            let count = one + (n - 1) * weight;
            return Err(Stop::Broken(format!("`{part}` may hold {max} {unit}; one of {count} is refused")));
        };
        let (is, whole) = (measure(&parts), one + (n.max(1) - 1) * weight);
        ensure!(is == Some(whole) || n == 0, "`{part}` of {whole} {unit} is cut to {is:?} below its limit of {max}");
    }
    match (limit.on_excess, prepare(fitting + 1)) {
        (OnExcess::Reject, Ok(parts)) => {
            return Err(Stop::Broken(format!(
                "`{part}` may hold {max} {unit}; one of {:?} is let through",
                measure(&parts)
            )));
        }
        (OnExcess::Reject, Err(findings)) => ensure!(!findings.is_empty(), "a text is refused without a finding"),
        (OnExcess::Cut, Ok(parts)) => {
            let is = measure(&parts);
            ensure!(is.is_some_and(|is| is <= max), "`{part}` is to be cut at {max} {unit}, and has {is:?}");
        }
        (_, Err(_)) => ensure!(false, "`{part}` is to be cut at {max} {unit}, and is refused"),
        _ => {}
    }
    if filler == FILLERS[0] {
        let letter = exam.letter(0).saying(knob(&filler.repeat(fitting)));
        let outcome = exam.attempt(&*trial.channel, &letter).await?.outcome();
        ensure!(
            matches!(outcome, Outcome::Accepted(_)),
            "a `{part}` of {max} {unit} does not get through: {outcome:?}"
        );
    }
    Ok(true)
}

/// Whether another limit is what refuses words of `refused` characters: the longest that are let through stand at it.
fn another_is_narrower(
    trial: &Trial,
    limit: &Limit,
    prepare: impl Fn(usize) -> Result<Prepared, Vec<Finding>>,
    refused: usize,
) -> bool {
    // One and two characters are let through.
    let (mut fits, mut over) = (2, refused);
    while over - fits > 1 {
        let middle = fits + (over - fits) / 2;
        if prepare(middle).is_ok() {
            fits = middle;
        } else {
            over = middle;
        }
    }
    let others = trial.channel.capabilities().limits.iter().filter(|other| *other != limit);
    others.filter(|other| other.on_excess == OnExcess::Reject).any(|other| {
        let length = |n: usize| prepare(n).ok().and_then(|parts| other.unit.measure(parts.part(&other.part)));
        match (length(fits - 1), length(fits)) {
            (Some(before), Some(at)) => at > before && at + (at - before) > other.max,
            _ => false,
        }
    })
}

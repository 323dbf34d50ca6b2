//! The lane's tables.

use super::table::{Count, START, Table, offset, print, span};
use relcomm_core::channel::ErrorKind;
use relcomm_core::course::{Lane, LaneFact, LaneInput, Retries};
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(5);

fn build(column: &str) -> Lane {
    let retries = Retries::default();
    let mut lane = Lane::default();
    let mut take = |input, now| {
        let fact = lane.decide(&retries, &input, now).expect("it changes something");
        lane.apply(&fact);
    };
    match column {
        "Up" => {}
        "Down" => take(LaneInput::Fault(None), START),
        "Probing" => {
            take(LaneInput::Fault(None), START);
            take(LaneInput::Tick, START + WAIT);
        }
        "Barred" => take(LaneInput::Bar(ErrorKind::Authentication), START),
        _ => panic!("unknown column `{column}`"),
    }
    lane
}

fn input(text: &str) -> LaneInput {
    match text {
        "works" => LaneInput::Works,
        "idle" => LaneInput::Idle,
        "fault" => LaneInput::Fault(None),
        "bar" => LaneInput::Bar(ErrorKind::Configuration),
        "tick" => LaneInput::Tick,
        "mended" => LaneInput::Mended,
        "try" => LaneInput::Try,
        _ => {
            let after = text.strip_prefix("fault after ").and_then(span);
            LaneInput::Fault(Some(after.unwrap_or_else(|| panic!("unknown input `{text}`"))))
        }
    }
}

fn name(lane: Lane) -> &'static str {
    match lane {
        Lane::Up => "Up",
        Lane::Down { .. } => "Down",
        Lane::Probing { .. } => "Probing",
        Lane::Barred { .. } => "Barred",
    }
}

fn text(fact: LaneFact) -> String {
    match fact {
        LaneFact::Down { until, faults } => format!("Down({} {faults})", offset(until)),
        LaneFact::Probing => "Probing".to_owned(),
        LaneFact::Up => "Up".to_owned(),
        LaneFact::Barred { .. } => "Barred".to_owned(),
    }
}

/// Brings every cell about and compares the fact, and the state that it leads to.
pub(crate) fn check(table: &Table) -> Count {
    let mut count = Count::default();
    for row in &table.rows {
        let (what, later) = row.input.split_once(", ").unwrap_or((&row.input, "+0s"));
        let later = span(later).unwrap_or_else(|| panic!("unknown condition in row `{}`", row.input));
        for (column, cell) in table.columns.iter().zip(&row.cells) {
            count.total += 1;
            let mut lane = build(column);
            assert_eq!(name(lane), column);
            let start = if column == "Probing" { START + WAIT } else { START };
            let fact = lane.decide(&Retries::default(), &input(what), (START + later).max(start));
            let found = print(&fact.map(text).into_iter().collect::<Vec<_>>());
            count.compare(&row.input, column, cell, Some(&found));
            if let Some(fact) = fact {
                lane.apply(&fact);
                assert!(text(fact).starts_with(name(lane)), "{fact:?} leads to {lane:?}");
            }
            assert_eq!(lane.timer().is_some(), matches!(lane, Lane::Down { .. }));
        }
    }
    count
}

/// The permits of each state.
pub(crate) fn permits(table: &Table) -> Count {
    let mut count = Count::default();
    for row in &table.rows {
        assert_eq!(row.input, "permits");
        for (column, cell) in table.columns.iter().zip(&row.cells) {
            count.total += 1;
            let lane = build(column);
            count.compare(&row.input, column, cell, Some(&lane.permits(4).to_string()));
            assert_eq!(lane.permits(0), 0, "no lane gives more than there are");
        }
    }
    count
}

//! Reads the Markdown tables.

use relcomm_core::clock::Moment;
use std::fmt::Write as _;
use std::time::Duration;

const TABLES: &str = include_str!("../../src/course/TABLES.md");

/// When every case starts.
pub(crate) const START: Moment = Moment::from_millis(1_800_000_000_000);

/// One table.
pub(crate) struct Table {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

/// One row: what stands in the first column, and the cells.
pub(crate) struct Row {
    pub(crate) input: String,
    pub(crate) cells: Vec<String>,
}

/// How many cells were exercised, and which differ.
#[derive(Default)]
pub(crate) struct Count {
    pub(crate) hit: usize,
    pub(crate) total: usize,
    pub(crate) wrong: Vec<String>,
}

impl Count {
    /// A cell was exercised and came to this; `None` where the state could not be brought about.
    pub(crate) fn compare(&mut self, row: &str, column: &str, printed: &str, found: Option<&str>) {
        self.hit += 1;
        let found = found.unwrap_or("n/a");
        if printed != found {
            self.wrong.push(format!("{row} | {column}: printed `{printed}`, found `{found}`"));
        }
    }
}

fn is_table(line: &str) -> bool {
    line.starts_with('|')
}

/// How many tables there are.
pub(crate) fn count() -> usize {
    TABLES.lines().filter(|l| l.starts_with("| --- ")).count()
}

/// The n-th table under a heading.
pub(crate) fn read(heading: &str, n: usize) -> Table {
    let lines: Vec<&str> = TABLES
        .lines()
        .skip_while(|l| *l != format!("## {heading}"))
        .skip(1)
        .take_while(|l| !l.starts_with("## "))
        .collect();
    let table = lines
        .split(|l| !is_table(l))
        .filter(|block| !block.is_empty())
        .nth(n)
        .unwrap_or_else(|| panic!("no table {n} under {heading}"));
    let cells =
        |line: &str| -> Vec<String> { line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect() };
    let columns = cells(table[0])[1..].to_vec();
    let rows: Vec<Row> = table[2..]
        .iter()
        .map(|line| {
            let mut all = cells(line);
            assert_eq!(all.len(), columns.len() + 1, "{line}");
            Row { input: all.remove(0), cells: all }
        })
        .collect();
    for (n, row) in rows.iter().enumerate() {
        assert!(rows[..n].iter().all(|r| r.input != row.input), "printed twice: {}", row.input);
    }
    Table { columns, rows }
}

/// A span such as `5s`, `9m`, `2h`, with or without a plus.
pub(crate) fn span(text: &str) -> Option<Duration> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let seconds = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        _ => return None,
    };
    Some(Duration::from_secs(text[..text.len() - 1].parse::<u64>().ok()? * seconds))
}

/// An instant, as printed: how long after the start, in the largest unit that is printed whole (up to 65 s and 90 m).
pub(crate) fn offset(at: Moment) -> String {
    assert!(at >= START, "{at} is before the start");
    let seconds = at.since(START).as_secs();
    assert_eq!(START + Duration::from_secs(seconds), at);
    match seconds {
        0 => "+0s".to_owned(),
        s if s % 3600 == 0 => format!("+{}h", s / 3600),
        s if s % 60 == 0 => format!("+{}m", s / 60),
        s => format!("+{s}s"),
    }
}

/// The facts as a cell prints them.
pub(crate) fn print(facts: &[String]) -> String {
    let mut text = String::new();
    for fact in facts {
        let dot = if text.is_empty() { "" } else { " · " };
        let _ = write!(text, "{dot}{fact}");
    }
    if text.is_empty() { "–".to_owned() } else { text }
}

//! `explain`: the page of a code, those of plans, of channels files and of rehearsals.

use super::{json, print};
use crate::arguments::Format;
use crate::{Exit, Failure};
use relcomm_core::plan::source::suggest;
use relcomm_core::validate::catalogue;
use serde_json::json;

/// Codes of channels files and of rehearsals, which only this command reads.
const OF_OTHERS: [&str; 8] = [
    include_str!("pages/RC0950.md"),
    include_str!("pages/RC1001.md"),
    include_str!("pages/RC1002.md"),
    include_str!("pages/RC1003.md"),
    include_str!("pages/RC1004.md"),
    include_str!("pages/RC1005.md"),
    include_str!("pages/RC1006.md"),
    include_str!("pages/RC1201.md"),
];

struct Explained {
    code: &'static str,
    title: &'static str,
    page: &'static str,
}

/// Every code, in order.
fn all() -> Vec<Explained> {
    let of_plans = catalogue().iter().map(|known| Explained { code: known.code, title: known.title, page: known.page });
    let of_others = OF_OTHERS.into_iter().filter_map(|page| {
        let (code, title) = page.lines().next()?.strip_prefix("# ")?.split_once(": ")?;
        Some(Explained { code, title, page })
    });
    let mut all: Vec<Explained> = of_plans.chain(of_others).collect();
    all.sort_by_key(|explained| explained.code);
    all
}

pub(super) fn explain(code: Option<&str>, format: Format) -> Result<Exit, Failure> {
    let all = all();
    let Some(code) = code else {
        match format {
            Format::Json => {
                let list: Vec<_> = all.iter().map(|one| json!({ "code": one.code, "title": one.title })).collect();
                print(&json(&list));
            }
            Format::Text | Format::Github => {
                print(&all.iter().map(|one| format!("{}  {}\n", one.code, one.title)).collect::<String>());
            }
        }
        return Ok(Exit::Done);
    };
    let wanted = code.trim().to_ascii_uppercase();
    match all.iter().find(|one| one.code == wanted) {
        Some(one) if format == Format::Json => {
            print(&json(&json!({ "code": one.code, "title": one.title, "page": one.page })));
        }
        Some(one) => print(one.page),
        None => {
            let help = match suggest(&wanted, all.iter().map(|one| one.code)) {
                Some(near) => format!("did you mean {near}? "),
                None => String::new(),
            };
            let shown: String = code.chars().take(32).filter(|c| !c.is_control()).collect();
            return Err(Failure::Tool(format!("there is no code `{shown}`; {help}`relcomm explain` lists them all")));
        }
    }
    Ok(Exit::Done)
}

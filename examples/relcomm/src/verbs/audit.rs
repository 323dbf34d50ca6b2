//! `audit`: whether the record is intact.

use super::answer;
use super::desk::Bench;
use crate::arguments::Common;
use crate::{Exit, Failure};
use relcomm_core::journal::{Folded, Journal, SqliteJournal};
use serde_json::json;

const PAGE: usize = 4096;
/// How often it is read anew when somebody has written meanwhile.
const TRIES: u32 = 5;

/// The seal holds over all entries, the states are what the entries come to, and the head is the one that was printed before.
pub(super) async fn audit(common: &Common, head: Option<&str>) -> Result<Exit, Failure> {
    let journal = Bench::open(common).await?.journal(common)?;
    let sealed = journal.verify_seal().await?;
    if let Some(head) = head
        && !sealed.seal.eq_ignore_ascii_case(head)
    {
        // A record that has only grown since then has the old head within it, and that cannot be told from here.
        return Err(Failure::Tool(format!("the head of the journal is {}, another than the one given", sealed.seal)));
    }
    let mut left = TRIES;
    loop {
        let before = journal.seal().await?;
        let Some(differs) = differs(&journal).await? else { break };
        // Entries and states are not read in one breath: somebody may have written in between.
        if journal.seal().await? == before {
            return Err(Failure::Tool(format!("the record is not intact: {differs} is not what its entries come to")));
        }
        left -= 1;
        if left == 0 {
            return Err(Failure::Tool("the record changes all the time: audit it when nobody writes".into()));
        }
    }
    let line = format!("intact: {} entries in {} blocks, head {}", sealed.entries, sealed.blocks, sealed.seal);
    let value = json!({ "intact": true, "entries": sealed.entries, "blocks": sealed.blocks, "head": sealed.seal });
    answer(common.format, &line, &value);
    Ok(Exit::Done)
}

/// What is not what its entries come to.
async fn differs(journal: &SqliteJournal) -> Result<Option<String>, Failure> {
    let (mut folded, mut after) = (Folded::default(), 0);
    loop {
        let page = journal.entries(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        page.iter().for_each(|entry| folded.take(entry));
    }
    Ok(folded.differs(journal).await?.map(|differs| differs.to_string()))
}

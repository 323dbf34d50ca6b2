//! `audit`: whether the record is intact.

use super::answer;
use super::desk::Bench;
use crate::arguments::Common;
use crate::{Exit, Failure};
use relcomm_core::journal::{Folded, Journal};
use serde_json::json;

const PAGE: usize = 4096;

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
    let (mut folded, mut after) = (Folded::default(), 0);
    loop {
        let page = journal.entries(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        page.iter().for_each(|entry| folded.take(entry));
    }
    if let Some(differs) = folded.differs(&journal).await? {
        return Err(Failure::Tool(format!("the record is not intact: {differs} is not what its entries come to")));
    }
    let line = format!("intact: {} entries in {} blocks, head {}", sealed.entries, sealed.blocks, sealed.seal);
    let value = json!({ "intact": true, "entries": sealed.entries, "blocks": sealed.blocks, "head": sealed.seal });
    answer(common.format, &line, &value);
    Ok(Exit::Done)
}

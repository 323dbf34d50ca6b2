//! The channel of the guide's chapter "A channel in 60 lines": from the first `use` to `main` it stands there,
//! word for word. The program is a `relcomm` that knows `kind: spool`.

use async_trait::async_trait;
use relcomm_core::channel::*;
use relcomm_core::mechanism::{Addressing, Capabilities, Deduplication, Limit, Unit};
use relcomm_core::{plan::Finding, receipt::Assurance, stakeholder::Address};
use std::{fs, io, path::PathBuf};

/// Puts each text into the folder of its recipient, as a file that is named by its key.
#[derive(Debug)]
pub(crate) struct Spool(PathBuf, Descriptor, Capabilities);

impl Spool {
    pub(crate) fn new(root: PathBuf) -> Self {
        let can = Capabilities::new(Addressing::Each, Assurance::Accepted)
            .deduplication(Deduplication::ByKey)
            .limits([Limit::reject("text", 10_000, Unit::Chars)]);
        Self(root, Descriptor::new("spool"), can)
    }

    async fn deliver(&self, text: &Prepared, item: &Outgoing, crossing: impl FnOnce()) -> io::Result<()> {
        let folder = self.0.join(item.address.as_ref().map_or("all", Address::as_str));
        let (draft, file) = (folder.join(format!(".{}", item.key)), folder.join(item.key.as_str()));
        let (to, text) = (draft.clone(), text.part("text").to_owned());
        tokio::task::spawn_blocking(move || fs::write(to, text)).await??;
        crossing(); // A name without a dot is what readers look for: until here nobody was told.
        fs::rename(draft, file)
    }
}

fn fault(error: &io::Error) -> ChannelError {
    match error.kind() {
        io::ErrorKind::NotFound => ChannelError::new(ErrorKind::RecipientInvalid, "there is no such folder"),
        _ => ChannelError::new(ErrorKind::Unavailable, "no file").scope(Scope::Channel).retry(Retry::Backoff),
    }
}

#[async_trait]
impl Channel for Spool {
    fn descriptor(&self) -> &Descriptor {
        &self.1
    }
    fn capabilities(&self) -> &Capabilities {
        &self.2
    }
    fn check_address(&self, address: &Address) -> Result<(), String> {
        let plain = address.as_str().chars().all(|c| c.is_ascii_alphanumeric());
        plain.then_some(()).ok_or_else(|| "a folder's name holds letters and digits".into())
    }
    fn prepare(&self, words: &Wording) -> Result<Prepared, Vec<Finding>> {
        let text = Prepared::new([Part::new("text", "text/plain", words.document.to_plain())]);
        let over = text.over(&self.2.limits);
        if over.is_empty() { Ok(text) } else { Err(over) }
    }
    async fn attempt(&self, cx: &AttemptContext, batch: &Batch<'_>, out: &mut Outcomes) -> Result<(), ChannelError> {
        for (i, item) in batch.items.iter().enumerate() {
            if cx.cancellation.is_cancelled() || cx.remaining().is_zero() {
                return Err(ChannelError::new(ErrorKind::Cancelled, "no time is left").retry(Retry::Backoff));
            }
            let ended = self.deliver(batch.text, item, || out.crossing(i)).await;
            let accepted = || Outcome::Accepted(Accepted::new(Assurance::Accepted));
            out.set(i, ended.map_or_else(|e| Outcome::Failed(fault(&e)), |()| accepted()));
        }
        Ok(())
    }
}

#[allow(dead_code, reason = "tests take this file as a module")]
fn main() -> std::process::ExitCode {
    use relcomm::deployment::{ChannelKind, ChannelKinds, Made};
    let kind = ChannelKind::new(&["kind", "root"], |s| Ok(Made::channel(Spool::new(s.needed("root")?.into()))));
    relcomm::command(ChannelKinds::standard().with("spool", kind))
}

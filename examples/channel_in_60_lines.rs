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

    async fn deliver(
        &self,
        text: &Prepared,
        item: &Outgoing,
        crossing: impl FnOnce(),
    ) -> Result<Accepted, ChannelError> {
        let folder = self.0.join(item.address.as_ref().map_or("all", Address::as_str));
        let (key, text) = (item.key, text.part("text").to_owned());
        let written = tokio::task::spawn_blocking(move || {
            let draft = folder.join(format!(".{key}"));
            fs::write(&draft, text).map(|()| (draft, folder.join(key.as_str())))
        });
        let error = |e: io::Error| match e.kind() {
            io::ErrorKind::NotFound => ChannelError::new(ErrorKind::RecipientInvalid, "there is no such folder"),
            kind => {
                ChannelError::new(ErrorKind::Unavailable, kind.to_string()).scope(Scope::Channel).retry(Retry::Backoff)
            }
        };
        let (draft, file) = written.await.map_err(io::Error::other).and_then(|io| io).map_err(error)?;
        crossing(); // A name without a dot is what readers look for: until here nobody was told.
        fs::rename(draft, file).map_err(|e| error(e).maybe_sent())?;
        Ok(Accepted::new(Assurance::Accepted).reference(key.as_str()))
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
            out.set(i, ended.map_or_else(Outcome::Failed, Outcome::Accepted));
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

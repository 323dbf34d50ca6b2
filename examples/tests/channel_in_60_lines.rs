//! The channel of the guide keeps the contract of channels.

#[path = "../channel_in_60_lines.rs"]
mod channel_in_60_lines;

use async_trait::async_trait;
use channel_in_60_lines::Spool;
use relcomm_testkit::contract::channel::{Arrival, CannotShow, ChannelFixture, FarSide, Plot, Trial};
use std::fs::read_dir;

const NAMES: [&str; 3] = ["ops", "press", "staff"];

struct Folders;

#[async_trait]
impl ChannelFixture for Folders {
    async fn set_up(&self, plot: Plot) -> Result<Trial, CannotShow> {
        if plot.fault().is_some() {
            return Err(CannotShow::because("a folder does not fail when it is told to"));
        }
        let root = tempfile::tempdir().expect("a folder");
        NAMES.iter().for_each(|name| std::fs::create_dir(root.path().join(name)).expect("a folder"));
        let channel = Spool::new(root.path().to_owned());
        let look = std::sync::Arc::new(move || {
            let files = |name| read_dir(root.path().join(name)).expect("a folder").map(move |file| (name, file));
            let files = NAMES.into_iter().flat_map(files).map(|(name, file)| (name, file.expect("a file").path()));
            let arrived = files.map(|(name, path)| {
                let key = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                Arrival::new(std::fs::read_to_string(path).unwrap_or_default()).key(key).to(name)
            });
            arrived.filter(|arrival| arrival.key.as_ref().is_some_and(|key| !key.starts_with('.'))).collect::<Vec<_>>()
        });
        let count = std::sync::Arc::clone(&look);
        Ok(Trial::new(channel, move || look(), move || count().len()))
    }
    fn far_side(&self) -> FarSide {
        FarSide::taking(NAMES).refusing("nobody")
    }
}

relcomm_testkit::channel_contract!(Folders, not_applicable: 44);

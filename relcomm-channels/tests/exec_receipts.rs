//! A program keeps the contract of sources of receipts: here a shell script with a folder of what has come.
#![cfg(all(feature = "exec", unix))]

use async_trait::async_trait;
use relcomm_channels::exec::{Description, ExecChannel, ExecOptions};
use relcomm_core::receipt::Evidence;
use relcomm_testkit::contract::source::{Came, SourceFixture, SourceTrial};
use std::fs;

const SCRIPT: &str = r#"
    cd "$FOLDER"; read request
    case "$request" in
    *'"do":"receipts-done"'*)
        for file in *; do case "$request" in *"\"$file\""*) rm "$file" ;; esac; done ;;
    *)
        max=${request##*'"max":'}; max=${max%%[!0-9]*}
        ls | sort -n | head -n "$max" | while read file; do cat "$file"; done ;;
    esac
    echo '{"done":true}'"#;

struct Folder;

#[async_trait]
impl SourceFixture for Folder {
    async fn set_up(&self) -> SourceTrial {
        let folder = tempfile::tempdir().expect("a folder");
        let options = ExecOptions::new("/bin/sh").arg("-c").arg(SCRIPT);
        let options = options.env("FOLDER", folder.path().display().to_string());
        let source = ExecChannel::described(options, Description::new("folder")).expect("a channel");
        SourceTrial::new(source, move |came| {
            let (number, line) = match *came {
                Came::Report { number, token, evidence } => {
                    let says = if evidence == Evidence::Failed { "failed" } else { "delivered" };
                    let receipt = format!(r#"{{"receipt":"{number}","token":"{}","says":"{says}"}}"#, token.as_str());
                    (number, receipt)
                }
                Came::Nonsense { number, words } => (number, format!(r#"{{"receipt":"{number}","raw":"{words}"}}"#)),
                _ => panic!("nothing else comes"),
            };
            fs::write(folder.path().join(number.to_string()), format!("{line}\n")).expect("a file");
        })
    }
}

relcomm_testkit::receipt_source_contract!(Folder);

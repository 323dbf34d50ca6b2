//! A channels file: read and checked, as `--channels` does before any secret is looked up or channel made.

#![no_main]

use libfuzzer_sys::fuzz_target;
use relcomm::deployment::{ChannelKinds, Deployment};

fuzz_target!(|file: &[u8]| {
    for name in ["channels.yaml", "channels.toml", "channels.json"] {
        if let Err(findings) = Deployment::parse(name, file, ChannelKinds::standard()) {
            assert!(!findings.is_empty());
            for finding in &findings {
                assert!(finding.at.is_some(), "{finding}");
            }
        }
    }
});

//! A certificate made for one test.

use rcgen::{CertificateParams, KeyPair};
use std::path::{Path, PathBuf};

/// Where a certificate and its key lie.
#[derive(Debug)]
pub(crate) struct Certificate {
    pub(crate) pem: PathBuf,
    pub(crate) key: PathBuf,
}

/// A certificate for a loopback server, issued by itself.
pub(crate) fn for_loopback(directory: &Path) -> Certificate {
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("parameters");
    let pair = KeyPair::generate().expect("a key");
    let made = params.self_signed(&pair).expect("a certificate");
    let made_at = Certificate { pem: directory.join("relay.pem"), key: directory.join("relay.key") };
    std::fs::write(&made_at.pem, made.pem()).expect("the certificate is written");
    std::fs::write(&made_at.key, pair.serialize_pem()).expect("the key is written");
    made_at
}

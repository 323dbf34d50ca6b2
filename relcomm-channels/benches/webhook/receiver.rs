//! The receiver: hyper on one thread, keep-alive, 204 at once, with and without TLS. It counts, keeps the latest request, and tells both when
//! asked.

use crate::{SECRET, env};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::cell::RefCell;
use std::io::{Read, Write};
use std::rc::Rc;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

#[derive(Default)]
struct Seen {
    taken: u32,
    latest: Option<(Parts, Bytes)>,
}

/// Serves until standard input ends. The first line that is printed is the URL without TLS, the second that with it; whoever calls the
/// second trusts the certificate that is then in the file of `CA`.
pub(crate) fn serve() {
    // The sender must not be waited for by a port that outlives it.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let tls = tls();
        let plain = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let secure = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let mut out = std::io::stdout();
        for (scheme, listener) in [("http", &plain), ("https", &secure)] {
            writeln!(out, "{scheme}://{}/hooks/bench", listener.local_addr().expect("bound")).expect("standard output");
        }
        out.flush().expect("standard output");
        let seen = Rc::new(RefCell::new(Seen::default()));
        tokio::join!(accept(plain, None, &seen), accept(secure, Some(tls), &seen));
    });
}

/// Takes connections, for ever.
async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, seen: &Rc<RefCell<Seen>>) {
    loop {
        let (stream, _) = listener.accept().await.expect("loopback");
        stream.set_nodelay(true).expect("a socket");
        let (tls, seen) = (tls.clone(), Rc::clone(seen));
        tokio::task::spawn_local(async move {
            let Some(tls) = tls else { return converse(stream, seen).await };
            // A sender that gives up while it greets is missed by the count.
            if let Ok(stream) = tls.accept(stream).await {
                converse(stream, seen).await;
            }
        });
    }
}

async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin, seen: Rc<RefCell<Seen>>) {
    let service = service_fn(move |request| answer(request, Rc::clone(&seen)));
    // What a sender broke off is missed by the count.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// An authority of this run, written where the senders look, and a certificate of it for this address.
fn tls() -> TlsAcceptor {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, "the bench's authority");
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key")).expect("an authority");
    std::fs::write(env("CA"), authority.pem()).expect("disk");
    let pair = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("an address");
    let certificate = params.signed_by(&pair, &authority).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("a server");
    TlsAcceptor::from(Arc::new(config))
}

async fn answer(request: Request<Incoming>, seen: Rc<RefCell<Seen>>) -> hyper::Result<Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let mut seen = seen.borrow_mut();
    if parts.method == Method::GET {
        return Ok(Response::new(Full::from(std::mem::take(&mut *seen).told().to_string())));
    }
    seen.taken += 1;
    seen.latest = Some((parts, body));
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    Ok(answer)
}

impl Seen {
    /// How many were taken since it was last asked, and the latest of them, its signature checked by an implementation of others.
    fn told(self) -> serde_json::Value {
        let Some((parts, body)) = self.latest else { return serde_json::json!({ "taken": self.taken }) };
        let secret = standardwebhooks::Webhook::new(SECRET).expect("a secret");
        serde_json::json!({
            "taken": self.taken,
            "signed": secret.verify(&body, &parts.headers).is_ok(),
            "headers": parts.headers.len(),
            "body": String::from_utf8_lossy(&body),
        })
    }
}

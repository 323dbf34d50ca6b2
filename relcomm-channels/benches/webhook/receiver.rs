//! The receiver: hyper on one thread, keep-alive, 204 at once. It counts, keeps the latest request, and tells both when asked.

use crate::SECRET;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::cell::RefCell;
use std::io::{Read, Write};
use std::rc::Rc;
use tokio::net::TcpListener;

#[derive(Default)]
struct Seen {
    taken: u32,
    latest: Option<(Parts, Bytes)>,
}

/// Serves until standard input ends. The first line that is printed is the URL.
pub(crate) fn serve() {
    // The sender must not be waited for by a port that outlives it.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let mut out = std::io::stdout();
        writeln!(out, "http://{}/hooks/bench", listener.local_addr().expect("bound")).expect("standard output");
        out.flush().expect("standard output");
        let seen = Rc::new(RefCell::new(Seen::default()));
        loop {
            let (stream, _) = listener.accept().await.expect("loopback");
            stream.set_nodelay(true).expect("a socket");
            let seen = Rc::clone(&seen);
            let service = service_fn(move |request| answer(request, Rc::clone(&seen)));
            tokio::task::spawn_local(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
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

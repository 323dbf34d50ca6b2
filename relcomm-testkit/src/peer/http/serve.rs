//! One connection: requests in, answers or faults out.

use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::sync::{Arc, Mutex};

use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{StatusCode, server::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;

use super::exchange::{Pace, Request, Response};
use super::pagerduty;
use super::record::Record;
use super::script::HttpAct;
use crate::peer::held;
use crate::peer::listen::Connection;

/// Makes hyper drop the connection where it stands.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the script cuts the connection")]
struct Cut;

type Body = UnsyncBoxBody<Bytes, Cut>;

pub(super) async fn connection(io: Connection, number: usize, record: Arc<Record>) {
    // What goes out instead of an answer.
    let raw = Arc::new(Mutex::new(None));
    let service = service_fn(|request| {
        let (record, raw) = (Arc::clone(&record), Arc::clone(&raw));
        // Pinned, so that the connection can be taken apart when it has ended.
        Box::pin(async move { handle(request, number, &record, &raw).await })
    });
    let mut served = http1::Builder::new().serve_connection(TokioIo::new(io), service);
    // A client that goes away, or a cut, ends the connection; what was received is in the record.
    let _ = poll_fn(|cx| served.poll_without_shutdown(cx)).await;
    let octets = held(&raw).take();
    if let Some(octets) = octets {
        let mut io = served.into_parts().io.into_inner();
        let _ = io.write_all(&octets).await;
        let _ = io.shutdown().await;
    }
}

async fn handle(
    incoming: hyper::Request<Incoming>,
    connection: usize,
    record: &Record,
    raw: &Mutex<Option<Vec<u8>>>,
) -> Result<hyper::Response<Body>, Cut> {
    let (head, body) = incoming.into_parts();
    let mut request = Request {
        number: 0,
        connection,
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
        body: Vec::new(),
        complete: false,
        taken: false,
        signature: None,
    };
    let act = record.arrive(&mut request);
    if matches!(act, Some(HttpAct::Cut)) {
        record.handled.add_one();
        return Err(Cut);
    }
    let body = match Limited::new(body, record.script.largest_body).collect().await {
        Ok(body) => body.to_bytes().to_vec(),
        Err(error) if error.is::<LengthLimitError>() => {
            record.handled.add_one();
            return written(Response::new(413)).map(closing);
        }
        Err(_) => return Err(Cut),
    };
    let trusted = record.complete(&mut request, body);
    let response = decide(record, &request, act, trusted);
    record.handled.add_one();
    match response {
        Decision::Answer(response) => written(response),
        Decision::Cut => Err(Cut),
        Decision::Stall => pending().await,
        Decision::Raw(octets) => {
            *held(raw) = Some(octets);
            Err(Cut)
        }
    }
}

enum Decision {
    Answer(Response),
    Cut,
    Stall,
    Raw(Vec<u8>),
}

fn decide(record: &Record, request: &Request, act: Option<HttpAct>, trusted: bool) -> Decision {
    let takes_over = matches!(act, Some(HttpAct::CutAccepted | HttpAct::StallAccepted));
    if takes_over && trusted {
        record.accept(request);
    }
    let response = match act {
        Some(HttpAct::Cut | HttpAct::CutAccepted) => return Decision::Cut,
        Some(HttpAct::Stall | HttpAct::StallAccepted) => return Decision::Stall,
        Some(HttpAct::Raw(octets)) => return Decision::Raw(octets),
        _ if !trusted => Response::new(401),
        _ if record.is_repeat(request) => usual(request, Response::new(200)),
        Some(HttpAct::Answer(response)) => response,
        Some(HttpAct::Respond(responder)) => responder.respond(request),
        None => usual(request, record.script.otherwise.clone()),
    };
    if response.is_success() && trusted {
        record.accept(request);
    }
    Decision::Answer(response)
}

/// What is answered where no rule decides: as PagerDuty on its paths, else `plain`.
fn usual(request: &Request, plain: Response) -> Response {
    let pages = request.path == pagerduty::ENQUEUE || request.path == pagerduty::CHANGE;
    if pages { pagerduty::answer(request) } else { plain }
}

fn closing(mut response: hyper::Response<Body>) -> hyper::Response<Body> {
    response.headers_mut().insert(hyper::header::CONNECTION, HeaderValue::from_static("close"));
    response
}

fn written(response: Response) -> Result<hyper::Response<Body>, Cut> {
    let length = response.body.len();
    let body: Body = match response.pace {
        Pace::Whole => Full::new(Bytes::from(response.body)).map_err(|never: Infallible| match never {}).boxed_unsync(),
        Pace::Slow(octets, pause) => {
            let pieces: Vec<Bytes> = response.body.chunks(octets).map(Bytes::copy_from_slice).collect();
            let paced = stream::unfold(pieces.into_iter(), move |mut rest| async move {
                let piece = rest.next()?;
                tokio::time::sleep(pause).await;
                Some((Ok(Frame::data(piece)), rest))
            });
            BodyExt::boxed_unsync(StreamBody::new(paced))
        }
        Pace::Truncated(octets) => {
            let first = response.body.get(..octets).unwrap_or(&response.body);
            let first = Bytes::copy_from_slice(first);
            let cut = stream::unfold(Some(first), |first| async move {
                match first {
                    Some(piece) => Some((Ok(Frame::data(piece)), None)),
                    None => {
                        // Only while the body is not ready does hyper flush what it has.
                        tokio::task::yield_now().await;
                        Some((Err(Cut), None))
                    }
                }
            });
            BodyExt::boxed_unsync(StreamBody::new(cut))
        }
    };
    let mut built = hyper::Response::new(body);
    *built.status_mut() = StatusCode::from_u16(response.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &response.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value.as_str())) {
            built.headers_mut().append(name, value);
        }
    }
    if response.pace != Pace::Whole {
        built.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    Ok(built)
}

//! The client, and one call through it.

use super::answer::{Answer, refused_fault, transport_fault};
use super::guard::{Guard, GuardedResolver, Pass};
use super::{HttpOptions, HttpSetupError};
use relcomm_core::channel::{AttemptContext, ChannelError, ErrorKind, Retry};
use reqwest::header::HeaderMap;
use reqwest::{Client, Response};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// The most of an answer's body that is read.
const LONGEST_BODY: usize = 64 * 1024;

/// How long the body may take once the head has settled the outcome.
const BODY_PATIENCE: Duration = Duration::from_secs(5);

/// Servers close idle connections after 5 s at the soonest (a widespread default). A request that meets such a close is in doubt,
/// so connections are given up before.
const IDLE: Duration = Duration::from_secs(4);

/// One POST.
pub(crate) struct Call<'a> {
    pub(crate) url: &'a Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// A guarded HTTP client.
#[derive(Clone)]
pub(crate) struct HttpClient {
    pub(super) guard: Guard,
    pub(super) tls: Arc<ClientConfig>,
    pub(super) connect_timeout: Duration,
    checked: Client,
    named: Client,
}

impl HttpClient {
    /// A client with these options.
    /// `keeps` says whether connections are kept for the next call: one that the far side is closing just then loses a call, which must
    /// not be where it cannot be made again.
    pub(crate) fn new(options: &HttpOptions, keeps: bool) -> Result<Self, HttpSetupError> {
        let tls = tls_config(options.ca_pem.as_deref())?;
        let guard = Guard::new(&options.allow);
        let connect_timeout = options.connect_timeout.min(options.timeout / 2);
        let client = |pass| {
            Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .dns_resolver(GuardedResolver { guard: guard.clone(), pass })
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .no_proxy()
                .referer(false)
                .http1_only()
                // Another crate of the host may switch decompression on; an answer must not grow in memory.
                .no_gzip()
                .no_brotli()
                .no_zstd()
                .no_deflate()
                .tcp_nodelay(true)
                .connect_timeout(connect_timeout)
                .pool_idle_timeout(IDLE)
                .pool_max_idle_per_host(if keeps { usize::MAX } else { 0 })
                .user_agent(concat!("relcomm/", env!("CARGO_PKG_VERSION")))
                .build()
                .map_err(|_| HttpSetupError::Client)
        };
        Ok(Self {
            checked: client(Pass::Checked)?,
            named: client(Pass::Named)?,
            guard,
            tls: Arc::new(tls),
            connect_timeout,
        })
    }

    /// Whether the URL may be called at all.
    pub(crate) fn check(&self, url: &Url) -> Result<(), ChannelError> {
        self.guard.check(url).map(|_| ()).map_err(refused_fault)
    }

    /// Posts once. `crossing` is called immediately before the request is handed over; a fault says itself whether anything went
    /// out, and every fault before that point says that nothing did.
    pub(crate) async fn post(
        &self,
        cx: &AttemptContext,
        call: Call<'_>,
        crossing: impl FnOnce() + Send,
    ) -> Result<Answer, ChannelError> {
        let client = match self.guard.check(call.url).map_err(refused_fault)? {
            Pass::Checked => &self.checked,
            Pass::Named => &self.named,
        };
        let host = call.url.host_str().unwrap_or_default();
        if cx.cancellation.is_cancelled() {
            return Err(ChannelError::new(ErrorKind::Cancelled, "cancelled before the call").retry(Retry::Backoff));
        }
        if cx.remaining().is_zero() {
            return Err(ChannelError::new(ErrorKind::Timeout, "no time was left for the call").retry(Retry::Backoff));
        }
        let request = client
            .post(call.url.clone())
            .headers(call.headers)
            .body(call.body)
            .build()
            .map_err(|e| transport_fault(e, host))?;
        crossing();
        let mut response = tokio::select! {
            biased;
            response = client.execute(request) => response.map_err(|e| transport_fault(e, host))?,
            () = cx.clock.sleep_until(cx.deadline) => {
                let message = format!("no answer in time from {host}");
                return Err(ChannelError::new(ErrorKind::Timeout, message).retry(Retry::Backoff).maybe_sent());
            }
        };
        let body = tokio::select! {
            biased;
            body = read(&mut response) => body,
            () = cx.clock.sleep_until(cx.deadline.min(cx.clock.now() + BODY_PATIENCE)) => Vec::new(),
        };
        Ok(Answer { status: response.status(), headers: std::mem::take(response.headers_mut()), body })
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").field("guard", &self.guard).finish_non_exhaustive()
    }
}

/// The body as far as it came. The head has settled the outcome, so a body that breaks off or is too long is only less to read.
async fn read(response: &mut Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = LONGEST_BODY - body.len();
        body.extend(chunk.iter().take(room));
        if body.len() == LONGEST_BODY {
            break;
        }
    }
    body
}

/// TLS by ring, given explicitly: a library must not install a provider for the whole process.
fn tls_config(ca_pem: Option<&str>) -> Result<ClientConfig, HttpSetupError> {
    let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(pem) = ca_pem {
        let added: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|_| HttpSetupError::Certificates)?;
        if added.is_empty() || roots.add_parsable_certificates(added).0 == 0 {
            return Err(HttpSetupError::Certificates);
        }
    }
    Ok(ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| HttpSetupError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

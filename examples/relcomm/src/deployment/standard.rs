//! How channels of the standard kinds are made.

use super::kinds::Made;
use super::return_paths;
use super::settings::{Settings, read};
use relcomm_channels::email::{EmailChannel, EmailOptions, ReturnPath};
use relcomm_channels::exec::{ExecChannel, ExecOptions};
use relcomm_channels::manual::ManualChannel;
use relcomm_channels::paging::{PagingChannel, PagingOptions};
use relcomm_channels::webhook::{WebhookChannel, WebhookEndpoint, WebhookOptions};
use relcomm_core::channel::{AttemptContext, Channel};
use relcomm_core::clock::SystemClock;
use relcomm_core::mechanism::{Addressing, Deduplication, Rate};
use relcomm_core::plan::key_path;
use relcomm_core::plan::time::Span;
use secrecy::ExposeSecret;
use std::sync::Arc;
use std::time::Duration;

pub(super) fn smtp(settings: Settings<'_>) -> Result<Made, String> {
    let mut options =
        EmailOptions::new(&settings.needed("url")?, &settings.needed("from")?).map_err(|e| e.to_string())?;
    // A relay that asks for no login: `password: { env: SMTP_PASSWORD, default: "" }`.
    if let Some(password) = settings.secret("password")?.filter(|p| !p.expose_secret().is_empty()) {
        options = options.password(password);
    }
    if let Some(hello) = settings.text("hello")? {
        options = options.hello(&hello).map_err(|e| e.to_string())?;
    }
    if let Some(ca) = settings.text("ca")? {
        options = options.extra_roots(read(&ca)?.as_bytes()).map_err(|e| e.to_string())?;
    }
    if let Some(n) = settings.number("connections")? {
        options = options.concurrency(n);
    }
    match (settings.number("rate.count")?, settings.number("rate.seconds")?) {
        (Some(count), Some(seconds)) => {
            options = options.rate(Rate::new(count, Duration::from_secs(seconds.get().into())));
        }
        (None, None) => {}
        _ => return Err("`rate` needs `count` and `seconds`".into()),
    }
    if let Some(base) = return_path(settings)? {
        options = match settings.text("receipts.maildir")? {
            Some(maildir) => options.receipts(maildir, base).other_return_paths(return_paths(settings.source)?),
            None => options.return_path(base),
        };
    } else if settings.has("receipts.maildir") {
        return Err("`receipts.maildir` needs `return_path`, or no receipt can be matched".into());
    }
    Ok(Made::channel(EmailChannel::new(options).map_err(|e| e.to_string())?))
}

/// To which addresses the far sides report, if the settings of an `smtp` channel say so.
pub(super) fn return_path(settings: Settings<'_>) -> Result<Option<ReturnPath>, String> {
    let base = settings.text("return_path")?;
    base.map(|base| ReturnPath::new(&base).map_err(|e| e.to_string())).transpose()
}

pub(super) fn webhook(settings: Settings<'_>) -> Result<Made, String> {
    let mut options = WebhookOptions::new().addressing(settings.addressing).http(settings.http()?);
    let names = settings.names("endpoints");
    for name in &names {
        let own = key_path("endpoints", name);
        let url = settings.secret(&key_path(&own, "url"))?.ok_or_else(|| format!("endpoint `{name}` has no `url`"))?;
        let mut endpoint = WebhookEndpoint::new(url);
        if let Some(secret) = settings.secret(&key_path(&own, "secret"))? {
            endpoint = endpoint.secret(secret);
        }
        let headers = key_path(&own, "headers");
        for header in settings.names(&headers) {
            if let Some(value) = settings.secret(&key_path(&headers, &header))? {
                endpoint = endpoint.header(header, value);
            }
        }
        options = options.endpoint(name, endpoint);
    }
    if let Some(name) = settings.text("default")?.or_else(|| (names.len() == 1).then(|| names.concat())) {
        options = options.default_endpoint(name);
    }
    if let Some(source) = settings.text("source")? {
        options = options.source(source);
    }
    if let Some(n) = settings.number("concurrency")? {
        options = options.concurrency(n);
    }
    if let Some(n) = settings.number("max_body")? {
        options = options.max_body(n.get() as usize);
    }
    match settings.text("honours_keys")?.as_deref() {
        None | Some("true") => {}
        Some("false") => options = options.deduplication(Deduplication::None),
        Some(_) => return Err("`honours_keys` is true or false".into()),
    }
    let channel = WebhookChannel::new(options).map_err(|e| e.to_string())?;
    Ok(match settings.addressing {
        Addressing::Each => Made::with_endpoints(channel),
        Addressing::Once => Made::channel(channel),
    })
}

pub(super) fn pagerduty(settings: Settings<'_>) -> Result<Made, String> {
    let mut options = PagingOptions::new().http(settings.http()?);
    for name in settings.names("endpoints") {
        let key = settings.secret(&key_path(&key_path("endpoints", &name), "routing_key"))?;
        options = options.endpoint(&name, key.ok_or_else(|| format!("endpoint `{name}` has no `routing_key`"))?);
    }
    if let Some(url) = settings.text("url")? {
        options = options.base_url(url);
    }
    if let Some(source) = settings.text("source")? {
        options = options.source(source);
    }
    if let Some(n) = settings.number("concurrency")? {
        options = options.concurrency(n);
    }
    Ok(Made::with_endpoints(PagingChannel::new(options).map_err(|e| e.to_string())?))
}

#[expect(clippy::unnecessary_wraps, reason = "every kind is made through one signature")]
pub(super) fn manual(settings: Settings<'_>) -> Result<Made, String> {
    Ok(Made::channel(ManualChannel::new(settings.addressing)))
}

/// How long a program may take to say what it is.
const ASKING: Duration = Duration::from_secs(30);

pub(super) async fn exec(settings: Settings<'_>) -> Result<Made, String> {
    let mut options = ExecOptions::new(settings.needed("program")?);
    for arg in settings.list("args").map_err(|e| format!("{e}; secrets go into `env`"))? {
        options = options.arg(arg);
    }
    for name in settings.names("env") {
        if let Some(value) = settings.secret(&key_path("env", &name))? {
            options = options.env(name, value);
        }
    }
    if let Some(directory) = settings.text("directory")? {
        options = options.directory(directory);
    }
    if let Some(text) = settings.text("timeout")? {
        let time = text.parse::<Span>().ok().and_then(Span::as_elapsed).filter(|time| !time.is_zero());
        options = options.timeout(time.ok_or("`timeout` is a length of time such as 90s or 5m")?);
    }
    if let Some(n) = settings.number("concurrency")? {
        options = options.concurrency(n);
    }
    let cx = AttemptContext::new(Arc::new(SystemClock::new()), ASKING);
    let channel = ExecChannel::open(options, &cx).await.map_err(|e| e.to_string())?;
    if channel.capabilities().addressing != settings.addressing {
        return Err(match settings.addressing {
            Addressing::Each => "the program posts once for all, and the plan reaches people each".into(),
            Addressing::Once => "the program reaches people each, and the plan posts once for all".into(),
        });
    }
    Ok(Made::channel(channel))
}

//! The answers of PagerDuty's Events API v2 (<https://developer.pagerduty.com/docs/events-api-v2-overview>), as far as
//! a sender meets them.

use serde_json::{Value, json};

use super::exchange::{Request, Response};

/// Alert events.
pub(super) const ENQUEUE: &str = "/v2/enqueue";
/// Change events.
pub(super) const CHANGE: &str = "/v2/change/enqueue";

/// The greatest size of an event, in octets.
const LARGEST_EVENT: usize = 512 * 1024;

/// What the service would answer.
pub(super) fn answer(request: &Request) -> Response {
    if request.method != "POST" {
        return Response::new(405);
    }
    if request.body.len() > LARGEST_EVENT {
        return Response::new(413);
    }
    let Ok(event) = request.json() else {
        return invalid(&["the body is not JSON".to_owned()]);
    };
    let mut errors = Vec::new();
    text(&event, "/routing_key", &mut errors);
    if request.path == CHANGE {
        text(&event, "/payload/summary", &mut errors);
        return accepted(&errors, json!({"status": "success", "message": "Change event processed"}));
    }
    match event.pointer("/event_action").and_then(Value::as_str) {
        Some("trigger") => {
            text(&event, "/payload/summary", &mut errors);
            text(&event, "/payload/source", &mut errors);
            let severity = event.pointer("/payload/severity").and_then(Value::as_str);
            if !matches!(severity, Some("critical" | "error" | "warning" | "info")) {
                errors.push("'payload.severity' must be one of critical, error, warning, info".to_owned());
            }
        }
        Some("acknowledge" | "resolve") => text(&event, "/dedup_key", &mut errors),
        _ => errors.push("'event_action' must be one of trigger, acknowledge, resolve".to_owned()),
    }
    if dedup_key(&event).is_some_and(|key| key.chars().count() > 255) {
        errors.push("'dedup_key' is longer than 255 characters".to_owned());
    }
    let key = dedup_key(&event).map_or_else(|| format!("peer-{}", request.number), str::to_owned);
    accepted(&errors, json!({"status": "success", "message": "Event processed", "dedup_key": key}))
}

/// What tells two alert events apart: the action and the key that the sender gave.
pub(super) fn key(request: &Request) -> Option<String> {
    let event = request.json().ok()?;
    let action = event.pointer("/event_action").and_then(Value::as_str)?;
    dedup_key(&event).map(|key| format!("{action} {key}"))
}

/// The keys that count as new again: a trigger after a resolve opens another alert, and the reverse.
pub(super) fn reopened_by(key: &str) -> Vec<String> {
    match key.split_once(' ') {
        Some(("resolve", alert)) => vec![format!("trigger {alert}"), format!("acknowledge {alert}")],
        Some(("trigger", alert)) => vec![format!("resolve {alert}")],
        _ => Vec::new(),
    }
}

fn dedup_key(event: &Value) -> Option<&str> {
    event.pointer("/dedup_key").and_then(Value::as_str).filter(|key| !key.is_empty())
}

fn text(event: &Value, pointer: &str, errors: &mut Vec<String>) {
    if event.pointer(pointer).and_then(Value::as_str).is_none_or(str::is_empty) {
        errors.push(format!("'{}' is missing or blank", pointer.trim_start_matches('/').replace('/', ".")));
    }
}

fn accepted(errors: &[String], body: Value) -> Response {
    if errors.is_empty() { Response::json(202, &body) } else { invalid(errors) }
}

fn invalid(errors: &[String]) -> Response {
    Response::json(400, &json!({"status": "invalid event", "message": "Event object is invalid", "errors": errors}))
}

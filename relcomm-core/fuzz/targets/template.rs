//! A template: parsed, asked what it uses, and rendered in every form that a channel may want.

#![no_main]

use libfuzzer_sys::fuzz_target;
use relcomm_core::template::{Serde, TemplateOptions, Templates, Value};
use serde_json::json;

fuzz_target!(|source: &str| {
    // A text takes some thousands of steps. The bound is low so that a loop that turns in vain is found by its steps, not by its time.
    let mut templates = Templates::new(TemplateOptions::default().fuel(50_000));
    if templates.add("text", source).is_err() {
        return;
    }
    templates.uses("text").expect("a template that was added");
    let values = Value::from(Serde(json!({
        "release": {
            "product": "P*", "version": "1.0.0", "why": "Because", "prerelease": false,
            "what": [{ "id": "a-b", "kind": "feature", "text": "<b> & `c`" }],
            "how": { "access": "https://a.example/?b=c" }, "when": { "planned": "2027-05-12T07:00:00Z", "lasts": "4h" },
        },
        "person": { "id": "kim", "name": "Kim\n[x](y)", "lang": "en" },
        "place": { "id": "eu", "name": "eu", "declared_at": "2027-05-12T07:00:00Z" },
        "places": { "all": ["eu", "us"], "live": ["eu"] },
        "item": { "a_b": "text" },
        "lang": "en",
    })));
    if let Ok(document) = templates.document("text", &values) {
        let _ = (document.to_html(), document.to_plain(), document.to_short());
    }
    if let Ok(line) = templates.line("text", &values) {
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
});

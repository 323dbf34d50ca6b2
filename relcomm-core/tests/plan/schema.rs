//! The JSON Schema accepts what loads and refuses what does not.

use super::{EVERYTHING, MEDIUM, S1, TINY};
use relcomm_core::plan::json_schema;
use relcomm_core::plan::source::{Format, Source};
use serde_json::{Value, json};

fn tree(text: &str) -> Value {
    Source::parse("p.yaml", text.as_bytes(), Format::Yaml).unwrap().root().to_json()
}

fn faults(plan: &Value) -> Vec<String> {
    let validator = jsonschema::draft202012::new(&json_schema()).unwrap();
    validator.iter_errors(plan).map(|e| format!("{}: {e}", e.instance_path())).collect()
}

#[test]
fn the_examples_are_valid() {
    for (file, text) in [("medium", MEDIUM), ("tiny", TINY), ("s1", S1), ("everything", EVERYTHING)] {
        assert_eq!(faults(&tree(text)), Vec::<String>::new(), "{file}");
    }
}

#[test]
fn broken_plans_are_not() {
    let broken = [
        ("/plan", json!(2)),
        ("/settle", json!("soon")),
        ("/colour", json!("red")),
        ("/groups/support/via", json!([{ "via": "pager", "unles": "acknowledged" }])),
        ("/groups/support/require", json!("120 per cent")),
        ("/communiques/live/at", json!({ "form": "declared" })),
        ("/communiques/live/after", json!("brief-support acknowleged")),
        ("/communiques/live/to", json!({ "tolled": "site" })),
        ("/release/product", Value::Null),
    ];
    for (path, value) in broken {
        let mut plan = tree(MEDIUM);
        let (parent, key) = path.rsplit_once('/').unwrap();
        plan.pointer_mut(parent).unwrap()[key] = value;
        assert!(!faults(&plan).is_empty(), "{path}");
    }
    let mut plan = tree(MEDIUM);
    plan.as_object_mut().unwrap().remove("release");
    assert!(!faults(&plan).is_empty());
}

#[test]
fn every_key_of_the_schema_is_described() {
    fn walk(path: &str, value: &Value, bare: &mut Vec<String>) {
        if let Value::Object(map) = value {
            if let Some(properties) = map.get("properties").and_then(Value::as_object) {
                for (key, property) in properties {
                    if property.get("description").is_none_or(|d| d.as_str().is_none_or(str::is_empty)) {
                        bare.push(format!("{path}.{key}"));
                    }
                }
            }
            for (key, value) in map {
                walk(&format!("{path}/{key}"), value, bare);
            }
        }
    }
    let schema = json_schema();
    assert_eq!(schema["$id"], "https://relcomm.example/plan.v1.json");
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let mut bare = Vec::new();
    walk("", &schema, &mut bare);
    assert_eq!(bare, Vec::<String>::new());
    assert!(!schema.to_string().contains("\"*\""));
}

#[test]
fn a_group_may_hold_any_mechanism_but_no_list_under_one() {
    let mut plan = tree(TINY);
    plan["groups"]["users"] = json!({ "matrix": "room" });
    assert_eq!(faults(&plan), Vec::<String>::new());
    plan["groups"]["users"] = json!({ "matrix": ["room"] });
    assert!(!faults(&plan).is_empty());
}

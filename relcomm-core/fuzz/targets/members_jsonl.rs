//! A member file of JSON lines, as a plan loads it: once with the file's own column names, once with columns that the plan maps.

#![no_main]

use judging::judge;
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;

const PLAN: &str = "plan: 1
zone: UTC
release: { product: P, version: 1.0.0, what: Faster, why: Asked for, where: [eu, us], how: Open it }
responsible: Ada <ada@b.example>
groups:
  named: { members: members.jsonl }
  mapped: { members: { file: members.jsonl, columns: { id: name, name: id, email: phone, place: places } } }
communiques:
  live: { to: [named, mapped] }
";

fuzz_target!(|members: &[u8]| {
    judge("plan.yaml", PLAN.as_bytes(), &BTreeMap::from([("members.jsonl".to_owned(), members.to_vec())]));
});

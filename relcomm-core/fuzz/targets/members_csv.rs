//! A member file of comma-separated values, as a plan loads it: once with the file's own column names, once with columns that the plan maps.

#![no_main]

use judging::judge;
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;

const PLAN: &str = "plan: 1
zone: UTC
release: { product: P, version: 1.0.0, what: Faster, why: Asked for, where: [eu, us], how: Open it }
responsible: Ada <ada@b.example>
groups:
  named: { members: members.csv }
  mapped: { members: { file: members.csv, columns: { id: name, name: id, email: phone, place: places } } }
communiques:
  live: { to: [named, mapped] }
";

fuzz_target!(|members: &[u8]| {
    judge("plan.yaml", PLAN.as_bytes(), &BTreeMap::from([("members.csv".to_owned(), members.to_vec())]));
});

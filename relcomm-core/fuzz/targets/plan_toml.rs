//! A plan written in TOML: read, and judged where it can be read.

#![no_main]

use judging::judge;
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;

fuzz_target!(|plan: &[u8]| judge("plan.toml", plan, &BTreeMap::new()));

//! A member file of JSON lines.

#![no_main]

use judging::judge_members;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|members: &[u8]| judge_members("members.jsonl", members));

//! A member file of comma-separated values.

#![no_main]

use judging::judge_members;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|members: &[u8]| judge_members("members.csv", members));

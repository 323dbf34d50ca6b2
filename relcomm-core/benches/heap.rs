//! What a million people take in memory.
//!
//! `cargo bench -p relcomm-core --bench heap` prints one line of JSON, `people and roll`, with octets for each person:
//!
//! * `heap_bytes_per_person`: what the allocator has handed out and not had back, once a plan over a CSV of that many is loaded, judged
//!   and prepared and the roll of its gate is computed. All of the prepared plan is in it. What the allocator needs for itself is not,
//!   nor what a process makes once.
//! * `string_bytes_per_person`: the octets of their ids, names, addresses and variables alone.
//! * `beyond_strings`: the difference. The aim is 100 at most.
//! * `peak_bytes_per_person`: the most that was held at a time while they were loaded and judged. This allocator copies a buffer that
//!   grows, where the system's extends it: `peak_mb` of `--bench scale` is what a process really takes.
//!
//! `-- N` measures another number of people. The allocator counts, so that no time is measured here.

mod crowd;

use peak_alloc::PeakAlloc;
use std::io::Write;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

fn main() {
    let n = std::env::args().skip(1).find(|arg| arg != "--bench");
    let n: u32 = n.map_or(1_000_000, |n| n.parse().expect("how many"));
    let room = crowd::room(n, HEAP);
    let short = |octets: f64| (octets * 10.0).round() / 10.0;
    let line = serde_json::json!({
        "name": "people and roll",
        "n": n,
        "heap_bytes_per_person": short(room.heap),
        "string_bytes_per_person": short(room.strings),
        "beyond_strings": short(room.beyond_strings()),
        "peak_bytes_per_person": short(room.peak),
        "at_most": 100,
        "met": room.beyond_strings() <= 100.0,
    });
    writeln!(std::io::stdout(), "{line}").expect("standard output");
}

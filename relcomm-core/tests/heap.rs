//! What people take in memory. The allocator of this program counts for all of it, so that there is one test.

#[path = "../benches/crowd/mod.rs"]
mod crowd;

use peak_alloc::PeakAlloc;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

#[test]
fn many_people_take_little_more_than_their_strings() {
    let room = crowd::room(30_000, HEAP);
    assert!(room.strings > 50.0 && room.beyond_strings() > 0.0, "{room:?}");
    assert!(room.beyond_strings() <= 50.0, "{room:?}");
    // Nothing of the file is held beside what is made of it.
    assert!(room.peak <= 2.0 * room.strings + 200.0, "{room:?}");
}

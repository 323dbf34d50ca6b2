//! Rehearsals: what a script says happens, what it expects is judged, and a slip in it is found.

mod rehearsals {
    mod engine;
    mod happy;
    mod in_rust;
    mod judged;
    mod scale;
    mod slips;
    mod stage;
    mod whom;
}

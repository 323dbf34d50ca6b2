//! relcomm
fn main() {}

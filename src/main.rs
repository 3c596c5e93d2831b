//! hfm.
fn main() {}

//! Control: what an operator may ask of hfm while it runs, and the machine that speaks with one client.

mod glob;
pub mod protocol;

pub use glob::Glob;

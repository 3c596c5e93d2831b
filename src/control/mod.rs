//! Control: what an operator may ask of hfm while it runs, and the machine that speaks with one client.

mod client;
mod glob;
mod output;
pub mod protocol;
mod texts;

pub use client::{Client, Next};
pub use glob::Glob;
pub use texts::Shown;

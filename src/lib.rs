//! hfm library.
pub mod ucl;

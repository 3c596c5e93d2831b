//! hfm library.
pub mod sys;
pub mod ucl;

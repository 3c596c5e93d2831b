//! hfm library.
pub mod now;
pub mod rule;
pub mod sys;
pub mod ucl;
pub mod verdict;

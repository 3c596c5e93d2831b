//! The system: what can only be had from it.

pub mod files;

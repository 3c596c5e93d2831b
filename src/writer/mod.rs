//! The writer.

pub mod desired;

//! The status page: HTTP/1.1 (RFC 9112) for people, scripts and Prometheus, without a socket or a clock.
//!
//! [`Client`] is the machine that speaks with one client: bytes to [`Asked`], [`Response`] to bytes, and how long it may
//! take. [`Recent`] keeps the last events for those who come, [`report`] has the form of what is told, [`metrics`]
//! that of Prometheus.

mod client;
mod date;
mod hosts;
pub mod metrics;
mod page;
mod recent;
pub mod report;
mod request;
mod response;

pub use client::{Client, Next};
pub use hosts::Hosts;
pub use page::{Page, page};
pub use recent::{News, Recent};
pub use request::{Asked, Method, Refusal, Resource};
pub use response::{Body, Response};

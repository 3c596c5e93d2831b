//! The built hfm against servers on loopback: each ending of a native probe, brought about by a server
//! that really behaves that way, and the servers that people run.
//!
//! What is checked is that a run ends, and how; when it does is checked in virtual time elsewhere.
#![allow(clippy::unwrap_used, reason = "servers of a test fail with it")]
#![cfg_attr(
    not(target_os = "linux"),
    allow(dead_code, unused_imports, reason = "some are for tests that only Linux can run")
)]

#[path = "daemon/harness.rs"]
#[allow(dead_code, reason = "shared with tests that use all of it")]
mod harness;
#[path = "support/skip.rs"]
mod skip;

#[path = "loopback/certificates.rs"]
mod certificates;
#[path = "loopback/json.rs"]
mod json;
#[cfg(target_os = "linux")]
#[path = "loopback/network.rs"]
mod network;
#[path = "loopback/probe.rs"]
mod probe;
#[path = "loopback/program.rs"]
mod program;
#[path = "loopback/server.rs"]
mod server;
#[path = "loopback/tls_server.rs"]
mod tls_server;

#[path = "loopback/accept.rs"]
mod accept;
#[path = "loopback/bodies.rs"]
mod bodies;
#[path = "loopback/client_certificates.rs"]
mod client_certificates;
#[path = "loopback/command_line.rs"]
mod command_line;
#[path = "loopback/connections.rs"]
mod connections;
#[path = "loopback/dialogues.rs"]
mod dialogues;
#[path = "loopback/haproxy.rs"]
mod haproxy;
#[path = "loopback/heads.rs"]
mod heads;
#[path = "loopback/local.rs"]
mod local;
#[path = "loopback/nginx.rs"]
mod nginx;
#[path = "loopback/own_trouble.rs"]
mod own_trouble;
#[cfg(target_os = "linux")]
#[path = "loopback/ports.rs"]
mod ports;
#[path = "loopback/reload.rs"]
mod reload;
#[path = "loopback/requests.rs"]
mod requests;
#[path = "loopback/reuse.rs"]
mod reuse;
#[path = "loopback/silence.rs"]
mod silence;
#[path = "loopback/stalls.rs"]
mod stalls;
#[path = "loopback/tls.rs"]
mod tls;

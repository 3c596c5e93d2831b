//! The control socket of the built hfm: every command, and clients that mean no good.

#[path = "daemon/harness.rs"]
#[allow(dead_code, reason = "shared with other tests, which use more of it")]
mod harness;
#[path = "support/skip.rs"]
mod skip;

#[path = "control/commands.rs"]
mod commands;
#[path = "control/events.rs"]
mod events;
#[path = "control/hostile.rs"]
mod hostile;
#[path = "control/reload.rs"]
mod reload;
#[path = "control/start.rs"]
mod start;
#[path = "control/talk.rs"]
mod talk;

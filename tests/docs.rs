//! What README and docs/ say can be done is done: every command is run, every configuration is read, every link is followed.
//!
//! `HFM_DOCS=NAME cargo test --test docs every_command` runs those of documents whose path has NAME in it.
#![allow(clippy::unwrap_used, reason = "a test fails with it")]

#[path = "support/skip.rs"]
mod skip;

#[path = "docs/commands.rs"]
mod commands;
#[path = "docs/links.rs"]
mod links;
#[path = "docs/not_here.rs"]
mod not_here;
#[path = "docs/page.rs"]
mod page;
#[path = "docs/texts.rs"]
mod texts;
#[path = "docs/usage.rs"]
mod usage;

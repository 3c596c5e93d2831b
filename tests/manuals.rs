//! The manual pages, held against what the program has: every property with what its table says, examples that the
//! reader accepts, every reason, event, flag and command, each once, and none that is not there.

#[path = "manuals/commands.rs"]
mod commands;
#[path = "manuals/events.rs"]
mod events;
#[path = "manuals/examples.rs"]
mod examples;
#[path = "manuals/files.rs"]
mod files;
#[path = "manuals/lint.rs"]
mod lint;
#[path = "manuals/page.rs"]
mod page;
#[path = "manuals/properties.rs"]
mod properties;
#[path = "manuals/reasons.rs"]
mod reasons;
#[path = "support/skip.rs"]
mod skip;
#[path = "manuals/source.rs"]
mod source;

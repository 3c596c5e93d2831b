//! Data planes against stand-ins of what they drive, and the running of programs that they need.
#[path = "dataplane/place.rs"]
mod place;
#[path = "dataplane/stub.rs"]
mod stub;

#[path = "dataplane/modes.rs"]
mod modes;
#[path = "dataplane/pfctl.rs"]
mod pfctl;
#[path = "dataplane/program.rs"]
mod program;
#[path = "dataplane/reaping.rs"]
mod reaping;

//! Data planes against stand-ins of what they drive, and the running of programs that they need.
#[path = "support/fake_pf/mod.rs"]
mod fake_pf;
#[path = "dataplane/place.rs"]
mod place;
#[path = "support/random.rs"]
mod random;
#[path = "dataplane/stub.rs"]
mod stub;

#[path = "dataplane/modes.rs"]
mod modes;
#[path = "dataplane/pf.rs"]
mod pf;
#[path = "dataplane/pf_histories.rs"]
mod pf_histories;
#[path = "dataplane/pf_kill.rs"]
mod pf_kill;
#[path = "dataplane/pf_trouble.rs"]
mod pf_trouble;
#[path = "dataplane/pfctl.rs"]
mod pfctl;
#[path = "dataplane/pfctl_kill.rs"]
mod pfctl_kill;
#[path = "dataplane/program.rs"]
mod program;
#[path = "dataplane/reaping.rs"]
mod reaping;

//! The built hfm from end to end: the events of a file, hfm's differences, signals, exit codes.
#[path = "daemon/harness.rs"]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "some is for tests that only Linux can run"))]
mod harness;
#[path = "loopback/json.rs"]
mod json;
#[path = "support/skip.rs"]
mod skip;

#[path = "daemon/actions.rs"]
mod actions;
#[path = "daemon/children.rs"]
mod children;
#[path = "daemon/command_line.rs"]
mod command_line;
#[path = "daemon/differences.rs"]
mod differences;
#[path = "daemon/hostile_text.rs"]
mod hostile_text;
#[path = "daemon/log_forms.rs"]
mod log_forms;
#[path = "daemon/logs.rs"]
mod logs;
#[cfg(target_os = "linux")]
#[path = "daemon/own_trouble.rs"]
mod own_trouble;
#[path = "daemon/reload.rs"]
mod reload;
#[path = "daemon/service.rs"]
mod service;
#[path = "daemon/signals.rs"]
mod signals;
#[path = "daemon/users.rs"]
mod users;

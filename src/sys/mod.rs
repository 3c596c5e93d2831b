//! What only the operating system can do, behind safe functions. The one place where `unsafe` may stand.
#![allow(unsafe_code)]

#[cfg(target_os = "linux")]
mod capabilities;
pub mod clock;
pub mod control_socket;
pub mod files;
pub mod identity;
pub mod limits;
pub mod memory;
#[cfg(target_os = "linux")]
pub mod netlink;
pub mod pf;
pub mod privilege;
pub mod process;
pub mod program;
pub mod socket;
pub mod state_dir;
pub mod syslog;
pub mod terminal;
pub mod threads;
pub mod wake_timer;

//! What only the operating system can do, behind safe functions. The one place where `unsafe` may stand.
#![allow(unsafe_code)]

pub mod clock;
pub mod files;
pub mod limits;
pub mod memory;
pub mod process;
pub mod program;
pub mod socket;
pub mod state_dir;
pub mod syslog;
pub mod terminal;
pub mod wake_timer;

//! The remote control of hfm. Everything is in [`hfm::remote`].

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(hfm::remote::run(std::env::args_os().skip(1)))
}

//! `hfmctl`: asks a running hfm over its control socket, and prints what it answers.
//!
//! [`command_line`] reads what is wanted, `connect` carries it over [`crate::control::protocol`], `render` makes
//! text of the answer, and `watch` does it again and again on a terminal. Nothing waits without an end unless
//! that is what was asked for, and nothing that comes over the wire reaches a terminal as it is.

mod ask;
mod columns;
pub mod command_line;
mod connect;
mod people;
mod render;
mod times;
mod trouble;
mod view;
mod watch;

use std::ffi::OsString;
use std::io::{self, Write};

use command_line::{Invocation, Misuse};

/// The request was carried out.
pub const DONE: u8 = 0;
/// hfm refused the request.
pub const REFUSED: u8 = 1;
/// The command line cannot be followed, or there is no answer.
pub const NO_ANSWER: u8 = 2;

/// Does what a command line asks for, the program's own name left out; the exit status.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let by = people::acting_for(|name| std::env::var(name).ok());
    let text = match command_line::parse(arguments, by) {
        Ok(Invocation::Ask(task)) => {
            let outcome = match task.watch {
                Some(every) => watch::run(&task, every),
                None => ask::once(&task),
            };
            return match outcome {
                Ok(ask::Outcome::Done) => DONE,
                Ok(ask::Outcome::Refused) => REFUSED,
                // Whoever closed it wants no more.
                Err(trouble) if trouble.is_closed_output() => DONE,
                Err(trouble) => {
                    complain(&format!("hfmctl: {trouble}\n"));
                    NO_ANSWER
                }
            };
        }
        Ok(Invocation::Help(None)) => command_line::usage(command_line::SOCKET),
        Ok(Invocation::Help(Some(verb))) => verb.command().help(),
        Ok(Invocation::Version) => format!("hfmctl version {}\n", env!("CARGO_PKG_VERSION")),
        Err(Misuse { error, verb }) => {
            let about = verb.map_or_else(String::new, |verb| format!("{} ", verb.command().name));
            complain(&format!("hfmctl: {error}\nhfmctl {about}--help tells what there is\n"));
            return NO_ANSWER;
        }
    };
    // Whoever closed it wants no more.
    let _ = say(&text);
    DONE
}

/// Prints to stdout at once.
fn say(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Prints to stderr; one that is closed or full takes no complaint about that either.
fn complain(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

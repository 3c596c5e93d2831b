//! A network of a test's own: what is set and broken in it touches nobody else.

use std::process::Command;
use std::thread;

use nix::sched::{CloneFlags, unshare};

use crate::skip::skip;

/// Runs a test in a network namespace of its own, where only loopback is up; servers and programs that it
/// starts are in it too. Says by name that it cannot where that is not allowed.
pub(crate) fn in_own_network(test: &str, body: impl FnOnce() + Send + 'static) {
    in_namespaces(test, CloneFlags::CLONE_NEWNET, body);
}

/// As [`in_own_network`], with mounts of its own too.
pub(crate) fn in_own_network_and_mounts(test: &str, body: impl FnOnce() + Send + 'static) {
    in_namespaces(test, CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS, body);
}

/// Namespaces belong to a thread, and to all that it starts.
fn in_namespaces(test: &str, flags: CloneFlags, body: impl FnOnce() + Send + 'static) {
    let test = test.to_owned();
    let thread = thread::spawn(move || {
        if let Err(error) = unshare(flags) {
            skip(&format!("{test}: no namespaces of its own here: {error}"));
            return;
        }
        let is_ready = do_it("ip link set lo up")
            && (!flags.contains(CloneFlags::CLONE_NEWNS) || do_it("mount --make-rprivate /"));
        if !is_ready {
            skip(&format!("{test}: ip(8) or mount(8) does not work here"));
            return;
        }
        body();
    });
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Runs one command, its words separated by blanks; whether it worked.
pub(crate) fn do_it(words: &str) -> bool {
    let mut words = words.split(' ');
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).output().is_ok_and(|output| output.status.success())
}

/// Runs commands that have to work.
pub(crate) fn set_up(commands: &[&str]) {
    for command in commands {
        assert!(do_it(command), "{command}");
    }
}

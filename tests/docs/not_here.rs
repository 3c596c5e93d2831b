//! Commands of documents that cannot be run by a test, each with the reason; and those that have no end of their own.

/// What a command begins with, and why it is not run. Its syntax is checked all the same.
pub(crate) const NOT_HERE: &[(&str, &str)] = &[
    ("pfctl ", "there is pf on FreeBSD alone"),
    ("service ", "FreeBSD's, where rc.d is"),
    ("sysctl net.inet.", "a variable of FreeBSD's kernel"),
    ("install ", "changes the system that the test runs on"),
];

/// Commands that run until somebody ends them: they are ended by SIGINT after some seconds, and have to end well.
pub(crate) const ENDLESS: &[&str] = &["target/release/hfm -config first.conf", "nft monitor"];

/// Why a command is not run here.
pub(crate) fn reason(command: &str) -> Option<&'static str> {
    NOT_HERE.iter().find(|(begin, _)| command.starts_with(begin)).map(|(_, why)| *why)
}

//! The table of properties: each stands here once, and everything that names one reads it here.
//!
//! The reader of sections, "did you mean" and the manual all go by [`PROPERTIES`]. A property that is
//! named in the interface and not built yet is in the table too, so that it is refused by name.

use Scope::{Inherited, Own, Root};
use Takes::{Boolean, Interval, RuleNames, Text, Texts, Words, Written};

/// A property as the table knows it.
#[derive(Debug)]
pub struct Property {
    /// Its name, in lower case; files may write it in any case.
    pub name: &'static str,
    /// What it may be given.
    pub takes: Takes,
    /// Unit of its number, or empty.
    pub unit: &'static str,
    /// What counts when nothing is written, in words of the file; empty for nothing.
    pub default: &'static str,
    /// Where it may stand and whom it reaches.
    pub scope: Scope,
    /// Whether hfm in Go has it too: its traps warn, where a new property's are errors.
    pub origin: Origin,
    /// Whether it is built.
    pub state: State,
    /// One line for people.
    pub help: &'static str,
}

/// What a property may be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// One of these words, in any letter case.
    Words(&'static [&'static str]),
    /// A string.
    Text,
    /// A string or an array of strings.
    Texts,
    /// A string or an array of strings, each the name of a rule.
    RuleNames,
    /// An integer or a float, both in seconds, or a time.
    Interval,
    /// A whole number in these bounds.
    Integer {
        /// The smallest.
        min: u16,
        /// The largest.
        max: u16,
    },
    /// A boolean, or the same word quoted.
    Boolean,
    /// A scalar of which the source text counts.
    Written,
}

/// Where a property may stand and whom it reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Anywhere; every rule below inherits it, closest first.
    Inherited,
    /// Anywhere, but it counts only for the rule it is written on.
    Own,
    /// At the root of the file only; it concerns the whole program.
    Root,
}

/// Who brought the property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// hfm in Go: files that it accepts must go on loading.
    Hfm,
    /// This program.
    Ours,
}

/// Whether a property can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It can; the key says which setting it fills.
    Built(Key),
    /// Not yet: refused by name.
    NotYet,
}

/// The properties that are built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// `status`
    Status,
    /// `test`
    Test,
    /// `test_arguments`
    TestArguments,
    /// `start_delay`
    StartDelay,
    /// `runs`
    Runs,
    /// `interval`
    Interval,
    /// `interval_fail`
    IntervalFail,
    /// `timeout_int`
    TimeoutInt,
    /// `timeout_kill`
    TimeoutKill,
    /// `change_success`
    ChangeSuccess,
    /// `change_success_arguments`
    ChangeSuccessArguments,
    /// `change_success_debounce`
    ChangeSuccessDebounce,
    /// `change_fail`
    ChangeFail,
    /// `change_fail_arguments`
    ChangeFailArguments,
    /// `change_fail_debounce`
    ChangeFailDebounce,
    /// `change_fail_reset`
    ChangeFailReset,
    /// `hold_down`
    HoldDown,
    /// `hold_down_max`
    HoldDownMax,
    /// `requires`
    Requires,
    /// `guard`
    Guard,
    /// `spread`
    Spread,
    /// `change_timeout`
    ChangeTimeout,
    /// `change_max`
    ChangeMax,
}

/// The words of `status`, in the order of [`crate::rule::Status`].
pub const STATUS_WORDS: &[&str] = &["enabled", "disabled", "always-fail", "always-success"];

const RUNS: Takes = Takes::Integer { min: 0, max: u16::MAX };
const COUNT: Takes = Takes::Integer { min: 1, max: u16::MAX };

/// `change_max` when the file does not say.
pub const CHANGE_MAX_DEFAULT: u16 = 64;

const fn hfm(
    key: Key,
    name: &'static str,
    takes: Takes,
    unit: &'static str,
    default: &'static str,
    scope: Scope,
    help: &'static str,
) -> Property {
    Property { name, takes, unit, default, scope, origin: Origin::Hfm, state: State::Built(key), help }
}

const fn ours(
    key: Key,
    name: &'static str,
    takes: Takes,
    unit: &'static str,
    default: &'static str,
    scope: Scope,
    help: &'static str,
) -> Property {
    Property { name, takes, unit, default, scope, origin: Origin::Ours, state: State::Built(key), help }
}

const fn later(
    name: &'static str,
    takes: Takes,
    unit: &'static str,
    default: &'static str,
    scope: Scope,
    help: &'static str,
) -> Property {
    Property { name, takes, unit, default, scope, origin: Origin::Ours, state: State::NotYet, help }
}

/// Every property, in the order in which the manual explains them.
#[rustfmt::skip]
pub static PROPERTIES: &[Property] = &[
    // The rule and its schedule.
    hfm(Key::Status, "status", Words(STATUS_WORDS), "", "enabled", Inherited, "whether the test runs and whether its outcome counts"),
    hfm(Key::Test, "test", Text, "", "", Own, "program to run; exit status 0 is success"),
    hfm(Key::TestArguments, "test_arguments", Texts, "", "", Own, "arguments of the test"),
    hfm(Key::StartDelay, "start_delay", Interval, "s", "0", Inherited, "before the first run"),
    hfm(Key::Runs, "runs", RUNS, "runs", "0", Inherited, "runs until the rule ends; 0 for ever"),
    hfm(Key::Interval, "interval", Interval, "s", "0", Inherited, "from start to start while not failed; 0: the next run at once"),
    hfm(Key::IntervalFail, "interval_fail", Interval, "s", "interval", Inherited, "from start to start while failed"),
    hfm(Key::TimeoutInt, "timeout_int", Interval, "s", "0", Inherited, "SIGINT to the test after this long; 0: never"),
    hfm(Key::TimeoutKill, "timeout_kill", Interval, "s", "0", Inherited, "SIGKILL to the test after this long; 0: never"),
    hfm(Key::ChangeSuccess, "change_success", Text, "", "", Own, "program run at a change to success"),
    hfm(Key::ChangeSuccessArguments, "change_success_arguments", Texts, "", "", Own, "arguments of change_success"),
    hfm(Key::ChangeSuccessDebounce, "change_success_debounce", COUNT, "results", "1", Inherited, "consecutive successes that make a change to success"),
    hfm(Key::ChangeFail, "change_fail", Text, "", "", Own, "program run at a change to failed"),
    hfm(Key::ChangeFailArguments, "change_fail_arguments", Texts, "", "", Own, "arguments of change_fail"),
    hfm(Key::ChangeFailDebounce, "change_fail_debounce", COUNT, "results", "1", Inherited, "failures that make a change to failed"),
    ours(Key::ChangeFailReset, "change_fail_reset", COUNT, "results", "1", Inherited, "successes in a row that clear the count of failures"),
    ours(Key::HoldDown, "hold_down", Interval, "s", "0", Inherited, "stays failed at least this long after a change to failed"),
    ours(Key::HoldDownMax, "hold_down_max", Interval, "s", "hold_down", Inherited, "what hold_down may double up to"),
    ours(Key::Requires, "requires", RuleNames, "", "[]", Inherited, "rules that must be up for this one to be up"),
    ours(Key::Guard, "guard", RuleNames, "", "[]", Inherited, "rules that must succeed for this one's failures to count"),
    ours(Key::Spread, "spread", Boolean, "", "no for a command", Inherited, "spread first runs evenly over the first interval; for a command only where written on the rule itself"),
    ours(Key::ChangeTimeout, "change_timeout", Interval, "s", "0", Inherited, "kills a change command that runs longer; 0: never"),
    ours(Key::ChangeMax, "change_max", COUNT, "commands", "64", Root, "change commands running at a time at most"),
    // Native probes.
    later("timeout", Interval, "s", "the smallest interval", Inherited, "deadline of a whole run"),
    later("resolve", Interval, "s", "30s", Inherited, "how often names are looked up again"),
    later("family", Words(&["4", "6", "any"]), "", "any", Inherited, "address family"),
    later("connect", Written, "", "", Inherited, "address and port to connect to instead of the URL's"),
    later("source", Written, "", "", Inherited, "local address"),
    later("interface", Text, "", "", Inherited, "network device (Linux)"),
    later("fib", Written, "", "", Inherited, "routing table (FreeBSD)"),
    later("mark", Written, "", "", Inherited, "packet mark (Linux)"),
    later("proxy_protocol", Words(&["none", "v1", "v2"]), "", "none", Inherited, "PROXY header sent first"),
    later("http_method", Text, "", "GET", Inherited, "method of the request"),
    later("http_version", Written, "", "1.1", Inherited, "version of the request"),
    later("http_headers", Texts, "", "", Inherited, "headers of the request"),
    later("http_body", Text, "", "", Inherited, "body of the request"),
    later("http_status", Written, "", "200-399", Inherited, "codes and ranges that count as success"),
    later("expect", Texts, "", "", Inherited, "texts that must all be in the reply"),
    later("expect_regex", Texts, "", "", Inherited, "patterns that must all match the reply"),
    later("reject", Texts, "", "", Inherited, "texts that must not be in the reply"),
    later("reject_regex", Texts, "", "", Inherited, "patterns that must not match the reply"),
    later("expect_header", Texts, "", "", Inherited, "NAME: REGEX that must match the response head"),
    later("reject_header", Texts, "", "", Inherited, "NAME: REGEX that must not match the response head"),
    later("max_body", Written, "bytes", "64kb", Inherited, "bytes read at most in search of patterns"),
    later("send", Text, "", "", Inherited, "text to send"),
    later("send_hex", Written, "", "", Inherited, "bytes to send, in hexadecimal"),
    later("dialogue", Texts, "", "", Inherited, "steps of a conversation: send and expect"),
    later("tls_verify", Boolean, "", "yes", Inherited, "whether chain and name are verified"),
    later("tls_ca", Text, "", "the system's", Inherited, "file of trusted certificates"),
    later("tls_name", Text, "", "the URL's host", Inherited, "name to send and to verify"),
    later("tls_alpn", Texts, "", "", Inherited, "protocols to offer"),
    later("tls_min", Written, "", "", Inherited, "lowest version of TLS"),
    later("tls_cert", Text, "", "", Inherited, "file of the client certificate"),
    later("tls_key", Text, "", "", Inherited, "file of the client key"),
    later("tls_expiry", Interval, "s", "0", Inherited, "fail when the certificate expires sooner than this"),
    later("tls_resume", Boolean, "", "no", Inherited, "allow session resumption"),
    later("reuse", Boolean, "", "no", Inherited, "keep one HTTP connection open"),
    later("close", Words(&["reset", "fin"]), "", "reset", Inherited, "how connections end"),
    later("interval_debounce", Interval, "s", "as by state", Inherited, "from start to start while a change is being debounced"),
    // Actions.
    later("tables", Texts, "", "", Inherited, "firewall tables that hold the addresses"),
    later("addresses", Texts, "", "the test's host", Inherited, "addresses put in and taken out"),
    later("combine", Written, "", "all", Inherited, "how many of the rules of one address must be up: all, any, N"),
    later("backup", Boolean, "", "no", Inherited, "in only while no other address of the table is up"),
    later("min_up", Written, "", "", Inherited, "how many addresses always stay in"),
    later("panic", Written, "", "", Inherited, "all addresses go in when fewer than this are up"),
    later("kill_states", Boolean, "", "no", Inherited, "kill the firewall's states of an address that leaves"),
    later("demote", Written, "", "", Inherited, "added to the demotion counter while failed"),
    // The program.
    later("dataplane", Words(&["auto", "pf", "pfctl", "nftables", "memory"]), "", "auto", Root, "what holds the tables"),
    later("dry_run", Boolean, "", "no", Root, "log what would be done instead of doing it"),
    later("reconcile", Interval, "s", "1s", Root, "how often tables are read and repaired"),
    later("control", Text, "", "/var/run/hfm.sock", Root, "socket for hfmctl"),
    later("listen", Text, "", "", Root, "address and port of the status page"),
    later("user", Written, "", "", Root, "user to run as"),
    later("group", Written, "", "", Root, "group to run as"),
    later("state_dir", Text, "", "/var/db/hfm", Root, "directory of what is remembered"),
    later("log_format", Words(&["text", "json"]), "", "text", Root, "form of the log"),
    later("demotion", Text, "", "carp", Root, "what is demoted: carp, or file:PATH"),
    later("slots", Written, "", "256", Root, "slots of a numgen map (nftables)"),
];

/// The property of this name, in any letter case.
pub fn find(name: &str) -> Option<&'static Property> {
    PROPERTIES.iter().find(|property| property.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests;

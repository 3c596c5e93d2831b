//! The table of properties: each stands here once, and everything that names one reads it here.
//!
//! The reader of sections, "did you mean" and the manual all go by [`PROPERTIES`].

mod key;

pub use key::{Key, Setting};

use super::scheme::Feature;
use Scope::{Inherited, Own, Root};
use Takes::{Boolean, Interval, RuleNames, Text, Texts, Words, Written};

/// A property as the table knows it.
#[derive(Clone, Copy, Debug)]
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
    /// For which rules it means anything.
    pub concerns: Concerns,
    /// Whether hfm in Go has it too: its traps warn, where a new property's are errors.
    pub origin: Origin,
    /// The setting that it fills.
    pub key: Key,
    /// One line for people.
    pub help: &'static str,
}

impl Property {
    /// Whether it says how a single native probe is made, or when: what `hfm probe` takes.
    pub fn is_of_probes(&self) -> bool {
        matches!(self.concerns, Concerns::Probes | Concerns::ProbesWith(_))
    }

    /// The setting that it fills, if it is one without a field of its own.
    pub fn setting(&self) -> Option<Setting> {
        if let Key::Setting(setting) = self.key { Some(setting) } else { None }
    }
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
    /// A whole number of bytes in these bounds; UCL's suffixes apply.
    Bytes {
        /// The smallest.
        min: u32,
        /// The largest.
        max: u32,
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

/// For which rules a property means anything. Where it means nothing, an inherited one is ignored, and one that
/// is written on the rule itself refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concerns {
    /// All.
    Every,
    /// Those that run a program.
    Commands,
    /// Native probes.
    Probes,
    /// Native probes that have this.
    ProbesWith(Feature),
}

/// Who brought the property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// hfm in Go: files that it accepts must go on loading.
    Hfm,
    /// This program.
    Ours,
}

/// The words of `status`, in the order of [`crate::rule::Status`].
pub const STATUS_WORDS: &[&str] = &["enabled", "disabled", "always-fail", "always-success"];

const RUNS: Takes = Takes::Integer { min: 0, max: u16::MAX };
/// A search through more would hold up the loop.
const BODY: Takes = Takes::Bytes { min: 1, max: 1024 * 1024 };
/// CARP itself takes 240 for a gateway that is to be master of nothing.
const DEMOTE: Takes = Takes::Integer { min: 0, max: 240 };
const COUNT: Takes = Takes::Integer { min: 1, max: u16::MAX };

const NATIVE: Concerns = Concerns::Probes;
const NETWORK: Concerns = Concerns::ProbesWith(Feature::Network);
const TLS: Concerns = Concerns::ProbesWith(Feature::Tls);
const HTTP: Concerns = Concerns::ProbesWith(Feature::Http);
const DIALOGUE: Concerns = Concerns::ProbesWith(Feature::Dialogue);

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
    Property { name, takes, unit, default, scope, concerns: Concerns::Every, origin: Origin::Hfm, key, help }
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
    Property { name, takes, unit, default, scope, concerns: Concerns::Every, origin: Origin::Ours, key, help }
}

/// A property that a native probe has no use for.
const fn of_commands(property: Property) -> Property {
    Property { concerns: Concerns::Commands, ..property }
}

/// A setting of native probes, which every rule below inherits.
const fn probe(
    setting: Setting,
    name: &'static str,
    takes: Takes,
    unit: &'static str,
    default: &'static str,
    concerns: Concerns,
    help: &'static str,
) -> Property {
    let key = Key::Setting(setting);
    Property { name, takes, unit, default, scope: Inherited, concerns, origin: Origin::Ours, key, help }
}

/// Every property, in the order in which the manual explains them.
#[rustfmt::skip]
pub static PROPERTIES: &[Property] = &[
    // The rule and its schedule.
    hfm(Key::Status, "status", Words(STATUS_WORDS), "", "enabled", Inherited, "whether the test runs and whether its outcome counts"),
    hfm(Key::Test, "test", Text, "", "", Own, "program to run, whose exit status 0 is success, or URL to probe"),
    of_commands(hfm(Key::TestArguments, "test_arguments", Texts, "", "", Own, "arguments of the test")),
    hfm(Key::StartDelay, "start_delay", Interval, "s", "0", Inherited, "before the first run"),
    hfm(Key::Runs, "runs", RUNS, "runs", "0", Inherited, "runs until the rule ends; 0 for ever"),
    hfm(Key::Interval, "interval", Interval, "s", "0", Inherited, "from start to start while not failed; 0: the next run at once"),
    hfm(Key::IntervalFail, "interval_fail", Interval, "s", "interval", Inherited, "from start to start while failed"),
    of_commands(hfm(Key::TimeoutInt, "timeout_int", Interval, "s", "0", Inherited, "SIGINT to the test after this long; 0: never")),
    of_commands(hfm(Key::TimeoutKill, "timeout_kill", Interval, "s", "0", Inherited, "SIGKILL to the test after this long; 0: never")),
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
    ours(Key::Spread, "spread", Boolean, "", "no for a command, yes for a native probe", Inherited, "spread first runs evenly over the first interval; for a command only where written on the rule itself"),
    ours(Key::ChangeTimeout, "change_timeout", Interval, "s", "0", Inherited, "kills a change command that runs longer; 0: never"),
    ours(Key::ChangeMax, "change_max", COUNT, "commands", "64", Root, "change commands running at a time at most"),
    // Native probes.
    probe(Setting::Timeout, "timeout", Interval, "s", "the smallest interval", NATIVE, "deadline of a whole run"),
    probe(Setting::Resolve, "resolve", Interval, "s", "30s", NETWORK, "how often names are looked up again"),
    probe(Setting::Family, "family", Words(&["4", "6", "any"]), "", "any", NETWORK, "address family"),
    probe(Setting::Connect, "connect", Written, "", "", NETWORK, "address and port to connect to instead of the URL's"),
    probe(Setting::Source, "source", Written, "", "", NETWORK, "local address"),
    probe(Setting::Interface, "interface", Text, "", "", NETWORK, "network device (Linux)"),
    probe(Setting::Fib, "fib", Written, "", "", NETWORK, "routing table (FreeBSD)"),
    probe(Setting::Mark, "mark", Written, "", "", NETWORK, "packet mark (Linux)"),
    probe(Setting::ProxyProtocol, "proxy_protocol", Words(&["none", "v1", "v2"]), "", "none", NATIVE, "PROXY header sent first"),
    probe(Setting::HttpMethod, "http_method", Text, "", "GET", HTTP, "method of the request"),
    probe(Setting::HttpVersion, "http_version", Written, "", "1.1", HTTP, "version of the request"),
    probe(Setting::HttpHeaders, "http_headers", Texts, "", "", HTTP, "headers of the request"),
    probe(Setting::HttpBody, "http_body", Text, "", "", HTTP, "body of the request"),
    probe(Setting::HttpStatus, "http_status", Written, "", "200-399", HTTP, "codes and ranges that count as success"),
    probe(Setting::Expect, "expect", Texts, "", "", NATIVE, "texts that must all be in the reply"),
    probe(Setting::ExpectRegex, "expect_regex", Texts, "", "", NATIVE, "patterns that must all match the reply"),
    probe(Setting::Reject, "reject", Texts, "", "", NATIVE, "texts that must not be in the reply"),
    probe(Setting::RejectRegex, "reject_regex", Texts, "", "", NATIVE, "patterns that must not match the reply"),
    probe(Setting::ExpectHeader, "expect_header", Texts, "", "", HTTP, "NAME: REGEX that must match the response head"),
    probe(Setting::RejectHeader, "reject_header", Texts, "", "", HTTP, "NAME: REGEX that must not match the response head"),
    probe(Setting::MaxBody, "max_body", BODY, "bytes", "64kb", NATIVE, "bytes read at most in search of patterns"),
    probe(Setting::Send, "send", Text, "", "", DIALOGUE, "text to send"),
    probe(Setting::SendHex, "send_hex", Written, "", "", DIALOGUE, "bytes to send, in hexadecimal"),
    probe(Setting::Dialogue, "dialogue", Texts, "", "", DIALOGUE, "steps of a conversation: send and expect"),
    probe(Setting::TlsVerify, "tls_verify", Boolean, "", "yes", TLS, "whether chain and name are verified"),
    probe(Setting::TlsCa, "tls_ca", Text, "", "the system's", TLS, "file of trusted certificates"),
    probe(Setting::TlsName, "tls_name", Text, "", "the URL's host", TLS, "name to send and to verify"),
    probe(Setting::TlsAlpn, "tls_alpn", Texts, "", "", TLS, "protocols to offer"),
    probe(Setting::TlsMin, "tls_min", Written, "", "1.2", TLS, "lowest version of TLS"),
    probe(Setting::TlsCert, "tls_cert", Text, "", "", TLS, "file of the client certificate"),
    probe(Setting::TlsKey, "tls_key", Text, "", "", TLS, "file of the client key"),
    probe(Setting::TlsExpiry, "tls_expiry", Interval, "s", "0", TLS, "fail when the certificate expires sooner than this"),
    probe(Setting::TlsResume, "tls_resume", Boolean, "", "no", TLS, "allow session resumption"),
    probe(Setting::Reuse, "reuse", Boolean, "", "no", HTTP, "keep one HTTP connection open"),
    probe(Setting::Close, "close", Words(&["reset", "fin"]), "", "reset", NETWORK, "how connections end"),
    probe(Setting::IntervalDebounce, "interval_debounce", Interval, "s", "as by state", NATIVE, "from start to start while a change is being debounced"),
    // Actions.
    ours(Key::Setting(Setting::Tables), "tables", Texts, "", "", Inherited, "firewall tables that hold the addresses: NAME, or NAME=ADDRESS,... for a table of its own addresses"),
    ours(Key::Setting(Setting::Addresses), "addresses", Texts, "", "connect, else the URL's host, when an address", Inherited, "addresses and networks put in and taken out"),
    ours(Key::Setting(Setting::Combine), "combine", Written, "", "all", Inherited, "how many of the rules of one address must be up: all, any, N"),
    ours(Key::Setting(Setting::Backup), "backup", Boolean, "", "no", Inherited, "in only while no other address of the table is up"),
    ours(Key::Setting(Setting::MinUp), "min_up", Written, "", "", Inherited, "how many addresses always stay in: N or N%"),
    ours(Key::Setting(Setting::Panic), "panic", Written, "", "", Inherited, "all addresses go in when fewer than this share are up: N%"),
    ours(Key::Setting(Setting::KillStates), "kill_states", Boolean, "", "no", Inherited, "the firewall forgets the clients of an address that leaves, and ends their connections when it failed"),
    ours(Key::Setting(Setting::Demote), "demote", DEMOTE, "", "0", Inherited, "added to the demotion counter while the rule is failed; 0 for nothing"),
    // The program.
    ours(Key::Setting(Setting::DataPlane), "dataplane", Words(&["auto", "pf", "pfctl", "nftables", "memory"]), "", "auto", Root, "what holds the tables"),
    ours(Key::Setting(Setting::DryRun), "dry_run", Boolean, "", "no", Root, "log what would be done instead of doing it"),
    ours(Key::Setting(Setting::Reconcile), "reconcile", Interval, "s", "10s", Root, "how often tables are read and repaired"),
    ours(Key::Setting(Setting::StateDir), "state_dir", Text, "", "/var/db/hfm", Root, "directory of what is remembered; on Linux /var/lib/hfm by default"),
    ours(Key::Setting(Setting::LogFormat), "log_format", Words(&["text", "json"]), "", "text", Root, "form of a line of the log"),
    ours(Key::Setting(Setting::Control), "control", Text, "", "/var/run/hfm.sock", Root, "socket for hfmctl, empty for none; on Linux /run/hfm/hfm.sock by default"),
    ours(Key::Setting(Setting::Listen), "listen", Text, "", "", Root, "address and port of the status page, /metrics and /api; empty for none"),
    ours(Key::Setting(Setting::User), "user", Written, "", "", Root, "user to run as, by name or number, once everything that needs root is open"),
    ours(Key::Setting(Setting::Group), "group", Written, "", "the user's own", Root, "group to run as, by name or number"),
    ours(Key::Setting(Setting::Demotion), "demotion", Text, "", "carp", Root, "what is demoted: carp (FreeBSD), or file:PATH, which keepalived's track_file reads"),
    ours(Key::Setting(Setting::Slots), "slots", Written, "", "256", Root, "slots of each nftables map that spreads clients by numgen; as many as the map has"),
];

/// The property that fills this key.
pub fn of(key: Key) -> Option<&'static Property> {
    PROPERTIES.iter().find(|property| property.key == key)
}

/// The property of this name, in any letter case.
pub fn find(name: &str) -> Option<&'static Property> {
    PROPERTIES.iter().find(|property| property.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests;

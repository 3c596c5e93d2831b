//! What pfctl(8) prints, understood. Texts are those of sbin/pfctl/{pfctl,pfctl_table,pfctl_radix,
//! pfctl_parser}.c, read in FreeBSD 11.3 and in the present branch (what lies between was not read); all but a
//! table's addresses goes to stderr.

use std::net::IpAddr;

use super::Command;
use crate::dataplane::TableError;
use crate::rule::Prefix;

/// Characters of a line of pfctl's that are repeated in an error.
const LINE_CHARS_MAX: usize = 160;

/// What a table holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) addresses: Vec<Prefix>,
    /// Those with a `!` before them, without it. Never ours.
    pub(super) negated: Vec<Prefix>,
}

/// How many addresses pfctl says it was given, and how many of them made a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) changed: usize,
    pub(super) asked: usize,
}

/// The output of `-T show`: an address a line, indented, `!` before it if negated, its length behind it
/// (print_addrx).
pub(super) fn table(stdout: &str) -> Result<Table, TableError> {
    let mut table = Table::default();
    for line in stdout.lines() {
        let text = line.trim();
        if text.is_empty() {
            continue;
        }
        let (text, addresses) = match text.strip_prefix('!') {
            Some(text) => (text, &mut table.negated),
            None => (text, &mut table.addresses),
        };
        match address(text) {
            Some(address) => addresses.push(address),
            None => return Err(TableError::Other(format!("pfctl showed no address: {}", clip(line)))),
        }
    }
    Ok(table)
}

/// Not as strict as what is read from files: an IPv4 address written as IPv6 may be in a table by somebody's
/// wish.
fn address(text: &str) -> Option<Prefix> {
    let (host, length) = match text.split_once('/') {
        Some((host, length)) => (host, Some(length.parse::<u8>().ok()?)),
        None => (text, None),
    };
    let host: IpAddr = host.parse().ok()?;
    let prefix = length.map_or(Prefix::host(host), |length| Prefix::network(host, length));
    let is_whole = prefix.address() == host && length.is_none_or(|length| length == prefix.length());
    is_whole.then_some(prefix)
}

/// `2/3 addresses added.`
pub(super) fn counted(stderr: &str) -> Option<Counted> {
    stderr.lines().find_map(|line| {
        let (counts, rest) = line.split_once(' ')?;
        let (changed, asked) = counts.split_once('/')?;
        let is_count = rest.starts_with("addresses added") || rest.starts_with("addresses deleted");
        is_count.then_some(Counted { changed: changed.parse().ok()?, asked: asked.parse().ok()? })
    })
}

/// `2 states killed`, in its words: `killed 2 states from 1 sources and 1 destinations`, or `src nodes`.
pub(super) fn killed(stderr: &str) -> Option<u64> {
    stderr.lines().find_map(|line| {
        let (count, rest) = line.strip_prefix("killed ")?.split_once(' ')?;
        let is_count = rest.starts_with("states") || rest.starts_with("src nodes");
        if is_count { count.parse().ok() } else { None }
    })
}

/// `1 table created.`
pub(super) fn made_a_table(stderr: &str) -> bool {
    stderr.lines().any(|line| line == "1 table created" || line == "1 table created.")
}

/// What a failure means. `ending` tells how pfctl ended, for one that said nothing.
pub(super) fn failure(stderr: &str, command: Command, ending: &str) -> TableError {
    let lines = || stderr.lines().map(str::trim).filter(|line| !line.is_empty() && !is_aside(line));
    match lines().find_map(|line| meaning(line, command)) {
        Some(error) => error,
        None => match lines().next() {
            Some(line) => TableError::Other(clip(line)),
            None => TableError::Other(format!("pfctl failed without a word: {ending}")),
        },
    }
}

/// Lines that are about something else.
fn is_aside(line: &str) -> bool {
    line.starts_with("No ALTQ support")
        || line.starts_with("ALTQ related")
        || line.contains("warning:")
        || line.ends_with("table created.")
}

/// What a line means, if it is a known one.
fn meaning(line: &str, command: Command) -> Option<TableError> {
    let says = |texts: &[&str]| texts.iter().any(|text| line.contains(text));
    if says(&["too many elements"]) {
        return Some(TableError::Other(clip(line)));
    }
    // pfr_strerror, pf_strerror
    if says(&["Table does not exist", "Anchor does not exist", "Anchor or Ruleset does not exist"]) {
        return Some(TableError::NoTable);
    }
    // pfctl.c, main: the device, and since 15 a netlink socket.
    if says(&["/dev/pf: ", "Failed to open netlink"]) {
        if says(&["Permission denied", "Operation not permitted"]) {
            return Some(TableError::NotPermitted(clip(line)));
        }
        let absent = [
            "No such file or directory",
            "Device not configured",
            "No such device",
            "Operation not supported",
            "Protocol not supported",
            "Address family not supported",
        ];
        return says(&absent).then(|| TableError::Absent(clip(line)));
    }
    if says(&["no IP address found for", "cannot decode", "illegal ", "nvalid ", "usage: "]) {
        return Some(TableError::Syntax(clip(line)));
    }
    if says(&["Permission denied"]) {
        return Some(TableError::NotPermitted(clip(line)));
    }
    if says(&["Operation not permitted"]) {
        return Some(match command {
            Command::Show => TableError::NotPermitted(clip(line)),
            Command::KillSourceNodes | Command::KillStates => {
                TableError::NotPermitted(format!("{} (is kern.securelevel 3?)", clip(line)))
            }
            // Who may not write does not get as far as this: pfr_add_addrs and pfr_del_addrs refuse a constant
            // table so, and only that one.
            Command::Add | Command::Delete => TableError::Other(format!("{} (is it const?)", clip(line))),
        });
    }
    None
}

/// A line as it may stand in a message: bounded, and a line.
fn clip(line: &str) -> String {
    let shown: String = line.trim().chars().take(LINE_CHARS_MAX).flat_map(char::escape_debug).collect();
    if line.trim().chars().count() > LINE_CHARS_MAX { shown + "..." } else { shown }
}

#[cfg(test)]
mod tests;

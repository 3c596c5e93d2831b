//! The commands and options of hfmctl, each said once: the command line is judged by this, and the help told.

use std::fmt::Write as _;

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// How rules stand.
    Status,
    /// How tables stand.
    Tables,
    /// Takes rules out on purpose.
    Drain,
    /// Stops testing rules.
    Disable,
    /// Clears what was set.
    Enable,
    /// Has rules count as down or up.
    Set,
    /// Runs the test of rules once.
    Run,
    /// Reads the configuration again.
    Reload,
    /// Reads and repairs all tables now.
    Reconcile,
    /// Tells what happens.
    Events,
    /// What was counted and measured.
    Stats,
    /// Sets the level of the log.
    Log,
    /// Ends hfm.
    Stop,
    /// Names, for shells that complete them.
    Complete,
}

/// An option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// `-s`: the socket.
    Socket,
    /// `--json`: the lines as they come.
    Json,
    /// `--timeout`: the longest silence.
    Timeout,
    /// `-h`: the help.
    Help,
    /// `-V`: the version.
    Version,
    /// `-w`: again and again.
    Watch,
    /// `--for`: ends by itself.
    For,
    /// `--reason`: why.
    Reason,
    /// `--force`: whatever becomes of the tables.
    Force,
}

/// What a command takes, and what there is to say of it.
#[derive(Debug)]
pub struct Command {
    /// Which.
    pub verb: Verb,
    /// Its name.
    pub name: &'static str,
    /// Its operands, as the usage has them.
    pub operands: &'static str,
    /// Options that only some commands take.
    pub flags: &'static [Flag],
    /// What it does, in a few words.
    pub summary: &'static str,
    /// What else there is to know, in lines of less than 80 characters.
    pub details: &'static str,
}

/// All commands, in the order of the help.
pub const COMMANDS: &[Command] = &[
    Command {
        verb: Verb::Status,
        name: "status",
        operands: "[RULE]",
        flags: &[Flag::Watch],
        summary: "how rules stand; one by its name in full",
        details: "STATE is what counts: up, down, unknown, drained, or off (disabled in the file), and\n\
                  with it stale (no verdict for too long), disabled or set (by an operator), ended.\n\
                  P50, P99: of the last 128 runs. AVAIL: successes. NEXT: until the next run.\n",
    },
    Command {
        verb: Verb::Tables,
        name: "tables",
        operands: "[TABLE]",
        flags: &[],
        summary: "what tables should hold, and what they do",
        details: "WANTED and ACTUAL count the addresses of rules that should be and that are in; HELD\n\
                  are in only because of min_up or panic; OTHERS are not hfm's.\n",
    },
    Command {
        verb: Verb::Drain,
        name: "drain",
        operands: "RULE",
        flags: &[Flag::For, Flag::Reason, Flag::Force],
        summary: "take rules out on purpose; they go on being tested",
        details: "They count as down until 'enable', or until --for is over. Refused when it would empty\n\
                  a table or take it below its min_up, unless --force is given.\n",
    },
    Command {
        verb: Verb::Disable,
        name: "disable",
        operands: "RULE",
        flags: &[Flag::For, Flag::Reason],
        summary: "stop testing rules; their addresses stay as they are",
        details: "Until 'enable', or until --for is over.\n",
    },
    Command {
        verb: Verb::Enable,
        name: "enable",
        operands: "RULE",
        flags: &[],
        summary: "clear what drain, disable or set did",
        details: "",
    },
    Command {
        verb: Verb::Set,
        name: "set",
        operands: "RULE always-fail|always-success",
        flags: &[Flag::For, Flag::Reason],
        summary: "have rules count as down or up",
        details: "Whatever their tests say, until 'enable', or until --for is over.\n",
    },
    Command {
        verb: Verb::Run,
        name: "run",
        operands: "RULE",
        flags: &[],
        summary: "run the test of rules once, now",
        details: "Prints what each run found, without effect on the rule's state. The exit status is 0\n\
                  whatever that is.\n",
    },
    Command {
        verb: Verb::Reload,
        name: "reload",
        operands: "",
        flags: &[],
        summary: "read the configuration again",
        details: "Done when the new one is in force. One with an error changes nothing, and every error\n\
                  is told.\n",
    },
    Command {
        verb: Verb::Reconcile,
        name: "reconcile",
        operands: "",
        flags: &[],
        summary: "read all tables now, and repair what differs",
        details: "",
    },
    Command {
        verb: Verb::Events,
        name: "events",
        operands: "",
        flags: &[],
        summary: "tell what happens from now on",
        details: "A line an event, until Ctrl-C.\n",
    },
    Command {
        verb: Verb::Stats,
        name: "stats",
        operands: "",
        flags: &[],
        summary: "what was counted and measured since the start",
        details: "",
    },
    Command {
        verb: Verb::Log,
        name: "log",
        operands: "LEVEL",
        flags: &[],
        summary: "log this level and graver from now on",
        details: "LEVEL is off, error, warn, info, debug or trace.\n",
    },
    Command {
        verb: Verb::Stop,
        name: "stop",
        operands: "",
        flags: &[],
        summary: "end hfm, as SIGTERM does",
        details: "",
    },
    Command {
        verb: Verb::Complete,
        name: "complete",
        operands: "rules|tables",
        flags: &[],
        summary: "names, one a line, for shells that complete them",
        details: "",
    },
];

/// All options: name, short name, what the value is called, what it does.
pub const FLAGS: &[(Flag, &str, Option<&str>, Option<&str>, &str)] = &[
    (Flag::Socket, "--socket", Some("-s"), Some("SOCKET"), "the socket of hfm ('control' in its file)"),
    (Flag::Json, "--json", None, None, "print the answer as it comes, an object a line"),
    (Flag::Timeout, "--timeout", None, Some("SECONDS"), "give up after so long without a line (default 30;"),
    (Flag::Help, "--help", Some("-h"), None, "print this, or after a command what it takes"),
    (Flag::Version, "--version", Some("-V"), None, "print the version"),
    (Flag::Watch, "--watch", Some("-w"), Some("[SECONDS]"), "again every 2 s, or every so many, until Ctrl-C"),
    (Flag::For, "--for", None, Some("TIME"), "end by itself after this: 90s, 30m, 2h, 1d, 1h30m"),
    (Flag::Reason, "--reason", None, Some("TEXT"), "why; shown by status"),
    (Flag::Force, "--force", None, None, "even if that empties a table"),
];

/// Options that every command takes.
const COMMON: &[Flag] = &[Flag::Socket, Flag::Json, Flag::Timeout, Flag::Help, Flag::Version];
/// Where the second column of the help begins.
const COLUMN: usize = 24;

impl Verb {
    /// What it takes.
    pub fn command(self) -> &'static Command {
        COMMANDS.iter().find(|command| command.verb == self).expect("each verb has its command")
    }
}

impl Command {
    /// Whether it takes an option.
    pub fn takes(&self, flag: Flag) -> bool {
        COMMON.contains(&flag) || self.flags.contains(&flag)
    }

    /// What `hfmctl COMMAND --help` prints.
    pub fn help(&self) -> String {
        let mut out = format!("Usage: hfmctl [options] {}", self.name);
        for part in [self.operands, if self.flags.is_empty() { "" } else { "[options]" }] {
            if !part.is_empty() {
                let _ = write!(out, " {part}");
            }
        }
        let _ = write!(out, "\n{}.\n{}", capitalised(self.summary), self.details);
        if self.operands.contains("RULE") || self.operands.contains("TABLE") {
            let of = if self.operands.contains("RULE") { "RULE" } else { "TABLE" };
            let _ = writeln!(out, "{of} is a name or a pattern of * ? [a-z]; quote it: 'web/*'.");
        }
        out.push_str("Options:\n");
        for flag in self.flags {
            write_flag(&mut out, *flag);
        }
        for flag in COMMON {
            write_flag(&mut out, *flag);
        }
        out
    }
}

/// What `hfmctl --help` prints.
pub fn usage(socket: &str) -> String {
    let mut out = "Usage: hfmctl [-s SOCKET] [--json] COMMAND\n\
                   The remote control of hfm. Commands:\n"
        .to_owned();
    for command in COMMANDS {
        let name = match command.operands {
            "" => command.name.to_owned(),
            operands if operands.len() + command.name.len() < COLUMN - 4 => {
                format!("{} {operands}", command.name)
            }
            _ => format!("{} RULE STATE", command.name),
        };
        let _ = writeln!(out, "  {name:<width$}{}", command.summary, width = COLUMN - 2);
    }
    out.push_str("RULE and TABLE are names or patterns of * ? [a-z]; quote them: 'web/*'. Options:\n");
    for flag in COMMON {
        write_flag(&mut out, *flag);
    }
    let _ = write!(
        out,
        "The socket is {socket} unless -s says another. hfmctl COMMAND --help tells more.\n\
         Exit status: 0 done; 1 refused, with the reason; 2 bad arguments, or no hfm.\n"
    );
    out
}

fn write_flag(out: &mut String, flag: Flag) {
    let Some((_, long, short, value, says)) = FLAGS.iter().find(|(of, ..)| *of == flag) else { return };
    let mut name = short.map_or_else(String::new, |short| format!("{short}, "));
    let _ = write!(name, "{long}");
    if let Some(value) = value {
        let _ = write!(name, " {value}");
    }
    let _ = writeln!(out, "  {name:<width$}{says}", width = COLUMN - 2);
    if flag == Flag::Timeout {
        let _ = writeln!(out, "{:COLUMN$}run 3600, reload 300, events never)", "");
    }
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_help_fits_80_columns_and_tells_of_every_command() {
        let usage = usage("/var/run/hfm.sock");
        let helps = COMMANDS.iter().map(Command::help);
        for line in helps.chain([usage.clone()]).flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()) {
            assert!(line.chars().count() <= 80, "{line}");
        }
        for command in COMMANDS {
            assert!(usage.contains(&format!("\n  {}", command.name)), "{}", command.name);
            assert_eq!(command.verb.command().name, command.name);
        }
    }

    #[test]
    fn an_option_that_only_some_take_is_in_their_help_alone() {
        assert!(Verb::Drain.command().help().contains("--force"));
        assert!(!Verb::Disable.command().help().contains("--force"));
        assert!(Verb::Stop.command().takes(Flag::Json) && !Verb::Stop.command().takes(Flag::For));
    }
}

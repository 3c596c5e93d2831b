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
        details: "STATE is what counts: up, down, unknown, drained, or off (disabled in the file);\n\
                  beside it stale (no verdict for too long), disabled or set (by an operator),\n\
                  ended (not tested any more).\n\
                  P50, P99: of the last 128 runs. AVAIL: successes. NEXT: until the next run.\n",
    },
    Command {
        verb: Verb::Tables,
        name: "tables",
        operands: "[TABLE]",
        flags: &[],
        summary: "what tables should hold, and what they do",
        details: "WANTED and ACTUAL count the addresses of rules that should be in and that are;\n\
                  HELD are in only because of min_up or panic; OTHERS are not hfm's. Below a table\n\
                  its addresses: whether each is in, why, and the rules that have a say in it.\n",
    },
    Command {
        verb: Verb::Drain,
        name: "drain",
        operands: "RULE",
        flags: &[Flag::For, Flag::Reason, Flag::Force],
        summary: "take rules out on purpose; they go on being tested",
        details: "They count as down until 'enable', or until --for is over. Refused when it would\n\
                  empty a table or take it below its min_up, unless --force is given.\n",
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
        operands: "RULE STATE",
        flags: &[Flag::For, Flag::Reason],
        summary: "have rules count as down or up",
        details: "STATE is always-fail or always-success. It counts whatever their tests say,\n\
                  until 'enable', or until --for is over.\n",
    },
    Command {
        verb: Verb::Run,
        name: "run",
        operands: "RULE",
        flags: &[],
        summary: "run the test of rules once, now",
        details: "Prints what each run found, without effect on the rule's state. The exit status\n\
                  is 0 whatever that is.\n",
    },
    Command {
        verb: Verb::Reload,
        name: "reload",
        operands: "",
        flags: &[],
        summary: "read the configuration again",
        details: "Done when the new one is in force. One with an error changes nothing, and every\n\
                  error is told.\n",
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

/// How an option is written, and what it does.
#[derive(Debug)]
pub struct Spelling {
    /// Which.
    pub flag: Flag,
    /// In full.
    pub long: &'static str,
    /// In short.
    pub short: Option<&'static str>,
    /// What its value is called.
    pub value: Option<&'static str>,
    /// What it does, a line or two.
    says: &'static [&'static str],
}

/// All options, in the order of the help.
pub const SPELLINGS: &[Spelling] = &[
    Spelling {
        flag: Flag::Watch,
        long: "--watch",
        short: Some("-w"),
        value: Some("[SECONDS]"),
        says: &["again every 2 s, or every so many, until Ctrl-C"],
    },
    Spelling {
        flag: Flag::For,
        long: "--for",
        short: None,
        value: Some("TIME"),
        says: &["end by itself after this: 90s, 30m, 2h, 1d, 1h30m"],
    },
    Spelling {
        flag: Flag::Reason,
        long: "--reason",
        short: None,
        value: Some("TEXT"),
        says: &["why; 'status' shows it"],
    },
    Spelling {
        flag: Flag::Force,
        long: "--force",
        short: None,
        value: None,
        says: &["even if that empties a table"],
    },
    Spelling {
        flag: Flag::Socket,
        long: "--socket",
        short: Some("-s"),
        value: Some("SOCKET"),
        says: &["the socket of hfm ('control' in its file)"],
    },
    Spelling {
        flag: Flag::Json,
        long: "--json",
        short: None,
        value: None,
        says: &["print the answer as it comes, an object a line"],
    },
    Spelling {
        flag: Flag::Timeout,
        long: "--timeout",
        short: None,
        value: Some("SECONDS"),
        says: &["give up after so long without a line (default 30;", "run 3600, reload 300, events never)"],
    },
    Spelling {
        flag: Flag::Help,
        long: "--help",
        short: Some("-h"),
        value: None,
        says: &["print this; after a command, what it takes"],
    },
    Spelling {
        flag: Flag::Version,
        long: "--version",
        short: Some("-V"),
        value: None,
        says: &["print the version"],
    },
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

impl Flag {
    /// How it is written.
    pub fn spelling(self) -> &'static Spelling {
        SPELLINGS.iter().find(|spelling| spelling.flag == self).expect("each flag has its spelling")
    }
}

impl Command {
    /// Whether it takes an option.
    pub fn takes(&self, flag: Flag) -> bool {
        COMMON.contains(&flag) || self.flags.contains(&flag)
    }

    /// Whether it takes the name of a rule or table, or a pattern.
    pub fn takes_pattern(&self) -> bool {
        self.operands.contains("RULE") || self.operands.contains("TABLE")
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
        if self.takes_pattern() {
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
        let name = format!("{} {}", command.name, command.operands);
        let _ = writeln!(out, "  {name:<width$}{}", command.summary, width = COLUMN - 2);
    }
    out.push_str("RULE and TABLE are names or patterns of * ? [a-z]; quote them: 'web/*'. Options:\n");
    for flag in COMMON {
        write_flag(&mut out, *flag);
    }
    let _ = write!(
        out,
        "The socket is {socket} unless -s says another.\n\
         hfmctl COMMAND --help tells what it takes.\n\
         Exit status: 0 done; 1 refused, with the reason; 2 bad arguments, or no hfm.\n"
    );
    out
}

fn write_flag(out: &mut String, flag: Flag) {
    let spelling = flag.spelling();
    let mut name = spelling.short.map_or_else(String::new, |short| format!("{short}, "));
    name.push_str(spelling.long);
    if let Some(value) = spelling.value {
        let _ = write!(name, " {value}");
    }
    for says in spelling.says {
        let _ = writeln!(out, "  {name:<width$}{says}", width = COLUMN - 2);
        name.clear();
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
        for line in
            helps.chain([usage.clone()]).flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
        {
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

//! A configuration as text: everything that was understood, as a file that reads back to the same.

mod probe;
mod tables;

use std::fmt::{self, Write};
use std::time::Duration;

use super::inherit::status_word;
use crate::rule::{CommandLine, Configuration, Demotion, LogFormat, Rule, RuleId, Test};

/// What `hfm -n -dump` prints: every rule in the order of the file with everything that counts for it.
///
/// The text is UCL, and loading it gives an equal configuration: rules stand under their whole names, and
/// nothing is left to be inherited.
pub fn dump(configuration: &Configuration) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut out, configuration);
    out
}

fn write(out: &mut String, configuration: &Configuration) -> fmt::Result {
    let rules = match configuration.rules.len() {
        1 => "1 rule".to_owned(),
        count => format!("{count} rules"),
    };
    writeln!(out, "# {rules}, in the order of the file, with everything that counts for each.")?;
    writeln!(out, "change_max = {};", configuration.change_max)?;
    match configuration.log_format {
        LogFormat::Text => {}
        LogFormat::Json => writeln!(out, "log_format = json;")?,
    }
    tables::write_root(out, configuration)?;
    if !configuration.control.is_default {
        writeln!(out, "control = {};", Quoted(configuration.control.path.as_deref().unwrap_or_default()))?;
    }
    if let Some(listen) = configuration.listen {
        writeln!(out, "listen = {};", Quoted(&listen.to_string()))?;
    }
    match &configuration.demotion {
        Demotion::Carp => {}
        Demotion::File(path) => writeln!(out, "demotion = {};", Quoted(&format!("file:{path}")))?,
    }
    for (name, of) in [("user", &configuration.run_as.user), ("group", &configuration.run_as.group)] {
        if let Some(of) = of {
            writeln!(out, "{name} = {};", Quoted(of))?;
        }
    }
    for rule in &configuration.rules {
        writeln!(out)?;
        write_rule(out, configuration, rule)?;
    }
    tables::write_comments(out, configuration)
}

fn write_rule(out: &mut String, configuration: &Configuration, rule: &Rule) -> fmt::Result {
    // No variable is put into a key.
    write_double_quoted(out, &rule.name)?;
    writeln!(out, " {{")?;
    writeln!(out, "    status = {};", status_word(rule.status))?;
    match &rule.test {
        Test::Command { command, .. } => write_command(out, "test", Some(command))?,
        Test::Probe(probe) => probe::write(out, probe)?,
    }
    if let Some(delay) = rule.start_delay {
        write_interval(out, "start_delay", delay)?;
    }
    writeln!(out, "    runs = {};", rule.runs.map_or(0, std::num::NonZeroU16::get))?;
    write_interval(out, "interval", rule.interval)?;
    write_interval(out, "interval_fail", rule.interval_fail)?;
    if let Some(interval) = rule.interval_debounce {
        write_interval(out, "interval_debounce", interval)?;
    }
    if let Test::Command { timeout_int, timeout_kill, .. } = &rule.test {
        write_interval(out, "timeout_int", timeout_int.unwrap_or_default())?;
        write_interval(out, "timeout_kill", timeout_kill.unwrap_or_default())?;
    }
    writeln!(out, "    spread = {};", if rule.spread { "yes" } else { "no" })?;
    write_command(out, "change_success", rule.change_success.as_ref())?;
    writeln!(out, "    change_success_debounce = {};", rule.health.success_debounce)?;
    write_command(out, "change_fail", rule.change_fail.as_ref())?;
    writeln!(out, "    change_fail_debounce = {};", rule.health.fail_debounce)?;
    writeln!(out, "    change_fail_reset = {};", rule.health.fail_reset)?;
    write_interval(out, "change_timeout", rule.change_timeout.unwrap_or_default())?;
    write_interval(out, "hold_down", rule.health.hold_down)?;
    write_interval(out, "hold_down_max", rule.health.hold_down_max)?;
    write_names(out, "requires", configuration, &rule.requires)?;
    write_names(out, "guard", configuration, &rule.guard)?;
    tables::write_placement(out, rule)?;
    if let Some(share) = rule.demote {
        writeln!(out, "    demote = {share};")?;
    }
    writeln!(out, "}}")
}

fn write_command(out: &mut String, name: &str, command: Option<&CommandLine>) -> fmt::Result {
    let Some(command) = command else {
        return Ok(());
    };
    writeln!(out, "    {name} = {};", Quoted(&command.program))?;
    if command.arguments.is_empty() {
        return Ok(());
    }
    let arguments: Vec<String> = command.arguments.iter().map(|text| Quoted(text).to_string()).collect();
    writeln!(out, "    {name}_arguments = [{}];", arguments.join(", "))
}

fn write_interval(out: &mut String, name: &str, interval: Duration) -> fmt::Result {
    writeln!(out, "    {name} = {};", Seconds(interval))
}

fn write_names(out: &mut String, name: &str, configuration: &Configuration, rules: &[RuleId]) -> fmt::Result {
    let names: Vec<String> =
        rules.iter().map(|id| Quoted(&configuration.rules[id.index()].name).to_string()).collect();
    writeln!(out, "    {name} = [{}];", names.join(", "))
}

/// An interval as a UCL time in seconds, exact to the nanosecond.
///
/// Intervals come from 64-bit floats of seconds, and the nearest float to these digits gives the same
/// nanoseconds again.
pub(super) struct Seconds(pub(super) Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, nanoseconds) = (self.0.as_secs(), self.0.subsec_nanos());
        if nanoseconds == 0 {
            return write!(f, "{whole}s");
        }
        let fraction = format!("{nanoseconds:09}");
        write!(f, "{whole}.{}s", fraction.trim_end_matches('0'))
    }
}

/// A text as a UCL string.
///
/// Double quotes, except where the text names a variable, which would be put in there. In single quotes none
/// is, but not every text can be written in them: one that names a variable *and* has a backslash before a
/// quote or at its end cannot be written at all.
struct Quoted<'a>(&'a str);

/// The variables of UCL, as they begin.
const VARIABLES: &[&str] = &["$CURDIR", "${CURDIR}", "$FILENAME", "${FILENAME}"];

/// Whether single quotes can hold a text: a backslash in them takes the next character with it, and loses
/// itself before a quote and at the end of a line.
fn fits_single_quotes(text: &str) -> bool {
    let mut escaping = false;
    for c in text.chars() {
        if escaping && matches!(c, '\'' | '\n' | '\r') {
            return false;
        }
        escaping = c == '\\' && !escaping;
    }
    !escaping
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if VARIABLES.iter().any(|name| self.0.contains(name)) && fits_single_quotes(self.0) {
            return write!(f, "'{}'", self.0.replace('\'', "\\'"));
        }
        write_double_quoted(f, self.0)
    }
}

fn write_double_quoted(out: &mut dyn Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            c if u32::from(c) < 0x20 || c == '\u{7f}' => write!(out, "\\u{:04x}", u32::from(c))?,
            c => out.write_char(c)?,
        }
    }
    out.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_so_that_they_read_back() {
        for (text, quoted) in [
            ("a b", r#""a b""#),
            ("a\"b\\c\td\n", r#""a\"b\\c\td\n""#),
            ("\u{1}\u{7f}é", r#""\u0001\u007fé""#),
            ("$CURDIR", "'$CURDIR'"),
            ("it's $FILENAME", r"'it\'s $FILENAME'"),
            ("$HOME/${x}", r#""$HOME/${x}""#),
            ("${CURDIR}\ny", "'${CURDIR}\ny'"),
            (r"$CURDIR\\", r"'$CURDIR\\'"),
            (r"$CURDIR\d", r"'$CURDIR\d'"),
            (r"$CURDIR\", r#""$CURDIR\\""#),
            (r"$CURDIR\'", r#""$CURDIR\\'""#),
        ] {
            assert_eq!(Quoted(text).to_string(), quoted);
        }
    }

    #[test]
    fn intervals_are_written_to_the_nanosecond() {
        for (nanoseconds, written) in [
            (0, "0s"),
            (1, "0.000000001s"),
            (1_500_000_000, "1.5s"),
            (300_000_000_000, "300s"),
            (3_153_599_999_999_999_999, "3153599999.999999999s"),
        ] {
            assert_eq!(Seconds(Duration::from_nanos(nanoseconds)).to_string(), written);
        }
    }

    #[test]
    fn every_float_of_seconds_reads_back_to_the_same_nanoseconds() {
        for seconds in
            [1e-9, 0.1, 0.3, 1.1, 2.675, 33.3, 1e6 + 1e-9, 12_345.678_901_234, 3.1e9 + 0.3, 3_153_599_999.9]
        {
            let interval = Duration::from_secs_f64(seconds);
            let text = Seconds(interval).to_string();
            let again: f64 = text.trim_end_matches('s').parse().expect("a number");
            assert_eq!(Duration::from_secs_f64(again), interval, "{text}");
        }
    }
}

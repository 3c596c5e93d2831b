//! What shells offer after so much of a command line: asked of the shells themselves.

use std::path::{Path, PathBuf};
use std::process::Command;

use hfm::remote::command_line::{COMMANDS, SPELLINGS};
use serde_json::json;

use crate::server::{Play, Server, done, rule, stdout, text};
use crate::skip::skip;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/completions").join(name)
}

/// A server with rules whose names are no easy ones, for so many questions.
fn server(test: &str, questions: usize) -> Server {
    let names = ["web/1", "web/2", "web/2:x", "mail", "a b/it's $1", "é/網"];
    let mut lines: Vec<_> = names.iter().map(|name| rule(name, "success")).collect();
    lines.push(done("6 rules"));
    Server::new(test, vec![Play::Say(text(&lines)); questions])
}

/// A shell that finds the built hfmctl.
fn shell(name: &str) -> Option<Command> {
    let bin = Path::new(env!("CARGO_BIN_EXE_hfmctl")).parent().expect("a directory");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new(name);
    command.env("PATH", format!("{}:{path}", bin.display())).env("LC_ALL", "C.UTF-8");
    let is_there = Command::new(name).arg("-c").arg("true").status().is_ok_and(|status| status.success());
    if !is_there {
        skip(&format!("completions for {name}: it is not installed"));
    }
    is_there.then_some(command)
}

/// What bash offers; `words` as its readline splits them.
fn bash(words: &[&str]) -> Option<Vec<String>> {
    let script = r#"source "$1"; shift
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _hfmctl
        ((${#COMPREPLY[@]})) && printf '%s\n' "${COMPREPLY[@]}""#;
    let mut command = shell("bash")?;
    command.args(["--norc", "-c", script, "bash"]).arg(file("hfmctl.bash")).arg("hfmctl").args(words);
    let output = command.output().expect("bash runs");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{words:?}");
    Some(stdout(&output).lines().map(str::to_owned).collect())
}

#[test]
fn bash_offers_every_command_and_every_option_where_it_belongs() {
    let Some(commands) = bash(&[""]) else { return };
    assert_eq!(commands, COMMANDS.iter().map(|command| command.name).collect::<Vec<_>>());
    for command in COMMANDS {
        let offered = bash(&[command.name, "x", "-"]).expect("bash is there");
        for spelling in SPELLINGS {
            for name in [Some(spelling.long), spelling.short].into_iter().flatten() {
                let is_offered = offered.iter().any(|of| of == name);
                assert_eq!(is_offered, command.takes(spelling.flag), "{} {name}: {offered:?}", command.name);
            }
        }
    }
    for (words, expected) in [
        (&["st"][..], &["status", "stats", "stop"][..]),
        (&["--json", "rel"], &["reload"]),
        (&["log", ""], &["off", "error", "warn", "info", "debug", "trace"]),
        (&["set", "a", "always-s"], &["always-success"]),
        (&["complete", "r"], &["rules"]),
        (&["drain", "a", "--for", "2"], &["2h"]),
        (&["drain", "a", "--for", "=", "2"], &["2h"]),
        (&["drain", "a", "--for", "="], &["30m", "2h", "1d"]),
        (&["reload", ""], &[]),
        (&["status", "a", ""], &[]),
        (&["drain", "--reason", "status", "--for", ""], &["30m", "2h", "1d"]),
    ] {
        assert_eq!(bash(words).expect("bash is there"), expected, "{words:?}");
    }
}

#[test]
fn bash_offers_the_names_that_hfm_has_quoted_as_the_line_needs_it() {
    let cases: &[(&[&str], &[&str])] = &[
        (&["status", "web/"], &["web/1", "web/2", "web/2:x"]),
        (&["drain", "a"], &[r"a\ b/it\'s\ \$1"]),
        (&["drain", r"a\ b"], &[r"a\ b/it\'s\ \$1"]),
        (&["drain", "\"m"], &["mail"]),
        // They would end the quote, or mean something in it.
        (&["drain", "'a"], &[]),
        (&["drain", "\"a"], &[]),
        // bash leaves what is before the colon, and wants the rest.
        (&["run", "web/2", ":"], &["x"]),
        (&["run", "web/2", ":", "x"], &["x"]),
        (&["status", "-w", "5", "m"], &["mail"]),
        (&["status", "-w", "m"], &["mail"]),
        (&["set", "é"], &["é/網"]),
        (&["enable", "nosuch"], &[]),
    ];
    let server = server("bash", cases.len());
    let socket = server.socket.to_str().expect("a path in ASCII");
    for (words, expected) in cases {
        let Some(offered) = bash(&[&["-s", socket], *words].concat()) else { return };
        assert_eq!(offered, *expected, "{words:?}");
    }
}

#[test]
fn without_hfm_shells_offer_no_names_and_say_nothing() {
    let Some(offered) = bash(&["-s", "/nonexistent/hfm.sock", "status", ""]) else { return };
    assert_eq!(offered, [""; 0]);
}

#[test]
fn fish_offers_commands_options_and_names() {
    let Some(_) = shell("fish") else { return };
    let server = server("fish", 8);
    let fish = |line: &str| {
        let mut command = shell("fish").expect("it is there");
        command.args(["--no-config", "-c", "source $argv[1]; complete -C $argv[2]"]);
        let output = command.arg(file("hfmctl.fish")).arg(line).output().expect("fish runs");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{line}");
        let first = |line: &str| line.split('\t').next().unwrap_or_default().to_owned();
        // Whether it quotes what it tells here is a matter of its version.
        stdout(&output).lines().map(first).map(|word| word.replace('\\', "")).collect::<Vec<_>>()
    };
    let mut commands: Vec<_> = COMMANDS.iter().map(|command| command.name).collect();
    commands.sort_unstable();
    let mut offered = fish("hfmctl ");
    offered.sort_unstable();
    assert_eq!(offered, commands);
    let socket = server.socket.display();
    assert_eq!(fish(&format!("hfmctl -s {socket} status web/")), ["web/1", "web/2", "web/2:x"]);
    assert_eq!(fish(&format!("hfmctl drain -s {socket} --reason x a")), ["a b/it's $1"]);
    assert_eq!(fish("hfmctl set x always-f"), ["always-fail"]);
    assert_eq!(fish("hfmctl log tr"), ["trace"]);
    for command in COMMANDS {
        let offered = fish(&format!("hfmctl {} x --", command.name));
        for spelling in SPELLINGS {
            let is_offered = offered.iter().any(|of| of.trim_end_matches('=') == spelling.long);
            assert_eq!(is_offered, command.takes(spelling.flag), "{} {}", command.name, spelling.long);
        }
    }
}

#[test]
fn zsh_offers_commands_options_and_names() {
    let Some(_) = shell("zsh") else { return };
    let server = server("zsh", 8);
    // A zsh of its own on a terminal of its own, as zsh has no other way to be asked.
    let script = r#"
        zmodload zsh/zpty
        zpty z "PS1=READY TERM=dumb zsh -f -i"
        zpty -w z "unsetopt zle_bracketed_paste; bindkey -e; fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D"
        zpty -w z "told() { local -a all; compadd() { builtin compadd -A all \"\$@\"; print -rl -- FOUND:\${^all} >>$3; builtin compadd \"\$@\" }; _main_complete; print TO''LD >/dev/tty }"
        zpty -w z "zle -C told complete-word told; bindkey '^I' told; print MAR''KER"
        zpty -r z line "*MARKER*"
        zpty -n -w z "$2"$'\t'
        zpty -r z line "*TOLD*"
        zpty -d z
    "#;
    let found = server.socket.with_file_name("found");
    let zsh = |line: &str| {
        std::fs::write(&found, "").expect("a file");
        let mut command = shell("zsh").expect("it is there");
        command.args(["-f", "-c", script, "zsh"]).arg(file("")).arg(line).arg(&found);
        command.output().expect("zsh runs");
        let found = std::fs::read_to_string(&found).expect("a file");
        let mut offered: Vec<_> =
            found.lines().filter_map(|line| line.strip_prefix("FOUND:")).map(str::to_owned).collect();
        offered.sort_unstable();
        offered.dedup();
        offered
    };
    let socket = server.socket.display();
    let commands = zsh("hfmctl ");
    assert!(COMMANDS.iter().all(|command| commands.iter().any(|of| of == command.name)), "{commands:?}");
    assert_eq!(zsh(&format!("hfmctl -s {socket} status web/")), ["web/1", "web/2", "web/2:x"]);
    assert_eq!(zsh(&format!("hfmctl drain -s {socket} m")), ["mail"]);
    assert_eq!(zsh("hfmctl set x always-f"), ["always-fail"]);
    assert_eq!(zsh("hfmctl log tr"), ["trace"]);
}

#[test]
fn hfmctl_itself_tells_names_one_a_line() {
    let table = json!({"type": "table", "table": "fe/mail", "dataplane": "memory", "managed": 0, "wanted": 0,
        "actual": 0, "held": 0, "others": 0, "repairs": 0, "written": null, "error": null, "retry": null});
    let server = Server::saying("names", &[table, done("1 table")]);
    let output = server.run(&["complete", "tables"]);
    assert_eq!((stdout(&output), output.status.code()), ("fe/mail\n".to_owned(), Some(0)));
}

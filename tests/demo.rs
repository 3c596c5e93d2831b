//! `hfm demo` as it is run by people who have never seen it.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

fn hfm(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hfm"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn piped_it_is_plain_lines_of_what_broke_what_hfm_found_and_what_the_table_holds() {
    let output = hfm(&["demo", "-t", "4.5"]).output().expect("hfm runs");
    let said = text(&output);
    assert!(output.status.success(), "{output:?}");
    assert!(!said.contains('\x1b'), "no escapes where there is no terminal: {said}");
    let lines: Vec<&str> = said.lines().collect();
    let line = |what: &str| {
        lines.iter().position(|line| line.contains(what)).unwrap_or_else(|| panic!("{what}: {said}"))
    };
    let order = [
        line("This is the whole configuration"),
        line("test = \"https://web1.example/\""),
        line("The status page: http://127.0.0.1:"),
        line("joined the table"),
        line("web1 refuses connections"),
        line("web1 left the table after "),
        line("web1 is healed"),
        line("web1 is back in the table after "),
        line("from the breakage to the table without its address"),
    ];
    assert!(order.is_sorted(), "{order:?}: {said}");
    assert!(
        lines[order[5]].ends_with("refused, Connection refused; table web: 192.0.2.2 192.0.2.3"),
        "{said}"
    );
    assert!(lines[order[7]].ends_with("table web: 192.0.2.1 192.0.2.2 192.0.2.3"), "{said}");
}

#[test]
fn an_interrupt_ends_it_with_the_summary() {
    let mut child = hfm(&["demo"]).spawn().expect("hfm runs");
    let mut lines = BufReader::new(child.stdout.take().expect("its stdout")).lines();
    let joined = lines.by_ref().map_while(Result::ok).any(|line| line.contains("joined the table"));
    assert!(joined);
    kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).expect("it runs");
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    assert!(rest.iter().any(|line| line.contains("breakages in ")), "{rest:?}");
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn it_ends_when_nobody_reads_any_more() {
    let mut child = hfm(&["demo"]).spawn().expect("hfm runs");
    let mut stdout = child.stdout.take().expect("its stdout");
    stdout.read_exact(&mut [0; 100]).expect("it says something");
    drop(stdout);
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn a_terminal_is_given_back_as_it_was() {
    // script(1) lends it a terminal.
    let hfm = format!("{} demo -t 1.2", env!("CARGO_BIN_EXE_hfm"));
    let run = Command::new("script")
        .args(["-q", "-e", "-c", &hfm, "/dev/null"])
        .env("TERM", "xterm")
        .env("LANG", "C.UTF-8")
        .stdin(Stdio::null())
        .output();
    let output = run.expect("script(1)");
    let said = text(&output);
    assert!(output.status.success(), "{said:?}");
    let (hidden, shown) = (said.find("\x1b[?25l"), said.rfind("\x1b[?25h"));
    assert!(hidden.is_some() && hidden < shown, "the cursor is hidden, and comes back: {said:?}");
    assert!(said.contains("web3") && said.contains("192.0.2.3"), "{said:?}");
}

#[test]
fn wrong_arguments_are_refused_with_its_own_usage() {
    for arguments in [&["demo", "-t"][..], &["demo", "-t", "0"], &["demo", "now"], &["demo", "-x"]] {
        let output = hfm(arguments).output().expect("hfm runs");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("Usage: hfm demo"), "{output:?}");
    }
    let output = hfm(&["demo", "-h"]).output().expect("hfm runs");
    assert!(output.status.success() && text(&output).starts_with("Usage: hfm demo"));
}

//! Commands within sentences: those of ours are ones that hfm, hfmctl and cargo take.

use std::ffi::OsString;
use std::process::Command;

use hfm::cli;

use crate::not_here::reason;
use crate::page::{pages, repository};

/// Splits a command into words, as sh does; `None` where it is no simple command.
fn words(command: &str) -> Option<Vec<String>> {
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in command.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (None, '|' | ';' | '&' | '<' | '>' | '[' | ']' | '(') => return None,
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    let is_whole = quote.is_none() && !words.iter().any(|word| word.contains("..."));
    is_whole.then_some(words)
}

/// Why hfmctl would not take these arguments.
fn trouble_of_hfmctl(arguments: &[String]) -> Option<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hfmctl"));
    if let [verb] = arguments
        && !verb.starts_with('-')
    {
        // A command is named, not given.
        let output = command.args([verb, "--help"]).output().expect("hfmctl runs");
        return (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let is_own_socket = arguments.iter().any(|word| word == "-s");
    if !is_own_socket {
        command.args(["-s", "/nonexistent/hfm.sock"]);
    }
    // Options are named: of any command, or of watching, which has no end.
    let verb = arguments.iter().all(|word| word.starts_with('-')).then_some("status");
    let arguments = arguments.iter().filter(|word| *word != "-w");
    let output = command.args(arguments).args(verb).output().expect("hfmctl runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    // It has understood, and found nobody to ask.
    let is_good = output.status.success() || said.contains("no hfm:");
    (!is_good).then_some(said)
}

/// Why a command would not be taken; `None` for others than ours.
fn trouble(command: &str) -> Option<String> {
    let words = words(command)?;
    let (program, arguments) = words.split_first()?;
    match (program.as_str(), arguments) {
        (_, []) => None,
        ("hfm" | "target/release/hfm", arguments) => {
            let given = arguments.iter().map(OsString::from);
            // A command is named, not given.
            let help = (arguments == ["probe"]).then(|| OsString::from("-h"));
            cli::parse(given.chain(help)).err().map(|error| error.to_string())
        }
        ("hfmctl", arguments) => trouble_of_hfmctl(arguments),
        ("cargo", arguments) => {
            let stand_in = repository().join("tests/docs/cargo");
            let build = arguments.first().is_some_and(|word| word == "build");
            if build {
                return (arguments != ["build", "--release"]).then(|| "not known".to_owned());
            }
            let output = Command::new("sh").arg(stand_in).args(arguments).current_dir(repository()).output();
            let output = output.expect("sh runs");
            (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
        }
        _ => None,
    }
}

#[test]
fn commands_within_sentences_are_taken() {
    let mut wrong = Vec::new();
    let mut looked_at = 0;
    for page in pages() {
        for (number, span) in &page.spans {
            looked_at += usize::from(span.starts_with("hfm") || span.starts_with("cargo "));
            if let Some(why) = trouble(span) {
                wrong.push(format!("{}:{number}: `{span}`: {why}", page.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(looked_at > 100, "only {looked_at} commands were seen");
}

/// A command that is not run here may have one of ours behind it.
#[test]
fn commands_that_are_not_run_name_ours_as_they_are() {
    for page in pages() {
        for fence in page.fences.iter().filter(|fence| fence.tag == "sh") {
            for line in fence.text.lines().filter(|line| reason(line).is_some()) {
                let bare = line.split('#').next().expect("one piece at least");
                for part in bare.split([';', '|']) {
                    assert_eq!(trouble(part.trim()), None, "{}: {line}", fence.place);
                }
                let service: Vec<&str> = bare.split_whitespace().collect();
                if let ["service", "hfm", verb] = service[..] {
                    let script = std::fs::read_to_string(repository().join("rc.d/hfm")).expect("the script");
                    let known =
                        ["start", "stop", "restart", "status"].contains(&verb) || script.contains(verb);
                    assert!(known, "{}: rc.d/hfm knows no {verb}", fence.place);
                }
            }
        }
    }
}

#[test]
fn what_is_not_taken_is_found() {
    assert_eq!(
        words("hfmctl drain 'lb1/*' --for 2h"),
        Some(["hfmctl", "drain", "lb1/*", "--for", "2h"].map(str::to_owned).to_vec())
    );
    assert_eq!(words("hfm probe URL [property=value ...]"), None);
    for good in [
        "hfm -n -dump",
        "hfmctl drain 'lb1/*' --for 2h",
        "hfmctl status",
        "cargo bench --bench scale",
        "ls -x",
    ] {
        assert_eq!(trouble(good), None, "{good}");
    }
    for bad in ["hfm -nn", "hfmctl drian lb1", "hfmctl stats --for 2h", "cargo bench --bench scales"] {
        assert!(trouble(bad).is_some(), "{bad}");
    }
}

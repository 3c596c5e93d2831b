//! What nft(8) sends, as it was recorded for the encoder's tests: still what it sends.

use std::path::Path;
use std::process::Command;

use crate::skip::skip;
use crate::world::{alone, nft};

/// A recording: rules that are there before, what nft is told then, and the bytes of the batch that it sends.
struct Recording {
    rules: String,
    command: String,
    bytes: Vec<u8>,
}

fn read(text: &str) -> Recording {
    let line = |wanted: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(wanted));
        line.unwrap_or_else(|| panic!("no line {wanted}: {text}")).to_owned()
    };
    let hex = text.lines().filter(|line| !line.contains(": "));
    let bytes = hex.flat_map(bytes).collect();
    Recording { rules: line("rules: "), command: line("command: "), bytes }
}

fn bytes(hex: &str) -> impl Iterator<Item = u8> {
    hex.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).expect("two digits each"))
}

/// What nft(8) sends for a command, by strace(1); `None` where that is not there.
fn sent(command: &str) -> Option<Vec<u8>> {
    let output = Command::new("strace")
        .args(["-e", "trace=sendmsg", "-e", "write=3", "nft"])
        .args(command.split(' '))
        .output()
        .ok()?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command}: {told}");
    let dumped = told.lines().filter_map(|line| line.strip_prefix(" | ")?.get(5..55));
    let bytes: Vec<u8> = dumped.flat_map(bytes).collect();
    assert!(!bytes.is_empty(), "strace dumps what is sent: {told}");
    Some(bytes)
}

#[test]
fn nft_still_sends_what_was_recorded() {
    alone("nft_still_sends_what_was_recorded", |_| {
        if Command::new("strace").arg("-V").output().is_err() {
            return skip("nft_still_sends_what_was_recorded: strace is not installed");
        }
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dataplane_nft/recorded");
        let mut names: Vec<_> = std::fs::read_dir(place).unwrap().map(|file| file.unwrap().path()).collect();
        names.sort();
        assert!(names.len() >= 11, "{names:?}");
        for name in names {
            let text = std::fs::read_to_string(&name).unwrap();
            let Recording { rules, command, bytes } = read(&text);
            nft(&format!("flush ruleset; {rules}"));
            let sent = sent(&command).expect("strace runs");
            if std::env::var_os("HFM_RECORD").is_some() {
                let hex: Vec<String> = sent.iter().map(|byte| format!("{byte:02x}")).collect();
                let lines: Vec<String> = hex.chunks(24).map(|line| line.join(" ")).collect();
                let text = format!("rules: {rules}\ncommand: {command}\n{}\n", lines.join("\n"));
                std::fs::write(&name, text).unwrap();
                continue;
            }
            assert_eq!(sent, bytes, "{}: HFM_RECORD=1 records anew", name.display());
        }
    });
}

//! Fences that are no commands: each is judged by what reads such a text.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use hfm::config::load;
use hfm::probe::Files;
use hfm::sys::files::FileLoader;

use crate::page::{Fence, pages, repository};
use crate::skip::skip;

/// Tags of texts that nothing here can judge, and why.
const NOT_JUDGED: &[(&str, &str)] = &[
    ("text", "something to look at"),
    ("rust", "a part of a program that is not in the tree"),
    ("pf", "pfctl(8) is FreeBSD's"),
    ("relayd", "relayd(8) is OpenBSD's and FreeBSD's"),
    ("jail", "jail(8) is FreeBSD's"),
];

/// Tags of commands.
const COMMANDS: &[&str] = &["sh", "console"];

/// Nobody's certificates: documents name none.
struct NoFiles;

impl Files for NoFiles {
    fn read(&mut self, path: &str) -> std::io::Result<Vec<u8>> {
        Err(std::io::Error::new(std::io::ErrorKind::NotFound, path.to_owned()))
    }

    fn system_roots(&mut self) -> Result<Vec<Vec<u8>>, String> {
        Err("a document needs none".to_owned())
    }
}

fn fences(tag: &str) -> Vec<Fence> {
    let all = pages().into_iter().flat_map(|page| page.fences);
    let found: Vec<Fence> = all.filter(|fence| fence.tag == tag).collect();
    assert!(!found.is_empty(), "no document has a fence of this tag: {tag}");
    found
}

/// The text as a file of its own.
fn file(fence: &Fence, ending: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("docs-texts");
    fs::create_dir_all(&folder).expect("a directory for the test");
    let path = folder.join(format!("{}.{ending}", fence.place.replace(['/', ':'], "-")));
    fs::write(&path, &fence.text).expect("a file of the test");
    path
}

/// Has a program judge each; `isolated` gives it a network of its own.
fn judged_by(tag: &str, is_isolated: bool, program: &str, arguments: &[&str]) {
    let is_there =
        Command::new("sh").args(["-c", &format!("command -v {program}")]).output().expect("sh runs");
    if !is_there.status.success() {
        return skip(&format!("docs: {tag} fences: {program} is not installed"));
    }
    for fence in fences(tag) {
        let path = file(&fence, tag);
        let mut command = if is_isolated { Command::new("unshare") } else { Command::new(program) };
        if is_isolated {
            command.args(["--net", program]);
        }
        let output = command.args(arguments).arg(&path).output().expect("it runs");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        if is_isolated && said.contains("unshare failed") {
            return skip(&format!("docs: {tag} fences: no network namespace of its own here"));
        }
        assert!(output.status.success(), "{}: {program}: {said}", fence.place);
    }
}

#[test]
fn every_fence_says_what_it_is() {
    let known: Vec<&str> = ["ucl", "nft", "json", "haproxy", "keepalived", "diff"]
        .into_iter()
        .chain(COMMANDS.iter().copied())
        .chain(NOT_JUDGED.iter().map(|(tag, _)| *tag))
        .collect();
    for fence in pages().into_iter().flat_map(|page| page.fences) {
        assert!(known.contains(&fence.tag.as_str()), "{}: what is '{}'?", fence.place, fence.tag);
        let is_command = COMMANDS.contains(&fence.tag.as_str());
        assert!(is_command || fence.world.is_empty(), "{}: no commands, so no world", fence.place);
    }
}

#[test]
fn every_configuration_loads_without_a_word() {
    for fence in fences("ucl") {
        let path = file(&fence, "conf");
        match load(path.to_str().expect("UTF-8"), &mut FileLoader, &mut NoFiles) {
            Ok(loaded) => {
                let warnings = loaded.warnings.to_string();
                assert!(warnings.is_empty(), "{}: {warnings}", fence.place);
            }
            Err(report) => panic!("{}: {report}", fence.place),
        }
    }
}

#[test]
fn every_json_line_is_json() {
    for fence in fences("json") {
        for line in fence.text.lines() {
            let read: Result<serde_json::Value, _> = serde_json::from_str(line);
            assert!(read.is_ok(), "{}: {line}", fence.place);
        }
    }
}

#[test]
fn every_ruleset_is_one_for_nft() {
    judged_by("nft", true, "nft", &["-c", "-f"]);
}

#[test]
fn every_haproxy_cfg_is_one_for_haproxy() {
    judged_by("haproxy", false, "haproxy", &["-c", "-f"]);
}

#[test]
fn every_keepalived_conf_is_one_for_keepalived() {
    judged_by("keepalived", true, "keepalived", &["-t", "-f"]);
}

/// What a step of docs/adding-a-probe.md takes away, or stands beside, is in the tree.
#[test]
fn every_diff_fits_the_tree() {
    let mut sources = String::new();
    let mut folders = vec![repository().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                sources.push_str(&fs::read_to_string(path).expect("a source"));
            }
        }
    }
    let lines: std::collections::BTreeSet<&str> = sources.lines().collect();
    for fence in fences("diff") {
        for line in fence.text.lines().filter(|line| !line.starts_with('+')) {
            assert!(lines.contains(&line[1..]), "{}: no source has the line\n{}", fence.place, &line[1..]);
        }
    }
}

//! Flags, exit codes and what is printed where.

use std::process::{Command, Output};

use crate::harness::Place;

fn hfm(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hfm")).args(arguments).output().expect("hfm runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_good_file_is_checked_in_silence() {
    let place = Place::new("check-good");
    let output = place.hfm("test = \"true\"").arg("-n").output().expect("hfm runs");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!((text(&output.stdout), text(&output.stderr)), (String::new(), String::new()));
}

#[test]
fn a_bad_file_is_reported_whole_with_status_1_for_a_check_and_2_for_a_start() {
    let place = Place::new("check-bad");
    let bad = "a { test = \"true\"; intervall = 1s }\nb { test = \"true\"; runs = many }\n";
    for (flag, code) in [("-n", 1), ("-log=stderr", 2)] {
        let output = place.hfm(bad).arg(flag).output().expect("hfm runs");
        let report = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{report}");
        assert!(report.contains("hfm.conf:1:") && report.contains("hfm.conf:2:"), "{report}");
        assert!(report.contains("did you mean 'interval'"), "{report}");
        assert!(!report.contains("Loaded"), "{report}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn an_output_that_takes_nothing_changes_no_exit_status() {
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let place = Place::new("full");
    let status = place.hfm("tes = 1").stderr(full()).status().expect("hfm runs");
    assert_eq!(status.code(), Some(2));
    let status = place.hfm("test = \"true\"; runs = 1").stderr(full()).status().expect("hfm runs");
    assert_eq!(status.code(), Some(0));
    let status =
        place.hfm("test = \"true\"").args(["-n", "-dump"]).stdout(full()).status().expect("hfm runs");
    assert_eq!(status.code(), Some(0));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let output = hfm(&["-n", "-config", "/nonexistent/hfm.conf"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("/nonexistent/hfm.conf"), "{}", text(&output.stderr));
    assert_eq!(hfm(&["-config", "/nonexistent/hfm.conf"]).status.code(), Some(2));
}

#[test]
fn bad_flags_and_bad_log_destinations_are_status_2() {
    for arguments in [
        &["-x"][..],
        &["-log", "file"],
        &["-log", "syslog", "-facility", "nobody"],
        &["surplus"],
        &["probe"],
        &["probe", "tcp://127.0.0.1:1", "-c", "0"],
        &["demo", "-t", "never"],
    ] {
        let output = hfm(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains("Usage: hfm"), "{arguments:?}: {}", text(&output.stderr));
    }
    let place = Place::new("check-log");
    let output = place.hfm("test = \"true\"").args(["-n", "-log", "file"]).output().expect("hfm runs");
    assert_eq!(output.status.code(), Some(0), "-n does not look at -log");
}

#[test]
fn version_and_help_go_to_stdout_with_status_0() {
    let version = hfm(&["-v"]);
    assert_eq!(version.status.code(), Some(0));
    assert_eq!(text(&version.stdout), format!("hfm version {}\n", env!("CARGO_PKG_VERSION")));
    let help = hfm(&["-h"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(text(&help.stdout).contains("-facility NAME"));
}

#[test]
fn what_a_dump_prints_reads_back_as_the_same() {
    let place = Place::new("dump");
    let configuration =
        "interval = 1.5s\ng { interval_fail = 200ms; r { test = sh; test_arguments = [-c, 'exit \"1\"'] } }";
    let dump = place.hfm(configuration).args(["-n", "-dump"]).output().expect("hfm runs");
    assert!(dump.status.success(), "{}", text(&dump.stderr));
    let first = text(&dump.stdout);
    assert!(first.contains("g/r") || first.contains("r {"), "{first}");
    let again = place.hfm(&first).args(["-n", "-dump"]).output().expect("hfm runs");
    assert!(again.status.success(), "{}", text(&again.stderr));
    assert_eq!(text(&again.stdout), first);
}

#[test]
fn the_samples_that_are_shipped_are_good() {
    let samples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let mut checked = Vec::new();
    for entry in std::fs::read_dir(samples).expect("the samples") {
        let path = entry.expect("a sample").path();
        // Whole gateways have tests of their own.
        if path.is_dir() {
            continue;
        }
        let output = hfm(&["-n", "-config", path.to_str().expect("a name in UTF-8")]);
        assert_eq!(output.status.code(), Some(0), "{}: {}", path.display(), text(&output.stderr));
        assert_eq!(text(&output.stderr), "", "{}", path.display());
        checked.push(path.file_name().expect("a name").to_owned());
    }
    checked.sort();
    assert_eq!(checked, ["hfm.conf.classic", "hfm.conf.sample"]);
}

/// Tables of a data plane that this system has not, and what is said of them.
pub(crate) const ELSEWHERE: (&str, &str) = if cfg!(target_os = "linux") {
    (
        "dataplane = pf\na { test = \"tcp://127.0.0.1:1\"; interval = 1h; tables = web }\n",
        "hfm.conf:1:1: dataplane pf is FreeBSD's; on this system write nftables, or memory",
    )
} else {
    (
        "dataplane = nftables\na { test = \"tcp://127.0.0.1:1\"; interval = 1h; tables = inet/filter/web }\n",
        "hfm.conf:1:1: dataplane nftables is Linux's; on this system write pf, or memory",
    )
};

#[test]
fn tables_of_another_system_are_judged_in_silence_and_refuse_the_start() {
    let (file, why) = ELSEWHERE;
    let place = Place::new("elsewhere");
    for written in [file.to_owned(), format!("{file}dry_run = yes\n")] {
        let output = place.hfm(&written).arg("-n").output().expect("hfm runs");
        assert_eq!(output.status.code(), Some(0));
        assert_eq!((text(&output.stdout), text(&output.stderr)), (String::new(), String::new()));
        let output = place.hfm(&written).output().expect("hfm runs");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(" cannot start: ") && said.trim_end().ends_with(why), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    // Where there are no tables nothing has to hold them.
    let plane = file.lines().next().expect("the data plane");
    let output =
        place.hfm(&format!("{plane}\na {{ test = \"true\"; runs = 1 }}\n")).output().expect("hfm runs");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn a_start_that_fails_is_told_to_whoever_starts_it_even_where_the_log_goes_to_syslog() {
    let (file, why) = ELSEWHERE;
    let output = Place::new("fails-to-syslog").hfm(file).args(["-log", "syslog"]).output().expect("hfm runs");
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.starts_with("cannot start: ") && said.ends_with(&format!("{why}\n")), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn where_no_record_can_be_it_is_not_said_that_anything_was_demoted() {
    let place = Place::new("state-is-a-file");
    place.write("state", "");
    let mut command = place.hfm("state_dir = \"@DIR@/state\"\na { test = \"true\"; runs = 1 }\n");
    let output = command.output().expect("hfm runs");
    let (said, path) = (text(&output.stderr), place.path.display());
    assert_eq!(output.status.code(), Some(0), "{said}");
    let told = format!(
        "demotion: it cannot be seen whether an hfm before this one has demoted anything: {path}/state/demotion: "
    );
    assert!(said.contains(&told) && !said.contains("is left there"), "{said}");
}

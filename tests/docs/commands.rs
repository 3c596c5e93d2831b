//! Runs every command of README and docs/, in a world that `world.sh` makes.
//!
//! Commands of one document that follow each other in the same world run in it one after the other. In a block `sh` all
//! have to end with status 0. In a block `console` lines with `$` are commands, and what stands below is what they print: 0
//! and 1 (refused, not all succeeded) are good ends, 2 and more are not, unless `status=N` of its world says N of its last one;
//! and of the lines that stand there at least half have to be printed, whatever the figures.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::thread;

use nix::unistd::geteuid;
use regex::Regex;

use crate::not_here::{ENDLESS, reason};
use crate::page::{Fence, Page, pages, repository};
use crate::skip::skip;

/// Worlds at a time.
const WORKERS: usize = 3;

/// A command, and what is said of it.
#[derive(Clone, Debug)]
struct Step {
    place: String,
    command: String,
    /// What should be printed; empty where nothing is said.
    shown: Vec<String>,
    /// The status that it has to end with; without one 0 or, of a console, 1.
    status: Option<i32>,
    is_console: bool,
}

/// Commands that share a world.
#[derive(Debug)]
struct Group {
    words: Vec<String>,
    steps: Vec<Step>,
}

/// The commands of a fence.
fn steps(fence: &Fence) -> Vec<Step> {
    let status = fence.world.iter().find_map(|word| word.strip_prefix("status="));
    let status = status.map(|number| number.parse().expect("a number"));
    let place = fence.place.clone();
    let step = |command: String, is_console| {
        let status = if is_console { None } else { status };
        Step { place: place.clone(), command, shown: Vec::new(), status, is_console }
    };
    let mut steps: Vec<Step> = Vec::new();
    if fence.tag == "console" {
        for line in fence.text.lines() {
            match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => steps.push(step(command.to_owned(), true)),
                (None, Some(last)) => last.shown.push(line.to_owned()),
                (None, None) => panic!("{}: output without a command", fence.place),
            }
        }
        steps.last_mut().unwrap_or_else(|| panic!("{}: no command", fence.place)).status = status;
    } else {
        let lines = fence.text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
        steps.extend(lines.map(|line| step(line.to_owned(), false)));
    }
    steps
}

/// The words that make a world; those of its commands aside.
fn words(fence: &Fence) -> Vec<String> {
    let words: Vec<String> =
        fence.world.iter().filter(|word| !word.starts_with("status=")).cloned().collect();
    if words.is_empty() { vec!["gateway".to_owned()] } else { words }
}

fn groups(page: &Page) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for fence in page.fences.iter().filter(|fence| matches!(fence.tag.as_str(), "sh" | "console")) {
        let (words, steps) = (words(fence), steps(fence));
        match groups.last_mut() {
            Some(last) if last.words == words => last.steps.extend(steps),
            Some(_) | None => groups.push(Group { words, steps }),
        }
    }
    groups
}

/// Files that a document has its reader write: fences that begin with `# /PATH`, or with `# ./PATH` for one in the repository.
fn files(page: &Page) -> Vec<(&str, &str)> {
    let named = |fence: &'_ Fence| {
        let path = fence.text.lines().next()?.strip_prefix("# ")?;
        (path.starts_with('/') || path.starts_with("./")).then_some(path.len())
    };
    let found = page.fences.iter().filter_map(|fence| Some((fence, named(fence)?)));
    found.map(|(fence, length)| (&fence.text[2..2 + length], fence.text.as_str())).collect()
}

/// Lays out what `world.sh` needs.
fn lay_out(page: &Page, group: &Group, folder: &Path) {
    let _ = fs::remove_dir_all(folder);
    for name in ["bin", "files", "commands", "repository/target/release"] {
        fs::create_dir_all(folder.join(name)).expect("a directory for the test");
    }
    let programs = [("hfm", env!("CARGO_BIN_EXE_hfm")), ("hfmctl", env!("CARGO_BIN_EXE_hfmctl"))];
    for (name, program) in programs {
        symlink(program, folder.join("bin").join(name)).expect("a link");
        symlink(program, folder.join("repository/target/release").join(name)).expect("a link");
    }
    let cargo = folder.join("bin/cargo");
    fs::copy(repository().join("tests/docs/cargo"), &cargo).expect("a program of the test");
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).expect("its mode");
    for entry in fs::read_dir(repository()).expect("the repository") {
        let name = entry.expect("a readable folder").file_name();
        if name != "target" && name != ".git" {
            symlink(repository().join(&name), folder.join("repository").join(&name)).expect("a link");
        }
    }
    for (path, text) in files(page) {
        let path = match path.strip_prefix("./") {
            Some(path) => folder.join("repository").join(path),
            None => folder.join("files").join(path.trim_start_matches('/')),
        };
        fs::create_dir_all(path.parent().expect("a folder")).expect("a directory for the test");
        fs::write(path, text).expect("a file of the test");
    }
    for (number, step) in group.steps.iter().enumerate() {
        let path = folder.join(format!("commands/{number:03}"));
        let bare = step.command.split('#').next().expect("one piece at least").trim();
        let text = match () {
            () if reason(bare).is_some() => "true\n".to_owned(),
            () if ENDLESS.contains(&bare) => format!("timeout --preserve-status -s INT 3 {bare}\n"),
            () => format!("{}\n", step.command),
        };
        fs::write(path, text).expect("a file of the test");
    }
}

/// A line without what is different each time: a number with its unit is `0`, a run of blanks is one, and the time of a
/// lookup is not there, since a run that begins when the name is known has none.
fn shape(line: &str) -> String {
    static NUMBER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\d[\d.]*(us|ms|s|m|h|d|%)?( |$)|\d[\d.]*").expect("a pattern"));
    let words: Vec<&str> = line.split_whitespace().filter(|word| !word.starts_with("resolve=")).collect();
    NUMBER.replace_all(&words.join(" "), "0$2").into_owned()
}

/// What is wrong with how a command went.
fn judge(step: &Step, status: i32, printed: &str) -> Option<String> {
    let bare = step.command.split('#').next().expect("one piece at least").trim();
    let is_good = match step.status {
        _ if ENDLESS.contains(&bare) => [0, 130].contains(&status),
        Some(wanted) => status == wanted,
        None if step.is_console => [0, 1].contains(&status),
        None => status == 0,
    };
    let place = &step.place;
    if !is_good {
        return Some(format!("{place}: {}: ended with status {status}:\n{printed}", step.command));
    }
    let lines: Vec<String> = printed.lines().map(shape).collect();
    let shown: Vec<String> =
        step.shown.iter().filter(|line| *line != "...").map(|line| shape(line)).collect();
    let missing: Vec<&String> =
        shown.iter().filter(|shown| !lines.iter().any(|line| line.starts_with(*shown))).collect();
    (missing.len() * 2 > shown.len())
        .then(|| format!("{place}: {}: prints\n{printed}and not {missing:#?}", step.command))
}

/// Runs a group; what is wrong with it.
fn run(page: &Page, number: usize, group: &Group) -> Vec<String> {
    let name = format!("docs-{}-{number}", page.path.replace(['/', '.'], "-"));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    lay_out(page, group, &folder);
    let output = Command::new("unshare")
        .args(["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sh"])
        .arg(repository().join("tests/docs/world.sh"))
        .arg(&folder)
        .args(&group.words)
        .stdin(Stdio::null())
        .output()
        .expect("unshare(1) runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let place = &group.steps[0].place;
    if let Ok(trouble) = fs::read_to_string(folder.join("trouble")) {
        let _ = fs::remove_dir_all(&folder);
        return vec![format!("{place}: {trouble}{said}")];
    }
    let mut wrong = Vec::new();
    for (number, step) in group.steps.iter().enumerate() {
        let of = |ending: &str| {
            fs::read(folder.join(format!("commands/{number:03}.{ending}"))).unwrap_or_default()
        };
        let status = String::from_utf8_lossy(&of("status")).trim().parse();
        let printed = String::from_utf8_lossy(&of("out")).into_owned();
        match status {
            Ok(_) if reason(&step.command).is_some() => {}
            Ok(status) => wrong.extend(judge(step, status, &printed)),
            Err(_) => wrong.push(format!("{}: {}: was not run: {said}", step.place, step.command)),
        }
    }
    // There is a copy of /etc in it.
    let _ = fs::remove_dir_all(&folder);
    wrong
}

/// Programs that the worlds and the commands need.
const PROGRAMS: &[&str] =
    &["unshare", "nft", "ip", "haproxy", "openssl", "curl", "nc", "keepalived", "setpriv", "ss", "timeout"];

/// Why nothing can be run here.
fn obstacle() -> Option<String> {
    if !cfg!(target_os = "linux") {
        return Some("network namespaces are Linux'".to_owned());
    }
    if !geteuid().is_root() {
        return Some("namespaces take root".to_owned());
    }
    let has = |name: &&&str| {
        let found =
            Command::new("sh").args(["-c", &format!("command -v {name}")]).stdout(Stdio::null()).status();
        !found.is_ok_and(|status| status.success())
    };
    if let Some(name) = PROGRAMS.iter().find(has) {
        return Some(format!("{name} is not installed"));
    }
    let output = Command::new("unshare")
        .args(["--mount", "--net", "--pid", "--fork", "--mount-proc", "nft", "list", "ruleset"])
        .output()
        .expect("unshare(1) runs");
    (!output.status.success()).then(|| format!("no namespaces: {}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn every_command_runs_as_it_is_said_to() {
    if let Some(why) = obstacle() {
        return skip(&format!("docs: commands are not run: {why}"));
    }
    let pages = pages();
    let mut work = Vec::new();
    for page in &pages {
        for (number, group) in groups(page).into_iter().enumerate() {
            let is_asked = std::env::var("HFM_DOCS").is_ok_and(|name| !page.path.contains(&name));
            if !is_asked {
                work.push((page, number, group));
            }
        }
    }
    assert!(!work.is_empty(), "no document of that name has a command");
    let next = std::sync::atomic::AtomicUsize::new(0);
    let wrong = std::sync::Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some((page, number, group)) =
                    work.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
                {
                    let found = run(page, *number, group);
                    wrong.lock().expect("no thread has failed").extend(found);
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no thread has failed");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_command_is_one_for_sh() {
    for step in pages().iter().flat_map(groups).flat_map(|group| group.steps) {
        let output = Command::new("sh").args(["-n", "-c", &step.command]).output().expect("sh runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {}: {said}", step.place, step.command);
    }
}

#[test]
fn every_exception_is_needed() {
    let all: Vec<Step> = pages().iter().flat_map(groups).flat_map(|group| group.steps).collect();
    for (begin, _) in crate::not_here::NOT_HERE {
        assert!(all.iter().any(|step| step.command.starts_with(begin)), "no command begins with '{begin}'");
    }
    for endless in ENDLESS {
        let is_it = |step: &Step| step.command.split('#').next().is_some_and(|bare| bare.trim() == *endless);
        assert!(all.iter().any(is_it), "no command is '{endless}'");
    }
}

#[test]
fn a_command_that_goes_wrong_is_found() {
    let step = Step {
        place: "a.md:1".to_owned(),
        command: "x".to_owned(),
        shown: vec!["lb1  up  4.5s".to_owned()],
        status: None,
        is_console: true,
    };
    assert_eq!(judge(&step, 1, "lb1 up   12.25s\n"), None);
    assert_eq!(judge(&step, 1, "lb1 up resolve=0.1ms 12.25s\n"), None);
    assert!(judge(&step, 2, "lb1  up 4.5s\n").is_some());
    assert!(judge(&step, 0, "lb1  down 4.5s\n").is_some());
    assert!(judge(&Step { is_console: false, shown: Vec::new(), ..step.clone() }, 1, "").is_some());
    assert_eq!(judge(&Step { status: Some(2), shown: Vec::new(), ..step }, 2, ""), None);
}

//! The port for FreeBSD: what is generated of it is that of this tree, and what its Makefile installs is what it lists. Run by
//! bmake, which is FreeBSD's make, beside a stand-in for FreeBSD's ports (tests/freebsd_port).
#![cfg(target_os = "linux")]

#[path = "support/skip.rs"]
mod skip;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

/// What the port is made from, and the port.
const PARTS: &[&str] =
    &["Cargo.toml", "Cargo.lock", "LICENSE", "README.md", "config", "contrib", "docs", "man", "rc.d"];

/// A copy of all that, which a test may change.
struct Tree(PathBuf);

impl Tree {
    fn new(test: &str) -> Self {
        let tree = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("port-{test}"));
        let _ = fs::remove_dir_all(&tree);
        fs::create_dir_all(&tree).expect("a directory for the test");
        for part in PARTS {
            let copied = Command::new("cp").arg("-R").arg(root().join(part)).arg(&tree).status();
            assert!(copied.expect("cp runs").success(), "{part}");
        }
        Self(tree)
    }

    fn edit(&self, name: &str, from: &str, to: &str) {
        let path = self.0.join(name);
        let text = fs::read_to_string(&path).expect("it is there");
        assert!(text.contains(from), "{name} has no {from:?}");
        fs::write(path, text.replacen(from, to, 1)).expect("it can be written");
    }

    fn update(&self, arguments: &[&str]) -> Output {
        let script = self.0.join("contrib/freebsd/update");
        // Crates that are not in distinfo yet are nowhere.
        Command::new(script).args(arguments).env("CARGO_HOME", "/nonexistent").output().expect("it runs")
    }

    fn bmake(&self, target: &str) -> Output {
        Command::new("bmake")
            .arg("-r")
            .arg("-C")
            .arg(self.0.join("contrib/freebsd"))
            .arg("-m")
            .arg(root().join("tests/freebsd_port"))
            .arg(format!("WRKSRC={}", self.0.display()))
            .arg(format!("CARGO_TARGET_DIR={}", self.0.join("target").display()))
            .arg(format!("STAGEDIR={}", self.0.join("stage").display()))
            .arg(target)
            .output()
            .expect("bmake runs")
    }
}

fn has_bmake() -> bool {
    let is_there = Command::new("bmake").args(["-f", "/dev/null", "-V", "MAKE"]).output().is_ok();
    if !is_there {
        skip::skip("the port for FreeBSD: there is no bmake");
    }
    is_there
}

#[test]
fn what_is_generated_is_that_of_this_tree() {
    let checked =
        Command::new(root().join("contrib/freebsd/update")).arg("--check").output().expect("it runs");
    assert!(checked.status.success(), "{}", said(&checked));
}

#[test]
fn whatever_makes_it_stale_is_noticed_and_an_update_mends_it() {
    let tree = Tree::new("stale");
    assert!(tree.update(&["--check"]).status.success());
    fs::write(tree.0.join("docs/another.md"), "").expect("a document");
    tree.edit("Cargo.toml", "\nversion = \"", "\nversion = \"9.");
    let checked = tree.update(&["--check"]);
    let news = said(&checked);
    assert!(!checked.status.success(), "{news}");
    assert!(
        news.contains("+%%PORTDOCS%%%%DOCSDIR%%/another.md") && news.contains("+DISTVERSION=\t9."),
        "{news}"
    );
    assert!(tree.update(&[]).status.success());
    assert!(tree.update(&["--check"]).status.success());

    // What a release adds stays.
    tree.edit("contrib/freebsd/distinfo", "SHA256 ", "TIMESTAMP = 1\nSIZE (hfm-9.tar.gz) = 7\nSHA256 ");
    assert!(tree.update(&["--check"]).status.success());

    tree.edit("Cargo.lock", "checksum = \"", "checksum = \"0");
    let checked = tree.update(&["--check"]);
    assert!(
        !checked.status.success() && said(&checked).contains("cargo fetch --locked"),
        "{}",
        said(&checked)
    );
}

#[test]
fn what_the_makefile_installs_is_what_it_lists() {
    if !has_bmake() {
        return;
    }
    let tree = Tree::new("stage");
    // Where cargo builds for a target that it was told.
    let built = tree.0.join("target/x86_64-unknown-freebsd/release");
    fs::create_dir_all(&built).expect("a directory");
    for program in ["hfm", "hfmctl"] {
        fs::write(built.join(program), program).expect("a program");
    }
    let staged = tree.bmake("stage");
    assert!(staged.status.success(), "{}", said(&staged));

    let listed = fs::read_to_string(tree.0.join("contrib/freebsd/pkg-plist")).expect("the list");
    let listed: BTreeSet<String> = listed
        .lines()
        .map(|line| {
            line.trim_start_matches("@sample ").replace("%%PORTDOCS%%", "").replace("%%PORTEXAMPLES%%", "")
        })
        .map(|line| {
            line.replace("%%DOCSDIR%%", "share/doc/hfm").replace("%%EXAMPLESDIR%%", "share/examples/hfm")
        })
        // The ports do that to what is below share/man.
        .map(
            |line| {
                if line.starts_with("share/man/") { line.trim_end_matches(".gz").to_owned() } else { line }
            },
        )
        .collect();
    let prefix = tree.0.join("stage/usr/local");
    let found =
        Command::new("find").args([".", "-type", "f"]).current_dir(&prefix).output().expect("find runs");
    let found: BTreeSet<String> =
        said(&found).lines().map(|line| line.trim_start_matches("./").to_owned()).collect();
    assert_eq!(found, listed);
    for program in ["hfm", "hfmctl"] {
        assert_eq!(fs::read_to_string(prefix.join("sbin").join(program)).expect("a program"), program);
    }
}

#[test]
fn the_crates_are_those_of_the_lock_file() {
    if !has_bmake() {
        return;
    }
    let tree = Tree::new("crates");
    let crates = tree.bmake("crates");
    assert!(crates.status.success(), "{}", said(&crates));
    let lock = fs::read_to_string(tree.0.join("Cargo.lock")).expect("the lock file");
    let text = |line: Option<&str>, key: &str| {
        let value = line.and_then(|line| line.strip_prefix(key)?.strip_prefix(" = \""));
        value.unwrap_or_else(|| panic!("no {key}")).trim_end_matches('"').to_owned()
    };
    let fetched = lock.split("[[package]]\n").filter(|package| package.contains("\nchecksum = "));
    let fetched: BTreeSet<String> = fetched
        .map(|package| {
            let mut lines = package.lines();
            format!("{}-{}", text(lines.next(), "name"), text(lines.next(), "version"))
        })
        .collect();
    assert!(fetched.len() > 50, "{fetched:?}");
    assert_eq!(said(&crates).lines().map(str::to_owned).collect::<BTreeSet<_>>(), fetched);
}

#[test]
fn pkg_reads_the_message() {
    let message =
        fs::read_to_string(root().join("contrib/freebsd/files/pkg-message.in")).expect("the message");
    // pkg-message is UCL, as hfm's own file is; a list at its root is not, so it gets a name here.
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pkg-message");
    fs::write(&path, format!("messages = {message}")).expect("a file");
    let name = path.to_str().expect("a plain path");
    let tree = hfm::ucl::read(name, &mut hfm::sys::files::FileLoader).expect("UCL");
    let said = format!("{tree:?}");
    assert!(said.contains("maximum_version") && said.contains("hfm_config="), "{said}");
}

//! Where the socket is, whose it is, and what happens when it cannot be had.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::Signal;

use crate::harness::{Place, patiently};
use crate::skip::skip;
use crate::talk::{Home, Talk, rules};

const RULES: &str = "a { test = \"true\"; interval = 1h }\n";

#[test]
fn it_is_there_while_hfm_is() {
    let home = Home::new("place");
    let mut daemon = home.start(RULES);
    let file = fs::symlink_metadata(home.socket()).expect("the socket");
    assert!(file.file_type().is_socket());
    assert_eq!(file.mode() & 0o7777, 0o660);
    assert!(daemon.stop().success());
    assert!(!home.socket().exists());
}

#[test]
fn after_a_crash_it_is_taken_over_and_never_from_one_that_lives() {
    let home = Home::new("over");
    let mut daemon = home.start(RULES);
    let other = Place::new("control-over");
    let (status, log) = other.run(&home.configuration(RULES));
    assert_eq!(status.code(), Some(2), "{log}");
    let said =
        format!("hfm.conf:1:11: control socket {}: another process uses it; ", home.socket().display());
    assert!(log.contains("cannot start: ") && log.contains(&said), "{log}");
    assert_eq!(rules(&home.talk().ask(r#"{"command":"status"}"#)), ["a"]);
    daemon.signal(Signal::SIGKILL);
    daemon.wait();
    assert!(home.socket().exists());
    let _daemon = home.start(RULES);
    assert_eq!(rules(&home.talk().ask(r#"{"command":"status"}"#)), ["a"]);
}

#[test]
fn of_several_that_start_at_the_same_moment_one_gets_it() {
    let home = Home::new("race");
    for _ in 0..5 {
        // As it is after a crash.
        drop(std::os::unix::net::UnixListener::bind(home.socket()).expect("a socket"));
        let config = home.0.write("hfm.conf", &home.configuration(RULES));
        let start = || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_hfm"));
            command
                .arg("-config")
                .arg(&config)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            command.spawn().expect("hfm starts")
        };
        let mut children: Vec<Child> = (0..6).map(|_| start()).collect();
        let mut codes = vec![None; children.len()];
        let five_gave_up = patiently(|| {
            for (child, code) in children.iter_mut().zip(&mut codes) {
                *code = code.or(child.try_wait().expect("hfm can be waited for").map(|status| status.code()));
            }
            codes.iter().flatten().count() >= 5
        });
        let answered = five_gave_up.then(|| home.talk().stats()["pid"].as_u64());
        let left: Vec<u64> = children
            .iter()
            .zip(&codes)
            .filter(|(_, code)| code.is_none())
            .map(|(child, _)| child.id().into())
            .collect();
        for child in &mut children {
            let _ = child.kill();
            let _ = child.wait();
        }
        assert!(codes.iter().flatten().all(|code| *code == Some(2)), "{codes:?}");
        assert_eq!(left.len(), 1, "{codes:?}");
        assert_eq!(answered, Some(Some(left[0])));
        fs::remove_file(home.socket()).expect("the socket of the one that was killed");
    }
}

#[test]
fn what_is_in_its_place_is_left_alone() {
    let home = Home::new("file");
    fs::write(home.socket(), "mine").expect("a file");
    let (status, log) = home.0.run(&home.configuration(RULES));
    assert_eq!(status.code(), Some(2), "{log}");
    assert!(log.contains("what is there is no socket; remove it, or give another path"), "{log}");
    assert_eq!(fs::read_to_string(home.socket()).expect("the file"), "mine");
    let deep = format!("control = \"{}/no/such/hfm.sock\"\n{RULES}", home.0.path.display());
    let (status, log) = home.0.run(&deep);
    assert_eq!(status.code(), Some(2), "{log}");
    assert!(log.contains("cannot make its directory: No such file or directory"), "{log}");
}

#[test]
fn none_is_made_when_none_is_wanted() {
    let home = Home::new("none");
    let mut daemon = home.0.start(&format!("control = \"\"\n{RULES}"));
    daemon.wait_for("changed state to", 1);
    let found: Vec<_> =
        fs::read_dir(&home.0.path).expect("the directory").flatten().map(|e| e.file_name()).collect();
    assert!(found.iter().all(|name| !name.to_string_lossy().contains("sock")), "{found:?}");
    assert!(daemon.stop().success());
}

#[test]
fn as_root_it_belongs_to_who_hfm_becomes() {
    if !nix::unistd::getuid().is_root() {
        return skip("control: only root can become another user");
    }
    let home = Home::new("user");
    fs::set_permissions(&home.0.path, fs::Permissions::from_mode(0o755)).expect("a mode");
    let run = home.0.path.join("run");
    let text = |path: &std::path::Path| {
        format!("control = \"{}\"\nuser = 54321\ngroup = 54322\n{RULES}", path.display())
    };
    // In a directory that is made for it: it is gone afterwards. In one of root's: it stays, and is taken over.
    for path in [run.join("hfm.sock"), home.socket(), home.socket()] {
        let mut daemon = home.0.start(&text(&path));
        daemon.wait_for("Loaded", 1);
        let file = fs::symlink_metadata(&path).expect("the socket");
        assert_eq!((file.uid(), file.gid(), file.mode() & 0o7777), (54321, 54322, 0o660));
        assert_eq!(rules(&Talk::to(&path).ask(r#"{"command":"status"}"#)), ["a"]);
        assert!(daemon.stop().success());
        assert_eq!(path.exists(), path == home.socket());
    }
    let directory = fs::metadata(&run).expect("it stays");
    assert_eq!((directory.uid(), directory.gid(), directory.mode() & 0o7777), (54321, 54322, 0o755));
}

/// The default path is one for the whole machine: two hfm in a /run of their own.
#[test]
#[cfg(target_os = "linux")]
fn without_the_default_socket_hfm_goes_on() {
    let may = Command::new("unshare")
        .args(["-m", "mount", "-t", "tmpfs", "none", "/run"])
        .stderr(Stdio::null())
        .status();
    if !may.is_ok_and(|status| status.success()) {
        return skip("control: no mount namespace for the default socket");
    }
    let home = Home::new("default");
    // Says something of control, so that the harness leaves it alone.
    for (name, rule) in [("a.conf", "first"), ("b.conf", "second")] {
        home.0.write(name, &format!("# control: by default\n{rule} {{ test = \"true\"; interval = 1h }}\n"));
    }
    let script = "mount -t tmpfs none /run && cd \"$1\" && exec 2>log\n\
        \"$0\" -config a.conf & a=$!\n\
        while ! [ -S /run/hfm/hfm.sock ]; do sleep 0.05; done\n\
        \"$0\" -config b.conf & b=$!\n\
        echo $a > a.pid; echo $b > b.pid; wait";
    let mut command = Command::new("unshare");
    command
        .args(["-m", "sh", "-c", script, env!("CARGO_BIN_EXE_hfm")])
        .arg(&home.0.path)
        .stdin(Stdio::null());
    let mut shell = command.stdout(Stdio::null()).spawn().expect("a shell");
    let pid = |name: &str| home.0.read(name).trim().parse::<i32>().ok();
    let both_run = patiently(|| home.0.read("log").matches("changed state to").count() == 2);
    let pids = [pid("a.pid"), pid("b.pid")];
    let answer = pids[0].map(|pid| {
        let socket = format!("/proc/{pid}/root/run/hfm/hfm.sock");
        assert!(std::os::unix::net::UnixStream::connect(&socket).is_ok(), "{}", home.0.read("log"));
        Talk::to(std::path::Path::new(&socket)).ask(r#"{"command":"status"}"#)
    });
    for pid in pids.into_iter().flatten() {
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), Signal::SIGTERM);
    }
    let _ = shell.wait();
    let log = home.0.read("log");
    assert!(both_run, "{log}");
    assert_eq!(rules(&answer.expect("an answer")), ["first"], "{log}");
    let said = "control socket /run/hfm/hfm.sock: another process uses it; end that one, or give each hfm a 'control' \
                of its own; going on without it";
    assert_eq!(log.matches(said).count(), 1, "{log}");
}

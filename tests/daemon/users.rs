//! `user` and `group`: who hfm, each of its threads and each of its children is, and what they may.
#![cfg(target_os = "linux")]

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::harness::{Daemon, Place, patiently};
use crate::skip::skip;

/// Somebody who is in no list.
const STRANGER: u32 = 54321;
const NET_ADMIN: u64 = 1 << 12;
const NET_RAW: u64 = 1 << 13;

/// A directory that everybody can reach and write in, gone after the test.
struct Open(Place);

impl Open {
    fn new(test: &str) -> Self {
        let path = Path::new("/tmp").join(format!("hfm-users-{}-{test}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).expect("a directory for the test");
        mode(&path, 0o777);
        Self(Place { path })
    }

    /// hfm on this configuration, run by a stranger. A copy, because the way to the built one may be closed.
    fn by_a_stranger(&self, configuration: &str) -> Command {
        self.0.hfm(configuration);
        let program = self.0.path.join("hfm");
        fs::copy(env!("CARGO_BIN_EXE_hfm"), &program).expect("a copy of hfm");
        let mut command = Command::new(program);
        command.arg("-config").arg(self.0.path.join("hfm.conf")).env_remove("RUST_LOG");
        command.uid(STRANGER).gid(STRANGER).stdin(std::process::Stdio::null());
        command
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0.path);
    }
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}

fn is_root() -> bool {
    let is_root = nix::unistd::getuid().is_root();
    if !is_root {
        skip("user and group: only root can become another user");
    }
    is_root
}

/// Who something is, as /proc/PID/status tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Who {
    name: String,
    users: Vec<u32>,
    groups: Vec<u32>,
    supplementary: Vec<u32>,
    /// Permitted, effective, inheritable, ambient.
    capabilities: [u64; 4],
    bounding: u64,
}

impl Who {
    fn read(status: &str) -> Self {
        let line = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
            line.unwrap_or_else(|| panic!("no {key} in {status}")).trim()
        };
        let numbers = |key| line(key).split_whitespace().map(|n| n.parse().expect("a number")).collect();
        let set = |key| u64::from_str_radix(line(key), 16).expect("a set");
        Self {
            name: line("Name").to_owned(),
            users: numbers("Uid"),
            groups: numbers("Gid"),
            supplementary: numbers("Groups"),
            capabilities: [set("CapPrm"), set("CapEff"), set("CapInh"), set("CapAmb")],
            bounding: set("CapBnd"),
        }
    }

    fn is(&self, user: u32, group: u32, supplementary: &[u32], rights: u64) {
        assert_eq!(self.users, [user; 4], "{self:?}");
        assert_eq!(self.groups, [group; 4], "{self:?}");
        assert_eq!(self.supplementary, supplementary, "{self:?}");
        assert_eq!(self.capabilities, [rights, rights, 0, 0], "{self:?}");
        assert_eq!(self.bounding, me().bounding, "set-user-ID tests go on working: {self:?}");
    }
}

fn me() -> Who {
    Who::read(&fs::read_to_string("/proc/self/status").expect("/proc"))
}

/// Every thread; the main thread has the name of the program.
fn threads(daemon: &Daemon) -> Vec<Who> {
    let tasks = fs::read_dir(format!("/proc/{}/task", daemon.pid())).expect("hfm runs");
    let status = |entry: fs::DirEntry| fs::read_to_string(entry.path().join("status")).ok();
    tasks.filter_map(|entry| status(entry.ok()?)).map(|status| Who::read(&status)).collect()
}

/// The numbers of a user: its own, its group's, all its groups'; as id(1) has them.
fn id(user: &str) -> (u32, u32, Vec<u32>) {
    let ask = |what: &str| {
        let output = Command::new("id").args([what, user]).output().expect("id(1)");
        let text = String::from_utf8(output.stdout).expect("numbers");
        let mut numbers: Vec<u32> = text.split_whitespace().map(|n| n.parse().expect("a number")).collect();
        numbers.sort_unstable();
        numbers
    };
    (ask("-u")[0], ask("-g")[0], ask("-G"))
}

/// Rules that have every thread started: one that runs a program, one with a name, one with a table.
fn rules(target: &TcpListener, setting: &str) -> String {
    let port = target.local_addr().expect("a port").port();
    format!(
        "dataplane = memory\ninterval = 100ms\n\
         named {{ test = \"tcp://localhost:{port}\" }}\n\
         probe {{ test = \"tcp://127.0.0.1:{port}\"; tables = web; addresses = 10.0.0.1; {setting} }}\n\
         run {{ test = sh; test_arguments = [\"-c\", \"cat /proc/self/status > @DIR@/test.new && mv @DIR@/test.new @DIR@/test\"];\n\
               change_success = sh; change_success_arguments = [\"-c\", \"cat /proc/self/status > @DIR@/change.new && mv @DIR@/change.new @DIR@/change\"] }}\n"
    )
}

fn target() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").expect("a port")
}

/// Looks at every thread and every kind of child. `reactor`: what the main thread keeps.
fn check(place: &Place, daemon: &mut Daemon, who: (u32, u32, &[u32]), reactor: u64) {
    daemon.wait_for("changed state to: RuleStateSuccess", 3);
    let (user, group, groups) = who;
    let threads = threads(daemon);
    let named = |name: &str| threads.iter().filter(|of| of.name == name).count();
    let all = [
        ("hfm", 1),
        ("log", 1),
        ("commands", 1),
        ("writer", 1),
        ("overrides", 1),
        ("loader", 1),
        ("resolver", 4),
    ];
    for (name, count) in all {
        assert_eq!(named(name), count, "{name}: {threads:?}");
    }
    assert_eq!(threads.len(), 10, "{threads:?}");
    for thread in &threads {
        thread.is(user, group, groups, if thread.name == "hfm" { reactor } else { 0 });
    }
    for child in ["test", "change"] {
        assert!(patiently(|| !place.read(child).is_empty()), "{child}: {}", daemon.log());
        Who::read(&place.read(child)).is(user, group, groups, 0);
    }
}

#[test]
fn nothing_is_left_of_root_in_any_thread_nor_in_children() {
    if !is_root() {
        return;
    }
    let (place, target) = (Open::new("nothing"), target());
    let (user, group, groups) = id("nobody");
    let mut daemon = place.0.start(&format!("user = nobody\n{}", rules(&target, "")));
    check(&place.0, &mut daemon, (user, group, &groups), 0);
    daemon.wait_for(&format!("runs as uid={user} gid={group} groups=[{group}]"), 1);
    let log = daemon.log();
    assert_eq!(log.matches("warning: change commands run as 'nobody' too").count(), 1, "{log}");
    assert!(!log.contains("cannot read"), "{log}");
    assert!(daemon.stop().success());
}

#[test]
fn the_reactor_alone_keeps_what_a_mark_or_an_interface_needs() {
    if !is_root() {
        return;
    }
    let (user, group, groups) = id("nobody");
    let all = me().capabilities[0];
    for (setting, right) in [
        ("mark = 7", NET_ADMIN),
        ("interface = lo", NET_RAW),
        ("mark = 7; interface = lo", NET_ADMIN | NET_RAW),
    ] {
        if all & right != right {
            skip("user and group: no CAP_NET_ADMIN or CAP_NET_RAW to keep");
            return;
        }
        let (place, target) = (Open::new("keeps"), target());
        let mut daemon = place.0.start(&format!("user = nobody\n{}", rules(&target, setting)));
        check(&place.0, &mut daemon, (user, group, &groups), right);
        assert!(!daemon.log().contains("needs CAP_"), "{}", daemon.log());
    }
}

#[test]
fn what_was_to_be_inherited_is_not() {
    if !is_root() {
        return;
    }
    let (place, target) = (Open::new("inherited"), target());
    let hfm = place.0.hfm(&format!("user = nobody\n{}", rules(&target, "")));
    let mut command = Command::new("setpriv");
    command.args(["--inh-caps=+net_raw,+net_admin", "--ambient-caps=+net_raw,+net_admin"]);
    command.arg(hfm.get_program()).args(hfm.get_args()).env_remove("RUST_LOG");
    let (user, group, groups) = id("nobody");
    let mut daemon = place.0.start_command(command);
    check(&place.0, &mut daemon, (user, group, &groups), 0);
}

#[test]
fn groups_are_the_users_own_and_group_replaces_the_first() {
    if !is_root() {
        return;
    }
    let passwd = fs::read_to_string("/etc/passwd").expect("users");
    let users = passwd.lines().filter_map(|line| line.split(':').next());
    let user = users.filter(|user| id(user).0 != 0).max_by_key(|user| id(user).2.len()).expect("a user");
    let (uid, gid, groups) = id(user);
    let (place, target) = (Open::new("groups"), target());
    let mut daemon = place.0.start(&format!("user = {user}\n{}", rules(&target, "")));
    check(&place.0, &mut daemon, (uid, gid, &groups), 0);
    daemon.stop();
    let (place, target) = (Open::new("group"), self::target());
    let mut daemon = place.0.start(&format!("user = {user}\ngroup = {STRANGER}\n{}", rules(&target, "")));
    let mut others: Vec<u32> = groups.into_iter().filter(|group| *group != gid).chain([STRANGER]).collect();
    others.sort_unstable();
    check(&place.0, &mut daemon, (uid, STRANGER, &others), 0);
}

#[test]
fn what_is_remembered_belongs_to_the_user_who_can_go_on_with_it() {
    if !is_root() {
        return;
    }
    let (place, target) = (Open::new("state"), target());
    let (user, group, _) = id("nobody");
    // With 'user' there is no pfctl: nothing is managed in tables that outlive hfm.
    let text = format!("user = nobody\n{}", rules(&target, ""));
    let owner = |name: &str| {
        let found = fs::metadata(place.0.path.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        (found.uid(), found.gid(), found.mode() & 0o777)
    };
    for round in 0..2 {
        let mut daemon = place.0.start(&text);
        daemon.wait_for("changed state to: RuleStateSuccess", 3);
        assert_eq!(owner("state"), (user, group, 0o750), "{round}");
        assert_eq!(owner("state/lock"), (user, group, 0o600), "{round}");
        assert!(!daemon.log().contains("remembered"), "{}", daemon.log());
        assert!(daemon.stop().success());
    }
    // As it was left by an hfm without 'user'.
    let state = place.0.path.join("state");
    chown(&state, Some(0), Some(0))
        .and_then(|()| chown(state.join("lock"), Some(0), Some(0)))
        .expect("root may");
    let mut daemon = place.0.start(&text);
    daemon.wait_for("changed state to: RuleStateSuccess", 3);
    let log = daemon.log();
    let said = format!(
        "overrides are not remembered: state_dir {}: cannot write in it: Permission denied (os error 13); \
         it and its files must belong to the user that hfm runs as",
        state.display()
    );
    assert_eq!(log.matches(&said).count(), 1, "{said}\n{log}");
    assert_eq!(owner("state"), (0, 0, 0o750), "what is there is left as it is");
    assert!(daemon.stop().success());
}

#[test]
fn numbers_need_no_entry() {
    if !is_root() {
        return;
    }
    let (place, target) = (Open::new("numbers"), target());
    let text = format!("user = {STRANGER}\ngroup = {}\n{}", STRANGER + 1, rules(&target, ""));
    let mut daemon = place.0.start(&text);
    check(&place.0, &mut daemon, (STRANGER, STRANGER + 1, &[STRANGER + 1]), 0);
}

#[test]
fn who_stays_root_keeps_everything() {
    if !is_root() {
        return;
    }
    let all = me();
    for (name, text, group, groups) in [
        ("no-user", String::new(), all.groups[0], all.supplementary.clone()),
        ("group-alone", format!("group = {STRANGER}\n"), STRANGER, vec![STRANGER]),
        ("root", "user = root\n".to_owned(), 0, id("root").2),
    ] {
        let (place, target) = (Open::new(name), target());
        let mut daemon = place.0.start(&format!("{text}{}", rules(&target, "mark = 7")));
        daemon.wait_for("changed state to: RuleStateSuccess", 3);
        for thread in threads(&daemon) {
            let name = thread.name.clone();
            let wanted = Who { name, groups: vec![group; 4], supplementary: groups.clone(), ..all.clone() };
            assert_eq!(thread, wanted);
        }
        assert!(!daemon.log().contains("change commands run as"), "{}", daemon.log());
    }
}

#[test]
fn users_and_groups_that_are_not_there_are_refused_at_start_and_not_looked_up_before() {
    for (text, said) in [
        ("\n user = no-such-user\n", ":2:9: user 'no-such-user': there is no such user on this machine;"),
        ("group = no-such-group\n", ":1:9: group 'no-such-group': there is no such group on this machine;"),
        ("user = root\ngroup = no-such\n", ":2:9: group 'no-such': there is no such group on this machine;"),
        (
            "user = 54321\n",
            ":1:8: user '54321': nobody has this number, so its group is not known; give 'group'",
        ),
    ] {
        let place = Place::new("user-unknown");
        let text = format!("{text}interval = 1s\na {{ test = \"true\" }}\n");
        let (status, log) = place.run(&text);
        assert_eq!(status.code(), Some(2), "{log}");
        assert!(log.contains("cannot start: ") && log.contains(said), "{log}");
        assert!(!log.contains("Loaded"), "{log}");
        let status = place.hfm(&text).arg("-n").status().expect("hfm starts");
        assert!(status.success(), "{text}");
    }
}

#[test]
fn only_root_can_become_somebody_else() {
    if !is_root() {
        return;
    }
    for (text, place_of, name) in [
        ("user = nobody\n", "1:8", "nobody"),
        ("user = root\n", "1:8", "root"),
        ("group = 1\n", "1:9", "1"),
        ("user = 54321\ngroup = 1\n", "2:9", "1"),
    ] {
        let place = Open::new("not-root");
        let text = format!("{text}interval = 1s\na {{ test = \"true\" }}\n");
        let mut daemon = place.0.start_command(place.by_a_stranger(&text));
        assert_eq!(daemon.wait().code(), Some(2), "{}", daemon.log());
        let said = format!("hfm.conf:{place_of}: cannot become '{name}': not started as root; ");
        assert!(daemon.tells(&said), "{}", daemon.log());
    }
}

#[test]
fn who_is_that_user_already_has_nothing_to_do() {
    if !is_root() {
        return;
    }
    let (place, target) = (Open::new("already"), target());
    let text = format!("user = {STRANGER}\ngroup = {STRANGER}\n{}", rules(&target, ""));
    let mut daemon = place.0.start_command(place.by_a_stranger(&text));
    check(&place.0, &mut daemon, (STRANGER, STRANGER, &[]), 0);
    assert!(daemon.stop().success());
}

#[test]
fn rights_that_were_given_to_who_is_not_root_are_kept_where_they_are_needed() {
    if !is_root() {
        return;
    }
    if me().capabilities[0] & NET_ADMIN == 0 {
        return skip("user and group: no CAP_NET_ADMIN to give");
    }
    let (place, target) = (Open::new("ambient"), target());
    let text = format!("user = {STRANGER}\ngroup = {STRANGER}\n{}", rules(&target, "mark = 7"));
    let hfm = place.by_a_stranger(&text);
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={STRANGER}"), format!("--regid={STRANGER}"), "--clear-groups".to_owned()]);
    command.args(["--inh-caps=+net_raw,+net_admin", "--ambient-caps=+net_raw,+net_admin"]);
    command.arg(hfm.get_program()).args(hfm.get_args()).env_remove("RUST_LOG");
    let mut daemon = place.0.start_command(command);
    check(&place.0, &mut daemon, (STRANGER, STRANGER, &[]), NET_ADMIN);
}

#[test]
fn what_does_not_work_without_root_is_said_once_and_the_rest_works() {
    if !is_root() {
        return;
    }
    let (place, target) = (Open::new("unprivileged"), target());
    let port = target.local_addr().expect("a port").port();
    let text = format!(
        "interval = 100ms\nplain {{ test = \"tcp://127.0.0.1:{port}\" }}\n\
         m1 {{ test = \"tcp://127.0.0.1:{port}\"; mark = 1 }}\nm2 {{ test = \"tcp://127.0.0.1:{port}\"; mark = 2 }}\n"
    );
    let mut daemon = place.0.start_command(place.by_a_stranger(&text));
    daemon.wait_for("'plain' run", 1);
    daemon.wait_for("inconclusive reason=permission", 2);
    let log = daemon.log();
    assert_eq!(
        log.matches("'mark' needs CAP_NET_ADMIN, which this process does not have").count(),
        1,
        "{log}"
    );
    assert!(log.contains(" rules=2\n") && !log.contains("'interface' needs"), "{log}");
    assert!(log.contains("'plain' run") && log.contains("changed state to: RuleStateSuccess"), "{log}");
    assert!(daemon.stop().success());
    // Nobody has asked for a mark.
    let mut daemon = place.0.start_command(place.by_a_stranger("interval = 100ms\na { test = \"true\" }\n"));
    daemon.wait_for("changed state to: RuleStateSuccess", 1);
    assert!(!daemon.log().contains("needs CAP_"), "{}", daemon.log());
}

#[test]
fn what_a_reload_could_not_read_is_named() {
    if !is_root() {
        return;
    }
    let place = Open::new("unreadable");
    let certificate = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config/tls/any.crt");
    let path = |name: &str| place.0.path.join(name);
    for name in ["open.crt", "closed.crt"] {
        fs::copy(&certificate, path(name)).expect("a certificate");
    }
    fs::create_dir(path("rules.d")).expect("a directory");
    place.0.write("rules.d/one.conf", "one { test = \"true\" }\n");
    place.0.write("two.conf", "two { test = \"true\" }\n");
    place.0.write("three.conf", "three { test = \"true\" }\n");
    for (name, to) in [("open.crt", 0o644), ("closed.crt", 0o600), ("two.conf", 0o640), ("three.conf", 0o644)]
    {
        mode(&path(name), to);
    }
    let text = "user = nobody\ninterval = 100ms\n\
                .include(glob=true) \"@DIR@/rules.d/*.conf\"\n.include \"@DIR@/two.conf\"\n.include \"@DIR@/three.conf\"\n\
                a { test = \"tls://127.0.0.1:1\"; tls_ca = \"@DIR@/open.crt\" }\n\
                b { test = \"tls://127.0.0.1:1\"; tls_ca = \"@DIR@/closed.crt\" }\n";
    let command = place.0.hfm(text);
    mode(&path("hfm.conf"), 0o600);
    mode(&path("rules.d"), 0o711);
    let mut daemon = place.0.start_command(command);
    daemon.wait_for("changed state to: RuleStateSuccess", 3);
    let log = daemon.log();
    for name in ["hfm.conf", "two.conf", "closed.crt"] {
        let said = format!(
            "{}: user 'nobody' cannot read it: Permission denied (os error 13); a reload will fail",
            path(name).display()
        );
        assert_eq!(log.matches(&said).count(), 1, "{said}\n{log}");
    }
    let said =
        "rules.d/*.conf: user 'nobody' does not find 1 of the 1 files that match it; a reload would lose";
    assert_eq!(log.matches(said).count(), 1, "{log}");
    assert_eq!(log.matches("user 'nobody'").count(), 4, "{log}");
}

//! Who may ask: those who may open the socket.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};

use crate::house::House;
use crate::skip::skip;

/// Numbers that are in no list: hfm's own user and group, and somebody else.
const USER: u32 = 54321;
const GROUP: u32 = 54322;
const STRANGER: u32 = 54323;

#[test]
fn those_in_the_group_are_served_and_nobody_else() {
    if !nix::unistd::getuid().is_root() {
        return skip("hfmctl: only root can become another user");
    }
    let house = House::new("people");
    let path = &house.home.0.path;
    // The way to the built one may be closed to others.
    let hfmctl = path.join("hfmctl");
    fs::copy(env!("CARGO_BIN_EXE_hfmctl"), &hfmctl).expect("a copy of hfmctl");
    for open in [path, &hfmctl] {
        fs::set_permissions(open, fs::Permissions::from_mode(0o755)).expect("a mode");
    }
    let ask = |user: u32, group: u32, arguments: &[&str]| -> Output {
        let mut command = Command::new(&hfmctl);
        command.arg("-s").arg(house.home.socket()).args(arguments).env_clear();
        command.uid(user).gid(group).output().expect("hfmctl runs")
    };
    let text = format!("user = {USER}\ngroup = {GROUP}\ninterval = 100ms\na {{ test = \"true\" }}\n");
    // The second one takes over what the first one may not have been able to take away.
    for _ in 0..2 {
        let mut daemon = house.start_command(house.home.0.hfm(&house.home.configuration(&text)));
        let output = ask(STRANGER, GROUP, &["drain", "a"]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        daemon.wait_for(&format!("'a' is drained now uid={STRANGER} pid="), 1);
        assert_eq!(house.rule("a")["override"]["uid"], STRANGER);
        assert_eq!(ask(USER, USER, &["enable", "a"]).status.code(), Some(0));
        let output = ask(STRANGER, STRANGER, &["enable", "a"]);
        let said = String::from_utf8(output.stderr).expect("text");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{said}");
        assert!(said.starts_with("hfmctl: ") && said.contains(&GROUP.to_string()), "{said}");
        assert!(daemon.stop().success());
    }
}

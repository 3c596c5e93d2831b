//! A firewall of a test's own, and targets that can be opened and closed.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use socket2::{Domain, Socket, Type};

use crate::harness::{Daemon, Place, patiently};

/// The stub's tables, and the environment that leads to it.
pub(crate) struct Firewall {
    directory: PathBuf,
}

impl Firewall {
    /// With these tables: name and contents.
    pub(crate) fn new(place: &Place, tables: &[(&str, &[&str])]) -> Self {
        let firewall = Self { directory: place.path.join("pf") };
        fs::create_dir_all(&firewall.directory).expect("a directory for the tables");
        for (name, addresses) in tables {
            firewall.make(name, addresses);
        }
        firewall
    }

    /// Makes a table as pf.conf would.
    pub(crate) fn make(&self, table: &str, addresses: &[&str]) {
        let path = self.directory.join(table);
        fs::create_dir_all(path.parent().expect("it is in the directory"))
            .expect("a directory for the anchor");
        let lines: String = addresses.iter().map(|address| format!("{address}\n")).collect();
        fs::write(path, lines).expect("a table");
    }

    /// Takes a whole table away, as a new ruleset may.
    pub(crate) fn unmake(&self, table: &str) {
        fs::remove_file(self.directory.join(table)).expect("there is such a table");
    }

    pub(crate) fn exists(&self, table: &str) -> bool {
        self.directory.join(table).exists()
    }

    /// What an operator does by hand: `pfctl -t TABLE -T ...`.
    pub(crate) fn operator(&self, table: &str, what: &[&str]) -> String {
        let mut command = Command::new(stub());
        if let Some((anchor, _)) = table.rsplit_once('/') {
            command.args(["-a", anchor]);
        }
        let name = table.rsplit('/').next().expect("a name");
        let output = command
            .args(["-q", "-t", name, "-T"])
            .args(what)
            .env("PFCTL_STUB", &self.directory)
            .env("PFCTL_STUB_MODE", "ok")
            .stdin(Stdio::null())
            .output()
            .expect("the stub runs");
        String::from_utf8(output.stdout).expect("text")
    }

    /// What a table holds.
    pub(crate) fn show(&self, table: &str) -> BTreeSet<String> {
        self.operator(table, &["show"]).split_whitespace().map(str::to_owned).collect()
    }

    pub(crate) fn holds(&self, table: &str, addresses: &[&str]) -> bool {
        let wanted: BTreeSet<String> = addresses.iter().map(|address| (*address).to_owned()).collect();
        self.show(table) == wanted
    }

    /// Waits until a table holds exactly this.
    pub(crate) fn wait_for(&self, daemon: &Daemon, table: &str, addresses: &[&str]) {
        let is_right = patiently(|| self.holds(table, addresses));
        assert!(is_right, "{table} holds {:?}, not {addresses:?}\n{}", self.show(table), daemon.log());
    }

    /// How it takes hfm's calls from now on; see the stub.
    pub(crate) fn set_mode(&self, mode: &str) {
        let new = self.directory.join(".mode.new");
        fs::write(&new, mode).and_then(|()| fs::rename(&new, self.directory.join(".mode"))).expect("a mode");
    }

    /// hfm's own calls so far, those of operators left out.
    pub(crate) fn calls(&self) -> String {
        let all = fs::read_to_string(self.directory.join(".calls")).unwrap_or_default();
        // hfm never asks pfctl to be quiet.
        all.lines().filter(|line| !line.contains("-q ")).map(|line| format!("{line}\n")).collect()
    }

    /// Has a command find this firewall.
    pub(crate) fn lead(&self, command: &mut Command) {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let stub = stub();
        let stub = stub.parent().expect("a directory");
        let paths = std::iter::once(stub.to_owned()).chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(paths).expect("plain paths"));
        command.env("PFCTL_STUB", &self.directory);
    }

    /// Starts hfm before this firewall; `@DIR@` in the file stands for the test's directory.
    pub(crate) fn start(&self, place: &Place, configuration: &str) -> Daemon {
        let head = "dataplane = pfctl\nstate_dir = \"@DIR@/state\"\nreconcile = 500ms\n";
        let mut command = place.hfm(&format!("{head}{configuration}"));
        self.lead(&mut command);
        place.start_command(command)
    }
}

fn stub() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/pfctl")
}

/// A service at a port of loopback that is there, or not.
pub(crate) struct Target {
    pub(crate) port: u16,
    listener: Option<Socket>,
    /// Bound to the port and never listening: nobody else gets it while it is closed.
    _reserved: Socket,
}

impl Target {
    pub(crate) fn open() -> Self {
        let mut target = Self::closed();
        target.set(true);
        target
    }

    pub(crate) fn closed() -> Self {
        let reserved = bound(0);
        let address = reserved.local_addr().expect("it is bound").as_socket().expect("an address");
        Self { port: address.port(), listener: None, _reserved: reserved }
    }

    pub(crate) fn set(&mut self, open: bool) {
        if open == self.listener.is_some() {
            return;
        }
        self.listener = open.then(|| {
            let listener = bound(self.port);
            listener.listen(128).expect("a listener");
            listener
        });
    }

    /// A rule that tests it, with this address in the table.
    pub(crate) fn rule(&self, name: &str, address: &str, more: &str) -> String {
        format!("{name} {{ test = \"tcp://127.0.0.1:{}\"; addresses = \"{address}\"; {more} }}\n", self.port)
    }
}

fn bound(port: u16) -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_reuse_address(true).expect("an option");
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into()).expect("a port");
    socket
}

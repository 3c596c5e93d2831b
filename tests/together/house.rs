//! A running hfm with a firewall of its own, and an operator at its keyboard.

use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::firewall::{Firewall, Target};
use crate::harness::{Daemon, patiently};
use crate::talk::Home;

/// Variables that would tell hfmctl who the tests are run by.
const WHO: &[&str] = &["SUDO_USER", "DOAS_USER", "USER", "LOGNAME"];

/// An hfm's directory with its socket, and tables by the stand-in for pfctl.
pub(crate) struct House {
    pub(crate) home: Home,
    pub(crate) firewall: Firewall,
}

/// What hfmctl has said, and how it has ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl House {
    /// With one table, `web`, in which somebody else has an address.
    pub(crate) fn new(test: &str) -> Self {
        let home = Home::new(&format!("t-{test}"));
        let firewall = Firewall::new(&home.0, &[("web", &["10.9.9.9"])]);
        Self { home, firewall }
    }

    /// The command that starts hfm; tables are read only when that is asked for.
    pub(crate) fn hfm(&self, rules: &str) -> Command {
        let head = "dataplane = pfctl\nreconcile = 1h\ninterval = 100ms\n";
        let mut command = self.home.0.hfm(&self.home.configuration(&format!("{head}{rules}")));
        self.firewall.lead(&mut command);
        command
    }

    /// Starts hfm and waits until it can be asked.
    pub(crate) fn start(&self, rules: &str) -> Daemon {
        self.start_command(self.hfm(rules))
    }

    pub(crate) fn start_command(&self, command: Command) -> Daemon {
        let daemon = self.home.0.start_command(command);
        assert!(patiently(|| self.ctl(&["stats"]).code == Some(0)), "{}", daemon.log());
        daemon
    }

    /// Writes the file anew.
    pub(crate) fn rewrite(&self, rules: &str) {
        let _ = self.hfm(rules);
    }

    /// hfmctl, run by somebody of whom only the number is known.
    pub(crate) fn hfmctl(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hfmctl"));
        WHO.iter().for_each(|variable| _ = command.env_remove(variable));
        command.arg("-s").arg(self.home.socket()).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs hfmctl to its end.
    pub(crate) fn ctl(&self, arguments: &[&str]) -> Said {
        let output = self.hfmctl(arguments).output().expect("hfmctl runs");
        Said {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
        }
    }

    /// Has something done that is to succeed without a complaint; what hfmctl prints.
    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        let said = self.ctl(arguments);
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{arguments:?}: {}", said.out);
        said.out
    }

    /// Asks for something that is to be refused; why.
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        let said = self.ctl(arguments);
        assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{arguments:?}: {}", said.err);
        said.err
    }

    /// `status` of one rule, as JSON has it.
    pub(crate) fn rule(&self, name: &str) -> Value {
        let answer = self.done(&["--json", "status", name]);
        serde_json::from_str(answer.lines().next().expect("a line")).expect("JSON")
    }

    /// What is set for a rule: its kind, or nothing.
    pub(crate) fn set_of(&self, name: &str) -> Option<String> {
        self.rule(name)["override"]["kind"].as_str().map(str::to_owned)
    }

    /// Waits until a rule's effective state is this.
    pub(crate) fn wait_for_state(&self, daemon: &Daemon, name: &str, state: &str) {
        let is_so = patiently(|| self.rule(name)["state"] == state);
        assert!(is_so, "not {state}: {}\n{}", self.rule(name), daemon.log());
    }

    /// Waits until the table holds these of ours, and what is not ours.
    pub(crate) fn wait_for_web(&self, daemon: &Daemon, ours: &[&str]) {
        self.firewall.wait_for(daemon, "web", &[ours, &["10.9.9.9"]].concat());
    }

    /// Waits until a file of the house has this.
    pub(crate) fn wait_for_file(&self, name: &str, text: &str) {
        assert!(patiently(|| self.home.0.read(name) == text), "{name}: {:?}", self.home.0.read(name));
    }
}

/// A rule for the table that tells each of its changes in a file of its name.
pub(crate) fn telling(target: &Target, name: &str, address: &str, more: &str) -> String {
    let change = |state: &str| {
        format!(
            "change_{state} = sh; change_{state}_arguments = [-c, 'echo {state} $HFM_REASON >> @DIR@/{name}.changes']; "
        )
    };
    target.rule(name, address, &format!("tables = web; {}{}{more}", change("success"), change("fail")))
}

/// hfmctl as it runs; ended when the test is over, whatever happened.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

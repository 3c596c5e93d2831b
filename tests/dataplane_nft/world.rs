//! A network of a test's own, with nft(8) and the data plane in it.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::thread;

use hfm::dataplane::{Change, Contents, DataPlane, Managed, Nftables, TableError};
use hfm::rule::Prefix;
use nix::sched::{CloneFlags, unshare};

use crate::skip::skip;

/// How many slots maps have, unless a test says otherwise.
pub(crate) const SLOTS: u32 = 16;

/// Runs a test where it is alone with the kernel's nftables. Says by name that it cannot where that is not allowed.
pub(crate) fn alone(test: &str, body: impl FnOnce(World) + Send + 'static) {
    let test = test.to_owned();
    // A namespace belongs to a thread, and to all that it starts.
    let thread = thread::spawn(move || {
        if let Err(error) = unshare(CloneFlags::CLONE_NEWNET) {
            return skip(&format!("{test}: no network namespace of its own here: {error}"));
        }
        match run_nft(&["list", "ruleset"], "") {
            Ok(output) if output.status.success() => body(World { plane: Nftables::new(SLOTS) }),
            Ok(_) => skip(&format!("{test}: this kernel has no nftables")),
            Err(error) => skip(&format!("{test}: nft(8) is not installed: {error}")),
        }
    });
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

fn run_nft(arguments: &[&str], input: &str) -> std::io::Result<Output> {
    let mut command = Command::new("nft");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(input.as_bytes())?;
    drop(stdin);
    child.wait_with_output()
}

/// Has nft(8) carry out a script.
pub(crate) fn nft(script: &str) {
    let output = run_nft(&["-f", "-"], script).expect("nft runs");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The same, where it may fail.
pub(crate) fn run_quietly(script: &str) {
    run_nft(&["-f", "-"], script).expect("nft runs");
}

/// What nft(8) prints.
pub(crate) fn nft_says(arguments: &[&str]) -> String {
    let output = run_nft(arguments, "").expect("nft runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("nft prints text")
}

/// The elements of `family/table/set` as nft(8) lists them, in order.
pub(crate) fn listed(name: &str) -> Vec<String> {
    let words: Vec<&str> = name.split('/').collect();
    let text = nft_says(&["list", "set", words[0], words[1], words[2]]);
    in_order(&text)
}

/// The same of a map.
pub(crate) fn listed_map(name: &str) -> Vec<String> {
    let words: Vec<&str> = name.split('/').collect();
    in_order(&nft_says(&["list", "map", words[0], words[1], words[2]]))
}

fn in_order(text: &str) -> Vec<String> {
    let Some((_, elements)) = text.split_once("elements = {") else { return Vec::new() };
    let (elements, _) = elements.split_once('}').expect("nft closes what it opens");
    let each = elements.split(',').map(|element| element.split_whitespace().collect::<Vec<_>>().join(" "));
    let mut each: Vec<String> = each.collect();
    each.sort();
    each
}

pub(crate) fn prefixes(texts: &[&str]) -> Vec<Prefix> {
    texts.iter().map(|text| text.parse().unwrap_or_else(|error| panic!("{text}: {error:?}"))).collect()
}

/// What a test works with.
pub(crate) struct World {
    pub plane: Nftables,
}

impl World {
    /// Everything in a table, in order.
    pub(crate) fn contents(&mut self, name: &str, members: &[&str]) -> Result<Contents, TableError> {
        let mut contents = self.plane.read(Managed { name, members: &prefixes(members) })?;
        contents.addresses.sort();
        Ok(contents)
    }

    /// Checks that a table holds this and no more, with each address in its place.
    pub(crate) fn holds(&mut self, name: &str, members: &[&str], addresses: &[&str]) {
        let mut wanted = prefixes(addresses);
        wanted.sort();
        assert_eq!(self.contents(name, members), Ok(Contents::of(wanted)), "{name}");
    }

    /// Changes one table.
    pub(crate) fn change(
        &mut self,
        name: &str,
        members: &[&str],
        add: &[&str],
        remove: &[&str],
    ) -> Result<(), TableError> {
        let (members, add, remove) = (prefixes(members), prefixes(add), prefixes(remove));
        let table = Managed { name, members: &members };
        let mut results = self.plane.apply(&[Change { table, add: &add, remove: &remove }]);
        assert_eq!(results.len(), 1);
        results.remove(0)
    }

    /// What is wrong with a change, in words.
    pub(crate) fn complaint(
        &mut self,
        name: &str,
        members: &[&str],
        add: &[&str],
        remove: &[&str],
    ) -> String {
        self.change(name, members, add, remove).expect_err("it cannot be done").to_string()
    }
}

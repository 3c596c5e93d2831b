//! The same gateway in the old style, with change commands that call pfctl, and with `tables`: the same table
//! history.

use std::collections::BTreeSet;

use crate::firewall::{Firewall, Target};
use crate::harness::{Place, patiently};

const ADDRESSES: [&str; 3] = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];

/// The contents of the table from change to change, by what hfm had pfctl do.
fn history(firewall: &Firewall, from: &[&str]) -> Vec<BTreeSet<String>> {
    let mut contents: BTreeSet<String> = from.iter().map(|address| (*address).to_owned()).collect();
    let mut history = vec![contents.clone()];
    for line in firewall.calls().lines() {
        let mut fields = line.split('\t').skip(2);
        let (arguments, stdin) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        let words: Vec<&str> = arguments.split_whitespace().chain(stdin.split_whitespace()).collect();
        let addresses = words.iter().filter(|word| word.parse::<std::net::IpAddr>().is_ok());
        for address in addresses.map(|address| (*address).to_owned()) {
            if words.contains(&"add") {
                contents.insert(address);
            } else if words.contains(&"delete") {
                contents.remove(&address);
            }
        }
        if history.last() != Some(&contents) {
            history.push(contents.clone());
        }
    }
    history
}

#[test]
fn the_old_style_and_tables_make_the_same_table_history() {
    let from = ["10.0.0.1", "10.0.0.3", "10.9.9.9"];
    let mut targets = [Target::open(), Target::open(), Target::closed()];
    let (old, new) = (Place::new("tables-old-style"), Place::new("tables-new-style"));
    let of_old = Firewall::new(&old, &[("web", &from)]);
    let of_new = Firewall::new(&new, &[("web", &from)]);
    let shared = "interval = 50ms\nchange_fail_debounce = 2\nchange_success_debounce = 3\n";
    let mut old_style = shared.to_owned();
    let mut new_style = format!("{shared}tables = web\n");
    for (index, (target, address)) in targets.iter().zip(ADDRESSES).enumerate() {
        let command = |kind: &str, verb: &str| {
            format!(
                "  change_{kind} = pfctl; change_{kind}_arguments = [\"-t\", \"web\", \"-T\", \"{verb}\", \"{address}\"]\n"
            )
        };
        // As it was written before there were native probes.
        let probe = format!("exec 3<>/dev/tcp/127.0.0.1/{}", target.port);
        old_style += &format!(
            "lb1 w{index} {{\n  test = bash; test_arguments = [\"-c\", \"{probe}\"]\n{}{}}}\n",
            command("fail", "delete"),
            command("success", "add")
        );
        new_style += &target.rule(&format!("w{index}"), address, "");
    }
    let mut command = old.hfm(&old_style);
    of_old.lead(&mut command);
    let old_hfm = old.start_command(command);
    let new_hfm = of_new.start(&new, &new_style);
    let both_hold = |wanted: &[&str]| {
        let are_right = patiently(|| of_old.holds("web", wanted) && of_new.holds("web", wanted));
        let (found_old, found_new) = (of_old.show("web"), of_new.show("web"));
        assert!(
            are_right,
            "{found_old:?} and {found_new:?}, not {wanted:?}\n{}\n{}",
            old_hfm.log(),
            new_hfm.log()
        );
    };
    both_hold(&["10.0.0.1", "10.0.0.2", "10.9.9.9"]);
    targets[0].set(false);
    both_hold(&["10.0.0.2", "10.9.9.9"]);
    targets[2].set(true);
    both_hold(&["10.0.0.2", "10.0.0.3", "10.9.9.9"]);
    targets[1].set(false);
    both_hold(&["10.0.0.3", "10.9.9.9"]);
    targets[0].set(true);
    both_hold(&["10.0.0.1", "10.0.0.3", "10.9.9.9"]);
    let (old_history, new_history) = (history(&of_old, &from), history(&of_new, &from));
    // Both had a failed host to take out and a well one to put in when they came; which was first is chance.
    let settled = 2.min(old_history.len());
    assert_eq!(old_history[settled..], new_history[settled..]);
    assert_eq!(old_history.len(), 7, "{old_history:?}");
}

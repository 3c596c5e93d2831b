//! hfm killed at any moment: whoever comes after it finds everything it needs, and nothing leaves that has to
//! stay.

use std::collections::BTreeSet;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::firewall::{Firewall, Target};
use crate::harness::{Place, patiently, pause};
use crate::random::Rng;

const KILLS: usize = 200;
/// Longest life of an hfm that is killed, in milliseconds: loading, first verdicts, writes and proofs fall into it.
const LIFE_MAX_MS: usize = 120;
/// So often all is looked at when it has come to rest.
const LOOK_EVERY: usize = 20;

#[test]
fn killed_at_two_hundred_moments_the_tables_are_right_after_and_nothing_left_that_had_to_stay() {
    let place = Place::new("tables-killed");
    let firewall = Firewall::new(&place, &[("web", &["10.0.0.1", "10.0.0.3", "10.9.9.9"])]);
    let (steady, dead) = (Target::open(), Target::closed());
    let mut toggled = Target::open();
    let seed = std::env::var("HFM_KILLED_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20);
    let mut random = Rng::new(seed);
    let mut is_open = true;
    let mut extra = false;
    for round in 0..KILLS {
        if random.percent(40) {
            is_open = !is_open;
            toggled.set(is_open);
        }
        // An address comes into the file and goes out of it.
        if random.percent(20) {
            extra = !extra;
        }
        firewall.set_mode(if random.percent(20) { "slow 0.02" } else { "ok" });
        let mut rules = [
            steady.rule("steady", "10.0.0.1", ""),
            toggled.rule("toggled", "10.0.0.2", ""),
            dead.rule("dead", "10.0.0.3", ""),
        ]
        .concat();
        if extra {
            rules += &steady.rule("extra", "10.0.0.4", "");
        }
        let mut daemon = firewall.start(&place, &format!("interval = 20ms\ntables = web\n{rules}"));
        if round % LOOK_EVERY == LOOK_EVERY - 1 {
            let mut wanted = vec!["10.0.0.1", "10.9.9.9"];
            wanted.extend(is_open.then_some("10.0.0.2"));
            wanted.extend(extra.then_some("10.0.0.4"));
            let is_right = patiently(|| firewall.holds("web", &wanted));
            let found = firewall.show("web");
            assert!(is_right, "seed {seed}, round {round}: {found:?}, not {wanted:?}\n{}", daemon.log());
        } else {
            pause(Duration::from_millis(random.below(LIFE_MAX_MS) as u64));
        }
        daemon.signal(Signal::SIGKILL);
        daemon.wait();
        let log = daemon.log();
        assert!(
            !log.contains("set aside") && !log.contains("state_dir"),
            "seed {seed}, round {round}:\n{log}"
        );
        let holds: BTreeSet<String> = firewall.show("web");
        for stays in ["10.0.0.1", "10.9.9.9"] {
            assert!(holds.contains(stays), "seed {seed}, round {round}: {stays} is out\n{log}");
        }
    }
    for line in firewall.calls().lines().filter(|line| line.contains("-T delete")) {
        let (_, addresses) = line.rsplit_once('\t').expect("what came from stdin");
        let gone: Vec<&str> = addresses.split_whitespace().collect();
        assert!(!gone.contains(&"10.0.0.1") && !gone.contains(&"10.9.9.9"), "seed {seed}: {line}");
    }
}

//! What do clients notice when something happens to one of two gateways?
//!
//! Everything of `tests/pair.rs`, in network namespaces, several times, with hfm as it is released: forty clients, each of which
//! begins a request every 25 ms over a connection of its own; three hosts; `config/pair-linux`. Needs root, nft(8), ip(8),
//! conntrack(8), haproxy and keepalived.
//!
//! `cargo bench --bench pair [-- --rounds N]`
#![cfg_attr(not(target_os = "linux"), allow(unused))]
#![allow(clippy::print_stdout, clippy::print_stderr)]
#![allow(clippy::unwrap_used, reason = "shared parts of a test fail with it")]

#[cfg(target_os = "linux")]
#[path = "../tests/pair/mod.rs"]
#[allow(dead_code, reason = "shared with a test, which uses more of it")]
mod pair;

#[cfg(target_os = "linux")]
fn main() {
    use pair::{Connections, Pace, SCENARIOS, Table, Town};

    let rounds = rounds();
    if let Err(why) = Town::possible(Connections::OfOne) {
        eprintln!("cannot be run here: {why}");
        std::process::exit(2);
    }
    let mut town = Town::new(Pace::AsConfigured, Connections::OfOne);
    let mut table = Table::default();
    for scenario in SCENARIOS {
        let courses: Vec<_> = (0..rounds).map(|_| scenario.run(&mut town)).collect();
        for course in &courses {
            course.wrong.iter().for_each(|what| eprintln!("{}: {what}", course.name));
        }
        table.add(&courses);
    }
    println!("{table}");
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("cannot be run here: it takes nftables and keepalived");
    std::process::exit(2);
}

fn rounds() -> usize {
    let mut rounds = 5;
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), arguments.next()) {
            ("--rounds", Some(value)) => rounds = value.parse().expect("a number of rounds"),
            ("--rounds", None) => panic!("--rounds needs a number"),
            _ => panic!("unknown option {argument}"),
        }
    }
    rounds
}

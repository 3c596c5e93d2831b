//! What do clients notice when something happens to a gateway?
//!
//! Everything of `tests/gateway.rs`, in network namespaces, several times, with hfm as it is released: forty clients, each of which
//! begins a request every 25 ms over a connection of its own; three hosts; `config/gateway-linux`. Needs root, nft(8), ip(8)
//! and haproxy.
//!
//! `cargo bench --bench gateway [-- --rounds N]`
#![cfg_attr(not(target_os = "linux"), allow(unused))]
#![allow(clippy::print_stdout, clippy::print_stderr)]
#![allow(clippy::unwrap_used, reason = "shared parts of a test fail with it")]

#[cfg(target_os = "linux")]
#[path = "../tests/gateway/mod.rs"]
#[allow(dead_code, reason = "shared with a test, which uses more of it")]
mod gateway;

#[cfg(target_os = "linux")]
fn main() {
    use gateway::{House, Pace, SCENARIOS, Table};

    let rounds = rounds();
    if let Err(why) = House::possible() {
        eprintln!("cannot be run here: {why}");
        std::process::exit(2);
    }
    let mut house = House::watched(Pace::AsConfigured);
    let mut table = Table::default();
    for scenario in SCENARIOS {
        let courses: Vec<_> = (0..rounds).map(|_| scenario.run(&mut house)).collect();
        for course in &courses {
            course.wrong.iter().for_each(|what| eprintln!("{}: {what}", course.name));
        }
        table.add(&courses);
    }
    println!("{table}");
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("cannot be run here: it takes nftables");
    std::process::exit(2);
}

fn rounds() -> usize {
    let mut rounds = 10;
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

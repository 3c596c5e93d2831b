//! What a change of nftables costs, by netlink and by the program nft(8), in the same run.
//!
//! 1. One address into a set and out of it, over and over: this data plane, and a process of nft for each; and
//!    after 20 ms of sleep each time, as it comes in service.
//! 2. A set of many addresses: all in, read, all out; and one in and out beside them.
//! 3. A map of slots: one host of ten goes and returns.
//!
//! As root on Linux, in a network namespace that it makes.
//!
//! `cargo bench --bench nftables [-- [--changes N] [--processes N] [--rested N] [--addresses N]]`
#![allow(clippy::print_stdout, clippy::print_stderr)]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and sleeps")]

#[cfg(target_os = "linux")]
#[path = "support/figures.rs"]
mod figures;
#[cfg(target_os = "linux")]
#[path = "support/firewall.rs"]
mod firewall;

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("nftables is there on Linux alone");
}

#[cfg(target_os = "linux")]
mod linux {
    use std::net::Ipv4Addr;
    use std::thread::sleep;
    use std::time::{Duration, Instant};

    use hfm::dataplane::{Change, DataPlane, Managed, Nftables};
    use hfm::rule::Prefix;

    use super::figures::{histogram, print, record};
    use super::firewall::{self, nft};

    const WEB: &str = "ip/bench/web";
    const HOSTS: u32 = 10;
    /// What a processor needs to forget what it was about.
    const REST: Duration = Duration::from_millis(20);

    struct Options {
        changes: usize,
        processes: usize,
        rested: usize,
        addresses: u32,
    }

    pub(super) fn main() {
        let mut options = Options { changes: 5000, processes: 300, rested: 200, addresses: 10_000 };
        let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
        while let Some(argument) = arguments.next() {
            let value = arguments.next().unwrap_or_else(|| panic!("{argument} needs a value"));
            match argument.as_str() {
                "--changes" => options.changes = value.parse().expect("a number of changes"),
                "--rested" => options.rested = value.parse().expect("a number of changes"),
                "--processes" => options.processes = value.parse().expect("a number of processes"),
                "--addresses" => options.addresses = value.parse().expect("a number of addresses"),
                _ => panic!("unknown option {argument}"),
            }
        }
        firewall::make();
        one(&options);
        many(&options);
        [256, 4096, 65_536].into_iter().for_each(slots);
    }

    fn host(number: u32) -> Prefix {
        Prefix::host(Ipv4Addr::from(0x0a00_0000 + number).into())
    }

    fn apply(plane: &mut Nftables, table: Managed<'_>, add: &[Prefix], remove: &[Prefix]) {
        let results = plane.apply(&[Change { table, add, remove }]);
        results.into_iter().for_each(|result| result.expect("it is written"));
    }

    fn one(options: &Options) {
        let mut plane = Nftables::new(256);
        let address = [host(1)];
        let table = Managed { name: WEB, members: &address };
        let [mut into, mut out, mut nft_into, mut nft_out] = [(); 4].map(|()| histogram());
        for change in 0..options.changes {
            let start = Instant::now();
            apply(&mut plane, table, &address, &[]);
            record(&mut into, start.elapsed());
            let start = Instant::now();
            apply(&mut plane, table, &[], &address);
            record(&mut out, start.elapsed());
            // In turn, so that both have the same machine.
            if change % (options.changes / options.processes.max(1)).max(1) == 0 {
                let start = Instant::now();
                nft("add element ip bench web { 10.0.0.1 }");
                record(&mut nft_into, start.elapsed());
                let start = Instant::now();
                nft("delete element ip bench web { 10.0.0.1 }");
                record(&mut nft_out, start.elapsed());
            }
        }
        let [mut rested_into, mut rested_out] = [(); 2].map(|()| histogram());
        for _ in 0..options.rested {
            for (add, remove, figures) in
                [(&address[..], &[][..], &mut rested_into), (&[], &address, &mut rested_out)]
            {
                sleep(REST);
                let start = Instant::now();
                apply(&mut plane, table, add, remove);
                record(figures, start.elapsed());
            }
        }
        println!("one address of a set:");
        print("  in, by netlink", &into);
        print("  in, by a process of nft", &nft_into);
        print("  in, by netlink, after 20 ms of sleep", &rested_into);
        print("  out, by netlink", &out);
        print("  out, by a process of nft", &nft_out);
        print("  out, by netlink, after 20 ms of sleep", &rested_out);
    }

    fn many(options: &Options) {
        firewall::empty();
        let mut plane = Nftables::new(256);
        let all: Vec<Prefix> = (1..=options.addresses).map(host).collect();
        let table = Managed { name: WEB, members: &all };
        let [mut into, mut read, mut out, mut single] = [(); 4].map(|()| histogram());
        for _ in 0..20 {
            let start = Instant::now();
            apply(&mut plane, table, &all, &[]);
            record(&mut into, start.elapsed());
            let start = Instant::now();
            let contents = plane.read(table).expect("it is read");
            record(&mut read, start.elapsed());
            assert_eq!(contents.addresses.len(), all.len());
            for change in 0..100 {
                let start = Instant::now();
                let one = &all[change..=change];
                apply(&mut plane, table, &[], one);
                apply(&mut plane, table, one, &[]);
                record(&mut single, start.elapsed() / 2);
            }
            let start = Instant::now();
            apply(&mut plane, table, &[], &all);
            record(&mut out, start.elapsed());
        }
        println!("{} addresses of a set:", all.len());
        print("  all in", &into);
        print("  read", &read);
        print("  one of them in or out", &single);
        print("  all out", &out);
    }

    fn slots(count: u32) {
        nft(&format!("add map ip bench pool{count} {{ typeof numgen inc mod {count} : ip daddr; }}"));
        let name = format!("ip/bench/pool{count}");
        let mut plane = Nftables::new(count);
        let hosts: Vec<Prefix> = (1..=HOSTS).map(host).collect();
        let table = Managed { name: &name, members: &hosts };
        let [mut first, mut goes, mut returns, mut read] = [(); 4].map(|()| histogram());
        let start = Instant::now();
        apply(&mut plane, table, &hosts, &[]);
        record(&mut first, start.elapsed());
        for _ in 0..20 {
            for of in 0..hosts.len() {
                let start = Instant::now();
                apply(&mut plane, table, &[], &hosts[of..=of]);
                record(&mut goes, start.elapsed());
                let start = Instant::now();
                apply(&mut plane, table, &hosts[of..=of], &[]);
                record(&mut returns, start.elapsed());
            }
            let start = Instant::now();
            assert!(!plane.read(table).expect("it is read").disordered);
            record(&mut read, start.elapsed());
        }
        println!("a map of {count} slots and {HOSTS} hosts:");
        print("  first filled", &first);
        print("  one host goes", &goes);
        print("  it returns", &returns);
        print("  read", &read);
    }
}

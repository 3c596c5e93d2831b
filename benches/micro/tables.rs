//! Tables: a rule changes its mind, among many; from its word to what is to be written.

use std::collections::HashSet;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput};
use hfm::rule::{Prefix, RuleId};
use hfm::standing::{Contribution, Standing};
use hfm::writer::desired::{Desired, Wanted};

use crate::{sample, text};

pub(crate) fn bench(criterion: &mut Criterion) {
    const RULES: u32 = 10_000;
    let mut group = criterion.benchmark_group("tables");
    group.throughput(Throughput::Elements(1));
    let one_table = sample::rules(RULES, "1s") + "dataplane = memory\ntables = web\n";
    for (name, text) in [
        ("a change among 10,000 rules of one table", one_table),
        ("a change among 10,000 rules of a hundred tables", sample::groups(RULES)),
    ] {
        let mut house = None;
        group.bench_function(name, |bencher| {
            // For each sample this is called again.
            let house = house.get_or_insert_with(|| House::new(&text));
            bencher.iter(|| assert_eq!(house.change(), 1));
        });
    }
    group.finish();
}

struct House {
    desired: Desired,
    /// What each table holds.
    contents: Vec<HashSet<Prefix>>,
    standings: Vec<Standing>,
    next: usize,
}

impl House {
    /// All rules are up, and their addresses in.
    fn new(text: &str) -> Self {
        let configuration = text::load(text).configuration;
        let now = sample::now().mono;
        let (tables, rules) = (configuration.tables, configuration.rules.len());
        let contents: Vec<HashSet<Prefix>> =
            tables.iter().map(|table| table.members.iter().map(|of| of.address).collect()).collect();
        let (mut desired, _) = Desired::new(Arc::from(tables), rules, &[], now);
        let up = Standing { contribution: Contribution::Up, since: now, stale: false, settled: true };
        for rule in (0..).take(rules) {
            desired.on_standing(RuleId(rule), up);
        }
        for (table, contents) in contents.iter().enumerate() {
            desired.found(table, contents);
            assert!(desired.decide(table, now));
        }
        Self { desired, contents, standings: vec![up; rules], next: 0 }
    }

    /// A rule says the contrary of what it said, the next one when it is up again; how many addresses are to be written.
    fn change(&mut self) -> usize {
        let (rule, rules) = (self.next, self.standings.len());
        let standing = &mut self.standings[rule];
        standing.contribution = match standing.contribution {
            Contribution::Up => Contribution::Down { drained: false },
            Contribution::Down { .. } | Contribution::Nothing | Contribution::Unknown => {
                // Neighbours do not follow each other.
                self.next = (self.next + 7919) % rules;
                Contribution::Up
            }
        };
        let rule = RuleId(u32::try_from(rule).expect("there are fewer"));
        self.desired.on_standing(rule, *standing);
        let [table] = *self.desired.tables_of(rule) else { panic!("each is in one table") };
        self.desired.decide(table, standing.since);
        let contents = &mut self.contents[table];
        let mut written = 0;
        for Wanted { address, is_in } in self.desired.wanted(table) {
            let is_in = is_in.expect("all is decided");
            if is_in != contents.contains(&address) {
                written += 1;
                if is_in {
                    contents.insert(black_box(address));
                } else {
                    contents.remove(&black_box(address));
                }
            }
        }
        written
    }
}

//! The engine alone: runs that succeed at once, a millisecond of them at a time, as the reactor asks for them.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};
use hfm::engine::{Engine, Event, Output};
use hfm::now::Now;
use hfm::verdict::{Cause, Measured, Verdict};

use crate::{sample, text};

/// What runs end with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    WithSuccess,
    /// As the run before did not.
    Otherwise,
}

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("engine");
    for (name, tables, ends) in [
        ("a run that succeeds", "", Ends::WithSuccess),
        ("a run that succeeds, with a table", "dataplane = memory\ntables = web\n", Ends::WithSuccess),
        ("a run that changes the state, with a table", "dataplane = memory\ntables = web\n", Ends::Otherwise),
    ] {
        for (rules, interval) in [(10_000, "1s"), (100_000, "10s")] {
            // Ten are due in every millisecond.
            group.throughput(Throughput::Elements(10));
            let mut house = None;
            group.bench_function(BenchmarkId::new(name, rules), |bencher| {
                // For each sample this is called again.
                let house =
                    house.get_or_insert_with(|| House::new(&(sample::rules(rules, interval) + tables)));
                bencher.iter(|| house.millisecond(ends));
            });
        }
    }
    group.finish();
}

struct House {
    engine: Engine,
    now: Now,
    failed: Vec<bool>,
}

impl House {
    fn new(text: &str) -> Self {
        let rules = text::load(text).configuration.rules;
        let now = sample::now();
        let (failed, milliseconds) = (vec![false; rules.len()], rules.len() / 10);
        let mut house = Self { engine: Engine::new(rules.into(), now), now, failed };
        // Every rule has had its first verdict.
        (0..milliseconds).for_each(|_| house.millisecond(Ends::WithSuccess));
        assert_eq!(house.failed.len() as u64, house.engine.counters().runs, "each rule has had a run");
        house
    }

    /// A turn of the loop.
    fn millisecond(&mut self, ends: Ends) {
        let at = self.now;
        self.engine.turn_begins(at.mono);
        self.engine.handle_timeout(at);
        while let Some(output) = self.engine.poll_output() {
            let Output::StartTest { run } = output else { continue };
            let failed = &mut self.failed[run.rule.index()];
            *failed = ends == Ends::Otherwise && !*failed;
            let verdict =
                if *failed { Verdict::Failure(Cause::Refused(libc::ECONNREFUSED)) } else { Verdict::Success };
            self.engine.handle_event(Event::Started { run, at: at.mono }, at);
            let measured = Measured::default();
            self.engine.handle_event(Event::Concluded { run, at: at.mono, verdict, measured }, at);
        }
        self.engine.turn_ends(at.mono);
        self.now.mono += Duration::from_millis(1);
    }
}

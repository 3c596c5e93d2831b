//! The timer queue as a run uses it: taken out when due, set to the deadline of the run, then to the next due.

use std::collections::VecDeque;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use hfm::rule::RuleId;
use hfm::timer::TimerQueue;

const TIMEOUT: Duration = Duration::from_millis(300);

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("timers");
    group.throughput(Throughput::Elements(1));
    for (rules, interval) in [(10_000, Duration::from_secs(1)), (100_000, Duration::from_secs(10))] {
        let mut wheel = Wheel::new(rules, interval);
        group.bench_function(BenchmarkId::new("a run that ends at once", rules), |bencher| {
            bencher.iter(|| {
                let rule = wheel.begin();
                wheel.end(rule);
            });
        });
        // The answers of a tenth of the rules are always on their way.
        let mut under_way: VecDeque<_> = (0..rules / 10).map(|_| wheel.begin()).collect();
        group.bench_function(BenchmarkId::new("a run beside others under way", rules), |bencher| {
            bencher.iter(|| {
                let rule = wheel.begin();
                under_way.push_back(rule);
                let ended = under_way.pop_front().expect("some are under way");
                wheel.end(ended);
            });
        });
    }
    group.finish();
}

/// Rules that come round, spread evenly over their interval.
struct Wheel {
    queue: TimerQueue,
    /// When each rule is due next, or was.
    dues: Vec<Instant>,
    interval: Duration,
}

impl Wheel {
    fn new(rules: u32, interval: Duration) -> Self {
        let base = Instant::now();
        let count = rules as usize;
        let mut queue = TimerQueue::new(count);
        let due = |rule: u32| {
            base + Duration::from_millis(u64::try_from((interval * rule / rules).as_millis()).expect("short"))
        };
        let dues: Vec<Instant> = (0..rules).map(due).collect();
        for (rule, due) in (0..rules).zip(&dues) {
            queue.set(RuleId(rule), Some(*due));
        }
        Self { queue, dues, interval }
    }

    /// The next run is due and begins.
    fn begin(&mut self) -> RuleId {
        let now = self.queue.first().expect("there are rules");
        let rule = self.queue.pop_due(now).expect("the first is due");
        // Until the run has started, the rule is looked at for staleness alone.
        self.queue.set(rule, Some(now + self.interval * 30));
        self.queue.set(rule, Some(now + TIMEOUT));
        black_box(rule)
    }

    /// It has ended in time.
    fn end(&mut self, rule: RuleId) {
        let due = &mut self.dues[rule.index()];
        *due += self.interval;
        self.queue.set(rule, Some(*due));
    }
}

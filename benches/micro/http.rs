//! The machine of HTTP: a whole run, with an answer that comes in one piece or in several.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use hfm::probe::{Conversation, Plan, Step};
use hfm::verdict::Verdict;

use crate::{sample, text};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nDate: Sat, 21 Nov 2026 08:00:00 GMT\r\nServer: bench\r\n\
    Content-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n\r\nready";
const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: text/plain\r\n\
    Transfer-Encoding: chunked\r\n\r\n5\r\nready\r\n0\r\n\r\n";

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("http");
    group.throughput(Throughput::Elements(1));
    for (name, more, answer, piece) in [
        ("status, in one piece", "", ANSWER, ANSWER.len()),
        ("status, split in two", "", ANSWER, ANSWER.len() / 3),
        ("status, byte by byte", "", ANSWER, 1),
        ("text, in one piece", "expect = ready", ANSWER, ANSWER.len()),
        ("text, chunked, split in two", "expect = ready", CHUNKED, CHUNKED.len() / 2 + 1),
    ] {
        let text = format!("a {{ test = \"http://10.0.0.1/up\"; interval = 1s; {more} }}");
        let plan = text::load(&text).plans.plans.remove(0).expect("it is a probe");
        group.bench_function(name, |bencher| {
            let mut run = Run::new(&plan);
            bencher.iter(|| assert_eq!(run.go(black_box(answer), piece), Step::Done(Verdict::Success)));
        });
    }
    group.finish();
}

struct Run<'a> {
    plan: &'a Plan,
    machine: Conversation,
    out: Vec<u8>,
}

impl<'a> Run<'a> {
    fn new(plan: &'a Plan) -> Self {
        Self { plan, machine: Conversation::new(plan, sample::now().mono), out: Vec::new() }
    }

    /// One run, until the verdict.
    fn go(&mut self, answer: &[u8], piece: usize) -> Step {
        let now = sample::now();
        self.out.clear();
        self.machine.begin(true, now.mono);
        let mut step = self.machine.connected(self.plan, None, &mut self.out, now);
        for piece in answer.chunks(piece) {
            if step != Step::Continue {
                break;
            }
            step = self.machine.bytes(self.plan, piece, &mut self.out, now);
        }
        step
    }
}

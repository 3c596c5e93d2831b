//! What a rule costs in the running hfm, from the text of its file on: bytes that it holds, and allocations of its runs.
//!
//! The whole reactor runs here against servers on loopback; its rules end by themselves (`runs`), so what is counted is
//! the difference between two such histories, of more rules or of more runs.
#![allow(clippy::unwrap_used, reason = "servers of a test fail with it")]

use std::cell::Cell;
use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::sync::Mutex;
use std::thread;

use hfm::config::{self, Loaded};
use hfm::engine::RuleView;
use hfm::probe::Files;
use hfm::reactor::Reactor;
use hfm::rule::RuleId;
use hfm::ucl::Loader;

#[path = "support/counting.rs"]
mod counting;
use counting::{COUNT, held_bytes};

/// What a rule over TCP or HTTP may hold.
const RULE_BYTES_MAX: isize = 1024;
const NAME: &str = "hfm.conf";
/// The servers and the rules of one history at a time: what is held is counted over all threads.
static ALONE: Mutex<()> = Mutex::new(());

struct Text(String);

impl Loader for Text {
    fn read(&mut self, _path: &str) -> io::Result<Vec<u8>> {
        Ok(self.0.clone().into_bytes())
    }

    fn resolve(&mut self, path: &str) -> io::Result<String> {
        Ok(path.to_owned())
    }

    fn glob(&mut self, _pattern: &str) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }
}

struct NoFiles;

impl Files for NoFiles {
    fn read(&mut self, _path: &str) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn system_roots(&mut self) -> Result<Vec<Vec<u8>>, String> {
        Err("there are none".to_owned())
    }
}

/// What all its rules are to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finds {
    Success,
    Failure,
}

/// A server on loopback that goes on for as long as the test.
#[derive(Clone, Copy, Debug)]
enum Server {
    /// It answers nothing.
    Tcp,
    /// It says this to everyone.
    Http(&'static str),
    /// There is none: connections are refused.
    None,
}

impl Server {
    /// Its port.
    fn start(self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        match self {
            Self::None => {}
            Self::Tcp => _ = thread::spawn(move || while listener.accept().is_ok() {}),
            Self::Http(answer) => {
                thread::spawn(move || {
                    let mut scratch = [0; 1024];
                    while let Ok((mut stream, _)) = listener.accept() {
                        // Who gives up in between is told nothing.
                        if stream.read(&mut scratch).is_ok_and(|bytes| bytes > 0) {
                            let _ = stream.write_all(answer.as_bytes());
                        }
                    }
                });
            }
        }
        port
    }
}

const GOOD: &str = "HTTP/1.1 200 OK\r\nServer: loopback\r\nContent-Length: 5\r\n\r\nready";
const BAD: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";

/// What is to be told apart.
struct Kind {
    name: &'static str,
    server: Server,
    scheme: &'static str,
    settings: &'static str,
    finds: Finds,
}

const fn kind(
    name: &'static str,
    server: Server,
    scheme: &'static str,
    settings: &'static str,
    finds: Finds,
) -> Kind {
    Kind { name, server, scheme, settings, finds }
}

const KINDS: [Kind; 7] = [
    kind("tcp", Server::Tcp, "tcp", "", Finds::Success),
    kind("http", Server::Http(GOOD), "http", "", Finds::Success),
    kind("http, body searched", Server::Http(GOOD), "http", "expect = [ready];", Finds::Success),
    kind("http, body not as expected", Server::Http(GOOD), "http", "expect = [steady];", Finds::Failure),
    kind("http, bad status", Server::Http(BAD), "http", "", Finds::Failure),
    kind("tcp, refused", Server::None, "tcp", "", Finds::Failure),
    kind("http, refused", Server::None, "http", "", Finds::Failure),
];

/// What came of a history: bytes held for all rules at its end, and allocations of the reactor until then.
#[derive(Clone, Copy, Debug)]
struct Came {
    held: isize,
    allocated: u64,
}

/// A run that ends otherwise than those before it is news, and news allocates; so does being late. Where the
/// machine is busy once it need not be so again, while what each run allocates is seen each time.
const ATTEMPTS: usize = 3;

/// Rules that all run this often.
fn history(kind: &Kind, port: u16, rules: u32, runs: u32, interval: &str) -> Came {
    let Kind { scheme, settings, .. } = kind;
    let mut text =
        format!("interval = {interval}; interval_fail = {interval}; runs = {runs}; {settings}\nhosts {{\n");
    for rule in 0..rules {
        let page = if *scheme == "http" { format!("/status/{rule:05}") } else { String::new() };
        writeln!(text, "  web{rule:05} {{ test = \"{scheme}://127.0.0.1:{port}{page}\"; }}").unwrap();
    }
    text.push_str("}\n");
    let mut text = Text(text);
    let (held, allocated) = (held_bytes(), COUNT.with(Cell::get));
    let Loaded { configuration, plans, warnings, .. } =
        config::load(NAME, &mut text, &mut NoFiles).unwrap_or_else(|report| panic!("{report}"));
    drop(warnings);
    let mut reactor = Reactor::new(configuration, plans, None, None).unwrap();
    reactor.run().unwrap();
    let came = Came { held: held_bytes() - held, allocated: COUNT.with(Cell::get) - allocated };
    let views = (0..rules).map(|rule| reactor.engine().view(RuleId(rule)));
    let found = |view: RuleView| if kind.finds == Finds::Success { view.successes } else { view.failures };
    let (found, all) = (views.map(found).sum::<u64>(), u64::from(rules * runs));
    // A server that did not get to it in time is part of the life of a test; a server that is another one is not.
    assert!(10 * found > 9 * all, "{}: {found} runs of {all} ended as {:?}", kind.name, kind.finds);
    came
}

#[test]
fn a_rule_of_tcp_or_http_takes_a_kibibyte_at_most() {
    const FEW: u32 = 1000;
    const MANY: u32 = 5000;
    let _alone = ALONE.lock();
    for kind in KINDS.iter().filter(|kind| kind.settings.is_empty()) {
        let port = kind.server.start();
        // The first makes what is made once for the whole process; the others both have as many lanes as are kept.
        history(kind, port, FEW, 2, "2s");
        // Where the machine is busy runs are late, and what is known of failures takes memory too.
        let mut each = isize::MAX;
        for _ in 0..ATTEMPTS {
            let [few, many] = [FEW, MANY].map(|rules| history(kind, port, rules, 2, "2s").held);
            each = (many - few) / isize::try_from(MANY - FEW).unwrap();
            if each <= RULE_BYTES_MAX {
                break;
            }
        }
        println!("{:28} {each} bytes for each rule", kind.name);
        assert!(each <= RULE_BYTES_MAX, "{}: {each} bytes for each rule", kind.name);
        assert!(each > 100, "{}: {each} bytes, so something else was measured", kind.name);
    }
}

#[test]
fn runs_allocate_nothing_once_they_are_under_way() {
    const RULES: u32 = 80;
    const FEW: u32 = 4;
    const MANY: u32 = 19;
    /// Queues double and more lanes are made when there is more under way than ever before, as on a busy machine.
    const ALLOWED: u64 = 100;
    /// Long enough that an answer is in time on a busy machine.
    const INTERVAL: &str = "200ms";
    let _alone = ALONE.lock();
    for kind in &KINDS {
        let port = kind.server.start();
        history(kind, port, RULES, 2, INTERVAL);
        let runs = RULES * (MANY - FEW);
        let settled = (0..ATTEMPTS).any(|_| {
            let [few, many] = [FEW, MANY].map(|runs| history(kind, port, RULES, runs, INTERVAL).allocated);
            let more = many.saturating_sub(few);
            println!("{:28} {more} allocations in {runs} runs", kind.name);
            more <= ALLOWED
        });
        assert!(settled, "{}: each time more than {ALLOWED} allocations in {runs} runs", kind.name);
    }
}

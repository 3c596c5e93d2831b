//! Those who mean well: browsers that look at the page, and a scraper. And the targets that flap, so that there is
//! something to hear of.

use std::io::{self, BufRead, BufReader};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use super::crew::{Crew, Deeds, Stop};
use super::http::Client;
use super::options::Options;

/// Where the targets listen that refuse by turns.
pub(crate) const FLAPPING_PORT: u16 = 8082;
/// How long they do the one and then the other: longer than the interval, so that each rule meets both.
const FLAP_EVERY: Duration = Duration::from_millis(1100);
/// How often metrics are scraped.
const SCRAPE_EVERY: Duration = Duration::from_secs(1);
/// All watchers have come within this.
const COME_WITHIN: Duration = Duration::from_secs(1);

/// What all of it is called in what was done.
pub(crate) const STATUSES: &str = "statuses read";
pub(crate) const EVENTS: &str = "events heard";
pub(crate) const SCRAPES: &str = "scrapes";
pub(crate) const SCRAPES_FAILED: &str = "scrapes that came to nothing";

/// Has the watchers come.
pub(crate) fn watch(crew: &mut Crew, options: &Options) {
    let (watchers, again) = (options.watchers, options.again);
    let begin = Instant::now();
    for index in 0..watchers {
        let comes = begin + COME_WITHIN.min(again) * index / watchers;
        // The first time that it asks again is anywhere in the span, and from then on always there.
        let asks = begin + COME_WITHIN.min(again) + again * (index + 1) / watchers;
        crew.spawn(move |stop| {
            let mut deeds = Deeds::default();
            if let Err(error) = look(stop, comes, asks, again, &mut deeds) {
                deeds.wrong.push(format!("a watcher is not served: {error}"));
            }
            deeds
        });
    }
}

/// One watcher.
fn look(
    stop: &Stop,
    comes: Instant,
    mut asks: Instant,
    again: Duration,
    deeds: &mut Deeds,
) -> io::Result<()> {
    if stop.comes_before(comes) {
        return Ok(());
    }
    let mut page = Client::connect()?;
    ask(&mut page, deeds)?;
    let stream = Client::connect()?.listen()?;
    let events = stream.try_clone()?;
    let listener = thread::spawn(move || hear(&events));
    let mut outcome = Ok(());
    while outcome.is_ok() && !stop.comes_before(asks) {
        outcome = ask(&mut page, deeds);
        asks += again;
    }
    // It is gone already where it was closed by hfm, which the count tells.
    let _ = stream.shutdown(Shutdown::Both);
    deeds.add(EVENTS, listener.join().expect("it ends with its connection"));
    outcome
}

fn ask(page: &mut Client, deeds: &mut Deeds) -> io::Result<()> {
    let answer = page.get("/api/v1/status", |_| {})?;
    if answer.status != 200 {
        return Err(io::Error::other(format!("status {}", answer.status)));
    }
    deeds.count(STATUSES);
    deeds.status_ms.push(answer.took.as_secs_f64() * 1e3);
    Ok(())
}

/// Listens until the stream ends; how many events.
fn hear(stream: &TcpStream) -> u64 {
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    lines.filter(|line| line.starts_with("id: ")).count() as u64
}

/// Scrapes metrics each second; whether it gets them is counted.
pub(crate) fn scrape(stop: &Stop) -> Deeds {
    let mut deeds = Deeds::default();
    let mut client: Option<Client> = None;
    let mut next = Instant::now();
    while !stop.comes_before(next) {
        let mut one = client.take().map_or_else(Client::connect, Ok);
        match one
            .as_mut()
            .map_err(|error| io::Error::from(error.kind()))
            .and_then(|one| one.get("/metrics", |_| {}))
        {
            Ok(answer) if answer.status == 200 => {
                deeds.count(SCRAPES);
                deeds.scrape_ms.push(answer.took.as_secs_f64() * 1e3);
                client = one.ok();
            }
            // Prometheus comes again too.
            Ok(_) | Err(_) => deeds.count(SCRAPES_FAILED),
        }
        next += SCRAPE_EVERY;
    }
    deeds
}

/// Has targets accept and refuse by turns.
pub(crate) fn flap(stop: &Stop) -> Deeds {
    let mut turns = 0;
    let mut next = Instant::now();
    while !stop.comes_before(next) {
        let accepts = turns % 2 == 0;
        let listener = accepts.then(|| {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
            socket.set_reuse_address(true).expect("an option");
            socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, FLAPPING_PORT)).into()).expect("a port");
            socket.listen(65_535).expect("a listener");
            socket
        });
        turns += 1;
        next += FLAP_EVERY;
        if stop.comes_before(next) {
            break;
        }
        drop(listener);
    }
    Deeds::default()
}

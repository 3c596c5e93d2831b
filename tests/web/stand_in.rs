//! A server that plays hfm: the page as it is, and a status and events as a test has them.
#![expect(unreachable_pub, reason = "shared by the modules of one test")]

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use hfm::status::{Page, page};
use serde_json::{Value, json};

/// How often an idle stream looks whether it is to end.
const LOOK: Duration = Duration::from_millis(100);

/// A server on a port of its own, which it keeps when it is gone for a while.
pub struct StandIn {
    address: SocketAddr,
    world: Arc<World>,
}

struct World {
    page: Page,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    status: Value,
    /// With their numbers.
    events: VecDeque<(u64, Value)>,
    /// Told to streams beside the events: `event: missed`.
    missed: u64,
    /// What was asked for.
    paths: Vec<String>,
    open: Vec<TcpStream>,
    /// Counts restarts; a stream of an earlier one ends.
    life: u64,
    is_gone: bool,
}

impl StandIn {
    /// Begins to serve this status.
    pub fn new(status: Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = State {
            status,
            events: VecDeque::new(),
            missed: 0,
            paths: Vec::new(),
            open: Vec::new(),
            life: 0,
            is_gone: false,
        };
        let world = Arc::new(World { page: page(), state: Mutex::new(state), changed: Condvar::new() });
        let server = Self { address, world };
        server.serve(listener);
        server
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// An event of the log, by now also in the status or not.
    pub fn event(&self, event: Value) {
        let mut state = self.state();
        let number = state.status["event"].as_u64().unwrap() + 1;
        state.status["event"] = json!(number);
        state.events.push_back((number, event));
        drop(state);
        self.world.changed.notify_all();
    }

    /// Tells all streams that so many events were missed.
    pub fn missed(&self, count: u64) {
        self.state().missed = count;
        self.world.changed.notify_all();
    }

    /// Changes the status; what was read before stays as it was.
    pub fn change(&self, change: impl FnOnce(&mut Value)) {
        change(&mut self.state().status);
    }

    /// Ends as a process does: nobody listens, and all connections break.
    pub fn stop(&self) {
        let mut state = self.state();
        state.is_gone = true;
        state.life += 1;
        state.events.clear();
        for stream in state.open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        drop(state);
        self.world.changed.notify_all();
        // Wakes the one that accepts; it sees that it is over, and lets go of the port.
        let _ = TcpStream::connect(self.address);
    }

    /// Begins anew with another status, on the same port.
    pub fn start_again(&self, status: Value) {
        let listener = (0..200).find_map(|_| {
            let bound = TcpListener::bind(self.address).ok();
            if bound.is_none() {
                pause();
            }
            bound
        });
        let mut state = self.state();
        state.status = status;
        state.is_gone = false;
        drop(state);
        self.serve(listener.expect("the port is free again"));
    }

    /// What was asked for since this was last asked.
    pub fn paths(&self) -> Vec<String> {
        std::mem::take(&mut self.state().paths)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.world.state.lock().unwrap()
    }

    fn serve(&self, listener: TcpListener) {
        let world = Arc::clone(&self.world);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut state = world.state.lock().unwrap();
                if state.is_gone {
                    return;
                }
                let life = state.life;
                state.open.push(stream.try_clone().unwrap());
                drop(state);
                let world = Arc::clone(&world);
                // A browser that goes away in the middle is none of the server's trouble.
                std::thread::spawn(move || drop(answer(&world, life, stream)));
            }
        });
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Answers one request, and closes.
fn answer(world: &World, life: u64, mut stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    let target = request.split(' ').nth(1).unwrap_or_default().to_owned();
    if target.is_empty() {
        return Ok(());
    }
    let mut state = world.state.lock().unwrap();
    state.paths.push(target.clone());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    match path {
        "/" => {
            drop(state);
            let policy = format!("Content-Security-Policy: {}\r\n", world.page.policy);
            respond(&mut stream, "200 OK", "text/html; charset=utf-8", &policy, &world.page.body)
        }
        "/api/v1/status" => {
            state.status["hfm"]["now"] = json!(now());
            let body = state.status.to_string();
            drop(state);
            respond(&mut stream, "200 OK", "application/json", "Cache-Control: no-store\r\n", body.as_bytes())
        }
        "/api/v1/events" => {
            drop(state);
            let after = query.strip_prefix("after=").and_then(|number| number.parse().ok()).unwrap_or(0);
            tell(world, life, after, &mut stream)
        }
        _ => {
            drop(state);
            respond(&mut stream, "404 Not Found", "text/plain", "", b"not here\n")
        }
    }?;
    stream.shutdown(Shutdown::Write)
}

fn respond(stream: &mut TcpStream, status: &str, kind: &str, more: &str, body: &[u8]) -> std::io::Result<()> {
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{more}\
         X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n"
    )?;
    stream.write_all(body)
}

/// The stream of events, until the server is gone.
fn tell(world: &World, life: u64, mut after: u64, stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n")?;
    let mut state = world.state.lock().unwrap();
    let hello = json!({"pid": state.status["hfm"]["pid"], "started": state.status["hfm"]["started"]});
    write!(stream, "event: hello\ndata: {hello}\n\n")?;
    let mut missed = state.missed;
    while state.life == life {
        let mut text = String::new();
        for (number, event) in state.events.iter().filter(|(number, _)| *number > after) {
            text.push_str(&format!("id: {number}\ndata: {event}\n\n"));
        }
        after = state.events.back().map_or(after, |(number, _)| after.max(*number));
        if state.missed != missed {
            missed = state.missed;
            text.push_str(&format!("event: missed\ndata: {}\n\n", json!({"count": missed})));
        }
        drop(state);
        stream.write_all(text.as_bytes())?;
        state = world.state.lock().unwrap();
        state = world.changed.wait_timeout(state, LOOK).unwrap().0;
    }
    Ok(())
}

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "a server of a test tells the time")]
pub fn now() -> f64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64()
}

#[expect(clippy::disallowed_methods, reason = "a test of a real browser waits in real time")]
fn pause() {
    std::thread::sleep(LOOK);
}

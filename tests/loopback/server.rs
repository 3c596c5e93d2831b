//! Servers of a test's own: a thread that accepts and one for each connection, on loopback, port 0.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use socket2::SockRef;

use crate::probe;
use crate::skip::skip;

pub(crate) const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
pub(crate) const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// A connection of a server that nothing happens on for this long is given up.
const IDLE_MAX: Duration = Duration::from_secs(20);
/// Connections that wait to be accepted.
const BACKLOG: i32 = 4096;
/// What an endless server sends at most, should nobody stop it.
const ENDLESS_BYTES_MAX: usize = 256 * 1024 * 1024;

/// What a server does with a connection; the number counts from 0.
pub(crate) type Serve = dyn Fn(&mut TcpStream, usize) + Send + Sync;

/// A server, gone when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    stops: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn new(ip: IpAddr, serve: impl Fn(&mut TcpStream, usize) + Send + Sync + 'static) -> Self {
        Self::at(SocketAddr::new(ip, 0), serve).expect("a server on loopback")
    }

    pub(crate) fn at(
        address: SocketAddr,
        serve: impl Fn(&mut TcpStream, usize) + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        SockRef::from(&listener).listen(BACKLOG)?;
        let address = listener.local_addr()?;
        let accepted = Arc::new(AtomicUsize::new(0));
        let stops = Arc::new(AtomicBool::new(false));
        let (counter, stop) = (accepted.clone(), stops.clone());
        let serve: Arc<Serve> = Arc::new(serve);
        let thread = thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let number = counter.fetch_add(1, Ordering::SeqCst);
                let serve = serve.clone();
                thread::spawn(move || serve_one(stream, number, &*serve));
            }
        });
        Ok(Self { address, accepted, stops, thread: Some(thread) })
    }

    /// A URL of this server.
    pub(crate) fn url(&self, scheme: &str, path: &str) -> String {
        format!("{scheme}://{}{path}", self.address)
    }

    /// Connections so far.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stops.store(true, Ordering::SeqCst);
        if TcpStream::connect(self.address).is_ok()
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
    }
}

fn serve_one(mut stream: TcpStream, number: usize, serve: &Serve) {
    let _ = stream.set_read_timeout(Some(IDLE_MAX));
    let _ = stream.set_write_timeout(Some(IDLE_MAX));
    let _ = stream.set_nodelay(true);
    serve(&mut stream, number);
}

/// The addresses of loopback that this machine has.
pub(crate) fn both() -> Vec<IpAddr> {
    if TcpListener::bind((V6, 0)).is_ok() {
        return vec![V4, V6];
    }
    skip("loopback over IPv6: this machine has no ::1");
    vec![V4]
}

/// A way to misbehave, what to probe it with, and what has to come of it.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) serve: fn(&mut TcpStream),
    pub(crate) properties: &'static [&'static str],
    pub(crate) reason: &'static str,
}

/// Runs every case over both families.
pub(crate) fn check(url: fn(SocketAddr) -> String, cases: &[Case]) {
    for ip in both() {
        for Case { name, serve, properties, reason } in cases {
            let serve = *serve;
            let server = Server::new(ip, move |stream, _| serve(stream));
            probe::expect(name, &url(server.address), properties, reason);
        }
    }
}

/// As [`check`], for cases that wait for their timeouts: all of them at a time.
pub(crate) fn check_together(url: fn(SocketAddr) -> String, cases: &[Case]) {
    for ip in both() {
        thread::scope(|scope| {
            for Case { name, serve, properties, reason } in cases {
                scope.spawn(move || {
                    let serve = *serve;
                    let server = Server::new(ip, move |stream, _| serve(stream));
                    probe::expect(name, &url(server.address), properties, reason);
                });
            }
        });
    }
}

pub(crate) fn http_url(address: SocketAddr) -> String {
    format!("http://{address}/")
}

pub(crate) fn tls_url(address: SocketAddr) -> String {
    format!("tls://{address}")
}

pub(crate) fn tcp_url(address: SocketAddr) -> String {
    format!("tcp://{address}")
}

/// Reads the head of a request, and what came with it.
pub(crate) fn request(stream: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Writes; nobody listening any more is no fault.
pub(crate) fn say(stream: &mut impl Write, text: impl AsRef<[u8]>) {
    let _ = stream.write_all(text.as_ref()).and_then(|()| stream.flush());
}

/// A whole answer of status 200.
pub(crate) fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// Reads a request and answers it with this.
pub(crate) fn answer(stream: &mut TcpStream, text: impl AsRef<[u8]>) {
    request(stream);
    say(stream, text);
}

/// As `answer`, then keeps the connection open.
pub(crate) fn answer_and_hold(stream: &mut TcpStream, text: impl AsRef<[u8]>) {
    answer(stream, text);
    hold(stream);
}

/// Keeps a connection open, silently, until the other side has enough.
pub(crate) fn hold(stream: &mut TcpStream) {
    let mut buffer = [0; 4096];
    while stream.read(&mut buffer).is_ok_and(|count| count > 0) {}
}

/// Ends a connection by RST.
pub(crate) fn abort(stream: &TcpStream) {
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

/// Writes one byte at a time.
pub(crate) fn drip(stream: &mut TcpStream, bytes: &[u8]) {
    for byte in bytes {
        if stream.write_all(&[*byte]).is_err() {
            return;
        }
        crate::harness::pause(Duration::from_micros(200));
    }
}

/// Writes the same again and again, until the other side has enough.
pub(crate) fn pour(stream: &mut TcpStream, bytes: &[u8]) {
    let block = bytes.repeat(16 * 1024 / bytes.len() + 1);
    for _ in 0..ENDLESS_BYTES_MAX / block.len() {
        if stream.write_all(&block).is_err() {
            return;
        }
    }
}

//! A client that keeps its connection, and reads everything as fast as it can.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Where the page is.
pub(crate) const PAGE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9090);
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// What is read at a time.
const READ_BYTES: usize = 256 * 1024;
/// A head of an answer is not longer.
const HEAD_BYTES_MAX: usize = 4096;

/// An answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Of its body.
    pub(crate) bytes: usize,
    /// From the request to its last byte.
    pub(crate) took: Duration,
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Client {
    stream: TcpStream,
    buffer: Box<[u8]>,
}

impl Client {
    /// A new one.
    pub(crate) fn connect() -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&PAGE, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; READ_BYTES].into() })
    }

    /// Asks for this and reads it all; the body is shown to `take` as it comes.
    pub(crate) fn get(&mut self, path: &str, mut take: impl FnMut(&[u8])) -> io::Result<Answer> {
        let begun = Instant::now();
        write!(self.stream, "GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n")?;
        let mut head = Vec::new();
        let end = loop {
            let length = self.read()?;
            head.extend_from_slice(&self.buffer[..length]);
            if let Some(end) = head.windows(4).position(|part| part == b"\r\n\r\n") {
                break end + 4;
            }
            if head.len() > HEAD_BYTES_MAX {
                return Err(io::Error::other("the answer's head has no end"));
            }
        };
        let (status, length) = judge(&head[..end])?;
        let mut bytes = head.len() - end;
        take(&head[end..]);
        while bytes < length {
            let more = self.read()?;
            take(&self.buffer[..more]);
            bytes += more;
        }
        if bytes > length {
            return Err(io::Error::other("more than the answer"));
        }
        Ok(Answer { status, bytes, took: begun.elapsed() })
    }

    /// Asks for the stream of events; what comes is read from what this gives.
    pub(crate) fn listen(mut self) -> io::Result<TcpStream> {
        write!(
            self.stream,
            "GET /api/v1/events HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n\r\n"
        )?;
        Ok(self.stream)
    }

    fn read(&mut self) -> io::Result<usize> {
        match self.stream.read(&mut self.buffer)? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            length => Ok(length),
        }
    }
}

/// The status of an answer, and the length of its body.
fn judge(head: &[u8]) -> io::Result<(u16, usize)> {
    let head = std::str::from_utf8(head).map_err(io::Error::other)?.to_ascii_lowercase();
    let status = head.strip_prefix("http/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    let length =
        head.split("\r\n").find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    status.zip(length).ok_or_else(|| io::Error::other("an answer without status or length"))
}

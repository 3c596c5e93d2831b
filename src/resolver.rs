//! Looking up names, off the loop: a few threads that ask the system's resolver, one name each at a time.
//!
//! A resolver that does not answer holds up these threads and nothing else.

use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use mio::Waker;

use crate::sys::privilege::Rights;
use crate::sys::threads;

/// Names looked up at a time.
const THREADS: usize = 4;
/// Addresses of one answer that are kept at most.
const ADDRESSES_MAX: usize = 64;

/// A question: a name, and a number by which the answer is known.
#[derive(Clone, Debug)]
struct Question {
    number: u32,
    name: Box<str>,
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The number of its question.
    pub number: u32,
    /// The addresses in the order of the system's preference (RFC 6724), or what it said, in words.
    pub found: Result<Vec<IpAddr>, String>,
}

/// The threads.
#[derive(Debug)]
pub struct Resolver {
    questions: Sender<Question>,
    answers: Receiver<Answer>,
}

impl Resolver {
    /// Starts the threads. `wake` is woken at each answer.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start(wake: &Arc<Waker>) -> io::Result<Self> {
        let (questions, open) = channel::<Question>();
        let open = Arc::new(Mutex::new(open));
        let (sender, answers) = channel();
        for _ in 0..THREADS {
            let (open, sender, wake) = (open.clone(), sender.clone(), wake.clone());
            threads::start("resolver", Rights::NONE, move || serve(&open, &sender, &wake))?;
        }
        Ok(Self { questions, answers })
    }

    /// Asks for the addresses of a name.
    pub fn ask(&self, number: u32, name: &str) {
        // The threads live as long as this does.
        let _ = self.questions.send(Question { number, name: name.into() });
    }

    /// The next answer that has come.
    pub fn poll_answer(&self) -> Option<Answer> {
        self.answers.try_recv().ok()
    }
}

fn serve(open: &Mutex<Receiver<Question>>, answers: &Sender<Answer>, wake: &Waker) {
    loop {
        let question = {
            let Ok(open) = open.lock() else { return };
            open.recv()
        };
        let Ok(Question { number, name }) = question else { return };
        let answer = Answer { number, found: look_up(&name) };
        if answers.send(answer).is_err() {
            return;
        }
        // A failing wake means that nobody waits any more.
        let _ = wake.wake();
    }
}

fn look_up(name: &str) -> Result<Vec<IpAddr>, String> {
    let found = (name, 0).to_socket_addrs().map_err(|error| in_words(&error))?;
    let mut addresses: Vec<IpAddr> = Vec::new();
    for address in found.map(|address| address.ip()) {
        if !addresses.contains(&address) && addresses.len() < ADDRESSES_MAX {
            addresses.push(address);
        }
    }
    Ok(addresses)
}

/// getaddrinfo(3)'s own words, without those that the standard library puts before them.
fn in_words(error: &io::Error) -> String {
    let words = error.to_string();
    words.rsplit(": ").next().unwrap_or(&words).to_owned()
}

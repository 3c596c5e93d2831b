//! Who has the address that the world connects to: each gateway is asked every few milliseconds.

use std::net::{IpAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::lab::clock::{now, patiently, pause};
use super::lab::namespace::Namespace;
use super::lab::places::{VIP4, VIP6};
use super::network::GATEWAYS;

/// How often a gateway is asked.
const STEP: Duration = Duration::from_millis(3);

/// The addresses, by family.
const ADDRESSES: [IpAddr; 2] = [IpAddr::V4(VIP4), IpAddr::V6(VIP6)];

/// A gateway has got an address, or has lost it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    pub(crate) at: Instant,
    pub(crate) gateway: usize,
    pub(crate) family: usize,
    pub(crate) has: bool,
}

/// Everything that has changed, and what is so now: gateways by families.
#[derive(Debug, Default)]
struct Book {
    changes: Vec<Change>,
    has: [[bool; 2]; GATEWAYS],
}

/// Watches all gateways until it goes.
#[derive(Debug)]
pub(crate) struct Owners {
    book: Arc<Mutex<Book>>,
    is_over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Owners {
    pub(crate) fn watch(gateways: &[Namespace; GATEWAYS]) -> Self {
        let (book, is_over) = (Arc::<Mutex<Book>>::default(), Arc::<AtomicBool>::default());
        let threads = gateways.iter().enumerate().map(|(gateway, namespace)| {
            let (book, is_over) = (Arc::clone(&book), Arc::clone(&is_over));
            // Threads are where the one is that started them.
            namespace.run(|| {
                thread::spawn(move || {
                    while !is_over.load(Ordering::Relaxed) {
                        look(gateway, &book);
                        pause(STEP);
                    }
                })
            })
        });
        let threads = threads.collect();
        Self { book, is_over, threads }
    }

    /// Whether this gateway has all addresses, and no other has any.
    pub(crate) fn are(&self, gateway: usize) -> bool {
        let has = self.book().has;
        (0..GATEWAYS).all(|other| has[other] == [other == gateway; 2])
    }

    /// Whether this gateway has all addresses, whoever else has.
    pub(crate) fn has(&self, gateway: usize) -> bool {
        self.book().has[gateway] == [true; 2]
    }

    /// Waits until this gateway has all addresses and no other has any; when that was so, if it came.
    pub(crate) fn wait_for(&self, gateway: usize) -> Option<Instant> {
        if !patiently(|| self.are(gateway)) {
            return None;
        }
        self.book().changes.last().map(|change| change.at)
    }

    /// What has changed since then.
    pub(crate) fn since(&self, then: Instant) -> Vec<Change> {
        self.book().changes.iter().filter(|change| change.at >= then).copied().collect()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().expect("whoever watches has not panicked")
    }
}

impl Drop for Owners {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let ended = thread.join();
            if let (Err(panic), false) = (ended, thread::panicking()) {
                std::panic::resume_unwind(panic);
            }
        }
    }
}

/// Looks at the gateway that this thread is on.
fn look(gateway: usize, book: &Mutex<Book>) {
    for (family, address) in ADDRESSES.iter().enumerate() {
        // What can be bound is an address of this machine.
        let has = UdpSocket::bind((*address, 0)).is_ok();
        let mut book = book.lock().expect("whoever watches has not panicked");
        if book.has[gateway][family] != has {
            book.has[gateway][family] = has;
            book.changes.push(Change { at: now(), gateway, family, has });
        }
    }
}

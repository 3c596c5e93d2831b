//! The thread that has the firewall forget clients: to go through all connections of a large gateway takes tenths
//! of a second, and no table is to wait for that.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, channel, sync_channel};
use std::time::Duration;

use mio::Waker;

use crate::dataplane::{DataPlane, Kill, Killed, TableError};
use crate::rule::Prefix;
use crate::sys::privilege::Rights;
use crate::sys::threads;
use crate::wait::WakesAtEnd;

/// What came of an order.
type Outcome = Result<Killed, TableError>;

/// The writer's end of the thread. It is given one order at a time, and ends with this.
#[derive(Debug)]
pub(super) struct Killing {
    orders: SyncSender<(Vec<Prefix>, Kill)>,
    outcomes: Receiver<Outcome>,
}

impl Killing {
    /// Starts the thread, which kills by `plane`; `wake` is woken when an order was carried out.
    ///
    /// # Errors
    /// When no thread can be had.
    pub(super) fn start(mut plane: Box<dyn DataPlane>, rights: Rights, wake: Arc<Waker>) -> io::Result<Self> {
        let (orders, given) = sync_channel::<(Vec<Prefix>, Kill)>(1);
        let (sender, outcomes) = channel();
        threads::start("kills", rights, move || {
            let _wakes = WakesAtEnd::new(wake.clone());
            for (addresses, what) in given {
                let _ = sender.send(plane.kill(&addresses, what));
                let _ = wake.wake();
            }
        })?;
        Ok(Self { orders, outcomes })
    }

    /// Gives an order; there must be none under way.
    pub(super) fn order(&self, addresses: Vec<Prefix>, what: Kill) {
        // Of a thread that is gone its outcome tells.
        let _ = self.orders.try_send((addresses, what));
    }

    /// What came of the order, if it was carried out.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        match self.outcomes.try_recv() {
            Ok(outcome) => Some(outcome),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(gone()),
        }
    }

    /// The same, for who has nothing else to do for so long.
    pub(super) fn wait(&self, patience: Duration) -> Option<Outcome> {
        match self.outcomes.recv_timeout(patience) {
            Ok(outcome) => Some(outcome),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(gone()),
        }
    }
}

/// Nothing but a defect ends the thread before the writer.
fn gone() -> Outcome {
    Err(TableError::Other("the thread that does it is gone; restart hfm".to_owned()))
}

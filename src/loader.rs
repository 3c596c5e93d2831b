//! The loader thread: reads and judges a configuration for a reload, and fits it into the slots of the present
//! one. It touches nothing that runs; what a reload leaves over is dropped here too.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use mio::Waker;

use crate::config::{Loaded, Report};
use crate::probe::Plan;
use crate::rule::{Rule, RuleId};
use crate::succession::Succession;
use crate::sys::privilege::Rights;
use crate::sys::{memory, threads};

/// Reads the configuration, as at the start.
pub type Read = Arc<dyn Fn() -> Result<Loaded, Box<Report>> + Send + Sync>;

/// The present rules, by slot, and which empty slots may be given away.
#[derive(Debug)]
struct Request {
    rules: Arc<[Rule]>,
    free: Vec<bool>,
}

/// What was made of a configuration that can be gone over to, and what there is to say of it; or what is wrong with the
/// file.
pub type Answer<P> = Result<Box<(P, Report)>, Box<Report>>;

/// What a reload leaves over.
#[derive(Debug, Default)]
pub struct Retired {
    /// Plans that no rule has any more.
    pub plans: Vec<Option<Plan>>,
    /// The rules of before.
    pub rules: Option<Arc<[Rule]>>,
}

/// What the thread is to do.
#[derive(Debug)]
enum Order {
    Read(Request),
    /// Where it holds up nobody.
    Drop(Retired),
}

/// The reactor's end of the thread, which is there from the start: making one takes longer than a run may be late.
#[derive(Debug)]
pub struct Loader<P> {
    orders: Sender<Order>,
    answers: Receiver<Answer<P>>,
    is_busy: bool,
}

impl<P: Send + 'static> Loader<P> {
    /// Starts the thread. It reads by `read`, makes by `prepare` of that all that can be made without what runs, and
    /// wakes `wake` when there is an answer.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start(read: Read, prepare: fn(Succession) -> P, wake: Arc<Waker>) -> io::Result<Self> {
        let (orders, to_do) = channel();
        let (done, answers) = channel();
        threads::start("loader", Rights::NONE, move || {
            // Runs that are due go before it, also where all share one core.
            threads::stand_back();
            while let Ok(order) = to_do.recv() {
                match order {
                    Order::Read(request) => {
                        let _ = done.send(load(&read, prepare, request));
                        let _ = wake.wake();
                    }
                    Order::Drop(retired) => {
                        drop(retired);
                        memory::trim();
                    }
                }
            }
        })?;
        Ok(Self { orders, answers, is_busy: false })
    }

    /// Whether an answer is waited for.
    pub fn is_busy(&self) -> bool {
        self.is_busy
    }

    /// Begins to read. `is_free` says of an empty slot whether a new rule may have it.
    ///
    /// # Errors
    /// When the thread is gone.
    pub fn read(&mut self, rules: Arc<[Rule]>, is_free: impl Fn(RuleId) -> bool) -> io::Result<()> {
        let free = (0..).map(RuleId).zip(rules.iter()).map(|(id, _)| is_free(id)).collect();
        let order = Order::Read(Request { rules, free });
        self.orders.send(order).map_err(|_| io::Error::other("the thread for that has ended"))?;
        self.is_busy = true;
        Ok(())
    }

    /// The answer, if it has come. Give back what it leaves over by [`retire`](Self::retire).
    pub fn poll_answer(&mut self) -> Option<Answer<P>> {
        self.answers.try_recv().ok()
    }

    /// The reload is over, one way or the other: this is left over.
    pub fn retire(&mut self, retired: Retired) {
        self.is_busy = false;
        // Without the thread it is dropped here.
        let _ = self.orders.send(Order::Drop(retired));
    }
}

fn load<P>(read: &Read, prepare: fn(Succession) -> P, request: Request) -> Answer<P> {
    let Loaded { configuration, plans, warnings, elsewhere, .. } = read()?;
    let Request { rules, free } = request;
    let is_free = |id: RuleId| free.get(id.index()).copied().unwrap_or(false);
    let succession = Succession::new(&rules, is_free, configuration, plans);
    Ok(Box::new((prepare(Succession { elsewhere, ..succession }), warnings)))
}

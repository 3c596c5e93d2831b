//! The loader thread: reads and judges a configuration for a reload, and fits it into the slots of the present
//! one. It touches nothing that runs; what a reload leaves over is dropped here too.

use std::fmt;
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

/// A configuration that can be gone over to, and what there is to say of it; or what is wrong with the file.
pub type Answer = Result<Box<(Succession, Report)>, Box<Report>>;

/// What a reload leaves over.
#[derive(Debug, Default)]
pub struct Retired {
    /// Plans that no rule has any more.
    pub plans: Vec<Option<Plan>>,
    /// The rules of before.
    pub rules: Option<Arc<[Rule]>>,
}

/// The reactor's end of the thread, which is there while a reload goes on.
pub struct Loader {
    read: Read,
    wake: Arc<Waker>,
    under_way: Option<UnderWay>,
}

#[derive(Debug)]
struct UnderWay {
    answer: Receiver<Answer>,
    retired: Sender<Retired>,
}

impl fmt::Debug for Loader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loader").field("under_way", &self.under_way).finish_non_exhaustive()
    }
}

impl Loader {
    /// Reads by `read`; `wake` is woken when there is an answer.
    pub fn new(read: Read, wake: Arc<Waker>) -> Self {
        Self { read, wake, under_way: None }
    }

    /// Whether an answer is waited for.
    pub fn is_busy(&self) -> bool {
        self.under_way.is_some()
    }

    /// Begins to read. `is_free` says of an empty slot whether a new rule may have it.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start(&mut self, rules: Arc<[Rule]>, is_free: impl Fn(RuleId) -> bool) -> io::Result<()> {
        let free = (0..).map(RuleId).zip(rules.iter()).map(|(id, _)| is_free(id)).collect();
        let (answers, answer) = channel();
        let (retired, leftovers) = channel::<Retired>();
        let (read, wake, request) = (self.read.clone(), self.wake.clone(), Request { rules, free });
        threads::start("loader", Rights::NONE, move || {
            // Runs that are due go before it, also where all share one core.
            threads::stand_back();
            let _ = answers.send(load(&read, request));
            let _ = wake.wake();
            // Dropped where it holds up nobody.
            drop(leftovers.recv());
            memory::trim();
        })?;
        self.under_way = Some(UnderWay { answer, retired });
        Ok(())
    }

    /// The answer, if it has come. Give back what it leaves over by [`retire`](Self::retire).
    pub fn poll_answer(&mut self) -> Option<Answer> {
        self.under_way.as_ref()?.answer.try_recv().ok()
    }

    /// The reload is over, one way or the other: this is left over.
    pub fn retire(&mut self, retired: Retired) {
        if let Some(under_way) = self.under_way.take() {
            let _ = under_way.retired.send(retired);
        }
    }
}

fn load(read: &Read, request: Request) -> Answer {
    let Loaded { configuration, plans, warnings, .. } = read()?;
    let Request { rules, free } = request;
    let is_free = |id: RuleId| free.get(id.index()).copied().unwrap_or(false);
    Ok(Box::new((Succession::new(&rules, is_free, configuration, plans), warnings)))
}

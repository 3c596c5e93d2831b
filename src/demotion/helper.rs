//! The process that holds what was demoted: it alone touches the counter, the file and the record, and it takes
//! everything back when nobody is there any more for whom it holds that.
//!
//! ```text
//!             Begin            Want             the socket ends         grace is over
//!   waiting ---------> holding -----> holding ------------------> alone ---------------> takes back, ends
//!      |                  | Release                                 | SIGUSR1: another takes over
//!      v the socket ends  v                                         v
//!     ends         takes back, ends                      ends, and leaves all as it is
//! ```
//!
//! Only the end of the socket tells that its hfm has ended, so it does not matter how. Signals mean nothing while there
//! is an hfm: afterwards SIGTERM says that grace is over, and SIGUSR1 that the helper of another hfm of the same
//! directory waits. That is sent again and again, and believed if there is one.

mod signals;
mod takeover;

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::panic;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use self::signals::Signals;
use self::takeover::Taken;
use super::counter::Disk;
pub use super::counter::NotRecorded;
use super::ledger::{Files, Ledger, Place};
use super::protocol::{self, Lines, News, Order, Shares};
use super::record::total;
use crate::sys::syslog::{self, Facility, Severity};
use crate::sys::{boot, helper};

pub use super::ledger::{Counter, Target};

/// How long what is demoted outlives an hfm, for the next one to take over.
pub const GRACE: Duration = Duration::from_secs(10);
/// When it is tried again, what could not be done.
const RETRY: Duration = Duration::from_secs(1);
/// What process lists and the system's log call it.
const NAME: &std::ffi::CStr = c"hfm-demotion";

/// A helper, as its hfm sees it.
#[derive(Debug)]
pub struct Helper {
    /// [Orders](Order) go this way, and [News] come. That it ends means that the helper has.
    pub socket: UnixStream,
    /// Its number. It is no child of this process, and nobody has to wait for it.
    pub pid: u32,
}

/// Forks a helper. To be called before any thread is started, and with all rights that shares need.
///
/// # Errors
/// When no process can be had.
pub fn start(target: Target, grace: Duration) -> io::Result<Helper> {
    start_on(target, grace, Box::new(Disk))
}

/// The same, on other files than those of this machine: on such as end the process at a given step, say.
///
/// # Errors
/// When no process can be had.
pub fn start_on(target: Target, grace: Duration, files: Box<dyn Files>) -> io::Result<Helper> {
    // The helper leaves this directory, which is not to be kept from being unmounted.
    let directory = std::env::current_dir()?;
    let forked = helper::start(NAME, move |socket, alone| {
        if let Some(facility) = Facility::by_name("daemon") {
            syslog::open(NAME, facility);
        }
        // Nobody reads its standard error.
        panic::set_hook(Box::new(|defect| syslog::send(Severity::Error, &format!("{defect}; restart hfm"))));
        let signals = alone.and_then(|()| Signals::new());
        match signals {
            Ok(signals) => {
                Process::new(socket, signals, grace, Hold::Nothing { target, files, directory }).run()
            }
            Err(error) => tell(&socket, &News::CannotBegin { why: format!("the helper process: {error}") }),
        }
    })?;
    Ok(Helper { socket: forked.socket, pid: forked.pid })
}

/// Whether the process goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    GoOn,
    End,
}

/// What the process has in hand.
enum Hold {
    /// Nothing yet, and these to begin with; paths of hfm are relative to the directory.
    Nothing { target: Target, files: Box<dyn Files>, directory: PathBuf },
    /// All that was put in.
    Shares(Held),
    /// It could not begin.
    Never,
}

struct Held {
    ledger: Ledger,
    /// Nobody else has the directory.
    taken: Taken,
}

/// The process.
struct Process {
    /// `None` once its hfm has ended.
    socket: Option<UnixStream>,
    lines: Lines<Order>,
    signals: Signals,
    grace: Duration,
    hold: Hold,
    /// When it takes everything back, or tries that again.
    take_back_at: Option<Instant>,
    /// hfm has asked for that.
    is_asked: bool,
    /// It was said that it cannot be done.
    has_complained: bool,
}

impl Process {
    fn new(socket: UnixStream, signals: Signals, grace: Duration, hold: Hold) -> Self {
        Self {
            socket: Some(socket),
            lines: Lines::default(),
            signals,
            grace,
            hold,
            take_back_at: None,
            is_asked: false,
            has_complained: false,
        }
    }

    fn run(mut self) {
        loop {
            let streams = [self.socket.as_ref().map(UnixStream::as_fd), Some(self.signals.as_fd())];
            let heard = match helper::wait_readable(streams, self.milliseconds()) {
                Ok([heard, _]) => heard,
                // Whoever ends now leaves its share to nobody.
                Err(_) => {
                    pause(RETRY);
                    false
                }
            };
            // What came while there was an hfm still means nothing.
            let was_alone = self.socket.is_none();
            if heard && self.listen() == Flow::End {
                return;
            }
            let asked = self.signals.take();
            if was_alone {
                if asked.to_leave && self.is_waited_for() {
                    return;
                }
                if asked.to_end {
                    self.take_back_at = Some(now());
                }
            }
            if self.do_what_is_due() == Flow::End {
                return;
            }
        }
    }

    /// Whether the helper of another hfm wants to take over: the signal for that is one that operators send to hfm,
    /// and some to everything that has its name.
    fn is_waited_for(&self) -> bool {
        matches!(&self.hold, Hold::Shares(held) if held.taken.is_waited_for())
    }

    /// How long it may wait; -1 is for ever.
    fn milliseconds(&self) -> i32 {
        let is_behind = matches!(&self.hold, Hold::Shares(held) if held.ledger.is_behind());
        let retry = is_behind.then_some(RETRY);
        let due = self.take_back_at.map(|at| at.saturating_duration_since(now()));
        // Rounded up: it is over when it is over.
        let up = |wait: Duration| i32::try_from(wait.as_millis().saturating_add(1)).unwrap_or(i32::MAX);
        due.into_iter().chain(retry).min().map_or(-1, up)
    }

    /// Takes what hfm says.
    fn listen(&mut self) -> Flow {
        let Some(mut socket) = self.socket.as_ref() else { return Flow::GoOn };
        let mut bytes = [0; 16 * 1024];
        match socket.read(&mut bytes) {
            Ok(0) => return self.hfm_has_ended(),
            Ok(length) => self.lines.push(&bytes[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Flow::GoOn,
            Err(_) => return self.hfm_has_ended(),
        }
        while self.socket.is_some() {
            let order = match self.lines.poll_message() {
                Ok(Some(order)) => order,
                Ok(None) => return Flow::GoOn,
                Err(error) => {
                    // hfm sees that nobody listens to it any more.
                    syslog::send(Severity::Error, &format!("from hfm: {error}; restart hfm"));
                    return self.hfm_has_ended();
                }
            };
            match order {
                Order::Begin { state_dir } => {
                    if self.begin(&state_dir) == Flow::End {
                        return Flow::End;
                    }
                }
                Order::Want { ticket, shares } => {
                    let news = self.change(ticket, shares);
                    self.tell(&news);
                }
                Order::Release => {
                    self.is_asked = true;
                    self.take_back_at = Some(now());
                }
            }
        }
        Flow::GoOn
    }

    fn begin(&mut self, state_dir: &str) -> Flow {
        let (target, files, directory) = match std::mem::replace(&mut self.hold, Hold::Never) {
            Hold::Nothing { target, files, directory } => (target, files, directory),
            hold @ (Hold::Shares(_) | Hold::Never) => {
                self.hold = hold;
                // Who asks for that twice has lost its way.
                syslog::send(Severity::Error, "from hfm: to begin once more; restart hfm");
                return self.hfm_has_ended();
            }
        };
        let Some(hfm) = &self.socket else { return Flow::End };
        match begin(&directory.join(state_dir), target, files, hfm.as_fd()) {
            Ok((held, remarks)) => {
                self.tell(&News::Began { shares: held.ledger.shares().clone(), remarks });
                self.hold = Hold::Shares(held);
                Flow::GoOn
            }
            Err(CannotBegin { why, left }) => {
                self.tell(&News::CannotBegin { why });
                // Whoever had the directory before was sent away: what it left is ours to take back.
                let Some(held) = left else { return Flow::End };
                self.hold = Hold::Shares(*held);
                self.hfm_has_ended()
            }
        }
    }

    fn change(&mut self, ticket: u64, shares: Shares) -> News {
        let changed = match &mut self.hold {
            Hold::Shares(held) => held.ledger.change(shares),
            Hold::Nothing { .. } | Hold::Never => Err("it has not begun".to_owned()),
        };
        match changed {
            Ok(total) => News::Done { ticket, total: total.into() },
            Err(why) => News::Failed { ticket, why },
        }
    }

    fn hfm_has_ended(&mut self) -> Flow {
        self.socket = None;
        let Hold::Shares(Held { ledger, .. }) = &self.hold else { return Flow::End };
        if !self.is_asked {
            // Without anything to take back, there is but the record to be removed.
            let grace = if ledger.is_empty() { Duration::ZERO } else { self.grace };
            self.take_back_at = now().checked_add(grace);
        }
        Flow::GoOn
    }

    fn do_what_is_due(&mut self) -> Flow {
        let due = self.take_back_at.is_some_and(|at| at <= now());
        let Hold::Shares(Held { ledger, .. }) = &mut self.hold else {
            if due {
                self.tell(&News::Released);
            }
            return if due { Flow::End } else { Flow::GoOn };
        };
        if !due {
            if ledger.is_behind() {
                ledger.catch_up();
            }
            return Flow::GoOn;
        }
        let held = total(ledger.shares());
        match ledger.release() {
            Ok(()) => {
                if held > 0 && !self.is_asked {
                    let line = format!(
                        "hfm has ended and none has taken over: its share of {held} of the demotion is taken back"
                    );
                    syslog::send(Severity::Warning, &line);
                }
                self.tell(&News::Released);
                Flow::End
            }
            Err(why) => {
                if !std::mem::replace(&mut self.has_complained, true) {
                    let line = format!(
                        "cannot take back hfm's share of {held} of the demotion: {why}; it is tried again every second"
                    );
                    syslog::send(Severity::Error, &line);
                    // An order that has no ticket is what it answers to.
                    self.tell(&News::Failed { ticket: 0, why });
                }
                self.take_back_at = now().checked_add(RETRY);
                Flow::GoOn
            }
        }
    }

    fn tell(&self, news: &News) {
        if let Some(socket) = &self.socket {
            tell(socket, news);
        }
    }
}

/// Why a helper does not begin.
struct CannotBegin {
    why: String,
    /// What it has in hand all the same.
    left: Option<Box<Held>>,
}

impl From<String> for CannotBegin {
    fn from(why: String) -> Self {
        Self { why, left: None }
    }
}

/// Has what was left to be found in a directory, once nobody else has that; and what an operator should know.
fn begin(
    state_dir: &Path,
    target: Target,
    files: Box<dyn Files>,
    hfm: BorrowedFd<'_>,
) -> Result<(Held, Vec<String>), CannotBegin> {
    let boot = boot::identity().map_err(|error| format!("cannot tell which boot this is: {error}"))?;
    let tracked = match &target {
        Target::Counter(_) => None,
        Target::File(path) => Some(path.clone()),
    };
    let place = Place { state_dir: state_dir.to_owned(), boot, open: Box::new(Target::by_name) };
    let mut ledger = Ledger::new(files, target, place);
    // Whoever has the shares now is not sent away for one that could not hold them.
    ledger.try_out()?;
    let taken = takeover::take(state_dir, tracked.as_deref(), hfm)?;
    let mut remarks = Vec::new();
    let begun = ledger.begin(&mut remarks);
    let has_left = !ledger.is_empty();
    let held = Held { ledger, taken };
    match begun {
        Ok(()) => Ok((held, remarks)),
        Err(why) => Err(CannotBegin { why, left: has_left.then(|| Box::new(held)) }),
    }
}

/// Whoever does not hear it any more is about to be found to have ended.
fn tell(mut socket: &UnixStream, news: &News) {
    let _ = socket.write_all(&protocol::encode(news));
}

#[expect(clippy::disallowed_methods, reason = "a process of its own, with a loop of its own")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "a process of its own, where nothing else can be waited for")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

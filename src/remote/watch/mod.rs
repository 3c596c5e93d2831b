//! `status -w`: the same again and again. On a terminal it is redrawn in place, and hfm may come and go.

mod screen;
mod signals;

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, raise};

use super::ask::{self, Outcome};
use super::command_line::{Form, Task};
use super::connect::{Connection, wait};
use super::render::{Renderer, Told};
use super::trouble::Trouble;
use super::view::{self, View};
use super::{complain, say};
use crate::reactor;
use screen::{Screen, Shown};
use signals::{Came, Signals};

/// A watch that goes on.
#[derive(Debug)]
struct Watch<'a> {
    task: &'a Task,
    every: Duration,
    signals: Signals,
    /// None where nothing can be redrawn, and each table follows the one before.
    screen: Option<Screen>,
    /// The last answer, and what is wrong since then.
    shown: Option<Shown>,
}

/// Asks every so often until a signal ends it. The first time there has to be an answer; later hfm may go away
/// and come back.
pub(super) fn run(task: &Task, every: Duration) -> Result<Outcome, Trouble> {
    let signals = Signals::new().map_err(Trouble::Signals)?;
    let is_drawn = task.form == Form::Text && view::can_redraw(|name| std::env::var(name).ok());
    let mut watch = Watch { task, every, signals, screen: is_drawn.then(Screen::default), shown: None };
    let outcome = watch.rounds();
    // However it ends, the terminal is as it was.
    let restored = watch.screen.map_or(Ok(()), |mut screen| say(screen.leave()));
    outcome.and_then(|outcome| restored.map(|()| outcome).map_err(Trouble::Output))
}

impl Watch<'_> {
    fn rounds(&mut self) -> Result<Outcome, Trouble> {
        loop {
            let begun = reactor::now().mono;
            let mut renderer = ask::renderer(self.task);
            let mut told = Told::default();
            match self.ask(&mut renderer, &mut told) {
                Ok(Outcome::Done) => self.answered(renderer, &told)?,
                Ok(Outcome::Refused) if self.shown.is_none() => {
                    ask::print(&told)?;
                    return Ok(Outcome::Refused);
                }
                Ok(Outcome::Refused) => self.failed(&told.complaint),
                // What came is looked at below.
                Err(Trouble::Interrupted) => {}
                Err(trouble) if self.shown.is_none() => return Err(trouble),
                Err(trouble) => self.failed(&format!("hfmctl: {trouble}\n")),
            }
            if self.pause(begun + self.every)? == Came::Stop {
                return Ok(Outcome::Done);
            }
        }
    }

    /// On a connection of its own each time: one that is idle for long is closed by hfm, or goes with it.
    fn ask(&self, renderer: &mut Renderer, told: &mut Told) -> Result<Outcome, Trouble> {
        let interrupt = self.signals.stream().try_clone().map_err(Trouble::Signals)?;
        let mut connection = Connection::open(&self.task.socket, self.task.silence, Some(interrupt))?;
        ask::answer(&mut connection, self.task, renderer, &mut |more| {
            told.out.push_str(&more.out);
            told.complaint.push_str(&more.complaint);
            Ok(())
        })
    }

    fn answered(&mut self, renderer: Renderer, told: &Told) -> Result<(), Trouble> {
        if self.screen.is_none() {
            let is_after_another = self.shown.is_some() && self.task.form == Form::Text;
            let gap = if is_after_another { "\n" } else { "" };
            say(&format!("{gap}{}", told.out)).map_err(Trouble::Output)?;
            complain(&told.complaint);
        }
        self.shown = Some(Shown { renderer, at: reactor::now(), trouble: None });
        Ok(())
    }

    fn failed(&mut self, complaint: &str) {
        if self.screen.is_none() {
            complain(complaint);
        }
        if let Some(shown) = &mut self.shown {
            shown.trouble = Some(complaint.to_owned());
        }
    }

    /// Draws, and waits until the next round is due or a signal ends it all.
    fn pause(&mut self, until: Instant) -> Result<Came, Trouble> {
        loop {
            self.draw()?;
            match self.signals.take() {
                Came::Stop => return Ok(Came::Stop),
                Came::Suspend => self.suspend()?,
                Came::Resized | Came::Nothing => {
                    let left = until.saturating_duration_since(reactor::now().mono);
                    if left.is_zero() {
                        return Ok(Came::Nothing);
                    }
                    wait(None, Some(self.signals.stream()), left).map_err(Trouble::Signals)?;
                }
            }
        }
    }

    fn draw(&mut self) -> Result<(), Trouble> {
        let (Some(screen), Some(shown)) = (&mut self.screen, &self.shown) else { return Ok(()) };
        let view = View::of_stdout(|name| std::env::var(name).ok());
        let frame = screen.draw(shown, self.task, self.every, view, reactor::now());
        say(&frame).map_err(Trouble::Output)
    }

    /// Stops as Ctrl-Z asks for, on a terminal as it was, until somebody has it go on.
    fn suspend(&mut self) -> Result<(), Trouble> {
        if let Some(screen) = &mut self.screen {
            say(screen.leave()).map_err(Trouble::Output)?;
        }
        raise(Signal::SIGSTOP).map_err(|errno| Trouble::Signals(errno.into()))
    }
}

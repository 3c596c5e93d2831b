//! `hfm demo`: everything on one machine, without rights and without a file. Three small HTTPS backends in
//! this process break one after the other, and the terminal shows how soon hfm finds out.
//!
//! [`Demo`] holds what is the demo's alone: backends, script and screen. Engine, probes and writer are the
//! daemon's own, and its reactor runs them. Whoever watches that calls [`Demo::handle_timeout`] when
//! [`Demo::deadline`] has come, and hands on to [`Demo::seen`] what there was to see.

mod arguments;
pub mod backend;
mod behaviour;
mod certificates;
mod configuration;
mod run;
pub mod screen;
pub mod script;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

pub use arguments::{Arguments, UsageError, parse, usage};
pub use backend::Backend;
pub use behaviour::Behaviour;
pub use certificates::Authority;
pub use configuration::{MIN_UP, Memory, NAME, TABLE};
pub use run::{DemoError, run};

use crate::engine::Change;
use crate::now::Now;
use crate::reactor::Seen;
use crate::rule::Prefix;
use crate::writer::Written;
use screen::{Cast, Event, Form, Screen, Shown, Size};
use script::BACKENDS;

/// A live view is drawn at least this often.
const REDRAW_EVERY: Duration = Duration::from_millis(100);

/// The demo but for the loop that runs it.
#[derive(Debug)]
pub struct Demo<W: Write> {
    authority: Authority,
    backends: Vec<Backend>,
    screen: Screen,
    /// What the table holds.
    contents: Vec<Prefix>,
    out: W,
    /// Nobody reads any more.
    is_closed: bool,
    /// Where the status page is served.
    listen: SocketAddr,
    duration: Option<Duration>,
    started: Instant,
    /// The next step of the script.
    step: u64,
    redraw_at: Instant,
}

impl<W: Write> Demo<W> {
    /// Starts the backends, which all behave well. Nothing is printed yet. The status page is to be served at `listen`.
    ///
    /// # Errors
    /// When no descriptors, threads or ports can be had.
    pub fn new(arguments: &Arguments, listen: SocketAddr, form: Form, out: W, now: Now) -> io::Result<Self> {
        let authority = Authority::new(now.wall)?;
        let start = |number| Backend::start(&configuration::host_name(number), &authority);
        let backends = (0..BACKENDS).map(start).collect::<io::Result<Vec<_>>>()?;
        let shown = (0..BACKENDS).map(|number| Shown {
            name: configuration::rule_name(number),
            address: configuration::address(number),
        });
        let screen = Screen::new(
            form,
            Cast {
                backends: shown.collect(),
                table: TABLE.to_owned(),
                min_up: MIN_UP,
                until: arguments.duration,
            },
        );
        Ok(Self {
            authority,
            backends,
            screen,
            contents: Vec::new(),
            out,
            is_closed: false,
            listen,
            duration: arguments.duration,
            started: now.mono,
            step: 0,
            redraw_at: now.mono,
        })
    }

    /// Prints what the demo is, and begins: times count from now on.
    pub fn begin(&mut self, now: Instant) {
        (self.started, self.redraw_at) = (now, now + REDRAW_EVERY);
        let mut text = "hfm demo: three backends of this process and one table. \
                        This is the whole configuration:\n\n"
            .to_owned();
        for line in self.configuration().lines() {
            text.push_str(&format!("    {line}\n"));
        }
        text.push_str(&format!("\nThe status page: http://{}/\n\n", self.listen));
        text.push_str(&self.screen.take(&Event::Started));
        self.print(&text);
    }

    /// Does what is due: the script's next steps, and drawing. To be called at [`Demo::deadline`]; harmless
    /// before.
    ///
    /// # Errors
    /// When a backend cannot be told any more what to do.
    pub fn handle_timeout(&mut self, now: Instant) -> io::Result<()> {
        loop {
            let step = script::step(self.step);
            if self.started + step.at > now {
                break;
            }
            self.step += 1;
            let at = self.at(self.backends[step.backend].set(step.behaviour)?);
            let (backend, behaviour) = (step.backend, step.behaviour);
            self.tell(&match behaviour {
                Behaviour::Well => Event::Healed { backend, at },
                Behaviour::Refuses
                | Behaviour::Hangs
                | Behaviour::Unavailable503
                | Behaviour::Expired
                | Behaviour::Drips => Event::Broke { backend, behaviour, at },
            });
        }
        if now >= self.redraw_at {
            self.redraw_at = now + REDRAW_EVERY;
            let text = self.screen.tick(self.at(now));
            self.print(&text);
        }
        Ok(())
    }

    /// The reactor's watcher saw something.
    pub fn seen(&mut self, seen: &Seen) {
        match seen {
            Seen::Changed(change, at) => self.changed(change, *at),
            Seen::Written(written) => self.written(written),
        }
    }

    /// The engine changed a rule's state.
    fn changed(&mut self, change: &Change, now: Instant) {
        // Rules stand in the order of the backends.
        let backend = change.run.rule.index();
        let (reason, detail) = (change.verdict.reason(), change.verdict.to_string());
        self.tell(&Event::Changed { backend, to: change.to, reason, detail, at: self.at(now) });
    }

    /// The writer wrote the table, which was empty at first and has no other hand in it.
    fn written(&mut self, written: &Written) {
        self.contents.retain(|address| !written.removed.contains(address));
        self.contents.extend(&written.added);
        self.contents.sort_unstable();
        self.contents.dedup();
        self.tell(&Event::Written { contents: self.contents.clone(), at: self.at(written.at) });
    }

    /// The terminal's size is this now. Cheap when it is no other than before.
    pub fn resized(&mut self, size: Size, now: Instant) {
        let text = self.screen.resize(size, self.at(now));
        self.print(&text);
    }

    /// The end, however it comes: gives the terminal back and prints the summary.
    pub fn end(&mut self, now: Instant) {
        let text = self.screen.end(self.at(now));
        self.print(&text);
    }

    /// When [`Demo::handle_timeout`] is to be called next; to be asked again after each call of anything.
    pub fn deadline(&self) -> Instant {
        let step = self.started + script::step(self.step).at;
        let end = self.duration.and_then(|duration| self.started.checked_add(duration));
        step.min(self.redraw_at).min(end.unwrap_or(step))
    }

    /// Whether the time of `-t` is over, or nobody reads any more.
    pub fn is_over(&self, now: Instant) -> bool {
        self.is_closed || self.duration.is_some_and(|duration| self.at(now) >= duration)
    }

    /// The text of the whole configuration.
    pub fn configuration(&self) -> String {
        configuration::text(&self.backends, self.listen)
    }

    /// The configuration, under [`NAME`], and the files that it names.
    pub fn files(&self) -> Memory {
        Memory { configuration: self.configuration(), authority: self.authority.pem() }
    }

    fn tell(&mut self, event: &Event) {
        let text = self.screen.take(event);
        self.print(&text);
    }

    fn print(&mut self, text: &str) {
        if !text.is_empty() {
            let outcome = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
            self.is_closed |= outcome.is_err();
        }
    }

    fn at(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.started)
    }
}

#[cfg(test)]
mod tests;

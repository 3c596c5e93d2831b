//! What has happened so far, and the sentence that each event adds.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::times::{Times, Took};
use super::{Cast, Event};
use crate::demo::behaviour::Behaviour;
use crate::health::State;
use crate::rule::Prefix;

/// Everything that has been told.
#[derive(Debug)]
pub(super) struct Story {
    pub(super) cast: Cast,
    pub(super) backends: Vec<Backend>,
    /// What the table holds; nothing is known before the first write.
    pub(super) contents: Option<Vec<Prefix>>,
    /// The latest event.
    pub(super) at: Duration,
    pub(super) breakages: usize,
    /// Breakages that ended before anybody noticed.
    pub(super) missed: usize,
    /// Failures of backends that were not broken.
    pub(super) unasked: usize,
    /// From a breakage to the write without its address.
    pub(super) out: BTreeMap<Behaviour, Times>,
    /// Breakages whose address `min_up` held in the table.
    pub(super) held: BTreeMap<Behaviour, usize>,
    /// From healing to the write with its address.
    pub(super) back: Times,
}

/// What is known of a backend.
#[derive(Clone, Debug)]
pub(super) struct Backend {
    /// What is wrong with it right now.
    pub(super) behaviour: Behaviour,
    pub(super) state: State,
    /// How long the latest breakage took to be acted on.
    pub(super) detected: Option<Duration>,
    pub(super) is_held: bool,
    awaited: Awaited,
    /// Why it is down: `http-status, status 503, wanted 200-399`.
    why: String,
}

/// What the table has yet to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    Nothing,
    /// That it lacks the address; broken since.
    Out(Duration),
    /// That it has the address again; healed since.
    Back(Duration),
}

impl Story {
    pub(super) fn new(cast: Cast) -> Self {
        let backend = Backend {
            behaviour: Behaviour::Well,
            state: State::Unknown,
            detected: None,
            is_held: false,
            awaited: Awaited::Nothing,
            why: String::new(),
        };
        let backends = vec![backend; cast.backends.len()];
        Self {
            cast,
            backends,
            contents: None,
            at: Duration::ZERO,
            breakages: 0,
            missed: 0,
            unasked: 0,
            out: BTreeMap::new(),
            held: BTreeMap::new(),
            back: Times::default(),
        }
    }

    /// Lines, each with its end, in the order in which they are to be told.
    pub(super) fn take(&mut self, event: &Event) -> Vec<String> {
        match event {
            Event::Started => Vec::new(),
            Event::Broke { backend, behaviour, at } => self.broke(*backend, *behaviour, *at),
            Event::Healed { backend, at } => self.healed(*backend, *at),
            Event::Changed { backend, to, reason, detail, at } => {
                self.at = *at;
                self.changed(*backend, *to, &format!("{reason}, {detail}"))
            }
            Event::Written { contents, at } => self.written(contents, *at),
        }
    }

    fn broke(&mut self, number: usize, behaviour: Behaviour, at: Duration) -> Vec<String> {
        self.at = at;
        let is_out = self.contents.is_some() && !self.holds(number);
        let Some(backend) = self.backends.get_mut(number) else { return Vec::new() };
        backend.behaviour = behaviour;
        // One that is out already, for whatever reason, has nothing to show.
        if !is_out {
            self.breakages += 1;
            backend.detected = None;
            backend.awaited = Awaited::Out(at);
        }
        vec![self.line(number, behaviour.words())]
    }

    fn healed(&mut self, number: usize, at: Duration) -> Vec<String> {
        self.at = at;
        let is_in = self.holds(number);
        let Some(backend) = self.backends.get_mut(number) else { return Vec::new() };
        // Nobody has noticed that it was broken.
        self.missed += usize::from(matches!(backend.awaited, Awaited::Out(_)) && !backend.is_held);
        backend.behaviour = Behaviour::Well;
        backend.awaited = if is_in { Awaited::Nothing } else { Awaited::Back(at) };
        vec![self.line(number, "is healed")]
    }

    fn changed(&mut self, number: usize, to: State, why: &str) -> Vec<String> {
        let is_in = self.holds(number);
        let stay = self.contents.as_ref().is_some_and(|contents| contents.len() <= self.cast.min_up);
        let Some(backend) = self.backends.get_mut(number) else { return Vec::new() };
        backend.state = to;
        let was_held = std::mem::take(&mut backend.is_held);
        let said = match to {
            State::Unknown => return Vec::new(),
            State::Success if was_held => format!("is up again, and never left table {}", self.cast.table),
            // The table tells.
            State::Success => return Vec::new(),
            State::Fail => {
                backend.why = harmless(why);
                let is_asked = backend.behaviour != Behaviour::Well;
                self.unasked += usize::from(!is_asked);
                if is_in && stay {
                    backend.is_held = true;
                    let took = match backend.awaited {
                        Awaited::Out(since) => {
                            *self.held.entry(backend.behaviour).or_default() += 1;
                            let took = self.at.saturating_sub(since);
                            backend.detected = Some(took);
                            format!(" after {}", Took(took))
                        }
                        Awaited::Nothing | Awaited::Back(_) => String::new(),
                    };
                    // What becomes of the table later is not its own doing.
                    backend.awaited = Awaited::Nothing;
                    let min_up = self.cast.min_up;
                    let why = &backend.why;
                    format!("is down{took}, and stays in as min_up = {min_up}: {why}")
                } else if is_asked {
                    return Vec::new();
                } else {
                    format!("fails unasked: {}", backend.why)
                }
            }
        };
        vec![self.line(number, &said)]
    }

    fn written(&mut self, contents: &[Prefix], at: Duration) -> Vec<String> {
        self.at = at;
        let mut now = contents.to_vec();
        now.sort_unstable();
        let before = self.contents.replace(now).unwrap_or_default();
        let mut said = Vec::new();
        for number in 0..self.backends.len() {
            let address = self.cast.backends[number].address;
            let (was_in, is_in) = (before.contains(&address), self.holds(number));
            let backend = &mut self.backends[number];
            match (backend.awaited, is_in) {
                (Awaited::Out(since), false) => {
                    let took = at.saturating_sub(since);
                    backend.awaited = Awaited::Nothing;
                    backend.detected = Some(took);
                    self.out.entry(backend.behaviour).or_default().add(took);
                    let why = &backend.why;
                    said.push((number, format!("left the table after {}: {why}", Took(took))));
                }
                (Awaited::Back(since), true) => {
                    let took = at.saturating_sub(since);
                    backend.awaited = Awaited::Nothing;
                    self.back.add(took);
                    said.push((number, format!("is back in the table after {}", Took(took))));
                }
                (_, false) if was_in => {
                    backend.is_held = false;
                    said.push((number, format!("left the table: {}", backend.why)));
                }
                (_, true) if !was_in => said.push((number, "joined the table".to_owned())),
                (Awaited::Nothing | Awaited::Out(_) | Awaited::Back(_), _) => {}
            }
        }
        let table = self.table();
        said.iter().map(|(number, said)| self.line(*number, &format!("{said}; {table}"))).collect()
    }

    /// `table web: 192.0.2.1 192.0.2.3`.
    pub(super) fn table(&self) -> String {
        let mut text = format!("table {}:", self.cast.table);
        match self.contents.as_deref() {
            None => text.push_str(" not known yet"),
            Some([]) => text.push_str(" empty"),
            Some(contents) => contents.iter().for_each(|address| text.push_str(&format!(" {address}"))),
        }
        text
    }

    /// Whether the table has the address of a backend.
    pub(super) fn holds(&self, number: usize) -> bool {
        let Some(shown) = self.cast.backends.get(number) else { return false };
        self.contents.as_ref().is_some_and(|contents| contents.contains(&shown.address))
    }

    fn line(&self, number: usize, said: &str) -> String {
        let name = self.cast.backends.get(number).map_or("", |backend| &backend.name);
        format!("{} {name} {said}\n", At(self.at))
    }
}

/// A moment of the demo, in a column of its own.
struct At(Duration);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>7.3} s ", self.0.as_secs_f64())
    }
}

/// Words that may have come from outside can neither end a line nor steer a terminal.
fn harmless(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            c if c.is_control() => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out
}

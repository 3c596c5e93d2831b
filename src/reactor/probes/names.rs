//! The addresses of names: asked at the start and every so often, the last good answer kept.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::probe::Plan;
use crate::resolver::{Answer, Resolver};
use crate::rule::{Family, Peer, RuleId, RunId};
use crate::verdict::Text;

/// A name that was never found is asked for again after this, or earlier where `resolve` says so.
const RETRY: Duration = Duration::from_secs(1);

/// All names, and which rule goes by which.
#[derive(Debug, Default)]
pub(super) struct Names {
    names: Vec<Name>,
    /// By rule, up to the last that has a name.
    users: Vec<Option<User>>,
    /// When which name is to be asked for again.
    due: BinaryHeap<Reverse<(Instant, u32)>>,
}

#[derive(Debug)]
struct Name {
    name: Box<str>,
    every: Duration,
    /// The last good answer.
    found: Vec<IpAddr>,
    /// What the last lookup said if it found nothing; `None` before the first answer.
    fault: Option<Text>,
    is_asked: bool,
    /// It stands in `due`.
    is_queued: bool,
    /// Some rule goes by it.
    is_used: bool,
    /// Runs that wait for the first answer.
    waiting: Vec<RunId>,
}

/// A rule that goes by a name.
#[derive(Clone, Copy, Debug)]
struct User {
    name: u32,
    port: u16,
    family: Family,
    /// Kept while the name has it.
    current: Option<IpAddr>,
}

/// What is known of a rule's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Where to connect to.
    Address(SocketAddr),
    /// It is being asked for.
    Asking,
    /// It never was found: why.
    Nothing(Text),
}

impl Names {
    /// Takes in the names of all plans.
    pub(super) fn new(plans: &[Option<Plan>]) -> Self {
        let mut names = Self::default();
        names.reload(plans);
        names
    }

    /// The same when there are others: what is known of a name that is still used stays known.
    pub(super) fn reload(&mut self, plans: &[Option<Plan>]) {
        let mut before = std::mem::take(&mut self.users).into_iter();
        let numbered = self.names.iter().zip(0..);
        let mut known: HashMap<Box<str>, u32> =
            numbered.map(|(name, number)| (name.name.clone(), number)).collect();
        self.names.iter_mut().for_each(|name| (name.is_used, name.every) = (false, Duration::MAX));
        for plan in plans.iter().flatten() {
            if let Peer::Name(name, _) = &plan.peer
                && let Some(number) = known.get(name)
            {
                self.names[*number as usize].is_used = true;
            }
        }
        let mut free = self.free();
        let last = plans.iter().rposition(|plan| plan.as_ref().is_some_and(has_name));
        for plan in &plans[..last.map_or(0, |last| last + 1)] {
            let before = before.next().flatten();
            let Some((Peer::Name(name, port), network)) =
                plan.as_ref().map(|plan| (&plan.peer, &plan.network))
            else {
                self.users.push(None);
                continue;
            };
            let number = match known.get(name) {
                Some(number) => *number,
                None => {
                    let number = self.place(Name::new(name), free.pop());
                    known.insert(name.clone(), number);
                    number
                }
            };
            let entry = &mut self.names[number as usize];
            entry.every = entry.every.min(network.resolve);
            let user = User { name: number, port: *port, family: network.family, current: None };
            let is_same = |of: &User| (of.name, of.port, of.family) == (user.name, user.port, user.family);
            self.users.push(Some(before.filter(is_same).unwrap_or(user)));
        }
    }

    /// Whether any plan has a name that is to be looked up.
    pub(super) fn any(plans: &[Option<Plan>]) -> bool {
        plans.iter().flatten().any(has_name)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Asks for every name that nobody has asked for yet.
    pub(super) fn ask_new(&mut self, resolver: &Resolver) {
        for (number, name) in self.names.iter_mut().enumerate() {
            if name.is_used && !name.is_asked && !name.is_queued {
                name.is_asked = true;
                resolver.ask(u32::try_from(number).expect("numbers come from 32 bits"), &name.name);
            }
        }
    }

    /// Numbers of names that nobody uses and for which nothing will come.
    fn free(&self) -> Vec<u32> {
        let is_free = |name: &Name| !name.is_used && !name.is_asked && !name.is_queued;
        self.names.iter().zip(0..).filter(|(name, _)| is_free(name)).map(|(_, number)| number).collect()
    }

    /// Puts a name in a free place, or in a new one; its number.
    fn place(&mut self, name: Name, free: Option<u32>) -> u32 {
        match free {
            Some(number) => {
                self.names[number as usize] = name;
                number
            }
            None => {
                self.names.push(name);
                u32::try_from(self.names.len() - 1).expect("there are no more names than rules")
            }
        }
    }

    /// When [`ask_due`](Self::ask_due) wants to be called.
    pub(super) fn wakes_at(&self) -> Option<Instant> {
        self.due.peek().map(|Reverse((at, _))| *at)
    }

    /// Asks again for what is due.
    pub(super) fn ask_due(&mut self, resolver: &Resolver, now: Instant) {
        while let Some(Reverse((at, number))) = self.due.peek().copied()
            && at <= now
        {
            self.due.pop();
            let name = &mut self.names[number as usize];
            name.is_queued = false;
            if name.is_used && !std::mem::replace(&mut name.is_asked, true) {
                resolver.ask(number, &name.name);
            }
        }
    }

    /// Takes in an answer; gives the runs that waited for it.
    pub(super) fn answered(&mut self, answer: Answer, now: Instant) -> Vec<RunId> {
        let name = &mut self.names[answer.number as usize];
        name.is_asked = false;
        match answer.found {
            Ok(found) if !found.is_empty() => {
                name.found = found;
                name.fault = None;
            }
            Ok(_) => name.fault = Some(format!("{} has no address", name.name).into()),
            Err(why) => name.fault = Some(format!("{} cannot be resolved: {why}", name.name).into()),
        }
        let after = if name.found.is_empty() { name.every.min(RETRY) } else { name.every };
        if let Some(at) = now.checked_add(after).filter(|_| name.is_used) {
            name.is_queued = true;
            self.due.push(Reverse((at, answer.number)));
        }
        std::mem::take(&mut name.waiting)
    }

    /// Where the rule connects to now.
    pub(super) fn look_up(&mut self, rule: RuleId) -> Known {
        let Some(Some(user)) = self.users.get_mut(rule.index()) else {
            return Known::Nothing("the rule has no name to look up".into());
        };
        let name = &self.names[user.name as usize];
        let mut usable = name.found.iter().copied().filter(|address| user.family.admits(*address));
        let is_there = |current: IpAddr| usable.clone().any(|address| address == current);
        if !user.current.is_some_and(is_there)
            && let Some(first) = usable.next()
        {
            // An answer without a usable address is no good one: the last that was stays.
            user.current = Some(first);
        }
        match (user.current, &name.fault) {
            (Some(address), _) => Known::Address(SocketAddr::new(address, user.port)),
            (None, Some(fault)) => Known::Nothing(fault.clone()),
            (None, None) if name.found.is_empty() => Known::Asking,
            (None, None) => {
                let family = if user.family == Family::V4 { "IPv4" } else { "IPv6" };
                Known::Nothing(format!("{} has no {family} address", name.name).into())
            }
        }
    }

    /// The run waits for the first answer.
    pub(super) fn wait(&mut self, run: RunId) {
        if let Some(Some(user)) = self.users.get(run.rule.index()) {
            self.names[user.name as usize].waiting.push(run);
        }
    }

    /// The run waits no longer; gives its name.
    pub(super) fn give_up(&mut self, run: RunId) -> Option<&str> {
        let user = self.users.get(run.rule.index())?.as_ref()?;
        let name = &mut self.names[user.name as usize];
        name.waiting.retain(|waiting| *waiting != run);
        Some(&name.name)
    }
}

fn has_name(plan: &Plan) -> bool {
    matches!(plan.peer, Peer::Name(..))
}

impl Name {
    fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            every: Duration::MAX,
            found: Vec::new(),
            fault: None,
            is_asked: false,
            is_queued: false,
            is_used: true,
            waiting: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;

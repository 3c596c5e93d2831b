//! The demotion counter, as far as this process has to do with it: what is wanted of it goes to the helper, one
//! order at a time, the newest always; what the helper answers is logged.
//!
//! It is the reactor that speaks to the helper, not the writer: a firewall that hangs must not hold up the failover
//! of an address.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream as Socket;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::net::UnixStream;
use mio::{Interest, Registry, Token};

use super::{Reactor, now};
use crate::control::protocol::DemotionRow;
use crate::demotion::protocol::{self, Lines, News, Order, encode};
use crate::demotion::record::total;
use crate::demotion::shares::Shares;
use crate::rule::{Fate, Rule, RuleId};
use crate::standing::Standing;

/// The helper's socket among all that is waited for.
pub(super) const HELPER: Token = Token(3);
/// How long it takes until what failed is tried again, more and more up to the last.
const RETRIES: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(10),
];

/// The shares of all rules, and how they get into the counter.
#[derive(Debug)]
pub(super) struct Demoter {
    shares: Shares,
    way: Way,
    /// What is in the counter, as last heard.
    total: u16,
    /// What was told last: done, or under way.
    told: BTreeMap<String, u8>,
    news: VecDeque<Demoted>,
}

/// How shares get into the counter.
#[derive(Debug)]
enum Way {
    /// By the helper.
    Helper(Box<Link>),
    /// Not at all: `dry_run`.
    Nowhere,
    /// Not any more: all is taken back, and hfm ends.
    Over,
    /// Not any more: the helper is gone.
    Lost,
}

/// The connection to the helper.
#[derive(Debug)]
struct Link {
    socket: UnixStream,
    lines: Lines<News>,
    /// What it was not given yet.
    unsent: Vec<u8>,
    /// The order that it has not answered.
    under_way: Option<u64>,
    ticket: u64,
    /// How often the same has failed, and when it is tried again.
    failures: usize,
    retry_at: Option<Instant>,
    /// It was told to take everything back.
    releases: bool,
}

/// Something to be logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Demoted {
    /// Another sum is in the counter.
    Done { from: u16, to: u16, shares: BTreeMap<String, u8> },
    /// It would be, but for `dry_run`.
    Would { from: u16, to: u16, shares: BTreeMap<String, u8> },
    /// It could not be written, and this much is in it.
    Failed { total: u16, why: String, pause: Duration },
    /// It is written again.
    Again,
    /// All is taken back.
    Released { from: u16 },
    /// The helper is gone, and this much stays in the counter.
    Lost { total: u16, why: String },
}

impl Demoter {
    /// With a helper that has taken over these shares; without one what would be done is only logged. What is to be logged is
    /// to be [polled](Self::poll_news).
    pub(super) fn new(
        rules: Arc<[Rule]>,
        helper: Option<(Socket, BTreeMap<String, u8>)>,
        registry: &Registry,
    ) -> io::Result<Self> {
        let Some((helper, adopted)) = helper else {
            let told = BTreeMap::new();
            let (shares, news) = (Shares::new(rules, &told), VecDeque::new());
            return Ok(Self { shares, way: Way::Nowhere, total: 0, told, news });
        };
        helper.set_nonblocking(true)?;
        let mut socket = UnixStream::from_std(helper);
        registry.register(&mut socket, HELPER, Interest::READABLE | Interest::WRITABLE)?;
        let link = Link {
            socket,
            lines: Lines::default(),
            unsent: Vec::new(),
            under_way: None,
            ticket: 0,
            failures: 0,
            retry_at: None,
            releases: false,
        };
        let (shares, news) = (Shares::new(rules, &adopted), VecDeque::new());
        let (way, total) = (Way::Helper(Box::new(link)), u16::from(total(&adopted)));
        Ok(Self { shares, way, total, told: adopted, news })
    }

    /// What a rule says is now this; told to the helper by the next [`go_on`](Self::go_on).
    pub(super) fn say(&mut self, rule: RuleId, standing: Standing) {
        self.shares.on_standing(rule, standing.contribution);
    }

    /// Other rules count from now on.
    pub(super) fn replace(&mut self, rules: Arc<[Rule]>, fates: &[Fate]) {
        self.shares.replace(rules, fates);
    }

    /// When there is something to do that nobody says.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match &self.way {
            Way::Helper(link) => link.retry_at,
            Way::Nowhere | Way::Over | Way::Lost => None,
        }
    }

    /// Has everything taken back, and nothing put in any more.
    pub(super) fn release(&mut self) {
        if let Way::Helper(link) = &mut self.way {
            if std::mem::replace(&mut link.releases, true) {
                return;
            }
            link.failures = 0;
            link.send(&Order::Release);
            self.write();
        }
    }

    /// Whether nothing is to be waited for at the end.
    pub(super) fn has_finished(&self) -> bool {
        match &self.way {
            Way::Helper(link) => !link.releases,
            Way::Nowhere | Way::Over | Way::Lost => true,
        }
    }

    /// How the counter stands.
    pub(super) fn row(&self) -> DemotionRow {
        DemotionRow { total: self.total, lost: matches!(self.way, Way::Lost), wanted: self.shares.wanted() }
    }

    /// What there is to be logged.
    pub(super) fn poll_news(&mut self) -> Option<Demoted> {
        self.news.pop_front()
    }

    /// Takes in what the helper says.
    pub(super) fn hear(&mut self, now: Instant) {
        let mut buffer = [0; 4096];
        while let Way::Helper(link) = &mut self.way {
            match link.socket.read(&mut buffer) {
                Ok(0) => self.is_gone("it has ended"),
                Ok(count) => {
                    link.lines.push(&buffer[..count]);
                    self.take_lines(now);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.is_gone(&error.to_string()),
            }
        }
    }

    fn take_lines(&mut self, now: Instant) {
        while let Way::Helper(link) = &mut self.way {
            match link.lines.poll_message() {
                Ok(None) => return,
                Ok(Some(news)) => self.on_news(news, now),
                Err(malformed) => self.is_gone(&malformed.to_string()),
            }
        }
    }

    /// Tells the helper what is wanted, where that is news, and gives it what it has not taken yet.
    pub(super) fn go_on(&mut self, now: Instant) {
        match &mut self.way {
            Way::Over | Way::Lost => return,
            Way::Nowhere => {
                if self.shares.has_news() {
                    let shares = self.shares.take();
                    let from = std::mem::replace(&mut self.total, u16::from(total(&shares)));
                    if from != self.total {
                        self.news.push_back(Demoted::Would { from, to: self.total, shares });
                    }
                }
                return;
            }
            Way::Helper(link) if link.releases || link.under_way.is_some() => {}
            Way::Helper(link) => {
                let is_due = link.retry_at.is_some_and(|at| at <= now);
                if self.shares.has_news() || is_due {
                    let shares = self.shares.take();
                    if shares != self.told || is_due {
                        link.ticket += 1;
                        link.under_way = Some(link.ticket);
                        link.retry_at = None;
                        self.told.clone_from(&shares);
                        link.send(&Order::Want { ticket: link.ticket, shares });
                    }
                }
            }
        }
        self.write();
    }

    fn on_news(&mut self, news: News, now: Instant) {
        let Way::Helper(link) = &mut self.way else { return };
        match news {
            News::Done { ticket, total } if link.under_way == Some(ticket) => {
                link.under_way = None;
                if std::mem::take(&mut link.failures) > 0 {
                    self.news.push_back(Demoted::Again);
                }
                let from = std::mem::replace(&mut self.total, total);
                if from != total {
                    self.news.push_back(Demoted::Done { from, to: total, shares: self.told.clone() });
                }
            }
            News::Failed { ticket, why } if link.under_way == Some(ticket) => {
                link.under_way = None;
                let pause = RETRIES[link.failures.min(RETRIES.len() - 1)];
                link.retry_at = now.checked_add(pause);
                link.failures += 1;
                if link.failures == 1 {
                    self.news.push_back(Demoted::Failed { total: self.total, why, pause });
                }
            }
            // It goes on trying.
            News::Failed { why, .. } if link.releases => {
                link.failures += 1;
                if link.failures == 1 {
                    self.news.push_back(Demoted::Failed { total: self.total, why, pause: RETRIES[0] });
                }
            }
            // Of an order that is not the last one.
            News::Done { .. } | News::Failed { .. } => {}
            News::Released => {
                let from = std::mem::take(&mut self.total);
                self.news.push_back(Demoted::Released { from });
                self.way = Way::Over;
            }
            News::Began { .. } | News::CannotBegin { .. } => self.is_gone("it has begun twice"),
        }
    }

    /// Gives the helper what it was not given yet, as much as it takes.
    fn write(&mut self) {
        while let Way::Helper(link) = &mut self.way
            && !link.unsent.is_empty()
        {
            match link.socket.write(&link.unsent) {
                Ok(count) => drop(link.unsent.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.is_gone(&error.to_string()),
            }
        }
    }

    fn is_gone(&mut self, why: &str) {
        self.way = Way::Lost;
        self.news.push_back(Demoted::Lost { total: self.total, why: why.to_owned() });
    }
}

impl Link {
    fn send(&mut self, order: &Order) {
        self.unsent.extend(encode(order));
    }
}

impl Reactor {
    /// Has the demotion counter kept by the helper behind this socket, which has taken over these shares; without one it is only logged
    /// what would be done, if a rule has a share at all.
    ///
    /// # Errors
    /// When the helper cannot be waited for.
    pub fn demote_by(&mut self, helper: Option<(Socket, protocol::Shares)>) -> io::Result<()> {
        if let Some((_, adopted)) = helper.as_ref().filter(|(_, adopted)| !adopted.is_empty()) {
            self.journal.demotion_adopted(u16::from(total(adopted)), adopted);
        }
        let rules = self.prober.engine.rules().clone();
        if helper.is_none() && rules.iter().all(|rule| rule.demote.is_none()) {
            return Ok(());
        }
        self.demoter = Some(Demoter::new(rules, helper, self.waiter.registry())?);
        Ok(())
    }

    /// Takes in what the helper says.
    pub(super) fn hear_of_demotion(&mut self, now: Instant) {
        let Some(demoter) = &mut self.demoter else { return };
        demoter.hear(now);
        self.tell_of_demotion();
    }

    /// Tells the helper what is new.
    pub(super) fn go_on_with_demotion(&mut self) {
        let Some(demoter) = &mut self.demoter else { return };
        demoter.go_on(now().mono);
        self.tell_of_demotion();
    }

    fn tell_of_demotion(&mut self) {
        let Some(demoter) = &mut self.demoter else { return };
        while let Some(news) = demoter.poll_news() {
            self.journal.demoted(&news);
        }
        if self.unfinished.demotion && demoter.has_finished() {
            self.unfinished.demotion = false;
            self.end_if_all_have_finished();
        }
    }
}

#[cfg(test)]
mod tests;

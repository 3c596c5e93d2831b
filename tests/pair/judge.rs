//! Lets something happen, and judges what came of it.

use std::time::{Duration, Instant};

use super::lab::clock::{now, patiently};
use super::lab::held::{self, Fate};
use super::lab::leg::Leg;
use super::scenarios::{Failures, Hosts, Owned, Scenario};
use super::town::{Connections, Town};

/// What came of a scenario.
#[derive(Debug)]
pub(crate) struct Course {
    pub(crate) name: &'static str,
    /// From what happened until it was dealt with,
    pub(crate) away: Leg,
    /// and from its end until all was as before.
    pub(crate) back: Leg,
    /// How many clients had a connection to another host than is theirs when all hosts are there, which nobody but the first
    /// gateway knew.
    pub(crate) strangers: usize,
    /// How long after what happened, and after its end, the addresses were where they should be.
    pub(crate) moved: [Option<Duration>; 2],
    /// What became of connections that were open: how many went on, were ended, and hang. At first those on which the client
    /// asks next,
    pub(crate) idle: [usize; 3],
    /// then those on which the host answers what was asked before.
    pub(crate) waiting: [usize; 3],
    /// and those that were used much meanwhile, and once more in the end.
    pub(crate) travellers: [usize; 3],
    /// What should not have been.
    pub(crate) wrong: Vec<String>,
    /// All is as before: the next thing may happen.
    pub(crate) is_well: bool,
}

impl Scenario {
    /// Has it happen to a town where all is well, and leaves it so.
    pub(crate) fn run(&self, town: &mut Town) -> Course {
        let mut wrong = Vec::new();
        let homes = town.homes.clone();
        let is_home = |client: usize, host: usize| homes[client] == host;
        if !town.wait_until_well(is_home) || !town.owners.are(0) {
            wrong.push("not all was well at its beginning".to_owned());
        }
        (self.before)(town);
        if !town.wait_until_well(|client, host| is_home(client, host) || self.hosts == Hosts::Return) {
            wrong.push("not all was well before it".to_owned());
        }
        let (idle, mut waiting, mut travellers) = (town.hold(), town.hold(), town.hold());
        let elsewhere = idle.iter().filter(|held| !is_home(held.client, held.host)).count();
        let strangers = if town.connections == Connections::OfBoth { 0 } else { elsewhere };
        held::ask_late(&mut waiting);
        let began = now();
        (self.away)(town);
        let moved = self.wait_until_moved(town, began, &mut wrong);
        if !town.wait_until_well(is_home) {
            wrong.push("it is never dealt with".to_owned());
        }
        held::use_much(&mut travellers);
        let (waiting, idle) = (held::fates_of_asked(waiting), held::fates(idle));
        let back_began = now();
        let away = Leg { began, requests: town.clients.between(began, back_began) };
        (self.back)(town);
        let is_back = town.owners.wait_for(0);
        let is_well = is_back.is_some() && town.wait_until_well(is_home);
        if !is_well {
            wrong.push("in the end not all is as before".to_owned());
        }
        let back = Leg { began: back_began, requests: town.clients.between(back_began, now()) };
        let travellers = held::fates(travellers);
        let returned = is_back.filter(|at| *at > back_began).map(|at| at - back_began);
        let mut course = Course {
            name: self.name,
            away,
            back,
            strangers,
            moved: [moved, returned],
            idle: counts(&idle),
            waiting: counts(&waiting),
            travellers: counts(&travellers),
            wrong,
            is_well,
        };
        self.judge(&mut course, &homes);
        course
    }

    /// Waits until the addresses are where this leads; how long that took, if they moved.
    fn wait_until_moved(&self, town: &Town, began: Instant, wrong: &mut Vec<String>) -> Option<Duration> {
        let is_there = || match self.leads_to {
            Owned::AsBefore => true,
            Owned::ByTheFirst => town.owners.are(0),
            Owned::ByTheSecond => town.owners.are(1),
            Owned::ByBoth => town.owners.has(0) && town.owners.has(1),
        };
        if !patiently(is_there) {
            wrong.push(format!("the addresses do not move: {:?}", town.owners.since(began)));
        }
        let changes = town.owners.since(began);
        if self.leads_to == Owned::AsBefore && !changes.is_empty() {
            wrong.push(format!("addresses moved: {changes:?}"));
        }
        let gained = changes.iter().filter(|change| change.has).map(|change| change.at);
        gained.max().map(|at| at - began)
    }

    fn judge(&self, course: &mut Course, homes: &[usize]) {
        let last_may = match self.failures {
            Failures::None => None,
            Failures::UntilMoved => course.moved[0],
        };
        let failed = course.away.failed().filter(|request| {
            last_may.is_none_or(|may| request.began.saturating_duration_since(course.away.began) > may)
        });
        let failed = failed.count();
        if failed > 0 {
            course
                .wrong
                .push(format!("{failed} requests failed that should not: {:?}", course.away.failures()));
        }
        if course.back.failed().next().is_some() {
            course.wrong.push(format!("requests failed on the way back: {:?}", course.back.failures()));
        }
        let mut elsewhere = course.away.elsewhere(homes);
        elsewhere.extend(course.back.elsewhere(homes));
        if self.hosts == Hosts::Stay && !elsewhere.is_empty() {
            course.wrong.push(format!("clients were served by other hosts: {elsewhere:?}"));
        }
        if self.hosts == Hosts::Restart {
            return;
        }
        // The other gateway leads what a client sends to the client's own host, which knows nothing of a connection to
        // another one and says so. What a host sends shows where it comes from.
        let idle = [homes.len() - course.strangers, course.strangers, 0];
        let all = [homes.len(), 0, 0];
        let open = [
            ("idle", course.idle, idle),
            ("waiting", course.waiting, all),
            ("used", course.travellers, idle),
        ];
        for (what, fates, wanted) in open {
            if fates != wanted {
                course.wrong.push(format!("{what} connections go on, end, hang: {fates:?}, not {wanted:?}"));
            }
        }
    }
}

/// How many went on, were ended, and hang.
fn counts(fates: &[(usize, Fate)]) -> [usize; 3] {
    [Fate::GoesOn, Fate::Told, Fate::Hangs]
        .map(|wanted| fates.iter().filter(|(_, fate)| *fate == wanted).count())
}

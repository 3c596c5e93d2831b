//! Lets something happen, and judges what came of it.

use std::collections::BTreeSet;

use super::house::House;
use super::lab::clock::{now, patiently};
use super::lab::held::{self, Fate};
use super::lab::leg::Leg;
use super::scenarios::{Failures, Loses, Scenario};

/// What came of a scenario.
#[derive(Debug)]
pub(crate) struct Course {
    pub(crate) name: &'static str,
    pub(crate) loses: Loses,
    /// From what happened until it was dealt with,
    pub(crate) away: Leg,
    /// and from its end until all was as before.
    pub(crate) back: Leg,
    /// Clients that were served by another host than at first.
    pub(crate) moved: BTreeSet<usize>,
    /// How many clients there are.
    pub(crate) clients: usize,
    /// What became of connections that were open: how many went on, were ended, and hang.
    pub(crate) fates: [usize; 3],
    /// What should not have been.
    pub(crate) wrong: Vec<String>,
    /// All is as before: the next thing may happen.
    pub(crate) is_well: bool,
}

impl Scenario {
    /// Has it happen to a house where all is well, and leaves it so.
    pub(crate) fn run(&self, house: &mut House) -> Course {
        let mut wrong = Vec::new();
        let homes = house.homes.clone();
        if !house.wait_until_well(|client, host| homes[client] == host) {
            wrong.push("not all was well at its beginning".to_owned());
        }
        let held = house.hold();
        let away_began = now();
        (self.away)(house);
        wrong.extend(self.wait_until_dealt_with(house));
        let fates = held::fates(held);
        let back_began = now();
        let away = Leg { began: away_began, requests: house.requests(away_began, back_began) };
        (self.back)(house);
        let is_well = house.wait_until_well(|client, host| homes[client] == host);
        if !is_well {
            wrong.push("in the end not every client is served by its host".to_owned());
        }
        wrong.extend(when_right(house, |_| true, "in the end"));
        let over = now();
        let back = Leg { began: back_began, requests: house.requests(back_began, over) };
        let elsewhere = away.elsewhere(&homes).into_keys().chain(back.elsewhere(&homes).into_keys());
        let count = |wanted: Fate| fates.iter().filter(|(_, fate)| *fate == wanted).count();
        let mut course = Course {
            name: self.name,
            loses: self.loses,
            moved: elsewhere.collect(),
            clients: homes.len(),
            fates: [count(Fate::GoesOn), count(Fate::Told), count(Fate::Hangs)],
            away,
            back,
            wrong,
            is_well,
        };
        self.judge_failures(&mut course, &homes);
        self.judge_moves(&mut course, &homes);
        self.judge_fates(fates, &mut course, &homes);
        course
    }

    /// Waits until what is left serves everybody, in the maps and to the clients; what is wrong with it.
    fn wait_until_dealt_with(&self, house: &House) -> Vec<String> {
        let loses = self.loses;
        if loses == Loses::Everybody {
            return when_alone(house);
        }
        let homes = &house.homes;
        let well = house.wait_until_well(|client, host| match loses.has_lost(homes[client]) {
            true => !loses.has_lost(host),
            false => host == homes[client],
        });
        let mut wrong = when_right(house, |host| !loses.has_lost(host), "while it goes on");
        if !well {
            wrong.push("it is never dealt with".to_owned());
        }
        wrong
    }

    fn judge_failures(&self, course: &mut Course, homes: &[usize]) {
        let may_fail = |client: usize| match self.failures {
            Failures::None => false,
            Failures::OfTheLost => self.loses.has_lost(homes[client]),
            Failures::Any => true,
        };
        let failed = course.away.failed().filter(|request| !may_fail(request.client)).count();
        if failed > 0 {
            let how = course.away.failures();
            course.wrong.push(format!("{failed} requests failed that should not: {how:?}"));
        }
        // Who comes back has been tested before clients are sent there. When all are lost, requests go on failing until
        // the first is back.
        if self.loses != Loses::Everybody && course.back.failed().next().is_some() {
            course.wrong.push(format!("requests failed on the way back: {:?}", course.back.failures()));
        }
    }

    fn judge_moves(&self, course: &mut Course, homes: &[usize]) {
        if self.loses == Loses::Everybody {
            return;
        }
        let lost = (0..homes.len()).filter(|client| self.loses.has_lost(homes[*client]));
        let lost: BTreeSet<usize> = lost.collect();
        if course.moved != lost {
            let moved = &course.moved;
            course.wrong.push(format!(
                "clients {moved:?} were served by another host, those of the lost one are {lost:?}"
            ));
        }
        let mut restless = course.away.elsewhere(homes);
        restless.retain(|_, hosts| hosts.len() > 1);
        if !restless.is_empty() {
            course.wrong.push(format!("clients were sent from one host to the next: {restless:?}"));
        }
    }

    fn judge_fates(&self, mut fates: Vec<(usize, Fate)>, course: &mut Course, homes: &[usize]) {
        let wanted =
            |client: usize| if self.loses.has_lost(homes[client]) { self.fate } else { Fate::GoesOn };
        fates.retain(|(client, fate)| *fate != wanted(*client));
        if !fates.is_empty() {
            course.wrong.push(format!("open connections that should have met something else: {fates:?}"));
        }
    }
}

/// Waits until these hosts and no others are in; what is wrong with the maps and sets if that does not come.
fn when_right(house: &House, is_in: impl Fn(usize) -> bool, when: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    patiently(|| {
        wrong = house.wrong_in_tables(&is_in);
        wrong.is_empty()
    });
    wrong.truncate(3);
    wrong.into_iter().map(|what| format!("{when}: {what}")).collect()
}

/// Waits until one host is left in all slots of each map: the one that `min_up` keeps.
fn when_alone(house: &House) -> Vec<String> {
    let mut left = Vec::new();
    let alone = patiently(|| {
        let slots = house.slots();
        left = slots.iter().map(|map| map.values().collect::<BTreeSet<_>>().len()).collect();
        left == [1, 1] && house.order.iter().zip(&slots).all(|(all, now)| all.len() == now.len())
    });
    if alone {
        Vec::new()
    } else {
        vec![format!("not one host is left in all slots of each map, but {left:?}")]
    }
}

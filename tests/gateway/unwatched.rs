//! The same things where nobody does anything about them: what is to be seen then has to be seen.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::house::House;
use super::lab::clients::Request;
use super::lab::clock::{now, pause};
use super::lab::held::{self, Fate};
use super::lab::leg::Leg;
use super::scenarios::VICTIM;

/// How long nobody does anything.
const A_WHILE: Duration = Duration::from_millis(700);

/// A haproxy is gone: its clients are refused until it is back.
pub(crate) fn killed(house: &mut House) {
    let leg = lose(house, Fate::Told, |house| house.hosts[VICTIM].kill_haproxy());
    assert!(leg.failures().contains_key("connection refused"), "{:?}", leg.failures());
    give_back(house, |house| house.start_haproxy(VICTIM));
}

/// It stands still: its clients wait for nothing.
pub(crate) fn stopped(house: &mut House) {
    let leg = lose(house, Fate::Hangs, |house| house.hosts[VICTIM].signal_haproxy(Signal::SIGSTOP));
    assert!(leg.failures().contains_key("no answer"), "{:?}", leg.failures());
    give_back(house, |house| house.hosts[VICTIM].signal_haproxy(Signal::SIGCONT));
}

/// It cannot be reached: the same.
pub(crate) fn cut(house: &mut House) {
    let leg = lose(house, Fate::Hangs, |house| house.network.wire(VICTIM, false));
    assert!(leg.failures().contains_key("no answer"), "{:?}", leg.failures());
    give_back(house, |house| house.network.wire(VICTIM, true));
}

/// Somebody empties a map: all clients of its family are refused from then on, the others notice nothing.
pub(crate) fn flushed(house: &mut House) {
    let homes = house.homes.clone();
    assert!(house.wait_until_well(|client, host| host == homes[client]), "not all was well");
    let began = now();
    house.nft("flush map inet gateway pool4");
    let emptied = now();
    pause(A_WHILE);
    let leg = Leg { began, requests: house.requests(began, now()) };
    let v4 = |request: &Request| house.is_v4(request.client);
    for request in leg.requests.iter().filter(|request| request.began > emptied) {
        assert_eq!(
            request.outcome.is_err(),
            v4(request),
            "{:?} after {:?}",
            request,
            request.began - emptied
        );
    }
    assert!(!house.wrong_in_tables(|_| true).is_empty(), "an empty map is not seen");
}

/// Has a host lost and nobody do anything; what its clients met, once it is sure that no others met anything.
fn lose(house: &mut House, fate: Fate, away: fn(&mut House)) -> Leg {
    let homes = house.homes.clone();
    assert!(house.wait_until_well(|client, host| host == homes[client]), "not all was well");
    let held = house.hold();
    let began = now();
    away(house);
    let gone = now();
    pause(A_WHILE);
    let until = now();
    let fates = held::fates(held);
    let leg = Leg { began, requests: house.requests(began, until) };
    let is_lost = |client: usize| homes[client] == VICTIM;
    for request in &leg.requests {
        let has_failed = request.outcome.is_err();
        assert!(is_lost(request.client) || !has_failed, "a client of another host failed: {request:?}");
        assert!(
            !is_lost(request.client) || has_failed || request.began < gone,
            "served by whom? {request:?}"
        );
    }
    assert!(fails_to_the_end(&leg, until), "failures end: {:?} {:?}", leg.failures(), leg.last_failed());
    assert!(leg.elsewhere(&homes).is_empty(), "clients were moved by nobody");
    for (client, its) in fates {
        assert_eq!(
            its,
            if is_lost(client) { fate } else { Fate::GoesOn },
            "client {client}'s open connection"
        );
    }
    leg
}

/// Whether requests that began in the last moments failed too.
fn fails_to_the_end(leg: &Leg, until: Instant) -> bool {
    let late = leg.requests.iter().filter(|request| until - request.began < A_WHILE / 4);
    let failing: BTreeSet<usize> =
        late.filter(|request| request.outcome.is_err()).map(|request| request.client).collect();
    !failing.is_empty()
}

fn give_back(house: &mut House, back: fn(&mut House)) {
    back(house);
    let homes = house.homes.clone();
    assert!(house.wait_until_well(|client, host| host == homes[client]), "it does not come back");
}

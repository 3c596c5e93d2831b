//! What is told to the helper, and what is made of its answers. The helper is the other end of a socket.

use std::num::NonZeroU8;

use mio::Poll;

use super::*;
use crate::standing::Contribution;

const FAILED: Contribution = Contribution::Down { drained: false };

struct World {
    demoter: Demoter,
    helper: Socket,
    lines: Lines<Order>,
    _poll: Poll,
    start: Instant,
}

#[expect(clippy::disallowed_methods, reason = "any moment will do")]
fn world(adopted: &[(&str, u8)]) -> World {
    let (ours, helper) = Socket::pair().unwrap();
    helper.set_nonblocking(true).unwrap();
    let poll = Poll::new().unwrap();
    let adopted = map(adopted);
    let demoter = Demoter::new(rules(), Some((ours, adopted)), poll.registry()).unwrap();
    World { demoter, helper, lines: Lines::default(), _poll: poll, start: Instant::now() }
}

fn rules() -> Arc<[Rule]> {
    let rule = |(name, demote): (&str, u8)| {
        Rule { name: name.into(), ..Rule::vacant() }.with(|of| of.demote = NonZeroU8::new(demote))
    };
    [("uplink", 20), ("dns", 10)].into_iter().map(rule).collect()
}

fn map(shares: &[(&str, u8)]) -> BTreeMap<String, u8> {
    shares.iter().map(|(name, share)| ((*name).to_owned(), *share)).collect()
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

impl World {
    fn say(&mut self, rule: u32, contribution: Contribution) {
        let standing = Standing { contribution, since: self.start, stale: false, settled: true };
        self.demoter.say(RuleId(rule), standing);
    }

    /// What the helper was told since the last call.
    fn orders(&mut self, at: u64) -> Vec<Order> {
        self.demoter.go_on(self.start + secs(at));
        let mut buffer = [0; 65536];
        while let Ok(count @ 1..) = self.helper.read(&mut buffer) {
            self.lines.push(&buffer[..count]);
        }
        std::iter::from_fn(|| self.lines.poll_message().expect("an order")).collect()
    }

    /// What becomes of what the helper says.
    fn answer(&mut self, news: &News, at: u64) -> Vec<Demoted> {
        self.helper.write_all(&encode(news)).unwrap();
        self.heard(at)
    }

    fn heard(&mut self, at: u64) -> Vec<Demoted> {
        self.demoter.hear(self.start + secs(at));
        std::iter::from_fn(|| self.demoter.poll_news()).collect()
    }
}

fn want(ticket: u64, shares: &[(&str, u8)]) -> Order {
    Order::Want { ticket, shares: map(shares) }
}

#[test]
fn one_order_is_under_way_and_the_newest_follows() {
    let mut world = world(&[]);
    assert_eq!(world.orders(0), []);
    world.say(0, FAILED);
    assert_eq!(world.orders(0), [want(1, &[("uplink", 20)])]);
    world.say(1, FAILED);
    assert_eq!(world.orders(0), [], "the first is not answered");
    world.say(0, Contribution::Up);
    let news = world.answer(&News::Done { ticket: 1, total: 20 }, 0);
    assert_eq!(news, [Demoted::Done { from: 0, to: 20, shares: map(&[("uplink", 20)]) }]);
    assert_eq!(world.demoter.row().total, 20);
    assert_eq!(world.orders(0), [want(2, &[("dns", 10)])]);
    assert_eq!(world.answer(&News::Done { ticket: 1, total: 7 }, 0), [], "that was answered before");
    let news = world.answer(&News::Done { ticket: 2, total: 10 }, 0);
    assert_eq!(news, [Demoted::Done { from: 20, to: 10, shares: map(&[("dns", 10)]) }]);
}

#[test]
fn what_is_as_it_was_is_no_order() {
    let mut world = world(&[("uplink", 20)]);
    assert_eq!(world.orders(0), [], "it was adopted");
    world.say(0, FAILED);
    assert_eq!(world.orders(0), []);
    world.say(0, Contribution::Up);
    world.say(0, FAILED);
    assert_eq!(world.orders(0), [], "it has come and gone between two turns");
    world.say(0, Contribution::Up);
    assert_eq!(world.orders(0), [want(1, &[])]);
}

#[test]
fn what_was_adopted_of_rules_that_are_gone_is_taken_back_at_once() {
    let mut world = world(&[("uplink", 20), ("gone", 30)]);
    assert_eq!(world.demoter.row().total, 50);
    assert_eq!(world.orders(0), [want(1, &[("uplink", 20)])]);
}

#[test]
fn what_fails_is_tried_again_later_and_later_and_told_once() {
    let mut world = world(&[]);
    world.say(0, FAILED);
    assert_eq!(world.orders(0).len(), 1);
    let why = || "no".to_owned();
    let mut at = 0;
    for (ticket, pause) in (1..).zip([1, 2, 4, 8, 10, 10]) {
        let news = world.answer(&News::Failed { ticket, why: why() }, at);
        let told = Demoted::Failed { total: 0, why: why(), pause: secs(1) };
        assert_eq!(news, if ticket == 1 { vec![told] } else { vec![] });
        assert_eq!(world.demoter.poll_timeout(), Some(world.start + secs(at + pause)));
        if pause > 1 {
            assert_eq!(world.orders(at + pause - 1), []);
        }
        at += pause;
        assert_eq!(world.orders(at), [want(ticket + 1, &[("uplink", 20)])]);
        assert_eq!(world.demoter.poll_timeout(), None);
    }
    let news = world.answer(&News::Done { ticket: 7, total: 20 }, at);
    assert_eq!(news, [Demoted::Again, Demoted::Done { from: 0, to: 20, shares: map(&[("uplink", 20)]) }]);
    // The next failure begins anew, and what is wanted then does not wait for what failed.
    world.say(1, FAILED);
    assert_eq!(world.orders(at).len(), 1);
    assert_eq!(world.answer(&News::Failed { ticket: 8, why: why() }, at).len(), 1);
    assert_eq!(world.orders(at), []);
    world.say(1, Contribution::Up);
    assert_eq!(world.orders(at), [want(9, &[("uplink", 20)])]);
}

#[test]
fn a_helper_that_is_gone_leaves_what_it_has_done() {
    for how in 0..3 {
        let mut world = world(&[("uplink", 20)]);
        match how {
            0 => world.helper.shutdown(std::net::Shutdown::Both).unwrap(),
            1 => world.helper.write_all(b"{\"nonsense\"}\n").unwrap(),
            _ => world.helper.write_all(&encode(&News::CannotBegin { why: String::new() })).unwrap(),
        }
        let news = world.heard(0);
        assert!(matches!(news[..], [Demoted::Lost { total: 20, .. }]), "{news:?}");
        assert!(world.demoter.row().lost);
        world.say(0, Contribution::Up);
        assert_eq!(world.orders(0), []);
        assert_eq!(world.demoter.row().total, 20);
        assert!(world.demoter.has_finished());
        assert_eq!(world.heard(0), [], "that was said");
    }
}

#[test]
fn all_is_taken_back_when_nobody_is_to_follow() {
    let mut world = world(&[("uplink", 20)]);
    world.say(1, FAILED);
    assert_eq!(world.orders(0).len(), 1);
    assert!(world.demoter.has_finished(), "nothing was said of an end");
    world.demoter.release();
    assert!(!world.demoter.has_finished());
    assert_eq!(world.orders(0), [Order::Release]);
    world.say(1, Contribution::Up);
    assert_eq!(world.orders(0), [], "what is said now comes too late");
    world.demoter.release();
    assert_eq!(world.orders(0), [], "it was told");
    let news = world.answer(&News::Done { ticket: 1, total: 30 }, 0);
    assert_eq!(news.len(), 1);
    for times in [1, 0] {
        let news = world.answer(&News::Failed { ticket: 0, why: "full".to_owned() }, 0);
        assert_eq!(news, vec![Demoted::Failed { total: 30, why: "full".to_owned(), pause: secs(1) }; times]);
        assert!(!world.demoter.has_finished(), "it goes on trying");
    }
    assert_eq!(world.answer(&News::Released, 0), [Demoted::Released { from: 30 }]);
    assert!(world.demoter.has_finished());
    assert!(!world.demoter.row().lost);
    // Its end is no surprise then.
    world.helper.shutdown(std::net::Shutdown::Both).unwrap();
    assert_eq!(world.heard(0), []);
}

#[test]
fn more_than_the_socket_takes_at_once_is_given_bit_by_bit() {
    let mut world = world(&[]);
    let long = "x".repeat(3_000);
    let rules: Arc<[Rule]> = (0..1_000)
        .map(|rule| {
            Rule { name: format!("{long}{rule}").into(), ..Rule::vacant() }
                .with(|of| of.demote = NonZeroU8::new(1))
        })
        .collect();
    let fates = vec![Fate::New; rules.len()];
    world.demoter.replace(rules, &fates);
    for rule in 0..1_000 {
        world.say(rule, FAILED);
    }
    let mut orders = Vec::new();
    for _ in 0..10_000 {
        orders.extend(world.orders(0));
        if !orders.is_empty() {
            break;
        }
    }
    let [Order::Want { shares, .. }] = &orders[..] else { panic!("{} orders", orders.len()) };
    assert_eq!(shares.len(), 1_000);
}

#[test]
fn without_a_helper_it_is_said_what_would_be() {
    let poll = Poll::new().unwrap();
    let mut demoter = Demoter::new(rules(), None, poll.registry()).unwrap();
    let World { start, .. } = world(&[]);
    let standing = Standing { contribution: FAILED, since: start, stale: false, settled: true };
    demoter.say(RuleId(0), standing);
    demoter.go_on(start);
    demoter.go_on(start);
    let news: Vec<Demoted> = std::iter::from_fn(|| demoter.poll_news()).collect();
    assert_eq!(news, [Demoted::Would { from: 0, to: 20, shares: map(&[("uplink", 20)]) }]);
    assert!(demoter.has_finished());
}

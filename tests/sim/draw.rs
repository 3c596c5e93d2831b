//! Draws a configuration: one to twelve rules with any settings a file can give them.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU16;
use std::time::Duration;

use hfm::rule::{
    CommandLine, Dialogue, HealthSettings, Network, Peer, Probe, Rule, RuleId, Service, Shared, Status,
    Terms, Test,
};

use crate::random::Random;

/// The rules of one history, and the time by which their intervals are measured.
pub(crate) fn configuration(random: &mut Random) -> (Vec<Rule>, Duration) {
    let count = match random.below(4) {
        0 => random.within(1, 2),
        1 | 2 => random.within(2, 6),
        _ => random.within(4, 12),
    };
    let scale_ms = random.pick(&[20, 100, 500, 1000, 2000, 3000, 5000, 10_000, 30_000]);
    let scale = Duration::from_millis(scale_ms);
    let native_percent = random.pick(&[0, 50, 50, 100]);
    let mut rules: Vec<Rule> = (0..count).map(|index| one_rule(random, index, scale_ms)).collect();
    for rule in &mut rules {
        if random.percent(native_percent) {
            make_native(random, rule, scale_ms);
        }
    }
    let edges = graph(random, rules.len(), 40, 3);
    for (rule, edges) in rules.iter_mut().zip(edges) {
        rule.terms.requires = edges;
    }
    let edges = graph(random, rules.len(), 30, 2);
    for (rule, edges) in rules.iter_mut().zip(edges) {
        rule.terms.guard = edges;
    }
    (rules, scale)
}

fn one_rule(random: &mut Random, index: u64, scale_ms: u64) -> Rule {
    let interval = interval(random, scale_ms);
    let interval_fail = if random.percent(50) { interval } else { self::interval(random, scale_ms) };
    let status = match random.below(100) {
        0..6 => Status::Disabled,
        6..13 => Status::AlwaysFail,
        13..19 => Status::AlwaysSuccess,
        _ => Status::Enabled,
    };
    let program = CommandLine { program: "test".into(), arguments: Vec::new() };
    Rule {
        name: format!("r{index}").into(),
        test: Test::Command {
            command: program.into(),
            timeout_int: timeout(random, scale_ms),
            timeout_kill: timeout(random, scale_ms),
        },
        placement: Shared::default(),
        terms: Terms {
            status,
            start_delay: random.percent(35).then(|| Duration::from_millis(random.below(4 * scale_ms))),
            runs: if random.percent(15) { NonZeroU16::new(small(random, 1, 12)) } else { None },
            interval,
            interval_fail,
            interval_debounce: None,
            spread: random.percent(35),
            health: health(random, scale_ms),
            requires: Vec::new(),
            guard: Vec::new(),
            change_success: None,
            change_fail: None,
            change_timeout: None,
            demote: None,
        }
        .into(),
    }
}

/// Turns a rule into one that probes by itself.
fn make_native(random: &mut Random, rule: &mut Rule, scale_ms: u64) {
    let same = rule.interval == rule.interval_fail;
    rule.terms.interval = above_zero(random, rule.interval, scale_ms);
    rule.terms.interval_fail =
        if same { rule.interval } else { above_zero(random, rule.interval_fail, scale_ms) };
    rule.terms.interval_debounce = match random.below(10) {
        0..4 => None,
        4..8 => Some(Duration::from_millis(random.within(scale_ms / 10, scale_ms))),
        _ => {
            let drawn = interval(random, scale_ms);
            Some(above_zero(random, drawn, scale_ms))
        }
    };
    let intervals = [rule.interval, rule.interval_fail, rule.interval_debounce.unwrap_or(rule.interval)];
    let most = *intervals.iter().min().expect("there are three");
    let timeout = match random.below(10) {
        0..5 => most,
        5..7 => most / 2,
        _ => random.micros(200, micros(most)).min(most),
    };
    let probe = Probe {
        url: "tcp://192.0.2.1:80".into(),
        peer: Peer::Address(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 80),
        network: Network::default().into(),
        timeout,
        service: Service::Dialogue(Dialogue::default().into()),
        tls: None,
    };
    rule.test = Test::Probe(probe.into());
}

fn above_zero(random: &mut Random, drawn: Duration, scale_ms: u64) -> Duration {
    if drawn.is_zero() { Duration::from_millis(random.within(scale_ms / 2, scale_ms)) } else { drawn }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).expect("intervals are short")
}

fn interval(random: &mut Random, scale_ms: u64) -> Duration {
    match random.below(20) {
        0 => Duration::ZERO,
        // Not of whole milliseconds.
        1 => random.micros(scale_ms * 500, scale_ms * 1500),
        2..5 => Duration::from_millis(scale_ms * random.within(2, 4)),
        5..8 => Duration::from_millis(random.within(scale_ms / 2, scale_ms * 2)),
        _ => Duration::from_millis(scale_ms),
    }
}

fn timeout(random: &mut Random, scale_ms: u64) -> Option<Duration> {
    match random.below(10) {
        0..5 => None,
        5..8 => Some(Duration::from_millis(random.within(scale_ms / 20 + 1, scale_ms))),
        8 => Some(random.micros(200, scale_ms * 2000)),
        _ => Some(Duration::from_millis(scale_ms / 2)),
    }
}

fn health(random: &mut Random, scale_ms: u64) -> HealthSettings {
    let most = scale_ms * random.pick(&[2, 5, 15]);
    let hold_down = if random.percent(65) { 0 } else { random.within(scale_ms / 2, most) };
    let hold_down_max = match random.below(4) {
        0 => hold_down,
        1 => hold_down * 3 / 2,
        2 => hold_down * 4,
        _ => hold_down * random.within(1, 9),
    };
    HealthSettings {
        fail_debounce: debounce(random),
        success_debounce: debounce(random),
        fail_reset: debounce(random),
        hold_down: Duration::from_millis(hold_down),
        hold_down_max: Duration::from_millis(hold_down_max),
    }
}

fn debounce(random: &mut Random) -> NonZeroU16 {
    let of = if random.percent(45) { 1 } else { small(random, 2, 5) };
    NonZeroU16::new(of).expect("drawn from 1 up")
}

fn small(random: &mut Random, low: u64, high: u64) -> u16 {
    u16::try_from(random.within(low, high)).expect("the bounds are small")
}

/// A graph without cycles: each rule may name some that come before it in a random order.
fn graph(random: &mut Random, len: usize, percent: u64, edges_max: u64) -> Vec<Vec<RuleId>> {
    let mut order: Vec<u32> = (0..).take(len).collect();
    random.shuffle(&mut order);
    let mut edges = vec![Vec::new(); len];
    for place in 1..len {
        if !random.percent(percent) {
            continue;
        }
        let from = RuleId(order[place]);
        for _ in 0..random.within(1, edges_max) {
            let to = RuleId(order[random.index(place)]);
            if !edges[from.index()].contains(&to) {
                edges[from.index()].push(to);
            }
        }
    }
    edges
}

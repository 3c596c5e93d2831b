use super::*;
use crate::probe::{Compiler, Files};
use crate::rule::{Dialogue, Network, Probe, Service};

struct NoFiles;

impl Files for NoFiles {
    fn read(&mut self, _path: &str) -> std::io::Result<Vec<u8>> {
        Err(std::io::ErrorKind::NotFound.into())
    }

    fn system_roots(&mut self) -> Result<Vec<Vec<u8>>, String> {
        Err("there are none".to_owned())
    }
}

const S: Duration = Duration::from_secs(1);

fn plan(name: &str, family: Family, resolve: Duration) -> Option<Plan> {
    let probe = Probe {
        url: "tcp://name:1".into(),
        peer: Peer::Name(name.into(), 1),
        network: Network { family, resolve, ..Network::default() }.into(),
        timeout: S,
        service: Service::Dialogue(Dialogue::default().into()),
        tls: None,
    };
    Some(Compiler::default().compile(&probe, &mut NoFiles).expect("nothing to go wrong"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "an Instant cannot be made from nothing; time then moves by adding"
)]
fn base() -> Instant {
    Instant::now()
}

fn addresses(texts: &[&str]) -> Result<Vec<IpAddr>, String> {
    Ok(texts.iter().map(|text| text.parse().expect("an address")).collect())
}

fn known(text: &str) -> Known {
    Known::Address(SocketAddr::new(text.parse().expect("an address"), 1))
}

const FIRST: RuleId = RuleId(0);
const SECOND: RuleId = RuleId(1);

#[test]
fn rules_of_one_name_share_its_lookup_at_the_shortest_interval() {
    let at = base();
    let mut names = Names::new(&[plan("a", Family::Any, 30 * S), None, plan("a", Family::Any, 10 * S)]);
    assert_eq!(names.names.len(), 1);
    names.answered(Answer { number: 0, found: addresses(&["10.0.0.1"]) }, at);
    assert_eq!(names.wakes_at(), Some(at + 10 * S));
    assert_eq!(names.look_up(FIRST), known("10.0.0.1"));
    assert_eq!(names.look_up(RuleId(2)), known("10.0.0.1"));
}

#[test]
fn the_current_address_is_kept_while_the_name_has_it() {
    let at = base();
    let mut names = Names::new(&[plan("a", Family::Any, 30 * S)]);
    for (answer, used) in [
        (&["10.0.0.1", "10.0.0.2"][..], "10.0.0.1"),
        (&["10.0.0.2", "10.0.0.1"], "10.0.0.1"),
        (&["10.0.0.3", "10.0.0.2"], "10.0.0.3"),
    ] {
        names.answered(Answer { number: 0, found: addresses(answer) }, at);
        assert_eq!(names.look_up(FIRST), known(used), "{answer:?}");
    }
}

#[test]
fn the_last_good_answer_stays_when_the_name_is_not_found_any_more() {
    let at = base();
    let mut names = Names::new(&[plan("a", Family::Any, 30 * S)]);
    names.answered(Answer { number: 0, found: addresses(&["10.0.0.1"]) }, at);
    for found in [Err("SERVFAIL".to_owned()), Ok(Vec::new())] {
        names.answered(Answer { number: 0, found }, at);
        assert_eq!(names.look_up(FIRST), known("10.0.0.1"));
        assert_eq!(names.due.peek().map(|due| due.0.0), Some(at + 30 * S), "no haste");
    }
}

#[test]
fn a_name_that_was_never_found_says_why_and_is_asked_for_soon_again() {
    let at = base();
    let mut names = Names::new(&[plan("a", Family::Any, 30 * S)]);
    assert_eq!(names.look_up(FIRST), Known::Asking);
    names.answered(Answer { number: 0, found: Err("no such host".to_owned()) }, at);
    assert_eq!(names.look_up(FIRST), Known::Nothing("a cannot be resolved: no such host".into()));
    assert_eq!(names.wakes_at(), Some(at + RETRY));
}

#[test]
fn only_addresses_of_the_family_count() {
    let at = base();
    let mut names = Names::new(&[plan("a", Family::V6, 30 * S), plan("a", Family::V4, 30 * S)]);
    names.answered(Answer { number: 0, found: addresses(&["10.0.0.1"]) }, at);
    assert_eq!(names.look_up(FIRST), Known::Nothing("a has no IPv6 address".into()));
    assert_eq!(names.look_up(SECOND), known("10.0.0.1"));
    names.answered(Answer { number: 0, found: addresses(&["10.0.0.1", "fd00::1"]) }, at);
    assert_eq!(names.look_up(FIRST), known("fd00::1"));
    names.answered(Answer { number: 0, found: addresses(&["10.0.0.1"]) }, at);
    assert_eq!(names.look_up(FIRST), known("fd00::1"), "the last good one stays");
}

#[test]
fn runs_that_wait_are_given_back_once_and_not_when_they_gave_up() {
    let at = base();
    let mut names = Names::new(&[plan("a", Family::Any, 30 * S), plan("a", Family::Any, 30 * S)]);
    let (first, second) = (RunId { rule: FIRST, run: 1 }, RunId { rule: SECOND, run: 1 });
    names.wait(first);
    names.wait(second);
    assert_eq!(names.give_up(first), Some("a"));
    let answer = || Answer { number: 0, found: addresses(&["10.0.0.1"]) };
    assert_eq!(names.answered(answer(), at), [second]);
    assert_eq!(names.answered(answer(), at), []);
}

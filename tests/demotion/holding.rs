//! What a helper does for its hfm, and for how long.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use hfm::demotion::helper::Target;
use hfm::demotion::protocol::{News, Order, Shares};
use hfm::rule::Demotion;
use nix::sys::signal::Signal;

use super::daemon::{Daemon, End, FOREVER, Kind, PATIENCE, Said, Spec, now, pause};
use super::world::{World, shares};

/// A grace that is over as soon as it is looked at.
const SHORT: Duration = Duration::from_millis(20);

fn nothing() -> Shares {
    Shares::new()
}

#[test]
fn shares_are_added_and_taken_back_beside_those_of_others() {
    let world = World::new("added");
    world.others_add(240);
    let mut daemon = Daemon::begun(&world, &Spec::new(Kind::Counter, FOREVER), &nothing());
    daemon.have(&shares(&[("uplink", 100)]), 100);
    assert_eq!(world.ours(), 100);
    world.others_add(-240);
    daemon.have(&shares(&[("uplink", 100), ("web/1", 20)]), 120);
    assert_eq!(world.ours(), 120);
    daemon.have(&shares(&[("web/1", 20)]), 20);
    assert_eq!(world.ours(), 20);
    daemon.have(&nothing(), 0);
    assert_eq!(world.ours(), 0);
}

#[test]
fn the_file_has_the_sum_and_whoever_tracks_it_may_read_it() {
    let world = World::new("file");
    let mut daemon = Daemon::begun(&world, &Spec::new(Kind::File, FOREVER), &nothing());
    assert_eq!(world.tracked_text().as_deref(), Some("0\n"));
    daemon.have(&shares(&[("uplink", 100), ("web/1", 20)]), 120);
    assert_eq!(world.tracked_text().as_deref(), Some("120\n"));
    let mode = std::fs::metadata(world.tracked()).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o7777, 0o644);
    daemon.tell(&Order::Release);
    assert_eq!(daemon.hear(), Said::News(News::Released));
    assert_eq!(world.tracked_text().as_deref(), Some("0\n"));
}

#[test]
fn ten_thousand_shares_of_odd_names_are_capped_and_handed_on() {
    let world = World::new("many");
    let spec = Spec::new(Kind::Counter, FOREVER);
    let odd = ["", " ", "=", "end 1", "a\nb", "\u{0}", "\\20;", "\u{2028}\u{1f600}", "\"", "share 1 =x"];
    let many: Shares = (0..10_000_u32)
        .map(|rule| (format!("{}{rule}{}", odd[rule as usize % 10], "x".repeat(60)), 240))
        .collect();
    let mut daemon = Daemon::begun(&world, &spec, &nothing());
    daemon.have(&many, 240);
    assert_eq!(world.ours(), 240);
    daemon.kill();
    let mut daemon = Daemon::begun(&world, &spec, &many);
    daemon.have(&shares(&[("a", 200), ("b", 39)]), 239);
    assert_eq!(world.ours(), 239);
}

#[test]
fn all_is_taken_back_at_once_when_hfm_asks_for_that() {
    for kind in [Kind::Counter, Kind::File] {
        let world = World::new(&format!("release-{kind:?}"));
        let mut daemon = Daemon::begun(&world, &Spec::new(kind, FOREVER), &nothing());
        daemon.have(&shares(&[("uplink", 100)]), 100);
        daemon.tell(&Order::Release);
        assert_eq!(daemon.hear(), Said::News(News::Released));
        assert_eq!(daemon.hear(), Said::Gone);
        assert_eq!(daemon.helper.wait(), End::ByItself);
        assert_eq!(world.ours(), 0);
        assert!(!world.record().exists());
    }
}

#[test]
fn all_is_taken_back_when_grace_is_over_and_not_before() {
    for kind in [Kind::Counter, Kind::File] {
        let world = World::new(&format!("grace-{kind:?}"));
        let now_in = || match kind {
            Kind::Counter => world.ours().to_string(),
            Kind::File => world.tracked_text().expect("it is there").trim().to_owned(),
        };
        let mut daemon = Daemon::begun(&world, &Spec::new(kind, FOREVER), &nothing());
        daemon.have(&shares(&[("uplink", 100)]), 100);
        daemon.kill();
        for _ in 0..100 {
            pause();
        }
        assert!(daemon.helper.is_there());
        assert_eq!(now_in(), "100");
        let mut daemon = Daemon::begun(&world, &Spec::new(kind, SHORT), &shares(&[("uplink", 100)]));
        daemon.stop();
        assert_eq!(daemon.helper.wait(), End::ByItself);
        assert_eq!(now_in(), "0");
        assert!(!world.record().exists());
    }
}

#[test]
fn without_anything_to_take_back_there_is_no_grace() {
    for kind in [Kind::Counter, Kind::File] {
        let world = World::new(&format!("nothing-{kind:?}"));
        let mut daemon = Daemon::begun(&world, &Spec::new(kind, FOREVER), &nothing());
        daemon.have(&shares(&[("uplink", 100)]), 100);
        daemon.have(&nothing(), 0);
        daemon.kill();
        assert_eq!(daemon.helper.wait(), End::ByItself);
        assert!(!world.record().exists());
    }
    // Nor for one that has not begun.
    let world = World::new("not-begun");
    let mut daemon = Daemon::start(&world, &Spec::new(Kind::Counter, FOREVER));
    daemon.kill();
    assert_eq!(daemon.helper.wait(), End::ByItself);
}

#[test]
fn who_has_not_begun_has_nothing_and_says_so() {
    let world = World::new("early");
    let mut daemon = Daemon::start(&world, &Spec::new(Kind::Counter, FOREVER));
    let ticket = daemon.want(&shares(&[("uplink", 100)]));
    assert_eq!(daemon.hear(), Said::News(News::Failed { ticket, why: "it has not begun".to_owned() }));
    daemon.tell(&Order::Release);
    assert_eq!(daemon.hear(), Said::News(News::Released));
    assert_eq!(daemon.helper.wait(), End::ByItself);
    assert_eq!(world.ours(), 0);
}

#[test]
fn the_end_asked_of_it_by_others_waits_for_that_of_its_hfm() {
    let world = World::new("term");
    let mut daemon = Daemon::begun(&world, &Spec::new(Kind::Counter, FOREVER), &nothing());
    daemon.have(&shares(&[("uplink", 100)]), 100);
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGPIPE] {
        daemon.helper.signal(signal);
        daemon.have(&shares(&[("uplink", 101)]), 101);
        daemon.have(&shares(&[("uplink", 100)]), 100);
    }
    daemon.kill();
    for _ in 0..100 {
        pause();
    }
    // None of those was remembered.
    assert!(daemon.helper.is_there());
    assert_eq!(world.ours(), 100);
    daemon.helper.signal(Signal::SIGTERM);
    assert_eq!(daemon.helper.wait(), End::ByItself);
    assert_eq!(world.ours(), 0);
}

#[test]
fn half_a_line_is_no_order() {
    let world = World::new("half");
    let mut daemon = Daemon::begun(&world, &Spec::new(Kind::Counter, SHORT), &nothing());
    daemon.have(&shares(&[("uplink", 100)]), 100);
    daemon.tell_bytes(br#"{"order":"want","ticket":9,"shares":{"uplink":20}}"#);
    daemon.kill();
    assert_eq!(daemon.helper.wait(), End::ByItself);
    assert_eq!(world.ours(), 0);
}

#[test]
fn who_speaks_nonsense_is_no_hfm_any_more() {
    let nonsense: [&[u8]; 3] =
        [b"{\"order\":\"resign\"}\n", b"{\"order\":\"begin\",\"state_dir\":\"/elsewhere\"}\n", b"\xff\n"];
    for (number, bytes) in nonsense.into_iter().enumerate() {
        let world = World::new(&format!("nonsense-{number}"));
        let mut daemon = Daemon::begun(&world, &Spec::new(Kind::Counter, SHORT), &nothing());
        daemon.have(&shares(&[("uplink", 100)]), 100);
        daemon.tell_bytes(bytes);
        daemon.want(&shares(&[("uplink", 50)]));
        assert_eq!(daemon.hear(), Said::Gone);
        assert_eq!(daemon.helper.wait(), End::ByItself);
        assert_eq!(world.ours(), 0);
        assert!(!world.record().exists());
    }
}

#[test]
fn what_it_may_not_is_said_with_what_to_do() {
    let world = World::new("denied");
    world.deny(true);
    let mut daemon = Daemon::start(&world, &Spec::new(Kind::Counter, FOREVER));
    let Said::News(News::CannotBegin { why }) = daemon.begin() else { panic!("it may not") };
    assert!(why.contains("net.inet.carp.demotion: permission denied; ") && why.contains("as root"), "{why}");
    assert_eq!(daemon.helper.wait(), End::ByItself);
    assert!(!world.record().exists());

    let world = World::new("no-directory");
    std::fs::remove_dir_all(world.state_dir()).expect("it is ours");
    let mut spec = Spec::new(Kind::File, FOREVER);
    spec.is_rash = true;
    let mut daemon = Daemon::start(&world, &spec);
    let Said::News(News::CannotBegin { why }) = daemon.begin() else { panic!("there is no place") };
    assert!(why.contains(&format!("cannot write {}", world.state_dir().display())), "{why}");
    assert_eq!(daemon.helper.wait(), End::ByItself);

    let why = Target::of(&Demotion::Carp).err().expect("this is Linux");
    assert!(why.contains("CARP is of FreeBSD") && why.contains("file:/PATH"), "{why}");
}

#[test]
fn what_failed_is_done_when_it_is_asked_for_again() {
    let world = World::new("failed");
    let mut daemon = Daemon::begun(&world, &Spec::new(Kind::Counter, FOREVER), &nothing());
    world.deny(true);
    let ticket = daemon.want(&shares(&[("uplink", 100)]));
    let Said::News(News::Failed { ticket: of, why }) = daemon.hear() else { panic!("it may not") };
    assert!(of == ticket && why.contains("net.inet.carp.demotion"), "{why}");
    assert_eq!(world.ours(), 0);
    world.deny(false);
    daemon.have(&shares(&[("uplink", 100)]), 100);
    assert_eq!(world.ours(), 100);
}

#[test]
fn a_record_that_falls_behind_is_brought_up_to_date() {
    let world = World::new("behind");
    let mut daemon = Daemon::begun(&world, &Spec::new(Kind::Counter, FOREVER), &nothing());
    let record = || std::fs::read_to_string(world.record()).expect("there is one");
    world.fill_after_next_change();
    // It is done all the same.
    daemon.have(&shares(&[("uplink", 100)]), 100);
    assert!(record().contains("write 0 100"), "{}", record());
    world.make_room();
    let since = now();
    while !record().contains("share 100 =uplink") {
        assert!(now() - since < PATIENCE, "{}", record());
        pause();
    }
    assert!(!record().contains("write"), "{}", record());
}

#[test]
fn what_cannot_be_taken_back_is_tried_again_until_it_can() {
    let world = World::new("stubborn");
    let mut daemon = Daemon::begun(&world, &Spec::new(Kind::Counter, SHORT), &nothing());
    daemon.have(&shares(&[("uplink", 100)]), 100);
    world.deny(true);
    daemon.kill();
    for _ in 0..200 {
        pause();
    }
    assert!(daemon.helper.is_there());
    world.deny(false);
    assert_eq!(daemon.helper.wait(), End::ByItself);
    assert_eq!(world.ours(), 0);
    assert!(!world.record().exists());
}

#[test]
fn hfm_hears_why_not_all_is_taken_back() {
    let world = World::new("release-denied");
    let mut daemon = Daemon::begun(&world, &Spec::new(Kind::Counter, FOREVER), &nothing());
    daemon.have(&shares(&[("uplink", 100)]), 100);
    world.deny(true);
    daemon.tell(&Order::Release);
    let Said::News(News::Failed { ticket: 0, why }) = daemon.hear() else { panic!("it may not") };
    assert!(why.contains("net.inet.carp.demotion"), "{why}");
    world.deny(false);
    assert_eq!(daemon.hear(), Said::News(News::Released));
    assert_eq!(world.ours(), 0);
}

#[test]
fn all_is_taken_back_from_a_state_dir_that_is_gone() {
    for kind in [Kind::Counter, Kind::File] {
        let world = World::new(&format!("no-state-{kind:?}"));
        let mut daemon = Daemon::begun(&world, &Spec::new(kind, FOREVER), &nothing());
        daemon.have(&shares(&[("uplink", 100)]), 100);
        std::fs::remove_dir_all(world.state_dir()).expect("it is ours");
        daemon.tell(&Order::Release);
        assert_eq!(daemon.hear(), Said::News(News::Released));
        assert_eq!(daemon.helper.wait(), End::ByItself);
        assert_eq!(world.ours(), 0);
        assert!(world.tracked_text().is_none_or(|text| text == "0\n"));
    }
}

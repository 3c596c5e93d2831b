//! From one helper to the next.

use std::fs;
use std::time::Duration;

use hfm::demotion::protocol::{News, Order, Shares};
use nix::sys::signal::Signal;

use super::daemon::{Daemon, End, FOREVER, Kind, Said, Spec, pause};
use super::world::{World, shares};

fn spec(kind: Kind) -> Spec {
    Spec::new(kind, FOREVER)
}

/// A daemon whose uplink has failed.
fn failing(world: &World, kind: Kind) -> Daemon {
    let mut daemon = Daemon::begun(world, &spec(kind), &Shares::new());
    daemon.have(&uplink(), 100);
    daemon
}

fn uplink() -> Shares {
    shares(&[("uplink", 100)])
}

#[test]
fn a_restart_moves_nothing_and_the_old_helper_leaves() {
    for kind in [Kind::Counter, Kind::File] {
        let world = World::new(&format!("restart-{kind:?}"));
        let mut old = failing(&world, kind);
        let before = fs::read_to_string(world.path.join("counter")).expect("it is there");
        old.kill();
        let mut new = Daemon::begun(&world, &spec(kind), &uplink());
        assert_eq!(old.helper.wait(), End::ByItself);
        let after = fs::read_to_string(world.path.join("counter")).expect("it is there");
        if kind == Kind::Counter {
            // Whether it may be written was tried.
            assert_eq!(after.strip_prefix(&before), Some("hfm 0\n"));
        } else {
            assert_eq!(world.tracked_text().as_deref(), Some("100\n"));
        }
        new.have(&shares(&[("uplink", 100), ("web", 5)]), 105);
    }
}

#[test]
fn nobody_leaves_who_is_not_waited_for() {
    let world = World::new("stray");
    let mut old = failing(&world, Kind::Counter);
    // As by `pkill -USR1 hfm`, with its hfm and without.
    old.helper.signal(Signal::SIGUSR1);
    old.have(&shares(&[("uplink", 90)]), 90);
    old.kill();
    for _ in 0..100 {
        pause();
    }
    old.helper.signal(Signal::SIGUSR1);
    for _ in 0..100 {
        pause();
    }
    assert!(old.helper.is_there());
    assert_eq!(world.ours(), 90);
    old.helper.signal(Signal::SIGTERM);
    assert_eq!(old.helper.wait(), End::ByItself);
    assert_eq!(world.ours(), 0);
}

#[test]
fn one_whose_hfm_died_before_it_began_leaves_the_others_alone() {
    let world = World::new("late");
    let mut holder = failing(&world, Kind::Counter);
    let mut rash = spec(Kind::Counter);
    rash.is_rash = true;
    let mut late = Daemon::start(&world, &rash);
    late.helper.signal(Signal::SIGSTOP);
    late.tell(&Order::Begin { state_dir: world.state_dir().to_str().unwrap().to_owned() });
    late.tell_bytes(b"{");
    // What is in the pipe to it is passed on before it ends.
    late.stop();
    late.helper.signal(Signal::SIGCONT);
    assert_eq!(late.helper.wait(), End::ByItself);
    holder.have(&shares(&[("uplink", 90)]), 90);
    assert_eq!(world.ours(), 90);
}

#[test]
fn one_whose_hfm_dies_while_the_next_one_begins_leaves_too() {
    let world = World::new("dying");
    let mut old = failing(&world, Kind::Counter);
    let mut rash = spec(Kind::Counter);
    rash.is_rash = true;
    let mut new = Daemon::start(&world, &rash);
    let begun = std::thread::scope(|scope| {
        let new = scope.spawn(|| new.begin());
        old.kill();
        new.join().expect("it begins")
    });
    assert_eq!(begun, Said::News(News::Began { shares: uplink(), remarks: Vec::new() }));
    assert_eq!(old.helper.wait(), End::ByItself);
    assert_eq!(world.ours(), 100);
}

#[test]
fn one_that_does_not_leave_is_killed() {
    for (is_stopped, kind) in [(true, Kind::Counter), (false, Kind::Counter), (true, Kind::File)] {
        let world = World::new(&format!("stubborn-{is_stopped}-{kind:?}"));
        let mut old = failing(&world, kind);
        let mut rash = spec(kind);
        rash.is_rash = true;
        if is_stopped {
            old.helper.signal(Signal::SIGSTOP);
            old.kill();
        }
        let mut new = Daemon::begun(&world, &rash, &uplink());
        assert_eq!(old.helper.wait(), End::Killed);
        if !is_stopped {
            assert_eq!(old.hear(), Said::Gone);
        }
        let now_in = || match kind {
            Kind::Counter => world.ours().to_string(),
            Kind::File => world.tracked_text().expect("it is there").trim().to_owned(),
        };
        assert_eq!(now_in(), "100");
        new.have(&Shares::new(), 0);
        assert_eq!(now_in(), "0");
    }
}

#[test]
fn one_that_is_taking_back_does_that_to_the_end() {
    let world = World::new("taking-back");
    let mut old = Daemon::begun(&world, &Spec::new(Kind::Counter, Duration::ZERO), &Shares::new());
    old.have(&uplink(), 100);
    old.kill();
    let mut new = Daemon::start(&world, &spec(Kind::Counter));
    let Said::News(News::Began { shares, remarks }) = new.begin() else { panic!("it can begin") };
    assert_eq!(remarks, [""; 0]);
    assert_eq!(old.helper.wait(), End::ByItself);
    // By then it has taken all back, or left all.
    assert!(
        shares.is_empty() && world.ours() == 0 || shares == uplink() && world.ours() == 100,
        "{shares:?}"
    );
}

#[test]
fn a_record_of_another_boot_is_of_no_counter_and_of_the_same_file() {
    for kind in [Kind::Counter, Kind::File] {
        let world = World::new(&format!("reboot-{kind:?}"));
        let mut old = failing(&world, kind);
        old.helper.signal(Signal::SIGKILL);
        old.helper.wait();
        old.kill();
        let text = fs::read_to_string(world.record()).expect("there is one");
        let boot = text.lines().find(|line| line.starts_with("boot =")).expect("it names its boot");
        fs::write(world.record(), text.replace(boot, "boot =another")).expect("it is ours");
        world.reset_counter();
        Daemon::begun(&world, &spec(kind), &Shares::new());
        assert_eq!(world.ours(), 0);
        if kind == Kind::File {
            assert_eq!(world.tracked_text().as_deref(), Some("0\n"));
        }
    }
}

#[test]
fn a_damaged_record_is_set_aside_and_said() {
    let world = World::new("damaged");
    for kind in [Kind::Counter, Kind::File] {
        fs::write(world.record(), "hfm-demotion 1\nboot =x\n").expect("it is ours");
        let mut daemon = Daemon::start(&world, &spec(kind));
        let Said::News(News::Began { shares, remarks }) = daemon.begin() else { panic!("it begins anew") };
        let [remark] = <[_; 1]>::try_from(remarks).expect("one remark");
        let begins =
            format!("{}: its end is missing; set aside as demotion.corrupt", world.record().display());
        assert!(shares.is_empty() && remark.starts_with(&begins), "{shares:?} {remark}");
        assert!(world.state_dir().join("demotion.corrupt").exists());
        daemon.stop();
        daemon.helper.wait();
    }
}

#[test]
fn what_was_in_another_file_is_taken_back_from_there() {
    let world = World::new("elsewhere");
    let mut old = failing(&world, Kind::File);
    old.kill();
    let moved = world.path.join("moved");
    fs::rename(world.tracked(), &moved).expect("it is ours");
    old.helper.signal(Signal::SIGKILL);
    old.helper.wait();
    let text = fs::read_to_string(world.record()).expect("there is one");
    let of = |path: &std::path::Path| format!("of =file:{}\n", path.display());
    let elsewhere = text.replace(&of(&world.tracked()), &of(&moved));
    assert_ne!(elsewhere, text);
    fs::write(world.record(), elsewhere).expect("it is ours");
    Daemon::begun(&world, &spec(Kind::File), &Shares::new());
    assert_eq!(fs::read_to_string(&moved).expect("it is there"), "0\n");
    assert_eq!(world.tracked_text().as_deref(), Some("0\n"));
}

#[test]
fn nobody_is_sent_away_for_one_that_cannot_begin() {
    let world = World::new("cannot");
    let mut old = failing(&world, Kind::Counter);
    old.kill();
    world.deny(true);
    let mut new = Daemon::start(&world, &spec(Kind::Counter));
    assert!(matches!(new.begin(), Said::News(News::CannotBegin { .. })));
    assert_eq!(new.helper.wait(), End::ByItself);
    new.stop();
    assert!(old.helper.is_there());
    world.deny(false);
    Daemon::begun(&world, &spec(Kind::Counter), &uplink());
    assert_eq!(old.helper.wait(), End::ByItself);
    assert_eq!(world.ours(), 100);
}

#[test]
fn who_cannot_begin_holds_what_was_left_to_it() {
    for is_short in [true, false] {
        let world = World::new(&format!("holds-{is_short}"));
        let mut old = failing(&world, Kind::Counter);
        old.kill();
        // Whether it can be changed is tried, and from then on nothing can be recorded.
        world.fill_after_next_change();
        let grace = if is_short { Duration::from_millis(20) } else { FOREVER };
        let mut new = Daemon::start(&world, &Spec::new(Kind::Counter, grace));
        let Said::News(News::CannotBegin { why }) = new.begin() else { panic!("nothing can be recorded") };
        assert!(why.contains("cannot write"), "{why}");
        assert_eq!(new.hear(), Said::Gone);
        assert_eq!(old.helper.wait(), End::ByItself);
        new.stop();
        if is_short {
            assert_eq!(new.helper.wait(), End::ByItself);
            assert_eq!(world.ours(), 0);
            assert!(!world.record().exists());
        } else {
            assert!(new.helper.is_there());
            world.make_room();
            Daemon::begun(&world, &spec(Kind::Counter), &uplink());
            assert_eq!(new.helper.wait(), End::ByItself);
            assert_eq!(world.ours(), 100);
        }
    }
}

#[test]
fn two_hfms_do_not_write_one_file() {
    let world = World::new("one-file");
    let mut first = failing(&world, Kind::File);
    let elsewhere = world.path.join("elsewhere");
    fs::create_dir(&elsewhere).expect("it is ours");
    let order = Order::Begin { state_dir: elsewhere.to_str().expect("a plain path").to_owned() };
    let mut rash = spec(Kind::File);
    rash.is_rash = true;
    let mut second = Daemon::start(&world, &rash);
    second.tell(&order);
    let Said::News(News::CannotBegin { why }) = second.hear() else { panic!("it is written already") };
    let expected = format!(
        "{} is written by another hfm (process {}); end that one, or give each a file of its own",
        world.tracked().display(),
        first.helper.pid
    );
    assert_eq!(why, expected);
    assert_eq!(second.helper.wait(), End::ByItself);
    first.have(&shares(&[("uplink", 90)]), 90);
    // One whose hfm has ended leaves the file to the other.
    first.kill();
    let mut second = Daemon::start(&world, &rash);
    second.tell(&order);
    assert_eq!(second.hear(), Said::News(News::Began { shares: Shares::new(), remarks: Vec::new() }));
    assert_eq!(first.helper.wait(), End::ByItself);
    assert_eq!(world.tracked_text().as_deref(), Some("0\n"));
}

//! What is said of the ledger, one sentence after the other.

use super::*;

#[test]
fn a_reboot_empties_the_counter_and_not_the_file() {
    for kind in KINDS {
        let world = Shared::default();
        let mut ledger = world.begin(kind).expect("nothing is in its way");
        ledger.change(shares(&[("a", 50)])).expect("nothing is in its way");
        drop(ledger);
        world.0.borrow_mut().counter = 0;
        let mut remarks = Vec::new();
        let ledger = world.begin_in("the next boot", kind, &mut remarks).expect("nothing is in its way");
        assert_eq!((ledger.shares(), &*remarks), (&Shares::new(), &[] as &[String]));
        assert_true(&world, kind, &ledger, "after a reboot");
    }
}

#[test]
fn a_damaged_record_is_set_aside_and_said() {
    for (kind, advises) in [(Kind::Counter, true), (Kind::File, false)] {
        let world = Shared::default();
        world.put_file("/state/demotion", "nonsense");
        let mut remarks = Vec::new();
        let ledger = world.begin_in(BOOT, kind, &mut remarks).expect("it goes on without");
        assert_eq!(ledger.shares(), &Shares::new());
        assert_eq!(world.file("/state/demotion.corrupt").as_deref(), Some("nonsense"));
        let [remark] = <[_; 1]>::try_from(remarks).expect("one remark");
        let begins =
            "/state/demotion: it does not begin with \"hfm-demotion\"; set aside as demotion.corrupt";
        assert!(remark.starts_with(begins), "{remark}");
        assert_eq!(remark.contains("sysctl net.inet.carp.demotion"), advises, "{remark}");
        assert_true(&world, kind, &ledger, "with nothing to go by");
    }
}

#[test]
fn what_others_did_to_an_unfinished_write_is_said_when_it_leaves_doubt() {
    for (others, is_done) in [(5, true), (-3, true), (100, true)] {
        let world = Shared::default();
        world.begin(Kind::Counter).expect("nothing is in its way");
        // Begin's five steps, then: read, create, rename, add.
        let steps = steps_of_begin(Kind::Counter);
        world.fault(Some((steps + 5, Fault::Kill)));
        let mut ledger = world.begin(Kind::Counter).expect("it is not killed yet");
        assert_eq!(ledger.change(shares(&[("a", 10)])), Ok(10));
        assert!(world.is_killed());
        world.fault(None);
        world.others_add(others);
        let mut remarks = Vec::new();
        let ledger = world.begin_in(BOOT, Kind::Counter, &mut remarks).expect("nothing is in its way");
        assert_eq!(ledger.shares().is_empty(), !is_done);
        let [remark] = <[_; 1]>::try_from(remarks).expect("one remark");
        assert!(remark.contains(&format!("from 0 to {}", others + 10)), "{remark}");
        assert!(remark.contains("sysctl net.inet.carp.demotion"), "{remark}");
    }
}

#[test]
fn what_was_put_in_something_else_is_taken_back_from_there() {
    let world = Shared::default();
    let begin = |kind| world.begin(kind).expect("nothing is in its way");
    begin(Kind::Counter).change(shares(&[("a", 50)])).expect("nothing is in its way");
    let mut ledger = begin(Kind::File);
    assert_eq!((world.ours(), world.file(TRACKED).as_deref()), (0, Some("0\n")));
    assert_eq!(ledger.change(shares(&[("a", 60)])), Ok(60));
    let ledger = begin(Kind::Counter);
    assert_eq!((world.ours(), world.file(TRACKED).as_deref()), (0, Some("0\n")));
    assert_eq!(ledger.shares(), &Shares::new());
    // Another file, which outlives the system.
    world.put_file("/run/other", "9\n");
    let record = Record {
        boot: "a boot before".to_owned(),
        target: "file:/run/other".to_owned(),
        shares: shares(&[("a", 9)]),
        write: None,
    };
    world.put_file("/state/demotion", &record.encode());
    begin(Kind::File);
    assert_eq!(world.file("/run/other").as_deref(), Some("0\n"));
    // What nobody knows is left alone.
    let record = Record { target: "vrrp".to_owned(), ..record };
    world.put_file("/state/demotion", &record.encode());
    let mut remarks = Vec::new();
    world.begin_in(BOOT, Kind::File, &mut remarks).expect("nothing is in its way");
    assert_eq!(remarks, ["what hfm had put in vrrp is left there: unknown"]);
}

#[test]
fn why_it_cannot_begin_says_what_to_do() {
    for (kind, says) in [
        (io::ErrorKind::NotFound, "kldload carp"),
        (io::ErrorKind::PermissionDenied, "start hfm as root"),
        (io::ErrorKind::Other, "net.inet.carp.demotion: "),
    ] {
        // Reading, and adding nothing.
        for step in [1, 2] {
            let world = Shared::default();
            world.fault(Some((step, Fault::Refuse(kind))));
            let why = world.begin(Kind::Counter).err().expect("it is refused");
            assert!(why.contains(says), "{why}");
        }
    }
    let world = Shared::default();
    world.fault(Some((1, Fault::Refuse(io::ErrorKind::NotFound))));
    let why = world.begin(Kind::File).err().expect("it is refused");
    assert!(
        why.starts_with("cannot write /state/demotion: ") && why.ends_with("; make its directory"),
        "{why}"
    );
}

#[test]
fn keepalived_may_read_the_file_and_nobody_the_record() {
    let world = Shared::default();
    world.begin(Kind::File).expect("nothing is in its way");
    let world = world.0.borrow();
    assert_eq!(world.modes.get(Path::new(TRACKED)), Some(&0o644));
    assert_eq!(world.modes.get(Path::new("/state/demotion")), Some(&0o600));
}

#[test]
fn what_it_needs_is_tried_and_nothing_is_left_of_that() {
    for kind in KINDS {
        let world = Shared::default();
        world.ledger(BOOT, kind).try_out().expect("nothing is in its way");
        assert!(world.0.borrow().files.is_empty(), "{:?}", world.0.borrow().files);
    }
    for directory in [STATE_DIR, "/run"] {
        let world = Shared::default();
        world.close(directory, io::ErrorKind::PermissionDenied);
        let why = world.ledger(BOOT, Kind::File).try_out().expect_err("it is closed");
        assert!(why.contains(directory) && why.contains("CAP_DAC_OVERRIDE"), "{why}");
        assert!(world.0.borrow().files.is_empty(), "{:?}", world.0.borrow().files);
    }
}

#[test]
fn what_was_left_to_one_that_cannot_begin_can_be_taken_back_by_it() {
    for kind in KINDS {
        let world = Shared::default();
        world.begin(kind).and_then(|mut ledger| ledger.change(shares(&[("a", 50)]))).expect("it can");
        world.close(STATE_DIR, io::ErrorKind::StorageFull);
        let mut ledger = world.ledger(BOOT, kind);
        ledger.begin(&mut Vec::new()).expect_err("there is no room");
        assert!(!ledger.is_empty());
        assert_eq!(ledger.release(), Ok(()));
        assert_true(&world, kind, &ledger, "released");
        assert!(ledger.is_empty());
        assert_eq!(world.record(), None);
    }
}

#[test]
fn what_is_taken_back_needs_no_room() {
    for kind in KINDS {
        for reason in [io::ErrorKind::StorageFull, io::ErrorKind::NotFound] {
            let world = Shared::default();
            let mut ledger = world.begin(kind).expect("nothing is in its way");
            ledger.change(shares(&[("a", 50), ("b", 20)])).expect("nothing is in its way");
            world.close(STATE_DIR, reason);
            assert!(ledger.change(shares(&[("a", 90)])).is_err(), "more than there was is not forgotten");
            assert_true(&world, kind, &ledger, "refused");
            assert_eq!(ledger.change(shares(&[("b", 20)])), Ok(20));
            assert_true(&world, kind, &ledger, "less");
            // Whoever came now would have nothing, and not what is no more.
            assert_eq!((world.record(), ledger.is_behind()), (None, true));
            ledger.catch_up();
            assert!(ledger.is_behind());
            world.0.borrow_mut().closed.clear();
            ledger.catch_up();
            assert!(!ledger.is_behind());
            let others = Shared(Rc::new(RefCell::new(copy(&world.0.borrow()))));
            assert_eq!(others.begin(kind).expect("there is room").shares(), ledger.shares());
            world.close(STATE_DIR, reason);
            assert_eq!(ledger.release(), Ok(()));
            assert_true(&world, kind, &ledger, "released");
            assert_eq!(world.record(), None);
        }
    }
}

#[test]
fn a_file_whose_directory_is_gone_has_nothing_to_be_taken_back() {
    for (reason, is_released) in [(io::ErrorKind::NotFound, true), (io::ErrorKind::StorageFull, false)] {
        let world = Shared::default();
        let mut ledger = world.begin(Kind::File).expect("nothing is in its way");
        ledger.change(shares(&[("a", 50)])).expect("nothing is in its way");
        world.close("/run", reason);
        assert_eq!(ledger.release().is_ok(), is_released);
        assert_eq!(world.record().is_none(), is_released);
    }
}

#[test]
fn a_counter_that_has_begun_anew_has_nothing_of_ours() {
    for (now, expected) in [(0, 0), (49, 0), (50, 50), (290, 50)] {
        let world = Shared::default();
        let mut ledger = world.begin(Kind::Counter).expect("nothing is in its way");
        ledger.change(shares(&[("a", 50)])).expect("nothing is in its way");
        world.0.borrow_mut().counter = now;
        let mut remarks = Vec::new();
        let ledger = world.begin_in(BOOT, Kind::Counter, &mut remarks).expect("nothing is in its way");
        assert_eq!(total(ledger.shares()), expected);
        assert_eq!(world.0.borrow().counter, now);
        let is_said = remarks.iter().any(|remark| {
            remark.contains(&format!("is {now}, and hfm had put 50")) && remark.contains("see sysctl")
        });
        assert_eq!((is_said, remarks.len()), (expected == 0, usize::from(expected == 0)), "{remarks:?}");
    }
    // With a write that was not finished, it may be the less of two.
    let record = |write| Record {
        boot: BOOT.to_owned(),
        target: "carp".to_owned(),
        shares: shares(&[("a", 50)]),
        write: Some(write),
    };
    let write = Write { before: 50, delta: -30, shares: shares(&[("a", 20)]) };
    for (now, expected) in [(20, 20), (50, 50), (19, 0)] {
        let world = Shared::default();
        world.put_file("/state/demotion", &record(write.clone()).encode());
        world.0.borrow_mut().counter = now;
        let ledger = world.begin_in(BOOT, Kind::Counter, &mut Vec::new()).expect("nothing is in its way");
        assert_eq!(total(ledger.shares()), expected, "{now}");
    }
}

#[test]
fn what_cannot_be_taken_back_from_elsewhere_yet_is_not_forgotten() {
    let world = Shared::default();
    world.begin(Kind::File).and_then(|mut ledger| ledger.change(shares(&[("a", 50)]))).expect("it can");
    world.close("/run", io::ErrorKind::StorageFull);
    let mut ledger = world.ledger(BOOT, Kind::Counter);
    let why = ledger.begin(&mut Vec::new()).expect_err("it cannot");
    assert!(why.starts_with("cannot take back what hfm had put in file:/run/tracked: "), "{why}");
    assert!(!ledger.is_empty());
    world.0.borrow_mut().closed.clear();
    assert_eq!(ledger.release(), Ok(()));
    assert_eq!(world.file(TRACKED).as_deref(), Some("0\n"));
    // Where there is no directory any more, nothing of ours is.
    let world = Shared::default();
    world.begin(Kind::File).and_then(|mut ledger| ledger.change(shares(&[("a", 50)]))).expect("it can");
    world.close("/run", io::ErrorKind::NotFound);
    let mut remarks = Vec::new();
    let ledger = world.begin_in(BOOT, Kind::Counter, &mut remarks).expect("it can");
    assert!(ledger.is_empty() && remarks.len() == 1, "{remarks:?}");
}

//! Others who write at the same time.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use hfm::dataplane::Nftables;

use crate::world::{World, alone, listed, listed_map, nft, run_quietly};

/// Does one thing again and again in the test's network while another is done.
fn meanwhile(again: impl Fn() + Sync, body: impl FnOnce()) {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let others = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                again();
            }
        });
        let done = catch_unwind(AssertUnwindSafe(body));
        over.store(true, Ordering::Relaxed);
        if let Err(panic) = done {
            resume_unwind(panic);
        }
        others.join().expect("they do not fail");
    });
}

/// Someone else takes out what we are about to take out: nothing but that is lost.
#[test]
fn what_others_take_out_first_is_no_error() {
    alone("what_others_take_out_first_is_no_error", |mut world| {
        nft("table ip t { set s { type ipv4_addr; }; set i { type ipv4_addr; flags interval; };
             map m { typeof numgen inc mod 16 : ip daddr; }; }");
        let ours = ["10.0.0.1", "10.0.0.2"];
        let theirs = || {
            for element in ["s { 10.0.0.1 }", "i { 10.0.0.1 }", "m { 3 }", "m { 4 }"] {
                run_quietly(&format!("delete element ip t {element}"));
            }
        };
        meanwhile(theirs, || {
            for _ in 0..300 {
                for name in ["ip/t/s", "ip/t/i", "ip/t/m"] {
                    world.change(name, &ours, &ours, &[]).unwrap();
                    world.change(name, &ours, &[], &ours).unwrap();
                }
            }
        });
        for name in ["ip/t/s", "ip/t/i", "ip/t/m"] {
            world.holds(name, &ours, &[]);
        }
    });
}

/// A table that is deleted and made again all the time, each time of another shape.
#[test]
fn nothing_is_written_into_a_set_for_another() {
    alone("nothing_is_written_into_a_set_for_another", |mut world| {
        let single = "table ip t { set s { type ipv4_addr; elements = { 192.0.2.1 }; }; }";
        let intervals =
            "table ip t { set s { type ipv4_addr; flags interval; elements = { 192.0.2.0/24 }; }; }";
        nft(single);
        let theirs = || {
            nft(&format!("delete table ip t; {intervals}"));
            nft(&format!("delete table ip t; {single}"));
        };
        meanwhile(theirs, || {
            for _ in 0..500 {
                world.change("ip/t/s", &[], &["10.0.0.1", "10.0.0.9"], &[]).unwrap();
                let _ = world.change("ip/t/s", &[], &[], &["10.0.0.1"]);
            }
        });
        nft(&format!("delete table ip t; {intervals}"));
        world.change("ip/t/s", &[], &["10.0.0.1"], &[]).unwrap();
        assert_eq!(listed("ip/t/s"), ["10.0.0.1", "192.0.2.0/24"]);
    });
}

/// Someone who writes faster than anybody should, elsewhere: we are held up, and not kept out.
#[test]
fn others_who_write_all_the_time_keep_nobody_out() {
    alone("others_who_write_all_the_time_keep_nobody_out", |mut world| {
        nft("table ip t { set s { type ipv4_addr; }; set theirs { type ipv4_addr; };
             map m { typeof numgen inc mod 16 : ip daddr; }; }");
        let ours = ["10.0.0.1", "10.0.0.2"];
        let theirs = || {
            let mut others = World { plane: Nftables::new(16) };
            for _ in 0..100 {
                let _ = others.change("ip/t/theirs", &[], &["192.0.2.1"], &[]);
                let _ = others.change("ip/t/theirs", &[], &[], &["192.0.2.1"]);
            }
        };
        meanwhile(theirs, || {
            for _ in 0..500 {
                for name in ["ip/t/s", "ip/t/m"] {
                    world.change(name, &ours, &ours, &[]).unwrap();
                    world.change(name, &ours, &[], &ours[..1]).unwrap();
                }
            }
        });
        assert_eq!(listed("ip/t/s"), ["10.0.0.2"]);
        assert!(listed_map("ip/t/m").iter().all(|slot| slot.ends_with(" : 10.0.0.2")));
    });
}

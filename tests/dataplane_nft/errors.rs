//! What cannot be done is said in words.

use std::process::Command;

use hfm::dataplane::{Change, DataPlane, Managed, Nftables, TableError};

use crate::world::{alone, listed, nft, prefixes};

#[test]
fn a_set_that_is_not_there_is_told_with_how_to_make_it() {
    alone("a_set_that_is_not_there_is_told_with_how_to_make_it", |mut world| {
        nft("table ip nat { }");
        for name in ["ip/nat/web", "ip/missing/web", "ip6/nat/web"] {
            assert_eq!(world.contents(name, &[]), Err(TableError::NoTable));
            assert_eq!(world.change(name, &[], &["10.0.0.1"], &[]), Err(TableError::NoTable));
            assert_eq!(world.change(name, &[], &[], &["10.0.0.1"]), Err(TableError::NoTable));
        }
        // What it says works, but for the quotes and the place.
        let how = world.plane.how_to_make("ip/nat/web");
        let (_, rules) = how.split_once('\'').unwrap();
        let (rules, place) = rules.split_once('\'').unwrap();
        assert!(place.contains("/etc/nftables.conf"), "{how}");
        nft(rules);
        world.change("ip/nat/web", &[], &["10.0.0.1"], &[]).unwrap();
        assert_eq!(listed("ip/nat/web"), ["10.0.0.1"]);
        assert!(world.plane.how_to_make("ip6/nat/web").contains("ipv6_addr"));
        assert!(world.plane.how_to_make("web").contains("family/table/set"));
    });
}

#[test]
fn addresses_that_do_not_fit_are_named_and_the_others_are_written() {
    alone("addresses_that_do_not_fit_are_named_and_the_others_are_written", |mut world| {
        nft("table inet t { set s { type ipv4_addr; }; set i { type ipv6_addr; flags interval; }; }");
        let said = world.complaint("inet/t/s", &[], &["10.0.0.1", "2001:db8::1", "10.0.0.2"], &[]);
        assert!(
            said.contains("2001:db8::1") && said.contains("ipv6_addr") && said.contains("ipv4_addr"),
            "{said}"
        );
        assert_eq!(listed("inet/t/s"), ["10.0.0.1", "10.0.0.2"]);
        let said = world.complaint("inet/t/s", &[], &["10.1.0.0/16", "10.0.0.3"], &[]);
        assert!(said.contains("10.1.0.0/16") && said.contains("flags interval"), "{said}");
        assert_eq!(listed("inet/t/s"), ["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
        let said = world.complaint("inet/t/i", &[], &["2001:db8::/32", "10.0.0.0/8"], &[]);
        assert!(said.contains("10.0.0.0/8 does not fit"), "{said}");
        assert_eq!(listed("inet/t/i"), ["2001:db8::/32"]);
    });
}

#[test]
fn sets_of_another_kind_are_refused_to_be_read_and_written() {
    alone("sets_of_another_kind_are_refused_to_be_read_and_written", |mut world| {
        nft("table ip t { set ports { type inet_service; }; set pairs { type ipv4_addr . inet_service; };
             set fixed { type ipv4_addr; flags constant; elements = { 10.0.0.1 }; };
             set short { type ipv4_addr; flags dynamic, timeout; timeout 1m; };
             map to { type ipv4_addr : ipv4_addr; }; }");
        for (name, words) in [
            ("ip/t/ports", "of type inet_service"),
            ("ip/t/pairs", "of type ipv4_addr . inet_service"),
            ("ip/t/fixed", "flags constant"),
            ("ip/t/short", "a timeout of 60 s"),
            ("ip/t/to", "a map of ipv4_addr : ipv4_addr"),
        ] {
            let said = world.contents(name, &[]).unwrap_err();
            assert!(said.to_string().contains(words) && !said.concerns_all_tables(), "{said}");
            assert_eq!(world.change(name, &[], &["10.0.0.9"], &[]), Err(said));
        }
    });
}

#[test]
fn a_dynamic_set_without_a_timeout_is_like_any_other() {
    alone("a_dynamic_set_without_a_timeout_is_like_any_other", |mut world| {
        nft("table ip t { set s { type ipv4_addr; flags dynamic; size 100; }; }");
        world.change("ip/t/s", &[], &["10.0.0.1"], &[]).unwrap();
        world.holds("ip/t/s", &[], &["10.0.0.1"]);
    });
}

/// Runs itself once more, as root without that one right.
#[test]
fn without_the_right_it_is_said_which_one_is_missing() {
    const NAME: &str = "without_the_right_it_is_said_which_one_is_missing";
    const HAS_NONE: &str = "HFM_TEST_HAS_NO_RIGHT";
    if std::env::var_os(HAS_NONE).is_some() {
        let mut plane = Nftables::new(16);
        let (table, add) = (Managed { name: "ip/t/s", members: &[] }, &prefixes(&["10.0.0.1"])[..]);
        for error in [
            plane.open().unwrap_err(),
            plane.read(table).unwrap_err(),
            plane.apply(&[Change { table, add, remove: &[] }]).remove(0).unwrap_err(),
        ] {
            assert!(matches!(error, TableError::NotPermitted(_)), "{error:?}");
            assert!(error.to_string().contains("CAP_NET_ADMIN"), "{error}");
        }
        return;
    }
    alone(NAME, |_| {
        nft("table ip t { set s { type ipv4_addr; }; }");
        let output = Command::new("setpriv")
            .args(["--bounding-set=-net_admin", "--inh-caps=-net_admin"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", &format!("errors::{NAME}")])
            .env(HAS_NONE, "1")
            .output()
            .expect("setpriv(1) is there");
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && told.contains("1 passed"), "{told}");
    });
}

//! Large tables, and many of them.

use std::net::{Ipv4Addr, Ipv6Addr};

use hfm::dataplane::{Change, DataPlane, Managed, Nftables};
use hfm::rule::Prefix;

use crate::world::{alone, nft};

fn four(from: u32, count: u32) -> Vec<Prefix> {
    (from..from + count).map(|n| Prefix::host(Ipv4Addr::from(0x0a00_0000 + n).into())).collect()
}

fn read(plane: &mut Nftables, name: &str, members: &[Prefix]) -> Vec<Prefix> {
    let contents = plane.read(Managed { name, members }).expect("it is there");
    assert!(!contents.disordered, "{name}");
    let mut addresses = contents.addresses;
    addresses.sort();
    addresses
}

#[test]
fn ten_thousand_addresses_fit_into_every_shape_of_set() {
    alone("ten_thousand_addresses_fit_into_every_shape_of_set", |mut world| {
        nft("table ip t { set s { type ipv4_addr; }; set i { type ipv4_addr; flags interval; };
             set m { type ipv4_addr; flags interval; auto-merge; }; }");
        let (first, second) = (four(0, 10_000), four(5_000, 10_000));
        for name in ["ip/t/s", "ip/t/i", "ip/t/m"] {
            let table = Managed { name, members: &first };
            let change = |add, remove| Change { table, add, remove };
            assert_eq!(world.plane.apply(&[change(&first, &[])]), [Ok(())]);
            assert_eq!(read(&mut world.plane, name, &first), first, "{name}");
            assert_eq!(world.plane.apply(&[change(&second[5_000..], &first[..5_000])]), [Ok(())]);
            assert_eq!(read(&mut world.plane, name, &second), second, "{name}");
        }
    });
}

#[test]
fn a_thousand_tables_are_written_at_once() {
    alone("a_thousand_tables_are_written_at_once", |mut world| {
        let names: Vec<String> = (0..1000).map(|n| format!("ip/t/s{n}")).collect();
        let sets: Vec<String> = (0..1000).map(|n| format!("set s{n} {{ type ipv4_addr; }};")).collect();
        nft(&format!("table ip t {{ {} }}", sets.join("\n")));
        let addresses = four(0, 5);
        let table = |name| Managed { name, members: &addresses };
        let changes: Vec<Change<'_>> =
            names.iter().map(|name| Change { table: table(name), add: &addresses, remove: &[] }).collect();
        assert!(world.plane.tables_at_once() >= changes.len());
        assert_eq!(world.plane.apply(&changes), vec![Ok(()); 1000]);
        for name in &names {
            assert_eq!(read(&mut world.plane, name, &addresses), addresses);
        }
    });
}

/// More bytes than the kernel takes in one message.
#[test]
fn what_is_too_much_at_once_is_written_in_parts() {
    alone("what_is_too_much_at_once_is_written_in_parts", |mut world| {
        let names: Vec<String> = (0..32).map(|n| format!("ip6/t/s{n}")).collect();
        let sets: Vec<String> = (0..32).map(|n| format!("set s{n} {{ type ipv6_addr; }};")).collect();
        nft(&format!("table ip6 t {{ {} }}", sets.join("\n")));
        let many: Vec<Prefix> =
            (0..20_000_u128).map(|n| Prefix::host(Ipv6Addr::from(n << 64 | 1).into())).collect();
        let changes = names.iter().map(|name| Change {
            table: Managed { name, members: &many },
            add: &many,
            remove: &[],
        });
        assert_eq!(world.plane.apply(&changes.collect::<Vec<_>>()), vec![Ok(()); 32]);
        for name in &names {
            assert_eq!(read(&mut world.plane, name, &many).len(), many.len(), "{name}");
        }
    });
}

#[test]
fn the_largest_map_is_written_anew_in_one_go() {
    alone("the_largest_map_is_written_anew_in_one_go", |mut world| {
        nft("table ip6 t { map pool { typeof numgen inc mod 65536 : ip6 daddr; }; }");
        world.plane = Nftables::new(65_536);
        let hosts: Vec<Prefix> =
            (1..=50_u128).map(|n| Prefix::host(Ipv6Addr::from(0xfd << 120 | n).into())).collect();
        let table = Managed { name: "ip6/t/pool", members: &hosts };
        for (add, remove) in [(&hosts[..1], &[][..]), (&hosts[1..], &hosts[..1]), (&hosts[..1], &hosts[1..])]
        {
            assert_eq!(world.plane.apply(&[Change { table, add, remove }]), [Ok(())]);
            assert_eq!(read(&mut world.plane, "ip6/t/pool", &hosts), add);
        }
    });
}

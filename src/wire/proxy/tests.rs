use std::net::{IpAddr, Ipv6Addr, SocketAddrV6};

use super::*;

/// The longest line with its end, of which a receiver has to be capable (section 2.1).
const V1_BYTES_MAX: usize = 107;

fn line(source: &str, destination: &str) -> String {
    let addr = |text: &str| text.parse::<SocketAddr>().expect("it is an address");
    let mut out = Vec::new();
    v1(addr(source), addr(destination), &mut out);
    String::from_utf8(out).expect("it is ASCII")
}

#[test]
fn a_line_names_family_addresses_and_ports() {
    let cases = [
        ("192.0.2.1:56324", "198.51.100.2:443", "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n"),
        ("0.0.0.0:0", "255.255.255.255:65535", "PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n"),
        ("[2001:db8::1]:1", "[2001:db8::2]:80", "PROXY TCP6 2001:db8::1 2001:db8::2 1 80\r\n"),
        ("[::]:1", "[::1]:2", "PROXY TCP6 :: ::1 1 2\r\n"),
    ];
    for (source, destination, wanted) in cases {
        assert_eq!(line(source, destination), wanted);
    }
}

#[test]
fn an_address_that_stands_for_v4_is_told_as_v4() {
    let wanted = "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n";
    assert_eq!(line("[::ffff:192.0.2.1]:1", "[::ffff:192.0.2.2]:2"), wanted);
    assert_eq!(line("[::ffff:192.0.2.1]:1", "192.0.2.2:2"), wanted);
    assert_eq!(line("192.0.2.1:1", "[::ffff:192.0.2.2]:2"), wanted);
}

#[test]
fn a_pair_of_two_families_is_unknown() {
    assert_eq!(line("192.0.2.1:1", "[2001:db8::2]:2"), "PROXY UNKNOWN\r\n");
    assert_eq!(line("[2001:db8::1]:1", "192.0.2.2:2"), "PROXY UNKNOWN\r\n");
    assert_eq!(line("[::ffff:192.0.2.1]:1", "[2001:db8::2]:2"), "PROXY UNKNOWN\r\n");
}

/// An IPv6 address is groups of hexadecimal digits there: no zone, no dotted end.
#[test]
fn a_v6_address_has_neither_zone_nor_dots() {
    let local = SocketAddr::V6(SocketAddrV6::new("fe80::1".parse().expect("an address"), 1, 7, 3));
    let mut out = Vec::new();
    v1(local, local, &mut out);
    assert_eq!(out, b"PROXY TCP6 fe80::1 fe80::1 1 1\r\n");
    assert_eq!(
        line("[::192.0.2.1]:1", "[64:ff9b::192.0.2.1]:2"),
        "PROXY TCP6 ::c000:201 64:ff9b::c000:201 1 2\r\n"
    );
}

#[test]
fn the_longest_line_fits() {
    let longest = SocketAddr::new(IpAddr::V6(Ipv6Addr::from([0xff; 16])), 65535);
    let mut out = Vec::new();
    v1(longest, longest, &mut out);
    assert_eq!(out.len(), 104);
    assert!(out.len() <= V1_BYTES_MAX);
}

#[test]
fn a_local_header_is_sixteen_bytes() {
    let mut out = Vec::new();
    v2_local(&mut out);
    let signature = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
    assert_eq!(out, [&signature[..], &[0x20, 0x00, 0x00, 0x00]].concat());
}

#[test]
fn what_is_there_stays() {
    let v1_own = |out: &mut Vec<u8>| v1(([192, 0, 2, 1], 1).into(), ([192, 0, 2, 2], 2).into(), out);
    let writers: [fn(&mut Vec<u8>); 3] = [v1_own, v1_unknown, v2_local];
    for write in writers {
        let mut out = b"before".to_vec();
        write(&mut out);
        assert!(out.starts_with(b"beforePROXY ") || out.starts_with(b"before\r\n\r\n\0"), "{out:?}");
    }
}

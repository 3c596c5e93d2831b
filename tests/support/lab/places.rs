//! Who is where: the addresses of config/gateway-linux and config/pair-linux.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How many hosts there are behind the gateway.
pub(crate) const HOSTS: usize = 3;

/// What the world connects to, over IPv4 and IPv6.
pub(crate) const VIP4: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 80);
pub(crate) const VIP6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x100, 0, 0, 0, 0, 0x80);

/// How many clients there are of each family.
const CLIENTS4: u8 = 30;
const CLIENTS6: u16 = 10;

/// What a host is called.
pub(crate) fn name(host: usize) -> String {
    format!("lb{}", host + 1)
}

/// The addresses of a host, of both families.
pub(crate) fn host_addresses(host: usize) -> [IpAddr; 2] {
    let last = u8::try_from(host + 11).expect("few hosts");
    [
        Ipv4Addr::new(192, 0, 2, last).into(),
        // As it is written: ::11 is 0x11.
        Ipv6Addr::new(0x2001, 0xdb8, 2, 0, 0, 0, 0, u16::from(last) + 6).into(),
    ]
}

/// The addresses that clients connect from.
pub(crate) fn client_addresses() -> Vec<IpAddr> {
    let v4 = (101..101 + CLIENTS4).map(|last| IpAddr::from([203, 0, 113, last]));
    let v6 = (0x101..0x101 + CLIENTS6).map(|last| IpAddr::from([0x2001, 0xdb8, 3, 0, 0, 0, 0, last]));
    v4.chain(v6).collect()
}

//! Headers of the PROXY protocol (haproxy, `doc/proxy-protocol.txt`): who speaks to whom, said before
//! anything else on a connection.
//!
//! Only writes; never fails.

use std::net::SocketAddr;

/// What a header of version 2 begins with (section 2.2).
const V2_SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// Version 2 (high half) and the command LOCAL (low half, section 2.2).
const V2_LOCAL: u8 = 0x20;

/// No family and no transport, which LOCAL goes with (section 2.2).
const UNSPECIFIED: u8 = 0x00;

/// Appends a version 1 header for a TCP connection from `source` to `destination`, 104 bytes at most
/// (proxy-protocol.txt section 2.1).
///
/// IPv6 addresses that stand for IPv4 ones are told as those. No connection goes from one family to the
/// other, and the line has no word for it: such a pair becomes [`v1_unknown`].
pub fn v1(source: SocketAddr, destination: SocketAddr, out: &mut Vec<u8>) {
    let (from, to) = (source.ip().to_canonical(), destination.ip().to_canonical());
    let family = match (from.is_ipv4(), to.is_ipv4()) {
        (true, true) => "TCP4",
        (false, false) => "TCP6",
        (true, false) | (false, true) => return v1_unknown(out),
    };
    let line = format!("PROXY {family} {from} {to} {} {}\r\n", source.port(), destination.port());
    out.extend_from_slice(line.as_bytes());
}

/// Appends a version 1 header that names nobody: the receiver takes the connection's own addresses
/// (proxy-protocol.txt section 2.1).
///
/// Some receivers reject it; where both addresses are known, [`v1`] is right for a health check too.
pub fn v1_unknown(out: &mut Vec<u8>) {
    out.extend_from_slice(b"PROXY UNKNOWN\r\n");
}

/// Appends the 16 bytes of a version 2 header for a connection on the sender's own behalf, as health
/// checks are (proxy-protocol.txt section 2.2).
pub fn v2_local(out: &mut Vec<u8>) {
    let no_addresses = 0_u16.to_be_bytes();
    out.extend_from_slice(&V2_SIGNATURE);
    out.extend_from_slice(&[V2_LOCAL, UNSPECIFIED]);
    out.extend_from_slice(&no_addresses);
}

#[cfg(test)]
mod tests;

//! Whom a request may name as its host.
//!
//! Where only this machine can ask, a browser on it can as well, on behalf of any site whose name is made to lead here
//! ("DNS rebinding"). Such a request names that site. Names that nobody far away can have do no harm.

use std::net::{IpAddr, SocketAddr};

/// Whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hosts<'a> {
    /// Whomever.
    Any,
    /// An address, `localhost`, a name without a dot, or this one: the machine's own.
    Own(&'a str),
}

impl<'a> Hosts<'a> {
    /// Those of a server at this address, on a machine of this name.
    pub fn of(listen: SocketAddr, name: &'a str) -> Self {
        if listen.ip().to_canonical().is_loopback() { Self::Own(name) } else { Self::Any }
    }

    /// Judges the value of `Host` (RFC 9110 section 7.2). An empty one is of who has no name for it.
    pub(super) fn admits(self, value: &[u8]) -> bool {
        let Self::Own(own) = self else { return true };
        let Ok(value) = std::str::from_utf8(value) else { return false };
        let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let name = match value.rsplit_once(':') {
            Some((name, port)) if is_port(port) && !value.ends_with(']') => name,
            Some(_) | None => value,
        };
        if let Some(inner) = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            return inner.parse::<IpAddr>().is_ok();
        }
        let name = name.strip_suffix('.').unwrap_or(name);
        let is_local = || name.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case("localhost"));
        name.parse::<IpAddr>().is_ok() || !name.contains('.') || is_local() || name.eq_ignore_ascii_case(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(listen: &str) -> Hosts<'static> {
        Hosts::of(listen.parse().expect("an address"), "gw1.example.net")
    }

    #[test]
    fn on_loopback_a_name_that_others_can_have_is_refused() {
        for listen in ["127.0.0.1:9090", "127.8.0.1:9090", "[::1]:9090", "[::ffff:127.0.0.1]:9090"] {
            for good in [
                "127.0.0.1:9090",
                "127.0.0.1",
                "[::1]:9090",
                "[::1]",
                "localhost:9090",
                "LocalHost",
                "localhost.",
                "hfm.localhost:80",
                "gw",
                "gw:9090",
                "GW1.example.net:9090",
                "192.0.2.1:19090",
                "",
            ] {
                assert!(at(listen).admits(good.as_bytes()), "{listen}: {good}");
            }
            for bad in [
                "evil.example",
                "evil.example:9090",
                "evil.example.",
                "gw1.example.net.evil.example",
                "localhost.evil.example",
                "127.0.0.1.evil.example:9090",
                "127.0.0.1:evil.example",
                "[::1].evil.example",
                "a.b",
            ] {
                assert!(!at(listen).admits(bad.as_bytes()), "{listen}: {bad}");
            }
            assert!(!at(listen).admits(b"\xff.\xff"));
        }
    }

    #[test]
    fn elsewhere_any_name_will_do() {
        for listen in ["192.0.2.1:9090", "0.0.0.0:9090", "[::]:9090", "[2001:db8::1]:9090"] {
            assert!(at(listen).admits(b"status.example.net"), "{listen}");
        }
    }
}

//! The configuration of the demo: as text for people, and as the files that hfm's own code reads.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::backend::Backend;
use crate::probe::Files;
use crate::rule::Prefix;
use crate::ucl::Loader;

/// What the configuration is called in messages.
pub const NAME: &str = "hfm demo";
/// The table.
pub const TABLE: &str = "web";
/// `min_up`: with two of three backends broken, it has to hold one in.
pub const MIN_UP: usize = 2;
/// The trust file, which is in memory only.
const CA: &str = "demo.pem";
const INTERVAL: Duration = Duration::from_millis(100);
const TIMEOUT: Duration = Duration::from_millis(80);

/// The rule of the backend with this number, counted from 0: `web1`.
pub(super) fn rule_name(number: usize) -> String {
    format!("web{}", number + 1)
}

/// The name that the backend's certificates are for.
pub(super) fn host_name(number: usize) -> String {
    format!("{}.example", rule_name(number))
}

/// What the table holds for it: an address of RFC 5737, which nobody has.
pub(super) fn address(number: usize) -> Prefix {
    let last = u8::try_from(number + 1).unwrap_or(u8::MAX);
    Prefix::host(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)))
}

/// The whole file, rules in the order of the backends.
pub(super) fn text(backends: &[Backend], listen: SocketAddr) -> String {
    let (interval, timeout) = (INTERVAL.as_millis(), TIMEOUT.as_millis());
    let mut text = format!(
        "dataplane = memory        # in this process: no firewall is touched\n\
         listen = \"{listen}\" # the status page, for this machine alone\n\
         tables = \"{TABLE}\"\n\
         min_up = {MIN_UP}                # so many stay in, whatever they answer\n\
         interval = {interval}ms\n\
         timeout = {timeout}ms            # for a whole run, connecting and all\n\
         tls_ca = \"{CA}\"       # made just now, in memory only\n"
    );
    for (number, backend) in backends.iter().enumerate() {
        text.push_str(&format!(
            "{} {{\n    \
                 test = \"https://{}/\"\n    \
                 connect = \"{}\"\n    \
                 addresses = \"{}\"\n\
             }}\n",
            rule_name(number),
            backend.name(),
            backend.address(),
            address(number)
        ));
    }
    text
}

/// The files that the configuration consists of. There are no others.
#[derive(Clone, Debug)]
pub struct Memory {
    pub(super) configuration: String,
    pub(super) authority: String,
}

impl Loader for Memory {
    fn read(&mut self, path: &str) -> io::Result<Vec<u8>> {
        match path {
            NAME => Ok(self.configuration.clone().into_bytes()),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn resolve(&mut self, path: &str) -> io::Result<String> {
        if path == NAME { Ok(path.to_owned()) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn glob(&mut self, _pattern: &str) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }
}

impl Files for Memory {
    fn read(&mut self, path: &str) -> io::Result<Vec<u8>> {
        match path {
            CA => Ok(self.authority.clone().into_bytes()),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn system_roots(&mut self) -> Result<Vec<Vec<u8>>, String> {
        Err("the demo trusts its own authority only".to_owned())
    }
}

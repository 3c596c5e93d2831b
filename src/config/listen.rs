//! `listen`: where the status page is served.

use std::net::SocketAddr;

use super::diagnose::Wrong;
use super::given::Given;
use super::host::{self, Authority, Brackets, Host};
use super::properties::Setting;
use super::raw::{ROOT, Tree};
use super::render::quoted;

pub(super) const HELP: &str =
    "give ADDRESS:PORT, as in \"127.0.0.1:9090\", \"[::1]:9090\" or \"0.0.0.0:9090\", or \"\" for none";

/// Reads the address and the port; an empty text is for none.
pub(super) fn address(text: &str) -> Result<Option<SocketAddr>, Wrong> {
    if text.is_empty() {
        return Ok(None);
    }
    if text.contains("://") || text.contains('/') {
        return Err(Wrong::new(format!("{} is not an address", quoted(text))).help(HELP));
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Wrong::new(format!("{} is a port without an address", quoted(text))).help(HELP));
    }
    // What stands for all addresses elsewhere is none here, and a name would be none either.
    if text.starts_with('*') || text.rfind(':') == Some(0) {
        return Err(Wrong::new(format!("{} has no address", quoted(text))).help(HELP));
    }
    let Authority { host, port, .. } = host::authority(text, Brackets::Needed)?;
    let address = match host {
        Host::Address(address) => address,
        Host::Name(name) => {
            return Err(Wrong::new(format!("{} is a name, not an address", quoted(&name))).help(HELP));
        }
    };
    match port {
        Some(port) => Ok(Some(SocketAddr::new(address, port))),
        None => Err(Wrong::new(format!("{} has no port", quoted(text))).help(HELP)),
    }
}

/// What is written, if anything is.
pub(super) fn resolve(tree: &Tree) -> Option<SocketAddr> {
    match &tree.nodes.get(ROOT)?.settings.given.get(&Setting::Listen)?.value {
        // It has been judged.
        Given::Text(text) => address(&text.text).ok().flatten(),
        Given::Word(_) | Given::Texts(_) | Given::Interval(_) | Given::Number(_) | Given::Boolean(_) => None,
    }
}

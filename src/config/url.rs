//! The URL of a native probe: where to connect to, and what a request says of it.
//!
//! `http+unix:///path:/uri` is split at the first `:/` behind the socket's path; without one the target is
//! `/`. Paths of sockets are taken as they stand: nothing is percent-decoded in them.

use super::diagnose::Wrong;
use super::host::{self, Authority, Brackets, Host};
use super::render::quoted;
use super::scheme::{Feature, Scheme};

/// Longest path of a local socket, in bytes: `sun_path` has 104 on FreeBSD and 108 on Linux, a NUL included.
/// The smaller one, so that a file is good on both.
pub(super) const SOCKET_PATH_BYTES_MAX: usize = 103;

/// Longest request target, in bytes: what RFC 9112 section 3 asks of every server for the whole line.
const TARGET_BYTES_MAX: usize = 8_000;

/// A URL that can be probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) place: Place,
    /// The value of `Host`: the authority, without the scheme's own port; [`LOCAL_AUTHORITY`] for a local socket.
    pub(super) authority: Box<str>,
    /// Path and query, `/` if there is none.
    pub(super) target: Box<str>,
}

/// Where a URL leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Over a network.
    Remote(Host, u16),
    /// To a local socket of this path.
    Local(Box<str>),
}

/// Reads what follows `SCHEME://`.
pub(super) fn parse(scheme: &Scheme, rest: &str) -> Result<Url, Wrong> {
    if scheme.has(Feature::Network) {
        return remote(scheme, rest);
    }
    match rest.split_once(":/").filter(|_| scheme.has(Feature::Http)) {
        Some((path, target)) => local(scheme, path, Some(target)),
        None => local(scheme, rest, None),
    }
}

fn remote(scheme: &Scheme, rest: &str) -> Result<Url, Wrong> {
    let (place, after) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let Authority { written, host, port } = host::authority(place, Brackets::Needed)?;
    let Scheme { name, default_port: default, .. } = *scheme;
    let Some(port) = port.or(default) else {
        let message = format!("{name}:// needs a port");
        return Err(Wrong::new(message).help(format!("write {name}://{written}:PORT")));
    };
    let authority = match default {
        Some(default) if default == port => written.into(),
        Some(_) | None => format!("{written}:{port}").into(),
    };
    let target = if scheme.has(Feature::Http) {
        target(after)?
    } else if after.is_empty() || after == "/" {
        "/".into()
    } else {
        let message = format!("{name}:// takes no path, and {} is one", quoted(after));
        return Err(Wrong::new(message).help(format!("write {name}://{written}:{port}")));
    };
    Ok(Url { place: Place::Remote(host, port), authority, target })
}

/// What a local socket's URL gives as `Host`: it has no authority, and servers refuse an empty one.
const LOCAL_AUTHORITY: &str = "localhost";

/// The request target of what follows the authority (RFC 9112 section 3.2.1).
fn target(after: &str) -> Result<Box<str>, Wrong> {
    if let Some((_, fragment)) = after.split_once('#') {
        let message = format!("{} is a fragment, and none is ever sent", quoted(&format!("#{fragment}")));
        return Err(Wrong::new(message).help("take it away, or write %23 for a '#' that belongs to the path"));
    }
    if let Some(odd) = after.chars().find(|c| !c.is_ascii_graphic()) {
        let mut buffer = [0; 4];
        let encoded: String =
            odd.encode_utf8(&mut buffer).bytes().map(|byte| format!("%{byte:02X}")).collect();
        let message = format!("{} cannot stand in a URL", quoted(&odd.to_string()));
        return Err(Wrong::new(message).help(format!("percent-encode it: {encoded}")));
    }
    if after.len() > TARGET_BYTES_MAX {
        return Err(Wrong::new(format!("path and query are longer than {TARGET_BYTES_MAX} bytes")));
    }
    Ok(if after.starts_with('/') { after.into() } else { format!("/{after}").into() })
}

/// A local socket; `target` is what follows the `:/`.
fn local(scheme: &Scheme, path: &str, target: Option<&str>) -> Result<Url, Wrong> {
    let has_target = scheme.has(Feature::Http);
    let form = format!("write {}:///PATH{}", scheme.name, if has_target { ":/URI" } else { "" });
    if path.is_empty() || path.bytes().all(|byte| byte == b'/') {
        return Err(Wrong::new("there is no path of a socket").help(form));
    }
    if !path.starts_with('/') {
        let message = format!("the socket's path {} is not absolute", quoted(path));
        return Err(Wrong::new(message).help(format!("{form}, with three slashes")));
    }
    if path.ends_with(':') && has_target {
        let message = "there is no URI after ':'";
        return Err(Wrong::new(message).help(form));
    }
    if path.contains(char::is_control) {
        return Err(Wrong::new("the socket's path has a control character in it"));
    }
    if path.len() > SOCKET_PATH_BYTES_MAX {
        let message = format!(
            "the socket's path has {} bytes, and the system takes {SOCKET_PATH_BYTES_MAX} at most",
            path.len()
        );
        return Err(
            Wrong::new(message).help("put a symbolic link to it, or to its folder, at a shorter path")
        );
    }
    let target = match target {
        Some(target) => self::target(&format!("/{target}"))?,
        None => "/".into(),
    };
    Ok(Url { place: Place::Local(path.into()), authority: LOCAL_AUTHORITY.into(), target })
}

#[cfg(test)]
mod tests;

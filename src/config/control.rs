//! The control socket: its path, judged, and where the file gives it.

use super::diagnose::Wrong;
use super::given::{Given, Text};
use super::properties::Setting;
use super::raw::{ROOT, Tree};
use super::render::{self, quoted};
use super::url::SOCKET_PATH_BYTES_MAX;
use crate::rule::Control;
use crate::ucl::Sources;

/// Judges the text; an empty one is for no socket.
pub(super) fn judge(text: &str) -> Result<(), Wrong> {
    let message = match text {
        "" => return Ok(()),
        _ if text.contains(char::is_control) => "'control' has a control character in it".to_owned(),
        _ if !text.starts_with('/') => format!("'control' {} is not absolute", quoted(text)),
        _ if text.ends_with('/') => format!("'control' {} is a directory", quoted(text)),
        _ if text.len() > SOCKET_PATH_BYTES_MAX => format!(
            "'control' has {} bytes, and the system takes {SOCKET_PATH_BYTES_MAX} at most in the path of a socket",
            text.len()
        ),
        _ => return Ok(()),
    };
    Err(Wrong::new(message)
        .help("give the whole path of a socket, as in /var/run/hfm.sock, or \"\" for none"))
}

/// What is written, or the default.
pub(super) fn resolve(tree: &Tree) -> Control {
    written(tree).map_or_else(Control::default, |text| Control::given(&text.text))
}

/// Where it is written, as `FILE:LINE:COLUMN`.
pub(super) fn place(tree: &Tree, sources: &Sources) -> Option<String> {
    written(tree).map(|text| render::place(sources, text.span))
}

fn written(tree: &Tree) -> Option<&Text> {
    match &tree.nodes.get(ROOT)?.settings.given.get(&Setting::Control)?.value {
        Given::Text(text) => Some(text),
        Given::Word(_) | Given::Texts(_) | Given::Interval(_) | Given::Number(_) | Given::Boolean(_) => None,
    }
}

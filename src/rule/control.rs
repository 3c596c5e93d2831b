//! Where the control socket is.

/// `control` when the file does not say.
pub const CONTROL_DEFAULT: &str =
    if cfg!(target_os = "linux") { "/run/hfm/hfm.sock" } else { "/var/run/hfm.sock" };

/// The socket by which an operator speaks with a running hfm. `control`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// Its path, absolute; `None` when there is to be none.
    pub path: Option<Box<str>>,
    /// Whether the file does not say: one that cannot be had is no error then.
    pub is_default: bool,
}

impl Control {
    /// What a text of the file means.
    pub fn given(text: &str) -> Self {
        Self { path: if text.is_empty() { None } else { Some(text.into()) }, is_default: false }
    }
}

impl Default for Control {
    fn default() -> Self {
        Self { path: Some(CONTROL_DEFAULT.into()), is_default: true }
    }
}

//! Terminals.

use std::os::fd::{AsFd, AsRawFd};

/// Columns and rows of the terminal behind a descriptor, 0 where it does not know them; `None` when there is
/// no terminal behind it (TIOCGWINSZ, tty(4)).
pub fn size(terminal: &impl AsFd) -> Option<(u16, u16)> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the descriptor is open, and the call writes one winsize, which `size` is.
    let outcome = unsafe { libc::ioctl(terminal.as_fd().as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) };
    (outcome == 0).then_some((size.ws_col, size.ws_row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_no_terminal() {
        assert_eq!(size(&std::fs::File::open("/dev/null").unwrap()), None);
    }
}

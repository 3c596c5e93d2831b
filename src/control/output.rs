//! What waits to be written to one client: whole lines, a bounded number of bytes.

use serde::Serialize;

use super::protocol::Reply;

/// More than this does not wait for a client; one line may go over it.
const BYTES_MAX: usize = 256 * 1024;
/// What was written is forgotten in pieces of at least this.
const FORGET_BYTES: usize = 16 * 1024;

/// Lines on their way.
#[derive(Debug, Default)]
pub(super) struct Output {
    bytes: Vec<u8>,
    written: usize,
}

impl Output {
    /// Adds a line. To be asked for room first, by whoever may have many.
    pub(super) fn reply(&mut self, reply: &Reply) {
        // A Vec takes everything, and no reply has a map with odd keys.
        let _ = reply.serialize(&mut serde_json::Serializer::new(&mut self.bytes));
        self.bytes.push(b'\n');
    }

    /// Adds a line that is one already, its end left out.
    pub(super) fn line(&mut self, line: &str) {
        self.bytes.extend_from_slice(line.as_bytes());
        self.bytes.push(b'\n');
    }

    /// Whether it takes one more line.
    pub(super) fn has_room(&self) -> bool {
        self.waiting().len() < BYTES_MAX
    }

    /// What waits.
    pub(super) fn waiting(&self) -> &[u8] {
        &self.bytes[self.written..]
    }

    /// So many bytes of it are gone.
    pub(super) fn written(&mut self, bytes: usize) {
        self.written = (self.written + bytes).min(self.bytes.len());
        if self.written == self.bytes.len() {
            self.written = 0;
            self.bytes.clear();
            // What one large answer took is not kept for ever.
            self.bytes.shrink_to(FORGET_BYTES);
        } else if self.written >= FORGET_BYTES {
            self.bytes.drain(..self.written);
            self.written = 0;
        }
    }
}

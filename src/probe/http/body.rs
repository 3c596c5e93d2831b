//! The framing of an HTTP/1.x body (RFC 9112 sections 6 and 7): where it ends and what of it is content.

use super::Malformed;

/// Bytes of a chunk's size line, its extensions included, at most.
const SIZE_LINE_BYTES_MAX: usize = 4 * 1024;
/// Bytes of all trailer fields at most.
const TRAILER_BYTES_MAX: usize = 16 * 1024;

/// How the end of a body is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// This many bytes are still to come.
    Length(u64),
    /// Chunks.
    Chunked(Chunks),
    /// All until the connection closes.
    UntilClose,
}

/// Where in its chunks a body is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chunks {
    place: Place,
    /// Bytes of the present line, or of all trailers.
    line_bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the digits of a size; `None` before the first.
    Size(Option<u64>),
    /// After the digits: extensions up to the end of the line.
    Extension(u64),
    /// After the CR of that line.
    SizeEnd(u64),
    /// In a chunk's data; bytes still to come.
    Data(u64),
    /// After it: CR, or the bare LF of sloppy servers.
    DataCr,
    /// After that CR.
    DataLf,
    /// At the start of a trailer line, or of the empty line that ends all.
    TrailerStart,
    /// In a trailer line.
    Trailer,
    /// After the CR of the empty line.
    LastLf,
}

/// What a piece of input came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    /// Bytes of it that belong to the body.
    pub(super) bytes: usize,
    /// Whether the body is complete.
    pub(super) complete: bool,
}

impl Framing {
    pub(super) fn chunked() -> Self {
        Self::Chunked(Chunks { place: Place::Size(None), line_bytes: 0 })
    }

    /// Takes in what came, and hands its content to `content`, piece by piece.
    pub(super) fn take(&mut self, input: &[u8], content: &mut dyn FnMut(&[u8])) -> Result<Taken, Malformed> {
        match self {
            Self::Length(left) => {
                let bytes = input.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                content(&input[..bytes]);
                *left -= bytes as u64;
                Ok(Taken { bytes, complete: *left == 0 })
            }
            Self::Chunked(chunks) => chunks.take(input, content),
            Self::UntilClose => {
                content(input);
                Ok(Taken { bytes: input.len(), complete: false })
            }
        }
    }
}

impl Chunks {
    fn take(&mut self, input: &[u8], content: &mut dyn FnMut(&[u8])) -> Result<Taken, Malformed> {
        let mut at = 0;
        while at < input.len() {
            if let Place::Data(left) = self.place {
                let bytes = (input.len() - at).min(usize::try_from(left).unwrap_or(usize::MAX));
                content(&input[at..at + bytes]);
                at += bytes;
                let left = left - bytes as u64;
                self.place = if left == 0 { Place::DataCr } else { Place::Data(left) };
                continue;
            }
            let byte = input[at];
            at += 1;
            if self.take_byte(byte)? {
                return Ok(Taken { bytes: at, complete: true });
            }
        }
        Ok(Taken { bytes: at, complete: false })
    }

    /// One byte that is not data; whether it was the last of all.
    fn take_byte(&mut self, byte: u8) -> Result<bool, Malformed> {
        self.place = match (self.place, byte) {
            (Place::Size(size), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                self.within(SIZE_LINE_BYTES_MAX)?;
                let digit = u64::from(char::from(byte).to_digit(16).unwrap_or_default());
                let size = size.unwrap_or_default();
                if size >> 60 != 0 {
                    return Err(Malformed::ChunkSize);
                }
                Place::Size(Some(size << 4 | digit))
            }
            (Place::Size(Some(size)) | Place::Extension(size), b'\r') => Place::SizeEnd(size),
            (Place::Size(Some(size)) | Place::Extension(size) | Place::SizeEnd(size), b'\n') => {
                self.line_bytes = 0;
                if size == 0 { Place::TrailerStart } else { Place::Data(size) }
            }
            (Place::Size(Some(size)), b';' | b' ' | b'\t') => Place::Extension(size),
            (Place::Extension(size), _) => {
                self.within(SIZE_LINE_BYTES_MAX)?;
                Place::Extension(size)
            }
            (Place::Size(_) | Place::SizeEnd(_), _) => return Err(Malformed::ChunkSize),
            (Place::DataCr, b'\r') => Place::DataLf,
            (Place::DataCr | Place::DataLf, b'\n') => Place::Size(None),
            (Place::DataCr | Place::DataLf, _) => return Err(Malformed::ChunkEnd),
            (Place::TrailerStart, b'\r') => Place::LastLf,
            (Place::TrailerStart | Place::LastLf, b'\n') => return Ok(true),
            (Place::LastLf, _) => return Err(Malformed::Trailer),
            (Place::Trailer, b'\n') => Place::TrailerStart,
            (Place::TrailerStart | Place::Trailer, _) => {
                self.within(TRAILER_BYTES_MAX)?;
                Place::Trailer
            }
            (Place::Data(left), _) => Place::Data(left),
        };
        Ok(false)
    }

    fn within(&mut self, bytes_max: usize) -> Result<(), Malformed> {
        self.line_bytes += 1;
        if self.line_bytes > bytes_max { Err(Malformed::ChunkLine) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;

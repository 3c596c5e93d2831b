//! Status lines and fields (RFC 9112 sections 4 and 5), with the sloppiness that they allow a client.

/// Fields of one head at most.
const FIELDS_MAX: usize = 128;

/// The fields of a head.
pub(crate) struct Fields(Vec<(String, Vec<u8>)>);

impl Fields {
    /// The values of the lines of this name, without blanks around them.
    pub(crate) fn lines<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f [u8]> {
        let named = self.0.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| value.trim_ascii())
    }

    /// The members of the list that all lines of this name make.
    pub(crate) fn members(&self, name: &'static str) -> Vec<&[u8]> {
        self.lines(name).flat_map(|value| value.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii).collect()
    }
}

/// A tab, a blank, a visible character, or a byte above ASCII.
fn is_text(byte: u8) -> bool {
    byte == b'\t' || byte >= b' ' && byte != 0x7f
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A line without its end.
fn bare(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The minor version and the status of a status line.
pub(crate) fn status_line(line: &[u8]) -> Option<(u8, u16)> {
    let rest = bare(line).strip_prefix(b"HTTP/1.")?;
    let (minor, rest) = rest.split_first()?;
    let blanks = rest.iter().take_while(|byte| **byte == b' ').count();
    let (code, reason) = rest[blanks..].split_at_checked(3)?;
    let is_good = matches!(minor, b'0' | b'1')
        && blanks > 0
        && code.iter().all(u8::is_ascii_digit)
        && matches!(reason.first(), None | Some(b' '))
        && reason.iter().all(|byte| is_text(*byte));
    let code = std::str::from_utf8(code).ok()?.parse().ok()?;
    is_good.then(|| (minor - b'0', code))
}

/// The fields of a head, from behind its status line to its empty line; `None` where one is malformed.
pub(crate) fn fields(text: &[u8]) -> Option<Fields> {
    let mut fields: Vec<(String, Vec<u8>)> = Vec::new();
    for line in text.split_inclusive(|byte| *byte == b'\n').map(bare) {
        if line.is_empty() {
            break;
        }
        if matches!(line[0], b' ' | b'\t') {
            // A fold counts as blanks.
            let (_, value) = fields.last_mut()?;
            value.extend_from_slice(b"  ");
            value.extend_from_slice(line);
        } else {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let name = line[..colon].trim_ascii_end();
            let blanks = &line[name.len()..colon];
            let is_good = !name.is_empty()
                && name.iter().all(|byte| is_name(*byte))
                && blanks.iter().all(|byte| matches!(byte, b' ' | b'\t'));
            if !is_good {
                return None;
            }
            let name = String::from_utf8(name.to_ascii_lowercase()).ok()?;
            fields.push((name, line[colon + 1..].to_vec()));
        }
    }
    let is_good =
        fields.len() <= FIELDS_MAX && fields.iter().all(|(_, value)| value.iter().all(|byte| is_text(*byte)));
    is_good.then_some(Fields(fields))
}

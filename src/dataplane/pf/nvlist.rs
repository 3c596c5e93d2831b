//! Lists of named values as the kernel packs them (sys/contrib/libnv: nvlist.c, nvpair.c), as far as pf's calls
//! need them: writing a request, and finding a number in an answer.
//!
//! A list is a header and its pairs. The header's size counts everything that follows it, to the end of the
//! outermost list. A pair is a header, its name with a zero at the end, and its value; where that is a list, it is
//! closed by a pair without a name. All numbers are in this machine's order, and a flag tells when that is
//! big-endian.

/// The first byte of a list's header.
const MAGIC: u8 = b'l';
/// The version that follows it.
const VERSION: u8 = 0;
/// The flag of a list whose numbers are big-endian.
const BIG_ENDIAN: u8 = 0x80;
/// The flags of this machine's lists.
const FLAGS: u8 = if cfg!(target_endian = "big") { BIG_ENDIAN } else { 0 };
/// Bytes of a list's header: magic, version, flags, number of descriptors, size.
const LIST_HEADER: usize = 3 + 8 + 8;
/// Bytes of a pair's header: type, size of the name, size of the value, number of items.
const PAIR_HEADER: usize = 1 + 2 + 8 + 8;
/// Bytes of the pair that closes a list within a list: a header, and a name that is only its end.
const UP_SIZE: usize = PAIR_HEADER + 1;

const TYPE_BOOL: u8 = 2;
const TYPE_NUMBER: u8 = 3;
const TYPE_STRING: u8 = 4;
const TYPE_LIST: u8 = 5;
const TYPE_BINARY: u8 = 7;
const TYPE_NUMBERS: u8 = 9;
const TYPE_UP: u8 = 255;

/// A list to be packed: pairs of a name and a value.
pub(super) type List<'a> = [(&'a str, Value<'a>)];

/// A value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    /// Yes or no.
    Bool(bool),
    /// A number.
    Number(u64),
    /// Text, without a zero in it.
    String(&'a str),
    /// Bytes; at least one.
    Binary(&'a [u8]),
    /// Numbers; at least one.
    Numbers(&'a [u64]),
    /// A list in the list.
    List(&'a List<'a>),
}

impl Value<'_> {
    /// Its type, the size of its value and its number of items, as a pair's header tells them.
    fn head(self) -> (u8, usize, usize) {
        match self {
            Self::Bool(_) => (TYPE_BOOL, 1, 0),
            Self::Number(_) => (TYPE_NUMBER, 8, 0),
            Self::String(text) => (TYPE_STRING, text.len() + 1, 0),
            Self::Binary(bytes) => (TYPE_BINARY, bytes.len(), 0),
            Self::Numbers(numbers) => (TYPE_NUMBERS, numbers.len() * 8, numbers.len()),
            // Without the pair that closes it. libnv's own packer counts what follows in the outer list too, and
            // its reader looks only whether there is as much.
            Self::List(list) => (TYPE_LIST, packed_size(list), 0),
        }
    }
}

/// The list as the kernel takes it.
pub(super) fn pack(list: &List<'_>) -> Vec<u8> {
    let size = packed_size(list);
    let mut out = Vec::with_capacity(size);
    pack_into(list, size, &mut out);
    debug_assert_eq!(out.len(), size, "the size was reckoned right");
    out
}

/// Appends a list to one that will have `size` bytes in all.
fn pack_into(list: &List<'_>, size: usize, out: &mut Vec<u8>) {
    out.extend([MAGIC, VERSION, FLAGS]);
    push_u64(out, 0);
    // The field itself is still to be written.
    push_u64(out, size - out.len() - 8);
    for (name, value) in list {
        let (kind, value_size, items) = value.head();
        push_pair_header(out, kind, name, value_size, items);
        match *value {
            Value::Bool(yes) => out.push(u8::from(yes)),
            Value::Number(number) => out.extend(number.to_ne_bytes()),
            Value::String(text) => {
                out.extend(text.as_bytes());
                out.push(0);
            }
            Value::Binary(bytes) => out.extend(bytes),
            Value::Numbers(numbers) => out.extend(numbers.iter().flat_map(|number| number.to_ne_bytes())),
            Value::List(inner) => {
                pack_into(inner, size, out);
                push_pair_header(out, TYPE_UP, "", 0, 0);
            }
        }
    }
}

/// Bytes of a list with all that is in it.
fn packed_size(list: &List<'_>) -> usize {
    let pair = |(name, value): &(&str, Value<'_>)| {
        let closing = if matches!(value, Value::List(_)) { UP_SIZE } else { 0 };
        PAIR_HEADER + name.len() + 1 + value.head().1 + closing
    };
    LIST_HEADER + list.iter().map(pair).sum::<usize>()
}

fn push_pair_header(out: &mut Vec<u8>, kind: u8, name: &str, size: usize, items: usize) {
    out.push(kind);
    let name_size = u16::try_from(name.len() + 1).expect("names are words of ours");
    out.extend(name_size.to_ne_bytes());
    push_u64(out, size);
    push_u64(out, items);
    out.extend(name.as_bytes());
    out.push(0);
}

fn push_u64(out: &mut Vec<u8>, number: usize) {
    out.extend(u64::try_from(number).expect("a size fits 64 bits").to_ne_bytes());
}

/// The number of that name in a packed list of plain values, this machine's own; `None` when there is none, or
/// when this is no such list.
pub(super) fn number(packed: &[u8], wanted: &str) -> Option<u64> {
    let mut rest = Reader(packed);
    let [magic, version, flags] = rest.array()?;
    let _descriptors = rest.u64()?;
    let size = rest.u64()?;
    if (magic, version, flags) != (MAGIC, VERSION, FLAGS) || size != u64::try_from(rest.0.len()).ok()? {
        return None;
    }
    while !rest.0.is_empty() {
        let [kind] = rest.array()?;
        let name_size = u16::from_ne_bytes(rest.array()?);
        let value_size = usize::try_from(rest.u64()?).ok()?;
        let _items = rest.u64()?;
        let (end, name) = rest.bytes(usize::from(name_size))?.split_last()?;
        let mut value = Reader(rest.bytes(value_size)?);
        if kind == TYPE_NUMBER && *end == 0 && name == wanted.as_bytes() {
            return value.u64().filter(|_| value.0.is_empty());
        }
    }
    None
}

/// Bytes, from the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_ne_bytes)
    }
}

#[cfg(test)]
mod tests;

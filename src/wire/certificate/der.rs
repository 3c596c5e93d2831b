//! The distinguished encoding rules (X.690 clauses 8 and 10), as far as certificates need them.
//!
//! Every element takes at least two bytes off its reader, and nothing here calls itself: a walk ends.

/// `BOOLEAN`
pub(super) const BOOLEAN: u8 = 0x01;
/// `INTEGER`
pub(super) const INTEGER: u8 = 0x02;
/// `BIT STRING`
pub(super) const BIT_STRING: u8 = 0x03;
/// `OCTET STRING`
pub(super) const OCTET_STRING: u8 = 0x04;
/// `OBJECT IDENTIFIER`
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
/// `UTF8String`
pub(super) const UTF8_STRING: u8 = 0x0c;
/// `PrintableString`
pub(super) const PRINTABLE_STRING: u8 = 0x13;
/// `TeletexString`
pub(super) const TELETEX_STRING: u8 = 0x14;
/// `IA5String`
pub(super) const IA5_STRING: u8 = 0x16;
/// `UTCTime`
pub(super) const UTC_TIME: u8 = 0x17;
/// `GeneralizedTime`
pub(super) const GENERALIZED_TIME: u8 = 0x18;
/// `BMPString`
pub(super) const BMP_STRING: u8 = 0x1e;
/// `SEQUENCE`
pub(super) const SEQUENCE: u8 = 0x30;
/// `SET`
pub(super) const SET: u8 = 0x31;

/// The tag `[number]` of a primitive, `number` below 31.
pub(super) const fn context(number: u8) -> u8 {
    0x80 | number
}

/// The tag `[number]` around other elements, `number` below 31.
pub(super) const fn context_constructed(number: u8) -> u8 {
    0xa0 | number
}

/// Bytes of a length at most: a certificate over 4 GiB is none.
const LENGTH_BYTES_MAX: usize = 4;

/// A tag with its content.
#[derive(Clone, Copy)]
pub(super) struct Element<'a> {
    /// The tag, whole: class, whether it is constructed, number.
    pub(super) tag: u8,
    /// What stands behind tag and length.
    pub(super) content: &'a [u8],
}

/// Elements that stand one behind the other.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads `bytes` from the front.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next element.
    pub(super) fn take(&mut self) -> Option<Element<'a>> {
        let (&tag, rest) = self.rest.split_first()?;
        if tag & 0x1f == 0x1f {
            return None; // A tag of more bytes, which certificates have no use for.
        }
        let (length, rest) = length(rest)?;
        let (content, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some(Element { tag, content })
    }

    /// The content of the next element, which must have this tag.
    pub(super) fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.take().filter(|element| element.tag == tag).map(|element| element.content)
    }

    /// The content of the next element if it has this tag; the outer `None` is a malformed one.
    pub(super) fn optional(&mut self, tag: u8) -> Option<Option<&'a [u8]>> {
        if self.rest.first() == Some(&tag) { self.expect(tag).map(Some) } else { Some(None) }
    }

    /// Whether everything was taken.
    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

/// A length in the one form that is right for it (X.690 clause 10.1), and what follows.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    if first < 0x80 {
        return Some((usize::from(first), rest));
    }
    let count = usize::from(first & 0x7f);
    if count == 0 || count > LENGTH_BYTES_MAX {
        return None;
    }
    let (digits, rest) = rest.split_at_checked(count)?;
    let value = digits.iter().fold(0_u64, |value, digit| value << 8 | u64::from(*digit));
    let shortest = digits[0] != 0 && value >= 0x80;
    let length = usize::try_from(value).ok()?;
    shortest.then_some((length, rest))
}

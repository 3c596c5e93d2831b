//! Packed lists as the kernel unpacks them: nvlist_unpack of sys/contrib/libnv.

use hfm::sys::pf::Errno;

const LIST: u8 = 5;
const UP: u8 = 255;

/// A list, unpacked.
#[derive(Debug, Default)]
pub(super) struct List(Vec<(String, Item)>);

#[derive(Debug)]
pub(super) enum Item {
    Bool(bool),
    Number(u64),
    String(String),
    Binary(Vec<u8>),
    Numbers(Vec<u64>),
    List(List),
}

impl List {
    pub(super) fn unpack(packed: &[u8]) -> Result<Self, Errno> {
        let mut left = packed;
        let list = list(&mut left, true).ok_or(Errno::EBADMSG)?;
        if left.is_empty() { Ok(list) } else { Err(Errno::EBADMSG) }
    }

    fn item(&self, name: &str) -> Result<&Item, Errno> {
        self.0.iter().find(|(of, _)| of == name).map(|(_, item)| item).ok_or(Errno::EINVAL)
    }

    pub(super) fn number(&self, name: &str) -> Result<u64, Errno> {
        let Item::Number(number) = self.item(name)? else { return Err(Errno::EINVAL) };
        Ok(*number)
    }

    pub(super) fn byte(&self, name: &str) -> Result<u8, Errno> {
        u8::try_from(self.number(name)?).map_err(|_| Errno::ERANGE)
    }

    pub(super) fn bool(&self, name: &str) -> Result<bool, Errno> {
        let Item::Bool(yes) = self.item(name)? else { return Err(Errno::EINVAL) };
        Ok(*yes)
    }

    pub(super) fn string(&self, name: &str) -> Result<&str, Errno> {
        let Item::String(text) = self.item(name)? else { return Err(Errno::EINVAL) };
        Ok(text)
    }

    pub(super) fn list(&self, name: &str) -> Result<&Self, Errno> {
        let Item::List(list) = self.item(name)? else { return Err(Errno::EINVAL) };
        Ok(list)
    }

    pub(super) fn address(&self, name: &str) -> Result<[u8; 16], Errno> {
        let Item::Binary(bytes) = self.item(name)? else { return Err(Errno::EINVAL) };
        bytes.as_slice().try_into().map_err(|_| Errno::EINVAL)
    }

    pub(super) fn ports(&self, name: &str) -> Result<[u16; 2], Errno> {
        let Item::Numbers(numbers) = self.item(name)? else { return Err(Errno::EINVAL) };
        let [from, to] = numbers.as_slice() else { return Err(Errno::E2BIG) };
        let port = |number: &u64| u16::try_from(*number).map_err(|_| Errno::ERANGE);
        Ok([port(from)?, port(to)?])
    }
}

/// An answer of one number, as nvlist_pack makes it.
pub(super) fn answer(name: &str, number: u64) -> Vec<u8> {
    let size = 19 + name.len() as u64 + 1 + 8;
    let mut packed = vec![0x6c, 0, FLAGS];
    for number in [0, size] {
        packed.extend(number.to_ne_bytes());
    }
    packed.push(3);
    packed.extend(u16::try_from(name.len() + 1).expect("a word").to_ne_bytes());
    for number in [8_u64, 0] {
        packed.extend(number.to_ne_bytes());
    }
    packed.extend(name.as_bytes());
    packed.push(0);
    packed.extend(number.to_ne_bytes());
    packed
}

/// Numbers are big-endian on machines that are.
const FLAGS: u8 = if cfg!(target_endian = "big") { 0x80 } else { 0 };

fn take<'a>(left: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = left.split_at_checked(count)?;
    *left = rest;
    Some(taken)
}

fn u64_of(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_ne_bytes(bytes.try_into().ok()?))
}

/// A list from its header on; the outermost one ends with the bytes, any other with a pair that goes up.
fn list(left: &mut &[u8], is_outermost: bool) -> Option<List> {
    let header = take(left, 3)?;
    let descriptors = u64_of(take(left, 8)?)?;
    let size = u64_of(take(left, 8)?)?;
    if header != [0x6c, 0, FLAGS] || descriptors != 0 || size != left.len() as u64 {
        return None;
    }
    let mut list = List::default();
    loop {
        if left.is_empty() {
            return is_outermost.then_some(list);
        }
        let kind = take(left, 1)?[0];
        let name_size = u16::from_ne_bytes(take(left, 2)?.try_into().ok()?);
        let size = usize::try_from(u64_of(take(left, 8)?)?).ok()?;
        let items = u64_of(take(left, 8)?)?;
        if !(1..=2048).contains(&name_size) {
            return None;
        }
        let name = text(take(left, usize::from(name_size))?)?;
        if left.len() < size {
            return None;
        }
        if kind == UP {
            return (!is_outermost && name.is_empty()).then_some(list);
        }
        let item = item(left, kind, size, items)?;
        // Names are unique, unless a list says otherwise.
        if list.0.iter().any(|(of, _)| *of == name) {
            return None;
        }
        list.0.push((name, item));
    }
}

fn item(left: &mut &[u8], kind: u8, size: usize, items: u64) -> Option<Item> {
    if kind == LIST {
        return if size == 0 { None } else { list(left, false).map(Item::List) };
    }
    let value = take(left, size)?;
    match kind {
        2 => match value {
            [0] => Some(Item::Bool(false)),
            [1] => Some(Item::Bool(true)),
            _ => None,
        },
        3 => u64_of(value).map(Item::Number),
        4 => text(value).map(Item::String),
        7 if size > 0 => Some(Item::Binary(value.to_vec())),
        9 if items > 0 && size as u64 == items * 8 => {
            Some(Item::Numbers(value.chunks(8).filter_map(u64_of).collect()))
        }
        _ => None,
    }
}

/// Text with a zero at its end, and none before.
fn text(bytes: &[u8]) -> Option<String> {
    let (end, text) = bytes.split_last()?;
    if *end != 0 || text.contains(&0) {
        return None;
    }
    String::from_utf8(text.to_vec()).ok()
}

use super::*;

fn header(kind: u16, flags: u16, sequence: u32) -> Header {
    Header { kind, flags, sequence, family: 2, resource: 10 }
}

fn one(bytes: &[u8]) -> Message<'_> {
    let mut messages = Messages(bytes);
    let message = messages.next().unwrap().unwrap();
    assert!(messages.next().is_none());
    message
}

/// A message as the kernel sends it: without the smaller header.
fn from_kernel(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(16 + body.len()).unwrap().to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(7_u32.to_ne_bytes());
    bytes.extend(99_u32.to_ne_bytes());
    bytes.extend(body);
    bytes
}

#[test]
fn what_is_written_is_read_again() {
    let mut writer = Writer::default();
    writer.message(header(0xa0c, CREATE, 3), |writer| {
        writer.text(1, "web");
        writer.nested(3, |writer| {
            writer.nested(1, |writer| writer.attribute(1, &[10, 0, 0, 1, 9]));
            writer.number(2, 77);
        });
    });
    writer.message(header(0x11, ACK, 4), |_| {});
    let mut messages = Messages(writer.bytes());
    let first = messages.next().unwrap().unwrap();
    let second = messages.next().unwrap().unwrap();
    assert!(messages.next().is_none());
    assert_eq!((first.kind, first.flags, first.sequence), (0xa0c, CREATE | REQUEST, 3));
    assert_eq!((second.kind, second.flags, second.sequence), (0x11, ACK | REQUEST, 4));
    let Meaning::Content { family: 2, attributes } = first.meaning().unwrap() else { panic!("{first:?}") };
    assert_eq!(text(attributes.find(1).unwrap().unwrap()), Ok("web"));
    let nested = Attributes(attributes.find(3).unwrap().unwrap());
    assert_eq!(number(nested.find(2).unwrap().unwrap()), Ok(77));
    let inner = Attributes(nested.find(1).unwrap().unwrap());
    assert_eq!(inner.find(1), Ok(Some(&[10, 0, 0, 1, 9][..])));
    assert_eq!(inner.find(2), Ok(None));
}

#[test]
fn a_message_is_laid_out_as_the_kernel_wants_it() {
    let mut writer = Writer::default();
    writer.message(header(0xa0c, CREATE, 1), |writer| {
        writer.text(1, "t");
        writer.nested(3, |writer| writer.number(4, 5));
    });
    let mut wanted = Vec::new();
    wanted.extend(40_u32.to_ne_bytes());
    wanted.extend(0xa0c_u16.to_ne_bytes());
    wanted.extend(0x401_u16.to_ne_bytes());
    wanted.extend(1_u32.to_ne_bytes());
    wanted.extend([0; 4]);
    wanted.extend([2, 0, 0, 10]);
    wanted.extend(6_u16.to_ne_bytes());
    wanted.extend(1_u16.to_ne_bytes());
    wanted.extend(*b"t\0\0\0");
    wanted.extend(12_u16.to_ne_bytes());
    wanted.extend(0x8003_u16.to_ne_bytes());
    wanted.extend(8_u16.to_ne_bytes());
    wanted.extend(4_u16.to_ne_bytes());
    wanted.extend([0, 0, 0, 5]);
    assert_eq!(writer.bytes(), wanted);
}

#[test]
#[should_panic(expected = "split before 64 KiB")]
fn an_attribute_that_is_too_long_is_not_written_short() {
    Writer::default().attribute(1, &[0; 65_532]);
}

#[test]
fn an_error_tells_its_number_and_its_words() {
    let errno = |errno: i32| errno.to_ne_bytes();
    let mut words = Writer::default();
    words.attribute(2, &[1, 2, 3, 4]);
    words.text(1, "no such set");
    let capped = [&errno(-2)[..], &from_kernel(0xa0c, 0, &[])[..], words.bytes()].concat();
    let whole = [&errno(-2)[..], &from_kernel(0xa0c, 0, &[1; 20])[..], words.bytes()].concat();
    let dump = [&errno(-2)[..], words.bytes()].concat();
    let told = Ok(Meaning::Failed { errno: 2, words: b"no such set" });
    assert_eq!(one(&from_kernel(ERROR, CAPPED | ERROR_HAS_WORDS, &capped)).meaning(), told);
    assert_eq!(one(&from_kernel(ERROR, ERROR_HAS_WORDS, &whole)).meaning(), told);
    assert_eq!(one(&from_kernel(DONE, ERROR_HAS_WORDS, &dump)).meaning(), told);
    let silent = Ok(Meaning::Failed { errno: 2, words: b"" });
    assert_eq!(one(&from_kernel(ERROR, CAPPED, &capped)).meaning(), silent);
    for end in [0, 5, i32::MIN] {
        assert_eq!(one(&from_kernel(DONE, 0, &errno(end))).meaning(), Ok(Meaning::Done), "{end}");
    }
    assert_eq!(one(&from_kernel(ERROR, 0, &[0; 3])).meaning(), Err(Malformed("an end without its cause")));
}

#[test]
fn what_is_cut_off_is_said_to_be() {
    let mut writer = Writer::default();
    writer.message(header(0xa0c, 0, 1), |writer| writer.nested(3, |writer| writer.number(1, 5)));
    let bytes = writer.bytes();
    for length in 1..bytes.len() {
        assert!(Messages(&bytes[..length]).next().unwrap().is_err(), "{length} bytes");
    }
    for wrong in [0, 3, 15, u32::MAX] {
        let bytes = [&wrong.to_ne_bytes()[..], &bytes[4..]].concat();
        assert!(Messages(&bytes).next().unwrap().is_err(), "a length of {wrong}");
    }
    for wrong in [0, 3, 13, u16::MAX] {
        let bytes = [&wrong.to_ne_bytes()[..], &[3, 0], &[0; 8]].concat();
        let mut attributes = Attributes(&bytes);
        assert!(attributes.next().unwrap().is_err(), "a length of {wrong}");
        assert!(attributes.next().is_none(), "nothing is made of what follows");
    }
    assert!(number(&[1, 2, 3]).is_err());
    assert!(text(&[0xff, 0xfe]).is_err());
}

/// Reads everything that can be read of some bytes; how much that was.
fn read_all(bytes: &[u8], depth: usize) -> usize {
    let mut seen = 0;
    for message in Messages(bytes).map_while(Result::ok) {
        seen += 1;
        if let Ok(Meaning::Content { attributes, .. }) = message.meaning() {
            seen += read_attributes(attributes, depth);
        }
    }
    seen
}

fn read_attributes(attributes: Attributes<'_>, depth: usize) -> usize {
    let each = attributes.map_while(Result::ok).map(|(_, value)| {
        let _ = (number(value), text(value));
        1 + if depth > 0 { read_attributes(Attributes(value), depth - 1) } else { 0 }
    });
    each.sum()
}

/// Whatever the bytes are: no panic, and an end.
#[test]
fn hostile_bytes_do_no_harm() {
    let mut writer = Writer::default();
    for sequence in 0..4 {
        writer.message(header(0xa0c, CREATE, sequence), |writer| {
            writer.text(1, "table");
            writer.nested(3, |writer| {
                writer.nested(1, |writer| writer.nested(1, |writer| writer.number(1, 0x0a00_0001)));
                writer.nested(2, |writer| writer.number(3, 1));
            });
        });
    }
    let error = [&(-2_i32).to_ne_bytes()[..], writer.bytes()].concat();
    let good = [writer.bytes(), &from_kernel(ERROR, ERROR_HAS_WORDS, &error)].concat();
    let whole = read_all(&good, 4);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut less = 0;
    for _ in 0..20_000 {
        let mut bytes = good.clone();
        for _ in 0..=random(4) {
            let at = random(bytes.len());
            bytes[at] = [0, 1, 3, 4, 5, 0x7f, 0x80, 0xff][random(8)];
        }
        bytes.truncate(bytes.len() - random(bytes.len()) * random(2));
        less += usize::from(read_all(&bytes, 4) < whole);
    }
    assert!(less > 1_000, "the bytes were spoilt: {less}");
}

use super::*;

mod samples;

const ALL: [&str; 7] = [
    samples::AUTHORITY,
    samples::WEB,
    samples::PLAIN,
    samples::NAMELESS,
    samples::BMP,
    samples::UTF8,
    samples::TELETEX,
];

fn bytes(hex: &str) -> Vec<u8> {
    assert_eq!(hex.len() % 2, 0);
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("it is hex")).collect()
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let count = content.len();
    let length = match u8::try_from(count) {
        Ok(short @ 0..0x80) => vec![short],
        Ok(byte) => vec![0x81, byte],
        Err(_) => {
            let bytes = u32::try_from(count).expect("it is no giant").to_be_bytes();
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            [vec![0x80 | u8::try_from(4 - zeros).expect("it is small")], bytes[zeros..].to_vec()].concat()
        }
    };
    [vec![tag], length, content.to_vec()].concat()
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(der::SEQUENCE, &parts.concat())
}

/// A certificate with these parts; `times` and `subject` without, `extensions` with their tag.
fn certificate(times: &[u8], subject: &[u8], extensions: &[u8]) -> Vec<u8> {
    let signed = sequence(&[
        &element(der::context_constructed(0), &element(der::INTEGER, &[2])),
        &element(der::INTEGER, &[1]),
        &sequence(&[]),
        &sequence(&[]),
        &sequence(&[times]),
        &sequence(&[subject]),
        &sequence(&[]),
        extensions,
    ]);
    sequence(&[&signed, &sequence(&[]), &element(der::BIT_STRING, &[0])])
}

/// The numbers are what date(1) makes of the dates that openssl prints.
#[test]
fn validity_is_what_openssl_prints() {
    let cases = [
        (samples::AUTHORITY, 946_684_799, 2_524_607_999),
        (samples::WEB, 1_709_208_000, 2_561_241_600),
        (samples::PLAIN, 2_524_608_000, 253_402_300_799),
        (samples::NAMELESS, 1_767_225_600, 1_775_001_600),
    ];
    for (hex, not_before, not_after) in cases {
        assert_eq!(validity(&bytes(hex)), Some(Validity { not_before, not_after }), "{hex}");
    }
}

#[test]
fn a_certificate_cut_anywhere_is_none() {
    for whole in ALL.map(bytes) {
        for end in 0..whole.len() {
            assert_eq!(validity(&whole[..end]), None, "{end} bytes");
        }
    }
}

#[test]
fn a_byte_behind_the_certificate_is_none() {
    for whole in ALL.map(bytes) {
        let more = [whole, vec![0]].concat();
        assert_eq!(validity(&more), None);
    }
}

#[test]
fn no_value_of_any_byte_does_harm() {
    for whole in ALL.map(bytes) {
        let mut mutant = whole.clone();
        for at in 0..whole.len() {
            for value in 0..=u8::MAX {
                mutant[at] = value;
                let _ = validity(&mutant);
            }
            mutant[at] = whole[at];
        }
    }
}

#[test]
fn bytes_without_sense_do_no_harm() {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for round in 0..200_000 {
        let mut next = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed.to_le_bytes()
        };
        let noise: Vec<u8> = (0..=round % 8).flat_map(|_| next()).collect();
        let _ = (validity(&noise), validity(&certificate(&noise, &[], &[])));
    }
}

#[test]
fn a_length_has_one_form() {
    let content = [b'a'; 0x80];
    let right = [&[0x13, 0x81, 0x80][..], &content].concat();
    let wrong: [&[u8]; 6] = [
        &[0x13, 0x81, 0x01, b'a'],
        &[0x13, 0x82, 0x00, 0x01, b'a'],
        &[0x13, 0x80, b'a', 0, 0],
        &[0x13, 0x85, 0, 0, 0, 0, 1, b'a'],
        &[0x13, 0x84, 0xff, 0xff, 0xff, 0xff, b'a'],
        &[0x13, 0xff, b'a'],
    ];
    let read = |bytes: &[u8]| Reader::new(bytes).take().map(|element| element.content.len());
    assert_eq!(read(&right), Some(0x80));
    assert_eq!(read(&[&[0x13, 0x82, 0x00, 0x80][..], &content].concat()), None);
    for bytes in wrong {
        assert_eq!(read(bytes), None, "{bytes:x?}");
    }
}

#[test]
fn a_tag_of_more_bytes_is_none() {
    for tag in [0x1f, 0x3f, 0x9f, 0xbf, 0xff] {
        assert!(Reader::new(&[tag, 0x01, 0x00]).take().is_none(), "{tag:x}");
    }
}

#[test]
fn a_validity_has_two_ends() {
    let time = element(der::UTC_TIME, b"260101000000Z");
    for count in [0, 1, 3] {
        assert_eq!(validity(&certificate(&time.repeat(count), &[], &[])), None, "{count}");
    }
}

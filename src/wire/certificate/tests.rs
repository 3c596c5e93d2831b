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

/// An attribute of a name: the last byte of its object identifier, and its value.
fn attribute(last: u8, tag: u8, value: &[u8]) -> Vec<u8> {
    let pair = sequence(&[&element(der::OBJECT_IDENTIFIER, &[0x55, 0x04, last]), &element(tag, value)]);
    element(der::SET, &pair)
}

fn extension(last: u8, value: &[u8]) -> Vec<u8> {
    let id = element(der::OBJECT_IDENTIFIER, &[0x55, 0x1d, last]);
    sequence(&[&id, &element(der::OCTET_STRING, value)])
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

fn with_subject(subject: &[u8]) -> Option<String> {
    names(&certificate(&[], subject, &[])).map(|names| names.subject)
}

fn with_extensions(extensions: &[&[u8]]) -> Option<Names> {
    names(&certificate(&[], &[], &element(der::context_constructed(3), &sequence(extensions))))
}

fn with_alternative(general: &[u8]) -> Option<Names> {
    with_extensions(&[&extension(0x11, &sequence(&[general]))])
}

fn common_name(tag: u8, value: &[u8]) -> String {
    with_subject(&attribute(3, tag, value)).expect("the certificate is right")
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
fn names_are_what_openssl_prints() {
    let cases: [(&str, &str, &[&str]); 7] = [
        (samples::AUTHORITY, "Example Root", &[]),
        (
            samples::WEB,
            "web.example.com",
            &["web.example.com", "www.example.com", "192.0.2.10", "2001:db8::a"],
        ),
        (samples::PLAIN, "Second", &[]),
        (samples::NAMELESS, "", &["*.example.org"]),
        (samples::BMP, "Größe ☃", &[]),
        (samples::UTF8, "Größe ☃", &[]),
        (samples::TELETEX, "Größe", &[]),
    ];
    for (hex, subject, alternative) in cases {
        let names = names(&bytes(hex)).expect(subject);
        assert_eq!((names.subject.as_str(), names.issuer.as_str()), (subject, "Example Root"));
        assert_eq!(names.alternative, alternative);
        assert_eq!(names.unlisted, 0);
    }
}

#[test]
fn a_description_is_short() {
    let cases = [
        (samples::WEB, "web.example.com, www.example.com (2 more)"),
        (samples::NAMELESS, "*.example.org"),
        (samples::PLAIN, "Second"),
    ];
    for (hex, text) in cases {
        assert_eq!(names(&bytes(hex)).map(|names| names.describe()).as_deref(), Some(text));
    }
    assert_eq!(Names::default().describe(), "(no name)");
    let two = Names { alternative: vec!["a".into(), "b".into()], ..Names::default() };
    assert_eq!(two.describe(), "a, b");
}

#[test]
fn a_certificate_cut_anywhere_is_none() {
    for whole in ALL.map(bytes) {
        for end in 0..whole.len() {
            assert_eq!(validity(&whole[..end]), None, "{end} bytes");
            assert_eq!(names(&whole[..end]), None, "{end} bytes");
        }
    }
}

#[test]
fn a_byte_behind_the_certificate_is_none() {
    for whole in ALL.map(bytes) {
        let more = [whole, vec![0]].concat();
        assert_eq!((validity(&more), names(&more)), (None, None));
    }
}

/// Whether names keep what the module promises of them.
fn is_harmless(names: &Names) -> bool {
    let every = [&names.subject, &names.issuer].into_iter().chain(&names.alternative);
    let fit = |name: &String| name.len() <= NAME_BYTES_MAX && !name.chars().any(char::is_control);
    names.alternative.len() <= ALTERNATIVE_MAX && every.into_iter().all(fit)
}

#[test]
fn no_value_of_any_byte_does_harm() {
    for whole in ALL.map(bytes) {
        let mut mutant = whole.clone();
        for at in 0..whole.len() {
            for value in 0..=u8::MAX {
                mutant[at] = value;
                let names = names(&mutant);
                assert!(names.as_ref().is_none_or(is_harmless), "byte {at} as {value}: {names:?}");
                let _ = (validity(&mutant), names.map(|names| names.describe()));
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
        let (subject, general) = (with_subject(&noise), with_alternative(&noise));
        assert!(subject.is_none_or(|text| text.len() <= NAME_BYTES_MAX), "{noise:x?}");
        assert!(general.as_ref().is_none_or(is_harmless), "{noise:x?}");
        assert!(with_extensions(&[&noise]).as_ref().is_none_or(is_harmless), "{noise:x?}");
        let _ = (names(&noise), validity(&noise), validity(&certificate(&noise, &[], &[])));
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

#[test]
fn the_common_name_is_told_before_all_others() {
    let (common, organisation, unit) = (3, 10, 11);
    let of = |last: u8, text: &str| attribute(last, der::UTF8_STRING, text.as_bytes());
    let cases = [
        (vec![of(common, "a"), of(organisation, "b"), of(unit, "c")], "a"),
        (vec![of(common, "a"), of(common, "b")], "b"),
        (vec![of(organisation, "a"), of(unit, "b")], "a"),
        (vec![of(unit, "a"), of(6, "b")], "b"),
        (vec![of(organisation, "a"), of(common, "")], "a"),
        (vec![of(organisation, "a"), attribute(common, der::INTEGER, &[1])], "a"),
        (vec![attribute(unit, der::BIT_STRING, &[0, 1])], ""),
        (vec![], ""),
    ];
    for (subject, wanted) in cases {
        assert_eq!(with_subject(&subject.concat()).as_deref(), Some(wanted), "{subject:x?}");
    }
}

#[test]
fn a_text_is_decoded_as_its_tag_says() {
    let cases: [(u8, &[u8], &str); 10] = [
        (der::UTF8_STRING, "naïve ☃".as_bytes(), "naïve ☃"),
        (der::UTF8_STRING, b"a\xffb\xe2\x98", "a\u{fffd}b\u{fffd}"),
        (der::PRINTABLE_STRING, b"Example (1)", "Example (1)"),
        (der::PRINTABLE_STRING, "é".as_bytes(), "\u{fffd}\u{fffd}"),
        (der::IA5_STRING, b"a@example.com\x80", "a@example.com\u{fffd}"),
        (der::TELETEX_STRING, b"Gr\xf6\xdfe\x9b", "Größe\u{fffd}"),
        (der::BMP_STRING, b"\x26\x03\x00a", "☃a"),
        (der::BMP_STRING, b"\x00a\x00", "a\u{fffd}"),
        (der::BMP_STRING, b"\xd8\x00\x00a", "\u{fffd}a"),
        (der::BMP_STRING, b"\xd8\x3d\xde\x00", "😀"),
    ];
    for (tag, value, wanted) in cases {
        assert_eq!(common_name(tag, value), wanted, "{value:x?}");
    }
}

#[test]
fn what_a_terminal_would_obey_or_hide_is_replaced() {
    let unfit = "\0\u{7}\u{8}\t\n\r\u{1b}\u{7f}\u{85}\u{9b}\u{a0}\u{ad}\u{61c}\u{180e}\u{200b}\u{200d}\u{200e}\
                 \u{2028}\u{2029}\u{202e}\u{2066}\u{2069}\u{3000}\u{3164}\u{e000}\u{fe0f}\u{feff}\u{fff9}\u{e0041}";
    for char in unfit.chars() {
        let text = format!("a{char}b");
        assert_eq!(common_name(der::UTF8_STRING, text.as_bytes()), "a\u{fffd}b", "{char:?}");
    }
    let fit = "az AZ 09 !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ é ß Ω я ש ع 中 한 😀";
    assert_eq!(common_name(der::UTF8_STRING, fit.as_bytes()), fit);
}

#[test]
fn a_long_name_is_cut_between_characters() {
    let limit = "a".repeat(NAME_BYTES_MAX);
    assert_eq!(common_name(der::UTF8_STRING, limit.as_bytes()), limit);
    let long = common_name(der::UTF8_STRING, "é".repeat(40_000).as_bytes());
    assert_eq!(long, format!("{}…", "é".repeat(126)));
    let host = with_alternative(&element(0x82, &[b'a'; 256])).expect("the certificate is right");
    assert_eq!(host.alternative, [format!("{}…", "a".repeat(252))]);
}

#[test]
fn a_dns_name_cannot_pass_for_two() {
    let names =
        with_alternative(&element(0x82, b"a, b (9 more)\n\xc3\xa9")).expect("the certificate is right");
    assert_eq!(names.describe(), "a__b__9_more____".replace('_', "\u{fffd}"));
}

#[test]
fn names_beyond_the_twentieth_are_counted() {
    let general: Vec<u8> = (0..1000).flat_map(|n| element(0x82, format!("n{n}").as_bytes())).collect();
    let names = with_alternative(&general).expect("the certificate is right");
    assert_eq!((names.alternative.len(), names.unlisted), (ALTERNATIVE_MAX, 980));
    assert_eq!(names.alternative.last().map(String::as_str), Some("n19"));
    assert_eq!(names.describe(), "n0, n1 (998 more)");
}

#[test]
fn other_forms_of_a_name_are_passed_over() {
    let general = [
        element(0xa0, b"other"),
        element(0x81, b"a@example.com"),
        element(0x82, b""),
        element(0x87, &[192, 0, 2]),
        element(0x87, &[192, 0, 2, 1, 255, 255, 255, 0]),
        element(0x87, &[192, 0, 2, 1]),
        element(0x87, &[0; 16]),
        element(0x88, &[0x2a]),
    ];
    let names = with_alternative(&general.concat()).expect("the certificate is right");
    assert_eq!(names.alternative, ["192.0.2.1", "::"]);
}

#[test]
fn alternative_names_are_given_once() {
    let (one, other) = (sequence(&[&element(0x82, b"a")]), sequence(&[]));
    let read = |of: &[&[u8]]| with_extensions(of).map(|names| names.alternative.len());
    assert_eq!(read(&[&extension(0x11, &one)]), Some(1));
    assert_eq!(read(&[&extension(0x13, &other), &extension(0x11, &one)]), Some(1));
    assert_eq!(read(&[&extension(0x11, &other)]), Some(0));
    assert_eq!(read(&[&extension(0x11, &one), &extension(0x11, &other)]), None);
    assert_eq!(read(&[&extension(0x11, &[one, vec![5, 0]].concat())]), None);
}

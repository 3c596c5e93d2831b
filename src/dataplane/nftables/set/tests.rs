use super::super::message::Writer;
use super::*;

fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

/// A note of nft(8).
fn note(kind: u8, value: &[u8]) -> Vec<u8> {
    [&[kind, u8::try_from(value.len()).unwrap()], value].concat()
}

/// What nft(8) notes of a key that is `numgen inc mod modulus offset offset`.
fn generator(modulus: u32, offset: u32) -> Vec<u8> {
    let of = [note(0, &[0; 4]), note(1, &modulus.to_ne_bytes()), note(2, &offset.to_ne_bytes())].concat();
    let expression = [note(0, &23_u32.to_ne_bytes()), note(1, &of)].concat();
    [note(0, &1_u32.to_ne_bytes()), note(3, &expression)].concat()
}

#[derive(Clone, Copy)]
struct Given<'a> {
    flags: u32,
    key: (u32, u32),
    data: (u32, u32),
    timeout_ms: u64,
    notes: &'a [u8],
}

const SET: Given<'static> = Given { flags: 0, key: (7, 4), data: (0, 0), timeout_ms: 0, notes: &[] };
const SLOTS: Given<'static> = Given { flags: MAP, key: (4, 4), data: (7, 4), ..SET };

fn shape(given: Given<'_>) -> Result<Shape, String> {
    let mut writer = Writer::default();
    writer.text(1, "t");
    for (kind, number) in [
        (FLAGS, given.flags),
        (KEY_TYPE, given.key.0),
        (KEY_BYTES, given.key.1),
        (DATA_TYPE, given.data.0),
        (DATA_BYTES, given.data.1),
    ] {
        writer.number(kind, number);
    }
    if given.timeout_ms > 0 {
        writer.attribute(TIMEOUT, &given.timeout_ms.to_be_bytes());
    }
    writer.attribute(USERDATA, given.notes);
    Description::read(Attributes(writer.bytes())).unwrap().shape(16)
}

#[test]
fn sets_of_addresses_are_told_by_their_types() {
    let single = |version, expires| Ok(Shape::Single { version, expires });
    assert_eq!(shape(SET), single(Version::V4, false));
    assert_eq!(shape(Given { key: (8, 16), flags: HAS_TIMEOUTS, ..SET }), single(Version::V6, true));
    let interval = |joining| Ok(Shape::Intervals { version: Version::V4, joining });
    assert_eq!(shape(Given { flags: INTERVAL, ..SET }), interval(Joining::Apart));
    let joins = note(2, &1_u32.to_ne_bytes());
    assert_eq!(shape(Given { flags: INTERVAL, notes: &joins, ..SET }), interval(Joining::Joined));
    let noted_not = note(2, &0_u32.to_ne_bytes());
    assert_eq!(shape(Given { flags: INTERVAL, notes: &noted_not, ..SET }), interval(Joining::Apart));
}

#[test]
fn maps_of_numbers_to_addresses_have_slots() {
    assert_eq!(shape(SLOTS), Ok(Shape::Slots(Version::V4)));
    assert_eq!(shape(Given { data: (8, 16), ..SLOTS }), Ok(Shape::Slots(Version::V6)));
    assert_eq!(shape(Given { key: (19, 4), ..SLOTS }), Ok(Shape::Slots(Version::V4)), "of marks");
    assert_eq!(shape(Given { notes: &generator(16, 0), ..SLOTS }), Ok(Shape::Slots(Version::V4)));
}

#[test]
fn what_a_set_cannot_be_is_said_with_what_it_is() {
    let concatenated = 7 << 6 | 13;
    let big_endian = note(0, &2_u32.to_ne_bytes());
    let joins = note(2, &1_u32.to_ne_bytes());
    for (given, words) in [
        (Given { key: (13, 2), ..SET }, "of type inet_service, and must be of ipv4_addr or ipv6_addr"),
        (Given { key: (concatenated, 8), flags: CONCATENATED, ..SET }, "of type ipv4_addr . inet_service"),
        (Given { key: (41, 16), ..SET }, "of type number 41"),
        (Given { key: (7, 8), ..SET }, "of type ipv4_addr"),
        (Given { flags: CONSTANT, ..SET }, "without 'flags constant'"),
        (Given { flags: HAS_TIMEOUTS, timeout_ms: 1500, ..SET }, "a timeout of 2 s"),
        (Given { flags: HAS_TIMEOUTS | INTERVAL, notes: &joins, ..SET }, "'auto-merge' and 'flags timeout'"),
        (
            Given { key: (7, 4), ..SLOTS },
            "a map of ipv4_addr : ipv4_addr, and must be a map of 'typeof numgen",
        ),
        (Given { data: (VERDICT, 0), ..SLOTS }, "a map of integer : verdict"),
        (Given { data: (concatenated, 8), ..SLOTS }, "integer : ipv4_addr . inet_service"),
        (Given { flags: MAP | OBJECTS, ..SLOTS }, "integer : objects"),
        (Given { flags: MAP | INTERVAL, ..SLOTS }, "with 'flags interval'"),
        (Given { flags: MAP | HAS_TIMEOUTS, ..SLOTS }, "'flags timeout'"),
        (Given { notes: &big_endian, ..SLOTS }, "a map of integer : ipv4_addr"),
        (Given { notes: &generator(256, 0), ..SLOTS }, "'numgen inc mod 256', and 'slots' is 16"),
        (Given { notes: &generator(16, 3), ..SLOTS }, "'numgen inc mod 16 offset 3'"),
    ] {
        let error = shape(given).unwrap_err();
        assert!(error.contains(words), "{error}\nwithout {words}");
    }
}

#[test]
fn notes_that_are_cut_off_are_no_notes() {
    let whole = generator(99, 0);
    for length in 0..whole.len() {
        assert_eq!(
            shape(Given { notes: &whole[..length], ..SLOTS }),
            Ok(Shape::Slots(Version::V4)),
            "{length} bytes"
        );
    }
    assert!(shape(Given { notes: &whole, ..SLOTS }).is_err());
}

#[test]
fn networks_are_intervals() {
    for (text, first, last) in [
        ("10.0.0.0/24", 0x0a00_0000, 0x0a00_00ff),
        ("10.0.0.1", 0x0a00_0001, 0x0a00_0001),
        ("0.0.0.0/0", 0, 0xffff_ffff),
        ("::/0", 0, u128::MAX),
        ("8000::/1", 1 << 127, u128::MAX),
        ("::1", 1, 1),
    ] {
        let interval = Interval { first, last };
        assert_eq!(Version::interval(prefix(text)), interval, "{text}");
        assert_eq!(Version::of(prefix(text)).networks(interval), [prefix(text)]);
    }
}

#[test]
fn an_interval_is_made_of_the_fewest_networks() {
    let networks = |version: Version, first, last| version.networks(Interval { first, last });
    let wanted = ["10.0.0.1", "10.0.0.2/31", "10.0.0.4/30", "10.0.0.8"].map(prefix);
    assert_eq!(networks(Version::V4, 0x0a00_0001, 0x0a00_0008), wanted);
    assert_eq!(
        networks(Version::V4, 0xffff_fffd, 0xffff_ffff),
        ["255.255.255.253", "255.255.255.254/31"].map(prefix)
    );
    assert_eq!(networks(Version::V6, 1, u128::MAX).len(), 128);
    assert_eq!(networks(Version::V6, 0, u128::MAX - 1).len(), 128);
}

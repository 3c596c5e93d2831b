//! Lists byte by byte, and answers of every wrong kind.

use super::*;

/// A header of a list of this size, as this machine has it.
fn header(size: u64) -> Vec<u8> {
    let mut bytes = vec![b'l', 0, FLAGS];
    bytes.extend(0_u64.to_ne_bytes());
    bytes.extend(size.to_ne_bytes());
    bytes
}

fn pair(kind: u8, name: &[u8], items: u64, size: u64, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend(u16::try_from(name.len()).unwrap().to_ne_bytes());
    bytes.extend(size.to_ne_bytes());
    bytes.extend(items.to_ne_bytes());
    bytes.extend(name);
    bytes.extend(value);
    bytes
}

fn answer(pairs: &[Vec<u8>]) -> Vec<u8> {
    let pairs = pairs.concat();
    let mut bytes = header(pairs.len() as u64);
    bytes.extend(pairs);
    bytes
}

#[test]
fn plain_values_are_packed_one_after_the_other() {
    let packed = pack(&[
        ("n", Value::Number(0x0102_0304_0506_0708)),
        ("yes", Value::Bool(true)),
        ("no", Value::Bool(false)),
        ("text", Value::String("ab")),
        ("", Value::String("")),
        ("bin", Value::Binary(&[1, 2, 3])),
        ("port", Value::Numbers(&[7, 9])),
    ]);
    let expected = answer(&[
        pair(3, b"n\0", 0, 8, &0x0102_0304_0506_0708_u64.to_ne_bytes()),
        pair(2, b"yes\0", 0, 1, &[1]),
        pair(2, b"no\0", 0, 1, &[0]),
        pair(4, b"text\0", 0, 3, b"ab\0"),
        pair(4, b"\0", 0, 1, b"\0"),
        pair(7, b"bin\0", 0, 3, &[1, 2, 3]),
        pair(9, b"port\0", 2, 16, &[7_u64.to_ne_bytes(), 9_u64.to_ne_bytes()].concat()),
    ]);
    assert_eq!(packed, expected);
    assert_eq!(pack(&[]), header(0));
}

/// The size in an inner header counts to the end of all, which is more than the inner list.
#[test]
fn a_list_within_a_list_is_closed_and_counts_to_the_end() {
    let packed = pack(&[("in", Value::List(&[("a", Value::Bool(true))])), ("b", Value::Number(1))]);
    let inner_pair = pair(2, b"a\0", 0, 1, &[1]);
    let up = pair(255, b"\0", 0, 0, &[]);
    let last = pair(3, b"b\0", 0, 8, &1_u64.to_ne_bytes());
    let inner_size = (LIST_HEADER + inner_pair.len()) as u64;
    let after_inner_header = (inner_pair.len() + up.len() + last.len()) as u64;
    let inner = [header(after_inner_header), inner_pair, up].concat();
    assert_eq!(packed, answer(&[pair(5, b"in\0", 0, inner_size, &inner), last]));
}

#[test]
fn a_number_is_found_by_its_name_and_type() {
    let killed = |number: u64| pair(3, b"killed\0", 0, 8, &number.to_ne_bytes());
    assert_eq!(number(&answer(&[killed(7)]), "killed"), Some(7));
    let others = [pair(4, b"killed\0", 0, 2, b"9\0"), pair(3, b"kill\0", 0, 8, &[1; 8]), killed(u64::MAX)];
    assert_eq!(number(&answer(&others), "killed"), Some(u64::MAX));
    assert_eq!(number(&answer(&others), "missing"), None);
    assert_eq!(number(&pack(&[("killed", Value::Number(3))]), "killed"), Some(3));
}

#[test]
fn a_wrong_answer_is_none() {
    let good = answer(&[pair(3, b"killed\0", 0, 8, &[0; 8])]);
    for cut in 0..good.len() {
        assert_eq!(number(&good[..cut], "killed"), None, "{cut} bytes");
    }
    let longer = [good.clone(), vec![0]].concat();
    assert_eq!(number(&longer, "killed"), None);
    for (at, value) in [(0, b'm'), (1, 1), (2, FLAGS ^ BIG_ENDIAN)] {
        let mut wrong = good.clone();
        wrong[at] = value;
        assert_eq!(number(&wrong, "killed"), None, "byte {at}");
    }
    let short = answer(&[pair(3, b"killed\0", 0, 4, &[0; 4])]);
    let long = answer(&[pair(3, b"killed\0", 0, 9, &[0; 9])]);
    let open_name = answer(&[pair(3, b"killedx", 0, 8, &[0; 8])]);
    let no_name = answer(&[pair(3, b"", 0, 8, &[0; 8])]);
    let huge = answer(&[pair(4, b"a\0", 0, u64::MAX, b"")]);
    for wrong in [short, long, open_name, no_name, huge] {
        assert_eq!(number(&wrong, "killed"), None, "{wrong:?}");
    }
}

/// Nothing that is put into a byte makes it panic, and what is found then is a number.
#[test]
fn hostile_bytes_do_no_harm() {
    let good = answer(&[pair(4, b"a\0", 0, 2, b"x\0"), pair(3, b"killed\0", 0, 8, &[0; 8])]);
    for at in 0..good.len() {
        for value in [0, 1, 2, 3, 7, 8, 19, 127, 128, 254, 255] {
            let mut wrong = good.clone();
            wrong[at] = value;
            let found = number(&wrong, "killed");
            let is_value = at >= good.len() - 8;
            assert!(found.is_none() || found == Some(0) || is_value, "byte {at} as {value}: {found:?}");
        }
    }
}

use super::*;

/// What a body came to: the content, the bytes that belong to it, and how it ended.
fn taken(mut framing: Framing, input: &[u8], piece: usize) -> (Vec<u8>, usize, Result<bool, Malformed>) {
    let (mut content, mut bytes) = (Vec::new(), 0);
    for piece in input.chunks(piece) {
        match framing.take(piece, &mut |some| content.extend_from_slice(some)) {
            Ok(Taken { bytes: of_piece, complete }) => {
                bytes += of_piece;
                if complete {
                    return (content, bytes, Ok(true));
                }
                assert_eq!(of_piece, piece.len(), "what is not complete takes all");
            }
            Err(malformed) => return (content, bytes, Err(malformed)),
        }
    }
    (content, bytes, Ok(false))
}

fn check_chunks(input: &str, content: &str, outcome: Result<bool, Malformed>) {
    for piece in [input.len().max(1), 1, 2, 3] {
        let (seen, bytes, how) = taken(Framing::chunked(), input.as_bytes(), piece);
        assert_eq!(how, outcome, "{input:?} in pieces of {piece}");
        assert_eq!(String::from_utf8_lossy(&seen), content, "{input:?} in pieces of {piece}");
        if how == Ok(true) {
            let after = input.len() - bytes;
            assert!(input.ends_with(&"NEXT"[..after.min(4)]), "{input:?} leaves {after}");
        }
    }
}

#[test]
fn a_length_ends_where_it_says() {
    for piece in [1, 2, 100] {
        let (content, bytes, how) = taken(Framing::Length(5), b"helloNEXT", piece);
        assert_eq!((content.as_slice(), bytes, how), (&b"hello"[..], 5, Ok(true)));
        let (content, _, how) = taken(Framing::Length(u64::MAX), b"hello", piece);
        assert_eq!((content.as_slice(), how), (&b"hello"[..], Ok(false)));
    }
}

#[test]
fn all_until_the_close_is_content() {
    let (content, _, how) = taken(Framing::UntilClose, b"0\r\n\r\n", 2);
    assert_eq!((content.as_slice(), how), (&b"0\r\n\r\n"[..], Ok(false)));
}

#[test]
fn chunks_are_content_and_their_lines_are_not() {
    let whole: &[(&str, &str)] = &[
        ("0\r\n\r\n", ""),
        ("0\r\n\r\nNEXT", ""),
        ("5\r\nhello\r\n0\r\n\r\nNEXT", "hello"),
        ("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world"),
        ("A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        ("a\r\n0123456789\r\n000\r\n\r\n", "0123456789"),
        ("00000000000000000000000000000002\r\nhi\r\n0\r\n\r\n", "hi"),
        // Data that looks like a chunk.
        ("5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n"),
        // Extensions (section 7.1.1).
        ("2;a\r\nhi\r\n0;b=c\r\n\r\n", "hi"),
        ("2;a=\"x;y\";b\r\nhi\r\n0\r\n\r\n", "hi"),
        ("2 ;a\r\nhi\r\n0\r\n\r\n", "hi"),
        ("2  \r\nhi\r\n0\r\n\r\n", "hi"),
        // Trailers (section 7.1.2).
        ("2\r\nhi\r\n0\r\nA: b\r\n\r\nNEXT", "hi"),
        ("2\r\nhi\r\n0\r\nA: b\r\nC: d\r\n\r\n", "hi"),
        // A bare LF has one meaning only.
        ("2\nhi\n0\n\nNEXT", "hi"),
        ("2;a\nhi\n0\nA: b\n\n", "hi"),
    ];
    for (input, content) in whole {
        check_chunks(input, content, Ok(true));
    }
}

#[test]
fn chunks_that_break_off_are_not_complete() {
    for (input, content) in [
        ("", ""),
        ("5", ""),
        ("5\r\n", ""),
        ("5\r\nhel", "hel"),
        ("5\r\nhello", "hello"),
        ("5\r\nhello\r\n", "hello"),
        ("5\r\nhello\r\n0\r\n", "hello"),
        ("5\r\nhello\r\n0\r\nA: b\r\n", "hello"),
        ("5\r\nhello\r\n0\r\n\r", "hello"),
    ] {
        check_chunks(input, content, Ok(false));
    }
}

#[test]
fn malformed_chunks_are_told() {
    for (input, content, fault) in [
        ("\r\n", "", Malformed::ChunkSize),
        ("x\r\n", "", Malformed::ChunkSize),
        ("-1\r\n", "", Malformed::ChunkSize),
        ("+1\r\n", "", Malformed::ChunkSize),
        (" 1\r\n", "", Malformed::ChunkSize),
        ("0x1\r\n", "", Malformed::ChunkSize),
        (";a\r\n", "", Malformed::ChunkSize),
        ("1\rx", "", Malformed::ChunkSize),
        ("10000000000000000\r\n", "", Malformed::ChunkSize),
        ("2\r\nhi!", "hi", Malformed::ChunkEnd),
        ("2\r\nhi\r!", "hi", Malformed::ChunkEnd),
        ("2\r\nhi\r\n\r\n", "hi", Malformed::ChunkSize),
        ("0\r\n\rx", "", Malformed::Trailer),
    ] {
        check_chunks(input, content, Err(fault));
    }
}

#[test]
fn the_largest_size_is_one_of_64_bits() {
    check_chunks("ffffffffffffffff\r\nhi", "hi", Ok(false));
}

#[test]
fn lines_around_chunks_are_bounded() {
    let size_line = |bytes: usize| format!("{}1;{}\r\nx\r\n0\r\n\r\n", "0".repeat(9), "e".repeat(bytes));
    check_chunks(&size_line(4000), "x", Ok(true));
    check_chunks(&size_line(4100), "", Err(Malformed::ChunkLine));
    let digits = |count: usize| format!("{}1\r\nx\r\n0\r\n\r\n", "0".repeat(count));
    check_chunks(&digits(4000), "x", Ok(true));
    check_chunks(&digits(4100), "", Err(Malformed::ChunkLine));
    let trailers = |count: usize| format!("1\r\nx\r\n0\r\n{}\r\n", "A: bcdefgh\r\n".repeat(count));
    check_chunks(&trailers(1000), "x", Ok(true));
    check_chunks(&trailers(2000), "x", Err(Malformed::ChunkLine));
    let many = "1;ext\r\nx\r\n".repeat(5000);
    check_chunks(&format!("{many}0\r\n\r\n"), &"x".repeat(5000), Ok(true));
}

use super::*;

fn head(text: &str) -> Result<Head, Malformed> {
    read(text.as_bytes(), false, |_, _| ()).map(|(head, ())| head)
}

/// The framing of a 200 with these field lines.
fn framing_of(fields: &str) -> Result<Option<Framing>, Malformed> {
    head(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n")).map(|head| head.framing)
}

/// How a head ends, fed in pieces: its extent or what is wrong with it, and the status line's bytes.
fn extent(text: &[u8], piece: usize) -> (Result<Extent, Malformed>, Option<usize>) {
    let (mut bounds, mut status_line, mut seen) = (Bounds::default(), None, 0);
    while seen < text.len() {
        seen = (seen + piece).min(text.len());
        loop {
            match bounds.look(&text[..seen]) {
                Ok(Extent::StatusLine(bytes)) => {
                    assert_eq!(status_line.replace(bytes), None, "told twice");
                }
                Ok(Extent::Beginning | Extent::Fields) => break,
                last @ (Ok(Extent::Whole(_)) | Err(_)) => return (last, status_line),
            }
        }
    }
    (bounds.look(text), status_line)
}

fn check_extent(text: &str, expected: Result<Extent, Malformed>) {
    for piece in [1, 3, 1000, text.len()] {
        let (seen, line) = extent(text.as_bytes(), piece);
        assert_eq!(seen, expected, "in pieces of {piece}: {:?}", &text[..text.len().min(80)]);
        let told = text.find('\n').map(|at| at + 1).filter(|_| expected != Err(Malformed::NotHttp));
        if expected.is_ok() {
            assert_eq!(line, told);
        }
    }
}

#[test]
fn a_head_ends_with_an_empty_line() {
    for (text, bytes) in [
        ("HTTP/1.1 200 OK\r\n\r\nbody\r\n\r\n", 19),
        ("HTTP/1.1 200 OK\n\nbody", 17),
        ("HTTP/1.1 200 OK\r\nA: b\r\n\r\n", 25),
        ("HTTP/1.1 200 OK\r\nA: b\n\r\n", 24),
        ("HTTP/1.1 200 OK\r\nA: b\r\n\n", 24),
        ("HTTP/1.0 200\n\n", 14),
    ] {
        check_extent(text, Ok(Extent::Whole(bytes)));
        assert_eq!(head(&text[..bytes]).map(|head| head.bytes), Ok(bytes), "{text:?}");
    }
    for text in ["HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n", "HTTP/1.1 200 OK\r\n\r"] {
        check_extent(text, Ok(Extent::Fields));
    }
    for text in ["H", "HTTP/1.", "HTTP/1.1 200 OK\r"] {
        check_extent(text, Ok(Extent::Beginning));
    }
}

#[test]
fn what_is_not_http_is_known_from_its_first_wrong_byte() {
    for text in [
        "SSH-2.0-OpenSSH_9.9\r\n",
        "220 mail ESMTP\r\n",
        "\x15\x03\x01\x00\x02\x02\x46",
        "\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/2 200\r\n\r\n",
        "HTTP/0.9",
        "http/1.1 200 OK\r\n\r\n",
        "HTTPS",
        "<html>",
        "\0",
    ] {
        check_extent(text, Err(Malformed::NotHttp));
    }
}

#[test]
fn a_head_has_64_kib_at_most() {
    let head_of = |bytes: usize| {
        let (start, end) = ("HTTP/1.1 200 OK\r\nA: ", "\r\n\r\n");
        format!("{start}{}{end}", "x".repeat(bytes - start.len() - end.len()))
    };
    let most = head_of(HEAD_BYTES_MAX);
    for piece in [1000, most.len()] {
        assert_eq!(extent(most.as_bytes(), piece).0, Ok(Extent::Whole(HEAD_BYTES_MAX)));
        assert_eq!(extent(head_of(HEAD_BYTES_MAX + 1).as_bytes(), piece).0, Err(Malformed::HeadTooLong));
        let endless_line = format!("HTTP/1.1 200 {}", "x".repeat(HEAD_BYTES_MAX));
        assert_eq!(extent(endless_line.as_bytes(), piece).0, Err(Malformed::HeadTooLong));
    }
    // What follows a head is not a part of it.
    let with_body = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(2 * HEAD_BYTES_MAX));
    assert_eq!(extent(with_body.as_bytes(), with_body.len()).0, Ok(Extent::Whole(19)));
}

#[test]
fn a_head_has_128_fields_at_most() {
    let with = |count: usize| head(&format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(count)));
    assert!(with(128).is_ok());
    assert_eq!(with(129), Err(Malformed::Head(httparse::Error::TooManyHeaders)));
}

#[test]
fn a_status_line_is_read_alone() {
    for (line, expected) in [
        ("HTTP/1.1 200 OK\r\n", Some(200)),
        ("HTTP/1.0 503 Service Unavailable\n", Some(503)),
        ("HTTP/1.1 204\r\n", Some(204)),
        ("HTTP/1.1 204 \r\n", Some(204)),
        ("HTTP/1.1  200  OK\r\n", Some(200)),
        ("HTTP/1.1 200 caf\u{e9}\r\n", Some(200)),
        ("HTTP/1.1 999 ?\r\n", Some(999)),
        ("HTTP/1.1 20 OK\r\n", None),
        ("HTTP/1.1 2000 OK\r\n", None),
        ("HTTP/1.1 2x0 OK\r\n", None),
        ("HTTP/1.1 -20 OK\r\n", None),
        ("HTTP/1.1\r\n", None),
        ("HTTP/1.2 200 OK\r\n", None),
        ("HTTP/1.1 200 O\0K\r\n", None),
    ] {
        assert_eq!(status(line.as_bytes()).ok(), expected, "{line:?}");
    }
}

#[test]
fn the_framing_follows_rfc_9112_section_6_3() {
    let length = |bytes| Ok(Some(Framing::Length(bytes)));
    let (chunked, until_close) = (Ok(Some(Framing::chunked())), Ok(Some(Framing::UntilClose)));
    let rows: &[(&str, Result<Option<Framing>, Malformed>)] = &[
        ("", until_close.clone()),
        ("Content-Length: 0\r\n", Ok(None)),
        ("Content-Length: 5\r\n", length(5)),
        ("content-length:5\r\n", length(5)),
        ("Content-Length : 5\r\n", length(5)),
        ("Content-Length: 005\r\n", length(5)),
        ("Content-Length: 5\r\nContent-Length: 5\r\n", length(5)),
        ("Content-Length: 5, 5\r\n", length(5)),
        ("Content-Length: 5\r\nContent-Length: 6\r\n", Err(Malformed::Length)),
        ("Content-Length: 5, 6\r\n", Err(Malformed::Length)),
        ("Content-Length: 18446744073709551615\r\n", length(u64::MAX)),
        ("Content-Length: 18446744073709551616\r\n", Err(Malformed::Length)),
        ("Content-Length: -1\r\n", Err(Malformed::Length)),
        ("Content-Length: +1\r\n", Err(Malformed::Length)),
        ("Content-Length: 1.5\r\n", Err(Malformed::Length)),
        ("Content-Length: 0x5\r\n", Err(Malformed::Length)),
        ("Content-Length: 5 5\r\n", Err(Malformed::Length)),
        ("Content-Length:\r\n", Err(Malformed::Length)),
        ("Transfer-Encoding: chunked\r\n", chunked.clone()),
        ("transfer-encoding: CHUNKED\r\n", chunked.clone()),
        ("Transfer-Encoding: gzip, chunked\r\n", chunked.clone()),
        ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", chunked.clone()),
        ("Transfer-Encoding: gzip\r\n", until_close.clone()),
        ("Transfer-Encoding: chunked, gzip\r\n", until_close.clone()),
        ("Transfer-Encoding: identity\r\nContent-Length: 5\r\n", until_close.clone()),
        ("Transfer-Encoding: xchunked\r\n", until_close),
        // An empty member of a list is none (RFC 9110 section 5.6.1.2).
        ("Transfer-Encoding: chunked,\r\n", chunked.clone()),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n", chunked.clone()),
        // A coding overrules a length, be it good or not.
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", chunked.clone()),
        ("Content-Length: 5, 6\r\nTransfer-Encoding: chunked\r\n", chunked.clone()),
        // Folded (section 5.2).
        ("Transfer-Encoding: gzip,\r\n chunked\r\n", chunked),
        ("Content-Length:\r\n\t5\r\n", length(5)),
    ];
    for (fields, expected) in rows {
        assert_eq!(framing_of(fields), *expected, "{fields:?}");
    }
}

#[test]
fn some_responses_have_no_body_whatever_they_say() {
    for status in [100, 103, 101, 199, 204, 304] {
        for fields in ["Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "Content-Length: x\r\n", ""]
        {
            let head = head(&format!("HTTP/1.1 {status} ?\r\n{fields}\r\n")).expect("a head");
            assert_eq!((head.status, head.framing), (status, None), "{status} {fields:?}");
        }
    }
    let text = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    let (head, ()) = read(text, true, |_, _| ()).expect("a head");
    assert_eq!((head.framing, head.keeps), (None, true), "it answers a HEAD");
}

#[test]
fn a_connection_stays_as_rfc_9112_section_9_3_says() {
    for (version, fields, keeps) in [
        ("1.1", "Content-Length: 0\r\n", true),
        ("1.1", "Content-Length: 5\r\nConnection: close\r\n", false),
        ("1.1", "Content-Length: 5\r\nConnection: keep-alive, Close\r\n", false),
        ("1.1", "Content-Length: 5\r\nConnection: keep-alive\r\nConnection: close\r\n", false),
        ("1.1", "Content-Length: 5\r\nConnection: upgrade\r\n", true),
        ("1.1", "Transfer-Encoding: chunked\r\n", true),
        ("1.1", "", false),
        ("1.0", "Content-Length: 5\r\n", false),
        ("1.0", "Content-Length: 5\r\nConnection: Keep-Alive\r\n", true),
        ("1.0", "Content-Length: 5\r\nConnection: keep-alive, close\r\n", false),
        ("1.0", "Connection: keep-alive\r\n", false),
        // Its framing is not to be relied on (section 6.1).
        ("1.0", "Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n", false),
    ] {
        let head = head(&format!("HTTP/{version} 200 OK\r\n{fields}\r\n")).expect("a head");
        assert_eq!(head.keeps, keeps, "{version} {fields:?}");
    }
}

#[test]
fn a_fold_counts_as_blanks() {
    for (value, line) in [("a b", "a b"), ("a\r\n b", "a   b"), ("a\n\tb", "a \tb")] {
        assert_eq!(unfolded(value.as_bytes()), line.as_bytes(), "{value:?}");
    }
}

#[test]
fn malformed_fields_are_told() {
    for fields in [
        "no colon\r\n",
        ": empty\r\n",
        "na me: x\r\n",
        "a: b\rc\r\n",
        "a: b\0c\r\n",
        " folded: nothing\r\n",
        "n\u{e4}me: x\r\n",
    ] {
        let fault = head(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n")).expect_err("it is malformed");
        assert!(matches!(fault, Malformed::Head(_)), "{fields:?}: {fault:?}");
    }
    for fields in ["a:\r\n", "a: \r\n", "a:b\r\n", "a: \u{e4}\r\n", "a: b\tc\r\n", "a \t: b\r\n"] {
        assert!(head(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n")).is_ok(), "{fields:?}");
    }
}

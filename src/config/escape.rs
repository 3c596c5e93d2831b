//! Bytes as text: the C escapes of `send` and `dialogue`, and the digits of `send_hex`.

use std::fmt::Write;

use super::diagnose::Wrong;
use super::render::quoted;

/// The escapes that there are, for messages.
const ESCAPES_HELP: &str = r#"the escapes are \r \n \t \\ \" \xHH \0; write \\ for a backslash"#;

/// The bytes that a text with C escapes stands for.
pub(super) fn unescaped(text: &str) -> Result<Box<[u8]>, Wrong> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        bytes.extend_from_slice(before.as_bytes());
        let mut chars = after.chars();
        bytes.push(match chars.next() {
            Some('r') => b'\r',
            Some('n') => b'\n',
            Some('t') => b'\t',
            Some('0') => 0,
            Some('\\') => b'\\',
            Some('"') => b'"',
            Some('x') => {
                let byte = after.get(1..3).and_then(hex_byte);
                let Some(byte) = byte else {
                    let seen: String = after.chars().take(3).collect();
                    let message = format!(
                        "{} is no escape: \\x wants two hexadecimal digits",
                        quoted(&format!("\\{seen}"))
                    );
                    return Err(Wrong::new(message).help(ESCAPES_HELP));
                };
                chars = after[3..].chars();
                byte
            }
            Some(other) => {
                let message = format!("unknown escape {}", quoted(&format!("\\{other}")));
                return Err(Wrong::new(message).help(ESCAPES_HELP));
            }
            None => return Err(Wrong::new("the text ends in a single backslash").help(ESCAPES_HELP)),
        });
        rest = chars.as_str();
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes.into())
}

/// A text that [`unescaped`] makes these bytes of; what can be read is left readable.
pub(super) fn escaped(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    let hex = |out: &mut String, bytes: &[u8]| {
        for byte in bytes {
            // A String takes everything.
            let _ = write!(out, "\\x{byte:02x}");
        }
    };
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\r' => out.push_str("\\r"),
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                '\\' => out.push_str("\\\\"),
                c if c.is_control() => hex(&mut out, c.encode_utf8(&mut [0; 4]).as_bytes()),
                c => out.push(c),
            }
        }
        hex(&mut out, chunk.invalid());
    }
    out
}

/// The bytes that hexadecimal digits stand for; blanks may stand between them.
pub(super) fn from_hex(text: &str) -> Result<Box<[u8]>, Wrong> {
    let help = "give two digits for each byte, as in \"0d 0a\", without 0x";
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '\t' | '\r' | '\n')).collect();
    if let Some(odd) = digits.chars().find(|c| !c.is_ascii_hexdigit()) {
        let message = format!("{} is not a hexadecimal digit", quoted(&odd.to_string()));
        return Err(Wrong::new(message).help(help));
    }
    if !digits.len().is_multiple_of(2) {
        return Err(Wrong::new(format!("{} digits are no whole bytes", digits.len())).help(help));
    }
    let pairs = (0..digits.len()).step_by(2).filter_map(|at| hex_byte(&digits[at..at + 2]));
    Ok(pairs.collect())
}

fn hex_byte(digits: &str) -> Option<u8> {
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_escape_is_its_byte_and_every_other_an_error() {
        for (text, bytes) in [
            ("", &b""[..]),
            ("PING\\r\\n", b"PING\r\n"),
            (r#"\t\\\"\0\x41\xff"#, b"\t\\\"\0A\xff"),
            ("\\01", b"\x001"),
            ("é\\x00é", b"\xc3\xa9\x00\xc3\xa9"),
        ] {
            assert_eq!(unescaped(text).expect(text).as_ref(), bytes, "{text}");
        }
        for text in ["\\", "a\\", "\\q", "\\é", "\\x", "\\x4", "\\x+1", "\\xg0", "\\x4é", "\\'", "\\u0041"]
        {
            assert!(unescaped(text).is_err(), "{text}");
        }
    }

    #[test]
    fn escaped_bytes_read_back() {
        let all: Vec<u8> = (0..=255).collect();
        let texts: [&[u8]; 5] = [&all, b"", b"\\x41", "é\u{85}\u{202e}".as_bytes(), b"\xc3\x28'\"$CURDIR\\"];
        for bytes in texts {
            assert_eq!(unescaped(&escaped(bytes)).expect("escapes alone").as_ref(), bytes);
        }
    }

    #[test]
    fn hexadecimal_digits_come_in_pairs_with_blanks_anywhere() {
        for (text, bytes) in
            [("", &b""[..]), ("0d0A", b"\r\n"), (" 0 d\t0a\n", b"\r\n"), ("1234", b"\x12\x34")]
        {
            assert_eq!(from_hex(text).expect(text).as_ref(), bytes, "{text}");
        }
        for text in ["0", "0x0a", "0g", "+1", "é", "00 1"] {
            assert!(from_hex(text).is_err(), "{text}");
        }
    }
}

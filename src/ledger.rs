//! Files that are seen for what they are when they were cut short or damaged: text, a line for each entry, between a
//! head that names what it is and a foot that counts them.

use std::fmt::{Display, Write};

/// What a kind of file is called in its head, and in which version.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    /// One word.
    pub name: &'static str,
    /// Raised when older programs would not understand it.
    pub version: u32,
}

/// A whole file with these entries. None of them has a line break in it, or begins with `end `.
pub fn encode(head: Head, entries: impl IntoIterator<Item = impl Display>) -> String {
    let mut text = format!("{} {}\n", head.name, head.version);
    let mut count = 0;
    for entry in entries {
        // A String takes everything.
        let _ = writeln!(text, "{entry}");
        count += 1;
    }
    let _ = writeln!(text, "end {count}");
    text
}

/// The entries of a file, each read by `entry`.
///
/// # Errors
/// Why it cannot be used, in words: nothing of it is to be believed then.
pub fn decode<T>(head: Head, bytes: &[u8], entry: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let mut lines = text.split_terminator('\n');
    let first = lines.next().unwrap_or_default();
    match first.strip_prefix(head.name).and_then(|rest| rest.strip_prefix(' ')) {
        Some(version) if version == head.version.to_string() => {}
        Some(_) => {
            let first: String = first.chars().take(40).collect();
            return Err(format!("it is of another version ({first:?})"));
        }
        None => return Err(format!("it does not begin with {:?}", head.name)),
    }
    let mut all = Vec::new();
    for (number, line) in (2..).zip(&mut lines) {
        if line == format!("end {}", all.len()) && text.ends_with('\n') {
            return match lines.next() {
                None => Ok(all),
                Some(_) => Err(format!("line {}: more follows its end", number + 1)),
            };
        }
        all.push(entry(line).ok_or_else(|| format!("line {number} is damaged"))?);
    }
    Err("its end is missing".to_owned())
}

/// A text without anything in it that a line of entries could not hold: `=` before it; line breaks, blanks and the like
/// by their numbers in Unicode, in hexadecimal digits.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 1);
    escaped.push('=');
    for c in text.chars() {
        if c == '\\' || c.is_whitespace() || c.is_control() {
            // A String takes everything.
            let _ = write!(escaped, "\\{:x};", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// The text that was [`escaped`], if it was.
pub fn plain(text: &str) -> Option<String> {
    let mut rest = text.strip_prefix('=')?;
    let mut plain = String::with_capacity(rest.len());
    while let Some((before, after)) = rest.split_once('\\') {
        let (number, behind) = after.split_once(';')?;
        plain.push_str(before);
        plain.push(u32::from_str_radix(number, 16).ok().and_then(char::from_u32)?);
        rest = behind;
    }
    plain.push_str(rest);
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: Head = Head { name: "hfm-test", version: 1 };

    fn read(bytes: &[u8]) -> Result<Vec<u8>, String> {
        decode(HEAD, bytes, |line| line.parse().ok())
    }

    #[test]
    fn what_is_written_reads_back() {
        let text = encode(HEAD, [7, 8]);
        assert_eq!(text, "hfm-test 1\n7\n8\nend 2\n");
        assert_eq!(read(text.as_bytes()), Ok(vec![7, 8]));
        assert_eq!(read(encode(HEAD, [0_u8; 0]).as_bytes()), Ok(Vec::new()));
    }

    #[test]
    fn texts_of_any_kind_are_one_word_and_read_back() {
        for text in ["", "web/1", "a b", "\\", "\n\r\t\u{0}\u{85}\u{2028}", "=", "end 1", "\u{e9}\u{1f600};"]
        {
            let word = escaped(text);
            assert_eq!(word.split_whitespace().count(), 1, "{word:?}");
            assert_eq!(plain(&word).as_deref(), Some(text));
        }
        assert_eq!(escaped("a b"), "=a\\20;b");
        for word in ["", "a", "=\\", "=\\20", "=\\;", "=\\110000;", "=\\x;"] {
            assert_eq!(plain(word), None, "{word:?}");
        }
    }

    #[test]
    fn whatever_is_missing_or_too_much_is_seen() {
        let text = encode(HEAD, [7, 8]);
        for length in 0..text.len() {
            assert!(read(&text.as_bytes()[..length]).is_err(), "{:?}", &text[..length]);
        }
        for (text, why) in [
            ("hfm-test 2\nend 0\n", "it is of another version (\"hfm-test 2\")"),
            ("hfm-tests 1\nend 0\n", "it does not begin with \"hfm-test\""),
            ("hfm-test 1\n7\nend 2\n", "line 3 is damaged"),
            ("hfm-test 1\n7\n\nend 1\n", "line 3 is damaged"),
            ("hfm-test 1\r\nend 0\r\n", "it is of another version (\"hfm-test 1\\r\")"),
            ("hfm-test 1\nend 0\n7\n", "line 3: more follows its end"),
            ("hfm-test 1\n7\n", "its end is missing"),
        ] {
            assert_eq!(read(text.as_bytes()), Err(why.to_owned()), "{text:?}");
        }
        assert_eq!(read(&[0xff; 40]), Err("it is not UTF-8".to_owned()));
    }
}

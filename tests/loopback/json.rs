//! As much of JSON as `hfm probe -json` and the log print: one flat object a line.

/// A value.
#[derive(Clone, Debug, PartialEq)]
#[allow(dead_code, reason = "shared by several tests, of which each knows some")]
pub(crate) enum Value {
    Null,
    Truth(bool),
    Number(f64),
    Text(String),
    Texts(Vec<String>),
}

/// An object, its members in their order.
pub(crate) type Object = Vec<(String, Value)>;

/// Reads a whole line; panics with it when it is not an object (RFC 8259).
pub(crate) fn object(line: &str) -> Object {
    let mut reader = Reader { rest: line, line };
    let mut members = Vec::new();
    reader.literal("{");
    loop {
        let name = reader.string();
        reader.literal(":");
        let value = reader.value();
        assert!(members.iter().all(|(known, _)| *known != name), "{name} twice in {line}");
        members.push((name, value));
        if reader.rest.starts_with('}') {
            break;
        }
        reader.literal(",");
    }
    assert_eq!(reader.rest, "}", "more than an object: {line}");
    members
}

struct Reader<'a> {
    rest: &'a str,
    line: &'a str,
}

impl Reader<'_> {
    fn literal(&mut self, literal: &str) {
        let rest = self.rest.strip_prefix(literal);
        self.rest = rest.unwrap_or_else(|| panic!("{literal} wanted before {:?}: {}", self.rest, self.line));
    }

    fn value(&mut self) -> Value {
        if self.rest.starts_with('"') {
            return Value::Text(self.string());
        }
        if self.rest.starts_with('[') {
            return self.texts();
        }
        let end = self.rest.find([',', '}']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        match word {
            "null" => return Value::Null,
            "true" | "false" => return Value::Truth(word == "true"),
            _ => {}
        }
        let digits = word.strip_prefix('-').unwrap_or(word);
        let is_number = digits.starts_with(|c: char| c.is_ascii_digit()) && !word.contains(['e', '+']);
        assert!(is_number, "{word} is no number: {}", self.line);
        Value::Number(word.parse().expect("a number"))
    }

    fn texts(&mut self) -> Value {
        let mut texts = Vec::new();
        self.literal("[");
        while !self.rest.starts_with(']') {
            if !texts.is_empty() {
                self.literal(",");
            }
            texts.push(self.string());
        }
        self.literal("]");
        Value::Texts(texts)
    }

    fn string(&mut self) -> String {
        self.literal("\"");
        let mut text = String::new();
        let mut characters = self.rest.char_indices();
        while let Some((at, c)) = characters.next() {
            match c {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return text;
                }
                '\\' => match characters.next().map(|(_, c)| c) {
                    Some(c @ ('"' | '\\')) => text.push(c),
                    Some('u') => {
                        let digits = &self.rest[at + 2..at + 6];
                        text.extend(char::from_u32(u32::from_str_radix(digits, 16).expect("digits")));
                        characters.nth(3);
                    }
                    other => panic!("an escape of {other:?}: {}", self.line),
                },
                c => {
                    assert!(!c.is_control(), "a bare control character: {:?}", self.line);
                    text.push(c);
                }
            }
        }
        panic!("a string without its end: {}", self.line);
    }
}

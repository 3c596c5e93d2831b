//! Names of rules by pattern, as a shell has them: `*` any characters, `?` one, `[a-c]` and `[!a-c]` one of a set.
//!
//! Unlike in paths `*` takes `/` too: `web*` is every rule of the groups that begin so.

/// A pattern, or a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// This character.
    One(char),
    /// Any character.
    Any,
    /// One in these ranges, or one in none of them.
    Set { ranges: Vec<(char, char)>, is_negated: bool },
    /// Any number of any characters.
    Many,
}

impl Glob {
    /// Reads a pattern. Every text is one: a `[` without its end stands for itself.
    pub fn new(text: &str) -> Self {
        let characters: Vec<char> = text.chars().collect();
        let mut parts = Vec::new();
        let mut rest = &*characters;
        while let Some((first, after)) = rest.split_first() {
            rest = after;
            parts.push(match first {
                // Several mean no more than one.
                '*' if parts.last() == Some(&Part::Many) => continue,
                '*' => Part::Many,
                '?' => Part::Any,
                '[' => match set(after) {
                    Some((part, after)) => {
                        rest = after;
                        part
                    }
                    None => Part::One('['),
                },
                character => Part::One(*character),
            });
        }
        Self { text: text.to_owned(), parts }
    }

    /// Whether it may match more than one name.
    pub fn is_pattern(&self) -> bool {
        self.parts.iter().any(|part| !matches!(part, Part::One(_)))
    }

    /// Whether it matches a name; every name matches itself, whatever characters it has.
    pub fn matches(&self, name: &str) -> bool {
        name == self.text || self.matches_parts(name)
    }

    /// In time of no more than the product of both lengths: at a mismatch only the last `*` takes one more.
    fn matches_parts(&self, name: &str) -> bool {
        let mut part = 0;
        let mut rest = name.chars();
        let mut last_many: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            if let Some(Part::Many) = self.parts.get(part) {
                part += 1;
                last_many = Some((part, rest.clone()));
                continue;
            }
            let mut after = rest.clone();
            match (self.parts.get(part), after.next()) {
                (None, None) => return true,
                (Some(of), Some(character)) if of.takes(character) => {
                    part += 1;
                    rest = after;
                }
                (Some(_) | None, _) => {
                    let Some((from, mut taken)) = last_many.take() else { return false };
                    if taken.next().is_none() {
                        return false;
                    }
                    part = from;
                    rest = taken.clone();
                    last_many = Some((from, taken));
                }
            }
        }
    }
}

impl Part {
    fn takes(&self, character: char) -> bool {
        match self {
            Self::One(own) => *own == character,
            Self::Any => true,
            Self::Set { ranges, is_negated } => {
                ranges.iter().any(|(from, to)| (*from..=*to).contains(&character)) != *is_negated
            }
            Self::Many => false,
        }
    }
}

/// What follows a `[`: the set, and what follows its end. A `]` that comes first is one of the set.
fn set(after: &[char]) -> Option<(Part, &[char])> {
    let is_negated = matches!(after.first(), Some('!' | '^'));
    let mut rest = if is_negated { &after[1..] } else { after };
    let mut ranges = Vec::new();
    loop {
        match rest {
            [']', after @ ..] if !ranges.is_empty() => {
                return Some((Part::Set { ranges, is_negated }, after));
            }
            [from, '-', to, after @ ..] if *to != ']' => {
                ranges.push((*from, *to));
                rest = after;
            }
            [one, after @ ..] => {
                ranges.push((*one, *one));
                rest = after;
            }
            [] => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_what_a_shell_would_and_slashes() {
        for (pattern, name, matches) in [
            ("web/1", "web/1", true),
            ("web/1", "web/11", false),
            ("*", "", true),
            ("*", "web/1", true),
            ("web*", "web/1", true),
            ("*1", "web/1", true),
            ("*1", "web/12", false),
            ("w*b/*", "web/1", true),
            ("*a*b*", "xaxxbx", true),
            ("*a*b*", "xbxxax", false),
            ("web/?", "web/1", true),
            ("web/?", "web/", false),
            ("web/?", "web/é", true),
            ("web/[1-3]", "web/2", true),
            ("web/[1-3]", "web/4", false),
            ("web/[!1-3]", "web/4", true),
            ("web/[!1-3]", "web/2", false),
            ("[]a]", "]", true),
            ("[]a]", "a", true),
            ("[a-]", "-", true),
            ("[", "[", true),
            ("[a", "[a", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(Glob::new(pattern).matches(name), matches, "{pattern:?} {name:?}");
        }
    }

    #[test]
    fn a_name_matches_itself_whatever_it_looks_like() {
        for name in ["a[b]", "x*", "[!", "a?"] {
            assert!(Glob::new(name).matches(name), "{name}");
        }
        assert!(!Glob::new("web/1").is_pattern());
        assert!(Glob::new("web/*").is_pattern());
    }

    #[test]
    fn a_hostile_pattern_takes_no_time() {
        let pattern = "*a".repeat(2000);
        assert!(!Glob::new(&pattern).matches(&"a".repeat(1999)));
        assert!(Glob::new(&pattern).matches(&"a".repeat(2000)));
    }
}

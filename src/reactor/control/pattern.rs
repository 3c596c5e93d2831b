//! A pattern of rules' names, of a client.

use crate::control::{Glob, Shown};

/// A pattern as it was written, and what was seen of the names that do not match it.
#[derive(Debug)]
pub(super) struct Pattern {
    glob: Glob,
    text: String,
    /// It is the name of a group: some rule is below it.
    is_group: bool,
}

impl Pattern {
    pub(super) fn new(text: String) -> Self {
        Self { glob: Glob::new(&text), text, is_group: false }
    }

    /// Its length in bytes, by which a look at one name may last longer.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether this name is meant.
    pub(super) fn matches(&self, name: &str) -> bool {
        self.glob.matches(name)
    }

    /// Whether this rule is meant; if none is, [`nothing`](Self::nothing) says what was seen.
    pub(super) fn look_at(&mut self, name: &str) -> bool {
        self.is_group |= name.strip_prefix(&*self.text).is_some_and(|rest| rest.starts_with('/'));
        self.matches(name)
    }

    /// As it was written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// That no rule matches, and what to write instead.
    pub(super) fn nothing(&self) -> String {
        let text = Shown(&self.text);
        match self.is_group {
            true => format!("no rule matches '{text}'; it is a group: '{text}/*' takes its rules"),
            false => format!("no rule matches '{text}'"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_groups_name_is_told_from_a_rules() {
        let seen = |pattern: &str, names: &[&str]| {
            let mut pattern = Pattern::new(pattern.to_owned());
            let found = names.iter().filter(|name| pattern.look_at(name)).count();
            (found, pattern.nothing())
        };
        let names = ["lb1/haproxy", "lb2/haproxy/deep", "lb10", "default"];
        assert_eq!(
            seen("lb1", &names),
            (0, "no rule matches 'lb1'; it is a group: 'lb1/*' takes its rules".to_owned())
        );
        assert_eq!(
            seen("lb2/haproxy", &names),
            (0, "no rule matches 'lb2/haproxy'; it is a group: 'lb2/haproxy/*' takes its rules".to_owned())
        );
        for pattern in ["lb", "lb3", "lb1/", "haproxy", ""] {
            assert_eq!(seen(pattern, &names), (0, format!("no rule matches '{pattern}'")));
        }
        assert_eq!(seen("lb1*", &names).0, 2);
    }
}

//! Variables in strings: `$FILENAME` and `$CURDIR`, bare or in braces.

/// The variables of one file.
#[derive(Clone, Debug)]
pub(super) struct Variables {
    values: [(&'static str, String); 2],
}

impl Variables {
    /// Those of a file of this canonical path.
    pub(super) fn of_file(path: &str) -> Self {
        let dir = match path.rfind('/') {
            Some(0) => "/",
            Some(at) => &path[..at],
            None => ".",
        };
        Self { values: [("FILENAME", path.to_owned()), ("CURDIR", dir.to_owned())] }
    }

    /// The text with its variables replaced. Unknown ones stay as they are; `$$` becomes `$` only
    /// where a known one stands in the same text, as in the reference.
    pub(super) fn expand(&self, text: String) -> String {
        let mut out = String::with_capacity(text.len());
        let mut found = false;
        let mut rest = text.as_str();
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            if let Some(next) = after.strip_prefix('$') {
                out.push('$');
                rest = next;
            } else if let Some((value, next)) = self.leading(after) {
                out.push_str(value);
                found = true;
                rest = next;
            } else {
                out.push('$');
                rest = after;
            }
        }
        if !found {
            return text;
        }
        out.push_str(rest);
        out
    }

    /// A bound on the length of a text once it is expanded.
    pub(super) fn expanded_len_max(&self, text: &str) -> usize {
        let longest = self.values.iter().map(|(_, value)| value.len()).max().unwrap_or(0);
        text.len() + text.matches('$').count() * longest
    }

    /// The variable named at the front of a text, and what follows.
    fn leading<'t>(&self, after: &'t str) -> Option<(&str, &'t str)> {
        self.values.iter().find_map(|(name, value)| {
            let next = match after.strip_prefix('{') {
                Some(inner) => inner.strip_prefix(name)?.strip_prefix('}')?,
                None => after.strip_prefix(name)?,
            };
            Some((value.as_str(), next))
        })
    }
}

//! Files of the configuration, from the real file system.
//!
//! Owns the care that reading them takes: regular files only, bounded, never waiting.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::ucl::{FILE_BYTES_MAX, Loader};

/// Most files that one pattern may match.
const MATCHES_MAX: usize = 10_000;

/// Reads configuration files from the file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileLoader;

impl Loader for FileLoader {
    fn read(&mut self, path: &str) -> io::Result<Vec<u8>> {
        // O_NONBLOCK: a FIFO without a writer must not hold us.
        let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
        read_regular(file)
    }

    fn resolve(&mut self, path: &str) -> io::Result<String> {
        let canonical = fs::canonicalize(path)?;
        canonical
            .into_os_string()
            .into_string()
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "the path is not valid UTF-8"))
    }

    fn glob(&mut self, pattern: &str) -> io::Result<Vec<String>> {
        let (root, rest) = match pattern.strip_prefix('/') {
            Some(rest) => ("/", rest),
            None => ("", pattern),
        };
        let mut found = vec![root.to_owned()];
        for part in rest.split('/').filter(|part| !part.is_empty()) {
            let mut next = Vec::new();
            for base in &found {
                extend(base, part, &mut next)?;
            }
            found = next;
        }
        found.sort();
        Ok(found)
    }
}

/// Tries whether this process may read a file, without reading it.
///
/// # Errors
/// Why it may not.
pub fn check_readable(path: &str) -> io::Result<()> {
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path).map(drop)
}

fn read_regular(file: File) -> io::Result<Vec<u8>> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    // One byte above the bound shows that there is more; a file may grow while it is read.
    let bound = FILE_BYTES_MAX as u64 + 1;
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len().min(bound)).unwrap_or(0));
    file.take(bound).read_to_end(&mut bytes)?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("larger than {FILE_BYTES_MAX} bytes"),
        ));
    }
    Ok(bytes)
}

/// Adds what one part of a pattern matches below a base, which ends in a slash or is empty.
fn extend(base: &str, part: &str, next: &mut Vec<String>) -> io::Result<()> {
    let join = |name: &str| match base {
        "" | "/" => format!("{base}{name}"),
        _ => format!("{base}/{name}"),
    };
    if !part.contains(['*', '?', '[', '\\']) {
        let path = join(part);
        if fs::symlink_metadata(&path).is_ok() {
            next.push(path);
        }
        return Ok(());
    }
    let dir = if base.is_empty() { Path::new(".") } else { Path::new(base) };
    // As in glob(3), a directory that cannot be read matches nothing.
    let Ok(entries) = fs::read_dir(dir) else { return Ok(()) };
    for entry in entries {
        let Ok(name) = entry?.file_name().into_string() else { continue };
        if (!name.starts_with('.') || part.starts_with('.')) && matches(part, &name) {
            next.push(join(&name));
        }
        if next.len() > MATCHES_MAX {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("more than {MATCHES_MAX} files match"),
            ));
        }
    }
    Ok(())
}

/// Whether a name matches a pattern of `*`, `?`, `[...]`, `[!...]` and `\`.
fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    // Where to go on when the last star takes one character more.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let step = match (pattern.get(p), name.get(n)) {
            (Some('*'), _) => {
                retry = Some((p + 1, n + 1));
                Some((p + 1, n))
            }
            (None, None) => return true,
            (Some(_), Some(c)) => one(&pattern[p..], *c).map(|len| (p + len, n + 1)),
            (Some(_), None) | (None, Some(_)) => None,
        };
        match (step, retry) {
            (Some(next), _) => (p, n) = next,
            (None, Some((star, from))) if from <= name.len() => {
                retry = Some((star, from + 1));
                (p, n) = (star, from);
            }
            (None, Some(_) | None) => return false,
        }
    }
}

/// The length of the front of a pattern that takes one character, if it takes this one.
fn one(pattern: &[char], c: char) -> Option<usize> {
    match pattern {
        ['?', ..] => Some(1),
        ['\\', escaped, ..] => (*escaped == c).then_some(2),
        ['[', rest @ ..] => {
            let negated = matches!(rest.first(), Some('!' | '^'));
            let from = usize::from(negated);
            // A bracket that comes first is a member.
            let Some(len) = rest.iter().skip(from + 1).position(|member| *member == ']') else {
                return (c == '[').then_some(1);
            };
            let class = &rest[from..from + 1 + len];
            (in_class(class, c) != negated).then_some(from + len + 3)
        }
        [literal, ..] => (*literal == c).then_some(1),
        [] => None,
    }
}

fn in_class(class: &[char], c: char) -> bool {
    let mut at = 0;
    while at < class.len() {
        if at + 2 < class.len() && class[at + 1] == '-' {
            if (class[at]..=class[at + 2]).contains(&c) {
                return true;
            }
            at += 3;
        } else {
            if class[at] == c {
                return true;
            }
            at += 1;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_glob_does() {
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.conf.bak", false),
            ("?.conf", "a.conf", true),
            ("?.conf", "ab.conf", false),
            ("[a-c]*", "b1", true),
            ("[!a-c]*", "b1", false),
            ("[]x]", "]", true),
            ("[abc", "[abc", true),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "aXbY", false),
            ("*", "", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}

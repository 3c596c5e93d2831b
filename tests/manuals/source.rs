//! The sources of the program, as text: what has no list is looked for in them.

use std::path::Path;

/// All sources but tests, by their paths from src/ on.
pub(crate) fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    gather(&src, &src, &mut found);
    found.sort();
    found
}

fn gather(src: &Path, directory: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        let name =
            path.strip_prefix(src).expect("it is in src/").to_str().expect("a name of ours").to_owned();
        if path.is_dir() {
            if !name.ends_with("tests") {
                gather(src, &path, found);
            }
        } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
            let text = std::fs::read_to_string(&path).expect("a source");
            let code = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default();
            found.push((name, code.to_owned()));
        }
    }
}

/// The text of one source.
pub(crate) fn source(name: &str) -> String {
    let all = sources();
    all.into_iter().find(|(of, _)| of == name).unwrap_or_else(|| panic!("there is no src/{name}")).1
}

/// What stands between each quote of a text and the next, with what follows. Half of it is what stands between two
/// strings, which is no name and so does no harm.
pub(crate) fn strings(text: &str) -> Vec<(&str, &str)> {
    let quotes = text.match_indices('"');
    quotes.filter_map(|(at, _)| text[at + 1..].split_once('"')).collect()
}

/// Whether a text is a name as events and reasons have them: words of lower case letters, with `-` between.
pub(crate) fn is_name(text: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    text.split('-').all(is_word)
}

//! What differs between systems is listed in one place, the documentation of `sys`: every file that asks which system
//! it is compiled for is named there, and every file that is named there exists.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Where the list is.
const LIST: &str = "sys/mod.rs";
/// What a file asks by.
const QUESTION: &str = "target_os";

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn text(file: &str) -> String {
    let path = src().join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All sources below a directory, from src/ on.
fn sources(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(src()).expect("it is in src/");
            found.push(name.to_str().expect("a name of ours").to_owned());
        }
    }
    found
}

/// Whether a source asks for the system, other than in a comment.
fn asks(source: &str) -> bool {
    source.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(QUESTION))
}

/// The files that the rows of a list name in their last column.
fn named(list: &str) -> BTreeSet<String> {
    let rows = list.lines().filter_map(|line| line.strip_prefix("//! |")?.strip_suffix('|'));
    let places = rows.filter_map(|row| row.rsplit_once('|')).map(|(_, places)| places);
    places.flat_map(|places| places.split('`').skip(1).step_by(2).map(ToOwned::to_owned)).collect()
}

#[test]
fn every_file_that_asks_for_the_system_is_in_the_list() {
    let named = named(&text(LIST));
    let asking: Vec<String> = sources(&src()).into_iter().filter(|file| asks(&text(file))).collect();
    assert!(asking.len() > 5, "the sources are not found: {asking:?}");
    let missing: Vec<&String> = asking.iter().filter(|file| !named.contains(*file)).collect();
    assert!(missing.is_empty(), "not in the list of src/{LIST}: {missing:?}");
}

#[test]
fn every_file_in_the_list_exists() {
    let gone: Vec<String> =
        named(&text(LIST)).into_iter().filter(|file| !src().join(file).is_file()).collect();
    assert!(gone.is_empty(), "in the list of src/{LIST}: {gone:?}");
}

#[test]
fn questions_and_places_are_read_from_code_and_rows_alone() {
    assert!(asks("    #[cfg(target_os = \"freebsd\")]\n"));
    assert!(asks("const A: bool = cfg!(target_os = \"linux\");"));
    assert!(!asks("    // target_os\nfn linux() {}\n"));
    let list = "//! Of `no/place.rs`.\n//! | | F | L | in |\n//! |---|---|---|---|\n//! | `fib` | a | b | `a.rs`, `b/c.rs` |\n";
    assert_eq!(named(list).into_iter().collect::<Vec<_>>(), ["a.rs", "b/c.rs"]);
}

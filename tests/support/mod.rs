//! What the tests of the UCL reader share.
#![allow(dead_code)]

use std::path::{Path, PathBuf};

#[path = "random.rs"]
mod random;
pub(crate) use random::Rng;

pub(crate) fn corpus_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ucl/corpus")
}

/// All `.conf` files of the corpus itself, sorted; those below it are there to be included.
pub(crate) fn corpus() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(corpus_dir())
        .expect("the corpus is part of the repository")
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "conf"))
        .collect();
    files.sort();
    files
}

/// What mutations put in: everything that means something.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "\"",
    "'",
    "\\",
    "#",
    "/*",
    "*/",
    "=",
    ":",
    ";",
    ",",
    "\n",
    " ",
    "\t",
    "<<EOD\n",
    "EOD\n",
    "$",
    "${",
    ".",
    "-",
    "0x",
    "1",
    "k",
    "ms",
    "\u{e9}",
    "\\u",
    "(",
    ")",
    "\r\n",
    "a",
    "null",
    "e",
    ".priority 3\n",
    "\0",
    "\u{1}",
    "*",
];

/// Changes a few bytes: inserts, removes, repeats, swaps.
pub(crate) fn mutate(rng: &mut Rng, mut bytes: Vec<u8>) -> Vec<u8> {
    for _ in 0..1 + rng.below(4) {
        let at = rng.below(bytes.len() + 1);
        let end = (at + 1 + rng.below(6)).min(bytes.len());
        match rng.below(5) {
            0 => drop(bytes.drain(at..end)),
            1 => {
                let part = bytes[at..end].to_vec();
                let to = rng.below(bytes.len() + 1);
                bytes.splice(to..to, part);
            }
            2 => bytes.truncate(if rng.percent(20) { at } else { bytes.len() }),
            3 if rng.percent(10) && at < bytes.len() => bytes[at] = u8::try_from(rng.below(256)).unwrap(),
            _ => {
                let piece = rng.pick(PIECES).as_bytes().to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

//! The UCL reader: a corpus with what libucl 0.9.2 makes of it, hostile texts, and mutations.
#![allow(clippy::unwrap_used, reason = "this is a test down to its helpers")]

#[path = "ucl/hostile.rs"]
mod hostile;
#[path = "../examples/json/mod.rs"]
mod json;
mod support;
#[path = "ucl/tree.rs"]
mod tree;

use std::path::Path;

use hfm::sys::files::FileLoader;
use support::Rng;

fn read(path: &Path) -> Result<String, String> {
    match hfm::ucl::read(path.to_str().unwrap(), &mut FileLoader) {
        Ok(document) => Ok(json::emit(&document.root)),
        Err(error) => Err(error.report()),
    }
}

/// The `.json` files hold what libucl prints, but for `ours_*`, which it does not read so; the
/// `.err` files hold our report.
#[test]
fn corpus_reads_as_in_libucl() {
    let dir = support::corpus_dir();
    let dir = dir.to_str().unwrap();
    let files = support::corpus();
    assert!(files.len() >= 270, "the corpus is there");
    let mut wrong = Vec::new();
    for path in files {
        let (got, extension) = match read(&path) {
            Ok(json) => (json.replace(dir, "@DIR@"), "json"),
            Err(report) => (report.replace(&format!("{dir}/"), "").replace(dir, "@DIR@"), "err"),
        };
        let expected = std::fs::read_to_string(path.with_extension(extension)).unwrap_or_default();
        if format!("{got}\n") != expected {
            wrong.push(format!("{}\n--- got\n{got}\n--- expected\n{expected}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{} files differ\n{}", wrong.len(), wrong.join("\n"));
}

/// Mutations of the corpus end in a tree or an error, never in a panic; a slow one would show in
/// the time of the whole test.
#[test]
fn mutations_never_panic() {
    let sources: Vec<Vec<u8>> = support::corpus().iter().map(|path| std::fs::read(path).unwrap()).collect();
    let name = support::corpus_dir().join("mutation.conf");
    let mut texts = 0;
    for seed in 0..20_000 {
        let mut rng = Rng::new(seed);
        let source = &sources[rng.below(sources.len())];
        let bytes = support::mutate(&mut rng, source.clone());
        let Ok(text) = String::from_utf8(bytes) else { continue };
        texts += 1;
        match hfm::ucl::parse(name.to_str().unwrap(), &text, &mut FileLoader) {
            Ok(document) => drop(json::emit(&document.root)),
            Err(error) => assert!(error.report().contains(&error.kind.to_string()), "seed {seed}"),
        }
    }
    assert!(texts > 15_000);
}

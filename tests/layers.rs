//! Holds src/ to the layers of its design: who may name whom, which outside crates, no `unsafe` outside
//! of `sys`, no clock below the loops, no thread but by `sys::threads`, no file over 400 lines. Tests in src/ are left aside.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A module, everything below it, its layer, and the outside crates it may name. The longest prefix
/// decides. A module may name itself, and modules of lower layers; the top layer may name everything.
const LAYERS: &[(&str, u8, &[&str])] = &[
    ("now", 0, &[]),
    ("verdict", 0, &[]),
    ("histogram", 0, &[]),
    ("nearest", 0, &[]),
    ("ledger", 0, &[]),
    ("wire", 0, &[]),
    ("ucl", 0, &[]),
    ("rule", 1, &[]),
    ("standing", 1, &[]),
    ("health", 2, &[]),
    ("schedule", 2, &[]),
    ("timer", 2, &[]),
    ("probe", 2, &["rustls", "ring", "httparse", "regex"]),
    ("engine", 3, &[]),
    ("config", 3, &[]),
    ("succession", 3, &[]),
    ("writer::desired", 3, &[]),
    ("dataplane::slots", 3, &[]),
    ("control", 3, &["serde", "serde_json"]),
    ("overrides", 3, &[]),
    ("demotion", 3, &["serde", "serde_json"]),
    ("status", 3, &["base64", "httparse", "ring", "serde", "serde_json"]),
    ("sys", 4, &["libc", "nix", "socket2"]),
    ("dataplane", 4, &[]),
    ("demotion::counter", 4, &[]),
    ("line", 4, &["log"]),
    ("reactor", 5, &["mio", "slab", "signal_hook", "log"]),
    ("commands", 5, &["mio", "slab", "signal_hook", "log"]),
    ("resolver", 5, &["mio", "log"]),
    ("loader", 5, &["mio"]),
    ("writer", 5, &["mio", "log"]),
    ("overrides::store", 5, &["mio", "log"]),
    ("demotion::helper", 5, &["signal_hook"]),
    ("logging", 5, &["log", "env_logger", "env_filter"]),
    ("wait", 5, &["mio"]),
    ("cli", 6, ANY),
    ("start", 6, ANY),
    ("probe_cli", 6, ANY),
    ("demo", 6, ANY),
    ("remote", 6, ANY),
    ("main", 6, ANY),
    ("bin", 6, ANY),
    ("lib", 6, ANY),
];
const ANY: &[&str] = &["*"];

/// Modules that may name nothing of ours although their layer would let them,
const NAMES_NOTHING: &[&str] = &["sys"];
/// but for these.
/// What the status page tells has the form of what the control socket tells. What data planes reach the operating system by.
/// And the loops that a loop hands work to, or waits with.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("status", "control::protocol"),
    ("sys", "ucl::Loader"),
    ("sys", "ucl::FILE_BYTES_MAX"),
    ("dataplane", "sys"),
    ("demotion::counter", "sys"),
    ("reactor", "commands"),
    ("reactor", "resolver"),
    ("reactor", "logging"),
    ("reactor", "wait"),
    ("commands", "wait"),
    ("writer", "wait"),
    ("overrides::store", "wait"),
    ("reactor", "writer"),
    ("reactor", "loader"),
    ("reactor", "overrides::store"),
];

/// The layer that wires all others together.
const TOP_LAYER: u8 = 6;

/// The first layer whose loops may read the clock and sleep.
const CLOCK_LAYER: u8 = 5;
const CLOCKS: &[&[&str]] = &[&["Instant", "now"], &["SystemTime", "now"], &["thread", "sleep"]];
/// Threads are started by `sys::threads`, which has them give up rights; only what runs nothing else may do without.
const THREADS: &[&[&str]] = &[&["thread", "Builder"], &["thread", "spawn"], &["thread", "scope"]];
const STARTS_THREADS: &[&str] = &["sys::threads", "demo"];
const LINES_MAX: usize = 400;

/// What the source of one module is made of, once comments, texts and tests are taken out.
#[derive(Debug)]
struct Source {
    tokens: Vec<String>,
    lines: usize,
}

/// The layer's entry of a module.
fn entry(module: &str) -> Option<&'static (&'static str, u8, &'static [&'static str])> {
    LAYERS.iter().filter(|(prefix, ..)| is_within(prefix, module)).max_by_key(|(prefix, ..)| prefix.len())
}

/// Everything that is wrong with one file of the module `module`.
fn violations(module: &str, text: &str, crates: &[String]) -> Vec<String> {
    let Some((name, layer, outside)) = entry(module) else {
        return vec![format!("{module}: in no layer; add it to the table")];
    };
    let source = read(text);
    let mut wrong = Vec::new();
    if source.lines > LINES_MAX {
        wrong.push(format!("{module}: {} lines, {LINES_MAX} at most", source.lines));
    }
    if *name != "sys" && source.tokens.iter().any(|token| token == "unsafe") {
        wrong.push(format!("{module}: unsafe outside of sys"));
    }
    for path in paths(&source.tokens) {
        wrong.extend(named(module, name, *layer, &path));
        let krate = path.first().map_or("", String::as_str);
        if crates.iter().any(|of| of == krate) && *outside != ANY && !outside.contains(&krate) {
            wrong.push(format!("{module}: names the crate {krate}"));
        }
        let clock = CLOCKS.iter().find(|clock| ends_with(&path, clock));
        if let Some(clock) = clock.filter(|_| *layer < CLOCK_LAYER) {
            wrong.push(format!("{module}: {} below layer {CLOCK_LAYER}", clock.join("::")));
        }
        let is_thread = THREADS.iter().any(|of| path.windows(of.len()).any(|part| part.iter().eq(*of)));
        if is_thread && !STARTS_THREADS.iter().any(|of| is_within(of, module)) {
            wrong.push(format!("{module}: starts a thread by {}", path.join("::")));
        }
    }
    wrong
}

/// Whether a module of ours that a path leads to may be named.
fn named(module: &str, name: &str, layer: u8, path: &[String]) -> Option<String> {
    let target = match path.first().map(String::as_str) {
        Some("crate" | "hfm") => path[1..].to_vec(),
        Some("super") => {
            let up = path.iter().take_while(|part| *part == "super").count();
            let own: Vec<&str> = module.split("::").collect();
            let base = own[..own.len().saturating_sub(up)].iter().map(ToString::to_string);
            base.chain(path[up..].iter().cloned()).collect()
        }
        _ => return None,
    };
    let target = target.join("::");
    let (to, to_layer, _) = entry(&target)?;
    let excepted = EXCEPTIONS.iter().any(|(from, to)| *from == name && is_within(to, &target));
    let below = (*to_layer < layer || layer == TOP_LAYER) && !NAMES_NOTHING.contains(&name);
    if *to == name || excepted || below {
        return None;
    }
    Some(format!("{module} (layer {layer}): names {target} (layer {to_layer})"))
}

/// Whether a path is this module or in it.
fn is_within(module: &str, path: &str) -> bool {
    path == module || path.strip_prefix(module).is_some_and(|rest| rest.starts_with("::"))
}

fn ends_with(path: &[String], end: &[&str]) -> bool {
    path.len() >= end.len() && path[path.len() - end.len()..].iter().eq(end)
}

/// All paths of two parts and more, with the groups of `use a::{b, c::d}` multiplied out, and what
/// single names `use` brings in.
fn paths(tokens: &[String]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let single = at > 0 && tokens[at - 1] == "use";
        let begins = is_name(&tokens[at]) && (single || tokens.get(at + 1).is_some_and(|next| next == "::"));
        if begins {
            at = path_from(tokens, at, &[], &mut found);
        } else {
            at += 1;
        }
    }
    found
}

/// Reads one path, adds what it leads to, and says where it ends.
fn path_from(tokens: &[String], mut at: usize, before: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut path = before.to_vec();
    loop {
        match tokens.get(at).map(String::as_str) {
            Some("{") => {
                at += 1;
                while tokens.get(at).is_some_and(|token| token != "}") {
                    at = if tokens[at] == "," {
                        at + 1
                    } else {
                        path_from(tokens, at, &path, found).max(at + 1)
                    };
                }
                return at + 1;
            }
            Some(name) if is_name(name) => path.push(name.to_owned()),
            _ => break,
        }
        at += 1;
        if tokens.get(at).is_none_or(|token| token != "::") {
            break;
        }
        at += 1;
    }
    found.push(path);
    at
}

fn is_name(token: &str) -> bool {
    token.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// Takes a file apart: no comments, no texts, no item that is only there for tests.
fn read(text: &str) -> Source {
    let tokens = tokens(text);
    let mut kept: Vec<String> = Vec::new();
    let mut dropped_lines = 0;
    let mut at = 0;
    while at < tokens.len() {
        let test_only = ["#", "[", "cfg", "(", "test", ")", "]"];
        if tokens[at..].iter().map(|(token, _)| token.as_str()).take(7).eq(test_only) {
            let end = end_of_item(&tokens, at + 7);
            dropped_lines += tokens[end - 1].1 - tokens[at].1 + 1;
            at = end;
        } else {
            kept.push(tokens[at].0.clone());
            at += 1;
        }
    }
    Source { tokens: kept, lines: text.lines().count() - dropped_lines }
}

/// After the `;` or the closing brace of the item that begins at `at`.
fn end_of_item(tokens: &[(String, usize)], at: usize) -> usize {
    let mut depth = 0;
    for (place, (token, _)) in tokens.iter().enumerate().skip(at) {
        match token.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 && (token == ";" || token == "}") {
            return place + 1;
        }
    }
    tokens.len()
}

/// Names, `::` and single marks, each with its line.
fn tokens(text: &str) -> Vec<(String, usize)> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while let Some(&first) = chars.get(at) {
        let begin = at;
        let next = chars.get(at + 1).copied();
        if first == '/' && next == Some('/') {
            while chars.get(at).is_some_and(|c| *c != '\n') {
                at += 1;
            }
        } else if first == '/' && next == Some('*') {
            at = skip_comment(&chars, at);
        } else if first == '"' {
            at = skip_text(&chars, at);
        } else if first == 'r' && raw_marks(&chars, at).is_some() {
            at = skip_raw(&chars, at);
        } else if first == '\'' {
            at = skip_quote(&chars, at);
        } else if first.is_alphanumeric() || first == '_' {
            while chars.get(at).is_some_and(|c| c.is_alphanumeric() || *c == '_') {
                at += 1;
            }
            found.push((chars[begin..at].iter().collect(), line));
        } else if first == ':' && next == Some(':') {
            at += 2;
            found.push(("::".to_owned(), line));
        } else {
            at += 1;
            if !first.is_whitespace() {
                found.push((first.to_string(), line));
            }
        }
        at = at.min(chars.len());
        line += chars[begin..at].iter().filter(|c| **c == '\n').count();
    }
    found
}

fn skip_comment(chars: &[char], mut at: usize) -> usize {
    let mut depth = 0;
    while at + 1 < chars.len() {
        match (chars[at], chars[at + 1]) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

fn skip_text(chars: &[char], mut at: usize) -> usize {
    at += 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// How many `#` open a raw text at `at`; `None` when it is none.
fn raw_marks(chars: &[char], at: usize) -> Option<usize> {
    let marks = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    (chars.get(at + 1 + marks) == Some(&'"')).then_some(marks)
}

fn skip_raw(chars: &[char], at: usize) -> usize {
    let marks = raw_marks(chars, at).unwrap_or(0);
    let closes = |place: &usize| {
        chars[*place] == '"' && chars[place + 1..].iter().take_while(|c| **c == '#').count() >= marks
    };
    (at + marks + 2..chars.len()).find(closes).map_or(chars.len(), |place| place + 1 + marks)
}

/// A character, or the tick of a lifetime.
fn skip_quote(chars: &[char], at: usize) -> usize {
    if chars.get(at + 1) == Some(&'\\') {
        let end = (at + 3..chars.len()).find(|place| chars[*place] == '\'');
        return end.map_or(chars.len(), |place| place + 1);
    }
    if chars.get(at + 2) == Some(&'\'') { at + 3 } else { at + 1 }
}

/// Files of src/ that are not tests, by module.
fn modules(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut pending = vec![root.to_path_buf()];
    while let Some(directory) = pending.pop() {
        for file in std::fs::read_dir(&directory).expect("src/ can be read") {
            let path = file.expect("src/ can be read").path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|of| of == "rs") && !path.ends_with("tests.rs") {
                let module = path.strip_prefix(root).expect("it is below").with_extension("");
                let parts: Vec<_> = module.iter().map(|part| part.to_string_lossy().into_owned()).collect();
                let parts = if parts.len() > 1 && parts.ends_with(&["mod".to_owned()]) {
                    &parts[..parts.len() - 1]
                } else {
                    &parts
                };
                found.insert(path, parts.join("::"));
            }
        }
    }
    found
}

/// The outside crates that the manifest names, as code writes them.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut within = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            within = line.trim_end().ends_with("dependencies]");
        } else if let (true, Some((name, _))) = (within, line.split_once('=')) {
            names.push(name.trim().replace('-', "_"));
        }
    }
    names
}

#[test]
fn source_keeps_to_its_layers() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).expect("the manifest can be read");
    let crates = dependencies(&manifest);
    assert!(crates.contains(&"signal_hook".to_owned()), "the manifest was understood: {crates:?}");
    let modules = modules(&root.join("src"));
    assert!(modules.values().any(|module| module == "engine::run"), "src/ was found: {modules:?}");
    let judge = |(path, module): (&PathBuf, &String)| {
        violations(module, &std::fs::read_to_string(path).expect("a source file can be read"), &crates)
    };
    let wrong: Vec<String> = modules.iter().flat_map(judge).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Small sources, each with what must be found in it.
#[test]
fn checker_finds_what_is_wrong() {
    let crates = ["libc".to_owned(), "mio".to_owned(), "log".to_owned()];
    let cases: &[(&str, &str, &[&str])] = &[
        ("rule", "use crate::verdict::Verdict;", &[]),
        ("rule", "use crate::rule::Rule;", &[]),
        ("verdict", "use crate::rule::Rule;", &["names rule::Rule"]),
        (
            "health",
            "use crate::{now::Now, schedule::{next_due, spread}};",
            &["names schedule::next_due", "names schedule::spread"],
        ),
        ("health::inner", "use super::super::engine::Engine;", &["names engine::Engine"]),
        ("engine::run", "use super::state::Phase; use super::super::health::State;", &[]),
        ("timer", "fn f() { crate::engine::run() }", &["names engine::run"]),
        ("timer", "// crate::engine\n/* crate::engine /* x */ */ const A: &str = \"crate::engine::B\";", &[]),
        ("timer", "const A: &str = r#\"crate::engine::\"B\"#; const C: char = '\"'; fn f<'a>() {}", &[]),
        ("timer", "const C: char = '\\''; use crate::engine::A;", &["names engine::A"]),
        ("timer", "#[cfg(test)]\nmod tests { use crate::engine::A; }", &[]),
        ("timer", "#[cfg(test)]\nmod tests;\nuse crate::engine::A;", &["names engine::A"]),
        ("writer::desired", "use crate::dataplane::Batch;", &["names dataplane::Batch"]),
        ("writer::loop", "use crate::dataplane::Batch; use crate::writer::desired::Want;", &[]),
        ("sys::files", "use crate::ucl::Loader;", &[]),
        ("sys::files", "use crate::ucl::{Loader, Value};", &["names ucl::Value"]),
        ("sys::files", "use crate::rule::Rule; unsafe { libc::fork() };", &["names rule::Rule"]),
        ("dataplane::pfctl", "use crate::sys::program::Runner; use super::DataPlane;", &[]),
        ("dataplane", "use crate::engine::Engine; use crate::writer::desired::Want;", &[]),
        ("dataplane", "use libc::c_int;", &["names the crate libc"]),
        ("engine", "use libc::c_int;", &["names the crate libc"]),
        ("engine", "use log; fn f() { mio::Poll::new() }", &["names the crate log", "names the crate mio"]),
        ("reactor", "use mio::Poll; use crate::engine::Engine; fn f() { Instant::now() }", &[]),
        ("reactor", "unsafe fn f() {}", &["unsafe outside of sys"]),
        ("engine", "let at = std::time::Instant::now();", &["Instant::now below layer 5"]),
        ("sys", "fn f() { SystemTime::now(); thread::sleep(x) }", &["SystemTime::now", "thread::sleep"]),
        ("main", "use hfm::engine::Engine; use mio::Poll;", &[]),
        ("main", "std::thread::Builder::new().name(x)", &["starts a thread by std::thread::Builder::new"]),
        ("writer", "use std::{io, thread}; fn f() { thread::spawn(x) }", &["starts a thread"]),
        ("sys::threads", "use std::thread::Builder;", &[]),
        ("engine", "use hfm::cli::Flags;", &["names cli::Flags"]),
        ("utils", "", &["in no layer"]),
        ("engines", "", &["in no layer"]),
    ];
    for (module, text, wanted) in cases {
        let found = violations(module, text, &crates);
        assert_eq!(found.len(), wanted.len(), "{module}: {text}\nfound {found:?}");
        for (found, wanted) in found.iter().zip(*wanted) {
            assert!(found.contains(wanted), "{module}: {text}\nfound {found}, not {wanted}");
        }
    }
}

#[test]
fn checker_counts_lines_without_tests() {
    let long = "fn f() {}\n".repeat(LINES_MAX);
    let tests = "#[cfg(test)]\nmod tests {\n    fn g() {}\n}\n";
    assert_eq!(violations("timer", &format!("{long}{tests}"), &[]), [""; 0]);
    assert_eq!(violations("timer", &format!("{tests}{long}// one more\n"), &[]).len(), 1);
}

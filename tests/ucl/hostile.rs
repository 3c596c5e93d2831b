//! Texts that mean harm, or look as if they did: every one ends soon, most of them in an error.

use std::collections::HashMap;
use std::fmt::Write;
use std::io;

use hfm::sys::files::FileLoader;
use hfm::ucl::{DEPTH_MAX, Document, FILE_BYTES_MAX, Kind, Loader, ReadError, UclError, VALUES_MAX};

/// Files that exist only here.
#[derive(Default)]
pub(crate) struct Memory(HashMap<String, Vec<u8>>);

impl Memory {
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect())
    }
}

impl Loader for Memory {
    fn read(&mut self, path: &str) -> io::Result<Vec<u8>> {
        self.0.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn resolve(&mut self, path: &str) -> io::Result<String> {
        if self.0.contains_key(path) { Ok(path.to_owned()) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn glob(&mut self, _pattern: &str) -> io::Result<Vec<String>> {
        let mut names: Vec<String> = self.0.keys().cloned().collect();
        names.sort();
        Ok(names)
    }
}

pub(crate) fn parse(text: &str) -> Result<Document, Box<ReadError>> {
    hfm::ucl::parse("/main", text, &mut Memory::default())
}

fn refusal(text: &str) -> UclError {
    match parse(text) {
        Ok(_) => panic!("accepted: {}", text.chars().take(80).collect::<String>()),
        Err(error) => {
            assert!(error.report().len() < 2000, "the report of a long line is cut");
            error.kind
        }
    }
}

#[test]
fn nesting_is_bounded() {
    for opener in ["a {", "a = [", "[", "a b {", "{", "a b c d {\n"] {
        let text = opener.repeat(1_000_000 / opener.len());
        let error = refusal(&text);
        let expected = matches!(error, UclError::TooDeep | UclError::KeyStart('{') | UclError::Unclosed(_));
        assert!(expected, "{opener}: {error:?}");
    }
    assert!(matches!(refusal(&"a {".repeat(1_000_000)), UclError::TooDeep));
    let deep = DEPTH_MAX - 1;
    assert!(parse(&format!("{}{}", "a {".repeat(deep), "}".repeat(deep))).is_ok());
    assert!(matches!(refusal(&format!("{}{{}}", "a ".repeat(1_000_000))), UclError::TooDeep));
}

#[test]
fn long_things_are_read_in_linear_time() {
    let long = "x".repeat(10 << 20);
    assert!(parse(&format!("a = {long}\n")).is_ok());
    assert!(parse(&format!("a = \"{long}\"\n")).is_ok());
    assert!(parse(&format!("{long} = 1\n")).is_ok());
    assert!(parse(&format!("# {long}")).is_ok());
    assert!(parse(&format!("/* {long} */ a = 1")).is_ok());
    assert!(parse(&"a=1;".repeat(500_000)).is_ok());
    assert!(parse(&"#\n".repeat(2_000_000)).is_ok());
    assert!(matches!(refusal(&format!("a = \"{long}")), UclError::UnfinishedString('"')));
    assert!(matches!(refusal(&format!("a = <<EOD\n{long}")), UclError::UnfinishedHeredoc(_)));
    assert!(matches!(refusal(&"/*".repeat(1_000_000)), UclError::UnfinishedComment));
    assert!(matches!(refusal(&format!("a = 1 {long}\n/*")), UclError::UnfinishedComment));
    assert!(matches!(refusal(&format!("a = \"x\" {long}")), UclError::MissingSeparator));
}

#[test]
fn one_line_of_many_keys_is_read_in_linear_time() {
    assert!(parse(&"a 1/**/".repeat(300_000)).is_ok());
    assert!(parse(&".priority(priority=1);".repeat(100_000)).is_ok());
    assert!(parse(&"a 'x' # {\n".repeat(100_000)).is_err());
}

#[test]
fn expanded_variables_are_bounded() {
    let name = format!("/{}", "x".repeat(4000));
    let text = format!("a = {}\n", "$FILENAME".repeat(100_000));
    let error = hfm::ucl::parse(&name, &text, &mut Memory::default()).expect_err("400 MB");
    assert!(matches!(error.kind, UclError::TotalTooLarge));
}

#[test]
fn words_of_heredocs_are_bounded() {
    let word = "A".repeat(1 << 20);
    assert!(matches!(refusal(&format!("a = <<{word}\n\n{word}{word}\n")), UclError::HeredocWord));
}

#[test]
fn values_are_bounded() {
    assert!(matches!(refusal(&"a=1;".repeat(VALUES_MAX + 2)), UclError::TooManyValues));
    assert!(matches!(refusal(&format!("[{}", "1,".repeat(VALUES_MAX + 2))), UclError::TooManyValues));
}

#[test]
fn many_keys_are_read_in_linear_time() {
    let mut text = String::new();
    for key in 0..200_000 {
        let _ = writeln!(text, "key{key} = {key}");
    }
    text.push_str(&"again = 1\n".repeat(200_000));
    text.push_str(&"section { a = 1 }\n".repeat(100_000));
    let document = parse(&text).expect("the text is good");
    let Kind::Object(root) = document.root.kind else { panic!("the root is an object") };
    assert_eq!(root.entries.len(), 200_002);
    assert_eq!(root.entries[200_000].items.len(), 200_000);
}

#[test]
fn numbers_and_escapes_of_any_length_end() {
    assert!(parse(&format!("a = {}\n", "9".repeat(1_000_000))).is_ok(), "too long for a number: a string");
    assert!(parse(&format!("a = {}\n", "$CURDIR".repeat(100_000))).is_ok());
    assert!(parse(&format!("a = {}\n", "${".repeat(1_000_000))).is_ok());
    assert!(parse(&format!("a = \"{}\"\n", "\\\\".repeat(1_000_000))).is_ok());
    assert!(parse(&format!("a = x{}\n", "{".repeat(1_000_000))).is_ok());
}

#[test]
fn every_front_of_a_text_ends() {
    let text = include_str!("corpus/hfm_example.conf");
    for end in 0..text.len() {
        drop(parse(&text[..end]));
    }
}

#[test]
fn includes_are_bounded() {
    let double = ".include \"/b\"\n.include \"/b\"\n";
    let names: Vec<String> = ('b'..='q').map(|c| format!("/{c}")).collect();
    let mut files = vec![("/main".to_owned(), double.to_owned())];
    for pair in names.windows(2) {
        files.push((pair[0].clone(), double.replace("/b", &pair[1])));
    }
    files.push(("/q".to_owned(), "a = 1\n".to_owned()));
    let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let error = hfm::ucl::read("/main", &mut Memory::of(&files)).expect_err("16 files deep");
    assert!(matches!(error.kind, UclError::IncludeDepth), "{error}");
    assert_eq!(error.included_from.len(), 15);

    let mut shallow: Vec<(&str, &str)> = files.clone();
    shallow.retain(|(name, _)| *name != "/p");
    shallow.push(("/p", "a = 1\n"));
    let error = hfm::ucl::read("/main", &mut Memory::of(&shallow)).expect_err("2^15 includes");
    assert!(matches!(error.kind, UclError::IncludeCount), "{error}");
}

#[test]
fn include_loops_are_refused() {
    let mut files = Memory::of(&[("/a", ".include \"/b\"\n"), ("/b", "x = 1\n.include(try=true) \"/a\"\n")]);
    let error = hfm::ucl::read("/a", &mut files).expect_err("a loop");
    assert_eq!(
        error.report(),
        "/b:2:1: '/a' includes itself\n.include(try=true) \"/a\"\n^\nincluded from /a:1"
    );
}

#[test]
fn bad_bytes_are_named_with_their_place() {
    let mut files = Memory::default();
    files.0.insert("/a".to_owned(), b"x = 1\ny = \xc3\xa4\xc3 z\n".to_vec());
    let error = hfm::ucl::read("/a", &mut files).expect_err("not UTF-8");
    assert!(error.to_string().starts_with("/a:2:6: the text is not valid UTF-8"), "{error}");
    files.0.insert("/a".to_owned(), b"x = 1\ny = \0".to_vec());
    let error = hfm::ucl::read("/a", &mut files).expect_err("a NUL byte");
    assert!(error.to_string().starts_with("/a:2:5: a NUL byte"), "{error}");
}

#[test]
fn large_files_are_refused() {
    let mut files = Memory::default();
    files.0.insert("/a".to_owned(), vec![b'#'; FILE_BYTES_MAX + 1]);
    let error = hfm::ucl::read("/a", &mut files).expect_err("too large");
    assert!(matches!(error.kind, UclError::FileTooLarge));
    assert!(error.span.is_none());
}

#[test]
fn only_regular_files_are_read() {
    let dir = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let fifo = dir.join("fifo");
    if !fifo.exists() {
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    }
    for path in [fifo.to_str().unwrap(), "/dev/zero", "/dev/null", dir.to_str().unwrap()] {
        let error = hfm::ucl::read(path, &mut FileLoader).expect_err("not a regular file");
        assert!(error.report().starts_with(&format!("cannot read {path}: ")), "{}", error.report());
        assert!(std::error::Error::source(&*error).is_some());
    }
    let error = hfm::ucl::read("/nowhere/hfm.conf", &mut FileLoader).expect_err("no such file");
    assert!(error.report().starts_with("cannot read /nowhere/hfm.conf: No such file"), "{}", error.report());
}

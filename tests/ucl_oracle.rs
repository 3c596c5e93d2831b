//! The reader against the real libucl, byte by byte, where libucl 0.9 is installed.
//!
//! `HFM_LIBUCL_PREFIX` names an installation that pkg-config does not know, `HFM_ORACLE_FILES` says
//! how many files are generated, `HFM_ORACLE_SEED` where the generator begins.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "this is a test down to its helpers")]

#[path = "support/grammar.rs"]
mod grammar;
#[path = "../examples/json/mod.rs"]
mod json;
#[path = "support/skip.rs"]
mod skip;
mod support;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use hfm::sys::files::FileLoader;
use hfm::ucl::{ReadError, UclError};
use support::Rng;

/// What libucl says of one file.
#[derive(Debug, PartialEq)]
enum Answer {
    Json(String),
    Refused(String),
    /// The process died.
    Crashed,
}

struct Oracle {
    program: PathBuf,
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Oracle {
    /// Builds the program that asks libucl, where there is a libucl.
    fn build() -> Option<Self> {
        let flags = match std::env::var("HFM_LIBUCL_PREFIX") {
            Ok(prefix) => vec![
                format!("-I{prefix}/include"),
                format!("-L{prefix}/lib"),
                format!("-Wl,-rpath,{prefix}/lib"),
                "-lucl".to_owned(),
                "-lcrypto".to_owned(),
                "-lm".to_owned(),
            ],
            Err(_) => {
                let known = Command::new("pkg-config").args(["--atleast-version=0.9", "libucl"]).status();
                if !known.is_ok_and(|status| status.success()) {
                    return None;
                }
                let output =
                    Command::new("pkg-config").args(["--cflags", "--libs", "libucl"]).output().ok()?;
                String::from_utf8(output.stdout).ok()?.split_whitespace().map(str::to_owned).collect()
            }
        };
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ucl2json");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/ucl2json.c");
        let status = Command::new("cc").arg("-o").arg(&program).arg(source).args(flags).status();
        assert!(
            status.expect("libucl is there, so is a C compiler").success(),
            "the oracle does not compile"
        );
        Some(Self::start(program))
    }

    fn start(program: PathBuf) -> Self {
        let mut process = Command::new(&program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the oracle starts");
        let input = process.stdin.take().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        Self { program, process, input, output }
    }

    fn ask(&mut self, path: &Path) -> Answer {
        // It may have died of the file before; then it answers at the second time.
        for _ in 0..2 {
            if let Some(answer) = self.try_ask(path) {
                return answer;
            }
            self.process.wait().unwrap();
            *self = Self::start(self.program.clone());
        }
        Answer::Crashed
    }

    fn try_ask(&mut self, path: &Path) -> Option<Answer> {
        writeln!(self.input, "{}", path.display()).ok()?;
        self.input.flush().ok()?;
        self.answer()
    }

    fn answer(&mut self) -> Option<Answer> {
        let mut head = String::new();
        self.output.read_line(&mut head).ok()?;
        let (word, len) = head.trim_end().split_once(' ')?;
        let mut text = vec![0; len.parse::<usize>().ok()? + 1];
        self.output.read_exact(&mut text).ok()?;
        text.pop();
        let text = String::from_utf8_lossy(&text).into_owned();
        Some(if word == "ok" { Answer::Json(text) } else { Answer::Refused(text) })
    }
}

/// Why ours may differ from the reference for a file; `None` when it must not.
fn excuse(
    path: &Path,
    text: &str,
    ours: &Result<String, Box<ReadError>>,
    theirs: &Answer,
) -> Option<&'static str> {
    match (ours, theirs) {
        (Err(_), Answer::Refused(_)) => Some("both refuse"),
        (Err(_), Answer::Crashed) => Some("libucl crashes"),
        (Err(_), _) if odd_comment(text) => Some("comment that libucl reads in threes"),
        (Err(error), Answer::Json(_)) => deliberate(&error.kind).or_else(|| in_arguments(error)),
        (Ok(_), Answer::Crashed) => Some("libucl crashes"),
        (Ok(_), _) if odd_comment(text) => Some("comment that libucl reads in threes"),
        (Ok(_), _) if text.contains(" )") => Some("number before the end of arguments"),
        (Ok(_), Answer::Refused(message)) => lenient(path, text, message),
        (Ok(_), Answer::Json(_))
            if text.contains(".include") && text.contains("prefix=true") && text.contains("glob=true") =>
        {
            Some("prefix of more than one file")
        }
        (Ok(_), Answer::Json(_)) if text.to_ascii_lowercase().contains("\\ud8") => Some("surrogate pair"),
        (Ok(_), Answer::Json(_)) => None,
    }
}

/// What libucl refuses without need.
fn lenient(path: &Path, text: &str, message: &str) -> Option<&'static str> {
    let main = std::fs::read_to_string(path).unwrap();
    if text.ends_with('#') {
        return Some("# as the last byte");
    }
    let trimmed = main.trim_start();
    if (trimmed.starts_with('#') || trimmed.starts_with("/*"))
        && message.contains("key must begin with a letter")
    {
        return Some("root brace after a comment");
    }
    if text.contains(".try_include") && message.is_empty() {
        return Some(".try_include");
    }
    None
}

/// What libucl takes and ours refuses: the list in the head of `src/ucl/mod.rs`.
#[expect(clippy::wildcard_enum_match_arm, reason = "what is not listed must not differ")]
fn deliberate(error: &UclError) -> Option<&'static str> {
    match error {
        UclError::TextAfterRoot => Some("text after the root"),
        UclError::SectionWithoutBlock => Some("section without block"),
        UclError::BraceInComment | UclError::BraceInString => Some("brace in comment or string"),
        UclError::MissingValue => Some("missing value"),
        UclError::BlankAfterComment => Some("blank after comment"),
        UclError::NulByte | UclError::ByteOrderMark | UclError::NotUtf8 => Some("not plain text"),
        UclError::UnicodeEscape | UclError::NulEscape | UclError::LoneSurrogate => Some("unicode escape"),
        UclError::NumberRange | UclError::HexNumber => Some("number"),
        UclError::UnfinishedHeredoc(_) => Some("heredoc"),
        UclError::Priority(_) | UclError::UnknownArgument { .. } | UclError::ArgumentValue { .. } => {
            Some("arguments")
        }
        UclError::MacroArguments | UclError::UnfinishedMacro(_) | UclError::MacroInSection => {
            Some("macro form")
        }
        UclError::UnknownMacro(name) if matches!(name.as_str(), "inherit" | "load" | "includes") => {
            Some("macro")
        }
        UclError::IncludedRoot | UclError::AmbiguousMerge(_) | UclError::Unopened(_) => Some("include"),
        UclError::IncludeTarget(_) => Some("include target"),
        UclError::TooDeep => Some("depth"),
        _ => None,
    }
}

/// libucl goes on without the arguments of a macro when it cannot read them.
fn in_arguments(error: &ReadError) -> Option<&'static str> {
    let line = error.sources.line(error.span?);
    let call = [".include", ".priority"].iter().any(|name| line.contains(name)) && line.contains('(');
    call.then_some("arguments")
}

/// Whether a block comment has a `*` whose next two bytes libucl passes over although they matter.
fn odd_comment(text: &str) -> bool {
    let bytes = text.as_bytes();
    text.contains("/*")
        && bytes.windows(3).enumerate().any(|(at, three)| {
            let opens = at > 0 && bytes[at - 1] == b'/';
            three[0] == b'*'
                && !opens
                && match three[1] {
                    b'/' => matches!(three[2], b'*' | b'"' | b'/'),
                    b'*' | b'"' => true,
                    _ => matches!(three[2], b'*' | b'/' | b'"'),
                }
        })
}

fn ours(path: &Path) -> Result<String, Box<ReadError>> {
    match hfm::ucl::read(path.to_str().unwrap(), &mut FileLoader) {
        Ok(document) => Ok(json::emit(&document.root)),
        Err(error) => Err(error),
    }
}

#[derive(Default)]
struct Tally {
    counts: BTreeMap<&'static str, usize>,
    refused: BTreeMap<String, usize>,
    differences: Vec<String>,
}

impl Tally {
    fn compare(&mut self, oracle: &mut Oracle, path: &Path, text: &str, label: &str) {
        let ours = ours(path);
        let theirs = oracle.ask(path);
        let same = matches!((&ours, &theirs), (Ok(ours), Answer::Json(theirs)) if ours == theirs);
        let reason = if same { Some("same") } else { excuse(path, text, &ours, &theirs) };
        if let (Err(error), Some("both refuse")) = (&ours, reason) {
            let name = format!("{:?}", error.kind);
            let name = name.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned();
            *self.refused.entry(name).or_default() += 1;
        }
        match reason {
            Some(reason) => *self.counts.entry(reason).or_default() += 1,
            None => self
                .differences
                .push(format!("{label}\n{text}\n--- ours\n{ours:?}\n--- libucl\n{theirs:?}\n")),
        }
    }

    fn finish(self, title: &str) {
        println!("{title}: {:?}\nrefused by both: {:?}", self.counts, self.refused);
        let shown = self.differences.iter().take(8).cloned().collect::<String>();
        assert!(self.differences.is_empty(), "{} differences\n{shown}", self.differences.len());
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

#[test]
fn reads_what_libucl_reads() {
    let Some(mut oracle) = Oracle::build() else {
        skip::skip("ucl_oracle: libucl >= 0.9 is not installed");
        return;
    };
    let mut tally = Tally::default();
    for path in support::corpus() {
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        tally.compare(&mut oracle, &path, &text, &path.display().to_string());
    }
    tally.finish("corpus");
    let (files, seed) = (setting("HFM_ORACLE_FILES", 4000), setting("HFM_ORACLE_SEED", 1));
    generated(&mut oracle, seed, files);
    mutated(&mut oracle, seed, files / 4);
}

fn generated(oracle: &mut Oracle, seed: u64, files: u64) {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("generated");
    std::fs::create_dir_all(&dir).unwrap();
    let names = ["one.conf", "two.ucl", "three.inc"];
    let mut tally = Tally::default();
    for seed in seed..seed + files {
        let mut rng = Rng::new(seed);
        let mut whole = String::new();
        if seed % 4 == 0 {
            for (at, name) in names.iter().enumerate() {
                let text = grammar::text(&mut rng, &names[..at]);
                whole.push_str(&text);
                std::fs::write(dir.join(name), text).unwrap();
            }
        }
        let text = grammar::text(&mut rng, if seed % 4 == 0 { &names } else { &[] });
        let path = dir.join("main.conf");
        std::fs::write(&path, &text).unwrap();
        whole.push_str(&text);
        tally.compare(oracle, &path, &whole, &format!("seed {seed}"));
    }
    tally.finish("generated");
}

fn mutated(oracle: &mut Oracle, seed: u64, files: u64) {
    let corpus = support::corpus();
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutated");
    std::fs::create_dir_all(dir.join("inc")).unwrap();
    for file in std::fs::read_dir(support::corpus_dir().join("inc")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), dir.join("inc").join(file.file_name())).unwrap();
    }
    let path = dir.join("main.conf");
    let mut tally = Tally::default();
    for seed in seed..seed + files {
        let mut rng = Rng::new(seed);
        let source = &corpus[rng.below(corpus.len())];
        let bytes = support::mutate(&mut rng, std::fs::read(source).unwrap());
        std::fs::write(&path, &bytes).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        tally.compare(oracle, &path, &text, &format!("seed {seed}, from {}", source.display()));
    }
    tally.finish("mutated");
}

//! Included files: where they are found and where their settings go.
//!
//! Owns what all files of a document share: the tree, the stack of open sections, the search path
//! and the bounds on files.

use std::io;
use std::sync::Arc;

use super::Loader;
use super::cursor::Cursor;
use super::error::{Fault, Parsed, UclError, fault};
use super::limits::{FILE_BYTES_MAX, INCLUDE_DEPTH_MAX, INCLUDES_MAX, TOTAL_BYTES_MAX};
use super::macros::{Arguments, Missing};
use super::parser::{Frame, Opening, Parser};
use super::tree::Tree;
use super::value::{SourceId, Sources, Span};
use super::variable::Variables;

/// A file that is being read.
pub(super) struct OpenFile {
    /// Its canonical path.
    pub(super) path: String,
    /// The macro that included it; none for the main file.
    pub(super) included_at: Option<Span>,
}

/// What all files of one document share.
pub(super) struct Reader<'l> {
    pub(super) loader: &'l mut dyn Loader,
    pub(super) sources: Sources,
    pub(super) tree: Tree,
    pub(super) stack: Vec<Frame>,
    /// The main file and the includes within each other that led to the text being read.
    pub(super) files: Vec<OpenFile>,
    pub(super) search_path: Vec<String>,
    includes: usize,
    bytes: usize,
}

impl<'l> Reader<'l> {
    pub(super) fn new(loader: &'l mut dyn Loader) -> Self {
        Self {
            loader,
            sources: Sources::default(),
            tree: Tree::default(),
            stack: Vec::new(),
            files: Vec::new(),
            search_path: Vec::new(),
            includes: 0,
            bytes: 0,
        }
    }

    /// Takes the bytes of a file in as text, or says what is wrong with them.
    pub(super) fn admit(
        &mut self,
        name: &str,
        bytes: Vec<u8>,
        at: Option<Span>,
    ) -> Parsed<(SourceId, Arc<str>)> {
        let large = match bytes.len() {
            len if len > FILE_BYTES_MAX => Some(UclError::FileTooLarge),
            len if len > TOTAL_BYTES_MAX.saturating_sub(self.bytes) => Some(UclError::TotalTooLarge),
            _ => None,
        };
        if let Some(kind) = large {
            return Err(Box::new(Fault { span: at, kind }));
        }
        self.bytes += bytes.len();
        let (text, wrong): (Arc<str>, _) = match String::from_utf8(bytes) {
            Ok(text) => (text.into(), None),
            Err(error) => {
                let start = error.utf8_error().valid_up_to();
                (String::from_utf8_lossy(error.as_bytes()).into(), Some((start, UclError::NotUtf8)))
            }
        };
        let wrong = text.bytes().position(|b| b == 0).map(|at| (at, UclError::NulByte)).or(wrong);
        let source = self.sources.add(name, text.clone());
        match wrong {
            Some((start, kind)) => fault(Cursor { pos: start, ..Cursor::new(&text, source) }.here(), kind),
            None => Ok((source, text)),
        }
    }
}

impl Parser<'_, '_, '_> {
    /// Includes what a macro names.
    pub(super) fn include(&mut self, name: &str, settings: &Arguments, at: Span) -> Parsed<()> {
        if self.reader.search_path.is_empty() {
            let found = self.include_pattern(name, settings, at)?;
            return if found || settings.missing == Missing::Ignored {
                Ok(())
            } else {
                fault(at, UclError::NoMatch(name.to_owned()))
            };
        }
        let mut found = false;
        let mut dirs = 0;
        // An included file may set another path.
        while let Some(dir) = self.reader.search_path.get(dirs) {
            let path = format!("{dir}/{name}");
            dirs += 1;
            // A file missing here may be in the next directory.
            let here = Arguments { missing: Missing::Ignored, key: settings.key.clone(), ..*settings };
            found |= self.include_pattern(&path, &here, at)?;
            if found && !settings.glob {
                break;
            }
        }
        if found || settings.missing == Missing::Ignored {
            Ok(())
        } else {
            fault(at, UclError::NotInPath(name.to_owned()))
        }
    }

    /// Includes one file, or all that a pattern matches; says whether there was any.
    fn include_pattern(&mut self, name: &str, settings: &Arguments, at: Span) -> Parsed<bool> {
        if !settings.glob || !name.contains(['*', '?']) {
            return self.include_file(name, settings, at);
        }
        self.count_include(at)?;
        let files = match self.reader.loader.glob(name) {
            Ok(files) => files,
            Err(error) => return fault(at, UclError::Include { name: name.to_owned(), error }),
        };
        let mut found = false;
        for file in files {
            found |= self.include_file(&file, settings, at)?;
        }
        Ok(found)
    }

    /// Replaces the variables of a string, and counts what it takes.
    pub(super) fn expand(&mut self, text: String, at: Span) -> Parsed<String> {
        self.reader.bytes += self.variables.expanded_len_max(&text);
        if self.reader.bytes > TOTAL_BYTES_MAX {
            return fault(at, UclError::TotalTooLarge);
        }
        Ok(self.variables.expand(text))
    }

    /// Counts every file or pattern that is looked for.
    fn count_include(&mut self, at: Span) -> Parsed<()> {
        self.reader.includes += 1;
        if self.reader.includes > INCLUDES_MAX { fault(at, UclError::IncludeCount) } else { Ok(()) }
    }

    fn include_file(&mut self, name: &str, settings: &Arguments, at: Span) -> Parsed<bool> {
        self.count_include(at)?;
        let loaded = match self.reader.loader.resolve(name) {
            Ok(path) if self.reader.files.iter().any(|file| file.path == path) => {
                return fault(at, UclError::IncludeLoop(path));
            }
            Ok(path) => self.reader.loader.read(&path).map(|bytes| (path, bytes)),
            Err(error) => Err(error),
        };
        let (path, bytes) = match loaded {
            Ok(loaded) => loaded,
            Err(error) if settings.missing == Missing::Ignored && is_missing(&error) => return Ok(false),
            Err(error) => return fault(at, UclError::Include { name: name.to_owned(), error }),
        };
        if self.reader.files.len() >= INCLUDE_DEPTH_MAX {
            return fault(at, UclError::IncludeDepth);
        }
        let (source, text) = self.reader.admit(&path, bytes, Some(at))?;
        let depth = self.reader.stack.len();
        self.descend(&path, settings, at)?;
        let variables = Variables::of_file(&path);
        self.reader.files.push(OpenFile { path, included_at: Some(at) });
        let target = self.reader.stack[self.reader.stack.len() - 1].node;
        let cursor = Cursor::new(&text, source);
        Parser::new(self.reader, cursor, settings.manner, variables, target).read_included()?;
        self.reader.files.pop();
        self.reader.stack.truncate(depth);
        Ok(true)
    }

    /// Opens the section into which an include with `key` or `prefix` puts its settings.
    fn descend(&mut self, path: &str, settings: &Arguments, at: Span) -> Parsed<()> {
        let key = match &settings.key {
            Some(key) => key.as_str(),
            None if settings.prefix => {
                let name = path.rsplit('/').next().unwrap_or(path);
                name.strip_suffix(".conf").or_else(|| name.strip_suffix(".ucl")).unwrap_or(name)
            }
            None => return Ok(()),
        };
        if self.reader.stack.len() >= super::limits::DEPTH_MAX {
            return fault(at, UclError::TooDeep);
        }
        let object = self.reader.stack[self.reader.stack.len() - 1].node;
        let node = match settings.array {
            true => self.reader.tree.descend_array(object, key, at, settings.manner)?,
            false => self.reader.tree.descend(object, key, at, settings.manner)?,
        };
        self.reader.tree.close(node, at);
        self.reader.stack.push(Frame { node, opening: Opening::Text, at });
        Ok(())
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

//! The bounds that keep a hostile or mistaken text from hurting: each is far above any real use.

/// Largest single file, in bytes: far more than the rules of any gateway.
pub const FILE_BYTES_MAX: usize = 64 << 20;

/// Largest sum of all files and all strings with variables, in bytes: a glob may match many files,
/// and a variable is shorter than its value.
pub const TOTAL_BYTES_MAX: usize = 256 << 20;

/// Most keys and array elements in one document: each takes some hundred bytes of memory.
pub const VALUES_MAX: usize = 2_000_000;

/// Longest word of a heredoc, in bytes: it is looked for on every line.
pub const HEREDOC_WORD_MAX: usize = 128;

/// Deepest nesting of sections and arrays: what walks the tree recurses this deep.
pub const DEPTH_MAX: usize = 128;

/// Most files in one chain of includes, the main file counted: libucl's own bound.
pub const INCLUDE_DEPTH_MAX: usize = 16;

/// Most includes in one document: stops files that include each other twice over.
pub const INCLUDES_MAX: usize = 10_000;

//! UCL: text to a tree of values with places. Knows nothing of rules.
//!
//! The language is libucl's with default flags (reference: libucl 0.9). Files are reached only
//! through [`Loader`].

mod value;

pub use value::{Document, Entry, Item, Kind, Object, Place, Source, SourceId, Sources, Span, Style, Value};

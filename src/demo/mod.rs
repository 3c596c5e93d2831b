//! `hfm demo`: everything on one machine, without rights and without a file. Three small HTTPS backends in
//! this process break one after the other, and the terminal shows how soon hfm finds out.

pub mod backend;
mod behaviour;
mod certificates;
pub mod screen;
pub mod script;

pub use backend::Backend;
pub use behaviour::Behaviour;
pub use certificates::Authority;

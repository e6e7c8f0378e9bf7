//! The learner's side on disk: workspace files in a plain folder, and records of what was done.
//!
//! ```text
//! ~/loadline/                 or $LOADLINE_HOME
//!   shrink-that-image/        a workspace: edit it with anything
//!   .loadline/
//!     id                      what marks this home's things on an engine
//!     records.db              attempts, progress, hints, answers (SQLite)
//!     kept/                   what a reset took away, and what was not saved
//!     layers/                 facts of image layers, to be read once
//! ```
//! Nothing here is needed to show the first screen: [`Home::find`] touches no file, and
//! [`Records::open`] and [`Workspace::open`] are called when there is something to keep. Losing
//! the learner's work is the one thing that this module must not do: files are replaced whole or
//! not at all, records are written in transactions, and what a reset replaces is kept.

pub mod home;
mod id;
mod layer_facts;
pub mod records;
pub mod room;
pub mod workspace;

pub use home::Home;
pub use home::HomeError;
pub use layer_facts::LayerFacts;
pub use records::Records;
pub use workspace::Workspace;

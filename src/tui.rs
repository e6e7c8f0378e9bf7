//! The workshop on a terminal: one owner of state, a pure `update`, effects as data, a view that
//! only reads.
//!
//! ```text
//! signals, input, job messages, timers -> Msg -> update(&mut Model, now, Msg) -> Vec<Effect>
//!                                                 view(&Model, &mut Frame)        runner -> Msg
//! ```
//!
//! [`theme`] is the only place that knows colours; [`action`] is the one table behind keys, footer,
//! help and palette; [`services`] is all that the workshop needs from the rest of the program.

pub mod action;
pub mod effect;
#[cfg(test)]
pub(crate) mod fixture;
mod hangup;
mod input;
pub mod markdown;
pub mod model;
pub mod msg;
mod outside;
pub mod paint;
pub mod pick;
mod run;
mod runner;
pub mod screen;
pub mod shot;
// The port that both front ends share.
pub use crate::workshop as services;
mod terminal;
pub mod theme;
pub mod update;
mod watch;

pub use outside::Options;
pub use outside::Start;
pub use run::Left;
pub use run::run;

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
pub mod model;
pub mod msg;
pub mod paint;
pub mod pick;
pub mod screen;
// The port that both front ends share.
pub use crate::workshop as services;
pub mod theme;
pub mod update;

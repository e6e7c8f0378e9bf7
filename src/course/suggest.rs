//! What an author most likely meant; Dockerfiles ask the same question.

pub use crate::text::nearest;

//! The goal kinds, by name.

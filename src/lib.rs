//! Loadline: a terminal workshop that teaches small, secure container images by building them on a
//! real engine.
//!
//! `ARCHITECTURE.md` is the map: one folder per thing that the product is about.

pub mod advisories;
pub mod attempt;
pub mod bases;
pub mod cli;
pub mod course;
pub mod dockerfile;
pub mod engine;
pub mod finding;
pub mod goal;
pub mod image;
pub mod learner;
pub mod plain;
pub mod report;
pub mod scan;
pub mod text;
pub mod tui;
pub mod units;
pub mod workshop;

pub use cli::run;

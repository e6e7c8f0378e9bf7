//! `structure_tests`: the tests of a container-structure-test file, each a goal of its own.
//!
//! The format is version 2.0.0 of that tool, which is in maintenance mode and used widely. What a
//! hardened run cannot do (privileges, mounts, set-up steps that change the image) is refused while
//! the file is read, never left out.

mod command;
mod file;
mod license;
mod metadata;
mod yaml;

use std::sync::Arc;

use regex::Regex;
use serde::Deserialize;

use super::Evidence;
use super::Goal;
use super::Missing;
use super::Needs;
use super::Verdict;
use super::kind::About;
use super::kind::Kind;
use super::kind::must;
use crate::image::Config;
use crate::image::run::expand;
pub use yaml::StructureError;
pub use yaml::parse;

/// What every test calls its kind.
const NAME: &str = "structure_tests";

/// One test of a file.
#[derive(Debug, Clone)]
pub struct StructureTest {
    /// Its name, as the file has it.
    pub name: String,
    /// The condition.
    pub goal: Arc<dyn Goal>,
}

/// A reference to a file, which whoever reads the exercise replaces by the file's tests.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StructureTests {
    file: String,
}

impl Kind for StructureTests {
    const ABOUT: About = About {
        name: NAME,
        asks: "Every test of a container-structure-test file (2.0.0) holds; each becomes a goal with its own name.",
        parameters: &[must(
            "file",
            "path",
            "The file, beside `exercise.yaml`: command, file existence, file content, metadata and licence tests.",
        )],
        example: "structure_tests: tests.yaml",
    };

    fn from_text(text: &str) -> Option<Result<Self, String>> {
        Some(Ok(Self {
            file: text.to_owned(),
        }))
    }

    fn check(&self) -> Result<(), String> {
        let outside = self.file.starts_with('/') || self.file.split('/').any(|part| part == "..");
        if self.file.is_empty() || outside {
            return Err(format!("`{}` is not a file beside the exercise", self.file));
        }
        Ok(())
    }
}

impl Goal for StructureTests {
    fn kind(&self) -> &'static str {
        NAME
    }

    fn title(&self) -> String {
        format!("tests of {}", self.file)
    }

    fn wanted(&self) -> String {
        format!("every test of `{}` holds", self.file)
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn evaluate(&self, _evidence: &Evidence) -> Verdict {
        Verdict::unknown(&Missing::because(format!(
            "The tests of `{}` were not read.",
            self.file
        )))
    }

    fn imports(&self) -> Option<&str> {
        Some(&self.file)
    }
}

/// A regular expression as that tool reads it: `^` and `$` are the ends of the whole text.
fn regex(text: &str) -> Result<Regex, String> {
    regex::RegexBuilder::new(text)
        .size_limit(1 << 20)
        .build()
        .map_err(|error| format!("`{text}` is not a regular expression: {error}"))
}

/// The image's config.
fn config(evidence: &Evidence) -> Result<&Config, &Missing> {
    evidence.summary.as_ref().map(|summary| &summary.config)
}

/// A path with the variables of the image's environment put in.
fn path_in(config: &Config, path: &str) -> String {
    expand(path, &config.env)
}

#[cfg(test)]
mod tests;

//! YAML to plain structs, with errors that name file, line and column. The only file of the course
//! that knows the YAML library.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::CourseError;
use super::goals::GoalYaml;
use super::goals::HINT;
use super::suggest;

/// `lessons/course.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CourseYaml {
    pub(super) format: u32,
    pub(super) id: String,
    pub(super) title: String,
}

/// The front matter of a lesson.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LessonYaml {
    pub(super) title: String,
    pub(super) minutes: u32,
    #[serde(default)]
    pub(super) fast_track: bool,
    #[serde(default)]
    pub(super) exercises: Vec<String>,
    pub(super) goals_of_lesson: Vec<String>,
}

/// A `quiz` block of a lesson.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QuizYaml {
    pub(super) id: String,
    pub(super) question: String,
    pub(super) choices: Vec<ChoiceYaml>,
}

/// One choice of a quiz.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChoiceYaml {
    pub(super) text: String,
    #[serde(default)]
    pub(super) right: bool,
    pub(super) why: String,
}

/// `exercise.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExerciseYaml {
    pub(super) format: u32,
    pub(super) title: String,
    pub(super) minutes: u32,
    #[serde(default = "brief_file")]
    pub(super) brief: String,
    pub(super) edit: Vec<String>,
    pub(super) bases: Vec<String>,
    pub(super) baseline: Option<BaselineYaml>,
    pub(super) canary: Option<CanaryYaml>,
    pub(super) starter_misses: Vec<String>,
    pub(super) goals: Vec<GoalYaml>,
    #[serde(default)]
    pub(super) stretch: Vec<GoalYaml>,
    pub(super) hints: Vec<HintYaml>,
}

fn brief_file() -> String {
    "brief.md".to_owned()
}

/// What the starter weighs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BaselineYaml {
    #[serde(deserialize_with = "size")]
    pub(super) size: crate::units::Bytes,
    pub(super) measured: String,
}

/// Where a token is planted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CanaryYaml {
    pub(super) file: String,
}

/// One hint; its level is its place among the hints for the same goal.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HintYaml {
    #[serde(rename = "for")]
    pub(super) goal: String,
    pub(super) text: String,
}

fn size<'de, D: serde::Deserializer<'de>>(from: D) -> Result<crate::units::Bytes, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map_err(serde::de::Error::custom)
}

/// Reads `text`, which starts after `skipped` lines of `source`, the whole text of `file`.
pub(super) fn read<T: DeserializeOwned>(
    file: &str,
    source: &str,
    text: &str,
    skipped: usize,
) -> Result<T, CourseError> {
    serde_yaml::from_str(text).map_err(|error| explain(file, source, skipped, &error))
}

/// Says in our words what the library found.
fn explain(file: &str, source: &str, skipped: usize, error: &serde_yaml::Error) -> CourseError {
    let whole = error.to_string();
    let mut message = whole.as_str();
    let mut place = None;
    if let Some(location) = error.location() {
        let tail = format!(" at line {} column {}", location.line(), location.column());
        message = whole.strip_suffix(&tail).unwrap_or(&whole);
        place = Some((location.line() + skipped, location.column()));
    }
    let (message, hint) = match message.split_once(HINT) {
        Some((message, hint)) => (message, Some(hint.to_owned())),
        None => (
            message,
            guess(message).map(|name| format!("did you mean `{name}`?")),
        ),
    };
    let mut text = message.to_owned();
    if let Some((path, rest)) = message.split_once(": ")
        && is_path(path)
    {
        // The caret shows which goal it is.
        let plain = rest.starts_with("unknown goal kind");
        text = if plain {
            rest.to_owned()
        } else {
            format!("`{path}`: {rest}")
        };
    }
    let named = match place {
        Some((line, column)) => CourseError::at(file, source, line, column, text),
        None => CourseError::of_file(file, text),
    };
    match hint {
        Some(hint) => named.with_hint(hint),
        None => named,
    }
}

/// Whether this is the library's path to a value: `goals[1].max_size`.
fn is_path(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '[' | ']');
    !text.is_empty() && text.chars().all(allowed)
}

/// The nearest of the names that an error lists after `expected`.
fn guess(message: &str) -> Option<&str> {
    let at = message.find("unknown ")?;
    let mut names = message.get(at..)?.split('`').skip(1).step_by(2);
    let wrong = names.next()?;
    suggest::nearest(wrong, names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lesson(text: &str) -> Result<LessonYaml, CourseError> {
        let source = format!("---\n{text}---\n");
        read("lessons/01-a.md", &source, text, 1)
    }

    #[test]
    fn a_misspelt_field_is_named_with_its_place_and_a_guess() {
        let error = lesson("title: A\nminuts: 3\ngoals_of_lesson: []\n").unwrap_err();
        assert_eq!(error.place(), "lessons/01-a.md:3:1");
        assert_eq!(error.hint(), Some("did you mean `minutes`?"));
        assert!(error.to_string().contains(" 3 | minuts: 3\n"), "{error}");
    }

    #[test]
    fn a_value_of_the_wrong_type_is_named_by_its_path() {
        let error = lesson("title: A\nminutes: soon\ngoals_of_lesson: []\n").unwrap_err();
        assert!(
            error.message().starts_with("`minutes`: invalid type"),
            "{error}"
        );
        assert_eq!(error.place(), "lessons/01-a.md:3:10");
    }

    #[test]
    fn a_missing_field_is_named() {
        let error = lesson("title: A\n").unwrap_err();
        assert!(
            error.message().contains("missing field `minutes`"),
            "{error}"
        );
    }

    #[test]
    fn text_that_is_no_yaml_is_an_error_with_a_place() {
        let error = lesson("title: [\n").unwrap_err();
        assert!(error.place().starts_with("lessons/01-a.md:"), "{error}");
    }

    #[test]
    fn a_bomb_of_aliases_is_refused() {
        let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        let mut last = 'a';
        for next in 'b'..='i' {
            let refs = vec![format!("*{last}"); 10].join(",");
            bomb.push_str(&format!("{next}: &{next} [{refs}]\n"));
            last = next;
        }
        assert!(lesson(&bomb).is_err());
    }
}

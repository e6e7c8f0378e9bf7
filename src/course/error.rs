//! What is wrong with a course's files, for its author: cause, place, next step.

use std::fmt;

use crate::text::Clean;

/// Something in a course's files that cannot be used.
///
/// Shown as a message, the place with its line and a caret, and what to do about it; who prints it
/// puts `error: ` in front.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct CourseError {
    message: String,
    file: String,
    place: Option<Box<Place>>,
    hint: Option<String>,
}

/// A place in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    line: usize,
    column: usize,
    /// The line, or what of a long one is around the column.
    text: String,
    /// How much of it is before the caret.
    before: usize,
    width: usize,
}

/// The most characters that are shown of a line.
const WIDE: usize = 160;

/// The most characters of a message; it may hold what somebody wrote.
const LONG: usize = 2_000;

/// A message, without the middle of a very long one.
fn bounded(message: String) -> String {
    let count = message.chars().count();
    if count <= LONG {
        return message;
    }
    let (begin, end) = (LONG / 4 * 3, LONG / 4);
    message
        .chars()
        .take(begin)
        .chain(" … ".chars())
        .chain(message.chars().skip(count - end))
        .collect()
}

impl CourseError {
    /// An error about a whole file.
    #[must_use]
    pub fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self {
            message: bounded(message.into()),
            file: Clean::line(file).to_string(),
            place: None,
            hint: None,
        }
    }

    /// An error at a line and column, both from 1, of `source`, which is the file's whole text.
    #[must_use]
    pub fn at(file: &str, source: &str, line: usize, column: usize, message: String) -> Self {
        let text = source.lines().nth(line.saturating_sub(1)).unwrap_or("");
        let skipped = match text.chars().count() {
            all if all > WIDE => column.saturating_sub(1).saturating_sub(WIDE / 2),
            _ => 0,
        };
        let before = column.saturating_sub(1) - skipped;
        let shown: String = text.chars().skip(skipped).take(WIDE).collect();
        let rest: String = shown.chars().skip(before).collect();
        let end = |c: char| c.is_whitespace() || matches!(c, ':' | ',' | '}' | ']');
        let width = rest
            .split(end)
            .next()
            .map_or(0, |word| word.chars().count());
        Self {
            place: Some(Box::new(Place {
                line,
                column,
                text: Clean::line(&shown).to_string(),
                before,
                width: width.max(1),
            })),
            ..Self::of_file(file, message)
        }
    }

    /// The same error with a next step.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What is wrong, in one line.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// `exercises/first-build/exercise.yaml:14:5`, or the file alone.
    #[must_use]
    pub fn place(&self) -> String {
        match &self.place {
            Some(place) => format!("{}:{}:{}", self.file, place.line, place.column),
            None => self.file.clone(),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for CourseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  --> {}", self.message, self.place())?;
        if let Some(place) = &self.place {
            let number = place.line.to_string();
            let blank = " ".repeat(number.len());
            write!(f, "\n {blank} |\n {number} | {}", place.text)?;
            let before = " ".repeat(place.before);
            write!(f, "\n {blank} | {before}{}", "^".repeat(place.width))?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_shows_its_line_with_a_caret() {
        let source = "format: 1\ngoals:\n  - max_sze: 100 MB\n";
        let error = CourseError::at(
            "exercises/a/exercise.yaml",
            source,
            3,
            5,
            "unknown goal kind `max_sze`".to_owned(),
        )
        .with_hint("did you mean `max_size`?");
        assert_eq!(
            error.to_string(),
            "unknown goal kind `max_sze`\n  --> exercises/a/exercise.yaml:3:5\n   |\n 3 |   - max_sze: \
             100 MB\n   |     ^^^^^^^\n  hint: did you mean `max_size`?"
        );
    }

    #[test]
    fn of_a_long_line_only_what_is_around_its_place_is_shown() {
        let source = format!("{}bad: {}", "x ".repeat(50_000), "y".repeat(50_000));
        let error = CourseError::at("a.yaml", &source, 1, 100_001, "z".repeat(9_000));
        let text = error.to_string();
        assert!(text.chars().count() < 2_600, "{}", text.len());
        let caret = text.lines().last().unwrap().find('^').unwrap();
        let shown = text.lines().rev().nth(1).unwrap();
        let there = shown.get(caret..).unwrap();
        assert!(there.starts_with("bad: y"), "{text}");
        assert!(text.lines().last().unwrap().ends_with(" ^^^"), "{text}");
    }

    #[test]
    fn a_place_beyond_the_text_does_not_break_the_message() {
        let error = CourseError::at("a.yaml", "x", 9, 40, "odd".to_owned());
        assert!(error.to_string().starts_with("odd\n  --> a.yaml:9:40"));
    }
}

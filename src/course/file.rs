//! What a file of a course may be called and may hold: a course is untrusted input.

use super::CourseError;
use super::Files;

/// A file as text that is safe to show.
///
/// # Errors
/// When it is missing, no UTF-8, or holds control characters or bidirectional overrides.
pub fn text<'a>(files: &'a Files, path: &str) -> Result<&'a str, CourseError> {
    let content = files.get(path).ok_or_else(|| {
        let hint = "write it; the course that comes with `loadline` has one to compare with";
        CourseError::of_file(path, "this file is missing").with_hint(hint)
    })?;
    let text = std::str::from_utf8(content).map_err(|error| {
        CourseError::of_file(
            path,
            format!("byte {} is not UTF-8", error.valid_up_to() + 1),
        )
    })?;
    let unsafe_char = text.char_indices().find(|(_, c)| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    });
    match unsafe_char {
        None => Ok(text),
        Some((at, c)) => {
            let before = text.get(..at).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let column = before
                .rsplit('\n')
                .next()
                .map_or(0, |line| line.chars().count())
                + 1;
            let message = format!(
                "the character U+{:04X} has no place in a text",
                u32::from(c)
            );
            Err(
                CourseError::at(path, text, line, column, message).with_hint(match c {
                    '\r' => "save it with the line ends of Unix (LF)",
                    '\t' => "write blanks",
                    _ => "take it out; it may not be seen in an editor",
                }),
            )
        }
    }
}

/// Whether this can be an id: small letters, digits and single `-`.
#[must_use]
pub fn is_id(text: &str) -> bool {
    let word = |word: &str| {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        !word.is_empty() && word.chars().all(allowed)
    };
    text.len() <= 64 && text.split('-').all(word)
}

/// Whether this is a relative path of plain names that stays where it is.
#[must_use]
pub fn is_safe_path(path: &str) -> bool {
    let plain = |part: &str| {
        !matches!(part, "" | "." | "..") && !part.chars().any(|c| c.is_control() || c == '\\')
    };
    path.len() <= 255 && path.split('/').all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &[u8]) -> Result<String, CourseError> {
        let files = Files::from([("a.md".to_owned(), content.into())]);
        text(&files, "a.md").map(str::to_owned)
    }

    #[test]
    fn a_text_with_an_escape_or_an_override_is_refused_with_its_place() {
        assert_eq!(read("naïve\ntext".as_bytes()), Ok("naïve\ntext".to_owned()));
        let error = read(b"one\nab\x1b[31m").unwrap_err();
        assert_eq!(error.place(), "a.md:2:3");
        assert!(error.message().contains("U+001B"), "{error}");
        assert!(read("\u{202e}".as_bytes()).is_err());
        let windows = read(b"---\r\ntitle: a\r\n").unwrap_err();
        assert!(windows.hint().is_some_and(|hint| hint.contains("LF")));
        assert!(read(b"\xff").is_err());
        assert!(text(&Files::new(), "a.md").is_err());
    }

    #[test]
    fn a_path_stays_inside() {
        for good in ["Dockerfile", "src/app.py", ".dockerignore", "a b"] {
            assert!(is_safe_path(good), "{good}");
        }
        for bad in [
            "",
            "/etc/passwd",
            "../x",
            "a//b",
            "a/../b",
            "./a",
            "a\\b",
            "a\nb",
        ] {
            assert!(!is_safe_path(bad), "{bad:?}");
        }
    }

    #[test]
    fn an_id_is_words_and_hyphens() {
        assert!(is_id("first-build") && is_id("a1"));
        for bad in ["", "-a", "a-", "a--b", "A", "a/b", "ä"] {
            assert!(!is_id(bad), "{bad:?}");
        }
    }
}

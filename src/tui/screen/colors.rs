//! The roles of the parts of a Dockerfile, line by line.

use std::ops::Range;

use crate::dockerfile::Keyword;
use crate::tui::theme::Role;

/// Byte ranges of one line with their roles; the first that holds a byte counts.
pub(in crate::tui) type Colors = Vec<(Range<usize>, Role)>;

/// The roles in a Dockerfile, one list per line.
#[must_use]
pub(in crate::tui) fn colors(text: &str) -> Vec<Colors> {
    let mut continued = false;
    let mut heredoc: Option<String> = None;
    text.split('\n')
        .map(|line| {
            let trimmed = line.trim_start();
            let indent = line.len() - trimmed.len();
            if let Some(end) = &heredoc {
                if trimmed.trim_end() == end {
                    heredoc = None;
                }
                return words(line, 0, false);
            }
            if trimmed.starts_with('#') {
                return vec![(indent..line.len(), Role::Comment)];
            }
            let starts = !continued;
            continued = trimmed.trim_end().ends_with('\\');
            heredoc = heredoc_of(trimmed);
            words(line, indent, starts)
        })
        .collect()
}

fn heredoc_of(line: &str) -> Option<String> {
    let (_, after) = line.split_once("<<")?;
    let word: String = after
        .trim_start_matches(['-', '"', '\''])
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    (!word.is_empty()).then_some(word)
}

fn words(line: &str, from: usize, starts: bool) -> Colors {
    let mut colors = Vec::new();
    let mut first = starts;
    let mut at = from;
    let rest = line.get(from..).unwrap_or_default();
    for word in rest.split_inclusive(char::is_whitespace) {
        let start = at;
        at += word.len();
        let bare = word.trim_end();
        let range = start..start + bare.len();
        if bare.is_empty() {
            continue;
        }
        if std::mem::replace(&mut first, false) {
            if Keyword::parse(bare).is_some() {
                colors.push((range, Role::Keyword));
            }
        } else if starts && bare.eq_ignore_ascii_case("as") {
            colors.push((range, Role::Keyword));
        } else if bare.starts_with("--") {
            colors.push((range, Role::Flag));
        } else if matches!(bare, "&&" | "||" | "|" | ";" | "\\") {
            colors.push((range, Role::Number));
        }
    }
    inside(line, &mut colors);
    colors
}

/// Strings and variables, wherever they stand.
fn inside(line: &str, colors: &mut Colors) {
    let mut quote: Option<(usize, char)> = None;
    let mut variable: Option<usize> = None;
    for (at, c) in line.char_indices() {
        if let Some(start) = variable
            && !(c.is_alphanumeric() || matches!(c, '_' | '{'))
        {
            let end = if c == '}' { at + 1 } else { at };
            colors.insert(0, (start..end, Role::Variable));
            variable = None;
        }
        match (quote, c) {
            (None, '"' | '\'') => quote = Some((at, c)),
            (Some((start, open)), c) if c == open => {
                colors.push((start..at + 1, Role::StringLiteral));
                quote = None;
            }
            (_, '$') if variable.is_none() => variable = Some(at),
            _ => {}
        }
    }
    if let Some(start) = variable {
        colors.insert(0, (start..line.len(), Role::Variable));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(line: &str) -> Vec<(&str, Role)> {
        colors(line)
            .swap_remove(0)
            .into_iter()
            .map(|(range, role)| (line.get(range).expect("on characters"), role))
            .collect()
    }

    #[test]
    fn instructions_flags_strings_and_variables_have_their_roles() {
        assert_eq!(
            parts("COPY --from=build /a $HOME/b"),
            [
                ("$HOME", Role::Variable),
                ("COPY", Role::Keyword),
                ("--from=build", Role::Flag),
            ]
        );
        assert_eq!(
            parts("CMD [\"app.py\"]"),
            [("CMD", Role::Keyword), ("\"app.py\"", Role::StringLiteral)]
        );
        assert_eq!(parts("  # note"), [("# note", Role::Comment)]);
    }

    #[test]
    fn a_continued_line_and_a_heredoc_start_no_instruction() {
        let all = colors("RUN a \\\n  user add\nRUN <<EOF\nFROM here\nEOF\nUSER 1");
        let keywords: Vec<usize> = all
            .iter()
            .enumerate()
            .filter(|(_, line)| line.iter().any(|(_, role)| *role == Role::Keyword))
            .map(|(index, _)| index)
            .collect();
        assert_eq!(keywords, [0, 2, 5]);
    }
}

//! The roles of the parts of a Dockerfile, line by line: the parser's own parts, so that what is
//! coloured is what is built.

use std::ops::Range;

use crate::dockerfile;
use crate::dockerfile::Dockerfile;
use crate::dockerfile::highlight;
use crate::tui::theme::Role;

/// Byte ranges of one line with their roles, in order, none over another.
pub(in crate::tui) type Colors = Vec<(Range<usize>, Role)>;

/// The roles in a Dockerfile, one list per line.
#[must_use]
pub(in crate::tui) fn colors(text: &str) -> Vec<Colors> {
    of(&Dockerfile::parse(text))
}

/// The roles in a Dockerfile that was read, one list per line.
#[must_use]
pub(in crate::tui) fn of(file: &Dockerfile) -> Vec<Colors> {
    let lines: Vec<&str> = file.text.split('\n').collect();
    let mut colors: Vec<Colors> = vec![Vec::new(); lines.len()];
    let parts = highlight(file);
    let mut parts = parts.iter().peekable();
    let mut start = 0;
    for (line, colors) in lines.iter().zip(&mut colors) {
        let end = start + line.len();
        while let Some((span, part)) = parts.peek() {
            if span.start > end {
                break;
            }
            let from = span.start.max(start) - start;
            let to = span.end.min(end).saturating_sub(start);
            if from < to {
                colors.push((from..to, role(*part)));
            }
            // A part that goes on (a heredoc) has its colour on the next line, too.
            if span.end > end {
                break;
            }
            parts.next();
        }
        start = end + 1;
    }
    colors
}

const fn role(part: dockerfile::Role) -> Role {
    match part {
        dockerfile::Role::Keyword => Role::Keyword,
        dockerfile::Role::String => Role::StringLiteral,
        dockerfile::Role::Variable => Role::Variable,
        dockerfile::Role::Flag => Role::Flag,
        dockerfile::Role::Number => Role::Number,
        dockerfile::Role::Comment => Role::Comment,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
                ("COPY", Role::Keyword),
                ("--from=build", Role::Flag),
                ("$HOME", Role::Variable),
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
        let text = "FROM a\nRUN a \\\n  user add\nRUN <<EOF\nFROM here\nEOF\nUSER 1";
        let all = colors(text);
        let lines: Vec<&str> = text.split('\n').collect();
        let keyword = |index: usize| {
            let start = all[index].first().filter(|(range, _)| range.start == 0);
            start.is_some_and(|(_, role)| *role == Role::Keyword)
                && dockerfile::Keyword::parse(lines[index].split(' ').next().unwrap()).is_some()
        };
        let keywords: Vec<usize> = (0..lines.len()).filter(|index| keyword(*index)).collect();
        assert_eq!(keywords, [0, 1, 3, 6]);
    }

    #[test]
    fn a_part_over_several_lines_has_its_role_on_each() {
        let all = colors("FROM a\nCOPY <<EOF /x\none\ntwo\nEOF\n");
        for line in [2, 3] {
            assert_eq!(all[line], [(0..3, Role::StringLiteral)]);
        }
        assert_eq!(all.len(), 6, "one list per line, the last one empty");
    }

    proptest! {
        #[test]
        fn every_range_is_in_its_line_and_on_characters(text in "(FROM a|RUN|COPY|<<E|E|\"|'|\\$|é|#| |\\\\|\n|x){0,40}") {
            let all = colors(&text);
            let lines: Vec<&str> = text.split('\n').collect();
            prop_assert_eq!(all.len(), lines.len());
            for (line, colors) in lines.iter().zip(&all) {
                let mut end = 0;
                for (range, _) in colors {
                    prop_assert!(range.start >= end && line.get(range.clone()).is_some());
                    end = range.end;
                }
            }
        }
    }
}

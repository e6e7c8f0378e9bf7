//! Markdown to styled lines of a given width, with what a reader needs besides: the outline, the
//! links, the places of the questions and the code blocks.
//!
//! A question is drawn by the caller, because its look depends on what was answered.

mod table;
mod walk;
mod wrap;

use std::ops::Range;

use ratatui::text::Line;

use crate::tui::theme::Theme;

/// Lines of prose are never wider than this.
pub const MEASURE: u16 = 88;

/// A Markdown text, laid out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Doc {
    /// The lines.
    pub lines: Vec<Line<'static>>,
    /// The headings, in order.
    pub outline: Vec<Heading>,
    /// The links, in order.
    pub links: Vec<Link>,
    /// The lines of each question.
    pub quizzes: Vec<Range<usize>>,
    /// The code blocks, in order.
    pub code: Vec<Code>,
}

/// A heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// From 1.
    pub level: u8,
    /// Its words.
    pub text: String,
    /// The line it stands on.
    pub line: usize,
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its words.
    pub text: String,
    /// Where it leads.
    pub target: String,
    /// Where it stands: line, column, columns; several where it was wrapped.
    pub boxes: Vec<(usize, u16, u16)>,
}

/// A code block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// The lines it takes.
    pub lines: Range<usize>,
    /// Its text as written.
    pub text: String,
}

/// How to lay out.
pub struct Sheet<'a> {
    /// Columns to use; prose takes at most [`MEASURE`].
    pub columns: u16,
    /// Colours and glyphs.
    pub theme: Theme,
    /// Draws the question with this number into so many columns.
    pub quiz: &'a dyn Fn(usize, u16) -> Vec<Line<'static>>,
}

/// Lays out a text.
#[must_use]
pub fn layout(markdown: &str, sheet: &Sheet<'_>) -> Doc {
    walk::walk(markdown, sheet)
}

/// Lays out a text without questions.
#[must_use]
pub fn lines(markdown: &str, columns: u16, theme: Theme) -> Vec<Line<'static>> {
    let sheet = Sheet {
        columns,
        theme,
        quiz: &|_, _| Vec::new(),
    };
    layout(markdown, &sheet).lines
}

/// The text of a line without its styles.
#[must_use]
pub fn plain(line: &Line<'_>) -> String {
    line.spans
        .iter()
        .map(|span| span.content.as_ref())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::style::Modifier;
    use unicode_width::UnicodeWidthStr;

    use super::*;
    use crate::tui::theme::Palette;
    use crate::tui::theme::Role;

    fn shown(markdown: &str, columns: u16) -> String {
        let doc = lines(markdown, columns, Theme::default());
        let lines: Vec<String> = doc
            .iter()
            .map(|line| plain(line).trim_end().to_owned())
            .collect();
        lines.join("\n")
    }

    #[test]
    fn prose_wraps_at_words_and_keeps_punctuation_with_them() {
        assert_eq!(
            shown("A **bold** word, then `some code`. And more of it.", 20),
            "A bold word, then\nsome code. And more\nof it."
        );
        assert_eq!(shown("字字字字字字字字字字字。", 21).lines().count(), 2);
    }

    #[test]
    fn lists_nest_and_hang() {
        let text =
            "Before\n\n1. one that is long enough\n2. two\n   - [x] done\n   - [ ] open\n\nAfter";
        assert_eq!(
            shown(text, 20),
            "Before\n\n1. one that is long\n   enough\n2. two\n   [x] done\n   [ ] open\n\nAfter"
        );
    }

    #[test]
    fn an_alert_has_its_word_and_its_bar() {
        assert_eq!(
            shown("> [!WARNING]\n> Do not copy it.\n>\n> Really.\n\nAfter", 40),
            "▎ Pitfall  Do not copy it.\n▎\n▎ Really.\n\nAfter"
        );
    }

    #[test]
    fn a_table_wraps_inside_its_cells() {
        let text = "| base | what it holds |\n|---|--:|\n| `slim` | a small Debian with a shell |\n| x | y |";
        assert_eq!(
            shown(text, 30),
            "base             what it holds\n\
             ────  ────────────────────────\n\
             slim     a small Debian with a\n                         shell\n\n\
             x                            y"
        );
    }

    #[test]
    fn a_dockerfile_has_colours_and_long_lines_go_on_below() {
        let text = "```dockerfile\nFROM python:3.13-slim AS build\n```";
        let doc = layout(
            text,
            &Sheet {
                columns: 24,
                theme: Theme::default(),
                quiz: &|_, _| Vec::new(),
            },
        );
        let rows: Vec<String> = doc.lines.iter().map(plain).collect();
        assert_eq!(
            rows,
            ["  dockerfile", "  FROM python:3.13-slim ", "      AS build"]
        );
        let keyword = Theme::default().style(Role::Keyword);
        assert_eq!(doc.lines[1].spans[1].style, keyword);
        assert_eq!(doc.code[0].lines, 0..3);
        assert_eq!(doc.code[0].text, "FROM python:3.13-slim AS build\n");
    }

    #[test]
    fn headings_links_and_questions_tell_where_they_are() {
        let text =
            "# One\n\nSee [the other lesson](13-ship-it#x).\n\n```quiz\nid: a\n```\n\n## Two\n";
        let doc = layout(
            text,
            &Sheet {
                columns: 16,
                theme: Theme::default(),
                quiz: &|index, _| vec![Line::raw(format!("question {index}")); 2],
            },
        );
        let outline: Vec<(u8, &str, usize)> = doc
            .outline
            .iter()
            .map(|heading| (heading.level, heading.text.as_str(), heading.line))
            .collect();
        assert_eq!(outline, [(1, "One", 0), (2, "Two", 8)]);
        assert_eq!(doc.quizzes.first(), Some(&(5..7)));
        assert_eq!(doc.links[0].target, "13-ship-it#x");
        assert_eq!(doc.links[0].text, "the other lesson");
        assert_eq!(doc.links[0].boxes, [(2, 4, 9), (3, 0, 6)]);
    }

    #[test]
    fn without_colours_code_keeps_its_marks() {
        let mono = Theme::new(Palette::Mono, false);
        assert_eq!(plain(&lines("run `ls`", 40, mono)[0]), "run `ls`");
        let strong = lines("**x**", 40, mono)[0].spans[0].style;
        assert!(strong.add_modifier.contains(Modifier::BOLD));
    }

    #[test]
    fn a_long_name_in_a_table_is_not_broken_where_the_prose_beside_it_can_be() {
        let text = "|base|size|what you get|\n|---|---|---|\n\
            |`gcr.io/distroless/python3-debian13`|59.7 MB|Python and the libraries it loads|\n";
        let rows = |columns| -> Vec<String> {
            let lines = lines(text, columns, Theme::default());
            lines.iter().map(plain).collect()
        };
        let name = "gcr.io/distroless/python3-debian13";
        assert!(rows(60).iter().any(|row| row.contains(name)));
        // Where there is no room for it at all, it goes on in the next line.
        assert!(!rows(30).iter().any(|row| row.contains(name)));
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_layout_and_prose_fits(
            text in r"[a-c字é *_`#>|\-\[\]()!0-9.\n]{0,200}",
            columns in 4u16..120,
        ) {
            let prose = text.replace(['`', '|', '>', '-', '*', '.', '_'], " ");
            for line in lines(&prose, columns, Theme::default()) {
                prop_assert!(plain(&line).trim_end().width() <= usize::from(columns.max(20)));
            }
            let _ = lines(&text, columns, Theme::default());
        }
    }
}

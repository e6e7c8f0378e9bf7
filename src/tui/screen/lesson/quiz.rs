//! A question in a lesson. It never blocks: reading on is always possible.

use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::text::Span;

use crate::course::Choice;
use crate::course::Quiz;
use crate::course::quiz::TRIES;
use crate::tui::markdown;
use crate::tui::model::reading::Answer;
use crate::tui::paint::width;
use crate::tui::screen::page;
use crate::tui::theme::Role;
use crate::tui::theme::Theme;

/// Columns before a choice: the focus, its mark and its box.
const INDENT: u16 = 7;

/// The question as it stands; `row` is the chosen row where the question has the keys.
pub(super) fn lines(
    quiz: &Quiz,
    answer: &Answer,
    row: Option<usize>,
    columns: u16,
    theme: Theme,
) -> Vec<Line<'static>> {
    let tries = match (answer.is_over(), answer.tries) {
        (true, _) => String::new(),
        (false, 0) => format!("{TRIES} tries"),
        (false, tries) => format!("{} of {TRIES} tries left", TRIES - tries),
    };
    let mut lines = Vec::new();
    let room = columns.saturating_sub(20).max(20);
    for (index, text) in markdown::lines(&quiz.question, room, theme)
        .into_iter()
        .enumerate()
    {
        let mark = if index == 0 { "? " } else { "  " };
        let mut line = with_edge(Span::styled(mark, theme.style(Role::Key)), text);
        line = line.patch_style(Style::new().bold());
        if index == 0 {
            page::at_right(theme, &mut line, columns, &[(Role::Muted, &tries)]);
        }
        lines.push(line);
    }
    lines.push(Line::default());
    for (index, choice) in quiz.choices.iter().enumerate() {
        let here = row == Some(index);
        lines.extend(choice_lines(
            quiz, answer, index, choice, here, columns, theme,
        ));
    }
    lines.push(Line::default());
    lines.extend(verdict(quiz, answer, row.is_some(), columns, theme));
    lines
}

fn with_edge(edge: Span<'static>, line: Line<'static>) -> Line<'static> {
    let mut spans = vec![edge];
    spans.extend(line.spans);
    Line::from(spans)
}

fn choice_lines(
    quiz: &Quiz,
    answer: &Answer,
    index: usize,
    choice: &Choice,
    here: bool,
    columns: u16,
    theme: Theme,
) -> Vec<Line<'static>> {
    let glyphs = theme.glyphs;
    let ticked = answer.ticked.contains(&index);
    let (open, close, tick) = if quiz.several() {
        ("[", "]", "x")
    } else {
        ("(", ")", glyphs.bullet)
    };
    let tick = if ticked { tick } else { " " };
    let judged = answer.is_over() || (answer.tried.contains(&index) && !choice.right);
    let (mark, role) = match (answer.is_over(), judged, choice.right) {
        (true, _, true) => (glyphs.pass, Role::Pass),
        (_, true, false) if answer.tried.contains(&index) => (glyphs.fail, Role::Fail),
        // Who left a wrong one alone did nothing wrong.
        (_, true, false) => (glyphs.dot, Role::Muted),
        _ => (" ", Role::Text),
    };
    let focus = if here { glyphs.focus } else { " " };
    let mut lines = Vec::new();
    for (at, text) in markdown::lines(&choice.text, columns.saturating_sub(INDENT), theme)
        .into_iter()
        .enumerate()
    {
        let line = if at == 0 {
            let mut spans = vec![
                Span::styled(focus, theme.style(Role::Key)),
                Span::styled(mark, theme.style(role)),
                Span::styled(
                    format!(" {open}{tick}{close} "),
                    theme.style(if here { Role::Key } else { Role::Muted }),
                ),
            ];
            spans.extend(text.spans);
            Line::from(spans)
        } else {
            with_edge(Span::raw(" ".repeat(INDENT.into())), text)
        };
        lines.push(if here {
            line.patch_style(Style::new().bold())
        } else {
            line
        });
    }
    // What was tried is explained at once, the rest when there is nothing left to try.
    if judged {
        let bar = format!("{}{} ", " ".repeat(INDENT.into()), glyphs.quote);
        let style = theme.style(if choice.right { Role::Pass } else { Role::Rule });
        for text in markdown::lines(&choice.why, columns.saturating_sub(width(&bar)), theme) {
            lines.push(with_edge(Span::styled(bar.clone(), style), text));
        }
        lines.push(Line::default());
    }
    lines
}

/// How it went, and which keys answer: in a line of their own where both do not fit in one.
fn verdict(
    quiz: &Quiz,
    answer: &Answer,
    asked: bool,
    columns: u16,
    theme: Theme,
) -> Vec<Line<'static>> {
    let several = quiz.several();
    if answer.right {
        return vec![page::line(theme, &[(Role::Pass, "  Right.")])];
    }
    if answer.is_over() {
        let words = "  The marked ones are right.";
        return vec![page::line(theme, &[(Role::Text, words)])];
    }
    let mut lines = Vec::new();
    if answer.tries > 0 {
        let words = if several && answer.tried.iter().all(|index| is_right(quiz, *index)) {
            "  Right so far, and not all."
        } else {
            "  Not quite."
        };
        lines.push(page::line(theme, &[(Role::Warn, words)]));
    }
    let mut pieces = vec![(Role::Muted, "  ")];
    if !asked {
        pieces.extend([(Role::Key, "Enter"), (Role::Muted, " answer")]);
    } else if several {
        pieces.extend([
            (Role::Key, "Space"),
            (Role::Muted, " tick   "),
            (Role::Key, "Enter"),
            (Role::Muted, " answer   "),
            (Role::Key, "Esc"),
            (Role::Muted, " read on"),
        ]);
    } else {
        pieces.extend([
            (Role::Key, "Enter"),
            (Role::Muted, " answer   "),
            (Role::Key, "Esc"),
            (Role::Muted, " read on"),
        ]);
    }
    let keys = page::line(theme, &pieces);
    match lines.last_mut() {
        Some(said) if said.width() + keys.width() <= columns.into() => {
            said.spans.extend(keys.spans);
        }
        _ => lines.push(keys),
    }
    lines
}

fn is_right(quiz: &Quiz, index: usize) -> bool {
    quiz.choices.get(index).is_some_and(|choice| choice.right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::model::SMALLEST;

    fn choice(longest: usize, right: bool) -> Choice {
        let words: Vec<String> = (1..=longest).map(|letters| "m".repeat(letters)).collect();
        Choice {
            text: words.join(" "),
            right,
            why: words.join(" "),
        }
    }

    #[test]
    fn no_line_of_a_question_is_wider_than_its_place() {
        let several = Quiz {
            id: "a".to_owned(),
            question: "mmm mm mmmm m ".repeat(9),
            choices: [(9, true), (8, true), (7, false)]
                .map(|(longest, right)| choice(longest, right))
                .into(),
        };
        let after = |tries, tried: &[usize]| Answer {
            tried: tried.iter().copied().collect(),
            tries,
            ..Answer::default()
        };
        for answer in [
            after(0, &[]),
            after(1, &[0]),
            after(1, &[2]),
            after(2, &[2]),
        ] {
            for columns in SMALLEST.width - 4..=88 {
                let theme = Theme::default();
                let wide: Vec<String> = lines(&several, &answer, Some(0), columns, theme)
                    .iter()
                    .filter(|line| line.width() > columns.into())
                    .map(markdown::plain)
                    .collect();
                assert!(wide.is_empty(), "{columns}: {wide:#?}");
            }
        }
    }
}

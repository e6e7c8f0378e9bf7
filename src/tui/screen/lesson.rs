//! Lesson: a text to read, its outline beside it, its questions in it.

mod quiz;

use std::cell::RefCell;
use std::rc::Rc;

use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::Line;

use crate::course::directive;
use crate::course::directive::Directive;
use crate::tui::markdown;
use crate::tui::markdown::Doc;
use crate::tui::markdown::MEASURE;
use crate::tui::markdown::Sheet;
use crate::tui::model::Model;
use crate::tui::model::reading::Answer;
use crate::tui::model::reading::Reading;
use crate::tui::paint::Painter;
use crate::tui::paint::cut;
use crate::tui::paint::width;
use crate::tui::screen::Extent;
use crate::tui::screen::body;
use crate::tui::theme::Role;
use crate::tui::theme::Theme;
use crate::workshop;

/// Columns of the outline beside the text.
const OUTLINE: u16 = 30;

/// Where the parts of the screen are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// The outline; no columns where it is not shown.
    pub outline: Rect,
    /// The text; no columns where the outline takes its place.
    pub text: Rect,
}

/// Where everything is.
#[must_use]
pub fn layout(model: &Model, area: Rect) -> Layout {
    let body = body(area);
    if model.is_wide() {
        let x = body.x + OUTLINE + 3;
        return Layout {
            outline: Rect {
                x: body.x + 2,
                width: OUTLINE - 2,
                ..body
            },
            text: Rect {
                x,
                width: body.right().saturating_sub(x + 2).min(MEASURE),
                ..body
            },
        };
    }
    let whole = Rect {
        x: body.x + 2,
        width: body.width.saturating_sub(4),
        ..body
    };
    Layout {
        outline: whole,
        text: whole,
    }
}

/// What a text is laid out from; equal keys give equal texts.
#[derive(PartialEq)]
struct Key {
    text: String,
    columns: u16,
    theme: Theme,
    asked: Option<(usize, usize)>,
    answers: Vec<Answer>,
}

thread_local! {
    /// The last text laid out: one frame asks for it several times.
    static LAST: RefCell<Option<(Key, Rc<Doc>)>> = const { RefCell::new(None) };
}

/// The text of the open lesson as it is laid out now.
#[must_use]
pub fn doc(model: &Model) -> Rc<Doc> {
    let Some(lesson) = model.lesson() else {
        return Rc::default();
    };
    let reading = model.reading.get(&lesson.slug);
    let answer = |id: &str| reading.and_then(|reading| reading.answers.get(id));
    let key = Key {
        text: directive::expand(&lesson.markdown, |figure| look_up(model, figure)),
        columns: layout(model, model.area()).text.width,
        theme: model.theme,
        asked: reading.and_then(|reading| reading.asked),
        answers: lesson
            .quizzes
            .iter()
            .map(|quiz| answer(&quiz.id).cloned().unwrap_or_default())
            .collect(),
    };
    LAST.with_borrow_mut(|last| match last {
        Some((known, doc)) if *known == key => Rc::clone(doc),
        _ => {
            let draw = |index: usize, columns: u16| {
                let (Some(quiz), Some(answer)) =
                    (lesson.quizzes.get(index), key.answers.get(index))
                else {
                    return Vec::new();
                };
                let row = key.asked.filter(|(asked, _)| *asked == index);
                quiz::lines(quiz, answer, row.map(|(_, row)| row), columns, key.theme)
            };
            let sheet = Sheet {
                columns: key.columns,
                theme: key.theme,
                quiz: &draw,
            };
            let doc = Rc::new(markdown::layout(&key.text, &sheet));
            *last = Some((key, Rc::clone(&doc)));
            doc
        }
    })
}

/// A figure that is known here.
pub(super) fn look_up(model: &Model, figure: &Directive) -> Option<String> {
    let bytes = workshop::figure(figure, model.progress.as_ref(), &model.bases)?;
    Some(bytes.to_string())
}

fn reading(model: &Model) -> Option<&Reading> {
    model.reading.get(&model.lesson()?.slug)
}

/// Draws the lesson.
pub(super) fn view(model: &Model, painter: &mut Painter<'_>, area: Rect) {
    let layout = layout(model, area);
    let doc = doc(model);
    let reading = reading(model).cloned().unwrap_or_default();
    let wide = model.is_wide();
    if wide || reading.outline {
        outline(painter, layout.outline, &doc, &reading);
    }
    if wide {
        let x = layout.text.x.saturating_sub(2);
        painter.column(x, layout.text.y, layout.text.height);
    }
    if !wide && reading.outline {
        return;
    }
    let found = found(&doc, &reading);
    let lines: Vec<Line<'_>> = doc
        .lines
        .iter()
        .enumerate()
        .skip(reading.top)
        .take(layout.text.height.into())
        .map(|(index, line)| {
            if found.contains(&index) {
                line.clone().patch_style(Modifier::UNDERLINED)
            } else {
                line.clone()
            }
        })
        .collect();
    for (line, y) in lines.iter().zip(layout.text.y..layout.text.bottom()) {
        painter
            .buf
            .set_line(layout.text.x, y, line, layout.text.width);
    }
}

fn outline(painter: &mut Painter<'_>, area: Rect, doc: &Doc, reading: &Reading) {
    let here = doc
        .outline
        .iter()
        .rposition(|heading| heading.line <= reading.top + 1)
        .unwrap_or(0);
    let first = here.saturating_sub(usize::from(area.height).saturating_sub(3));
    let rows = doc.outline.iter().enumerate().skip(first);
    for ((index, heading), y) in rows.zip(area.y..area.bottom()) {
        let role = match index.cmp(&here) {
            std::cmp::Ordering::Less => Role::Muted,
            std::cmp::Ordering::Equal => Role::Strong,
            std::cmp::Ordering::Greater => Role::Text,
        };
        if index == here {
            let mark = painter.theme.glyphs.focus;
            let role = if reading.outline {
                Role::Key
            } else {
                Role::Muted
            };
            painter.text(area.x, y, 1, role, mark);
        }
        let indent = u16::from(heading.level.saturating_sub(2)) * 2;
        let x = area.x + 2 + indent;
        let columns = area.right().saturating_sub(x);
        painter.text(x, y, columns, role, &heading.text);
    }
}

/// The lines with the searched words.
fn found(doc: &Doc, reading: &Reading) -> Vec<usize> {
    let wanted = reading.search.to_lowercase();
    if wanted.is_empty() {
        return Vec::new();
    }
    (0..doc.lines.len())
        .filter(|index| {
            let line = doc.lines.get(*index).map(markdown::plain);
            let next = doc.lines.get(index + 1).map(markdown::plain);
            let line = line.unwrap_or_default().to_lowercase();
            // Words that a line break parts are found on the first of the two lines.
            let both = format!("{} {}", line.trim(), next.unwrap_or_default().trim());
            line.contains(&wanted)
                || both
                    .to_lowercase()
                    .find(&wanted)
                    .is_some_and(|at| at < line.trim().len() && wanted.contains(' '))
        })
        .collect()
}

/// How long the text is, and how much of it is in sight.
#[must_use]
pub fn extent(model: &Model) -> Extent {
    Extent {
        total: doc(model).lines.len(),
        height: layout(model, model.area()).text.height.into(),
    }
}

/// The lines on which the headings stand.
#[must_use]
pub fn headings(model: &Model) -> Vec<usize> {
    let doc = doc(model);
    doc.outline.iter().map(|heading| heading.line).collect()
}

/// The next line with the searched words, around the end where there is none before it.
#[must_use]
pub fn find(model: &Model, backward: bool) -> Option<usize> {
    let reading = reading(model)?;
    let found = found(&doc(model), reading);
    let next = if backward {
        found.iter().rev().find(|line| **line < reading.top)
    } else {
        found.iter().find(|line| **line > reading.top)
    };
    let around = if backward {
        found.last()
    } else {
        found.first()
    };
    next.or(around).copied()
}

/// Whether the outline has the keys.
#[must_use]
pub fn in_outline(model: &Model) -> bool {
    reading(model).is_some_and(|reading| reading.outline)
}

/// The question that has the keys, or the first open one in sight.
#[must_use]
pub fn question_in_sight(model: &Model) -> Option<usize> {
    let (lesson, reading) = (model.lesson()?, reading(model)?);
    let is_open = |index: usize| {
        lesson
            .quizzes
            .get(index)
            .is_some_and(|quiz| !reading.answers.get(&quiz.id).is_some_and(Answer::is_over))
    };
    if let Some((asked, _)) = reading.asked {
        return is_open(asked).then_some(asked);
    }
    let extent = extent(model);
    let sight = reading.top..reading.top + extent.height;
    doc(model)
        .quizzes
        .iter()
        .enumerate()
        .find(|(index, lines)| {
            let overlaps = lines.start < sight.end && sight.start < lines.end;
            overlaps && is_open(*index)
        })
        .map(|(index, _)| index)
}

/// The code block in sight, as it was written.
#[must_use]
pub fn code_in_sight(model: &Model) -> Option<String> {
    let reading = reading(model)?;
    let extent = extent(model);
    let sight = reading.top..reading.top + extent.height;
    doc(model)
        .code
        .iter()
        .find(|code| sight.contains(&code.lines.start))
        .map(|code| code.text.clone())
}

/// Draws the links of the lesson over it.
pub(super) fn links(model: &Model, painter: &mut Painter<'_>, area: Rect, selected: usize) {
    let doc = doc(model);
    let rows = u16::try_from(doc.links.len()).unwrap_or(u16::MAX);
    let columns = 76.min(area.width.saturating_sub(4));
    let height = rows.saturating_add(2).min(area.height.saturating_sub(4));
    let place = Rect::new(
        area.x + (area.width - columns) / 2,
        area.y + 2,
        columns,
        height,
    );
    painter.clear(place);
    painter.frame(place, "Links");
    let inner = usize::from(height.saturating_sub(2)).max(1);
    let first = (selected + 1).saturating_sub(inner);
    let shown = doc.links.iter().enumerate().skip(first);
    for ((index, link), y) in shown.zip(place.y + 1..place.bottom().saturating_sub(1)) {
        let (x, room) = (place.x + 2, columns.saturating_sub(4));
        let target = cut(&link.target, room / 2, painter.theme.glyphs.ellipsis);
        let left = room.saturating_sub(width(&target) + 2);
        painter.text(x, y, left, Role::Text, &link.text);
        painter.right(x + room, y, room, Role::Muted, &target);
        if index == selected {
            painter.highlight(Rect::new(x, y, room, 1), Role::Select);
        }
    }
}

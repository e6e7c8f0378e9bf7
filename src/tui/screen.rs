//! Screens: pure functions from the model to cells. Each answers one question.

pub mod brief;
mod colors;
pub mod cves;
mod diff;
pub mod doctor;
mod footer;
mod header;
pub mod hints;
pub mod home;
pub mod layers;
pub mod lesson;
mod load;
mod look;
mod over;
mod page;
pub mod result;
mod sheet;
#[cfg(test)]
mod tests;
pub mod work;

pub(in crate::tui) use colors::colors;
pub use load::load_line;
pub use load::load_row;
use ratatui::Frame;
use ratatui::layout::Rect;
pub(in crate::tui) use sheet::Beside;
pub(in crate::tui) use sheet::sheet;
pub(in crate::tui) use sheet::sheet_beside;

use crate::tui::model::Model;
use crate::tui::model::SMALLEST;
use crate::tui::model::Screen;
use crate::tui::paint::Painter;
use crate::tui::paint::wrap;
use crate::tui::theme::Role;

/// Draws everything.
pub fn view(model: &Model, frame: &mut Frame<'_>) {
    let area = frame.area().intersection(model.area());
    let mut painter = Painter {
        buf: frame.buffer_mut(),
        theme: model.theme,
    };
    if area.width < SMALLEST.width || area.height < SMALLEST.height {
        too_small(&mut painter, area);
        return;
    }
    header::view(model, &mut painter, area);
    let body = body(area);
    let cursor = match model.screen {
        Screen::Home => {
            home::view(model, &mut painter, body);
            None
        }
        Screen::Work => work::view(model, &mut painter, area),
        Screen::Lesson => {
            lesson::view(model, &mut painter, area);
            None
        }
        Screen::Brief => {
            brief::view(model, &mut painter, area);
            None
        }
        Screen::Result => {
            result::view(model, &mut painter, area);
            None
        }
        Screen::Layers => {
            layers::view(model, &mut painter, area);
            None
        }
        Screen::Cves => {
            cves::view(model, &mut painter, area);
            None
        }
        Screen::Hints => {
            hints::view(model, &mut painter, area);
            None
        }
        Screen::Doctor => {
            doctor::view(model, &mut painter, area);
            None
        }
    };
    footer::view(model, &mut painter, area);
    let over = over::view(model, &mut painter, area);
    painter.spell_out();
    if let Some(cursor) = over.or(cursor.filter(|_| model.overlay.is_none())) {
        frame.set_cursor_position(cursor);
    }
}

/// What lies between header and footer.
#[must_use]
pub fn body(area: Rect) -> Rect {
    // One empty row under the header where there is room for calm.
    let gap = u16::from(area.height >= 24);
    Rect::new(
        area.x,
        area.y + 1 + gap,
        area.width,
        area.height.saturating_sub(2 + gap),
    )
}

fn too_small(painter: &mut Painter<'_>, area: Rect) {
    let told = format!("loadline needs {}x{}", SMALLEST.width, SMALLEST.height);
    for (row, line) in wrap(&told, area.width).iter().enumerate() {
        let y = area.y + u16::try_from(row).unwrap_or(u16::MAX);
        if y < area.bottom() {
            painter.text(area.x, y, area.width, Role::Text, line);
        }
    }
}

/// How long the text of a screen is, and how much of it is in sight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Lines in all.
    pub total: usize,
    /// Lines in sight.
    pub height: usize,
}

impl Extent {
    fn percent(self, model: &Model) -> usize {
        let top = model
            .lesson()
            .and_then(|lesson| model.reading.get(&lesson.slug))
            .map_or(0, |reading| reading.top);
        let last = self.total.saturating_sub(self.height);
        (top.min(last) * 100).checked_div(last).unwrap_or(100)
    }
}

/// The extent of a screen that is one long text.
#[must_use]
pub fn extent(model: &Model) -> Option<Extent> {
    match model.screen {
        Screen::Lesson => Some(lesson::extent(model)),
        Screen::Brief => Some(brief::extent(model)),
        Screen::Result => Some(result::extent(model)),
        Screen::Hints => Some(hints::extent(model)),
        Screen::Home | Screen::Work | Screen::Layers | Screen::Cves | Screen::Doctor => None,
    }
}

/// The first paragraph of a Markdown text, without its marks.
#[must_use]
pub fn plain_start(markdown: &str) -> String {
    use pulldown_cmark::Event;
    use pulldown_cmark::Parser;
    use pulldown_cmark::Tag;
    use pulldown_cmark::TagEnd;
    let mut text = String::new();
    let mut inside = false;
    for event in Parser::new(markdown) {
        match event {
            Event::Start(Tag::Paragraph) => inside = true,
            Event::End(TagEnd::Paragraph) => break,
            Event::Text(part) | Event::Code(part) if inside => text.push_str(&part),
            Event::SoftBreak | Event::HardBreak if inside => text.push(' '),
            _ => {}
        }
    }
    text
}

/// The size that an exercise asks for, where it asks for one.
#[must_use]
pub fn goal_bytes(exercise: &crate::course::Exercise) -> Option<crate::units::Bytes> {
    let mut goals = exercise.goals.iter();
    goals.find_map(|entry| entry.goal.limit())
}

/// A row of the hints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HintRow {
    /// The goal that it helps with.
    pub goal: String,
    /// Its level, from 1.
    pub level: u8,
    /// Whether it may be read.
    pub state: HintState,
}

/// Whether a hint may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HintState {
    /// It was opened.
    Opened,
    /// It is the next one.
    Closed,
    /// The one before it was not opened.
    Locked,
}

/// The goal that the hints are about: the one that is open in the result, or the first that is not
/// met and has hints, or the first with hints.
#[must_use]
pub fn hinted_goal(model: &Model) -> Option<String> {
    let exercise = model.exercise()?;
    let has_hints = |goal: &str| exercise.hints.iter().any(|hint| hint.goal == goal);
    let report = model.bench().and_then(|bench| bench.report.as_ref());
    let goals = report
        .map(|report| report.goals.as_slice())
        .unwrap_or_default();
    let chosen = model.bench().and_then(|bench| bench.hints.goal.clone());
    if let Some(chosen) = chosen.filter(|goal| has_hints(goal)) {
        return Some(chosen);
    }
    let open = model.bench().and_then(|bench| bench.result.open);
    let open = open.and_then(|open| goals.get(open));
    let unmet = goals
        .iter()
        .filter(|goal| goal.verdict != crate::report::VerdictName::Met);
    open.into_iter()
        .chain(unmet)
        .map(|goal| goal.id.as_str())
        .find(|goal| has_hints(goal))
        .or_else(|| exercise.hints.first().map(|hint| hint.goal.as_str()))
        .map(str::to_owned)
}

/// The hints for the goal at hand, in order.
#[must_use]
pub fn hint_rows(model: &Model) -> Vec<HintRow> {
    let (Some(exercise), Some(goal)) = (model.exercise(), hinted_goal(model)) else {
        return Vec::new();
    };
    let opened = |level: u8| {
        model
            .record(&exercise.id)
            .is_some_and(|record| record.hints.contains(&(goal.clone(), level)))
    };
    let mut levels: Vec<u8> = exercise
        .hints
        .iter()
        .filter(|hint| hint.goal == goal)
        .map(|hint| hint.level)
        .collect();
    levels.sort_unstable();
    let mut before = true;
    levels
        .into_iter()
        .map(|level| {
            let state = match (opened(level), before) {
                (true, _) => HintState::Opened,
                (false, true) => HintState::Closed,
                (false, false) => HintState::Locked,
            };
            before = state == HintState::Opened;
            HintRow {
                goal: goal.clone(),
                level,
                state,
            }
        })
        .collect()
}

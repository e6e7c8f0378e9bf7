//! Screens: pure functions from the model to cells. Each answers one question.

pub mod brief;
mod colors;
mod diff;
pub mod doctor;
pub mod hints;
pub mod home;
pub mod lesson;
mod load;
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
pub(in crate::tui) use sheet::sheet;

use crate::tui::action::ActionId;
use crate::tui::action::action;
use crate::tui::action::footer;
use crate::tui::model::Model;
use crate::tui::model::Screen;
use crate::tui::paint::Painter;
use crate::tui::paint::width;
use crate::tui::theme::Role;
use crate::workshop::EngineState;

/// Draws everything.
pub fn view(model: &Model, frame: &mut Frame<'_>) {
    let area = frame.area().intersection(model.area());
    let mut painter = Painter {
        buf: frame.buffer_mut(),
        theme: model.theme,
    };
    if area.width < 60 || area.height < 18 {
        too_small(&mut painter, area);
        return;
    }
    header(model, &mut painter, area);
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
        Screen::Hints => {
            hints::view(model, &mut painter, area);
            None
        }
        Screen::Doctor => {
            doctor::view(model, &mut painter, area);
            None
        }
    };
    foot(model, &mut painter, area);
    let over = over::view(model, &mut painter, area);
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
    for (row, line) in crate::tui::paint::wrap("loadline needs 60x18", area.width)
        .iter()
        .enumerate()
    {
        let y = area.y + u16::try_from(row).unwrap_or(u16::MAX);
        if y < area.bottom() {
            painter.text(area.x, y, area.width, Role::Text, line);
        }
    }
}

fn header(model: &Model, painter: &mut Painter<'_>, area: Rect) {
    let y = area.y;
    let end = area.right().saturating_sub(2);
    let wide = model.is_wide();
    let mut x = area.x + 2;
    if wide || matches!(model.screen, Screen::Home | Screen::Doctor) {
        let logo = if painter.theme.is_ascii() {
            "-+-"
        } else {
            "━┷━"
        };
        x = painter.line(
            x,
            y,
            end - x,
            &[(Role::Running, logo), (Role::Strong, " loadline")],
        ) + 3;
    }
    let right = status_at_right(model);
    let room = end.saturating_sub(x);
    let right_room = if right.is_empty() {
        0
    } else {
        width(&right) + 3
    };
    x = match model.screen {
        Screen::Home => painter.text(
            x,
            y,
            room.saturating_sub(right_room),
            Role::Text,
            &model.course.title,
        ),
        Screen::Doctor => painter.text(x, y, room, Role::Text, "Doctor"),
        Screen::Lesson => {
            let lesson = model.lesson();
            let number = lesson.map_or(0, |lesson| lesson.number);
            let title = lesson.map_or("", |lesson| lesson.title.as_str());
            let inside = painter.theme.glyphs.inside;
            painter.line(
                x,
                y,
                room.saturating_sub(right_room),
                &[
                    (Role::Muted, &format!("{number} {inside} ")),
                    (Role::Text, title),
                ],
            )
        }
        Screen::Brief | Screen::Work | Screen::Result | Screen::Hints => {
            let title = model.exercise().map_or("", |exercise| &exercise.title);
            let tabs = tabs_width(model);
            let x = painter.text(x, y, room.saturating_sub(tabs + 3), Role::Text, title);
            tabs_at(model, painter, x + 3, y)
        }
    };
    if end.saturating_sub(x) >= right_room {
        painter.right(end, y, end.saturating_sub(x + 2), Role::Muted, &right);
    }
}

fn tabs_width(model: &Model) -> u16 {
    let gap = if model.is_wide() { 2 } else { 1 };
    Screen::VIEWS
        .iter()
        .map(|(_, screen)| width(screen.name()) + 2 + gap)
        .sum::<u16>()
        + 2
}

fn tabs_at(model: &Model, painter: &mut Painter<'_>, mut x: u16, y: u16) -> u16 {
    let gap = if model.is_wide() { 2 } else { 1 };
    let news = model.bench().is_some_and(|bench| bench.news);
    for (digit, screen) in Screen::VIEWS {
        let here = screen == model.screen;
        let digit = digit.to_string();
        x = painter.text(x, y, 1, if here { Role::Key } else { Role::Muted }, &digit) + 1;
        let mut style = painter
            .theme
            .style(if here { Role::Strong } else { Role::Muted });
        if here {
            style = style.underlined();
        }
        x = painter.styled(x, y, 12, style, screen.name());
        if news && screen == Screen::Result && !here {
            x = painter.text(x, y, 1, Role::Warn, painter.theme.glyphs.disc);
        }
        x += gap;
    }
    x
}

/// What the right end of the header says.
fn status_at_right(model: &Model) -> String {
    match model.screen {
        Screen::Home => engine_line(model),
        Screen::Doctor => "all checks read-only".to_owned(),
        Screen::Lesson => {
            let place = model.lesson().map_or(0, |lesson| {
                model
                    .course
                    .lessons
                    .iter()
                    .position(|one| one.slug == lesson.slug)
                    .map_or(0, |at| at + 1)
            });
            let percent = extent(model).map_or(100, |extent| extent.percent(model));
            format!("{place} of {}   {percent}%", model.course.lessons.len())
        }
        Screen::Brief | Screen::Hints => String::new(),
        Screen::Result => model
            .bench()
            .filter(|bench| bench.attempts > 0)
            .map(|bench| format!("build {}", bench.attempts))
            .unwrap_or_default(),
        Screen::Work => match model.bench() {
            Some(bench) if bench.place.is_some() => {
                let watch = if bench.rebuild {
                    "rebuilds on save"
                } else {
                    "watching"
                };
                let saved = if bench.is_unsaved() {
                    "unsaved"
                } else {
                    "saved"
                };
                let dot = model.theme.glyphs.dot;
                format!("{watch} {dot} {saved}")
            }
            _ => String::new(),
        },
    }
}

/// The engine in a few words.
fn engine_line(model: &Model) -> String {
    let glyphs = model.theme.glyphs;
    match &model.engine {
        EngineState::Looking => format!("{} looking for an engine", glyphs.running),
        EngineState::Ready { info, free } => {
            let name = match info.name {
                crate::engine::EngineName::Docker => "Docker",
                crate::engine::EngineName::Podman => "Podman",
            };
            let builder = match info.builder {
                crate::engine::Builder::Buildkit => "BuildKit",
                crate::engine::Builder::Classic => "classic builder",
                crate::engine::Builder::Buildah => "Buildah",
            };
            let version: Vec<&str> = info.version.split('.').take(2).collect();
            let free = free
                .map(|free| format!("   {free} free"))
                .unwrap_or_default();
            let dot = glyphs.dot;
            format!(
                "{} {name} {} {dot} {builder}{free}",
                glyphs.disc,
                crate::text::Clean::line(&version.join("."))
            )
        }
        EngineState::Missing { .. } => format!("{} no engine", glyphs.fail),
    }
}

fn foot(model: &Model, painter: &mut Painter<'_>, area: Rect) {
    let y = area.bottom().saturating_sub(1);
    let (mut x, end) = (area.x + 2, area.right().saturating_sub(2));
    if let Some(prompt) = &model.prompt {
        over::prompt(painter, x, y, end, prompt);
        return;
    }
    if let Some(status) = &model.status {
        painter.text(x, y, end - x, status.role, &status.text);
        return;
    }
    let typing = model.typing();
    let gap = if model.is_wide() { 4 } else { 3 };
    let ids = footer(model);
    // The two keys that lead to all others always fit.
    let last = |id: &ActionId| matches!(id, ActionId::Help | ActionId::Palette);
    let entry = |id: &ActionId| {
        action(*id).map(|action| {
            let key = match id {
                ActionId::Down if painter.theme.is_ascii() => "j k".to_owned(),
                ActionId::Down => "↑↓".to_owned(),
                _ => action.key_name(typing),
            };
            let label = match id {
                ActionId::Down => "choose".into(),
                _ => action.label(model),
            };
            (key, label)
        })
    };
    let reserved: u16 = ids
        .iter()
        .filter(|id| last(id))
        .filter_map(entry)
        .map(|(key, label)| width(&key) + width(&label) + 1 + gap)
        .sum();
    let entries: Vec<_> = ids
        .iter()
        .filter_map(|id| entry(id).map(|entry| (last(id), entry)))
        .collect();
    let mut room = end.saturating_sub(x + reserved);
    for (is_last, (key, label)) in entries {
        if key.is_empty() {
            continue;
        }
        let wanted = width(&key) + 1 + width(&label) + gap;
        if !is_last {
            if wanted > room + gap {
                continue;
            }
            room = room.saturating_sub(wanted);
        }
        x = painter.text(x, y, end.saturating_sub(x), Role::Key, &key) + 1;
        x = painter.text(x, y, end.saturating_sub(x), Role::Muted, &label) + gap;
        if x >= end {
            break;
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
        Screen::Home | Screen::Work | Screen::Doctor => None,
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
    exercise
        .goals
        .iter()
        .find(|entry| entry.goal.kind() == "max_size")
        .and_then(|entry| {
            let title = entry.goal.title();
            title.trim_start_matches(['≤', '<', '=', ' ']).parse().ok()
        })
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

/// What the doctor found, as text.
#[must_use]
pub fn doctor_report(model: &Model) -> String {
    use std::fmt::Write as _;

    use crate::workshop::CheckState;
    let mut text = String::new();
    for check in model.checks.iter().flatten() {
        let word = match check.state {
            CheckState::Good => "ok",
            CheckState::Limited => "limited",
            CheckState::Bad => "bad",
            CheckState::Off => "off",
        };
        let _ = writeln!(text, "{word:<8} {:<14} {}", check.title, check.found);
        if let Some(fix) = &check.fix {
            let _ = writeln!(text, "{:<8} {:<14} fix: {fix}", "", "");
        }
    }
    text
}

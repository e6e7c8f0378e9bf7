//! The first line: where am I, and what else is there.

use ratatui::layout::Rect;

use crate::tui::model::Model;
use crate::tui::model::Screen;
use crate::tui::paint::Painter;
use crate::tui::paint::width;
use crate::tui::screen::extent;
use crate::tui::theme::Role;
use crate::workshop::EngineState;

/// Columns below which a title is left out.
const SHORTEST: u16 = 10;

/// Draws it.
pub(super) fn view(model: &Model, painter: &mut Painter<'_>, area: Rect) {
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
    let right_room = if right.is_empty() {
        0
    } else {
        width(&right) + 3
    };
    x = title(
        model,
        painter,
        Rect::new(x, y, end.saturating_sub(x), 1),
        right_room,
    );
    if end.saturating_sub(x) >= right_room {
        painter.right(end, y, end.saturating_sub(x + 2), Role::Muted, &right);
    }
}

/// What is open, and its views; says where it ended. `right` columns are for the status.
fn title(model: &Model, painter: &mut Painter<'_>, area: Rect, right: u16) -> u16 {
    let (x, y, room) = (area.x, area.y, area.width);
    let left = room.saturating_sub(right);
    match model.screen {
        Screen::Home => painter.text(x, y, left, Role::Text, &model.course.title),
        Screen::Doctor => painter.text(x, y, room, Role::Text, "Doctor"),
        Screen::Lesson => {
            let lesson = model.lesson();
            let number = lesson.map_or(0, |lesson| lesson.number);
            let title = lesson.map_or("", |lesson| lesson.title.as_str());
            let inside = painter.theme.glyphs.inside;
            let number = format!("{number} {inside} ");
            painter.line(x, y, left, &[(Role::Muted, &number), (Role::Text, title)])
        }
        Screen::Brief
        | Screen::Work
        | Screen::Result
        | Screen::Layers
        | Screen::Cves
        | Screen::Hints => {
            let title = model.exercise().map_or("", |exercise| &exercise.title);
            let room = room.saturating_sub(tabs_width(model) + 3);
            // A few letters of a title say nothing.
            let x = if room >= SHORTEST.min(width(title)) {
                painter.text(x, y, room, Role::Text, title) + 3
            } else {
                x
            };
            tabs_at(model, painter, x, y)
        }
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
        Screen::Result | Screen::Layers | Screen::Cves => model
            .bench()
            .filter(|bench| bench.report.is_some())
            .map(|bench| format!("build {}", bench.number))
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
            let builder = if model.is_wide() {
                format!(" {} {builder}", glyphs.dot)
            } else {
                // The name of the course needs the room; the doctor knows the builder.
                String::new()
            };
            format!(
                "{} {name} {}{builder}{free}",
                glyphs.disc,
                crate::text::Clean::line(&version.join("."))
            )
        }
        EngineState::Missing { .. } => format!("{} no engine", glyphs.fail),
    }
}

//! Doctor: is this machine ready to build.

use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::tui::model::Model;
use crate::tui::paint::Painter;
use crate::tui::screen::body;
use crate::tui::screen::page;
use crate::tui::theme::Role;
use crate::workshop::Check;
use crate::workshop::CheckState;
use crate::workshop::EngineState;
use crate::workshop::doctor;
use crate::workshop::meanwhile;

/// Columns of the names of the checks.
const TITLE: u16 = 16;

/// What Enter does about a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fix {
    /// Install or start an engine, after asking.
    Engine,
    /// Prepare the base images.
    Bases,
}

/// What can be done about the chosen check.
#[must_use]
pub fn fix(model: &Model) -> Option<Fix> {
    fix_of(model, model.checks.as_ref()?.get(model.check)?)
}

/// What can be done about a check.
#[must_use]
pub fn fix_of(model: &Model, check: &Check) -> Option<Fix> {
    check.fix.as_ref()?;
    match (check.title.as_str(), check.state) {
        ("Engine", CheckState::Bad) if check.mendable => Some(Fix::Engine),
        (doctor::BASES, _) if model.engine.is_ready() && !model.preparing => Some(Fix::Bases),
        _ => None,
    }
}

/// Draws the checks.
pub(super) fn view(model: &Model, painter: &mut Painter<'_>, area: Rect) {
    let body = body(area);
    let place = Rect {
        x: body.x + 2,
        width: body.width.saturating_sub(4).min(110),
        ..body
    };
    let Some(checks) = &model.checks else {
        let text = format!("{} looking", model.theme.glyphs.running);
        painter.text(place.x, place.y, place.width, Role::Running, &text);
        return;
    };
    let checks = meanwhile::with_reasons(checks, &model.bases);
    let (mut lines, mut chosen) = (Vec::new(), 0..0);
    for (index, check) in checks.iter().enumerate() {
        let start = lines.len();
        lines.extend(check_lines(model, check, index == model.check, place.width));
        if index == model.check {
            chosen = start..lines.len();
        }
    }
    lines.extend(tried(model, place.width));
    // The chosen row is always in sight.
    let top = chosen
        .end
        .saturating_sub(place.height.into())
        .min(chosen.start);
    page::window(painter, place, &lines, top);
}

fn check_lines(model: &Model, check: &Check, chosen: bool, columns: u16) -> Vec<Line<'static>> {
    let theme = model.theme;
    let glyphs = theme.glyphs;
    let (role, glyph) = match check.state {
        CheckState::Good => (Role::Pass, glyphs.pass),
        CheckState::Limited => (Role::Warn, glyphs.warn),
        CheckState::Bad => (Role::Fail, glyphs.fail),
        CheckState::Off => (Role::Muted, glyphs.dot),
    };
    let word = check.state.word();
    let title = page::fit(theme, &check.title, TITLE);
    let indent = TITLE + 4 + 9;
    let found = crate::tui::paint::wrap(check.found.as_str(), columns.saturating_sub(indent));
    let focus = if chosen { glyphs.focus } else { " " };
    let title_role = if chosen { Role::Strong } else { Role::Text };
    let mut lines = vec![page::line(
        theme,
        &[
            (Role::Key, focus),
            (role, glyph),
            (Role::Text, " "),
            (title_role, &title),
            (role, &format!("{word:<9} ")),
            (Role::Text, found.first().map_or("", String::as_str)),
        ],
    )];
    let blank = " ".repeat(indent.into());
    for more in found.iter().skip(1) {
        lines.push(page::line(
            theme,
            &[(Role::Text, &blank), (Role::Text, more)],
        ));
    }
    if let Some(fix) = &check.fix {
        lines.extend(fix_lines(model, check, fix.as_str(), chosen, columns));
    }
    lines
}

/// What can be done about a check.
fn fix_lines(
    model: &Model,
    check: &Check,
    fix: &str,
    chosen: bool,
    columns: u16,
) -> Vec<Line<'static>> {
    let (theme, indent) = (model.theme, usize::from(TITLE) + 4 + 9);
    // What is in order needs no fix, though there may be more to have.
    let word = match check.state {
        CheckState::Good => "more",
        CheckState::Limited | CheckState::Bad | CheckState::Off => "fix ",
    };
    let label = format!("{}{word} ", " ".repeat(indent));
    let mut lines = page::labelled(theme, &label, Role::Text, fix, columns);
    if chosen && let Some(fix) = self::fix(model) {
        let words = match fix {
            Fix::Engine => " does it, after asking",
            Fix::Bases => " does it now",
        };
        let blank = " ".repeat(indent + 5);
        lines.push(page::line(
            theme,
            &[
                (Role::Text, &blank),
                (Role::Key, "Enter"),
                (Role::Muted, words),
            ],
        ));
    }
    lines
}

/// Where an engine was looked for.
fn tried(model: &Model, columns: u16) -> Vec<Line<'static>> {
    let EngineState::Missing { tried, .. } = &model.engine else {
        return Vec::new();
    };
    if tried.is_empty() {
        return Vec::new();
    }
    let theme = model.theme;
    let mut lines = vec![
        Line::default(),
        page::line(theme, &[(Role::Strong, " Where an engine was looked for")]),
        Line::default(),
    ];
    for one in tried {
        let text = format!("{} ({}): {}", one.address, one.because, one.outcome);
        lines.extend(page::labelled(theme, "  ", Role::Text, &text, columns));
    }
    lines
}

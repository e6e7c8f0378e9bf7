//! Brief: what is asked.

use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::course::Exercise;
use crate::course::directive;
use crate::tui::markdown;
use crate::tui::markdown::MEASURE;
use crate::tui::model::Model;
use crate::tui::paint::Painter;
use crate::tui::paint::wrap;
use crate::tui::screen::Extent;
use crate::tui::screen::body;
use crate::tui::screen::lesson::look_up;
use crate::tui::screen::page;
use crate::tui::theme::Role;
use crate::workshop::BaseState;

fn place(area: Rect) -> Rect {
    let body = body(area);
    Rect {
        x: body.x + 2,
        width: body.width.saturating_sub(4).min(MEASURE),
        ..body
    }
}

/// Draws the brief.
pub(super) fn view(model: &Model, painter: &mut Painter<'_>, area: Rect) {
    let place = place(area);
    let top = model.bench().map_or(0, |bench| bench.brief_top);
    page::window(painter, place, &lines(model, place.width), top);
}

/// How long the text is, and how much of it is in sight.
pub(super) fn extent(model: &Model) -> Extent {
    let place = place(model.area());
    Extent {
        total: lines(model, place.width).len(),
        height: place.height.into(),
    }
}

fn lines(model: &Model, columns: u16) -> Vec<Line<'static>> {
    let Some(exercise) = model.exercise() else {
        return Vec::new();
    };
    let text = directive::expand(&exercise.brief, |figure| look_up(model, figure));
    let mut lines = Vec::new();
    if let Some(kept) = model.bench().and_then(|bench| bench.kept.as_ref()) {
        let words = wrap(kept.words().as_str(), columns).into_iter();
        lines.extend(words.map(|line| page::line(model.theme, &[(Role::Warn, &line)])));
        lines.push(Line::default());
    }
    lines.extend(markdown::lines(&text, columns, model.theme));
    lines.push(Line::default());
    lines.push(page::line(model.theme, &[(Role::Strong, "What is judged")]));
    lines.push(Line::default());
    lines.extend(goals(model, exercise, columns));
    lines.push(Line::default());
    lines.extend(facts(model, exercise, columns));
    lines
}

fn goals(model: &Model, exercise: &Exercise, columns: u16) -> Vec<Line<'static>> {
    let theme = model.theme;
    let mut lines = Vec::new();
    let mut required_before = true;
    for (entry, required) in exercise.all_goals() {
        if required_before && !required {
            lines.push(page::line(theme, &[(Role::Muted, "and if you like")]));
        }
        required_before = required;
        let label = format!(
            "{} {}  ",
            theme.glyphs.bullet,
            page::fit(theme, &entry.title(), 22)
        );
        lines.extend(page::labelled(
            theme,
            &label,
            Role::Text,
            &entry.goal.wanted(),
            columns,
        ));
    }
    lines
}

fn facts(model: &Model, exercise: &Exercise, columns: u16) -> Vec<Line<'static>> {
    let theme = model.theme;
    let mut lines = Vec::new();
    let mut fact = |label: &str, text: &str| {
        let label = format!("  {}  ", page::fit(theme, label, 22));
        lines.extend(page::labelled(theme, &label, Role::Text, text, columns));
    };
    fact("time", &format!("about {} min", exercise.minutes));
    if !exercise.edit.is_empty() {
        fact("yours to change", &exercise.edit.join(", "));
    }
    if let Some(baseline) = &exercise.baseline {
        let text = format!("{} ({})", baseline.size, baseline.measured);
        fact("the starter weighs", &text);
    }
    for reference in &exercise.bases {
        let state = match model.bases.get(reference) {
            Some(BaseState::Ready { .. }) => "ready",
            Some(BaseState::Waiting) => "waits its turn",
            Some(BaseState::Working { .. }) => "being prepared",
            Some(BaseState::Failed(_)) => "cannot be had; D tells more",
            None => "not looked at yet",
        };
        fact("base image", &format!("{reference}: {state}"));
    }
    if let Some(place) = model.bench().and_then(|bench| bench.place.as_ref()) {
        fact("your files", &place.folder.display().to_string());
    }
    lines
}

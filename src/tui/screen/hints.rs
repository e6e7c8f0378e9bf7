//! Hints: what next. One step at a time, and the solution for whoever wants it.

use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::text::Span;

use crate::course::Exercise;
use crate::report::Outcome;
use crate::text::plural;
use crate::tui::markdown;
use crate::tui::markdown::MEASURE;
use crate::tui::model::Model;
use crate::tui::model::bench::Bench;
use crate::tui::paint::Painter;
use crate::tui::screen::Extent;
use crate::tui::screen::HintRow;
use crate::tui::screen::HintState;
use crate::tui::screen::body;
use crate::tui::screen::diff;
use crate::tui::screen::hint_rows;
use crate::tui::screen::hinted_goal;
use crate::tui::screen::page;
use crate::tui::theme::Role;
use crate::tui::theme::Theme;
use crate::workshop;

/// What each level is for.
const LEVELS: [&str; 3] = ["Where to look", "The idea", "Almost there"];

fn place(model: &Model, area: Rect) -> Rect {
    let body = body(area);
    let solution = model.bench().is_some_and(|bench| bench.hints.solution);
    let most = if solution { 160 } else { MEASURE };
    Rect {
        x: body.x + 2,
        width: body.width.saturating_sub(4).min(most),
        ..body
    }
}

/// Draws the hints, or the solution.
pub(super) fn view(model: &Model, painter: &mut Painter<'_>, area: Rect) {
    let place = place(model, area);
    let top = model.bench().map_or(0, |bench| bench.hints.top);
    page::window(painter, place, &lines(model, place.width), top);
}

/// How long the text is, and how much of it is in sight.
pub(super) fn extent(model: &Model) -> Extent {
    let place = place(model, model.area());
    Extent {
        total: lines(model, place.width).len(),
        height: place.height.into(),
    }
}

/// What Enter meets: a hint to open, or an open one with another below; `None` where it does
/// nothing.
#[must_use]
pub fn opens(model: &Model) -> Option<HintState> {
    let hints = &model.bench()?.hints;
    if hints.solution {
        return None;
    }
    let rows = hint_rows(model);
    let state = rows.get(hints.selected)?.state;
    let last = hints.selected + 1 >= rows.len();
    (state != HintState::Opened || !last).then_some(state)
}

/// The goals that have hints, in the order of those.
#[must_use]
pub fn hinted_goals(exercise: &Exercise) -> Vec<&str> {
    let mut goals: Vec<&str> = Vec::new();
    for hint in &exercise.hints {
        if !goals.contains(&hint.goal.as_str()) {
            goals.push(&hint.goal);
        }
    }
    goals
}

/// The row of the hint that is to be opened next.
#[must_use]
pub fn first_closed(rows: &[HintRow]) -> Option<usize> {
    rows.iter().position(|row| row.state == HintState::Closed)
}

/// Whether the solution may be shown without asking twice.
#[must_use]
pub fn solution_is_due(model: &Model) -> bool {
    model
        .exercise()
        .is_some_and(|exercise| workshop::solution_is_due(exercise, model.record(&exercise.id)))
}

fn lines(model: &Model, columns: u16) -> Vec<Line<'static>> {
    let (Some(exercise), Some(bench)) = (model.exercise(), model.bench()) else {
        return Vec::new();
    };
    if bench.hints.solution {
        return solution(model, exercise, bench, columns);
    }
    let theme = model.theme;
    let mut lines = Vec::new();
    let goal = hinted_goal(model);
    let title = goal.as_deref().and_then(|goal| {
        let mut goals = exercise.all_goals();
        goals.find(|(entry, _)| entry.id == goal)
    });
    if let Some((entry, _)) = title {
        let title = entry.title();
        let mut pieces = vec![(Role::Muted, "for the goal "), (Role::Strong, &title)];
        if hinted_goals(exercise).len() > 1 {
            pieces.extend([
                (Role::Muted, "   "),
                (Role::Key, "Tab"),
                (Role::Muted, " next goal"),
            ]);
        }
        lines.push(page::line(theme, &pieces));
        lines.push(Line::default());
    }
    let rows = hint_rows(model);
    if rows.is_empty() {
        let words = "There are no hints for this exercise.";
        lines.push(page::line(theme, &[(Role::Muted, words)]));
    }
    for (index, row) in rows.iter().enumerate() {
        let chosen = index == bench.hints.selected;
        lines.push(hint_line(theme, row.level, row.state, chosen));
        if row.state == HintState::Opened {
            let hint = exercise
                .hints_for(&row.goal)
                .find(|hint| hint.level == row.level);
            let text = hint.map_or("", |hint| hint.text.as_str());
            for line in markdown::lines(text, columns.saturating_sub(5), theme) {
                lines.push(with_edge("     ", line));
            }
        }
        lines.push(Line::default());
    }
    if exercise.solution.is_some() {
        lines.push(solution_line(model, theme));
    }
    lines
}

fn with_edge(edge: &str, line: Line<'static>) -> Line<'static> {
    let mut spans = vec![Span::raw(edge.to_owned())];
    spans.extend(line.spans);
    Line::from(spans)
}

fn hint_line(theme: Theme, level: u8, state: HintState, chosen: bool) -> Line<'static> {
    let name = LEVELS
        .get(usize::from(level).saturating_sub(1))
        .unwrap_or(&"More");
    let focus = if chosen { theme.glyphs.focus } else { " " };
    let locked = format!("locked until {}", level.saturating_sub(1));
    let (role, state) = match state {
        HintState::Opened => (Role::Pass, format!("{} opened", theme.glyphs.pass)),
        HintState::Closed if chosen => {
            (Role::Muted, "Enter opens it; noted, at no cost".to_owned())
        }
        HintState::Closed => (Role::Muted, "closed".to_owned()),
        HintState::Locked => (Role::Muted, locked),
    };
    let name_role = if chosen { Role::Strong } else { Role::Text };
    page::line(
        theme,
        &[
            (Role::Key, focus),
            (Role::Muted, &format!(" {level}  ")),
            (name_role, &page::fit(theme, name, 16)),
            (role, &state),
        ],
    )
}

fn solution_line(model: &Model, theme: Theme) -> Line<'static> {
    let words = if solution_is_due(model) {
        "your files beside ours, and why"
    } else {
        "for after the hints; asks first"
    };
    page::line(
        theme,
        &[
            (Role::Key, "  S  "),
            (Role::Text, &page::fit(theme, "Solution", 16)),
            (Role::Muted, words),
        ],
    )
}

/// The learner's files against the solution, then why.
fn solution(model: &Model, exercise: &Exercise, bench: &Bench, columns: u16) -> Vec<Line<'static>> {
    let theme = model.theme;
    let Some(solution) = &exercise.solution else {
        return Vec::new();
    };
    let side_by_side = !bench.hints.unified && columns >= 96;
    let mut lines = Vec::new();
    for (name, bytes) in &solution.files {
        let theirs = String::from_utf8_lossy(bytes);
        let open = bench.files.iter().find(|file| file.name == *name);
        let mine = open.map(|file| file.editor.text()).unwrap_or_default();
        let rows = diff::rows(&mine, &theirs);
        lines.push(page::line(theme, &[(Role::Strong, name)]));
        lines.push(Line::default());
        if diff::is_same(&rows) {
            let words = "  yours is the same";
            lines.push(page::line(theme, &[(Role::Muted, words)]));
        } else if side_by_side {
            lines.extend(diff::side_by_side(
                &rows,
                ["yours", "solution"],
                columns,
                theme,
            ));
        } else {
            lines.extend(diff::unified(&rows, columns, theme));
        }
        lines.push(Line::default());
    }
    if !solution.why.trim().is_empty() {
        lines.push(page::line(theme, &[(Role::Strong, "Why")]));
        lines.push(Line::default());
        lines.extend(markdown::lines(&solution.why, columns, theme));
    }
    lines
}

/// What is said before the solution is shown too early.
#[must_use]
pub fn too_early(model: &Model) -> String {
    let failed = model
        .bench()
        .and_then(|bench| bench.report.as_ref())
        .is_some_and(|report| report.outcome != Outcome::Passed);
    let attempts = model.bench().map_or(0, |bench| bench.attempts);
    let so_far = if failed {
        format!(
            "After {}, ",
            plural(usize::try_from(attempts).unwrap_or(0), "attempt")
        )
    } else {
        "Before the first attempt, ".to_owned()
    };
    format!("{so_far}a hint may teach you more than the whole answer. Show the whole answer now?")
}

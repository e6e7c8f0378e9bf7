//! Moving: rows, pages, panes, windows over long texts. Every window is kept inside its text after
//! each message, so that views need not correct it.

use ratatui_textarea::CursorMove;

use crate::tui::action::ActionId;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::model::Screen;
use crate::tui::model::bench::Pane;
use crate::tui::screen;
use crate::tui::screen::work;
use crate::tui::update::cves;
use crate::tui::update::inside;
use crate::tui::update::lesson;
use crate::tui::update::navigate;

/// Does one of the moving actions.
pub(super) fn go(model: &mut Model, id: ActionId, effects: &mut Vec<Effect>) {
    match model.screen {
        Screen::Home => {
            model.chose = true;
            model.unit = row(model, id, model.unit, model.units.len());
        }
        Screen::Doctor => {
            let checks = model.checks.as_ref().map_or(0, Vec::len);
            model.check = row(model, id, model.check, checks);
        }
        Screen::Work => in_work(model, id),
        Screen::Lesson => in_lesson(model, id),
        Screen::Brief => {
            let top = model.bench().map_or(0, |bench| bench.brief_top);
            let top = line(model, id, top);
            if let Some(bench) = model.bench_mut() {
                bench.brief_top = top;
            }
        }
        Screen::Result => in_result(model, id),
        Screen::Layers => inside::go(model, id),
        Screen::Cves => cves::go(model, id),
        Screen::Hints => in_hints(model, id),
    }
    settle(model);
    navigate::read_to_the_end(model, effects);
}

/// A row of a list after a move.
pub(super) fn row(model: &Model, id: ActionId, at: usize, rows: usize) -> usize {
    let last = rows.saturating_sub(1);
    let page = usize::from(model.size.height / 2).max(1);
    match id {
        ActionId::Up => at.saturating_sub(1),
        ActionId::Down => (at + 1).min(last),
        ActionId::PageUp => at.saturating_sub(page),
        ActionId::PageDown => (at + page).min(last),
        ActionId::Top => 0,
        ActionId::Bottom => last,
        _ => at,
    }
}

/// The first line of a text after a move; [`settle`] keeps it inside.
fn line(model: &Model, id: ActionId, at: usize) -> usize {
    let height = screen::extent(model).map_or(1, |extent| extent.height);
    let page = height.saturating_sub(2).max(1);
    match id {
        ActionId::Up => at.saturating_sub(1),
        ActionId::Down => at.saturating_add(1),
        ActionId::PageUp => at.saturating_sub(page),
        ActionId::PageDown => at.saturating_add(page),
        ActionId::Top => 0,
        ActionId::Bottom => usize::MAX,
        _ => at,
    }
}

fn in_work(model: &mut Model, id: ActionId) {
    let layout = work::layout(model, model.area());
    let Some(bench) = model.bench_mut() else {
        return;
    };
    if bench.pane == Pane::Log {
        let height = usize::from(layout.log.height).max(1);
        let page = isize::try_from(height.saturating_sub(1).max(1)).unwrap_or(1);
        match id {
            ActionId::Up => bench.log.scroll(-1, height),
            ActionId::Down => bench.log.scroll(1, height),
            ActionId::PageUp => bench.log.scroll(-page, height),
            ActionId::PageDown => bench.log.scroll(page, height),
            ActionId::Top => bench.log.show(0, height),
            ActionId::Bottom => bench.log.unfollowed = false,
            _ => {}
        }
        return;
    }
    let page = layout.file.height.saturating_sub(2).max(1);
    let Some(file) = bench.shown_mut() else {
        return;
    };
    let last = file.editor.line_count().saturating_sub(1);
    let (row, _) = file.editor.cursor();
    match id {
        ActionId::Up => file.editor.move_cursor(CursorMove::Up),
        ActionId::Down if row < last => file.editor.move_cursor(CursorMove::Down),
        ActionId::Left => file.editor.move_cursor(CursorMove::Back),
        ActionId::Right => file.editor.move_cursor(CursorMove::Forward),
        ActionId::PageUp => file.editor.go_to_line(row.saturating_sub(page.into())),
        ActionId::PageDown => file.editor.go_to_line(row + usize::from(page)),
        ActionId::Top => file.editor.go_to_line(0),
        ActionId::Bottom => file.editor.go_to_line(last),
        _ => {}
    }
}

fn in_lesson(model: &mut Model, id: ActionId) {
    let Some(slug) = model.lesson().map(|lesson| lesson.slug.clone()) else {
        return;
    };
    if lesson::move_row(model, id) {
        return;
    }
    let Some(reading) = model.reading.get(&slug) else {
        return;
    };
    let top = if reading.outline && matches!(id, ActionId::Up | ActionId::Down) {
        let headings = screen::lesson::headings(model);
        let at = reading.top;
        if id == ActionId::Down {
            headings.into_iter().find(|line| *line > at)
        } else {
            headings.into_iter().rev().find(|line| *line < at)
        }
        .unwrap_or(at)
    } else {
        line(model, id, reading.top)
    };
    if let Some(reading) = model.reading.get_mut(&slug) {
        reading.top = top;
    }
}

fn in_result(model: &mut Model, id: ActionId) {
    let Some(bench) = model.bench() else {
        return;
    };
    if bench.result.compared {
        let top = line(model, id, bench.result.compared_top);
        if let Some(bench) = model.bench_mut() {
            bench.result.compared_top = top;
        }
        return;
    }
    let goals = bench.report.as_ref().map_or(0, |report| report.goals.len());
    let open = bench.result.open.or_else(|| bench.first_unmet());
    let top = line(model, id, bench.result.top);
    let Some(bench) = model.bench_mut() else {
        return;
    };
    match (id, open) {
        (ActionId::Up, Some(open)) => bench.result.open = Some(open.saturating_sub(1)),
        (ActionId::Down, Some(open)) if open + 1 < goals => bench.result.open = Some(open + 1),
        (ActionId::Down, None) if goals > 0 => bench.result.open = Some(0),
        (ActionId::Down, _) => {}
        _ => bench.result.top = top,
    }
    bench.hints.turn_to(None);
    if matches!(id, ActionId::Up | ActionId::Down) {
        show_open_goal(model);
    }
}

/// Brings the open goal into sight, its first line first.
fn show_open_goal(model: &mut Model) {
    let lines = screen::result::page(model).open;
    let height = screen::extent(model).map_or(1, |extent| extent.height);
    if let Some(bench) = model.bench_mut() {
        let end = lines.end.saturating_sub(height);
        let first = if bench.result.open == Some(0) {
            0
        } else {
            lines.start
        };
        bench.result.top = bench.result.top.max(end).min(first);
    }
}

/// Shows the hints for the next goal that has some.
fn next_goal(model: &mut Model) {
    let (Some(exercise), Some(now)) = (model.exercise(), screen::hinted_goal(model)) else {
        return;
    };
    let goals = screen::hints::hinted_goals(exercise);
    let at = goals.iter().position(|goal| *goal == now).unwrap_or(0);
    let next = goals
        .get((at + 1) % goals.len().max(1))
        .map(|goal| (*goal).to_owned());
    if let Some(bench) = model.bench_mut() {
        bench.hints.turn_to(next);
    }
}

fn in_hints(model: &mut Model, id: ActionId) {
    let rows = screen::hint_rows(model).len();
    let Some(bench) = model.bench() else {
        return;
    };
    let (solution, selected, top) = (
        bench.hints.solution,
        row(model, id, bench.hints.selected, rows),
        line(model, id, bench.hints.top),
    );
    if let Some(bench) = model.bench_mut() {
        if solution || matches!(id, ActionId::PageUp | ActionId::PageDown) {
            bench.hints.top = top;
        } else {
            bench.hints.selected = selected;
        }
    }
}

/// Gives the keys to the other pane.
pub(super) fn pane(model: &mut Model) {
    if model.screen == Screen::Lesson {
        lesson::leave(model);
        let slug = model.lesson().map(|lesson| lesson.slug.clone());
        if let Some(reading) = slug.and_then(|slug| model.reading.get_mut(&slug)) {
            reading.outline = !reading.outline;
        }
    } else if model.screen == Screen::Layers {
        inside::pane(model);
    } else if model.screen == Screen::Hints {
        next_goal(model);
    } else if let Some(bench) = model.bench_mut() {
        bench.pane = match bench.pane {
            Pane::File => Pane::Log,
            Pane::Log => Pane::File,
        };
    }
}

/// Goes to the next place with the searched words; says whether there is one.
pub(super) fn find(model: &mut Model, backward: bool) -> bool {
    if model.screen == Screen::Lesson {
        let Some(slug) = model.lesson().map(|lesson| lesson.slug.clone()) else {
            return false;
        };
        let Some(top) = screen::lesson::find(model, backward) else {
            return false;
        };
        if let Some(reading) = model.reading.get_mut(&slug) {
            reading.top = top;
        }
        return true;
    }
    let height = usize::from(work::layout(model, model.area()).log.height).max(1);
    model
        .bench_mut()
        .is_some_and(|bench| bench.log.find(backward, height))
}

/// Whether the last line of the lesson is in sight.
pub(super) fn at_the_end(model: &Model) -> bool {
    let top = model
        .lesson()
        .and_then(|lesson| model.reading.get(&lesson.slug))
        .map_or(0, |reading| reading.top);
    screen::extent(model).is_some_and(|extent| top + extent.height >= extent.total)
}

/// Keeps every window inside its text.
pub(super) fn settle(model: &mut Model) {
    match model.screen {
        Screen::Work => {
            let area = work::layout(model, model.area()).file;
            let gutter = model.bench().map_or(0, work::gutter_width);
            if let Some(bench) = model.bench_mut()
                && let Some(file) = bench.shown_mut()
            {
                let width = area.width.saturating_sub(gutter);
                file.editor.keep_cursor_in(width.into(), area.height.into());
            }
        }
        Screen::Lesson | Screen::Brief | Screen::Result | Screen::Hints => {
            let Some(extent) = screen::extent(model) else {
                return;
            };
            let last = extent.total.saturating_sub(extent.height);
            let screen = model.screen;
            if screen == Screen::Lesson {
                let slug = model.lesson().map(|lesson| lesson.slug.clone());
                if let Some(reading) = slug.and_then(|slug| model.reading.get_mut(&slug)) {
                    reading.top = reading.top.min(last);
                }
            } else if let Some(bench) = model.bench_mut() {
                let top = match screen {
                    Screen::Brief => &mut bench.brief_top,
                    Screen::Result if bench.result.compared => &mut bench.result.compared_top,
                    Screen::Result => &mut bench.result.top,
                    _ => &mut bench.hints.top,
                };
                *top = (*top).min(last);
            }
        }
        Screen::Layers => inside::keep_in_sight(model),
        Screen::Cves => cves::keep_in_sight(model),
        Screen::Home | Screen::Doctor => {}
    }
}

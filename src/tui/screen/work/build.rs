//! The build: its headline, its steps, its output.

use std::time::Duration;

use ratatui::layout::Rect;

use crate::report::Outcome;
use crate::report::Problem;
use crate::tui::action;
use crate::tui::action::ActionId;
use crate::tui::model::Model;
use crate::tui::model::bench::Bench;
use crate::tui::model::bench::Pane;
use crate::tui::model::build::Build;
use crate::tui::model::build::Phase;
use crate::tui::model::build::Step;
use crate::tui::model::build::StepState;
use crate::tui::paint::Painter;
use crate::tui::paint::width;
use crate::tui::paint::wrap;
use crate::tui::theme::Glyphs;
use crate::tui::theme::Role;
use crate::units::show_duration;
use crate::workshop::BaseState;
use crate::workshop::EngineState;

pub(super) fn headline(model: &Model, painter: &mut Painter<'_>, area: Rect, bench: &Bench) {
    let (y, end) = (area.y, area.right().saturating_sub(2));
    if bench.pane == Pane::Log {
        painter.text(area.x, y, 1, Role::Key, painter.theme.glyphs.focus);
    }
    let x = area.x + 2;
    let Some(build) = &bench.build else {
        idle(model, painter, x, y, end, bench);
        return;
    };
    if build.is_running() {
        running(model, painter, x, y, end, build);
    } else {
        over(model, painter, (x, y, end), bench, build);
    }
}

/// Before the first build of this sitting.
fn idle(model: &Model, painter: &mut Painter<'_>, x: u16, y: u16, end: u16, bench: &Bench) {
    let room = end.saturating_sub(x);
    let glyphs = painter.theme.glyphs;
    match &model.engine {
        EngineState::Missing { trouble, .. } => {
            let todo = match action::key_name(model, ActionId::Doctor) {
                key if key.is_empty() => String::new(),
                key => format!("; {key} shows what to do"),
            };
            let text = format!("{} {}{todo}", glyphs.warn, trouble.message);
            painter.text(x, y, room, Role::Warn, &text);
        }
        EngineState::Looking => {
            let text = format!("{} looking for an engine", glyphs.running);
            painter.text(x, y, room, Role::Muted, &text);
        }
        EngineState::Ready { .. } => {
            let words = if bench.attempts == 0 {
                "builds your file and judges every goal"
            } else if bench.changed_since() {
                "builds what you changed since the goals were judged"
            } else {
                "builds and judges again"
            };
            let key = action::key_name(model, ActionId::Build);
            if !key.is_empty() {
                let pieces = [
                    (Role::Key, key.as_str()),
                    (Role::Muted, " "),
                    (Role::Muted, words),
                ];
                painter.line(x, y, room, &pieces);
            }
        }
    }
}

fn running(model: &Model, painter: &mut Painter<'_>, x: u16, y: u16, end: u16, build: &Build) {
    let glyphs = painter.theme.glyphs;
    let cancelling = model.job.as_ref().is_some_and(|job| job.cancelling);
    let elapsed = show_duration(build.elapsed(model.now));
    let mut x = painter.line(
        x,
        y,
        end.saturating_sub(x),
        &[
            (Role::Running, glyphs.running),
            (Role::Strong, &format!(" Build {}", build.number)),
            (Role::Text, &format!("   {elapsed}")),
        ],
    ) + 4;
    let key = action::stop_key(model);
    let (word, reserved) = if cancelling {
        ("cancelling…", 14)
    } else {
        ("", width(&key) + 10)
    };
    let text = phase(model, build);
    let room = end.saturating_sub(x + reserved);
    x = painter.text(x, y, room, Role::Muted, &text);
    if cancelling {
        painter.right(end, y, end.saturating_sub(x), Role::Warn, word);
    } else {
        let at = end.saturating_sub(width(&key) + 7);
        painter.line(at, y, 16, &[(Role::Key, &key), (Role::Muted, " cancel")]);
    }
}

fn phase(model: &Model, build: &Build) -> String {
    match &build.phase {
        Phase::Starting => "starting".to_owned(),
        Phase::Base {
            reference,
            doing,
            share,
        } => base(model, reference, doing.as_str(), *share),
        Phase::Uploading { sent, total } => format!("sending your files, {sent} of {total}"),
        Phase::Building => {
            let (over, known) = build.count();
            let cached = match build.cached() {
                0 => String::new(),
                cached => format!("{cached} cached   "),
            };
            format!("{cached}{over} of {known} steps")
        }
        Phase::Gathering(what) if what.as_str().is_empty() => "built; looking at it".to_owned(),
        Phase::Gathering(what) => what.to_string(),
        Phase::Over => "finishing".to_owned(),
    }
}

/// What is done for the base that a build needs. One base is made at a time: where another job makes
/// one, it is that which the build waits for, be it the same one.
fn base(model: &Model, reference: &str, doing: &str, share: Option<f64>) -> String {
    let percent = |share: f64| format!(" {}", crate::units::Percent(share * 100.0));
    let Some((other, BaseState::Working { doing, bytes })) = model.base_at_work() else {
        return format!(
            "base {reference}: {doing}{}",
            share.map(percent).unwrap_or_default()
        );
    };
    let share = bytes.filter(|(_, total)| total.0 > 0);
    let share = share.map(|(done, total)| percent(done.share_of(total).0 / 100.0));
    let share = share.unwrap_or_default();
    if other == reference {
        format!("base {reference}: {doing}{share}")
    } else {
        format!("base {reference}: after {other}, {doing}{share}")
    }
}

/// How a build ended.
fn end_of(build: &Build, glyphs: &Glyphs) -> (Role, &'static str, &'static str) {
    match build.report.as_ref().map(|report| report.outcome) {
        Some(Outcome::Passed) => (Role::Pass, glyphs.pass, "every goal is met"),
        Some(Outcome::Failed) => (Role::Fail, glyphs.fail, "not yet"),
        Some(Outcome::BuildFailed) => (Role::Fail, glyphs.fail, "the build stopped"),
        Some(Outcome::EngineUnavailable) => (Role::Fail, glyphs.fail, "the engine went away"),
        Some(Outcome::CouldNotJudge) => (Role::Warn, glyphs.unknown, "could not be judged"),
        Some(Outcome::Cancelled) => (Role::Muted, glyphs.todo, "cancelled, nothing was judged"),
        None => (Role::Fail, glyphs.fail, "ended without a report"),
    }
}

fn over(
    model: &Model,
    painter: &mut Painter<'_>,
    (x, y, end): (u16, u16, u16),
    bench: &Bench,
    build: &Build,
) {
    let glyphs = painter.theme.glyphs;
    let (role, glyph, words) = end_of(build, glyphs);
    let elapsed = build
        .ended
        .map(|ended| show_duration(ended.saturating_sub(build.started)))
        .unwrap_or_default();
    // Where the builder said nothing, there is room for all of it below.
    let problem = problem(build)
        .filter(|_| bench.log.total() > 0)
        .map(|problem| format!("   {}", problem.message))
        .unwrap_or_default();
    // What is told is told of the file as it was.
    let told = build
        .report
        .as_ref()
        .is_some_and(|report| report.outcome.is_judged());
    let since = if told && bench.changed_since() {
        "   before your change"
    } else {
        ""
    };
    let key = action::key_name(model, ActionId::Main);
    let enter = format!("{key} result");
    let x = painter.line(
        x,
        y,
        end.saturating_sub(x + width(&enter) + 3),
        &[
            (role, glyph),
            (Role::Strong, &format!(" Build {}", build.number)),
            (Role::Text, &format!("   {elapsed}   ")),
            (role, words),
            (Role::Muted, since),
            (Role::Text, &problem),
        ],
    );
    let at = end.saturating_sub(width(&enter));
    if told && !key.is_empty() && at > x {
        let pieces = [(Role::Key, key.as_str()), (Role::Muted, " result")];
        painter.line(at, y, width(&enter), &pieces);
    }
}

fn problem(build: &Build) -> Option<&Problem> {
    build.report.as_ref()?.problem.as_ref()
}

pub(super) fn steps(model: &Model, painter: &mut Painter<'_>, area: Rect, bench: &Bench) {
    let Some(build) = &bench.build else {
        return;
    };
    let height = usize::from(area.height);
    let at = build
        .steps
        .iter()
        .rposition(|step| step.state != StepState::Planned)
        .map_or(0, |at| at + 1);
    // The step that runs stays in sight with what comes next.
    let first = (at + 1)
        .saturating_sub(height)
        .min(build.steps.len().saturating_sub(height));
    for (step, y) in build.steps.iter().skip(first).take(height).zip(area.y..) {
        step_row(model, painter, Rect::new(area.x, y, area.width, 1), step);
    }
}

fn step_row(model: &Model, painter: &mut Painter<'_>, row: Rect, step: &Step) {
    let glyphs = painter.theme.glyphs;
    let (role, glyph, time) = match step.state {
        StepState::Planned => (Role::Muted, glyphs.todo, String::new()),
        StepState::Running(since) => (
            Role::Running,
            glyphs.running,
            shown(model.now.saturating_sub(since)),
        ),
        StepState::Cached => (Role::Pass, glyphs.pass, "cached".to_owned()),
        StepState::Done(took) => (Role::Pass, glyphs.pass, shown(took)),
        StepState::Stopped(_) => (Role::Muted, glyphs.todo, "stopped".to_owned()),
        StepState::Failed(took) => (Role::Fail, glyphs.fail, shown(took)),
    };
    painter.text(row.x + 2, row.y, 1, role, glyph);
    let text_role = match step.state {
        StepState::Planned | StepState::Stopped(_) => Role::Muted,
        StepState::Failed(_) => Role::Fail,
        StepState::Running(_) | StepState::Cached | StepState::Done(_) => Role::Text,
    };
    let end = row.right().saturating_sub(2);
    painter.text(
        row.x + 4,
        row.y,
        row.width.saturating_sub(17),
        text_role,
        step.title.as_str(),
    );
    painter.right(end, row.y, 11, Role::Muted, &time);
}

/// A time, where it is worth telling.
fn shown(took: Duration) -> String {
    if took < Duration::from_millis(50) {
        String::new()
    } else {
        show_duration(took)
    }
}

/// Why the build stopped, in the place of an output that is not there.
fn stopped(painter: &mut Painter<'_>, area: Rect, problem: &Problem) {
    let next = problem.next_step.as_ref().map(|next| (Role::Muted, next));
    let told = std::iter::once((Role::Text, &problem.message)).chain(next);
    let columns = area.width.saturating_sub(1);
    let lines = told.flat_map(|(role, text)| {
        let lines = wrap(text.as_str(), columns).into_iter();
        lines.map(move |line| (role, line))
    });
    for ((role, line), y) in lines.zip(area.y..area.bottom()) {
        painter.text(area.x, y, columns, role, &line);
    }
}

pub(super) fn log(painter: &mut Painter<'_>, area: Rect, bench: &Bench) {
    let log = &bench.log;
    if log.total() == 0 {
        if let Some(problem) = bench.build.as_ref().and_then(problem) {
            stopped(painter, area, problem);
        }
        return;
    }
    // The last row tells where we are, where there is room for it.
    let status = area.height > 3;
    let rows = area.height - u16::from(status);
    let found = log.search.to_lowercase();
    let window = log.window(rows.into());
    let last = window.len().saturating_sub(1);
    for ((index, line), y) in window.into_iter().enumerate().zip(area.y..) {
        let text = line.text.as_str();
        let hit = !found.is_empty() && text.to_lowercase().contains(&found);
        let role = match (hit, index == last && !log.unfollowed) {
            (true, _) => Role::Warn,
            (false, true) => Role::Text,
            (false, false) => Role::Muted,
        };
        painter.text(area.x, y, area.width, role, text);
    }
    if !status {
        return;
    }
    let glyphs = painter.theme.glyphs;
    let count = crate::text::plural(log.len(), "line");
    let missing = match log.missing() {
        0 => String::new(),
        missing if log.unkept => format!("   {missing} more were not kept"),
        missing => format!("   {missing} more in the log file"),
    };
    let filter = if log.filter.is_empty() {
        String::new()
    } else {
        format!("only \"{}\"   ", log.filter)
    };
    let follow = if log.unfollowed {
        String::new()
    } else {
        format!("following {}   ", glyphs.down)
    };
    let text = format!("{filter}{follow}{count}{missing}");
    painter.right(
        area.right().saturating_sub(1),
        area.bottom() - 1,
        area.width.saturating_sub(1),
        Role::Muted,
        &text,
    );
}

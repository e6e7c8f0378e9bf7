//! Home: where am I. One list, one detail, one line of what is being prepared.

use ratatui::layout::Rect;

use crate::course::Exercise;
use crate::course::Lesson;
use crate::course::directive;
use crate::tui::model::Model;
use crate::tui::model::Unit;
use crate::tui::paint::Painter;
use crate::tui::paint::at_most;
use crate::tui::paint::width;
use crate::tui::paint::wrap;
use crate::tui::screen::goal_bytes;
use crate::tui::screen::lesson::look_up;
use crate::tui::screen::load;
use crate::tui::screen::load_line;
use crate::tui::screen::plain_start;
use crate::tui::theme::Role;
use crate::units::Bytes;
use crate::workshop::BaseState;
use crate::workshop::EngineState;
use crate::workshop::Record;
use crate::workshop::meanwhile;

/// Draws the course map.
pub fn view(model: &Model, painter: &mut Painter<'_>, area: Rect) {
    if area.height < 8 {
        return;
    }
    course_line(model, painter, Rect { height: 1, ..area });
    let foot = preparing_rows(model);
    let list_top = area.y + 2;
    let room = area.height.saturating_sub(2 + foot + 1);
    if model.is_wide() {
        let left = (area.width * 3 / 5).min(76);
        list(model, painter, Rect::new(area.x, list_top, left, room));
        painter.column(area.x + left + 1, list_top, room);
        let x = area.x + left + 4;
        let detail_area = Rect::new(x, list_top, area.right().saturating_sub(x + 2), room);
        detail(model, painter, detail_area);
    } else {
        let rows = u16::try_from(model.units.len()).unwrap_or(u16::MAX);
        let list_rows = rows.min(room.saturating_sub(5).max(room / 2));
        list(
            model,
            painter,
            Rect::new(area.x, list_top, area.width, list_rows),
        );
        let y = list_top + list_rows;
        painter.rule(area.x + 2, y, area.width.saturating_sub(4));
        let rest = (list_top + room).saturating_sub(y + 1);
        detail(
            model,
            painter,
            Rect::new(area.x + 3, y + 1, area.width.saturating_sub(6), rest),
        );
    }
    preparing(model, painter, area, foot);
}

fn course_line(model: &Model, painter: &mut Painter<'_>, area: Rect) {
    let units = model.units.len();
    let done = model
        .units
        .iter()
        .filter(|unit| model.is_done(**unit))
        .count();
    let line = (area.width * 2 / 5).min(52);
    #[expect(clippy::cast_precision_loss, reason = "a share of a few dozen")]
    let share = done as f64 / units.max(1) as f64;
    painter.progress(area.x + 2, area.y, line, share);
    let left: u32 = model
        .units
        .iter()
        .filter(|unit| !model.is_done(**unit))
        .map(|unit| minutes(model, *unit))
        .sum();
    let x = area.x + 2 + line + 3;
    let room = area.right().saturating_sub(x + 1);
    if model.progress.is_none() {
        painter.text(x, area.y, room, Role::Muted, "reading your records");
        return;
    }
    let dot = painter.theme.glyphs.dot;
    let rest = if left == 0 {
        String::new()
    } else {
        format!(" {dot} about {}", duration(left))
    };
    painter.line(
        x,
        area.y,
        room,
        &[
            (Role::Strong, &format!("{done} of {units}")),
            (Role::Muted, " done"),
            (Role::Muted, &rest),
        ],
    );
}

fn duration(minutes: u32) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min left"),
        (hours, 0) => format!("{hours} h left"),
        (hours, minutes) => format!("{hours} h {minutes} left"),
    }
}

fn minutes(model: &Model, unit: Unit) -> u32 {
    match unit {
        Unit::Lesson(index) => model.course.lessons.get(index).map_or(0, |one| one.minutes),
        Unit::Exercise(index) => model
            .course
            .exercises
            .get(index)
            .map_or(0, |one| one.minutes),
    }
}

fn list(model: &Model, painter: &mut Painter<'_>, area: Rect) {
    let height = usize::from(area.height);
    // The chosen row stays away from the edges where there is more to see.
    let first = model
        .unit
        .saturating_sub(height / 2)
        .min(model.units.len().saturating_sub(height));
    let shown = model.units.iter().enumerate().skip(first).take(height);
    for ((index, unit), y) in shown.zip(area.y..) {
        let row = Rect::new(area.x, y, area.width, 1);
        match unit {
            Unit::Lesson(at) => {
                if let Some(lesson) = model.course.lessons.get(*at) {
                    lesson_row(model, painter, row, *unit, lesson);
                }
            }
            Unit::Exercise(at) => {
                if let Some(exercise) = model.course.exercises.get(*at) {
                    exercise_row(model, painter, row, *unit, exercise);
                }
            }
        }
        if index == model.unit {
            let bar = Rect::new(area.x + 2, y, area.width.saturating_sub(3), 1);
            painter.highlight(bar, Role::Select);
            painter.text(area.x, y, 1, Role::Key, painter.theme.glyphs.focus);
        }
    }
    if first > 0 {
        painter.right(
            area.right(),
            area.y,
            1,
            Role::Muted,
            painter.theme.glyphs.up,
        );
    }
    if first + height < model.units.len() {
        let last = area.bottom().saturating_sub(1);
        painter.right(
            area.right(),
            last,
            1,
            Role::Muted,
            painter.theme.glyphs.down,
        );
    }
}

fn lesson_row(model: &Model, painter: &mut Painter<'_>, row: Rect, unit: Unit, lesson: &Lesson) {
    let done = model.is_done(unit);
    let mark = row.right().saturating_sub(14);
    let number = lesson.number.to_string();
    painter.right(row.x + 4, row.y, 3, Role::Muted, &number);
    let room = mark.saturating_sub(row.x + 7);
    painter.text(row.x + 6, row.y, room, Role::Text, &lesson.title);
    state_mark(painter, mark, row.y, done, false);
    let minutes = format!("{} min", lesson.minutes);
    painter.right(
        row.right().saturating_sub(2),
        row.y,
        9,
        Role::Muted,
        &minutes,
    );
}

fn exercise_row(
    model: &Model,
    painter: &mut Painter<'_>,
    row: Rect,
    unit: Unit,
    exercise: &Exercise,
) {
    let done = model.is_done(unit);
    let record = model.record(&exercise.id);
    let begun = record.is_some_and(|record| record.attempts > 0);
    let mark = row.right().saturating_sub(14);
    let role = if done || begun {
        Role::Text
    } else {
        Role::Muted
    };
    let room = mark.saturating_sub(row.x + 10);
    painter.text(row.x + 9, row.y, room, role, exercise.id.as_str());
    state_mark(painter, mark, row.y, done, begun);
    if let Some(size) = record
        .and_then(|record| record.best)
        .and_then(|best| best.size)
    {
        let role = if done { Role::Muted } else { Role::Warn };
        painter.right(
            row.right().saturating_sub(2),
            row.y,
            9,
            role,
            &size.to_string(),
        );
    }
}

fn state_mark(painter: &mut Painter<'_>, x: u16, y: u16, done: bool, begun: bool) {
    let glyphs = painter.theme.glyphs;
    let (role, glyph) = match (done, begun) {
        (true, _) => (Role::Pass, glyphs.pass),
        (false, true) => (Role::Running, glyphs.running),
        (false, false) => (Role::Muted, glyphs.todo),
    };
    painter.text(x, y, 1, role, glyph);
}

fn detail(model: &Model, painter: &mut Painter<'_>, area: Rect) {
    if let Some(lesson) = model.lesson() {
        lesson_detail(model, painter, area, lesson);
    } else if let Some(exercise) = model.exercise() {
        exercise_detail(model, painter, area, exercise);
    }
}

/// Writes lines of text from `y` on; says where they ended.
fn paragraph(painter: &mut Painter<'_>, area: Rect, y: u16, role: Role, text: &str) -> u16 {
    let mut y = y;
    let room = usize::from(area.bottom().saturating_sub(y));
    let ellipsis = painter.theme.glyphs.ellipsis;
    for line in at_most(wrap(text, area.width), room, area.width, ellipsis) {
        painter.text(area.x, y, area.width, role, &line);
        y += 1;
    }
    y
}

fn lesson_detail(model: &Model, painter: &mut Painter<'_>, area: Rect, lesson: &Lesson) {
    let title = format!("{}  {}", lesson.number, lesson.title);
    let mut y = paragraph(painter, area, area.y, Role::Strong, &title);
    let words = if model.is_done(
        model
            .units
            .get(model.unit)
            .copied()
            .unwrap_or(Unit::Lesson(0)),
    ) {
        "read"
    } else {
        "to read"
    };
    let text = format!("{words}, about {} min", lesson.minutes);
    y = paragraph(painter, area, y, Role::Muted, &text) + 1;
    if lesson.goals.is_empty() {
        return;
    }
    y = paragraph(painter, area, y, Role::Muted, "Afterwards you can");
    for goal in &lesson.goals {
        let inner = Rect::new(
            area.x + 2,
            area.y,
            area.width.saturating_sub(2),
            area.height,
        );
        if y < area.bottom() {
            painter.text(area.x, y, 1, Role::Muted, painter.theme.glyphs.bullet);
        }
        y = paragraph(painter, inner, y, Role::Text, goal);
    }
}

fn exercise_detail(model: &Model, painter: &mut Painter<'_>, area: Rect, exercise: &Exercise) {
    let mut y = paragraph(painter, area, area.y, Role::Strong, &exercise.title);
    let brief = directive::expand(&exercise.brief, |figure| look_up(model, figure));
    y = paragraph(painter, area, y, Role::Text, &plain_start(&brief));
    y += u16::from(area.height > 8);
    let record = model.record(&exercise.id);
    for (label, role, value) in facts(model, exercise, record) {
        if y >= area.bottom() {
            return;
        }
        painter.text(area.x, y, 8, Role::Muted, label);
        painter.text(area.x + 8, y, area.width.saturating_sub(8), role, &value);
        y += 1;
    }
    let was = load::was(exercise, record.and_then(|record| record.last.as_deref()));
    let you = record
        .and_then(|record| record.best)
        .and_then(|best| best.size);
    let next = record.and_then(next_goal);
    // What is next comes first: without the load line, where there is no room for both.
    let rows = next
        .as_ref()
        .map_or(0, |next| 1 + wrap(next, area.width).len());
    let rows = u16::try_from(rows).unwrap_or(u16::MAX);
    if let Some(was) = was
        && y.saturating_add(rows).saturating_add(4) < area.bottom()
    {
        y = load_line(painter, area, y + 1, was, you, goal_bytes(exercise)) + 1;
    }
    if let Some(next) = next
        && y + 1 < area.bottom()
    {
        painter.text(area.x, y, area.width, Role::Muted, "Next");
        paragraph(painter, area, y + 1, Role::Text, &next);
    }
}

/// The first required goal of the last attempt that is not met.
fn next_goal(record: &Record) -> Option<String> {
    let report = record.last.as_ref()?;
    if let Some(problem) = &report.problem {
        return Some(problem.message.to_string());
    }
    let goal = report
        .goals
        .iter()
        .find(|goal| goal.required && goal.verdict != crate::report::VerdictName::Met)?;
    let why = goal.why.as_ref().or(goal.actual.as_ref());
    Some(match why {
        Some(why) => format!("{}: {why}", goal.title),
        None => goal.title.clone(),
    })
}

fn facts(
    model: &Model,
    exercise: &Exercise,
    record: Option<&Record>,
) -> Vec<(&'static str, Role, String)> {
    let dot = model.theme.glyphs.dot;
    let mut facts = Vec::new();
    let goals = exercise.goals.len();
    match record.and_then(|record| record.best) {
        Some(best) => {
            let passed = record.is_some_and(|record| record.passed);
            let role = if passed { Role::Pass } else { Role::Warn };
            let size = best
                .size
                .map(|size: Bytes| format!("{size} {dot} "))
                .unwrap_or_default();
            facts.push(("Best", role, format!("{size}{} of {goals} goals", best.met)));
        }
        None => {
            let titles: Vec<String> = exercise.goals.iter().map(|goal| goal.title()).collect();
            let text = format!("{goals}: {}", titles.join(", "));
            facts.push(("Goals", Role::Text, text));
        }
    }
    if let Some(record) = record
        && record.attempts > 0
    {
        let hints = match record.hints.len() {
            0 => String::new(),
            count => format!(" {dot} {}", crate::text::plural(count, "hint")),
        };
        let builds = crate::text::plural(record.attempts as usize, "build");
        facts.push(("Tries", Role::Text, format!("{builds}{hints}")));
    }
    facts.push((
        "Time",
        Role::Text,
        format!("about {} min", exercise.minutes),
    ));
    if let Some((role, text)) = bases(model, exercise) {
        facts.push(("Bases", role, text));
    }
    facts
}

/// How the bases of an exercise stand, where that is known.
fn bases(model: &Model, exercise: &Exercise) -> Option<(Role, String)> {
    let all = exercise.bases.len();
    if all == 0 || matches!(model.engine, EngineState::Missing { .. }) {
        return None;
    }
    let states: Vec<&BaseState> = exercise
        .bases
        .iter()
        .filter_map(|reference| model.bases.get(reference))
        .collect();
    let ready = states
        .iter()
        .filter(|state| matches!(state, BaseState::Ready { .. }))
        .count();
    let failed = states
        .iter()
        .any(|state| matches!(state, BaseState::Failed(_)));
    if states.is_empty() && !model.preparing {
        return None;
    }
    let text = format!("{ready} of {all} ready");
    Some(match (failed, ready == all) {
        (true, _) => (Role::Warn, format!("{text}; D tells more")),
        (false, true) => (Role::Pass, text),
        (false, false) => (Role::Running, text),
    })
}

/// The rows at the foot of the screen that tell what is being prepared or missing.
fn preparing_rows(model: &Model) -> u16 {
    match (&model.engine, model.base_at_work(), failed(model)) {
        (EngineState::Missing { .. }, _, _) if model.is_wide() => 3,
        (EngineState::Missing { .. }, _, _) => 2,
        (_, Some(_), _) | (_, _, Some(_)) => 2,
        _ => u16::from(model.preparing) * 2,
    }
}

fn failed(model: &Model) -> Option<(&str, &BaseState)> {
    model
        .bases
        .iter()
        .find(|(_, state)| matches!(state, BaseState::Failed(_)))
        .map(|(reference, state)| (reference.as_str(), state))
}

fn preparing(model: &Model, painter: &mut Painter<'_>, area: Rect, rows: u16) {
    if rows == 0 {
        return;
    }
    let glyphs = painter.theme.glyphs;
    let (x, y) = (area.x + 2, area.bottom().saturating_sub(rows));
    let room = area.width.saturating_sub(4);
    if let EngineState::Missing { trouble, .. } = &model.engine {
        let message = format!("{} {}", glyphs.warn, trouble.message);
        painter.text(x, y, room, Role::Warn, &message);
        let advice = "You can read everything; D shows what was tried and what to do.";
        painter.text(x + 2, y + 1, room.saturating_sub(2), Role::Muted, advice);
        return;
    }
    let (ready, all) = meanwhile::ready(&model.bases, &model.course);
    if let Some((reference, BaseState::Working { doing, bytes })) = model.base_at_work() {
        let label = format!("{} Preparing bases", glyphs.running);
        let at = painter.text(x, y, room, Role::Running, &label) + 2;
        let line = if model.is_wide() { 22 } else { 12 };
        #[expect(clippy::cast_precision_loss, reason = "a share, shown by a line")]
        let share = match bytes {
            Some((done, total)) if total.0 > 0 => done.0 as f64 / total.0 as f64,
            _ => ready as f64 / all.max(1) as f64,
        };
        painter.progress(at, y, line, share);
        let amount = match bytes {
            Some((done, total)) => format!("   {done} of {total}"),
            None => format!("   {ready} of {all} ready"),
        };
        let words = format!("{reference}   {doing}{amount}");
        let at = at + line + 2;
        let end = painter.text(at, y, (x + room).saturating_sub(at), Role::Muted, &words);
        if let Some(exercise) = model.exercise()
            && !exercise.bases.iter().any(|base| base == reference)
        {
            let words = "this exercise does not need it";
            if end + 3 + width(words) <= x + room {
                painter.text(end + 3, y, width(words), Role::Muted, words);
            }
        }
    } else if let Some((reference, BaseState::Failed(why))) = failed(model) {
        let text = format!("{} {reference}: {why}", glyphs.warn);
        painter.text(x, y, room, Role::Warn, &text);
    } else {
        let text = format!("{} Preparing bases", glyphs.running);
        painter.text(x, y, room, Role::Running, &text);
    }
}

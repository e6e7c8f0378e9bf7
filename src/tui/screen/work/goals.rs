//! The goals and the load line beside the file.

use ratatui::layout::Rect;

use crate::course::Exercise;
use crate::report::GoalReport;
use crate::report::VerdictName;
use crate::tui::model::Model;
use crate::tui::model::bench::Bench;
use crate::tui::paint::Painter;
use crate::tui::paint::width;
use crate::tui::screen::goal_bytes;
use crate::tui::screen::load;
use crate::tui::screen::load_line;
use crate::tui::theme::Glyphs;
use crate::tui::theme::Role;
use crate::units::Bytes;

/// Goals, load line and what the attempts weighed.
pub(super) fn side(model: &Model, painter: &mut Painter<'_>, area: Rect, bench: &Bench) {
    let Some(exercise) = model.exercise() else {
        return;
    };
    heading(painter, area, area.y, "Goals", bench.judged_by());
    if let Some((met, of)) = count(exercise, bench) {
        let text = format!("{met} of {of}");
        painter.right(area.right(), area.y, 12, Role::Muted, &text);
    }
    let end = goals(painter, area, exercise, bench);
    let mut y = end + 1;
    let was = load::was(exercise, bench.report.as_deref());
    if let Some(was) = was
        && y + 4 <= area.bottom()
    {
        heading(painter, area, y, "Load line", bench.weighed_by());
        let place = Rect::new(area.x, y + 1, area.width, area.bottom() - y - 1);
        y = load_line(
            painter,
            place,
            y + 1,
            was,
            bench.size(),
            goal_bytes(exercise),
        ) + 1;
    }
    if y < area.bottom() {
        attempts(
            model,
            painter,
            Rect::new(area.x, y, area.width, 1),
            exercise,
        );
    }
    if y + 2 < area.bottom()
        && let Some(advice) = heavy_line(bench)
    {
        let place = Rect::new(area.x, y + 2, area.width, area.bottom() - y - 2);
        let lines = crate::tui::paint::wrap(&advice, place.width);
        for (line, y) in lines.iter().zip(place.y..place.bottom()) {
            painter.text(place.x, y, place.width, Role::Warn, line);
        }
    }
}

/// A heading, and the build that what stands under it is of, where another one is shown. Says where
/// it ends.
fn heading(painter: &mut Painter<'_>, area: Rect, y: u16, words: &str, number: Option<u32>) -> u16 {
    let of = number.map(|number| format!(" of build {number}"));
    let of = of.unwrap_or_default();
    painter.line(
        area.x,
        y,
        area.width,
        &[(Role::Strong, words), (Role::Muted, &of)],
    )
}

/// How many required goals are met, once anything was judged.
fn count(exercise: &Exercise, bench: &Bench) -> Option<(usize, usize)> {
    let of = exercise.goals.len();
    let judged: Vec<&GoalReport> = (0..of).filter_map(|index| bench.judged(index)).collect();
    if judged.is_empty() {
        return None;
    }
    let met = judged
        .iter()
        .filter(|goal| goal.verdict == VerdictName::Met);
    Some((met.count(), of))
}

fn look(glyphs: &'static Glyphs, verdict: Option<VerdictName>) -> (Role, &'static str) {
    match verdict {
        Some(VerdictName::Met) => (Role::Pass, glyphs.pass),
        Some(VerdictName::Unmet) => (Role::Fail, glyphs.fail),
        Some(VerdictName::Unknown) => (Role::Warn, glyphs.unknown),
        None => (Role::Muted, glyphs.todo),
    }
}

/// One row per goal; says where the rows end.
fn goals(painter: &mut Painter<'_>, area: Rect, exercise: &Exercise, bench: &Bench) -> u16 {
    let entries = exercise.goals.iter().chain(&exercise.stretch);
    let required = exercise.goals.len();
    let titles: Vec<String> = entries.map(|entry| entry.title()).collect();
    let longest = titles.iter().map(|title| width(title)).max().unwrap_or(0);
    let column = longest.min(area.width / 2) + 2;
    let mut y = area.y + 2;
    for (index, title) in titles.iter().enumerate() {
        if y >= area.bottom() {
            break;
        }
        if index == required {
            painter.text(area.x, y, area.width, Role::Muted, "and if you like");
            y += 1;
        }
        let goal = bench.judged(index);
        let verdict = goal.map(|goal| goal.verdict);
        let (role, glyph) = look(painter.theme.glyphs, verdict);
        painter.text(area.x, y, 1, role, glyph);
        let title_role = match verdict {
            Some(VerdictName::Unmet) => Role::Strong,
            Some(_) => Role::Text,
            None => Role::Muted,
        };
        painter.text(area.x + 2, y, column - 1, title_role, title);
        let found = goal.and_then(|goal| goal.actual.as_ref().or(goal.why.as_ref()));
        if let Some(found) = found {
            let role = match verdict {
                Some(VerdictName::Unmet) => Role::Fail,
                Some(VerdictName::Unknown) => Role::Warn,
                _ => Role::Muted,
            };
            let x = area.x + 2 + column;
            let room = area.right().saturating_sub(x);
            painter.text(x, y, room, role, found.as_str());
        }
        y += 1;
    }
    y
}

/// What the images of the attempts weighed: the first, and the last ones.
fn attempts(model: &Model, painter: &mut Painter<'_>, area: Rect, exercise: &Exercise) {
    let Some(record) = model.record(&exercise.id) else {
        return;
    };
    if record.sizes.len() < 2 {
        return;
    }
    let arrow = painter.theme.glyphs.arrow;
    let recent: Vec<String> = record
        .sizes
        .iter()
        .rev()
        .take(3)
        .rev()
        .map(Bytes::to_string)
        .collect();
    let text = recent.join(&format!(" {arrow} "));
    let x = painter.text(area.x, area.y, 10, Role::Muted, "Attempts") + 2;
    painter.text(
        x,
        area.y,
        area.right().saturating_sub(x),
        Role::Muted,
        &text,
    );
}

/// The line that is most of an image that is too large.
fn heavy_line(bench: &Bench) -> Option<String> {
    if bench.is_building() || bench.passed() {
        return None;
    }
    let image = bench.report.as_ref()?.image.as_ref()?;
    let heaviest = image
        .layers
        .iter()
        .filter_map(|layer| Some((layer.line?, layer.shipped_bytes)))
        .fold(
            std::collections::BTreeMap::new(),
            |mut sums, (line, bytes)| {
                let sum: &mut Bytes = sums.entry(line).or_default();
                *sum = sum.plus(bytes);
                sums
            },
        )
        .into_iter()
        .max_by_key(|(_, bytes)| *bytes)?;
    let share = heaviest.1.share_of(image.shipped_bytes);
    (share.0 >= 40.0).then(|| {
        let line = heaviest.0;
        let image = bench.earlier().map_or_else(
            || "the image".to_owned(),
            |number| format!("the image of build {number}"),
        );
        format!("! line {line} is {share} of {image}. Is all of it needed at run time?")
    })
}

/// Goals and load line in two rows.
pub(super) fn strip(model: &Model, painter: &mut Painter<'_>, area: Rect, bench: &Bench) {
    let Some(exercise) = model.exercise() else {
        return;
    };
    let end = area.right().saturating_sub(2);
    let place = Rect::new(area.x + 2, area.y, end.saturating_sub(area.x + 2), 1);
    let mut x = heading(painter, place, area.y, "Goals", bench.judged_by()) + 2;
    let counted = count(exercise, bench)
        .map(|(met, of)| format!("{met} of {of}"))
        .unwrap_or_default();
    let room = end.saturating_sub(width(&counted) + 2);
    for (index, entry) in exercise.goals.iter().enumerate() {
        let title = entry.title();
        if x + 2 + width(&title) > room {
            painter.text(x, area.y, 1, Role::Muted, painter.theme.glyphs.ellipsis);
            break;
        }
        let verdict = bench.judged(index).map(|goal| goal.verdict);
        let (role, glyph) = look(painter.theme.glyphs, verdict);
        x = painter.text(x, area.y, 1, role, glyph) + 1;
        let role = if verdict == Some(VerdictName::Unmet) {
            Role::Strong
        } else {
            Role::Muted
        };
        x = painter.text(x, area.y, room.saturating_sub(x), role, &title) + 2;
    }
    painter.right(end, area.y, width(&counted), Role::Muted, &counted);
    let y = area.y + 1;
    if let Some(was) = load::was(exercise, bench.report.as_deref()) {
        let place = Rect::new(area.x + 2, y, area.width.saturating_sub(4), 1);
        super::super::load_row(painter, place, was, bench.size(), goal_bytes(exercise));
    }
}

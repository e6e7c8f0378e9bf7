//! The load line: from what the starter weighed to what is allowed, with the learner's image on it.

use ratatui::layout::Rect;

use crate::course::Exercise;
use crate::report::Report;
use crate::tui::paint::Painter;
use crate::tui::paint::width;
use crate::tui::theme::Role;
use crate::units::Bytes;

/// What the starter weighs: as a report measured it, or as the exercise says.
pub(super) fn was(exercise: &Exercise, report: Option<&Report>) -> Option<Bytes> {
    let measured = report.and_then(|report| report.baseline.as_ref());
    let told = || exercise.baseline.as_ref().map(|baseline| baseline.size);
    measured
        .map(|baseline| baseline.shipped_bytes)
        .or_else(told)
}

/// Columns of a size among `columns` that stand for `whole`, in eighths.
fn eighths(size: Bytes, whole: Bytes, columns: u16) -> u64 {
    let cells = u128::from(size.0) * u128::from(columns) * 8;
    let filled = cells.checked_div(u128::from(whole.0)).unwrap_or(0);
    let most = u128::from(columns) * 8;
    // Something that weighs something is never drawn as nothing.
    let least = u128::from(size.0 > 0);
    u64::try_from(filled.clamp(least, most.max(least))).unwrap_or(0)
}

fn bar(painter: &mut Painter<'_>, x: u16, y: u16, columns: u16, parts: u64, role: Role) {
    let glyphs = painter.theme.glyphs;
    let full = u16::try_from(parts / 8).unwrap_or(columns).min(columns);
    painter.text(x, y, full, role, &glyphs.full.repeat(full.into()));
    let rest = usize::try_from(parts % 8).unwrap_or(0);
    if full < columns && rest > 0 {
        let part = glyphs.eighths.get(rest - 1).unwrap_or(&glyphs.full);
        painter.text(x + full, y, 1, role, part);
    }
}

/// The bar of before and after in one row, with the goal's mark in it.
fn row(
    painter: &mut Painter<'_>,
    x: u16,
    y: u16,
    columns: u16,
    was: Bytes,
    you: Option<Bytes>,
    goal: Option<Bytes>,
) -> Option<u16> {
    let glyphs = painter.theme.glyphs;
    let whole = Bytes(was.0.max(you.unwrap_or_default().0));
    let shade = glyphs.shade.repeat(columns.into());
    painter.text(x, y, columns, Role::Before, &shade);
    if let Some(you) = you {
        bar(
            painter,
            x,
            y,
            columns,
            eighths(you, whole, columns),
            Role::You,
        );
    }
    let goal = goal.filter(|goal| *goal < whole)?;
    let at = u16::try_from(eighths(goal, whole, columns) / 8).unwrap_or(0);
    let mark = x + at.min(columns.saturating_sub(1));
    painter.text(mark, y, 1, Role::Goal, glyphs.goal);
    Some(mark)
}

/// The load line in three rows: the sizes, the bar, the goal. Says where it ended.
pub fn load_line(
    painter: &mut Painter<'_>,
    area: Rect,
    y: u16,
    was: Bytes,
    you: Option<Bytes>,
    goal: Option<Bytes>,
) -> u16 {
    let was_text = format!("was {was}");
    painter.right(area.right(), y, width(&was_text), Role::Muted, &was_text);
    if let Some(you) = you {
        let text = you.to_string();
        let reach = u16::try_from(eighths(you, Bytes(was.0.max(you.0)), area.width) / 8);
        let room = area
            .width
            .saturating_sub(width(&was_text) + width(&text) + 2);
        let at = reach
            .unwrap_or(0)
            .saturating_sub(width(&text) / 2)
            .min(room);
        let style = painter.theme.style(Role::You).bold();
        painter.styled(area.x + at, y, width(&text), style, &text);
    }
    let mark = row(painter, area.x, y + 1, area.width, was, you, goal);
    let (Some(goal), true) = (goal, y + 2 < area.bottom()) else {
        return y + 2;
    };
    let foot = mark.unwrap_or(area.x);
    let glyph = painter.theme.glyphs.goal_foot;
    let text = format!("{glyph} goal {goal}");
    let room = area.right().saturating_sub(width(&text));
    painter.text(foot.min(room), y + 2, width(&text), Role::Muted, &text);
    y + 3
}

/// The load line in one row: the bar, then the sizes in words.
pub fn load_row(
    painter: &mut Painter<'_>,
    area: Rect,
    was: Bytes,
    you: Option<Bytes>,
    goal: Option<Bytes>,
) {
    let you_text = you.map(|you| you.to_string()).unwrap_or_default();
    let goal_text = goal
        .map(|goal| format!("goal {goal}   "))
        .unwrap_or_default();
    let rest = format!("{goal_text}was {was}");
    let words = width(&you_text) + width(&rest) + 5;
    let columns = area.width.saturating_sub(words);
    row(painter, area.x, area.y, columns, was, you, goal);
    let x = area.x + columns + 2;
    let style = painter.theme.style(Role::You).bold();
    let x = painter.styled(x, area.y, width(&you_text), style, &you_text);
    let x = if you.is_some() { x + 3 } else { x };
    painter.text(
        x,
        area.y,
        area.right().saturating_sub(x),
        Role::Muted,
        &rest,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_drawn_by_its_share_and_never_as_nothing() {
        assert_eq!(eighths(Bytes(50), Bytes(100), 10), 40);
        assert_eq!(eighths(Bytes(1), Bytes(1_000_000), 10), 1);
        assert_eq!(eighths(Bytes(0), Bytes(100), 10), 0);
        assert_eq!(eighths(Bytes(500), Bytes(100), 10), 80);
        assert_eq!(eighths(Bytes(5), Bytes(0), 10), 1);
    }
}

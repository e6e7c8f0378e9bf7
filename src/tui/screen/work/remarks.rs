//! What is worth a look in the shown Dockerfile: what the rules find while it is being written, and
//! what the builder said of it.

use ratatui::layout::Rect;

use crate::dockerfile::lint::Edit;
use crate::dockerfile::lint::Finding;
use crate::dockerfile::lint::Rule;
use crate::dockerfile::lint::Severity;
use crate::text::Clean;
use crate::text::plural;
use crate::tui::action;
use crate::tui::action::ActionId;
use crate::tui::model::Model;
use crate::tui::model::bench::Bench;
use crate::tui::paint::Painter;
use crate::tui::paint::width;
use crate::tui::paint::wrap;
use crate::tui::screen;
use crate::tui::screen::Beside;
use crate::tui::screen::diff;
use crate::tui::screen::look;
use crate::tui::screen::page;
use crate::tui::screen::work::bill;
use crate::tui::screen::work::file::is_dockerfile;
use crate::tui::theme::Glyphs;
use crate::tui::theme::Role;
use crate::units::Bytes;
use crate::workshop::LEFT_TO_HINTS;

/// The rules that speak of bytes which a later layer hides.
const MEASURED: [&str; 2] = ["remove-in-later-layer", "recursive-chown"];

/// Something that is worth a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The row of the file, from 0.
    pub row: usize,
    /// How much it matters.
    pub severity: Severity,
    /// What was found.
    pub text: Clean,
    /// The rule; `None` for what the builder said.
    pub rule: Option<&'static Rule>,
    /// What to do about it.
    pub hint: Option<Clean>,
    /// The changes that mend it; empty where that takes a person.
    pub fix: Vec<Edit>,
}

impl Remark {
    fn of(finding: &Finding, wasted: Option<Bytes>) -> Self {
        let text = match wasted {
            Some(bytes) => Clean::line(&format!("{}: {bytes} wasted", finding.message)),
            None => finding.message.clone(),
        };
        Self {
            row: usize::try_from(finding.line.saturating_sub(1)).unwrap_or(usize::MAX),
            severity: finding.severity,
            text,
            rule: Some(finding.rule),
            hint: finding.hint.clone(),
            fix: finding.fix.clone(),
        }
    }

    /// The same without what mends it.
    fn left_to_hints(self) -> Self {
        Self {
            hint: Some(Clean::line(LEFT_TO_HINTS)),
            fix: Vec::new(),
            ..self
        }
    }

    /// Who says so: a rule's id, or the builder.
    #[must_use]
    pub const fn who(&self) -> &'static str {
        match self.rule {
            Some(rule) => rule.id,
            None => "the builder",
        }
    }
}

/// What is known of the ignore file beside the Dockerfile.
#[must_use]
pub(super) fn beside(bench: &Bench) -> Beside {
    let file = bench.files.iter().find(|file| file.name == ".dockerignore");
    let Some(file) = file else {
        return Beside::Unknown;
    };
    let text = file.editor.text();
    if file.disk.is_none() && text.is_empty() {
        Beside::Missing
    } else {
        Beside::Text(text)
    }
}

/// The bytes that a line of the last build wasted, where a rule speaks of them and the image was
/// looked into.
fn wasted(bench: &Bench, finding: &Finding) -> Option<Bytes> {
    if !MEASURED.contains(&finding.rule.id) {
        return None;
    }
    let insight = bench.look.insight()?;
    let names = look::names(bench)?;
    let now = |layer: usize| bill::row_of(bench, names.line(layer)?);
    let row = |line: u32| usize::try_from(line.saturating_sub(1)).ok();
    let heaps = insight.heaps.iter().filter(|heap| {
        let shipped = finding
            .other_line
            .is_none_or(|line| now(heap.shipped_in) == row(line));
        shipped && now(heap.hidden_in) == row(finding.line)
    });
    let bytes: Bytes = heaps.map(|heap| heap.bytes).sum();
    (bytes > Bytes(0)).then_some(bytes)
}

/// The remarks on the shown file, by row, the gravest of a row first; none where it is not a
/// Dockerfile.
#[must_use]
pub fn remarks(bench: &Bench) -> Vec<Remark> {
    let Some(file) = bench.shown().filter(|file| is_dockerfile(&file.name)) else {
        return Vec::new();
    };
    let sheet = screen::sheet_beside(&file.editor.text(), beside(bench));
    let remark = |finding: &Finding| {
        let remark = Remark::of(finding, wasted(bench, finding));
        if bench.left_to_hints.contains(finding.rule.id) {
            remark.left_to_hints()
        } else {
            remark
        }
    };
    let mut all: Vec<Remark> = sheet.findings.iter().map(remark).collect();
    let said = bench.build.as_ref().map(|build| build.warnings.as_slice());
    for warning in said.unwrap_or_default() {
        let row = warning
            .line
            .and_then(|line| bill::now_of(bench, &file.name, line));
        let name = warning.text.as_str().split(':').next().unwrap_or_default();
        let known = |other: &Remark| {
            Some(other.row) == row && other.rule.is_some_and(|rule| rule.is_called(name))
        };
        // A line that was changed since is not what the builder spoke of.
        if let Some(row) = row
            && !all.iter().any(known)
        {
            all.push(Remark {
                row,
                severity: Severity::Warning,
                text: warning.text.clone(),
                rule: None,
                hint: None,
                fix: Vec::new(),
            });
        }
    }
    all.sort_by_key(|remark| (remark.row, std::cmp::Reverse(remark.severity)));
    all
}

/// The gravest remark on the row of the cursor.
#[must_use]
pub fn here(bench: &Bench) -> Option<Remark> {
    let row = bench.shown()?.editor.cursor().0;
    remarks(bench).into_iter().find(|remark| remark.row == row)
}

/// A remark's look: the grave ones are marks, the others a dot.
pub(super) const fn mark(glyphs: &'static Glyphs, severity: Severity) -> (Role, &'static str) {
    match severity {
        Severity::Error => (Role::Fail, glyphs.warn),
        Severity::Warning => (Role::Warn, glyphs.warn),
        Severity::Info | Severity::Style => (Role::Muted, glyphs.bullet),
    }
}

/// Says what is remarked on the row at hand, or how many rows have remarks.
pub(super) fn note(model: &Model, painter: &mut Painter<'_>, area: Rect, bench: &Bench) {
    let all = remarks(bench);
    let Some(row) = bench.shown().map(|file| file.editor.cursor().0) else {
        return;
    };
    let (x, end) = (area.x + 2, area.right().saturating_sub(1));
    let [fix, why] = [ActionId::Fix, ActionId::Remarks].map(|id| action::key_name(model, id));
    let here: Vec<&Remark> = all.iter().filter(|remark| remark.row == row).collect();
    let Some(remark) = here.first() else {
        if !all.is_empty() && !why.is_empty() {
            let rows: std::collections::BTreeSet<usize> =
                all.iter().map(|remark| remark.row).collect();
            let words = format!(" {} to look at", plural(rows.len(), "line"));
            painter.line(
                x,
                area.y,
                end.saturating_sub(x),
                &[(Role::Key, &why), (Role::Muted, &words)],
            );
        }
        return;
    };
    let (role, glyph) = mark(painter.theme.glyphs, remark.severity);
    let more = match here.len() {
        1 => String::new(),
        several => format!("  and {} more", several - 1),
    };
    let mut keys: Vec<(Role, &str)> = Vec::new();
    if !fix.is_empty() {
        keys.extend([(Role::Key, fix.as_str()), (Role::Muted, " fix  ")]);
    }
    if !why.is_empty() {
        keys.extend([(Role::Key, why.as_str()), (Role::Muted, " why")]);
    }
    let keys_width: u16 = keys.iter().map(|(_, text)| width(text)).sum();
    let at = end.saturating_sub(keys_width);
    painter.line(at, area.y, keys_width, &keys);
    let role = if role == Role::Muted {
        Role::Text
    } else {
        role
    };
    painter.line(
        x,
        area.y,
        at.saturating_sub(x + 2),
        &[
            (role, glyph),
            (role, " "),
            (role, remark.text.as_str()),
            (Role::Muted, &more),
        ],
    );
    if area.height > 1
        && let Some(hint) = &remark.hint
    {
        let room = end.saturating_sub(x + 2);
        painter.text(x + 2, area.y + 1, room, Role::Muted, hint.as_str());
    }
}

/// Draws the list of remarks over the screen, with the reason of the chosen one.
pub(in crate::tui::screen) fn list(
    model: &Model,
    painter: &mut Painter<'_>,
    area: Rect,
    selected: usize,
) {
    let Some(bench) = model.bench() else {
        return;
    };
    let all = remarks(bench);
    // The file may have changed on disk meanwhile.
    let selected = selected.min(all.len().saturating_sub(1));
    let columns = 96.min(area.width.saturating_sub(4));
    let details = all
        .get(selected)
        .map(|remark| details(painter, bench, remark, columns.saturating_sub(4)))
        .unwrap_or_default();
    let most = usize::from(area.height.saturating_sub(4));
    // The reason keeps its rows; the list gets what is left, three rows at least.
    let rows = all.len().min(most.saturating_sub(details.len() + 3).max(3));
    let height = u16::try_from((rows + details.len() + 3).min(most)).unwrap_or(u16::MAX);
    let x = area.x + (area.width - columns) / 2;
    let place = Rect::new(x, area.y + 2, columns, height);
    painter.clear(place);
    painter.frame(place, &format!("{} to look at", plural(all.len(), "thing")));
    let first = (selected + 1).saturating_sub(rows);
    let shown = all.iter().enumerate().skip(first).take(rows);
    let bottom = place.bottom().saturating_sub(1);
    for ((index, remark), y) in shown.zip(place.y + 1..bottom) {
        let row = Rect::new(x + 1, y, columns.saturating_sub(2), 1);
        list_row(painter, row, remark);
        if index == selected {
            painter.highlight(row, Role::Select);
        }
    }
    let from = place.y + 2 + u16::try_from(rows).unwrap_or(u16::MAX);
    for (line, y) in details.iter().zip(from..bottom) {
        painter
            .buf
            .set_line(x + 2, y, line, columns.saturating_sub(4));
    }
}

fn list_row(painter: &mut Painter<'_>, row: Rect, remark: &Remark) {
    let (role, glyph) = mark(painter.theme.glyphs, remark.severity);
    let number = format!("{:>4}", remark.row + 1);
    let right = painter.right(
        row.right().saturating_sub(1),
        row.y,
        row.width / 3,
        Role::Muted,
        remark.who(),
    );
    painter.line(
        row.x,
        row.y,
        right.saturating_sub(row.x + 2),
        &[
            (Role::Muted, &number),
            (Role::Text, " "),
            (role, glyph),
            (Role::Text, " "),
            (Role::Text, remark.text.as_str()),
        ],
    );
}

/// Why it matters, what to do, and what a fix would change.
fn details(
    painter: &Painter<'_>,
    bench: &Bench,
    remark: &Remark,
    columns: u16,
) -> Vec<ratatui::text::Line<'static>> {
    let theme = painter.theme;
    let mut lines = Vec::new();
    match remark.rule {
        Some(rule) => {
            lines.extend(
                wrap(rule.why, columns)
                    .iter()
                    .map(|line| page::line(theme, &[(Role::Text, line)])),
            );
            let names: Vec<&str> = rule.aliases.to_vec();
            if !names.is_empty() {
                let words = format!("also known as {}", names.join(", "));
                lines.push(page::line(theme, &[(Role::Muted, &words)]));
            }
        }
        None => {
            let words = "The builder said so in the last build.";
            lines.push(page::line(theme, &[(Role::Text, words)]));
        }
    }
    if let Some(hint) = &remark.hint {
        lines.extend(page::labelled(
            theme,
            "next  ",
            Role::Text,
            hint.as_str(),
            columns,
        ));
    }
    if let (false, Some(file)) = (remark.fix.is_empty(), bench.shown()) {
        let then = file.editor.text();
        let now = mended(&then, &remark.fix);
        lines.push(ratatui::text::Line::default());
        lines.extend(diff::only_changes(&diff::rows(&then, &now), columns, theme));
    }
    lines.push(ratatui::text::Line::default());
    let mut keys = vec![(Role::Key, "Enter"), (Role::Muted, " go to the line    ")];
    if !remark.fix.is_empty() {
        keys.extend([(Role::Key, "F"), (Role::Muted, " fix    ")]);
    }
    keys.extend([(Role::Key, "Esc"), (Role::Muted, " close")]);
    lines.push(page::line(theme, &keys));
    lines
}

/// A text with the changes made. Changes that are not on its characters, or overlap, are left out.
#[must_use]
pub fn mended(text: &str, edits: &[Edit]) -> String {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        let (Some(before), Some(_)) = (text.get(at..edit.span.start), text.get(edit.span.range()))
        else {
            continue;
        };
        out.push_str(before);
        out.push_str(&edit.text);
        at = edit.span.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::Span;

    #[test]
    fn edits_are_made_from_start_to_end_and_bad_ones_are_left_out() {
        let edit = |start, end, text: &str| Edit {
            span: Span { start, end },
            text: text.to_owned(),
        };
        let edits = [
            edit(4, 5, "B"),
            edit(0, 0, "# "),
            edit(4, 9, "x"),
            edit(99, 99, "y"),
        ];
        assert_eq!(mended("aé b", &edits), "# aé B");
    }
}

//! The findings, one row each; the chosen one with all that is known of it.

use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::finding::Finding;
use crate::finding::Scan;
use crate::finding::Severity;
use crate::text::Clean;
use crate::tui::model::Model;
use crate::tui::model::bench::Bench;
use crate::tui::model::cves::Listed;
use crate::tui::model::cves::Order;
use crate::tui::paint::Painter;
use crate::tui::paint::wrap;
use crate::tui::screen::cves::Layout;
use crate::tui::screen::cves::advised;
use crate::tui::screen::cves::chosen;
use crate::tui::screen::cves::first;
use crate::tui::screen::page;
use crate::tui::theme::Role;
use crate::tui::theme::Theme;
use crate::workshop::insight::Names;
use crate::workshop::insight::blind_spots;
use crate::workshop::insight::uncompared;

/// Columns of a severity.
const SEVERITY: u16 = 10;

pub(super) fn view(
    model: &Model,
    painter: &mut Painter<'_>,
    layout: &Layout,
    bench: &Bench,
    names: Names<'_>,
) {
    title(painter, layout.title, bench);
    let area = layout.list;
    let state = &bench.cves;
    if state.rows().is_empty() {
        empty(painter, area, bench);
        return;
    }
    let before = first(model, bench);
    let Some(scan) =
        advised(bench).and_then(|advised| state.scan(&advised.scan, before.map(|(scan, _)| scan)))
    else {
        return;
    };
    // What is gone was in another image, with other lines.
    let first_image = before.and_then(|(_, report)| report.image.as_ref());
    let names = match (state.listed, first_image) {
        (Listed::Gone, Some(image)) => Names {
            dockerfile: "",
            image,
        },
        _ => names,
    };
    rows(painter, area, bench, scan, names);
    let left = state.rows().len();
    if left > state.top + usize::from(area.height) {
        let glyph = painter.theme.glyphs.down;
        painter.right(area.right() + 1, area.bottom() - 1, 1, Role::Muted, glyph);
    }
}

/// The rows in sight, the chosen one with its details where it is open.
fn rows(painter: &mut Painter<'_>, area: Rect, bench: &Bench, scan: &Scan, names: Names<'_>) {
    let state = &bench.cves;
    let wide = area.width >= 96;
    let mut y = area.y;
    let shown = state.rows().iter().enumerate().skip(state.top);
    for (row, index) in shown {
        let Some(finding) = scan.findings.get(*index).filter(|_| y < area.bottom()) else {
            break;
        };
        let place = Rect {
            y,
            height: 1,
            ..area
        };
        finding_row(painter, place, finding, names, wide);
        y += 1;
        if row == state.selected {
            let bar = Rect {
                x: area.x.saturating_sub(1),
                width: area.width + 1,
                ..place
            };
            painter.highlight(bar, Role::Select);
            let glyph = painter.theme.glyphs.focus;
            painter.text(area.x.saturating_sub(2), place.y, 1, Role::Key, glyph);
            if state.open {
                for line in details(painter.theme, finding, names, area.width) {
                    if y < area.bottom() {
                        painter.buf.set_line(area.x, y, &line, area.width);
                    }
                    y += 1;
                }
            }
        }
    }
}

fn title(painter: &mut Painter<'_>, area: Rect, bench: &Bench) {
    let state = &bench.cves;
    let words = match state.listed {
        Listed::Here => "Still here",
        Listed::Gone => "Gone since your first image",
        Listed::New => "Not in your first image",
    };
    let count = format!("  {}", state.rows().len());
    painter.line(
        area.x,
        area.y,
        area.width,
        &[(Role::Strong, words), (Role::Muted, &count)],
    );
    let order = match state.order {
        Order::Severity => "worst first",
        Order::Package => "by package",
    };
    let choice = if state.filter.is_empty() {
        order.to_owned()
    } else {
        format!("\u{201c}{}\u{201d}, {order}", state.filter)
    };
    painter.right(area.right(), area.y, area.width / 2, Role::Muted, &choice);
}

fn empty(painter: &mut Painter<'_>, area: Rect, bench: &Bench) {
    let state = &bench.cves;
    let glyphs = painter.theme.glyphs;
    let scan = advised(bench).map(|advised| &advised.scan);
    let blind = scan.is_some_and(|scan| !blind_spots(scan).is_empty());
    let compared = scan.map_or(0, |scan| scan.packages);
    let (role, words) = match (state.filter.is_empty(), state.listed, blind) {
        (false, ..) => (
            Role::Muted,
            format!("no finding has \u{201c}{}\u{201d} in it", state.filter),
        ),
        (true, Listed::Gone, _) => (Role::Muted, "nothing went away".to_owned()),
        (true, Listed::New, _) => (Role::Muted, "nothing came".to_owned()),
        (true, Listed::Here, true) => (
            Role::Warn,
            format!("{} nothing known, as far as can be seen", glyphs.unknown),
        ),
        (true, Listed::Here, false) => (
            Role::Pass,
            format!(
                "{} nothing known of its {}",
                glyphs.pass,
                crate::text::plural(compared, "package")
            ),
        ),
    };
    painter.text(area.x, area.y, area.width, role, &words);
    if !state.filter.is_empty() || state.listed != Listed::Here {
        return;
    }
    let runtimes = scan.iter().flat_map(|scan| &scan.runtimes);
    for (runtime, y) in runtimes.zip(area.y + 1..area.bottom()) {
        let words = format!("not compared: {}", uncompared(runtime));
        painter.text(area.x, y, area.width, Role::Muted, &words);
    }
}

const fn look(severity: Severity) -> Role {
    match severity {
        Severity::Critical | Severity::High => Role::Fail,
        Severity::Medium => Role::Warn,
        Severity::Low | Severity::Unknown => Role::Muted,
    }
}

/// `high   CVE-2024-1234   werkzeug   3.0.1 → 3.0.3   line 4`.
fn finding_row(
    painter: &mut Painter<'_>,
    row: Rect,
    finding: &Finding,
    names: Names<'_>,
    wide: bool,
) {
    let theme = painter.theme;
    let package = &finding.package;
    let clean = |text: &str| Clean::line(text).to_string();
    let fixed = match &finding.fixed {
        Some(version) => (Role::Text, clean(version)),
        None => (Role::Muted, "no fix known".to_owned()),
    };
    let severity = page::fit(theme, finding.severity.as_str(), SEVERITY);
    let place = names.place(package.layer);
    let name = (row.width / 5).clamp(14, 30);
    let version = (row.width / 6).clamp(9, 24);
    let mut pieces: Vec<(Role, String)> = vec![(look(finding.severity), severity)];
    if wide {
        pieces.push((Role::Muted, page::fit(theme, &clean(&finding.id), 18)));
    }
    pieces.push((Role::Text, page::fit(theme, &clean(&package.name), name)));
    pieces.push((Role::Text, " ".to_owned()));
    pieces.push((
        Role::Text,
        page::fit(theme, &clean(&package.version), version),
    ));
    pieces.push((Role::Muted, format!(" {} ", theme.glyphs.arrow)));
    pieces.push((fixed.0, page::fit(theme, &fixed.1, version)));
    pieces.push((Role::Muted, format!("  {place}")));
    let pieces: Vec<(Role, &str)> = pieces
        .iter()
        .map(|(role, text)| (*role, text.as_str()))
        .collect();
    painter.line(row.x, row.y, row.width, &pieces);
}

/// Everything about one finding.
fn details(theme: Theme, finding: &Finding, names: Names<'_>, columns: u16) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let indent = " ".repeat(usize::from(SEVERITY));
    let room = columns.saturating_sub(SEVERITY + 1);
    let mut say = |role, text: &str| {
        for part in wrap(Clean::line(text).as_str(), room) {
            lines.push(page::line(theme, &[(Role::Text, &indent), (role, &part)]));
        }
    };
    let aliases = if finding.aliases.is_empty() {
        String::new()
    } else {
        format!(", also {}", finding.aliases.join(", "))
    };
    say(Role::Muted, &format!("{}{aliases}", finding.id));
    if !finding.summary.is_empty() {
        say(Role::Text, &finding.summary);
    }
    let package = &finding.package;
    let mut also = String::new();
    if !finding.also.is_empty() {
        let others: Vec<&str> = finding.also.iter().map(|one| one.name.as_str()).collect();
        also = format!(", and in {}", others.join(", "));
    }
    say(Role::Muted, &format!("/{}{also}", package.path));
    let maker = names.maker(package.layer);
    say(
        Role::Text,
        &format!("{}: {maker}", names.place(package.layer)),
    );
    if finding.fixed.is_none() {
        let words = "No version is known to mend it: leave the package out where you can.";
        say(Role::Text, words);
    }
    lines.push(Line::default());
    lines
}

/// How many rows the details of the chosen finding take.
#[must_use]
pub(in crate::tui) fn details_height(model: &Model, bench: &Bench, columns: u16) -> usize {
    let names = crate::tui::screen::look::names(bench);
    let (Some(finding), Some(names), true) = (chosen(model, bench), names, bench.cves.open) else {
        return 0;
    };
    details(model.theme, finding, names, columns).len()
}

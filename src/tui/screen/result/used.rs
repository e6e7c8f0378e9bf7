//! What a run of the image opened, where that was asked for.

use ratatui::text::Line;

use super::cost;
use crate::attempt;
use crate::attempt::Traced;
use crate::image::maker;
use crate::image::touched;
use crate::image::touched::FolderUse;
use crate::image::touched::LayerUse;
use crate::image::touched::Part;
use crate::text::Clean;
use crate::text::plural;
use crate::tui::action::ActionId;
use crate::tui::action::is_enabled;
use crate::tui::model::Model;
use crate::tui::model::bench::Bench;
use crate::tui::paint::wrap;
use crate::tui::screen::page;
use crate::tui::theme::Role;
use crate::tui::theme::Theme;
use crate::units::Bytes;

/// Rows of each list.
const ROWS: usize = 5;

/// Columns of the words before a bar.
const LABEL: usize = 6;

/// Adds one line below the bars of the sizes: how much was opened, or that it can be found out.
/// `scale` is the size that the longest bar stands for, and its columns.
pub(super) fn bar(
    lines: &mut Vec<Line<'static>>,
    model: &Model,
    scale: (Bytes, u16),
    columns: u16,
) {
    let theme = model.theme;
    let label = format!("{:<LABEL$}", "used");
    let cut = |text: &str, used: usize| {
        let room = usize::from(columns).saturating_sub(used);
        let room = u16::try_from(room).unwrap_or(columns);
        crate::tui::paint::cut(text, room, theme.glyphs.ellipsis)
    };
    let (role, text) = match model.bench().and_then(|bench| bench.traced.as_ref()) {
        _ if is_running(model) => (
            Role::Running,
            "the image runs once more, and what it opens is written down",
        ),
        Some(Ok(traced)) if traced.outcome.start_error.is_none() => {
            let touched = &traced.touched;
            let bar = cost::bar(theme, touched.opened.bytes, scale.0, scale.1);
            let size = format!("  {}", touched.opened.bytes);
            let pieces = [
                (Role::Muted, label.as_str()),
                (Role::Pass, &bar),
                (Role::Pass, &size),
            ];
            let mut line = page::line(theme, &pieces);
            let share = format!("   {} of what you ship was opened", touched.share());
            let share = cut(&share, line.width());
            line.spans
                .extend(page::line(theme, &[(Role::Strong, &share)]).spans);
            lines.push(line);
            return;
        }
        Some(_) => (Role::Warn, "not known; the reason is below"),
        None if is_enabled(model, ActionId::Trace) => (
            Role::Muted,
            "r runs the image once more and shows how much of it is opened",
        ),
        None => return,
    };
    let text = cut(text, LABEL);
    lines.push(page::line(theme, &[(Role::Muted, &label), (role, &text)]));
}

/// Whether the image of the open exercise is being run for this.
fn is_running(model: &Model) -> bool {
    let running = model.tracing.as_ref();
    running.is_some_and(|job| model.exercise().is_some_and(|open| open.id == job.exercise))
}

/// Adds what stands behind it to the lines of the screen.
pub(super) fn lines(lines: &mut Vec<Line<'static>>, model: &Model, bench: &Bench, columns: u16) {
    let theme = model.theme;
    match &bench.traced {
        None => {}
        Some(_) if is_running(model) => {}
        Some(Ok(traced)) => {
            heading(lines, theme);
            shown(lines, model, traced, columns);
            lines.push(Line::default());
        }
        Some(Err(trouble)) => {
            heading(lines, theme);
            sentence(lines, theme, Role::Warn, trouble.message.as_str(), columns);
            if let Some(next) = &trouble.next_step {
                sentence(lines, theme, Role::Text, next.as_str(), columns);
            }
            lines.push(Line::default());
        }
    }
}

fn heading(lines: &mut Vec<Line<'static>>, theme: Theme) {
    lines.push(page::line(theme, &[(Role::Strong, "What is used")]));
    lines.push(Line::default());
}

fn sentence(lines: &mut Vec<Line<'static>>, theme: Theme, role: Role, text: &str, columns: u16) {
    for line in wrap(text, columns) {
        lines.push(page::line(theme, &[(role, &line)]));
    }
}

fn shown(lines: &mut Vec<Line<'static>>, model: &Model, traced: &Traced, columns: u16) {
    let theme = model.theme;
    let run = model.exercise().and_then(attempt::run_to_trace);
    let trouble = run.and_then(|run| attempt::trouble(&run, &traced.outcome));
    if let Some(trouble) = &trouble {
        let text = format!("Not seen to its end: {trouble}.");
        sentence(lines, theme, Role::Warn, &text, columns);
    }
    if traced.outcome.start_error.is_some() {
        return;
    }
    if let Some(gaps) = &traced.gaps {
        let text = format!("Some opened files may be missing: {gaps}.");
        sentence(lines, theme, Role::Warn, &text, columns);
    }
    let touched = &traced.touched;
    let (opened, live) = (touched.opened, touched.live);
    let text = format!(
        "{} of what you ship was opened: {} of {}, {} of {}.",
        touched.share(),
        opened.bytes,
        live.bytes,
        opened.files,
        plural(live.files, "file")
    );
    sentence(lines, theme, Role::Text, &text, columns);
    let by_line = touched.by_line();
    let layers: Vec<&LayerUse> = by_line.iter().filter(|one| one.live.bytes.0 > 0).collect();
    list(lines, theme, columns, "by line", &layers, |layer| {
        let place = layer.line.map_or_else(
            || format!("layer {}", layer.index),
            |line| format!("line {line}"),
        );
        let words = maker::instruction(layer.created_by.as_deref().unwrap_or_default());
        (format!("{place:<9}{words}"), layer.live, layer.opened)
    });
    let folder = |one: &FolderUse| (one.path.clone(), one.live, one.opened);
    let opened: Vec<&FolderUse> = touched.folders.iter().collect();
    list(lines, theme, columns, "opened in", &opened, folder);
    let unopened: Vec<&FolderUse> = touched.unopened.iter().collect();
    list(lines, theme, columns, "nothing in", &unopened, folder);
    lines.push(Line::default());
    sentence(lines, theme, Role::Muted, touched::COMMENT, columns);
}

/// A few rows of a list, its heading before the first.
fn list<T>(
    lines: &mut Vec<Line<'static>>,
    theme: Theme,
    columns: u16,
    heading: &str,
    items: &[&T],
    row: impl Fn(&T) -> (String, Part, Part),
) {
    if items.is_empty() {
        return;
    }
    lines.push(Line::default());
    for (index, item) in items.iter().take(ROWS).enumerate() {
        let (name, live, opened) = row(item);
        let heading = if index == 0 { heading } else { "" };
        let sizes = match opened.files {
            0 => format!("0 of {}", live.bytes),
            _ => format!("{} of {}", opened.bytes, live.bytes),
        };
        let name = Clean::line(&name);
        let room = columns.saturating_sub(12 + 22 + 8).min(60);
        let role = if opened.files == 0 {
            Role::Warn
        } else {
            Role::Text
        };
        lines.push(page::line(
            theme,
            &[
                (Role::Muted, &page::fit(theme, heading, 12)),
                (Role::Text, &page::fit(theme, name.as_str(), room)),
                (role, &page::fit_right(theme, &sizes, 22)),
                (
                    Role::Muted,
                    &page::fit_right(theme, &opened.bytes.share_of(live.bytes).to_string(), 8),
                ),
            ],
        ));
    }
    let rest = items.get(ROWS..).unwrap_or_default();
    if !rest.is_empty() {
        let bytes: Bytes = rest.iter().map(|item| row(item).1.bytes).sum();
        let text = format!("{:12}and {} more with {bytes}", "", rest.len());
        lines.push(page::line(theme, &[(Role::Muted, &text)]));
    }
}

//! This attempt against the one before: what was changed, and what came of it.

use std::collections::BTreeSet;

use ratatui::text::Line;

use crate::report::Report;
use crate::report::VerdictName;
use crate::tui::model::Model;
use crate::tui::model::bench::Bench;
use crate::tui::paint::wrap;
use crate::tui::screen::diff;
use crate::tui::screen::page;
use crate::tui::screen::result::cost;
use crate::tui::theme::Role;
use crate::tui::theme::Theme;
use crate::workshop::Earlier;

/// The attempt that the shown one can be compared with.
#[must_use]
pub(super) fn before(model: &Model) -> Option<&Earlier> {
    let exercise = model.exercise()?;
    model.record(&exercise.id)?.before.as_deref()
}

/// The comparison as lines of at most `columns`.
pub(super) fn lines(
    theme: Theme,
    bench: &Bench,
    report: &Report,
    before: &Earlier,
    columns: u16,
) -> Vec<Line<'static>> {
    let names = [
        format!("build {}", before.number),
        format!("build {}", bench.number),
    ];
    let mut lines = Vec::new();
    sizes(&mut lines, theme, &names, report, before);
    verdicts(&mut lines, theme, report, before, columns);
    lines.push(Line::default());
    files(&mut lines, theme, &names, bench, before, columns);
    let against = cost::Against {
        report: Some(&before.report),
        words: [&names[0], &names[1]],
    };
    cost::lines(&mut lines, theme, bench, &against, report, columns);
    unbuilt(&mut lines, theme, &names[1], bench, columns);
    lines
}

/// `Build 5 → build 6   412 MB → 63.9 MB   −348 MB`.
fn sizes(
    lines: &mut Vec<Line<'static>>,
    theme: Theme,
    names: &[String; 2],
    report: &Report,
    before: &Earlier,
) {
    let arrow = theme.glyphs.arrow;
    let title = format!(
        "Build{} {arrow} {}",
        names[0].trim_start_matches("build"),
        names[1]
    );
    let size = |report: &Report| report.image.as_ref().map(|image| image.shipped_bytes);
    let (was, now) = (size(&before.report), size(report));
    let change = was.zip(now).map(|(was, now)| {
        let change = format!("   {was} {arrow} {now}   ");
        match now.cmp(&was) {
            std::cmp::Ordering::Less => {
                let less = format!("{}{}", theme.glyphs.minus, was.minus(now));
                (change, Role::Pass, less)
            }
            std::cmp::Ordering::Equal => (change, Role::Muted, "as large as before".to_owned()),
            std::cmp::Ordering::Greater => (change, Role::Warn, format!("+{}", now.minus(was))),
        }
    });
    let mut line = page::line(theme, &[(Role::Strong, &title)]);
    let more = match (&change, was, now) {
        (Some((change, role, by)), ..) => page::line(theme, &[(Role::Text, change), (*role, by)]),
        (None, None, Some(_)) => {
            let text = format!("   {} made no image", names[0]);
            page::line(theme, &[(Role::Muted, &text)])
        }
        (None, ..) => {
            let text = format!("   {} made no image", names[1]);
            page::line(theme, &[(Role::Muted, &text)])
        }
    };
    line.spans.extend(more.spans);
    lines.push(line);
}

/// The goals whose verdict changed.
fn verdicts(
    lines: &mut Vec<Line<'static>>,
    theme: Theme,
    report: &Report,
    before: &Earlier,
    columns: u16,
) {
    let mut met = Vec::new();
    let mut lost = Vec::new();
    for goal in &report.goals {
        let then = before.report.goals.iter().find(|then| then.id == goal.id);
        let then = then.map(|then| then.verdict == VerdictName::Met);
        match (then, goal.verdict) {
            (Some(false), VerdictName::Met) => met.push(goal.title.as_str()),
            (Some(true), VerdictName::Unmet) => lost.push(goal.title.as_str()),
            _ => {}
        }
    }
    let glyphs = theme.glyphs;
    let mut tell = |role, glyph: &str, words: &str, titles: &[&str]| {
        if titles.is_empty() {
            return;
        }
        let text = format!("{words} {}", titles.join(", "));
        for (index, part) in wrap(&text, columns.saturating_sub(2)).iter().enumerate() {
            let glyph = if index == 0 { glyph } else { " " };
            lines.push(page::line(
                theme,
                &[(role, glyph), (Role::Text, " "), (Role::Text, part)],
            ));
        }
    };
    tell(Role::Pass, glyphs.pass, "now met:", &met);
    tell(Role::Fail, glyphs.fail, "met before, and not now:", &lost);
    if met.is_empty() && lost.is_empty() && !report.goals.is_empty() {
        let words = "  no verdict changed";
        lines.push(page::line(theme, &[(Role::Muted, words)]));
    }
}

/// What the two attempts built.
fn files(
    lines: &mut Vec<Line<'static>>,
    theme: Theme,
    names: &[String; 2],
    bench: &Bench,
    before: &Earlier,
    columns: u16,
) {
    let all: BTreeSet<&String> = before.built.keys().chain(bench.built.keys()).collect();
    for name in all {
        let text = |files: &'_ std::collections::BTreeMap<String, String>| {
            files.get(name).cloned().unwrap_or_default()
        };
        let (then, now) = (text(&before.built), text(&bench.built));
        difference(lines, theme, name, [&then, &now], names, columns);
    }
}

/// What is in the editor and was not built yet.
fn unbuilt(lines: &mut Vec<Line<'static>>, theme: Theme, built: &str, bench: &Bench, columns: u16) {
    let changed: Vec<(&str, &str, String)> = bench
        .files
        .iter()
        .filter_map(|file| {
            let then = bench.built.get(&file.name)?;
            let now = file.editor.text();
            (*then != now).then_some((file.name.as_str(), then.as_str(), now))
        })
        .collect();
    if changed.is_empty() {
        return;
    }
    let words = format!("   since {built}; b builds it");
    lines.push(page::line(
        theme,
        &[(Role::Strong, "Changed"), (Role::Muted, &words)],
    ));
    lines.push(Line::default());
    let names = [built.to_owned(), "now".to_owned()];
    for (name, then, now) in changed {
        difference(lines, theme, name, [then, &now], &names, columns);
    }
}

/// One file's difference under its name.
fn difference(
    lines: &mut Vec<Line<'static>>,
    theme: Theme,
    name: &str,
    [then, now]: [&str; 2],
    heads: &[String; 2],
    columns: u16,
) {
    let rows = diff::rows(then, now);
    let mut title = page::line(theme, &[(Role::Strong, name)]);
    if diff::is_same(&rows) {
        let words = page::line(theme, &[(Role::Muted, "   the same in both")]);
        title.spans.extend(words.spans);
        lines.push(title);
    } else {
        lines.push(title);
        lines.extend(diff::changes(&rows, [&heads[0], &heads[1]], columns, theme));
    }
    lines.push(Line::default());
}

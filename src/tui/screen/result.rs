//! Result: did it work, and why. The first goal that is not met is open, the others take a line.

mod compare;
mod cost;
mod used;

use std::ops::Range;

use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::text::Span;

use crate::course::Exercise;
use crate::finding::Scan;
use crate::image::maker;
use crate::report::GoalReport;
use crate::report::Outcome;
use crate::report::Report;
use crate::report::VerdictName;
use crate::report::wording::headline;
use crate::tui::model::Model;
use crate::tui::model::bench::Bench;
use crate::tui::paint::Painter;
use crate::tui::paint::wrap;
use crate::tui::screen::Extent;
use crate::tui::screen::body;
use crate::tui::screen::goal_bytes;
use crate::tui::screen::load;
use crate::tui::screen::page;
use crate::tui::theme::Role;
use crate::tui::theme::Theme;
use crate::units::Bytes;
use crate::workshop::insight::Seen;

/// The text of the screen, and where its open goal stands.
#[derive(Debug, Default)]
pub struct Page {
    /// The lines.
    pub lines: Vec<Line<'static>>,
    /// The lines of the goal that is open.
    pub open: Range<usize>,
}

/// Columns of the words before an explanation.
const LABEL: usize = 9;

/// The widest that sentences are set: longer lines are hard to read on from.
const MEASURE: u16 = 116;

/// Rows of one line that the container wrote; what is longer is cut.
const WRITTEN_ROWS: usize = 4;

fn place(area: Rect) -> Rect {
    let body = body(area);
    Rect {
        x: body.x + 2,
        width: body.width.saturating_sub(4),
        ..body
    }
}

/// The columns of what is one line and no sentence: it may take all the room that there is.
fn whole(model: &Model) -> u16 {
    place(model.area()).width
}

/// Draws the result.
pub(super) fn view(model: &Model, painter: &mut Painter<'_>, area: Rect) {
    let place = place(area);
    let top = model.bench().map_or(0, |bench| {
        if bench.result.compared {
            bench.result.compared_top
        } else {
            bench.result.top
        }
    });
    page::window(painter, place, &page(model).lines, top);
}

/// How long the text is, and how much of it is in sight.
pub(super) fn extent(model: &Model) -> Extent {
    Extent {
        total: page(model).lines.len(),
        height: place(model.area()).height.into(),
    }
}

/// The text of the screen.
#[must_use]
pub fn page(model: &Model) -> Page {
    let columns = whole(model).min(MEASURE);
    let (Some(exercise), Some(bench)) = (model.exercise(), model.bench()) else {
        return Page::default();
    };
    let theme = model.theme;
    let Some(report) = &bench.report else {
        let words = if bench.is_building() {
            "The first attempt is running: 2 shows it."
        } else {
            "Nothing was built yet: b builds and checks."
        };
        return Page {
            lines: vec![page::line(theme, &[(Role::Muted, words)])],
            open: 0..0,
        };
    };
    if bench.result.compared
        && let Some(before) = compare::before(model)
    {
        return Page {
            lines: compare::lines(theme, bench, report, before, columns),
            open: 0..0,
        };
    }
    let mut page = Page::default();
    head(&mut page, theme, report, columns);
    let counts = counts(model, bench, report);
    bars(&mut page, model, exercise, report, &counts, columns);
    problem(&mut page, model, bench, report, columns);
    goals(&mut page, model, exercise, bench, report, columns);
    used::lines(&mut page.lines, model, bench, columns);
    let against = cost::Against {
        report: model
            .record(&exercise.id)
            .and_then(|record| record.first.as_deref()),
        words: ["first image", "this one"],
    };
    cost::lines(&mut page.lines, theme, bench, &against, report, columns);
    stand_ins(&mut page, theme, report, columns);
    page
}

/// Whether there is an attempt to compare the shown one with.
#[must_use]
pub fn is_comparable(model: &Model) -> bool {
    let shown = model.bench().is_some_and(|bench| bench.report.is_some());
    shown && compare::before(model).is_some()
}

/// The same as text, to be copied.
#[must_use]
pub fn text(model: &Model) -> String {
    let lines = page(model).lines;
    let lines: Vec<String> = lines
        .iter()
        .map(|line| crate::tui::markdown::plain(line).trim_end().to_owned())
        .collect();
    lines.join("\n")
}

fn head(page: &mut Page, theme: Theme, report: &Report, columns: u16) {
    let headline = headline(report);
    let role = match report.outcome {
        Outcome::Passed => Role::Pass,
        Outcome::Failed | Outcome::BuildFailed => Role::Fail,
        Outcome::EngineUnavailable | Outcome::CouldNotJudge | Outcome::Cancelled => Role::Warn,
    };
    let text = format!("{} {}", headline.verdict, headline.sentence);
    for (index, line) in wrap(&text, columns).iter().enumerate() {
        let parts = match line.strip_prefix(headline.verdict) {
            Some(rest) if index == 0 => vec![(role, headline.verdict), (Role::Strong, rest)],
            _ => vec![(Role::Strong, line.as_str())],
        };
        let mut line = page::line(theme, &parts);
        if let (Some(first), 0) = (line.spans.first_mut(), index) {
            first.style = first.style.bold();
        }
        page.lines.push(line);
    }
    if let Some(goals) = headline.goals() {
        let text = format!("   {goals}");
        let span = Span::styled(text, theme.style(Role::Muted));
        match page.lines.last_mut() {
            Some(line) if line.width() + span.width() <= columns.into() => line.spans.push(span),
            _ => page
                .lines
                .push(Line::from(Span::styled(goals, theme.style(Role::Muted)))),
        }
    }
    page.lines.push(Line::default());
}

/// How many vulnerabilities are known of the first image and of this one, in words; empty where
/// nobody looked.
fn counts(model: &Model, bench: &Bench, report: &Report) -> [String; 2] {
    let image = report.image.as_ref();
    let here = bench.look.insight().filter(|insight| {
        let id = image.map(|image| image.id.as_str());
        Some(insight.image.as_str()) == id
    });
    let here = here.and_then(|insight| insight.advised.as_ref().ok());
    let words = |scan: &Scan| {
        let counts = scan.counts();
        let least = match Seen::of(scan) {
            Seen::All => "",
            Seen::Some => "at least ",
            Seen::Nothing => return "   CVEs not known".to_owned(),
        };
        format!(
            "   {least}{} CVEs, {} high, {} critical",
            counts.total(),
            counts.high,
            counts.critical
        )
    };
    let first = crate::tui::screen::cves::first(model, bench);
    [
        first.map(|(scan, _)| words(scan)).unwrap_or_default(),
        here.map(|advised| words(&advised.scan)).unwrap_or_default(),
    ]
}

/// What the starter weighed, what the image weighs, what it may weigh, what of it a run opened.
fn bars(
    page: &mut Page,
    model: &Model,
    exercise: &Exercise,
    report: &Report,
    [first, now]: &[String; 2],
    columns: u16,
) {
    let theme = model.theme;
    let Some(you) = report.image.as_ref().map(|image| image.shipped_bytes) else {
        return;
    };
    let was = load::was(exercise, Some(report));
    let whole = Bytes(was.unwrap_or_default().0.max(you.0));
    let more = crate::tui::paint::width(first).max(crate::tui::paint::width(now));
    // On a small screen the bars need the room.
    let (more, counted) = if columns >= 96 {
        (more, true)
    } else {
        (0, false)
    };
    let room = columns.saturating_sub(6 + 20 + more).max(4);
    let mut bar = |label: &str, size: Bytes, role: Role, more: &[(Role, &str)]| {
        let mut spans = vec![Span::styled(
            format!("{label:<6}"),
            theme.style(Role::Muted),
        )];
        let filled = cost::bar(theme, size, whole, room);
        spans.push(Span::styled(filled, theme.style(role)));
        let mut line = Line::from(spans);
        let size = format!("  {size}");
        line.spans
            .push(Span::styled(size, theme.style(role).bold()));
        line.spans.extend(page::line(theme, more).spans);
        page.lines.push(line);
    };
    if let Some(was) = was {
        let first: &[(Role, &str)] = &[(Role::Muted, first)];
        bar("was", was, Role::Before, if counted { first } else { &[] });
    }
    let change = was.map(|was| {
        if you.reads_as(was) {
            (Role::Muted, "   same".to_owned())
        } else if you < was {
            let share = was.minus(you).share_of(was);
            (Role::Pass, format!("   {}{share}", theme.glyphs.minus))
        } else {
            (Role::Warn, format!("   +{}", you.minus(was)))
        }
    });
    let mut change: Vec<(Role, &str)> = change
        .iter()
        .map(|(role, text)| (*role, text.as_str()))
        .collect();
    if counted {
        change.push((Role::Muted, now));
    }
    bar("you", you, Role::You, &change);
    if let Some(goal) = goal_bytes(exercise).filter(|goal| *goal < whole) {
        let at = 6 + usize::from(cost::cells(goal, whole, room));
        page.lines.push(goal_mark(theme, at, goal));
    }
    used::bar(&mut page.lines, model, (whole, room), columns);
    page.lines.push(Line::default());
}

/// The foot of the goal's mark, below the bars.
fn goal_mark(theme: Theme, at: usize, goal: Bytes) -> Line<'static> {
    let foot = format!("{}{}", " ".repeat(at), theme.glyphs.goal_foot);
    let words = format!(" goal {goal}");
    page::line(theme, &[(Role::Goal, &foot), (Role::Muted, &words)])
}

/// What stopped an attempt before its verdicts.
fn problem(page: &mut Page, model: &Model, bench: &Bench, report: &Report, columns: u16) {
    let theme = model.theme;
    let Some(problem) = &report.problem else {
        return;
    };
    let start = page.lines.len();
    // The goal that is open below may say the same.
    let open = bench.result.open.or_else(|| bench.first_unmet());
    let goal = open.and_then(|open| report.goals.get(open));
    let told = goal.is_some_and(|goal| {
        goal.next_step == problem.next_step && goal.blame.line == problem.blame.line
    });
    if let Some(line) = problem.blame.line.filter(|_| !told) {
        page.lines.push(place_line(model, bench, line));
    }
    if let Some(next) = problem.next_step.as_ref().filter(|_| !told) {
        explain(page, theme, "next", Role::Text, next.as_str(), columns);
    }
    let last = report.outcome == Outcome::BuildFailed && !bench.log.is_empty();
    if last {
        let text = "2 shows what the builder said.";
        explain(page, theme, "log", Role::Text, text, columns);
    }
    if page.lines.len() > start {
        page.lines.push(Line::default());
    }
    page.open = 0..page.lines.len();
}

fn goals(
    page: &mut Page,
    model: &Model,
    exercise: &Exercise,
    bench: &Bench,
    report: &Report,
    columns: u16,
) {
    if report.goals.is_empty() {
        return;
    }
    let theme = model.theme;
    let open = bench.result.open.or_else(|| bench.first_unmet());
    let widest = report
        .goals
        .iter()
        .map(|goal| crate::tui::paint::width(&goal.title));
    let column = widest.max().unwrap_or(0).min(whole(model) / 3);
    let mut required = true;
    for (index, goal) in report.goals.iter().enumerate() {
        if required && !goal.required {
            page.lines
                .push(page::line(theme, &[(Role::Muted, "  and if you like")]));
        }
        required = goal.required;
        let is_open = open == Some(index);
        let start = page.lines.len();
        page.lines
            .push(goal_line(theme, goal, is_open, column, whole(model)));
        if is_open {
            opened(page, model, exercise, bench, goal, columns);
            page.lines.push(Line::default());
            page.open = start..page.lines.len();
        }
    }
    if page.lines.last().is_none_or(|line| line.width() > 0) {
        page.lines.push(Line::default());
    }
}

fn goal_line(
    theme: Theme,
    goal: &GoalReport,
    is_open: bool,
    column: u16,
    columns: u16,
) -> Line<'static> {
    let glyphs = theme.glyphs;
    let (role, glyph) = match goal.verdict {
        VerdictName::Met => (Role::Pass, glyphs.pass),
        VerdictName::Unmet => (Role::Fail, glyphs.fail),
        VerdictName::Unknown => (Role::Warn, glyphs.unknown),
    };
    let title = page::fit(theme, &goal.title, column);
    let focus = if is_open { glyphs.focus } else { " " };
    let title_role = if is_open || goal.verdict != VerdictName::Met {
        Role::Strong
    } else {
        Role::Text
    };
    let found = match (is_open, goal.verdict) {
        (true, VerdictName::Met) => "met".to_owned(),
        (true, VerdictName::Unmet) => "not met".to_owned(),
        (true, VerdictName::Unknown) => "could not be judged".to_owned(),
        (false, _) => goal
            .actual
            .as_ref()
            .or(goal.why.as_ref())
            .map(ToString::to_string)
            .unwrap_or_default(),
    };
    let found_role = if goal.verdict == VerdictName::Met {
        Role::Muted
    } else {
        role
    };
    let room = columns.saturating_sub(column + 6);
    let found = crate::tui::paint::cut(&found, room, glyphs.ellipsis);
    page::line(
        theme,
        &[
            (Role::Key, focus),
            (role, glyph),
            (Role::Text, " "),
            (title_role, &title),
            (found_role, &format!("   {found}")),
        ],
    )
}

/// What was found and wanted, why it matters or went wrong, where, and what to look at next.
fn opened(
    page: &mut Page,
    model: &Model,
    exercise: &Exercise,
    bench: &Bench,
    goal: &GoalReport,
    columns: u16,
) {
    let theme = model.theme;
    let found_role = match goal.verdict {
        VerdictName::Met => Role::Text,
        VerdictName::Unmet => Role::Fail,
        VerdictName::Unknown => Role::Warn,
    };
    if let Some(actual) = &goal.actual {
        explain(page, theme, "found", found_role, actual.as_str(), columns);
    }
    explain(page, theme, "wanted", Role::Text, &goal.expected, columns);
    let entry = exercise
        .all_goals()
        .map(|(entry, _)| entry)
        .find(|entry| entry.id == goal.id);
    let entry_why = entry.and_then(|entry| entry.why.as_deref());
    // After success, too, it is worth knowing what the goal is good for.
    let why = match goal.verdict {
        VerdictName::Met => entry_why,
        VerdictName::Unmet | VerdictName::Unknown => goal.why.as_ref().map(|why| why.as_str()),
    };
    if let Some(why) = why {
        explain(page, theme, "why", Role::Text, why, columns);
    }
    where_lines(page, model, bench, goal, columns);
    written(page, theme, goal, columns);
    if let Some(next) = &goal.next_step {
        explain(page, theme, "next", Role::Text, next.as_str(), columns);
    }
    if goal.verdict != VerdictName::Met {
        more_help(page, model, exercise, goal, columns);
    }
}

/// The line to blame, and the layer and the file.
fn where_lines(page: &mut Page, model: &Model, bench: &Bench, goal: &GoalReport, columns: u16) {
    let theme = model.theme;
    if let Some(line) = goal.blame.line {
        page.lines.push(place_line(model, bench, line));
    }
    let inside: Vec<String> = [
        goal.blame.layer.map(|layer| format!("layer {layer}")),
        goal.blame.path.as_ref().map(ToString::to_string),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !inside.is_empty() {
        let label = if goal.blame.line.is_some() {
            ""
        } else {
            "where"
        };
        explain(page, theme, label, Role::Text, &inside.join(", "), columns);
    }
}

/// What the container wrote, each of its lines in as few rows as it needs.
fn written(page: &mut Page, theme: Theme, goal: &GoalReport, columns: u16) {
    let room = columns.saturating_sub(u16::try_from(LABEL + 3).unwrap_or(u16::MAX));
    let rows = goal.written().iter().flat_map(|text| {
        let ellipsis = theme.glyphs.ellipsis;
        crate::tui::paint::fold(text.as_str(), room, WRITTEN_ROWS, ellipsis)
    });
    for (index, text) in rows.enumerate() {
        let label = if index == 0 { "wrote" } else { "" };
        let label = format!("   {label:<LABEL$}");
        page.lines.push(page::line(
            theme,
            &[(Role::Muted, &label), (Role::Muted, &text)],
        ));
    }
}

/// What to read, and how many hints there are.
fn more_help(page: &mut Page, model: &Model, exercise: &Exercise, goal: &GoalReport, columns: u16) {
    let theme = model.theme;
    let mut entries = exercise.all_goals().map(|(entry, _)| entry);
    let entry = entries.find(|entry| entry.id == goal.id);
    if let Some(read) = entry.and_then(|entry| entry.read.as_deref()) {
        explain(
            page,
            theme,
            "read",
            Role::Text,
            &model.course.reading(read),
            columns,
        );
    }
    let opened = model.record(&exercise.id).map_or(0, |record| {
        let here = record.hints.iter().filter(|(id, _)| *id == goal.id);
        here.count()
    });
    let hints = exercise.hints_for(&goal.id).count();
    if hints > 0 {
        let text = format!("6 opens them, {opened} of {hints} so far");
        explain(page, theme, "hints", Role::Muted, &text, columns);
    }
}

fn explain(page: &mut Page, theme: Theme, label: &str, role: Role, text: &str, columns: u16) {
    let label = format!("   {label:<LABEL$}");
    page.lines
        .extend(page::labelled(theme, &label, role, text, columns));
}

/// The line of the Dockerfile as it was built, in its colours; as it may be told where it holds
/// secrets.
fn place_line(model: &Model, bench: &Bench, line: u32) -> Line<'static> {
    let (theme, columns) = (model.theme, whole(model));
    let label = format!("   {:<LABEL$}", "where");
    let mut shown = page::line(
        theme,
        &[
            (Role::Muted, &label),
            (Role::Running, &format!("line {line}  ")),
        ],
    );
    let index = usize::try_from(line).unwrap_or(1).saturating_sub(1);
    let built = bench.built.get("Dockerfile").map_or("", String::as_str);
    let text = built.split('\n').nth(index).unwrap_or_default().trim_end();
    let room = columns.saturating_sub(u16::try_from(shown.width()).unwrap_or(u16::MAX));
    let told = maker::told(text);
    if told != text.trim() {
        let told = crate::tui::paint::cut(&told, room, theme.glyphs.ellipsis);
        shown
            .spans
            .push(Span::styled(told, theme.style(Role::Text)));
        return shown;
    }
    let text = crate::tui::paint::cut(text, room, theme.glyphs.ellipsis);
    let sheet = crate::tui::screen::sheet(built);
    let colors = sheet
        .colors
        .get(index)
        .map(Vec::as_slice)
        .unwrap_or_default();
    for (at, c) in text.char_indices() {
        let color = colors.iter().find(|(range, _)| range.contains(&at));
        let style = theme.style(color.map_or(Role::Text, |(_, role)| *role));
        match shown.spans.last_mut() {
            Some(last) if last.style == style => last.content.to_mut().push(c),
            _ => shown.spans.push(Span::styled(c.to_string(), style)),
        }
    }
    shown
}

fn stand_ins(page: &mut Page, theme: Theme, report: &Report, columns: u16) {
    let names: Vec<&str> = report
        .bases
        .iter()
        .filter(|base| base.stand_in)
        .map(|base| base.reference.as_str())
        .collect();
    if names.is_empty() {
        return;
    }
    let built = match report.image {
        Some(_) => "Built",
        None => "To be built",
    };
    let text = format!(
        "{built} on stand-ins, made here from distribution packages: {}.",
        names.join(", ")
    );
    for line in wrap(&text, columns) {
        page.lines.push(page::line(theme, &[(Role::Muted, &line)]));
    }
}

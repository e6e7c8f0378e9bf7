//! A screen as a picture: cells become an SVG that looks the same wherever it is shown.
//!
//! The program draws its own screenshots, so that none of them can show what it does not do. The
//! colours are those of one calm dark terminal; [`crate::tui::theme`] leaves them to the terminal.
//! Nothing here knows the clock or a file, and the same cells always give the same text.

use std::convert::Infallible;
use std::fmt::Write as _;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::buffer::Cell;
use ratatui::style::Color;
use ratatui::style::Modifier;
use unicode_width::UnicodeWidthStr;

use crate::tui::model::Model;
use crate::tui::screen;

/// Pixels of a column.
const COLUMN: u16 = 9;
/// Pixels of a row.
const ROW: u16 = 19;
/// Pixels around the screen.
const MARGIN: u16 = 12;
/// Pixels from the top of a row to the foot of its letters.
const BASELINE: u16 = 14;

const PAPER: &str = "#10151c";
const INK: &str = "#d6dbe3";

/// The screen of this model, at the model's size.
///
/// # Errors
/// Never: memory takes every cell.
pub fn draw(model: &Model) -> Result<Buffer, Infallible> {
    let backend = TestBackend::new(model.size.width, model.size.height);
    let mut terminal = Terminal::new(backend)?;
    terminal.draw(|frame| screen::view(model, frame))?;
    Ok(terminal.backend().buffer().clone())
}

/// Cells as an SVG with this title for those who do not see it.
#[must_use]
pub fn svg(buffer: &Buffer, title: &str) -> String {
    let area = buffer.area;
    let width = u32::from(area.width) * u32::from(COLUMN) + 2 * u32::from(MARGIN);
    let height = u32::from(area.height) * u32::from(ROW) + 2 * u32::from(MARGIN);
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" role=\"img\">\n\
         <title>{}</title>\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"{PAPER}\"/>\n\
         <g font-family=\"'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"15\" \
         xml:space=\"preserve\">",
        escaped(title)
    );
    for y in 0..area.height {
        for run in runs(buffer, y) {
            draw_run(&mut out, &run, y);
        }
    }
    out.push_str("</g>\n</svg>\n");
    out
}

/// Cells of one row that look the same.
#[derive(Debug, PartialEq, Eq)]
struct Run {
    from: u16,
    columns: u16,
    text: String,
    look: Look,
}

/// How a cell looks, reversed colours resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    ink: &'static str,
    paper: Option<&'static str>,
    bold: bool,
    underlined: bool,
}

fn look(cell: &Cell) -> Look {
    let ink = named(cell.fg).unwrap_or(INK);
    let reversed = cell.modifier.contains(Modifier::REVERSED);
    Look {
        ink: if reversed { PAPER } else { ink },
        paper: if reversed { Some(ink) } else { named(cell.bg) },
        bold: cell.modifier.contains(Modifier::BOLD),
        underlined: cell.modifier.contains(Modifier::UNDERLINED),
    }
}

/// The terminal's own sixteen colours; the theme uses no other.
const fn named(color: Color) -> Option<&'static str> {
    Some(match color {
        Color::Black => "#1c2430",
        Color::Red | Color::LightRed => "#f0736f",
        Color::Green | Color::LightGreen => "#7fc77a",
        Color::Yellow | Color::LightYellow => "#e3b75e",
        Color::Blue | Color::LightBlue => "#62a0ea",
        Color::Magenta | Color::LightMagenta => "#c58be0",
        Color::Cyan | Color::LightCyan => "#58c5d5",
        Color::Gray => "#aab2bf",
        Color::DarkGray => "#77808f",
        Color::White => "#ffffff",
        Color::Reset | Color::Rgb(..) | Color::Indexed(_) => return None,
    })
}

fn runs(buffer: &Buffer, y: u16) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut x = 0;
    while x < buffer.area.width {
        let Some(cell) = buffer.cell((buffer.area.x + x, buffer.area.y + y)) else {
            break;
        };
        let look = look(cell);
        let symbol = cell.symbol();
        let columns = u16::try_from(symbol.width()).unwrap_or(1).max(1);
        match runs.last_mut() {
            Some(run) if run.look == look => {
                run.text.push_str(symbol);
                run.columns += columns;
            }
            _ => runs.push(Run {
                from: x,
                columns,
                text: symbol.to_owned(),
                look,
            }),
        }
        // The cell behind a wide sign belongs to it.
        x += columns;
    }
    runs
}

fn draw_run(out: &mut String, run: &Run, y: u16) {
    let top = MARGIN + y * ROW;
    if let Some(paper) = run.look.paper {
        let _ = writeln!(
            out,
            "<rect x=\"{}\" y=\"{top}\" width=\"{}\" height=\"{ROW}\" fill=\"{paper}\"/>",
            MARGIN + run.from * COLUMN,
            run.columns * COLUMN
        );
    }
    // Each word has its place, so that a font of another width moves no column.
    let mut at = run.from;
    for word in run.text.split_inclusive("  ") {
        let columns = u16::try_from(word.width()).unwrap_or(u16::MAX);
        let shown = word.trim();
        let before = columns.saturating_sub(u16::try_from(word.trim_start().width()).unwrap_or(0));
        if !shown.is_empty() {
            let wide = u16::try_from(shown.width()).unwrap_or(0) * COLUMN;
            let bold = if run.look.bold {
                " font-weight=\"bold\""
            } else {
                ""
            };
            let line = if run.look.underlined {
                " text-decoration=\"underline\""
            } else {
                ""
            };
            let _ = writeln!(
                out,
                "<text x=\"{}\" y=\"{}\" textLength=\"{wide}\" lengthAdjust=\"spacingAndGlyphs\" \
                 fill=\"{}\"{bold}{line}>{}</text>",
                MARGIN + (at + before) * COLUMN,
                top + BASELINE,
                run.look.ink,
                escaped(shown)
            );
        }
        at = at.saturating_add(columns);
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    #[test]
    fn each_look_is_a_piece_and_markup_is_text() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 1));
        buffer.set_string(0, 0, "a<b & c", Style::new().fg(Color::Red).bold());
        buffer.set_string(10, 0, "字x", Style::new());
        let svg = svg(&buffer, "T & t");
        assert!(svg.contains("<title>T &amp; t</title>"), "{svg}");
        assert!(
            svg.contains(
                "<text x=\"12\" y=\"26\" textLength=\"63\" lengthAdjust=\"spacingAndGlyphs\" \
                 fill=\"#f0736f\" font-weight=\"bold\">a&lt;b &amp; c</text>"
            ),
            "{svg}"
        );
        assert!(svg.contains("<text x=\"102\""), "{svg}");
        assert!(svg.contains("textLength=\"27\""), "{svg}");
        assert!(svg.contains(">字x</text>"), "{svg}");
        assert_eq!(svg.matches("<text").count(), 2, "{svg}");
    }

    #[test]
    fn reversed_cells_swap_paper_and_ink() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 2));
        buffer.set_string(1, 1, "ab", Style::new().reversed());
        let svg = svg(&buffer, "t");
        let place = format!("<rect x=\"21\" y=\"31\" width=\"18\" height=\"19\" fill=\"{INK}\"/>");
        assert!(svg.contains(&place), "{svg}");
        assert!(svg.contains(&format!("fill=\"{PAPER}\">ab<")), "{svg}");
    }

    #[test]
    fn a_model_is_drawn_at_its_size() {
        let scene = crate::tui::fixture::Scene::home();
        let Ok(buffer) = draw(&scene.model);
        assert_eq!((buffer.area.width, buffer.area.height), (120, 36));
        let svg = svg(&buffer, "home");
        assert!(
            svg.contains(">loadline<") || svg.contains("loadline"),
            "{svg}"
        );
    }
}

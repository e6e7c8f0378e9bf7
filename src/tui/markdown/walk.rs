//! From the parser's events to lines.

use pulldown_cmark::BlockQuoteKind;
use pulldown_cmark::CodeBlockKind;
use pulldown_cmark::Event;
use pulldown_cmark::Parser;
use pulldown_cmark::Tag;
use pulldown_cmark::TagEnd;
use ratatui::style::Modifier;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::text::Span;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::Code;
use super::Doc;
use super::Heading;
use super::Link;
use super::MEASURE;
use super::Sheet;
use super::table::Table;
use super::wrap::Piece;
use super::wrap::Wrapped;
use super::wrap::wrap;
use crate::tui::theme::Role;

/// What surrounds a block and shows at the start of its lines.
enum Around {
    /// A quotation or an alert, with the look of its bar.
    Quote(Role),
    /// An item of a list: its mark, until it is drawn, and the mark's columns.
    Item(Option<String>, usize),
}

struct Walk<'a> {
    sheet: &'a Sheet<'a>,
    doc: Doc,
    around: Vec<Around>,
    /// One per open list: the next number, or none for bullets.
    lists: Vec<Option<u64>>,
    styles: Vec<Style>,
    pieces: Vec<Piece>,
    link: Option<usize>,
    /// Whether an empty line comes before the next block.
    gap: bool,
    code: Option<(String, String)>,
    table: Option<Table>,
}

pub(super) fn walk(markdown: &str, sheet: &Sheet<'_>) -> Doc {
    let mut walk = Walk {
        sheet,
        doc: Doc::default(),
        around: Vec::new(),
        lists: Vec::new(),
        styles: vec![Style::new()],
        pieces: Vec::new(),
        link: None,
        gap: false,
        code: None,
        table: None,
    };
    for event in Parser::new_ext(markdown, crate::course::lesson::options()) {
        walk.event(event);
    }
    walk.flush();
    walk.doc
}

impl Walk<'_> {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => match &mut self.code {
                Some((_, code)) => code.push_str(&text),
                None => self.push(&text, self.style()),
            },
            Event::Code(text) => {
                let look = self.role(Role::Variable);
                // Where there are no colours, the marks say that it is code.
                let text = if look.fg.is_none() {
                    format!("`{text}`")
                } else {
                    text.into_string()
                };
                self.push(&text, self.style().patch(look));
            }
            Event::SoftBreak => self.push(" ", self.style()),
            Event::HardBreak => self.push("\n", self.style()),
            Event::TaskListMarker(done) => {
                if let Some(Around::Item(mark, columns)) = self.around.last_mut() {
                    *mark = Some(if done { "[x] " } else { "[ ] " }.to_owned());
                    *columns = 4;
                }
            }
            Event::Rule => {
                let columns = usize::from(self.measure());
                let rule = self.sheet.theme.glyphs.horizontal.repeat(columns);
                let look = self.role(Role::Rule);
                self.emit_lines(vec![Line::styled(rule, look)]);
                self.gap = true;
            }
            Event::Html(_)
            | Event::InlineHtml(_)
            | Event::FootnoteReference(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { .. } => {
                self.flush();
                self.styles.push(self.role(Role::Strong));
            }
            Tag::Strong => self.restyle(Modifier::BOLD),
            Tag::Emphasis => self.restyle(Modifier::ITALIC),
            Tag::Strikethrough => self.restyle(Modifier::CROSSED_OUT),
            Tag::Link { dest_url, .. } => {
                self.link = Some(self.doc.links.len());
                self.doc.links.push(Link {
                    text: String::new(),
                    target: dest_url.into_string(),
                    boxes: Vec::new(),
                });
                self.styles.push(self.style().patch(self.role(Role::Link)));
            }
            Tag::BlockQuote(kind) => {
                self.flush();
                self.open_gap();
                self.quote(kind);
            }
            Tag::List(first) => {
                self.flush();
                self.lists.push(first);
            }
            Tag::Item => self.item(),
            Tag::CodeBlock(kind) => {
                self.flush();
                let info = match kind {
                    CodeBlockKind::Fenced(info) => info.into_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                self.code = Some((info, String::new()));
            }
            Tag::Table(alignments) => {
                self.flush();
                self.table = Some(Table {
                    alignments,
                    rows: Vec::new(),
                });
            }
            Tag::TableHead | Tag::TableRow => {
                if let Some(table) = &mut self.table {
                    table.add_row();
                }
            }
            Tag::Image { .. } => self.push("picture: ", self.role(Role::Muted)),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => {
                self.flush();
                self.gap = true;
            }
            TagEnd::Heading(level) => {
                self.styles.pop();
                self.end_heading(level as u8);
            }
            TagEnd::Strong | TagEnd::Emphasis | TagEnd::Strikethrough => {
                self.styles.pop();
            }
            TagEnd::Link => {
                self.styles.pop();
                self.link = None;
            }
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.around.pop();
                self.gap = true;
            }
            TagEnd::Item => {
                self.flush();
                self.around.pop();
            }
            TagEnd::List(_) => {
                self.lists.pop();
                self.gap |= self.lists.is_empty();
            }
            TagEnd::CodeBlock => self.end_code(),
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.pieces);
                if let Some(table) = &mut self.table {
                    table.add_cell(cell);
                }
            }
            TagEnd::Table => {
                if let Some(table) = self.table.take() {
                    self.open_gap();
                    let (edge, _) = self.edges();
                    let lines = table.lines(self.measure(), self.sheet.theme, &edge);
                    self.emit(lines);
                    self.gap = true;
                }
            }
            _ => {}
        }
    }

    fn measure(&self) -> u16 {
        self.sheet.columns.clamp(20, MEASURE)
    }

    fn role(&self, role: Role) -> Style {
        self.sheet.theme.style(role)
    }

    fn style(&self) -> Style {
        self.styles.last().copied().unwrap_or_default()
    }

    fn restyle(&mut self, modifier: Modifier) {
        self.styles.push(self.style().add_modifier(modifier));
    }

    fn push(&mut self, text: &str, style: Style) {
        if let Some(link) = self.link.and_then(|link| self.doc.links.get_mut(link)) {
            link.text.push_str(text);
        }
        self.pieces.push(Piece {
            text: text.to_owned(),
            style,
            link: self.link,
        });
    }

    fn quote(&mut self, kind: Option<BlockQuoteKind>) {
        let (role, word) = match kind {
            None => (Role::Rule, ""),
            Some(BlockQuoteKind::Note) => (Role::Running, "Note"),
            Some(BlockQuoteKind::Tip) => (Role::Pass, "Tip"),
            Some(BlockQuoteKind::Important) => (Role::Waste, "Important"),
            Some(BlockQuoteKind::Warning) => (Role::Warn, "Pitfall"),
            Some(BlockQuoteKind::Caution) => (Role::Fail, "Careful"),
        };
        self.around.push(Around::Quote(role));
        if !word.is_empty() {
            let style = self.role(role).add_modifier(Modifier::BOLD);
            self.push(&format!("{word}\u{a0}"), style);
            self.push(" ", Style::new());
        }
    }

    fn item(&mut self) {
        self.flush();
        self.open_gap();
        let mark = match self.lists.last_mut() {
            Some(Some(number)) => {
                let mark = format!("{number}. ");
                *number += 1;
                mark
            }
            _ => format!("{} ", self.sheet.theme.glyphs.bullet),
        };
        let columns = mark.width();
        self.around.push(Around::Item(Some(mark), columns));
    }

    fn end_heading(&mut self, level: u8) {
        let text = self
            .pieces
            .iter()
            .map(|piece| piece.text.as_str())
            .collect();
        self.open_gap();
        let line = self.doc.lines.len();
        self.doc.outline.push(Heading { level, text, line });
        self.flush();
        self.gap = true;
    }

    fn end_code(&mut self) {
        let Some((info, text)) = self.code.take() else {
            return;
        };
        self.open_gap();
        let start = self.doc.lines.len();
        if info.trim() == "quiz" {
            let columns = self.measure();
            let lines = (self.sheet.quiz)(self.doc.quizzes.len(), columns);
            self.emit_lines(lines);
            self.doc.quizzes.push(start..self.doc.lines.len());
        } else {
            let lines = self.code_lines(&info, &text);
            self.emit_lines(lines);
            let lines = start..self.doc.lines.len();
            self.doc.code.push(Code { lines, text });
        }
        self.gap = true;
    }

    fn code_lines(&self, info: &str, text: &str) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        let language = info.split_whitespace().next().unwrap_or_default();
        if !language.is_empty() {
            let mut label = vec![Span::styled(
                format!("  {language}"),
                self.role(Role::Muted),
            )];
            if info.contains("fails=") {
                label.push(Span::styled("  does not work", self.role(Role::Warn)));
            }
            lines.push(Line::from(label));
        }
        let columns = usize::from(self.measure());
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.replace('\t', "    ");
        let colors = if language == "dockerfile" {
            crate::tui::screen::colors(&text)
        } else {
            Vec::new()
        };
        for (index, line) in text.split('\n').enumerate() {
            let colors = colors.get(index).map(Vec::as_slice).unwrap_or_default();
            let mut spans = vec![Span::raw("  ")];
            let mut width = 2;
            for (at, grapheme) in line.grapheme_indices(true) {
                if width + grapheme.width() > columns {
                    lines.push(Line::from(std::mem::replace(
                        &mut spans,
                        vec![Span::raw("      ")],
                    )));
                    width = 6;
                }
                let color = colors.iter().find(|(range, _)| range.contains(&at));
                let style = self.role(color.map_or(Role::Text, |(_, role)| *role));
                width += grapheme.width();
                match spans.last_mut() {
                    Some(last) if spans_join(last, style) => {
                        last.content.to_mut().push_str(grapheme);
                    }
                    _ => spans.push(Span::styled(grapheme.to_owned(), style)),
                }
            }
            lines.push(Line::from(spans));
        }
        lines
    }

    /// What the first line of a block begins with, and what its other lines do.
    fn edges(&mut self) -> (Vec<Span<'static>>, Vec<Span<'static>>) {
        let theme = self.sheet.theme;
        let (mut first, mut rest) = (Vec::new(), Vec::new());
        for around in &mut self.around {
            match around {
                Around::Quote(role) => {
                    let bar = Span::styled(format!("{} ", theme.glyphs.quote), theme.style(*role));
                    first.push(bar.clone());
                    rest.push(bar);
                }
                Around::Item(mark, columns) => {
                    let blank = " ".repeat(*columns);
                    let mark = mark.take().unwrap_or_else(|| blank.clone());
                    first.push(Span::styled(mark, theme.style(Role::Muted)));
                    rest.push(Span::raw(blank));
                }
            }
        }
        (first, rest)
    }

    /// Ends the paragraph that is being read.
    fn flush(&mut self) {
        if self.pieces.is_empty() {
            return;
        }
        self.open_gap();
        let pieces = std::mem::take(&mut self.pieces);
        let (first, rest) = self.edges();
        let lines = wrap(&pieces, self.measure(), &first, &rest);
        self.emit(lines);
    }

    /// Leaves an empty line where one is due.
    fn open_gap(&mut self) {
        if !std::mem::take(&mut self.gap) || self.doc.lines.is_empty() {
            return;
        }
        let theme = self.sheet.theme;
        let spans: Vec<Span<'static>> = self
            .around
            .iter()
            .filter_map(|around| match around {
                Around::Quote(role) => Some(Span::styled(
                    format!("{} ", theme.glyphs.quote),
                    theme.style(*role),
                )),
                Around::Item(..) => None,
            })
            .collect();
        self.doc.lines.push(Line::from(spans));
    }

    fn emit(&mut self, lines: Vec<Wrapped>) {
        for wrapped in lines {
            let at = self.doc.lines.len();
            for (link, x, columns) in wrapped.links {
                if let Some(link) = self.doc.links.get_mut(link) {
                    link.boxes.push((at, x, columns));
                }
            }
            self.doc.lines.push(wrapped.line);
        }
    }

    /// Adds lines that were laid out already, at the place where the block stands.
    fn emit_lines(&mut self, lines: Vec<Line<'static>>) {
        self.open_gap();
        let (mut edge, rest) = self.edges();
        for line in lines {
            let mut spans = std::mem::replace(&mut edge, rest.clone());
            spans.extend(line.spans.into_iter().map(|span| Span {
                style: line.style.patch(span.style),
                content: span.content,
            }));
            self.doc.lines.push(Line::from(spans));
        }
    }
}

/// Whether text of this style can be added to a span of code.
fn spans_join(last: &Span<'_>, style: Style) -> bool {
    last.style == style && !last.content.trim().is_empty()
}

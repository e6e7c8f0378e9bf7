//! Markdown as plain lines that read well aloud: headings stand alone, table rows name their
//! columns, code is indented, links show where they lead. Pure.

use pulldown_cmark::CodeBlockKind;
use pulldown_cmark::Event;
use pulldown_cmark::Options;
use pulldown_cmark::Parser;
use pulldown_cmark::Tag;
use pulldown_cmark::TagEnd;
use unicode_width::UnicodeWidthStr;

/// How wide a line of prose is.
const WIDTH: usize = 78;

/// The text of `markdown`, without its `quiz` blocks, as lines.
#[must_use]
pub fn lines(markdown: &str) -> Vec<String> {
    let mut prose = Prose::default();
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_GFM;
    for event in Parser::new_ext(markdown, options) {
        prose.event(event);
    }
    prose.finish()
}

#[derive(Debug, Default)]
struct Prose {
    out: Vec<String>,
    /// The paragraph, item or cell that is being read.
    text: String,
    /// One per open list: the next number, or `None` for bullets.
    lists: Vec<Option<u64>>,
    /// What the next line of the item begins with.
    bullet: Option<String>,
    code: Option<Code>,
    /// Where the open links lead.
    links: Vec<String>,
    quote: usize,
    heads: Vec<String>,
    row: Vec<String>,
    in_head: bool,
}

#[derive(Debug)]
struct Code {
    hidden: bool,
    text: String,
}

impl Prose {
    fn event(&mut self, event: Event<'_>) {
        if let Some(code) = &mut self.code {
            match event {
                Event::Text(text) => code.text.push_str(&text),
                Event::End(TagEnd::CodeBlock) => self.end_code(),
                _ => {}
            }
            return;
        }
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::InlineHtml(text) => self.text.push_str(&text),
            Event::Code(text) => {
                self.text.push('`');
                self.text.push_str(&text);
                self.text.push('`');
            }
            Event::SoftBreak => self.text.push(' '),
            Event::HardBreak => self.flush(),
            Event::Rule => self.blank(),
            Event::TaskListMarker(done) => {
                self.text
                    .push_str(if done { "[done] " } else { "[to do] " });
            }
            Event::Html(_)
            | Event::FootnoteReference(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { .. } => {
                self.blank();
            }
            Tag::BlockQuote(kind) => {
                self.blank();
                self.quote += 1;
                if let Some(kind) = kind {
                    self.text = format!("{kind:?}: ");
                }
            }
            Tag::CodeBlock(kind) => {
                self.flush();
                let hidden = matches!(kind, CodeBlockKind::Fenced(info) if info.trim() == "quiz");
                self.code = Some(Code {
                    hidden,
                    text: String::new(),
                });
            }
            Tag::List(first) => {
                self.flush();
                self.lists.push(first);
            }
            Tag::Item => {
                self.flush();
                self.bullet = Some(match self.lists.last_mut() {
                    Some(Some(number)) => {
                        let bullet = format!("{number}. ");
                        *number += 1;
                        bullet
                    }
                    _ => "- ".to_owned(),
                });
            }
            Tag::Link { dest_url, .. } => self.links.push(dest_url.to_string()),
            Tag::Image { .. } => self.text.push_str("picture: "),
            Tag::TableHead => self.in_head = true,
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) | TagEnd::Paragraph => {
                self.flush();
                if self.lists.is_empty() {
                    self.blank();
                }
            }
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.quote = self.quote.saturating_sub(1);
                self.blank();
            }
            TagEnd::Item => self.flush(),
            TagEnd::List(_) => {
                self.flush();
                self.lists.pop();
                if self.lists.is_empty() {
                    self.blank();
                }
            }
            TagEnd::Link => {
                let target = self.links.pop().unwrap_or_default();
                // A link into the course has its name in the text already.
                if target.contains("://") && !self.text.ends_with(&target) {
                    self.text.push_str(" (");
                    self.text.push_str(&target);
                    self.text.push(')');
                }
            }
            TagEnd::TableCell => self.cell(),
            TagEnd::TableHead => self.in_head = false,
            TagEnd::TableRow => self.end_row(),
            TagEnd::Table => {
                self.heads.clear();
                self.blank();
            }
            _ => {}
        }
    }

    fn cell(&mut self) {
        let cell = std::mem::take(&mut self.text);
        if self.in_head {
            self.heads.push(cell);
        } else {
            self.row.push(cell);
        }
    }

    /// A row as `first: column 2 this; column 3 that`, so that it makes sense without the others.
    fn end_row(&mut self) {
        let row = std::mem::take(&mut self.row);
        let mut cells = row.iter().zip(&self.heads);
        let mut text = cells
            .next()
            .map(|(first, _)| first.clone())
            .unwrap_or_default();
        let rest: Vec<String> = cells
            .filter(|(cell, _)| !cell.is_empty())
            .map(|(cell, head)| {
                if head.is_empty() {
                    cell.clone()
                } else {
                    format!("{head} {cell}")
                }
            })
            .collect();
        if !rest.is_empty() {
            text = format!("{text}: {}", rest.join("; "));
        }
        self.bullet = Some("- ".to_owned());
        self.text = text;
        self.flush();
    }

    fn end_code(&mut self) {
        let Some(code) = self.code.take().filter(|code| !code.hidden) else {
            return;
        };
        let indent = " ".repeat(4 + self.indent());
        for line in code.text.lines() {
            self.out
                .push(format!("{indent}{line}").trim_end().to_owned());
        }
        self.out.push(String::new());
    }

    fn indent(&self) -> usize {
        2 * (self.lists.len().saturating_sub(1) + self.quote)
    }

    /// Wraps what was read and writes it.
    fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        if text.trim().is_empty() {
            return;
        }
        let indent = " ".repeat(self.indent());
        let bullet = self.bullet.take().unwrap_or_default();
        let hang = if self.lists.is_empty() && bullet.is_empty() {
            0
        } else {
            2.max(bullet.len())
        };
        let first = if bullet.is_empty() {
            " ".repeat(hang)
        } else {
            bullet
        };
        let mut line = format!("{indent}{first}");
        let mut empty = true;
        for word in text.split_whitespace() {
            if !empty && line.width() + 1 + word.width() > WIDTH {
                self.out.push(line);
                line = format!("{indent}{}", " ".repeat(hang));
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            line.push_str(word);
            empty = false;
        }
        self.out.push(line);
    }

    /// Ends a paragraph.
    fn blank(&mut self) {
        self.flush();
        if self.out.last().is_some_and(|line| !line.is_empty()) {
            self.out.push(String::new());
        }
    }

    fn finish(mut self) -> Vec<String> {
        self.flush();
        while self.out.last().is_some_and(String::is_empty) {
            self.out.pop();
        }
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lesson_reads_well_without_a_screen() {
        let markdown = "# Why *small* matters\n\nAn image is **all** that ships; read\n[the spec](https://example.org/spec) or [lesson 2](02-layers).\n\n> [!NOTE]\n> Mind `RUN`.\n\n- one\n- two\n  - deeper\n\n1. first\n2. second\n\n```dockerfile\nFROM scratch\n\nCOPY a /\n```\n\n```quiz\nquestion: hidden\n```\n\n| base | size | shell |\n|---|---|---|\n| full | 1.1 GB | yes |\n| static | 2.4 MB | |\n";
        insta::assert_snapshot!(lines(markdown).join("\n"), @"
        Why small matters

        An image is all that ships; read the spec (https://example.org/spec) or lesson
        2.

          Note: Mind `RUN`.

        - one
        - two
          - deeper

        1. first
        2. second

            FROM scratch

            COPY a /

        - full: size 1.1 GB; shell yes
        - static: size 2.4 MB
        ");
    }

    #[test]
    fn lines_are_wrapped_between_words() {
        let long = "word ".repeat(60);
        let lines = lines(&long);
        assert!(lines.len() > 2);
        assert!(lines.iter().all(|line| line.width() <= WIDTH));
        assert_eq!(lines.join(" ").split_whitespace().count(), 60);
    }

    proptest::proptest! {
        #[test]
        fn any_text_becomes_lines(markdown in "\\PC{0,200}") {
            let _ = lines(&markdown);
        }
    }
}

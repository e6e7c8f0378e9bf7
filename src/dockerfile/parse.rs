//! Dockerfile text to its tree. Every error is noted and nothing after it is lost.
//!
//! Compared with Docker's classic builder and with BuildKit's parser over `tests/data/dockerfiles`;
//! both refuse what is refused there. What differs on purpose: much of what is wrong behind an
//! `ONBUILD` they find out only where a stage starts from it ([`Dockerfile::refused`]); a quote that
//! an `ARG` above the first `FROM` leaves open is refused, as by the classic builder, and BuildKit
//! passes it over; `RUN []` is not, which BuildKit refuses; a heredoc without an end stops at the
//! next line that begins with a keyword in capitals, where builders give up; two stages of one name
//! are a warning, which the classic builder refuses and BuildKit builds; a stage that comes later
//! and a `<< EOF` with a space are warnings; flags and heredocs are read that older builders do not
//! know yet.

use super::arguments::Reader;
use super::ast::Body;
use super::ast::Dockerfile;
use super::ast::Instruction;
use super::ast::Keyword;
use super::ast::Span;
use super::ast::Stage;
use super::ast::Word;
use super::check;
use super::directives;
use super::findings::Findings;
use super::heredoc;
use super::heredoc::Terminators;
use super::lines::Joined;
use super::lines::Lines;
use super::lines::number;

/// The longest text that is read, in bytes.
const LONGEST: usize = 1024 * 1024;

/// The most instructions that are read.
const MOST: usize = 10_000;

/// The longest line that builders read, in bytes.
const LONGEST_LINE: usize = 64 * 1024 - 1;

impl Dockerfile {
    /// Reads a Dockerfile. Every text has an answer: what is wrong with it is in
    /// [`Dockerfile::problems`].
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let lines = Lines::new(text, LONGEST);
        let mut parser = Parser {
            lines: &lines,
            next: 0,
            escape: '\\',
            findings: Findings::default(),
            terminators: Terminators::default(),
            out: Self {
                text: text.to_owned(),
                ..Self::default()
            },
        };
        parser.run();
        let Parser {
            mut out,
            mut findings,
            ..
        } = parser;
        check::whole(&out, &mut findings);
        findings.finish(&lines, &mut out);
        out
    }

    /// Reads a Dockerfile from a file's bytes; what is not UTF-8 becomes U+FFFD.
    #[must_use]
    pub fn parse_bytes(bytes: &[u8]) -> Self {
        Self::parse(&String::from_utf8_lossy(bytes))
    }
}

struct Parser<'a> {
    lines: &'a Lines<'a>,
    next: usize,
    escape: char,
    findings: Findings,
    terminators: Terminators<'a>,
    out: Dockerfile,
}

impl Parser<'_> {
    fn run(&mut self) {
        let (directives, next) = directives::leading(self.lines, &mut self.findings);
        self.out.directives = directives;
        self.escape = self.out.escape();
        self.next = next;
        let mut count = 0;
        while self.next < self.lines.len() {
            let line = self.lines.text(self.next).trim_start();
            if line.is_empty() {
                self.next += 1;
                continue;
            }
            if line.starts_with('#') {
                self.comment(count == 0);
                continue;
            }
            if count == MOST {
                let span = self.lines.span(self.next);
                let message = format!("more than {MOST} instructions; the rest is not read");
                self.findings.refuse(span, message, None);
                return;
            }
            count += 1;
            self.logical_line();
        }
        let end = self.lines.span(self.lines.len().saturating_sub(1));
        if self.out.text.len() > LONGEST {
            let message = "the Dockerfile is longer than 1 MB; the rest is not read";
            self.findings.refuse(end, message, None);
        }
    }

    fn comment(&mut self, before_instructions: bool) {
        let span = trimmed(self.lines, self.next);
        if before_instructions {
            directives::too_late(self.lines.text(self.next), span, &mut self.findings);
        }
        self.out.comments.push(span);
        self.next += 1;
    }

    fn logical_line(&mut self) {
        let first = self.next;
        let mut joined = Joined::default();
        let mut goes_on = self.physical_line(&mut joined, true);
        while goes_on && self.next < self.lines.len() {
            let line = self.lines.text(self.next).trim_start();
            if line.starts_with('#') {
                self.comment(false);
            } else if line.is_empty() {
                let span = self.lines.span(self.next);
                let message = "an empty line inside an instruction";
                let hint = "remove it, or the backslash above it";
                let noted = self.findings.warn(span, message, Some(hint.to_owned()));
                noted.rule("empty-continuation");
                self.next += 1;
            } else {
                self.swallowed(line);
                goes_on = self.physical_line(&mut joined, false);
            }
        }
        let mut reader = Reader {
            escape: self.escape,
            findings: &mut self.findings,
        };
        let mut instruction = reader.instruction(joined.whole());
        if has_heredocs(&instruction) {
            let (heredocs, next) = heredoc::read(
                joined.whole(),
                self.next,
                self.lines,
                &mut self.terminators,
                &mut self.findings,
            );
            self.next = next;
            if let Body::Onbuild(inner) = &mut instruction.body {
                inner.heredocs.clone_from(&heredocs);
            }
            instruction.heredocs = heredocs;
        }
        self.place(&mut instruction, first);
        self.add(instruction);
    }

    /// Adds the next line to `joined`; whether the line after it belongs to it too.
    fn physical_line(&mut self, joined: &mut Joined, strip: bool) -> bool {
        let span = self.lines.span(self.next);
        let line = self.lines.text(self.next);
        self.next += 1;
        if line.len() > LONGEST_LINE {
            let message = "a line is longer than the 64 kB that builders read";
            let hint = "end parts of it with a backslash and go on in a new line";
            self.findings.refuse(span, message, Some(hint.to_owned()));
        }
        let (kept, goes_on) = without_continuation(line, self.escape);
        let text = if strip { kept.trim_start() } else { kept };
        joined.push(text, span.start + kept.len() - text.len());
        goes_on
    }

    /// Warns of an instruction that a forgotten backslash made part of the one above it.
    fn swallowed(&mut self, line: &str) {
        if heredoc::starts_with_keyword(line) {
            let word = line.split([' ', '\t']).next().unwrap_or_default();
            let span = trimmed(self.lines, self.next);
            self.findings.warn(
                span,
                format!("`{word}` is read as part of the instruction above it"),
                Some(String::from(
                    "the line before it ends with a backslash; remove that if this is an instruction",
                )),
            );
        }
    }

    fn place(&self, instruction: &mut Instruction, first: usize) {
        let last = self.next.saturating_sub(1).max(first);
        let start = instruction.span.start;
        let span = Span {
            start,
            end: self.lines.span(last).end.max(start),
        };
        let (line, last_line) = (self.lines.number(start), number(last));
        if let Body::Onbuild(inner) = &mut instruction.body {
            inner.line = line;
            inner.last_line = last_line;
            inner.span.end = span.end.max(inner.span.start);
        }
        instruction.line = line;
        instruction.last_line = last_line;
        instruction.span = span;
    }

    fn add(&mut self, instruction: Instruction) {
        if instruction.keyword == Keyword::From {
            let (base, name) = match &instruction.body {
                Body::From { image, alias } => {
                    let name = alias.as_ref().map(|alias| alias.text.to_lowercase());
                    (image.clone(), name)
                }
                _ => (Word::default(), None),
            };
            self.out.stages.push(Stage {
                index: self.out.stages.len(),
                name,
                base,
                from: instruction,
                instructions: Vec::new(),
            });
        } else if let Some(stage) = self.out.stages.last_mut() {
            stage.instructions.push(instruction);
        } else if instruction.keyword == Keyword::Arg {
            self.out.global_args.push(instruction);
        } else {
            self.out.stray.push(instruction);
        }
    }
}

/// Whether the lines after the instruction may belong to heredocs of it.
fn has_heredocs(instruction: &Instruction) -> bool {
    let instruction = match &instruction.body {
        Body::Onbuild(inner) => inner,
        _ => instruction,
    };
    let takes_them = matches!(
        instruction.keyword,
        Keyword::Run | Keyword::Copy | Keyword::Add
    );
    takes_them && instruction.arguments.contains("<<") && !is_json(&instruction.arguments)
}

fn is_json(text: &str) -> bool {
    text.starts_with('[') && serde_json::from_str::<Vec<String>>(text).is_ok()
}

/// The line without the sign that it goes on, and whether it had one.
fn without_continuation(line: &str, escape: char) -> (&str, bool) {
    let trimmed = line.trim_end_matches([' ', '\t']);
    match trimmed.strip_suffix(escape) {
        // Two of them are an escaped one.
        Some(kept) if !kept.ends_with(escape) => (kept, true),
        _ => (line, false),
    }
}

/// The place of a line without the white space around it.
fn trimmed(lines: &Lines<'_>, index: usize) -> Span {
    let (span, text) = (lines.span(index), lines.text(index));
    let start = span.start + text.len() - text.trim_start().len();
    Span {
        start,
        end: start + text.trim().len(),
    }
}

#[cfg(test)]
mod tests;

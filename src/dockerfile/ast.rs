//! The syntax tree of a Dockerfile. Every node carries the bytes it was written with.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use super::lines::Places;

/// A range of bytes in the Dockerfile's text; `start <= end`, both on character boundaries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Span {
    /// The span as a range that indexes the text.
    #[must_use]
    pub const fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// A parsed Dockerfile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dockerfile {
    /// The text as written.
    pub text: String,
    /// Parser directives (`# syntax=`, `# escape=`, `# check=`), in order.
    pub directives: Vec<Directive>,
    /// `ARG` instructions before the first `FROM`.
    pub global_args: Vec<Instruction>,
    /// Other instructions before the first `FROM`: they may not be there.
    pub stray: Vec<Instruction>,
    /// The stages, in order.
    pub stages: Vec<Stage>,
    /// What a builder refuses, in the order of the lines; empty for a Dockerfile that parses.
    pub problems: Vec<Problem>,
    /// What a builder accepts and the author most likely did not mean, in the order of the lines.
    pub warnings: Vec<Problem>,
    /// Comments, for colouring. A directive is not a comment.
    pub comments: Vec<Span>,
}

/// A parser directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// `syntax`, `escape` or `check`, in lower case.
    pub name: String,
    /// What follows the `=`.
    pub value: String,
    /// The whole line.
    pub span: Span,
}

/// The instructions from one `FROM` to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// Position in the file, from 0.
    pub index: usize,
    /// The name after `AS`, in lower case as the builder has it.
    pub name: Option<String>,
    /// The image or stage that it starts from, as written.
    pub base: Word,
    /// The `FROM` instruction itself.
    pub from: Instruction,
    /// The instructions after `FROM`.
    pub instructions: Vec<Instruction>,
}

/// One instruction with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// Which instruction it is.
    pub keyword: Keyword,
    /// The line that it starts on, from 1.
    pub line: u32,
    /// The line that it ends on, continuations and heredocs included.
    pub last_line: u32,
    /// All of it, without the last line break.
    pub span: Span,
    /// The keyword alone.
    pub keyword_span: Span,
    /// Flags such as `--from=build`, in order.
    pub flags: Vec<Flag>,
    /// The arguments.
    pub body: Body,
    /// Heredocs, in order.
    pub heredocs: Vec<Heredoc>,
    /// The arguments as one line: continuations joined, comments inside removed, flags excluded.
    pub arguments: String,
    /// Where each byte of `arguments` is written.
    pub places: Places,
}

impl Dockerfile {
    /// The image that reads the file instead of the engine's own parser, and the line that names
    /// it: `# syntax=docker/dockerfile:1`.
    #[must_use]
    pub fn syntax(&self) -> Option<(u32, &str)> {
        let directive = self.directives.iter().find(|one| one.name == "syntax")?;
        let before = self.text.get(..directive.span.start)?;
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        Some((u32::try_from(line).ok()?, directive.value.as_str()))
    }

    /// The first problem that [stops](Self::stopping) a build.
    #[must_use]
    pub fn refused(&self) -> Option<&Problem> {
        self.stopping().next()
    }

    /// The problems that stop a build of this file by themselves: what is wrong behind an `ONBUILD`
    /// is carried out with what starts from its stage.
    pub fn stopping(&self) -> impl Iterator<Item = &Problem> {
        let bases = self
            .stages
            .iter()
            .map(|stage| stage.base.text.to_lowercase());
        let bases: BTreeSet<String> = bases.collect();
        let is_base = |stage: &Stage| stage.name.as_ref().is_some_and(|name| bases.contains(name));
        let mut waiting = Vec::new();
        for stage in self.stages.iter().filter(|stage| !is_base(stage)) {
            for instruction in &stage.instructions {
                if let Body::Onbuild(inner) = &instruction.body {
                    waiting.push(inner.span.range());
                }
            }
        }
        let is_waiting = move |problem: &&Problem| {
            waiting
                .iter()
                .any(|range: &Range<usize>| range.contains(&problem.span.start))
        };
        self.problems
            .iter()
            .filter(move |problem| !is_waiting(problem))
    }

    /// The text of the instruction around a byte, heredocs included; of its line where there is
    /// none.
    #[must_use]
    pub fn around(&self, at: usize) -> &str {
        let span = self.span_around(at);
        self.text.get(span.range()).unwrap_or_default()
    }

    /// Where that text is.
    #[must_use]
    pub fn span_around(&self, at: usize) -> Span {
        let around = |one: &&Instruction| one.span.range().contains(&at) || one.span.end == at;
        if let Some(instruction) = self.begun(at).filter(around) {
            return instruction.span;
        }
        let (before, behind) = (self.text.get(..at), self.text.get(at..));
        let start = before
            .and_then(|text| text.rfind('\n'))
            .map_or(0, |at| at + 1);
        let end = behind.and_then(|text| text.find('\n'));
        Span {
            start,
            end: end.map_or(self.text.len(), |end| at + end),
        }
    }

    /// The last instruction that begins at a byte or before it. It is asked for each finding, so that
    /// not all of them are looked at.
    fn begun(&self, at: usize) -> Option<&Instruction> {
        fn last(all: &[Instruction], at: usize) -> Option<&Instruction> {
            let begun = all.partition_point(|one| one.span.start <= at);
            all.get(..begun)?.last()
        }
        let begun = self.stages.partition_point(|one| one.from.span.start <= at);
        if let Some(stage) = self.stages.get(..begun).and_then(<[Stage]>::last) {
            return last(&stage.instructions, at).or(Some(&stage.from));
        }
        let above = [&self.global_args, &self.stray].into_iter();
        above
            .filter_map(|all| last(all, at))
            .max_by_key(|one| one.span.start)
    }

    /// The character that escapes and continues lines: a backslash, or a backtick where the
    /// directive `# escape=` says so.
    #[must_use]
    pub fn escape(&self) -> char {
        let backtick = |directive: &Directive| directive.name == "escape" && directive.value == "`";
        if self.directives.iter().any(backtick) {
            '`'
        } else {
            '\\'
        }
    }

    /// Every instruction in the order of the file, each `FROM` included.
    #[must_use]
    pub fn instructions(&self) -> Vec<&Instruction> {
        let of_stages = self
            .stages
            .iter()
            .flat_map(|stage| std::iter::once(&stage.from).chain(&stage.instructions));
        let mut all: Vec<&Instruction> = self.global_args.iter().chain(&self.stray).collect();
        all.sort_by_key(|instruction| instruction.span.start);
        all.extend(of_stages);
        all
    }
}

impl Instruction {
    /// The value of the flag `name`, or `None` where it is not given.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<&str> {
        self.flags
            .iter()
            .find(|flag| flag.name == name)
            .map(|flag| flag.value.as_deref().unwrap_or(""))
    }
}

/// A flag of an instruction: `--name=value` or `--name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The name without dashes.
    pub name: String,
    /// The value after `=`, quotes removed.
    pub value: Option<String>,
    /// Its place.
    pub span: Span,
}

/// A text with its place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Word {
    /// The text, quotes kept as written.
    pub text: String,
    /// Its place.
    pub span: Span,
}

/// `KEY=value`, quotes removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Left of `=`.
    pub key: String,
    /// Right of `=`; `None` for `ARG NAME` without a default.
    pub value: Option<String>,
    /// The value as written, quotes kept: variables in it can still be expanded.
    pub raw: Option<String>,
    /// Its place.
    pub span: Span,
}

/// The text between `<<WORD` and `WORD`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heredoc {
    /// The terminator.
    pub name: String,
    /// The lines between, as written.
    pub content: String,
    /// The content's place.
    pub span: Span,
    /// Whether variables in it are expanded (the terminator was not quoted).
    pub expand: bool,
    /// Whether leading tabs are taken away (`<<-`); they are still in `content`.
    pub chomp: bool,
}

/// A command in one of its two forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Run by a shell.
    Shell(String),
    /// A JSON array, run as it is.
    Exec(Vec<String>),
}

/// The arguments of an instruction, by kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// `FROM image AS name`.
    From {
        /// Image or stage, as written.
        image: Word,
        /// The name after `AS`, as written.
        alias: Option<Word>,
    },
    /// `RUN`, `CMD` or `ENTRYPOINT`.
    Command(Command),
    /// `COPY` or `ADD`.
    Copy {
        /// What is copied; heredocs are not in it.
        sources: Vec<Word>,
        /// Where it goes.
        destination: Word,
    },
    /// `ENV`, `LABEL` or `ARG`.
    Pairs(Vec<Pair>),
    /// `EXPOSE` or `VOLUME`.
    Words(Vec<Word>),
    /// `USER`, `WORKDIR`, `STOPSIGNAL` or `MAINTAINER`.
    Word(Word),
    /// `SHELL`.
    Shell(Vec<String>),
    /// `HEALTHCHECK`; `None` is `HEALTHCHECK NONE`.
    Healthcheck(Option<Command>),
    /// `ONBUILD`.
    Onbuild(Box<Instruction>),
    /// Arguments that could not be read; a [`Problem`] says why.
    Invalid,
}

/// The instructions that builders know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Keyword {
    /// `ADD`
    Add,
    /// `ARG`
    Arg,
    /// `CMD`
    Cmd,
    /// `COPY`
    Copy,
    /// `ENTRYPOINT`
    Entrypoint,
    /// `ENV`
    Env,
    /// `EXPOSE`
    Expose,
    /// `FROM`
    From,
    /// `HEALTHCHECK`
    Healthcheck,
    /// `LABEL`
    Label,
    /// `MAINTAINER`
    Maintainer,
    /// `ONBUILD`
    Onbuild,
    /// `RUN`
    Run,
    /// `SHELL`
    Shell,
    /// `STOPSIGNAL`
    Stopsignal,
    /// `USER`
    User,
    /// `VOLUME`
    Volume,
    /// `WORKDIR`
    Workdir,
    /// Anything else; a [`Problem`] names it.
    Unknown,
}

impl Keyword {
    /// Every keyword that builders know, in the order of their names.
    pub const ALL: [Self; 18] = [
        Self::Add,
        Self::Arg,
        Self::Cmd,
        Self::Copy,
        Self::Entrypoint,
        Self::Env,
        Self::Expose,
        Self::From,
        Self::Healthcheck,
        Self::Label,
        Self::Maintainer,
        Self::Onbuild,
        Self::Run,
        Self::Shell,
        Self::Stopsignal,
        Self::User,
        Self::Volume,
        Self::Workdir,
    ];

    /// The keyword in capitals; `?` for an unknown one.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "ADD",
            Self::Arg => "ARG",
            Self::Cmd => "CMD",
            Self::Copy => "COPY",
            Self::Entrypoint => "ENTRYPOINT",
            Self::Env => "ENV",
            Self::Expose => "EXPOSE",
            Self::From => "FROM",
            Self::Healthcheck => "HEALTHCHECK",
            Self::Label => "LABEL",
            Self::Maintainer => "MAINTAINER",
            Self::Onbuild => "ONBUILD",
            Self::Run => "RUN",
            Self::Shell => "SHELL",
            Self::Stopsignal => "STOPSIGNAL",
            Self::User => "USER",
            Self::Volume => "VOLUME",
            Self::Workdir => "WORKDIR",
            Self::Unknown => "?",
        }
    }

    /// The keyword written as `text`, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|keyword| keyword.as_str().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Something in the text that a builder refuses, or that its author did not mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong: a lower-case fragment with names in backticks.
    pub message: String,
    /// What to do about it, where that is known.
    pub hint: Option<String>,
    /// The line, from 1.
    pub line: u32,
    /// Its place.
    pub span: Span,
    /// The lint rule that it belongs to.
    pub rule: &'static str,
}

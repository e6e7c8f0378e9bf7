//! Architectures that a Dockerfile names where it could ask the builder: an image that is built for
//! another one then holds programs that cannot start there.
//!
//! Judged by words (`amd64`, `x86_64`, `aarch64` …) at places that decide what is built, fetched or
//! copied. An instruction that also asks for the architecture (`$TARGETARCH`, `uname -m` …) is
//! taken to handle several.

use super::ast::Body;
use super::ast::Dockerfile;
use super::ast::Instruction;
use super::ast::Keyword;
use super::ast::Span;
use super::ast::Stage;

/// Spellings of architectures, and what images call each. A longer spelling comes before a shorter
/// one that it begins with.
const SPELLINGS: [(&str, &str); 24] = [
    ("x86_64", "amd64"),
    ("x86-64", "amd64"),
    ("amd64", "amd64"),
    ("x64", "amd64"),
    ("aarch64", "arm64"),
    ("arm64v8", "arm64"),
    ("arm64", "arm64"),
    ("armv8", "arm64"),
    ("arm32v7", "arm"),
    ("arm32v6", "arm"),
    ("armv7l", "arm"),
    ("armv7", "arm"),
    ("armv6l", "arm"),
    ("armv6", "arm"),
    ("armhf", "arm"),
    ("armel", "arm"),
    ("i386", "386"),
    ("i686", "386"),
    ("ppc64le", "ppc64le"),
    ("ppc64el", "ppc64le"),
    ("s390x", "s390x"),
    ("riscv64", "riscv64"),
    ("loongarch64", "loong64"),
    ("mips64le", "mips64le"),
];

/// What asks for the architecture instead of naming it.
const QUESTIONS: [&str; 13] = [
    "TARGETARCH",
    "TARGETPLATFORM",
    "TARGETVARIANT",
    "BUILDARCH",
    "BUILDPLATFORM",
    "uname -m",
    "uname --machine",
    "uname -p",
    "--print-architecture",
    "--print-arch",
    "$(arch)",
    "go env GOARCH",
    "process.arch",
];

/// One place that is tied to an architecture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HardCoded {
    /// The line of its instruction, from 1.
    pub line: u32,
    /// The word's own place.
    pub span: Span,
    /// The word as written: `x86_64`.
    pub word: String,
    /// The architecture as images call it: `amd64`.
    pub architecture: &'static str,
    /// What the word decides.
    pub decides: Decides,
}

/// What a hard-coded architecture decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decides {
    /// `FROM --platform=linux/amd64`: which variant of the base image is taken.
    Platform,
    /// `FROM amd64/debian`: which base image is taken.
    Base,
    /// `ENV` or `ARG`: a variable's value.
    Variable,
    /// `RUN`: what a command fetches or builds.
    Command,
    /// `COPY` or `ADD`: which files are taken, or where they are put.
    Files,
    /// `ENTRYPOINT`, `CMD` or `HEALTHCHECK`: what is started.
    Start,
}

/// Every place of the Dockerfile that is tied to one architecture, in the order of the text.
#[must_use]
pub fn hard_coded(dockerfile: &Dockerfile) -> Vec<HardCoded> {
    let chosen_by_name = dockerfile
        .stages
        .iter()
        .any(|stage| asks(&stage.base.text) || copies_by_name(stage));
    let mut found = Vec::new();
    for instruction in &dockerfile.global_args {
        look(dockerfile, instruction, &mut found);
    }
    for stage in &dockerfile.stages {
        // `FROM build-${TARGETARCH}` chooses among stages that are meant for one each.
        let meant = stage
            .name
            .as_deref()
            .is_some_and(|name| first_word(name).is_some());
        if meant && chosen_by_name {
            continue;
        }
        look_at_from(dockerfile, stage, &mut found);
        for instruction in &stage.instructions {
            look(dockerfile, instruction, &mut found);
        }
    }
    found
}

/// Whether a text asks for the architecture.
pub(super) fn asks(text: &str) -> bool {
    QUESTIONS.iter().any(|question| text.contains(question))
}

/// The architectures that a text names, as images call them.
pub(super) fn named(text: &str) -> impl Iterator<Item = &'static str> {
    words(text).map(|(_, _, architecture)| architecture)
}

/// Whether a stage copies from a stage whose name depends on the architecture.
fn copies_by_name(stage: &Stage) -> bool {
    let mut copies = stage.instructions.iter();
    copies.any(|one| one.flag("from").is_some_and(asks))
}

fn look_at_from(dockerfile: &Dockerfile, stage: &Stage, found: &mut Vec<HardCoded>) {
    let from = &stage.from;
    let platform = from.flags.iter().find(|flag| flag.name == "platform");
    if let Some(flag) = platform {
        let text = text_of(dockerfile, flag.span);
        // A constant is a constant, however the architecture is spelt.
        if !text.contains('$') {
            let named = first_word(text);
            let (at, word, architecture) = named.unwrap_or((0, text, "one platform"));
            found.push(HardCoded {
                line: from.line,
                span: part(flag.span, at, word.len()),
                word: word.to_owned(),
                architecture,
                decides: Decides::Platform,
            });
        }
    }
    let base = text_of(dockerfile, stage.base.span);
    if let Some((at, word, architecture)) = first_word(base).filter(|_| !asks(base)) {
        found.push(HardCoded {
            line: from.line,
            span: part(stage.base.span, at, word.len()),
            word: word.to_owned(),
            architecture,
            decides: Decides::Base,
        });
    }
}

fn look(dockerfile: &Dockerfile, instruction: &Instruction, found: &mut Vec<HardCoded>) {
    let decides = match instruction.keyword {
        Keyword::Run => Decides::Command,
        Keyword::Copy | Keyword::Add => Decides::Files,
        Keyword::Env | Keyword::Arg => Decides::Variable,
        Keyword::Entrypoint | Keyword::Cmd | Keyword::Healthcheck => Decides::Start,
        Keyword::Onbuild => {
            if let Body::Onbuild(inner) = &instruction.body {
                look(dockerfile, inner, found);
            }
            return;
        }
        Keyword::Expose
        | Keyword::From
        | Keyword::Label
        | Keyword::Maintainer
        | Keyword::Shell
        | Keyword::Stopsignal
        | Keyword::User
        | Keyword::Volume
        | Keyword::Workdir
        | Keyword::Unknown => return,
    };
    let whole = text_of(dockerfile, instruction.span);
    // A variable that is called TARGETARCH and given a value asks nothing.
    if decides != Decides::Variable && asks(whole) {
        return;
    }
    let mut offset = 0;
    for line in whole.split_inclusive('\n') {
        let start = instruction.span.start + offset;
        offset += line.len();
        let in_file = |span: &Span| span.start <= start && start < span.end;
        let is_content = decides == Decides::Files
            && instruction
                .heredocs
                .iter()
                .any(|heredoc| in_file(&heredoc.span));
        if line.trim_start().starts_with('#') || is_content {
            continue;
        }
        found.extend(words(line).map(|(at, word, architecture)| HardCoded {
            line: instruction.line,
            span: Span {
                start: start + at,
                end: start + at + word.len(),
            },
            word: word.to_owned(),
            architecture,
            decides,
        }));
    }
}

fn text_of(dockerfile: &Dockerfile, span: Span) -> &str {
    dockerfile.text.get(span.range()).unwrap_or_default()
}

fn part(of: Span, at: usize, length: usize) -> Span {
    let start = (of.start + at).min(of.end);
    Span {
        start,
        end: (start + length).min(of.end),
    }
}

fn first_word(text: &str) -> Option<(usize, &str, &'static str)> {
    words(text).next()
}

/// The architectures that a text names: place, word, and what images call it.
fn words(text: &str) -> impl Iterator<Item = (usize, &str, &'static str)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            let here = at;
            at += 1;
            let before = here.checked_sub(1).and_then(|before| bytes.get(before));
            if before.is_some_and(u8::is_ascii_alphanumeric) {
                continue;
            }
            let rest = bytes.get(here..).unwrap_or_default();
            let fits = |(spelling, _): &&(&str, &str)| {
                let begins = rest
                    .get(..spelling.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(spelling.as_bytes()));
                let after = rest.get(spelling.len());
                // `x64` alone may be a number; it counts where a name is built with it.
                let built = *spelling != "x64" || matches!(before, Some(b'-' | b'_' | b'.'));
                begins && built && !after.is_some_and(u8::is_ascii_alphanumeric)
            };
            if let Some((spelling, architecture)) = SPELLINGS.iter().find(fits) {
                at = here + spelling.len();
                return Some((here, text.get(here..at)?, *architecture));
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(text: &str) -> Vec<String> {
        let dockerfile = Dockerfile::parse(text);
        hard_coded(&dockerfile)
            .iter()
            .map(|one| {
                assert_eq!(text.get(one.span.range()), Some(one.word.as_str()));
                format!(
                    "{} {} {} {:?}",
                    one.line, one.word, one.architecture, one.decides
                )
            })
            .collect()
    }

    #[test]
    fn each_place_that_decides_is_found() {
        assert_eq!(
            found(
                "ARG ARCH=x86_64\nFROM --platform=linux/amd64 golang:1 AS b\nENV GOARCH=amd64\n\
                 RUN curl -LO https://a/tool-linux-x64.tar.gz \\\n  # for arm64\n  && make aarch64\n\
                 FROM arm64v8/debian\nADD https://a/tool_Linux_arm64.deb /x\n\
                 COPY --from=b /lib/x86_64-linux-gnu/libz.so.1 /lib/\nCMD [\"/app-i386\"]"
            ),
            [
                "1 x86_64 amd64 Variable",
                "2 amd64 amd64 Platform",
                "3 amd64 amd64 Variable",
                "4 x64 amd64 Command",
                "4 aarch64 arm64 Command",
                "7 arm64v8 arm64 Base",
                "8 arm64 arm64 Files",
                "9 x86_64 amd64 Files",
                "10 i386 386 Start",
            ]
        );
    }

    #[test]
    fn what_asks_the_builder_is_free() {
        for free in [
            "FROM --platform=$BUILDPLATFORM golang:1\nARG TARGETARCH\nRUN GOARCH=$TARGETARCH go build",
            "FROM a\nARG TARGETARCH\nRUN case $TARGETARCH in amd64) m=x86_64;; arm64) m=aarch64;; esac; curl -LO https://a/$m",
            "FROM a\nRUN curl -LO https://a/$(uname -m | sed s/x86_64/amd64/)",
            "FROM a\nADD https://a/tool-${TARGETARCH} /x",
            "FROM a\nLABEL built-for=amd64\n# amd64\nRUN make",
            "FROM a\nCOPY <<EOF /motd\nmade for amd64\nEOF",
            "FROM a\nRUN echo xamd64 amd640 arm6 0x64 f-x640",
        ] {
            assert_eq!(found(free), Vec::<String>::new(), "{free}");
        }
    }

    #[test]
    fn stages_that_are_chosen_by_name_may_be_for_one_each() {
        let stages = "FROM --platform=linux/amd64 a AS for-amd64\nRUN make x86_64\n\
                      FROM --platform=linux/arm64 a AS for-arm64\nRUN make aarch64\n";
        let chosen = format!("{stages}ARG TARGETARCH\nFROM for-${{TARGETARCH}}\n");
        assert_eq!(found(&chosen), Vec::<String>::new());
        let fixed = format!("{stages}FROM for-amd64\n");
        assert_eq!(found(&fixed).len(), 5);
    }

    #[test]
    fn a_default_for_the_builder_s_own_argument_is_a_choice() {
        assert_eq!(
            found("FROM a\nARG TARGETARCH=amd64"),
            ["2 amd64 amd64 Variable"]
        );
    }

    #[test]
    fn a_constant_platform_counts_however_it_is_spelt() {
        assert_eq!(
            found("FROM --platform=windows a"),
            ["1 --platform=windows one platform Platform"]
        );
    }

    proptest! {
        #[test]
        fn every_span_is_the_word(text in "(FROM (--platform=)?|RUN |ENV A=|COPY |CMD )?[a-z0-9_ /$\\\\\n#<-]{0,40}(amd64|arm64|x86_64|é)?\n?.{0,30}") {
            let text = format!("FROM a\n{text}");
            let dockerfile = Dockerfile::parse(&text);
            for one in hard_coded(&dockerfile) {
                prop_assert_eq!(dockerfile.text.get(one.span.range()), Some(one.word.as_str()));
            }
        }
    }
}

//! `libc-mismatch`: a program meets another C library than it was built for.

use super::super::ast::Body;
use super::super::ast::Instruction;
use super::super::ast::Keyword;
use super::super::ast::Span;
use super::super::shell::ShellCommand;
use super::super::stages::Source;
use std::collections::HashMap;

use super::Found;
use super::Rule;
use super::Severity;
use super::known;
use super::subject::Base;
use super::subject::StageView;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "libc-mismatch",
    aliases: &[],
    severity: Severity::Warning,
    title: "a program is built for another C library",
    why: "A dynamic program names its loader, such as `/lib64/ld-linux-x86-64.so.2`. Alpine has \
          another one, and `scratch` has none, so it ends with `no such file or directory` \
          although the file is there. Build it static, or let both stages have the same library.",
    bad: "FROM rust:1.90-slim AS build\nRUN cargo build --release\nFROM scratch\nUSER 65532:65532\nCOPY --from=build /target/release/app /app\n",
    good: "FROM rust:1.90-slim AS build\nRUN cargo build --release\nFROM gcr.io/distroless/cc-debian13:nonroot\nCOPY --from=build /target/release/app /app\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    // Whether a builder makes dynamic programs is found out once.
    let mut causes: HashMap<usize, Option<Cause>> = HashMap::new();
    for stage in subject.shipping() {
        let Some(here) = libc(stage) else { continue };
        for (instruction, source) in &stage.copies {
            let Source::Stage(index) = source else {
                continue;
            };
            let Some(builder) = subject.stages.get(*index) else {
                continue;
            };
            let Some(built) = libc(builder).filter(|built| *built != here) else {
                continue;
            };
            if !copies_program(instruction) {
                continue;
            }
            let cause = causes
                .entry(*index)
                .or_insert_with(|| cause(subject, builder, built));
            let Some(cause) = cause else { continue };
            found
                .note(
                    from(instruction),
                    format!(
                        "what `{}` builds needs {}, and this stage has {}",
                        cause.program,
                        built.shown(),
                        here.shown()
                    ),
                )
                .hint(cause.hint)
                .with_line(builder.stage.from.line);
            break;
        }
    }
}

fn libc(stage: &StageView<'_>) -> Option<known::Libc> {
    match &stage.base {
        Base::Scratch => Some(known::Libc::None),
        Base::Image(name) => known::libc(name),
        Base::Unknown => None,
    }
}

/// Where the stage is named.
fn from(instruction: &Instruction) -> Span {
    let flag = instruction.flags.iter().find(|flag| flag.name == "from");
    flag.map_or(instruction.keyword_span, |flag| flag.span)
}

/// Whether what is copied may be a program: certificates, time zones and pages are not.
fn copies_program(instruction: &Instruction) -> bool {
    let Body::Copy { sources, .. } = &instruction.body else {
        return false;
    };
    let data = ["/etc/", "/usr/share/", "/tmp", "/var/"];
    let ends = [
        ".html", ".js", ".json", ".css", ".crt", ".pem", ".jar", "/dist", "/build", "/static",
        "/public", ".py",
    ];
    sources.iter().any(|source| {
        let path = source.text.as_str();
        let is_data = data.iter().any(|start| path.starts_with(start))
            || ends
                .iter()
                .any(|end| path.trim_end_matches('/').ends_with(end));
        !is_data
    })
}

/// What makes a dynamic program.
struct Cause {
    program: &'static str,
    hint: &'static str,
}

fn cause(subject: &Subject<'_>, builder: &StageView<'_>, built: known::Libc) -> Option<Cause> {
    let mut stages = vec![builder];
    while let Some(below) = stages.last().and_then(|last| last.below) {
        stages.extend(subject.stages.get(below));
    }
    let commands: Vec<&ShellCommand> = stages
        .iter()
        .flat_map(|stage| &stage.runs)
        .flat_map(|run| &run.commands)
        .collect();
    let says = |wanted: &[&str]| {
        let in_commands = commands.iter().any(|command| {
            let mut words = command.assignments.iter().chain(&command.words);
            words.any(|word| wanted.iter().any(|one| word.text.contains(one)))
        });
        let in_instructions = stages
            .iter()
            .flat_map(|stage| &stage.stage.instructions)
            .any(|one| {
                one.keyword == Keyword::Env
                    && wanted.iter().any(|wanted| one.arguments.contains(wanted))
            });
        in_commands || in_instructions
    };
    let runs = |program: &str, actions: &[&str]| {
        commands.iter().any(|command| {
            command.program() == program
                && (actions.is_empty() || actions.iter().any(|action| command.has(action)))
        })
    };
    let glibc = built == known::Libc::Glibc;
    // On Alpine, Rust's own target is static, and Go finds no C compiler.
    if glibc && runs("cargo", &["build", "install"]) && !says(&["musl", "crt-static", "wasm"]) {
        return Some(Cause {
            program: "cargo",
            hint: "build on an Alpine image of Rust, whose programs are static, or start from an image with glibc",
        });
    }
    let static_go = says(&["CGO_ENABLED=0", "CGO_ENABLED 0", "netgo", "-static"]);
    if glibc && runs("go", &["build", "install"]) && !static_go {
        return Some(Cause {
            program: "go",
            hint: "set `CGO_ENABLED=0` for a static program",
        });
    }
    let compiler = ["gcc", "cc", "g++", "clang"]
        .into_iter()
        .find(|name| runs(name, &[]));
    if let Some(program) = compiler.filter(|_| !says(&["-static"])) {
        return Some(Cause {
            program,
            hint: "link it with `-static`, or let both stages have the same C library",
        });
    }
    None
}

//! Whole Dockerfiles, good and bad, and the laws that hold for every text.

use proptest::prelude::*;

use super::super::lines::slice;
use super::super::scope::BuildArgs;
use super::super::stages::external_references;
use super::*;
use crate::units::time_used;

fn problems(text: &str) -> Vec<(u32, String)> {
    let file = Dockerfile::parse(text);
    file.problems
        .into_iter()
        .map(|problem| (problem.line, problem.message))
        .collect()
}

fn warnings(text: &str) -> Vec<(u32, String)> {
    let file = Dockerfile::parse(text);
    assert_eq!(file.problems, [], "{text}");
    file.warnings
        .into_iter()
        .map(|problem| (problem.line, problem.message))
        .collect()
}

fn hint(text: &str) -> String {
    let file = Dockerfile::parse(text);
    let first = file.problems.into_iter().chain(file.warnings).next();
    first.expect("a finding").hint.expect("a hint")
}

/// The keyword and the arguments of each instruction.
fn shape(text: &str) -> Vec<(Keyword, String)> {
    Dockerfile::parse(text)
        .instructions()
        .into_iter()
        .map(|one| (one.keyword, one.arguments.clone()))
        .collect()
}

#[test]
fn a_plain_file_is_read_whole() {
    let text = "\
# syntax=docker/dockerfile:1
# a comment
ARG PY=3.13
FROM python:${PY} AS Build
RUN --mount=type=cache,target=/c pip install \\
    # why
    --no-cache-dir \\
    flask
from debian:trixie-slim
COPY --from=build [\"/a b\", \"/c\"]
ENV A=1 B=\"x y\" C='q'
ENV OLD some value
EXPOSE 8000/tcp 9000
USER nobody
HEALTHCHECK --interval=30s CMD [\"/app\", \"ping\"]
CMD [\"/app\"]
";
    let file = Dockerfile::parse(text);
    assert_eq!(file.problems, []);
    assert_eq!(file.warnings, []);
    assert_eq!(file.directives[0].value, "docker/dockerfile:1");
    assert_eq!(file.global_args.len(), 1);
    assert_eq!(file.stages.len(), 2);
    assert_eq!(file.stages[0].name.as_deref(), Some("build"));
    let run = &file.stages[0].instructions[0];
    assert_eq!((run.line, run.last_line), (5, 8));
    assert_eq!(run.flag("mount"), Some("type=cache,target=/c"));
    assert_eq!(run.arguments, "pip install     --no-cache-dir     flask");
    let copy = &file.stages[1].instructions[0];
    let Body::Copy {
        sources,
        destination,
    } = &copy.body
    else {
        panic!("COPY is a copy")
    };
    assert_eq!(sources[0].text, "/a b");
    assert_eq!(slice(text, sources[0].span), "\"/a b\"");
    assert_eq!(destination.text, "/c");
    let Body::Pairs(pairs) = &file.stages[1].instructions[1].body else {
        panic!("ENV has pairs")
    };
    let values: Vec<_> = pairs.iter().map(|pair| pair.value.as_deref()).collect();
    assert_eq!(values, [Some("1"), Some("x y"), Some("q")]);
    let Body::Pairs(old) = &file.stages[1].instructions[2].body else {
        panic!("ENV has pairs")
    };
    assert_eq!(old[0].key, "OLD");
    assert_eq!(old[0].value.as_deref(), Some("some value"));
    assert_eq!(file.comments.len(), 2);
}

#[test]
fn a_backtick_escapes_where_the_directive_says_so() {
    let text = "# escape=`\nFROM a\nRUN one `\n two\nCOPY c:\\ d:\\\nUSER x\n";
    let file = Dockerfile::parse(text);
    assert_eq!(file.problems, []);
    assert_eq!(file.stages[0].instructions.len(), 3);
    assert_eq!(file.stages[0].instructions[0].arguments, "one  two");
    assert_eq!(file.stages[0].instructions[1].arguments, "c:\\ d:\\");
}

#[test]
fn two_escape_characters_do_not_go_on() {
    let text = "FROM a\nRUN echo \\\\\nRUN x\n";
    assert_eq!(Dockerfile::parse(text).stages[0].instructions.len(), 2);
}

#[test]
fn heredocs_belong_to_their_instruction() {
    let text = "\
FROM a
RUN <<EOF cat <<-\"B\" > /x
RUN not this
EOF
\tand $this
\tB
COPY <<'F' <<G /to/
F
g
G
RUN echo \"<<EOF\"
ONBUILD RUN <<E
x
E
CMD [\"<<EOF\"]
";
    let file = Dockerfile::parse(text);
    assert_eq!(file.problems, []);
    let of = |index: usize| &file.stages[0].instructions[index];
    assert_eq!(file.stages[0].instructions.len(), 5);
    assert_eq!(of(0).heredocs[0].content, "RUN not this\n");
    assert!(of(0).heredocs[0].expand);
    assert_eq!(of(0).heredocs[1].content, "\tand $this\n");
    assert!(!of(0).heredocs[1].expand && of(0).heredocs[1].chomp);
    assert_eq!((of(0).line, of(0).last_line), (2, 6));
    assert_eq!(of(1).heredocs[0].content, "");
    assert_eq!(of(1).heredocs[1].content, "g\n");
    let Body::Copy { sources, .. } = &of(1).body else {
        panic!("COPY is a copy")
    };
    assert_eq!(sources, &[]);
    assert_eq!(of(2).heredocs, []);
    assert_eq!(of(3).heredocs.len(), 1);
    for heredoc in &of(0).heredocs {
        assert_eq!(slice(text, heredoc.span), heredoc.content);
    }
}

#[test]
fn a_heredoc_without_an_end_hides_nothing() {
    let text = "FROM a\nRUN <<EOF\necho x\nEOFF\nUSER nobody\nCMD [\"a\"]\n";
    assert_eq!(
        problems(text),
        [(2, "the heredoc `EOF` has no end".to_owned())]
    );
    let file = Dockerfile::parse(text);
    assert_eq!(file.stages[0].instructions.len(), 3);
    let heredoc = &file.stages[0].instructions[0].heredocs[0];
    assert_eq!(heredoc.content, "echo x\nEOFF\n");
}

#[test]
fn one_bad_line_hides_nothing() {
    let text =
        "FROM a\nRUNN x\nCOPY a\nENV A\nHEALTHCHECK maybe\nUSER b\nFROM b c d\nSHELL /bin/sh\n";
    let lines: Vec<u32> = problems(text).into_iter().map(|(line, _)| line).collect();
    assert_eq!(lines, [2, 3, 4, 5, 7, 8]);
    assert_eq!(shape(text).len(), 8);
}

#[test]
fn a_typing_slip_in_a_keyword_is_recognised() {
    for (text, meant) in [
        ("FORM a", "FROM"),
        ("RUNN a", "RUN"),
        ("COYP a b", "COPY"),
        ("entry a", "ENTRYPOINT"),
        ("HEALTCHECK x", "HEALTHCHECK"),
        ("Worddir /", "WORKDIR"),
    ] {
        assert_eq!(
            hint(&format!("FROM x\n{text}\n")),
            format!("did you mean `{meant}`?")
        );
    }
    assert!(hint("FROM x\n&& make\n").contains("line above"));
    assert!(hint("FROM x\nRUN\u{a0}make\n").contains("space"));
}

#[test]
fn a_file_without_a_stage_says_so_once() {
    assert_eq!(problems(""), [(1, "the Dockerfile is empty".to_owned())]);
    assert_eq!(
        problems("# only\n"),
        [(1, "the Dockerfile is empty".to_owned())]
    );
    assert_eq!(
        problems("\nRUN a\nRUN b\n"),
        [(2, "there is no `FROM`".to_owned())]
    );
    assert_eq!(problems("ARG A\n"), [(1, "there is no `FROM`".to_owned())]);
    assert_eq!(
        problems("ARG A\nRUN a\nFROM x\n"),
        [(2, "`RUN` stands before the first `FROM`".to_owned())]
    );
    let file = Dockerfile::parse("RUN a\nARG B\nFROM x\n");
    assert_eq!(file.instructions().len(), 3);
}

#[test]
fn a_name_that_is_not_seen_is_written_out() {
    let told = &problems("FROM \u{1}\n")[0].1;
    assert!(told.starts_with("`\\x01` is not a reference"), "{told}");
}

#[test]
fn stages_are_checked_against_one_another() {
    assert_eq!(
        warnings("FROM a AS x\nFROM b AS X\n"),
        [(2, "two stages are called `x`".to_owned())]
    );
    let slip = "FROM a AS builder\nFROM b\nCOPY --from=buidler /a /b\n";
    assert_eq!(
        warnings(slip)[0].1,
        "no stage is called `buidler`, so this is read as an image"
    );
    assert_eq!(hint(slip), "did you mean `builder`?");
    assert_eq!(
        problems("FROM a\nCOPY --from=3 /a /b\nCOPY --from=0 /a /b\n"),
        [
            (2, "there is no stage 3; the first one is 0".to_owned()),
            (3, "stage 0 is this stage itself".to_owned())
        ]
    );
    assert_eq!(
        problems("FROM a AS one\nCOPY --from=two /a /b\nFROM b AS two\nCOPY --from=one /a /b\n"),
        [(3, "stage 1 and stage 0 need each other".to_owned())]
    );
    assert_eq!(
        problems("ARG B\nFROM a AS one\nCOPY --from=$B /a /b\n")[0].0,
        3
    );
    assert_eq!(problems("FROM Python:3\n")[0].0, 1);
    assert_eq!(problems("FROM 'a\n")[0].1, "a quote `'` is not closed");
}

#[test]
fn a_base_that_names_an_unknown_argument_is_noticed() {
    assert_eq!(warnings("ARG A\nFROM x:$A\n").len(), 1);
    let late = "FROM x\nARG V=1\nFROM y:$V\n";
    assert!(hint(late).contains("above the first `FROM`"));
    assert_eq!(warnings("FROM x:${V:-1}\n"), []);
    assert_eq!(warnings("FROM x-$TARGETARCH\n"), []);
    assert_eq!(warnings("FROM --platform=linux/$A x\n").len(), 1);
    assert_eq!(warnings("FROM --platform=$BUILDPLATFORM x\n"), []);
}

#[test]
fn likely_slips_are_warned_of() {
    let line = |text: &str| warnings(text).first().map(|first| first.0);
    assert_eq!(line("FROM a\nCMD ['python', 'app.py']\n"), Some(2));
    assert_eq!(line("FROM a\nRUN [ -f x ]\n"), None);
    assert_eq!(line("FROM a\nRUN a && \\\n\n  b\n"), Some(3));
    assert_eq!(line("FROM a\nRUN a && \\\nCOPY b c\n"), Some(3));
    assert_eq!(line("FROM a\nEXPOSE 80:80\n"), Some(2));
    assert_eq!(line("\n# escape=`\nFROM a\n"), Some(2));
    assert_eq!(line("FROM a\nRUN cat << x\n"), Some(2));
}

#[test]
fn values_are_checked_where_builders_check_them() {
    for bad in [
        "EXPOSE http",
        "EXPOSE 80/icmp",
        "EXPOSE 70000",
        "HEALTHCHECK --interval=5 CMD x",
        "HEALTHCHECK --retries=x CMD x",
        "HEALTHCHECK NONE x",
        "HEALTHCHECK CMD",
        "COPY --form=x a b",
        "COPY --from a b",
        "RUN --mount a",
        "COPY --from=x --from=y a b",
        "ENV A=1 B",
        "ENV =1",
        "LABEL a=\"b",
        "ONBUILD FROM x",
        "ONBUILD ONBUILD RUN x",
        "CMD [1, 2]",
        "WORKDIR",
        "USER ${A",
        "CMD --x",
    ] {
        assert_eq!(problems(&format!("FROM a\n{bad}\n")).len(), 1, "{bad}");
    }
    for good in [
        "EXPOSE $PORT 80 443/tcp 8000-8010/udp 81/",
        "HEALTHCHECK --interval=1m30s --timeout=3s --start-period=0s --retries=3 CMD a",
        "HEALTHCHECK NONE",
        "COPY --link --chown=a:b --chmod=755 --exclude=x --exclude=y a b /c/",
        "RUN --mount=type=secret,id=a --mount=type=ssh --network=none x",
        "ONBUILD COPY --chown=1 a b",
        "LABEL a.b=\"c d\" e=f\\ g",
        "CMD",
        "ENTRYPOINT []",
        "VOLUME /a /b",
        "STOPSIGNAL SIGINT",
        "MAINTAINER it's me",
        "RUN echo 'it",
        "ARG A B=1",
    ] {
        assert_eq!(problems(&format!("FROM a\n{good}\n")), [], "{good}");
    }
}

#[test]
fn what_waits_behind_an_onbuild_stops_no_build_that_does_not_start_from_it() {
    let refused = |text: &str| Dockerfile::parse(text).refused().map(|one| one.line);
    for waiting in ["FOO x", "COPY x", "COPY --foo x y", "EXPOSE http"] {
        let text = format!("FROM a AS b\nONBUILD {waiting}\n");
        assert_eq!(problems(&text).len(), 1, "{waiting}");
        assert_eq!(refused(&text), None, "{waiting}");
        assert_eq!(refused(&format!("{text}EXPOSE eighty\n")), Some(3));
        assert_eq!(refused(&format!("{text}FROM B\n")), Some(2));
    }
    assert_eq!(refused("FROM a\nONBUILD FROM x\n"), Some(2));
    assert_eq!(refused("FROM a\nEXPOSE http\n"), Some(2));
}

#[test]
fn windows_line_ends_change_nothing() {
    let unix = "# escape=`\nFROM a\nRUN <<E\nx\nE\nRUN a `\n b\nCMD [\"x\"]\n";
    let windows = unix.replace('\n', "\r\n");
    assert_eq!(shape(unix), shape(&windows));
    assert_eq!(problems(&windows), []);
    assert_eq!(shape(&format!("\u{feff}{unix}")), shape(unix));
}

#[test]
fn giant_input_is_bounded() {
    let many = "FROM a\n".to_owned() + &"BAD x\n".repeat(5_000);
    let file = Dockerfile::parse(&many);
    assert_eq!(file.problems.len(), 101);
    assert_eq!(
        file.problems[100].message,
        "4900 more problems are not listed"
    );
    let long = "FROM a\n".to_owned() + &"RUN x\n".repeat(20_000);
    let file = Dockerfile::parse(&long);
    assert_eq!(file.stages[0].instructions.len(), 9_999);
    assert_eq!(file.problems.len(), 1);
    let wide = format!("FROM a\nRUN {}\n", "x".repeat(70_000));
    assert_eq!(problems(&wide).len(), 1);
    let huge = format!("FROM a\n#{}\nRUN x\n", "x".repeat(2_000_000));
    assert_eq!(problems(&huge).len(), 1);
}

/// `ok-NAME` is built by a real engine, `bad-LINE-NAME` is refused by it.
#[test]
#[expect(clippy::disallowed_methods, reason = "the files are read from disk")]
fn files_are_judged_as_the_engine_judges_them() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/dockerfiles");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let file = Dockerfile::parse_bytes(&std::fs::read(&path).expect("a file"));
        let line = file.problems.first().map(|problem| problem.line);
        let mut parts = name.split('-');
        let wanted = match parts.next() {
            Some("ok") => None,
            Some("bad") => parts.next().and_then(|line| line.parse().ok()),
            _ => continue,
        };
        assert_eq!(line, wanted, "{name}: {:?}", file.problems);
        seen += 1;
    }
    assert!(seen > 70, "{seen}");
}

#[test]
fn the_instruction_around_each_byte_is_found() {
    let text = "# c\nARG A=1\nRUN stray\nARG B\n\nFROM a\n  RUN <<E\nx\nE\n# c\nENV A=1\nFROM b\nFROM c\nUSER 1";
    let file = Dockerfile::parse(text);
    for at in 0..=text.len() {
        let around = |one: &&&Instruction| one.span.range().contains(&at) || one.span.end == at;
        let all = file.instructions();
        let wanted = all.iter().rfind(around).map(|one| one.span);
        let found = file.span_around(at);
        match wanted {
            Some(span) => assert_eq!(found, span, "{at}"),
            None => assert!(!all.iter().any(|one| one.span == found), "{at}"),
        }
    }
}

/// Each of these is quadratic, or deep, in a parser that looks back or ahead for each line.
#[test]
fn hostile_input_takes_linear_time() {
    let numbered = |line: &dyn Fn(usize) -> String| (0..9_000).map(line).collect::<String>();
    for text in [
        "FROM a\n".to_owned() + &"RUN <<A\n".repeat(9_000),
        "FROM a\n".to_owned() + &numbered(&|n| format!("RUN <<A{n}\nx\n")),
        "FROM a\nRUN x \\\n".to_owned() + &"# c\n \\\n".repeat(90_000),
        "FROM a AS s\n".to_owned() + &"FROM s AS s\n".repeat(9_000),
        format!("FROM a\n{} x\n", "ONBUILD ".repeat(8_000)),
        format!("FROM a\nCMD {}\n", "[".repeat(60_000)),
        format!("FROM {}\n", "${A:-".repeat(10_000)),
        format!("FROM a\nRUN {} x\n", "--mount=a ".repeat(6_000)),
    ] {
        let begun = time_used();
        let file = Dockerfile::parse(&text);
        let _ = file.needed_stages(&BuildArgs::new());
        let took = time_used() - begun;
        let start: String = text.chars().take(60).collect();
        assert!(took.as_secs() < 5, "{took:?}: {start}");
    }
}

/// Every span of the tree.
fn spans(file: &Dockerfile) -> Vec<Span> {
    let mut spans: Vec<Span> = file.comments.clone();
    let findings = file.problems.iter().chain(&file.warnings);
    spans.extend(findings.map(|one| one.span));
    spans.extend(file.directives.iter().map(|one| one.span));
    for instruction in file.instructions() {
        spans.extend([instruction.span, instruction.keyword_span]);
        spans.extend(instruction.flags.iter().map(|flag| flag.span));
        spans.extend(instruction.heredocs.iter().map(|heredoc| heredoc.span));
        match &instruction.body {
            Body::From { image, alias } => {
                spans.push(image.span);
                spans.extend(alias.as_ref().map(|alias| alias.span));
            }
            Body::Copy {
                sources,
                destination,
            } => {
                spans.extend(sources.iter().map(|source| source.span));
                spans.push(destination.span);
            }
            Body::Pairs(pairs) => spans.extend(pairs.iter().map(|pair| pair.span)),
            Body::Words(words) => spans.extend(words.iter().map(|word| word.span)),
            Body::Word(word) => spans.push(word.span),
            Body::Onbuild(inner) => spans.push(inner.span),
            _ => {}
        }
    }
    spans
}

fn check_laws(text: &str) {
    let file = Dockerfile::parse(text);
    assert_eq!(file.text, text);
    for span in spans(&file) {
        assert!(
            span.start <= span.end && span.end <= text.len(),
            "{span:?} in {text:?}"
        );
        assert!(
            text.is_char_boundary(span.start) && text.is_char_boundary(span.end),
            "{span:?} in {text:?}"
        );
    }
    let mut end = 0;
    for instruction in file.instructions() {
        assert!(
            instruction.span.start >= end,
            "instructions overlap in {text:?}"
        );
        assert!(instruction.line <= instruction.last_line);
        let word = slice(text, instruction.keyword_span);
        let known = Keyword::parse(word).unwrap_or(Keyword::Unknown);
        // A keyword may be written across lines; then its span holds the break.
        assert!(
            known == instruction.keyword || word.contains('\n'),
            "{word:?} in {text:?}"
        );
        end = instruction.span.end;
    }
}

/// Texts that look like Dockerfiles from afar.
fn texts() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "FROM ",
        "RUN ",
        "COPY ",
        "ENV ",
        "ARG ",
        "CMD ",
        "LABEL ",
        "ONBUILD ",
        "HEALTHCHECK ",
        "\n",
        "\n",
        "\r\n",
        "\\\n",
        "`\n",
        "# escape=`\n",
        "#c\n",
        "<<EOF ",
        "EOF\n",
        "<<-'E' ",
        "E\n",
        "\t",
        " ",
        "--from=x ",
        "--mount=from=y ",
        "[\"a\",\"\u{e9}\"]",
        "[1]",
        "['",
        "\"",
        "'",
        "$A",
        "${A:-b}",
        "${",
        "a=b ",
        "x ",
        "AS s ",
        "\u{1f600}",
        "\u{feff}",
        "\u{a0}",
        "\\",
        "=",
    ];
    let piece = proptest::sample::select(PIECES);
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn every_text_is_read_and_spans_fit(text in texts(), any in "\\PC{0,60}") {
        check_laws(&text);
        check_laws(&any);
    }

    #[test]
    fn what_follows_never_changes_the_stages_above(first in texts(), second in texts()) {
        // A heredoc may find its end in what follows; a line that goes on ends with USER.
        prop_assume!(!first.contains("<<"));
        let first = format!("FROM a\n{first}\nUSER x\n");
        let alone = Dockerfile::parse(&first);
        let both = Dockerfile::parse(&format!("{first}FROM b\n{second}"));
        let count = alone.stages.len();
        prop_assert_eq!(&both.stages[..count], &alone.stages[..]);
    }
}

/// What a fuzzer would do, in the size of a test.
#[test]
fn mutated_files_never_panic() {
    let seed = "# escape=\\\nARG A=1\nFROM python:${A} AS b\nRUN --mount=type=bind,from=x,target=/y <<EOF cat\nhi\nEOF\nCOPY --from=b [\"a\", \"b\"] \nENV A=\"b c\" D=${E:-f}\nHEALTHCHECK --interval=5s CMD [\"x\"]\nONBUILD RUN a \\\n # c\n b\nEXPOSE 80/tcp\n";
    fuzz(seed.as_bytes(), 300_000);
}

/// Reads `amount` bytes of mutations of `seed`, from a generator that is the same each time.
fn fuzz(seed: &[u8], amount: usize) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap_or(0) % below.max(1)
    };
    let interesting = b"\n\r\\`#<>'\"$ {}[]=-\t:/\0\xff\xc3\xe2";
    let mut done = 0;
    let mut current = seed.to_vec();
    while done < amount {
        if random(20) == 0 || current.len() > 4 * seed.len() {
            current = seed.to_vec();
        }
        for _ in 0..=random(4) {
            let at = random(current.len() + 1);
            match random(4) {
                0 if at < current.len() => {
                    current.remove(at);
                }
                1 => current.insert(at, interesting[random(interesting.len())]),
                2 if at < current.len() => current[at] = interesting[random(interesting.len())],
                _ => {
                    let from = random(seed.len());
                    let to = (from + random(24)).min(seed.len());
                    let part = seed[from..to].to_vec();
                    current.splice(at..at, part);
                }
            }
        }
        done += current.len();
        let file = Dockerfile::parse_bytes(&current);
        check_laws(&file.text);
        let _ = external_references(&file, &BuildArgs::new());
    }
}

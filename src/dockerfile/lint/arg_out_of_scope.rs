//! `arg-out-of-scope`: a variable that this stage does not see.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::ops::Range;

use super::super::ast::Body;
use super::super::ast::Instruction;
use super::super::ast::Keyword;
use super::super::ast::Pair;
use super::super::ast::Span;
use super::super::shell::ShellCommand;
use super::Edit;
use super::Found;
use super::Rule;
use super::Severity;
use super::subject::StageView;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "arg-out-of-scope",
    aliases: &["UndefinedVar"],
    severity: Severity::Warning,
    title: "a variable has no value in this stage",
    why: "An `ARG` above the first `FROM` is for `FROM` alone, and one in a stage is for that \
          stage alone. Elsewhere the variable is empty, and nobody says so. `ARG NAME` without a \
          value brings it into a stage.",
    bad: "ARG VERSION=1.2\nFROM debian:13-slim\nRUN echo ${VERSION}\n",
    good: "ARG VERSION=1.2\nFROM debian:13-slim\nARG VERSION\nRUN echo ${VERSION}\n",
    check,
};

/// Variables that base images are known to set.
const OF_BASES: [&str; 12] = [
    "PATH",
    "HOME",
    "NODE_VERSION",
    "YARN_VERSION",
    "PYTHON_VERSION",
    "GOLANG_VERSION",
    "GOPATH",
    "RUBY_VERSION",
    "PHP_VERSION",
    "JAVA_VERSION",
    "JAVA_HOME",
    "NGINX_VERSION",
];

/// An `ARG` that does not reach everywhere.
struct Declared<'f> {
    line: u32,
    pair: &'f Pair,
    /// Its stage; `None` above the first `FROM`, where any stage can ask for it.
    stage: Option<usize>,
}

impl Declared<'_> {
    /// Whether `ARG NAME` in another stage gives the variable the same value: of an `ARG` in a stage
    /// nothing but what the builder is given reaches the others.
    const fn reaches(&self) -> bool {
        self.stage.is_none() || self.pair.value.is_none()
    }
}

/// The `ARG` of each name that says most of where its value comes from.
fn declared<'f>(subject: &Subject<'f>) -> BTreeMap<&'f str, Declared<'f>> {
    let mut found: BTreeMap<&str, Declared<'_>> = BTreeMap::new();
    let in_stages = subject.stages.iter().flat_map(|view| {
        let all = view.stage.instructions.iter();
        all.map(|one| (Some(view.stage.index), one))
    });
    let global = subject.file.global_args.iter().map(|one| (None, one));
    for (stage, instruction) in global.chain(in_stages) {
        let (Keyword::Arg, Body::Pairs(pairs)) = (instruction.keyword, &instruction.body) else {
            continue;
        };
        for pair in pairs.iter().filter(|pair| !OF_BASES.contains(&&*pair.key)) {
            let new = Declared {
                line: instruction.line,
                pair,
                stage,
            };
            let known = found.get(pair.key.as_str());
            if known.is_none_or(|known| known.stage.is_some() && known.reaches() && !new.reaches())
            {
                found.insert(&pair.key, new);
            }
        }
    }
    found
}

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    let elsewhere = declared(subject);
    if elsewhere.is_empty() {
        return;
    }
    let mut seen: Vec<BTreeSet<&str>> = Vec::with_capacity(subject.stages.len());
    for stage in &subject.stages {
        let below = stage.below.and_then(|index| seen.get(index));
        let mut known = below.cloned().unwrap_or_default();
        let mut told = BTreeSet::new();
        for instruction in &stage.stage.instructions {
            let mut here = BTreeSet::new();
            for (at, name) in variables(instruction) {
                let Some((name, declared)) = elsewhere.get_key_value(name) else {
                    continue;
                };
                let first = here.insert(*name) && !known.contains(name) && !told.contains(name);
                let span = instruction
                    .places
                    .span(&instruction.arguments, at..at + name.len());
                if !first || sets(stage, instruction, name, span) {
                    continue;
                }
                told.insert(*name);
                let message = format!("`{name}` is empty in this stage");
                let note = found.note(span, message).with_line(declared.line);
                if declared.reaches() {
                    let line = format!("ARG {name}{}", subject.line_end);
                    note.hint(format!("put `ARG {name}` above it in this stage"))
                        .fix([Edit::insert(above(subject, instruction), line)]);
                } else if declared.stage == Some(stage.stage.index) {
                    let line = declared.line;
                    note.hint(format!("move the `ARG {name}` of line {line} above it"));
                } else {
                    // Its value may be a secret, which is told nowhere.
                    let line = declared.line;
                    note.hint(format!(
                        "move the `ARG {name}` of line {line} with its value above the first `FROM`, and put `ARG {name}` into each stage that uses it"
                    ));
                }
            }
            if let (Keyword::Arg | Keyword::Env, Body::Pairs(pairs)) =
                (instruction.keyword, &instruction.body)
            {
                known.extend(pairs.iter().map(|pair| pair.key.as_str()));
            }
        }
        seen.push(known);
    }
}

/// Where a line goes that comes before an instruction: above the comments that speak of it.
fn above(subject: &Subject<'_>, instruction: &Instruction) -> usize {
    let mut at = instruction.span.start;
    let comments = &subject.file.comments;
    let next = comments.partition_point(|one| one.start < at);
    for comment in comments.iter().take(next).rev() {
        let between = Span {
            start: comment.end,
            end: at,
        };
        let between = subject.text(between);
        if !between.trim().is_empty() || between.matches('\n').count() != 1 {
            break;
        }
        at = comment.start;
    }
    at
}

/// The variables in the arguments of an instruction, with their places; those with a default of
/// their own are left out, and what stands in single quotes.
fn variables(instruction: &Instruction) -> Vec<(usize, &str)> {
    let text = instruction.arguments.as_str();
    // In exec form nothing expands them but a shell that is named, and `ONBUILD` is for later.
    if matches!(
        instruction.keyword,
        Keyword::Cmd | Keyword::Entrypoint | Keyword::Healthcheck | Keyword::Onbuild
    ) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let quoted = single_quoted(text);
    for (at, _) in text.match_indices('$') {
        let before = text.get(..at).unwrap_or_default();
        let next = quoted.partition_point(|range| range.end <= at);
        let is_quoted = quoted.get(next).is_some_and(|range| range.contains(&at));
        if is_quoted || before.ends_with('\\') || before.ends_with('$') {
            continue;
        }
        let rest = text.get(at + 1..).unwrap_or_default();
        let (start, rest) = match rest.strip_prefix('{') {
            Some(rest) => (at + 2, rest),
            None => (at + 1, rest),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let length = rest.find(|c| !plain(c)).unwrap_or(rest.len());
        let has_default = rest
            .get(length..)
            .is_some_and(|rest| start == at + 2 && rest.starts_with([':', '-', '+', '?', '=']));
        if length > 0 && !has_default {
            found.push((start, rest.get(..length).unwrap_or_default()));
        }
    }
    found
}

/// What stands in single quotes, in its order: nothing expands it. The text that `sh -c '…'` and its
/// like are given is left out, they do.
fn single_quoted(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut double = false;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '"' => double = !double,
            '\'' if !double => {
                let Some((end, _)) = chars.find(|(_, c)| *c == '\'') else {
                    return found;
                };
                let before = text.get(..at).unwrap_or_default();
                let given_to = before.split_whitespace().next_back().unwrap_or_default();
                let expands = match given_to.trim_end_matches('=') {
                    "trap" | "eval" | "envsubst" | "--command" => true,
                    option => option.starts_with('-') && option.ends_with('c'),
                };
                if !expands {
                    found.push(at..end);
                }
            }
            _ => {}
        }
    }
    found
}

/// Whether a `RUN` may itself give the variable that is used at `usage` a value.
fn sets(stage: &StageView<'_>, instruction: &Instruction, name: &str, usage: Span) -> bool {
    let start = instruction.span.start;
    let run = stage
        .runs
        .binary_search_by_key(&start, |run| run.instruction.span.start)
        .ok()
        .and_then(|at| stage.runs.get(at));
    let text = instruction.arguments.as_str();
    let has_function = text.contains("()");
    let by_command = |command: &ShellCommand| {
        let may = match command.program() {
            // Nobody here knows what stands in the file, or comes out of a program.
            "." | "source" | "eval" => true,
            "read" | "readarray" | "mapfile" | "getopts" => command.has(name),
            _ => false,
        };
        // Its own words, and what runs before it, are expanded without it; a function may run later.
        may && (has_function || command.span().end <= usage.start)
    };
    let heredocs = instruction.heredocs.iter().map(|one| one.content.as_str());
    run.is_some_and(|run| run.commands.iter().any(by_command))
        || std::iter::once(text)
            .chain(heredocs)
            .any(|text| assigns(text, name))
}

/// Whether a shell's text has `name=`, `${name:=…}` or `for name`.
fn assigns(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        let after = text.get(at + name.len()..).unwrap_or_default();
        if before.ends_with("${") {
            return after.starts_with('=') || after.starts_with(":=");
        }
        before.ends_with("for ") || after.starts_with('=') && !before.ends_with('$')
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::ast::Dockerfile;
    use super::super::super::scope::BuildArgs;
    use super::super::Surroundings;
    use super::super::check;
    use super::super::fix;

    fn fixed(text: &str) -> String {
        fix(text, &Surroundings::default(), &|_| true).text
    }

    /// The value of `V` at the end of the last stage.
    fn value(text: &str, given: &BuildArgs) -> Option<String> {
        let file = Dockerfile::parse(text);
        let stage = file.stages.last().expect("a stage");
        let scope = file.scope_at(stage, stage.instructions.len(), given);
        scope.get("V").map(str::to_owned)
    }

    #[test]
    fn what_is_mended_has_a_value_then() {
        let none = BuildArgs::new();
        let global = "ARG V=1\nFROM a:1\nUSER 1\nRUN echo $V > /v\n";
        assert_eq!(value(global, &none), None);
        assert_eq!(value(&fixed(global), &none).as_deref(), Some("1"));
        // Its value is that of the builder's command line, in each stage that asks for it.
        let given = BuildArgs::from([("V".to_owned(), "2".to_owned())]);
        let bare = "FROM a:1 AS b\nARG V\nRUN make $V\nFROM a:1\nUSER 1\nRUN echo $V > /v\n";
        assert_eq!(value(&fixed(bare), &given).as_deref(), Some("2"));
    }

    #[test]
    fn the_value_of_another_stage_takes_a_person() {
        let text = "FROM a:1 AS b\nARG V=1.2\nRUN make $V\nFROM a:1\nUSER 1\nRUN echo $V > /v\n";
        assert_eq!(fixed(text), text);
        let found = check(&Dockerfile::parse(text));
        let own = found.iter().find(|one| one.rule.id == "arg-out-of-scope");
        let hint = own.and_then(|one| one.hint.as_ref()).expect("a hint");
        assert_eq!(
            hint.as_str(),
            "move the `ARG V` of line 2 with its value above the first `FROM`, and put `ARG V` into each stage that uses it"
        );
    }

    #[test]
    fn what_the_shell_sets_or_does_not_expand_needs_no_arg() {
        for (run, told) in [
            (". /etc/os-release && echo $V", false),
            ("source a && echo $V", false),
            ("read a V < b && echo $V", false),
            ("while IFS=, read -r V; do echo $V; done < b", false),
            (": \"${V:=2}\" && echo $V", false),
            (": ${V=2}; echo $V", false),
            ("sed 's/$V/x/' a", false),
            ("echo \\'$V\\'", true),
            ("echo \"it's $V, it's\"", true),
            ("echo 'a'$V'b'", true),
            ("sh -c 'echo $V'", true),
            ("read a < b && echo $V", true),
            ("echo . $V", true),
            ("echo \"deb $(. /etc/os-release && echo $V)\"", false),
            (". /opt/$V/activate && echo hi", true),
            ("curl -fsSL x/$V.tgz -o /a && . /etc/os-release", true),
            ("echo $V && read V < b", true),
            ("f() { echo $V; }; . ./a && f", false),
            ("f() { echo $V; }; f", true),
            ("trap 'rm -f /tmp/$V' EXIT && true", true),
            ("eval 'echo $V'", true),
            ("su x --command 'echo $V'", true),
            ("su x --command='echo $V'", true),
            ("envsubst '$V' < a > b", true),
        ] {
            let text = format!("ARG V=1\nFROM a:1\nUSER 1\nRUN {run}\n");
            let found = check(&Dockerfile::parse(&text));
            let own = found.iter().any(|one| one.rule.id == "arg-out-of-scope");
            assert_eq!(own, told, "{run}");
        }
    }

    #[test]
    fn an_arg_that_comes_too_late_is_moved_up() {
        let text = "FROM a:1\nUSER 1\nRUN echo $V > /v\nARG V=1\n";
        let found = check(&Dockerfile::parse(text));
        let own = found.iter().find(|one| one.rule.id == "arg-out-of-scope");
        let hint = own.and_then(|one| one.hint.as_ref()).expect("a hint");
        assert_eq!(hint.as_str(), "move the `ARG V` of line 4 above it");
        assert_eq!(fixed(text), text);
    }

    #[test]
    fn a_comment_stays_with_the_instruction_below_it() {
        let text = "ARG V=1\nFROM alpine:3.22\nUSER 1\n# about all\n\n# why\n# loadline ignore=apk-cache,unpinned-apk\nRUN apk add a$V\n";
        let wanted = text.replace("# why", "ARG V\n# why");
        assert_eq!(fixed(text), wanted);
    }
}

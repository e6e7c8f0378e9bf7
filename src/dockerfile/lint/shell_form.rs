//! `shell-form`: `CMD` or `ENTRYPOINT` as plain text.

use std::collections::BTreeSet;

use super::super::ast::Body;
use super::super::ast::Command;
use super::super::ast::Instruction;
use super::super::ast::Keyword;
use super::super::shell;
use super::super::words::means_array;
use super::Edit;
use super::Found;
use super::Rule;
use super::Severity;
use super::subject::StageView;
use super::subject::Subject;
use super::subject::inner;
use crate::text::is_shell_builtin;

pub(super) const RULE: Rule = Rule {
    id: "shell-form",
    aliases: &["DL3025", "JSONArgsRecommended"],
    severity: Severity::Warning,
    title: "the application is started through a shell",
    why: "Plain text is given to `/bin/sh -c`, so the shell is process 1: signals such as that of \
          `docker stop` end with it, and the container is killed ten seconds later. An image without \
          a shell does not start at all. A JSON array starts the program itself.",
    bad: "FROM node:22-slim\nUSER node\nCMD node server.js\n",
    good: "FROM node:22-slim\nUSER node\nCMD [\"node\", \"server.js\"]\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    let given = given_a_cmd(subject);
    for (stage, instruction) in subject.instructions() {
        if !matches!(instruction.keyword, Keyword::Cmd | Keyword::Entrypoint) {
            continue;
        }
        let Body::Command(Command::Shell(text)) = &instruction.body else {
            continue;
        };
        if text.trim().is_empty() {
            continue;
        }
        let whole = instruction.places.span(text, 0..text.len());
        let array = exec_form(stage, instruction, text);
        // Text takes no arguments, so `CMD` does nothing; an array would be given what it says.
        let gets_cmd =
            instruction.keyword == Keyword::Entrypoint && given.contains(&stage.stage.index);
        let hint = match &array {
            Some(array) if gets_cmd => format!(
                "write `ENTRYPOINT {array}`; it is given what `CMD` says then, which does nothing now"
            ),
            Some(array) => format!("write `{} {array}`", instruction.keyword),
            None if leaves_a_quote_open(instruction, text) => {
                String::from("close its quote: the shell refuses to read it, and nothing starts")
            }
            None => other_way(stage, text).to_owned(),
        };
        // A comment between its lines would be lost.
        let one_piece = !subject.text(whole).contains('#');
        let edits = array
            .filter(|_| one_piece && !gets_cmd)
            .map(|array| Edit::replace(whole, array));
        let message = format!("`{}` goes through a shell", instruction.keyword);
        found.note(whole, message).hint(hint).fix(edits);
    }
}

/// The stages with a `CMD` of their own, or in a stage that is built on them.
fn given_a_cmd(subject: &Subject<'_>) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    for view in subject.stages.iter().rev() {
        let mut all = view.stage.instructions.iter().map(inner);
        if found.contains(&view.stage.index) || all.any(|one| one.keyword == Keyword::Cmd) {
            found.insert(view.stage.index);
            found.extend(view.below);
        }
    }
    found
}

/// What to do where the array cannot be written for the author.
fn other_way(stage: &StageView<'_>, text: &str) -> &'static str {
    if means_array(text.trim()) {
        "make it JSON: each part in double quotes, and a comma between two parts, nowhere else"
    } else if !stage.is_posix() {
        "write a JSON array; each backslash in it is written twice"
    } else if stage.has_plain_shell() {
        "write a JSON array; put what needs a shell in a script that ends with `exec`"
    } else {
        "write a JSON array; what `SHELL` does before it starts the program goes to its front"
    }
}

/// Whether a quote in it has no end.
fn leaves_a_quote_open(instruction: &Instruction, text: &str) -> bool {
    let commands = shell::commands(text, &instruction.places);
    let mut words = commands.iter().flat_map(|command| &command.words);
    words.any(|word| word.unclosed)
}

/// The same command as a JSON array, where no shell is needed to read it. An array that is not JSON
/// has no words to go by, and a shell of the author's own may do more than to read them.
fn exec_form(stage: &StageView<'_>, instruction: &Instruction, text: &str) -> Option<String> {
    if means_array(text.trim()) || !stage.is_posix() || !stage.has_plain_shell() {
        return None;
    }
    let commands = shell::commands(text, &instruction.places);
    let [command] = commands.as_slice() else {
        return None;
    };
    let plain = command.assignments.is_empty() && command.redirects.is_empty();
    if !plain || text.contains(['&', ';', '|', '(', '{']) {
        return None;
    }
    let words = match command.words.as_slice() {
        [exec, rest @ ..] if exec.text == "exec" => rest,
        words => words,
    };
    let first = words.first()?;
    // In front of it there may be what steers the shell, as `!`, or an option of `exec`.
    let begin = text.len() - text.trim_start().len();
    if command.span().start != instruction.places.source(begin) || first.is_option() {
        return None;
    }
    if is_shell_builtin(&first.text) || words.iter().any(|word| word.expands || word.unclosed) {
        return None;
    }
    let quoted: Result<Vec<String>, _> = words
        .iter()
        .map(|word| serde_json::to_string(&word.text))
        .collect();
    Some(format!("[{}]", quoted.ok()?.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::super::super::ast::Dockerfile;
    use super::super::Surroundings;
    use super::super::check;
    use super::super::fix;

    /// What the rule advises, and what `fix` makes of the text.
    fn advice(text: &str) -> (String, String) {
        let found = check(&Dockerfile::parse(text));
        let own = found.iter().find(|one| one.rule.id == "shell-form");
        let hint = own.and_then(|one| one.hint.as_ref());
        let hint = hint.map(|hint| hint.as_str().to_owned());
        let fixed = fix(text, &Surroundings::default(), &|_| true).text;
        (hint.expect("a finding with a hint"), fixed)
    }

    #[test]
    fn an_array_that_is_not_json_is_left_to_its_author() {
        for line in [
            "CMD ['node', 'server.js']",
            "CMD [\"node\", \"server.js\",]",
            "ENTRYPOINT [\"node\", \"server.js\"",
            "CMD [node, server.js]",
        ] {
            let text = format!("FROM a:1\nUSER 1\n{line}\n");
            let (hint, fixed) = advice(&text);
            assert_eq!(fixed, text);
            assert!(!hint.contains("\"[") && hint.contains("JSON"), "{hint}");
            let file = Dockerfile::parse(&text);
            assert_eq!(file.warnings.len(), 1, "{line}: {:?}", file.warnings);
        }
    }

    #[test]
    fn a_quote_without_an_end_is_not_read_for_the_author() {
        for line in ["CMD python \"app.py", "CMD python 'app.py"] {
            let text = format!("FROM a:1\nUSER 1\n{line}\n");
            let (hint, fixed) = advice(&text);
            assert_eq!(fixed, text);
            assert!(hint.starts_with("close its quote"), "{hint}");
        }
    }

    #[test]
    fn an_entrypoint_is_given_no_cmd_that_did_nothing() {
        for text in [
            "FROM a:1\nUSER 1\nENTRYPOINT echo hi\nCMD [\"x\"]\n",
            "FROM a:1\nUSER 1\nCMD [\"x\"]\nENTRYPOINT echo hi\n",
            "FROM a:1 AS b\nENTRYPOINT echo hi\nFROM b AS c\nUSER 1\nFROM c\nCMD [\"x\"]\n",
        ] {
            let (hint, fixed) = advice(text);
            assert_eq!(fixed, text);
            assert!(hint.contains("`CMD`"), "{hint}");
        }
        // `ENTRYPOINT` puts away the `CMD` of what it is built on.
        let text = "FROM a:1 AS b\nCMD [\"x\"]\nFROM b\nUSER 1\nENTRYPOINT echo hi\n";
        let fixed = advice(text).1;
        assert!(
            fixed.ends_with("ENTRYPOINT [\"echo\", \"hi\"]\n"),
            "{fixed}"
        );
    }

    #[test]
    fn what_only_a_shell_understands_stays_with_it() {
        for line in [
            "ls \"dir\"/*.txt",
            "echo a\"b\"*",
            "! true",
            "exit 0",
            "command node a.js",
            "read line",
            "wait",
            ": nothing",
            "exec -a name sleep 100",
            "exec",
            "time node a.js",
        ] {
            let text = format!("FROM a:1\nUSER 1\nCMD {line}\n");
            assert_eq!(advice(&text).1, text);
        }
        for (line, array) in [
            ("exec  sleep 100", r#"["sleep", "100"]"#),
            ("ls 'a b'\"*\"", r#"["ls", "a b*"]"#),
            ("echo 1", r#"["echo", "1"]"#),
        ] {
            let fixed = advice(&format!("FROM a:1\nUSER 1\nCMD {line}\n")).1;
            assert!(fixed.ends_with(&format!("CMD {array}\n")), "{fixed}");
        }
    }

    #[test]
    fn a_shell_that_does_more_than_to_read_the_words_is_kept() {
        let windows = "FROM mcr.microsoft.com/windows/servercore\nCMD C:\\app\\run.exe --port 80\n";
        let conda = "FROM a:1\nSHELL [\"conda\", \"run\", \"-n\", \"app\", \"/bin/bash\", \"-c\"]\nUSER 1\nCMD python app.py\n";
        let login = "FROM a:1\nSHELL [\"/bin/bash\", \"-lc\"]\nUSER 1\nCMD python app.py\n";
        for text in [windows, conda, login] {
            assert_eq!(advice(text).1, text);
        }
        let plain = "FROM a:1\nSHELL [\"/bin/bash\", \"-eo\", \"pipefail\", \"-c\"]\nUSER 1\nCMD python app.py\n";
        let fixed = advice(plain).1;
        assert!(fixed.contains("CMD [\"python\", \"app.py\"]"), "{fixed}");
    }
}

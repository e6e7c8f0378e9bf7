//! `shell-form`: `CMD` or `ENTRYPOINT` as plain text.

use super::super::ast::Body;
use super::super::ast::Command;
use super::super::ast::Instruction;
use super::super::ast::Keyword;
use super::super::shell;
use super::Edit;
use super::Found;
use super::Rule;
use super::Severity;
use super::subject::Subject;

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
    for (_, instruction) in subject.instructions() {
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
        let array = exec_form(instruction, text);
        let hint = match &array {
            Some(array) => format!("write `{} {array}`", instruction.keyword),
            None => String::from(
                "write a JSON array; put what needs a shell in a script that ends with `exec`",
            ),
        };
        // A comment between its lines would be lost.
        let one_piece = !subject.text(whole).contains('#');
        let edits = array
            .filter(|_| one_piece)
            .map(|array| Edit::replace(whole, array));
        let message = format!("`{}` goes through a shell", instruction.keyword);
        found.note(whole, message).hint(hint).fix(edits);
    }
}

/// The same command as a JSON array, where no shell is needed to read it.
fn exec_form(instruction: &Instruction, text: &str) -> Option<String> {
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
    let needs_shell = |text: &str| text.starts_with('~') || text.contains(['*', '?', '[']);
    let builtin = matches!(
        words.first()?.text.as_str(),
        "cd" | "." | "source" | "export" | "set" | "ulimit" | "umask" | "eval" | "trap" | "["
    );
    if builtin
        || words
            .iter()
            .any(|word| word.expands || (!word.quoted && needs_shell(&word.text)))
    {
        return None;
    }
    let quoted: Result<Vec<String>, _> = words
        .iter()
        .map(|word| serde_json::to_string(&word.text))
        .collect();
    Some(format!("[{}]", quoted.ok()?.join(", ")))
}

//! Changes of the text that several rules share.

use super::super::shell::Joint;
use super::super::shell::ShellCommand;
use super::super::shell::ShellWord;
use super::Edit;
use super::subject::RunView;
use super::subject::Subject;

/// Puts `option` behind a word of a command: in an array as a string of its own.
pub(super) fn add_option(
    run: &RunView<'_>,
    command: &ShellCommand,
    word: &ShellWord,
    option: &str,
) -> Edit {
    let text = if is_json(run, command) {
        format!(", \"{option}\"")
    } else {
        format!(" {option}")
    };
    Edit::insert(word.span.end, text)
}

/// Puts `text` in the place of a word of a command: in an array as a string.
pub(super) fn rename(
    run: &RunView<'_>,
    command: &ShellCommand,
    word: &ShellWord,
    text: &str,
) -> Edit {
    if is_json(run, command) {
        Edit::replace(word.span, format!("\"{text}\""))
    } else {
        Edit::replace(word.span, text)
    }
}

/// Whether the words of a command are strings of an array; what `sh -c` in it is given is text.
const fn is_json(run: &RunView<'_>, command: &ShellCommand) -> bool {
    run.exec && !command.nested
}

/// Puts `text`, which begins with an operator, at the end of a `RUN`. Nothing where that could
/// change what the commands before it mean.
pub(super) fn append(subject: &Subject<'_>, run: &RunView<'_>, text: &str) -> Vec<Edit> {
    let instruction = run.instruction;
    // What `sudo` lets the others do, this one may not.
    if run.exec || run.onbuild || run.borrows_root() || !instruction.heredocs.is_empty() {
        return Vec::new();
    }
    let mut plain = run.commands.iter().filter(|one| !one.nested);
    // The shell ends with such a command, so nothing runs behind it.
    let ends = |one: &ShellCommand| {
        let first = one.words.first();
        first.is_some_and(|word| matches!(word.text.as_str(), "exit" | "exec"))
    };
    if plain.clone().any(ends) {
        return Vec::new();
    }
    let first = plain.next();
    let chained = first.is_some() && plain.all(|one| matches!(one.joint, Joint::And | Joint::Pipe));
    let arguments = instruction.arguments.trim_end();
    let last = arguments.chars().next_back();
    let whole = instruction.places.span(arguments, 0..arguments.len());
    // Whatever is not words and `&&` alone is left to a person.
    if !chained
        || arguments.contains([';', '#', '(', '{', '\n'])
        || last.is_none_or(|c| "&|\\".contains(c))
    {
        return Vec::new();
    }
    let many_lines = subject.text(whole).contains('\n');
    let joined = if many_lines {
        format!(" {}{}    {text}", subject.file.escape(), subject.line_end)
    } else {
        format!(" {text}")
    };
    vec![Edit::insert(whole.end, joined)]
}

#[cfg(test)]
mod tests {
    use super::super::super::ast::Body;
    use super::super::super::ast::Command;
    use super::super::super::ast::Dockerfile;
    use super::super::Surroundings;
    use super::super::fix;

    /// What the one rule `id` makes of a `RUN` in exec form.
    fn mended(id: &str, base: &str, words: &[&str]) -> Vec<String> {
        let array = serde_json::to_string(words).expect("JSON");
        let text = format!("FROM {base}\nRUN {array}\n");
        let fixed = fix(&text, &Surroundings::default(), &|one| one.rule.id == id);
        assert_eq!(fixed.count, 1, "{id}: {}", fixed.text);
        let file = Dockerfile::parse(&fixed.text);
        match &file.stages[0].instructions[0].body {
            Body::Command(Command::Exec(words)) => words.clone(),
            other => panic!("{id}: {other:?}"),
        }
    }

    #[test]
    fn an_option_becomes_a_string_of_its_own_in_an_array() {
        let apt = ["apt-get", "install", "curl"];
        for (id, base, words, wanted) in [
            (
                "asks-back",
                "debian:13",
                &apt[..],
                "apt-get install -y curl",
            ),
            (
                "apt-recommends",
                "debian:13",
                &apt,
                "apt-get install --no-install-recommends curl",
            ),
            (
                "apt-recommends",
                "debian:13",
                &["aptitude", "install", "curl"],
                "aptitude install --without-recommends curl",
            ),
            (
                "apt-for-people",
                "debian:13",
                &["apt", "update"],
                "apt-get update",
            ),
            (
                "apk-cache",
                "alpine:3.22",
                &["apk", "add", "curl"],
                "apk add --no-cache curl",
            ),
            (
                "pip-cache",
                "python:3.13",
                &["pip", "install", "a"],
                "pip install --no-cache-dir a",
            ),
            (
                "wget-progress",
                "debian:13",
                &["wget", "https://a.example/b"],
                "wget -nv https://a.example/b",
            ),
            (
                "useradd-big-uid",
                "debian:13",
                &["useradd", "-u", "1234567", "app"],
                "useradd --no-log-init -u 1234567 app",
            ),
            (
                "sudo",
                "debian:13",
                &["sudo", "make", "install"],
                "make install",
            ),
        ] {
            assert_eq!(mended(id, base, words).join(" "), wanted, "{id}");
        }
    }

    #[test]
    fn nothing_is_put_where_it_never_runs() {
        for end in ["exit 0", "exec true", "exit"] {
            let text = format!("FROM debian:13\nRUN apt-get update && {end}\n");
            let fixed = fix(&text, &Surroundings::default(), &|_| true);
            assert_eq!(fixed.text, text);
        }
    }

    #[test]
    fn the_text_that_a_shell_in_an_array_is_given_stays_one_string() {
        let words = mended(
            "asks-back",
            "debian:13",
            &["bash", "-c", "apt-get install curl"],
        );
        assert_eq!(words, ["bash", "-c", "apt-get install -y curl"]);
    }
}

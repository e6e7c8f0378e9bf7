//! Commands that became arguments: what CMD names is handed to the entrypoint, and is not started.

use super::Cause;
use super::Scene;
use crate::dockerfile::Body;
use crate::dockerfile::Command;
use crate::dockerfile::Instruction;
use crate::dockerfile::Keyword;
use crate::goal::Blame;
use crate::goal::base;
use crate::image::Config;
use crate::image::maker;
use crate::image::run::RunOutcome;

/// Words of a program that does not get what it was asked to open.
const NOT_OPENED: [&str; 5] = [
    "can't open",
    "cannot open",
    "cannot find",
    "unable to access",
    "no such file or directory",
];

/// Words of a program that knows no `-c`, which the shell form hands on.
const NO_SUCH_OPTION: [&str; 3] = ["option -- 'c'", "option: c", "option '-c'"];

/// What the entrypoint took its arguments for; `None` where it took them as they were meant.
pub(super) fn cause(scene: &Scene<'_>, outcome: &RunOutcome) -> Option<Cause> {
    let config = scene.config.filter(|_| !scene.own_entrypoint)?;
    let (program, first) = (config.entrypoint.first()?, config.cmd.first()?);
    if outcome.exit == Some(0) || !scene.command.ends_with(&config.cmd) {
        return None;
    }
    let file = &scene.evidence.dockerfile;
    let in_a_shell = base::last(file, Keyword::Cmd)
        .filter(|cmd| matches!(&cmd.body, Body::Command(Command::Shell(_))));
    if let Some(cmd) = in_a_shell {
        return shell_form(scene, config, cmd);
    }
    let repeated = !family(program).is_empty() && family(program) == family(first);
    // A name with an extension is one of a file, and most likely meant as one.
    let inherited = base::last(file, Keyword::Entrypoint).is_none();
    let names_a_program = inherited && !first.starts_with('-') && !family(first).contains('.');
    let taken = (repeated && scene.output.contains(first.as_str()))
        || (names_a_program && is_not_opened(&scene.output, first));
    taken.then(|| {
        Cause::new(
            format!(
                "{} is already `{program}`, so that CMD is only its list of arguments. What ran was `{}`: `{program}` took `{first}` for the name of what it should open.",
                entrypoint(scene),
                started(scene)
            ),
            "Put the image's entrypoint and your CMD side by side and read them as one command.",
            Blame::line(base::line_of(file, Keyword::Cmd)),
        )
    })
}

/// A CMD in the shell form after an entrypoint: the words of the shell become arguments.
fn shell_form(scene: &Scene<'_>, config: &Config, cmd: &Instruction) -> Option<Cause> {
    let (program, shell) = (config.entrypoint.first()?, config.cmd.first()?);
    let own = format!("{shell}: ");
    let told = scene.output.lines().any(|line| {
        // What the shell says itself shows that it was started.
        let speaks = line.contains(shell.as_str()) && !line.starts_with(&own);
        speaks || NO_SUCH_OPTION.iter().any(|words| line.contains(words))
    });
    told.then(|| {
        Cause::new(
            format!(
                "CMD on line {} is in the shell form, which puts `{shell}` before it. {} is already `{program}`, and what ran was `{}`: `{program}` took all of that for its own arguments.",
                cmd.line,
                entrypoint(scene),
                super::shorten(&started(scene))
            ),
            "Compare the two forms of CMD, and read each as the end of the image's entrypoint.",
            Blame::line(Some(cmd.line)),
        )
    })
}

/// What was started, as far as it may be told.
fn started(scene: &Scene<'_>) -> String {
    maker::told(&scene.command.join(" "))
}

/// Whose entrypoint the image has, to begin a sentence with.
fn entrypoint(scene: &Scene<'_>) -> String {
    let file = &scene.evidence.dockerfile;
    match base::last(file, Keyword::Entrypoint) {
        Some(instruction) => format!("The entrypoint of line {}", instruction.line),
        None => match base::base(file) {
            Some((image, _)) => format!("The entrypoint that `{image}` brings"),
            None => String::from("The entrypoint"),
        },
    }
}

/// `python` of `/usr/bin/python3.13`.
fn family(word: &str) -> &str {
    let name = word.rsplit('/').next().unwrap_or(word);
    name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-')
}

/// Whether a line of the output says that a file of that name was not to be opened.
fn is_not_opened(output: &str, word: &str) -> bool {
    let name = word.rsplit('/').next().unwrap_or(word);
    let ends = |c: char| c.is_whitespace() || "'\"`:,;()[]".contains(c);
    output.lines().any(|line| {
        let lower = line.to_lowercase();
        NOT_OPENED.iter().any(|words| lower.contains(words))
            && line
                .split(ends)
                .any(|path| path.rsplit('/').next() == Some(name))
    })
}

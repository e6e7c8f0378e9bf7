//! `root-by-default`: nothing says who runs the application, and the base says root.

use super::super::ast::Body;
use super::super::ast::Command;
use super::super::ast::Instruction;
use super::super::ast::Keyword;
use super::Found;
use super::Rule;
use super::Severity;
use super::known;
use super::known::DefaultUser;
use super::subject::Base;
use super::subject::StageView;
use super::subject::Subject;

/// Programs that give root up before they start the application.
const DROPPERS: [&str; 6] = [
    "gosu",
    "su-exec",
    "setpriv",
    "runuser",
    "s6-setuidgid",
    "chpst",
];

pub(super) const RULE: Rule = Rule {
    id: "root-by-default",
    aliases: &[],
    severity: Severity::Warning,
    title: "no USER, and the base image starts as root",
    why: "Where a Dockerfile names no user, the base image decides, and most decide for root. Whoever \
          breaks into the application is then root in the container, one kernel bug or one careless \
          mount away from the host. A numeric user needs no entry in `/etc/passwd`.",
    bad: "FROM python:3.13-slim\nCOPY app.py /\nCMD [\"python\", \"/app.py\"]\n",
    good: "FROM python:3.13-slim\nCOPY app.py /\nUSER 65532:65532\nCMD [\"python\", \"/app.py\"]\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    let Some(last) = subject.last() else { return };
    let shipped: Vec<&StageView<'_>> = subject.shipping().collect();
    let instructions = || shipped.iter().flat_map(|stage| &stage.stage.instructions);
    if instructions().any(|one| one.keyword == Keyword::User) || instructions().any(drops) {
        return;
    }
    let base = last.stage.base.text.as_str();
    let note = match &last.base {
        Base::Scratch => Some((
            Severity::Warning,
            String::from("no `USER`: on `scratch` the application runs as root"),
        )),
        Base::Image(name) => match known::default_user(name) {
            DefaultUser::Other => None,
            DefaultUser::Root => {
                let own_entrypoint = instructions().any(|one| one.keyword == Keyword::Entrypoint);
                if known::drops_root(name) && !own_entrypoint {
                    return;
                }
                let message = format!("no `USER`: `{base}` starts as root");
                Some((Severity::Warning, message))
            }
            DefaultUser::Unknown => Some((
                Severity::Info,
                format!("no `USER`: `{base}` decides who runs the application"),
            )),
        },
        Base::Unknown => None,
    };
    if let Some((severity, message)) = note {
        found
            .note(last.stage.base.span, message)
            .severity(severity)
            .hint("end the last stage with a user, such as `USER 65532:65532`");
    }
}

/// Whether an instruction starts the application through a program that gives root up.
fn drops(instruction: &Instruction) -> bool {
    let Body::Command(command) = &instruction.body else {
        return false;
    };
    if instruction.keyword == Keyword::Run {
        return false;
    }
    let is_dropper = |word: &str| {
        DROPPERS
            .iter()
            .any(|name| word.rsplit('/').next() == Some(name))
    };
    match command {
        Command::Exec(words) => words.iter().any(|word| is_dropper(word)),
        Command::Shell(text) => text.split_whitespace().any(is_dropper),
    }
}

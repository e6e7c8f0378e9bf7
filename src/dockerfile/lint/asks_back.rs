//! `asks-back`: a package manager that asks.

use super::super::shell::Joint;
use super::Found;
use super::Rule;
use super::Severity;
use super::amend;
use super::subject::RunView;
use super::subject::Subject;
use super::tool::Tool;
use super::tool::Use;

pub(super) const RULE: Rule = Rule {
    id: "asks-back",
    aliases: &["DL3014", "DL3030", "DL3034", "DL3038"],
    severity: Severity::Warning,
    title: "a package manager asks, and nobody answers",
    why: "A build has no keyboard. Without the option that says yes beforehand the package manager \
          stops at its question, and the build with it.",
    bad: "FROM debian:13-slim\nRUN apt-get update && apt-get install --no-install-recommends curl && rm -rf /var/lib/apt/lists/*\n",
    good: "FROM debian:13-slim\nRUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (_, run) in subject.runs() {
        let mut uses = run.commands.iter().filter_map(Use::of).filter(|used| {
            // `yes | apt-get install x`
            let piped = used.command.joint == Joint::Pipe;
            asks(used) && !piped && !is_answered(used)
        });
        let Some(first) = uses.next().filter(|_| !is_configured(run)) else {
            continue;
        };
        for used in std::iter::once(first).chain(uses) {
            let Some(action) = used.action else { continue };
            let message = format!("`{}` asks, and nobody answers", used.command.program());
            found
                .note(action.span, message)
                .hint("add `-y`")
                .fix([amend::add_option(run, used.command, action, "-y")]);
        }
    }
}

fn asks(used: &Use<'_>) -> bool {
    match used.tool {
        Tool::Apt => {
            used.installs() || matches!(used.action(), "upgrade" | "dist-upgrade" | "full-upgrade")
        }
        Tool::Yum | Tool::Dnf | Tool::Zypper => used.installs(),
        _ => false,
    }
}

fn is_answered(used: &Use<'_>) -> bool {
    if used.has_short('y') || used.has(&["--yes", "--assume-yes", "--assumeyes", "--force-yes"]) {
        return true;
    }
    match used.tool {
        Tool::Zypper => used.has_short('n') || used.has(&["--non-interactive", "--no-confirm"]),
        // Twice quiet means yes.
        Tool::Apt => {
            let quiet = |word: &&&super::super::shell::ShellWord| {
                word.text == "-q" || word.text == "--quiet"
            };
            let twice = used.options.iter().filter(quiet).count() > 1;
            let both = used
                .options
                .iter()
                .any(|word| !word.text.starts_with("--") && word.text.matches('q').count() > 1);
            twice || both || used.has_word("--quiet=2") || used.has_word("-q=2")
        }
        _ => false,
    }
}

/// Whether an option or a configuration file says yes for all.
fn is_configured(run: &RunView<'_>) -> bool {
    let mut words = run.commands.iter().flat_map(|one| &one.words);
    words.any(|word| word.text.contains("Assume-Yes") || word.text.contains("assumeyes"))
}

//! `apt-recommends`: `apt-get install` brings packages that nobody asked for.

use super::Found;
use super::Rule;
use super::Severity;
use super::amend;
use super::subject::Subject;
use super::tool::Tool;
use super::tool::Use;

pub(super) const RULE: Rule = Rule {
    id: "apt-recommends",
    aliases: &["DL3015"],
    severity: Severity::Info,
    title: "apt-get installs recommended packages too",
    why: "Debian installs what a package recommends besides what it needs: manuals, compilers, whole \
          desktops. In an image that is often more than the package itself, and each of them is one \
          more thing to patch.",
    bad: "FROM debian:13-slim\nRUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*\n",
    good: "FROM debian:13-slim\nRUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for stage in subject.shipping() {
        let mut configured = false;
        let commands = stage
            .runs
            .iter()
            .flat_map(|run| run.commands.iter().map(move |command| (run, command)));
        for (run, command) in commands {
            // A configuration file or an option may say it for all.
            configured |= command
                .words
                .iter()
                .any(|word| says_no(&word.text) && Use::of(command).is_none());
            let Some(used) = Use::of(command).filter(|used| used.tool == Tool::Apt) else {
                continue;
            };
            let said = used.has(&["--no-install-recommends", "--without-recommends"])
                || command.arguments().iter().any(|word| says_no(&word.text));
            let Some(action) = used.action.filter(|_| used.action() == "install") else {
                continue;
            };
            if said || configured {
                continue;
            }
            found
                .note(action.span, "recommended packages are installed too")
                .hint("add `--no-install-recommends`, and name what you miss then")
                .fix([amend::add_option(
                    run,
                    command,
                    action,
                    "--no-install-recommends",
                )]);
        }
    }
}

/// Whether a text turns recommended packages off.
fn says_no(text: &str) -> bool {
    let Some((_, value)) = text.split_once("Install-Recommends") else {
        return false;
    };
    let value = value.trim_start_matches(['=', ' ', '"', '\\', '\'']);
    value.starts_with("false") || value.starts_with('0') || value.starts_with("no")
}

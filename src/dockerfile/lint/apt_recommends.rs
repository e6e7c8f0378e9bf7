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
            // Each knows its own option only.
            let is_aptitude = command.program() == "aptitude";
            let option = if is_aptitude {
                "--without-recommends"
            } else {
                "--no-install-recommends"
            };
            let said = used.has(&["--no-install-recommends", "--without-recommends"])
                || is_aptitude && used.has_short('R')
                || command.arguments().iter().any(|word| says_no(&word.text));
            let Some(action) = used.action.filter(|_| used.action() == "install") else {
                continue;
            };
            if said || configured {
                continue;
            }
            found
                .note(action.span, "recommended packages are installed too")
                .hint(format!("add `{option}`, and name what you miss then"))
                .fix([amend::add_option(run, command, action, option)]);
        }
    }
}

/// Whether a text turns recommended packages off.
fn says_no(text: &str) -> bool {
    // apt reads names and values in either case, and the option as the name.
    let text = text.to_ascii_lowercase();
    let Some((_, value)) = text.split_once("install-recommends") else {
        return false;
    };
    let value = value.trim_start_matches(['=', ' ', '"', '\\', '\'']);
    let no = ["false", "0", "no", "off", "without", "disable"];
    no.iter().any(|no| value.starts_with(no))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_to_say_no_is_known() {
        for text in [
            "--install-recommends=false",
            "--install-recommends=0",
            "APT::Install-Recommends=No",
            "apt::install-recommends \"false\";",
        ] {
            assert!(says_no(text), "{text}");
        }
        for text in ["--install-recommends", "--install-recommends=true", "no"] {
            assert!(!says_no(text), "{text}");
        }
    }
}

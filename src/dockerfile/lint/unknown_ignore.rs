//! `unknown-ignore`: a comment that silences nothing.

use super::Found;
use super::Rule;
use super::Severity;
use super::found::quote;
use super::pragma::Trouble;
use super::registry;
use super::subject::Subject;
use crate::text::nearest;

pub(super) const RULE: Rule = Rule {
    id: "unknown-ignore",
    aliases: &[],
    severity: Severity::Warning,
    title: "a comment silences no rule",
    why: "A comment such as `# loadline ignore=latest-tag` silences a rule in the next instruction. \
          One that names no rule, or that no instruction follows, looks as if something were decided \
          and decides nothing.",
    bad: "# loadline ignore=latest-tga\nFROM debian:13-slim\n",
    good: "# loadline ignore=latest-tag\nFROM debian:latest\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (index, (span, trouble)) in subject.pragmas.misplaced.iter().enumerate() {
        match trouble {
            Trouble::Unknown(name) => {
                let known = registry::ALL
                    .iter()
                    .flat_map(|rule| std::iter::once(rule.id).chain(rule.aliases.iter().copied()));
                // Guessing takes time, and who has twenty wrong names needs the list.
                let meant = (index < 20).then(|| nearest(name, known)).flatten();
                let hint = match meant {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => String::from("`loadline lint --rules` lists every rule"),
                };
                found
                    .note(*span, format!("there is no rule `{}`", quote(name)))
                    .hint(hint);
            }
            Trouble::Inside => {
                found
                    .note(*span, "inside an instruction this comment silences nothing")
                    .hint("put it above the instruction");
            }
            Trouble::Last => {
                found
                    .note(*span, "no instruction follows this comment")
                    .hint("put it above the instruction that it is about");
            }
        }
    }
}

//! `legacy-key-value`: `ENV` or `LABEL` in the old form.

use super::super::ast::Body;
use super::super::ast::Keyword;
use super::Edit;
use super::Found;
use super::Rule;
use super::Severity;
use super::found::quote;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "legacy-key-value",
    aliases: &["LegacyKeyValueFormat"],
    severity: Severity::Style,
    title: "ENV or LABEL without an equals sign",
    why: "The old form takes all of the line as one value, so it cannot be told from a forgotten \
          `=`. Builders warn of it and mean to drop it.",
    bad: "FROM debian:13-slim\nENV PORT 8000\n",
    good: "FROM debian:13-slim\nENV PORT=8000\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (_, instruction) in subject.instructions() {
        let Body::Pairs(pairs) = &instruction.body else {
            continue;
        };
        let (Keyword::Env | Keyword::Label, [pair]) = (instruction.keyword, pairs.as_slice())
        else {
            continue;
        };
        let text = instruction.arguments.as_str();
        let name = text.split([' ', '\t']).next().unwrap_or_default();
        let Some(value) = pair.raw.as_deref().filter(|_| !name.contains('=')) else {
            continue;
        };
        let quoted = ['"', '\''].into_iter().any(|quote| {
            let inside = value.strip_prefix(quote);
            let inside = inside.and_then(|rest| rest.strip_suffix(quote));
            // Two quoted words side by side are one value here, and two with an equals sign.
            inside.is_some_and(|inside| !inside.contains(quote))
        });
        let plain = !value.contains(['"', '\'', '\\', '`', '#']);
        let written = if value.contains([' ', '\t']) && plain {
            Some(format!("{name}=\"{value}\""))
        } else if plain || (quoted && !value.contains('\\')) {
            Some(format!("{name}={value}"))
        } else {
            None
        };
        let one_line = !subject.text(pair.span).contains('\n');
        found
            .note(
                pair.span,
                format!("`{}` and its value have no `=` between them", quote(name)),
            )
            .hint(format!("write `{}=…`", quote(name)))
            .fix(
                written
                    .filter(|_| one_line)
                    .map(|text| Edit::replace(pair.span, text)),
            );
    }
}

//! Flags of instructions: `--from=build` before the arguments.

mod run;

use super::ast::Flag;
use super::ast::Keyword;
use super::findings::Findings;
use super::lines::Piece;
use crate::text::nearest;

pub(crate) use run::mount_option;

/// Flags with a value that each instruction knows.
const fn with_value(keyword: Keyword) -> &'static [&'static str] {
    match keyword {
        Keyword::From => &["platform"],
        Keyword::Copy => &["from", "chown", "chmod", "exclude"],
        Keyword::Add => &["chown", "chmod", "checksum", "exclude"],
        Keyword::Run => &["mount", "network", "security", "device"],
        Keyword::Healthcheck => &[
            "interval",
            "timeout",
            "start-period",
            "start-interval",
            "retries",
        ],
        _ => &[],
    }
}

/// Flags that are on when they are named.
const fn switches(keyword: Keyword) -> &'static [&'static str] {
    match keyword {
        Keyword::Copy => &["link", "parents"],
        Keyword::Add => &["link", "keep-git-dir", "unpack"],
        _ => &[],
    }
}

/// Flags that may be given several times.
const REPEATED: &[&str] = &["mount", "exclude", "device"];

/// Splits `--a=b --c rest` into its flags and the rest.
pub(super) fn split(piece: Piece<'_>) -> (Vec<Flag>, Piece<'_>) {
    let mut flags = Vec::new();
    let mut rest = piece.trim();
    while rest.text().starts_with("--") {
        let (text, end) = read_word(rest.text());
        let word = rest.part(0..end);
        rest = rest.from(end).trim();
        // A lone `--` ends the flags.
        let Some(flag) = text.strip_prefix("--").filter(|flag| !flag.is_empty()) else {
            break;
        };
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (flag, None),
        };
        flags.push(Flag {
            name: name.to_owned(),
            value,
            span: word.span(),
        });
    }
    (flags, rest)
}

/// The first word without its quotes and escapes, and where it ends. The escape character of flags
/// is always a backslash.
fn read_word(text: &str) -> (String, usize) {
    let mut word = String::new();
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
            word.push(c);
            continue;
        }
        match quote {
            None if c.is_whitespace() => return (word, at),
            None if matches!(c, '\'' | '"') => quote = Some(c),
            Some(open) if c == open => quote = None,
            _ if c == '\\' => escaped = true,
            _ => word.push(c),
        }
    }
    (word, text.len())
}

/// Says which flags the instruction does not know, lacks a value for, or has twice, and what is wrong
/// with their values.
pub(super) fn check(keyword: Keyword, flags: &[Flag], findings: &mut Findings) {
    let (valued, switches) = (with_value(keyword), switches(keyword));
    for (index, flag) in flags.iter().enumerate() {
        let name = flag.name.as_str();
        if switches.contains(&name) {
            if !matches!(flag.value.as_deref(), None | Some("true" | "false")) {
                findings.refuse(
                    flag.span,
                    format!("the flag `--{name}` is either `true` or `false`"),
                    Some(format!("write `--{name}`")),
                );
            }
        } else if valued.contains(&name) {
            if flag.value.is_none() {
                findings.refuse(
                    flag.span,
                    format!("the flag `--{name}` has no value"),
                    Some(format!("write `--{name}=…`, without spaces around `=`")),
                );
            } else if keyword == Keyword::Run {
                run::check(flag, findings);
            }
        } else {
            findings.refuse(
                flag.span,
                format!("`{keyword}` has no flag `--{name}`"),
                unknown_hint(keyword, name, valued, switches),
            );
            continue;
        }
        let again = flags.iter().take(index.min(64)).any(|f| f.name == name);
        if again && !REPEATED.contains(&name) {
            findings.refuse(
                flag.span,
                format!("the flag `--{name}` is given twice"),
                None,
            );
        }
    }
}

fn unknown_hint(
    keyword: Keyword,
    name: &str,
    valued: &[&'static str],
    switches: &[&'static str],
) -> Option<String> {
    let known: Vec<&str> = valued.iter().chain(switches).copied().collect();
    if known.is_empty() {
        return Some(format!("`{keyword}` has no flags at all"));
    }
    Some(match nearest(name, known.iter().copied()) {
        Some(meant) => format!("did you mean `--{meant}`?"),
        None => {
            let all: Vec<String> = known.iter().map(|flag| format!("`--{flag}`")).collect();
            format!("it knows {}", all.join(", "))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::lines::Joined;
    use super::*;

    fn flags_of(text: &str) -> (Vec<(String, Option<String>)>, String) {
        let mut joined = Joined::default();
        joined.push(text, 0);
        let (flags, rest) = split(joined.whole());
        let flags = flags.into_iter().map(|flag| (flag.name, flag.value));
        (flags.collect(), rest.text().to_owned())
    }

    #[test]
    fn flags_end_where_the_arguments_begin() {
        let (flags, rest) = flags_of("--from=build --link  a --not-a-flag b ");
        assert_eq!(
            flags,
            [
                ("from".to_owned(), Some("build".to_owned())),
                ("link".to_owned(), None)
            ]
        );
        assert_eq!(rest, "a --not-a-flag b");
        assert_eq!(flags_of("-- --x").1, "--x");
    }

    #[test]
    fn quotes_of_a_flag_are_taken_away() {
        let (flags, rest) = flags_of(r#"--mount=type=bind,"source=a b" make"#);
        assert_eq!(flags[0].1.as_deref(), Some("type=bind,source=a b"));
        assert_eq!(rest, "make");
    }
}

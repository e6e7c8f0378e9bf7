//! What the doctor found, without what tells who asked: to be shown to strangers.

use super::Check;

/// What stands in the place of a path.
const PATH: &str = "<path>";

/// Above whose folders a home folder lies.
const HOMES: [&str; 2] = ["/home/", "/Users/"];

/// What the doctor found, as text without names and paths.
#[must_use]
pub fn report(checks: &[Check]) -> String {
    use std::fmt::Write as _;

    let mut text = String::new();
    for check in checks {
        let found = nameless(check.found.as_str());
        let word = check.state.word();
        let _ = writeln!(text, "{word:<8} {:<14} {found}", check.title);
        if let Some(fix) = &check.fix {
            let fix = nameless(fix.as_str());
            let _ = writeln!(text, "{:<8} {:<14} fix: {fix}", "", "");
        }
    }
    text
}

/// A sentence without the paths, addresses and names in it: a home folder is `~`, another path is
/// only that it is one, of an address the scheme is left, of a Docker context that it has a name.
fn nameless(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_inner) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c| !is_inner(c)).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        kept.push_str(before);
        let of_context = before.ends_with('`') && kept.ends_with("context `");
        if of_context {
            kept.push('\u{2026}');
        } else {
            kept.push_str(&hidden(word));
        }
        rest = after;
    }
    kept.push_str(rest);
    kept
}

/// Whether a character may stand inside a path or an address.
fn is_inner(c: char) -> bool {
    !c.is_whitespace() && !matches!(c, '`' | '(' | ')' | '"' | '\'' | ',' | ';')
}

/// A word, or what may be shown of it.
fn hidden(word: &str) -> String {
    if let Some((scheme, _)) = word.split_once("://") {
        return format!("{scheme}://\u{2026}");
    }
    let is_path = word.starts_with('/') && word.len() > 1;
    if !is_path {
        return word.to_owned();
    }
    let end = if word.ends_with(':') { ":" } else { "" };
    let path = word.trim_end_matches(':');
    let below_home = HOMES
        .iter()
        .find_map(|above| path.strip_prefix(above))
        .map(|rest| rest.split_once('/').map_or("", |(_, below)| below));
    let below_root = path
        .strip_prefix("/root")
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
        .map(|rest| rest.trim_start_matches('/'));
    match below_home.or(below_root) {
        Some("") => format!("~{end}"),
        Some(below) => format!("~/{below}{end}"),
        None => format!("{PATH}{end}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workshop::doctor::checks;
    use crate::workshop::doctor::fixture;

    #[test]
    fn a_report_has_no_names_and_no_paths() {
        let mut facts = fixture::sound();
        if let Ok(info) = &mut facts.engine {
            info.address = "ssh://anna@build.example:22".to_owned();
            info.found_by = "the current Docker context `annas-box`".to_owned();
        }
        facts.folder = Ok("/home/anna/loadline".into());
        insta::assert_snapshot!(report(&checks(&facts)), @r"
        good     Terminal       120x36, 256 colours, UTF-8
        good     Engine         Docker 20.10.24 at ssh://… (the current Docker context `…`), graphdriver store
        good     Builder        BuildKit
        good     Disk           40 GB free for images; the base images to come need about 2 GB
        good     Base images    1 of 1 ready
        good     Certificates   the host trusts the usual authorities only
        good     Advisories     of 2026-11-25, snapshot 3f2a91c055aa77bb
        good     Scanners       grype 0.104.0; `loadline scan --engine` uses them
        good     Your files     ~/loadline
        ");
    }

    #[test]
    fn paths_and_addresses_are_known_wherever_they_stand() {
        for (text, wanted) in [
            (
                "/srv/anna cannot be written: denied",
                "<path> cannot be written: denied",
            ),
            ("at unix:///home/anna/.colima/docker.sock", "at unix://…"),
            ("`/root/x`, /root, /rooty", "`~/x`, ~, <path>"),
            ("in (/Users/anna/a b): cut", "in (~/a b): cut"),
            ("/home/anna: full", "~: full"),
            (
                "the context `anna` of `DOCKER_CONTEXT`",
                "the context `…` of `DOCKER_CONTEXT`",
            ),
            (
                "UTF-8, 4 / 5, `loadline doctor --fix`",
                "UTF-8, 4 / 5, `loadline doctor --fix`",
            ),
        ] {
            assert_eq!(nameless(text), wanted);
        }
    }
}

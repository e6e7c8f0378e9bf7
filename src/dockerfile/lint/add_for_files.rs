//! `add-for-files`: `ADD` where `COPY` does the same.

use super::super::ast::Body;
use super::super::ast::Keyword;
use super::super::shell::base_name;
use super::Edit;
use super::Found;
use super::Rule;
use super::Severity;
use super::found::quote;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "add-for-files",
    aliases: &["DL3020"],
    severity: Severity::Error,
    title: "ADD copies files",
    why: "`ADD` also downloads addresses and unpacks archives, so what it does depends on what it \
          is given. `COPY` only copies: nobody has to guess.",
    bad: "FROM python:3.13-slim\nADD app.py /app/\n",
    good: "FROM python:3.13-slim\nCOPY app.py /app/\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (_, instruction) in subject.instructions() {
        let Body::Copy { sources, .. } = &instruction.body else {
            continue;
        };
        if instruction.keyword != Keyword::Add || sources.is_empty() {
            continue;
        }
        // Only the flags that both know.
        let plain_flags = instruction.flags.iter();
        let plain_flags =
            plain_flags.filter(|one| !matches!(&*one.name, "chown" | "chmod" | "link" | "exclude"));
        let one_of = |kind| sources.iter().find(|one| Kind::of(&one.text) == kind);
        if one_of(Kind::Special).is_some() {
            continue;
        }
        let Some(open) = one_of(Kind::Open) else {
            let edit = Edit::replace(instruction.keyword_span, "COPY");
            let edits = (plain_flags.count() == 0).then_some(edit);
            found
                .note(instruction.keyword_span, "`ADD` only copies here")
                .hint("write `COPY`")
                .fix(edits);
            continue;
        };
        let message = format!(
            "`ADD` unpacks `{}` if that is an archive",
            quote(&open.text)
        );
        found
            .note(instruction.keyword_span, message)
            .severity(Severity::Warning)
            .hint("write `COPY` if it is none");
    }
}

/// What `ADD` does with a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It copies it.
    Plain,
    /// It may be an archive: nothing in its name says what it is.
    Open,
    /// An address, an archive, or a variable that may be one.
    Special,
}

impl Kind {
    fn of(source: &str) -> Self {
        let lower = source.trim_matches(['"', '\'']).to_ascii_lowercase();
        let address = lower.contains("://")
            || lower.starts_with("git@")
            || lower.contains(".git#")
            || lower.ends_with(".git");
        let packed = [
            ".tar", ".gz", ".tgz", ".bz2", ".tbz", ".tbz2", ".xz", ".txz", ".lzma", ".tlz", ".zst",
            ".z",
        ];
        if address || lower.contains('$') || packed.iter().any(|end| lower.ends_with(end)) {
            return Self::Special;
        }
        let name = base_name(&lower);
        // What a pattern stands for ends with what is behind its last sign.
        let end = name.rsplit(['*', '?', ']']).next().unwrap_or_default();
        let ending = end.rsplit_once('.').map_or("", |(_, ending)| ending);
        let is_folder = matches!(name, "" | "." | "..");
        if is_folder || ending.contains(|c: char| c.is_ascii_alphabetic()) {
            Self::Plain
        } else {
            Self::Open
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::ast::Dockerfile;
    use super::super::Severity;
    use super::super::check;

    #[test]
    fn what_may_be_an_archive_is_left_to_a_person() {
        for (sources, wanted) in [
            ("app.py", Some((Severity::Error, true))),
            (".", Some((Severity::Error, true))),
            ("src/ *.py", Some((Severity::Error, true))),
            (".bashrc conf/nginx.conf", Some((Severity::Error, true))),
            ("app-*", Some((Severity::Warning, false))),
            ("a.tar.gz*", Some((Severity::Warning, false))),
            ("a.* b.py", Some((Severity::Warning, false))),
            ("rootfs", Some((Severity::Warning, false))),
            ("rootfs-1.0", Some((Severity::Warning, false))),
            ("*.tar.gz", None),
            ("rootfs a.tgz", None),
            ("https://a.example/b", None),
        ] {
            let text = format!("FROM debian:13\nADD {sources} /srv/\n");
            let found = check(&Dockerfile::parse(&text));
            let own = found.iter().find(|one| one.rule.id == "add-for-files");
            let shape = own.map(|one| (one.severity, !one.fix.is_empty()));
            assert_eq!(shape, wanted, "{sources}");
        }
    }
}

//! `add-for-files`: `ADD` where `COPY` does the same.

use super::super::ast::Body;
use super::super::ast::Keyword;
use super::Edit;
use super::Found;
use super::Rule;
use super::Severity;
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
        if sources.iter().all(|source| is_plain(&source.text)) {
            let edit = Edit::replace(instruction.keyword_span, "COPY");
            let edits = (plain_flags.count() == 0).then_some(edit);
            found
                .note(instruction.keyword_span, "`ADD` only copies here")
                .hint("write `COPY`")
                .fix(edits);
        }
    }
}

/// Whether a source is neither an address, nor an archive, nor a pattern or variable that may be one.
fn is_plain(source: &str) -> bool {
    let lower = source.trim_matches(['"', '\'']).to_ascii_lowercase();
    let address = lower.contains("://")
        || lower.starts_with("git@")
        || lower.contains(".git#")
        || lower.ends_with(".git");
    let packed = [
        ".tar", ".gz", ".tgz", ".bz2", ".tbz", ".tbz2", ".xz", ".txz", ".lzma", ".tlz", ".zst",
        ".z",
    ];
    !address && !lower.contains('$') && !packed.iter().any(|end| lower.ends_with(end))
}

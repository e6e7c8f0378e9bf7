//! `unverified-add`: `ADD` from an address without a checksum.

use super::super::ast::Body;
use super::super::ast::Keyword;
use super::Found;
use super::Rule;
use super::Severity;
use super::found::quote;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "unverified-add",
    aliases: &[],
    severity: Severity::Info,
    title: "ADD downloads something and nobody compares it",
    why: "What lies behind an address may change, and the next build takes what is there then. \
          `--checksum` stops the build when it is not what you looked at.",
    bad: "FROM debian:13-slim\nADD https://example.com/tool.tar.gz /tmp/\n",
    good: "FROM debian:13-slim\nADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://example.com/tool.tar.gz /tmp/\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (_, instruction) in subject.instructions() {
        let Body::Copy { sources, .. } = &instruction.body else {
            continue;
        };
        if instruction.keyword != Keyword::Add || instruction.flag("checksum").is_some() {
            continue;
        }
        let remote = sources.iter().find(|source| {
            let text = source.text.as_str();
            let address = text.starts_with("http://") || text.starts_with("https://");
            address && !text.contains(".git")
        });
        if let Some(source) = remote {
            found
                .note(
                    source.span,
                    format!("nobody compares what `{}` gives", quote(&source.text)),
                )
                .hint("add `--checksum=sha256:…`");
        }
    }
}

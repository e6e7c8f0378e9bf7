//! `no-healthcheck`: a server without `HEALTHCHECK`.

use super::super::ast::Keyword;
use super::Found;
use super::Rule;
use super::Severity;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "no-healthcheck",
    aliases: &["DL3057"],
    severity: Severity::Style,
    title: "a server has no HEALTHCHECK",
    why: "Without a health check an engine knows only whether the process exists. Kubernetes \
          leaves this instruction aside and has probes of its own, so this is a matter of where \
          the image runs.",
    bad: "FROM nginx:1.29\nEXPOSE 80\n",
    good: "FROM nginx:1.29\nEXPOSE 80\nHEALTHCHECK CMD curl -f http://localhost/ || exit 1\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    let instructions = || {
        subject
            .shipping()
            .flat_map(|stage| &stage.stage.instructions)
    };
    if instructions().any(|one| one.keyword == Keyword::Healthcheck) {
        return;
    }
    // What listens on no port is no server.
    if let Some(expose) = instructions()
        .filter(|one| one.keyword == Keyword::Expose)
        .last()
    {
        found
            .note(
                expose.keyword_span,
                "nothing says how to see that this server is well",
            )
            .hint("add `HEALTHCHECK CMD` and a command, unless the platform has probes of its own");
    }
}

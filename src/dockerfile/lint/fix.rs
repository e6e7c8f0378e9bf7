//! Mends what is mechanical: applies the edits of findings to the text.

use std::collections::BTreeMap;

use super::super::ast::Dockerfile;
use super::super::ast::Span;
use super::Edit;
use super::Finding;
use super::Surroundings;
use super::check_in;

/// How often the text is looked at again: one change may let another one be seen.
const ROUNDS: usize = 6;

/// How often in a round the text is parsed to find the changes that make it worse.
const TRIES: usize = 64;

/// A text after its mechanical findings were mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// The text.
    pub text: String,
    /// How many findings were mended.
    pub count: usize,
}

/// Mends everything mechanical that the rules find in a text.
#[must_use]
pub fn fix(text: &str, around: &Surroundings, wanted: &dyn Fn(&Finding) -> bool) -> Fixed {
    let mut fixed = Fixed {
        text: text.to_owned(),
        count: 0,
    };
    for _ in 0..ROUNDS {
        let file = Dockerfile::parse(&fixed.text);
        let mut findings = check_in(&file, around);
        findings.retain(|finding| wanted(finding));
        let (text, count) = harmless(&file, &findings);
        if count == 0 {
            break;
        }
        fixed.text = text;
        fixed.count += count;
    }
    fixed
}

/// Applies the findings but for those that make the text worse: a change that a builder refuses, or
/// reads otherwise than it looks, is none. Returns the text and how many findings were mended.
fn harmless(file: &Dockerfile, findings: &[Finding]) -> (String, usize) {
    let with = |kept: &[bool]| {
        let kept = findings.iter().zip(kept).filter(|(_, kept)| **kept);
        apply_each(&file.text, kept.map(|(finding, _)| finding))
    };
    let mut kept = vec![false; findings.len()];
    let mut best = (file.text.clone(), 0);
    let mut faults = faults(file);
    // A part that makes it worse is halved until the finding that does so stands alone.
    let whole = 0..findings.len();
    let mut parts = vec![whole];
    let mut tries = 0;
    while let Some(part) = parts.pop().filter(|_| tries < TRIES) {
        tries += 1;
        let mut more = kept.clone();
        for one in more.get_mut(part.clone()).into_iter().flatten() {
            *one = true;
        }
        let (text, count) = with(&more);
        let now = self::faults(&Dockerfile::parse(&text));
        if now <= faults {
            (kept, best, faults) = (more, (text, count), now);
        } else if part.len() > 1 {
            let middle = part.start + part.len() / 2;
            parts.push(middle..part.end);
            parts.push(part.start..middle);
        }
    }
    best
}

/// How much the parser has to say of a file.
const fn faults(file: &Dockerfile) -> usize {
    file.problems.len() + file.warnings.len()
}

/// Applies the edits of each finding, all of them or none: where two findings change the same
/// bytes, the first one is mended. Returns the text and how many findings were mended.
#[must_use]
pub fn apply(text: &str, findings: &[Finding]) -> (String, usize) {
    apply_each(text, findings.iter())
}

fn apply_each<'f>(text: &str, findings: impl Iterator<Item = &'f Finding>) -> (String, usize) {
    // What is put at the same place stands in the order of the findings.
    let mut taken: BTreeMap<(usize, usize), Vec<&Edit>> = BTreeMap::new();
    let mut count = 0;
    for finding in findings {
        let fits = |edit: &Edit| {
            let before = taken.range(..(edit.span.end, 0)).next_back();
            let free = before.is_none_or(|((start, end), _)| {
                let other = Span {
                    start: *start,
                    end: *end,
                };
                !overlap(edit.span, other)
            });
            // Two replacements of the same bytes overlap; two insertions at one place do not.
            let key = (edit.span.start, edit.span.end);
            let same = key.0 < key.1 && taken.contains_key(&key);
            text.get(edit.span.range()).is_some() && free && !same
        };
        if finding.fix.is_empty() || !finding.fix.iter().all(fits) {
            continue;
        }
        count += 1;
        for edit in &finding.fix {
            let key = (edit.span.start, edit.span.end);
            taken.entry(key).or_default().push(edit);
        }
    }
    let edits = taken.values().flatten();
    let mut out = String::with_capacity(text.len() + 64 * count);
    let mut at = 0;
    for edit in edits {
        out.push_str(text.get(at..edit.span.start).unwrap_or_default());
        out.push_str(&edit.text);
        at = edit.span.end.max(at);
    }
    out.push_str(text.get(at..).unwrap_or_default());
    (out, count)
}

/// Whether two edits change the same bytes.
const fn overlap(a: Span, b: Span) -> bool {
    a.start < b.end && b.start < a.end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed(text: &str) -> String {
        fix(text, &Surroundings::default(), &|_| true).text
    }

    #[test]
    fn what_is_mechanical_is_mended_in_one_go() {
        let text = "\
FROM debian:13-slim as Build
MAINTAINER Jo <jo@example.com>
ENV PORT 8000
RUN apt update && apt install curl
RUN sudo dnf install -y nginx && \\
    true
ADD app.py /app/
CMD python /app/app.py --port 8000
";
        insta::assert_snapshot!(fixed(text), @r#"
        FROM debian:13-slim AS build
        LABEL org.opencontainers.image.authors="Jo <jo@example.com>"
        ENV PORT=8000
        RUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*
        RUN dnf install -y nginx && \
            true \
            && dnf clean all
        COPY app.py /app/
        CMD ["python", "/app/app.py", "--port", "8000"]
        "#);
    }

    #[test]
    fn what_a_person_has_to_decide_is_left_alone() {
        for text in [
            "FROM debian:13-slim\nRUN apt-get update || true\n",
            "FROM debian:13-slim\nRUN apt-get update; apt-get install -y --no-install-recommends a\n",
            "FROM a:1\nUSER 1\nCMD echo $HOME && ls\n",
            "FROM a:1\nUSER 1\nCMD ls *.txt\n",
        ] {
            assert_eq!(fixed(text), text);
        }
    }

    #[test]
    fn lines_keep_the_way_they_end() {
        let text = "FROM alpine:3.22\r\nRUN apk add curl && \\\r\n    true\r\nUSER 1\r\n";
        let wanted =
            "FROM alpine:3.22\r\nRUN apk add --no-cache curl && \\\r\n    true\r\nUSER 1\r\n";
        assert_eq!(fixed(text), wanted);
    }

    #[test]
    fn a_change_that_makes_the_text_worse_keeps_no_other_back() {
        let text = "FROM alpine:3.22\nRUN apk add a\nUSER 1\nRUN apk add b\nRUN apk add c\n";
        let file = Dockerfile::parse(text);
        let mut findings = check_in(&file, &Surroundings::default());
        findings.retain(|one| one.rule.id == "apk-cache");
        let broken = Edit::insert(text.len(), "ENV A=\"\n");
        findings[1].fix.push(broken);
        let (mended, count) = harmless(&file, &findings);
        let wanted = "FROM alpine:3.22\nRUN apk add --no-cache a\nUSER 1\nRUN apk add b\nRUN apk add --no-cache c\n";
        assert_eq!((mended.as_str(), count), (wanted, 2));
    }

    #[test]
    fn two_quoted_values_are_not_put_behind_one_equals_sign() {
        let text = "FROM alpine:3.22\nENV JAVA_OPTS \"-Xms64m\" \"-Xmx128m\"\nRUN apk add curl\n";
        let file = Dockerfile::parse(text);
        let findings = check_in(&file, &Surroundings::default());
        let legacy = findings
            .iter()
            .find(|one| one.rule.id == "legacy-key-value");
        assert_eq!(legacy.map(|one| one.fix.len()), Some(0));
        let wanted = text.replace("add curl", "add --no-cache curl");
        assert_eq!(fixed(text), wanted);
    }

    #[test]
    fn a_silenced_finding_is_not_mended() {
        let text = "FROM alpine:3.22\nUSER 1\n# loadline ignore=apk-cache\nRUN apk add curl\n";
        assert_eq!(fixed(text), text);
    }

    #[test]
    fn the_examples_are_mended_where_their_rule_has_a_fix() {
        let mut mend = Vec::new();
        for rule in super::super::registry::ALL {
            let file = Dockerfile::parse(rule.bad);
            let around = super::super::tests::around(rule);
            let findings = check_in(&file, &around);
            let mut own = findings.iter().filter(|one| one.rule == rule).peekable();
            assert!(own.peek().is_some(), "{}", rule.id);
            if own.any(|one| one.fix.is_empty()) {
                continue;
            }
            mend.push(rule.id);
            let after = fix(rule.bad, &around, &|one| one.rule == rule);
            let again = check_in(&Dockerfile::parse(&after.text), &around);
            let left = again.iter().filter(|one| one.rule == rule).count();
            assert_eq!(left, 0, "{}: {}", rule.id, after.text);
        }
        insta::assert_snapshot!(mend.join("\n"), @"
        empty-continuation
        arg-out-of-scope
        copy-needs-slash
        asks-back
        cmd-repeats-entrypoint
        shell-form
        sudo
        apt-lists-kept
        apt-recommends
        apk-cache
        rpm-cache-kept
        pip-cache
        npm-cache
        yarn-cache
        useradd-big-uid
        redundant-platform
        add-for-files
        apt-for-people
        maintainer
        wget-progress
        casing
        legacy-key-value
        ");
    }
}

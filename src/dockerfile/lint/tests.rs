//! Every rule on its own examples, and the laws that hold for every text.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::units::time_used;

fn fired(text: &str, around: &Surroundings) -> Vec<&'static str> {
    let file = Dockerfile::parse(text);
    let found = check_in(&file, around);
    found.iter().map(|one| one.rule.id).collect()
}

/// What a rule has to know to see something in its example.
pub(super) fn around(rule: &Rule) -> Surroundings {
    let mut around = Surroundings::default();
    match rule.id {
        "untrusted-registry" => around.registries.push("docker.io".to_owned()),
        "no-ignore-file" => around.ignore = IgnoreFile::Missing,
        "ignored-copy" => {
            around.ignore = IgnoreFile::Read(Ignore::parse("secrets.txt\n").expect("fine"));
        }
        _ => {}
    }
    around
}

#[test]
fn each_rule_fires_on_its_bad_example_and_not_on_its_good_one() {
    for rule in registry::ALL {
        let around = around(rule);
        let bad = fired(rule.bad, &around);
        let good = fired(rule.good, &around);
        assert!(bad.contains(&rule.id), "{}: {bad:?}", rule.id);
        assert!(!good.contains(&rule.id), "{}: {good:?}", rule.id);
    }
}

#[test]
fn rules_have_names_of_their_own_and_say_why() {
    let mut names = BTreeSet::new();
    for rule in registry::ALL {
        let plain = |c: char| c.is_ascii_lowercase() || c == '-';
        assert!(rule.id.chars().all(plain), "{}", rule.id);
        for name in std::iter::once(&rule.id).chain(rule.aliases) {
            assert!(names.insert(*name), "two rules are called {name}");
        }
        assert!(!rule.title.ends_with('.'), "{}", rule.id);
        assert!(
            rule.why.ends_with('.') && rule.why.matches(". ").count() >= 1,
            "{}",
            rule.id
        );
    }
}

/// Each of these is quadratic in a rule that takes along for each instruction what all have set.
#[test]
fn hostile_input_is_linted_in_linear_time() {
    let variables: String = (0..60_000).map(|n| format!(" A{n}=1")).collect();
    for text in [
        format!("FROM a\nENV{variables}\n{}", "RUN b\n".repeat(3_000)),
        format!(
            "FROM a AS s\nENV{variables}\n{}",
            "FROM s AS s\n".repeat(3_000)
        ),
    ] {
        let begun = time_used();
        let _ = check(&Dockerfile::parse(&text));
        let took = time_used() - begun;
        let end: String = text.chars().rev().take(60).collect();
        assert!(took.as_secs() < 5, "{took:?}: {end}");
    }
}

fn lawful(text: &str) -> Result<(), TestCaseError> {
    let file = Dockerfile::parse(text);
    let mut last = 0;
    for finding in check(&file) {
        prop_assert!(file.text.get(finding.span.range()).is_some(), "{finding:?}");
        prop_assert!(finding.line >= last.max(1), "{finding:?}");
        last = finding.line;
        for edit in &finding.fix {
            prop_assert!(file.text.get(edit.span.range()).is_some(), "{finding:?}");
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn every_text_is_linted_within_its_bounds(
        lines in "(FROM [a-z:]{1,9}\n|RUN [a-z \"'$()|&;{}\\\\-]{0,40}\n|RUN <<E\n[a-z$(\n]{0,20}\nE\n|(CMD|COPY|ENV|USER) .{0,20}\n|# loadline ignore=.{0,9}\n){0,9}",
        any in "\\PC{0,60}",
    ) {
        lawful(&lines)?;
        lawful(&any)?;
        lawful(&format!("FROM a\nRUN {any}\n"))?;
    }
}

//! `lint`: the Dockerfile has at most so many findings.

use serde::Deserialize;

use super::Blame;
use super::Evidence;
use super::Goal;
use super::Missing;
use super::Needs;
use super::Verdict;
use super::field::OneOrMore;
use super::field::Scalar;
use super::field::some_scalar;
use super::kind::About;
use super::kind::Kind;
use super::kind::may;
use crate::dockerfile::lint;
use crate::dockerfile::lint::Finding;
use crate::dockerfile::lint::Rule;
use crate::dockerfile::lint::Severity;
use crate::dockerfile::lint::Surroundings;
use crate::dockerfile::lint::registry;
use crate::image::maker::Secrets;
use crate::text::nearest;
use crate::text::plural;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lint {
    #[serde(default)]
    max: usize,
    #[serde(default)]
    rules: Option<OneOrMore<Named>>,
    #[serde(default, deserialize_with = "some_scalar")]
    max_severity: Option<Severity>,
    #[serde(default)]
    comments: bool,
}

/// A rule by its id or an alias.
#[derive(Debug)]
struct Named(&'static Rule);

impl Scalar for Named {
    const EXPECTED: &'static str = "a lint rule such as `shell-form`";

    fn read(text: &str) -> Result<Self, String> {
        registry::rule(text).map(Self).ok_or_else(|| {
            let ids = registry::ALL.iter().map(|rule| rule.id);
            let meant = nearest(text, ids).map(|meant| format!("; did you mean `{meant}`?"));
            format!(
                "there is no lint rule `{text}`{}",
                meant.unwrap_or_default()
            )
        })
    }
}

impl Scalar for Severity {
    const EXPECTED: &'static str = "a severity: error, warning, info or style";

    fn read(text: &str) -> Result<Self, String> {
        text.parse()
    }
}

impl Kind for Lint {
    const ABOUT: About = About {
        name: "lint",
        asks: "The Dockerfile has at most so many lint findings.",
        parameters: &[
            may("max", "number", "The largest number of findings; 0."),
            may(
                "rules",
                "rule or list of rules",
                "Only these rules count, by id or alias; all of them.",
            ),
            may(
                "max_severity",
                "error, warning, info or style",
                "Findings up to this severity do not count; info, or none with `rules`.",
            ),
            may(
                "comments",
                "true or false",
                "Whether comments of the learner's may silence rules; false.",
            ),
        ],
        example: "lint: { rules: [root-by-default, remove-in-later-layer] }",
    };

    fn from_text(text: &str) -> Option<Result<Self, String>> {
        let max = text
            .parse()
            .map_err(|error| format!("`{text}` is not a number of findings ({error})"));
        Some(max.map(|max| Self {
            max,
            ..Self::default()
        }))
    }

    fn from_list(list: Vec<String>) -> Option<Result<Self, String>> {
        Some(OneOrMore::of(&list).map(|rules| Self {
            rules: Some(rules),
            ..Self::default()
        }))
    }
}

impl Lint {
    /// Whether a finding counts.
    fn counts(&self, finding: &Finding) -> bool {
        match (&self.rules, self.max_severity) {
            (Some(rules), severity) => {
                let wanted = rules.0.iter().any(|rule| rule.0 == finding.rule);
                wanted && severity.is_none_or(|most| finding.severity > most)
            }
            (None, severity) => finding.severity > severity.unwrap_or(Severity::Info),
        }
    }
}

impl Goal for Lint {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        match (&self.rules, self.max) {
            (Some(rules), 0) if rules.0.len() == 1 => {
                let id = rules.0.first().map_or("", |rule| rule.0.id);
                format!("lint: no {id}")
            }
            (_, 0) => String::from("lint: nothing found"),
            (_, max) => format!("lint: ≤ {}", plural(max, "finding")),
        }
    }

    fn wanted(&self) -> String {
        let count = match self.max {
            0 => String::from("no finding"),
            max => format!("at most {}", plural(max, "finding")),
        };
        match &self.rules {
            Some(rules) => {
                let names: Vec<String> = rules
                    .0
                    .iter()
                    .map(|rule| format!("`{}`", rule.0.id))
                    .collect();
                format!("{count} of {}", names.join(", "))
            }
            None => format!(
                "{count} graver than {}",
                self.max_severity.unwrap_or(Severity::Info)
            ),
        }
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let file = &evidence.dockerfile;
        if file.stages.is_empty() {
            return Verdict::unknown(&Missing::because("The Dockerfile has no FROM."));
        }
        let around = Surroundings {
            deaf: !self.comments,
            ..Surroundings::default()
        };
        let mut findings = lint::check_in(file, &around);
        findings.retain(|finding| self.counts(finding));
        if findings.len() <= self.max {
            return Verdict::met(match findings.len() {
                0 => String::from("nothing found"),
                count => plural(count, "finding"),
            });
        }
        let gravest = findings
            .iter()
            .enumerate()
            .max_by_key(|(at, finding)| (finding.severity, std::cmp::Reverse(*at)));
        let Some((_, first)) = gravest else {
            return Verdict::met("nothing found");
        };
        let secrets = Secrets::of(file.around(first.span.start));
        let told = secrets.told(first.message.as_str());
        Verdict::unmet(
            plural(findings.len(), "finding"),
            format!("Line {}: {told} ({}).", first.line, first.rule.id),
            format!(
                "`loadline lint --explain {}` says why that matters.",
                first.rule.id
            ),
            Blame::line(Some(first.line)),
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::goal::fixture::goal;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::show;
    use crate::goal::fixture::try_goal;

    const FILE: &str = "FROM node:latest\n# loadline ignore=shell-form\nCMD node server.js\n";

    fn judge(yaml: &str) -> String {
        show(&goal(yaml).evaluate(&nothing(FILE)))
    }

    #[test]
    fn the_gravest_finding_is_told_with_its_line() {
        insta::assert_snapshot!(judge("lint"), @r"
        unmet: 3 findings
        why:   Line 1: `node:latest` is another image each month (latest-tag).
        next:  `loadline lint --explain latest-tag` says why that matters.
        blame: line 1
        ");
        assert_eq!(judge("lint: 3"), "met: 3 findings");
    }

    #[test]
    fn a_learner_s_comments_silence_nothing_unless_they_may() {
        assert!(judge("lint: [shell-form]").starts_with("unmet: 1 finding"));
        let allowed = "lint: { rules: DL3025, comments: true }";
        assert_eq!(judge(allowed), "met: nothing found");
    }

    #[test]
    fn rules_and_severities_choose_what_counts() {
        assert!(judge("lint: [DL3007, DL3008]").contains("unmet: 1 finding"));
        assert_eq!(
            judge("lint: { max_severity: warning }"),
            "met: nothing found"
        );
        assert_eq!(
            judge("lint: { rules: DL3007, max_severity: warning }"),
            "met: nothing found"
        );
        assert_eq!(
            goal("lint: { max: 2, rules: sudo }").wanted(),
            "at most 2 findings of `sudo`"
        );
    }

    #[test]
    fn what_is_no_rule_is_guessed() {
        let error = try_goal("lint: [shel-form]").err().unwrap();
        assert!(error.contains("did you mean `shell-form`?"), "{error}");
        let error = try_goal("lint: { max_severity: grave }").err().unwrap();
        assert!(error.contains("not a severity"), "{error}");
    }

    #[test]
    fn a_file_without_a_stage_is_not_judged() {
        let verdict = goal("lint").evaluate(&nothing(""));
        assert_eq!(show(&verdict), "unknown: The Dockerfile has no FROM.");
    }
}

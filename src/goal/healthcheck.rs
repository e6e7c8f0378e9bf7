//! `healthcheck`: the image brings a health check, and it says healthy.

use std::time::Duration;

use serde::Deserialize;

use super::Blame;
use super::Evidence;
use super::Goal;
use super::Needs;
use super::Verdict;
use super::base;
use super::cause;
use super::field::Scalar;
use super::field::scalar;
use super::kind::About;
use super::kind::Kind;
use super::kind::may;
use crate::dockerfile::Body;
use crate::dockerfile::Keyword;
use crate::image::Config;
use crate::image::run::Probe;
use crate::image::run::Run;
use crate::image::run::Start;
use crate::text::Clean;
use crate::units::show_duration;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HealthcheckGoal {
    #[serde(default = "half_a_minute", deserialize_with = "scalar")]
    within: Duration,
}

/// An interval of a health check that sets none.
const fn half_a_minute() -> Duration {
    Duration::from_secs(30)
}

impl HealthcheckGoal {
    fn run(&self) -> Run {
        Run {
            start: Start::default(),
            probe: Probe::Health,
            within: self.within,
        }
    }
}

impl Kind for HealthcheckGoal {
    const ABOUT: About = About {
        name: "healthcheck",
        asks: "The image brings a health check, and a container becomes healthy.",
        parameters: &[may("within", "duration", "How long after the start; 30 s.")],
        example: "healthcheck: { within: 15 s }",
    };

    fn from_text(text: &str) -> Option<Result<Self, String>> {
        Some(Duration::read(text).map(|within| Self { within }))
    }
}

/// Whether the image has a health check, by its config or, for engines that leave it out of what
/// they tell, by the Dockerfile.
fn has_check(evidence: &Evidence, config: &Config) -> bool {
    let by_config = |config: &Config| {
        let check = config.healthcheck.as_ref();
        check.is_some_and(|check| check.test.first().is_some_and(|first| first != "NONE"))
    };
    let by_file = || {
        let last = base::last(&evidence.dockerfile, Keyword::Healthcheck);
        last.is_some_and(|one| matches!(one.body, Body::Healthcheck(Some(_))))
    };
    by_config(config)
        || evidence
            .contents
            .as_ref()
            .is_ok_and(|contents| by_config(&contents.config))
        || by_file()
}

impl Goal for HealthcheckGoal {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        String::from("healthy")
    }

    fn wanted(&self) -> String {
        format!(
            "the image's health check says healthy within {}",
            show_duration(self.within)
        )
    }

    fn needs(&self) -> Needs {
        Needs {
            runs: [self.run()].into(),
            ..Needs::default()
        }
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let config = match &evidence.summary {
            Ok(summary) => &summary.config,
            Err(missing) => return Verdict::unknown(missing),
        };
        let line = base::last(&evidence.dockerfile, Keyword::Healthcheck).map(|one| one.line);
        if !has_check(evidence, config) {
            return Verdict::unmet(
                "no health check",
                "Neither the base image nor an instruction of the final stage brings one.",
                "`HEALTHCHECK CMD COMMAND` tells the engine how to ask whether the app is well.",
                Blame::line(line),
            );
        }
        let run = self.run();
        let outcome = match evidence.run(&run) {
            Ok(outcome) => outcome,
            Err(missing) => return Verdict::unknown(&missing),
        };
        let state = outcome.health.as_ref().map(Clean::as_str);
        if state == Some("healthy") {
            return Verdict::met(format!("healthy after {}", show_duration(outcome.took)));
        }
        if outcome.start_error.is_some() || outcome.out_of_memory || outcome.exit.is_some() {
            let cause = cause::of(evidence, &run, outcome);
            let found = match outcome.exit {
                _ if outcome.out_of_memory => String::from("killed for lack of memory"),
                Some(exit) => format!("it ended with status {exit}"),
                None => String::from("it does not run"),
            };
            return cause.unmet(found);
        }
        let found = format!(
            "{} after {}",
            state.unwrap_or("no state"),
            show_duration(self.within)
        );
        if let Some(cause) = cause::of_limits(evidence, &run, outcome) {
            return cause.unmet(found);
        }
        let (why, next) = match state {
            Some("starting") => (
                "No probe of the health check succeeded in that time.",
                "Compare the check's interval and start period with the time that the app needs.",
            ),
            _ => (
                "The container runs, and the command of its health check fails.",
                "Ask whether everything that the check's command needs is in the final image.",
            ),
        };
        Verdict::unmet(found, why, next, Blame::line(line)).having_written(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goal::fixture::goal;
    use crate::goal::fixture::lines;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::show;
    use crate::goal::fixture::starts;
    use crate::goal::fixture::with_config;
    use crate::image::Healthcheck;
    use crate::image::run::RunOutcome;

    const FILE: &str = "FROM a\nHEALTHCHECK CMD curl localhost\nCMD [\"app\"]";

    fn judge(file: &str, test: Option<&str>, outcome: RunOutcome) -> String {
        let goal = goal("healthcheck: 15 s");
        let mut config = starts(&[], &["app"]);
        config.healthcheck = test.map(|test| Healthcheck {
            test: vec![test.to_owned(), String::from("curl localhost")],
            interval: None,
            timeout: None,
            start_period: None,
            retries: None,
        });
        let mut evidence = with_config(file, config);
        evidence
            .runs
            .insert(goal.needs().runs.pop_first().unwrap(), Ok(outcome));
        show(&goal.evaluate(&evidence))
    }

    fn state(state: &str) -> RunOutcome {
        RunOutcome {
            health: Some(state.into()),
            took: Duration::from_secs(1),
            ..RunOutcome::default()
        }
    }

    #[test]
    fn a_healthy_container_meets_it() {
        assert_eq!(
            judge(FILE, Some("CMD-SHELL"), state("healthy")),
            "met: healthy after 1 s"
        );
        // An engine may leave the check out of what it tells.
        assert_eq!(
            judge(FILE, None, state("healthy")),
            "met: healthy after 1 s"
        );
    }

    #[test]
    fn no_check_is_not_healthy() {
        insta::assert_snapshot!(judge("FROM a", None, state("healthy")), @r"
        unmet: no health check
        why:   Neither the base image nor an instruction of the final stage brings one.
        next:  `HEALTHCHECK CMD COMMAND` tells the engine how to ask whether the app is well.
        blame:
        ");
        let none = judge("FROM a\nHEALTHCHECK NONE", Some("NONE"), state("healthy"));
        assert!(none.starts_with("unmet: no health check"));
    }

    #[test]
    fn each_other_state_is_explained() {
        insta::assert_snapshot!(judge(FILE, Some("CMD-SHELL"), state("unhealthy")), @r"
        unmet: unhealthy after 15 s
        why:   The container runs, and the command of its health check fails.
        next:  Ask whether everything that the check's command needs is in the final image.
        blame: line 2
        ");
        insta::assert_snapshot!(judge(FILE, Some("CMD-SHELL"), state("starting")), @r"
        unmet: starting after 15 s
        why:   No probe of the health check succeeded in that time.
        next:  Compare the check's interval and start period with the time that the app needs.
        blame: line 2
        ");
        let ended = RunOutcome {
            exit: Some(1),
            stderr: lines("boom"),
            ..RunOutcome::default()
        };
        insta::assert_snapshot!(judge(FILE, Some("CMD-SHELL"), ended), @r"
        unmet: it ended with status 1
        why:   The container ended with status 1. Its last line is: boom
        next:  Read what the container wrote, from its first line on.
        blame: line 3
        ");
    }

    #[test]
    fn a_limit_that_was_met_is_the_cause() {
        let crowded = RunOutcome {
            crowd: Some(256),
            ..state("unhealthy")
        };
        insta::assert_snapshot!(judge(FILE, Some("CMD-SHELL"), crowded), @r"
        unmet: unhealthy after 15 s
        why:   It had 256 processes and threads, as many as a check allows, and could start no other.
        next:  Find out what starts them, and what is to end them.
        blame: line 3
        ");
        let hungry = RunOutcome {
            out_of_memory: true,
            ..state("starting")
        };
        insta::assert_snapshot!(judge(FILE, Some("CMD-SHELL"), hungry), @r"
        unmet: killed for lack of memory
        why:   It, or a process that it started, was killed because it used more memory than a check allows (537 MB).
        next:  Look at what the app loads or starts before it is ready.
        blame: line 3
        ");
    }

    #[test]
    fn without_evidence_it_is_unknown() {
        let verdict = goal("healthcheck").evaluate(&nothing(FILE));
        assert_eq!(show(&verdict), "unknown: It was not gathered.");
        let verdict = goal("healthcheck").evaluate(&with_config(FILE, starts(&[], &["a"])));
        assert_eq!(show(&verdict), "unknown: The container was not started.");
    }
}

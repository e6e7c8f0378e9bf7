//! `run`: the container runs to its end as it should.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::Evidence;
use super::Goal;
use super::Needs;
use super::Verdict;
use super::cause;
use super::field::TextMatch;
use super::field::left_out;
use super::field::scalar;
use super::kind::About;
use super::kind::Kind;
use super::kind::may;
use crate::image::run::Probe;
use crate::image::run::Run;
use crate::image::run::RunOutcome;
use crate::image::run::Start;
use crate::units::show_duration;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RunGoal {
    #[serde(default)]
    args: Option<Vec<String>>,
    #[serde(default)]
    entrypoint: Option<Vec<String>>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    stdin: Option<String>,
    #[serde(default)]
    exit: i64,
    #[serde(default)]
    stdout: Option<TextMatch>,
    #[serde(default)]
    stderr: Option<TextMatch>,
    #[serde(default = "ten_seconds", deserialize_with = "scalar")]
    within: Duration,
}

/// Long enough for any program of a course to start.
pub(super) const fn ten_seconds() -> Duration {
    Duration::from_secs(10)
}

impl RunGoal {
    fn run(&self) -> Run {
        Run {
            start: Start {
                entrypoint: self.entrypoint.clone(),
                args: self.args.clone(),
                env: self.env.clone(),
                stdin: self.stdin.clone(),
                ..Start::default()
            },
            probe: Probe::Exit,
            within: self.within,
        }
    }
}

impl Kind for RunGoal {
    const ABOUT: About = About {
        name: "run",
        asks: "A container runs to its end, with this status and this output.",
        parameters: &[
            may("args", "list of words", "Replaces the image's command."),
            may(
                "entrypoint",
                "list of words",
                "Replaces the image's entrypoint.",
            ),
            may("env", "names with values", "More environment variables."),
            may("stdin", "text", "What it reads from standard input."),
            may("exit", "number", "The status that it ends with; 0."),
            may(
                "stdout",
                "text to match",
                "What it writes to standard output.",
            ),
            may(
                "stderr",
                "text to match",
                "What it writes to standard error.",
            ),
            may("within", "duration", "How long it may take; 10 s."),
        ],
        example: "run: { args: [--version], stdout: { matches: '^app 1\\.' }, within: 5 s }",
    };
}

impl Goal for RunGoal {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        match &self.args {
            Some(args) if !args.is_empty() => format!("runs with {}", args.join(" ")),
            _ => String::from("runs"),
        }
    }

    fn wanted(&self) -> String {
        let mut wanted = String::from("the container");
        if let Some(args) = &self.args {
            wanted.push_str(&format!(" with the arguments `{}`", args.join(" ")));
        }
        wanted.push_str(&format!(" ends with status {}", self.exit));
        if let Some(stdout) = &self.stdout {
            wanted.push_str(&format!(", output {stdout}"));
        }
        if let Some(stderr) = &self.stderr {
            wanted.push_str(&format!(", error output {stderr}"));
        }
        format!("{wanted}, within {}", show_duration(self.within))
    }

    fn needs(&self) -> Needs {
        Needs {
            runs: [self.run()].into(),
            ..Needs::default()
        }
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let run = self.run();
        let outcome = match evidence.run(&run) {
            Ok(outcome) => outcome,
            Err(missing) => return Verdict::unknown(&missing),
        };
        if let Some(verdict) = did_not_end(evidence, &run, outcome) {
            return verdict;
        }
        let cause = cause::of(evidence, &run, outcome);
        if outcome.exit != Some(self.exit) {
            let status = outcome
                .exit
                .map_or_else(|| String::from("?"), |exit| exit.to_string());
            return cause.unmet(format!("status {status}"));
        }
        let mut unsure = None;
        for (wanted, lines, name) in [
            (&self.stdout, &outcome.stdout, "output"),
            (&self.stderr, &outcome.stderr, "error output"),
        ] {
            let Some(wanted) = wanted else {
                continue;
            };
            match wanted.holds(lines) {
                Some(true) => continue,
                Some(false) => {}
                None => {
                    unsure = unsure.or_else(|| Some(left_out(name, lines)));
                    continue;
                }
            }
            let shown = lines.last().map_or_else(
                || String::from("It wrote none."),
                |line| format!("Its last line is: {}", cause::shorten(line.as_str())),
            );
            return Verdict::unmet(
                format!("another {name}"),
                format!("The {name} should be a text {wanted}. {shown}"),
                "Compare what the app writes with what is wanted, letter by letter.",
                cause.blame,
            )
            .having_written(outcome);
        }
        let met = || {
            let took = show_duration(outcome.took);
            Verdict::met(format!("status {} after {took}", self.exit))
        };
        unsure.unwrap_or_else(met)
    }
}

/// The verdict of a run that never came to an end of its own.
pub(super) fn did_not_end(evidence: &Evidence, run: &Run, outcome: &RunOutcome) -> Option<Verdict> {
    let found = if outcome.start_error.is_some() {
        String::from("it does not start")
    } else if outcome.out_of_memory {
        String::from("killed for lack of memory")
    } else if outcome.timed_out {
        format!("still running after {}", show_duration(run.within))
    } else {
        return None;
    };
    Some(cause::of(evidence, run, outcome).unmet(found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goal::fixture::goal;
    use crate::goal::fixture::lines;
    use crate::goal::fixture::show;
    use crate::goal::fixture::starts;
    use crate::goal::fixture::with_config;
    use crate::text::Clean;

    fn judge(yaml: &str, outcome: RunOutcome) -> String {
        let goal = goal(yaml);
        let mut evidence = with_config("FROM a\nCMD [\"app\"]", starts(&[], &["app"]));
        let run = goal.needs().runs.pop_first().unwrap();
        evidence.runs.insert(run, Ok(outcome));
        show(&goal.evaluate(&evidence))
    }

    fn ended(status: i64, stdout: &str, stderr: &str) -> RunOutcome {
        RunOutcome {
            exit: Some(status),
            took: Duration::from_millis(340),
            stdout: lines(stdout),
            stderr: lines(stderr),
            ..RunOutcome::default()
        }
    }

    #[test]
    fn the_wanted_end_meets_it() {
        assert_eq!(judge("run", ended(0, "", "")), "met: status 0 after 0.3 s");
        let yaml = "run: { args: [x], exit: 2, stdout: hello, stderr: { excludes: Trace } }";
        assert!(judge(yaml, ended(2, "hello you", "")).starts_with("met: status 2"));
    }

    #[test]
    fn another_end_is_explained() {
        insta::assert_snapshot!(judge("run", ended(3, "", "boom\n")), @r"
        unmet: status 3
        why:   The container ended with status 3. Its last line is: boom
        next:  Read what the container wrote, from its first line on.
        blame: line 2
        ");
        insta::assert_snapshot!(judge("run: { stdout: hello }", ended(0, "good day", "")), @r#"
        unmet: another output
        why:   The output should be a text with "hello". Its last line is: good day
        next:  Compare what the app writes with what is wanted, letter by letter.
        blame: line 2
        "#);
        insta::assert_snapshot!(judge("run: { stderr: hello }", ended(0, "hello", "x")), @r#"
        unmet: another error output
        why:   The error output should be a text with "hello". Its last line is: x
        next:  Compare what the app writes with what is wanted, letter by letter.
        blame: line 2
        "#);
    }

    #[test]
    fn a_run_without_an_end_is_explained() {
        let late = RunOutcome {
            timed_out: true,
            stdout: lines("waiting"),
            ..RunOutcome::default()
        };
        insta::assert_snapshot!(judge("run: { within: 5 s }", late), @r"
        unmet: still running after 5 s
        why:   The container was still running. Its last line is: waiting
        next:  Read what the container wrote, from its first line on.
        blame: line 2
        ");
        let full = RunOutcome {
            out_of_memory: true,
            exit: Some(137),
            ..RunOutcome::default()
        };
        insta::assert_snapshot!(judge("run", full), @r"
        unmet: killed for lack of memory
        why:   It, or a process that it started, was killed because it used more memory than a check allows (537 MB).
        next:  Look at what the app loads or starts before it is ready.
        blame: line 2
        ");
        let untold = RunOutcome {
            killed_untold: true,
            exit: Some(137),
            ..RunOutcome::default()
        };
        insta::assert_snapshot!(judge("run", untold), @r"
        unmet: status 137
        why:   It was killed (status 137), and not by Loadline. This version of the engine does not say why; what uses more memory than a check allows ends like this.
        next:  Look at what the app loads or starts before it is ready.
        blame: line 2
        ");
        let refused = RunOutcome {
            start_error: Some(Clean::line(
                "OCI runtime create failed: exec: \"app\": executable file not found in $PATH: unknown",
            )),
            ..RunOutcome::default()
        };
        insta::assert_snapshot!(judge("run", refused), @r"
        unmet: it does not start
        why:   No folder of the image's PATH has a program called `app`.
        next:  List what the final image has of it.
        blame: line 2, app
        ");
    }

    #[test]
    fn a_limit_of_processes_is_told_where_it_was_seen() {
        let bomb = RunOutcome {
            timed_out: true,
            crowd: Some(256),
            ..RunOutcome::default()
        };
        insta::assert_snapshot!(judge("run: { within: 5 s }", bomb), @r"
        unmet: still running after 5 s
        why:   It had 256 processes and threads, as many as a check allows, and could start no other.
        next:  Find out what starts them, and what is to end them.
        blame: line 2
        ");
        insta::assert_snapshot!(judge("run", ended(2, "", "sh: can't fork: Resource temporarily unavailable")), @r"
        unmet: status 2
        why:   It could start no other process or thread; a check allows 256. It wrote: sh: can't fork: Resource temporarily unavailable
        next:  Find out what starts them, and what is to end them.
        blame: line 2
        ");
    }

    #[test]
    fn what_was_left_out_of_the_output_may_decide() {
        let long = || crate::image::output::Output::cut(b"a".to_vec(), b"z".to_vec(), 9, None);
        let outcome = RunOutcome {
            stdout: long(),
            ..ended(0, "", "x")
        };
        assert_eq!(
            judge("run: { stdout: { excludes: b } }", outcome.clone()),
            "unknown: The output is long: 9 B of it are not kept, and what is looked for may be there."
        );
        let both = judge("run: { stdout: { excludes: b }, stderr: y }", outcome);
        assert!(both.starts_with("unmet: another error output"), "{both}");
    }

    #[test]
    fn without_a_run_it_is_unknown() {
        let evidence = with_config("FROM a", starts(&[], &[]));
        let verdict = goal("run").evaluate(&evidence);
        assert_eq!(show(&verdict), "unknown: The container was not started.");
    }
}

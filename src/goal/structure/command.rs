//! A command that is run in a container, its entrypoint left aside.

use std::collections::BTreeMap;
use std::time::Duration;

use regex::Regex;

use super::NAME;
use crate::goal::Evidence;
use crate::goal::Goal;
use crate::goal::Needs;
use crate::goal::Verdict;
use crate::goal::cause;
use crate::goal::run::did_not_end;
use crate::image::run::Probe;
use crate::image::run::Run;
use crate::image::run::RunOutcome;
use crate::image::run::Start;
use crate::text::Clean;
use crate::units::show_duration;

/// How long a command may take: that tool has no limit, a check has.
const WITHIN: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct CommandTest {
    pub(super) command: String,
    pub(super) args: Vec<String>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) exit: i64,
    pub(super) expected_output: Vec<Regex>,
    pub(super) excluded_output: Vec<Regex>,
    pub(super) expected_error: Vec<Regex>,
    pub(super) excluded_error: Vec<Regex>,
}

impl CommandTest {
    fn run(&self) -> Run {
        Run {
            start: Start {
                entrypoint: Some(vec![self.command.clone()]),
                args: Some(self.args.clone()),
                env: self.env.clone(),
                expand: true,
                ..Start::default()
            },
            probe: Probe::Exit,
            within: WITHIN,
        }
    }

    fn shown(&self) -> String {
        let words: Vec<&str> = std::iter::once(&self.command)
            .chain(&self.args)
            .map(String::as_str)
            .collect();
        cause::shorten(&words.join(" "))
    }

    /// What is wrong with the output: the stream, and what is wanted of it.
    fn fault(&self, outcome: &RunOutcome) -> Option<(&'static str, String)> {
        let streams = [
            (
                "output",
                &outcome.stdout,
                &self.expected_output,
                &self.excluded_output,
            ),
            (
                "error output",
                &outcome.stderr,
                &self.expected_error,
                &self.excluded_error,
            ),
        ];
        streams
            .into_iter()
            .find_map(|(name, lines, expected, excluded)| {
                let missing = expected.iter().find(|regex| !matches(regex, lines));
                let missing = missing
                    .map(|regex| format!("should match /{}/", cause::shorten(regex.as_str())));
                let extra = || {
                    let extra = excluded.iter().find(|regex| matches(regex, lines));
                    extra.map(|regex| {
                        format!("should not match /{}/", cause::shorten(regex.as_str()))
                    })
                };
                missing.or_else(extra).map(|wanted| (name, wanted))
            })
    }
}

/// Whether a stream matches, with or without the line end that is not kept.
fn matches(regex: &Regex, lines: &[Clean]) -> bool {
    let lines: Vec<&str> = lines.iter().map(Clean::as_str).collect();
    let text = lines.join("\n");
    regex.is_match(&text) || regex.is_match(&format!("{text}\n"))
}

impl Goal for CommandTest {
    fn kind(&self) -> &'static str {
        NAME
    }

    fn title(&self) -> String {
        self.shown()
    }

    fn wanted(&self) -> String {
        format!(
            "`{}` ends with status {} and prints what it should, within {}",
            self.shown(),
            self.exit,
            show_duration(WITHIN)
        )
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
        match self.fault(outcome) {
            None => Verdict::met(format!("status {}", self.exit)),
            Some((stream, wanted)) => {
                let lines = if stream == "output" {
                    &outcome.stdout
                } else {
                    &outcome.stderr
                };
                let shown = lines.last().map_or_else(
                    || String::from("It wrote none."),
                    |line| format!("Its last line is: {}", cause::shorten(line.as_str())),
                );
                Verdict::unmet(
                    format!("another {stream}"),
                    format!("The {stream} {wanted}. {shown}"),
                    "Compare what the command writes with what is wanted, letter by letter.",
                    cause.blame,
                )
                .having_written(outcome)
            }
        }
    }
}

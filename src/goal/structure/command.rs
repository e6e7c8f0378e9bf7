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
use crate::goal::field::left_out;
use crate::goal::field::seen;
use crate::goal::run::did_not_end;
use crate::image::output::Output;
use crate::image::run::Probe;
use crate::image::run::Run;
use crate::image::run::RunOutcome;
use crate::image::run::Start;
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

    /// Each stream with what is wanted of it.
    fn streams<'a>(&'a self, outcome: &'a RunOutcome) -> [Stream<'a>; 2] {
        [
            Stream {
                name: "output",
                text: &outcome.stdout,
                expected: &self.expected_output,
                excluded: &self.excluded_output,
            },
            Stream {
                name: "error output",
                text: &outcome.stderr,
                expected: &self.expected_error,
                excluded: &self.excluded_error,
            },
        ]
    }
}

/// What a command wrote, and what is wanted of it.
struct Stream<'a> {
    name: &'static str,
    text: &'a Output,
    expected: &'a [Regex],
    excluded: &'a [Regex],
}

impl Stream<'_> {
    /// What is wrong with it.
    fn fault(&self) -> Option<String> {
        let is = |regex: &Regex, seen: bool| matches(regex, self.text) == Some(seen);
        let told = |regex: &Regex| cause::shorten(regex.as_str());
        let missing = self.expected.iter().find(|regex| is(regex, false));
        let extra = || self.excluded.iter().find(|regex| is(regex, true));
        match missing {
            Some(regex) => Some(format!("should match /{}/", told(regex))),
            None => extra().map(|regex| format!("should not match /{}/", told(regex))),
        }
    }

    /// Whether what was left out of it may decide.
    fn is_unsure(&self) -> bool {
        let mut all = self.expected.iter().chain(self.excluded);
        all.any(|regex| matches(regex, self.text).is_none())
    }
}

/// Whether a stream matches, with or without its last line end; `None` where what was left out of it
/// may decide.
fn matches(regex: &Regex, text: &Output) -> Option<bool> {
    match seen(regex, text) {
        Some(false) => Some(regex.is_match(&format!("{}\n", text.beginning()))),
        seen => seen,
    }
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
        let streams = self.streams(outcome);
        let fault = streams
            .iter()
            .find_map(|stream| Some((stream, stream.fault()?)));
        let unsure = streams.iter().find(|stream| stream.is_unsure());
        match (fault, unsure) {
            (None, None) => Verdict::met(format!("status {}", self.exit)),
            (None, Some(stream)) => left_out(stream.name, stream.text),
            (Some((stream, wanted)), _) => {
                let shown = stream.text.last().map_or_else(
                    || String::from("It wrote none."),
                    |line| format!("Its last line is: {}", cause::shorten(line.as_str())),
                );
                Verdict::unmet(
                    format!("another {}", stream.name),
                    format!("The {} {wanted}. {shown}", stream.name),
                    "Compare what the command writes with what is wanted, letter by letter.",
                    cause.blame,
                )
                .having_written(outcome)
            }
        }
    }
}

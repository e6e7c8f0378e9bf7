//! `stops`: the container ends soon after it was asked to.

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
use super::run::did_not_end;
use crate::dockerfile::Body;
use crate::dockerfile::Command;
use crate::dockerfile::Keyword;
use crate::image::run::Probe;
use crate::image::run::Ready;
use crate::image::run::Run;
use crate::image::run::RunOutcome;
use crate::image::run::Start;
use crate::units::show_duration;

/// How long a container may take to be ready for the signal.
const READY: Duration = Duration::from_secs(10);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stops {
    #[serde(default)]
    signal: Option<String>,
    #[serde(default)]
    port: Option<u16>,
    #[serde(default = "grace", deserialize_with = "scalar")]
    within: Duration,
}

/// What engines wait before they kill.
const fn grace() -> Duration {
    Duration::from_secs(10)
}

impl Stops {
    fn run(&self) -> Run {
        Run {
            start: Start::default(),
            probe: Probe::Stop {
                signal: self.signal.clone(),
                grace: self.within,
                ready: self.port.map(Ready::Port),
            },
            within: READY,
        }
    }

    fn signal_name(&self, evidence: &Evidence) -> String {
        let config = evidence
            .summary
            .as_ref()
            .ok()
            .map(|summary| &summary.config);
        let own = config.and_then(|config| config.stop_signal.clone());
        self.signal
            .clone()
            .or(own)
            .unwrap_or_else(|| String::from("SIGTERM"))
    }
}

impl Kind for Stops {
    const ABOUT: About = About {
        name: "stops",
        asks: "The container ends soon after its stop signal, without being killed.",
        parameters: &[
            may(
                "within",
                "duration",
                "How long it may take after the signal; 10 s.",
            ),
            may(
                "signal",
                "name",
                "The signal; the image's own, which is SIGTERM if not set.",
            ),
            may(
                "port",
                "number",
                "The port that shows that it is up before the signal is sent; without it, a program that soon ends by itself meets the goal.",
            ),
        ],
        example: "stops: { within: 2 s, port: 8000 }",
    };

    fn from_text(text: &str) -> Option<Result<Self, String>> {
        Some(Duration::read(text).map(|within| Self {
            signal: None,
            port: None,
            within,
        }))
    }

    fn check(&self) -> Result<(), String> {
        match &self.signal {
            Some(signal) if !signal.starts_with("SIG") => {
                Err(format!("`{signal}` is not a signal; write it as `SIGTERM`"))
            }
            Some(signal) if kills(signal) => Err(format!(
                "no program hears `{signal}`; name a signal that one can handle"
            )),
            _ => Ok(()),
        }
    }
}

impl Goal for Stops {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        format!("stops in {}", show_duration(self.within))
    }

    fn wanted(&self) -> String {
        let signal = self.signal.as_deref().unwrap_or("its stop signal");
        format!(
            "the container ends within {} of {signal}",
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
        let signal = self.signal_name(evidence);
        if evidence.summary.is_ok()
            && let Some(why) = never_heard(&signal)
        {
            return Verdict::unmet(
                format!("its stop signal is {signal}"),
                why,
                "Look for a signal that the program can handle, and whether the image has to name one at all.",
                Blame::line(base::line_of(&evidence.dockerfile, Keyword::Stopsignal)),
            );
        }
        let run = self.run();
        let outcome = match evidence.run(&run) {
            Ok(outcome) => outcome,
            Err(missing) => return Verdict::unknown(&missing),
        };
        if let Some(after) = outcome.stopped_after.filter(|_| !outcome.killed) {
            if after <= self.within {
                return Verdict::met(format!("{} after {signal}", show_duration(after)));
            }
            return Verdict::unmet(
                format!("{} after {signal}", show_duration(after)),
                "The program heard the signal and took its time.",
                "Look at what the app still does when it is asked to end.",
                Blame::line(start_line(evidence)),
            );
        }
        if outcome.killed {
            return self.ignored(evidence, &signal, outcome);
        }
        if let Some(verdict) = did_not_end(evidence, &run, outcome).filter(|_| !outcome.timed_out) {
            return verdict;
        }
        let cause = cause::of(evidence, &run, outcome);
        let found = match (outcome.exit, self.port) {
            (Some(exit), _) => format!("it ended with status {exit} before the signal"),
            (None, Some(port)) => format!("port {port} never opened"),
            (None, None) => String::from("it was never ready"),
        };
        cause.unmet(found)
    }
}

impl Stops {
    fn ignored(&self, evidence: &Evidence, signal: &str, outcome: &RunOutcome) -> Verdict {
        let file = &evidence.dockerfile;
        let start =
            base::last(file, Keyword::Entrypoint).or_else(|| base::last(file, Keyword::Cmd));
        let in_a_shell = start.filter(|one| matches!(&one.body, Body::Command(Command::Shell(_))));
        let (why, next) = match in_a_shell {
            Some(instruction) => (
                format!(
                    "{} on line {} is in the shell form: the shell is process 1 and does not pass the signal on.",
                    base::quote(instruction),
                    instruction.line
                ),
                "Compare the two forms in which that instruction can be written.",
            ),
            None => (
                format!(
                    "Process 1 of a container is spared by {signal} unless it handles it, and the program that the image starts does not."
                ),
                "Look at what the app does with the signal, and whether the image can name another one.",
            ),
        };
        let why = match cause::crowded(outcome) {
            Some(crowded) => format!("{why} {crowded}"),
            None => why,
        };
        Verdict::unmet(
            format!("killed {} after {signal}", show_duration(self.within)),
            why,
            next,
            Blame::line(start_line(evidence)),
        )
    }
}

/// Why no program hears a signal; `None` where one can.
fn never_heard(signal: &str) -> Option<&'static str> {
    if kills(signal) {
        return Some("No program hears that signal: it is killed in the middle of its work.");
    }
    // Linux has 64; engines build an image with any other number, and cannot stop it.
    let number: Option<i64> = signal.trim().parse().ok();
    number
        .is_some_and(|number| !(1..=64).contains(&number))
        .then_some("There is no signal of that number, so that the engine cannot send it.")
}

/// Whether a signal ends every process without asking it.
fn kills(signal: &str) -> bool {
    let name = signal.trim().to_ascii_uppercase();
    let name = name.trim_start_matches("SIG");
    // Engines read a number as numbers are read: `09` and `+9` are 9.
    name == "KILL" || name.parse() == Ok(9_u32)
}

fn start_line(evidence: &Evidence) -> Option<u32> {
    let file = &evidence.dockerfile;
    match base::last(file, Keyword::Entrypoint) {
        Some(entrypoint) => Some(entrypoint.line),
        None => base::line_of(file, Keyword::Cmd),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goal::fixture::goal;
    use crate::goal::fixture::lines;
    use crate::goal::fixture::show;
    use crate::goal::fixture::starts;
    use crate::goal::fixture::try_goal;
    use crate::goal::fixture::with_config;
    use crate::image::Config;

    fn judge(file: &str, outcome: RunOutcome) -> String {
        let goal = goal("stops: { within: 2 s, port: 8000 }");
        let mut evidence = with_config(file, starts(&[], &["app"]));
        evidence
            .runs
            .insert(goal.needs().runs.pop_first().unwrap(), Ok(outcome));
        show(&goal.evaluate(&evidence))
    }

    const FILE: &str = "FROM a\nCMD [\"app\"]";

    fn stopped(ms: u64, killed: bool) -> RunOutcome {
        RunOutcome {
            stopped_after: Some(Duration::from_millis(ms)),
            exit: Some(if killed { 137 } else { 0 }),
            killed,
            ..RunOutcome::default()
        }
    }

    #[test]
    fn a_prompt_end_meets_it() {
        assert_eq!(judge(FILE, stopped(80, false)), "met: 0.1 s after SIGTERM");
    }

    #[test]
    fn a_signal_that_nobody_hears_is_no_stop_signal() {
        for signal in [
            "SIGKILL", "kill", "9", "09", "+9", "009", "sigkill", "99", "-1",
        ] {
            let goal = goal("stops: { within: 2 s, port: 8000 }");
            let config = Config {
                stop_signal: Some(signal.to_owned()),
                ..starts(&[], &["app"])
            };
            let file = format!("{FILE}\nSTOPSIGNAL {signal}");
            let mut evidence = with_config(&file, config);
            let run = goal.needs().runs.pop_first().unwrap();
            evidence.runs.insert(run, Ok(stopped(80, false)));
            let told = show(&goal.evaluate(&evidence));
            assert!(
                told.starts_with(&format!("unmet: its stop signal is {signal}\n")),
                "{told}"
            );
            assert!(told.ends_with("blame: line 3"), "{told}");
        }
        let refused = try_goal("stops: { signal: SIGKILL }").unwrap_err();
        assert!(refused.contains("no program hears `SIGKILL`"), "{refused}");
    }

    #[test]
    fn a_late_end_or_a_kill_is_explained() {
        insta::assert_snapshot!(judge(FILE, stopped(2500, false)), @r"
        unmet: 2.5 s after SIGTERM
        why:   The program heard the signal and took its time.
        next:  Look at what the app still does when it is asked to end.
        blame: line 2
        ");
        insta::assert_snapshot!(judge(FILE, stopped(2000, true)), @r"
        unmet: killed 2 s after SIGTERM
        why:   Process 1 of a container is spared by SIGTERM unless it handles it, and the program that the image starts does not.
        next:  Look at what the app does with the signal, and whether the image can name another one.
        blame: line 2
        ");
        let crowded = RunOutcome {
            crowd: Some(256),
            ..stopped(2000, true)
        };
        insta::assert_snapshot!(judge(FILE, crowded), @r"
        unmet: killed 2 s after SIGTERM
        why:   Process 1 of a container is spared by SIGTERM unless it handles it, and the program that the image starts does not. It had 256 processes and threads, as many as a check allows, and could start no other.
        next:  Look at what the app does with the signal, and whether the image can name another one.
        blame: line 2
        ");
        insta::assert_snapshot!(judge("FROM a\nCMD python app.py", stopped(2000, true)), @r"
        unmet: killed 2 s after SIGTERM
        why:   `CMD python app.py` on line 2 is in the shell form: the shell is process 1 and does not pass the signal on.
        next:  Compare the two forms in which that instruction can be written.
        blame: line 2
        ");
    }

    #[test]
    fn a_container_that_is_never_ready_is_explained() {
        let ended = RunOutcome {
            exit: Some(1),
            stderr: lines("boom"),
            ..RunOutcome::default()
        };
        insta::assert_snapshot!(judge(FILE, ended), @r"
        unmet: it ended with status 1 before the signal
        why:   The container ended with status 1. Its last line is: boom
        next:  Read what the container wrote, from its first line on.
        blame: line 2
        ");
        let hangs = RunOutcome {
            timed_out: true,
            ..RunOutcome::default()
        };
        insta::assert_snapshot!(judge(FILE, hangs), @r"
        unmet: port 8000 never opened
        why:   The container was still running. It wrote nothing.
        next:  Look at what is started there and at what it is given: the program itself says nothing of it.
        blame: line 2
        ");
        let crowded = RunOutcome {
            timed_out: true,
            crowd: Some(257),
            ..RunOutcome::default()
        };
        insta::assert_snapshot!(judge(FILE, crowded), @r"
        unmet: port 8000 never opened
        why:   It had 256 processes and threads, as many as a check allows, and could start no other.
        next:  Find out what starts them, and what is to end them.
        blame: line 2
        ");
        let refused = RunOutcome {
            start_error: Some("No command specified".into()),
            ..RunOutcome::default()
        };
        insta::assert_snapshot!(judge("FROM scratch\nCOPY a b", refused), @r"
        unmet: it does not start
        why:   The image has neither an entrypoint nor a command, so that the engine does not know what to start.
        next:  Look for the instruction of the final stage that says what a container runs.
        blame: line 1
        ");
    }

    #[test]
    fn without_a_run_it_is_unknown() {
        let verdict = goal("stops: 2 s").evaluate(&with_config(FILE, starts(&[], &[])));
        assert_eq!(show(&verdict), "unknown: The container was not started.");
        assert!(
            try_goal("stops: { signal: TERM }")
                .err()
                .unwrap()
                .contains("`SIGTERM`")
        );
    }
}

//! `read_only`: the container still works on a read-only root file system.

use std::time::Duration;

use serde::Deserialize;

use super::Evidence;
use super::Goal;
use super::Needs;
use super::Verdict;
use super::cause;
use super::field::TextMatch;
use super::field::scalar;
use super::http;
use super::http::Wanted;
use super::kind::About;
use super::kind::Kind;
use super::kind::may;
use super::run::did_not_end;
use super::run::ten_seconds;
use crate::image::run::HttpRequest;
use crate::image::run::Probe;
use crate::image::run::Run;
use crate::image::run::Start;
use crate::units::show_duration;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadOnly {
    #[serde(default)]
    port: Option<u16>,
    #[serde(default = "http::root")]
    path: String,
    #[serde(default = "http::ok")]
    status: u16,
    #[serde(default)]
    body: Option<TextMatch>,
    #[serde(default)]
    args: Option<Vec<String>>,
    #[serde(default = "ten_seconds", deserialize_with = "scalar")]
    within: Duration,
}

impl ReadOnly {
    fn run(&self) -> Run {
        let probe = match self.port {
            Some(port) => Probe::Http(HttpRequest {
                port,
                path: self.path.clone(),
                method: String::from("GET"),
                body: None,
            }),
            None => Probe::Exit,
        };
        Run {
            start: Start {
                args: self.args.clone(),
                read_only: true,
                ..Start::default()
            },
            probe,
            within: self.within,
        }
    }
}

impl Kind for ReadOnly {
    const ABOUT: About = About {
        name: "read_only",
        asks: "The container works although only `/tmp` can be written, and the volumes that the image declares, as with `--read-only`.",
        parameters: &[
            may(
                "port",
                "number",
                "The port to ask over HTTP; without one it must end with status 0.",
            ),
            may("path", "path", "What is asked for; `/`."),
            may("status", "number", "The status of the answer; 200."),
            may("body", "text to match", "The body of the answer."),
            may("args", "list of words", "Replaces the image's command."),
            may("within", "duration", "How long it may take; 10 s."),
        ],
        example: "read_only: { port: 8000, path: /health }",
    };

    fn check(&self) -> Result<(), String> {
        self.port
            .map_or(Ok(()), |port| http::check_request(port, &self.path))
    }
}

impl Goal for ReadOnly {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        String::from("works read-only")
    }

    fn wanted(&self) -> String {
        let what = match self.port {
            Some(port) => format!("GET :{port}{} answers {}", self.path, self.status),
            None => String::from("the container ends with status 0"),
        };
        format!(
            "{what} on a read-only file system within {}",
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
        match self.judge(evidence) {
            Verdict::Met { actual } => Verdict::met(format!("{actual}{}", volumes(evidence))),
            other => other,
        }
    }
}

/// What else can be written, to end a sentence with: nobody is to take a folder for protected that
/// is not.
fn volumes(evidence: &Evidence) -> String {
    let config = evidence.summary.as_ref().ok();
    let volumes = config.map_or(&[][..], |summary| &summary.config.volumes);
    if volumes.is_empty() {
        return String::new();
    }
    format!("; volumes can be written: `{}`", volumes.join("`, `"))
}

impl ReadOnly {
    fn judge(&self, evidence: &Evidence) -> Verdict {
        let run = self.run();
        if let Some(port) = self.port {
            let wanted = Wanted {
                status: self.status,
                body: self.body.as_ref(),
            };
            return http::judge(evidence, &run, port, &wanted);
        }
        let outcome = match evidence.run(&run) {
            Ok(outcome) => outcome,
            Err(missing) => return Verdict::unknown(&missing),
        };
        if let Some(verdict) = did_not_end(evidence, &run, outcome) {
            return verdict;
        }
        if outcome.exit == Some(0) {
            return Verdict::met(format!("status 0 after {}", show_duration(outcome.took)));
        }
        let cause = cause::of(evidence, &run, outcome);
        let status = outcome
            .exit
            .map_or_else(|| String::from("?"), |exit| exit.to_string());
        cause.unmet(format!("status {status}"))
    }
}

#[cfg(test)]
mod tests {
    use crate::goal::fixture::goal;
    use crate::goal::fixture::lines;
    use crate::goal::fixture::show;
    use crate::goal::fixture::starts;
    use crate::goal::fixture::with_config;
    use crate::image::run::RunOutcome;

    const FILE: &str = "FROM a\nCMD [\"app\"]";

    fn judge(yaml: &str, outcome: RunOutcome) -> String {
        let goal = goal(yaml);
        let mut evidence = with_config(FILE, starts(&[], &["app"]));
        let run = goal.needs().runs.pop_first().unwrap();
        assert!(run.start.read_only);
        evidence.runs.insert(run, Ok(outcome));
        show(&goal.evaluate(&evidence))
    }

    fn ended(status: i64, stderr: &str) -> RunOutcome {
        RunOutcome {
            exit: Some(status),
            stderr: lines(stderr),
            ..RunOutcome::default()
        }
    }

    #[test]
    fn a_container_that_writes_nothing_meets_it() {
        assert_eq!(judge("read_only", ended(0, "")), "met: status 0 after 0 s");
    }

    #[test]
    fn volumes_that_stay_writable_are_named() {
        let goal = goal("read_only");
        let mut config = starts(&[], &["app"]);
        config.volumes = vec![String::from("/bin"), String::from("/etc")];
        let mut evidence = with_config(FILE, config);
        let run = goal.needs().runs.pop_first().unwrap();
        evidence.runs.insert(run, Ok(ended(0, "")));
        assert_eq!(
            show(&goal.evaluate(&evidence)),
            "met: status 0 after 0 s; volumes can be written: `/bin`, `/etc`"
        );
    }

    #[test]
    fn what_it_wants_to_write_is_named() {
        let error = "OSError: [Errno 30] Read-only file system: '/app/cache'";
        insta::assert_snapshot!(judge("read_only", ended(1, error)), @r"
        unmet: status 1
        why:   The app wants to write `/app/cache`, and only `/tmp` can be written here.
        next:  Find out what the app writes when it runs, and whether it has to.
        blame: line 2, /app/cache
        ");
        insta::assert_snapshot!(judge("read_only: { port: 80 }", ended(1, error)), @r"
        unmet: it ended with status 1 after 0 s
        why:   The app wants to write `/app/cache`, and only `/tmp` can be written here.
        next:  Find out what the app writes when it runs, and whether it has to.
        blame: line 2, /app/cache
        ");
    }

    #[test]
    fn without_a_run_it_is_unknown() {
        let verdict = goal("read_only").evaluate(&with_config(FILE, starts(&[], &[])));
        assert_eq!(show(&verdict), "unknown: The container was not started.");
    }
}

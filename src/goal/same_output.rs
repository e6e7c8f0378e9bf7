//! `same_output`: the image does what the starter's image does, to the letter.

mod likeness;

use std::collections::BTreeMap;
use std::time::Duration;

use likeness::Likeness;
use regex::Regex;
use serde::Deserialize;

use super::Blame;
use super::Evidence;
use super::Goal;
use super::Missing;
use super::Needs;
use super::Verdict;
use super::cause;
use super::field::OneOrMore;
use super::field::Scalar;
use super::field::left_out;
use super::field::scalar;
use super::http;
use super::kind::About;
use super::kind::Kind;
use super::kind::may;
use super::run::did_not_end;
use super::run::ten_seconds;
use crate::image::run::HttpRequest;
use crate::image::run::HttpResponse;
use crate::image::run::Probe;
use crate::image::run::Run;
use crate::image::run::RunOutcome;
use crate::image::run::Start;
use crate::units::show_duration;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SameOutput {
    #[serde(default, rename = "as")]
    _model: Model,
    #[serde(default)]
    args: Option<Vec<String>>,
    #[serde(default)]
    entrypoint: Option<Vec<String>>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    stdin: Option<String>,
    #[serde(default)]
    http: Option<Request>,
    #[serde(default)]
    ignore: Option<OneOrMore<Changing>>,
    #[serde(default = "ten_seconds", deserialize_with = "scalar")]
    within: Duration,
}

/// What the image is compared with.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Model {
    /// The image that the starter's files make.
    #[default]
    Baseline,
}

/// An HTTP request.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    port: u16,
    #[serde(default = "http::root")]
    path: String,
    #[serde(default = "http::get")]
    method: String,
    #[serde(default)]
    send: Option<String>,
}

/// A part of the output that differs from run to run, as a regular expression.
#[derive(Debug, Clone)]
struct Changing(Regex);

impl Scalar for Changing {
    const EXPECTED: &'static str = "a regular expression such as `[0-9]{2}:[0-9]{2}`";

    fn read(text: &str) -> Result<Self, String> {
        regex::RegexBuilder::new(text)
            .size_limit(1 << 20)
            .build()
            .map(Self)
            .map_err(|error| format!("`{text}` is not a regular expression: {error}"))
    }
}

impl SameOutput {
    fn run(&self) -> Run {
        Run {
            start: Start {
                entrypoint: self.entrypoint.clone(),
                args: self.args.clone(),
                env: self.env.clone(),
                stdin: self.stdin.clone(),
                ..Start::default()
            },
            probe: match &self.http {
                Some(request) => Probe::Http(HttpRequest {
                    port: request.port,
                    path: request.path.clone(),
                    method: request.method.clone(),
                    body: request.send.clone(),
                }),
                None => Probe::Exit,
            },
            within: self.within,
        }
    }

    fn changing(&self) -> &[Changing] {
        self.ignore.as_ref().map_or(&[], |ignore| &ignore.0)
    }

    /// What is done, as the start of a sentence: `asked for :8000/tides`, `started with --version`.
    fn done(&self) -> String {
        match (&self.http, &self.args) {
            (Some(request), _) => {
                format!("asked for :{}{}", request.port, request.path)
            }
            (None, Some(args)) if !args.is_empty() => format!("started with `{}`", args.join(" ")),
            (None, _) => String::from("started"),
        }
    }
}

impl Kind for SameOutput {
    const ABOUT: About = About {
        name: "same_output",
        asks: "The image answers, or ends and prints, as the starter's image does: it was made smaller, and it still does its work.",
        parameters: &[
            may(
                "as",
                "baseline",
                "The image to compare with: what the starter's files make; baseline.",
            ),
            may(
                "args",
                "list of words",
                "Replaces the command of both images.",
            ),
            may(
                "entrypoint",
                "list of words",
                "Replaces the entrypoint of both images.",
            ),
            may(
                "env",
                "names with values",
                "More environment variables for both.",
            ),
            may("stdin", "text", "What both read from standard input."),
            may(
                "http",
                "port, path, method, send",
                "A request; then status and body are compared, and otherwise exit status and output.",
            ),
            may(
                "ignore",
                "regular expression or list of them",
                "Parts of the output that differ from run to run: a time of day, a port.",
            ),
            may("within", "duration", "How long each may take; 10 s."),
        ],
        example: "same_output: { as: baseline, http: { port: 8000, path: /tides } }",
    };

    fn check(&self) -> Result<(), String> {
        match &self.http {
            Some(request) => http::check_request(request.port, &request.path),
            None => Ok(()),
        }
    }
}

impl Goal for SameOutput {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        match &self.http {
            Some(_) => String::from("answers as the starter"),
            None => String::from("prints what the starter prints"),
        }
    }

    fn wanted(&self) -> String {
        let within = show_duration(self.within);
        match &self.http {
            Some(_) => format!(
                "{}, it answers as the starter's image does, within {within}",
                self.done()
            ),
            None => format!(
                "{}, it ends and prints as the starter's image does, within {within}",
                self.done()
            ),
        }
    }

    fn needs(&self) -> Needs {
        Needs {
            runs: [self.run()].into(),
            baseline_runs: [self.run()].into(),
            ..Needs::default()
        }
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let run = self.run();
        let model = match evidence.baseline_run(&run) {
            Ok(model) => model,
            Err(missing) => return Verdict::unknown(&missing),
        };
        let own = match evidence.run(&run) {
            Ok(own) => own,
            Err(missing) => return Verdict::unknown(&missing),
        };
        match (&self.http, &model.response, &own.response) {
            (Some(_), Some(wanted), Some(found)) => {
                self.compare_answers(evidence, own, wanted, found)
            }
            (Some(request), Some(_), None) => {
                let wanted = http::Wanted {
                    status: http::ok(),
                    body: None,
                };
                http::judge(evidence, &run, request.port, &wanted)
            }
            (Some(_), None, _) => no_model(&match model.heard() {
                Some(reason) => format!("does not answer ({reason})"),
                None => String::from("does not answer"),
            }),
            (None, _, _) if model.exit.is_none() || model.start_error.is_some() => {
                no_model("does not come to an end")
            }
            (None, _, _) => self.compare_ends(evidence, model, own),
        }
    }
}

/// There is nothing to compare with.
fn no_model(what: &str) -> Verdict {
    Verdict::unknown(&Missing::because(format!(
        "The starter's own image {what}, so that there is nothing to compare with."
    )))
}

impl SameOutput {
    fn compare_answers(
        &self,
        evidence: &Evidence,
        own: &RunOutcome,
        wanted: &HttpResponse,
        found: &HttpResponse,
    ) -> Verdict {
        if wanted.status != found.status {
            let line = cause::of(evidence, &self.run(), own).blame.line;
            return Verdict::unmet(
                format!("status {}", found.status),
                format!("The starter's image answers with status {}.", wanted.status),
                "Find out what the app had in the starter's image and lacks in yours.",
                Blame::line(line),
            )
            .having_written(own);
        }
        match likeness::compare(self.changing(), &wanted.body, &found.body) {
            Likeness::Same => Verdict::met(format!("the same answer, status {}", found.status)),
            Likeness::Unknown => left_out("body", likeness::longer(&wanted.body, &found.body)),
            Likeness::Other(text) => Verdict::unmet(
                "another body",
                text,
                "Find out what the app had in the starter's image and lacks in yours.",
                Blame::default(),
            ),
        }
    }

    fn compare_ends(&self, evidence: &Evidence, model: &RunOutcome, own: &RunOutcome) -> Verdict {
        let run = self.run();
        if let Some(verdict) = did_not_end(evidence, &run, own) {
            return verdict;
        }
        if own.exit != model.exit {
            let cause = cause::of(evidence, &run, own);
            let status =
                |exit: Option<i64>| exit.map_or_else(|| String::from("?"), |exit| exit.to_string());
            return cause.unmet(format!(
                "status {}, and the starter's image ends with {}",
                status(own.exit),
                status(model.exit)
            ));
        }
        match likeness::compare(self.changing(), &model.stdout, &own.stdout) {
            Likeness::Same => Verdict::met("the same output"),
            Likeness::Unknown => left_out("output", likeness::longer(&model.stdout, &own.stdout)),
            Likeness::Other(text) => Verdict::unmet(
                "another output",
                text,
                "Find out what the app had in the starter's image and lacks in yours.",
                Blame::default(),
            )
            .having_written(own),
        }
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
    use crate::image::output::Output;
    use crate::text::Clean;

    fn judge(yaml: &str, model: Result<RunOutcome, Missing>, own: RunOutcome) -> String {
        let goal = goal(yaml);
        let mut evidence = with_config("FROM a\nCMD [\"app\"]", starts(&[], &["app"]));
        let mut needs = goal.needs();
        evidence
            .runs
            .insert(needs.runs.pop_first().unwrap(), Ok(own));
        let run = needs.baseline_runs.pop_first().unwrap();
        evidence.baseline_runs.insert(run, model);
        show(&goal.evaluate(&evidence))
    }

    fn ended(status: i64, stdout: &str) -> RunOutcome {
        RunOutcome {
            exit: Some(status),
            stdout: lines(stdout),
            ..RunOutcome::default()
        }
    }

    fn answered(status: u16, body: &str) -> RunOutcome {
        RunOutcome {
            response: Some(HttpResponse {
                status,
                headers: Vec::new(),
                body: lines(body),
                after: Duration::from_millis(100),
            }),
            ..RunOutcome::default()
        }
    }

    #[test]
    fn the_same_end_and_output_meet_it() {
        assert_eq!(
            judge("same_output", Ok(ended(3, "a\nb\n")), ended(3, "a\nb ")),
            "met: the same output"
        );
        let yaml = "same_output: { ignore: '[0-9]{2}:[0-9]{2}' }";
        assert_eq!(
            judge(yaml, Ok(ended(0, "at 10:15")), ended(0, "at 22:31")),
            "met: the same output"
        );
    }

    #[test]
    fn the_first_line_that_differs_is_shown() {
        insta::assert_snapshot!(judge("same_output", Ok(ended(0, "a\nb")), ended(0, "a\nc\nd")), @r"
        unmet: another output
        why:   Line 2 is `c`; in the starter's it is `b`.
        next:  Find out what the app had in the starter's image and lacks in yours.
        blame:
        ");
        insta::assert_snapshot!(judge("same_output", Ok(ended(0, "a")), ended(0, "")), @r"
        unmet: another output
        why:   Line 1 is not there; in the starter's it is `a`.
        next:  Find out what the app had in the starter's image and lacks in yours.
        blame:
        ");
        insta::assert_snapshot!(judge("same_output", Ok(ended(0, "a")), ended(1, "no")), @r"
        unmet: status 1, and the starter's image ends with 0
        why:   The container ended with status 1. Its last line is: no
        next:  Read what the container wrote, from its first line on.
        blame: line 2
        ");
    }

    #[test]
    fn what_a_screen_does_not_show_is_compared() {
        let long = |end: &str| ended(0, &format!("{}{end}", "x".repeat(5000)));
        let told = judge("same_output", Ok(long("a")), long("b"));
        let why = format!(
            "Line 1 is `…{0}b`; in the starter's it is `…{0}a`.",
            "x".repeat(30)
        );
        assert!(told.contains(&why), "{told}");
        let over = judge("same_output", Ok(ended(0, "a\rc")), ended(0, "b\rc"));
        assert!(over.starts_with("unmet: another output"), "{over}");
    }

    #[test]
    fn a_long_output_is_compared_by_its_digest() {
        let long = |head: &str, digest| RunOutcome {
            stdout: Output::cut(head.as_bytes().to_vec(), b"z".to_vec(), 9, digest),
            ..ended(0, "")
        };
        let judge = |yaml: &str, model, own| judge(yaml, Ok(model), own);
        let (plain, ignoring) = ("same_output", "same_output: { ignore: b }");
        assert_eq!(
            judge(plain, long("a\nb", Some(1)), long("a\nb", Some(1))),
            "met: the same output"
        );
        let told = judge(plain, long("a\nb", Some(1)), long("a\nb", Some(2)));
        assert!(told.contains("It begins as the starter's does"), "{told}");
        let told = judge(ignoring, long("a\nb", Some(1)), long("a\nc", Some(2)));
        assert!(
            told.starts_with("unknown: The output is long: 9 B"),
            "{told}"
        );
        let told = judge(ignoring, long("a\nb", Some(1)), long("c\nb", Some(2)));
        assert!(told.contains("Line 1 is `c`"), "{told}");
        let told = judge(plain, long("one line", Some(1)), ended(0, "two"));
        assert!(told.contains("further on, it is another"), "{told}");
        let told = judge(plain, long("a\nb", None), long("a\nb", None));
        assert!(told.starts_with("unknown:"), "{told}");
    }

    const HTTP: &str = "same_output: { as: baseline, http: { port: 8000, path: /tides } }";

    #[test]
    fn answers_are_compared_by_status_and_body() {
        assert_eq!(
            judge(HTTP, Ok(answered(404, "no")), answered(404, "no")),
            "met: the same answer, status 404"
        );
        insta::assert_snapshot!(judge(HTTP, Ok(answered(200, "a")), answered(500, "a")), @r"
        unmet: status 500
        why:   The starter's image answers with status 200.
        next:  Find out what the app had in the starter's image and lacks in yours.
        blame: line 2
        ");
        insta::assert_snapshot!(judge(HTTP, Ok(answered(200, "a")), answered(200, "b")), @r"
        unmet: another body
        why:   Line 1 is `b`; in the starter's it is `a`.
        next:  Find out what the app had in the starter's image and lacks in yours.
        blame:
        ");
        let silent = judge(HTTP, Ok(answered(200, "a")), ended(1, "boom"));
        assert!(
            silent.starts_with("unmet: it ended with status 1"),
            "{silent}"
        );
    }

    #[test]
    fn without_a_model_it_is_unknown() {
        assert_eq!(
            judge(HTTP, Ok(ended(1, "")), answered(200, "a")),
            "unknown: The starter's own image does not answer, so that there is nothing to compare with."
        );
        let rude = RunOutcome {
            unanswered: Some(Clean::line("what it answered is not HTTP")),
            ..RunOutcome::default()
        };
        let told = judge(HTTP, Ok(rude), answered(200, "a"));
        assert!(
            told.contains("does not answer (what it answered is not HTTP), so"),
            "{told}"
        );
        let late = RunOutcome {
            timed_out: true,
            ..RunOutcome::default()
        };
        let told = judge("same_output", Ok(late), ended(0, ""));
        assert!(told.starts_with("unknown: The starter's own image does not come to an end"));
        let missing = Missing::because("The starter could not be built.");
        assert_eq!(
            judge(HTTP, Err(missing), answered(200, "a")),
            "unknown: The starter could not be built."
        );
        let verdict = goal(HTTP).evaluate(&with_config("FROM a", starts(&[], &[])));
        assert_eq!(show(&verdict), "unknown: The starter's image was not run.");
    }

    #[test]
    fn what_cannot_be_asked_is_refused() {
        let error = |yaml: &str| try_goal(yaml).err().unwrap();
        assert!(error("same_output: { as: solution }").contains("unknown variant"));
        assert!(error("same_output: { http: { port: 0 } }").contains("0 is not a port"));
        assert!(error("same_output: { ignore: '(' }").contains("not a regular expression"));
    }
}

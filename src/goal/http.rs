//! `http`: the container answers an HTTP request, asked from beside it.

use std::time::Duration;

use serde::Deserialize;

use super::Blame;
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
use super::kind::must;
use super::run::did_not_end;
use super::run::ten_seconds;
use crate::image::run::HttpRequest;
use crate::image::run::HttpResponse;
use crate::image::run::Probe;
use crate::image::run::Run;
use crate::image::run::RunOutcome;
use crate::image::run::Start;
use crate::text::Clean;
use crate::units::show_duration;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Http {
    port: u16,
    #[serde(default = "root")]
    path: String,
    #[serde(default = "get")]
    method: String,
    #[serde(default)]
    send: Option<String>,
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    body: Option<TextMatch>,
    #[serde(default = "ten_seconds", deserialize_with = "scalar")]
    within: Duration,
}

pub(super) fn root() -> String {
    String::from("/")
}

pub(super) fn get() -> String {
    String::from("GET")
}

pub(super) const fn ok() -> u16 {
    200
}

/// What an answer must be.
pub(super) struct Wanted<'a> {
    pub(super) status: u16,
    pub(super) body: Option<&'a TextMatch>,
}

impl Http {
    fn run(&self) -> Run {
        Run {
            start: Start::default(),
            probe: Probe::Http(HttpRequest {
                port: self.port,
                path: self.path.clone(),
                method: self.method.clone(),
                body: self.send.clone(),
            }),
            within: self.within,
        }
    }
}

impl Kind for Http {
    const ABOUT: About = About {
        name: "http",
        asks: "The container answers an HTTP request; the image needs no shell and no network for it.",
        parameters: &[
            must("port", "number", "The port, inside the container."),
            may("path", "path", "What is asked for; `/`."),
            may("method", "text", "The method; `GET`."),
            may("send", "text", "The body of the request."),
            may("status", "number", "The status of the answer; 200."),
            may("body", "text to match", "The body of the answer."),
            may("within", "duration", "How long after the start; 10 s."),
        ],
        example: "http: { port: 8000, path: /health, status: 200, body: '\"ok\"', within: 10 s }",
    };

    fn check(&self) -> Result<(), String> {
        check_request(self.port, &self.path)?;
        if self.method.is_empty() || !self.method.chars().all(|c| c.is_ascii_uppercase()) {
            return Err(format!(
                "`{}` is not a method; write it in capitals",
                self.method
            ));
        }
        Ok(())
    }
}

/// Whether a port and a path can be asked for.
pub(super) fn check_request(port: u16, path: &str) -> Result<(), String> {
    if port == 0 {
        return Err(String::from("0 is not a port"));
    }
    if !path.starts_with('/') || path.contains(char::is_whitespace) {
        return Err(format!(
            "`{path}` is not a path; it starts with `/` and has no spaces"
        ));
    }
    Ok(())
}

impl Goal for Http {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        String::from("answers HTTP")
    }

    fn wanted(&self) -> String {
        let body = self
            .body
            .as_ref()
            .map_or_else(String::new, |body| format!(" {body}"));
        format!(
            "{} :{}{} answers {}{body} within {}",
            self.method,
            self.port,
            self.path,
            self.status,
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
        let wanted = Wanted {
            status: self.status,
            body: self.body.as_ref(),
        };
        judge(evidence, &self.run(), self.port, &wanted)
    }
}

/// Judges the answer that a run got.
pub(super) fn judge(evidence: &Evidence, run: &Run, port: u16, wanted: &Wanted<'_>) -> Verdict {
    let outcome = match evidence.run(run) {
        Ok(outcome) => outcome,
        Err(missing) => return Verdict::unknown(&missing),
    };
    match &outcome.response {
        Some(response) => answered(evidence, run, outcome, response, wanted),
        None => silent(evidence, run, port, outcome),
    }
}

fn answered(
    evidence: &Evidence,
    run: &Run,
    outcome: &RunOutcome,
    response: &HttpResponse,
    wanted: &Wanted<'_>,
) -> Verdict {
    let found = format!(
        "{} after {}",
        response.status,
        show_duration(response.after)
    );
    let blame = cause::of(evidence, run, outcome).blame;
    let line = Blame::line(blame.line);
    if response.status != wanted.status {
        let said = last_words(outcome);
        let kind = match response.status {
            404 => "The app runs and does not know that path.",
            500..=599 => "The app runs and failed to make an answer.",
            _ => "The app runs and answers otherwise.",
        };
        return Verdict::unmet(
            found,
            format!("{kind}{said}"),
            "Read what the app wrote while it was asked.",
            line,
        )
        .having_written(outcome);
    }
    let Some(body) = wanted.body else {
        return Verdict::met(found);
    };
    match body.holds(&response.body) {
        Some(true) => Verdict::met(found),
        None => left_out("body", &response.body),
        Some(false) => {
            let text: Vec<&str> = response.body.iter().map(Clean::as_str).collect();
            let text = cause::shorten(&text.join(" "));
            let text = if text.is_empty() {
                String::from("It is empty.")
            } else {
                format!("It is: {text}")
            };
            Verdict::unmet(
                format!("{found}, with another body"),
                format!("The body should be a text {body}. {text}"),
                "Compare the answer with what is wanted, letter by letter.",
                line,
            )
        }
    }
}

fn last_words(outcome: &RunOutcome) -> String {
    let lines = outcome
        .stderr
        .iter()
        .rev()
        .chain(outcome.stdout.iter().rev());
    let line = lines
        .map(Clean::as_str)
        .map(str::trim)
        .find(|line| !line.is_empty());
    line.map_or_else(String::new, |line| {
        format!(" Its last line is: {}", cause::shorten(line))
    })
}

fn silent(evidence: &Evidence, run: &Run, port: u16, outcome: &RunOutcome) -> Verdict {
    let ended = outcome.exit.is_some() || outcome.start_error.is_some() || outcome.out_of_memory;
    if ended {
        if let Some(exit) = outcome.exit.filter(|_| !outcome.out_of_memory) {
            let cause = cause::of(evidence, run, outcome);
            let after = show_duration(outcome.took);
            return cause.unmet(format!("it ended with status {exit} after {after}"));
        }
        if let Some(verdict) = did_not_end(evidence, run, outcome) {
            return verdict;
        }
    }
    let found = format!("no answer within {}", show_duration(run.within));
    if let Some(cause) = cause::of_limits(evidence, run, outcome) {
        return cause.unmet(found);
    }
    let blame = cause::of(evidence, run, outcome).blame;
    if let Some(reason) = outcome.heard() {
        return Verdict::unmet(
            found,
            format!(
                "The container runs, and something listens on port {port}: {reason}.{}",
                last_words(outcome)
            ),
            "Find out what the app does there with a request, and whether it speaks HTTP.",
            Blame::line(blame.line),
        )
        .having_written(outcome);
    }
    let why = match other_port(outcome, port) {
        Some(other) => format!(
            "The container runs, and nothing answers on port {port}. Its output speaks of port {other}."
        ),
        None => format!(
            "The container runs, and nothing answers on port {port}.{}",
            last_words(outcome)
        ),
    };
    Verdict::unmet(
        found,
        why,
        "Find out on which port the app listens, and how it is told.",
        Blame::line(blame.line),
    )
    .having_written(outcome)
}

/// A port that the output names: `listening on :5000`, `http://0.0.0.0:5000`, `port 5000`.
fn other_port(outcome: &RunOutcome, wanted: u16) -> Option<u16> {
    let lines = outcome.stdout.iter().chain(&outcome.stderr);
    lines.map(Clean::as_str).find_map(|line| {
        let lower = line.to_lowercase();
        let listens = ["listen", "running", "serving", "started", "port", "http://"];
        if !listens.iter().any(|word| lower.contains(word)) {
            return None;
        }
        let marks = lower.match_indices(':').map(|(at, _)| at + 1);
        let words = lower.match_indices("port ").map(|(at, _)| at + 5);
        marks.chain(words).find_map(|at| {
            let rest = lower.get(at..)?;
            let end = rest
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len());
            let next = rest.get(end..)?.chars().next();
            let port: u16 = rest
                .get(..end)
                .filter(|digits| digits.len() > 1)?
                .parse()
                .ok()?;
            // A time of day is no port.
            (port != wanted && port >= 80 && next != Some(':')).then_some(port)
        })
    })
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

    const YAML: &str = "http: { port: 8000, path: /health, body: '\"ok\"' }";
    const FILE: &str = "FROM gcr.io/distroless/python3-debian13\nCMD [\"app.py\"]";

    fn judge(outcome: RunOutcome) -> String {
        let goal = goal(YAML);
        let config = starts(&["/usr/bin/python3"], &["app.py"]);
        let mut evidence = with_config(FILE, config);
        evidence
            .runs
            .insert(goal.needs().runs.pop_first().unwrap(), Ok(outcome));
        show(&goal.evaluate(&evidence))
    }

    fn answer(status: u16, body: &str) -> RunOutcome {
        RunOutcome {
            response: Some(HttpResponse {
                status,
                headers: Vec::new(),
                body: lines(body),
                after: Duration::from_millis(400),
            }),
            stderr: lines("KeyError: 'X'"),
            ..RunOutcome::default()
        }
    }

    #[test]
    fn the_wanted_answer_meets_it() {
        assert_eq!(
            judge(answer(200, "{\"status\": \"ok\"}")),
            "met: 200 after 0.4 s"
        );
        assert_eq!(
            goal(YAML).wanted(),
            "GET :8000/health answers 200 with \"ok\" within 10 s"
        );
    }

    #[test]
    fn another_answer_is_shown() {
        insta::assert_snapshot!(judge(answer(500, "")), @r"
        unmet: 500 after 0.4 s
        why:   The app runs and failed to make an answer. Its last line is: KeyError: 'X'
        next:  Read what the app wrote while it was asked.
        blame: line 2
        ");
        insta::assert_snapshot!(judge(answer(404, "")), @r"
        unmet: 404 after 0.4 s
        why:   The app runs and does not know that path. Its last line is: KeyError: 'X'
        next:  Read what the app wrote while it was asked.
        blame: line 2
        ");
        insta::assert_snapshot!(judge(answer(200, "{\"status\": \"warming up\"}")), @r#"
        unmet: 200 after 0.4 s, with another body
        why:   The body should be a text with "ok". It is: {"status": "warming up"}
        next:  Compare the answer with what is wanted, letter by letter.
        blame: line 2
        "#);
    }

    #[test]
    fn a_container_that_ended_is_explained() {
        let outcome = RunOutcome {
            exit: Some(2),
            took: Duration::from_millis(120),
            stderr: lines("usage: app.py\nerror: no port"),
            ..RunOutcome::default()
        };
        insta::assert_snapshot!(judge(outcome), @r"
        unmet: it ended with status 2 after 0.1 s
        why:   The container ended with status 2. Its last line is: error: no port
        next:  Read what the container wrote, from its first line on.
        blame: line 2
        ");
    }

    #[test]
    fn silence_is_explained_by_the_port_that_the_output_names() {
        let running = |text: &str| RunOutcome {
            timed_out: true,
            stderr: lines(text),
            ..RunOutcome::default()
        };
        insta::assert_snapshot!(judge(running(" * Running on http://127.0.0.1:5000")), @r"
        unmet: no answer within 10 s
        why:   The container runs, and nothing answers on port 8000. Its output speaks of port 5000.
        next:  Find out on which port the app listens, and how it is told.
        blame: line 2
        ");
        insta::assert_snapshot!(judge(running("12:30:59 started")), @r"
        unmet: no answer within 10 s
        why:   The container runs, and nothing answers on port 8000. Its last line is: 12:30:59 started
        next:  Find out on which port the app listens, and how it is told.
        blame: line 2
        ");
    }

    #[test]
    fn silence_of_somebody_who_listens_is_told() {
        let listening = |why: &str| RunOutcome {
            timed_out: true,
            unanswered: Some(Clean::line(why)),
            stderr: lines("serving on port 8000"),
            ..RunOutcome::default()
        };
        insta::assert_snapshot!(judge(listening("what it answered is not HTTP")), @r"
        unmet: no answer within 10 s
        why:   The container runs, and something listens on port 8000: what it answered is not HTTP. Its last line is: serving on port 8000
        next:  Find out what the app does there with a request, and whether it speaks HTTP.
        blame: line 2
        ");
        let nobody = judge(listening(crate::image::run::NOBODY));
        assert!(nobody.contains("nothing answers on port 8000"), "{nobody}");
    }

    #[test]
    fn a_limit_that_was_met_is_the_cause_of_the_silence() {
        let crowded = RunOutcome {
            timed_out: true,
            crowd: Some(256),
            stderr: lines("Running on http://127.0.0.1:5000"),
            ..RunOutcome::default()
        };
        insta::assert_snapshot!(judge(crowded), @r"
        unmet: no answer within 10 s
        why:   It had 256 processes and threads, as many as a check allows, and could start no other.
        next:  Find out what starts them, and what is to end them.
        blame: line 2
        ");
        let refused = RunOutcome {
            timed_out: true,
            stderr: lines("RuntimeError: can't start new thread"),
            ..RunOutcome::default()
        };
        insta::assert_snapshot!(judge(refused), @r"
        unmet: no answer within 10 s
        why:   It could start no other process or thread; a check allows 256. It wrote: RuntimeError: can't start new thread
        next:  Find out what starts them, and what is to end them.
        blame: line 2
        ");
        let hungry = RunOutcome {
            timed_out: true,
            out_of_memory: true,
            ..RunOutcome::default()
        };
        insta::assert_snapshot!(judge(hungry), @r"
        unmet: killed for lack of memory
        why:   It, or a process that it started, was killed because it used more memory than a check allows (537 MB).
        next:  Look at what the app loads or starts before it is ready.
        blame: line 2
        ");
    }

    #[test]
    fn a_request_that_cannot_be_asked_is_refused() {
        let error = |yaml: &str| try_goal(yaml).err().unwrap();
        assert!(error("http: { port: 0 }").contains("0 is not a port"));
        assert!(error("http: { port: 1, path: health }").contains("not a path"));
        assert!(error("http: { port: 1, method: get }").contains("in capitals"));
        assert!(error("http").contains("missing field `port`"));
    }

    #[test]
    fn what_was_left_out_of_a_body_may_decide() {
        let mut outcome = answer(200, "");
        if let Some(response) = &mut outcome.response {
            response.body = Output::cut(b"<p>".to_vec(), Vec::new(), 9, None);
        }
        assert_eq!(
            judge(outcome),
            "unknown: The body is long: 9 B of it are not kept, and what is looked for may be there."
        );
    }

    #[test]
    fn without_a_run_it_is_unknown() {
        let verdict = goal(YAML).evaluate(&with_config(FILE, starts(&[], &[])));
        assert_eq!(show(&verdict), "unknown: The container was not started.");
    }
}

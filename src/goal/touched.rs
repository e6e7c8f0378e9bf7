//! `touched`: a run opens at least a share of what the image ships.

use std::time::Duration;

use serde::Deserialize;

use super::Blame;
use super::Evidence;
use super::Goal;
use super::Missing;
use super::Needs;
use super::Verdict;
use super::base;
use super::field::scalar;
use super::http;
use super::kind::About;
use super::kind::Kind;
use super::kind::may;
use super::kind::must;
use super::run::ten_seconds;
use crate::image::run::HttpRequest;
use crate::image::run::Probe;
use crate::image::run::Run;
use crate::image::run::RunOutcome;
use crate::image::run::Start;
use crate::image::touched::LayerUse;
use crate::image::touched::Touched;
use crate::units::Bytes;
use crate::units::Percent;
use crate::units::show_duration;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TouchedGoal {
    #[serde(deserialize_with = "scalar")]
    min_share: Percent,
    #[serde(default)]
    port: Option<u16>,
    #[serde(default = "http::root")]
    path: String,
    #[serde(default)]
    args: Option<Vec<String>>,
    #[serde(default = "ten_seconds", deserialize_with = "scalar")]
    within: Duration,
}

impl TouchedGoal {
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
                ..Start::default()
            },
            probe,
            within: self.within,
        }
    }
}

impl Kind for TouchedGoal {
    const ABOUT: About = About {
        name: "touched",
        asks: "A run opens at least this share of the bytes that the image ships and shows; judged on the learner's own machine alone.",
        parameters: &[
            must("min_share", "share", "The smallest share."),
            may(
                "port",
                "number",
                "The run ends when this port answers over HTTP; without it, by itself.",
            ),
            may("path", "path", "What is asked for there; `/`."),
            may("args", "list of words", "Replaces the image's command."),
            may("within", "duration", "How long the run may take; 10 s."),
        ],
        example: "touched: { min_share: 20 %, port: 8000, path: /health }",
    };

    fn from_text(text: &str) -> Option<Result<Self, String>> {
        use super::field::Scalar;
        Some(Percent::read(text).map(|min_share| Self {
            min_share,
            port: None,
            path: http::root(),
            args: None,
            within: ten_seconds(),
        }))
    }

    fn check(&self) -> Result<(), String> {
        http::check_request(self.port.unwrap_or(1), &self.path)
    }
}

impl Goal for TouchedGoal {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        format!("≥ {} opened", self.min_share.in_full())
    }

    fn wanted(&self) -> String {
        let until = match self.port {
            Some(port) => format!("from the start to an answer on :{port}{}", self.path),
            None => String::from("from the start to its end"),
        };
        format!(
            "at least {} of what the image ships is opened {until}, within {}",
            self.min_share.in_full(),
            show_duration(self.within)
        )
    }

    fn needs(&self) -> Needs {
        Needs {
            contents: true,
            traces: [self.run()].into(),
            ..Needs::default()
        }
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let run = self.run();
        let trace = match evidence.trace(&run) {
            Ok(trace) => trace,
            Err(missing) => return Verdict::unknown(&missing),
        };
        if let Some(why) = fell_short(&run, &trace.outcome) {
            return Verdict::unknown(&Missing::because(why));
        }
        let contents = match &evidence.contents {
            Ok(contents) => contents,
            Err(missing) => return Verdict::unknown(missing),
        };
        let lines: Vec<Option<u32>> = (0..contents.layers.len())
            .map(|layer| evidence.line_of_layer(layer))
            .collect();
        let touched = Touched::of(contents, &trace.opened.paths, &lines);
        let (opened, live) = (touched.opened.bytes, touched.live.bytes);
        let share = touched.share().short_of(self.min_share);
        let found = format!("{share}: {opened} of {live}");
        if touched.share() >= self.min_share {
            return Verdict::met(found);
        }
        if let Some(gaps) = &trace.opened.gaps {
            return Verdict::unknown(&Missing::because(format!(
                "{found} was seen to be opened, and some may be missing: {gaps}."
            )));
        }
        unmet(evidence, &touched, &found)
    }
}

/// Why a run does not show what the image needs; `None` where it does.
fn fell_short(run: &Run, outcome: &RunOutcome) -> Option<String> {
    let what = if outcome.start_error.is_some() {
        "did not start"
    } else if outcome.out_of_memory {
        "ran out of memory"
    } else if matches!(run.probe, Probe::Http(_)) && outcome.response.is_none() {
        "did not answer"
    } else if run.probe == Probe::Exit && outcome.exit.is_none() {
        "did not end"
    } else {
        return None;
    };
    Some(format!(
        "The container {what}, so it was not seen what it opens."
    ))
}

/// Names what was left alone, and the line that brings most of that.
fn unmet(evidence: &Evidence, touched: &Touched, found: &str) -> Verdict {
    let folder = touched.unopened.first().map_or_else(String::new, |folder| {
        format!(
            "Nothing below `{}` was opened in this run, and that is {}. ",
            folder.path, folder.live.bytes
        )
    });
    let idle = |layer: &LayerUse| layer.live.bytes.minus(layer.opened.bytes);
    let layers = touched.by_line();
    let most = layers
        .iter()
        .filter(|layer| idle(layer) > Bytes(0))
        .max_by_key(|layer| idle(layer));
    let (who, blame) = match most {
        Some(layer) => {
            let quoted = layer
                .line
                .and_then(|line| base::quote_line(&evidence.dockerfile, line));
            let who = match (layer.line, quoted) {
                (Some(line), Some(quoted)) => format!("line {line}, {quoted}"),
                (Some(line), None) => format!("line {line}"),
                (None, _) => format!("layer {}", layer.index),
            };
            let blame = Blame::line(layer.line).in_layer(layer.index);
            (format!("Most comes from {who}: {}.", idle(layer)), blame)
        }
        None => (String::new(), Blame::default()),
    };
    Verdict::unmet(
        format!("{found} was opened"),
        format!("{folder}{who}"),
        "Ask of each folder that the run left alone who needs it: the app, or the build before it.",
        blame,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goal::fixture::contents;
    use crate::goal::fixture::goal;
    use crate::goal::fixture::layer;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::show;
    use crate::goal::fixture::sizes;
    use crate::goal::fixture::try_goal;
    use crate::image::run::Opened;
    use crate::image::run::Trace;
    use crate::text::Clean;

    const FILE: &str = "FROM python:3.13\nCOPY app.py /app/\nCMD [\"app.py\"]";

    fn judge(yaml: &str, trace: Trace) -> String {
        let goal = goal(yaml);
        let base = layer(&["usr/bin/python3", "usr/lib/gcc/cc1", "usr/lib/gcc/x"]);
        let mut evidence = Evidence {
            contents: Ok(contents(vec![base, layer(&["app/app.py"])])),
            sizes: Ok(sizes(&[(Some(1), 30), (Some(2), 10)])),
            ..nothing(FILE)
        };
        let run = goal.needs().traces.pop_first().unwrap();
        evidence.traces.insert(run, Ok(trace));
        show(&goal.evaluate(&evidence))
    }

    fn ended(paths: &[&str]) -> Trace {
        Trace {
            outcome: RunOutcome {
                exit: Some(0),
                ..RunOutcome::default()
            },
            opened: Opened {
                paths: paths.iter().map(|path| (*path).to_owned()).collect(),
                gaps: None,
            },
        }
    }

    const PATHS: [&str; 3] = ["/usr/bin/python3", "/app/app.py", "/tmp/made"];

    #[test]
    fn the_share_that_was_opened_decides() {
        assert_eq!(
            judge("touched: 50 %", ended(&PATHS)),
            "met: 50 %: 20 B of 40 B"
        );
        insta::assert_snapshot!(judge("touched: 51 %", ended(&PATHS)), @r"
        unmet: 50 %: 20 B of 40 B was opened
        why:   Nothing below `/usr/lib` was opened in this run, and that is 20 B. Most comes from line 1, `FROM python:3.13`: 20 B.
        next:  Ask of each folder that the run left alone who needs it: the app, or the build before it.
        blame: line 1, layer 0
        ");
    }

    #[test]
    fn a_gap_in_the_list_never_refuses() {
        let mut trace = ended(&PATHS);
        trace.opened.gaps = Some(Clean::line("there were more than are kept"));
        assert!(judge("touched: 50 %", trace.clone()).starts_with("met"));
        assert_eq!(
            judge("touched: 60 %", trace),
            "unknown: 50 %: 20 B of 40 B was seen to be opened, and some may be missing: there were more than are kept."
        );
    }

    #[test]
    fn a_run_that_fell_short_shows_nothing() {
        let mut silent = ended(&PATHS);
        silent.outcome.exit = None;
        assert_eq!(
            judge("touched: { min_share: 1 %, port: 80 }", silent.clone()),
            "unknown: The container did not answer, so it was not seen what it opens."
        );
        assert_eq!(
            judge("touched: 1 %", silent.clone()),
            "unknown: The container did not end, so it was not seen what it opens."
        );
        silent.outcome.start_error = Some(Clean::line("x"));
        assert_eq!(
            judge("touched: 1 %", silent),
            "unknown: The container did not start, so it was not seen what it opens."
        );
    }

    #[test]
    fn without_a_trace_it_is_unknown() {
        let verdict = goal("touched: 1 %").evaluate(&nothing(FILE));
        assert_eq!(
            show(&verdict),
            "unknown: It was not looked at what a run opens."
        );
    }

    #[test]
    fn what_is_asked_for_is_read_and_told() {
        insta::assert_snapshot!(goal(TouchedGoal::ABOUT.example).wanted(), @"at least 20 % of what the image ships is opened from the start to an answer on :8000/health, within 10 s");
        assert!(
            try_goal("touched: many")
                .err()
                .unwrap()
                .contains("percentage")
        );
        assert!(try_goal("touched: { min_share: 1 %, path: x }").is_err());
    }
}

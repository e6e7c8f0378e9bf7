//! BuildKit's status as events.

use std::collections::HashMap;
use std::time::Duration;

use bollard::moby::buildkit::v1::StatusResponse;
use bollard::moby::buildkit::v1::Vertex;
use bollard::moby::buildkit::v1::VertexWarning;

use super::CANCELLED;
use super::Ledger;
use super::plan::Place;
use crate::engine::BuildEvent;
use crate::engine::LogStream;
use crate::engine::StepEnd;
use crate::engine::StepId;
use crate::image::maker;
use crate::text::Clean;

/// The vertices that BuildKit has named.
#[derive(Debug, Default)]
pub(super) struct Vertices {
    steps: HashMap<String, StepId>,
    warned: Vec<(String, Option<u32>)>,
    /// Steps that are cached only if the one that began at that moment was done.
    supposed: Vec<(Stamp, StepId)>,
}

/// A moment by the engine's clock: seconds and nanoseconds.
type Stamp = (i64, i32);

impl Vertices {
    pub(super) fn feed(&mut self, status: &StatusResponse, ledger: &mut Ledger) {
        self.name_new(&status.vertexes, ledger);
        for vertex in &status.vertexes {
            let Some(step) = self.steps.get(&vertex.digest).copied() else {
                continue;
            };
            if let Some(moment) = supposed(vertex) {
                self.supposed.push((moment, step));
                continue;
            }
            if vertex.completed.is_some() {
                self.settle(began(vertex), vertex.error.is_empty(), ledger);
            }
            if vertex.started.is_some() {
                ledger.start(step);
            }
            if vertex.completed.is_some() {
                if let Some(known) = ledger.known_mut(step) {
                    known.error.clone_from(&vertex.error);
                }
                // What had no work to do may come without a start.
                let took = took(vertex);
                ledger.finish(step, vertex.cached, Some(took), end_of(&vertex.error));
            }
        }
        if !status.statuses.is_empty() {
            ledger.moved = ledger.now;
        }
        for log in &status.logs {
            let stream = if log.stream == 2 {
                LogStream::Err
            } else {
                LogStream::Out
            };
            ledger.log(self.steps.get(&log.vertex).copied(), stream, &log.msg);
        }
        for warning in &status.warnings {
            self.warn(warning, ledger);
        }
    }

    /// The step that began at this moment has ended: what it was made from was there, or, where it
    /// did not get its files, was never asked for.
    fn settle(&mut self, moment: Option<Stamp>, is_done: bool, ledger: &mut Ledger) {
        let (now, later) = std::mem::take(&mut self.supposed)
            .into_iter()
            .partition(|(supposed, _)| Some(*supposed) == moment);
        self.supposed = later;
        if is_done {
            say_cached(now, ledger);
        }
    }

    /// The build is done, and so is all that it needed.
    pub(super) fn done(&mut self, ledger: &mut Ledger) {
        say_cached(std::mem::take(&mut self.supposed), ledger);
    }

    /// Names vertices in the order of the Dockerfile: engines list them in different orders.
    fn name_new(&mut self, vertices: &[Vertex], ledger: &mut Ledger) {
        let mut new: Vec<(Option<Place>, &Vertex)> = vertices
            .iter()
            .filter(|vertex| !self.steps.contains_key(&vertex.digest))
            .map(|vertex| (place(&vertex.name, ledger), vertex))
            .collect();
        new.sort_by_key(|(place, _)| place.as_ref().map_or(0, |place| place.line));
        for (place, vertex) in new {
            if self.steps.contains_key(&vertex.digest) {
                continue;
            }
            let step = ledger.name(place, &vertex.name);
            let instruction = after_label(&vertex.name);
            if let Some(known) = ledger.known_mut(step) {
                known.reference = reference(&vertex.name).map(str::to_owned);
                known.command = instruction.strip_prefix("RUN ").map(command);
            }
            self.steps.insert(vertex.digest.clone(), step);
        }
    }

    fn warn(&mut self, warning: &VertexWarning, ledger: &mut Ledger) {
        let text = String::from_utf8_lossy(&warning.short).into_owned();
        let line = warning
            .ranges
            .iter()
            .find_map(|range| range.start.as_ref())
            .and_then(|start| u32::try_from(start.line).ok());
        // Sent again with each status of its vertex.
        let seen = (text, line);
        if !self.warned.contains(&seen) {
            ledger.events.push(BuildEvent::Warning {
                line,
                text: Clean::line(&seen.0),
            });
            self.warned.push(seen);
        }
    }
}

/// When a vertex began and ended of which BuildKit only supposes that it was cached: it says so of
/// all that was not looked at, at the moment at which something begins that is made from it. A
/// COPY begins, too, when it cannot find its file, and then nothing before it has been done.
fn supposed(vertex: &Vertex) -> Option<Stamp> {
    let ended = vertex.completed.as_ref();
    let ended = ended.map(|at| (at.seconds, at.nanos))?;
    (vertex.cached && began(vertex) == Some(ended)).then_some(ended)
}

fn began(vertex: &Vertex) -> Option<Stamp> {
    let started = vertex.started.as_ref();
    started.map(|at| (at.seconds, at.nanos))
}

fn say_cached(steps: Vec<(Stamp, StepId)>, ledger: &mut Ledger) {
    for (_, step) in steps {
        ledger.start(step);
        ledger.finish(step, true, Some(Duration::ZERO), StepEnd::Done);
    }
}

/// How a vertex ended that says this of its failure.
fn end_of(error: &str) -> StepEnd {
    if error.is_empty() {
        StepEnd::Done
    } else if error.contains(CANCELLED) {
        StepEnd::Stopped
    } else {
        StepEnd::Failed
    }
}

/// How long a vertex took, by the engine's clock.
fn took(vertex: &Vertex) -> Duration {
    let (Some(started), Some(completed)) = (&vertex.started, &vertex.completed) else {
        return Duration::ZERO;
    };
    let nanos = |seconds: i64, nanos: i32| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    let took = nanos(completed.seconds, completed.nanos) - nanos(started.seconds, started.nanos);
    Duration::from_nanos(u64::try_from(took).unwrap_or(0))
}

/// The place of a vertex that is named `[stage n/of] INSTRUCTION`. What an ONBUILD of the base adds
/// stands on the line of the FROM, and has words of its own.
fn place(name: &str, ledger: &Ledger) -> Option<Place> {
    let own = after_label(name);
    let mut place = match label(name) {
        Some((stage, n, of)) => ledger.plan.buildkit(stage, n, of)?,
        None => ledger.plan.triggered(own)?,
    };
    let is_from = |text: &str| text.starts_with("FROM ");
    if is_from(place.title.as_str()) && !is_from(own) {
        place.title = Clean::line(&maker::told(own));
    }
    Some(place)
}

/// The stage, the number of the step and how many there are.
fn label(name: &str) -> Option<(Option<&str>, usize, usize)> {
    let (label, _) = name.strip_prefix('[')?.split_once(']')?;
    // A build for several platforms puts the platform first.
    let mut words = label.split(' ').rev();
    let (n, of) = words.next()?.split_once('/')?;
    let stage = words.next();
    Some((stage, n.trim().parse().ok()?, of.trim().parse().ok()?))
}

/// The instruction after the label.
fn after_label(name: &str) -> &str {
    match name
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("] "))
    {
        Some((_, instruction)) => instruction,
        None => name,
    }
}

/// The image that a vertex asks a registry for.
fn reference(name: &str) -> Option<&str> {
    let own = after_label(name);
    let reference = own
        .strip_prefix("load metadata for ")
        .or_else(|| own.strip_prefix("resolve image config for "))
        .or_else(|| own.strip_prefix("FROM "))?;
    let reference = reference.trim().trim_start_matches("docker-image://");
    reference.split(' ').next()
}

/// A RUN's command as the builder executes it: the words of the JSON form, or the shell's text.
fn command(arguments: &str) -> String {
    match serde_json::from_str::<Vec<String>>(arguments) {
        Ok(words) => words.join(" "),
        Err(_not_json) => arguments.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use bollard::moby::buildkit::v1::VertexLog;
    use proptest::prelude::*;

    use super::super::Item;
    use super::super::Translator;
    use super::super::plan::tests::STAGES;
    use super::super::plan::tests::dockerfile;
    use super::*;
    use crate::dockerfile::Dockerfile;
    use crate::engine::BuildError;
    use crate::engine::Builder;

    fn vertex(digest: &str, name: &str) -> Vertex {
        Vertex {
            digest: digest.to_owned(),
            name: name.to_owned(),
            ..Vertex::default()
        }
    }

    fn begun(mut vertex: Vertex, at: i64) -> Vertex {
        let stamp = vertex.started.get_or_insert_with(Default::default);
        stamp.seconds = at / 1000;
        stamp.nanos = i32::try_from(at % 1000).unwrap() * 1_000_000;
        vertex
    }

    fn ended(vertex: Vertex, from: i64, to: i64) -> Vertex {
        let mut vertex = begun(vertex, from);
        let stamp = vertex.completed.get_or_insert_with(Default::default);
        stamp.seconds = to / 1000;
        stamp.nanos = i32::try_from(to % 1000).unwrap() * 1_000_000;
        vertex
    }

    fn translate(statuses: Vec<StatusResponse>) -> Vec<BuildEvent> {
        let mut translator = Translator::new(Builder::Buildkit, &dockerfile(STAGES));
        let mut events = Vec::new();
        for status in statuses {
            events.extend(translator.feed(Item::Status(status), Duration::ZERO));
        }
        events.extend(translator.close(StepEnd::Done, Duration::ZERO));
        events
    }

    fn with(vertexes: Vec<Vertex>) -> StatusResponse {
        StatusResponse {
            vertexes,
            ..StatusResponse::default()
        }
    }

    #[test]
    fn what_an_onbuild_adds_stands_at_the_from_in_its_own_words() {
        const BASE: &str = "FROM a AS m\nONBUILD COPY nosuch /x\nFROM m\n";
        for (text, name) in [
            // A stage without a step of its own has no label.
            (BASE.to_owned(), "COPY nosuch /x"),
            (format!("{BASE}RUN b\n"), "[stage-1 1/2] COPY nosuch /x"),
            // Docker 20.10 names as many as the stage has of its own.
            (format!("{BASE}RUN b\n"), "[stage-1 1/1] COPY nosuch /x"),
        ] {
            let mut translator = Translator::new(Builder::Buildkit, &Dockerfile::parse(&text));
            let mut failed = ended(vertex("x", name), 0, 1);
            failed.error = "\"/nosuch\" not found: not found".to_owned();
            let status = StatusResponse {
                vertexes: vec![failed],
                ..StatusResponse::default()
            };
            translator.feed(Item::Status(status), Duration::ZERO);
            let error = translator.failure("\"/nosuch\" not found: not found").0;
            let wanted = BuildError::Step {
                line: Some(3),
                title: Clean::line("COPY nosuch /x"),
                exit: None,
                message: Clean::line("\"/nosuch\" not found"),
                wrote: false,
            };
            assert_eq!(error, wanted, "{name}");
        }
    }

    #[test]
    fn a_warning_of_the_builder_s_checks_comes_once_with_its_line() {
        let mut warning = VertexWarning {
            short: b"JSONArgsRecommended: \x1b[1mJSON\x1b[0m arguments (line 3)".to_vec(),
            ranges: vec![Default::default()],
            ..VertexWarning::default()
        };
        if let Some(range) = warning.ranges.first_mut() {
            range.start.get_or_insert_with(Default::default).line = 3;
        }
        let status = || StatusResponse {
            warnings: vec![warning.clone()],
            ..StatusResponse::default()
        };
        let events = translate(vec![status(), status()]);
        let text = Clean::line("JSONArgsRecommended: JSON arguments (line 3)");
        let line = Some(3);
        assert_eq!(events, [BuildEvent::Warning { line, text }]);
    }

    #[test]
    fn steps_are_named_in_the_order_of_the_file_and_timed_by_the_engine() {
        let run = vertex("a", "[build 3/3] RUN make");
        let from = vertex(
            "b",
            "[build 1/3] FROM docker.io/library/python:3.13@sha256:0",
        );
        let own = vertex(
            "c",
            "[internal] load metadata for docker.io/library/python:3.13",
        );
        let events = translate(vec![
            with(vec![run.clone(), from, own]),
            with(vec![begun(run.clone(), 1000)]),
            with(vec![ended(run, 1000, 3500)]),
        ]);
        let lines: Vec<Option<u32>> = events
            .iter()
            .filter_map(|event| match event {
                BuildEvent::StepPlanned { line, .. } => Some(*line),
                _ => None,
            })
            .collect();
        assert_eq!(lines, [None, Some(2), Some(5)]);
        assert!(events.contains(&BuildEvent::StepFinished {
            step: StepId(2),
            cached: false,
            took: Duration::from_millis(2500),
            end: StepEnd::Done,
        }));
    }

    #[test]
    fn a_silent_registry_is_named_with_its_line() {
        let mut translator = Translator::new(Builder::Buildkit, &dockerfile(STAGES));
        let own = vertex(
            "c",
            "[internal] load metadata for docker.io/library/python:3.13",
        );
        translator.feed(
            Item::Status(with(vec![begun(own, 0)])),
            Duration::from_secs(1),
        );
        let (waiting, since) = translator.waiting().unwrap();
        assert_eq!(waiting.line, Some(2));
        assert_eq!(waiting.reference, "python:3.13");
        assert_eq!(since, Duration::from_secs(1));
    }

    /// A build whose last step began at 1000, as BuildKit told of it: what is before it is supposed
    /// to be cached.
    fn told_of(copy: Vertex) -> Vec<(u32, bool)> {
        let cached = |vertex: Vertex| Vertex {
            cached: true,
            ..vertex
        };
        let from = vertex(
            "a",
            "[build 1/3] FROM docker.io/library/python:3.13@sha256:0",
        );
        let workdir = vertex("b", "[build 2/3] WORKDIR /x");
        let events = translate(vec![
            with(vec![from.clone(), workdir.clone(), copy.clone()]),
            with(vec![ended(from, 990, 995)]),
            // Not always at once.
            with(vec![
                cached(ended(workdir, 1000, 1000)),
                begun(copy.clone(), 1000),
            ]),
            with(vec![ended(copy, 1000, 1001)]),
        ]);
        let ends = events.iter().filter_map(|event| match event {
            BuildEvent::StepFinished { step, cached, .. } => Some((step.0, *cached)),
            _ => None,
        });
        let mut ends: Vec<(u32, bool)> = ends.collect();
        ends.sort_unstable();
        ends
    }

    #[test]
    fn what_is_before_a_step_without_its_file_was_not_cached() {
        let copy = || vertex("c", "[build 3/3] COPY nothere .");
        assert_eq!(told_of(copy()), [(0, false), (1, true), (2, false)]);
        let mut failed = copy();
        "\"/nothere\" not found: not found".clone_into(&mut failed.error);
        assert_eq!(told_of(failed), [(0, false), (2, false)]);
    }

    #[test]
    fn what_a_build_that_is_done_was_supposed_to_have_it_had() {
        let workdir = vertex("b", "[build 2/3] WORKDIR /x");
        let workdir = Vertex {
            cached: true,
            ..ended(workdir, 1000, 1000)
        };
        let events = translate(vec![with(vec![workdir])]);
        let is_end =
            |event: &&BuildEvent| matches!(event, BuildEvent::StepFinished { cached: true, .. });
        assert_eq!(events.iter().filter(is_end).count(), 1, "{events:?}");
    }

    proptest! {
        /// However BuildKit cuts its output, and however often it repeats a vertex, the lines and
        /// the ends are the same.
        #[test]
        fn lines_do_not_depend_on_chunks(text in "[a-z\n]{0,60}", cuts in prop::collection::vec(0usize..60, 0..6)) {
            let run = vertex("a", "[build 3/3] RUN make");
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.sort_unstable();
            cuts.push(text.len());
            let mut statuses = vec![with(vec![begun(run.clone(), 0)])];
            let mut from = 0;
            for cut in cuts {
                statuses.push(StatusResponse {
                    vertexes: vec![begun(run.clone(), 0)],
                    logs: vec![VertexLog {
                        vertex: "a".to_owned(),
                        stream: 1,
                        msg: text.as_bytes()[from..cut].to_vec(),
                        ..VertexLog::default()
                    }],
                    ..StatusResponse::default()
                });
                from = cut;
            }
            statuses.push(with(vec![ended(run.clone(), 0, 1)]));
            statuses.push(with(vec![ended(run, 0, 1)]));
            let events = translate(statuses);
            let lines: Vec<String> = events.iter().filter_map(|event| match event {
                BuildEvent::Log { line, .. } => Some(line.to_string()),
                _ => None,
            }).collect();
            let wanted: Vec<String> = text.lines().map(str::to_owned).collect();
            prop_assert_eq!(lines, wanted);
            let ends = events.iter().filter(|event| matches!(event, BuildEvent::StepFinished { .. })).count();
            prop_assert_eq!(ends, 1);
        }
    }
}

//! Builders' streams as [`BuildEvent`]s: BuildKit's status, and the text of the classic builder and
//! of Podman's.
//!
//! Pure: it reads what came and when, and hands over events. Nothing is matched by an
//! instruction's text, which builders expand and shorten; steps are found by their numbers.

mod buildkit;
mod classic;
pub(super) mod faults;
mod plan;
mod podman;

use std::collections::HashMap;
use std::time::Duration;

use bollard::moby::buildkit::v1::StatusResponse;
pub(super) use faults::Failure;
use plan::Place;
use plan::Plan;

use crate::dockerfile::Dockerfile;
use crate::engine::BuildEvent;
use crate::engine::Builder;
use crate::engine::LogStream;
use crate::engine::StepEnd;
use crate::engine::StepId;
use crate::image::maker;
use crate::text::Clean;
use crate::text::Sanitizer;

/// What BuildKit says of a step that did not fail by itself.
const CANCELLED: &str = "context canceled";

/// Something that a builder sent.
#[derive(Debug)]
pub(super) enum Item {
    /// BuildKit's status.
    Status(StatusResponse),
    /// Text of the classic builder or of Podman's.
    Text(String),
    /// Progress of a pull.
    Pulling,
}

/// Reads one builder's stream.
#[derive(Debug)]
pub(super) struct Translator {
    ledger: Ledger,
    dialect: Dialect,
}

#[derive(Debug)]
enum Dialect {
    Buildkit(buildkit::Vertices),
    Classic(classic::Text),
    Podman(podman::Text),
}

impl Translator {
    /// A translator for the stream of `builder` that builds `dockerfile`.
    pub(super) fn new(builder: Builder, dockerfile: &Dockerfile) -> Self {
        Self {
            ledger: Ledger {
                plan: Plan::of(dockerfile),
                ..Ledger::default()
            },
            dialect: match builder {
                Builder::Buildkit => Dialect::Buildkit(buildkit::Vertices::default()),
                Builder::Classic => Dialect::Classic(classic::Text::default()),
                Builder::Buildah => Dialect::Podman(podman::Text::default()),
            },
        }
    }

    /// Begins again: the same steps come once more in another stream, and keep their names.
    pub(super) fn restart(&mut self) {
        self.ledger.restarted = true;
        match &mut self.dialect {
            Dialect::Buildkit(vertices) => *vertices = buildkit::Vertices::default(),
            Dialect::Classic(text) => *text = classic::Text::default(),
            Dialect::Podman(text) => *text = podman::Text::default(),
        }
    }

    /// Reads what came at `now` and hands over what it means.
    pub(super) fn feed(&mut self, item: Item, now: Duration) -> Vec<BuildEvent> {
        let ledger = &mut self.ledger;
        ledger.now = now;
        match (&mut self.dialect, item) {
            (Dialect::Buildkit(vertices), Item::Status(status)) => vertices.feed(&status, ledger),
            (Dialect::Classic(text), Item::Text(line)) => text.feed(&line, ledger),
            (Dialect::Podman(text), Item::Text(line)) => text.feed(&line, ledger),
            // BuildKit ends with a line for people; text builders send progress of pulls.
            (Dialect::Buildkit(_) | Dialect::Classic(_) | Dialect::Podman(_), _) => {
                ledger.moved = now;
            }
        }
        std::mem::take(&mut ledger.events)
    }

    /// Ends what is still open when the stream has ended, as the build did.
    pub(super) fn close(&mut self, end: StepEnd, now: Duration) -> Vec<BuildEvent> {
        let ledger = &mut self.ledger;
        ledger.now = now;
        if let (Dialect::Buildkit(vertices), StepEnd::Done) = (&mut self.dialect, end) {
            vertices.done(ledger);
        }
        // In a text stream the step that began last is the one that failed.
        let last = ledger.open().last();
        for step in ledger.open().collect::<Vec<_>>() {
            let end = match end {
                StepEnd::Failed if Some(step) != last => StepEnd::Stopped,
                end => end,
            };
            ledger.finish(step, false, None, end);
        }
        ledger.flush();
        std::mem::take(&mut ledger.events)
    }

    /// Lines of output so far.
    pub(super) const fn lines(&self) -> usize {
        self.ledger.lines
    }

    /// The step that waits for a registry and since when nothing came of it.
    pub(super) fn waiting(&self) -> Option<(Waiting, Duration)> {
        let ledger = &self.ledger;
        let step = ledger.open().find_map(|step| {
            let known = ledger.known(step)?;
            let reference = known.reference.clone()?;
            Some(Waiting {
                line: known.line.or_else(|| ledger.plan.line_of(&reference)),
                reference: ledger.plan.as_written(&reference),
            })
        })?;
        Some((step, ledger.moved))
    }

    /// The commands that may run now: those that were named, and all of the Dockerfile's. A builder
    /// begins the next one before it notices that nobody listens any more, and never names it.
    pub(super) fn commands(&self) -> Vec<String> {
        let open = self.ledger.open();
        let shown = open.filter_map(|step| self.ledger.known(step)?.command.clone());
        shown.chain(self.ledger.plan.commands().cloned()).collect()
    }

    /// What the end of the stream means, in the terms of the Dockerfile.
    pub(super) fn failure(&self, message: &str) -> Failure {
        faults::classify(message, &self.ledger)
    }
}

/// A step that waits for a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Waiting {
    /// The line of the reference.
    pub(super) line: Option<u32>,
    /// The reference as the Dockerfile has it.
    pub(super) reference: String,
}

/// What is known of a step.
#[derive(Debug, Clone, Default)]
struct Known {
    line: Option<u32>,
    title: Clean,
    /// The image that it asks a registry for.
    reference: Option<String>,
    /// The command of a RUN, as the builder shows it.
    command: Option<String>,
    began: Option<Duration>,
    /// Whether a text builder said that it was taken from the cache.
    cached: bool,
    /// How it ended, once it did.
    end: Option<StepEnd>,
    /// Whether it wrote something.
    wrote: bool,
    /// What the builder says of its failure, where it says so step by step.
    error: String,
}

impl Known {
    /// Whether it ended without having done what it was asked.
    fn is_cut_short(&self) -> bool {
        self.end.is_some_and(|end| end != StepEnd::Done)
    }
}

/// What was said of which step, and the events that have not been handed over.
#[derive(Debug, Default)]
struct Ledger {
    plan: Plan,
    steps: Vec<Known>,
    /// Steps in the order in which they began.
    order: Vec<StepId>,
    logs: HashMap<(Option<StepId>, bool), Sanitizer>,
    events: Vec<BuildEvent>,
    lines: usize,
    now: Duration,
    /// When the builder last told of progress.
    moved: Duration,
    /// Whether steps come that were named before.
    restarted: bool,
}

impl Ledger {
    /// Names a step: an instruction's, or the builder's own work.
    fn name(&mut self, place: Option<Place>, own: &str) -> StepId {
        let (line, stage, title) = match place {
            Some(place) => (Some(place.line), Some(place.stage), place.title),
            None => (None, None, Clean::line(&maker::told(own))),
        };
        if self.restarted {
            let same = |known: &Known| known.line == line && known.title == title;
            let before = self.steps.iter().position(same);
            if let Some(before) = before.and_then(|index| u32::try_from(index).ok()) {
                return StepId(before);
            }
        }
        let step = StepId(u32::try_from(self.steps.len()).unwrap_or(u32::MAX));
        self.steps.push(Known {
            line,
            title: title.clone(),
            ..Known::default()
        });
        self.events.push(BuildEvent::StepPlanned {
            step,
            line,
            stage,
            title,
        });
        step
    }

    fn known(&self, step: StepId) -> Option<&Known> {
        self.steps
            .get(usize::try_from(step.0).unwrap_or(usize::MAX))
    }

    fn known_mut(&mut self, step: StepId) -> Option<&mut Known> {
        self.steps
            .get_mut(usize::try_from(step.0).unwrap_or(usize::MAX))
    }

    /// Says that a step began, once.
    fn start(&mut self, step: StepId) {
        let now = self.now;
        self.moved = now;
        if let Some(known) = self.known_mut(step)
            && known.began.is_none()
            && known.end.is_none()
        {
            known.began = Some(now);
            self.order.push(step);
            self.events.push(BuildEvent::StepStarted { step });
        }
    }

    /// Notes that a step is taken from the cache, before it ends.
    fn cache(&mut self, step: StepId) {
        if let Some(known) = self.known_mut(step) {
            known.cached = true;
        }
    }

    /// Says that a step ended, once. `took` is the engine's figure where it has one.
    fn finish(&mut self, step: StepId, cached: bool, took: Option<Duration>, end: StepEnd) {
        let now = self.now;
        self.moved = now;
        self.end_logs(step);
        let Some(known) = self.known_mut(step) else {
            return;
        };
        if known.end.is_some() {
            return;
        }
        known.end = Some(end);
        let cached = cached || known.cached;
        let began = known.began.unwrap_or(now);
        self.events.push(BuildEvent::StepFinished {
            step,
            cached,
            took: took.unwrap_or_else(|| now.saturating_sub(began)),
            end,
        });
    }

    /// The steps that began and have not ended, in the order in which they began.
    fn open(&self) -> impl DoubleEndedIterator<Item = StepId> {
        self.order
            .iter()
            .copied()
            .filter(|step| self.known(*step).is_some_and(|known| known.end.is_none()))
    }

    /// Output in whatever pieces it came.
    fn log(&mut self, step: Option<StepId>, stream: LogStream, bytes: &[u8]) {
        self.moved = self.now;
        if let Some(step) = step
            && let Some(known) = self.known_mut(step)
        {
            known.wrote |= !bytes.trim_ascii().is_empty();
        }
        let sanitizer = self
            .logs
            .entry((step, stream == LogStream::Err))
            .or_default();
        let mut lines = Vec::new();
        sanitizer.feed(bytes, |line| lines.push(line));
        self.write(step, stream, lines);
    }

    fn write(&mut self, step: Option<StepId>, stream: LogStream, lines: Vec<Clean>) {
        self.lines += lines.len();
        self.events.extend(
            lines
                .into_iter()
                .map(|line| BuildEvent::Log { step, stream, line }),
        );
    }

    /// The last lines of a step where they did not end with a line break.
    fn end_logs(&mut self, step: StepId) {
        for (is_err, stream) in [(false, LogStream::Out), (true, LogStream::Err)] {
            if let Some(mut sanitizer) = self.logs.remove(&(Some(step), is_err)) {
                let mut lines = Vec::new();
                sanitizer.finish(|line| lines.push(line));
                self.write(Some(step), stream, lines);
            }
        }
    }

    fn flush(&mut self) {
        let left: Vec<_> = self.logs.drain().collect();
        for ((step, is_err), mut sanitizer) in left {
            let stream = if is_err {
                LogStream::Err
            } else {
                LogStream::Out
            };
            let mut lines = Vec::new();
            sanitizer.finish(|line| lines.push(line));
            self.write(step, stream, lines);
        }
    }

    /// The step that failed, or the one that was at work last.
    fn suspect(&self) -> Option<&Known> {
        let failed = || self.steps.iter().filter(|known| known.is_cut_short());
        // What another step's failure stopped has failed as well.
        let cause = failed().find(|known| !known.error.contains(CANCELLED));
        cause
            .or_else(|| failed().next())
            .or_else(|| self.open().last().and_then(|step| self.known(step)))
    }
}

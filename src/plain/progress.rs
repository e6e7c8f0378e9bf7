//! An attempt as it goes: one line per finished step, and one line that says what is going on now.
//! Pure: events in, text out.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::time::Duration;

use crate::attempt::AttemptEvent;
use crate::engine::BuildEvent;
use crate::engine::StepEnd;
use crate::engine::StepId;
use crate::report::Outcome;
use crate::report::lines;
use crate::text::Clean;
use crate::text::plural;
use crate::units::show_duration;

/// How many lines of a step's output are shown when it fails.
const LAST_LINES: usize = 20;

/// The builder's own work is told from here on.
const WORTH_A_LINE: Duration = Duration::from_secs(1);

/// How many lines of output are kept until it is known which step failed.
const KEPT_LINES: usize = 200;

/// Turns the events of one attempt into lines.
#[derive(Debug, Default)]
pub struct Progress {
    steps: BTreeMap<StepId, Step>,
    log: VecDeque<(Option<StepId>, Clean)>,
    now: Option<String>,
    weight: Option<String>,
    told_log: bool,
}

#[derive(Debug)]
struct Step {
    line: Option<u32>,
    title: Clean,
}

impl Progress {
    /// Takes the next event; answers with the lines that are finished by it.
    pub fn event(&mut self, event: &AttemptEvent) -> Vec<String> {
        match event {
            AttemptEvent::Numbered(number) => vec![format!("build {number}")],
            AttemptEvent::Base {
                reference,
                doing,
                share,
            } => {
                let share = share.map(|share| format!(", {:.0} %", share * 100.0));
                self.now = Some(format!(
                    "base image {reference}: {doing}{}",
                    share.unwrap_or_default()
                ));
                Vec::new()
            }
            AttemptEvent::Build(event) => self.build(event),
            AttemptEvent::Built { after_ms } => {
                self.now = Some("weighing the image".to_owned());
                let took = Duration::from_millis(*after_ms);
                vec![format!("built in {}", show_duration(took))]
            }
            AttemptEvent::Sizes(sizes) => {
                // A first figure may be followed by the exact one.
                let line = format!("the image weighs {}", sizes.shipped);
                if self.weight.as_ref() == Some(&line) {
                    return Vec::new();
                }
                self.weight = Some(line.clone());
                vec![line]
            }
            AttemptEvent::Gathering(what) => {
                self.now = Some(what.to_string());
                Vec::new()
            }
            AttemptEvent::Judged { goal, .. } => {
                vec![format!("{} {}", lines::word(goal.verdict), goal.title)]
            }
            AttemptEvent::Finished(report) => {
                self.now = None;
                let failed = report.outcome == Outcome::BuildFailed && !self.told_log;
                if failed {
                    let last = self.log.back().and_then(|(step, _)| *step);
                    self.last_lines(last)
                } else {
                    Vec::new()
                }
            }
        }
    }

    /// What is going on now, for a line that is written over.
    #[must_use]
    pub fn now(&self) -> Option<&str> {
        self.now.as_deref()
    }

    fn build(&mut self, event: &BuildEvent) -> Vec<String> {
        match event {
            BuildEvent::Uploading { sent, total } => {
                self.now = Some(format!("sending the build context: {sent} of {total}"));
                Vec::new()
            }
            BuildEvent::StepPlanned {
                step, line, title, ..
            } => {
                let known = Step {
                    line: *line,
                    title: title.clone(),
                };
                self.steps.insert(*step, known);
                Vec::new()
            }
            BuildEvent::StepStarted { step } => {
                self.now = Some(self.name(*step));
                Vec::new()
            }
            BuildEvent::StepFinished {
                step,
                cached,
                took,
                end,
            } => {
                let name = self.name(*step);
                let ours = self.steps.get(step).is_some_and(|step| step.line.is_some());
                if *end == StepEnd::Stopped {
                    return vec![format!("stopped {name} ({})", show_duration(*took))];
                }
                if *end == StepEnd::Failed {
                    let mut lines = vec![format!("FAILED {name} ({})", show_duration(*took))];
                    lines.extend(self.last_lines(Some(*step)));
                    return lines;
                }
                // The builder's own work is worth a line only where it takes long.
                if !ours && (*cached || *took < WORTH_A_LINE) {
                    return Vec::new();
                }
                if *cached {
                    return vec![format!("cached {name}")];
                }
                vec![format!("done   {name} ({})", show_duration(*took))]
            }
            BuildEvent::Log { step, line, .. } => {
                if self.log.len() == KEPT_LINES {
                    self.log.pop_front();
                }
                self.log.push_back((*step, line.clone()));
                self.now = Some(line.to_string());
                Vec::new()
            }
            BuildEvent::Warning { line, text } => {
                let place = line.map(|line| format!("Dockerfile:{line}: "));
                vec![format!("note   {}{text}", place.unwrap_or_default())]
            }
        }
    }

    fn name(&self, step: StepId) -> String {
        match self.steps.get(&step) {
            Some(Step {
                line: Some(line),
                title,
            }) => format!("Dockerfile:{line} {title}"),
            Some(Step { line: None, title }) => title.to_string(),
            None => "a step of the builder".to_owned(),
        }
    }

    /// The last lines that a step wrote.
    fn last_lines(&mut self, step: Option<StepId>) -> Vec<String> {
        let its: Vec<&Clean> = self
            .log
            .iter()
            .filter(|(writer, _)| *writer == step)
            .map(|(_, line)| line)
            .collect();
        if its.is_empty() {
            return Vec::new();
        }
        self.told_log = true;
        let skipped = its.len().saturating_sub(LAST_LINES);
        let shown = its.iter().skip(skipped);
        let mut lines = vec![format!(
            "the last {} of its output:",
            plural(its.len() - skipped, "line")
        )];
        lines.extend(shown.map(|line| format!("  | {line}")));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::LogStream;

    fn planned(step: u32, line: Option<u32>, title: &str) -> AttemptEvent {
        AttemptEvent::Build(BuildEvent::StepPlanned {
            step: StepId(step),
            line,
            stage: Some(0),
            title: Clean::line(title),
        })
    }

    fn finished(step: u32, cached: bool, failed: bool) -> AttemptEvent {
        let end = if failed {
            StepEnd::Failed
        } else {
            StepEnd::Done
        };
        AttemptEvent::Build(BuildEvent::StepFinished {
            step: StepId(step),
            cached,
            took: Duration::from_millis(1200),
            end,
        })
    }

    fn log(step: u32, line: &str) -> AttemptEvent {
        AttemptEvent::Build(BuildEvent::Log {
            step: Some(StepId(step)),
            stream: LogStream::Out,
            line: Clean::line(line),
        })
    }

    fn all(events: &[AttemptEvent]) -> Vec<String> {
        let mut progress = Progress::default();
        events
            .iter()
            .flat_map(|event| progress.event(event))
            .collect()
    }

    #[test]
    fn a_step_that_was_stopped_did_not_fail() {
        let lines = all(&[
            planned(1, Some(2), "RUN sleep 1000"),
            log(1, "begun"),
            AttemptEvent::Build(BuildEvent::StepFinished {
                step: StepId(1),
                cached: false,
                took: Duration::from_millis(1200),
                end: StepEnd::Stopped,
            }),
        ]);
        assert_eq!(lines, ["stopped Dockerfile:2 RUN sleep 1000 (1.2 s)"]);
    }

    #[test]
    fn each_step_ends_with_one_line() {
        let lines = all(&[
            planned(1, None, "load build context"),
            planned(2, Some(1), "FROM python:3.13"),
            planned(3, Some(2), "RUN pip install flask"),
            finished(1, true, false),
            finished(2, true, false),
            log(3, "Collecting flask"),
            finished(3, false, false),
        ]);
        assert_eq!(
            lines,
            [
                "cached Dockerfile:1 FROM python:3.13",
                "done   Dockerfile:2 RUN pip install flask (1.2 s)",
            ]
        );
    }

    #[test]
    fn a_failed_step_shows_its_own_last_lines() {
        let mut events = vec![
            planned(1, Some(2), "RUN false"),
            planned(2, Some(3), "RUN x"),
        ];
        events.push(log(2, "of another step"));
        events.extend((0..30).map(|number| log(1, &format!("line {number}"))));
        events.push(finished(1, false, true));
        let lines = all(&events);
        assert_eq!(lines.len(), 2 + LAST_LINES);
        assert_eq!(lines[0], "FAILED Dockerfile:2 RUN false (1.2 s)");
        assert_eq!(lines[1], "the last 20 lines of its output:");
        assert_eq!(lines[2], "  | line 10");
        assert!(!lines.iter().any(|line| line.contains("another")));
    }

    #[test]
    fn what_goes_on_now_follows_the_newest_event() {
        let mut progress = Progress::default();
        assert_eq!(progress.now(), None);
        progress.event(&planned(1, Some(1), "FROM scratch"));
        let started = BuildEvent::StepStarted { step: StepId(1) };
        progress.event(&AttemptEvent::Build(started));
        assert_eq!(progress.now(), Some("Dockerfile:1 FROM scratch"));
        progress.event(&log(1, "working"));
        assert_eq!(progress.now(), Some("working"));
    }
}

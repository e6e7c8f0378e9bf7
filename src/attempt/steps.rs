//! What the goals need to know of a build's steps. Pure.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::dockerfile::Dockerfile;
use crate::dockerfile::Keyword;
use crate::engine::BuildEvent;
use crate::engine::StepId;
use crate::goal::evidence::StepFact;

/// Collects a build's events into one fact per step.
#[derive(Debug, Default)]
pub(super) struct Steps {
    planned: BTreeMap<StepId, StepFact>,
    finished: Vec<StepId>,
}

impl Steps {
    /// Takes note of an event.
    pub(super) fn note(&mut self, event: &BuildEvent) {
        match event {
            BuildEvent::StepPlanned {
                step,
                line,
                stage,
                title,
            } => {
                self.planned.insert(
                    *step,
                    StepFact {
                        line: *line,
                        stage: *stage,
                        title: title.clone(),
                        cached: false,
                        took: std::time::Duration::ZERO,
                    },
                );
            }
            BuildEvent::StepFinished {
                step, cached, took, ..
            } => {
                if let Some(fact) = self.planned.get_mut(step) {
                    fact.cached = *cached;
                    fact.took = *took;
                    self.finished.push(*step);
                }
            }
            BuildEvent::Uploading { .. }
            | BuildEvent::StepStarted { .. }
            | BuildEvent::Log { .. }
            | BuildEvent::Warning { .. } => {}
        }
    }

    /// The steps that work on files, in the order of their lines: the ones that every builder has.
    /// Of `FROM` builders disagree whether it is cached, and not all make a step of what only
    /// changes the config.
    pub(super) fn into_facts(mut self, dockerfile: &Dockerfile) -> Vec<StepFact> {
        let works: BTreeSet<u32> = dockerfile
            .stages
            .iter()
            .flat_map(|stage| &stage.instructions)
            .filter(|one| {
                matches!(
                    one.keyword,
                    Keyword::Run | Keyword::Copy | Keyword::Add | Keyword::Workdir
                )
            })
            .map(|one| one.line)
            .collect();
        let mut facts: Vec<StepFact> = self
            .finished
            .iter()
            .filter_map(|step| self.planned.remove(step))
            .filter(|fact| fact.line.is_some_and(|line| works.contains(&line)))
            .collect();
        facts.sort_by_key(|fact| fact.line);
        facts
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::StepEnd;
    use crate::text::Clean;

    fn planned(step: u32, line: Option<u32>) -> BuildEvent {
        BuildEvent::StepPlanned {
            step: StepId(step),
            line,
            stage: Some(0),
            title: Clean::line("RUN true"),
        }
    }

    fn finished(step: u32, cached: bool) -> BuildEvent {
        let took = Duration::from_millis(5);
        BuildEvent::StepFinished {
            step: StepId(step),
            cached,
            took,
            end: StepEnd::Done,
        }
    }

    #[test]
    fn only_finished_steps_that_work_on_files_are_facts() {
        let file = Dockerfile::parse("FROM a\nRUN b\nENV C=d\nCOPY e f\nRUN g\n");
        let mut steps = Steps::default();
        for event in [
            planned(0, None),
            planned(1, Some(4)),
            planned(2, Some(2)),
            planned(3, Some(5)),
            planned(4, Some(1)),
            planned(5, Some(3)),
            finished(0, false),
            finished(1, true),
            finished(2, false),
            finished(4, false),
            finished(5, false),
        ] {
            steps.note(&event);
        }
        let facts = steps.into_facts(&file);
        let lines: Vec<(Option<u32>, bool)> =
            facts.iter().map(|fact| (fact.line, fact.cached)).collect();
        assert_eq!(lines, [(Some(2), false), (Some(4), true)]);
    }
}

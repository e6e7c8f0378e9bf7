//! An exercise: its brief, the learner's files, attempts, hints, the worked answer.

use std::collections::BTreeSet;

use similar::ChangeTag;
use similar::TextDiff;

use crate::attempt;
use crate::attempt::AttemptEvent;
use crate::course::Exercise;
use crate::image::touched;
use crate::plain::Plain;
use crate::plain::progress::Progress;
use crate::plain::prose;
use crate::plain::remarks;
use crate::plain::remarks::Detail;
use crate::report::Outcome;
use crate::report::Report;
use crate::report::lines;
use crate::text::Clean;
use crate::workshop;
use crate::workshop::Trouble;
use crate::workshop::Workspace;
use crate::workshop::solution_is_due;

/// What can be done in an exercise, in the order of its menu.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Build,
    Edit,
    Show,
    Brief,
    Hint,
    Solution,
    Layers,
    Cves,
    Reset,
    UndoReset,
    Used,
    Apply,
    Back,
}

const ACTIONS: [(Action, &str); 13] = [
    (Action::Build, "Build and check"),
    (Action::Edit, "Edit a file"),
    (Action::Show, "Read your files"),
    (Action::Brief, "Read the brief again"),
    (Action::Hint, "Open the next hint"),
    (Action::Solution, "Compare with the worked answer"),
    (Action::Layers, "See the layers of the last image"),
    (Action::Cves, "See the CVEs of the last image"),
    (Action::Reset, "Put the starter back"),
    (Action::UndoReset, "Undo the last reset"),
    (Action::Used, "See what of the image a run opens"),
    (Action::Apply, "Put the worked answer into your files"),
    (Action::Back, "Back"),
];

impl Plain<'_> {
    /// Works on one exercise until the person goes back.
    pub(super) async fn exercise(&mut self, exercise: &Exercise) {
        let mut workspace = match self.services.workshop.open(&exercise.id).await {
            Ok(workspace) => workspace,
            Err(trouble) => return self.say_trouble(&trouble),
        };
        self.prefer(&exercise.bases);
        self.brief(exercise, &workspace).await;
        if let Some(kept) = self.services.workshop.unsaved(&exercise.id).await {
            self.say(kept.words().as_str());
        }
        while !self.over {
            self.say("");
            let labels = ACTIONS.iter().map(|(_, label)| *label);
            let list = numbered(labels);
            let Some(number) = self.choose(&list, "Number, or q to go back: ").await else {
                return;
            };
            let action = ACTIONS
                .get(number - 1)
                .map_or(Action::Back, |(action, _)| *action);
            if action == Action::Back {
                return;
            }
            match self.act(action, exercise, &workspace).await {
                Ok(Some(new)) => workspace = new,
                Ok(None) => {}
                Err(trouble) => self.say_trouble(&trouble),
            }
        }
    }

    /// Does one thing; answers with the files where they were exchanged.
    async fn act(
        &mut self,
        action: Action,
        exercise: &Exercise,
        workspace: &Workspace,
    ) -> Result<Option<Workspace>, Trouble> {
        let workshop = self.services.workshop.clone();
        match action {
            Action::Build => self.build(exercise).await?,
            Action::Edit => {
                // It may have changed since it was shown.
                let now = workshop.open(&exercise.id).await?;
                self.edit(&exercise.id, &now).await;
                if self.over {
                    return Ok(None);
                }
                let fresh = workshop.open(&exercise.id).await?;
                self.say_all(remarks::lines(
                    &fresh.files,
                    Detail::Short,
                    &self.left_to_hints(exercise),
                ));
                return Ok(Some(fresh));
            }
            Action::Show => {
                let fresh = workshop.open(&exercise.id).await?;
                self.show(&fresh).await;
                let told =
                    remarks::lines(&fresh.files, Detail::Full, &self.left_to_hints(exercise));
                self.pages(&told).await;
                return Ok(Some(fresh));
            }
            Action::Brief => self.brief(exercise, workspace).await,
            Action::Hint => self.hint(exercise).await?,
            Action::Solution => {
                let fresh = workshop.open(&exercise.id).await?;
                self.solution(exercise, &fresh).await;
            }
            Action::Layers => self.layers(exercise).await?,
            Action::Cves => self.cves(exercise).await?,
            Action::Reset => {
                let question = "This puts the starter back over your files; what you wrote is kept. \
                                Type yes to do it: ";
                if !self.agrees(question).await {
                    self.say("Nothing was changed.");
                    return Ok(None);
                }
                let fresh = workshop.reset(&exercise.id).await?;
                self.say(format!("The starter is back.{}", kept(&fresh)));
                return Ok(Some(fresh));
            }
            Action::UndoReset => {
                let fresh = workshop.undo_reset(&exercise.id).await?;
                self.say("Your files are back.");
                return Ok(Some(fresh));
            }
            Action::Used => self.used(exercise).await?,
            Action::Apply => return self.apply(exercise).await,
            Action::Back => {}
        }
        Ok(None)
    }

    /// The rules whose next step is left to the hints.
    fn left_to_hints(&self, exercise: &Exercise) -> BTreeSet<&'static str> {
        let record = self.progress.exercises.get(&exercise.id);
        if solution_is_due(exercise, record) {
            BTreeSet::new()
        } else {
            workshop::left_to_hints(exercise)
        }
    }

    async fn brief(&mut self, exercise: &Exercise, workspace: &Workspace) {
        self.say("");
        self.say(format!("Exercise: {}", exercise.title));
        if !self
            .pages(&prose::lines(&self.with_figures(&exercise.brief)))
            .await
        {
            return;
        }
        self.say("");
        self.say("Goals:");
        for (goal, required) in exercise.all_goals() {
            let stretch = if required { "" } else { " (stretch)" };
            self.say(format!(
                "  - {}{stretch}: {}",
                goal.title(),
                goal.goal.wanted()
            ));
        }
        self.say(format!("Your files are in {}:", shown(&workspace.folder)));
        for file in &workspace.files {
            let limit = file.barred.map(|barred| format!(" ({})", barred.words()));
            self.say(format!("  - {}{}", file.name, limit.unwrap_or_default()));
        }
    }

    async fn show(&mut self, workspace: &Workspace) {
        for file in &workspace.files {
            self.say("");
            match (&file.text, file.barred) {
                (None, None) => self.say(format!("{} is not there.", file.name)),
                (None, Some(barred)) => {
                    self.say(format!("{} is not shown: {}.", file.name, barred.words()));
                }
                (Some(text), _) => {
                    self.say(format!("{}:", file.name));
                    let numbered: Vec<String> = Clean::lines(text)
                        .iter()
                        .enumerate()
                        .map(|(index, line)| format!("{:>4}  {line}", index + 1))
                        .collect();
                    if !self.pages(&numbered).await {
                        return;
                    }
                }
            }
        }
    }

    async fn build(&mut self, exercise: &Exercise) -> Result<(), Trouble> {
        let files = self.services.workshop.open(&exercise.id).await?.files;
        let planted = self.left_to_hints(exercise);
        self.say_all(remarks::lines(&files, Detail::Short, &planted));
        self.say("Building. Ctrl-C stops it.");
        let cancel = self.tty.stop();
        let mut events = self.services.workshop.start_attempt(&exercise.id, cancel);
        let mut progress = Progress::default();
        let mut said_bases = BTreeSet::new();
        let mut finished: Option<Box<Report>> = None;
        let mut number = None;
        while let Some(event) = events.recv().await {
            if let AttemptEvent::Base {
                reference, doing, ..
            } = &event
                && said_bases.insert((reference.clone(), doing.clone()))
            {
                self.say(format!("base image {reference}: {doing}"));
            }
            if let AttemptEvent::Numbered(given) = event {
                number = Some(given);
            }
            // Verdicts come once more with their reasons in the report.
            if !matches!(event, AttemptEvent::Judged { .. }) {
                let lines = progress.event(&event);
                self.say_all(lines);
            }
            if let AttemptEvent::Finished(report) = event {
                finished = Some(report);
            }
        }
        let Some(report) = finished else {
            self.say("The attempt ended without a report; your files are safe.");
            return Ok(());
        };
        self.say("");
        self.say_all(lines::show(&report).lines().map(str::to_owned));
        if let Some(read) = to_read(exercise, &report) {
            let lesson = self.services.course.reading(&read);
            self.say(format!("Read: {lesson}"));
        }
        let record = self.progress.exercises.entry(exercise.id.clone());
        let record = record.or_default();
        let number = number.unwrap_or(record.numbered + 1);
        if record.absorb(&report, number) {
            record.built = files
                .into_iter()
                .filter_map(|file| Some((file.name, file.text?)))
                .collect();
        } else if record.last.is_some() {
            let known = record.number;
            self.say(format!(
                "Build {number} judged nothing: what is known is still of build {known}."
            ));
        }
        Ok(())
    }

    /// Runs the image of the last attempt and says what the run opens.
    async fn used(&mut self, exercise: &Exercise) -> Result<(), Trouble> {
        let record = self.progress.exercises.get(&exercise.id).cloned();
        let record = record.unwrap_or_default();
        let image = record.last.as_ref().and_then(|last| last.image.as_ref());
        let Some(image) = image else {
            self.say("The last attempt made no image: build and check first.");
            return Ok(());
        };
        let Some(run) = attempt::run_to_trace(exercise) else {
            self.say("No goal of this exercise runs the image.");
            return Ok(());
        };
        self.say("Running the image once more. Ctrl-C stops it.");
        let cancel = self.tty.stop();
        let lines: Vec<Option<u32>> = image.layers.iter().map(|layer| layer.line).collect();
        let mut traced = self
            .services
            .workshop
            .trace(&exercise.id, &image.id, &lines, cancel)
            .await?;
        if let Some(text) = record.built.get("Dockerfile") {
            traced.touched.quote(text);
        }
        if let Some(trouble) = attempt::trouble(&run, &traced.outcome) {
            self.say(format!("Not seen to its end: {trouble}."));
        }
        if traced.outcome.start_error.is_some() {
            return Ok(());
        }
        if let Some(gaps) = &traced.gaps {
            self.say(format!("Some opened files may be missing: {gaps}."));
        }
        self.say_all(touched::lines(&traced.touched, false));
        self.say("");
        self.say(touched::COMMENT);
        Ok(())
    }

    /// Opens the next hint for the first goal that the last attempt missed.
    async fn hint(&mut self, exercise: &Exercise) -> Result<(), Trouble> {
        let record = self.progress.exercises.get(&exercise.id);
        let missed: Vec<String> = record
            .and_then(|record| record.last.as_ref())
            .map(|report| {
                let goals = report.goals.iter();
                goals
                    .filter(|goal| goal.verdict != crate::report::VerdictName::Met)
                    .map(|goal| goal.id.clone())
                    .collect()
            })
            .unwrap_or_default();
        let opened = record
            .map(|record| record.hints.clone())
            .unwrap_or_default();
        let unopened = |goal: Option<&String>| {
            exercise.hints.iter().find(|hint| {
                goal.is_none_or(|goal| hint.goal == *goal)
                    && !opened.contains(&(hint.goal.clone(), hint.level))
            })
        };
        let next = missed
            .iter()
            .find_map(|goal| unopened(Some(goal)))
            .or_else(|| unopened(None));
        let Some(hint) = next else {
            self.say("Every hint is open. The worked answer is next.");
            return Ok(());
        };
        self.say(format!("Hint {} for `{}`:", hint.level, hint.goal));
        self.say_all(prose::lines(&hint.text));
        let note = (hint.goal.clone(), hint.level);
        self.services
            .workshop
            .hint_opened(&exercise.id, &note.0, note.1)
            .await?;
        let record = self
            .progress
            .exercises
            .entry(exercise.id.clone())
            .or_default();
        record.hints.insert(note);
        Ok(())
    }

    /// Whether the person types yes.
    async fn agrees(&mut self, question: &str) -> bool {
        let answer = self.ask(question).await.unwrap_or_default();
        answer.trim().eq_ignore_ascii_case("yes")
    }

    /// Puts the worked answer into the learner's files; what was there is kept as by a reset.
    async fn apply(&mut self, exercise: &Exercise) -> Result<Option<Workspace>, Trouble> {
        let Some(solution) = &exercise.solution else {
            self.say("This exercise has no worked answer.");
            return Ok(None);
        };
        let question = "This puts the worked answer over your files; what you wrote is kept. \
                        Type yes to do it: ";
        if !self.agrees(question).await {
            self.say("Nothing was changed.");
            return Ok(None);
        }
        let workshop = self.services.workshop.clone();
        let fresh = workshop::apply(&*workshop, &exercise.id, &solution.files).await?;
        self.say(format!(
            "The worked answer is in your files.{}",
            kept(&fresh)
        ));
        Ok(Some(fresh))
    }

    /// Shows what the worked answer changes in the learner's files, and why.
    async fn solution(&mut self, exercise: &Exercise, workspace: &Workspace) {
        let Some(solution) = &exercise.solution else {
            return self.say("This exercise has no worked answer.");
        };
        let record = self.progress.exercises.get(&exercise.id);
        let question =
            "You have hints left, and trying first teaches more. Type yes to see it now: ";
        if !solution_is_due(exercise, record) && !self.agrees(question).await {
            return;
        }
        for (name, content) in &solution.files {
            let mine = workspace
                .files
                .iter()
                .find(|file| file.name == *name)
                .and_then(|file| file.text.clone())
                .unwrap_or_default();
            self.say("");
            self.say(format!("{name}, yours (-) and the worked answer (+):"));
            let lines = difference(&mine, &String::from_utf8_lossy(content));
            if !self.pages(&lines).await {
                return;
            }
        }
        self.say("");
        self.pages(&prose::lines(&solution.why)).await;
    }
}

/// What is said of files that were put away; nothing where none were.
const fn kept(workspace: &Workspace) -> &'static str {
    if workspace.put_away {
        " Yours are kept: \"Undo the last reset\"."
    } else {
        ""
    }
}

/// Lines with their numbers, from 1.
pub(super) fn numbered<'a>(lines: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let lines = lines.into_iter().enumerate();
    lines
        .map(|(index, line)| format!("{:>3}  {line}", index + 1))
        .collect()
}

/// The lines of two texts with what was taken and what was added.
fn difference(mine: &str, theirs: &str) -> Vec<String> {
    TextDiff::from_lines(mine, theirs)
        .iter_all_changes()
        .map(|change| {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            format!(
                "{sign} {}",
                Clean::line(change.value().trim_end_matches('\n'))
            )
        })
        .collect()
}

/// The lesson to read for the first goal that is not met.
fn to_read(exercise: &Exercise, report: &Report) -> Option<String> {
    if report.outcome == Outcome::Passed {
        return None;
    }
    let missed = report
        .goals
        .iter()
        .find(|goal| goal.required && goal.verdict != crate::report::VerdictName::Met)?;
    let (entry, _) = exercise
        .all_goals()
        .find(|(goal, _)| goal.id == missed.id)?;
    entry.read.clone()
}

/// A path without control characters.
fn shown(path: &std::path::Path) -> Clean {
    Clean::line(&path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_reads_line_by_line() {
        let lines = difference("FROM a\nRUN x\n", "FROM a\nRUN y\n");
        assert_eq!(lines, ["  FROM a", "- RUN x", "+ RUN y"]);
    }
}

//! The workshop on this machine: the learner's folder and records, the engine that was found, the
//! base images that it holds.

#![expect(
    clippy::disallowed_methods,
    reason = "attempts and housekeeping run as tasks of their own"
)]

mod files;
mod history;
mod kept;
mod look;
mod supplied;
mod trace;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Answered;
use super::BaseEvent;
use super::BaseState;
use super::Check;
use super::EngineState;
use super::KeptTexts;
use super::NotSaved;
use super::Progress;
use super::Sweep;
use super::Trouble;
use super::Workshop;
use super::Workspace;
use super::advice;
use super::doctor;
use super::doctor::Facts;
use super::insight::Insight;
use super::supply::Supply;
use super::supply::causes;
use crate::attempt;
use crate::attempt::AttemptEvent;
use crate::attempt::Request;
use crate::attempt::Submission;
use crate::attempt::Traced;
use crate::bases;
use crate::course::Course;
use crate::course::Exercise;
use crate::course::ExerciseId;
use crate::course::directive;
use crate::course::directive::Directive;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::Tried;
use crate::engine::docker::Docker;
use crate::engine::find;
use crate::engine::start::serve;
use crate::finding::Scan;
use crate::learner::Home;
use crate::learner::LayerFacts;
use crate::learner::Records;
use crate::learner::records;
use crate::learner::records::RecordsError;
use crate::learner::workspace::FileState;
use crate::learner::workspace::Saved;
use crate::report::CourseRef;
use crate::report::Report;
use crate::text::sentence;
use crate::units::Bytes;
use kept::Kept;
use kept::unrecorded;
use supplied::prepare;
use supplied::shipped;
use supplied::told;

/// The workshop on this machine. Nothing is opened before it is asked for; clones share it.
#[derive(Clone)]
pub struct Local {
    course: Arc<Course>,
    home: Home,
    engine: Arc<Mutex<Option<Found>>>,
    records: Kept,
    last_look: look::LastLook,
    sweep: Sweep,
    thorough: bool,
    no_cache: bool,
}

/// The engine that was found, and its base images.
#[derive(Clone)]
struct Found {
    engine: Arc<Docker>,
    bases: Arc<bases::Service>,
}

impl Local {
    /// A workshop for `course` with the learner's files under `home`.
    #[must_use]
    pub fn new(course: Arc<Course>, home: Home) -> Self {
        Self {
            course,
            records: Kept::of(home.clone()),
            home,
            engine: Arc::default(),
            last_look: Arc::default(),
            sweep: Sweep::default(),
            thorough: false,
            no_cache: false,
        }
    }

    /// The same, but attempts read a large image whole even where a cheap goal has said no.
    #[must_use]
    pub fn thorough(self, thorough: bool) -> Self {
        Self { thorough, ..self }
    }

    /// The same, but attempts leave the builder's cache aside.
    #[must_use]
    pub fn no_cache(self, no_cache: bool) -> Self {
        Self { no_cache, ..self }
    }

    /// Its sweep of the engine.
    #[must_use]
    pub const fn sweep(&self) -> &Sweep {
        &self.sweep
    }

    /// The engine: the one that was found before, where it still answers.
    async fn engine(&self) -> Result<Found, find::Search> {
        let mut held = self.engine.lock().await;
        if let Some(found) = held.as_ref()
            && found.engine.ping().await.is_ok()
        {
            return Ok(found.clone());
        }
        *held = None;
        let mut search = serve::search().await;
        let Some(docker) = search.found.take() else {
            return Err(search);
        };
        let engine = Arc::new(docker);
        let cache = self.home.state().join("bases");
        let options = bases::Options::default();
        let Ok(bases) = bases::Service::new(engine.clone(), cache, options) else {
            return Err(search);
        };
        let found = Found {
            engine: Arc::clone(&engine),
            bases: Arc::new(bases),
        };
        *held = Some(found.clone());
        self.sweep.settle_in(engine, self.home.id().ok());
        Ok(found)
    }

    /// Works with the learner's records.
    async fn with_records<T, Work, Done>(&self, work: Work) -> Result<T, Trouble>
    where
        T: Send + 'static,
        Work: FnOnce(Records) -> Done + Send + 'static,
        Done: Future<Output = Result<T, RecordsError>>,
    {
        self.records.with(work).await
    }

    /// What is remembered of layers.
    fn facts(&self) -> Arc<LayerFacts> {
        Arc::new(LayerFacts::at(self.home.state().join("layers")))
    }

    fn log(&self, id: &ExerciseId) -> PathBuf {
        self.home.state().join("logs").join(format!("{id}.log"))
    }

    /// Builds what is on disk and records the report before it is passed on. The number is given
    /// before anything else, so that one that was shown is used up.
    async fn attempt(
        self,
        id: ExerciseId,
        events: mpsc::Sender<AttemptEvent>,
        cancel: CancellationToken,
    ) {
        // Its own: whoever began it may have more to do once it has ended.
        let cancel = cancel.child_token();
        let name = id.clone();
        let number = self
            .with_records(move |records| async move { records.next_number(name.as_str()).await })
            .await
            .ok();
        if let Some(number) = number {
            let _ = events.send(AttemptEvent::Numbered(number)).await;
        }
        // An engine that is there and says nothing takes its time.
        let asked = cancel.run_until_cancelled(self.request(&id)).await;
        let asked = asked.unwrap_or_else(|| {
            let stopped = EngineError::Cancelled;
            Err(attempt::without_engine(self.course_ref(), &id, &stopped).into())
        });
        let (request, found, files) = match asked {
            Ok(ready) => ready,
            Err(report) => {
                let _ = events.send(AttemptEvent::Finished(report)).await;
                return;
            }
        };
        let exercise = Arc::clone(&request.exercise);
        let supply = Arc::new(Supply::new(found.bases));
        let mut receiver = attempt::start(found.engine, supply, request, cancel.clone());
        while let Some(event) = receiver.recv().await {
            if let AttemptEvent::Finished(report) = &event
                && let Err(trouble) = self.record(&exercise, report, &files, number).await
            {
                let warning = unrecorded(&trouble);
                let _ = events.send(AttemptEvent::Build(warning)).await;
            }
            if events.send(event).await.is_err() {
                // Nobody listens any more, but its end is still recorded.
                cancel.cancel();
            }
        }
    }

    /// What an attempt needs, or the report that says why there is none.
    async fn request(
        &self,
        id: &ExerciseId,
    ) -> Result<(Request, Found, crate::course::Files), Box<Report>> {
        let course = self.course_ref();
        let failed = |trouble: &Trouble| {
            Box::new(attempt::could_not_start(
                course.clone(),
                id,
                &trouble.message,
                trouble.next_step.as_ref(),
            ))
        };
        let (workspace, token) = self
            .workspace(id)
            .await
            .map_err(|trouble| failed(&trouble))?;
        let files = workspace
            .read()
            .map_err(|error| failed(&trouble(&error, error.hint())))?;
        let found = self.engine().await.map_err(|search| {
            let error = search.error();
            Box::new(attempt::without_engine(course.clone(), id, &error))
        })?;
        let name = id.clone();
        let baseline = self
            .with_records(move |records| async move { history::baseline(&records, &name).await })
            .await
            .unwrap_or_default();
        let exercise = Arc::clone(workspace.exercise());
        let request = Request {
            course: self.course_ref(),
            submission: Submission::Folder(workspace.path().to_owned()),
            owner: owner(&token),
            canaries: exercise.needles(&token),
            exercise,
            advisories: advice::known(Some(&self.home)),
            baseline,
            no_cache: self.no_cache,
            own: true,
            thorough: self.thorough,
            facts: Some(self.facts()),
        };
        Ok((request, found, files))
    }

    /// Tells what the images weigh that only a lesson names, where they are here.
    async fn weigh_named(
        &self,
        found: &Found,
        wanted: &[String],
        events: &mpsc::Sender<BaseEvent>,
    ) {
        let named: Vec<String> = self
            .course
            .lessons
            .iter()
            .flat_map(|lesson| directive::all(&lesson.markdown))
            .filter_map(|figure| match figure {
                Ok((Directive::Size { reference }, _)) => Some(reference),
                Ok(_) | Err(_) => None,
            })
            .filter(|reference| !wanted.contains(reference))
            .collect();
        let Ok(here) = found.bases.resolve(&named).await else {
            return;
        };
        for (reference, resolution) in here {
            if let Some(local) = resolution.local() {
                let size = shipped(&found.engine, local).await;
                let _ = events
                    .send(told(&reference, BaseState::Ready { size }))
                    .await;
            }
        }
    }

    fn course_ref(&self) -> CourseRef {
        CourseRef {
            id: self.course.id.clone(),
            version: self.course.version.clone(),
        }
    }

    /// Looks at the machine for the doctor.
    pub async fn look(&self) -> Facts {
        let needed = self.course.needed_bases();
        let found = self.engine().await;
        doctor::look(found.map(|found| (found.engine, found.bases)), &needed).await
    }

    /// Keeps an attempt. One that cannot be kept is still shown.
    async fn record(
        &self,
        exercise: &Arc<Exercise>,
        report: &Report,
        files: &crate::course::Files,
        number: Option<u32>,
    ) -> Result<(), Trouble> {
        let (exercise, report, files) = (Arc::clone(exercise), report.clone(), files.clone());
        self.with_records(move |records| async move {
            records
                .add_attempt(&exercise, &report, &files, number)
                .await
                .map(|_| ())
        })
        .await
    }
}

/// The workspace's id on the engine: short, the same for the same workspace, and not its token.
fn owner(token: &str) -> String {
    format!("{:016x}", xxhash_rust::xxh3::xxh3_64(token.as_bytes()))
}

fn trouble(error: &dyn std::error::Error, hint: &str) -> Trouble {
    Trouble::new(causes(error)).advise(sentence(hint))
}

/// What the screens say of an engine that was not found.
fn missing(error: &EngineError) -> EngineState {
    let tried: Vec<Tried> = match error {
        EngineError::NotFound { tried } => tried.clone(),
        _ => Vec::new(),
    };
    let advice = match error {
        EngineError::NoPermission { .. } => {
            "Join the group that owns the socket, or run `loadline doctor` for the exact commands."
        }
        EngineError::NotFound { tried } if Tried::named(tried).is_some() => {
            "Mend the address that you set, or run `loadline doctor` to see how others are tried."
        }
        EngineError::Silent { .. } => "Restart it, or run `loadline doctor` to see where it is.",
        _ => "Start Docker or Podman, or run `loadline doctor`, which tells what can be done.",
    };
    EngineState::Missing {
        trouble: Trouble::new(error.to_string()).advise(advice),
        tried,
    }
}

#[async_trait]
impl Workshop for Local {
    async fn progress(&self) -> Result<Progress, Trouble> {
        let course = Arc::clone(&self.course);
        let mut progress = self
            .with_records(move |records| async move { history::progress(&records, &course).await })
            .await?;
        progress.damaged = self.records.damage().await;
        Ok(progress)
    }

    async fn find_engine(&self) -> EngineState {
        match self.engine().await {
            Ok(found) => EngineState::Ready {
                info: Box::new(found.engine.info().clone()),
                free: found.engine.free_space().await,
            },
            Err(search) => missing(&search.error()),
        }
    }

    async fn prepare_bases(
        &self,
        first: Vec<String>,
        events: mpsc::Sender<BaseEvent>,
        cancel: CancellationToken,
    ) {
        let Ok(found) = self.engine().await else {
            return;
        };
        let mut wanted = first;
        let all: Vec<String> = self.course.needed_bases().into_keys().collect();
        for reference in found.bases.in_order(&all) {
            if !wanted.contains(&reference) {
                wanted.push(reference);
            }
        }
        self.weigh_named(&found, &wanted, &events).await;
        for reference in &wanted {
            let _ = events.send(told(reference, BaseState::Waiting)).await;
        }
        for reference in wanted {
            if cancel.is_cancelled() {
                return;
            }
            prepare(&found, reference, &events, &cancel).await;
        }
    }

    async fn open(&self, exercise: &ExerciseId) -> Result<Workspace, Trouble> {
        let (workspace, _) = self.workspace(exercise).await?;
        let name = exercise.clone();
        let _ = self
            .with_records(move |records| async move {
                records.keep(records::POSITION, name.as_str()).await
            })
            .await;
        Ok(self.shown(&workspace))
    }

    async fn save(
        &self,
        exercise: &ExerciseId,
        file: &str,
        text: &str,
        read: Option<&str>,
    ) -> Result<(), NotSaved> {
        let (workspace, _) = self.opened(exercise).await.map_err(NotSaved::Failed)?;
        let before = FileState::from(read.map(str::as_bytes));
        match workspace.save(file, text.as_bytes(), before) {
            Ok(Saved::Done(_)) => Ok(()),
            // Whoever wrote it wrote the same.
            Ok(Saved::Conflict { content, .. }) if content.as_deref() == Some(text.as_bytes()) => {
                Ok(())
            }
            Ok(Saved::Conflict { .. }) => Err(NotSaved::Changed),
            Err(error) => Err(NotSaved::Failed(trouble(&error, error.hint()))),
        }
    }

    async fn keep(
        &self,
        exercise: &ExerciseId,
        file: &str,
        text: &str,
    ) -> Result<PathBuf, Trouble> {
        self.beside(exercise)?
            .keep(file, text.as_bytes())
            .map_err(|error| trouble(&error, error.hint()))
    }

    async fn unsaved(&self, exercise: &ExerciseId) -> Option<KeptTexts> {
        KeptTexts::at(self.beside(exercise).ok()?.untold().ok()?)
    }

    async fn reset(&self, exercise: &ExerciseId) -> Result<Workspace, Trouble> {
        let (workspace, _) = self.workspace(exercise).await?;
        workspace
            .reset()
            .map_err(|error| trouble(&error, error.hint()))?;
        Ok(self.shown(&workspace))
    }

    async fn undo_reset(&self, exercise: &ExerciseId) -> Result<Workspace, Trouble> {
        let (workspace, _) = self.workspace(exercise).await?;
        let undone = workspace
            .undo()
            .map_err(|error| trouble(&error, error.hint()))?;
        if !undone {
            return Err(Trouble::new(
                "Nothing that you wrote was put away, so there is nothing to bring back.",
            ));
        }
        Ok(self.shown(&workspace))
    }

    fn start_attempt(
        &self,
        exercise: &ExerciseId,
        cancel: CancellationToken,
    ) -> mpsc::Receiver<AttemptEvent> {
        let (events, receiver) = mpsc::channel(256);
        tokio::spawn(self.clone().attempt(exercise.clone(), events, cancel));
        receiver
    }

    async fn look(
        &self,
        image: &str,
        read: mpsc::Sender<Bytes>,
        cancel: CancellationToken,
    ) -> Result<Arc<Insight>, Trouble> {
        look::look(self, image, read, cancel).await
    }

    async fn scan(&self, image: &str, cancel: CancellationToken) -> Result<Arc<Scan>, Trouble> {
        look::scan(self, image, cancel).await
    }

    async fn trace(
        &self,
        exercise: &ExerciseId,
        image: &str,
        lines: &[Option<u32>],
        cancel: CancellationToken,
    ) -> Result<Traced, Trouble> {
        trace::trace(self, exercise, image, lines, cancel).await
    }

    async fn hint_opened(
        &self,
        exercise: &ExerciseId,
        goal: &str,
        level: u8,
    ) -> Result<(), Trouble> {
        let (name, goal) = (exercise.clone(), goal.to_owned());
        self.with_records(move |records| async move {
            records.open_hint(name.as_str(), &goal, level).await
        })
        .await
    }

    async fn lesson_read(&self, slug: &str) -> Result<(), Trouble> {
        let slug = slug.to_owned();
        self.with_records(move |records| async move { records.mark_read(&slug).await })
            .await
    }

    async fn answered(&self, lesson: &str, quiz: &str, answer: Answered) -> Result<(), Trouble> {
        let answer = records::Answer {
            lesson: lesson.to_owned(),
            quiz: quiz.to_owned(),
            chosen: answer.chosen.into_iter().collect(),
            right: answer.right,
            tries: answer.tries,
        };
        self.with_records(move |records| async move { records.answer(&answer).await })
            .await
    }

    async fn doctor(&self) -> Vec<Check> {
        doctor::checks(&self.look().await)
    }
}

#[cfg(test)]
mod tests;

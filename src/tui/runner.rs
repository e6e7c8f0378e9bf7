//! Does what `update` asks for, away from the thread that draws, and tells the bus.

#![expect(
    clippy::disallowed_methods,
    reason = "starts the tasks; this is the edge"
)]

mod exchange;
mod forward;
mod unsaved;

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::course::ExerciseId;
use crate::text::Clean;
use crate::tui::effect::Effect;
use crate::tui::effect::Unwritten;
use crate::tui::effect::Wanted;
use crate::tui::msg::JobId;
use crate::tui::msg::Msg;
use crate::tui::runner::forward::forward;
use crate::tui::runner::unsaved::Unsaved;
use crate::tui::watch;
use crate::tui::watch::Look;
use crate::tui::watch::Watched;
use crate::workshop::Trouble;
use crate::workshop::Workshop;
use crate::workshop::WorkspaceFile;

/// The worker threads and what runs on them.
pub(super) struct Runner {
    /// `None` once it was shut down.
    workers: Option<Runtime>,
    workshop: Arc<dyn Workshop>,
    bus: mpsc::Sender<Msg>,
    attempts: HashMap<JobId, (CancellationToken, JoinHandle<()>)>,
    bases: Option<(CancellationToken, JoinHandle<()>)>,
    watching: Option<(mpsc::Sender<Look>, JoinHandle<()>)>,
    /// One look into an image at a time: a new one replaces the one before.
    look: Option<(JobId, CancellationToken)>,
    /// Saves and records: they are waited for before the program ends.
    writes: Vec<JoinHandle<()>>,
}

impl Runner {
    /// Starts the worker threads.
    pub(super) fn new(workshop: Arc<dyn Workshop>, bus: mpsc::Sender<Msg>) -> io::Result<Self> {
        let workers = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("loadline-worker")
            .enable_all()
            .build()?;
        Ok(Self {
            workers: Some(workers),
            workshop,
            bus,
            attempts: HashMap::new(),
            bases: None,
            watching: None,
            look: None,
            writes: Vec::new(),
        })
    }

    /// Starts what an effect asks for. Effects on the terminal itself are the loop's.
    pub(super) fn perform(&mut self, effect: Effect) {
        let workshop = Arc::clone(&self.workshop);
        match effect {
            Effect::LoadProgress => {
                self.ask(async move { Msg::Progress(workshop.progress().await) });
            }
            Effect::FindEngine => {
                self.ask(async move { Msg::Engine(workshop.find_engine().await) });
            }
            Effect::Doctor => self.ask(async move { Msg::Doctor(workshop.doctor().await) }),
            Effect::Open(exercise) => self.ask(async move {
                let result = workshop.open(&exercise).await;
                let unsaved = match &result {
                    Ok(_) => workshop.unsaved(&exercise).await,
                    Err(_) => None,
                };
                Msg::Opened {
                    exercise,
                    result,
                    unsaved,
                }
            }),
            Effect::Exchange {
                exercise,
                wanted,
                texts,
            } => self.exchange(exercise, wanted, texts),
            Effect::Save { .. }
            | Effect::Keep { .. }
            | Effect::HintOpened { .. }
            | Effect::LessonRead(_)
            | Effect::Answered { .. } => self.keep(effect),
            Effect::PrepareBases { first } => self.prepare_bases(first),
            Effect::Watch {
                exercise,
                folder,
                files,
            } => self.watch(Watched {
                exercise,
                folder,
                files,
            }),
            Effect::ReadDisk => {
                if let Some((asking, _)) = &self.watching {
                    let _ = asking.try_send(Look::Now);
                }
            }
            Effect::StartAttempt { .. } | Effect::Trace { .. } | Effect::Cancel(_) => {
                self.on_job(effect);
            }
            Effect::Look { job, image } => self.look(job, image),
            Effect::Scan { job, image } => self.scan(job, image),
            Effect::StopLook(job) => self.stop_look(job),
            Effect::Edit { .. }
            | Effect::FixEngine
            | Effect::Copy(_)
            | Effect::Notify(_)
            | Effect::Suspend
            | Effect::Repaint
            | Effect::Quit => {}
        }
    }

    /// Exchanges files. A save that is on its way is waited for: it must not land afterwards.
    fn exchange(&mut self, exercise: ExerciseId, wanted: Wanted, texts: Vec<Unwritten>) {
        let before = std::mem::take(&mut self.writes);
        let (workshop, bus) = (Arc::clone(&self.workshop), self.bus.clone());
        self.write(async move {
            for write in before {
                let _ = write.await;
            }
            let msg = exchange::exchange(&*workshop, exercise, wanted, texts).await;
            let _ = bus.send(msg).await;
        });
    }

    /// Starts or stops what can be cancelled.
    fn on_job(&mut self, effect: Effect) {
        match effect {
            Effect::StartAttempt { job, exercise, log } => self.attempt(job, exercise, log),
            Effect::Trace {
                job,
                exercise,
                image,
                lines,
            } => self.trace(job, exercise, image, lines),
            Effect::Cancel(job) => {
                if let Some((token, _)) = self.attempts.get(&job) {
                    token.cancel();
                }
            }
            _ => {}
        }
    }

    /// Starts what must be on disk before the program ends.
    fn keep(&mut self, effect: Effect) {
        let workshop = Arc::clone(&self.workshop);
        let bus = self.bus.clone();
        match effect {
            Effect::Save {
                exercise,
                file,
                text,
                folder,
                over,
            } => {
                self.write(async move {
                    save(&*workshop, &bus, (exercise, file, text), &folder, over).await;
                });
            }
            Effect::Keep {
                exercise,
                file,
                text,
            } => {
                self.write(async move {
                    let result = workshop.keep(&exercise, &file, &text).await;
                    let _ = bus.send(Msg::Kept { file, result }).await;
                });
            }
            Effect::HintOpened {
                exercise,
                goal,
                level,
            } => {
                self.write(async move {
                    let result = workshop.hint_opened(&exercise, &goal, level).await;
                    tell_failure(&bus, result).await;
                });
            }
            Effect::LessonRead(slug) => {
                self.write(async move {
                    tell_failure(&bus, workshop.lesson_read(&slug).await).await;
                });
            }
            Effect::Answered {
                lesson,
                quiz,
                answer,
            } => {
                self.write(async move {
                    let result = workshop.answered(&lesson, &quiz, answer).await;
                    tell_failure(&bus, result).await;
                });
            }
            _ => {}
        }
    }

    fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        match &self.workers {
            Some(workers) => workers.spawn(work),
            None => tokio::spawn(work),
        }
    }

    /// Runs a question whose answer is one message.
    fn ask(&self, answer: impl Future<Output = Msg> + Send + 'static) {
        let bus = self.bus.clone();
        self.spawn(async move {
            let msg = answer.await;
            let _ = bus.send(msg).await;
        });
    }

    /// Runs something that must not be lost when the program ends.
    fn write(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        self.writes.retain(|write| !write.is_finished());
        let task = self.spawn(work);
        self.writes.push(task);
    }

    fn prepare_bases(&mut self, first: Vec<String>) {
        if let Some((token, _)) = self.bases.take() {
            token.cancel();
        }
        let token = CancellationToken::new();
        let (workshop, bus, cancel) = (Arc::clone(&self.workshop), self.bus.clone(), token.clone());
        let (sender, mut events) = mpsc::channel(64);
        let (forward, stopped) = (self.bus.clone(), token.clone());
        let task = self.spawn(async move {
            // What a run says that was cancelled is not true of the one that took its place.
            let telling = async {
                while let Some(event) = events.recv().await {
                    if !stopped.is_cancelled() && forward.send(Msg::Base(event)).await.is_err() {
                        return;
                    }
                }
            };
            tokio::join!(workshop.prepare_bases(first, sender, cancel), telling);
            if !stopped.is_cancelled() {
                let _ = bus.send(Msg::BasesDone).await;
            }
        });
        self.bases = Some((token, task));
    }

    fn watch(&mut self, watched: Watched) {
        if let Some((_, task)) = self.watching.take() {
            task.abort();
        }
        let (asking, asked) = mpsc::channel(4);
        let ends = (asking.clone(), asked);
        let task = self.spawn(watch::watch(watched, ends, self.bus.clone()));
        self.watching = Some((asking, task));
    }

    fn attempt(&mut self, job: JobId, exercise: ExerciseId, log: PathBuf) {
        let token = CancellationToken::new();
        let (workshop, bus, cancel) = (Arc::clone(&self.workshop), self.bus.clone(), token.clone());
        let telling = bus.clone();
        let inner = self.spawn(async move {
            let events = workshop.start_attempt(&exercise, cancel);
            forward(job, events, &log, telling).await
        });
        let outer = self.spawn(async move {
            // Whatever happens to the attempt, its end is told once.
            let trouble = match inner.await {
                Ok(true) => None,
                Ok(false) | Err(_) => Some(
                    Trouble::new("the attempt ended without a verdict")
                        .advise("Build again with b; the log has the last lines."),
                ),
            };
            let _ = bus.send(Msg::AttemptEnded { job, trouble }).await;
        });
        self.attempts.retain(|_, (_, task)| !task.is_finished());
        self.attempts.insert(job, (token, outer));
    }

    /// Looks into an image; what is told of one that was stopped is dropped.
    fn look(&mut self, job: JobId, image: String) {
        let token = CancellationToken::new();
        if let Some((_, before)) = self.look.replace((job, token.clone())) {
            before.cancel();
        }
        let (workshop, bus) = (Arc::clone(&self.workshop), self.bus.clone());
        let (sender, mut told) = mpsc::channel(4);
        let forward = bus.clone();
        self.spawn(async move {
            let telling = async move {
                while let Some(read) = told.recv().await {
                    if forward.send(Msg::Looking { job, read }).await.is_err() {
                        return;
                    }
                }
            };
            let looking = workshop.look(&image, sender, token.clone());
            let (result, ()) = tokio::join!(looking, telling);
            if !token.is_cancelled() {
                let _ = bus.send(Msg::Looked { job, result }).await;
            }
        });
    }

    fn scan(&mut self, job: JobId, image: String) {
        let token = CancellationToken::new();
        if let Some((_, before)) = self.look.replace((job, token.clone())) {
            before.cancel();
        }
        let (workshop, bus) = (Arc::clone(&self.workshop), self.bus.clone());
        self.spawn(async move {
            let result = workshop.scan(&image, token.clone()).await;
            if !token.is_cancelled() {
                let _ = bus.send(Msg::Scanned { job, result }).await;
            }
        });
    }

    fn stop_look(&mut self, job: JobId) {
        if let Some((_, token)) = self.look.take_if(|(running, _)| *running == job) {
            token.cancel();
        }
    }

    fn trace(&mut self, job: JobId, exercise: ExerciseId, image: String, lines: Vec<Option<u32>>) {
        let token = CancellationToken::new();
        let (workshop, bus, cancel) = (Arc::clone(&self.workshop), self.bus.clone(), token.clone());
        let id = image.clone();
        let inner = self.spawn(async move { workshop.trace(&exercise, &id, &lines, cancel).await });
        let outer = self.spawn(async move {
            // Whatever happens to the run, its end is told once.
            let result = match inner.await {
                Ok(result) => result.map(Box::new),
                Err(_) => Err(Trouble::new("the run ended without a list")),
            };
            let _ = bus.send(Msg::Traced { job, image, result }).await;
        });
        self.attempts.retain(|_, (_, task)| !task.is_finished());
        self.attempts.insert(job, (token, outer));
    }

    /// Whether an attempt has not ended.
    pub(super) fn is_building(&self) -> bool {
        self.attempts.values().any(|(_, task)| !task.is_finished())
    }

    /// Runs a command to its end and tells how it went.
    pub(super) fn wait_for(&self, mut child: std::process::Child) -> JoinHandle<io::Result<bool>> {
        let wait = move || child.wait().map(|status| status.success());
        match &self.workers {
            Some(workers) => workers.spawn_blocking(wait),
            None => tokio::task::spawn_blocking(wait),
        }
    }

    /// Cancels what runs and waits, for a while, until it has stopped and all writes are done. What
    /// could not be saved is kept; says where.
    pub(super) async fn finish(mut self, mut bus: mpsc::Receiver<Msg>) -> Vec<Clean> {
        if let Some((_, task)) = self.watching.take() {
            task.abort();
        }
        let mut work = std::mem::take(&mut self.writes);
        let mut patience = Duration::from_secs(3);
        for (token, task) in std::mem::take(&mut self.attempts).into_values() {
            token.cancel();
            if !task.is_finished() {
                patience = Duration::from_secs(15);
            }
            work.push(task);
        }
        if let Some((token, task)) = self.bases.take() {
            token.cancel();
            work.push(task);
        }
        if let Some((_, token)) = self.look.take() {
            token.cancel();
        }
        let mut unsaved = Unsaved::default();
        let all = async {
            for task in work {
                let _ = task.await;
            }
        };
        let _ = tokio::time::timeout(patience, async {
            // Tasks that still tell something must not wait for a full bus.
            tokio::select! {
                () = all => {}
                () = unsaved.hear(&mut bus) => {}
            }
        })
        .await;
        while let Ok(msg) = bus.try_recv() {
            unsaved.take(msg);
        }
        for (exercise, file, text) in std::mem::take(&mut unsaved.texts) {
            let workshop = Arc::clone(&self.workshop);
            let name = file.clone();
            let kept = self.spawn(async move { workshop.keep(&exercise, &name, &text).await });
            if let Ok(result) = kept.await {
                unsaved.take(Msg::Kept { file, result });
            }
        }
        unsaved.told
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        // A runtime may not be dropped by waiting on the thread that draws.
        if let Some(workers) = self.workers.take() {
            workers.shutdown_background();
        }
    }
}

async fn tell_failure(bus: &mpsc::Sender<Msg>, result: Result<(), Trouble>) {
    if let Err(trouble) = result {
        let _ = bus.send(Msg::Failed(trouble)).await;
    }
}

/// Writes a file where the disk still has what the learner last saw; where it has not, tells what
/// it has.
async fn save(
    workshop: &dyn Workshop,
    bus: &mpsc::Sender<Msg>,
    (exercise, file, text): (ExerciseId, String, String),
    folder: &Path,
    over: Option<String>,
) {
    let saved = workshop
        .save(&exercise, &file, &text, over.as_deref())
        .await;
    let found = saved.is_err().then(|| WorkspaceFile::read(folder, &file));
    let result = saved.map_err(|not| not.trouble(&file));
    let saved = Msg::Saved {
        exercise: exercise.clone(),
        file,
        text,
        result,
    };
    let _ = bus.send(saved).await;
    if let Some(found) = found {
        let disk = Msg::Disk {
            exercise,
            files: vec![found],
        };
        let _ = bus.send(disk).await;
    }
}

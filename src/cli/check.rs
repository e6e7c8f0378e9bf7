//! `loadline check`: one attempt without the workshop, for scripts, pipelines and graders.

mod structure;

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::attempt;
use crate::attempt::AttemptEvent;
use crate::attempt::Request;
use crate::attempt::Submission;
use crate::cli::CliError;
use crate::cli::Context;
use crate::cli::Exit;
use crate::cli::db;
use crate::cli::error::UnknownId;
use crate::cli::interrupt::Interrupt;
use crate::cli::output;
use crate::cli::output::Output;
use crate::cli::progress::Live;
use crate::cli::wiring;
use crate::course::Course;
use crate::course::Exercise;
use crate::finding::matching::Advisories;
use crate::goal::Known;
use crate::plain::progress::Progress;
use crate::report::Outcome;
use crate::report::Report;
use crate::report::lines;
use crate::workshop::Supply;
use crate::workshop::Sweep;
use crate::workshop::Workshop as _;

/// Build an exercise's files and judge the image, as the workshop does
///
/// Without `--dir` your own files of the exercise are built and the attempt is recorded. With it
/// any folder can be: nothing is written there, and neither a home nor a terminal is needed.
///
/// A large image is read whole only where no cheaper goal has said no; `--thorough` reads it in any
/// case, so that every goal has a verdict.
///
/// With `--structure-tests` nothing is built: an image that the engine has is judged by the tests of
/// container-structure-test files (version 2.0.0). Commands run as every container of a check does:
/// without privileges, mounts or a network, as the image's own user.
///
/// The verdict goes to standard output, progress to standard error. The exit code is 0 when every
/// required goal is met.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  loadline check shrink-that-image
  loadline check shrink-that-image --dir submissions/seat-04
  loadline check first-build --dir . --json > report.json
  loadline check my-app:latest --structure-tests tests.yaml")]
pub(crate) struct Args {
    /// The exercise's id; with `--structure-tests` an image that the engine has
    #[arg(value_name = "EXERCISE|IMAGE")]
    exercise: String,
    /// The folder that holds the learner's files
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Print exactly the report, as JSON
    #[arg(long)]
    json: bool,
    /// With `--dir`: a snapshot of advisories by its id, in place of the current one; `shipped` is
    /// a name too
    #[arg(long, requires = "dir", value_name = "ID")]
    db: Option<String>,
    /// Leave the builder's cache aside
    #[arg(long)]
    no_cache: bool,
    /// Read a large image whole even where a cheaper goal has already said no
    #[arg(long)]
    thorough: bool,
    /// Judge an image by the tests of this file in place of an exercise's goals; may be repeated
    #[arg(long, value_name = "FILE",
          conflicts_with_all = ["dir", "db", "no_cache", "thorough"])]
    structure_tests: Vec<PathBuf>,
}

/// Makes one attempt.
pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    if !args.structure_tests.is_empty() {
        return structure::run(&args.exercise, &args.structure_tests, args.json, context);
    }
    let course = Arc::new(wiring::course(&context.shared)?);
    let exercise = find(&course, &args.exercise)?;
    if let Some(folder) = &args.dir {
        readable(folder)?;
    }
    let output = context.output;
    wiring::block_on(async {
        let interrupt = Interrupt::listen(output).map_err(CliError::Output)?;
        let mut own = None;
        let mut sweep = Sweep::default();
        let events = match &args.dir {
            Some(folder) => {
                let submission = Submission::Folder(folder.clone());
                let with = With {
                    no_cache: args.no_cache,
                    thorough: args.thorough,
                    advisories: db::for_goals(args.db.as_deref())?,
                };
                from_folder(
                    &course,
                    exercise,
                    submission,
                    folder,
                    with,
                    (&interrupt, &sweep),
                )
                .await?
            }
            None => {
                let local = wiring::local(&Arc::new(Course::clone(&course).for_learners()))?
                    .thorough(args.thorough)
                    .no_cache(args.no_cache);
                let cancel = interrupt.asked.clone();
                sweep = local.sweep().clone();
                own.insert(local).start_attempt(&exercise.id, cancel)
            }
        };
        let report = follow(events, output, (&interrupt, &sweep)).await?;
        if let Some(local) = &own
            && let Some(kept) = local.unsaved(&exercise.id).await
        {
            output.tell(&format!("{}\n", kept.words()));
        }
        if args.json {
            output.result(&json(&report)?)?;
        } else {
            output.result(&lines::show(&report))?;
        }
        if args.json {
            explain(&report, output);
        }
        let _ = interrupt.ends(sweep.finish()).await;
        Ok(Exit::of(report.outcome))
    })
}

/// The exercise with this id.
pub(crate) fn find<'a>(course: &'a Course, asked: &str) -> Result<&'a Exercise, CliError> {
    course.exercise(asked).ok_or_else(|| {
        let known = course.exercises.iter().map(|exercise| exercise.id.as_str());
        CliError::UnknownExercise(UnknownId::among(asked, known))
    })
}

/// What an attempt on a folder works with besides its files.
pub(crate) struct With {
    /// Whether the builder's cache is left aside.
    pub(crate) no_cache: bool,
    /// Whether a large image is read whole in any case.
    pub(crate) thorough: bool,
    /// What packages are compared with.
    pub(crate) advisories: Known<Arc<dyn Advisories>>,
}

/// Starts an attempt on files that are not the learner's workspace.
///
/// # Errors
/// When there is a signal before the attempt begins.
pub(crate) async fn from_folder(
    course: &Course,
    exercise: &Exercise,
    submission: Submission,
    place: &Path,
    with: With,
    (interrupt, sweep): (&Interrupt, &Sweep),
) -> Result<mpsc::Receiver<AttemptEvent>, CliError> {
    let (docker, service) = match interrupt.ends(wiring::engine()).await? {
        Ok(found) => found,
        Err(search) => {
            let error = search.error();
            let report = attempt::without_engine(wiring::course_ref(course), &exercise.id, &error);
            let (sender, receiver) = mpsc::channel(1);
            let _ = sender.send(AttemptEvent::Finished(Box::new(report))).await;
            return Ok(receiver);
        }
    };
    wiring::settle_in(&docker, sweep);
    let token = wiring::token(place, exercise);
    let request = Request {
        course: wiring::course_ref(course),
        exercise: Arc::new(exercise.planted(&token)),
        submission,
        owner: wiring::owner(&token),
        canaries: exercise.needles(&token),
        advisories: with.advisories,
        baseline: None,
        no_cache: with.no_cache,
        // A folder may be anybody's.
        own: false,
        thorough: with.thorough,
        facts: wiring::facts(),
    };
    let supply = Arc::new(Supply::new(service));
    let cancel = interrupt.asked.clone();
    Ok(attempt::start(docker, supply, request, cancel))
}

/// Shows the attempt as it goes, and returns its report.
pub(crate) async fn follow(
    mut events: mpsc::Receiver<AttemptEvent>,
    output: Output,
    (interrupt, sweep): (&Interrupt, &Sweep),
) -> Result<Box<Report>, CliError> {
    let mut live = Live::new(output);
    let mut progress = Progress::default();
    loop {
        let event = tokio::select! {
            biased;
            () = interrupt.forced.cancelled() => return Err(CliError::Interrupted),
            event = events.recv() => event,
        };
        let Some(event) = event else {
            return Err(CliError::Internal(
                "the attempt ended without a report".to_owned(),
            ));
        };
        if matches!(event, AttemptEvent::Built { .. }) {
            sweep.begin();
        }
        for line in progress.event(&event) {
            live.finished(&line);
        }
        if let AttemptEvent::Finished(report) = event {
            live.clear();
            return Ok(report);
        }
        if let Some(now) = progress.now() {
            live.now(now);
        }
    }
}

/// Says on standard error what a person can do about an attempt that was not judged, where standard
/// output is for a program.
fn explain(report: &Report, output: Output) {
    if report.outcome == Outcome::EngineUnavailable {
        output.tell(&format!(
            "{} run `loadline doctor` to see what was tried\n",
            output.paint_err().good("hint:")
        ));
    }
}

fn json(report: &Report) -> Result<String, CliError> {
    output::json(report)
}

/// Whether a folder can be read, before an engine is looked for.
fn readable(folder: &Path) -> Result<(), CliError> {
    let entries = wiring::folder(folder).map_err(|cause| CliError::Unreadable {
        what: "the folder",
        path: folder.to_owned(),
        cause,
    })?;
    if entries.iter().any(|name| name == "Dockerfile") {
        Ok(())
    } else {
        Err(CliError::NoDockerfile {
            folder: folder.to_owned(),
        })
    }
}

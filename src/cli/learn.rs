//! `loadline learn`: the workshop, as screens, as lines, or without anyone to type.
#![expect(
    clippy::disallowed_methods,
    reason = "starts the learner's editor, reads what is typed, and prepares base images meanwhile"
)]

mod demonstration;

use std::io::BufRead as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::cli::CliError;
use crate::cli::Context;
use crate::cli::Exit;
use crate::cli::interrupt;
use crate::cli::interrupt::Asks;
use crate::cli::output::Output;
use crate::cli::wiring;
use crate::course::Course;
use crate::course::suggest;
use crate::plain;
use crate::plain::Teletype;
use crate::text::Clean;
use crate::tui;
use crate::tui::Left;
use crate::tui::Start;
use crate::workshop::Services;
use crate::workshop::meanwhile;
use crate::workshop::meanwhile::BaseStates;
use crate::workshop::meanwhile::Preparation;

/// Open the workshop
///
/// On a terminal it opens as screens; with `--plain`, or where the terminal can only append lines,
/// as lines of text. Without anyone to type it checks the first exercise's worked answer as a
/// demonstration, prepares the base images of the others, and says how to open the workshop.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "Examples:
  loadline learn
  loadline learn shrink-that-image
  loadline learn --plain")]
pub(crate) struct Args {
    /// A lesson or exercise to open at once
    #[arg(value_name = "LESSON|EXERCISE")]
    at: Option<String>,
}

/// Opens the workshop in the way that suits what it runs on.
pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let course = Arc::new(wiring::course(&context.shared)?);
    let output = context.output;
    let at = args.at.as_deref().map(|asked| named(&course, asked));
    let at = at.transpose()?;
    if output.has_screen() {
        return screens(&course, at.map_or(Start::Home, Start::Unit));
    }
    // The variable says how, the flag also says that lines are wanted from whatever is piped in.
    if context.shared.plain_asked || output.has_keyboard() {
        return as_lines(&course, at.as_deref(), output);
    }
    demonstration::run(&course, output)
}

fn screens(course: &Arc<Course>, start: Start) -> Result<Exit, CliError> {
    let options = tui::Options::from_env(start);
    match tui::run(services(course)?, options) {
        Ok(Left::Quit) => Ok(Exit::Ok),
        Ok(Left::Terminated) => Ok(Exit::Interrupted),
        Err(error) => Err(CliError::Internal(format!(
            "the terminal cannot be used: {error}"
        ))),
    }
}

fn services(course: &Arc<Course>) -> Result<Services, CliError> {
    Ok(Services {
        course: Arc::clone(course),
        workshop: Arc::new(wiring::local(course)?),
    })
}

fn as_lines(course: &Arc<Course>, at: Option<&str>, output: Output) -> Result<Exit, CliError> {
    let services = services(course)?;
    wiring::block_on(async {
        let work = Work::default();
        let leave = CancellationToken::new();
        interrupt::each({
            let (work, leave) = (work.clone(), leave.clone());
            move |asks| {
                if asks == Asks::End {
                    work.last();
                }
                if !work.stop() {
                    leave.cancel();
                }
            }
        })
        .map_err(CliError::Output)?;
        let preparation = prepare(&services, &leave);
        let mut person = Person { output, work };
        let told = person.work.clone();
        let left = tokio::select! {
            () = plain::run(services, &mut person, preparation, at) => match told.is_last() {
                true => Exit::Interrupted,
                false => Exit::Ok,
            },
            () = leave.cancelled() => Exit::Interrupted,
        };
        leave.cancel();
        Ok(left)
    })
}

/// Prepares the base images of the course meanwhile.
fn prepare(services: &Services, leave: &CancellationToken) -> Preparation {
    let (telling, states) = watch::channel(BaseStates::new());
    let (first, asked) = watch::channel(Vec::new());
    let (workshop, leave) = (Arc::clone(&services.workshop), leave.clone());
    tokio::spawn(async move { meanwhile::prepare(&*workshop, telling, asked, leave).await });
    Preparation { states, first }
}

/// The piece of work that Ctrl-C stops before it leaves the workshop.
#[derive(Debug, Clone, Default)]
struct Work {
    running: Arc<Mutex<Option<CancellationToken>>>,
    /// Whether the workshop is left once it has ended.
    last: CancellationToken,
}

impl Work {
    fn begin(&self) -> CancellationToken {
        let token = CancellationToken::new();
        *self.held() = Some(token.clone());
        token
    }

    fn end(&self) {
        *self.held() = None;
    }

    /// Nothing more is to be begun.
    fn last(&self) {
        self.last.cancel();
    }

    fn is_last(&self) -> bool {
        self.last.is_cancelled()
    }

    /// Stops what is being done; false where nothing is, or where it was stopped before.
    fn stop(&self) -> bool {
        match self.held().take() {
            Some(token) => {
                token.cancel();
                true
            }
            None => false,
        }
    }

    fn held(&self) -> MutexGuard<'_, Option<CancellationToken>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Someone at a keyboard, in front of lines.
struct Person {
    output: Output,
    work: Work,
}

#[async_trait]
impl Teletype for Person {
    fn say(&mut self, line: &str) {
        // Nobody reads any more: the next question ends the workshop.
        let _ = self.output.result(&format!("{line}\n"));
    }

    async fn ask(&mut self, prompt: &str) -> Option<String> {
        self.work.end();
        if self.work.is_last() {
            return None;
        }
        let _ = self.output.result(prompt);
        let read = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            let count = std::io::stdin().lock().read_line(&mut line).ok()?;
            (count > 0).then_some(line)
        });
        read.await.ok().flatten()
    }

    fn has_editor(&self) -> bool {
        editor().is_some()
    }

    async fn edit(&mut self, file: &Path) -> Result<(), String> {
        let command = editor().ok_or("Neither `VISUAL` nor `EDITOR` names an editor.")?;
        let (program, args) = command.split_first().ok_or("`EDITOR` is empty.")?;
        let status = tokio::process::Command::new(program)
            .args(args)
            .arg(file)
            .status()
            .await
            .map_err(|error| format!("`{}` does not start: {error}.", Clean::line(program)))?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("`{}` ended with {status}.", Clean::line(program)))
        }
    }

    fn stop(&mut self) -> CancellationToken {
        self.work.begin()
    }
}

/// The learner's editor and its arguments.
fn editor() -> Option<Vec<String>> {
    ["VISUAL", "EDITOR"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .filter_map(|value| shell_words::split(&value).ok())
        .find(|words| !words.is_empty())
}

/// The lesson or exercise that was named, as the front ends know it.
fn named(course: &Course, asked: &str) -> Result<String, CliError> {
    let mut lessons = course.lessons.iter();
    if let Some(lesson) = lessons.find(|one| one.slug == asked || one.id() == asked) {
        return Ok(lesson.slug.clone());
    }
    if let Some(exercise) = course.exercise(asked) {
        return Ok(exercise.id.to_string());
    }
    let lessons = course.lessons.iter().map(|lesson| lesson.slug.as_str());
    let exercises = course.exercises.iter().map(|one| one.id.as_str());
    Err(CliError::UnknownUnit {
        asked: asked.to_owned(),
        nearest: suggest::nearest(asked, lessons.chain(exercises)).map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::course::load;

    #[test]
    fn lessons_and_exercises_are_known_by_each_of_their_names() {
        let course = load::embedded().expect("it is sound");
        let known = |asked: &str| named(&course, asked).ok();
        let slug = Some("why-small-matters".to_owned());
        assert_eq!(known("why-small-matters"), slug);
        assert_eq!(known("01-why-small-matters"), slug);
        assert_eq!(known("first-build"), Some("first-build".to_owned()));
        for (asked, near) in [("first-biuld", Some("first-build")), ("nothing", None)] {
            let refused = named(&course, asked);
            assert!(
                matches!(&refused, Err(CliError::UnknownUnit { nearest, .. }) if nearest.as_deref() == near),
                "{refused:?}"
            );
        }
    }

    #[test]
    fn ctrl_c_stops_the_work_first_and_leaves_next() {
        let work = Work::default();
        assert!(!work.stop());
        let token = work.begin();
        assert!(work.stop());
        assert!(token.is_cancelled());
        assert!(!work.stop());
        work.begin();
        work.end();
        assert!(!work.stop());
    }
}

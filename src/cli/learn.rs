//! `loadline learn`: the workshop, as screens, as lines, or without anyone to type.
#![expect(
    clippy::disallowed_methods,
    reason = "starts the learner's editor, reads what is typed, and prepares base images meanwhile"
)]

mod demonstration;

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
use crate::cli::error::UnknownId;
use crate::cli::interrupt;
use crate::cli::interrupt::Asks;
use crate::cli::output::Output;
use crate::cli::typed;
use crate::cli::typed::Typed;
use crate::cli::wiring;
use crate::course::Course;
use crate::plain;
use crate::plain::NotEdited;
use crate::plain::Teletype;
use crate::text::Clean;
use crate::text::io_cause;
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
    let course = Arc::new(wiring::course(&context.shared)?.for_learners());
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
    demonstration::run(&course, context.shared.course.as_deref(), output)
}

fn screens(course: &Arc<Course>, start: Start) -> Result<Exit, CliError> {
    let options = tui::Options::from_env(start);
    match tui::run(services(course)?, options) {
        Ok(Left::Quit) => Ok(Exit::Ok),
        Ok(Left::Terminated) => Ok(Exit::Interrupted),
        Err(error) => Err(CliError::Internal(format!(
            "the terminal cannot be used: {}",
            io_cause(&error)
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
                if work.hears(asks) {
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

/// What is being done, so that Ctrl-C stops that before it leaves the workshop.
#[derive(Debug, Clone, Default)]
struct Work {
    doing: Arc<Mutex<Doing>>,
    /// Whether the workshop is left once it has ended.
    last: CancellationToken,
}

/// What the workshop does right now.
#[derive(Debug, Default)]
enum Doing {
    /// It holds nothing of the person's: it begins, or its work was stopped.
    #[default]
    Nothing,
    /// A piece of work that can be stopped.
    Work(CancellationToken),
    /// It waits for an answer, or does what was answered until it asks again; whoever asked may
    /// hold what was typed before.
    Asking,
    /// The person's editor has the terminal: Ctrl-C is the editor's.
    Editing,
}

impl Work {
    fn begin(&self) -> CancellationToken {
        // Nothing new begins once the workshop is left.
        let token = self.last.child_token();
        *self.held() = Doing::Work(token.clone());
        token
    }

    fn ask(&self) {
        *self.held() = Doing::Asking;
    }

    fn edit(&self) {
        *self.held() = Doing::Editing;
    }

    fn is_last(&self) -> bool {
        self.last.is_cancelled()
    }

    /// Takes in a signal; says whether the workshop is to be left at once. Work is stopped, and a
    /// question, this one or the next, ends like the input: who asked puts away what it holds.
    fn hears(&self, asks: Asks) -> bool {
        if asks == Asks::End {
            self.last.cancel();
        }
        let mut held = self.held();
        match std::mem::take(&mut *held) {
            Doing::Work(token) => {
                token.cancel();
                false
            }
            Doing::Asking => {
                self.last.cancel();
                false
            }
            Doing::Editing => {
                *held = Doing::Editing;
                asks == Asks::End
            }
            Doing::Nothing => true,
        }
    }

    fn held(&self) -> MutexGuard<'_, Doing> {
        self.doing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is said of a line that cannot be read.
const NOT_UTF8: &str = "That line is not UTF-8, so nothing was done with it. Please type it without \
                        accents, or set this terminal to UTF-8.\n";

/// Someone at a keyboard, in front of lines.
struct Person {
    output: Output,
    work: Work,
}

impl Person {
    /// What is typed after the prompt; nothing at the end of the input, or of the workshop.
    async fn answer(&self, prompt: &str) -> Option<String> {
        if self.work.is_last() {
            return None;
        }
        loop {
            let _ = self.output.result(prompt);
            let typed = self.work.last.run_until_cancelled(typed::line()).await;
            match typed {
                Some(Typed::Line(line)) => return Some(line),
                Some(Typed::NotUtf8) => {
                    let _ = self.output.result(NOT_UTF8);
                }
                Some(Typed::End) => return None,
                None => {
                    // What is said next does not belong to the prompt.
                    let _ = self.output.result("\n");
                    return None;
                }
            }
        }
    }
}

#[async_trait]
impl Teletype for Person {
    fn say(&mut self, line: &str) {
        // Nobody reads any more: the next question ends the workshop.
        let _ = self.output.result(&format!("{line}\n"));
    }

    async fn ask(&mut self, prompt: &str) -> Option<String> {
        self.work.ask();
        self.answer(prompt).await
    }

    fn has_editor(&self) -> bool {
        editor().is_some()
    }

    async fn edit(&mut self, file: &Path) -> Result<(), NotEdited> {
        let command = editor().unwrap_or_default();
        let Some((program, args)) = command.split_first() else {
            let why = "Neither `VISUAL` nor `EDITOR` names an editor.";
            return Err(NotEdited::NoEditor(why.to_owned()));
        };
        self.work.edit();
        let ended = tokio::process::Command::new(program)
            .args(args)
            .arg(file)
            .status()
            .await;
        self.work.ask();
        let status = ended.map_err(|error| {
            NotEdited::NoEditor(format!(
                "`{}` does not start: {}.",
                Clean::line(program),
                io_cause(&error)
            ))
        })?;
        if status.success() {
            Ok(())
        } else {
            let why = format!("`{}` ended with {status}.", Clean::line(program));
            Err(NotEdited::Ended(why))
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
    let known = lessons.chain(exercises);
    Err(CliError::UnknownUnit(UnknownId::among(asked, known)))
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
                matches!(&refused, Err(CliError::UnknownUnit(id)) if id.nearest.as_deref() == near),
                "{refused:?}"
            );
        }
    }

    #[test]
    fn ctrl_c_stops_the_work_first_and_leaves_next() {
        let work = Work::default();
        assert!(
            work.hears(Asks::Stop),
            "nothing is done that could be stopped"
        );
        let token = work.begin();
        assert!(!work.hears(Asks::Stop));
        assert!(token.is_cancelled() && !work.is_last());
        assert!(work.hears(Asks::Stop));
    }

    #[test]
    fn a_question_that_ctrl_c_or_a_hangup_ends_is_the_last() {
        for asks in [Asks::Stop, Asks::End] {
            let work = Work::default();
            work.ask();
            assert!(!work.hears(asks), "who asked puts away what it holds");
            assert!(work.is_last());
            assert!(work.begin().is_cancelled(), "nothing new begins");
            assert!(!work.hears(asks));
            assert!(work.hears(asks), "it was said twice");
        }
    }

    #[test]
    fn in_the_editor_ctrl_c_is_the_editors_and_a_hangup_ours() {
        let work = Work::default();
        work.edit();
        for asks in [Asks::Stop, Asks::Stop, Asks::End] {
            assert_eq!(work.hears(asks), asks == Asks::End);
        }
    }
}

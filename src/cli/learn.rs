//! `loadline learn`: the workshop, as screens, as lines, or without anyone to type.
#![expect(
    clippy::disallowed_methods,
    reason = "starts the learner's editor, reads what is typed, and prepares base images meanwhile"
)]

use std::io::BufRead as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::attempt::Submission;
use crate::cli::CliError;
use crate::cli::Context;
use crate::cli::Exit;
use crate::cli::check;
use crate::cli::db;
use crate::cli::interrupt;
use crate::cli::interrupt::Interrupt;
use crate::cli::output::Output;
use crate::cli::wiring;
use crate::course::Course;
use crate::plain;
use crate::plain::Teletype;
use crate::report::lines;
use crate::text::Clean;
use crate::tui;
use crate::tui::Left;
use crate::tui::Start;
use crate::workshop::Services;

/// Open the workshop
///
/// On a terminal it opens as screens; with `--plain`, or where the terminal can only append lines,
/// as lines of text. Without anyone to type it checks the first exercise's worked answer as a
/// demonstration, and says how to open the workshop.
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

/// The exercise whose worked answer is checked where nobody can type.
const DEMONSTRATION: &str = "first-build";

/// Opens the workshop in the way that suits what it runs on.
pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let course = Arc::new(wiring::course(&context.shared)?);
    let output = context.output;
    if output.has_screen() {
        let start = args.at.clone().map_or(Start::Home, Start::Unit);
        return screens(&course, start);
    }
    // The variable says how, the flag also says that lines are wanted from whatever is piped in.
    if context.shared.plain_asked || output.has_keyboard() {
        return as_lines(&course, args.at.as_deref(), output);
    }
    demonstrate(&course, output)
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
            move || {
                if !work.stop() {
                    leave.cancel();
                }
            }
        })
        .map_err(CliError::Output)?;
        let (sender, bases) = mpsc::channel(64);
        let workshop = Arc::clone(&services.workshop);
        let cancel = leave.clone();
        tokio::spawn(async move { workshop.prepare_bases(Vec::new(), sender, cancel).await });
        let mut person = Person { output, work };
        let left = tokio::select! {
            () = plain::run(services, &mut person, bases, at) => Exit::Ok,
            () = leave.cancelled() => Exit::Interrupted,
        };
        leave.cancel();
        Ok(left)
    })
}

/// The piece of work that Ctrl-C stops before it leaves the workshop.
#[derive(Debug, Clone, Default)]
struct Work(Arc<Mutex<Option<CancellationToken>>>);

impl Work {
    fn begin(&self) -> CancellationToken {
        let token = CancellationToken::new();
        *self.held() = Some(token.clone());
        token
    }

    fn end(&self) {
        *self.held() = None;
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
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        let _ = self.output.result(prompt);
        let read = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            let count = std::io::stdin().lock().read_line(&mut line).ok()?;
            (count > 0).then_some(line)
        });
        read.await.ok().flatten()
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

/// Checks the worked answer of the first exercise, where nobody can type.
fn demonstrate(course: &Arc<Course>, output: Output) -> Result<Exit, CliError> {
    let exercise = check::find(course, DEMONSTRATION)?;
    let Some(files) = exercise.solved() else {
        return Err(CliError::Internal(format!(
            "the exercise `{DEMONSTRATION}` has no worked answer"
        )));
    };
    let file = |name: &str| {
        files
            .get(name)
            .map(|text| String::from_utf8_lossy(text).into_owned())
    };
    output.tell(&format!(
        "Nobody can type here, so this is a demonstration: the worked answer of `{DEMONSTRATION}` \
         is built and judged.\n\n{}\n",
        indented(&file("Dockerfile").unwrap_or_default())
    ));
    let exit = wiring::block_on(async {
        let interrupt = Interrupt::listen(output).map_err(CliError::Output)?;
        let submission = Submission::Files(files.clone());
        let place = Path::new(DEMONSTRATION);
        let with = check::With {
            no_cache: false,
            thorough: false,
            advisories: db::chosen(None),
        };
        let attempt =
            check::from_folder(course, exercise, submission, place, with, &interrupt).await?;
        let report = check::follow(attempt, output, &interrupt).await?;
        output.result(&lines::show(&report))?;
        Ok(Exit::of(report.outcome))
    })?;
    output.tell(
        "\nOpen the workshop in a terminal with `loadline`, or anywhere with `loadline --plain`.\n",
    );
    Ok(exit)
}

fn indented(text: &str) -> String {
    Clean::lines(text)
        .iter()
        .map(|line| format!("    {line}\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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

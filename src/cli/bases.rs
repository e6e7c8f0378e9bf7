//! `loadline bases`: which base images are there, and getting those that are not.

mod list;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use clap::Subcommand;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::bases::BaseError;
use crate::bases::Options;
use crate::bases::PackError;
use crate::bases::PackedImage;
use crate::bases::Progress;
use crate::bases::Service;
use crate::bases::resolve::Resolution;
use crate::cli::CliError;
use crate::cli::Context;
use crate::cli::Exit;
use crate::cli::input;
use crate::cli::interrupt::Interrupt;
use crate::cli::output::Output;
use crate::cli::progress::Live;
use crate::cli::wiring;
use crate::dockerfile::ImageName;
use crate::engine::EngineError;
use crate::text;
use crate::text::Clean;
use crate::text::plural;
use crate::units::show_duration;

/// List the base images that exercises build on, and make those that are missing
///
/// Where no registry answers, a base image is made here from Debian's packages. Such a stand-in
/// never takes the vendor's name: it is `loadline.local/NAME:TAG`, and it is always shown as one.
/// A pack carries base images to machines that have neither registry nor mirror.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  loadline bases
  loadline bases --json
  loadline bases build
  loadline bases build python:3.13-slim
  loadline bases export bases.pack
  loadline bases import bases.pack")]
pub(crate) struct Args {
    /// Print the list as JSON
    #[arg(long)]
    json: bool,
    /// What to do; without one, they are listed
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show which base images are there and which exercises need them
    #[command(after_help = "Examples:
  loadline bases list
  loadline bases list --json")]
    List {
        /// Print the list as JSON
        #[arg(long)]
        json: bool,
    },
    /// Make base images ready: as they are, from their registry, or built here
    #[command(after_help = "Examples:
  loadline bases build
  loadline bases build python:3.13-slim busybox
  loadline bases build --mirror http://mirror.example/debian")]
    Build {
        /// References as Dockerfiles name them; without one, all that the course needs
        #[arg(value_name = "REFERENCE")]
        references: Vec<String>,
        /// The Debian mirror to build from; without it, the one that this host's apt uses
        #[arg(long, value_name = "URL", value_parser = mirror)]
        mirror: Option<String>,
    },
    /// Bring the vendors' own images from their registries; nothing is built in their place
    #[command(after_help = "Examples:
  loadline bases pull python:3.13-slim
  loadline bases pull python:3.13 busybox")]
    Pull {
        /// References as Dockerfiles name them
        #[arg(value_name = "REFERENCE", required = true)]
        references: Vec<String>,
    },
    /// Write base images into a pack, one file for a machine that has no registry
    ///
    /// The file appears, or takes the place of an older one, when it is whole.
    #[command(after_help = "Examples:
  loadline bases export bases.pack
  loadline bases export small.pack busybox python:3.13-slim")]
    Export {
        /// The file to write
        file: PathBuf,
        /// References as Dockerfiles name them; without one, all base images that are here
        #[arg(value_name = "REFERENCE")]
        references: Vec<String>,
    },
    /// Load the base images of a pack; nothing of it is used before all of it was verified
    #[command(after_help = "Examples:
  loadline bases import bases.pack")]
    Import {
        /// The pack
        file: PathBuf,
    },
}

impl Args {
    /// Whether the list is asked for as JSON beside something else than the list.
    pub(crate) const fn is_json_of_nothing(&self) -> bool {
        self.json && !matches!(self.action, None | Some(Action::List { .. }))
    }
}

/// An address that apt can bring packages from.
fn mirror(text: &str) -> Result<String, String> {
    let known = ["http://", "https://", "file:/", "copy:/"];
    let address = known.iter().any(|scheme| text.starts_with(scheme));
    // What follows a blank in a list of sources is no address any more.
    if address && !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '[') {
        Ok(text.to_owned())
    } else {
        Err("a mirror is an address such as `http://mirror.example/debian`".to_owned())
    }
}

/// Lists base images, makes them, or carries them.
pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let needed = wiring::course(&context.shared)?.needed_bases();
    let list = Action::List { json: args.json };
    let action = match &args.action {
        // `bases --json list` is `bases list --json`.
        None | Some(Action::List { json: false }) => &list,
        Some(action) => action,
    };
    let mirror = match action {
        Action::Build { mirror, .. } => mirror.clone(),
        Action::List { .. }
        | Action::Pull { .. }
        | Action::Export { .. }
        | Action::Import { .. } => None,
    };
    let output = context.output;
    wiring::block_on(async {
        let interrupt = Interrupt::listen(output).map_err(CliError::Output)?;
        let options = Options {
            mirror,
            renews: true,
            ..Options::default()
        };
        let engine = interrupt.ends(wiring::engine_with(options)).await?;
        let (_, service) = engine.map_err(wiring::no_engine)?;
        let work = Work {
            service: &service,
            output,
            cancel: &interrupt.asked,
        };
        tokio::select! {
            biased;
            () = interrupt.forced.cancelled() => Err(CliError::Interrupted),
            done = work.act(action, &needed) => done,
        }
    })
}

/// What the work on base images is done with.
struct Work<'a> {
    service: &'a Service,
    output: Output,
    cancel: &'a CancellationToken,
}

/// How a reference is made ready.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// However it can be had.
    Anywhere,
    /// From its registry only.
    Registry,
}

impl Work<'_> {
    async fn act(
        &self,
        action: &Action,
        needed: &BTreeMap<String, Vec<String>>,
    ) -> Result<Exit, CliError> {
        match action {
            Action::List { json } => {
                let listed = self.service.list(needed).await;
                let listed = listed.map_err(|error| failed(&error))?;
                let text = if *json {
                    list::json(&listed)?
                } else {
                    list::table(&listed)
                };
                self.output.result(&text)?;
            }
            Action::Build { references, .. } if references.is_empty() => {
                let all: Vec<String> = needed.keys().cloned().collect();
                self.each(&self.service.in_order(&all), Source::Anywhere)
                    .await?;
            }
            Action::Build { references, .. } => {
                named(references)?;
                self.each(references, Source::Anywhere).await?;
            }
            Action::Pull { references } => {
                named(references)?;
                self.each(references, Source::Registry).await?;
            }
            Action::Export { file, references } => self.export(file, references, needed).await?,
            Action::Import { file } => self.import(file).await?,
        }
        Ok(Exit::Ok)
    }

    /// Makes each reference ready; goes on after one that cannot be had, and says why at the end, of
    /// each.
    async fn each(&self, references: &[String], from: Source) -> Result<(), CliError> {
        let mut failures = Vec::new();
        for reference in references {
            let shown = Clean::line(reference);
            let made = self.follow(&shown, |to| async {
                let cancel = self.cancel.clone();
                match from {
                    Source::Anywhere => self.service.ensure(reference, to, cancel).await,
                    Source::Registry => self.service.pull(reference, to, cancel).await,
                }
            });
            match made.await {
                Ok((ready, took)) => self.output.result(&format!(
                    "{shown} is ready{}{}\n",
                    if ready.stand_in {
                        " (a stand-in, made here)"
                    } else {
                        ""
                    },
                    long(took)
                ))?,
                Err(BaseError::Cancelled) => return Err(CliError::Interrupted),
                Err(error) => {
                    let here = self.service.resolve(std::slice::from_ref(reference)).await;
                    let stand_in =
                        here.is_ok_and(|here| here.values().any(Resolution::is_stand_in));
                    let state = match (&error, from) {
                        (BaseError::Kept { .. }, _) => "is kept as it was",
                        (_, Source::Registry) if stand_in => {
                            "was not brought; its stand-in stays in use"
                        }
                        _ => "is not ready",
                    };
                    self.output.result(&format!("{shown} {state}\n"))?;
                    failures.push(beside(stand_in, failed(&error)));
                }
            }
        }
        let Some(last) = failures.pop() else {
            return Ok(());
        };
        for failure in failures {
            self.output.tell(&failure.render(self.output.paint_err()));
        }
        Err(last)
    }

    /// Writes a pack.
    async fn export(
        &self,
        file: &Path,
        references: &[String],
        needed: &BTreeMap<String, Vec<String>>,
    ) -> Result<(), CliError> {
        let name = shown(file);
        let written = self.follow(&name, |to| {
            let cancel = self.cancel.clone();
            self.service.export(file, references, needed, to, cancel)
        });
        let (images, took) = written.await.map_err(|error| failed(&error))?;
        self.output.result(&format!(
            "{}{} in `{name}`{}\n",
            packed(&images),
            plural(images.len(), "base image"),
            long(took)
        ))
    }

    /// Loads a pack.
    async fn import(&self, file: &Path) -> Result<(), CliError> {
        if let Err(cause) = input::open(file)
            && cause.kind() == std::io::ErrorKind::InvalidInput
        {
            return Err(CliError::Unreadable {
                what: "the pack",
                path: file.to_owned(),
                cause,
            });
        }
        let name = shown(file);
        let loaded = self.follow(&name, |to| {
            self.service.import(file, to, self.cancel.clone())
        });
        let (images, took) = loaded.await.map_err(|error| failed(&error))?;
        self.output.result(&format!(
            "{}{} loaded{}\n",
            packed(&images),
            plural(images.len(), "base image"),
            long(took)
        ))
    }

    /// Does a piece of work, with what is being done on standard error, and says how long it took.
    async fn follow<T, Done>(
        &self,
        what: &Clean,
        work: impl FnOnce(mpsc::Sender<Progress>) -> Done,
    ) -> Result<(T, Duration), BaseError>
    where
        Done: Future<Output = Result<T, BaseError>>,
    {
        let mut live = Live::new(self.output);
        let (sender, mut receiver) = mpsc::channel::<Progress>(16);
        let follow = async {
            let mut phase = None;
            while let Some(progress) = receiver.recv().await {
                let doing = progress.phase.as_str();
                if phase != Some(progress.phase) {
                    phase = Some(progress.phase);
                    live.finished(&format!("{what}: {doing}"));
                }
                if let Some(quota) = &progress.quota {
                    live.finished(&format!("{what}: {quota}"));
                }
                if progress.total.0 > 0 {
                    live.now(&format!(
                        "{what}: {doing}, {} of {}",
                        progress.done, progress.total
                    ));
                }
            }
            live.clear();
            live.elapsed()
        };
        let (done, took) = tokio::join!(work(sender), follow);
        Ok((done?, took))
    }
}

/// Whether each of these can be the name of an image at all: no registry need be asked otherwise.
fn named(references: &[String]) -> Result<(), CliError> {
    for reference in references {
        ImageName::parse(reference).map_err(|why| CliError::Bases {
            exit: Exit::Usage,
            message: format!("`{}` is not the name of an image", Clean::line(reference)),
            causes: vec![why],
            next_step: Some(
                "Names look like `python:3.13-slim`; `loadline bases` lists some.".to_owned(),
            ),
        })?;
    }
    Ok(())
}

/// How long something took, where that is worth a word.
fn long(took: Duration) -> String {
    if took > Duration::from_secs(1) {
        format!(", {}", show_duration(took))
    } else {
        String::new()
    }
}

fn shown(file: &Path) -> Clean {
    Clean::line(&file.to_string_lossy())
}

/// The images of a pack, one per line.
fn packed(images: &[PackedImage]) -> String {
    let mut text = String::new();
    for image in images {
        let stand_in = if image.source == "registry" {
            ""
        } else {
            " (a stand-in)"
        };
        let _ = writeln!(text, "{}{stand_in}", Clean::line(&image.reference));
    }
    text
}

/// An error without the advice to make a stand-in, where one is here.
fn beside(stand_in: bool, error: CliError) -> CliError {
    match error {
        CliError::Bases {
            exit,
            message,
            causes,
            next_step: Some(step),
        } if stand_in && step.contains("makes a stand-in") => CliError::Bases {
            exit,
            message,
            causes,
            next_step: Some(
                "a pack from a machine that has the vendor's image brings it: `loadline bases \
                 import FILE`"
                    .to_owned(),
            ),
        },
        other => other,
    }
}

fn failed(error: &BaseError) -> CliError {
    let exit = match error {
        BaseError::Cancelled => return CliError::Interrupted,
        BaseError::Pack(PackError::Archive { .. }) => Exit::NoEngine,
        // The engine is in order: what was asked for is not there, or no pack.
        BaseError::Unknown { .. } | BaseError::NotInRegistry { .. } | BaseError::Pack(_) => {
            Exit::Usage
        }
        BaseError::Engine(error) if !matches!(error, EngineError::Registry { .. }) => {
            return CliError::Engine(error.clone());
        }
        BaseError::Catalogue(_)
        | BaseError::Architecture { .. }
        | BaseError::Apt(_)
        | BaseError::Unpack(_)
        | BaseError::Engine(_)
        | BaseError::Denied { .. }
        | BaseError::QuotaUsedUp { .. }
        | BaseError::NoRoom { .. }
        | BaseError::Kept { .. }
        | BaseError::DiskFull(_)
        | BaseError::File { .. } => Exit::NoEngine,
    };
    let mut causes = Vec::new();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        causes.push(text::cause(cause));
        source = cause.source();
    }
    CliError::Bases {
        exit,
        message: Clean::line(&error.to_string()).to_string(),
        causes,
        next_step: error.hint(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_its_next_step_and_says_whose_fault_it_is() {
        let unknown = BaseError::Unknown {
            reference: "nobody/has-this:1".to_owned(),
        };
        let error = failed(&unknown);
        assert_eq!(error.exit(), Exit::Usage);
        assert!(
            matches!(
                &error,
                CliError::Bases {
                    next_step: Some(_),
                    ..
                }
            ),
            "{error:?}"
        );
        let silent = BaseError::Engine(EngineError::Registry {
            registry: "registry.example".to_owned(),
            detail: Clean::line("no answer"),
        });
        assert_eq!(failed(&silent).exit(), Exit::NoEngine);
        let next = |stand_in| match beside(stand_in, failed(&silent)) {
            CliError::Bases { next_step, .. } => next_step.unwrap_or_default(),
            other => panic!("{other:?}"),
        };
        assert!(next(false).contains("makes a stand-in"));
        assert!(!next(true).contains("bases build"), "one is here");
        assert_eq!(failed(&BaseError::Cancelled).exit(), Exit::Interrupted);
    }

    #[test]
    fn what_cannot_name_an_image_is_a_mistake_of_the_command_line() {
        let named = |reference: &str| named(&[reference.to_owned()]);
        assert!(named("python:3.13-slim").is_ok());
        assert!(named("registry.example:5000/a/b@sha256:0").is_err());
        for wrong in ["", "Bad Ref!!", "a:b:c"] {
            let error = named(wrong).expect_err(wrong);
            assert_eq!(error.exit(), Exit::Usage);
        }
    }

    #[test]
    fn a_mirror_is_an_address_and_nothing_more() {
        assert!(mirror("http://mirror.example/debian").is_ok());
        assert!(mirror("file:/srv/debian").is_ok());
        for wrong in [
            "mirror.example",
            "",
            "http://a b",
            "http://a\n",
            "[x]http://a",
        ] {
            assert!(mirror(wrong).is_err(), "{wrong:?}");
        }
    }
}

//! `loadline db`: the advisories on this machine, and bringing new ones.

mod text;

use std::sync::Arc;

use clap::Subcommand;

use crate::advisories;
use crate::advisories::LOCATION;
use crate::advisories::Manifest;
use crate::advisories::Place;
use crate::advisories::Progress;
use crate::advisories::Shipped;
use crate::advisories::Store;
use crate::advisories::Update;
use crate::cli::CliError;
use crate::cli::Context;
use crate::cli::Exit;
use crate::cli::interrupt::Interrupt;
use crate::cli::output::Output;
use crate::cli::progress::Live;
use crate::cli::wiring;
use crate::finding::Ecosystem;
use crate::finding::matching::Advisories;
use crate::goal::Known;
use crate::learner::Home;
use crate::workshop::advice;

/// Show the advisories that scans use, and bring new ones
///
/// A small snapshot of the course's own packages comes with the program. `update` brings all
/// advisories of the ecosystems that you name, from their public location, from a mirror or from a
/// folder. Each update is a snapshot of its own with an id made of its content: whoever uses the
/// same id gets the same findings.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  loadline db
  loadline db update --ecosystems debian,pypi
  loadline db update --from https://mirror.example/osv
  loadline db update --from /media/stick/osv
  loadline db list
  loadline db use 3f2a91c0")]
pub(crate) struct Args {
    /// What to do; without one, the status is shown
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show which advisories scans use, and how old they are
    #[command(after_help = "Examples:
  loadline db status
  loadline db status --json")]
    Status {
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Fetch advisories and make them the ones that scans use
    ///
    /// What has come is kept when it is interrupted, and what has not changed is not fetched again.
    /// Until the last moment the snapshot in use stays as it is.
    #[command(after_help = "Examples:
  loadline db update
  loadline db update --ecosystems debian,alpine,pypi
  loadline db update --from https://mirror.example/osv
  loadline db update --from ~/.cache/osv-scanner")]
    Update {
        /// Where from: an address or a folder with `<ECOSYSTEM>/all.zip` below it
        #[arg(long, value_name = "URL|FOLDER", default_value = LOCATION)]
        from: String,
        /// Which ecosystems; without it, those that the current snapshot has, or else all
        #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = ecosystem)]
        ecosystems: Vec<Ecosystem>,
    },
    /// List the snapshots that are here
    #[command(after_help = "Examples:
  loadline db list
  loadline db list --json")]
    List {
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Make another snapshot the one that scans use
    #[command(after_help = "Examples:
  loadline db use 3f2a91c0
  loadline db use shipped")]
    Use {
        /// Its id, or as much of it as is needed
        id: String,
    },
    /// Remove snapshots
    #[command(after_help = "Examples:
  loadline db remove 3f2a91c0")]
    Remove {
        /// Their ids, or as much of each as is needed
        #[arg(required = true)]
        ids: Vec<String>,
    },
}

/// An ecosystem by its name.
fn ecosystem(word: &str) -> Result<Ecosystem, String> {
    Ecosystem::of_word(word).ok_or_else(|| {
        let names: Vec<String> = Ecosystem::ALL.iter().map(ToString::to_string).collect();
        format!(
            "there is no ecosystem `{word}`; known are {}",
            names.join(", ")
        )
    })
}

/// Where snapshots are kept: beside the learner's files.
fn store() -> Result<Store, CliError> {
    Home::find()
        .map(|home| advice::store(&home))
        .map_err(CliError::NoHome)
}

/// The advisories that a verb uses: those that `--db` names, or the current ones. Without a home
/// there is no snapshot but the shipped one.
///
/// # Errors
/// When what was asked for is not here, or the current ones are damaged.
pub(crate) fn chosen(pinned: Option<&str>) -> Result<Arc<dyn Advisories>, CliError> {
    Ok(advice::advisories(Home::find().ok().as_ref(), pinned)?)
}

/// The same as evidence for goals, of which few ask for it: what was not asked for by its name and
/// cannot be had stops none of the others.
///
/// # Errors
/// When what was asked for is not here.
pub(crate) fn for_goals(pinned: Option<&str>) -> Result<Known<Arc<dyn Advisories>>, CliError> {
    match pinned {
        Some(_) => chosen(pinned).map(Ok),
        None => Ok(advice::known(Home::find().ok().as_ref())),
    }
}

/// Does what was asked.
pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let output = context.output;
    let store = store()?;
    match args.action.as_ref() {
        None => status(&store, false, output),
        Some(Action::Status { json }) => status(&store, *json, output),
        Some(Action::Update { from, ecosystems }) => {
            let asked = Update {
                place: Place::of(from)?,
                ecosystems: ecosystems.clone(),
            };
            update(store, asked, output)
        }
        Some(Action::List { json }) => list(&store, *json, output),
        Some(Action::Use { id }) => {
            let id = store.switch(id)?;
            output.tell(&format!("scans use the snapshot {id} now\n"));
            Ok(Exit::Ok)
        }
        Some(Action::Remove { ids }) => {
            for id in ids {
                let id = store.remove(id)?;
                output.tell(&format!("removed the snapshot {id}\n"));
            }
            Ok(Exit::Ok)
        }
    }
}

fn status(store: &Store, json: bool, output: Output) -> Result<Exit, CliError> {
    let current = store.current()?;
    let manifest = current.as_ref().map(|snapshot| snapshot.manifest());
    let shipped = Shipped::get();
    let text = if json {
        text::status_json(manifest, &shipped)?
    } else {
        text::status(manifest, &shipped)
    };
    output.result(&text)?;
    Ok(Exit::Ok)
}

fn list(store: &Store, json: bool, output: Output) -> Result<Exit, CliError> {
    let current = store.current_id()?;
    let all = store.list()?;
    let shipped = Shipped::get();
    let text = if json {
        text::list_json(&all, current.as_deref(), &shipped)?
    } else {
        text::list(&all, current.as_deref(), &shipped)
    };
    output.result(&text)?;
    Ok(Exit::Ok)
}

/// Updates, with the progress on standard error.
fn update(store: Store, asked: Update, output: Output) -> Result<Exit, CliError> {
    let manifest: Manifest = wiring::block_on(async {
        let interrupt = Interrupt::listen(output).map_err(CliError::Output)?;
        let cancel = interrupt.asked.clone();
        let work = wiring::blocking(move || {
            let mut live = Live::new(output);
            let done =
                advisories::update(&store, &asked, &cancel, &mut |progress| match progress {
                    Progress::Fetching { .. } | Progress::Importing { .. } => {
                        live.now(&text::progress(&progress));
                    }
                    Progress::Done { .. } => live.finished(&text::progress(&progress)),
                });
            live.clear();
            done
        });
        tokio::select! {
            biased;
            () = interrupt.forced.cancelled() => Err(CliError::Interrupted),
            done = work => Ok(done??),
        }
    })?;
    output.result(&text::updated(&manifest))?;
    Ok(Exit::Ok)
}

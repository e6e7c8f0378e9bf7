//! `loadline clean`: removes what Loadline made on the engine, and nothing else.

mod plan;
mod show;

use plan::Item;
use plan::Plan;
use plan::Wanted;
use show::Fate;

use crate::cli::CliError;
use crate::cli::Context;
use crate::cli::Exit;
use crate::cli::wiring;
use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::LABEL;

/// Remove what Loadline made for you on your engine, and nothing else
///
/// Shows first what would go and how much it is: the images of your attempts, what a crash left
/// behind, and what was made without a home. What others made on an engine that you share is listed
/// and stays, unless you say `--all`. What is not yours and may be being judged right now is left
/// alone. Your files and your progress stay. Base images stay too, unless you say `--bases`: making them
/// again takes minutes.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  loadline clean --dry-run
  loadline clean
  loadline clean --all --bases
  loadline clean --dry-run --json")]
pub(crate) struct Args {
    /// Only show what would be removed
    #[arg(long)]
    dry_run: bool,
    /// Remove what other homes made on this engine, too
    #[arg(long)]
    all: bool,
    /// Remove the base images that were made here, too
    #[arg(long)]
    bases: bool,
    /// Print what was or would be removed, and what stays, as JSON
    #[arg(long)]
    json: bool,
}

/// Shows what goes, and removes it.
pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let output = context.output;
    wiring::block_on(async {
        let (docker, _) = wiring::engine().await.map_err(wiring::no_engine)?;
        let leftovers = docker.leftovers().await?;
        let images = docker.images(Some(LABEL)).await?;
        let home = wiring::home_id()?;
        let images = plan::done_with(images, home.as_deref(), |maker| {
            docker.is_maker_alive(maker)
        });
        let wanted = Wanted {
            all: args.all,
            bases: args.bases,
        };
        let plan = Plan::choose(leftovers, &images, home.as_deref(), wanted);
        if !args.json {
            output.result(&show::text(&plan))?;
        }
        let mut fates = Vec::new();
        for item in &plan.go {
            fates.push(if args.dry_run {
                Fate::WouldGo
            } else {
                match remove(docker.as_ref(), item).await {
                    Ok(()) => Fate::Removed,
                    Err(error) => Fate::Failed(error.to_string()),
                }
            });
        }
        let failures = show::failures(&plan, &fates);
        let failed = !failures.is_empty();
        if args.json {
            output.result(&show::json(&plan, fates)?)?;
        } else if !args.dry_run && !plan.go.is_empty() {
            let removed = fates.iter().filter(|fate| **fate == Fate::Removed).count();
            output.tell(&failures);
            output.result(&show::count(removed))?;
        }
        Ok(if failed { Exit::NotMet } else { Exit::Ok })
    })
}

async fn remove(engine: &dyn Engine, item: &Item) -> Result<(), EngineError> {
    match item {
        Item::Leftover(leftover, _) => engine.remove_leftover(leftover).await,
        Item::Image { reference, .. } => engine.remove_image(reference).await,
    }
}

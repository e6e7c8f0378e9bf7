//! `loadline layers`: what each layer of an image ships, and what of it is dead.

mod error;
mod json;
mod rules;
mod show;

use std::path::PathBuf;

pub(crate) use error::LayersError;

use crate::cli::CliError;
use crate::cli::Context;
use crate::cli::Exit;
use crate::cli::interrupt::Interrupt;
use crate::cli::target::Target;
use crate::cli::wiring;
use crate::image::Contents;
use crate::image::archive::Options;
use crate::image::changes;
use crate::image::changes::Touched;
use crate::image::dead::Ledger;
use crate::image::efficiency::DiveFigures;

/// Show what each layer of an image ships, and which of those bytes are dead
///
/// Dead bytes are shipped and never seen: files that a later layer deletes, overwrites or hides.
/// Each is shown with the instruction that shipped it and the one that hid it.
///
/// IMAGE is an image of your engine, an archive as `docker save` or `podman save` writes it
/// (compressed or not), the folder of an OCI layout, or `-` for an archive on standard input.
///
/// With `--ci` the rules of a `.dive-ci` file are checked, by the formula that they were written
/// for; the exit code is 1 where one fails.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  loadline layers python:3.13
  docker save app | loadline layers -
  loadline layers app.tar --json | jq '.dead[:5]'
  loadline layers app:latest --ci .dive-ci")]
pub(crate) struct Args {
    /// An image, an archive, an OCI layout's folder, or `-`
    #[arg(value_name = "IMAGE", required_unless_present = "ci")]
    image: Option<String>,
    /// Print all of it as JSON
    #[arg(long)]
    json: bool,
    /// List what one layer adds, changes and removes; counted from 0 at the bottom
    #[arg(long, value_name = "LAYER", conflicts_with = "json")]
    layer: Option<usize>,
    /// Check rules, those of `.dive-ci` where no file is named, and fail where one is broken
    #[arg(long, value_name = "RULES", num_args = 0..=1, default_missing_value = "")]
    ci: Option<String>,
    /// A rule in place of the file's: the lowest efficiency, from 0 to 1
    #[arg(long = "lowestEfficiency", value_name = "SHARE", requires = "ci")]
    lowest_efficiency: Option<String>,
    /// A rule in place of the file's: the most wasted bytes, such as `20MB`
    #[arg(long = "highestWastedBytes", value_name = "SIZE", requires = "ci")]
    highest_wasted_bytes: Option<String>,
    /// A rule in place of the file's: the largest wasted share of your own layers, from 0 to 1
    #[arg(
        long = "highestUserWastedPercent",
        value_name = "SHARE",
        requires = "ci"
    )]
    highest_user_wasted_percent: Option<String>,
    /// Read every layer anew, and remember none of them
    #[arg(long)]
    no_cache: bool,
}

impl Args {
    /// The image and the rule file: `--ci IMAGE` leaves out the file, not the image.
    fn words(&self) -> (Option<&str>, Option<&str>) {
        let file = self.ci.as_deref().filter(|file| !file.is_empty());
        match (self.image.as_deref(), file) {
            (None, image) => (image, None),
            (image, file) => (image, file),
        }
    }

    fn rules(&self, file: Option<&str>) -> Result<Option<rules::Rules>, CliError> {
        if self.ci.is_none() {
            return Ok(None);
        }
        let mut rules = rules::Rules::read(file.map(PathBuf::from))?;
        let flags = [
            ("lowestEfficiency", &self.lowest_efficiency),
            ("highestWastedBytes", &self.highest_wasted_bytes),
            (
                "highestUserWastedPercent",
                &self.highest_user_wasted_percent,
            ),
        ];
        for (name, value) in flags {
            if let Some(value) = value {
                rules.set(name, value, &format!("--{name}"))?;
            }
        }
        Ok(Some(rules))
    }
}

/// All that is known of an image's layers.
struct Findings<'a> {
    name: &'a str,
    contents: &'a Contents,
    ledger: Ledger,
    /// What each layer does, where it is asked for.
    changes: Vec<Vec<Touched<'a>>>,
    dive: DiveFigures,
    /// What the rules say, where they were asked for.
    checks: Option<Vec<rules::Check>>,
}

impl Findings<'_> {
    fn passed(&self) -> bool {
        let mut checks = self.checks.iter().flatten();
        !checks.any(|check| check.status == rules::Status::Fail)
    }
}

/// Works out two things at the same time: of a large image each of them is felt.
fn beside<A: Send, B>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B) -> (A, B) {
    std::thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        let one = one.join();
        (
            one.unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            other,
        )
    })
}

/// Reads the image and prints what was asked for.
pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let output = context.output;
    let (image, file) = args.words();
    let Some(image) = image else {
        return Err(LayersError::NoImage.into());
    };
    // Rules that cannot be used are told before a large image is read.
    let rules = args.rules(file)?;
    let contents = wiring::block_on(async {
        let interrupt = Interrupt::listen(output).map_err(CliError::Output)?;
        let facts = if args.no_cache { None } else { wiring::facts() };
        let options = Options {
            facts,
            ..Options::default()
        };
        Target::of(image).read(options, &interrupt).await
    })?;
    let (dive, (ledger, changes)) = beside(
        || DiveFigures::of(&contents),
        || {
            let ledger = Ledger::of(&contents);
            let wanted = args.json || args.layer.is_some();
            let changes = wanted.then(|| changes::changes(&contents, &ledger));
            (ledger, changes.unwrap_or_default())
        },
    );
    let findings = Findings {
        name: image,
        contents: &contents,
        changes,
        ledger,
        dive,
        checks: rules.map(|rules| rules.check(&dive)),
    };
    let text = match args.layer {
        _ if args.json => json::all(&findings)?,
        Some(layer) => show::layer(&findings, layer)?,
        None => show::all(&findings, output.paint()),
    };
    output.result(&text)?;
    if findings.passed() {
        Ok(Exit::Ok)
    } else {
        Ok(Exit::NotMet)
    }
}

//! `loadline scan`: which known vulnerabilities the packages of an image have.

mod json;
mod text;

use std::collections::BTreeSet;

use clap::builder::PossibleValue;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser;
pub(crate) use json::finding as finding_json;
pub(crate) use json::verdict;
pub(crate) use text::SHIPPED_COVERS;
pub(crate) use text::doubt;

use crate::cli::CliError;
use crate::cli::Context;
use crate::cli::Exit;
use crate::cli::db;
use crate::cli::interrupt::Interrupt;
use crate::cli::target::Target;
use crate::cli::wiring;
use crate::finding::Ecosystem;
use crate::finding::Finding;
use crate::finding::Scan;
use crate::finding::Severity;
use crate::finding::matching;
use crate::image::Contents;
use crate::image::package::Inventory;
use crate::image::package::PackageKind;
use crate::image::package::inventory;
use crate::scan;
use crate::scan::Scanner;

/// Loadline's own scan, by its name.
const OWN: &str = "loadline";

/// Find the known vulnerabilities of an image's packages
///
/// The image is read in one pass, its packages are compared with the advisories that are on this
/// machine, and nothing is sent anywhere. Where something in the image hides what it was made of,
/// the scan says so: no finding never means no vulnerability there.
///
/// With `--engine` a scanner that you have installed does it in place of loadline. It gets the image
/// as a file (an archive itself, or a copy of an engine's image) and an environment without your
/// tokens.
///
/// The exit code is 0 whatever is found, unless `--fail-on` is given.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  loadline scan python:3.13-slim
  loadline scan image.tar --fixable --severity critical,high
  loadline scan my-app --engine trivy
  loadline scan my-app --fixable --fail-on high
  loadline scan my-app --json | jq '.counts'")]
pub(crate) struct Args {
    /// An image, an archive, an OCI layout's folder, or `-`
    #[arg(value_name = "IMAGE|ARCHIVE")]
    image: String,
    /// Who scans
    #[arg(long, value_name = "ENGINE", default_value = OWN, value_parser = engines())]
    engine: Engine,
    /// Only findings that are so bad
    #[arg(long, value_name = "SEVERITIES", value_delimiter = ',')]
    severity: Vec<Severity>,
    /// Only findings that an upgrade closes
    #[arg(long)]
    fixable: bool,
    /// The least severity that makes the exit code 1, of what is shown; 6 where there is none and
    /// something in the image may hide one
    #[arg(long, value_name = "SEVERITY")]
    fail_on: Option<Severity>,
    /// List every finding, and not only the worst
    #[arg(long)]
    all: bool,
    /// A snapshot of advisories by its id, in place of the current one; `shipped` is a name too
    #[arg(long, value_name = "ID")]
    db: Option<String>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Who scans: a scanner that is installed, or loadline itself.
#[derive(Debug, Clone, Copy)]
struct Engine(Option<Scanner>);

/// Reads who scans by its name.
fn engines() -> impl TypedValueParser<Value = Engine> {
    let own = PossibleValue::new(OWN).help("Loadline itself");
    let installed =
        Scanner::ALL.map(|scanner| PossibleValue::new(scanner.name()).help(scanner.title()));
    let names = PossibleValuesParser::new(std::iter::once(own).chain(installed));
    names.map(|name| {
        let mut scanners = Scanner::ALL.into_iter();
        Engine(scanners.find(|scanner| scanner.name() == name))
    })
}

/// An image that was scanned.
#[derive(Debug)]
pub(crate) struct Scanned {
    /// As it was asked for.
    pub(crate) name: String,
    /// What is in it.
    pub(crate) contents: Contents,
    /// Its packages.
    pub(crate) inventory: Inventory,
    /// The findings.
    pub(crate) scan: Scan,
}

/// What of a scan is shown.
#[derive(Debug, Clone, Default)]
struct Shown {
    severities: Vec<Severity>,
    fixable: bool,
    all: bool,
}

impl Shown {
    fn has(&self, finding: &Finding) -> bool {
        (self.severities.is_empty() || self.severities.contains(&finding.severity))
            && (!self.fixable || finding.fixed.is_some())
    }
}

/// Scans and prints.
pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let output = context.output;
    let shown = Shown {
        severities: args.severity.clone(),
        fixable: args.fixable,
        all: args.all,
    };
    let (scanned, others) = wiring::block_on(async {
        let interrupt = Interrupt::listen(output).map_err(CliError::Output)?;
        let scanned = match args.engine.0 {
            None => own(&args.image, args.db.as_deref(), &interrupt).await,
            Some(scanner) => with(scanner, &args.image, &interrupt).await,
        }?;
        let others = match args.engine {
            Engine(None) if !args.json => others(&scanned.inventory, &interrupt).await,
            Engine(_) => Vec::new(),
        };
        Ok((scanned, others))
    })?;
    let text = if args.json {
        json::show(&scanned, &shown)?
    } else {
        text::show(&scanned, &shown, &others, output.paint())
    };
    output.result(&text)?;
    Ok(exit(&scanned.scan, &shown, args.fail_on))
}

/// What a script is told: nothing by default, for a scan that was made did what it was asked.
fn exit(scan: &Scan, shown: &Shown, fail_on: Option<Severity>) -> Exit {
    let Some(least) = fail_on else {
        return Exit::Ok;
    };
    let mut findings = scan.findings.iter().filter(|finding| shown.has(finding));
    if findings.any(|finding| finding.severity >= least) {
        Exit::NotMet
    } else if scan.is_blind() {
        Exit::NotJudged
    } else {
        Exit::Ok
    }
}

/// Scans with loadline's own matching.
///
/// # Errors
/// When the image or the advisories cannot be read.
pub(crate) async fn own(
    image: &str,
    pinned: Option<&str>,
    interrupt: &Interrupt,
) -> Result<Scanned, CliError> {
    let advisories = db::chosen(pinned)?;
    let contents = Target::of(image)
        .read(wiring::with_packages(), interrupt)
        .await?;
    let inventory = inventory(&contents);
    let scan = matching::scan(&inventory, advisories.as_ref())?;
    Ok(Scanned {
        name: image.to_owned(),
        contents,
        inventory,
        scan,
    })
}

/// The scanners that are here and compare what loadline cannot; none are asked where there is
/// nothing of that kind.
async fn others(inventory: &Inventory, interrupt: &Interrupt) -> Vec<Scanner> {
    let kinds: BTreeSet<PackageKind> = inventory
        .packages
        .iter()
        .map(|package| package.kind)
        .filter(|kind| !Ecosystem::is_read(*kind))
        .collect();
    if kinds.is_empty() {
        return Vec::new();
    }
    let here = scan::installed(&interrupt.asked).await;
    here.into_iter()
        .filter(|(_, installed)| installed.refused.is_none())
        .map(|(scanner, _)| scanner)
        .filter(|scanner| kinds.iter().all(|kind| scanner.compares(*kind)))
        .collect()
}

/// Scans with a scanner that is installed.
async fn with(scanner: Scanner, image: &str, interrupt: &Interrupt) -> Result<Scanned, CliError> {
    // Before an image is copied for one that is not here.
    scan::place(scanner)?;
    let (archive, _kept) = Target::of(image).on_disk(interrupt).await?;
    let contents = Target::Archive(archive.clone())
        .read(wiring::with_packages(), interrupt)
        .await?;
    let inventory = inventory(&contents);
    let layers = contents.layers.iter();
    let known = scan::Image {
        layers: layers.map(|layer| layer.diff_id.clone()).collect(),
        inventory: &inventory,
    };
    let scan = scan::scan(scanner, &archive, &known, &interrupt.asked).await?;
    Ok(Scanned {
        name: image.to_owned(),
        contents,
        inventory,
        scan,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::package::Package;
    use crate::image::package::PackageKind;

    fn finding(severity: Severity, fixed: bool) -> Finding {
        Finding {
            id: String::from("CVE-2026-1"),
            aliases: Vec::new(),
            package: Package {
                kind: PackageKind::Python,
                name: String::from("a"),
                version: String::from("1"),
                source: None,
                architecture: None,
                licences: Vec::new(),
                layer: 0,
                path: String::new(),
            },
            also: Vec::new(),
            fixed: fixed.then(|| String::from("2")),
            severity,
            summary: String::new(),
        }
    }

    #[test]
    fn a_script_is_told_of_what_is_grave_enough_and_of_what_nobody_can_know() {
        let found = Scan {
            packages: 1,
            findings: vec![
                finding(Severity::High, false),
                finding(Severity::Medium, true),
            ],
            ..Scan::default()
        };
        let all = Shown::default();
        let fixable = Shown {
            fixable: true,
            ..Shown::default()
        };
        assert_eq!(exit(&found, &all, None), Exit::Ok);
        assert_eq!(exit(&found, &all, Some(Severity::High)), Exit::NotMet);
        assert_eq!(exit(&found, &all, Some(Severity::Critical)), Exit::Ok);
        assert_eq!(exit(&found, &fixable, Some(Severity::High)), Exit::Ok);
        assert_eq!(exit(&found, &fixable, Some(Severity::Low)), Exit::NotMet);
        // Nothing found is no good news where something could hide.
        let blind = Scan {
            passed_over: 1,
            ..found
        };
        assert_eq!(exit(&blind, &all, Some(Severity::High)), Exit::NotMet);
        assert_eq!(
            exit(&blind, &all, Some(Severity::Critical)),
            Exit::NotJudged
        );
        assert_eq!(exit(&blind, &all, None), Exit::Ok);
    }
}

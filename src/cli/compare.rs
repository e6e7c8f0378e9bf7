//! `loadline compare`: what changed from one image to another.

mod text;

use std::collections::BTreeMap;

use serde_json::json;

use crate::cli::CliError;
use crate::cli::Context;
use crate::cli::Exit;
use crate::cli::interrupt::Interrupt;
use crate::cli::output;
use crate::cli::scan::Scanned;
use crate::cli::scan::finding_json;
use crate::cli::scan::own;
use crate::cli::scan::verdict;
use crate::cli::wiring;
use crate::finding::group;
use crate::finding::group::Change;
use crate::image::package::Package;
use crate::image::package::PackageKind;

/// Compare two images: size, packages, known vulnerabilities
///
/// Each is an image of the engine, an archive or the folder of an OCI layout. Both are compared with
/// the same advisories.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  loadline compare python:3.13 my-app
  loadline compare before.tar after.tar --json | jq '.findings.gone[].id'")]
pub(crate) struct Args {
    /// The image before
    #[arg(value_name = "BEFORE")]
    before: String,
    /// The image after
    #[arg(value_name = "AFTER")]
    after: String,
    /// List all that went and came, and not only the first
    #[arg(long)]
    all: bool,
    /// A snapshot of advisories by its id, in place of the current one; `shipped` is a name too
    #[arg(long, value_name = "ID")]
    db: Option<String>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// What became of the packages of an image in another one.
#[derive(Debug, Default)]
struct Packages<'a> {
    gone: Vec<&'a Package>,
    came: Vec<&'a Package>,
    /// The same package in another version: before and after.
    changed: Vec<(&'a Package, &'a Package)>,
    kept: usize,
}

/// Reads both images, compares and prints.
pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    if args.before == "-" && args.after == "-" {
        return Err(CliError::InputTwice);
    }
    let output = context.output;
    let (before, after) = wiring::block_on(async {
        let interrupt = Interrupt::listen(output).map_err(CliError::Output)?;
        let pinned = args.db.as_deref();
        let before = own(&args.before, pinned, &interrupt).await?;
        let after = own(&args.after, pinned, &interrupt).await?;
        Ok((before, after))
    })?;
    let text = if args.json {
        json(&before, &after)?
    } else {
        text::show(&before, &after, args.all, output.paint())
    };
    output.result(&text)?;
    Ok(Exit::Ok)
}

/// Compares the packages. A package that is installed more than once is compared by its versions.
fn packages<'a>(before: &'a [Package], after: &'a [Package]) -> Packages<'a> {
    let (was, is) = (by_name(before), by_name(after));
    let mut change = Packages::default();
    for (name, old) in &was {
        let Some(new) = is.get(name) else {
            change.gone.extend(old);
            continue;
        };
        let went: Vec<&Package> = missing(old, new);
        let came: Vec<&Package> = missing(new, old);
        change.kept += old.len() - went.len();
        if let ([one], [other]) = (went.as_slice(), came.as_slice()) {
            change.changed.push((one, other));
        } else {
            change.gone.extend(went);
            change.came.extend(came);
        }
    }
    let new = is.iter().filter(|(name, _)| !was.contains_key(*name));
    change.came.extend(new.flat_map(|(_, packages)| packages));
    change
}

fn by_name(packages: &[Package]) -> BTreeMap<(PackageKind, &str), Vec<&Package>> {
    let mut names: BTreeMap<(PackageKind, &str), Vec<&Package>> = BTreeMap::new();
    for package in packages {
        let list = names.entry((package.kind, &package.name)).or_default();
        // The same version in two places is one package here.
        if list.iter().all(|one| one.version != package.version) {
            list.push(package);
        }
    }
    names
}

/// Those of `list` whose version is not among `others`.
fn missing<'a>(list: &[&'a Package], others: &[&Package]) -> Vec<&'a Package> {
    list.iter()
        .filter(|one| others.iter().all(|other| other.version != one.version))
        .copied()
        .collect()
}

/// `loadline.compare/v1`.
/// The day of the advisories: each image was compared with those of its own ecosystems, and the
/// older ones say how much is known of both.
fn day<'s>(before: &'s Scanned, after: &'s Scanned) -> &'s str {
    let days = [&before.scan.database_date, &after.scan.database_date];
    days.into_iter().min().map_or("", String::as_str)
}

fn json(before: &Scanned, after: &Scanned) -> Result<String, CliError> {
    let packages = packages(&before.inventory.packages, &after.inventory.packages);
    let change: Change<'_> = group::change(&before.scan.findings, &after.scan.findings);
    let side = |one: &Scanned| {
        json!({
            "image": one.name,
            "shipped_bytes": one.contents.shipped(),
            "layers": one.contents.layers.len(),
            "packages": one.inventory.packages.len(),
            "counts": one.scan.counts(),
            "verdict": verdict(&one.scan),
            "gaps": one.scan.gaps,
            "uncovered": one.scan.uncovered,
        })
    };
    let named = |list: &[&Package]| -> Vec<serde_json::Value> {
        list.iter()
            .map(|one| json!({ "kind": one.kind, "name": one.name, "version": one.version }))
            .collect()
    };
    let changed: Vec<serde_json::Value> = packages
        .changed
        .iter()
        .map(|(old, new)| {
            json!({ "kind": old.kind, "name": old.name, "before": old.version, "after": new.version })
        })
        .collect();
    let result = json!({
        "schema": "loadline.compare/v1",
        "engine": after.scan.engine,
        "database": {
            "id": after.scan.database,
            "date": day(before, after),
            "shipped": after.scan.shipped,
        },
        "before": side(before),
        "after": side(after),
        "packages": {
            "gone": named(&packages.gone),
            "came": named(&packages.came),
            "changed": changed,
            "kept": packages.kept,
        },
        "findings": {
            "gone": change.gone.iter().map(|one| finding_json(one)).collect::<Vec<_>>(),
            "came": change.came.iter().map(|one| finding_json(one)).collect::<Vec<_>>(),
            "kept": change.kept,
        },
    });
    output::json(&result)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, version: &str) -> Package {
        Package {
            kind: PackageKind::Deb,
            name: name.to_owned(),
            version: version.to_owned(),
            source: None,
            architecture: None,
            licences: Vec::new(),
            layer: 0,
            path: String::new(),
        }
    }

    #[test]
    fn packages_go_come_change_or_stay() {
        let before = [
            package("a", "1"),
            package("b", "1"),
            package("c", "1"),
            package("d", "1"),
            package("d", "2"),
        ];
        let after = [
            package("b", "1"),
            package("c", "2"),
            package("d", "2"),
            package("e", "1"),
        ];
        let change = packages(&before, &after);
        let names = |list: &[&Package]| -> Vec<String> {
            list.iter()
                .map(|one| format!("{} {}", one.name, one.version))
                .collect()
        };
        assert_eq!(names(&change.gone), ["a 1", "d 1"]);
        assert_eq!(names(&change.came), ["e 1"]);
        assert_eq!(change.changed.len(), 1);
        assert_eq!(change.changed[0].1.version, "2");
        assert_eq!(change.kept, 2);
    }
}

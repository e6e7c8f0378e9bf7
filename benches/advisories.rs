//! Advisories at real size: the import of three public archives, and an image of 500 packages
//! against them, loading from disk included. Needs the archives: `../shared/data/osv`.
//!
//! `cargo bench --bench advisories` prints one line per figure with its budget, and fails where a
//! budget is missed.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a bench acts, prints its figures and stops where it cannot measure"
)]

use std::io::Read as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use loadline::advisories;
use loadline::advisories::Place;
use loadline::advisories::Store;
use loadline::advisories::Update;
use loadline::finding::Scan;
use loadline::finding::matching;
use loadline::finding::osv;
use loadline::finding::osv::Record;
use loadline::image::package::Inventory;
use loadline::image::package::Package;
use loadline::image::package::PackageKind;
use tokio_util::sync::CancellationToken;

/// Rounds of each figure; the median counts.
const ROUNDS: usize = 5;

/// Packages of the image.
const PACKAGES: usize = 500;

fn archives() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .skip(1)
        .map(|above| above.join("shared/data/osv"))
        .find(|folder| folder.is_dir())
        .expect("the public archives are at ../shared/data/osv, beside the repository")
}

/// An image of packages that the advisories speak of, spread over all of them, with a version that
/// each has.
fn image(folder: &Path) -> Inventory {
    let mut all: Vec<Package> = Vec::new();
    for (archive, kind) in [
        ("PyPI", PackageKind::Python),
        ("Go", PackageKind::Go),
        ("Rust", PackageKind::Rust),
    ] {
        let file = std::fs::File::open(folder.join(archive).join("all.zip")).expect("it is there");
        let mut archive = zip::ZipArchive::new(file).expect("it is an archive");
        for at in 0..archive.len() {
            let mut json = Vec::new();
            let mut entry = archive.by_index(at).expect("an entry");
            entry.read_to_end(&mut json).expect("it is whole");
            let Ok(Record::Says(says)) = osv::read(&json) else {
                continue;
            };
            for (_, name, _) in says.packages {
                all.push(Package {
                    kind,
                    name,
                    version: String::from("1.0.1"),
                    source: None,
                    architecture: None,
                    licences: Vec::new(),
                    layer: 0,
                    path: String::new(),
                });
            }
        }
    }
    all.sort();
    all.dedup();
    let step = all.len() / PACKAGES;
    Inventory {
        packages: all.into_iter().step_by(step).take(PACKAGES).collect(),
        ..Inventory::default()
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Prints a figure beside its budget; whether it keeps it.
fn figure(name: &str, value: f64, unit: &str, budget: f64) -> bool {
    let kept = value <= budget;
    let word = if kept { "ok" } else { "OVER" };
    println!("{name:<48} {value:>8.2} {unit:<2} budget {budget:>5.2}  {word}");
    kept
}

fn main() -> ExitCode {
    let folder = archives();
    let mut imports = Vec::new();
    let mut scans = Vec::new();
    let mut found = Scan::default();
    let image = image(&folder);
    for _ in 0..ROUNDS {
        let root = tempfile::tempdir().expect("a folder");
        let store = Store::at(root.path());
        let asked = Update {
            place: Place::Folder(folder.clone()),
            ecosystems: Vec::new(),
        };
        let began = Instant::now();
        advisories::update(&store, &asked, &CancellationToken::new(), &mut |_| {})
            .expect("the archives can be imported");
        imports.push(began.elapsed().as_secs_f64());
        let began = Instant::now();
        let snapshot = advisories::choose(Some(&store), None).expect("there is a snapshot");
        found = matching::scan(&image, snapshot.as_ref()).expect("it can be read");
        scans.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    let began = Instant::now();
    let shipped = advisories::choose(None, None).expect("it comes with the program");
    let opened = began.elapsed().as_secs_f64() * 1000.0;
    println!(
        "{} packages, {} findings; shipped: {}",
        image.packages.len(),
        found.findings.len(),
        shipped.database().id
    );
    let kept = [
        figure("import of three public archives", median(imports), "s", 3.0),
        figure(
            "500 packages against them, from disk",
            median(scans),
            "ms",
            50.0,
        ),
        figure("opening the shipped snapshot", opened, "ms", 30.0),
    ];
    if kept.iter().all(|kept| *kept) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

//! What `loadline db` prints. Pure.

use std::fmt::Write as _;

use serde_json::json;

use crate::advisories::Manifest;
use crate::advisories::Progress;
use crate::advisories::Shipped;
use crate::advisories::manifest::Part;
use crate::cli::CliError;
use crate::cli::output;
use crate::finding::matching::Advisories as _;
use crate::text::Clean;
use crate::text::plural;
use crate::units::Bytes;

/// The status.
pub(super) fn status(current: Option<&Manifest>, shipped: &Shipped) -> String {
    let mut text = String::new();
    match current {
        Some(manifest) => {
            let _ = writeln!(
                text,
                "scans use the snapshot {}, made {}, newest advisory {}, {}\n",
                manifest.id,
                day(&manifest.made),
                manifest.date(),
                manifest.bytes()
            );
            text.push_str(&parts(&manifest.parts));
        }
        None => {
            let _ = writeln!(text, "scans use the snapshot that comes with the program\n");
            text.push_str(&about_shipped(shipped));
            text.push_str("\n`loadline db update` fetches all advisories.\n");
        }
    }
    text
}

/// What the shipped snapshot is.
fn about_shipped(shipped: &Shipped) -> String {
    let database = shipped.database();
    let mut text = format!(
        "{}, of {}: {} about the packages of the course only; of Debian's, what updates closed\n",
        database.id,
        database.date,
        advisories(shipped.records() as u64)
    );
    for cover in shipped.covers() {
        let place = match &cover.release {
            Some(release) => format!("{} {release}", cover.ecosystem),
            None => cover.ecosystem.to_string(),
        };
        let _ = writeln!(
            text,
            "  {place:<10} {}",
            plural(cover.packages.len(), "package")
        );
    }
    text
}

/// The parts of a snapshot as a table.
fn parts(parts: &[Part]) -> String {
    let mut text = String::from("ecosystem   advisories    packages  newest      from\n");
    for part in parts {
        let _ = writeln!(
            text,
            "{:<10} {:>11} {:>11}  {:<10}  {}",
            part.ecosystem,
            part.records - part.withdrawn,
            part.packages,
            part.newest,
            Clean::line(&part.origin.place)
        );
        text.push_str(&unread(part));
    }
    text
}

/// The records of a part that could not be read, by name.
fn unread(part: &Part) -> String {
    if part.malformed == 0 {
        return String::new();
    }
    let mut text = format!("  {} could not be read:\n", records(part.malformed));
    for name in &part.malformed_names {
        let _ = writeln!(text, "    {}", Clean::line(name));
    }
    let more = part
        .malformed
        .saturating_sub(part.malformed_names.len() as u64);
    if more > 0 {
        let _ = writeln!(text, "    and {more} more");
    }
    text
}

fn records(count: u64) -> String {
    plural(usize::try_from(count).unwrap_or(usize::MAX), "record")
}

fn advisories(count: u64) -> String {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if count == 1 {
        "1 advisory".to_owned()
    } else {
        format!("{count} advisories")
    }
}

/// The snapshots.
pub(super) fn list(all: &[Manifest], current: Option<&str>, shipped: &Shipped) -> String {
    let mut text =
        String::from("  id                made        newest      size      ecosystems\n");
    for manifest in all {
        let names: Vec<String> = manifest
            .parts
            .iter()
            .map(|part| part.ecosystem.to_string())
            .collect();
        let _ = writeln!(
            text,
            "{} {:<16}  {:<10}  {:<10}  {:<8}  {}",
            mark(current == Some(&manifest.id)),
            manifest.id,
            day(&manifest.made),
            manifest.date(),
            manifest.bytes().to_string(),
            names.join(", ")
        );
    }
    let database = shipped.database();
    let _ = writeln!(
        text,
        "{} {:<16}  {:<10}  {:<10}  {:<8}  the packages of the course",
        mark(current.is_none()),
        database.id,
        "",
        database.date,
        ""
    );
    text
}

const fn mark(current: bool) -> char {
    if current { '*' } else { ' ' }
}

fn day(time: &str) -> &str {
    time.get(..10).unwrap_or(time)
}

/// How far an update is.
pub(super) fn progress(progress: &Progress) -> String {
    match progress {
        Progress::Fetching {
            ecosystem,
            done,
            total: Some(total),
        } => format!("{ecosystem}: {done} of {total}, {}", done.share_of(*total)),
        Progress::Fetching {
            ecosystem, done, ..
        } => format!("{ecosystem}: {done}"),
        Progress::Importing { ecosystem } => format!("{ecosystem}: reading the records"),
        Progress::Done { part, unchanged } => done(part, *unchanged),
    }
}

/// One line about a part that is done, and its unreadable records.
fn done(part: &Part, unchanged: bool) -> String {
    let how = if unchanged { ", as before" } else { "" };
    let mut line = format!(
        "{}: {} about {}, the newest of {}{how}",
        part.ecosystem,
        advisories(part.records - part.withdrawn),
        plural(
            usize::try_from(part.packages).unwrap_or(usize::MAX),
            "package"
        ),
        part.newest,
    );
    if !unchanged && part.malformed > 0 {
        line.push('\n');
        line.push_str(unread(part).trim_end());
    }
    line
}

/// The end of an update.
pub(super) fn updated(manifest: &Manifest) -> String {
    let bytes: Bytes = manifest.bytes();
    format!(
        "scans use the snapshot {} now: {bytes}, newest advisory {}\n",
        manifest.id,
        manifest.date()
    )
}

/// The status as JSON: `loadline.db/v1`.
pub(super) fn status_json(
    current: Option<&Manifest>,
    shipped: &Shipped,
) -> Result<String, CliError> {
    output::json(&json!({
        "schema": "loadline.db/v1",
        "current": current,
        "date": current.map(Manifest::date),
        "shipped": shipped_json(shipped),
    }))
}

/// The snapshots as JSON: `loadline.db-list/v1`.
pub(super) fn list_json(
    all: &[Manifest],
    current: Option<&str>,
    shipped: &Shipped,
) -> Result<String, CliError> {
    output::json(&json!({
        "schema": "loadline.db-list/v1",
        "current": current,
        "snapshots": all,
        "shipped": shipped_json(shipped),
    }))
}

fn shipped_json(shipped: &Shipped) -> serde_json::Value {
    let covers: Vec<serde_json::Value> = shipped
        .covers()
        .iter()
        .map(|cover| {
            json!({
                "ecosystem": cover.ecosystem.name(),
                "release": cover.release,
                "packages": cover.packages.len(),
            })
        })
        .collect();
    json!({
        "id": shipped.database().id,
        "date": shipped.database().date,
        "records": shipped.records(),
        "covers": covers,
    })
}

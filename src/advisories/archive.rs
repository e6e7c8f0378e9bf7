//! Reads an ecosystem's archive: a ZIP file with one record per entry, untrusted, so that every
//! size is bounded.

#![expect(
    clippy::disallowed_methods,
    reason = "edge: opens the archive, once for each thread that reads it"
)]

use std::fs::File;
use std::io::BufReader;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use tokio_util::sync::CancellationToken;
use zip::ZipArchive;

use super::AdvisoriesError;
use super::manifest::MOST_NAMES;
use crate::finding::Ecosystem;
use crate::finding::index::Builder;
use crate::finding::osv;
use crate::finding::osv::Record;
use crate::text::Clean;
use crate::units::Bytes;

/// What an archive may cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Bytes of the archive.
    pub(super) archive: Bytes,
    /// Entries.
    pub(super) entries: usize,
    /// Uncompressed bytes of one record; a larger one is passed over and named.
    pub(super) record: u64,
    /// Uncompressed bytes of all records.
    pub(super) whole: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            archive: Bytes(4_000_000_000),
            entries: 2_000_000,
            record: 32_000_000,
            whole: 32_000_000_000,
        }
    }
}

/// What an archive held.
#[derive(Debug)]
pub(super) struct Contents {
    /// The advisories.
    pub(super) builder: Builder,
    /// Records that were read.
    pub(super) records: u64,
    /// Records that were withdrawn.
    pub(super) withdrawn: u64,
    /// Records that could not be read.
    pub(super) malformed: u64,
    /// The first of them by name, each with the reason.
    pub(super) malformed_names: Vec<String>,
    /// What tells the day of the newest record.
    pub(super) newest: Newest,
}

/// What tells the day of the newest record.
#[derive(Debug, Default)]
pub(super) struct Newest {
    /// The newest day that a record tells, and how many tell one.
    told: String,
    telling: u64,
    /// The newest day that stands for one that is not told, and how many tell none.
    guessed: String,
    silent: u64,
}

impl Newest {
    /// Notes the day of a record: the one that it tells; where it tells none, as most of Go's do
    /// not, that of the entry that it is; where this has no time either, the year in its id.
    fn note(&mut self, told: String, packed: String, numbered: String) {
        let silent = told.is_empty();
        let guessed = if packed.is_empty() { numbered } else { packed };
        self.merge(Self {
            told,
            telling: u64::from(!silent),
            guessed: if silent { guessed } else { String::new() },
            silent: u64::from(silent),
        });
    }

    fn merge(&mut self, other: Self) {
        self.told = std::mem::take(&mut self.told).max(other.told);
        self.telling += other.telling;
        self.guessed = std::mem::take(&mut self.guessed).max(other.guessed);
        self.silent += other.silent;
    }

    /// The day: `2026-11-20`. Entries have the day when somebody packed them, which may be years
    /// after the last change: it counts only where no more records tell their own than do not.
    pub(super) fn day(self) -> String {
        if self.telling > self.silent {
            return self.told;
        }
        self.told.max(self.guessed)
    }
}

/// The day of an entry; the first that the format knows is written where there is none.
fn day_of(time: Option<zip::DateTime>) -> String {
    let day = time.map(|time| format!("{:04}-{:02}-{:02}", time.year(), time.month(), time.day()));
    day.filter(|day| day != "1980-01-01").unwrap_or_default()
}

impl Contents {
    fn new(ecosystem: Ecosystem) -> Self {
        Self {
            builder: Builder::new(ecosystem),
            records: 0,
            withdrawn: 0,
            malformed: 0,
            malformed_names: Vec::new(),
            newest: Newest::default(),
        }
    }

    fn merge(&mut self, other: Self) {
        self.builder.merge(other.builder);
        self.records += other.records;
        self.withdrawn += other.withdrawn;
        self.malformed += other.malformed;
        self.malformed_names.extend(other.malformed_names);
        self.malformed_names.sort();
        self.malformed_names.truncate(MOST_NAMES);
        self.newest.merge(other.newest);
    }

    /// Counts and names a record that could not be read.
    fn refuse(&mut self, name: &str, why: &str) {
        self.malformed += 1;
        if self.malformed_names.len() < MOST_NAMES {
            let line = Clean::line(&format!("{name}: {why}"));
            self.malformed_names
                .push(line.as_str().chars().take(200).collect());
        }
    }

    /// Takes what a record says of the ecosystem.
    fn take(&mut self, ecosystem: Ecosystem, name: &str, packed: String, json: &[u8]) {
        let says = match osv::read(json) {
            Ok(Record::Says(says)) => says,
            Ok(Record::Withdrawn) => {
                self.records += 1;
                self.withdrawn += 1;
                return;
            }
            Err(why) => return self.refuse(name, &why),
        };
        self.records += 1;
        self.newest.note(says.modified, packed, says.numbered);
        let ours = says.packages.iter().filter(|(of, _, _)| *of == ecosystem);
        for (_, package, advisory) in ours {
            if let Err(why) = self.builder.add(package, advisory) {
                self.refuse(name, why.0);
            }
        }
    }
}

/// Work that the threads share.
struct Shared<'a> {
    path: &'a Path,
    place: &'a str,
    ecosystem: Ecosystem,
    limits: Limits,
    next: AtomicUsize,
    bytes: AtomicU64,
    cancel: &'a CancellationToken,
}

/// Reads the archive at `path`, which `place` names for people, and keeps what is about
/// `ecosystem`.
///
/// # Errors
/// When it is no archive, holds no record at all, or is larger than is sensible.
pub(super) fn read(
    path: &Path,
    place: &str,
    ecosystem: Ecosystem,
    limits: Limits,
    cancel: &CancellationToken,
) -> Result<Contents, AdvisoriesError> {
    let size = std::fs::metadata(path)
        .map_err(|error| AdvisoriesError::file(path, error))?
        .len();
    let too_much = |why: String| AdvisoriesError::TooMuch {
        place: place.to_owned(),
        why,
    };
    if Bytes(size) > limits.archive {
        return Err(too_much(format!("it has {}", Bytes(size))));
    }
    let shared = Shared {
        path,
        place,
        ecosystem,
        limits,
        next: AtomicUsize::new(0),
        bytes: AtomicU64::new(0),
        cancel,
    };
    let first = shared.open()?;
    let entries = first.len();
    if entries > limits.entries {
        return Err(too_much(format!("it has {entries} entries")));
    }
    let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get().min(4));
    // A second thread costs a second look at the archive's directory.
    let threads = if entries < 200 { 1 } else { threads };
    let whole = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads)
            .map(|_| scope.spawn(|| shared.open().and_then(|archive| shared.work(archive))))
            .collect();
        let mut whole = shared.work(first)?;
        for other in others {
            let part = other.join().map_err(|_panic| AdvisoriesError::Corrupt {
                place: place.to_owned(),
                why: String::from("a record of it stopped the reader"),
            })??;
            whole.merge(part);
        }
        Ok(whole)
    })?;
    if whole.records == 0 {
        let why = match whole.malformed_names.first() {
            Some(first) => format!("none of its entries is a record; {first}"),
            None => String::from("it holds no record"),
        };
        return Err(AdvisoriesError::NotAnArchive {
            place: place.to_owned(),
            why: Clean::line(&why),
        });
    }
    Ok(whole)
}

impl Shared<'_> {
    fn open(&self) -> Result<ZipArchive<BufReader<File>>, AdvisoriesError> {
        let file =
            File::open(self.path).map_err(|error| AdvisoriesError::file(self.path, error))?;
        ZipArchive::new(BufReader::with_capacity(64 * 1024, file)).map_err(|error| {
            AdvisoriesError::NotAnArchive {
                place: self.place.to_owned(),
                why: Clean::line(&self.guess(&error.to_string())),
            }
        })
    }

    /// What a file that is no archive may be.
    fn guess(&self, error: &str) -> String {
        let mut start = [0; 512];
        let read = File::open(self.path).and_then(|mut file| file.read(&mut start));
        let start = start.get(..read.unwrap_or(0)).unwrap_or_default();
        let text = String::from_utf8_lossy(start).to_ascii_lowercase();
        if text.trim_start().starts_with("<!doctype html") || text.contains("<html") {
            return String::from("it is a web page");
        }
        if start.is_empty() {
            return String::from("it is empty");
        }
        error.to_owned()
    }

    /// Reads entries until there are no more.
    fn work(&self, mut archive: ZipArchive<BufReader<File>>) -> Result<Contents, AdvisoriesError> {
        let mut read = Contents::new(self.ecosystem);
        let mut json = Vec::new();
        loop {
            if self.cancel.is_cancelled() {
                return Err(AdvisoriesError::Cancelled);
            }
            let at = self.next.fetch_add(1, Ordering::Relaxed);
            if at >= archive.len() {
                return Ok(read);
            }
            let entry = match archive.by_index(at) {
                Ok(entry) => entry,
                Err(error) => {
                    read.refuse(&format!("entry {}", at + 1), &error.to_string());
                    continue;
                }
            };
            let name = entry.name().to_owned();
            let packed = day_of(entry.last_modified());
            if !entry.is_file() || !name.ends_with(".json") {
                continue;
            }
            json.clear();
            // The announced size may lie: what comes out is what counts.
            let taken = entry.take(self.limits.record + 1).read_to_end(&mut json);
            let bytes = json.len() as u64;
            if self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes > self.limits.whole {
                return Err(AdvisoriesError::TooMuch {
                    place: self.place.to_owned(),
                    why: format!("unpacked it has more than {}", Bytes(self.limits.whole)),
                });
            }
            match taken {
                Err(error) => {
                    return Err(AdvisoriesError::Corrupt {
                        place: self.place.to_owned(),
                        why: Clean::line(&format!("{name}: {error}")).to_string(),
                    });
                }
                Ok(_) if bytes > self.limits.record => {
                    let most = Bytes(self.limits.record);
                    read.refuse(&name, &format!("it has more than {most}"));
                }
                Ok(_) => read.take(self.ecosystem, &name, packed, &json),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// A record and the day of its entry.
    type Packed<'r> = (&'r str, Option<(u16, u8, u8)>);

    fn newest(records: &[Packed<'_>]) -> String {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut writer = zip::ZipWriter::new(file.as_file_mut());
        for (at, (record, day)) in records.iter().enumerate() {
            let time = day.map(|(year, month, day)| {
                zip::DateTime::from_date_and_time(year, month, day, 0, 0, 0).unwrap()
            });
            let options = zip::write::SimpleFileOptions::default()
                .last_modified_time(time.unwrap_or_default());
            writer.start_file(format!("{at}.json"), options).unwrap();
            writer.write_all(record.as_bytes()).unwrap();
        }
        writer.finish().unwrap();
        let cancel = CancellationToken::new();
        let limits = Limits::default();
        let read = read(file.path(), "here", Ecosystem::Go, limits, &cancel).unwrap();
        read.newest.day()
    }

    #[test]
    fn records_that_tell_no_day_are_as_new_as_their_entries() {
        let undated = r#"{"id": "GO-2024-1", "modified": "0001-01-01T00:00:00Z"}"#;
        let dated = r#"{"id": "GO-2025-1", "modified": "2025-03-04T00:00:00Z"}"#;
        let packed = Some((2026, 8, 21));
        assert_eq!(newest(&[(undated, packed), (undated, None)]), "2026-08-21");
        // One that tells its day says nothing of those that do not.
        assert_eq!(newest(&[(undated, packed), (dated, packed)]), "2026-08-21");
        assert_eq!(newest(&[(dated, packed)]), "2025-03-04");
        // Nor does one without a day make those new that tell theirs.
        let dated = (dated, packed);
        assert_eq!(newest(&[dated, (undated, packed), dated]), "2025-03-04");
        assert_eq!(newest(&[(undated, None)]), "2024-01-01");
    }
}

//! Java's records: the Maven coordinates in archives, and in the archives inside them. Python imports
//! from archives of the same format: what they hold of its distributions is read as well.
//!
//! An archive is untrusted: the number of its entries, what they unpack to and how deep they nest
//! are bounded, and nothing is written anywhere. What cannot be read of one is told, and the rest is
//! read all the same.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::io::Read as _;

use memchr::memmem;
use zip::ZipArchive;

use super::PackageKind;
use super::python;
use super::record::Fault;
use super::record::Record;
use super::record::Stated;
use super::record::licence;
use super::roots::Modules;
use super::roots::Roots;

/// The largest archive that is read, in bytes; it is held in memory while it is.
pub(super) const CAP: u64 = 64 * 1024 * 1024;

/// The largest text of an archive that is read, in bytes.
const TEXT: u64 = 256 * 1024;

/// The largest archive inside an archive that has to be unpacked to be read, in bytes.
const INNER: u64 = 32 * 1024 * 1024;

/// What all of an archive may unpack to, in bytes; an archive inside counts as often as it is read.
const UNPACKED: u64 = 512 * 1024 * 1024;

/// How deep archives may nest.
const DEPTH: usize = 3;

/// Entries of all archives in one file.
const ENTRIES: usize = 200_000;

/// What an archive is that names no package and holds classes of several makers, or several modules
/// of Python's.
const MUTE: &str = "it does not say what it was made of";

/// How many parts of an archive may be broken before the rest is not looked at.
const FAULTS: usize = 100;

/// Whether a file is an archive of Java's, by its name.
pub(super) fn is_archive(path: &str) -> bool {
    let ending = path.rsplit('.').next().unwrap_or_default();
    let known = ["jar", "war", "ear", "par", "sar", "nar", "hpi", "jpi"];
    known.iter().any(|one| ending.eq_ignore_ascii_case(one))
}

/// Reads an archive.
pub(super) fn archive(path: &str, bytes: &[u8]) -> Record {
    Reading::within(UNPACKED).whole(path, bytes)
}

struct Reading {
    packages: Vec<Stated>,
    faults: Vec<Fault>,
    /// How much may still be unpacked, in bytes.
    unpacked: u64,
    /// How many entries there may still be.
    entries: usize,
}

/// Why something is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// This part is not; the others may be.
    Part(&'static str),
    /// Nothing more of the file is.
    All(&'static str),
}

const MUTE_PART: Stop = Stop::Part(MUTE);

const BROKEN: Stop = Stop::Part("an entry of it is broken");

/// A part of an archive that matters.
enum Part {
    Properties,
    Manifest,
    Archive,
    Python,
}

fn part(name: &str) -> Option<Part> {
    if name == "META-INF/MANIFEST.MF" {
        return Some(Part::Manifest);
    }
    if name.starts_with("META-INF/maven/") && name.ends_with("/pom.properties") {
        return Some(Part::Properties);
    }
    if python::is_metadata(name) {
        return Some(Part::Python);
    }
    is_archive(name).then_some(Part::Archive)
}

impl Reading {
    const fn within(unpacked: u64) -> Self {
        Self {
            packages: Vec::new(),
            faults: Vec::new(),
            unpacked,
            entries: ENTRIES,
        }
    }

    /// Reads a file.
    fn whole(mut self, path: &str, bytes: &[u8]) -> Record {
        match self.read(path, "", bytes, DEPTH) {
            // Of such a file there is to say what is said of a program.
            Err(MUTE_PART) if self.packages.is_empty() && self.faults.is_empty() => {
                return Record::Opaque;
            }
            Err(Stop::Part(why) | Stop::All(why)) => self.faults.push(fault("", why)),
            Ok(()) => {}
        }
        Record::of(self.packages, self.faults)
    }

    /// Reads one archive; `inside` is its path in the file, empty for the file itself.
    fn read(&mut self, path: &str, inside: &str, bytes: &[u8], depth: usize) -> Result<(), Stop> {
        // Every entry has such a mark: they are counted before the list of them is made.
        let marks = memmem::find_iter(bytes, b"PK\x01\x02").count();
        self.entries = self
            .entries
            .checked_sub(marks)
            .ok_or(Stop::Part("it has more entries than is sensible"))?;
        let mut archive = ZipArchive::new(Cursor::new(bytes))
            .ok()
            .ok_or(Stop::Part("it is no sound archive"))?;
        let mut properties = Vec::new();
        let mut manifest = String::new();
        let mut roots = Roots::default();
        let mut modules = Modules::default();
        let mut has_archives = false;
        let mut ended = Ok(());
        for index in 0..archive.len() {
            let name = archive.name_for_index(index).unwrap_or_default().to_owned();
            modules.take(&name);
            let Some(part) = part(&name) else {
                roots.take(&name);
                continue;
            };
            has_archives |= matches!(part, Part::Archive);
            let within = match inside {
                "" => name,
                inside => format!("{inside}!/{name}"),
            };
            let read = match part {
                Part::Properties => self
                    .text(&mut archive, index)
                    .map(|text| properties.push(text)),
                Part::Manifest => self.text(&mut archive, index).map(|text| manifest = text),
                Part::Archive => self.read_inner(bytes, &mut archive, index, &within, depth),
                Part::Python => self.python(&mut archive, index, &within),
            };
            ended = self.noted(&within, read);
            if ended.is_err() {
                break;
            }
        }
        let place = if inside.is_empty() { path } else { inside };
        let stem = stem(place);
        // The name of a file is a package's where the file is an archive of Java's.
        let by_name = is_archive(place) || !manifest.is_empty() || roots.are_any();
        let found = packages(&properties, &manifest, by_name.then_some(stem));
        let mute = found.is_empty() && !has_archives && roots.are_several() || modules.are_mute();
        let makers = roots.makers();
        for mut package in found {
            if !package.name.contains(':') {
                package.makers.clone_from(&makers);
            }
            package.inside = (!inside.is_empty()).then(|| inside.to_owned());
            self.packages.push(package);
        }
        // One maker's classes alone are somebody's own program.
        if mute && ended.is_ok() {
            return Err(MUTE_PART);
        }
        ended
    }

    /// Notes why a part was not read, and goes on where that is of use.
    fn noted(&mut self, within: &str, read: Result<(), Stop>) -> Result<(), Stop> {
        let Err(Stop::Part(why)) = read else {
            return read;
        };
        if self.faults.len() == FAULTS {
            return Err(Stop::All("too much of it cannot be read"));
        }
        self.faults.push(fault(within, why));
        Ok(())
    }

    /// An archive that is merely stored is read where it lies; one that is packed is unpacked.
    fn read_inner(
        &mut self,
        bytes: &[u8],
        archive: &mut ZipArchive<Cursor<&[u8]>>,
        index: usize,
        within: &str,
        depth: usize,
    ) -> Result<(), Stop> {
        let depth = depth
            .checked_sub(1)
            .ok_or(Stop::Part("its archives nest too deeply"))?;
        let entry = archive.by_index_raw(index).ok().ok_or(BROKEN)?;
        let stored = entry.compression() == zip::CompressionMethod::Stored;
        let range = entry.data_start().and_then(|start| {
            let start = usize::try_from(start).ok()?;
            let end = start.checked_add(usize::try_from(entry.compressed_size()).ok()?)?;
            Some(start..end)
        });
        drop(entry);
        if let (true, Some(slice)) = (stored, range.and_then(|range| bytes.get(range))) {
            // Any number of entries may mean the same place: each is read, so each counts.
            self.charge(slice.len())?;
            return self.read("", within, slice, depth);
        }
        let unpacked = self.unpack(archive, index, INNER)?;
        self.read("", within, &unpacked, depth)
    }

    fn unpack(
        &mut self,
        archive: &mut ZipArchive<Cursor<&[u8]>>,
        index: usize,
        cap: u64,
    ) -> Result<Vec<u8>, Stop> {
        let entry = archive.by_index(index).ok().ok_or(BROKEN)?;
        let mut bytes = Vec::new();
        let read = entry.take(cap + 1).read_to_end(&mut bytes);
        // What is of no use had to be unpacked all the same.
        self.charge(bytes.len())?;
        read.ok().ok_or(BROKEN)?;
        if bytes.len() as u64 > cap {
            return Err(Stop::Part("an entry of it is larger than is sensible"));
        }
        Ok(bytes)
    }

    fn text(
        &mut self,
        archive: &mut ZipArchive<Cursor<&[u8]>>,
        index: usize,
    ) -> Result<String, Stop> {
        let bytes = self.unpack(archive, index, TEXT)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Reads the metadata of one of Python's distributions.
    fn python(
        &mut self,
        archive: &mut ZipArchive<Cursor<&[u8]>>,
        index: usize,
        within: &str,
    ) -> Result<(), Stop> {
        let bytes = self.unpack(archive, index, TEXT)?;
        let Record::Packages(found) = python::metadata(&bytes) else {
            return Err(Stop::Part("it has no name or no version"));
        };
        self.packages.extend(found.into_iter().map(|one| Stated {
            inside: Some(within.to_owned()),
            ..one
        }));
        Ok(())
    }

    /// Takes so many bytes from what may be unpacked.
    fn charge(&mut self, bytes: usize) -> Result<(), Stop> {
        self.unpacked = self
            .unpacked
            .checked_sub(bytes as u64)
            .ok_or(Stop::All("it unpacks to more than is sensible"))?;
        Ok(())
    }
}

fn fault(inside: &str, why: &str) -> Fault {
    Fault {
        inside: inside.to_owned(),
        why: why.to_owned(),
    }
}

/// `guava-33.0.jar` of a path: its name without the ending.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// The packages of one archive: those whose properties it carries, otherwise the one that its
/// manifest or its name tells of. Several sets of properties are an archive that was made of
/// others; all of them are in it.
fn packages(properties: &[String], manifest: &str, stem: Option<&str>) -> Vec<Stated> {
    let main = attributes(manifest);
    let named = licences(&main);
    let mut packages: Vec<Stated> = properties
        .iter()
        .filter_map(|text| coordinates(text))
        .collect();
    packages.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    packages.dedup_by(|a, b| a.name == b.name && a.version == b.version);
    if packages.is_empty() {
        packages.extend(stem.and_then(|stem| from_manifest(&main, stem)));
    }
    if let [package] = packages.as_mut_slice() {
        package.licences = named;
    }
    packages
}

fn coordinates(properties: &str) -> Option<Stated> {
    let mut fields: BTreeMap<&str, &str> = BTreeMap::new();
    for line in properties
        .lines()
        .filter(|line| !line.starts_with(['#', '!']))
    {
        if let Some((name, value)) = line.split_once(['=', ':']) {
            fields.insert(name.trim(), value.trim());
        }
    }
    let get = |name: &str| fields.get(name).copied().filter(|value| !value.is_empty());
    let name = format!("{}:{}", get("groupId")?, get("artifactId")?);
    maven(&name, get("version")?)
}

fn maven(name: &str, version: &str) -> Option<Stated> {
    // A build that was not finished leaves its placeholders behind.
    let whole = ![name, version].iter().any(|part| part.contains("${"));
    whole
        .then(|| Stated::new(PackageKind::Java, name, version))
        .flatten()
}

/// The main attributes of a manifest, lower-case names; a line that begins with a blank continues
/// the one before.
fn attributes(manifest: &str) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut last: Option<String> = None;
    for line in manifest.lines() {
        if line.is_empty() {
            break;
        }
        if let Some(more) = line.strip_prefix(' ') {
            if let Some(value) = last.as_ref().and_then(|name| found.get_mut(name)) {
                value.push_str(more);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            let name = name.trim().to_ascii_lowercase();
            found.insert(name.clone(), value.trim().to_owned());
            last = Some(name);
        }
    }
    found
}

/// What the name of the file and the manifest tell together; the name is what Maven gave it.
///
/// The group stays untold: what a manifest names (`spring.beans` as a module, `org.apache` as a
/// vendor) is not what Maven calls it (`org.springframework`, `org.apache.tomcat.embed`).
fn from_manifest(main: &BTreeMap<String, String>, stem: &str) -> Option<Stated> {
    let get = |name: &str| {
        main.get(name)
            .map(String::as_str)
            .filter(|text| !text.is_empty())
    };
    let (from_name, version_of_name) = split_stem(stem);
    let version = version_of_name
        .or_else(|| get("implementation-version"))
        .or_else(|| get("bundle-version"))
        .or_else(|| get("specification-version"))?;
    maven(from_name, version)
}

/// `guava-33.0-jre` as `guava` and `33.0-jre`: the version begins at the first hyphen before a
/// digit.
fn split_stem(stem: &str) -> (&str, Option<&str>) {
    let hyphens = stem.match_indices('-').map(|(at, _)| at);
    for at in hyphens {
        let (name, rest) = (stem.get(..at), stem.get(at + 1..));
        if let (Some(name), Some(version)) = (name, rest)
            && !name.is_empty()
            && version.starts_with(|c: char| c.is_ascii_digit())
        {
            return (name, Some(version));
        }
    }
    (stem, None)
}

fn licences(main: &BTreeMap<String, String>) -> Vec<String> {
    let Some(text) = main.get("bundle-license") else {
        return Vec::new();
    };
    // Names or addresses, each with parameters behind a semicolon.
    let parts = text.split(',').filter_map(|part| part.split(';').next());
    parts
        .map(|part| part.trim().trim_matches('"'))
        .filter_map(|part| licence(of_address(part).unwrap_or(part)))
        .collect()
}

/// The licence that a well-known address stands for.
fn of_address(text: &str) -> Option<&'static str> {
    let plain = text
        .trim_start_matches("https://")
        .trim_start_matches("http://")
        .trim_start_matches("www.")
        .trim_end_matches(".txt")
        .trim_end_matches(".html");
    match plain {
        "apache.org/licenses/LICENSE-2.0" => Some("Apache-2.0"),
        "opensource.org/licenses/MIT" | "opensource.org/licenses/mit-license.php" => Some("MIT"),
        "eclipse.org/legal/epl-2.0" | "eclipse.org/legal/epl-v20" => Some("EPL-2.0"),
        "eclipse.org/legal/epl-v10" => Some("EPL-1.0"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;
    use zip::CompressionMethod;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn jar(entries: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(method);
        for (name, bytes) in entries {
            writer.start_file(*name, options).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn packed(entries: &[(&str, &[u8])]) -> Vec<u8> {
        jar(entries, CompressionMethod::Deflated)
    }

    fn names(path: &str, bytes: &[u8]) -> Vec<String> {
        match archive(path, bytes) {
            Record::Packages(packages) => packages
                .into_iter()
                .map(|one| {
                    let inside = one.inside.map(|inside| format!(" in {inside}"));
                    format!("{} {}{}", one.name, one.version, inside.unwrap_or_default())
                })
                .collect(),
            other => vec![format!("{other:?}")],
        }
    }

    const POM: &[u8] = b"#made by\ngroupId=org.x\nartifactId=core\nversion=1.2\n";

    #[test]
    fn properties_say_it_best() {
        let bytes = packed(&[
            (
                "META-INF/MANIFEST.MF",
                b"Implementation-Version: 9\nBundle-License: \"Apache-2.0\";link=\"x\"\n",
            ),
            ("META-INF/maven/org.x/core/pom.properties", POM),
        ]);
        assert_eq!(names("a/core-9.jar", &bytes), ["org.x:core 1.2"]);
        let Record::Packages(packages) = archive("core.jar", &bytes) else {
            panic!("it is broken");
        };
        assert_eq!(packages[0].licences, ["Apache-2.0"]);
    }

    #[test]
    fn archives_in_archives_are_read_packed_or_not() {
        let inner = packed(&[("META-INF/maven/org.x/core/pom.properties", POM)]);
        for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
            let middle = jar(&[("lib/core-1.2.jar", &inner)], method);
            let outer = jar(
                &[("WEB-INF/lib/m-3.war", &middle), ("x.class", b"")],
                method,
            );
            assert_eq!(
                names("app.ear", &outer),
                [
                    "org.x:core 1.2 in WEB-INF/lib/m-3.war!/lib/core-1.2.jar",
                    "m 3 in WEB-INF/lib/m-3.war"
                ]
            );
        }
    }

    #[test]
    fn a_manifest_and_a_name_do_without_properties() {
        let with = |path: &str, text: &str| {
            names(path, &packed(&[("META-INF/MANIFEST.MF", text.as_bytes())]))
        };
        assert_eq!(
            with(
                "x/jakarta.inject-api-2.0.1.jar",
                "Bundle-SymbolicName: jakarta.inject.jakarta.inj\r\n ect-api\r\n"
            ),
            ["jakarta.inject-api 2.0.1"]
        );
        assert_eq!(
            with(
                "tool.jar",
                "Implementation-Vendor-Id: org.y\nImplementation-Version: 4\n"
            ),
            ["tool 4"]
        );
        assert_eq!(with("tool.jar", "Created-By: me\n"), Vec::<String>::new());
        assert_eq!(with("guava-33.0-jre.jar", ""), ["guava 33.0-jre"]);
    }

    #[test]
    fn no_group_is_made_up_and_whose_classes_it_holds_is_kept() {
        let manifest =
            b"Implementation-Title: spring-beans\nAutomatic-Module-Name: spring.beans\nImplementation-Version: 5.3.17\n";
        let classes: [(&str, &[u8]); 3] = [
            ("META-INF/MANIFEST.MF", manifest),
            ("org/springframework/beans/BeansException.class", b""),
            ("META-INF/versions/9/org/springframework/beans/X.class", b""),
        ];
        let Record::Packages(packages) = archive("lib/spring-beans-5.3.17.jar", &packed(&classes))
        else {
            panic!("it is broken");
        };
        let [package] = packages.as_slice() else {
            panic!("{packages:?}");
        };
        assert_eq!(
            (package.name.as_str(), package.version.as_str()),
            ("spring-beans", "5.3.17")
        );
        assert_eq!(package.makers, ["org/springframework".to_owned()].into());
        let told = [
            classes[1],
            ("META-INF/maven/org.x/core/pom.properties", POM),
        ];
        let record = archive("core.jar", &packed(&told));
        assert!(record.packages().unwrap()[0].makers.is_empty());
    }

    #[test]
    fn an_archive_of_several_makers_that_names_none_says_nothing_of_itself() {
        let manifest: (&str, &[u8]) = ("META-INF/MANIFEST.MF", b"Main-Class: com.acme.Main\n");
        let shaded = packed(&[
            manifest,
            ("com/acme/Main.class", b""),
            ("org/apache/logging/log4j/Logger.class", b""),
            ("com/fasterxml/jackson/core/JsonFactory.class", b""),
        ]);
        assert_eq!(archive("app/app.jar", &shaded), Record::Opaque);
        // It is named where others of its archive can be read.
        let outer = packed(&[("lib/core-1.jar", &packed(&[])), ("lib/all.jar", &shaded)]);
        let record = archive("app.war", &outer);
        assert_eq!(record.packages().unwrap().len(), 1);
        assert_eq!(
            faults(&record),
            ["lib/all.jar: it does not say what it was made of"]
        );
        // One's own classes alone have nothing to say, and what names a package has said it.
        let thin = packed(&[
            manifest,
            ("com/acme/Main.class", b""),
            ("com/acme/util/Text.class", b""),
        ]);
        assert_eq!(archive("app.jar", &thin), Record::Packages(Vec::new()));
        assert_eq!(names("app-1.2.jar", &shaded), ["app 1.2"]);
        let with_archives = packed(&[
            ("org/springframework/boot/loader/Launcher.class", b""),
            ("BOOT-INF/classes/com/acme/Main.class", b""),
            ("BOOT-INF/lib/core-1.jar", &packed(&[])),
        ]);
        assert_eq!(
            names("app.jar", &with_archives),
            ["core 1 in BOOT-INF/lib/core-1.jar"]
        );
    }

    #[test]
    fn what_only_wants_to_be_unpacked_is_refused() {
        let bomb = packed(&[("META-INF/MANIFEST.MF", &vec![b' '; 1_000_000])]);
        assert_eq!(
            faults(&archive("bomb.jar", &bomb)),
            ["META-INF/MANIFEST.MF: an entry of it is larger than is sensible"]
        );
        let mut nested = packed(&[("a", b"")]);
        for _ in 0..5 {
            nested = packed(&[("n.jar", &nested)]);
        }
        assert_eq!(
            faults(&archive("nested.jar", &nested)),
            ["n.jar!/n.jar!/n.jar!/n.jar: its archives nest too deeply"]
        );
        assert!(matches!(archive("a.jar", b"no archive"), Record::Broken(_)));
    }

    #[test]
    fn one_bad_archive_inside_takes_nothing_from_the_others() {
        let inner = packed(&[("META-INF/maven/org.x/core/pom.properties", POM)]);
        let outer = packed(&[
            ("BOOT-INF/lib/a-1.jar", b"no archive"),
            ("BOOT-INF/lib/core-1.2.jar", &inner),
        ]);
        let record = archive("app.jar", &outer);
        let names: Vec<&str> = record
            .packages()
            .unwrap()
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        assert_eq!(names, ["org.x:core"]);
        assert_eq!(
            faults(&record),
            ["BOOT-INF/lib/a-1.jar: it is no sound archive"]
        );
        let many: Vec<String> = (0..FAULTS + 9).map(|at| format!("{at}.jar")).collect();
        let bad: &[u8] = b"bad";
        let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), bad)).collect();
        let told = faults(&archive("many.jar", &packed(&many)));
        assert_eq!(told.len(), FAULTS + 1);
        assert_eq!(told[FAULTS], ": too much of it cannot be read");
    }

    /// An archive whose list names the one archive in it `times` times, at the same place.
    fn repeated(inner: &[u8], times: u16) -> Vec<u8> {
        let mut bytes = jar(&[("0000.jar", inner)], CompressionMethod::Stored);
        let list = memmem::rfind(&bytes, b"PK\x01\x02").unwrap();
        let end = memmem::rfind(&bytes, b"PK\x05\x06").unwrap();
        let entry = bytes[list..end].to_vec();
        let name = memmem::find(&entry, b"0000.jar").unwrap();
        let mut foot = bytes[end..].to_vec();
        bytes.truncate(list);
        for at in 0..times {
            let mut entry = entry.clone();
            entry[name..name + 4].copy_from_slice(format!("{at:04}").as_bytes());
            bytes.extend(entry);
        }
        foot[8..10].copy_from_slice(&times.to_le_bytes());
        foot[10..12].copy_from_slice(&times.to_le_bytes());
        let length = u32::try_from(entry.len()).unwrap() * u32::from(times);
        foot[12..16].copy_from_slice(&length.to_le_bytes());
        bytes.extend(foot);
        bytes
    }

    #[test]
    fn an_archive_counts_as_often_as_it_is_read() {
        let inner = packed(&[("META-INF/maven/org.x/core/pom.properties", POM)]);
        let outer = repeated(&inner, 100);
        let all = Reading::within(UNPACKED).whole("a.jar", &outer);
        assert_eq!(all.packages().map(<[Stated]>::len), Some(100), "{all:?}");
        let room = (inner.len() + POM.len()) as u64 * 10;
        let some = Reading::within(room).whole("a.jar", &outer);
        assert_eq!(some.packages().map(<[Stated]>::len), Some(10));
        assert_eq!(faults(&some), [": it unpacks to more than is sensible"]);
    }

    fn faults(record: &Record) -> Vec<String> {
        let Record::Partial(_, faults) = record else {
            return vec![format!("{record:?}")];
        };
        let faults = faults.iter();
        faults
            .map(|one| format!("{}: {}", one.inside, one.why))
            .collect()
    }

    #[test]
    fn placeholders_are_no_versions() {
        let pom = b"groupId=a\nartifactId=b\nversion=${project.version}\n";
        assert_eq!(
            names(
                "x.jar",
                &packed(&[("META-INF/maven/a/b/pom.properties", pom)])
            ),
            Vec::<String>::new()
        );
    }

    proptest! {
        #[test]
        fn nothing_stops_the_reader(at in 0_usize..400, byte in any::<u8>(), cut in 0_usize..400) {
            let mut bytes = packed(&[("META-INF/maven/org.x/core/pom.properties", POM), ("b.jar", b"x")]);
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            bytes.truncate(bytes.len().saturating_sub(cut));
            let _ = archive("a.jar", &bytes);
        }
    }
}

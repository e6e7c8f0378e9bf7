//! Records in the OSV format, read leniently: what is not known is passed over, what is missing is
//! nothing, and a record that contradicts the format is refused with the reason.
//!
//! The format: the OSV schema, version 1. Only what decides about versions is read.

use std::collections::HashMap;

use serde::Deserialize;
use serde::Deserializer;

use super::Ecosystem;
use super::Severity;
use super::advisory::Advisory;
use super::advisory::Affected;
use super::advisory::Event;
use super::affects;
use super::order::Version;
use crate::text::Clean;

/// The most characters of a summary that are kept.
const SUMMARY: usize = 160;

/// The most ids that are kept of one advisory.
const MOST_IDS: usize = 100;

/// What a record is once it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// It was withdrawn: it says nothing any more.
    Withdrawn,
    /// What it says, by package.
    Says(Says),
}

/// What a record says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Says {
    /// The day when it was published or last changed: `2026-11-20`; empty where it does not tell.
    pub modified: String,
    /// The first day of the year in its id, the least that is known; empty where there is none.
    pub numbered: String,
    /// One advisory per package.
    pub packages: Vec<(Ecosystem, String, Advisory)>,
}

/// Reads one record.
///
/// # Errors
/// When it is no record of the format; with the reason, as a fragment.
pub fn read(json: &[u8]) -> Result<Record, String> {
    let raw: Raw = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    understand(&raw)
}

/// Reads a list of records.
///
/// # Errors
/// When one of them is no record of the format; with its id and the reason, as a fragment.
pub fn read_all(json: &[u8]) -> Result<Vec<(String, Record)>, String> {
    let list: Vec<Raw> = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    list.iter()
        .map(|raw| {
            let record = understand(raw).map_err(|why| format!("{}: {why}", raw.id))?;
            Ok((raw.id.clone(), record))
        })
        .collect()
}

fn understand(raw: &Raw) -> Result<Record, String> {
    if raw.id.trim().is_empty() {
        return Err(String::from("it has no id"));
    }
    if raw.withdrawn.as_deref().is_some_and(|at| !at.is_empty()) {
        return Ok(Record::Withdrawn);
    }
    let mut says = Says {
        modified: day(&raw.modified).max(day(&raw.published)),
        numbered: raw.numbered(),
        packages: Vec::new(),
    };
    // A record may name as many packages as fit into its file, so that each is looked up.
    let mut places: HashMap<(Ecosystem, String), usize> = HashMap::new();
    for affected in &raw.affected {
        let Some((ecosystem, name, part)) = part(raw, affected)? else {
            continue;
        };
        let at = *places
            .entry((ecosystem, name.clone()))
            .or_insert(says.packages.len());
        match says.packages.get_mut(at) {
            Some((_, _, advisory)) => advisory.affected.push(part),
            None => {
                let mut advisory = raw.head();
                advisory.affected.push(part);
                says.packages.push((ecosystem, name, advisory));
            }
        }
    }
    Ok(Record::Says(says))
}

/// The day of a time stamp. The zero time that some exporters write is no day.
fn day(time: &str) -> String {
    let day = time.get(..10).unwrap_or_default();
    let digits = day.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    if digits && day > "1990" {
        day.to_owned()
    } else {
        String::new()
    }
}

/// One part of a record: the package and the versions of it that are affected.
fn part(record: &Raw, raw: &RawAffected) -> Result<Option<(Ecosystem, String, Affected)>, String> {
    let Some((ecosystem, release)) = Ecosystem::read(&raw.package.ecosystem) else {
        return Ok(None);
    };
    if raw.package.name.is_empty() {
        return Err(String::from("a package of it has no name"));
    }
    let mut ranges = Vec::new();
    for range in raw.ranges.iter().filter(|range| range.kind != "GIT") {
        let events = range.events.iter().filter_map(|raw| event(raw).transpose());
        ranges.push(events.collect::<Result<_, _>>()?);
    }
    // Ubuntu writes its word for the whole record, or for each release.
    let rated = if raw.severity.iter().any(RawSeverity::is_word) {
        &raw.severity
    } else {
        &record.severity
    };
    let words = [&raw.ecosystem_specific, &raw.database_specific].map(Specific::word);
    let mut affected = Affected {
        release,
        unimportant: words
            .iter()
            .flatten()
            .any(|word| matches!(word.as_str(), "unimportant" | "negligible"))
            || rated.iter().any(RawSeverity::is_negligible)
            || raw.database_specific.is_a_notice(),
        severity: severity(words.iter().flatten(), &raw.severity),
        ranges,
        versions: Vec::new(),
    };
    affected.versions = besides(ecosystem, &affected, &raw.versions);
    let name = ecosystem.normal(&raw.package.name);
    Ok(Some((ecosystem, name, affected)))
}

/// The listed versions that the ranges do not say already.
///
/// A distribution's list only repeats its range, at length; elsewhere a list may go beyond it.
fn besides(ecosystem: Ecosystem, affected: &Affected, listed: &[String]) -> Vec<String> {
    if ecosystem.has_releases() && !affected.ranges.is_empty() {
        return Vec::new();
    }
    let ranges = affects::Ranges::read(ecosystem, affected);
    let beyond = |text: &&String| {
        Version::read(ecosystem, text).is_none_or(|version| !ranges.contain(&version))
    };
    listed.iter().filter(beyond).cloned().collect()
}

/// One event; `None` for the limit `*`, which is none.
fn event(raw: &RawEvent) -> Result<Option<Event>, String> {
    let event = match raw {
        RawEvent {
            introduced: Some(version),
            ..
        } => Event::Introduced(version.clone()),
        RawEvent {
            fixed: Some(version),
            ..
        } => Event::Fixed(version.clone()),
        RawEvent {
            last_affected: Some(version),
            ..
        } => Event::LastAffected(version.clone()),
        RawEvent {
            limit: Some(version),
            ..
        } if version == "*" => return Ok(None),
        RawEvent {
            limit: Some(version),
            ..
        } => Event::Limit(version.clone()),
        _ => return Err(String::from("an event of a range is of no known kind")),
    };
    Ok(Some(event))
}

/// An advisory's own word comes first: somebody weighed it. Then the newest vector.
fn severity<'a>(
    words: impl Iterator<Item = &'a String>,
    vectors: &[RawSeverity],
) -> Option<Severity> {
    let mut said = words
        .filter_map(|word| Severity::of_word(word))
        .chain(vectors.iter().filter_map(RawSeverity::word));
    let said = said.find(|severity| *severity != Severity::Unknown);
    let mut ordered: Vec<&RawSeverity> = vectors.iter().collect();
    ordered.sort_by(|one, two| two.kind.cmp(&one.kind));
    let scored = || {
        ordered
            .iter()
            .find_map(|vector| Severity::of_vector(&vector.score))
    };
    said.or_else(scored)
}

#[derive(Debug, Deserialize)]
struct Raw {
    id: String,
    #[serde(default, deserialize_with = "or_nothing")]
    modified: String,
    #[serde(default, deserialize_with = "or_nothing")]
    published: String,
    #[serde(default)]
    withdrawn: Option<String>,
    #[serde(default, deserialize_with = "or_nothing")]
    aliases: Vec<String>,
    #[serde(default, deserialize_with = "or_nothing")]
    upstream: Vec<String>,
    #[serde(default, deserialize_with = "or_nothing")]
    summary: String,
    #[serde(default, deserialize_with = "or_nothing")]
    details: String,
    #[serde(default, deserialize_with = "or_nothing")]
    severity: Vec<RawSeverity>,
    #[serde(default, deserialize_with = "or_nothing")]
    affected: Vec<RawAffected>,
    #[serde(default, deserialize_with = "or_nothing")]
    database_specific: Specific,
}

impl Raw {
    /// The year in its id, as a day.
    fn numbered(&self) -> String {
        let year = self.id.split('-').find(|part| {
            part.len() == 4 && part.starts_with("20") && part.bytes().all(|b| b.is_ascii_digit())
        });
        year.map(|year| format!("{year}-01-01")).unwrap_or_default()
    }

    /// All that is the same for every package.
    fn head(&self) -> Advisory {
        let mut aliases: Vec<String> = self.aliases.iter().take(MOST_IDS).cloned().collect();
        let mut bundles = Vec::new();
        if let [one] = self.upstream.as_slice() {
            aliases.push(one.clone());
        } else {
            bundles.extend(self.upstream.iter().take(MOST_IDS).cloned());
        }
        let word = self.database_specific.word();
        Advisory {
            id: self.id.clone(),
            aliases,
            bundles,
            severity: severity(word.iter(), &self.severity).unwrap_or_default(),
            summary: self.line(),
            affected: Vec::new(),
        }
    }

    /// The summary, or the first sentence of the details.
    fn line(&self) -> String {
        let text = if self.summary.trim().is_empty() {
            let first = self.details.trim_start().split("\n\n").next();
            let paragraph = first.unwrap_or_default();
            let end = paragraph.find(". ").map_or(paragraph.len(), |at| at + 1);
            paragraph.get(..end).unwrap_or_default()
        } else {
            self.summary.as_str()
        };
        let short: String = text.chars().take(4 * SUMMARY).collect();
        let one = short.split_whitespace().collect::<Vec<_>>().join(" ");
        let clean = Clean::line(one.trim_start_matches(['#', ' ']));
        if clean.as_str().chars().count() <= SUMMARY {
            return clean.to_string();
        }
        let cut: String = clean.as_str().chars().take(SUMMARY - 1).collect();
        format!("{}…", cut.trim_end())
    }
}

#[derive(Debug, Default, Deserialize)]
struct RawSeverity {
    #[serde(rename = "type", default, deserialize_with = "or_nothing")]
    kind: String,
    #[serde(default, deserialize_with = "or_nothing")]
    score: String,
}

impl RawSeverity {
    /// Ubuntu writes a word in place of a vector.
    fn is_word(&self) -> bool {
        self.kind == "Ubuntu"
    }

    fn word(&self) -> Option<Severity> {
        self.is_word()
            .then(|| Severity::of_word(&self.score))
            .flatten()
    }

    fn is_negligible(&self) -> bool {
        self.is_word() && self.score == "negligible"
    }
}

#[derive(Debug, Default, Deserialize)]
struct RawAffected {
    #[serde(default, deserialize_with = "or_nothing")]
    package: RawPackage,
    #[serde(default, deserialize_with = "or_nothing")]
    severity: Vec<RawSeverity>,
    #[serde(default, deserialize_with = "or_nothing")]
    ranges: Vec<RawRange>,
    #[serde(default, deserialize_with = "or_nothing")]
    versions: Vec<String>,
    #[serde(default, deserialize_with = "or_nothing")]
    ecosystem_specific: Specific,
    #[serde(default, deserialize_with = "or_nothing")]
    database_specific: Specific,
}

#[derive(Debug, Default, Deserialize)]
struct RawPackage {
    #[serde(default, deserialize_with = "or_nothing")]
    ecosystem: String,
    #[serde(default, deserialize_with = "or_nothing")]
    name: String,
}

#[derive(Debug, Default, Deserialize)]
struct RawRange {
    #[serde(rename = "type", default, deserialize_with = "or_nothing")]
    kind: String,
    #[serde(default, deserialize_with = "or_nothing")]
    events: Vec<RawEvent>,
}

#[derive(Debug, Default, Deserialize)]
struct RawEvent {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
    limit: Option<String>,
}

/// What databases say in their own fields; each has other ones, and only these decide anything.
#[derive(Debug, Default)]
struct Specific {
    urgency: Option<String>,
    severity: Option<String>,
    informational: Option<String>,
}

impl Specific {
    /// The word for how bad it is.
    fn word(&self) -> Option<String> {
        let word = self.severity.as_ref().or(self.urgency.as_ref())?;
        Some(word.trim().to_ascii_lowercase())
    }

    /// Whether it is no vulnerability: a crate that nobody maintains.
    fn is_a_notice(&self) -> bool {
        matches!(
            self.informational.as_deref(),
            Some("unmaintained" | "notice")
        )
    }
}

impl<'de> Deserialize<'de> for Specific {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Fields of any shape under names that are known elsewhere: only a text is meant.
        #[derive(Deserialize)]
        struct Fields {
            #[serde(default)]
            urgency: Loose,
            #[serde(default)]
            severity: Loose,
            #[serde(default)]
            informational: Loose,
        }
        let fields = Fields::deserialize(deserializer)?;
        Ok(Self {
            urgency: fields.urgency.0,
            severity: fields.severity.0,
            informational: fields.informational.0,
        })
    }
}

/// A text, or something else that is passed over.
#[derive(Default)]
struct Loose(Option<String>);

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        Ok(Self(value.as_str().map(str::to_owned)))
    }
}

/// `null` where something is expected is nothing.
fn or_nothing<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn says(json: &str) -> Says {
        match read(json.as_bytes()).unwrap() {
            Record::Says(says) => says,
            Record::Withdrawn => panic!("it was withdrawn"),
        }
    }

    const DEBIAN: &str = r#"{
        "id": "DEBIAN-CVE-2024-6119", "modified": "2025-11-19T01:02:03Z",
        "upstream": ["CVE-2024-6119"], "details": "A first sentence. A second one.",
        "affected": [
          { "package": { "ecosystem": "Debian:12", "name": "openssl" },
            "ranges": [{ "type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.0.14-1~deb12u2"}] }],
            "versions": ["3.0.11-1"], "ecosystem_specific": { "urgency": "not yet assigned" } },
          { "package": { "ecosystem": "Debian:11", "name": "openssl" },
            "ranges": [{ "type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "0"}] }],
            "ecosystem_specific": { "urgency": "unimportant" } },
          { "package": { "ecosystem": "Cobol", "name": "openssl" } }
        ] }"#;

    #[test]
    fn one_record_about_several_releases_is_one_advisory_with_parts() {
        let says = says(DEBIAN);
        assert_eq!(says.modified, "2025-11-19");
        let [(ecosystem, name, advisory)] = says.packages.as_slice() else {
            panic!("{says:?}");
        };
        assert_eq!((*ecosystem, name.as_str()), (Ecosystem::Debian, "openssl"));
        assert_eq!(advisory.aliases, ["CVE-2024-6119"]);
        assert_eq!(advisory.summary, "A first sentence.");
        assert_eq!(advisory.severity, Severity::Unknown);
        let releases: Vec<_> = advisory
            .affected
            .iter()
            .map(|part| (part.release.as_deref(), part.unimportant))
            .collect();
        assert_eq!(releases, [(Some("12"), false), (Some("11"), true)]);
        // A list that only repeats the range is not kept.
        assert!(advisory.affected[0].versions.is_empty());
    }

    #[test]
    fn a_withdrawn_record_says_nothing() {
        let undated = r#"{"id": "GO-2024-1", "modified": "0001-01-01T00:00:00Z", "affected": []}"#;
        let undated = says(undated);
        assert_eq!(
            (undated.modified.as_str(), undated.numbered.as_str()),
            ("", "2024-01-01")
        );
        let json = r#"{"id": "X-1", "withdrawn": "2024-01-01T00:00:00Z", "affected": []}"#;
        assert_eq!(read(json.as_bytes()), Ok(Record::Withdrawn));
        let says = says(r#"{"id": "X-1", "withdrawn": null, "affected": null}"#);
        assert!(says.packages.is_empty());
    }

    #[test]
    fn what_is_no_record_is_refused_with_the_reason() {
        let why = |json: &str| read(json.as_bytes()).unwrap_err();
        assert!(why("7").contains("invalid type"));
        assert!(why("{}").contains("missing field `id`"));
        assert_eq!(why(r#"{"id": " "}"#), "it has no id");
        let event = r#"{"id": "X", "affected": [{"package": {"ecosystem": "npm", "name": "a"},
            "ranges": [{"type": "SEMVER", "events": [{"fixd": "1"}]}]}]}"#;
        assert!(why(event).contains("no known kind"));
        let nameless = r#"{"id": "X", "affected": [{"package": {"ecosystem": "npm"}}]}"#;
        assert!(why(nameless).contains("no name"));
    }

    #[test]
    fn unknown_fields_and_kinds_are_passed_over() {
        let says = says(
            r#"{"id": "X", "schema_version": "9", "severity": [{"type": "CVSS_V9", "score": "?"}],
            "affected": [{"package": {"ecosystem": "PyPI", "name": "My_Package"},
              "ranges": [{"type": "GIT", "repo": "r", "events": [{"introduced": "abc"}]}],
              "versions": ["1.0", "2.0"], "database_specific": {"severity": 7, "cwes": []}}]}"#,
        );
        let (_, name, advisory) = &says.packages[0];
        assert_eq!(name, "my-package");
        assert!(advisory.affected[0].ranges.is_empty());
        assert_eq!(advisory.affected[0].versions, ["1.0", "2.0"]);
        assert_eq!(advisory.severity, Severity::Unknown);
    }

    #[test]
    fn a_limit_of_any_version_is_none() {
        let says = says(
            r#"{"id": "X", "affected": [{"package": {"ecosystem": "PyPI", "name": "a"},
              "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2"}, {"limit": "*"}]}]}]}"#,
        );
        let part = &says.packages[0].2.affected[0];
        assert_eq!(part.ranges[0].len(), 2);
        let answer = |version| affects::affects(Ecosystem::PyPi, part, version);
        assert!(matches!(answer("1"), affects::Answer::Yes { .. }));
        assert_eq!(answer("3"), affects::Answer::No);
    }

    #[test]
    fn parts_about_one_package_come_together_wherever_they_stand() {
        let part = |name: usize| {
            format!(
                r#"{{"package": {{"ecosystem": "npm", "name": "p{name}"}}, "versions": ["1"]}}"#
            )
        };
        let parts: Vec<String> = (0..6).map(|at| part(at % 3)).collect();
        let says = says(&format!(
            r#"{{"id": "X", "affected": [{}]}}"#,
            parts.join(",")
        ));
        let found: Vec<(&str, usize)> = says
            .packages
            .iter()
            .map(|(_, name, advisory)| (name.as_str(), advisory.affected.len()))
            .collect();
        assert_eq!(found, [("p0", 2), ("p1", 2), ("p2", 2)]);
    }

    #[test]
    fn only_versions_beyond_the_ranges_are_kept() {
        let says = says(
            r#"{"id": "X", "affected": [{"package": {"ecosystem": "PyPI", "name": "a"},
              "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2"}]}],
              "versions": ["1.0", "1.9", "2.5", "odd"]}]}"#,
        );
        assert_eq!(says.packages[0].2.affected[0].versions, ["2.5", "odd"]);
    }

    #[test]
    fn severity_is_the_advisory_s_word_then_the_newest_vector() {
        let of = |severity: &str, specific: &str| {
            let json = format!(
                r#"{{"id": "X", "severity": {severity}, "database_specific": {specific},
                "affected": [{{"package": {{"ecosystem": "npm", "name": "a"}}}}]}}"#
            );
            says(&json).packages[0].2.severity
        };
        let three =
            r#"{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}"#;
        let four = r#"{"type": "CVSS_V4", "score": "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N"}"#;
        assert_eq!(of(&format!("[{three}]"), "{}"), Severity::Critical);
        assert_eq!(of(&format!("[{three},{four}]"), "{}"), Severity::Medium);
        assert_eq!(
            of(&format!("[{three}]"), r#"{"severity": "MODERATE"}"#),
            Severity::Medium
        );
        assert_eq!(of("[]", r#"{"severity": "UNKNOWN"}"#), Severity::Unknown);
        let ubuntu = r#"[{"type": "Ubuntu", "score": "high"}]"#;
        assert_eq!(of(ubuntu, "null"), Severity::High);
    }

    #[test]
    fn what_ubuntu_calls_negligible_is_unimportant_wherever_it_says_so() {
        let of = |record: &str, part: &str| {
            let json = format!(
                r#"{{"id": "X", "severity": [{record}], "affected": [{{
                "package": {{"ecosystem": "Ubuntu:24.04:LTS", "name": "a"}}, "severity": [{part}]}}]}}"#
            );
            says(&json).packages[0].2.affected[0].unimportant
        };
        let negligible = r#"{"type": "Ubuntu", "score": "negligible"}"#;
        let low = r#"{"type": "Ubuntu", "score": "low"}"#;
        let vector =
            r#"{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}"#;
        assert!(of(negligible, "") && of("", negligible) && of(negligible, vector));
        assert!(!of(low, "") && !of(negligible, low));
    }

    #[test]
    fn a_bulletin_about_several_names_them_apart() {
        let says = says(
            r#"{"id": "DSA-1-1", "upstream": ["CVE-1", "CVE-2"],
            "affected": [{"package": {"ecosystem": "Debian:12", "name": "a"}}]}"#,
        );
        let advisory = &says.packages[0].2;
        assert!(advisory.aliases.is_empty());
        assert_eq!(advisory.bundles, ["CVE-1", "CVE-2"]);
    }

    #[test]
    fn summaries_are_one_short_clean_line() {
        let long = "word ".repeat(200);
        let says = says(&format!(
            r#"{{"id": "X", "summary": "a\u001b[2Jb\n{long}",
            "affected": [{{"package": {{"ecosystem": "npm", "name": "a"}}}}]}}"#
        ));
        let summary = &says.packages[0].2.summary;
        assert!(summary.chars().count() <= SUMMARY, "{summary}");
        assert!(summary.ends_with('…') && !summary.contains('\u{1b}'));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }
    }
}

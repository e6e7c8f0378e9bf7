//! Packages and advisories made by hand, and what comes of comparing them.

use super::*;
use crate::finding::osv;
use crate::finding::osv::Record;
use crate::image::package::Distribution;
use crate::image::package::Gap;
use crate::image::package::SourcePackage;

/// Advisories in memory.
#[derive(Debug, Default)]
struct Memory {
    database: Database,
    list: Vec<(Ecosystem, String, Advisory)>,
    covers: Vec<(Ecosystem, Option<&'static str>)>,
    days: Vec<(Ecosystem, &'static str)>,
}

impl Advisories for Memory {
    fn database(&self) -> &Database {
        &self.database
    }

    fn newest(&self, ecosystem: Ecosystem) -> Option<&str> {
        let mut days = self.days.iter();
        days.find(|(of, _)| *of == ecosystem).map(|(_, day)| *day)
    }

    fn about(
        &self,
        ecosystem: Ecosystem,
        release: Option<&str>,
        package: &str,
    ) -> Result<Option<Vec<Advisory>>, LookupError> {
        if !self.covers.contains(&(ecosystem, None))
            && !self
                .covers
                .iter()
                .any(|(of, known)| *of == ecosystem && known.is_some() && *known == release)
        {
            return Ok(None);
        }
        let ours = self
            .list
            .iter()
            .filter(|(of, name, _)| *of == ecosystem && name == package);
        Ok(Some(ours.map(|(_, _, one)| one.clone()).collect()))
    }

    fn named(
        &self,
        ecosystem: Ecosystem,
        ending: &str,
    ) -> Result<Option<Vec<String>>, LookupError> {
        let ours = self
            .list
            .iter()
            .filter(|(of, name, _)| *of == ecosystem && name.ends_with(ending));
        let names: BTreeSet<String> = ours.map(|(_, name, _)| name.clone()).collect();
        let covered = self.covers.contains(&(ecosystem, None));
        Ok(covered.then(|| names.into_iter().collect()))
    }
}

fn memory(covers: &[(Ecosystem, Option<&'static str>)], records: &[&str]) -> Memory {
    let mut memory = Memory {
        covers: covers.to_vec(),
        ..Memory::default()
    };
    for json in records {
        if let Record::Says(says) = osv::read(json.as_bytes()).unwrap() {
            memory.list.extend(says.packages);
        }
    }
    memory
}

fn package(kind: PackageKind, name: &str, version: &str) -> Package {
    Package {
        kind,
        name: name.to_owned(),
        version: version.to_owned(),
        source: None,
        architecture: None,
        licences: Vec::new(),
        layer: 0,
        path: String::new(),
    }
}

fn of_source(mut package: Package, name: &str, version: &str) -> Package {
    package.source = Some(SourcePackage {
        name: name.to_owned(),
        version: version.to_owned(),
    });
    package
}

fn image(id: &str, version: &str, packages: Vec<Package>) -> Inventory {
    Inventory {
        distribution: Some(Distribution {
            id: id.to_owned(),
            version: version.to_owned(),
            title: format!("{id} {version}"),
        }),
        packages,
        ..Inventory::default()
    }
}

/// `severity id package [also…] -> fixed`.
fn lines(scan: &Scan) -> Vec<String> {
    let line = |finding: &Finding| {
        let also: Vec<&str> = finding.also.iter().map(|one| one.name.as_str()).collect();
        format!(
            "{} {} {}{} -> {}",
            finding.severity,
            finding.id,
            finding.package.name,
            also.iter()
                .map(|name| format!("+{name}"))
                .collect::<String>(),
            finding.fixed.as_deref().unwrap_or("none")
        )
    };
    scan.findings.iter().map(line).collect()
}

fn debian(id: &str, release: &str, package: &str, fixed: &str, urgency: &str) -> String {
    let events = if fixed.is_empty() {
        r#"[{"introduced": "0"}]"#.to_owned()
    } else {
        format!(r#"[{{"introduced": "0"}}, {{"fixed": "{fixed}"}}]"#)
    };
    format!(
        r#"{{"id": "DEBIAN-{id}", "upstream": ["{id}"], "affected": [{{
        "package": {{"ecosystem": "Debian:{release}", "name": "{package}"}},
        "ranges": [{{"type": "ECOSYSTEM", "events": {events}}}],
        "ecosystem_specific": {{"urgency": "{urgency}"}}}}]}}"#
    )
}

#[test]
fn debian_is_matched_by_source_package_and_source_version() {
    let fixed = debian("CVE-2024-1", "13", "openssl", "3.5.1-1+deb13u2", "high");
    let advisories = memory(&[(Ecosystem::Debian, Some("13"))], &[&fixed]);
    // The binary's own version carries a rebuild's suffix that the source's has not.
    let lib = of_source(
        package(PackageKind::Deb, "libssl3t64", "3.5.1-1+deb13u1+b1"),
        "openssl",
        "3.5.1-1+deb13u1",
    );
    let tool = of_source(
        package(PackageKind::Deb, "openssl", "3.5.1-1+deb13u1"),
        "openssl",
        "3.5.1-1+deb13u1",
    );
    let scan = scan(&image("debian", "13", vec![lib, tool]), &advisories).unwrap();
    assert_eq!(
        lines(&scan),
        ["high CVE-2024-1 libssl3t64+openssl -> 3.5.1-1+deb13u2"]
    );
    assert_eq!(scan.packages, 2);
    assert!(!scan.is_blind());
}

#[test]
fn unimportant_ones_are_counted_and_not_listed() {
    let records = [
        debian("CVE-2011-3374", "13", "apt", "", "unimportant"),
        debian("CVE-2020-1", "13", "apt", "0", "not yet assigned"),
        debian("CVE-2020-2", "12", "apt", "", "high"),
        debian("CVE-2020-3", "13", "apt", "", "low"),
    ];
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    let advisories = memory(&[(Ecosystem::Debian, Some("13"))], &records);
    let packages = vec![package(PackageKind::Deb, "apt", "3.0.3")];
    let scan = scan(&image("debian", "13", packages), &advisories).unwrap();
    assert_eq!(lines(&scan), ["low CVE-2020-3 apt -> none"]);
    assert_eq!(scan.unimportant, 1);
}

#[test]
fn another_release_or_distribution_is_uncovered_and_never_clean() {
    let advisories = memory(&[(Ecosystem::Debian, Some("13"))], &[]);
    let packages = || vec![package(PackageKind::Deb, "apt", "1")];
    for (id, version, place, why) in [
        ("debian", "11", "Debian 11", Lack::Snapshot),
        ("debian", "", "Debian without a release", Lack::Release),
        ("kali", "2026.1", "kali 2026.1", Lack::Release),
        ("ubuntu", "24.04", "Ubuntu 24.04", Lack::Snapshot),
    ] {
        let scan = scan(&image(id, version, packages()), &advisories).unwrap();
        assert_eq!(scan.packages, 0);
        assert_eq!(scan.uncovered[0].ecosystem, place);
        assert_eq!(
            (scan.uncovered[0].packages, scan.uncovered[0].why),
            (1, why)
        );
        assert!(scan.is_blind());
    }
}

#[test]
fn a_vendor_s_package_is_never_compared_with_the_distribution_s_advisories() {
    let record = debian("CVE-2024-1", "13", "nginx", "1.28.0-1", "high");
    let advisories = memory(&[(Ecosystem::Debian, Some("13"))], &[&record]);
    let packages = vec![
        package(PackageKind::Deb, "nginx", "1.27.3-1~trixie"),
        package(PackageKind::Deb, "apt", "3.0.3"),
    ];
    let mut image = image("debian", "13", packages);
    image.foreign.insert("nginx".to_owned());
    let scan = scan(&image, &advisories).unwrap();
    assert!(scan.findings.is_empty() && scan.is_blind());
    assert_eq!(scan.packages, 1);
    let expected = Uncovered {
        ecosystem: "a vendor".to_owned(),
        packages: 1,
        first: "nginx".to_owned(),
        why: Lack::Release,
    };
    assert_eq!(scan.uncovered, [expected]);
}

#[test]
fn a_crate_of_sources_at_hand_is_not_that_of_the_registry() {
    let ecosystem = Ecosystem::Rust.name();
    let record = format!(
        r#"{{"id": "RUSTSEC-1", "affected": [{{"package": {{"ecosystem": "{ecosystem}", "name": "app"}},
        "ranges": [{{"type": "SEMVER", "events": [{{"introduced": "0"}}]}}]}}]}}"#
    );
    let advisories = memory(&[(Ecosystem::Rust, None)], &[&record]);
    let mut own = package(PackageKind::Rust, "app", "0.1.0");
    own.path = String::from("bin/app");
    let mut public = own.clone();
    public.path = String::from("bin/other");
    let mut image = image("debian", "13", vec![own, public]);
    image
        .local
        .insert((String::from("bin/app"), String::from("app")));
    let scan = scan(&image, &advisories).unwrap();
    assert_eq!(scan.packages, 2);
    let paths: Vec<&str> = scan
        .findings
        .iter()
        .map(|one| one.package.path.as_str())
        .collect();
    assert_eq!((paths, scan.findings[0].also.len()), (vec!["bin/other"], 0));
}

#[test]
fn gems_and_php_packages_are_uncovered_by_their_own_name() {
    let advisories = memory(&[(Ecosystem::Debian, Some("13"))], &[]);
    let packages = vec![
        package(PackageKind::Ruby, "rack", "3.0.8"),
        package(PackageKind::Php, "monolog/monolog", "2.9.1"),
    ];
    let scan = scan(&image("debian", "13", packages), &advisories).unwrap();
    assert!(scan.is_blind());
    let places: Vec<(&str, Lack)> = scan
        .uncovered
        .iter()
        .map(|one| (one.ecosystem.as_str(), one.why))
        .collect();
    assert_eq!(
        places,
        [
            ("Packagist", Lack::Ecosystem),
            ("RubyGems", Lack::Ecosystem)
        ]
    );
}

#[test]
fn alpine_is_matched_by_origin_and_branch() {
    let record = r#"{"id": "ALPINE-CVE-2024-5", "upstream": ["CVE-2024-5"], "affected": [{
        "package": {"ecosystem": "Alpine:v3.22", "name": "openssl"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.5.1-r0"}]}],
        "versions": ["3.5.0-r0"]}]}"#;
    let advisories = memory(&[(Ecosystem::Alpine, Some("3.22"))], &[record]);
    let lib = of_source(
        package(PackageKind::Apk, "libcrypto3", "3.5.0-r10"),
        "openssl",
        "3.5.0-r10",
    );
    let scan = scan(&image("alpine", "3.22.1", vec![lib]), &advisories).unwrap();
    assert_eq!(lines(&scan), ["unknown CVE-2024-5 libcrypto3 -> 3.5.1-r0"]);
}

#[test]
fn advisories_about_one_vulnerability_are_one_finding_with_the_known_id() {
    let pysec = r#"{"id": "PYSEC-2024-1", "aliases": ["CVE-2024-56201", "GHSA-gmj6-6f8f-6699"],
        "affected": [{"package": {"ecosystem": "PyPI", "name": "jinja2"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.1.5"}]}]}]}"#;
    let ghsa = r#"{"id": "GHSA-gmj6-6f8f-6699", "aliases": ["CVE-2024-56201"],
        "summary": "breakout", "database_specific": {"severity": "MODERATE"},
        "affected": [{"package": {"ecosystem": "PyPI", "name": "Jinja2"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "3.0.0"}, {"fixed": "3.1.5"}]}]}]}"#;
    let advisories = memory(&[(Ecosystem::PyPi, None)], &[pysec, ghsa]);
    let packages = vec![
        package(PackageKind::Python, "Jinja2", "3.1.3"),
        package(PackageKind::Python, "jinja2", "3.1.6"),
    ];
    let scan = scan(&image("debian", "13", packages), &advisories).unwrap();
    assert_eq!(lines(&scan), ["medium CVE-2024-56201 Jinja2 -> 3.1.5"]);
    assert_eq!(
        scan.findings[0].aliases,
        ["GHSA-gmj6-6f8f-6699", "PYSEC-2024-1"]
    );
    assert_eq!(scan.findings[0].summary, "breakout");
}

#[test]
fn an_advisory_that_joins_two_others_makes_one_of_three() {
    let record = |id: &str, aliases: &str| {
        format!(
            r#"{{"id": "{id}", "aliases": [{aliases}], "affected": [{{
            "package": {{"ecosystem": "npm", "name": "a"}},
            "ranges": [{{"type": "SEMVER", "events": [{{"introduced": "0"}}]}}]}}]}}"#
        )
    };
    let records = [
        record("A-1", ""),
        record("B-1", ""),
        record("C-1", r#""A-1", "B-1""#),
    ];
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    let advisories = memory(&[(Ecosystem::Npm, None)], &records);
    let packages = vec![package(PackageKind::Node, "a", "1.0.0")];
    let scan = scan(&image("debian", "13", packages), &advisories).unwrap();
    assert_eq!(lines(&scan), ["unknown A-1 a -> none"]);
    assert_eq!(scan.findings[0].aliases, ["B-1", "C-1"]);
}

#[test]
fn a_bulletin_counts_once_for_each_vulnerability_and_not_again() {
    let bulletin = r#"{"id": "DSA-1-1", "upstream": ["CVE-2024-1", "CVE-2024-2"], "affected": [{
        "package": {"ecosystem": "Debian:13", "name": "a"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2"}]}]}]}"#;
    let single = debian("CVE-2024-1", "13", "a", "2", "high");
    let advisories = memory(
        &[(Ecosystem::Debian, Some("13"))],
        &[bulletin, single.as_str()],
    );
    let packages = vec![package(PackageKind::Deb, "a", "1")];
    let scan = scan(&image("debian", "13", packages), &advisories).unwrap();
    assert_eq!(
        lines(&scan),
        ["high CVE-2024-1 a -> 2", "unknown CVE-2024-2 a -> 2"]
    );
}

#[test]
fn a_bulletin_does_not_overrule_the_record_of_a_vulnerability() {
    let bulletin = |id: &str, about: &str| {
        format!(
            r#"{{"id": "{id}", "upstream": [{about}], "affected": [{{
            "package": {{"ecosystem": "Debian:13", "name": "openssl"}},
            "ranges": [{{"type": "ECOSYSTEM", "events": [{{"introduced": "0"}}, {{"fixed": "3.5.4-1"}}]}}]}}]}}"#
        )
    };
    let records = [
        debian("CVE-2026-1", "13", "openssl", "3.5.4-1", "high"),
        // It was never in this release, whatever the update also brings.
        debian("CVE-2026-2", "13", "openssl", "0", "not yet assigned"),
        debian("CVE-2026-3", "13", "openssl", "3.5.4-1", "unimportant"),
        // What another release says counts for nothing here.
        debian("CVE-2026-4", "12", "openssl", "0", "not yet assigned"),
        bulletin(
            "DSA-9000-1",
            r#""CVE-2026-1", "CVE-2026-2", "CVE-2026-3", "CVE-2026-4""#,
        ),
        bulletin("DSA-9001-1", r#""CVE-2026-2""#),
    ];
    let mut records: Vec<&str> = records.iter().map(String::as_str).collect();
    for _ in 0..2 {
        let advisories = memory(&[(Ecosystem::Debian, Some("13"))], &records);
        let packages = vec![package(PackageKind::Deb, "openssl", "3.5.1-1")];
        let scan = scan(&image("debian", "13", packages), &advisories).unwrap();
        assert_eq!(
            lines(&scan),
            [
                "high CVE-2026-1 openssl -> 3.5.4-1",
                "unknown CVE-2026-4 openssl -> 3.5.4-1"
            ]
        );
        assert_eq!(scan.unimportant, 1);
        // In whatever order they come.
        records.reverse();
    }
}

#[test]
fn go_s_standard_library_is_a_package() {
    let record = r#"{"id": "GO-2024-2887", "aliases": ["CVE-2024-24790"], "affected": [{
        "package": {"ecosystem": "Go", "name": "stdlib"}, "ranges": [{"type": "SEMVER",
        "events": [{"introduced": "0"}, {"fixed": "1.21.11"}, {"introduced": "1.22.0-0"}, {"fixed": "1.22.4"}]}]}]}"#;
    let advisories = memory(&[(Ecosystem::Go, None)], &[record]);
    let of = |version: &str| {
        let packages = vec![package(PackageKind::Go, "stdlib", version)];
        let image = Inventory {
            packages,
            ..Inventory::default()
        };
        lines(&scan(&image, &advisories).unwrap())
    };
    assert_eq!(of("go1.22.3"), ["unknown CVE-2024-24790 stdlib -> 1.22.4"]);
    assert_eq!(of("1.21.10"), ["unknown CVE-2024-24790 stdlib -> 1.21.11"]);
    assert_eq!(of("go1.22rc1"), ["unknown CVE-2024-24790 stdlib -> 1.22.4"]);
    assert!(of("go1.22.4").is_empty());
}

#[test]
fn an_interpreter_without_a_package_is_told_and_go_s_by_its_own_programs() {
    let runtime = |name: &str, version: &str, path: &str| Runtime {
        name: name.to_owned(),
        version: version.to_owned(),
        layer: 0,
        path: path.to_owned(),
    };
    let mut stdlib = package(PackageKind::Go, "stdlib", "1.22.5");
    stdlib.path = "usr/local/go/bin/go".to_owned();
    let mut image = image("debian", "13", vec![stdlib]);
    image.runtimes = vec![
        runtime("go", "1.21.0", "opt/go"),
        runtime("go", "1.22.5", "usr/local/go"),
        runtime("python", "3.8.0", "usr/local/bin/python"),
    ];
    let scan = scan(&image, &memory(&[(Ecosystem::Go, None)], &[])).unwrap();
    let told: Vec<&str> = scan.runtimes.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(told, ["opt/go", "usr/local/bin/python"]);
    // It is told and takes nothing from the verdict: no advisories could ever be had.
    assert!(!scan.is_blind());
}

#[test]
fn a_version_without_a_place_makes_the_scan_blind() {
    let record = r#"{"id": "X", "affected": [{"package": {"ecosystem": "Go", "name": "m"},
        "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.2.0"}]}]}]}"#;
    let advisories = memory(&[(Ecosystem::Go, None)], &[record]);
    let packages = vec![
        package(PackageKind::Go, "m", "(devel)"),
        package(PackageKind::Go, "other", "(devel)"),
    ];
    let image = Inventory {
        packages,
        ..Inventory::default()
    };
    let scan = scan(&image, &advisories).unwrap();
    assert_eq!(scan.unordered, ["m (devel)"]);
    assert!(scan.findings.is_empty() && scan.is_blind());
}

#[test]
fn the_day_is_the_oldest_of_the_ecosystems_that_were_asked() {
    let mut advisories = memory(&[(Ecosystem::Go, None), (Ecosystem::PyPi, None)], &[]);
    advisories.database.date = "2026-11-25".to_owned();
    let day = |advisories: &Memory, kinds: &[PackageKind]| {
        let packages = kinds.iter().map(|kind| package(*kind, "a", "1")).collect();
        let image = Inventory {
            packages,
            ..Inventory::default()
        };
        scan(&image, advisories).unwrap().database_date
    };
    let (go, python, node) = (PackageKind::Go, PackageKind::Python, PackageKind::Node);
    assert_eq!(day(&advisories, &[python]), "2026-11-25");
    advisories.days = vec![
        (Ecosystem::Go, "2026-11-20"),
        (Ecosystem::PyPi, "2024-10-10"),
        (Ecosystem::Npm, "2023-01-01"),
    ];
    assert_eq!(day(&advisories, &[go]), "2026-11-20");
    assert_eq!(day(&advisories, &[go, python]), "2024-10-10");
    // What is not covered was not compared with anything of any day.
    assert_eq!(day(&advisories, &[go, node]), "2026-11-20");
}

#[test]
fn the_kernel_s_headers_are_no_kernel() {
    let record = debian("CVE-2025-1", "13", "linux", "", "high");
    let advisories = memory(&[(Ecosystem::Debian, Some("13"))], &[&record]);
    let headers = of_source(
        package(PackageKind::Deb, "linux-libc-dev", "6.12.48-1"),
        "linux",
        "6.12.48-1",
    );
    let scan = scan(&image("debian", "13", vec![headers]), &advisories).unwrap();
    assert_eq!((scan.findings.len(), scan.kernel), (0, 1));
}

#[test]
fn where_two_advisories_name_different_fixes_the_later_one_counts() {
    let record = |id: &str, fixed: &str| {
        format!(
            r#"{{"id": "{id}", "aliases": ["CVE-1"], "affected": [{{
            "package": {{"ecosystem": "Maven", "name": "g:a"}},
            "ranges": [{{"type": "ECOSYSTEM", "events": [{{"introduced": "0"}}, {{"fixed": "{fixed}"}}]}}]}}]}}"#
        )
    };
    let (one, two) = (record("A", "2.15.0"), record("B", "2.9.0"));
    let advisories = memory(&[(Ecosystem::Maven, None)], &[&one, &two]);
    let image = Inventory {
        packages: vec![package(PackageKind::Java, "g:a", "2.1")],
        ..Inventory::default()
    };
    let scan = scan(&image, &advisories).unwrap();
    assert_eq!(lines(&scan), ["unknown CVE-1 g:a -> 2.15.0"]);
}

#[test]
fn gaps_and_an_empty_image_are_never_clean() {
    let advisories = memory(&[(Ecosystem::Go, None)], &[]);
    let nothing = scan(&Inventory::default(), &advisories).unwrap();
    assert!(nothing.is_blind());
    let opaque = Inventory {
        packages: vec![package(PackageKind::Go, "m", "v1.0.0")],
        gaps: vec![Gap::OpaqueBinary {
            path: "app".to_owned(),
            layer: 0,
        }],
        ..Inventory::default()
    };
    let scan = scan(&opaque, &advisories).unwrap();
    assert!(scan.is_blind());
    assert_eq!(scan.gaps.len(), 1);
}

/// An advisory about all versions of an archive below 9.9.
fn about_archive(id: &str, name: &str) -> String {
    format!(
        r#"{{"id": "{id}", "affected": [{{"package": {{"ecosystem": "Maven", "name": "{name}"}},
        "ranges": [{{"type": "ECOSYSTEM", "events": [{{"introduced": "0"}}, {{"fixed": "9.9"}}]}}]}}]}}"#
    )
}

/// A scan of archives that name no group, each with the makers of its classes.
fn of_archives(jars: &[(&str, &[&str])], advisories: &Memory) -> Scan {
    let mut image = Inventory::default();
    for (name, makers) in jars {
        let mut jar = package(PackageKind::Java, name, "1.0");
        jar.path = format!("lib/{name}.jar");
        let makers = makers.iter().map(|maker| (*maker).to_owned()).collect();
        image.makers.insert(jar.path.clone(), makers);
        image.packages.push(jar);
    }
    scan(&image, advisories).unwrap()
}

#[test]
fn an_archive_without_a_group_is_matched_by_its_name_and_its_classes() {
    let records = [
        about_archive("A", "org.springframework:spring-beans"),
        about_archive("B", "org.apache.tomcat.embed:tomcat-embed-core"),
        about_archive("C", "com.squareup.okhttp3:okhttp"),
        about_archive("D", "com.squareup.okhttp:okhttp"),
        about_archive("E", "commons-io:commons-io"),
        about_archive("F", "com.example:core"),
        about_archive("G", "com.h2database:h2"),
        about_archive("H", "org.springframework:not-spring-beans"),
    ];
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    let known = memory(&[(Ecosystem::Maven, None)], &records);
    let found = of_archives(
        &[
            ("spring-beans", &["org/springframework"]),
            ("tomcat-embed-core", &["jakarta", "org/apache"]),
            ("okhttp", &["okhttp3"]),
            ("commons-io", &["org/apache"]),
            ("h2", &["org/h2"]),
            ("acme", &["com/acme"]),
        ],
        &known,
    );
    assert_eq!(
        lines(&found),
        [
            "unknown E commons-io -> 9.9",
            "unknown G h2 -> 9.9",
            "unknown C okhttp -> 9.9",
            "unknown A spring-beans -> 9.9",
            "unknown B tomcat-embed-core -> 9.9",
        ]
    );
    assert!(!found.is_blind() && found.packages == 6);
    // Somebody else's artifact of the same name may be it or not.
    let doubtful = of_archives(&[("core", &["org/acme"])], &known);
    assert!(doubtful.findings.is_empty() && doubtful.is_blind());
    let [uncovered] = doubtful.uncovered.as_slice() else {
        panic!("{doubtful:?}");
    };
    assert_eq!(
        (uncovered.why, uncovered.first.as_str()),
        (Lack::Group, "core")
    );
    // Nor does what a domain ends in, or what a name begins with, tell whose an archive is.
    let others = [
        about_archive("A", "com.x:server"),
        about_archive("B", "com.nobody:common"),
        about_archive("C", "org.acme2:core"),
    ];
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    let mistaken = of_archives(
        &[
            ("server", &["br/com/empresa"]),
            ("common", &["uk/co/acme"]),
            ("core", &["com/acme"]),
        ],
        &memory(&[(Ecosystem::Maven, None)], &others),
    );
    assert!(mistaken.findings.is_empty() && mistaken.is_blind());
    let without = of_archives(&[("core", &["com/example"])], &memory(&[], &[]));
    assert_eq!(without.uncovered[0].why, Lack::Snapshot);
}

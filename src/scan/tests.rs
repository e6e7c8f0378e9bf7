//! The adapters on what scanners print, cut short: OSV-Scanner 2.6.0 and Grype 0.121.3, on an
//! image and databases made by hand; the others' is of the documented forms.

use super::*;
use crate::finding::NO_LAYER;
use crate::finding::Scan;
use crate::finding::Uncovered;
use crate::finding::matching::sort;
use crate::image::package::Distribution;
use crate::image::package::Inventory;
use crate::image::package::Package;
use crate::image::package::Runtime;
use crate::image::package::SourcePackage;

const LAYERS: [&str; 2] = ["sha256:1111", "sha256:2222"];

fn read(scanner: Scanner, json: &str, version: &Version) -> Result<Scan, String> {
    let inventory = Inventory::default();
    (scanner.adapter().read)(json.as_bytes(), version, &image(&inventory))
}

fn image(inventory: &Inventory) -> Image<'_> {
    Image {
        layers: LAYERS.map(str::to_owned).into(),
        inventory,
    }
}

/// A package of our own reading.
fn package(kind: PackageKind, name: &str, version: &str, source: &str) -> Package {
    Package {
        kind,
        name: name.to_owned(),
        version: version.to_owned(),
        source: (!source.is_empty()).then(|| SourcePackage {
            name: source.to_owned(),
            version: version.to_owned(),
        }),
        architecture: None,
        licences: Vec::new(),
        layer: 0,
        path: String::new(),
    }
}

/// `severity id package version [source] -> fixed, layer`, sorted as scans are.
fn lines(scan: &mut Scan) -> Vec<String> {
    sort(&mut scan.findings);
    scan.findings
        .iter()
        .map(|finding| {
            let package = &finding.package;
            let source = package
                .source
                .as_ref()
                .map(|source| format!(" [{} {}]", source.name, source.version))
                .unwrap_or_default();
            let layer = if package.layer == NO_LAYER {
                "some layer".to_owned()
            } else {
                format!("layer {}", package.layer)
            };
            format!(
                "{} {} {} {}{source} -> {}, {layer}",
                finding.severity,
                finding.id,
                package.name,
                package.version,
                finding.fixed.as_deref().unwrap_or("none"),
            )
        })
        .collect()
}

macro_rules! sample {
    ($name:literal) => {
        include_str!(concat!("../../tests/data/scanners/", $name))
    };
}

fn version_of(scanner: Scanner, text: &str) -> Option<Version> {
    (scanner.adapter().read_version)(text)
}

#[test]
fn trivy_is_read_with_sources_layers_and_the_day_of_its_database() {
    let version = version_of(Scanner::Trivy, sample!("trivy-version.json")).unwrap();
    assert_eq!(
        (version.own.as_str(), version.database.as_str()),
        ("0.71.0", "2026-11-20")
    );
    let mut scan = read(Scanner::Trivy, sample!("trivy.json"), &version).unwrap();
    assert_eq!(scan.database_date, "2026-11-20");
    assert_eq!(scan.packages, 3);
    assert_eq!(
        lines(&mut scan),
        [
            "high CVE-2025-15467 libssl3t64 3.5.1-1 [openssl 3.5.1-1] -> 3.5.4-1~deb13u2, layer 0",
            "medium CVE-2024-34064 Jinja2 3.1.3 -> 3.1.4, layer 1",
            "low CVE-2005-2541 tar 1.35+dfsg-3.1 -> none, layer 0",
        ]
    );
    assert!(!scan.is_blind());
    // The archive's name on this machine is no path in the image.
    let paths: Vec<&str> = scan
        .findings
        .iter()
        .map(|one| one.package.path.as_str())
        .collect();
    assert_eq!(paths, ["", "deps/jinja2-3.1.3.dist-info/METADATA", ""]);
}

/// `packages of ecosystem (first): why`.
fn uncovered(scan: &Scan) -> Vec<String> {
    let line = |one: &Uncovered| {
        let (packages, place, first, why) = (one.packages, &one.ecosystem, &one.first, one.why);
        format!("{packages} of {place} ({first}): {why:?}")
    };
    scan.uncovered.iter().map(line).collect()
}

#[test]
fn what_trivy_s_own_tests_expect_of_it_is_read() {
    let version = Version::default();
    let mut ended = read(Scanner::Trivy, sample!("trivy-alpine-310.json"), &version).unwrap();
    assert_eq!(
        lines(&mut ended),
        [
            "medium CVE-2019-1549 libcrypto1.1 1.1.1c-r0 -> 1.1.1d-r0, some layer",
            "medium CVE-2019-1551 libcrypto1.1 1.1.1c-r0 -> 1.1.1d-r2, some layer",
            "medium CVE-2019-1549 libssl1.1 1.1.1c-r0 -> 1.1.1d-r0, some layer",
            "medium CVE-2019-1551 libssl1.1 1.1.1c-r0 -> 1.1.1d-r2, some layer",
        ]
    );
    // Of a release that is no longer cared for it finds what was known at its end.
    assert_eq!(
        uncovered(&ended),
        ["2 of alpine 3.10.2 (libcrypto1.1): Ended"]
    );
    assert!(ended.is_blind() && ended.packages == 0);
    // Of one source, as the image's own records say, these are two vulnerabilities.
    let of_openssl = |name| package(PackageKind::Apk, name, "1.1.1c-r0", "openssl");
    let inventory = Inventory {
        packages: vec![of_openssl("libcrypto1.1"), of_openssl("libssl1.1")],
        ..Inventory::default()
    };
    image(&inventory).complete(Scanner::Trivy, &mut ended);
    assert_eq!(
        lines(&mut ended),
        [
            "medium CVE-2019-1549 libcrypto1.1 1.1.1c-r0 [openssl 1.1.1c-r0] -> 1.1.1d-r0, layer 0",
            "medium CVE-2019-1551 libcrypto1.1 1.1.1c-r0 [openssl 1.1.1c-r0] -> 1.1.1d-r2, layer 0",
        ]
    );
    let other = &ended.findings[0].also[0];
    assert_eq!((other.name.as_str(), other.layer), ("libssl1.1", 0));

    let mut stable = read(
        Scanner::Trivy,
        sample!("trivy-debian-buster.json"),
        &version,
    )
    .unwrap();
    assert_eq!(
        lines(&mut stable),
        ["critical CVE-2019-18224 libidn2-0 2.0.5-1 -> 2.0.5-1+deb10u1, some layer"]
    );
    assert_eq!(stable.findings[0].aliases, ["DSA-4613-1"]);
    assert_eq!(uncovered(&stable), Vec::<String>::new());
}

#[test]
fn a_distribution_that_trivy_has_no_advisories_of_is_never_clean() {
    let report = |system: &str, class: &str| {
        format!(
            r#"{{"SchemaVersion": 2, "Metadata": {{{system}}}, "Results": [
            {{"Target": "a", "Class": "{class}", "Type": "debian", "Packages": [
                {{"Name": "b", "Version": "1"}}, {{"Name": "a", "Version": "1"}}]}},
            {{"Target": "Python", "Class": "lang-pkgs", "Type": "python-pkg", "Packages": [
                {{"Name": "jinja2", "Version": "3"}}]}}]}}"#
        )
    };
    for (system, said) in [
        (r#""OS": {"Family": "debian", "Name": "13.2"}"#, ""),
        (r#""OS": {"Family": "alpine", "Name": "edge"}"#, ""),
        (
            r#""OS": {"Family": "debian", "Name": "forky/sid"}"#,
            "2 of debian forky/sid (a): Release",
        ),
        (
            r#""OS": {"Family": "alpine", "Name": "3.10.2", "EOSL": true}"#,
            "2 of alpine 3.10.2 (a): Ended",
        ),
        ("", "2 of debian (a): Release"),
    ] {
        let scan = read(
            Scanner::Trivy,
            &report(system, "os-pkgs"),
            &Version::default(),
        )
        .unwrap();
        assert_eq!(uncovered(&scan).join(", "), said, "{system}");
        assert_eq!(scan.is_blind(), !said.is_empty());
        assert_eq!(scan.packages, if said.is_empty() { 3 } else { 1 });
    }
    // Of one that it does not know it says nothing at all: our own reading knows that it is there.
    let inventory = Inventory {
        distribution: Some(Distribution {
            title: String::from("Kali GNU/Linux"),
            ..Distribution::default()
        }),
        packages: vec![
            package(PackageKind::Deb, "libssl3t64", "3.5.1-1", "openssl"),
            package(PackageKind::Python, "jinja2", "3", ""),
        ],
        ..Inventory::default()
    };
    let read_with = |json: &str, inventory: &Inventory| {
        let read = Scanner::Trivy.adapter().read;
        read(json.as_bytes(), &Version::default(), &image(inventory)).unwrap()
    };
    let system = r#""OS": {"Family": "kali", "Name": "2026.1"}"#;
    let kali = read_with(&report(system, "lang-pkgs"), &inventory);
    assert_eq!(
        uncovered(&kali),
        ["1 of Kali GNU/Linux (libssl3t64): Release"]
    );
    assert!(kali.is_blind());
    let python = Inventory {
        packages: vec![package(PackageKind::Python, "jinja2", "3", "")],
        ..Inventory::default()
    };
    assert!(!read_with(&report(system, "lang-pkgs"), &python).is_blind());
}

#[test]
fn an_interpreter_without_a_package_is_told_unless_the_scanner_looks_for_it() {
    let inventory = Inventory {
        runtimes: vec![Runtime {
            name: String::from("python"),
            version: String::from("3.8.0"),
            layer: 0,
            path: String::from("usr/local/bin/python"),
        }],
        ..Inventory::default()
    };
    for scanner in Scanner::ALL {
        let mut scan = Scan::default();
        image(&inventory).complete(scanner, &mut scan);
        let looks = matches!(scanner, Scanner::Grype | Scanner::Scout);
        assert_eq!(scan.runtimes.is_empty(), looks, "{}", scanner.name());
    }
}

#[test]
fn grype_is_read_with_the_known_id_first() {
    let version = version_of(
        Scanner::Grype,
        r#"{"application":"grype","syftVersion":"v1.57.1","version":"0.121.3"}"#,
    );
    let mut scan = read(Scanner::Grype, sample!("grype.json"), &version.unwrap()).unwrap();
    assert_eq!(scan.database_date, "2026-11-19");
    assert_eq!(scan.database, "grype-db v6.1.10");
    // The layer that it names for a package of Debian is that of the last change to any.
    assert_eq!(
        lines(&mut scan),
        [
            "high CVE-2021-38561 golang.org/x/text v0.3.6 -> 0.3.7, layer 1",
            "high CVE-2025-15467 libssl3t64 3.5.1-1 [openssl 3.5.1-1] -> 3.5.4-1~deb13u2, some layer",
            "high CVE-2021-23337 lodash 4.17.20 -> 4.17.21, layer 1",
            "medium CVE-2024-34064 jinja2 3.1.3 -> 3.1.4, layer 1",
            "medium CVE-2025-45582 tar 1.35+dfsg-3.1 -> none, some layer",
            "medium CVE-2023-43804 urllib3 1.26.16 -> 1.26.17, layer 1",
            "low CVE-2005-2541 tar 1.35+dfsg-3.1 -> none, some layer",
        ]
    );
    assert_eq!(scan.findings[3].aliases, ["GHSA-h75v-3vvj-5mfj"]);
    assert_eq!(scan.findings[1].summary, "A stack buffer may overflow.");
    // Debian's record says nothing, the one that it is related to does.
    let other = "NVD words about CVE-2025-45582";
    assert_eq!(scan.findings[4].summary, other);
}

#[test]
fn of_several_fixes_the_one_that_grype_suggests_is_taken() {
    let json = r#"{"matches": [{
        "vulnerability": {"id": "CVE-1", "fix": {"versions": ["1.26.17", "2.0.6"], "state": "fixed"}},
        "matchDetails": [{"type": "exact-direct-match", "fix": {"suggestedVersion": "2.0.6"}}],
        "artifact": {"name": "urllib3", "version": "2.0.1", "type": "python"}}]}"#;
    let scan = read(Scanner::Grype, json, &Version::default()).unwrap();
    assert_eq!(scan.findings[0].fixed.as_deref(), Some("2.0.6"));
}

#[test]
fn gems_and_php_packages_are_read_as_trivy_and_grype_write_them() {
    let version = Version::default();
    let mut trivy = read(Scanner::Trivy, sample!("trivy-ruby-php.json"), &version).unwrap();
    assert_eq!((trivy.packages, trivy.passed_over), (3, 0));
    assert_eq!(
        lines(&mut trivy),
        [
            "high CVE-2022-24775 guzzlehttp/psr7 1.8.3 -> 1.8.4, 2.1.1, layer 1",
            "high CVE-2022-30122 rack 2.2.3 -> ~> 2.0.9, >= 2.0.9.1, ~> 2.1.4, >= 2.1.4.1, >= 2.2.3.1, layer 0",
            "high CVE-2022-31163 tzinfo 2.0.4 -> 2.0.5, layer 0",
        ]
    );
    let mut grype = read(Scanner::Grype, sample!("grype-ruby-php.json"), &version).unwrap();
    assert_eq!(grype.passed_over, 0);
    assert_eq!(
        lines(&mut grype),
        [
            "high CVE-2022-24775 guzzlehttp/psr7 1.8.3 -> 1.8.4, some layer",
            "high CVE-2022-30122 rack 2.2.3 -> 2.2.3.1, layer 0",
            "high CVE-2022-31163 tzinfo 1.2.5 -> 1.2.10, layer 0",
        ]
    );
    for scan in [trivy, grype] {
        let kinds: Vec<PackageKind> = scan.findings.iter().map(|one| one.package.kind).collect();
        let [php, ruby] = [PackageKind::Php, PackageKind::Ruby];
        assert_eq!(kinds, [php, ruby, ruby]);
    }
}

#[test]
fn the_names_that_trivy_and_grype_have_for_gems_and_composer_are_known() {
    for (scanner, kind) in [
        (Scanner::Trivy, "bundler"),
        (Scanner::Trivy, "gemspec"),
        (Scanner::Trivy, "composer"),
        (Scanner::Trivy, "composer-vendor"),
        (Scanner::Grype, "gem"),
        (Scanner::Grype, "php-composer"),
    ] {
        let trivy = format!(
            r#"{{"SchemaVersion": 2, "Results": [{{"Type": "{kind}", "Vulnerabilities": [
            {{"VulnerabilityID": "CVE-1", "PkgName": "a", "InstalledVersion": "1"}}]}}]}}"#
        );
        let grype = format!(
            r#"{{"matches": [{{"vulnerability": {{"id": "CVE-1"}},
            "artifact": {{"name": "a", "version": "1", "type": "{kind}"}}}}]}}"#
        );
        let json = if scanner == Scanner::Trivy {
            trivy
        } else {
            grype
        };
        let scan = read(scanner, &json, &Version::default()).unwrap();
        assert_eq!((scan.findings.len(), scan.passed_over), (1, 0), "{kind}");
    }
}

#[test]
fn osv_scanner_is_read_with_its_records_and_without_unimportant_ones() {
    let text =
        "osv-scanner version: 2.6.0\nosv-scalibr version: 0.5.2\ncommit: n/a\nbuilt at: n/a\n";
    let version = version_of(Scanner::OsvScanner, text).unwrap();
    assert_eq!(version.own, "2.6.0");
    let mut scan = read(Scanner::OsvScanner, sample!("osv-scanner.json"), &version).unwrap();
    assert_eq!(
        lines(&mut scan),
        [
            "critical CVE-2025-15467 libssl3t64 3.5.1-1 [openssl 3.5.1-1] -> 3.5.4-1~deb13u2, layer 0",
            "high CVE-2021-23337 lodash 4.17.20 -> 4.17.21, layer 1",
            "medium CVE-2024-34064 jinja2 3.1.3 -> 3.1.4, layer 1",
            "unknown CVE-2021-38561 golang.org/x/text 0.3.6 -> 0.3.7, layer 1",
            "unknown CVE-2025-45582 tar 1.35+dfsg-3.1 -> none, layer 0",
        ]
    );
    assert_eq!(
        scan.findings[3].aliases,
        ["GHSA-ppp9-7jff-5vj2", "GO-2021-0113"]
    );
    assert_eq!(scan.unimportant, 2);
    // It lists all that it compared, one without a finding among them.
    assert_eq!((scan.packages, scan.counted_here), (6, false));
    // Where it says nothing it found no package, with the same database.
    let nothing = read(Scanner::OsvScanner, "\n", &version).unwrap();
    assert_eq!((nothing.database.as_str(), nothing.packages), ("osv", 0));
    assert!(nothing.is_blind() && !nothing.counted_here);
}

/// As OSV-Scanner 2.6.0 ended with these codes and said these lines.
#[test]
fn a_result_without_a_database_is_none_and_one_without_some_files_is_not_whole() {
    let adapter = Scanner::OsvScanner.adapter();
    let ended = |code: i32, stdout: &str, stderr: &str| {
        let output = Output {
            code,
            stdout: stdout.into(),
            stderr: stderr.into(),
        };
        check(&adapter, &output).map_err(|error| error.to_string())
    };
    let found = "Loaded PyPI local db from /cache/osv-scalibr/PyPI/all.zip\n";
    assert_eq!(ended(1, "{}", found), Ok(0));
    let lacks = format!(
        "{found}could not load db for npm ecosystem: unable to fetch OSV database: no offline version of the OSV database is available\n\
         Error during extraction: (extracting as vulnmatch/osvlocal) unable to fetch OSV database: no offline version of the OSV database is available\n"
    );
    for code in [1, 127] {
        let error = ended(code, "{}", &lacks).unwrap_err();
        assert!(error.contains("could not load db for npm"), "{error}");
    }
    let unread = format!(
        "{found}Error during extraction: (extracting as java/archive) \n\
         \tlib2/a.jar: java/archive invalid archive: zip: not a valid zip file\n\
         \tlib2/b.jar: java/archive invalid archive: zip: not a valid zip file\n\
         Error during extraction: (extracting as python/wheelegg) deps/broken-1.0.dist-info/METADATA: Name or Version is empty (name: \"\", version: \"\")\n"
    );
    for code in [1, 127] {
        assert_eq!(ended(code, "{}", &unread), Ok(3));
    }
    let none =
        "failed to load image from tarball with path \"/a\": archive/tar: invalid tar header\n";
    for (stdout, stderr) in [("", none), ("", unread.as_str()), ("{}", "")] {
        assert!(ended(127, stdout, stderr).is_err(), "{stderr}");
    }
    assert_eq!(ended(128, "", "No package sources found"), Ok(0));
    let partly = Scan {
        packages: 5,
        unread: 3,
        ..Scan::default()
    };
    assert!(partly.is_blind());
}

/// What a shell's script printed, run as this scanner.
async fn printed(scanner: Scanner, script: &str) -> Result<Output, ScanError> {
    let words = ["-c", script].map(str::to_owned);
    let within = Duration::from_secs(60);
    let cancel = CancellationToken::new();
    let shell = Path::new("/bin/sh");
    program::run(&scanner.adapter(), shell, &words, within, &cancel).await
}

#[tokio::test]
async fn no_word_of_a_missing_database_is_lost_among_many() {
    let script = |bytes: usize| {
        format!(
            "echo '{{}}'; echo 'could not load db: unable to fetch OSV database' >&2; \
             yes 'Error during extraction: (extracting as a/b) c' | head -c {bytes} >&2; \
             echo 'the last' >&2; exit 127"
        )
    };
    let osv = Scanner::OsvScanner;
    let many = printed(osv, &script(1_000_000)).await.unwrap();
    let error = check(&osv.adapter(), &many).unwrap_err().to_string();
    assert!(error.contains("could not load db"), "{error}");
    // Beyond what is kept nothing is known of the result.
    let beyond = script(program::MOST_WORDS + 100_000);
    let refused = printed(osv, &beyond).await;
    assert!(
        matches!(refused, Err(ScanError::TooMuch { .. })),
        "{refused:?}"
    );
    // Of another scanner, the words are only shown.
    let shown = printed(Scanner::Trivy, &beyond).await.unwrap();
    assert!(shown.stderr.len() <= program::MOST_WORDS);
    assert!(shown.stderr.ends_with(b"the last\n"));
}

#[test]
fn no_scanner_asks_the_network_for_anything() {
    let words = |scanner: Scanner| (scanner.adapter().scan)(Path::new("/a/b")).join(" ");
    let sets = |scanner: Scanner| scanner.adapter().sets;
    // The second alone still sends the layers' digests out.
    assert!(words(Scanner::OsvScanner).contains("--offline --offline-vulnerabilities"));
    assert!(
        words(Scanner::Trivy).contains("--skip-db-update --skip-java-db-update --offline-scan")
    );
    for name in ["TRIVY_DISABLE_TELEMETRY", "TRIVY_SKIP_VERSION_CHECK"] {
        assert!(sets(Scanner::Trivy).contains(&(name, "true")), "{name}");
    }
    for name in ["GRYPE_CHECK_FOR_APP_UPDATE", "GRYPE_DB_AUTO_UPDATE"] {
        assert!(sets(Scanner::Grype).contains(&(name, "false")), "{name}");
    }
}

#[test]
fn each_scanner_is_told_the_form_of_the_image() {
    for (scanner, word) in [
        (Scanner::Grype, "docker-archive:/a/b"),
        (Scanner::Trivy, "/a/b"),
        (Scanner::OsvScanner, "/a/b"),
        (Scanner::Scout, "archive:///a/b"),
    ] {
        let words = (scanner.adapter().scan)(Path::new("/a/b"));
        assert!(words.iter().any(|one| one == word), "{words:?}");
    }
}

#[test]
fn docker_without_scout_is_scout_not_installed() {
    let why = |stderr: &str| {
        let output = Output {
            code: 1,
            stderr: stderr.as_bytes().to_vec(),
            ..Output::default()
        };
        program::without_version(Scanner::Scout, &output).to_string()
    };
    for stderr in [
        "docker: unknown command: docker scout\n\nRun 'docker --help' for more information\n",
        "docker: 'scout' is not a docker command.\nSee 'docker --help'\n",
    ] {
        assert_eq!(
            why(stderr),
            "`docker scout` is not installed: `docker` has no such plugin"
        );
    }
    assert_eq!(why("it crashed\n"), "`docker` failed: it crashed");
}

#[test]
fn docker_scout_is_read_once_for_each_rule() {
    let text = "      version: v1.18.3 (go1.24.6 - linux/amd64)\n      git commit: 123\n";
    let version = version_of(Scanner::Scout, text).unwrap();
    assert_eq!(version.own, "1.18.3");
    let mut scan = read(Scanner::Scout, sample!("scout.sarif.json"), &version).unwrap();
    assert_eq!(
        lines(&mut scan),
        [
            "critical CVE-2025-15467 openssl 3.5.1-1 -> 3.5.4-1~deb13u2, some layer",
            "medium CVE-2024-34064 jinja2 3.1.3 -> 3.1.4, some layer",
            "low CVE-2005-2541 tar 1.35+dfsg-3.1 -> none, some layer",
        ]
    );
}

#[test]
fn the_fix_of_one_package_is_not_promised_to_another_of_the_same_rule() {
    let json = sample!("scout-two-packages.sarif.json");
    let mut scan = read(Scanner::Scout, json, &Version::default()).unwrap();
    assert_eq!(
        lines(&mut scan),
        [
            "high CVE-2023-44487 nghttp2 1.52.0-1 -> 1.52.0-1+deb12u1, some layer",
            "medium CVE-2023-44487 nginx 1.22.1-9 -> none, some layer",
        ]
    );
    assert_eq!(scan.passed_over, 0);
}

/// Each of these names one finding about a package of a kind that is known, and others.
#[test]
fn a_finding_about_another_kind_of_package_is_counted_and_never_lost() {
    let trivy = r#"{"SchemaVersion": 2, "Results": [
        {"Target": "app (redhat 9)", "Type": "redhat", "Vulnerabilities": [
            {"VulnerabilityID": "CVE-1", "PkgName": "openssl", "InstalledVersion": "3.0",
             "PkgIdentifier": {"PURL": "pkg:rpm/redhat/openssl@3.0"}, "Severity": "HIGH"}]},
        {"Target": "app.deps.json", "Type": "dotnet-core", "Vulnerabilities": [
            {"VulnerabilityID": "CVE-2", "PkgName": "Newtonsoft.Json", "InstalledVersion": "12.0", "Severity": "LOW"}]},
        {"Target": "Python", "Type": "python-pkg", "Vulnerabilities": [
            {"VulnerabilityID": "CVE-3", "PkgName": "jinja2", "InstalledVersion": "3.1.3"}]}]}"#;
    let grype = r#"{"matches": [
        {"vulnerability": {"id": "CVE-1"}, "artifact": {"name": "openssl", "version": "3.0", "purl": "pkg:rpm/redhat/openssl@3.0"}},
        {"vulnerability": {"id": "CVE-2"}, "artifact": {"name": "python", "version": "3.13.0", "purl": ""}},
        {"vulnerability": {"id": "CVE-3"}, "artifact": {"name": "jinja2", "version": "3.1.3", "purl": "pkg:pypi/jinja2@3.1.3"}}]}"#;
    let osv = r#"{"results": [{"packages": [
        {"package": {"name": "openssl", "version": "3.0", "ecosystem": "Red Hat"},
         "vulnerabilities": [{"id": "A"}, {"id": "B"}], "groups": [{"ids": ["A", "B"]}]},
        {"package": {"name": "rack", "version": "2.0", "ecosystem": "RubyGems"}, "vulnerabilities": [{"id": "C"}]},
        {"package": {"name": "jinja2", "version": "3.1.3", "ecosystem": "PyPI"}, "groups": [{"ids": ["CVE-3"]}]},
        {"package": {"name": "clean", "version": "1", "ecosystem": "RubyGems"}}]}]}"#;
    let scout = r#"{"runs": [{"tool": {"driver": {"rules": [
        {"id": "CVE-1", "properties": {"purls": ["pkg:rpm/redhat/openssl@3.0"]}},
        {"id": "CVE-3", "properties": {"purls": ["pkg:pypi/jinja2@3.1.3"]}}]}},
        "results": [{"ruleId": "CVE-1"}, {"ruleId": "CVE-2"}, {"ruleId": "CVE-3"}]}]}"#;
    for (scanner, json) in [
        (Scanner::Trivy, trivy),
        (Scanner::Grype, grype),
        (Scanner::OsvScanner, osv),
        (Scanner::Scout, scout),
    ] {
        let name = scanner.name();
        let scan = read(scanner, json, &Version::default()).unwrap();
        let ids: Vec<&str> = scan.findings.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(
            (ids.as_slice(), scan.passed_over),
            (["CVE-3"].as_slice(), 2),
            "{name}"
        );
        let counted = Scan {
            packages: 1,
            ..scan
        };
        assert!(counted.is_blind(), "{name}");
    }
}

#[test]
fn what_no_scanner_says_is_an_error_and_no_empty_result() {
    let version = Version::default();
    for scanner in Scanner::ALL {
        for text in ["{", "[]", "null", "{}", "Usage: scanner [options]"] {
            let read = read(scanner, text, &version);
            // An empty object is a result of OSV-Scanner's that found nothing.
            let empty = scanner == Scanner::OsvScanner && text == "{}";
            assert_eq!(read.is_ok(), empty, "{} {text}: {read:?}", scanner.name());
        }
        assert!(version_of(scanner, "command not found").is_none());
    }
    let future = r#"{"SchemaVersion": 3, "Results": []}"#;
    let error = read(Scanner::Trivy, future, &version).unwrap_err();
    assert!(error.contains("schema version 3"), "{error}");
}

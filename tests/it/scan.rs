//! `loadline scan` and `loadline compare` on archives made by hand, and scanners that are scripts.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;

use serde_json::Value;
use sha2::Digest as _;
use sha2::Sha256;

use crate::advisories::archive;
use crate::layers;
use crate::sandbox::Ended;
use crate::sandbox::Sandbox;

/// One layer: paths with their contents; an empty content under a path that ends with `/` is a
/// folder.
type Layer<'a> = &'a [(&'a str, &'a str)];

fn tar(entries: Layer<'_>) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in entries {
        let mut header = tar::Header::new_gnu();
        let folder = path.ends_with('/');
        header.set_entry_type(if folder {
            tar::EntryType::Directory
        } else {
            tar::EntryType::Regular
        });
        header.set_size(content.len() as u64);
        header.set_mode(if folder { 0o755 } else { 0o644 });
        header.set_cksum();
        builder
            .append_data(&mut header, path, content.as_bytes())
            .expect("an entry");
    }
    builder.into_inner().expect("it is whole")
}

/// An image as `docker save` writes it, each layer with the instruction that made it.
pub(crate) fn image(path: &Path, layers: &[(&str, Layer<'_>)]) {
    let tars: Vec<Vec<u8>> = layers.iter().map(|(_, entries)| tar(entries)).collect();
    let digest = |bytes: &[u8]| -> String {
        let hash = Sha256::digest(bytes);
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let ids: Vec<String> = tars
        .iter()
        .map(|tar| format!("sha256:{}", digest(tar)))
        .collect();
    let history: Vec<Value> = layers
        .iter()
        .map(|(made, _)| serde_json::json!({ "created_by": made }))
        .collect();
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux", "config": {}, "history": history,
        "rootfs": { "type": "layers", "diff_ids": ids },
    })
    .to_string();
    let names: Vec<String> = (0..tars.len())
        .map(|at| format!("{at}/layer.tar"))
        .collect();
    let manifest = serde_json::json!([
        { "Config": "config.json", "RepoTags": ["made:by-hand"], "Layers": names }
    ])
    .to_string();
    let mut builder = tar::Builder::new(std::fs::File::create(path).expect("a file"));
    let mut add = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder
            .append_data(&mut header, name, bytes)
            .expect("an entry");
    };
    add("config.json", config.as_bytes());
    for (name, tar) in names.iter().zip(&tars) {
        add(name, tar);
    }
    add("manifest.json", manifest.as_bytes());
    builder
        .into_inner()
        .expect("it is whole")
        .flush()
        .expect("written");
}

const RELEASE: (&str, &str) = (
    "etc/os-release",
    "ID=debian\nVERSION_ID=\"13\"\nPRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\n",
);

const STATUS: (&str, &str) = (
    "var/lib/dpkg/status",
    "Package: libssl3t64\nStatus: install ok installed\nArchitecture: amd64\n\
     Source: openssl\nVersion: 3.5.1-1\n\n\
     Package: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.5.1-1\n\n\
     Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\n\
     Source: zlib\nVersion: 1:1.3.dfsg+really1.3.1-1+deb13u1\n",
);

const JINJA: (&str, &str) = (
    "deps/jinja2-3.1.3.dist-info/METADATA",
    "Metadata-Version: 2.1\nName: Jinja2\nVersion: 3.1.3\n",
);

fn debian(sandbox: &Sandbox) -> PathBuf {
    let path = sandbox.path("image.tar");
    let base = [("etc/", ""), RELEASE, ("var/", ""), STATUS];
    image(
        &path,
        &[
            ("/bin/sh -c #(nop) ADD file:0123 in / ", &base),
            (
                "RUN /bin/sh -c pip install --target=/deps jinja2 # buildkit",
                &[JINJA],
            ),
        ],
    );
    path
}

fn run(sandbox: &Sandbox, words: &[&str]) -> Ended {
    sandbox.run(words)
}

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", ended.stdout, ended.stderr))
}

#[test]
fn an_archive_is_scanned_without_engine_network_or_home() {
    let sandbox = Sandbox::without_engine().without("HOME");
    let path = debian(&sandbox).display().to_string();
    let ended = run(&sandbox, &["scan", &path]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert!(
        lines[0].contains("C ") && lines[0].contains("H "),
        "{}",
        ended.stdout
    );
    assert!(
        !lines[0].contains("unscannable") && !lines[0].contains("incomplete"),
        "{}",
        lines[0]
    );
    assert!(lines[1].contains("4 packages · loadline "), "{}", lines[1]);
    for part in [
        "`loadline db update` fetches all there are",
        "upgrade jinja2 3.1.3 → 3.1.6: fixes 4",
        "upgrade openssl 3.5.1-1 → ",
        "layer 1, `RUN pip install --target=/deps jinja2`",
    ] {
        assert!(ended.stdout.contains(part), "{part}: {}", ended.stdout);
    }

    let ended = run(
        &sandbox,
        &["scan", &path, "--json", "--severity", "high", "--fixable"],
    );
    let result = json(&ended);
    assert_eq!(result["schema"], "loadline.scan/v1");
    assert_eq!(result["verdict"], "complete");
    assert_eq!(result["packages"], 4);
    assert_eq!(result["database"]["shipped"], true);
    let findings = result["findings"].as_array().expect("a list");
    assert!(!findings.is_empty());
    for finding in findings {
        assert_eq!(finding["severity"], "high");
        assert!(finding["fixed"].is_string());
    }
    // One vulnerability of a source is one finding, whichever packages were made of it.
    let openssl = findings
        .iter()
        .find(|finding| finding["id"] == "CVE-2025-15467")
        .expect("it is known");
    assert_eq!(openssl["package"]["source"]["name"], "openssl");
    assert_eq!(openssl["also"].as_array().map(Vec::len), Some(1));
}

#[test]
fn removed_records_are_never_a_clean_result() {
    let sandbox = Sandbox::without_engine();
    let path = sandbox.path("removed.tar");
    let base = [RELEASE, STATUS];
    image(
        &path,
        &[
            ("ADD base", &base),
            (
                "RUN rm /var/lib/dpkg/status",
                &[("var/lib/dpkg/.wh.status", "")],
            ),
        ],
    );
    let ended = run(&sandbox, &["scan", &path.display().to_string()]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended.stdout.starts_with("0C 0H 0M 0L   unscannable: "),
        "{}",
        ended.stdout
    );
    let ended = run(&sandbox, &["scan", &path.display().to_string(), "--json"]);
    assert_eq!(json(&ended)["verdict"], "unscannable");
}

#[test]
fn packages_that_the_advisories_do_not_cover_are_told() {
    let sandbox = Sandbox::without_engine();
    let path = sandbox.path("node.tar");
    let express = (
        "app/node_modules/express/package.json",
        r#"{"name": "express", "version": "4.17.1"}"#,
    );
    image(&path, &[("COPY . .", &[express])]);
    let ended = run(&sandbox, &["scan", &path.display().to_string()]);
    assert!(
        ended
            .stdout
            .starts_with("0C 0H 0M 0L   incomplete: 1 of 1 package "),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.contains("1 package of npm (`express`)"),
        "{}",
        ended.stdout
    );
}

#[test]
fn gems_and_php_packages_are_listed_and_no_update_is_promised_for_them() {
    let sandbox = Sandbox::without_engine();
    let path = sandbox.path("gems.tar");
    let gem = "usr/local/bundle/specifications/rack-2.2.3.gemspec";
    let php = "app/vendor/composer/installed.json";
    let list = r#"{"packages": [{"name": "monolog/monolog", "version": "2.9.1"}]}"#;
    image(
        &path,
        &[(
            "COPY . .",
            &[(gem, "# stub: rack 2.2.3 ruby lib\n"), (php, list)],
        )],
    );
    let name = path.display().to_string();
    let without = sandbox.with("PATH", "/usr/bin:/bin");
    let ended = run(&without, &["scan", &name, "--fail-on", "high"]);
    assert_eq!(ended.code, Some(6), "{}", ended.shown());
    for part in [
        "0C 0H 0M 0L   incomplete: 2 of 2 packages could not be compared",
        "1 package of RubyGems (`rack`) is listed and cannot be compared: loadline reads no advisories of RubyGems, and `loadline db update` fetches none",
        "1 package of Packagist (`monolog/monolog`) is listed",
    ] {
        assert!(ended.stdout.contains(part), "{part}: {}", ended.stdout);
    }
    // Of the scanners that are here only those that compare such packages are named.
    let text = format!("#!/bin/sh\ncat {}\n", sample("trivy-version.json"));
    let path = script(&without, "trivy", &text);
    script(
        &without,
        "osv-scanner",
        "#!/bin/sh\necho 'osv-scanner version: 2.6.0'\n",
    );
    let with = without.with("PATH", &path);
    let ended = run(&with, &["scan", &name]);
    assert!(
        ended.stdout.contains("`--engine trivy`") && !ended.stdout.contains("osv-scanner"),
        "{}",
        ended.stdout
    );
    let uncovered = &json(&run(&with, &["scan", &name, "--json"]))["uncovered"];
    assert_eq!(uncovered[0]["why"], "ecosystem");
}

#[test]
fn a_vendor_s_package_is_not_called_clean_by_the_distribution_s_advisories() {
    let sandbox = Sandbox::without_engine();
    let path = sandbox.path("vendor.tar");
    let status = format!(
        "{}\nPackage: nginx\nStatus: install ok installed\nArchitecture: amd64\n\
         Version: 1.27.3-1~trixie\nMaintainer: NGINX Packaging <nginx-packaging@f5.com>\n",
        STATUS.1
    );
    image(
        &path,
        &[("ADD base", &[RELEASE, (STATUS.0, status.as_str())])],
    );
    let ended = run(&sandbox, &["scan", &path.display().to_string()]);
    let first = ended.stdout.lines().next().unwrap_or_default();
    assert!(
        first.ends_with("incomplete: 1 of 4 packages could not be compared"),
        "{}",
        ended.shown()
    );
    assert!(
        ended
            .stdout
            .contains("1 package of a vendor (`nginx`) is listed and cannot be compared"),
        "{}",
        ended.shown()
    );
}

#[test]
fn two_images_are_compared_by_size_packages_and_findings() {
    let sandbox = Sandbox::without_engine();
    let before = debian(&sandbox).display().to_string();
    let after = sandbox.path("after.tar");
    let jinja = (
        "deps/jinja2-3.1.6.dist-info/METADATA",
        "Metadata-Version: 2.1\nName: Jinja2\nVersion: 3.1.6\n",
    );
    image(&after, &[("COPY deps", &[jinja])]);
    let after = after.display().to_string();
    let ended = run(&sandbox, &["compare", &before, &after]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended
            .stdout
            .contains("Packages: 3 gone, 0 new, 1 changed, 0 stay"),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.contains("jinja2 3.1.3 → 3.1.6"),
        "{}",
        ended.stdout
    );
    let result = json(&run(&sandbox, &["compare", &before, &after, "--json"]));
    assert_eq!(result["schema"], "loadline.compare/v1");
    assert_eq!(result["packages"]["changed"][0]["after"], "3.1.6");
    let gone = result["findings"]["gone"].as_array().expect("a list");
    assert!(
        gone.iter().any(|one| one["id"] == "CVE-2025-27516"),
        "{gone:?}"
    );
    assert_eq!(result["findings"]["came"].as_array().map(Vec::len), Some(0));
    let twice = run(&sandbox, &["compare", "-", "-"]);
    assert_eq!(twice.code, Some(2), "{}", twice.shown());
    assert!(
        twice
            .stderr
            .contains("standard input cannot be both images"),
        "{}",
        twice.shown()
    );
}

#[test]
fn what_cannot_be_scanned_is_said_with_the_next_step() {
    let sandbox = Sandbox::without_engine();
    let path = sandbox.path("text.tar");
    std::fs::write(&path, "no archive at all").expect("written");
    let ended = run(&sandbox, &["scan", &path.display().to_string()]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("cannot be read as an image"),
        "{}",
        ended.stderr
    );
    let image = debian(&sandbox).display().to_string();
    let ended = run(&sandbox, &["scan", &image, "--db", "feedbeef"]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("there is no snapshot `feedbeef`"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("hint: "), "{}", ended.stderr);
    // An engine is not even asked for the image.
    for image in [image.as_str(), "app:1"] {
        let ended = run(&sandbox, &["scan", image, "--engine", "grype"]);
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(
            ended.stderr.contains("`grype` is not installed"),
            "{}",
            ended.stderr
        );
    }
}

// --- Scanners that are scripts -----------------------------------------------------------------

/// A folder first on the `PATH` with one program that is a script.
fn script(sandbox: &Sandbox, name: &str, text: &str) -> String {
    let folder = sandbox.path("bin");
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(name);
    std::fs::write(&path, text).expect("a script");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("it may run");
    format!("{}:/usr/bin:/bin", folder.display())
}

fn sample(name: &str) -> String {
    let path = crate::source::root().join("tests/data/scanners").join(name);
    path.display().to_string()
}

#[test]
fn a_scanner_gets_an_archive_and_no_secret_and_its_figures_carry_its_name_and_day() {
    let sandbox = Sandbox::without_engine();
    let seen = sandbox.path("seen").display().to_string();
    let text = format!(
        "#!/bin/sh\nif [ \"$1\" = version ]; then cat {}; exit; fi\n\
         env > {seen}; echo \"$@\" >> {seen}; ls -la \"$HOME\" >> {seen}\n\
         echo left > \"$TMPDIR/left\" || exit 1\ncat {}\n",
        sample("trivy-version.json"),
        sample("trivy.json")
    );
    let path = script(&sandbox, "trivy", &text);
    let sandbox = sandbox
        .with("PATH", &path)
        .with("AWS_SECRET_ACCESS_KEY", "a-secret")
        .with("GITHUB_TOKEN", "a-token")
        .with("HTTPS_PROXY", "http://proxy.example:3128");
    let image = debian(&sandbox).display().to_string();
    let ended = run(&sandbox, &["scan", &image, "--engine", "trivy"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended.stdout.starts_with("0C 1H 1M 1L\n"),
        "{}",
        ended.stdout
    );
    assert!(
        ended
            .stdout
            .contains("trivy 0.71.0 · advisories of 2026-11-20"),
        "{}",
        ended.stdout
    );
    let seen = std::fs::read_to_string(seen).expect("it was run");
    assert!(
        !seen.contains("a-secret") && !seen.contains("a-token"),
        "{seen}"
    );
    assert!(!seen.contains("DOCKER_HOST"), "{seen}");
    assert!(
        seen.contains("HTTPS_PROXY=http://proxy.example:3128"),
        "{seen}"
    );
    assert!(seen.contains(&format!("--input {image}")), "{seen}");
    assert!(
        seen.contains("--skip-db-update") && seen.contains("--offline-scan"),
        "{seen}"
    );
    let home = sandbox.path("home").display().to_string();
    assert!(!seen.contains(&format!("HOME={home}\n")), "{seen}");
    // What it leaves behind, as one that is stopped does, goes with the scan.
    let scratch = seen.lines().find_map(|line| line.strip_prefix("TMPDIR="));
    assert!(!Path::new(scratch.expect("it has one")).exists(), "{seen}");
}

#[test]
fn an_archive_is_found_by_a_scanner_however_it_was_named() {
    let sandbox = Sandbox::without_engine();
    let text = format!(
        "#!/bin/sh\nif [ \"$1\" = version ]; then cat {}; exit; fi\n\
         for last; do :; done\ntest -f \"$last\" || {{ echo \"no such file: $last\" >&2; exit 1; }}\ncat {}\n",
        sample("trivy-version.json"),
        sample("trivy.json")
    );
    let path = script(&sandbox, "trivy", &text);
    let sandbox = sandbox.with("PATH", &path);
    let image = debian(&sandbox).display().to_string();
    for name in ["image.tar", "./image.tar", image.as_str()] {
        let ended = run(&sandbox, &["scan", name, "--engine", "trivy"]);
        assert_eq!(ended.code, Some(0), "{name}: {}", ended.stderr);
        assert!(
            ended.stdout.starts_with("0C 1H 1M 1L\n"),
            "{}",
            ended.stdout
        );
    }
    // What comes through a pipe is kept as a file for it.
    let ended = sandbox.script("\"$0\" scan - --engine trivy < image.tar", &[]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

/// Scanners that write down what they were given, and what is in it; the `PATH` that they are on.
fn witnesses(sandbox: &Sandbox, seen: &str) -> String {
    let mut path = String::new();
    let trivy = format!("cat {}", sample("trivy-version.json"));
    for (name, version, list, print) in [
        ("trivy", trivy.as_str(), "tar tf \"$last\"", "trivy.json"),
        (
            "grype",
            "echo '{\"version\":\"0.121.3\"}'",
            "tar tf \"${1#*:}\"",
            "grype.json",
        ),
        (
            "docker",
            "echo 'version: v1.18.3'",
            "tar tf \"${last#*://}\"",
            "scout.sarif.json",
        ),
        (
            "osv-scanner",
            "echo 'osv-scanner version: 2.6.0'",
            "tar tf \"$last\"",
            "osv-scanner.json",
        ),
    ] {
        let text = format!(
            "#!/bin/sh\ncase \"$*\" in *version*) {version}; exit;; esac\nfor last; do :; done\n\
             echo \"$@\" > {seen}; {list} >> {seen}; cat {}\n",
            sample(print)
        );
        path = script(sandbox, name, &text);
    }
    path
}

#[test]
fn a_compressed_oci_layout_is_given_to_every_scanner() {
    let sandbox = Sandbox::without_engine();
    let made = [("COPY . .", tar(&[JINJA]))];
    let members = layers::oci(&made, layers::gzip, false);
    let image = sandbox.path("oci.tgz");
    std::fs::write(&image, layers::gzip(&layers::tar_of(&members))).expect("a file");
    let image = image.display().to_string();
    let seen = sandbox.path("seen").display().to_string();
    let path = witnesses(&sandbox, &seen);
    let sandbox = sandbox.with("PATH", &path);
    for engine in ["grype", "trivy", "scout", "osv-scanner"] {
        let ended = run(&sandbox, &["scan", &image, "--engine", engine]);
        assert_eq!(ended.code, Some(0), "{engine}: {}", ended.shown());
        let told = std::fs::read_to_string(&seen).expect("it was run");
        for part in ["manifest.json", "blobs/sha256/"] {
            assert!(told.contains(part), "{engine}, {part}: {told}");
        }
        for part in ["oci-", "index.json", image.as_str()] {
            assert!(!told.contains(part), "{engine}, {part}: {told}");
        }
    }
}

#[test]
fn the_folder_of_an_oci_layout_is_given_to_every_scanner() {
    let sandbox = Sandbox::without_engine();
    let made = [("COPY . .", tar(&[JINJA]))];
    for (name, bytes) in layers::oci(&made, layers::gzip, false) {
        let path = sandbox.path(&format!("layout/{name}"));
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
    }
    let image = sandbox.path("layout").display().to_string();
    let seen = sandbox.path("seen").display().to_string();
    let path = witnesses(&sandbox, &seen);
    let sandbox = sandbox.with("PATH", &path);
    for engine in ["grype", "trivy", "scout", "osv-scanner"] {
        let ended = run(&sandbox, &["scan", &image, "--engine", engine]);
        assert_eq!(ended.code, Some(0), "{engine}: {}", ended.shown());
        let told = std::fs::read_to_string(&seen).expect("it was run");
        assert!(told.contains(".tar"), "{engine}: {told}");
        assert!(!told.contains("oci-"), "{engine}: {told}");
    }
}

#[test]
fn findings_about_other_kinds_of_packages_are_told_and_never_a_clean_result() {
    let sandbox = Sandbox::without_engine();
    let result = sandbox.write(
        "result.json",
        r#"{"matches": [{"vulnerability": {"id": "CVE-1", "severity": "Critical"},
            "artifact": {"name": "python", "version": "3.13.0", "purl": ""}}]}"#,
    );
    let text = format!(
        "#!/bin/sh\n[ \"$1\" = version ] && echo '{{\"version\":\"0.121.3\"}}' && exit\ncat {}\n",
        result.display()
    );
    let path = script(&sandbox, "grype", &text);
    let sandbox = sandbox.with("PATH", &path);
    let image = debian(&sandbox).display().to_string();
    let ended = run(&sandbox, &["scan", &image, "--engine", "grype"]);
    assert!(
        ended
            .stdout
            .starts_with("0C 0H 0M 0L   incomplete: 1 finding was passed over\n4 packages by loadline's own count · grype"),
        "{}",
        ended.stdout
    );
    let json = json(&run(
        &sandbox,
        &["scan", &image, "--engine", "grype", "--json"],
    ));
    assert_eq!(json["verdict"], "incomplete");
    assert_eq!(json["passed_over"], 1);
    assert_eq!(json["packages_counted_by"], "loadline");
}

#[test]
fn every_adapter_reads_what_its_scanner_prints() {
    for (engine, program, version, output, first) in [
        (
            "grype",
            "grype",
            "echo '{\"version\":\"0.121.3\"}'",
            "grype.json",
            "grype 0.121.3 · advisories of 2026-11-19",
        ),
        (
            "osv-scanner",
            "osv-scanner",
            "echo 'osv-scanner version: 2.6.0'",
            "osv-scanner.json",
            "osv-scanner 2.6.0 · advisories of a day that it does not say",
        ),
        (
            "scout",
            "docker",
            "echo 'version: v1.18.3 (go1.24.6 - linux/amd64)'",
            "scout.sarif.json",
            "docker 1.18.3 · ",
        ),
    ] {
        let sandbox = Sandbox::without_engine();
        let text = format!(
            "#!/bin/sh\ncase \"$*\" in *cves*|*docker-archive*|*scan*image*) cat {}; exit {};; esac\n{version}\n",
            sample(output),
            i32::from(engine == "osv-scanner")
        );
        let path = script(&sandbox, program, &text);
        let sandbox = sandbox.with("PATH", &path);
        let image = debian(&sandbox).display().to_string();
        let ended = run(&sandbox, &["scan", &image, "--engine", engine]);
        assert_eq!(ended.code, Some(0), "{engine}: {}", ended.stderr);
        assert!(ended.stdout.contains(first), "{engine}: {}", ended.stdout);
        assert!(
            ended.stdout.contains("CVE-2025-15467"),
            "{engine}: {}",
            ended.stdout
        );
        // Where a scanner tells no layer, our own reading of the packages does.
        let place = ended.stdout.contains("layer 0, `ADD file:0123 in /`");
        assert!(place, "{engine}: {}", ended.stdout);
    }
}

#[test]
fn a_release_that_an_attacker_published_is_refused_before_it_is_run() {
    let sandbox = Sandbox::without_engine();
    let ran = sandbox.path("ran").display().to_string();
    // What Go's linker leaves in a program, behind a script that would give itself away.
    let text = format!(
        "#!/bin/sh\ntouch {ran}\nexit 0\n# mod\tgithub.com/aquasecurity/trivy\tv0.69.4\th1:abc=\n"
    );
    let path = script(&sandbox, "trivy", &text);
    let sandbox = sandbox.with("PATH", &path);
    let image = debian(&sandbox).display().to_string();
    let ended = run(&sandbox, &["scan", &image, "--engine", "trivy"]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("`trivy` 0.69.4 is refused"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("CVE-2026-33634"), "{}", ended.stderr);
    assert!(!Path::new(&ran).exists(), "it was run");

    // And by what it says itself, where its bytes do not tell.
    let text = "#!/bin/sh\necho '{\"Version\":\"0.69.6\"}'\n";
    script(&sandbox, "trivy", text);
    let ended = run(&sandbox, &["scan", &image, "--engine", "trivy"]);
    assert!(
        ended.stderr.contains("`trivy` 0.69.6 is refused"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_scanner_that_fails_is_quoted_and_helped() {
    let sandbox = Sandbox::without_engine();
    let text = "#!/bin/sh\n[ \"$1\" = version ] && echo '{\"Version\":\"0.71.0\"}' && exit\n\
                echo 'FATAL --skip-db-update cannot be specified on the first run' >&2\nexit 1\n";
    let path = script(&sandbox, "trivy", text);
    let sandbox = sandbox.with("PATH", &path);
    let image = debian(&sandbox).display().to_string();
    let ended = run(&sandbox, &["scan", &image, "--engine", "trivy"]);
    assert_eq!(ended.code, Some(6), "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .contains("cannot be specified on the first run"),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stderr.contains("--download-db-only"),
        "{}",
        ended.stderr
    );
}

#[test]
fn what_a_fetched_snapshot_lacks_is_incomplete_and_never_clean() {
    let sandbox = Sandbox::without_engine();
    let image = debian(&sandbox).display().to_string();
    let folder = sandbox.path("osv/PyPI");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("all.zip"), &*archive(3, &[])).expect("written");
    let from = sandbox.path("osv").display().to_string();
    let fetched = sandbox.run(&["db", "update", "--ecosystems", "pypi", "--from", &from]);
    assert_eq!(fetched.code, Some(0), "{}", fetched.shown());

    // Debian's packages are not looked up elsewhere behind the reader's back: they are not known.
    let scanned = sandbox.run(&["scan", &image]);
    let first = scanned.stdout.lines().next().unwrap_or_default();
    assert!(
        first.starts_with("0C 0H 0M 0L   incomplete: 3 of 4 packages could not be compared"),
        "{}",
        scanned.shown()
    );
    assert!(
        scanned.stdout.contains("Debian 13") && scanned.stdout.contains("not covered"),
        "{}",
        scanned.shown()
    );
    // The shipped ones are a word away, and do know some of it.
    let shipped = sandbox.run(&["scan", &image, "--db", "shipped"]);
    assert!(
        !shipped.stdout.contains("incomplete"),
        "{}",
        shipped.shown()
    );
    assert!(shipped.stdout.contains("openssl"), "{}", shipped.shown());
}

/// Fetches old advisories of Python and new ones of Node; the snapshot's id.
fn fetched(sandbox: &Sandbox) -> String {
    let later = r#"{"id": "N-1", "modified": "2026-11-01T00:00:00Z", "affected": [{
        "package": {"ecosystem": "npm", "name": "a"}, "versions": ["1.0.0"]}]}"#;
    for (ecosystem, records) in [
        ("PyPI", archive(3, &[])),
        ("npm", archive(0, &[("N-1.json", later)])),
    ] {
        let folder = sandbox.path("osv").join(ecosystem);
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("all.zip"), &*records).expect("written");
    }
    let from = sandbox.path("osv").display().to_string();
    let fetched = sandbox.run(&["db", "update", "--from", &from]);
    assert_eq!(fetched.code, Some(0), "{}", fetched.shown());
    let status = json(&sandbox.run(&["db", "status", "--json"]));
    assert_eq!(status["date"], "2026-11-01");
    let id = status["current"]["id"].as_str().expect("there is one");
    id.to_owned()
}

#[test]
fn the_day_beside_a_figure_is_that_of_the_image_s_ecosystems() {
    let sandbox = Sandbox::without_engine();
    let image = debian(&sandbox).display().to_string();
    let id = fetched(&sandbox);
    // The image has no package of npm, so that npm's day says nothing of it.
    let scanned = sandbox.run(&["scan", &image, "--db", &id[..8]]);
    assert_eq!(scanned.code, Some(0), "{}", scanned.shown());
    assert!(
        scanned.stdout.contains("advisories of 2026-01-02 ("),
        "{}",
        scanned.shown()
    );
}

#[test]
fn a_snapshot_that_was_changed_is_refused_where_its_id_is_named() {
    let sandbox = Sandbox::without_engine();
    let image = debian(&sandbox).display().to_string();
    let id = fetched(&sandbox);
    let id = id.as_str();
    let snapshot = sandbox
        .path("home/loadline/.loadline/advisories/snapshots")
        .join(id);
    let index = snapshot.join("pypi.index");
    let mut bytes = std::fs::read(&index).expect("the index");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&index, &bytes).expect("written");
    for words in [vec!["db", "use", id], vec!["scan", &image, "--db", id]] {
        let refused = sandbox.run(&words);
        assert_eq!(refused.code, Some(6), "{}", refused.shown());
        assert!(
            refused
                .stderr
                .contains("the index of PyPI is not what it was"),
            "{}",
            refused.shown()
        );
    }

    // Nor does a manifest that was changed to fit.
    let manifest = snapshot.join("manifest.json");
    let text = std::fs::read_to_string(&manifest).expect("the manifest");
    let mut changed: Value = serde_json::from_str(&text).expect("JSON");
    let digest: String = Sha256::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    for part in changed["parts"].as_array_mut().expect("a list") {
        if part["file"] == "pypi.index" {
            part["sha256"] = Value::from(digest.as_str());
        }
    }
    std::fs::write(&manifest, changed.to_string()).expect("written");
    let refused = sandbox.run(&["db", "use", id]);
    assert_eq!(refused.code, Some(6), "{}", refused.shown());
    assert!(
        refused.stderr.contains("its indexes are those of another"),
        "{}",
        refused.shown()
    );
}

#[test]
fn osv_scanner_s_databases_are_as_old_as_their_files() {
    let sandbox = Sandbox::without_engine();
    for (ecosystem, day) in [("Debian", 0), ("PyPI", 3)] {
        let folder = sandbox.path("home/.cache/osv-scanner").join(ecosystem);
        std::fs::create_dir_all(&folder).expect("a folder");
        let file = std::fs::File::create(folder.join("all.zip")).expect("a file");
        // 2026-11-18
        let seconds = 1_794_960_000 + day * 24 * 60 * 60;
        let at = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        file.set_modified(at).expect("its time can be set");
    }
    let text = format!(
        "#!/bin/sh\ncase \"$*\" in *scan*image*) cat {}; exit 1;; esac\necho 'osv-scanner version: 2.6.0'\n",
        sample("osv-scanner.json"),
    );
    let path = script(&sandbox, "osv-scanner", &text);
    let sandbox = sandbox.with("PATH", &path);
    let image = debian(&sandbox).display().to_string();
    let ended = run(&sandbox, &["scan", &image, "--engine", "osv-scanner"]);
    assert!(
        ended
            .stdout
            .contains("osv-scanner 2.6.0 · advisories of 2026-11-18 (osv)"),
        "{}",
        ended.shown()
    );
}

#[test]
fn a_pipeline_can_stop_at_what_is_grave_and_fixable() {
    let sandbox = Sandbox::without_engine();
    let image = debian(&sandbox).display().to_string();
    let code = |words: &[&str]| {
        let all: Vec<&str> = ["scan", image.as_str()]
            .into_iter()
            .chain(words.iter().copied())
            .collect();
        run(&sandbox, &all).code
    };
    assert_eq!(code(&[]), Some(0));
    assert_eq!(code(&["--fixable", "--fail-on", "high"]), Some(1));
    assert_eq!(code(&["--fail-on", "awful"]), Some(2));
    // A folder that is no image says so before anything is run.
    let folder = sandbox.path("layout");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("index.json"), "{}").expect("written");
    let path = script(&sandbox, "trivy", "#!/bin/sh\nexit 0\n");
    let sandbox = sandbox.with("PATH", &path);
    let ended = run(&sandbox, &["scan", "layout", "--engine", "trivy"]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("its index is empty"),
        "{}",
        ended.stderr
    );
}

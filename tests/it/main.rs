//! The integration tests, in one binary: one link instead of twenty.
#![expect(
    clippy::disallowed_methods,
    reason = "tests read files, start the program and look at the clock"
)]
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::string_slice,
    reason = "what a test cannot go on without may stop it, in its helpers too"
)]

mod advisories;
mod advisories_hard;
mod bases;
mod cli;
mod content;
mod course;
mod doctor_asks;
mod engine_contract;
mod engine_faults;
mod faults;
mod full_disk;
mod host;
mod image_export;
mod inside;
mod judged;
mod layering;
mod layers;
mod learn;
mod lint;
mod lint_corpus;
mod lint_fuzz;
mod mirror;
mod mute_engine;
mod own_files;
mod packages;
mod plain_edit;
mod podman_child;
mod pty;
mod pty_insight;
mod pty_workshop;
mod records;
mod registry;
mod remote;
mod report_schema;
mod sandbox;
mod scan;
mod shots;
mod source;
mod sshd;
mod told;
mod tui_pty;

/// A test file that this list does not name would never run.
#[test]
fn no_test_file_is_forgotten() {
    let folder = source::root().join("tests/it");
    let listed = std::fs::read_to_string(folder.join("main.rs")).expect("this file is readable");
    let listed: Vec<&str> = listed
        .lines()
        .filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'))
        .collect();
    for entry in std::fs::read_dir(&folder).expect("the folder of this file is readable") {
        let path = entry.expect("an entry is readable").path();
        let name = path
            .file_stem()
            .and_then(|name| name.to_str())
            .expect("a test file has a name");
        let rust = path.extension().is_some_and(|extension| extension == "rs");
        if name == "main" || !rust {
            continue;
        }
        assert!(
            listed.contains(&name),
            "tests/it/main.rs does not name `{name}`: add `mod {name};`"
        );
    }
}

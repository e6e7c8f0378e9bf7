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
mod make_workshop;
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

/// A test file that no other names would never run.
#[test]
fn no_test_file_is_forgotten() {
    let top = source::root().join("tests/it");
    let mut paths = Vec::new();
    source::collect(&top, &mut paths);
    paths.retain(|path| *path != top.join("main.rs"));
    assert!(paths.len() > 40, "{paths:?}");
    for path in paths {
        let name = path
            .file_stem()
            .and_then(|name| name.to_str())
            .expect("a test file has a name");
        let folder = path.parent().expect("it is in a folder");
        let parent = if folder == top {
            top.join("main.rs")
        } else {
            folder.with_extension("rs")
        };
        let listed = std::fs::read_to_string(&parent).expect("a folder has its file beside it");
        let is_named =
            |line: &str| line.trim_start_matches("pub(crate) ") == format!("mod {name};");
        assert!(
            listed.lines().any(is_named),
            "{} does not name `{name}`: add `mod {name};`",
            parent.display()
        );
    }
}

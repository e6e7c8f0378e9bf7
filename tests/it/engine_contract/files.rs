//! The files of a context on their way into an image.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;

use loadline::dockerfile::context::Context;
use loadline::dockerfile::context::Files;
use loadline::dockerfile::context::Limits;
use loadline::dockerfile::context::Sending;
use loadline::dockerfile::context::Sources;
use loadline::engine::BuildRequest;
use loadline::engine::Builder;
use loadline::engine::ContextArchive;
use loadline::engine::Engine as _;
use loadline::image::run::RunOutcome;
use loadline::text::Clean;
use tokio_util::sync::CancellationToken;

use super::bench::BASE;
use super::bench::Bench;
use super::bench::fresh;
use super::bench::on_each_engine;

/// Builds what a folder holds, as an attempt does: its Dockerfile is not `text`, which is built.
async fn build(bench: &Bench, tag: &str, folder: &Path, text: &str) {
    let none = Files::new();
    let sources = Sources {
        below: &none,
        folder: Some(folder),
        above: &none,
    };
    let (_archive, request) = bench.request(tag, text, &[]);
    let program = super::bench::busybox();
    fs::write(folder.join("busybox"), program).expect("a program");
    fs::set_permissions(folder.join("busybox"), fs::Permissions::from_mode(0o755)).expect("a mode");
    let context = Context::gather(&sources, "Dockerfile", &Limits::default()).expect("a context");
    let (sending, apart) = match bench.engine.info().builder {
        Builder::Classic => (Sending::ToBuild(text.as_bytes()), None),
        Builder::Buildkit | Builder::Buildah => (Sending::AsItIs, Some(text.to_owned().into())),
    };
    let archive = tempfile::tempfile().expect("a file");
    context.write(sending, &archive).expect("it is written");
    let request = BuildRequest {
        context: ContextArchive::from(archive),
        dockerfile_apart: apart,
        ..request
    };
    let (built, events) = bench
        .follow(request, CancellationToken::new(), |_| {})
        .await;
    built.unwrap_or_else(|error| panic!("{}: {error:?}: {events:#?}", bench.address));
}

/// What a run wrote.
fn lines(ran: &RunOutcome) -> Vec<&str> {
    ran.stdout.iter().map(Clean::as_str).collect()
}

/// Bytes that do not repeat, so that nothing shortens them on their way.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    std::iter::repeat_with(&mut next).take(length).collect()
}

/// Lists what lies in a folder, one line per entry, and then the bytes of all files, as digests.
const LISTED: &str = "find . ! -name Dockerfile ! -name .dockerignore ! -name '*.log' -print0 | sort -z | sha256sum
find . -type f ! -name Dockerfile ! -name .dockerignore ! -name '*.log' -print0 | sort -z | xargs -0 cat | sha256sum";

#[test]
fn files_come_into_the_image_as_they_are_and_ignored_ones_do_not() {
    on_each_engine(async |bench: &Bench| {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("deep/er")).expect("folders");
        fs::create_dir(at("empty")).expect("a folder");
        let long = format!("deep/er/{}", "long".repeat(50));
        let names = ["a b", "new\nline", "-x", "\u{fc}", "deep-er", &long];
        for name in names {
            fs::write(at(name), name).expect("a file");
        }
        fs::write(folder.path().join(OsStr::from_bytes(b"\xff")), "bytes").expect("a file");
        fs::write(at("deep/large"), noise(700_001)).expect("a file");
        fs::write(at("none"), "").expect("a file");
        fs::write(at("ignored.log"), "x").expect("a file");
        fs::write(at("Dockerfile"), "FROM learner").expect("a file");
        fs::write(at(".dockerignore"), "*.log\nDockerfile\n.dockerignore\n").expect("a file");
        symlink("a b", at("link")).expect("a link");
        let tag = fresh("files");
        let text = format!("{BASE}COPY . /c/\nCOPY \u{fc} deep-er link /some/\n");
        build(bench, &tag, folder.path(), &text).await;
        let here = std::process::Command::new("sh")
            .args(["-c", LISTED])
            .env("LC_ALL", "C")
            .current_dir(folder.path())
            .output()
            .expect("a shell");
        let there = format!("cd /c && {}", LISTED.replace("| ", "| busybox "));
        let there = there
            .replace("find .", "busybox find .")
            .replace("-0 cat", "-0 busybox cat");
        let ran = bench.sh(&tag, &there, 30).await;
        let here = String::from_utf8_lossy(&here.stdout);
        let here: Vec<&str> = here.lines().collect();
        assert_eq!(here.len(), 2, "two digests");
        assert_eq!(lines(&ran), here, "{}", bench.address);
        let about = "cd /c; busybox readlink link; busybox stat -c '%a %Y' busybox none; busybox stat -c %a deep; busybox ls -A | busybox grep -c -e Dockerfile -e ignore; busybox cat /some/*";
        let ran = bench.sh(&tag, about, 30).await;
        let wanted = ["a b", "755 0", "644 0", "755", "0", "deep-era b\u{fc}"];
        assert_eq!(lines(&ran), wanted, "{}", bench.address);
        bench.remove(&tag).await;
    });
}

#[test]
fn a_file_that_kept_its_size_is_not_taken_for_the_one_before() {
    on_each_engine(async |bench: &Bench| {
        let folder = tempfile::tempdir().expect("a folder");
        let tag = fresh("size");
        let text = format!("{BASE}COPY file /file\n");
        for content in ["one", "two", "six", "two"] {
            fs::write(folder.path().join("file"), content).expect("a file");
            build(bench, &tag, folder.path(), &text).await;
            let ran = bench.sh(&tag, "busybox cat /file", 30).await;
            assert_eq!(lines(&ran), [content], "{}", bench.address);
        }
        bench.remove(&tag).await;
    });
}

#[test]
fn the_dockerfile_that_is_copied_is_the_learners_where_the_builder_takes_the_built_one_apart() {
    on_each_engine(async |bench: &Bench| {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("Dockerfile"), "FROM learner\n").expect("a file");
        let tag = fresh("own");
        let text = format!("{BASE}COPY . /c/\n");
        build(bench, &tag, folder.path(), &text).await;
        let ran = bench.sh(&tag, "busybox cat /c/Dockerfile", 30).await;
        let wanted = match bench.engine.info().builder {
            Builder::Classic => text.as_str(),
            Builder::Buildkit | Builder::Buildah => "FROM learner\n",
        };
        let wanted: Vec<&str> = wanted.lines().collect();
        assert_eq!(lines(&ran), wanted, "{}", bench.address);
        bench.remove(&tag).await;
    });
}

#[test]
fn a_context_of_nearly_as_many_files_as_there_may_be_is_sent() {
    on_each_engine(async |bench: &Bench| {
        let folder = tempfile::tempdir().expect("a folder");
        // Sent first, so that the engine asks for all the others meanwhile.
        fs::write(folder.path().join("a-large-one"), noise(20_000_000)).expect("a file");
        fs::create_dir(folder.path().join("many")).expect("a folder");
        let many = Limits::default().files - 10;
        for number in 0..many {
            fs::write(folder.path().join(format!("many/{number}")), "x").expect("a file");
        }
        let tag = fresh("many");
        build(bench, &tag, folder.path(), &format!("{BASE}COPY . /c/\n")).await;
        let count = "busybox cat /c/many/* | busybox wc -c; busybox stat -c %s /c/a-large-one";
        let ran = bench.sh(&tag, count, 60).await;
        let wanted = [many.to_string(), "20000000".to_owned()];
        assert_eq!(lines(&ran), wanted, "{}", bench.address);
        bench.remove(&tag).await;
    });
}

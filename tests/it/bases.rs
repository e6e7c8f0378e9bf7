//! Base images on a real engine: the small ones are built here from the distribution's packages.

use std::collections::BTreeMap;
use std::sync::Arc;

use loadline::bases::BaseError;
use loadline::bases::Options;
use loadline::bases::PackError;
use loadline::bases::Phase;
use loadline::bases::Service;
use loadline::bases::State;
use loadline::bases::apt::Apt;
use loadline::bases::apt::AptError;
use loadline::bases::layer::sha256;
use loadline::bases::resolve::Resolution;
use loadline::engine::Engine;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::host;

/// Packages are downloaded once for all tests of this folder.
fn cache() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("bases")
}

fn service(engine: &Arc<dyn Engine>) -> Service {
    let options = Options {
        no_registry: true,
        ..Options::default()
    };
    Service::new(Arc::clone(engine), cache(), options).expect("the catalogue is sound")
}

async fn ensured(service: &Service, reference: &str) -> (String, Vec<Phase>) {
    let (to, mut progress) = mpsc::channel(1000);
    let ready = service
        .ensure(reference, to, CancellationToken::new())
        .await;
    let mut phases = Vec::new();
    while let Some(step) = progress.recv().await {
        phases.push(step.phase);
    }
    let ready = ready.unwrap_or_else(|error| panic!("{reference}: {error}, {:?}", error.hint()));
    (ready.local, phases)
}

#[tokio::test(flavor = "multi_thread")]
async fn busybox_is_built_once_and_found_again() {
    let Some(engine) = host::engine().await else {
        return;
    };
    let service = service(&engine);
    let _ = engine.remove_image("loadline.local/busybox:latest").await;
    let (local, phases) = ensured(&service, "busybox").await;
    assert_eq!(local, "loadline.local/busybox:latest");
    assert!(phases.contains(&Phase::Resolving), "{phases:?}");
    let image = engine
        .inspect(&local)
        .await
        .expect("it answers")
        .expect("it is there");
    assert_eq!(image.config.cmd, ["sh"]);
    assert_eq!(
        image.config.labels.get("loadline").map(String::as_str),
        Some("bases")
    );
    assert!(
        image.config.labels["org.loadline.stand-in"].starts_with("stand-in for busybox:latest")
    );
    let (again, phases) = ensured(&service, "docker.io/library/busybox:latest").await;
    assert_eq!((again, phases), (local, Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn static_has_its_four_tags_and_no_shell() {
    let Some(engine) = host::engine().await else {
        return;
    };
    let service = service(&engine);
    let name = "gcr.io/distroless/static-debian13";
    let (local, _) = ensured(&service, &format!("{name}:nonroot")).await;
    let image = engine
        .inspect(&local)
        .await
        .expect("it answers")
        .expect("it is there");
    assert_eq!(image.config.user, "65532");
    assert_eq!(image.config.working_dir, "/home/nonroot");
    let paths = [
        "/bin/sh",
        "/usr/bin/apt",
        "/etc/ssl/certs/ca-certificates.crt",
        "/busybox/sh",
    ]
    .map(str::to_owned);
    let found = engine.paths(&local, &paths).await.expect("it answers");
    let there: Vec<bool> = paths.iter().map(|path| found[path]).collect();
    assert_eq!(there, [false, false, true, false]);
    let debug = format!("loadline.local/{name}:debug");
    let found = engine.paths(&debug, &paths).await.expect("it answers");
    assert!(found["/busybox/sh"]);
    let needed_by = BTreeMap::from([(name.to_owned(), vec!["first-build".to_owned()])]);
    let listed = service.list(&needed_by).await.expect("it answers");
    let tag = |tag: &str| {
        let reference = format!("{name}:{tag}");
        listed
            .iter()
            .find(|one| one.reference == reference)
            .expect("it is listed")
    };
    for one in ["latest", "nonroot", "debug", "debug-nonroot"] {
        let state = &tag(one).state;
        assert!(
            matches!(
                state,
                State::StandIn {
                    outdated: false,
                    ..
                }
            ),
            "{one}: {state:?}"
        );
    }
    assert_eq!(tag("latest").needed_by, ["first-build"]);
    assert!(tag("debug").needed_by.is_empty());
    let size = tag("latest").size.expect("it is there");
    assert!((2_000_000..3_500_000).contains(&size.0), "{size}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_base_says_what_can_be_done() {
    let Some(engine) = host::engine().await else {
        return;
    };
    let (to, _progress) = mpsc::channel(8);
    let asked = service(&engine)
        .ensure("nobody/has-this:1", to, CancellationToken::new())
        .await;
    let error = asked.expect_err("nobody has it");
    assert!(matches!(&error, BaseError::Unknown { reference } if reference == "nobody/has-this:1"));
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("loadline bases import"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_that_nobody_serves_is_a_network_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let nobody = Some("http://127.0.0.1:9/debian");
    let cancel = CancellationToken::new();
    let opened = Apt::open(folder.path(), "trixie", "amd64", nobody, &cancel).await;
    let error = opened.expect_err("there is no mirror");
    assert!(matches!(error, AptError::Network(_)), "{error}");
}

/// A pack of one image without files, sound in every way.
fn pack_of(path: &std::path::Path, reference: &str, local: &str, architecture: &str) {
    pack_by("nobody", path, reference, local, architecture);
}

/// Likewise; each author's is an image of its own.
fn pack_by(author: &str, path: &std::path::Path, reference: &str, local: &str, architecture: &str) {
    let config = format!(
        r#"{{"author":"{author}","os":"linux","architecture":"{architecture}","config":{{}},"rootfs":{{"type":"layers","diff_ids":[]}}}}"#
    );
    let of_config = sha256(config.as_bytes());
    let config_path = format!("configs/{of_config}.json");
    let manifest = format!(r#"[{{"Config":"{config_path}","RepoTags":["{local}"],"Layers":[]}}]"#);
    let digest = sha256(manifest.as_bytes());
    let (size, config_size) = (manifest.len(), config.len());
    let contents = format!(
        r#"{{"format":"loadline.pack/v1","images":[{{"reference":"{reference}","local":"{local}","digest":"sha256:{of_config}","platform":"linux/{architecture}","source":"registry"}}],"files":[{{"path":"manifest.json","size":{size},"sha256":"{digest}"}},{{"path":"{config_path}","size":{config_size},"sha256":"{of_config}"}}]}}"#
    );
    let mut pack = tar::Builder::new(std::fs::File::create(path).expect("there is room"));
    for (name, text) in [
        (config_path.as_str(), config.as_str()),
        ("manifest.json", &manifest),
        ("loadline-pack.json", &contents),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(text.len() as u64);
        pack.append_data(&mut header, name, text.as_bytes())
            .expect("there is room");
    }
    pack.finish().expect("there is room");
}

/// Held by a test that removes an image of this family, which no other file's tests make: whoever
/// makes one image of a family makes them all, and would bring it back.
static DEBIAN12: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_carries_images_to_an_engine_that_lacks_them() {
    let Some(engine) = host::engine().await else {
        return;
    };
    let service = service(&engine);
    let _turn = DEBIAN12.lock().await;
    let reference = "gcr.io/distroless/python3-debian12:debug-nonroot";
    let (local, _) = ensured(&service, reference).await;
    let before = engine
        .inspect(&local)
        .await
        .expect("it answers")
        .expect("it is there");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pack = folder.path().join("pack.tar");
    let (to, _progress) = mpsc::channel(8);
    let cancel = CancellationToken::new();
    let asked = [reference.to_owned()];
    let needed = BTreeMap::new();
    let exported = service.export(&pack, &asked, &needed, to.clone(), cancel.clone());
    let exported = exported.await.expect("it is here");
    assert_eq!(exported.len(), 1);
    assert_eq!(exported[0].reference, reference);
    assert!(
        exported[0]
            .source
            .starts_with("stand-in for gcr.io/distroless/python3-debian12")
    );
    engine.remove_image(&local).await.expect("it is ours");
    assert_eq!(engine.inspect(&local).await.expect("it answers"), None);

    let cut = folder.path().join("cut.tar");
    let bytes = std::fs::read(&pack).expect("it was written");
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).expect("there is room");
    let error = service
        .import(&cut, to.clone(), cancel.clone())
        .await
        .expect_err("it is cut");
    assert!(
        matches!(error, BaseError::Pack(PackError::Truncated)),
        "{error}"
    );
    assert_eq!(engine.inspect(&local).await.expect("it answers"), None);

    let imported = service
        .import(&pack, to, cancel)
        .await
        .expect("it is whole");
    assert_eq!(imported, exported);
    let after = engine
        .inspect(&local)
        .await
        .expect("it answers")
        .expect("it is back");
    assert_eq!(
        (after.diff_ids, after.config),
        (before.diff_ids, before.config)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stand_in_goes_when_another_takes_its_name_and_stays_where_the_user_gave_it_one() {
    let Some(engine) = host::engine().await else {
        return;
    };
    let _turn = DEBIAN12.lock().await;
    let reference = "gcr.io/distroless/python3-debian12:debug";
    let local = "loadline.local/gcr.io/distroless/python3-debian12:debug";
    let mine = format!("example.org/mine:{}", std::process::id());
    engine.remove_image(local).await.expect("it is ours");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let service = service(&engine);
    let import = async |author: &str| {
        let pack = folder.path().join(author);
        let architecture = &engine.info().architecture;
        pack_by(author, &pack, reference, local, architecture);
        let (to, _progress) = mpsc::channel(8);
        let imported = service.import(&pack, to, CancellationToken::new());
        imported.await.expect("it is sound");
        let image = engine.inspect(local).await.expect("an answer");
        image.expect("it is there").id
    };
    let is_there = async |image: &str| {
        let image = engine.inspect(image).await.expect("an answer");
        image.is_some()
    };
    let first = import("first").await;
    engine.tag(&first, &mine).await.expect("a name");
    let second = import("second").await;
    assert!(is_there(&mine).await, "the user named it");
    import("third").await;
    assert!(!is_there(&second).await, "nobody named it");
    for name in [&mine, local] {
        engine.remove_image(name).await.expect("it is ours");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_for_another_architecture_is_refused() {
    let Some(engine) = host::engine().await else {
        return;
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pack = folder.path().join("pack.tar");
    let foreign = "example.org/foreign:1";
    pack_of(&pack, foreign, foreign, "s390x");
    let (to, _progress) = mpsc::channel(8);
    let imported = service(&engine)
        .import(&pack, to, CancellationToken::new())
        .await;
    let error = imported.expect_err("it is for another machine");
    assert!(
        matches!(error, BaseError::Pack(PackError::Platform { .. })),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .starts_with("the pack is for linux/s390x, and this engine runs")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stand_in_that_cannot_be_renewed_is_used_and_not_called_new() {
    let Some(engine) = host::engine().await else {
        return;
    };
    let _turn = DEBIAN12.lock().await;
    let reference = "gcr.io/distroless/python3-debian12:debug";
    let local = "loadline.local/gcr.io/distroless/python3-debian12:debug";
    engine.remove_image(local).await.expect("it is ours");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let options = Options {
        mirror: Some("http://127.0.0.1:9/debian".to_owned()),
        no_registry: true,
        renews: false,
    };
    let service = |renews: bool| {
        let options = Options {
            renews,
            ..options.clone()
        };
        Service::new(Arc::clone(&engine), folder.path().to_owned(), options)
            .expect("the catalogue is sound")
    };
    let pack = folder.path().join("pack.tar");
    pack_of(&pack, reference, local, &engine.info().architecture);
    let (to, _progress) = mpsc::channel(8);
    let importing = service(false);
    let imported = importing.import(&pack, to, CancellationToken::new());
    imported.await.expect("it is sound");
    let (used, phases) = ensured(&service(false), reference).await;
    assert_eq!(used, local);
    assert!(phases.contains(&Phase::Resolving), "{phases:?}");
    // The next one does not wait for the mirror again.
    let (used, phases) = ensured(&service(false), reference).await;
    assert_eq!((used.as_str(), phases), (local, Vec::new()));
    let (to, _progress) = mpsc::channel(1000);
    let renewing = service(true);
    let asked = renewing.ensure(reference, to, CancellationToken::new());
    let error = asked.await.expect_err("nobody serves the mirror");
    assert!(matches!(error, BaseError::Kept { .. }), "{error}");
    engine.remove_image(local).await.expect("it is ours");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_make_an_image_once_and_a_cancelled_one_makes_none() {
    let Some(engine) = host::engine().await else {
        return;
    };
    let service = service(&engine);
    let _turn = DEBIAN12.lock().await;
    let reference = "gcr.io/distroless/python3-debian12:debug";
    let local = "loadline.local/gcr.io/distroless/python3-debian12:debug";
    engine.remove_image(local).await.expect("it is ours");
    let cancel = CancellationToken::new();
    cancel.cancel();
    let (to, _progress) = mpsc::channel(8);
    let cancelled = service.ensure(reference, to, cancel).await;
    assert!(
        matches!(cancelled, Err(BaseError::Cancelled)),
        "{cancelled:?}"
    );
    assert_eq!(engine.inspect(local).await.expect("it answers"), None);
    let (one, two) = tokio::join!(ensured(&service, reference), ensured(&service, reference));
    assert_eq!(one.0, two.0);
    let builds = [&one.1, &two.1]
        .iter()
        .filter(|phases| phases.contains(&Phase::Resolving))
        .count();
    assert_eq!(builds, 1, "{:?} {:?}", one.1, two.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_turn_takes_what_another_made_meanwhile() {
    let Some(engine) = host::engine().await else {
        return;
    };
    let (local, _) = ensured(&service(&engine), "busybox").await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let another = std::fs::File::create(folder.path().join("lock")).expect("a file");
    another.lock().expect("it is free");
    let waiter = Service::new(
        Arc::clone(&engine),
        folder.path().to_owned(),
        Options::default(),
    )
    .expect("the catalogue is sound");
    let reference = format!("loadline.test/turn-{}:1", std::process::id());
    let (to, mut progress) = mpsc::channel(1000);
    let waited = waiter.ensure(&reference, to, CancellationToken::new());
    let made = async {
        let first = progress.recv().await.map(|step| step.phase);
        assert_eq!(first, Some(Phase::Waiting));
        engine.tag(&local, &reference).await.expect("it is tagged");
    };
    let (found, ()) = tokio::join!(waited, made);
    let removed = engine.remove_image(&reference).await;
    assert_eq!(found.expect("it is there").local, reference);
    removed.expect("it is removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_does_not_answer_is_asked_once_and_not_for_long() {
    let Some(engine) = host::engine().await else {
        return;
    };
    let service =
        Service::new(engine, cache(), Options::default()).expect("the catalogue is sound");
    // An address that is reserved for documents: nothing answers there.
    let reference = "192.0.2.1:5000/nobody/has-this:1".to_owned();
    for may_ask in [true, false] {
        let resolved = service
            .resolve(std::slice::from_ref(&reference))
            .await
            .expect("it answers");
        let wanted = Resolution::Missing {
            can_build: false,
            can_pull: may_ask,
        };
        assert_eq!(resolved[&reference], wanted);
        let started = std::time::Instant::now();
        let (to, _progress) = mpsc::channel(8);
        let asked = service
            .ensure(&reference, to, CancellationToken::new())
            .await;
        assert!(matches!(asked, Err(BaseError::Unknown { .. })));
        assert!(started.elapsed() < std::time::Duration::from_secs(30));
    }
}

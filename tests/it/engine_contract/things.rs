//! Images: what the engine says of them, archives, references, paths, changes.

use std::time::Duration;

use futures_util::TryStreamExt;
use loadline::engine::Engine as _;
use loadline::engine::EngineError;
use loadline::engine::EngineName;
use loadline::engine::LABEL;
use loadline::engine::Store;
use loadline::engine::Transform;
use tokio_util::sync::CancellationToken;

use super::bench::BASE;
use super::bench::Bench;
use super::bench::OWNER;
use super::bench::fresh;
use super::bench::on_each_engine;

/// The whole archive of an image.
async fn exported(bench: &Bench, image: &str) -> Vec<u8> {
    let chunks: Vec<bytes::Bytes> = bench
        .engine
        .export(image)
        .await
        .unwrap_or_else(|error| panic!("{}: {error}", bench.address))
        .try_collect()
        .await
        .expect("an archive");
    chunks.concat()
}

#[test]
#[expect(clippy::too_many_lines, reason = "one walk, told in one place")]
fn one_image_weighs_the_same_on_every_engine() {
    on_each_engine(async |bench: &Bench| {
        let tag = fresh("sizes");
        let text = "FROM scratch\nCOPY busybox /bin/busybox\nCOPY note /note\nLABEL a=b\nUSER 7:8\nENV X=1\nEXPOSE 80\nCMD [\"/bin/busybox\"]\n";
        let (_folder, request) = bench.request(&tag, text, &[("note", "abc")]);
        let context = request.context.reader();
        let busybox = tar::Archive::new(context)
            .entries()
            .expect("entries")
            .map(|entry| entry.expect("an entry"))
            .find(|entry| entry.path().is_ok_and(|path| path.ends_with("busybox")))
            .map(|entry| entry.size())
            .expect("busybox");
        let (built, _) = bench
            .follow(request, CancellationToken::new(), |_| {})
            .await;
        let built = built.unwrap_or_else(|error| panic!("{}: {error:?}", bench.address));
        let archive = exported(bench, &tag).await;
        let contents = loadline::image::archive::read(
            archive.as_slice(),
            &loadline::image::archive::Options::default(),
        )
        .unwrap_or_else(|error| panic!("{}: {error}", bench.address));
        let sizes: Vec<u64> = contents
            .layers
            .iter()
            .map(|layer| layer.shipped.0)
            .collect();
        assert_eq!(sizes, [busybox, 3], "{}", bench.address);

        let summary = bench
            .engine
            .inspect(&built.image)
            .await
            .expect("an answer")
            .expect("the image is known by the id that the build gave");
        assert_eq!(summary.diff_ids.len(), 2, "{}", bench.address);
        assert_eq!(summary.config.user, "7:8");
        assert_eq!(summary.config.cmd, ["/bin/busybox"]);
        assert_eq!(summary.config.exposed_ports, ["80/tcp"]);
        assert_eq!(
            summary.config.labels.get("a").map(String::as_str),
            Some("b")
        );
        assert_eq!(
            summary.config.labels.get(LABEL).map(String::as_str),
            Some(OWNER)
        );
        assert!(summary.config.env.contains(&"X=1".to_owned()));
        let layers = summary
            .history
            .iter()
            .filter(|step| !step.empty_layer)
            .count();
        assert_eq!(layers, 2, "{}: {:#?}", bench.address, summary.history);
        if let Some(sizes) = &summary.layer_sizes {
            let sizes: Vec<u64> = sizes.iter().map(|size| size.0).collect();
            assert_eq!(sizes, [busybox, 3], "{}", bench.address);
        }
        bench.remove(&tag).await;
        assert_eq!(bench.engine.inspect(&tag).await.expect("an answer"), None);
        assert!(matches!(
            bench.engine.export(&tag).await.map(|_| ()),
            Err(EngineError::NoSuchImage(_))
        ));
    });
}

#[test]
fn an_archive_loads_back_and_can_be_given_another_reference() {
    on_each_engine(async |bench: &Bench| {
        let tag = fresh("load");
        bench.build(&tag, BASE).await.expect("a build");
        let archive = exported(bench, &tag).await;
        bench.remove(&tag).await;
        let stream = Box::pin(futures_util::stream::iter([Ok(bytes::Bytes::from(
            archive,
        ))]));
        bench.engine.load(stream).await.expect("a load");
        let other = fresh("tagged");
        bench.engine.tag(&tag, &other).await.expect("a reference");
        let entries = bench.engine.images(Some(LABEL)).await.expect("a list");
        let entry = entries
            .iter()
            .find(|entry| entry.tags.contains(&other))
            .unwrap_or_else(|| panic!("{}: {entries:#?}", bench.address));
        assert!(entry.tags.contains(&tag));
        bench.remove(&tag).await;
        bench.remove(&other).await;
        assert!(matches!(
            bench.engine.tag(&tag, &other).await,
            Err(EngineError::NoSuchImage(_))
        ));
    });
}

#[test]
fn what_a_name_stands_for_is_what_the_list_says() {
    on_each_engine(async |bench: &Bench| {
        let tag = fresh("named");
        // An image that no other test names meanwhile.
        let alone = format!("{BASE}LABEL only=\"{tag}\"\n");
        bench.build(&tag, &alone).await.expect("a build");
        let (_, short) = tag.split_once('/').expect("a short name");
        // One that no longer name ends with: Podman would take it for that.
        let short = &format!("vendor-{short}");
        // Podman gives such a name to what has none of a registry, and it is not the vendor's.
        let own = format!("localhost/of-{short}");
        for other in [short, own.as_str()] {
            bench.engine.tag(&tag, other).await.expect("a reference");
        }
        let all = bench.engine.images(None).await.expect("a list");
        let listed = all.iter().find(|entry| entry.tags.contains(&tag));
        let mut listed = listed.expect("it is listed").clone();
        listed.tags.sort();
        for name in [&tag, short, own.as_str()] {
            let found = bench.engine.named(&[name.to_owned()]).await;
            let found = found.unwrap_or_else(|error| panic!("{}: {error}", bench.address));
            let found = found.into_iter().find(|entry| entry.id == listed.id);
            let mut found = found.unwrap_or_else(|| panic!("{}: {name}", bench.address));
            found.tags.sort();
            // The containerd store lists what an image has compressed.
            found.size = listed.size;
            assert_eq!(found, listed, "{}: {name}", bench.address);
        }
        let none = [format!("of-{short}"), fresh("nobody"), "No Name".to_owned()];
        let found = bench.engine.named(&none).await.expect("an answer");
        assert_eq!(found, [], "{}", bench.address);
        for name in [own.as_str(), short, tag.as_str()] {
            bench.remove(name).await;
        }
    });
}

#[test]
fn paths_are_looked_up_through_links_without_a_run() {
    on_each_engine(async |bench: &Bench| {
        let tag = fresh("paths");
        let text = format!(
            "{BASE}RUN busybox mkdir /usr && busybox ln -s ../bin /usr/bin && busybox ln -s busybox /bin/ash && busybox ln -s nowhere /bin/broken && busybox ln -s circle /bin/circle\n\
             WORKDIR /gone/away\nRUN cd / && busybox rm -r /gone\n"
        );
        bench
            .build(&tag, &text)
            .await
            .unwrap_or_else(|error| panic!("{}: {error:?}", bench.address));
        let wanted = [
            ("bin/sh", true),
            ("/usr/bin/sh", true),
            ("bin/ash", true),
            ("usr/bin/ash", true),
            ("bin/broken", false),
            ("bin/circle", false),
            ("etc/passwd-not-there", false),
            // An engine makes it in every container.
            ("gone", false),
            ("gone/away", false),
        ];
        let paths: Vec<String> = wanted.iter().map(|(path, _)| (*path).to_owned()).collect();
        let found = bench.engine.paths(&tag, &paths).await.expect("an answer");
        // Many are looked up in another way.
        let others = (0..100).map(|number| format!("none/{number}"));
        let many: Vec<String> = paths.iter().cloned().chain(others).collect();
        let of_many = bench.engine.paths(&tag, &many).await.expect("an answer");
        assert_eq!(of_many.len(), many.len(), "{}", bench.address);
        for (path, exists) in wanted {
            for found in [&found, &of_many] {
                assert_eq!(found.get(path), Some(&exists), "{}: {path}", bench.address);
            }
        }
        bench.remove(&tag).await;
    });
}

#[test]
fn a_file_named_like_a_whiteout_is_found_among_many_deletions() {
    // As empty, and of the mode, that a graph driver's own are.
    let lines = "RUN busybox mkdir /d && cd /d && busybox touch $(busybox seq 1 100) /gone\n\
                 RUN busybox rm /d/*\n\
                 RUN busybox touch /.wh.gone && busybox chmod 0 /.wh.gone\n";
    kept_under_a_whiteout(lines, 101, "gone");
}

#[test]
fn a_file_named_like_a_whiteout_is_found_where_its_name_is_no_text() {
    let lines = r#"RUN busybox touch "/$(busybox printf '\377')"
                   RUN w="/.wh.$(busybox printf '\377')" && busybox touch "$w" && busybox chmod 0 "$w"
                  "#;
    kept_under_a_whiteout(lines, 1, r"\xFF");
}

/// Builds what hides so many paths, of which `kept` is there where the engine keeps a graph driver's
/// folders.
fn kept_under_a_whiteout(lines: &str, hides: usize, kept: &str) {
    on_each_engine(async |bench: &Bench| {
        let tag = fresh("doubt");
        let text = format!("{BASE}{lines}");
        bench
            .build(&tag, &text)
            .await
            .unwrap_or_else(|error| panic!("{}: {error:?}", bench.address));
        let archive = exported(bench, &tag).await;
        let options = loadline::image::archive::Options::default();
        let contents = loadline::image::archive::read(archive.as_slice(), &options)
            .unwrap_or_else(|error| panic!("{}: {error}", bench.address));
        let marks = loadline::image::doubt::marks(&contents);
        let hidden: Vec<String> = marks.into_iter().map(|mark| mark.hides).collect();
        assert_eq!(hidden.len(), hides, "{}: {hidden:?}", bench.address);
        let found = bench.engine.paths(&tag, &hidden).await.expect("an answer");
        let there = found.iter().filter(|(_, there)| **there);
        let there: Vec<&str> = there.map(|(path, _)| path.as_str()).collect();
        // Others unpack the layer themselves, and the file is gone for good.
        let info = bench.engine.info();
        let is_kept = info.name == EngineName::Docker && info.store == Store::Graphdriver;
        let kept: &[&str] = if is_kept { &[kept] } else { &[] };
        assert_eq!(there, kept, "{}", bench.address);
        bench.remove(&tag).await;
    });
}

#[test]
#[expect(clippy::too_many_lines, reason = "one walk, told in one place")]
fn a_transform_keeps_the_files_and_none_of_its_command() {
    on_each_engine(async |bench: &Bench| {
        let tag = fresh("before");
        bench
            .build(&tag, &format!("{BASE}USER 7\nENTRYPOINT [\"/bin/sh\"]\n"))
            .await
            .expect("a build");
        let after = fresh("after");
        let request = |command: &str| Transform {
            image: tag.clone(),
            command: ["/bin/busybox", "sh", "-c", command]
                .map(str::to_owned)
                .to_vec(),
            env: Vec::new(),
            reference: after.clone(),
            changes: vec![
                "ENV ADDED=1".to_owned(),
                "CMD [\"-c\", \"busybox cat /made\"]".to_owned(),
            ],
            owner: OWNER.to_owned(),
            within: Duration::from_secs(30),
        };
        bench
            .engine
            .transform(request("busybox id -u >/made"), CancellationToken::new())
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", bench.address));
        let summary = bench
            .engine
            .inspect(&after)
            .await
            .expect("an answer")
            .expect("the image");
        assert_eq!(summary.config.entrypoint, ["/bin/sh"], "{}", bench.address);
        assert_eq!(summary.config.user, "7");
        assert!(summary.config.env.contains(&"ADDED=1".to_owned()));
        let outcome = bench
            .run(
                &after,
                loadline::image::run::Start::default(),
                loadline::image::run::Probe::Exit,
                20,
            )
            .await;
        assert_eq!(
            outcome.stdout.first().map(loadline::text::Clean::as_str),
            Some("0"),
            "{}: the command ran as root: {outcome:?}",
            bench.address
        );
        let failed = bench
            .engine
            .transform(request("echo because; exit 4"), CancellationToken::new())
            .await
            .expect_err("a command that fails");
        let text = failed.to_string();
        assert!(
            text.contains("status 4") && text.contains("because"),
            "{text}"
        );
        bench.remove(&after).await;
        bench.remove(&tag).await;
    });
}

//! What is ours and what is left behind.

use std::collections::HashMap;
use std::sync::Arc;

use bollard::models::ContainerConfig;
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::CommitContainerOptionsBuilder;
use bollard::query_parameters::ListContainersOptionsBuilder;
use loadline::engine::Engine as _;
use loadline::engine::EngineError;
use loadline::engine::HOME_LABEL;
use loadline::engine::LABEL;
use loadline::engine::Leftover;
use loadline::engine::LeftoverKind;
use loadline::engine::MADE_BY_LABEL;
use loadline::engine::PROCESS_LABEL;
use loadline::engine::Whose;
use loadline::units::Bytes;
use loadline::workshop::Sweep;
use loadline::workshop::sweep;

use super::bench::BASE;
use super::bench::Bench;
use super::bench::fresh;
use super::bench::on_each_engine;

fn client(bench: &Bench) -> bollard::Docker {
    bollard::Docker::connect_with_host(&bench.address).expect("a client")
}

/// Makes a container with labels of the test's choice.
async fn container(bench: &Bench, image: &str, labels: &[(&str, &str)]) -> String {
    let body = ContainerCreateBody {
        image: Some(image.to_owned()),
        cmd: Some(vec!["/bin/sh".to_owned()]),
        labels: Some(
            labels
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
        ),
        ..ContainerCreateBody::default()
    };
    client(bench)
        .create_container(None, body)
        .await
        .expect("a container")
        .id
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path)
        .unwrap_or_default()
        .trim()
        .to_owned()
}

#[test]
#[expect(clippy::too_many_lines, reason = "one walk, told in one place")]
fn a_sweep_takes_what_dead_processes_left_and_nothing_else() {
    on_each_engine(async |bench: &Bench| {
        let tag = fresh("sweep");
        bench.build(&tag, BASE).await.expect("a build");
        let host = read("/proc/sys/kernel/hostname");
        let boot = read("/proc/sys/kernel/random/boot_id");
        let space = std::fs::read_link("/proc/self/ns/pid").expect("a namespace");
        let space: String = space
            .to_string_lossy()
            .chars()
            .filter(char::is_ascii_digit)
            .collect();
        // Process 1 lives, and began when the machine did: this start is not its own.
        let dead = format!("{host}/{boot}/{space}/1/999999999999");
        let own_start = read("/proc/self/stat");
        let own_start = own_start
            .rsplit_once(')')
            .and_then(|(_, fields)| fields.split_whitespace().nth(19))
            .expect("a start");
        let living = format!("{host}/{boot}/{space}/{}/{own_start}", std::process::id());
        // Of a home of its own: nobody else's sweep takes it first.
        let of = [
            (LABEL, "w"),
            (PROCESS_LABEL, dead.as_str()),
            (HOME_LABEL, &tag),
        ];
        let left = container(bench, &tag, &of).await;
        let sibling = container(bench, &tag, &[(LABEL, "w"), (PROCESS_LABEL, &living)]).await;
        let foreign = container(bench, &tag, &[]).await;

        let found = bench.engine.leftovers().await.expect("a list");
        let ids: Vec<&str> = found.iter().map(|leftover| leftover.id.as_str()).collect();
        assert!(ids.contains(&left.as_str()), "{}", bench.address);
        assert!(!ids.contains(&sibling.as_str()), "{}", bench.address);
        assert!(!ids.contains(&foreign.as_str()), "{}", bench.address);
        for leftover in found.iter().filter(|leftover| leftover.id == left) {
            assert_eq!((leftover.owner.as_str(), &leftover.home), ("w", &tag));
            bench
                .engine
                .remove_leftover(leftover)
                .await
                .expect("a removal");
        }
        let claimed = Leftover {
            kind: LeftoverKind::Container,
            id: foreign.clone(),
            name: "foreign".to_owned(),
            size: Bytes(0),
            owner: String::new(),
            home: String::new(),
        };
        let refused = bench.engine.remove_leftover(&claimed).await;
        assert!(
            matches!(refused, Err(EngineError::Refused { .. })),
            "{}: {refused:?}",
            bench.address
        );
        // Asked one by one: a list holds other cases' containers, in states that the client library
        // may not know.
        let gone = client(bench).inspect_container(&left, None).await;
        assert!(
            matches!(
                gone,
                Err(bollard::errors::Error::DockerResponseServerError {
                    status_code: 404,
                    ..
                })
            ),
            "{}: it is gone: {gone:?}",
            bench.address
        );
        for id in [sibling, foreign] {
            let there = client(bench).inspect_container(&id, None).await;
            assert!(there.is_ok(), "{}: {there:?}", bench.address);
            client(bench)
                .remove_container(&id, None)
                .await
                .expect("a removal");
        }
        bench.remove(&tag).await;
    });
}

/// Makes an image of `image` with more labels, as a user does who builds on it; under a name or none.
async fn image_on(bench: &Bench, image: &str, labels: &[(&str, &str)], name: &str) -> String {
    let made = container(bench, image, labels).await;
    let (repo, tag) = name.rsplit_once(':').unwrap_or_default();
    let options = CommitContainerOptionsBuilder::default()
        .container(&made)
        .repo(repo)
        .tag(tag)
        .build();
    let committed = client(bench)
        .commit_container(options, ContainerConfig::default())
        .await;
    client(bench)
        .remove_container(&made, None)
        .await
        .expect("a removal");
    // Podman takes bare digits for a name.
    let id = committed.expect("an image").id;
    format!("sha256:{}", id.trim_start_matches("sha256:"))
}

async fn is_there(bench: &Bench, image: &str) -> bool {
    let found = bench.engine.inspect(image).await.expect("an answer");
    found.is_some()
}

#[test]
fn what_a_build_replaces_goes_and_what_the_user_made_of_it_stays() {
    on_each_engine(async |bench: &Bench| {
        let tag = fresh("replaced");
        let build = async |word: &str| {
            let text = format!("{BASE}ENV WORD={tag}-{word}\n");
            bench.build(&tag, &text).await.expect("a build").image
        };
        let first = build("first").await;
        let mine = format!("{tag}-mine");
        bench.engine.tag(&first, &mine).await.expect("a name");
        let second = build("second").await;
        let found = bench.engine.inspect(&mine).await.expect("an answer");
        assert_eq!(found.map(|mine| mine.id), Some(first), "{}", bench.address);
        // It inherits the labels, and has no name.
        let child = image_on(bench, &mine, &[], "").await;
        let third = build("third").await;
        assert!(!is_there(bench, &second).await, "{}", bench.address);
        let found = bench.engine.leftovers().await.expect("a list");
        let is_left = |id: &str| found.iter().any(|left| id.ends_with(&left.id));
        assert!(!is_left(&child) && !is_left(&third), "{found:#?}");
        sweep(Arc::new(bench.engine.clone()), None).await;
        assert!(is_there(bench, &child).await, "{}", bench.address);

        let failed = bench.build(&tag, "FROM scratch\nCOPY nothere /\n").await;
        assert!(failed.is_err(), "{}", bench.address);
        let names = client(bench).inspect_image(&tag).await.expect("an image");
        let names = names.repo_tags.unwrap_or_default();
        assert_eq!(names, std::slice::from_ref(&tag), "{}", bench.address);
        for image in [&child, &mine, &tag] {
            bench.remove(image).await;
        }
    });
}

#[test]
fn a_replaced_image_that_another_process_may_judge_waits_for_the_sweep() {
    on_each_engine(async |bench: &Bench| {
        let (base, tag) = (fresh("judged-base"), fresh("judged"));
        bench.build(&base, BASE).await.expect("a build");
        let host = read("/proc/sys/kernel/hostname").replace('/', "_");
        let boot = read("/proc/sys/kernel/random/boot_id");
        // Another container of this host has processes of its own, which nobody else can look up.
        let sibling = [(MADE_BY_LABEL, format!("{host}/{boot}/1/1/1"))];
        let sibling = sibling
            .each_ref()
            .map(|(key, value)| (*key, value.as_str()));
        let judged = image_on(bench, &base, &sibling, &tag).await;
        let text = format!("{BASE}ENV JUDGED={tag}\n");
        bench.build(&tag, &text).await.expect("a build");
        let found = client(bench).inspect_image(&judged).await;
        let names = found.expect("it is there").repo_tags.unwrap_or_default();
        let [name] = names.as_slice() else {
            panic!("{}: {names:?}", bench.address);
        };
        let found = bench.engine.leftovers().await.expect("a list");
        assert!(!found.iter().any(|left| left.name == *name), "{found:#?}");
        bench.remove(name).await;

        let dead = [(MADE_BY_LABEL, format!("{host}/another-boot/1/1/1"))];
        let dead = dead.each_ref().map(|(key, value)| (*key, value.as_str()));
        let left = image_on(bench, &base, &dead, name).await;
        let found = bench.engine.leftovers().await.expect("a list");
        let found = found.iter().find(|left| left.name == *name);
        let found = found.unwrap_or_else(|| panic!("{}: it was left", bench.address));
        let claimed = Leftover {
            name: tag.clone(),
            ..found.clone()
        };
        let refused = bench.engine.remove_leftover(&claimed).await;
        assert!(
            matches!(refused, Err(EngineError::Refused { .. })),
            "{}: {refused:?}",
            bench.address
        );
        let removed = bench.engine.remove_leftover(found).await;
        removed.unwrap_or_else(|error| panic!("{}: {error}", bench.address));
        assert!(!is_there(bench, &left).await, "{}", bench.address);
        for image in [&tag, &base] {
            bench.remove(image).await;
        }
    });
}

#[test]
fn what_is_made_for_a_home_is_marked_and_the_sweep_of_another_leaves_it() {
    on_each_engine(async |bench: &Bench| {
        let tag = fresh("homes");
        let plain = format!("{tag}-homeless");
        let text = format!("{BASE}ENV HOMES={tag}\n");
        bench.build(&plain, &text).await.expect("a build");
        bench.engine.make_for(&tag);
        bench.build(&tag, &text).await.expect("a build");
        let images = bench.engine.images(Some(MADE_BY_LABEL)).await;
        let images = images.expect("a list");
        let home = |name: &str| {
            let named = |tag: &String| tag.ends_with(name);
            let image = images.iter().find(|image| image.tags.iter().any(named));
            let image = image.unwrap_or_else(|| panic!("{}: {name}", bench.address));
            image.labels.get(HOME_LABEL).cloned()
        };
        assert_eq!(home(&tag), Some(tag.clone()), "{}", bench.address);
        assert_eq!(home(&plain), Some(String::new()), "{}", bench.address);

        let dead = format!(
            "{}/another-boot/1/1/1",
            read("/proc/sys/kernel/hostname").replace('/', "_")
        );
        let of = [
            (LABEL, "w"),
            (PROCESS_LABEL, dead.as_str()),
            (HOME_LABEL, &tag),
        ];
        let left = container(bench, &tag, &of).await;
        let found = bench.engine.leftovers().await.expect("a list");
        let found = found.iter().find(|leftover| leftover.id == left);
        let found = found.unwrap_or_else(|| panic!("{}: it was left", bench.address));
        assert_eq!(found.whose(Some("another")), Whose::Others);
        let is_there = async || client(bench).inspect_container(&left, None).await.is_ok();
        let engine = Arc::new(bench.engine.clone());
        sweep(engine.clone(), Some("another".to_owned())).await;
        assert!(is_there().await, "{}", bench.address);
        let ours = Sweep::default();
        ours.settle_in(engine, Some(tag.clone()));
        assert!(
            is_there().await,
            "{}: somebody may wait for a build",
            bench.address
        );
        ours.finish().await;
        assert!(!is_there().await, "{}", bench.address);
        bench.remove(&plain).await;
        bench.remove(&tag).await;
    });
}

#[test]
fn runs_and_builds_leave_no_container_of_ours() {
    on_each_engine(async |bench: &Bench| {
        let tag = fresh("hygiene");
        // An image of its own: the filter finds containers by the image's id.
        bench
            .build(&tag, &format!("{BASE}ENV HYGIENE={tag}\n"))
            .await
            .expect("a build");
        bench.sh(&tag, "exit 1", 20).await;
        bench
            .engine
            .paths(&tag, &["bin/sh".to_owned()])
            .await
            .expect("an answer");
        let filters = HashMap::from([("ancestor", vec![tag.as_str()])]);
        let options = ListContainersOptionsBuilder::default()
            .all(true)
            .filters(&filters)
            .build();
        let left = client(bench)
            .list_containers(Some(options))
            .await
            .expect("a list");
        assert!(left.is_empty(), "{}: {left:#?}", bench.address);
        bench.remove(&tag).await;
    });
}

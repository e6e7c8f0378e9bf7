//! The ledger against the truth, by hand and against a model that replays naively.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::image::fixture::image;

/// `path bytes shipped>hidden how`, by path.
fn dead(layers: &[&[&str]]) -> Vec<String> {
    let contents = image(layers);
    let ledger = Ledger::of(&contents);
    assert_eq!(ledger.shipped(), contents.shipped());
    let live = crate::image::tree::Tree::of(&contents).live();
    assert_eq!(ledger.live(), live, "the tree and the ledger agree");
    let mut lines: Vec<String> = ledger
        .dead
        .iter()
        .map(|file| {
            format!(
                "{} {} {}>{} {:?}",
                file.path, file.bytes.0, file.shipped_in, file.hidden_in, file.how
            )
        })
        .collect();
    lines.sort();
    lines
}

#[test]
fn a_deleted_file_and_a_deleted_folder_are_dead() {
    let base: &[&str] = &[
        "big/",
        "big/a 5",
        "big/s/",
        "big/s/b 6",
        "solo 7",
        "bigger 8",
    ];
    assert_eq!(
        dead(&[base, &["-big", "-solo"]]),
        [
            "big/a 5 0>1 Deleted",
            "big/s/b 6 0>1 Deleted",
            "solo 7 0>1 Deleted"
        ]
    );
}

#[test]
fn a_file_that_is_named_like_a_whiteout_is_dead_where_it_is_shipped() {
    assert_eq!(
        dead(&[&["app/.env 5"], &["-app/.env 7", "-gone 3", "app/x 2"]]),
        [
            ".wh.gone 3 1>1 Deleted",
            "app/.env 5 0>1 Deleted",
            "app/.wh..env 7 1>1 Deleted"
        ]
    );
}

#[test]
fn other_bytes_and_the_same_bytes_are_told_apart() {
    let base: &[&str] = &["a 5 x", "b 5 x", "c 5 x"];
    assert_eq!(
        dead(&[base, &["a 5 y", "b 5 x", "c 6 x"]]),
        [
            "a 5 0>1 Overwritten",
            "b 5 0>1 MetadataOnly",
            "c 5 0>1 Overwritten"
        ]
    );
}

#[test]
fn an_opaque_folder_hides_what_is_below_and_not_beside() {
    let base: &[&str] = &["d/", "d/a 5", "d/b 6"];
    // Its own files stay, in whatever order the layer has them.
    for top in [["d/", "!d", "d/a 9"], ["d/a 9", "d/", "!d"]] {
        assert_eq!(
            dead(&[base, &top]),
            ["d/a 5 0>1 Opaque", "d/b 6 0>1 Opaque"]
        );
    }
}

#[test]
fn what_changes_its_type_is_replaced() {
    let base: &[&str] = &["d/", "d/a 5", "d/s/", "d/s/b 6", "f 7", "g 8"];
    assert_eq!(
        dead(&[base, &["d 1", "f/", "g -> f"]]),
        [
            "d/a 5 0>1 Replaced",
            "d/s/b 6 0>1 Replaced",
            "f 7 0>1 Replaced",
            "g 8 0>1 Replaced"
        ]
    );
    assert_eq!(
        dead(&[base, &["d -> f"]]),
        ["d/a 5 0>1 Replaced", "d/s/b 6 0>1 Replaced"]
    );
    // A folder over a folder changes its permissions, nothing else.
    assert!(dead(&[base, &["d/", "d/s/"]]).is_empty());
}

#[test]
fn a_hard_link_is_paid_once_and_lives_while_any_name_does() {
    let base: &[&str] = &["a 5", "b == a", "c == b"];
    assert_eq!(Ledger::of(&image(&[base])).shipped(), Bytes(5));
    assert!(dead(&[base, &["-a"], &["-c"]]).is_empty());
    assert_eq!(
        dead(&[base, &["-a"], &["-c"], &["-b"]]),
        ["b 5 0>3 Deleted"]
    );
    // A link of a layer above keeps a file of the layer below.
    assert!(dead(&[&["a 5"], &["b == a"], &["-a"]]).is_empty());
    // A link that comes before its file is one all the same.
    assert!(dead(&[&["b == a", "a 5"], &["-a"]]).is_empty());
    // Making a link to itself anew takes nothing away.
    assert!(dead(&[&["a 5", "b == a"], &["b == a"]]).is_empty());
}

#[test]
fn a_hard_link_to_a_symbolic_link_has_no_bytes_and_keeps_none() {
    let base: &[&str] = &["a 5", "l -> a", "m == l"];
    assert_eq!(Ledger::of(&image(&[base])).shipped(), Bytes(5));
    assert!(dead(&[base, &["-m"], &["-l"]]).is_empty());
    assert_eq!(dead(&[base, &["-a"]]), ["a 5 0>1 Deleted"]);
    // Of a layer, what lies behind such a link to a folder goes by its own name.
    let folder: &[&str] = &["f/x 5"];
    let through: &[&str] = &["l -> f", "m == l", "m/x 6"];
    assert_eq!(dead(&[folder, through]), ["f/x 5 0>1 Overwritten"]);
}

#[test]
fn a_link_in_place_of_a_file_is_that_file_again() {
    let base: &[&str] = &["a 5 x", "b 5 x", "c 9"];
    assert_eq!(
        dead(&[base, &["b == a", "c == a"]]),
        ["b 5 0>1 MetadataOnly", "c 9 0>1 Overwritten"]
    );
}

#[test]
fn a_whiteout_of_nothing_does_nothing() {
    assert!(dead(&[&["a 5"], &["-b", "-x/y", "!z"]]).is_empty());
    assert!(dead(&[&["-a", "a 5"]]).is_empty());
}

#[test]
fn every_layer_is_blamed_for_its_own() {
    let layers: &[&[&str]] = &[&["a 5"], &["a 6"], &["-a"], &["a 7"], &["b 1"]];
    assert_eq!(dead(layers), ["a 5 0>1 Overwritten", "a 6 1>2 Deleted"]);
    let ledger = Ledger::of(&image(layers));
    let bills: Vec<(u64, u64, u64)> = ledger
        .layers
        .iter()
        .map(|bill| (bill.shipped.0, bill.dead.0, bill.hidden.0))
        .collect();
    assert_eq!(
        bills,
        [(5, 5, 0), (6, 6, 5), (0, 0, 6), (7, 0, 0), (1, 0, 0)]
    );
    assert_eq!(
        (ledger.shipped(), ledger.live(), ledger.dead_bytes()),
        (Bytes(19), Bytes(8), Bytes(11))
    );
    assert_eq!(ledger.efficiency().to_string(), "42 %");
}

#[test]
fn a_path_that_a_layer_has_twice_is_paid_twice() {
    assert_eq!(dead(&[&["a 5", "a 6"]]), ["a 5 0>0 Overwritten"]);
}

#[test]
fn a_folder_takes_the_place_of_a_link_and_not_of_what_that_leads_to() {
    let base: &[&str] = &["usr/", "usr/bin/", "usr/bin/sh 5", "bin -> usr/bin"];
    assert!(dead(&[base, &["bin/sh 6"]]).is_empty());
    assert!(dead(&[base, &["-bin/sh"]]).is_empty());
    assert!(dead(&[base, &["-bin"]]).is_empty());
    // Within one layer the link is followed.
    let own: &[&str] = &["usr/", "usr/bin/", "bin -> usr/bin", "bin/sh 6"];
    assert_eq!(dead(&[base, own]), ["usr/bin/sh 5 0>1 Overwritten"]);
}

#[test]
fn a_file_that_has_to_be_a_folder_is_replaced() {
    assert_eq!(dead(&[&["a 100"], &["a/b 60"]]), ["a 100 0>1 Replaced"]);
    assert_eq!(dead(&[&["a 100"], &["-a/b"]]), ["a 100 0>1 Replaced"]);
}

#[test]
fn nothing_shipped_is_nothing_wasted() {
    let ledger = Ledger::of(&Contents::default());
    assert_eq!(
        (ledger.shipped(), ledger.efficiency()),
        (Bytes(0), Percent(100.0))
    );
}

/// `path files bytes`, the largest first.
fn heaps(layers: &[&[&str]]) -> Vec<String> {
    let ledger = Ledger::of(&image(layers));
    let heaps = ledger.heaps();
    assert_eq!(
        heaps.iter().map(|heap| heap.bytes).sum::<Bytes>(),
        ledger.dead_bytes()
    );
    heaps
        .iter()
        .map(|heap| format!("{} {} {}", heap.path, heap.files, heap.bytes.0))
        .collect()
}

#[test]
fn a_deleted_folder_is_one_heap() {
    let base: &[&str] = &["big/", "big/a 50", "big/s/", "big/s/b 6", "x 7"];
    assert_eq!(heaps(&[base, &["-big"]]), ["big 2 56"]);
}

#[test]
fn many_deleted_files_are_named_after_the_folder_that_holds_most() {
    let base: &[&str] = &[
        "var/lib/apt/lists/a 200",
        "var/lib/apt/lists/b 210",
        "var/lib/apt/lists/c 220",
        "var/cache/apt/p 170",
        "var/cache/apt/q 140",
        "var/log/l 3",
        "tmp/t 1",
    ];
    let gone: &[&str] = &[
        "-var/lib/apt/lists/a",
        "-var/lib/apt/lists/b",
        "-var/lib/apt/lists/c",
        "-var/cache/apt/p",
        "-var/cache/apt/q",
        "-var/log/l",
        "-tmp/t",
    ];
    assert_eq!(
        heaps(&[base, gone]),
        [
            "var/lib/apt/lists 3 630",
            "var/cache/apt 2 310",
            "var/log/l 1 3",
            "tmp/t 1 1"
        ]
    );
}

#[test]
fn a_recursive_chown_is_one_heap_per_place() {
    let base: &[&str] = &[
        "app/m/a 30",
        "app/m/b 30",
        "app/n/c 30",
        "app/n/d 20",
        "srv/e 9",
    ];
    assert_eq!(
        heaps(&[base, base]),
        ["app/m 2 60", "app/n 2 50", "srv/e 1 9"]
    );
}

/// A payload of the plain rules: its layer and its place in it.
type Id = (usize, usize);

/// The rules once more, as plainly as possible: names to payloads, everything looked at each time.
fn plainly(layers: &[Vec<String>]) -> (u64, u64, BTreeMap<Id, usize>) {
    let under = |path: &str, folder: &str| path.starts_with(&format!("{folder}/"));
    // What each name is of, and the layer that it is of.
    let mut names: BTreeMap<String, (usize, Option<Id>)> = BTreeMap::new();
    let mut sizes: BTreeMap<Id, u64> = BTreeMap::new();
    let mut hidden: BTreeMap<Id, usize> = BTreeMap::new();
    for (index, layer) in layers.iter().enumerate() {
        for entry in layer {
            if let Some(path) = entry.strip_prefix('-') {
                names.retain(|name, _| name != path && !under(name, path));
                names.retain(|name, (_, file)| file.is_none() || !under(path, name));
            } else if let Some(path) = entry.strip_prefix('!') {
                names.retain(|name, _| !under(name, path));
                names.retain(|name, (_, file)| {
                    file.is_none() || (name != path && !under(path, name))
                });
            }
        }
        mark(&names, &sizes, &mut hidden, index);
        for (at, entry) in layer.iter().enumerate() {
            if entry.starts_with(['-', '!']) {
                continue;
            }
            let (path, file) = if let Some(path) = entry.strip_suffix('/') {
                (path, None)
            } else if let Some((path, target)) = entry.split_once(" == ") {
                let file = names.get(target).and_then(|(_, file)| *file);
                names.retain(|name, _| !under(name, path));
                (path, file)
            } else {
                let (path, size) = entry.split_once(' ').unwrap();
                sizes.insert((index, at), size.parse().unwrap());
                names.retain(|name, _| !under(name, path));
                (path, Some((index, at)))
            };
            names.retain(|name, (layer, file)| {
                file.is_none() || *layer == index || !under(path, name)
            });
            names.insert(path.to_owned(), (index, file));
            mark(&names, &sizes, &mut hidden, index);
        }
    }
    let live: BTreeSet<Id> = names.values().filter_map(|(_, id)| *id).collect();
    let live_bytes = live.iter().map(|id| sizes[id]).sum();
    (sizes.values().sum(), live_bytes, hidden)
}

/// Notes the layer at which a payload lost its last name.
fn mark(
    names: &BTreeMap<String, (usize, Option<Id>)>,
    sizes: &BTreeMap<Id, u64>,
    hidden: &mut BTreeMap<Id, usize>,
    layer: usize,
) {
    for id in sizes.keys() {
        if names.values().any(|(_, file)| *file == Some(*id)) {
            hidden.remove(id);
        } else {
            hidden.entry(*id).or_insert(layer);
        }
    }
}

/// Links forward to a file of the same layer are left out of the model: they are tested by hand.
fn links_backward(layers: &mut [Vec<String>]) {
    for layer in layers {
        let all = layer.clone();
        let mut at = 0;
        layer.retain(|entry| {
            at += 1;
            let Some((_, target)) = entry.split_once(" == ") else {
                return true;
            };
            !all[at..].iter().any(|later| {
                let file = later
                    .split_once(' ')
                    .filter(|(_, rest)| !rest.starts_with("=="));
                file.is_some_and(|(path, _)| path == target)
            })
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn the_ledger_is_what_a_naive_replay_finds(
        mut layers in proptest::collection::vec(
            proptest::collection::vec(
                prop_oneof![
                    3 => "[ab]{1,2}(/[ab]{1,2}){0,2} [1-9]",
                    1 => "[ab]{1,2}(/[ab]{1,2}){0,2}/",
                    1 => "[-!][ab]{1,2}(/[ab]{1,2}){0,2}",
                    1 => "[ab]{1,2}(/[ab]{1,2}){0,1} == [ab]{1,2}(/[ab]{1,2}){0,1}",
                ],
                0..8,
            ),
            0..6,
        )
    ) {
        links_backward(&mut layers);
        let borrowed: Vec<Vec<&str>> =
            layers.iter().map(|layer| layer.iter().map(String::as_str).collect()).collect();
        let borrowed: Vec<&[&str]> = borrowed.iter().map(Vec::as_slice).collect();
        let contents = image(&borrowed);
        let ledger = Ledger::of(&contents);
        let (shipped, live, hidden) = plainly(&layers);
        prop_assert_eq!(ledger.shipped(), Bytes(shipped));
        prop_assert_eq!(ledger.live(), Bytes(live));
        prop_assert_eq!(crate::image::tree::Tree::of(&contents).live(), Bytes(live));
        let mut found: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for file in &ledger.dead {
            *found.entry((file.shipped_in, file.hidden_in)).or_default() += 1;
        }
        let mut expected: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for ((shipped_in, _), hidden_in) in &hidden {
            *expected.entry((*shipped_in, *hidden_in)).or_default() += 1;
        }
        prop_assert_eq!(found, expected);
        let heaps: Bytes = ledger.heaps().iter().map(|heap| heap.bytes).sum();
        prop_assert_eq!(heaps, ledger.dead_bytes());
    }

    #[test]
    fn links_to_folders_in_circles_do_no_harm(
        layers in proptest::collection::vec(
            proptest::collection::vec("[ab](/[ab.]{1,2}){0,2}( -> [ab./]{1,5}| == [ab/]{1,3})?", 0..7),
            1..4,
        )
    ) {
        let borrowed: Vec<Vec<&str>> =
            layers.iter().map(|layer| layer.iter().map(String::as_str).collect()).collect();
        let borrowed: Vec<&[&str]> = borrowed.iter().map(Vec::as_slice).collect();
        let contents = image(&borrowed);
        let ledger = Ledger::of(&contents);
        prop_assert!(ledger.dead_bytes() <= contents.shipped());
        let live = crate::image::tree::Tree::of(&contents).live();
        prop_assert_eq!(ledger.live(), live);
    }
}

//! The screens on the inside of an image: Layers, CVEs.

use std::sync::Arc;

use crossterm::event::KeyCode;

use super::pictures;
use crate::finding::Scan;
use crate::image::package::Gap;
use crate::image::package::Runtime;
use crate::report::Outcome;
use crate::tui::fixture::Scene;
use crate::tui::fixture::inside::contents;
use crate::tui::msg::Msg;
use crate::tui::theme::Palette;
use crate::tui::theme::Theme;
use crate::units::Bytes;
use crate::workshop::Trouble;
use crate::workshop::insight::Advised;
use crate::workshop::insight::Insight;

#[test]
fn layers_and_the_files_of_all() {
    pictures("layers", &mut Scene::layers());
}

#[test]
fn the_files_of_one_layer() {
    let mut scene = Scene::layers();
    scene.char('G');
    scene.key(KeyCode::Up);
    scene.key(KeyCode::Tab);
    pictures("layers_files", &mut scene);
    scene.char('t');
    insta::assert_snapshot!("layers_wasted_80x24", scene.picture(80, 24));
    scene.char('t');
    scene.char('t');
    scene.char('t');
    insta::assert_snapshot!("layers_removed_120x36", scene.picture(120, 36));
}

#[test]
fn files_that_a_filter_finds() {
    let mut scene = Scene::layers();
    scene.char('f');
    for c in "lib".chars() {
        scene.char(c);
    }
    insta::assert_snapshot!("layers_filter_120x36", scene.picture(120, 36));
    scene.key(KeyCode::Enter);
    scene.key(KeyCode::Tab);
    scene.char('s');
    insta::assert_snapshot!("layers_filter_80x24", scene.picture(80, 24));
    scene.char('f');
    for c in "nowhere".chars() {
        scene.char(c);
    }
    let picture = scene.picture(80, 24);
    assert!(picture.contains("no path has"), "{picture}");
}

#[test]
fn layers_before_they_are_known() {
    let (mut scene, job) = Scene::looking();
    insta::assert_snapshot!("layers_looking_80x24", scene.picture(80, 24));
    scene.tell(Msg::Looking {
        job,
        read: Bytes(103_000_000),
    });
    insta::assert_snapshot!("layers_looking_120x36", scene.picture(120, 36));
    scene.tell(Msg::Looked {
        job,
        result: Err(Trouble::new("The image is not on the engine any more.")
            .advise("Build it again; what does not change comes from the cache.")),
    });
    insta::assert_snapshot!("layers_gone_60x18", scene.picture(60, 18));
    let mut scene = Scene::ended(Outcome::BuildFailed);
    scene.char('4');
    let picture = scene.picture(80, 24);
    assert!(picture.contains("made no image"), "{picture}");
    let mut scene = Scene::building();
    scene.char('4');
    let picture = scene.picture(80, 24);
    assert!(picture.contains("being built"), "{picture}");
    let mut scene = Scene::work();
    scene.model.bench_mut().unwrap().report = None;
    scene.char('4');
    let picture = scene.picture(80, 24);
    assert!(picture.contains("Nothing was built yet"), "{picture}");
}

#[test]
fn the_inside_without_colours_and_without_unicode() {
    for (name, theme) in [
        ("mono", Theme::new(Palette::Mono, false)),
        ("ascii", Theme::new(Palette::Mono, true)),
    ] {
        let mut scene = Scene::layers();
        scene.model.theme = theme;
        scene.char('G');
        scene.key(KeyCode::Up);
        let picture = scene.picture(120, 36);
        let drawn: String = picture.lines().take(36).collect();
        let foreign: Vec<char> = drawn.chars().filter(|c| !c.is_ascii()).collect();
        assert!(name != "ascii" || foreign.is_empty(), "{foreign:?}");
        insta::assert_snapshot!(format!("layers_{name}_120x36"), picture);
    }
}

#[test]
fn the_inside_survives_every_size() {
    for mut scene in [Scene::layers(), Scene::cves(true), Scene::cves(false)] {
        for (width, height) in [(1, 1), (60, 18), (61, 19), (99, 27), (100, 28), (300, 90)] {
            scene.resize(width, height);
            for key in ['G', 'g', 'l', 'G', 'l', 'h'] {
                scene.char(key);
                scene.draw(width, height);
            }
            scene.key(KeyCode::Tab);
        }
    }
}

#[test]
fn vulnerabilities_before_and_after() {
    let mut scene = Scene::cves(true);
    pictures("cves", &mut scene);
    scene.key(KeyCode::Enter);
    pictures("cves_details", &mut scene);
    scene.char('t');
    insta::assert_snapshot!("cves_gone_120x36", scene.picture(120, 36));
    scene.char('t');
    insta::assert_snapshot!("cves_new_80x24", scene.picture(80, 24));
}

#[test]
fn vulnerabilities_of_a_first_image() {
    let mut scene = Scene::cves(false);
    insta::assert_snapshot!("cves_first_120x36", scene.picture(120, 36));
    scene.char('s');
    scene.char('f');
    for c in "deb".chars() {
        scene.char(c);
    }
    insta::assert_snapshot!("cves_filter_80x24", scene.picture(80, 24));
}

/// The vulnerabilities of an image of which this is known.
fn known(advised: Result<Advised, Trouble>) -> Scene {
    let (mut scene, job) = Scene::looking();
    scene.tell(Msg::Looked {
        job,
        result: Ok(Arc::new(Insight::of("sha256:1", &contents(), advised))),
    });
    scene.char('5');
    scene
}

#[test]
fn no_database_is_no_zero() {
    let trouble = Trouble::new("The advisories here cannot be read: manifest.json is damaged.")
        .advise("Run `loadline db update`, then press Enter.");
    let mut scene = known(Err(trouble));
    insta::assert_snapshot!("cves_unknown_80x24", scene.picture(80, 24));
    let picture = scene.picture(120, 36);
    assert!(!picture.contains("total"), "{picture}");
}

#[test]
fn what_cannot_be_seen_is_no_zero() {
    let scan = Scan {
        database_date: "2026-11-20".to_owned(),
        gaps: vec![Gap::OpaqueBinary {
            path: "app".to_owned(),
            layer: 0,
        }],
        ..Scan::default()
    };
    let advised = Advised {
        scan: Arc::new(scan),
        days: None,
    };
    let mut scene = known(Ok(advised));
    pictures("cves_blind", &mut scene);
    let seen = Scan {
        packages: 12,
        database_date: "2026-11-20".to_owned(),
        runtimes: vec![Runtime {
            name: "python".to_owned(),
            version: "3.13.9".to_owned(),
            layer: 2,
            path: "usr/local/bin/python".to_owned(),
        }],
        ..Scan::default()
    };
    let advised = Advised {
        scan: Arc::new(seen),
        days: None,
    };
    let picture = known(Ok(advised)).picture(80, 24);
    assert!(
        picture.contains("nothing known of its 12 packages")
            && picture
                .contains("not compared: python 3.13.9 in /usr/local, which no package brought"),
        "{picture}"
    );
}

#[test]
fn vulnerabilities_without_colours_and_without_unicode() {
    for (name, theme) in [
        ("mono", Theme::new(Palette::Mono, false)),
        ("ascii", Theme::new(Palette::Mono, true)),
    ] {
        let mut scene = Scene::cves(true);
        scene.model.theme = theme;
        scene.key(KeyCode::Enter);
        let picture = scene.picture(80, 24);
        let drawn: String = picture.lines().take(24).collect();
        let foreign: Vec<char> = drawn.chars().filter(|c| !c.is_ascii()).collect();
        assert!(name != "ascii" || foreign.is_empty(), "{foreign:?}");
        insta::assert_snapshot!(format!("cves_{name}_80x24"), picture);
    }
}

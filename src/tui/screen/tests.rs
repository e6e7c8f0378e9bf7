//! Screens as pictures: text and style map at four sizes.

use crossterm::event::KeyCode;

use crate::attempt::AttemptEvent;
use crate::report::Outcome;
use crate::text::Clean;
use crate::tui::fixture::DOCKERFILE;
use crate::tui::fixture::Scene;
use crate::tui::fixture::missing;
use crate::tui::fixture::preparing;
use crate::tui::fixture::shrink;
use crate::tui::msg::Msg;
use crate::workshop::WorkspaceFile;

mod inside;
mod pages;

const SIZES: [(u16, u16); 4] = [(60, 18), (80, 24), (120, 36), (200, 50)];

pub(super) fn pictures(name: &str, scene: &mut Scene) {
    for (width, height) in SIZES {
        let picture = scene.picture(width, height);
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), picture);
    }
}

#[test]
fn home_before_anything_is_known() {
    pictures("home_first", &mut Scene::new());
}

#[test]
fn home_without_an_engine() {
    let mut scene = Scene::home();
    scene.tell(Msg::Engine(missing()));
    pictures("home_no_engine", &mut scene);
}

#[test]
fn home_while_bases_are_prepared() {
    let mut scene = Scene::home();
    preparing(&mut scene);
    pictures("home_preparing", &mut scene);
    scene.char('g');
    pictures("home_lesson", &mut scene);
}

#[test]
fn work_before_a_build_and_while_typing() {
    let mut scene = Scene::work();
    pictures("work_idle", &mut scene);
    scene.char('e');
    for c in "# x".chars() {
        scene.char(c);
    }
    pictures("work_typing", &mut scene);
}

#[test]
fn work_while_building_and_cancelling() {
    let mut scene = Scene::building();
    pictures("work_building", &mut scene);
    scene.char('x');
    insta::assert_snapshot!("work_cancelling_120x36", scene.picture(120, 36));
}

#[test]
fn lines_that_are_in_no_file_are_not_promised_there() {
    let mut scene = Scene::building();
    let job = scene.model.job.as_ref().unwrap().id;
    let more = |scene: &mut Scene| {
        let (events, skipped) = (Vec::new(), 5);
        scene.tell(Msg::Attempt {
            job,
            events,
            skipped,
        });
        scene.picture(120, 36)
    };
    let picture = more(&mut scene);
    assert!(picture.contains("5 more in the log file"), "{picture}");
    let why = Clean::line("the disk is full");
    scene.tell(Msg::NoLog { job, why });
    let picture = more(&mut scene);
    assert!(picture.contains("! the disk is full"), "{picture}");
    assert!(picture.contains("10 more were not kept"), "{picture}");
}

#[test]
fn a_build_tells_which_base_it_waits_for() {
    let waiting = |scene: &mut Scene, reference: &str| {
        scene.attempt(vec![AttemptEvent::Base {
            reference: reference.to_owned(),
            doing: Clean::line("waiting"),
            share: None,
        }]);
        scene.picture(120, 36)
    };
    let mut scene = Scene::work();
    scene.char('b');
    assert!(waiting(&mut scene, "python:3.13").contains("base python:3.13: waiting"));
    preparing(&mut scene);
    let same = waiting(&mut scene, "python:3.13");
    assert!(
        same.contains("base python:3.13: configuring packages 56 %"),
        "{same}"
    );
    let other = waiting(&mut scene, "debian:trixie");
    let words = "base debian:trixie: after python:3.13, configuring packages 56 %";
    assert!(other.contains(words), "{other}");
}

#[test]
fn work_after_each_end() {
    pictures("work_failed", &mut Scene::ended(Outcome::Failed));
    pictures("work_passed", &mut Scene::ended(Outcome::Passed));
    pictures("work_build_failed", &mut Scene::ended(Outcome::BuildFailed));
}

#[test]
fn what_is_remarked_on_a_dockerfile() {
    let mut scene = Scene::work();
    scene.char('L');
    pictures("work_remarks", &mut scene);
    scene.key(KeyCode::Esc);
    scene.char('g');
    scene.char('e');
    for c in "RUNN x".chars() {
        scene.char(c);
    }
    insta::assert_snapshot!("work_error_80x24", scene.picture(80, 24));
}

#[test]
fn work_when_both_sides_changed() {
    let mut scene = Scene::work();
    scene.char('e');
    scene.char('#');
    scene.tell(Msg::Disk {
        exercise: shrink(),
        files: vec![WorkspaceFile {
            name: "Dockerfile".to_owned(),
            text: Some(format!("{DOCKERFILE}LABEL a=b\n")),
            barred: None,
        }],
    });
    scene.char('d');
    pictures("work_conflict", &mut scene);
}

#[test]
fn what_lies_over_a_screen() {
    let mut scene = Scene::work();
    scene.char('?');
    pictures("help", &mut scene);
    scene.key(KeyCode::Esc);
    scene.char(':');
    for c in "bui".chars() {
        scene.char(c);
    }
    pictures("palette", &mut scene);
    scene.key(KeyCode::Esc);
    scene.char('R');
    insta::assert_snapshot!("confirm_80x24", scene.picture(80, 24));
}

#[test]
fn a_tiny_terminal_says_what_it_needs() {
    let mut scene = Scene::work();
    insta::assert_snapshot!(scene.picture(30, 4), @r"
    loadline needs 60x18



    --- styles
    ");
    for (width, height) in [(1, 1), (2, 1), (1, 40), (59, 18), (60, 17)] {
        let picture = scene.picture(width, height);
        assert!(picture.starts_with('l'), "{picture}");
    }
}

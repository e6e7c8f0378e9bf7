//! Keys that are named do what is said of them, where it is said.

use std::sync::Arc;

use crossterm::event::KeyCode;

use crate::report::Outcome;
use crate::tui::action::ActionId;
use crate::tui::action::action;
use crate::tui::action::footer;
use crate::tui::fixture::Scene;
use crate::tui::fixture::missing;
use crate::tui::fixture::report;
use crate::tui::model::Screen;
use crate::tui::model::bench::Pane;
use crate::tui::msg::Msg;
use crate::workshop::EngineState;

use super::bench;
use super::on_disk;
use super::started;
use super::status;

/// The characters on a screen, without their styles.
fn screen(scene: &mut Scene) -> String {
    let picture = scene.picture(120, 36);
    picture.split("\n---").next().unwrap_or_default().to_owned()
}

fn label(scene: &Scene, id: ActionId) -> String {
    let action = action(id).expect("it is in the table");
    action.label(&scene.model).into_owned()
}

#[test]
fn while_keys_are_text_no_letter_is_named() {
    let mut scene = Scene::work();
    assert!(screen(&mut scene).contains("b builds"));
    scene.char('e');
    assert!(screen(&mut scene).contains("Ctrl+B builds"));
    scene.tell(Msg::Engine(EngineState::Looking));
    scene.ctrl('b');
    assert!(status(&scene).ends_with("Ctrl+B again in a moment"));
    scene.tell(Msg::Engine(missing()));
    assert!(!screen(&mut scene).contains("D shows"));
    scene.ctrl('b');
    assert!(status(&scene).ends_with("looking again"));
    scene.key(KeyCode::Esc);
    scene.tell(Msg::Engine(missing()));
    assert!(screen(&mut scene).contains("D shows what to do"));

    let mut scene = Scene::building();
    scene.char('b');
    assert!(status(&scene).ends_with("x stops it"));
    scene.char('e');
    scene.ctrl('b');
    assert!(status(&scene).ends_with("Ctrl+C stops it"));
    scene.ctrl('c');
    scene.ctrl('b');
    assert!(status(&scene).ends_with("is being stopped"));
}

#[test]
fn while_a_file_waits_for_an_answer_its_keys_are_the_ones_that_are_named() {
    let mut scene = Scene::ended(Outcome::Failed);
    assert!(screen(&mut scene).contains("Enter result"));
    scene.char('e');
    scene.char('#');
    on_disk(&mut scene, Some("FROM theirs\n"));
    let shown = screen(&mut scene);
    assert!(!shown.contains("Enter result"), "{shown}");
    // Another file is shown meanwhile.
    scene.model.bench_mut().expect("it is open").typing = false;
    scene.char('v');
    let shown = screen(&mut scene);
    assert!(
        !shown.contains("L why") && !shown.contains("F fix"),
        "{shown}"
    );
}

#[test]
fn a_zoomed_file_keeps_its_title_while_a_build_runs() {
    let mut scene = Scene::work();
    scene.char('z');
    scene.char('b');
    for (width, height) in [(60, 18), (120, 36)] {
        let picture = scene.picture(width, height);
        let rows: Vec<&str> = picture.lines().collect();
        assert!(rows[0].contains("Work"), "{picture}");
        let build = rows.iter().position(|row| row.contains("Build "));
        assert_eq!(build, Some(usize::from(height) - 2), "{picture}");
        assert_eq!(
            scene.model.bench().map(|bench| bench.pane),
            Some(Pane::File)
        );
    }
}

#[test]
fn a_zoomed_pane_is_left_only_where_it_is_seen() {
    let mut scene = Scene::ended(Outcome::Failed);
    scene.char('z');
    scene.char('3');
    scene.key(KeyCode::Esc);
    assert_eq!(scene.model.screen, Screen::Work);
    assert!(bench(&scene).zoom);
    scene.key(KeyCode::Esc);
    assert_eq!(scene.model.screen, Screen::Work);
    assert!(!bench(&scene).zoom);
}

#[test]
fn the_hints_of_another_goal_begin_at_the_first() {
    let mut scene = Scene::ended(Outcome::Failed);
    scene.char('6');
    let hints = &mut scene.model.bench_mut().expect("it is open").hints;
    (hints.selected, hints.top) = (2, 3);
    scene.char('3');
    scene.key(KeyCode::Up);
    assert_eq!(bench(&scene).hints.selected, 0);
    scene.model.bench_mut().expect("it is open").hints.selected = 2;
    scene.char('b');
    scene.attempt(vec![crate::attempt::AttemptEvent::Finished(Box::new(
        report(Outcome::Failed),
    ))]);
    assert_eq!(bench(&scene).hints.selected, 0);
}

#[test]
fn a_build_that_ends_throws_nobody_back_who_reads_hints() {
    let judged = |scene: &mut Scene| {
        let report = Box::new(report(Outcome::Failed));
        scene.attempt(vec![crate::attempt::AttemptEvent::Finished(report)]);
    };
    let reading = |solution| {
        let mut scene = Scene::ended(Outcome::Failed);
        scene.resize(60, 18);
        scene.char('b');
        scene.char('6');
        let hints = &mut scene.model.bench_mut().expect("it is open").hints;
        hints.solution = solution;
        (hints.selected, hints.top) = (2, 1);
        scene
    };
    let mut scene = reading(false);
    judged(&mut scene);
    assert_eq!(bench(&scene).hints.selected, 2, "the goal is the same");
    let mut scene = reading(true);
    judged(&mut scene);
    scene.char('3');
    scene.key(KeyCode::Up);
    assert_eq!(bench(&scene).hints.top, 1, "there is one solution");
}

#[test]
fn a_locked_hint_leads_to_the_one_that_is_next() {
    let mut scene = Scene::work();
    let progress = scene.model.progress.as_mut().expect("it was read");
    progress.exercises.clear();
    scene.char('6');
    scene.key(KeyCode::Down);
    scene.key(KeyCode::Down);
    assert_eq!(label(&scene, ActionId::Main), "go to hint 1");
    assert_eq!(scene.key(KeyCode::Enter), []);
    assert_eq!(status(&scene), "Open hint 1 first.");
    assert_eq!(bench(&scene).hints.selected, 0);
    assert_eq!(label(&scene, ActionId::Main), "open");
}

#[test]
fn no_other_goal_is_offered_where_none_has_hints() {
    let mut scene = Scene::work();
    scene.char('6');
    assert!(!footer(&scene.model).contains(&ActionId::NextPane));
    assert!(!screen(&mut scene).contains("next goal"));
    let mut course = (*scene.model.course).clone();
    for exercise in &mut course.exercises {
        exercise.hints[2].goal = "non_root".to_owned();
    }
    scene.model.course = Arc::new(course);
    assert!(footer(&scene.model).contains(&ActionId::NextPane));
    assert!(screen(&mut scene).contains("Tab next goal"));
}

#[test]
fn an_exercise_opens_again_where_its_build_was_shown() {
    let mut scene = Scene::work();
    scene.char('1');
    assert_eq!(started(&scene.char('b')), 1);
    assert_eq!(scene.model.screen, Screen::Work);
    assert_eq!(bench(&scene).view, Screen::Work);
}

#[test]
fn an_engine_that_went_away_is_told_with_the_next_step() {
    let mut scene = Scene::building();
    let mut gone = report(Outcome::EngineUnavailable);
    gone.problem = Some(crate::report::Problem {
        message: crate::text::Clean::line("It went away."),
        next_step: Some(crate::text::Clean::line("Start it again.")),
        blame: crate::goal::Blame::default(),
    });
    scene.attempt(vec![crate::attempt::AttemptEvent::Finished(Box::new(gone))]);
    assert_eq!(status(&scene), "It went away. Start it again.");
}

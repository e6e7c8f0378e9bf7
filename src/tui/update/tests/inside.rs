//! The look into an image, and what is done with what it shows.

use std::sync::Arc;

use crossterm::event::KeyCode;

use crate::image::Contents;
use crate::image::Entry;
use crate::image::EntryKind;
use crate::image::Layer;
use crate::report::Outcome;
use crate::tui::effect::Effect;
use crate::tui::fixture::Scene;
use crate::tui::fixture::inside::insight;
use crate::tui::fixture::report;
use crate::tui::model::Screen;
use crate::tui::model::layers::LayersPane;
use crate::tui::model::layers::LayersState;
use crate::tui::model::look::FirstScan;
use crate::tui::model::look::Look;
use crate::tui::msg::JobId;
use crate::tui::msg::Msg;
use crate::units::Bytes;
use crate::workshop::Trouble;
use crate::workshop::insight::Advised;
use crate::workshop::insight::Insight;

fn state(scene: &Scene) -> &LayersState {
    &scene.model.bench().expect("an exercise is open").layers
}

fn look(scene: &Scene) -> &Look {
    &scene.model.bench().expect("an exercise is open").look
}

/// The path of the chosen row.
fn chosen(scene: &Scene) -> String {
    let insight = look(scene).insight().expect("the image was read");
    let tree = state(scene).tree(insight);
    state(scene)
        .row()
        .map_or_else(String::new, |row| tree.path(row.node))
}

fn looks(effects: &[Effect]) -> Vec<JobId> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Look { job, .. } => Some(*job),
            _ => None,
        })
        .collect()
}

#[test]
fn a_look_begins_with_the_screen_and_is_kept_for_the_next_visit() {
    let (mut scene, job) = Scene::looking();
    assert_eq!(scene.model.screen, Screen::Layers);
    let effects = scene.char('2');
    assert_eq!(
        effects
            .iter()
            .filter(|one| matches!(one, Effect::StopLook(_)))
            .count(),
        0
    );
    scene.tell(Msg::Looked {
        job,
        result: Ok(insight()),
    });
    assert!(looks(&scene.char('4')).is_empty(), "it is known already");
    assert_eq!(look(&scene).insight(), Some(&insight()));
}

#[test]
fn a_look_stops_when_the_exercise_is_left_or_built() {
    let (mut scene, job) = Scene::looking();
    scene.key(KeyCode::Esc);
    let effects = scene.key(KeyCode::Esc);
    assert!(effects.contains(&Effect::StopLook(job)), "{effects:?}");
    let (mut scene, job) = Scene::looking();
    let effects = scene.char('b');
    assert!(effects.contains(&Effect::StopLook(job)), "{effects:?}");
    scene.tell(Msg::Looked {
        job,
        result: Ok(insight()),
    });
    assert_eq!(look(&scene), &Look::NotYet, "what was stopped is dropped");
}

#[test]
fn another_image_is_looked_into_anew_and_the_same_one_is_not() {
    let mut scene = Scene::layers();
    scene.char('b');
    let job = scene.model.job.as_ref().expect("a build runs").id;
    let mut other = report(Outcome::Passed);
    other.image.as_mut().expect("an image").id = "sha256:2".to_owned();
    scene.attempt(vec![crate::attempt::AttemptEvent::Finished(Box::new(
        other,
    ))]);
    scene.tell(Msg::AttemptEnded { job, trouble: None });
    let effects = scene.char('4');
    assert!(
        matches!(
            effects.as_slice(),
            [Effect::Look { image, .. }, ..] if image == "sha256:2"
        ) || looks(&effects).len() == 1,
        "{effects:?}"
    );
}

#[test]
fn a_look_that_failed_is_tried_again_with_enter() {
    let (mut scene, job) = Scene::looking();
    scene.tell(Msg::Looked {
        job,
        result: Err(Trouble::new("gone")),
    });
    assert!(matches!(look(&scene), Look::Failed(_)));
    assert_eq!(looks(&scene.key(KeyCode::Enter)), [JobId(job.0 + 1)]);
}

#[test]
fn enter_goes_to_the_line_that_made_the_layer_where_it_is_now() {
    let mut scene = Scene::layers();
    scene.char('2');
    scene.char('g');
    scene.char('e');
    for c in "# note".chars() {
        scene.char(c);
    }
    scene.key(KeyCode::Enter);
    scene.key(KeyCode::Esc);
    scene.char('4');
    scene.char('G');
    scene.key(KeyCode::Up);
    scene.key(KeyCode::Enter);
    assert_eq!(scene.model.screen, Screen::Work);
    let bench = scene.model.bench().expect("an exercise is open");
    let row = bench.shown().expect("a file is shown").editor.cursor().0;
    assert_eq!(row, 8, "line 8 moved down by one");
}

#[test]
fn folders_open_and_close_and_the_choice_stays() {
    let mut scene = Scene::layers();
    assert_eq!(state(&scene).pane, LayersPane::Layers);
    scene.key(KeyCode::Enter);
    assert_eq!(
        state(&scene).pane,
        LayersPane::Files,
        "all layers have no line"
    );
    scene.char('g');
    let first = chosen(&scene);
    let rows = state(&scene).rows().len();
    scene.key(KeyCode::Left);
    assert!(
        state(&scene).rows().len() < rows,
        "it was open, being heavy"
    );
    assert_eq!(chosen(&scene), first);
    scene.key(KeyCode::Right);
    assert_eq!(state(&scene).rows().len(), rows);
    scene.key(KeyCode::Right);
    assert!(chosen(&scene).starts_with(&first), "into the folder");
    for _ in 0..4 {
        scene.key(KeyCode::Left);
    }
    assert_eq!(state(&scene).pane, LayersPane::Layers, "out of the tree");
}

#[test]
fn order_and_filter_keep_the_chosen_file() {
    let mut scene = Scene::layers();
    scene.key(KeyCode::Tab);
    scene.char('f');
    for c in "perl".chars() {
        scene.char(c);
    }
    scene.key(KeyCode::Enter);
    scene.char('G');
    assert_eq!(chosen(&scene), "usr/bin/perl");
    scene.char('s');
    assert_eq!(chosen(&scene), "usr/bin/perl");
    scene.key(KeyCode::Esc);
    assert_eq!(state(&scene).filter, "");
    assert_eq!(
        scene.model.screen,
        Screen::Layers,
        "Esc took the filter away first"
    );
}

#[test]
fn brackets_choose_a_layer_and_no_other_exercise() {
    let mut scene = Scene::layers();
    let unit = scene.model.unit;
    for _ in 0..9 {
        scene.char(']');
    }
    assert_eq!((state(&scene).at, scene.model.unit), (5, unit));
    scene.char('[');
    assert_eq!(state(&scene).at, 4);
    let insight = insight();
    let tree = state(&scene).tree(&insight);
    assert_eq!(tree, &insight.layers[3].files);
}

#[test]
fn wasted_files_only() {
    let mut scene = Scene::layers();
    scene.char('t');
    let insight = insight();
    let tree = state(&scene).tree(&insight);
    assert!(!state(&scene).rows().is_empty());
    for row in state(&scene).rows() {
        assert!(tree.node(row.node).is_some_and(|node| node.dead().0 > 0));
    }
    scene.char('t');
    assert_eq!(state(&scene).show, crate::tui::model::layers::Show::All);
}

#[test]
fn a_scan_of_the_first_image_that_failed_is_tried_again_with_the_next_visit() {
    let mut scene = Scene::cves(true);
    let bench = scene.model.bench_mut().expect("an exercise is open");
    bench.first_scan = FirstScan::Failed(Trouble::new("the engine went away"));
    assert_eq!(scene.char('j'), [], "not with every key");
    scene.char('2');
    let effects = scene.char('5');
    let scans = |one: &Effect| matches!(one, Effect::Scan { image, .. } if image == "sha256:0");
    assert!(effects.iter().any(scans), "{effects:?}");
}

/// An image with so many files in one folder.
fn large(files: usize) -> Insight {
    let entries = (0..files).map(|number| Entry {
        path: format!("srv/{number:06}"),
        kind: EntryKind::File,
        size: Bytes(number as u64),
        mode: 0o644,
        uid: 0,
        gid: 0,
        content: None,
        capabilities: false,
    });
    let contents = Contents {
        layers: vec![Layer {
            entries: entries.collect(),
            ..Layer::default()
        }],
        ..Contents::default()
    };
    Insight::of("sha256:1", &contents, Ok(Advised::default()))
}

#[test]
fn a_move_among_a_hundred_thousand_files_works_no_row_out_anew() {
    let (mut scene, job) = Scene::looking();
    let result = Ok(Arc::new(large(100_000)));
    scene.tell(Msg::Looked { job, result });
    scene.key(KeyCode::Tab);
    scene.key(KeyCode::Right);
    assert_eq!(state(&scene).rows().len(), 100_001);
    let rows = state(&scene).rows().as_ptr();
    for code in [KeyCode::Down, KeyCode::PageDown, KeyCode::End, KeyCode::Up] {
        scene.key(code);
        scene.draw(80, 24);
        assert_eq!(state(&scene).rows().as_ptr(), rows, "{code:?}");
    }
    assert_eq!(chosen(&scene), "srv/000001");
    scene.char('f');
    for c in "99999".chars() {
        scene.char(c);
    }
    assert_eq!(state(&scene).rows().len(), 2);
}

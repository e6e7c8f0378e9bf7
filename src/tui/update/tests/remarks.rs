//! What is remarked on a Dockerfile while it is written, and what is done about it.

use crossterm::event::KeyCode;

use crate::attempt::AttemptEvent;
use crate::engine::BuildEvent;
use crate::text::Clean;
use crate::tui::fixture::DOCKERFILE;
use crate::tui::fixture::Scene;
use crate::tui::fixture::shrink;
use crate::tui::model::overlay::Overlay;
use crate::tui::msg::Msg;
use crate::tui::screen::work::remarks;
use crate::workshop::Barred;
use crate::workshop::LEFT_TO_HINTS;

use super::bench;
use super::edit;
use super::file;
use super::saves;
use super::status;
use super::type_text;

fn rows(scene: &Scene) -> Vec<(usize, &'static str)> {
    remarks(scene.model.bench().expect("an exercise is open"))
        .iter()
        .map(|remark| (remark.row + 1, remark.who()))
        .collect()
}

#[test]
fn rules_are_told_while_typing_and_before_any_build() {
    let mut scene = Scene::work();
    assert!(rows(&scene).contains(&(8, "apt-lists-kept")));
    edit(&mut scene);
    type_text(&mut scene, "RUNN x");
    scene.key(KeyCode::Enter);
    assert!(rows(&scene).contains(&(1, "syntax")), "{:?}", rows(&scene));
    assert!(rows(&scene).contains(&(9, "apt-lists-kept")));
}

#[test]
fn where_nothing_is_remarked_the_list_says_so() {
    let mut scene = Scene::work();
    if let Some(file) = scene.model.bench_mut().and_then(|bench| bench.shown_mut()) {
        file.editor
            .replace("FROM scratch\nCOPY app /app\nUSER 65532\nCMD [\"/app\"]\n");
    }
    assert_eq!(rows(&scene), []);
    scene.char('L');
    assert_eq!(scene.model.overlay, None);
    assert_eq!(status(&scene), "nothing to remark");
}

#[test]
fn a_fix_is_one_key_and_one_step_of_undo() {
    let mut scene = Scene::work();
    assert_eq!(
        file(&scene).editor.cursor().0,
        7,
        "on the line that is blamed"
    );
    let effects = scene.char('F');
    let saved = saves(&effects);
    assert_eq!(saved.len(), 1);
    assert!(
        saved[0].contains("rm -rf /var/lib/apt/lists"),
        "{}",
        saved[0]
    );
    assert!(status(&scene).contains("line 8 was mended"));
    assert!(!rows(&scene).contains(&(8, "apt-lists-kept")));
    scene.char('u');
    assert_eq!(file(&scene).editor.text(), DOCKERFILE);
}

#[test]
fn the_list_leads_to_the_line_and_mends_from_there() {
    let mut scene = Scene::work();
    scene.char('g');
    scene.char('L');
    assert!(matches!(scene.model.overlay, Some(Overlay::Remarks(_))));
    let before = rows(&scene).len();
    scene.char('g');
    while !matches!(&scene.model.overlay, Some(Overlay::Remarks(at)) if rows(&scene)[*at].1 == "apt-lists-kept")
    {
        scene.key(KeyCode::Down);
    }
    scene.char('F');
    assert_eq!(rows(&scene).len(), before - 1);
    assert!(scene.model.overlay.is_some(), "the others are still listed");
    scene.key(KeyCode::Enter);
    assert!(scene.model.overlay.is_none());
    scene.char('?');
    scene.key(KeyCode::Esc);
}

#[test]
fn what_was_mended_is_taken_back_wherever_that_was_said() {
    // The log had the keys.
    let mut scene = Scene::work();
    scene.key(KeyCode::Tab);
    scene.char('F');
    assert_ne!(file(&scene).editor.text(), DOCKERFILE);
    scene.char('u');
    assert_eq!(file(&scene).editor.text(), DOCKERFILE);
    // The list is still open.
    scene.key(KeyCode::Tab);
    scene.char('L');
    scene.char('F');
    assert_ne!(file(&scene).editor.text(), DOCKERFILE);
    let effects = scene.char('u');
    assert_eq!(file(&scene).editor.text(), DOCKERFILE);
    assert!(matches!(scene.model.overlay, Some(Overlay::Remarks(_))));
    assert_eq!(saves(&effects).len(), 0, "the disk still has it");
}

#[test]
fn what_is_taken_back_leaves_the_list_with_a_remark_that_there_is() {
    let chosen = |scene: &Scene| match scene.model.overlay {
        Some(Overlay::Remarks(at)) => Some(at),
        _ => None,
    };
    let write = |scene: &mut Scene, text: &str| {
        let file = scene.model.bench_mut().and_then(|bench| bench.shown_mut());
        file.expect("it is open").editor.replace(text);
    };
    let mut scene = Scene::work();
    let before = rows(&scene).len();
    write(&mut scene, &format!("{DOCKERFILE}RUNN x\n"));
    write(&mut scene, &format!("{DOCKERFILE}RUNN x\nRUNN y\n"));
    assert!(rows(&scene).len() > before);
    scene.char('L');
    scene.char('G');
    while rows(&scene).len() > before {
        scene.char('u');
        let at = chosen(&scene).expect("the others are still listed");
        assert!(at < rows(&scene).len(), "{at}");
    }
    write(
        &mut scene,
        "FROM scratch\nCOPY app /app\nUSER 65532\nCMD [\"/app\"]\n",
    );
    write(&mut scene, "FROM scratch\nRUNN x\n");
    scene.char('u');
    assert_eq!(rows(&scene), []);
    assert_eq!(chosen(&scene), None, "there is nothing to list");
}

#[test]
fn a_list_is_drawn_with_its_last_remark_where_others_went_meanwhile() {
    let mut scene = Scene::work();
    scene.model.overlay = Some(Overlay::Remarks(99));
    let picture = scene.picture(120, 36);
    let last = remarks(bench(&scene)).last().unwrap().who();
    assert!(picture.contains(last), "{picture}");
    assert!(picture.contains("go to the line"), "{picture}");
}

#[test]
fn what_mends_a_planted_fault_opens_on_the_terms_of_the_answer() {
    let mut scene = Scene::work();
    assert_eq!(
        bench(&scene).left_to_hints.len(),
        0,
        "there were attempts enough"
    );
    let progress = scene.model.progress.as_mut().unwrap();
    let record = std::mem::take(progress.exercises.get_mut(&shrink()).unwrap());
    let planted = &mut scene.model.bench_mut().unwrap().left_to_hints;
    planted.insert("apt-lists-kept");
    scene.char('F');
    assert_eq!(file(&scene).editor.text(), DOCKERFILE);
    let told = remarks(bench(&scene));
    let mut told = told.iter().filter(|one| one.who() == "apt-lists-kept");
    assert!(told.all(|one| one.hint.as_ref().unwrap().as_str() == LEFT_TO_HINTS));
    let progress = scene.model.progress.as_mut().unwrap();
    progress.exercises.insert(shrink(), record);
    scene.tell(Msg::Focus(true));
    scene.char('F');
    assert_ne!(file(&scene).editor.text(), DOCKERFILE);
}

#[test]
fn a_read_only_file_is_not_mended() {
    let mut scene = Scene::work();
    scene.model.bench_mut().unwrap().shown_mut().unwrap().barred = Some(Barred::ReadOnly);
    scene.char('F');
    assert_eq!(file(&scene).editor.text(), DOCKERFILE);
    assert!(status(&scene).contains("read-only"));
}

#[test]
fn what_the_builder_warns_of_stands_on_its_line_until_that_changes() {
    let mut scene = Scene::building();
    let warning = |line, text: &str| {
        AttemptEvent::Build(BuildEvent::Warning {
            line: Some(line),
            text: Clean::line(text),
        })
    };
    scene.attempt(vec![
        warning(2, "WorkdirRelativePath: Relative workdir"),
        warning(8, "DL3009: known to us by another name"),
    ]);
    assert!(rows(&scene).contains(&(2, "the builder")));
    assert!(
        !rows(&scene).contains(&(8, "the builder")),
        "a rule of ours says so"
    );
    edit(&mut scene);
    scene.key(KeyCode::Down);
    type_text(&mut scene, "# ");
    assert!(!rows(&scene).iter().any(|(_, who)| *who == "the builder"));
}

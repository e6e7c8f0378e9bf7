//! What becomes of the learner's text where the disk has something else.

use crossterm::event::KeyCode;

use crate::tui::action::ActionId;
use crate::tui::action::action;
use crate::tui::action::footer;
use crate::tui::effect::Effect;
use crate::tui::effect::Unwritten;
use crate::tui::effect::Wanted;
use crate::tui::fixture::DOCKERFILE;
use crate::tui::fixture::Scene;
use crate::tui::fixture::shrink;
use crate::tui::fixture::workspace;
use crate::tui::model::Screen;
use crate::tui::msg::Msg;
use crate::tui::theme::Role;
use crate::workshop::Barred;
use crate::workshop::KeptTexts;
use crate::workshop::Trouble;
use crate::workshop::WorkspaceFile;

use super::bench;
use super::edit;
use super::file;
use super::on_disk;
use super::saved;
use super::saves;
use super::started;
use super::status;
use super::type_text;

/// What cannot be edited here is on disk.
fn barred(scene: &mut Scene, text: Option<&str>, barred: Barred) -> Vec<Effect> {
    scene.tell(Msg::Disk {
        exercise: shrink(),
        files: vec![WorkspaceFile {
            name: "Dockerfile".to_owned(),
            text: text.map(str::to_owned),
            barred: Some(barred),
        }],
    })
}

fn typed(text: &str) -> Scene {
    let mut scene = Scene::work();
    edit(&mut scene);
    type_text(&mut scene, text);
    scene
}

/// The texts that are to be kept.
fn kept(effects: &[Effect]) -> Vec<&str> {
    let kept = effects.iter().filter_map(|effect| match effect {
        Effect::Keep { text, .. } => Some(text.as_str()),
        _ => None,
    });
    kept.collect()
}

/// What the foot of the screen offers.
fn offered(scene: &Scene) -> Vec<String> {
    let footer = footer(&scene.model).into_iter();
    let here = footer.filter(|id| !matches!(id, ActionId::Help | ActionId::Palette));
    let label = |id| action(id).expect("it is in the table").label(&scene.model);
    here.map(|id| label(id).into_owned()).collect()
}

/// The words on the screen.
fn words(scene: &mut Scene) -> String {
    scene.picture(120, 36)
}

#[test]
fn leaving_with_two_sides_keeps_the_text_here() {
    let mine = format!("mine{DOCKERFILE}");
    for theirs in [Some("FROM theirs\n"), None] {
        let mut scene = typed("mine");
        on_disk(&mut scene, theirs);
        let effects = scene.tell(Msg::Terminate);
        assert_eq!(kept(&effects), [mine.as_str()]);
        assert_eq!(saves(&effects), [""; 0], "the disk is left alone");
        assert!(effects.contains(&Effect::Quit));

        let mut scene = typed("mine");
        on_disk(&mut scene, theirs);
        scene.ctrl('c');
        assert_eq!(kept(&scene.ctrl('c')), [mine.as_str()]);
    }
    let mut scene = typed("mine");
    let effects = scene.tell(Msg::Terminate);
    assert_eq!(saves(&effects), [mine.as_str()]);
    assert_eq!(kept(&effects), [""; 0], "what is saved needs no copy");
}

#[test]
fn what_was_typed_into_a_file_that_may_not_be_written_any_more_is_kept() {
    let mut scene = typed("mine");
    barred(&mut scene, Some(DOCKERFILE), Barred::ReadOnly);
    assert!(!scene.model.typing());
    assert_eq!(
        status(&scene),
        "Dockerfile: it is read-only; change its mode"
    );
    let effects = scene.tell(Msg::Terminate);
    assert_eq!(kept(&effects), [format!("mine{DOCKERFILE}")]);
    assert_eq!(saves(&effects), [""; 0]);
}

#[test]
fn no_other_text_is_built_than_the_one_on_the_screen() {
    let mut scene = typed("mine");
    barred(&mut scene, Some(DOCKERFILE), Barred::ReadOnly);
    let effects = scene.char('b');
    assert_eq!((started(&effects), saves(&effects)), (0, vec![]));
    assert_eq!(
        status(&scene),
        "Dockerfile is neither saved nor built: it is read-only; change its mode"
    );
    assert!(!bench(&scene).wants_build);
    // Nor by itself, once something else was saved.
    scene.char('w');
    scene.tell(Msg::Disk {
        exercise: shrink(),
        files: vec![WorkspaceFile {
            name: "app.py".to_owned(),
            text: Some("print('other')\n".to_owned()),
            barred: None,
        }],
    });
    assert!(!bench(&scene).is_building());
}

#[test]
fn a_file_that_was_deleted_is_told_as_such_on_every_screen() {
    let mut scene = Scene::work();
    scene.char('1');
    on_disk(&mut scene, None);
    assert_eq!(
        status(&scene),
        "Dockerfile was deleted on disk: press 2 to choose"
    );
    let mut scene = Scene::work();
    scene.char('1');
    barred(&mut scene, None, Barred::Unreadable);
    assert_eq!(
        status(&scene),
        "Dockerfile is unreadable on disk: press 2 to choose"
    );
    let mut scene = typed("mine");
    scene.key(KeyCode::Esc);
    scene.char('1');
    on_disk(&mut scene, Some("FROM theirs\n"));
    assert_eq!(
        status(&scene),
        "Dockerfile changed on disk, and here too: press 2 to choose"
    );
}

#[test]
fn the_shell_gets_the_terminal_once_what_is_typed_is_on_disk() {
    let stops = |effects: &[Effect]| effects.contains(&Effect::Suspend);
    assert!(stops(&Scene::work().ctrl('z')));
    let mut scene = typed("mine");
    let effects = scene.ctrl('z');
    let mine = format!("mine{DOCKERFILE}");
    assert_eq!(saves(&effects), [mine.as_str()]);
    assert!(!stops(&effects));
    assert!(stops(&saved(&mut scene, &mine, Ok(()))));
    // Where the disk does not answer, a second time is meant at once.
    let mut scene = typed("mine");
    assert!(!stops(&scene.ctrl('z')));
    assert!(stops(&scene.ctrl('z')));
    assert!(!stops(&saved(&mut scene, &mine, Ok(()))));
}

#[test]
fn without_a_shell_nobody_is_given_the_terminal() {
    let mut scene = typed("mine");
    scene.model.has_shell = false;
    for _ in 0..2 {
        assert_eq!(scene.ctrl('z'), []);
    }
    let text = file(&scene).editor.text();
    assert_eq!(text, format!("mine{DOCKERFILE}"), "nor is it a letter");
}

#[test]
fn where_texts_are_kept_is_told_before_it_is_forgotten() {
    let place =
        |number: u32| format!("/home/somebody/with/a/long/name/kept/{number}/Dockerfile").into();
    let mut scene = Scene::work();
    let kept = KeptTexts::at((1..5).map(place).collect());
    scene.model.bench_mut().unwrap().kept = kept;
    scene.resize(60, 18);
    let picture = scene.picture(60, 18);
    assert!(picture.contains("z shows where all text"), "{picture}");
    scene.char('e');
    scene.key(KeyCode::Esc);
    assert!(bench(&scene).kept.is_some(), "not all of it was told");
    scene.char('z');
    let picture = scene.picture(60, 18);
    assert!(picture.contains("you want from there."), "{picture}");
    scene.char('e');
    assert!(bench(&scene).kept.is_none());
}

#[test]
fn of_a_list_of_places_that_is_too_long_the_rest_is_counted() {
    let place =
        |number: u32| format!("/home/somebody/with/a/long/name/kept/{number}/Dockerfile").into();
    let mut scene = Scene::work();
    let kept = KeptTexts::at((1..13).map(place).collect());
    scene.model.bench_mut().unwrap().kept = kept;
    scene.char('z');
    let picture = scene.picture(60, 18);
    let counted = "more lines: 1 shows them above the brief";
    assert!(picture.contains(counted), "{picture}");
    assert!(!picture.contains("z shows where"), "{picture}");
    let picture = scene.picture(60, 40);
    assert!(picture.contains("you want from there."), "{picture}");
    assert!(!picture.contains(counted), "{picture}");
}

#[test]
fn why_an_editor_failed_is_said_beside_what_it_wrote() {
    let failed = || {
        let trouble = Trouble::new("`vi` ended with an error").advise("Press e.");
        Msg::EditorClosed(Err(trouble))
    };
    let wanted = "Dockerfile changed on disk and was read; `vi` ended with an error. Press e.";
    let mut scene = Scene::work();
    scene.tell(failed());
    on_disk(&mut scene, Some("FROM theirs\n"));
    assert_eq!(status(&scene), wanted);
    on_disk(&mut scene, Some("FROM again\n"));
    assert_eq!(status(&scene), wanted);
    let role = |scene: &Scene| scene.model.status.as_ref().map(|status| status.role);
    assert_eq!(role(&scene), Some(Role::Fail));
    // A key answers it.
    scene.char('z');
    on_disk(&mut scene, Some("FROM other\n"));
    assert_eq!(status(&scene), "Dockerfile changed on disk and was read");
    assert_eq!(role(&scene), Some(Role::Muted));
}

#[test]
fn a_file_that_cannot_be_edited_here_says_why() {
    for (why, words) in [
        (Barred::ReadOnly, "it is read-only; change its mode"),
        (
            Barred::NotUtf8,
            "it is not UTF-8; change it in your own editor",
        ),
    ] {
        let mut scene = Scene::work();
        barred(&mut scene, Some("# caf\u{fffd}\n"), why);
        scene.char('e');
        assert!(!scene.model.typing());
        assert_eq!(status(&scene), format!("not edited here: {words}"));
        assert_eq!(saves(&scene.char('b')), [""; 0]);
    }
}

#[test]
fn lines_that_end_as_on_windows_are_not_news_and_not_rewritten() {
    let windows = DOCKERFILE.replace('\n', "\r\n");
    let mut scene = Scene::work();
    on_disk(&mut scene, Some(&windows));
    assert!(!bench(&scene).is_unsaved());
    assert!(!words(&mut scene).contains('\u{fffd}'));
    assert_eq!(saves(&scene.char('b')), [""; 0]);
    on_disk(&mut scene, Some(&windows));
    assert!(file(&scene).conflict.is_none());
    edit(&mut scene);
    type_text(&mut scene, "# a");
    let effects = scene.key(KeyCode::Esc);
    assert_eq!(saves(&effects), [format!("# a{windows}")]);
}

#[test]
fn a_deleted_file_offers_to_write_it_back_and_nothing_else() {
    for mut scene in [Scene::work(), typed("mine")] {
        let before = file(&scene).editor.text();
        on_disk(&mut scene, None);
        assert_eq!(offered(&scene), ["write mine back"]);
        assert!(words(&mut scene).contains("Dockerfile was deleted on disk."));
        assert_eq!(scene.key(KeyCode::Enter), []);
        assert!(file(&scene).conflict.is_some());
        assert_eq!(file(&scene).editor.text(), before);
        assert_eq!(saves(&scene.key(KeyCode::Esc)), [before.as_str()]);
    }
    let mut scene = typed("mine");
    on_disk(&mut scene, Some("FROM theirs\n"));
    let wanted = ["take the file on disk", "keep mine", "diff"];
    assert_eq!(offered(&scene), wanted);
    // The same key ends typing: what it writes over is kept.
    let effects = scene.key(KeyCode::Esc);
    assert_eq!(kept(&effects), ["FROM theirs\n"]);
    assert_eq!(saves(&effects), [format!("mine{DOCKERFILE}")]);
}

#[test]
fn a_folder_in_the_place_of_a_file_is_not_called_deleted() {
    let mut scene = typed("mine");
    barred(&mut scene, None, Barred::NotAFile);
    let shown = words(&mut scene);
    assert!(
        shown.contains("Dockerfile on disk: not a plain file."),
        "{shown}"
    );
    assert!(shown.contains("move it away"), "{shown}");
    assert!(!shown.contains("deleted"), "{shown}");
    assert_eq!(offered(&scene), [""; 0]);
    assert_eq!(saves(&scene.key(KeyCode::Esc)), [""; 0]);
    assert!(file(&scene).conflict.is_some());
    // It was moved away.
    on_disk(&mut scene, None);
    assert_eq!(offered(&scene), ["write mine back"]);
    let effects = scene.key(KeyCode::Esc);
    assert_eq!(saves(&effects), [format!("mine{DOCKERFILE}")]);
}

#[test]
fn taking_what_cannot_be_undone_keeps_the_text_here() {
    let mut scene = typed("mine");
    barred(&mut scene, Some("a\r\nb\n"), Barred::MixedEnds);
    scene.key(KeyCode::Esc);
    assert!(status(&scene).contains("end in two ways"));
    assert!(file(&scene).conflict.is_some(), "nothing was written");
    let effects = scene.key(KeyCode::Enter);
    assert_eq!(kept(&effects), [format!("mine{DOCKERFILE}")]);
    assert_eq!(file(&scene).editor.text(), "a\r\nb\n");
    scene.tell(Msg::Kept {
        file: "Dockerfile".to_owned(),
        result: Ok("/k/Dockerfile".into()),
    });
    assert!(status(&scene).ends_with("is kept in /k/Dockerfile"));
    assert_eq!(kept(&scene.tell(Msg::Terminate)), [""; 0]);
}

#[test]
fn texts_that_an_earlier_sitting_did_not_save_are_told_until_the_work_goes_on() {
    let place = "/home/learner/loadline/.loadline/kept/shrink-that-image/unsaved/000001/Dockerfile";
    for goes_on in ['e', 'b'] {
        let mut scene = Scene::home();
        scene.key(KeyCode::Enter);
        scene.tell(Msg::Opened {
            exercise: shrink(),
            result: Ok(workspace()),
            unsaved: KeptTexts::at(vec![place.into()]),
        });
        for (width, height) in [(80, 24), (120, 36), (200, 50)] {
            for view in ['1', '2'] {
                scene.char(view);
                let shown = scene.picture(width, height);
                assert!(shown.contains("in the folder is kept in"), "{shown}");
                assert!(shown.contains("Dockerfile: copy"), "{shown}");
                assert!(shown.contains("FROM") || view == '1', "{shown}");
            }
        }
        scene.char(goes_on);
        assert!(!words(&mut scene).contains("kept in"));
        scene.char('1');
        assert!(!words(&mut scene).contains("kept in"));
    }
}

/// The texts that are put away with what is on disk: file, text, what it is written over.
fn taken_along(effects: &[Effect]) -> Vec<Unwritten> {
    let taken = effects.iter().find_map(|effect| match effect {
        Effect::Exchange { texts, .. } => Some(texts.clone()),
        _ => None,
    });
    taken.expect("files are exchanged")
}

#[test]
fn a_reset_takes_along_what_is_only_here() {
    let text = |text: &str, over: Option<&str>| Unwritten {
        file: "Dockerfile".to_owned(),
        text: text.to_owned(),
        over: over.map(str::to_owned),
        conflict: true,
    };
    let mine = format!("mine{DOCKERFILE}");
    // From other screens, too.
    for screen in ['1', '2', '6'] {
        let mut scene = Scene::work();
        on_disk(&mut scene, None);
        scene.char(screen);
        scene.char('R');
        let effects = scene.key(KeyCode::Enter);
        assert_eq!(taken_along(&effects), [text(DOCKERFILE, None)]);

        let mut scene = typed("mine");
        scene.key(KeyCode::Esc);
        on_disk(&mut scene, Some("FROM theirs\n"));
        scene.char(screen);
        scene.char('R');
        let effects = scene.key(KeyCode::Enter);
        let wanted = text(&mine, Some("FROM theirs\n"));
        let along = taken_along(&effects);
        assert_eq!(along, std::slice::from_ref(&wanted));
        // As does its undoing.
        scene.char(':');
        type_text(&mut scene, "undo reset");
        let effects = scene.key(KeyCode::Enter);
        assert_eq!(taken_along(&effects), [wanted]);
    }
}

#[test]
fn files_that_were_exchanged_can_be_undone_here_as_well() {
    let mut scene = typed("mine");
    scene.key(KeyCode::Esc);
    let place = "/k/000001/Dockerfile";
    let mut fresh = workspace();
    fresh.files[0].text = Some("FROM starter\n".to_owned());
    fresh.put_away = true;
    scene.tell(Msg::Exchanged {
        exercise: shrink(),
        wanted: Wanted::Starter,
        result: Ok(fresh),
        unsaved: KeptTexts::at(vec![place.into()]),
    });
    assert_eq!(file(&scene).editor.text(), "FROM starter\n");
    assert!(!bench(&scene).is_unsaved());
    assert!(status(&scene).contains("`: undo reset` brings yours back"));
    assert!(words(&mut scene).contains(place));
    let effects = scene.char('u');
    assert_eq!(saves(&effects), [format!("mine{DOCKERFILE}")]);
}

#[test]
fn what_nobody_wrote_is_not_promised_back() {
    let mut scene = Scene::work();
    for (wanted, words) in [
        (Wanted::Starter, "The starter is back."),
        (
            Wanted::Solution(Default::default()),
            "The solution is in your files.",
        ),
    ] {
        scene.tell(Msg::Exchanged {
            exercise: shrink(),
            wanted,
            result: Ok(workspace()),
            unsaved: None,
        });
        assert_eq!(status(&scene), words);
    }
}

#[test]
fn a_build_that_is_asked_for_while_files_are_exchanged_is_of_the_new_ones() {
    let mut scene = Scene::work();
    scene.char('R');
    scene.key(KeyCode::Enter);
    assert_eq!(started(&scene.char('b')), 0);
    let mut fresh = workspace();
    fresh.files[0].text = Some("FROM starter\n".to_owned());
    let effects = scene.tell(Msg::Exchanged {
        exercise: shrink(),
        wanted: Wanted::Starter,
        result: Ok(fresh),
        unsaved: None,
    });
    assert_eq!(started(&effects), 1);
    assert_eq!(bench(&scene).building["Dockerfile"], "FROM starter\n");
}

#[test]
fn an_exchange_that_failed_leaves_a_build_that_was_promised() {
    let failed = || Msg::Exchanged {
        exercise: shrink(),
        wanted: Wanted::Starter,
        result: Err(Trouble::new("no room")),
        unsaved: None,
    };
    for building in [true, false] {
        let mut scene = if building {
            Scene::building()
        } else {
            Scene::work()
        };
        scene.char('R');
        scene.key(KeyCode::Enter);
        scene.model.benches.get_mut(&shrink()).unwrap().wants_build = true;
        assert_eq!(started(&scene.tell(failed())), 0);
        // Without a build that ends nothing would begin it, before somebody saves for another reason.
        assert_eq!(bench(&scene).wants_build, building);
    }
}

#[test]
fn the_solution_is_exchanged_for_what_is_in_the_files_and_here() {
    let mut scene = typed("mine");
    scene.key(KeyCode::Esc);
    scene.char('6');
    scene.char('S');
    scene.char('A');
    let effects = scene.key(KeyCode::Enter);
    let answer = scene.model.exercise().and_then(|one| one.solution.as_ref());
    let answer = answer.expect("it has one").files.clone();
    let texts = vec![Unwritten {
        file: "Dockerfile".to_owned(),
        text: format!("mine{DOCKERFILE}"),
        over: Some(DOCKERFILE.to_owned()),
        conflict: false,
    }];
    let wanted = Effect::Exchange {
        exercise: shrink(),
        wanted: Wanted::Solution(answer),
        texts,
    };
    assert!(effects.contains(&wanted), "{effects:?}");
    assert_eq!(scene.model.screen, Screen::Work);
}

//! Transitions: what a message changes and what it asks for.

mod files;
mod inside;
mod named;
mod remarks;

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::KeyCode;
use crossterm::event::KeyEvent;
use crossterm::event::KeyModifiers;
use proptest::prelude::*;

use crate::attempt::AttemptEvent;
use crate::report::Outcome;
use crate::text::Clean;
use crate::tui::action::ACTIONS;
use crate::tui::action::ActionId;
use crate::tui::action::footer;
use crate::tui::effect::Effect;
use crate::tui::effect::Wanted;
use crate::tui::fixture::DOCKERFILE;
use crate::tui::fixture::Scene;
use crate::tui::fixture::inside::first_scan;
use crate::tui::fixture::inside::insight;
use crate::tui::fixture::missing;
use crate::tui::fixture::preparing;
use crate::tui::fixture::report;
use crate::tui::fixture::running_events;
use crate::tui::fixture::shrink;
use crate::tui::fixture::traced;
use crate::tui::fixture::workspace;
use crate::tui::model::Screen;
use crate::tui::model::Unit;
use crate::tui::model::bench::Bench;
use crate::tui::model::bench::OpenFile;
use crate::tui::model::bench::Pane;
use crate::tui::model::build::Build;
use crate::tui::model::log::Log;
use crate::tui::msg::JobId;
use crate::tui::msg::Msg;
use crate::tui::pick;
use crate::workshop::BaseEvent;
use crate::workshop::BaseState;
use crate::workshop::Check;
use crate::workshop::CheckState;
use crate::workshop::Trouble;
use crate::workshop::WorkspaceFile;

fn bench(scene: &Scene) -> &Bench {
    scene.model.bench().expect("an exercise is open")
}

fn file(scene: &Scene) -> &OpenFile {
    bench(scene).shown().expect("a file is shown")
}

fn status(scene: &Scene) -> &str {
    scene
        .model
        .status
        .as_ref()
        .map_or("", |status| status.text.as_str())
}

fn on_disk(scene: &mut Scene, text: Option<&str>) -> Vec<Effect> {
    scene.tell(Msg::Disk {
        exercise: shrink(),
        files: vec![WorkspaceFile {
            name: "Dockerfile".to_owned(),
            text: text.map(str::to_owned),
            barred: None,
        }],
    })
}

fn saved(scene: &mut Scene, text: &str, result: Result<(), Trouble>) -> Vec<Effect> {
    scene.tell(Msg::Saved {
        exercise: shrink(),
        file: "Dockerfile".to_owned(),
        text: text.to_owned(),
        result,
    })
}

fn saves(effects: &[Effect]) -> Vec<&str> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Save { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

/// Types at the start of the file.
fn edit(scene: &mut Scene) {
    scene.char('g');
    scene.char('e');
}

fn type_text(scene: &mut Scene, text: &str) {
    for c in text.chars() {
        scene.char(c);
    }
}

#[test]
fn the_engine_and_the_records_are_asked_for_after_the_first_paint() {
    let scene = Scene::new();
    assert_eq!(scene.effects, [Effect::LoadProgress, Effect::FindEngine]);
}

#[test]
fn bases_are_prepared_once_the_engine_is_there_those_at_hand_first() {
    let scene = Scene::home();
    assert!(scene.effects.contains(&Effect::PrepareBases {
        first: vec!["python:3.13-slim".to_owned(), "python:3.13".to_owned()],
    }));
}

#[test]
fn an_exercise_that_is_opened_does_not_wait_for_bases_that_it_does_not_need() {
    let mut scene = Scene::home();
    let mut course = (*scene.model.course).clone();
    course.exercises[0].bases = vec!["busybox".to_owned()];
    scene.model.course = Arc::new(course);
    preparing(&mut scene);
    let wanted = Effect::PrepareBases {
        first: vec!["busybox".to_owned()],
    };
    let mut units = scene.model.units.iter();
    scene.model.unit = units
        .position(|unit| *unit == Unit::Exercise(0))
        .expect("it is in the course");
    assert!(scene.key(KeyCode::Enter).contains(&wanted));
    assert!(scene.model.preparing);
    // It is asked for once, and not at all where it is here.
    assert!(!scene.char('1').contains(&wanted));
    scene.model.first.clear();
    scene.tell(Msg::Base(BaseEvent {
        reference: "busybox".to_owned(),
        state: BaseState::Ready { size: None },
    }));
    assert!(!scene.char('2').contains(&wanted));
}

#[test]
fn damaged_records_are_told_once() {
    let mut scene = Scene::new();
    let progress = crate::workshop::Progress {
        damaged: Some(Trouble::new("the records were damaged")),
        ..crate::tui::fixture::progress()
    };
    scene.tell(Msg::Progress(Ok(progress)));
    assert_eq!(status(&scene), "the records were damaged");
    assert!(scene.model.progress.expect("it is kept").damaged.is_none());
}

#[test]
fn enter_continues_where_the_learner_was() {
    let mut scene = Scene::home();
    let effects = scene.key(KeyCode::Enter);
    assert_eq!(effects, [Effect::Open(shrink())]);
    assert_eq!(scene.model.screen, Screen::Work);
    assert!(bench(&scene).report.is_some(), "the last report is shown");
}

#[test]
fn records_do_not_move_a_choice_that_was_made() {
    let mut scene = Scene::new();
    scene.key(KeyCode::Down);
    let chosen = scene.model.unit;
    scene.tell(Msg::Progress(Ok(crate::tui::fixture::progress())));
    assert_eq!(scene.model.unit, chosen);
}

#[test]
fn a_build_saves_first_and_starts_when_the_disk_has_it() {
    let mut scene = Scene::work();
    edit(&mut scene);
    type_text(&mut scene, "# x");
    let effects = scene.ctrl('b');
    let text = format!("# x{DOCKERFILE}");
    assert_eq!(saves(&effects), [text.as_str()]);
    assert!(scene.model.job.is_none(), "not before it is on disk");
    let effects = saved(&mut scene, &text, Ok(()));
    assert_eq!(
        effects,
        [Effect::StartAttempt {
            job: JobId(1),
            exercise: shrink(),
            log: workspace().log,
        }]
    );
}

#[test]
fn a_file_that_cannot_be_saved_starts_no_build() {
    let mut scene = Scene::work();
    edit(&mut scene);
    type_text(&mut scene, "x");
    scene.ctrl('b');
    let text = file(&scene).editor.text();
    let effects = saved(&mut scene, &text, Err(Trouble::new("the disk is full")));
    assert_eq!(effects, []);
    assert!(scene.model.job.is_none());
    assert_eq!(status(&scene), "the disk is full");
    assert!(file(&scene).is_unsaved(), "and the text is still here");
}

#[test]
fn without_an_engine_b_looks_for_one_again() {
    let mut scene = Scene::work();
    scene.tell(Msg::Engine(missing()));
    let effects = scene.char('b');
    assert_eq!(effects, [Effect::FindEngine]);
    assert!(scene.model.job.is_none());
}

#[test]
fn a_second_build_waits_for_the_first() {
    let mut scene = Scene::building();
    assert_eq!(scene.char('b'), []);
    assert!(status(&scene).contains("running"));
}

#[test]
fn cancelling_is_asked_once_and_over_only_when_it_is_told() {
    let mut scene = Scene::building();
    assert_eq!(scene.char('x'), [Effect::Cancel(JobId(1))]);
    assert_eq!(scene.char('x'), []);
    assert!(scene.model.job.as_ref().is_some_and(|job| job.cancelling));
    assert!(bench(&scene).is_building());
    scene.attempt(vec![AttemptEvent::Finished(Box::new(report(
        Outcome::Cancelled,
    )))]);
    assert!(status(&scene).contains("stopped working on it"));
    scene.tell(Msg::AttemptEnded {
        job: JobId(1),
        trouble: None,
    });
    assert!(scene.model.job.is_none());
    let attempts = bench(&scene).attempts;
    assert_eq!(attempts, 4, "a cancelled attempt does not count");
    assert_eq!(
        (bench(&scene).number, bench(&scene).judged_by()),
        (4, Some(4))
    );
    scene.char('b');
    assert_eq!(number(&scene), 6, "its number is not given again");
}

fn number(scene: &Scene) -> u32 {
    bench(scene).build.as_ref().map_or(0, |build| build.number)
}

#[test]
fn the_number_that_the_records_gave_is_the_one_that_counts() {
    let mut scene = Scene::building();
    assert_eq!(number(&scene), 5);
    // Another program checks the same exercise.
    scene.attempt(vec![AttemptEvent::Numbered(8)]);
    assert_eq!(number(&scene), 8);
    scene.attempt(vec![AttemptEvent::Finished(Box::new(report(
        Outcome::Failed,
    )))]);
    let record = scene.model.record(&shrink()).expect("it is on record");
    assert_eq!((record.number, record.numbered, record.attempts), (8, 8, 5));
    assert_eq!(record.before.as_ref().map(|before| before.number), Some(4));
    scene.tell(Msg::AttemptEnded {
        job: JobId(1),
        trouble: None,
    });
    scene.char('b');
    assert_eq!(number(&scene), 9);
}

#[test]
fn a_build_that_passes_while_it_is_cancelled_has_passed() {
    let mut scene = Scene::building();
    scene.char('x');
    scene.attempt(vec![AttemptEvent::Finished(Box::new(report(
        Outcome::Passed,
    )))]);
    assert!(bench(&scene).passed());
}

#[test]
fn messages_of_an_older_job_are_dropped() {
    let mut scene = Scene::building();
    scene.tell(Msg::AttemptEnded {
        job: JobId(1),
        trouble: None,
    });
    scene.char('b');
    let before = bench(&scene).build.clone();
    for msg in [
        Msg::Attempt {
            job: JobId(1),
            events: running_events(),
            skipped: 3,
        },
        Msg::AttemptEnded {
            job: JobId(1),
            trouble: Some(Trouble::new("old news")),
        },
    ] {
        assert_eq!(scene.tell(msg), []);
    }
    assert_eq!(bench(&scene).build, before);
    assert_eq!(bench(&scene).log.total(), 0);
    assert!(scene.model.job.is_some());
}

#[test]
fn an_attempt_without_a_report_ends_with_its_reason() {
    let mut scene = Scene::building();
    scene.tell(Msg::AttemptEnded {
        job: JobId(1),
        trouble: Some(Trouble::new("the attempt ended without a verdict")),
    });
    assert!(!bench(&scene).is_building());
    assert!(status(&scene).contains("without a verdict"));
}

#[test]
fn a_finished_build_stays_in_work_with_a_mark_on_the_result() {
    let mut scene = Scene::ended(Outcome::Passed);
    assert_eq!(scene.model.screen, Screen::Work);
    assert!(bench(&scene).news);
    scene.char('3');
    assert!(!bench(&scene).news);
    let record = scene.model.record(&shrink()).expect("it is on record");
    assert!(record.passed);
    assert_eq!(record.attempts, 5);
}

#[test]
fn a_build_that_stops_takes_the_keys_to_the_log_but_not_from_whoever_types() {
    for typing in [false, true] {
        let mut scene = Scene::building();
        if typing {
            edit(&mut scene);
        }
        scene.attempt(vec![AttemptEvent::Finished(Box::new(report(
            Outcome::BuildFailed,
        )))]);
        let pane = if typing { Pane::File } else { Pane::Log };
        assert_eq!(bench(&scene).pane, pane);
        assert_eq!(scene.model.typing(), typing);
    }
}

#[test]
fn enter_on_an_open_hint_goes_to_the_next_one() {
    let mut scene = Scene::work();
    scene.char('6');
    let chosen = |scene: &Scene| bench(scene).hints.selected;
    assert_eq!(scene.key(KeyCode::Enter), [], "the first one is open");
    assert_eq!(chosen(&scene), 1);
    let effects = scene.key(KeyCode::Enter);
    let opened = [Effect::HintOpened {
        exercise: shrink(),
        goal: "http".to_owned(),
        level: 2,
    }];
    assert_eq!(effects, opened);
    assert_eq!(chosen(&scene), 1, "it is to be read");
}

#[test]
fn a_long_build_is_told_to_a_window_out_of_sight() {
    let told = |focused| {
        let mut scene = Scene::building();
        scene.tell(Msg::Focus(focused));
        scene.now += Duration::from_secs(11);
        scene.effects.clear();
        scene.attempt(vec![AttemptEvent::Finished(Box::new(report(
            Outcome::Passed,
        )))]);
        scene
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::Notify(_)))
    };
    assert!(told(false));
    assert!(!told(true));
}

#[test]
fn an_unchanged_file_follows_the_disk() {
    let mut scene = Scene::work();
    on_disk(&mut scene, Some("FROM scratch\n"));
    assert_eq!(file(&scene).editor.text(), "FROM scratch\n");
    assert!(!bench(&scene).is_unsaved());
    assert_eq!(on_disk(&mut scene, Some("FROM scratch\n")), []);
}

#[test]
fn our_own_writes_are_no_news() {
    let mut scene = Scene::work();
    edit(&mut scene);
    type_text(&mut scene, "a");
    scene.ctrl('s');
    type_text(&mut scene, "b");
    on_disk(&mut scene, Some(&format!("a{DOCKERFILE}")));
    assert!(file(&scene).conflict.is_none());
    assert_eq!(file(&scene).editor.text(), format!("ab{DOCKERFILE}"));
}

#[test]
fn when_both_sides_changed_nothing_is_lost_before_an_answer() {
    for (key, wanted) in [
        (KeyCode::Enter, "FROM theirs\n".to_owned()),
        (KeyCode::Esc, format!("mine{DOCKERFILE}")),
    ] {
        let mut scene = Scene::work();
        edit(&mut scene);
        type_text(&mut scene, "mine");
        on_disk(&mut scene, Some("FROM theirs\n"));
        assert!(file(&scene).conflict.is_some());
        assert_eq!(scene.ctrl('b'), [], "no build meanwhile");
        assert_eq!(saves(&scene.ctrl('s')), Vec::<&str>::new());
        let effects = scene.key(key);
        assert!(file(&scene).conflict.is_none());
        assert_eq!(file(&scene).editor.text(), wanted);
        if key == KeyCode::Esc {
            assert_eq!(saves(&effects), [wanted.as_str()]);
        } else {
            scene.ctrl('u');
            let text = file(&scene).editor.text();
            assert!(text.starts_with("mine"), "{text}");
        }
    }
}

#[test]
fn a_deleted_file_is_written_again_only_when_asked() {
    let mut scene = Scene::work();
    on_disk(&mut scene, None);
    assert!(file(&scene).conflict.is_some());
    assert_eq!(file(&scene).editor.text(), DOCKERFILE);
    let effects = scene.key(KeyCode::Esc);
    assert_eq!(saves(&effects), [DOCKERFILE]);
}

#[test]
fn a_save_names_what_it_replaces() {
    let mut scene = Scene::work();
    edit(&mut scene);
    type_text(&mut scene, "x");
    let effects = scene.key(KeyCode::Esc);
    assert_eq!(
        effects,
        [Effect::Save {
            exercise: shrink(),
            file: "Dockerfile".to_owned(),
            text: format!("x{DOCKERFILE}"),
            folder: workspace().folder,
            over: Some(DOCKERFILE.to_owned()),
        }]
    );
    assert!(!scene.model.typing());
}

#[test]
fn typing_is_saved_by_itself_after_a_quiet_moment() {
    let mut scene = Scene::work();
    edit(&mut scene);
    type_text(&mut scene, "x");
    assert_eq!(scene.tell(Msg::Tick), []);
    assert!(scene.model.tick().is_some());
    scene.now += Duration::from_secs(3);
    let effects = scene.tell(Msg::Tick);
    assert_eq!(saves(&effects), [format!("x{DOCKERFILE}").as_str()]);
    assert!(scene.model.typing(), "and the keys stay where they are");
}

#[test]
fn nothing_ticks_at_rest() {
    let mut scene = Scene::work();
    assert_eq!(scene.model.tick(), None);
    scene.char('e');
    assert_eq!(scene.model.tick(), None);
    let mut scene = Scene::building();
    assert!(scene.model.tick().is_some());
    scene.char('1');
    assert_eq!(scene.model.tick(), None, "nobody looks at the clock");
}

#[test]
fn undo_and_redo_say_when_there_is_nothing_more() {
    let mut scene = Scene::work();
    scene.char('u');
    assert_eq!(status(&scene), "nothing to take back");
    scene.ctrl('r');
    assert_eq!(status(&scene), "nothing to bring back");
}

#[test]
fn reset_asks_and_can_be_undone() {
    let mut scene = Scene::work();
    assert_eq!(scene.char('R'), []);
    assert_eq!(scene.char('n'), []);
    scene.char('R');
    let effects = scene.key(KeyCode::Enter);
    assert_eq!(
        effects,
        [Effect::Exchange {
            exercise: shrink(),
            wanted: Wanted::Starter,
            texts: Vec::new(),
        }]
    );
    scene.char(':');
    type_text(&mut scene, "undo reset");
    let effects = scene.key(KeyCode::Enter);
    assert_eq!(
        effects,
        [Effect::Exchange {
            exercise: shrink(),
            wanted: Wanted::PutAway,
            texts: Vec::new(),
        }]
    );
}

#[test]
fn a_reset_is_undone_from_any_screen_of_the_exercise() {
    let mut scene = Scene::work();
    let screens = [
        Screen::Brief,
        Screen::Work,
        Screen::Result,
        Screen::Layers,
        Screen::Cves,
        Screen::Hints,
    ];
    for screen in screens {
        scene.model.screen = screen;
        let found = pick::actions(&scene.model, "undo reset");
        assert_eq!(found.first(), Some(&ActionId::UndoReset), "{screen:?}");
    }
}

#[test]
fn an_action_is_found_by_letters_of_its_name_or_by_words_about_it() {
    let scene = Scene::work();
    let finds_build = |query: &str| pick::actions(&scene.model, query).contains(&ActionId::Build);
    assert!(finds_build("bldchk") && finds_build("judges every"));
    // Its sentence has these letters, here and there.
    assert!(!finds_build("undo"));
}

#[test]
fn ctrl_c_cancels_and_twice_it_leaves() {
    let mut scene = Scene::building();
    assert_eq!(scene.ctrl('c'), [Effect::Cancel(JobId(1))]);
    assert_eq!(scene.ctrl('c'), [Effect::Quit]);
    let mut scene = Scene::home();
    assert_eq!(scene.ctrl('c'), []);
    scene.char('j');
    assert_eq!(scene.ctrl('c'), [], "not in a row");
    assert_eq!(scene.ctrl('c'), [Effect::Quit]);
}

#[test]
fn a_signal_saves_stops_and_leaves() {
    let mut scene = Scene::building();
    edit(&mut scene);
    type_text(&mut scene, "x");
    let effects = scene.tell(Msg::Terminate);
    assert_eq!(saves(&effects).len(), 1);
    assert!(effects.contains(&Effect::Cancel(JobId(1))));
    assert_eq!(effects.last(), Some(&Effect::Quit));
}

/// The builds that were started.
fn started(effects: &[Effect]) -> usize {
    let starts = |effect: &&Effect| matches!(effect, Effect::StartAttempt { .. });
    effects.iter().filter(starts).count()
}

/// The running build ends.
fn end(scene: &mut Scene) -> Vec<Effect> {
    let job = scene.model.job.as_ref().expect("a build runs").id;
    scene.tell(Msg::AttemptEnded { job, trouble: None })
}

#[test]
fn saving_builds_where_the_learner_asked_for_that() {
    let mut scene = Scene::work();
    scene.char('w');
    let effects = on_disk(&mut scene, Some("FROM scratch\n"));
    assert!(matches!(effects.as_slice(), [Effect::StartAttempt { .. }]));
    // Not on top of a running build, but after it, and once.
    assert_eq!(started(&on_disk(&mut scene, Some("FROM busybox\n"))), 0);
    assert_eq!(started(&on_disk(&mut scene, Some("FROM alpine\n"))), 0);
    assert_eq!(started(&end(&mut scene)), 1);
    assert_eq!(bench(&scene).building["Dockerfile"], "FROM alpine\n");
    assert_eq!(started(&end(&mut scene)), 0);
}

#[test]
fn a_save_that_waits_for_a_build_is_not_built_once_that_is_stopped_or_no_longer_wanted() {
    for key in ['x', 'w'] {
        let mut scene = Scene::work();
        scene.char('w');
        on_disk(&mut scene, Some("FROM scratch\n"));
        on_disk(&mut scene, Some("FROM busybox\n"));
        scene.char(key);
        assert_eq!(started(&end(&mut scene)), 0, "{key}");
    }
    // Without an engine the next attempt would only say so again.
    let mut scene = Scene::work();
    scene.char('w');
    on_disk(&mut scene, Some("FROM scratch\n"));
    on_disk(&mut scene, Some("FROM busybox\n"));
    scene.attempt(vec![AttemptEvent::Finished(Box::new(report(
        Outcome::EngineUnavailable,
    )))]);
    assert_eq!(started(&end(&mut scene)), 0);
}

#[test]
fn a_build_that_waited_takes_what_was_saved_and_no_half_word() {
    let mut scene = Scene::work();
    scene.char('w');
    on_disk(&mut scene, Some("FROM scratch\n"));
    on_disk(&mut scene, Some("FROM busybox\n"));
    edit(&mut scene);
    type_text(&mut scene, "# hal");
    let effects = end(&mut scene);
    assert_eq!(started(&effects), 1);
    assert!(saves(&effects).is_empty(), "{effects:?}");
    assert_eq!(bench(&scene).building["Dockerfile"], "FROM busybox\n");
}

#[test]
fn a_build_that_a_save_starts_takes_nobody_from_what_is_read() {
    let mut scene = Scene::work();
    scene.char('w');
    for (key, screen) in [
        ('6', Screen::Hints),
        ('1', Screen::Brief),
        ('3', Screen::Result),
    ] {
        scene.char(key);
        let text = format!("FROM scratch\n# {key}\n");
        assert_eq!(started(&on_disk(&mut scene, Some(&text))), 1);
        assert_eq!(scene.model.screen, screen);
        end(&mut scene);
    }
    scene.char('b');
    assert_eq!(scene.model.screen, Screen::Work, "that was asked for");
}

#[test]
fn the_editor_is_asked_for_with_the_line_at_hand() {
    let mut scene = Scene::work();
    assert_eq!(scene.char('E'), []);
    assert!(status(&scene).contains("$EDITOR"));
    scene.model.has_editor = true;
    let effects = scene.char('E');
    assert_eq!(
        effects,
        [Effect::Edit {
            path: workspace().folder.join("Dockerfile"),
            line: 8,
        }],
        "the line that the last report blames"
    );
}

#[test]
fn the_state_of_a_build_does_not_depend_on_batches() {
    let events = running_events();
    let fold = |sizes: &[usize]| {
        let mut build = Build::new(JobId(1), 1, 5, Duration::ZERO);
        let mut log = Log::default();
        let mut rest = events.as_slice();
        for size in sizes.iter().chain(&[usize::MAX]) {
            let (now, later) = rest.split_at((*size).min(rest.len()));
            for event in now {
                build.apply(event.clone(), Duration::ZERO, &mut log);
            }
            rest = later;
        }
        (build, log)
    };
    assert_eq!(fold(&[]), fold(&[1, 1, 2, 3]));
}

/// Any key that a terminal can send, the common ones more often.
fn any_key() -> impl Strategy<Value = KeyEvent> {
    let bound: Vec<KeyEvent> = ACTIONS
        .iter()
        .flat_map(|action| action.keys.iter().chain(action.typing))
        .map(|chord| chord.event())
        .collect();
    let code = prop_oneof![
        any::<char>().prop_map(KeyCode::Char),
        Just(KeyCode::Backspace),
        Just(KeyCode::Delete),
        Just(KeyCode::Enter),
        Just(KeyCode::Esc),
        (1u8..13).prop_map(KeyCode::F),
    ];
    let any = (code, any::<u8>()).prop_map(|(code, modifiers)| {
        KeyEvent::new(code, KeyModifiers::from_bits_truncate(modifiers))
    });
    prop_oneof![4 => prop::sample::select(bound), 1 => any]
}

#[derive(Debug, Clone)]
enum Step {
    Key(KeyEvent),
    Paste(String),
    Size(u16, u16),
    Disk(Option<String>),
    Events(usize),
    Saved,
    End(Outcome),
    /// Whatever was asked of the engine and the machine is answered, well or not.
    Answered(bool),
    Tick,
}

fn any_step() -> impl Strategy<Value = Step> {
    let outcome = prop::sample::select(vec![
        Outcome::Passed,
        Outcome::Failed,
        Outcome::BuildFailed,
        Outcome::EngineUnavailable,
        Outcome::CouldNotJudge,
        Outcome::Cancelled,
    ]);
    prop_oneof![
        12 => any_key().prop_map(Step::Key),
        1 => "[a-z\\x00-\\x1f\u{202e}字\\n\\r\\t]{0,40}".prop_map(Step::Paste),
        2 => (1u16..130, 1u16..45).prop_map(|(width, height)| Step::Size(width, height)),
        1 => proptest::option::of("[A-Z \\n\\x1b\u{9b}字\\t]{0,60}").prop_map(Step::Disk),
        1 => (0usize..20).prop_map(Step::Events),
        1 => Just(Step::Saved),
        1 => outcome.prop_map(Step::End),
        2 => any::<bool>().prop_map(Step::Answered),
        1 => Just(Step::Tick),
    ]
}

/// Takes what was asked for out of what waits for an answer.
fn taken(scene: &mut Scene, which: impl Fn(&Effect) -> bool) -> Vec<Effect> {
    let waiting = std::mem::take(&mut scene.effects).into_iter();
    let (taken, left) = waiting.partition(which);
    scene.effects = left;
    taken
}

/// What the runner says to a question about an image or the machine.
fn answer(effect: &Effect, well: bool) -> Option<Msg> {
    fn result<T>(well: bool, good: T) -> Result<T, Trouble> {
        well.then_some(good)
            .ok_or_else(|| Trouble::new("the engine went away"))
    }
    Some(match effect {
        Effect::Look { job, .. } => Msg::Looked {
            job: *job,
            result: result(well, insight()),
        },
        Effect::Scan { job, .. } => Msg::Scanned {
            job: *job,
            result: result(well, first_scan()),
        },
        Effect::Trace { job, image, .. } => Msg::Traced {
            job: *job,
            image: image.clone(),
            result: result(well, Box::new(traced())),
        },
        Effect::Doctor => Msg::Doctor(vec![Check {
            title: "Engine".to_owned(),
            state: if well {
                CheckState::Good
            } else {
                CheckState::Bad
            },
            found: Clean::line("it answers"),
            fix: (!well).then(|| Clean::line("Start it.")),
            mendable: !well,
        }]),
        _ => return None,
    })
}

/// Where a walk may begin.
const STARTS: [fn() -> Scene; 5] = [
    Scene::work,
    Scene::layers,
    || Scene::cves(true),
    || Scene::traceable(Outcome::Failed),
    // At a question of several right choices.
    || Scene::reading(&[true, true, false]),
];

/// Does a step, and answers what it asked for as the runner would.
fn walk(scene: &mut Scene, step: Step) {
    match step {
        Step::Key(key) => {
            scene.tell(Msg::Key(key));
        }
        Step::Paste(text) => {
            scene.tell(Msg::Paste(text));
        }
        Step::Size(width, height) => scene.resize(width, height),
        Step::Disk(text) => {
            on_disk(scene, text.as_deref());
        }
        Step::Events(count) if scene.model.job.is_some() => {
            scene.attempt(running_events().into_iter().take(count).collect());
        }
        Step::End(outcome) if scene.model.job.is_some() => {
            let job = scene.model.job.as_ref().expect("it was just there").id;
            scene.attempt(vec![AttemptEvent::Finished(Box::new(report(outcome)))]);
            scene.tell(Msg::AttemptEnded { job, trouble: None });
        }
        Step::Saved => {
            for effect in taken(scene, |effect| matches!(effect, Effect::Save { .. })) {
                if let Effect::Save {
                    exercise,
                    file,
                    text,
                    ..
                } = effect
                {
                    scene.tell(Msg::Saved {
                        exercise,
                        file,
                        text,
                        result: Ok(()),
                    });
                }
            }
        }
        Step::Answered(well) => {
            for effect in taken(scene, |effect| answer(effect, well).is_some()) {
                scene.tell(answer(&effect, well).expect("it has one"));
            }
        }
        Step::Tick => {
            scene.tell(Msg::Tick);
        }
        Step::Events(_) | Step::End(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_sequence_of_keys_panics_or_draws_a_control_character(
        start in 0..STARTS.len(),
        steps in proptest::collection::vec(any_step(), 1..60),
    ) {
        let mut scene = STARTS[start]();
        for step in steps {
            walk(&mut scene, step);
            let size = scene.model.size;
            let buffer = scene.draw(size.width, size.height);
            for cell in buffer.content() {
                let symbol = cell.symbol();
                prop_assert!(!symbol.chars().any(char::is_control), "{symbol:?}");
                let turned = symbol.contains('\u{202e}');
                prop_assert!(!turned);
            }
        }
    }

    #[test]
    fn every_enabled_action_is_in_help_and_every_key_means_one_thing(
        start in 0..STARTS.len(),
        steps in proptest::collection::vec(any_step(), 1..40),
    ) {
        let mut scene = STARTS[start]();
        for step in steps {
            walk(&mut scene, step);
            let model = &scene.model;
            let listed = pick::actions(model, "");
            let typing = model.typing();
            let mut taken: Vec<(KeyEvent, ActionId)> = Vec::new();
            for action in ACTIONS.iter().filter(|action| (action.when)(model)) {
                prop_assert!(listed.contains(&action.id), "{:?}", action.id);
                for chord in action.chords(typing) {
                    let event = chord.event();
                    if let Some((_, other)) = taken.iter().find(|(key, _)| *key == event) {
                        // Looking up takes the first of the table: these overlap on purpose.
                        let pair = (*other, action.id);
                        prop_assert!(OVERLAPS.contains(&pair), "{pair:?} share {event:?}");
                    }
                    taken.push((event, action.id));
                }
            }
            for id in footer(model) {
                prop_assert!(listed.contains(&id), "{id:?} is only at the foot");
            }
        }
    }
}

/// Pairs of actions that share a key while both can be done; the first one has it.
const OVERLAPS: [(ActionId, ActionId); 1] = [
    // The space bar pages down, and ticks where a question has the keys.
    (ActionId::Tick, ActionId::PageDown),
];

//! The screens that are pages: Lesson, Brief, Result, Hints, Doctor.

use std::sync::Arc;

use crossterm::event::KeyCode;

use super::pictures;
use crate::attempt::AttemptEvent;
use crate::course::Choice;
use crate::course::Quiz;
use crate::engine::start::plan::NoPlan;
use crate::report::BaselineReport;
use crate::report::LayerReport;
use crate::report::Outcome;
use crate::text::Clean;
use crate::tui::effect::Effect;
use crate::tui::fixture::DOCKERFILE;
use crate::tui::fixture::Scene;
use crate::tui::fixture::missing;
use crate::tui::fixture::report;
use crate::tui::fixture::shrink;
use crate::tui::fixture::traced;
use crate::tui::msg::JobId;
use crate::tui::msg::Msg;
use crate::tui::screen::doctor::Fix;
use crate::tui::screen::doctor::fix_of;
use crate::tui::theme::Palette;
use crate::tui::theme::Theme;
use crate::units::Bytes;
use crate::workshop::BaseEvent;
use crate::workshop::BaseState;
use crate::workshop::Check;
use crate::workshop::CheckState;
use crate::workshop::Trouble;
use crate::workshop::doctor;
use crate::workshop::doctor::Facts;
use crate::workshop::doctor::NoEngine;

const TEXT: &str = "# Distroless: Python\n\n\
A distroless image holds your application and the runtime it needs. There is **no shell**, no \
package manager and no `curl`: what you copy in is what runs. See [the last lesson](13-ship-it#x) \
or [the project](https://example.org/distroless).\n\n\
## Python, step by step\n\n\
```dockerfile\nFROM python:3.13-slim AS build\nRUN pip install --target=/deps -r requirements.txt\n\
FROM gcr.io/distroless/python3-debian13\nCOPY --from=build /deps /deps\nCMD [\"app.py\"]\n```\n\n\
> [!WARNING]\n> The image already starts Python. `CMD` is its list of arguments.\n\n\
| base | size | what you get |\n|---|--:|---|\n\
| `python:3.13` | {{ size python:3.13 | 1.08 GB }} | Python, compilers, headers, `git` |\n\
| distroless | {{ mine shrink-that-image last | 59.7 MB }} | Python and its libraries |\n\n\
1. one\n2. two\n   - [x] nested\n\n\
## Check yourself\n\n```quiz\nid: cmd\n```\n\n```quiz\nid: both\n```\n\n## Read next\n\nThe end.\n";

fn quiz(id: &str, right: [bool; 3]) -> Quiz {
    let texts = [
        "`[\"python\", \"app.py\"]`",
        "`[\"app.py\"]`",
        "`[\"sh\", \"-c\", \"app.py\"]`",
    ];
    Quiz {
        id: id.to_owned(),
        question: format!("Which `CMD` starts the application ({id})?"),
        choices: texts
            .into_iter()
            .zip(right)
            .map(|(text, right)| Choice {
                text: text.to_owned(),
                right,
                why: "The entrypoint is Python, so this is what Python is given.".to_owned(),
            })
            .collect(),
    }
}

fn reading() -> Scene {
    let mut scene = Scene::home();
    let mut course = (*scene.model.course).clone();
    let lesson = &mut course.lessons[1];
    lesson.markdown = TEXT.to_owned();
    lesson.anchors = crate::course::lesson::outline(TEXT).anchors;
    lesson.quizzes = vec![
        quiz("cmd", [false, true, false]),
        quiz("both", [true, true, false]),
    ];
    scene.model.course = Arc::new(course);
    scene.char('g');
    scene.key(KeyCode::Down);
    scene.key(KeyCode::Down);
    scene.key(KeyCode::Enter);
    scene
}

#[test]
fn a_lesson_from_its_start() {
    let mut scene = reading();
    pictures("lesson_top", &mut scene);
    scene.resize(80, 24);
    scene.key(KeyCode::Tab);
    pictures("lesson_outline", &mut scene);
}

#[test]
fn a_question_asked_and_answered() {
    let mut scene = reading();
    scene.resize(120, 36);
    scene.char('G');
    scene.key(KeyCode::Enter);
    pictures("lesson_asked", &mut scene);
    scene.key(KeyCode::Enter);
    scene.key(KeyCode::Down);
    scene.key(KeyCode::Down);
    scene.key(KeyCode::Enter);
    pictures("lesson_answered", &mut scene);
}

#[test]
fn the_links_of_a_lesson() {
    let mut scene = reading();
    scene.char('o');
    insta::assert_snapshot!("lesson_links_80x24", scene.picture(80, 24));
}

#[test]
fn a_brief() {
    let mut scene = Scene::work();
    scene.char('1');
    pictures("brief", &mut scene);
}

#[test]
fn a_result_before_any_attempt() {
    let mut scene = Scene::work();
    let bench = scene.model.bench_mut().unwrap();
    bench.report = None;
    scene.char('3');
    insta::assert_snapshot!("result_none_80x24", scene.picture(80, 24));
}

/// A result that is compared with the first image.
fn compared(outcome: Outcome) -> Scene {
    let mut scene = Scene::ended(outcome);
    let mut first = report(Outcome::Failed);
    "2026-11-20T09:00:00Z".clone_into(&mut first.started_at);
    if let Some(image) = &mut first.image {
        image.layers[0].shipped_bytes = Bytes(1_010_000_000);
        image.layers.push(LayerReport {
            created_by: Some(Clean::line(
                "RUN /bin/sh -c apt-get install -y vim # buildkit",
            )),
            line: Some(9),
            shipped_bytes: Bytes(72_000_000),
        });
    }
    let progress = scene.model.progress.as_mut().unwrap();
    let record = progress.exercises.get_mut(&shrink()).unwrap();
    record.first = Some(Box::new(first));
    scene.char('3');
    scene
}

#[test]
fn a_starter_built_on_another_day_has_not_grown_by_what_no_figure_shows() {
    for bytes in [1_160_156_664, 1_159_843_336] {
        let mut scene = compared(Outcome::Failed);
        let report = scene.model.bench_mut().unwrap().report.as_mut().unwrap();
        report.baseline = Some(BaselineReport {
            shipped_bytes: Bytes(1_160_000_000),
        });
        report.image.as_mut().unwrap().shipped_bytes = Bytes(bytes);
        let picture = scene.picture(80, 24);
        assert!(picture.contains("1.16 GB   same"), "{picture}");
    }
}

#[test]
fn every_screen_tells_the_same_of_the_starter() {
    let mut scene = Scene::ended(Outcome::Failed);
    let measured = Some(BaselineReport {
        shipped_bytes: Bytes(1_230_000_000),
    });
    let report = scene.model.bench_mut().unwrap().report.as_mut().unwrap();
    report.baseline.clone_from(&measured);
    let progress = scene.model.progress.as_mut().unwrap();
    let record = progress.exercises.get_mut(&shrink()).unwrap();
    record.last.as_mut().unwrap().baseline = measured;
    for (width, height) in [(80, 24), (120, 36)] {
        scene.model.screen = crate::tui::model::Screen::Result;
        let result = scene.picture(width, height);
        scene.model.screen = crate::tui::model::Screen::Work;
        let work = scene.picture(width, height);
        assert!(
            result.contains("1.23 GB") && work.contains("1.23 GB"),
            "{work}"
        );
    }
    scene.model.screen = crate::tui::model::Screen::Home;
    let home = scene.picture(120, 36);
    assert!(home.contains("1.23 GB"), "{home}");
}

#[test]
fn a_word_to_the_learner_is_shown_whole() {
    let mut scene = Scene::work();
    let place = "/home/somebody/with-a-long-name/loadline/.loadline/kept/shrink-that-image/unsaved/000001/Dockerfile";
    scene.tell(Msg::Kept {
        file: "Dockerfile".to_owned(),
        result: Ok(place.into()),
    });
    let said = scene.model.status.as_ref().unwrap().text.clone();
    let letters = |text: &str| text.split_whitespace().collect::<String>();
    for (width, height) in [(60, 18), (80, 24), (120, 36)] {
        let picture = scene.picture(width, height);
        let screen = picture.split("\n---").next().unwrap();
        assert!(letters(screen).ends_with(&letters(&said)), "{picture}");
    }
    // It covers only the rows that it needs, and only until the next key.
    assert!(scene.picture(60, 18).contains("FROM"));
    scene.key(KeyCode::Down);
    assert!(scene.picture(60, 18).contains("? help"));
}

#[test]
fn a_result_that_is_not_there_yet() {
    let mut scene = compared(Outcome::Failed);
    pictures("result_failed", &mut scene);
    scene.key(KeyCode::Up);
    insta::assert_snapshot!("result_other_goal_80x24", scene.picture(80, 24));
}

#[test]
fn a_result_with_every_goal_met() {
    pictures("result_passed", &mut compared(Outcome::Passed));
}

/// A passed result after an attempt that did not pass, with a line that was not built yet.
fn against_the_last() -> Scene {
    let mut scene = Scene::ended(Outcome::Passed);
    let progress = scene.model.progress.as_mut().unwrap();
    let record = progress.exercises.get_mut(&shrink()).unwrap();
    let before = record.before.as_mut().unwrap();
    let built = DOCKERFILE
        .replace("USER 65532\n", "")
        .replace("curl git", "curl");
    before.built.insert("Dockerfile".to_owned(), built);
    "2026-11-20T09:30:00Z".clone_into(&mut before.report.started_at);
    scene.char('e');
    scene.char('#');
    scene.key(KeyCode::Esc);
    scene.char('3');
    scene
}

#[test]
fn a_result_against_the_attempt_before() {
    let mut scene = against_the_last();
    scene.char('d');
    pictures("result_compared", &mut scene);
    scene.char('G');
    insta::assert_snapshot!("result_compared_end_80x24", scene.picture(80, 24));
    scene.key(KeyCode::Esc);
    let picture = scene.picture(80, 24);
    assert!(picture.contains("Done."), "{picture}");
}

#[test]
fn a_first_attempt_has_nothing_to_compare_with() {
    let mut scene = Scene::work();
    scene.char('3');
    scene.char('d');
    assert!(!scene.model.bench().unwrap().result.compared);
}

#[test]
fn a_result_without_an_image() {
    let mut scene = Scene::ended(Outcome::BuildFailed);
    scene.char('3');
    pictures("result_build_failed", &mut scene);
}

#[test]
fn hints_one_at_a_time() {
    let mut scene = Scene::work();
    scene.char('6');
    pictures("hints", &mut scene);
    scene.key(KeyCode::Down);
    scene.key(KeyCode::Enter);
    insta::assert_snapshot!("hints_two_80x24", scene.picture(80, 24));
}

#[test]
fn a_solution_beside_and_below() {
    let mut scene = Scene::ended(Outcome::Passed);
    scene.char('6');
    scene.char('S');
    pictures("solution", &mut scene);
    scene.char('d');
    insta::assert_snapshot!("solution_unified_120x36", scene.picture(120, 36));
}

fn checked() -> Scene {
    let mut scene = Scene::home();
    scene.tell(Msg::Engine(missing()));
    scene.char('D');
    let check = |title: &str, state, found: &str, fix: Option<&str>| Check {
        title: title.to_owned(),
        state,
        found: Clean::line(found),
        fix: fix.map(Clean::line),
        mendable: title == "Engine",
    };
    scene.tell(Msg::Doctor(vec![
        check(
            "Terminal",
            CheckState::Good,
            "120x36, truecolor, UTF-8",
            None,
        ),
        check(
            "Engine",
            CheckState::Bad,
            "no container engine answers at any of the places where one may be",
            Some("Run `loadline doctor --fix`: it installs or starts one after asking."),
        ),
        check(
            "Disk",
            CheckState::Limited,
            "4.2 GB free",
            Some("Free 2 GB."),
        ),
        check("Classroom", CheckState::Off, "not joined", None),
    ]));
    scene
}

#[test]
fn a_doctor_who_misses_the_engine() {
    let mut scene = checked();
    pictures("doctor", &mut scene);
    // What can be mended is chosen.
    insta::assert_snapshot!("doctor_engine_80x24", scene.picture(80, 24));
}

#[test]
fn no_key_is_offered_for_an_engine_that_cannot_be_had_from_here() {
    let scene = checked();
    let fix = |remedy| {
        let facts = Facts {
            engine: Err(NoEngine {
                remedy,
                ..doctor::fixture::no_engine()
            }),
            ..doctor::fixture::sound()
        };
        let checks = doctor::checks(&facts);
        let engine = checks.iter().find(|check| check.title == "Engine");
        fix_of(&scene.model, engine.unwrap())
    };
    let can = doctor::fixture::no_engine().remedy;
    assert_eq!(fix(can), Some(Fix::Engine));
    let cannot = NoPlan {
        reason: "installing an engine needs root".to_owned(),
        commands: vec!["apt-get update".to_owned()],
    };
    assert_eq!(fix(Err(cannot)), None);
}

#[test]
fn the_doctor_tells_the_reason_that_home_and_the_brief_promise() {
    let mut scene = Scene::work();
    scene.tell(Msg::Base(BaseEvent {
        reference: "python:3.13".to_owned(),
        state: BaseState::Failed(Clean::line("no registry answers here")),
    }));
    scene.char('1');
    let brief = scene.picture(120, 36);
    assert!(brief.contains("cannot be had; D tells more"), "{brief}");
    scene.char('D');
    scene.tell(Msg::Doctor(vec![Check {
        title: "Base images".to_owned(),
        state: CheckState::Limited,
        found: Clean::line("1 of 2 ready"),
        fix: None,
        mendable: false,
    }]));
    let words = "1 of 2 ready; python:3.13: no registry answers here";
    let doctor = scene.picture(120, 36);
    assert!(doctor.contains(words), "{doctor}");
    let copied = scene.char('y');
    assert!(
        matches!(copied.as_slice(), [Effect::Copy(text)] if text.contains(words)),
        "{copied:?}"
    );
}

#[test]
fn without_colours_and_without_unicode() {
    let looks = [
        ("mono", Theme::new(Palette::Mono, false)),
        ("ascii", Theme::new(Palette::Mono, true)),
    ];
    for (name, theme) in looks {
        let scenes = [
            ("lesson", reading()),
            ("result", compared(Outcome::Failed)),
            ("doctor", checked()),
        ];
        for (screen, mut scene) in scenes {
            scene.model.theme = theme;
            let picture = scene.picture(80, 24);
            let drawn: String = picture.lines().take(24).collect();
            // Names may be in any script; the interface and the signs of the course may not.
            let foreign: Vec<char> = drawn.chars().filter(|c| !c.is_ascii()).collect();
            assert!(name != "ascii" || foreign.is_empty(), "{foreign:?}");
            insta::assert_snapshot!(format!("{screen}_{name}_80x24"), picture);
        }
    }
}

#[test]
fn every_page_survives_every_size() {
    for mut scene in [reading(), compared(Outcome::Failed), checked()] {
        for (width, height) in [(1, 1), (60, 18), (61, 19), (99, 27), (100, 28), (300, 90)] {
            scene.resize(width, height);
            scene.draw(width, height);
            scene.char('G');
            scene.draw(width, height);
        }
    }
}

#[test]
fn the_result_while_and_after_a_run_is_traced() {
    let mut scene = Scene::traceable(Outcome::Failed);
    insta::assert_snapshot!("used_offered_80x24", scene.picture(80, 24));
    scene.char('r');
    insta::assert_snapshot!("used_running_80x24", scene.picture(80, 24));
    let ended = |result| Msg::Traced {
        job: JobId(2),
        image: "sha256:1".to_owned(),
        result,
    };
    scene.tell(ended(Ok(Box::new(traced()))));
    pictures("used", &mut scene);
    for (width, height) in [(80, 24), (120, 36)] {
        scene.resize(width, height);
        scene.char('G');
        let name = format!("used_below_{width}x{height}");
        insta::assert_snapshot!(name, scene.picture(width, height));
    }
    let mut refused = Scene::traceable(Outcome::Failed);
    refused.char('r');
    refused.tell(ended(Err(Trouble::new(
        "It cannot be seen here what a run opens: the engine runs without root.",
    )
    .advise("This is for your information; no other goal depends on it."))));
    refused.resize(80, 24);
    refused.char('G');
    insta::assert_snapshot!("used_refused_80x24", refused.picture(80, 24));
}

#[test]
fn what_the_container_wrote_stands_under_the_open_goal() {
    let mut scene = Scene::ended(Outcome::Failed);
    let bench = scene.model.bench_mut().unwrap();
    let open = bench.first_unmet().unwrap();
    let goal = &mut bench.report.as_mut().unwrap().goals[open];
    goal.output = Clean::lines("Traceback:\n  File app.py\nKeyError: 'X'");
    scene.char('3');
    let picture = scene.picture(120, 36);
    for line in [
        "wrote    Traceback:",
        "           File app.py",
        "KeyError: 'X'",
    ] {
        assert!(picture.contains(line), "{line} is not in\n{picture}");
    }
}

#[test]
fn a_long_line_that_the_container_wrote_is_read_to_its_end() {
    let mut scene = Scene::ended(Outcome::Failed);
    let bench = scene.model.bench_mut().unwrap();
    let open = bench.first_unmet().unwrap();
    let goal = &mut bench.report.as_mut().unwrap().goals[open];
    let words: Vec<String> = (0..30).map(|number| format!("word-{number}")).collect();
    goal.output = Clean::lines(&format!("  {}", words.join(" ")));
    scene.char('3');
    let picture = scene.picture(80, 36);
    assert!(picture.contains("wrote      word-0 word-1"), "{picture}");
    assert!(picture.contains("word-29"), "{picture}");
}

#[test]
fn a_goal_s_line_takes_the_room_of_a_wide_screen() {
    let mut scene = Scene::ended(Outcome::Failed);
    let bench = scene.model.bench_mut().unwrap();
    let open = bench.first_unmet().unwrap();
    let goals = &mut bench.report.as_mut().unwrap().goals;
    let other = goals.iter_mut().enumerate().find(|(at, _)| *at != open);
    let found = format!("{} the end", "a word ".repeat(18));
    other.unwrap().1.actual = Some(Clean::line(&found));
    scene.char('3');
    assert!(scene.picture(200, 50).contains("the end"));
    assert!(!scene.picture(120, 36).contains("the end"));
}

#[test]
fn a_step_of_a_build_that_was_cancelled_was_stopped() {
    let mut scene = Scene::ended(Outcome::Cancelled);
    let picture = scene.picture(120, 36);
    assert!(picture.contains("stopped"), "{picture}");
    assert!(!picture.contains("before your change"), "{picture}");
}

#[test]
fn what_is_known_after_a_build_that_was_cancelled_is_named_as_the_build_before() {
    let mut scene = Scene::ended(Outcome::Cancelled);
    let picture = scene.picture(120, 36);
    for words in [
        "Build 5 ",
        "cancelled, nothing was judged",
        "Goals of build 4",
        "Load line of build 4",
        "what each line shipped in build 4",
    ] {
        assert!(picture.contains(words), "{words}: {picture}");
    }
    assert!(scene.picture(60, 18).contains("Goals of build 4"));
    scene.char('3');
    let picture = scene.picture(120, 36);
    assert!(picture.contains("build 4"), "{picture}");
    // The next one that is judged is nobody's before.
    scene.char('2');
    scene.char('b');
    scene.attempt(vec![AttemptEvent::Finished(Box::new(report(
        Outcome::Failed,
    )))]);
    let picture = scene.picture(120, 36);
    assert!(picture.contains("Build 6 "), "{picture}");
    assert!(!picture.contains("of build"), "{picture}");
}

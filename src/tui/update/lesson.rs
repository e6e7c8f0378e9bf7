//! In a lesson: its questions and its links. A question takes the keys only when it is asked for,
//! and gives them back at once.

use crossterm::event::KeyCode;
use crossterm::event::KeyEvent;

use crate::course::Quiz;
use crate::tui::action::ActionId;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::model::Screen;
use crate::tui::model::Unit;
use crate::tui::model::overlay::Overlay;
use crate::tui::model::reading::Answer;
use crate::tui::model::reading::Reading;
use crate::tui::screen::lesson;
use crate::tui::theme::Role;
use crate::tui::update::moves;
use crate::tui::update::navigate;

/// What is being read, to change it.
fn reading(model: &mut Model) -> Option<&mut Reading> {
    let slug = model.lesson()?.slug.clone();
    model.reading.get_mut(&slug)
}

/// The question that has the keys, and its chosen row.
fn asked(model: &Model) -> Option<(Quiz, usize)> {
    let open = model.lesson()?;
    let (index, row) = model.reading.get(&open.slug)?.asked?;
    Some((open.quizzes.get(index)?.clone(), row))
}

/// Gives the keys from the outline back to the text; says whether it had them.
pub(super) fn close_outline(model: &mut Model) -> bool {
    reading(model).is_some_and(|reading| std::mem::replace(&mut reading.outline, false))
}

/// Enter: gives the keys to the question in sight, or answers it.
pub(super) fn answer(model: &mut Model, effects: &mut Vec<Effect>) {
    if close_outline(model) {
        return;
    }
    let Some((quiz, _)) = asked(model) else {
        let sight = lesson::question_in_sight(model);
        if let Some(reading) = reading(model) {
            reading.asked = sight.map(|index| (index, 0));
        }
        follow_row(model);
        show_question(model);
        return;
    };
    let mut nothing = false;
    let mut tried = None;
    if let Some(reading) = reading(model) {
        let answer = reading.answers.entry(quiz.id.clone()).or_default();
        nothing = answer.ticked.is_empty();
        let tries = answer.tries;
        answer.try_ticked(&quiz);
        tried = (answer.tries > tries).then(|| answer.to_record());
        if answer.is_over() {
            show_question(model);
            if let Some(reading) = self::reading(model) {
                reading.asked = None;
            }
        }
    }
    if nothing {
        model.say(Role::Warn, "Space ticks a choice first");
    }
    if let (Some(answer), Some(lesson)) = (tried, model.lesson()) {
        effects.push(Effect::Answered {
            lesson: lesson.slug.clone(),
            quiz: quiz.id,
            answer,
        });
    }
    show_question(model);
}

/// Fills in what the records know of the lessons that were opened, where they know more.
pub(super) fn recall(model: &mut Model) {
    let Some(progress) = &model.progress else {
        return;
    };
    for ((lesson, quiz), known) in &progress.answers {
        if let Some(reading) = model.reading.get_mut(lesson) {
            let answer = reading.answers.entry(quiz.clone()).or_default();
            if answer.tries < known.tries {
                *answer = Answer::from_record(known);
            }
        }
    }
}

/// Moves the row of the question that has the keys; says whether there is one.
pub(super) fn move_row(model: &mut Model, id: ActionId) -> bool {
    let Some((quiz, row)) = asked(model) else {
        return false;
    };
    let last = quiz.choices.len().saturating_sub(1);
    let row = match id {
        ActionId::Up => row.saturating_sub(1),
        ActionId::Down => (row + 1).min(last),
        _ => {
            // Whoever reads on has left the question.
            leave(model);
            return false;
        }
    };
    if let Some(reading) = reading(model)
        && let Some((_, at)) = &mut reading.asked
    {
        *at = row;
    }
    follow_row(model);
    true
}

/// Where one choice is right, the chosen row is the answer.
fn follow_row(model: &mut Model) {
    let Some((quiz, row)) = asked(model) else {
        return;
    };
    if quiz.several() {
        return;
    }
    if let Some(reading) = reading(model) {
        let answer = reading.answers.entry(quiz.id).or_default();
        answer.ticked = [row].into();
    }
}

/// Lists the links, or ticks a choice.
pub(super) fn act(model: &mut Model, id: ActionId) {
    match id {
        ActionId::Links => model.overlay = Some(Overlay::Links(0)),
        _ => tick(model),
    }
}

/// Ticks the chosen row, or takes the tick away.
fn tick(model: &mut Model) {
    let Some((quiz, row)) = asked(model) else {
        return;
    };
    if let Some(reading) = reading(model) {
        let answer = reading.answers.entry(quiz.id).or_default();
        if !answer.ticked.remove(&row) {
            answer.ticked.insert(row);
        }
    }
}

/// Takes the keys from the question; says whether it had them.
pub(super) fn leave(model: &mut Model) -> bool {
    reading(model).is_some_and(|reading| reading.asked.take().is_some())
}

/// Brings the whole question into sight, its first line first.
fn show_question(model: &mut Model) {
    let Some((index, _)) = reading(model).and_then(|reading| reading.asked) else {
        return;
    };
    let height = lesson::extent(model).height;
    let Some(lines) = lesson::doc(model).quizzes.get(index).cloned() else {
        return;
    };
    if let Some(reading) = reading(model) {
        let end = lines.end.saturating_sub(height);
        reading.top = reading.top.max(end).min(lines.start);
    }
}

/// Keys in the list of links.
pub(super) fn link_key(
    model: &mut Model,
    key: KeyEvent,
    selected: usize,
    effects: &mut Vec<Effect>,
) {
    let links = lesson::doc(model).links.clone();
    let last = links.len().saturating_sub(1);
    let selected = match key.code {
        KeyCode::Esc | KeyCode::Char('q' | 'o') => return,
        KeyCode::Down | KeyCode::Char('j') | KeyCode::Tab => (selected + 1).min(last),
        KeyCode::Up | KeyCode::Char('k') | KeyCode::BackTab => selected.saturating_sub(1),
        KeyCode::Enter => {
            if let Some(link) = links.get(selected) {
                follow(model, &link.target, effects);
            }
            return;
        }
        _ => selected,
    };
    model.overlay = Some(Overlay::Links(selected));
}

/// Goes where a link leads: an exercise, a heading of a lesson, or the clipboard for what is
/// outside.
fn follow(model: &mut Model, target: &str, effects: &mut Vec<Effect>) {
    if target.contains("://") {
        effects.push(Effect::Copy(target.to_owned()));
        model.say(Role::Muted, "the address was copied");
        return;
    }
    let (id, anchor) = target.split_once('#').unwrap_or((target, ""));
    if let Some(exercise) = id.strip_prefix("exercise:") {
        to_exercise(model, exercise, effects);
        return;
    }
    let lesson = model
        .course
        .lessons
        .iter()
        .position(|one| one.id() == id)
        .or_else(|| match model.units.get(model.unit)? {
            Unit::Lesson(index) if id.is_empty() => Some(*index),
            _ => None,
        });
    let unit = lesson.and_then(|index| {
        let wanted = Unit::Lesson(index);
        model.units.iter().position(|unit| *unit == wanted)
    });
    let Some(unit) = unit else {
        model.say(Role::Warn, "this course has no such lesson");
        return;
    };
    model.unit = unit;
    model.screen = Screen::Lesson;
    navigate::enter(model, effects);
    let heading = model
        .lesson()
        .and_then(|lesson| lesson.anchors.iter().position(|one| one == anchor));
    let line = heading.and_then(|heading| {
        let doc = lesson::doc(model);
        doc.outline.get(heading).map(|heading| heading.line)
    });
    if let (Some(line), Some(reading)) = (line, reading(model)) {
        reading.top = line;
    }
    moves::settle(model);
    navigate::read_to_the_end(model, effects);
}

/// Opens an exercise of the course, as from the course map.
fn to_exercise(model: &mut Model, id: &str, effects: &mut Vec<Effect>) {
    let unit = model.units.iter().position(|unit| match unit {
        Unit::Exercise(index) => {
            let exercise = model.course.exercises.get(*index);
            exercise.is_some_and(|exercise| exercise.id.as_str() == id)
        }
        Unit::Lesson(_) => false,
    });
    let Some(unit) = unit else {
        model.say(Role::Warn, "this course has no such exercise");
        return;
    };
    model.unit = unit;
    navigate::open(model, effects);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::course::load;
    use crate::tui::fixture::Scene;
    use crate::tui::msg::Msg;
    use crate::workshop::Answered;

    fn answer_of(scene: &Scene) -> (u32, bool, bool) {
        let lesson = scene.model.lesson().unwrap();
        let reading = &scene.model.reading[&lesson.slug];
        let answer = &reading.answers["a"];
        (answer.tries, answer.right, reading.asked.is_some())
    }

    #[test]
    fn a_question_is_tried_twice_and_gives_the_keys_back() {
        let mut scene = Scene::reading(&[false, true, false]);
        scene.key(KeyCode::Enter);
        scene.key(KeyCode::Enter);
        assert_eq!(answer_of(&scene), (1, false, true));
        scene.key(KeyCode::Down);
        scene.key(KeyCode::Down);
        scene.key(KeyCode::Enter);
        assert_eq!(answer_of(&scene), (2, false, false));
        // Nothing is left to answer.
        scene.key(KeyCode::Enter);
        assert_eq!(answer_of(&scene), (2, false, false));
    }

    #[test]
    fn each_try_is_recorded_once() {
        let mut scene = Scene::reading(&[false, true, false]);
        let recorded = |chosen: usize, right, tries| Effect::Answered {
            lesson: "why-small-matters".to_owned(),
            quiz: "a".to_owned(),
            answer: Answered {
                chosen: [chosen].into(),
                right,
                tries,
            },
        };
        assert_eq!(scene.key(KeyCode::Enter), []);
        assert_eq!(scene.key(KeyCode::Enter), [recorded(0, false, 1)]);
        assert_eq!(scene.key(KeyCode::Down), []);
        assert_eq!(scene.key(KeyCode::Enter), [recorded(1, true, 2)]);
        assert_eq!(scene.key(KeyCode::Enter), []);
    }

    #[test]
    fn a_reopened_lesson_shows_what_was_answered() {
        let known = Answered {
            chosen: [1].into(),
            right: true,
            tries: 2,
        };
        let mut progress = crate::tui::fixture::progress();
        let key = ("why-small-matters".to_owned(), "a".to_owned());
        progress.answers.insert(key, known.clone());
        let mut scene = Scene::reading(&[false, true]);
        // The records come after the lesson was opened, as on a slow disk.
        scene.tell(Msg::Progress(Ok(progress.clone())));
        let of = |scene: &Scene| scene.model.reading["why-small-matters"].answers["a"].clone();
        assert_eq!(of(&scene).to_record(), known);
        assert!(of(&scene).is_over());
        assert_eq!(of(&scene).ticked, [1].into());
        // And before it.
        scene.model.reading.clear();
        scene.key(KeyCode::Esc);
        scene.key(KeyCode::Enter);
        assert_eq!(of(&scene).to_record(), known);
    }

    #[test]
    fn the_right_choice_ends_a_question_at_once() {
        let mut scene = Scene::reading(&[false, true]);
        scene.key(KeyCode::Enter);
        scene.key(KeyCode::Down);
        scene.key(KeyCode::Enter);
        assert_eq!(answer_of(&scene), (1, true, false));
    }

    #[test]
    fn where_several_are_right_space_ticks_and_an_empty_answer_is_no_try() {
        let mut scene = Scene::reading(&[true, true, false]);
        scene.key(KeyCode::Enter);
        scene.key(KeyCode::Enter);
        assert_eq!(answer_of(&scene), (0, false, true));
        scene.char(' ');
        scene.key(KeyCode::Down);
        scene.char(' ');
        scene.key(KeyCode::Enter);
        assert_eq!(answer_of(&scene), (1, true, false));
    }

    #[test]
    fn the_space_bar_is_shown_for_what_it_does_now() {
        let mut scene = Scene::reading(&[true, true, false]);
        let shown = |scene: &Scene| {
            [ActionId::Tick, ActionId::PageDown].map(|id| {
                let action = crate::tui::action::action(id).expect("it is in the table");
                action.key_name(&scene.model)
            })
        };
        assert_eq!(shown(&scene), ["", "Space"]);
        scene.key(KeyCode::Enter);
        assert_eq!(shown(&scene), ["Space", "PgDn"]);
        scene.key(KeyCode::Esc);
        assert_eq!(shown(&scene), ["", "Space"]);
    }

    #[test]
    fn a_question_never_blocks() {
        let mut scene = Scene::reading(&[true, false]);
        scene.key(KeyCode::Enter);
        scene.key(KeyCode::Esc);
        assert_eq!(scene.model.screen, Screen::Lesson);
        assert!(!answer_of(&scene).2);
        scene.key(KeyCode::Enter);
        scene.key(KeyCode::PageDown);
        assert!(!answer_of(&scene).2);
        scene.key(KeyCode::Esc);
        assert_eq!(scene.model.screen, Screen::Home);
    }

    #[test]
    fn enter_and_esc_lead_from_the_outline_back_to_the_text() {
        let mut scene = Scene::reading(&[true, false]);
        for code in [KeyCode::Enter, KeyCode::Esc] {
            scene.key(KeyCode::Tab);
            assert!(lesson::in_outline(&scene.model));
            scene.key(code);
            assert!(!lesson::in_outline(&scene.model));
            assert_eq!(scene.model.screen, Screen::Lesson);
        }
    }

    #[test]
    fn a_link_outside_is_copied_and_one_inside_is_followed() {
        let mut scene = Scene::reading(&[true, false]);
        scene.char('o');
        let effects = scene.key(KeyCode::Enter);
        assert_eq!(effects, [Effect::Copy("https://example.org".to_owned())]);
        scene.char('o');
        scene.char('j');
        scene.key(KeyCode::Enter);
        let lesson = scene.model.lesson().unwrap();
        assert_eq!(lesson.slug, "distroless");
        let top = scene.model.reading["distroless"].top;
        let line = lesson::doc(&scene.model).outline[3].line;
        assert_eq!(top, line);
    }

    #[test]
    fn every_link_of_the_course_leads_somewhere() {
        let course = Arc::new(load::embedded().unwrap());
        let mut followed = 0;
        for lesson in 0..course.lessons.len() {
            let open = || {
                let mut scene = Scene::home();
                let size = scene.model.size;
                scene.model = Model::new(Arc::clone(&course), scene.model.theme, size);
                let wanted = Unit::Lesson(lesson);
                let mut units = scene.model.units.iter();
                scene.model.unit = units.position(|unit| *unit == wanted).unwrap();
                scene.key(KeyCode::Enter);
                scene
            };
            for (link, shown) in lesson::doc(&open().model).links.iter().enumerate() {
                let mut scene = open();
                let before = scene.model.unit;
                scene.char('o');
                for _ in 0..link {
                    scene.char('j');
                }
                let effects = scene.key(KeyCode::Enter);
                let copied = matches!(effects.as_slice(), [Effect::Copy(_)]);
                let here = shown.target.starts_with('#');
                let elsewhere = scene.model.unit != before;
                assert!(copied || here || elsewhere, "link {link} of {lesson}");
                let warned = scene.model.status.as_ref();
                let warned = warned.is_some_and(|status| status.role == Role::Warn);
                assert!(!warned, "link {link} of {lesson}");
                followed += 1;
            }
        }
        assert!(followed >= 3, "{followed}");
    }

    #[test]
    fn an_exercise_that_a_link_names_opens_and_one_that_is_not_there_is_told() {
        let mut scene = Scene::reading(&[true, false]);
        let mut effects = Vec::new();
        follow(&mut scene.model, "exercise:nothing", &mut effects);
        assert_eq!(scene.model.screen, Screen::Lesson);
        let status = scene.model.status.as_ref().unwrap();
        assert!(status.text.contains("no such exercise"), "{}", status.text);
        follow(&mut scene.model, "exercise:shrink-that-image", &mut effects);
        assert_eq!(
            scene.model.exercise().unwrap().id,
            crate::tui::fixture::shrink()
        );
        let opened = Effect::Open(crate::tui::fixture::shrink());
        assert!(effects.contains(&opened), "{effects:?}");
    }
}

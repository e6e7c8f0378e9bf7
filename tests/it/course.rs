//! The course that is part of the program, against the rest of the program.

use loadline::bases::catalogue::Catalogue;
use loadline::bases::reference::Reference;
use loadline::course::lint;
use loadline::course::load;
use loadline::dockerfile::Dockerfile;

#[test]
fn the_course_has_no_slips() {
    let course = load::embedded().unwrap_or_else(|error| panic!("{error}"));
    let catalogue = Catalogue::builtin().expect("the catalogue is sound");
    let outside = lint::Outside {
        is_base: &|reference| catalogue.find(&Reference::parse(reference)).is_some(),
        dockerfile_problem: &|text| {
            let parsed = Dockerfile::parse(text);
            parsed
                .problems
                .first()
                .map(|problem| lint::DockerfileProblem {
                    line: problem.line as usize,
                    column: 1,
                    message: format!("{problem:?}"),
                    hint: None,
                })
        },
    };
    let found = lint::check(&course, &load::embedded_files(), &outside);
    let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(shown.is_empty(), "{}", shown.join("\n"));
}

#[test]
fn every_dockerfile_of_the_course_parses() {
    for (path, content) in load::embedded_files() {
        if path.ends_with("/Dockerfile") {
            let parsed = Dockerfile::parse_bytes(&content);
            assert!(parsed.problems.is_empty(), "{path}: {:?}", parsed.problems);
        }
    }
}

#[test]
fn the_course_in_a_folder_is_the_course_in_the_program() {
    let folder = load::folder(crate::source::root()).unwrap_or_else(|error| panic!("{error}"));
    let own = load::embedded().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(folder.version, own.version);
}

#[test]
fn every_lesson_can_be_read_in_the_time_that_it_promises() {
    let course = load::embedded().unwrap_or_else(|error| panic!("{error}"));
    for lesson in &course.lessons {
        let words = lesson.markdown.split_whitespace().count();
        // 200 words a minute is a calm reader of technical text.
        let minutes = words.div_ceil(200);
        let promised = usize::try_from(lesson.minutes).expect("a few minutes");
        assert!(
            minutes <= promised,
            "{}: {words} words in {promised} min",
            lesson.id()
        );
    }
}

//! The course of a folder: whether it can be used, and what its author should hear before learners
//! do.

use std::path::Path;

use crate::bases::catalogue::Catalogue;
use crate::bases::reference::Reference;
use crate::cli::Shared;
use crate::cli::lint::column;
use crate::course::Course;
use crate::course::CourseError;
use crate::course::lint;
use crate::course::lint::DockerfileProblem;
use crate::course::load;
use crate::course::whole;
use crate::dockerfile::Dockerfile;
use crate::text::Clean;
use crate::text::plural;
use crate::workshop::Check;
use crate::workshop::CheckState;

/// The most remarks that are shown: who mends those asks again.
const SHOWN: usize = 20;

/// What is to be said of the course; nothing where it is the one of the program.
pub(super) fn checks(shared: &Shared) -> Vec<Check> {
    let Some(folder) = &shared.course else {
        return Vec::new();
    };
    let (course, found) = match remarks(folder) {
        Ok(read) => read,
        Err(error) => return vec![told(CheckState::Bad, &error)],
    };
    let shown = found.iter().take(SHOWN);
    let mut checks: Vec<Check> = shown.map(|one| told(CheckState::Limited, one)).collect();
    if let more @ 1.. = found.len().saturating_sub(SHOWN) {
        let text = format!("{} not shown", plural(more, "more remark"));
        checks.push(check(CheckState::Limited, &text, None));
    }
    if checks.is_empty() {
        let (lessons, exercises) = (course.lessons.len(), course.exercises.len());
        let text = format!(
            "{}: {}, {}",
            folder.display(),
            plural(lessons, "lesson"),
            plural(exercises, "exercise")
        );
        checks.push(check(CheckState::Good, &text, None));
    }
    checks
}

/// The course, and what is found in its files.
fn remarks(folder: &Path) -> Result<(Course, Vec<CourseError>), CourseError> {
    let files = load::folder_files(folder)?;
    let course = whole::parse(&files)?;
    let catalogue = Catalogue::builtin().ok();
    let outside = lint::Outside {
        is_base: &|reference| {
            let known = |it: &Catalogue| it.find(&Reference::parse(reference)).is_some();
            catalogue.as_ref().is_none_or(known)
        },
        dockerfile_problem: &problem,
    };
    let found = lint::check(&course, &files, &outside);
    Ok((course, found))
}

/// What is wrong with a Dockerfile.
fn problem(text: &str) -> Option<DockerfileProblem> {
    let file = Dockerfile::parse(text);
    let problem = file.problems.first()?;
    Some(DockerfileProblem {
        line: usize::try_from(problem.line).ok()?,
        column: column(text, problem.span.start),
        message: problem.message.clone(),
        hint: problem.hint.clone(),
    })
}

fn told(state: CheckState, error: &CourseError) -> Check {
    let text = format!("{}: {}", error.place(), error.message());
    check(state, &text, error.hint())
}

fn check(state: CheckState, found: &str, fix: Option<&str>) -> Check {
    Check {
        title: String::from("Course"),
        state,
        found: Clean::line(found),
        fix: fix.map(Clean::line),
        mendable: false,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::cli::output::Color;

    fn found(change: impl FnOnce(&Path)) -> Vec<(CheckState, String)> {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in load::embedded_files() {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        change(folder.path());
        let shared = Shared {
            plain: false,
            plain_asked: false,
            course: Some(folder.path().to_owned()),
            color: Color::Auto,
        };
        let checks = checks(&shared).into_iter();
        checks
            .map(|check| (check.state, check.found.to_string()))
            .collect()
    }

    #[test]
    fn a_course_is_good_has_remarks_or_cannot_be_used() {
        let good = found(|_| {});
        assert_eq!(good.len(), 1, "{good:?}");
        assert_eq!(good[0].0, CheckState::Good);
        // Kept from learners, none is missed.
        let withheld = found(|at| fs::remove_dir_all(at.join("solutions")).unwrap());
        assert_eq!(withheld[0].0, CheckState::Good, "{withheld:?}");
        let slip = found(|at| fs::remove_dir_all(at.join("solutions/first-build")).unwrap());
        let wanted = "exercises/first-build/exercise.yaml: the exercise has no solution";
        assert_eq!(slip, [(CheckState::Limited, wanted.to_owned())]);
        let answer = "solutions/first-build/Dockerfile";
        let typo = found(|at| fs::write(at.join(answer), "FROM busybox\n\n  RUNN a\n").unwrap());
        let wanted = format!("{answer}:3:3: the solution does not parse: ");
        let [(CheckState::Limited, words)] = &typo[..] else {
            panic!("{typo:?}");
        };
        assert!(words.starts_with(&wanted), "{words}");
        let broken = found(|at| fs::remove_file(at.join("lessons/course.yaml")).unwrap());
        let wanted = "lessons/course.yaml: this file is missing";
        assert_eq!(broken, [(CheckState::Bad, wanted.to_owned())]);
    }

    #[test]
    fn of_many_remarks_some_are_shown_and_the_rest_is_counted() {
        let many = found(|at| {
            for number in 0..=SHOWN {
                fs::write(at.join(format!("exercises/stray-{number}")), "").unwrap();
            }
        });
        assert_eq!(many.len(), SHOWN + 1, "{many:?}");
        assert_eq!(many[SHOWN].1, "1 more remark not shown");
    }
}

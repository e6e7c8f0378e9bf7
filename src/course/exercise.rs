//! The files of an exercise to an [`Exercise`].

use std::collections::BTreeSet;

use super::Baseline;
use super::CourseError;
use super::Exercise;
use super::ExerciseId;
use super::Files;
use super::GoalEntry;
use super::Hint;
use super::Solution;
use super::fault;
use super::file::text;
use super::goals::GoalYaml;
use super::yaml;
use super::yaml::ExerciseYaml;
use super::yaml::HintYaml;
use crate::goal::structure;
use crate::goal::structure::StructureTest;
use crate::text::Clean;

/// The format that this program reads.
const FORMAT: u32 = 1;

/// Reads the exercise with this id from the files of the whole course.
///
/// # Errors
/// When a file is missing or says something that cannot be used.
pub fn parse(id: &str, files: &Files) -> Result<Exercise, CourseError> {
    let folder = format!("exercises/{id}/");
    let file = format!("{folder}exercise.yaml");
    let source = text(files, &file)?;
    let yaml: ExerciseYaml = yaml::read(&file, source, source, 0)?;
    if yaml.format != FORMAT {
        let message = format!("this exercise has format {}, not {FORMAT}", yaml.format);
        let error = CourseError::of_file(&file, message);
        return Err(error.with_hint("a newer `loadline` may read it"));
    }
    let brief = text(files, &format!("{folder}{}", yaml.brief))?.to_owned();
    let starter = under(files, &format!("{folder}files/"));
    let solution = solution(id, files)?;
    let goals = imported(yaml.goals, &folder, files)?;
    let stretch = imported(yaml.stretch, &folder, files)?;
    let exercise = Exercise {
        id: ExerciseId(id.to_owned()),
        title: yaml.title,
        minutes: yaml.minutes,
        brief,
        edit: yaml.edit,
        bases: yaml.bases,
        baseline: yaml.baseline.map(|baseline| Baseline {
            size: baseline.size,
            measured: baseline.measured,
        }),
        canary: yaml.canary.map(|canary| canary.file),
        starter_misses: yaml.starter_misses,
        hints: hints(yaml.hints),
        goals,
        stretch,
        files: starter,
        solution,
    };
    match fault::of(&exercise) {
        Some(fault) => Err(fault.told(&file, source)),
        None => Ok(exercise),
    }
}

/// The goals, each that stands for a file of tests replaced by them.
fn imported(
    goals: Vec<GoalYaml>,
    folder: &str,
    files: &Files,
) -> Result<Vec<GoalEntry>, CourseError> {
    let mut all = Vec::new();
    for GoalYaml(entry) in goals {
        match entry.goal.imports() {
            Some(name) => all.extend(tests_of(&entry, &format!("{folder}{name}"), files)?),
            None => all.push(entry),
        }
    }
    Ok(all)
}

/// The tests of a file, each a goal with its own name and an id made of it.
fn tests_of(entry: &GoalEntry, file: &str, files: &Files) -> Result<Vec<GoalEntry>, CourseError> {
    let source = text(files, file)?;
    let tests = parsed(file, source)?;
    Ok(named(&entry.id, tests)
        .map(|(id, test)| GoalEntry {
            id,
            title: Some(title(&test)),
            goal: test.goal,
            ..entry.clone()
        })
        .collect())
}

/// The tests of a container-structure-test file that belongs to no exercise, each a goal with its
/// own name. `file` is what it is called for people.
///
/// # Errors
/// When it is no such file, or asks for what a run here does not do.
pub fn structure_goals(file: &str, source: &str) -> Result<Vec<GoalEntry>, CourseError> {
    let tests = parsed(file, source)?;
    Ok(named("structure_tests", tests)
        .map(|(id, test)| GoalEntry {
            id,
            title: Some(title(&test)),
            points: 1,
            why: None,
            read: None,
            hidden: false,
            goal: test.goal,
        })
        .collect())
}

fn parsed(file: &str, source: &str) -> Result<Vec<StructureTest>, CourseError> {
    structure::parse(source).map_err(|error| match error.place {
        Some((line, column)) => CourseError::at(file, source, line, column, error.message),
        None => CourseError::of_file(file, error.message),
    })
}

fn title(test: &StructureTest) -> String {
    Clean::line(&test.name).to_string()
}

/// Tests with an id of their own below `prefix`.
fn named(prefix: &str, tests: Vec<StructureTest>) -> impl Iterator<Item = (String, StructureTest)> {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    tests.into_iter().map(move |test| {
        let plain = format!("{prefix}.{}", slug(&test.name));
        let numbered = (2..).map(|number| format!("{plain}-{number}"));
        let mut ids = std::iter::once(plain.clone()).chain(numbered);
        let id = ids.find(|id| !taken.contains(id)).unwrap_or(plain);
        taken.insert(id.clone());
        (id, test)
    })
}

/// A name as part of an id: `Python is there` becomes `python-is-there`.
fn slug(name: &str) -> String {
    let words: Vec<String> = name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.join("-")
}

/// The files below a folder, by their path in it.
fn under(files: &Files, folder: &str) -> Files {
    let inside = files.iter().filter_map(|(path, content)| {
        let name = path.strip_prefix(folder)?;
        Some((name.to_owned(), content.clone()))
    });
    inside.collect()
}

fn solution(id: &str, files: &Files) -> Result<Option<Solution>, CourseError> {
    let folder = format!("solutions/{id}/");
    let mut files_of_it = under(files, &folder);
    if files_of_it.is_empty() {
        return Ok(None);
    }
    let why = text(files, &format!("{folder}why.md"))?.to_owned();
    files_of_it.remove("why.md");
    Ok(Some(Solution {
        files: files_of_it,
        why,
    }))
}

fn hints(yaml: Vec<HintYaml>) -> Vec<Hint> {
    let mut hints: Vec<Hint> = Vec::new();
    for hint in yaml {
        let before = hints.iter().filter(|other| other.goal == hint.goal).count();
        let level = u8::try_from(before + 1).unwrap_or(u8::MAX);
        hints.push(Hint {
            goal: hint.goal,
            level,
            text: hint.text,
        });
    }
    hints
}

#[cfg(test)]
mod tests {
    use super::*;

    const YAML: &str = "\
format: 1
title: A
minutes: 3
edit: [Dockerfile]
bases: [busybox]
starter_misses: [max_size]
goals:
  - builds
  - max_size: 100 MB
  - no_shell:
    why: because
    id: shell
stretch:
  - { max_size: 70 MB, id: smaller, title: smaller still, points: 3 }
hints:
  - { for: max_size, text: look }
  - { for: max_size, text: think }
  - { for: shell, text: look }
";

    fn files(yaml: &str) -> Files {
        let file = |path: &str, text: &str| (path.to_owned(), text.as_bytes().into());
        Files::from([
            file("exercises/a/exercise.yaml", yaml),
            file("exercises/a/brief.md", "# A\n"),
            file("exercises/a/files/Dockerfile", "FROM busybox\n"),
            file("exercises/a/files/.env", "TOKEN={{canary}}\n"),
            file("solutions/a/Dockerfile", "FROM scratch\n"),
            file("solutions/a/why.md", "Because.\n"),
        ])
    }

    fn fault_of(from: &str, to: &str) -> CourseError {
        assert!(YAML.contains(from), "{from}");
        parse("a", &files(&YAML.replacen(from, to, 1))).unwrap_err()
    }

    #[test]
    fn an_exercise_is_read_whole() {
        let exercise = parse("a", &files(YAML)).unwrap_or_else(|error| panic!("{error}"));
        let goals: Vec<(&str, &str, bool)> = exercise
            .all_goals()
            .map(|(entry, required)| (entry.id.as_str(), entry.goal.kind(), required))
            .collect();
        assert_eq!(
            goals,
            [
                ("builds", "builds", true),
                ("max_size", "max_size", true),
                ("shell", "no_shell", true),
                ("smaller", "max_size", false),
            ]
        );
        assert_eq!(exercise.goals[2].why.as_deref(), Some("because"));
        assert_eq!(exercise.stretch[0].title(), "smaller still");
        assert_eq!(exercise.stretch[0].points, 3);
        let levels: Vec<u8> = exercise
            .hints_for("max_size")
            .map(|hint| hint.level)
            .collect();
        assert_eq!(levels, [1, 2]);
        let solved = exercise.solved().unwrap();
        assert_eq!(&*solved["Dockerfile"], b"FROM scratch\n");
        assert!(solved.contains_key(".env") && !solved.contains_key("why.md"));
    }

    #[test]
    fn an_unknown_kind_is_named_with_its_place_and_a_guess() {
        let error = fault_of("- max_size: 100 MB", "- max_sze: 100 MB");
        assert_eq!(error.message(), "unknown goal kind `max_sze`");
        assert_eq!(error.place(), "exercises/a/exercise.yaml:9:5");
        assert!(
            error
                .hint()
                .is_some_and(|hint| hint.contains("did you mean `max_size`?"))
        );
        let error = fault_of("- builds", "- bilds");
        assert!(
            error.message().contains("unknown goal kind `bilds`"),
            "{error}"
        );
    }

    #[test]
    fn a_wrong_parameter_is_named_by_its_path() {
        let error = fault_of("- max_size: 100 MB", "- max_size: huge");
        assert!(
            error.message().starts_with("`goals[1].max_size`: "),
            "{error}"
        );
        assert_eq!(error.place(), "exercises/a/exercise.yaml:9:15");
    }

    #[test]
    fn two_kinds_in_one_goal_and_none_at_all_are_errors() {
        let error = fault_of("    why: because", "    max_layers: 3");
        assert!(
            error
                .message()
                .contains("two kinds, `no_shell` and `max_layers`"),
            "{error}"
        );
        let error = fault_of("- no_shell:\n", "- points: 2\n");
        assert!(error.message().contains("names no kind"), "{error}");
        let error = fault_of("- max_size: 100 MB", "- max_size");
        assert!(error.message().contains("max_size"), "{error}");
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        for (from, to, wanted) in [
            (
                "    id: shell\n",
                "    id: builds\n",
                "two goals have the id `builds`",
            ),
            ("for: shell", "for: shel", "a hint is for the goal `shel`"),
            (
                "[max_size]",
                "[smaller]",
                "miss `smaller`, which is not a required goal",
            ),
            ("[Dockerfile]", "[../Dockerfile]", "not a plain path"),
            (
                "bases:",
                "canary: { file: Dockerfile }\nbases:",
                "does not hold `{{canary}}`",
            ),
            ("format: 1", "format: 2", "has format 2"),
            (
                "edit: [Dockerfile]",
                "canary: { file: .env }\nedit: [.env]",
                "must not edit it",
            ),
            ("edit: [Dockerfile]", "edit: []", "nothing to edit"),
            ("[Dockerfile]", "[Dokerfile]", "no file in `edit`"),
            (
                "id: shell",
                "hidden: true",
                "a hint is for the goal `shell`",
            ),
        ] {
            let error = fault_of(from, to);
            assert!(error.message().contains(wanted), "{error}");
        }
    }

    #[test]
    fn what_contradicts_itself_is_shown_where_it_stands() {
        for (from, to, place, hint) in [
            (
                "    id: shell\n",
                "    id: builds\n",
                "12:9",
                "its own `id`",
            ),
            ("for: shell", "for: shel", "18:12", "did you mean `shell`?"),
            ("[max_size]", "[smaller]", "6:18", "required goal"),
            (
                "bases:",
                "canary: { file: .evn }\nbases:",
                "5:17",
                "did you mean `.env`?",
            ),
            (
                "[Dockerfile]",
                "[Dokerfile]",
                "4:8",
                "did you mean `Dockerfile`?",
            ),
        ] {
            let error = fault_of(from, to);
            assert_eq!(error.place(), format!("exercises/a/exercise.yaml:{place}"));
            let told = error.hint().unwrap_or_default();
            assert!(told.contains(hint), "{error} {told}");
        }
    }

    const TESTS: &str = "schemaVersion: 2.0.0\nfileExistenceTests:\n  - { name: 'App is there', path: /app }\n  - { name: 'App, is there?', path: /app }\n";

    #[test]
    fn a_file_of_tests_becomes_goals_with_their_names() {
        let yaml = YAML.replacen(
            "  - builds\n",
            "  - builds\n  - { structure_tests: tests.yaml, id: cst, points: 2 }\n",
            1,
        );
        let mut files = files(&yaml);
        let missing = parse("a", &files).unwrap_err();
        assert_eq!(missing.place(), "exercises/a/tests.yaml");
        files.insert(
            String::from("exercises/a/tests.yaml"),
            TESTS.as_bytes().into(),
        );
        let exercise = parse("a", &files).unwrap_or_else(|error| panic!("{error}"));
        let goals = exercise.goals.iter().skip(1).take(2);
        let told: Vec<(&str, String, u32)> = goals
            .map(|goal| (goal.id.as_str(), goal.title(), goal.points))
            .collect();
        assert_eq!(
            told,
            [
                ("cst.app-is-there", String::from("App is there"), 2),
                ("cst.app-is-there-2", String::from("App, is there?"), 2),
            ]
        );
        let wrong = TESTS.replace("path: /app }", "pth: /app }");
        files.insert(
            String::from("exercises/a/tests.yaml"),
            wrong.as_bytes().into(),
        );
        let error = parse("a", &files).unwrap_err();
        assert!(
            error.place().starts_with("exercises/a/tests.yaml:3:"),
            "{error}"
        );
        assert!(error.message().contains("unknown field `pth`"), "{error}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let mut files = files(YAML);
        files.remove("exercises/a/brief.md");
        let error = parse("a", &files).unwrap_err();
        assert_eq!(error.place(), "exercises/a/brief.md");
        files.remove("exercises/a/exercise.yaml");
        assert_eq!(
            parse("a", &files).unwrap_err().place(),
            "exercises/a/exercise.yaml"
        );
    }

    #[test]
    fn learners_see_no_goal_that_only_a_grader_judges_by() {
        let yaml = YAML.replacen("    id: shell\n", "    id: shell\n    hidden: true\n", 1);
        let exercise = parse("a", &files(&yaml)).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(exercise.goals.len(), 3);
        let course = super::super::Course {
            id: String::from("c"),
            version: String::new(),
            title: String::new(),
            lessons: Vec::new(),
            exercises: vec![exercise],
        };
        let seen = course.for_learners();
        let ids: Vec<&str> = seen.exercises[0]
            .all_goals()
            .map(|(goal, _)| goal.id.as_str())
            .collect();
        assert_eq!(ids, ["builds", "max_size", "smaller"]);
        assert_eq!(seen.exercises[0].hints_for("shell").count(), 0);
        assert_eq!(seen.exercises[0].hints_for("max_size").count(), 2);
    }

    #[test]
    fn a_planted_token_is_found_again() {
        let yaml = YAML.replacen("bases:", "canary: { file: .env }\nbases:", 1);
        let mut files = files(&yaml);
        for starter in ["TOKEN={{canary}}\n", "A={{canary}}\nB={{canary}} c\n"] {
            files.insert(
                String::from("exercises/a/files/.env"),
                starter.as_bytes().into(),
            );
            let exercise = parse("a", &files).unwrap_or_else(|error| panic!("{error}"));
            let planted = exercise.planted("canary-07af");
            let text = std::str::from_utf8(&planted.files[".env"]).unwrap();
            assert_eq!(exercise.planted_in(text), Some("canary-07af"));
            for other in ["", "TOKEN=\n", "mine", "TOKEN=canary-07af\nmore\n"] {
                assert_eq!(exercise.planted_in(other), None, "{other}");
            }
        }
    }

    #[test]
    fn a_token_is_planted_in_one_file_only() {
        let yaml = YAML.replacen("bases:", "canary: { file: .env }\nbases:", 1);
        let exercise = parse("a", &files(&yaml)).unwrap_or_else(|error| panic!("{error}"));
        let planted = exercise.planted("tok");
        assert_eq!(&*planted.files[".env"], b"TOKEN=tok\n");
        assert_eq!(planted.files["Dockerfile"], exercise.files["Dockerfile"]);
        let needles = exercise.needles("tok");
        assert_eq!(needles.get(".env").map(String::as_str), Some("tok"));
    }
}

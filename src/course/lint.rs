//! What a course's author should hear before learners do, as far as no engine is needed.

use std::collections::BTreeSet;

use super::Course;
use super::CourseError;
use super::Exercise;
use super::ExerciseId;
use super::Files;
use super::Lesson;
use super::Solution;
use super::directive;
use super::directive::Directive;
use super::lesson;
use super::lesson::Outline;

/// The levels of hints that each required goal should have.
const HINT_LEVELS: usize = 3;

/// A line of a solution that is shorter than this is not an answer by itself.
const ANSWER_LENGTH: usize = 12;

/// What an attempt builds.
const DOCKERFILE: &str = "Dockerfile";

/// What other parts of the program know.
pub struct Outside<'a> {
    /// Whether the catalogue of base images has a reference.
    pub is_base: &'a dyn Fn(&str) -> bool,
    /// What is wrong with a Dockerfile's text, if anything.
    pub dockerfile_problem: &'a dyn Fn(&str) -> Option<DockerfileProblem>,
}

/// What is wrong with a Dockerfile's text, and where.
pub struct DockerfileProblem {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it, where that is known.
    pub hint: Option<String>,
}

/// Checks a course and the files that it was read from.
#[must_use]
pub fn check(course: &Course, files: &Files, outside: &Outside<'_>) -> Vec<CourseError> {
    let mut lint = Lint {
        course,
        files,
        outside,
        found: Vec::new(),
    };
    for lesson in &course.lessons {
        lint.lesson(lesson);
    }
    for exercise in &course.exercises {
        lint.exercise(exercise);
    }
    lint.stray_files();
    lint.found
}

struct Lint<'a> {
    course: &'a Course,
    files: &'a Files,
    outside: &'a Outside<'a>,
    found: Vec<CourseError>,
}

impl Lint<'_> {
    fn say(&mut self, file: &str, message: impl Into<String>) {
        self.found.push(CourseError::of_file(file, message));
    }

    fn lesson(&mut self, lesson: &Lesson) {
        let file = format!("lessons/{}.md", lesson.id());
        if lesson.title.trim().is_empty() || lesson.minutes == 0 || lesson.goals.is_empty() {
            self.say(
                &file,
                "a lesson needs a title, minutes and what the reader can do afterwards",
            );
        }
        self.markdown(&file, &lesson.markdown, Some(lesson));
        for quiz in &lesson.quizzes {
            let texts = quiz
                .choices
                .iter()
                .flat_map(|choice| [&choice.text, &choice.why]);
            if texts
                .chain([&quiz.question])
                .any(|text| text.trim().is_empty())
            {
                self.say(
                    &file,
                    format!("the question `{}` has an empty text", quiz.id),
                );
            }
        }
    }

    /// Links, figures and Dockerfiles of a text.
    fn markdown(&mut self, file: &str, text: &str, own: Option<&Lesson>) {
        let outline: Outline = lesson::outline(text);
        for link in &outline.links {
            if !self.resolves(link, own) {
                self.say(file, format!("the link `{link}` leads nowhere"));
            }
        }
        for found in directive::all(text) {
            match found {
                Ok((Directive::Size { .. }, _)) => {}
                Ok((Directive::Mine { exercise, .. } | Directive::Baseline { exercise }, _)) => {
                    if self.course.exercise(&exercise).is_none() {
                        self.say(file, format!("a figure names the exercise `{exercise}`"));
                    }
                }
                Err(why) => self.say(file, why),
            }
        }
        for (info, block) in &outline.blocks {
            let language = info.split_whitespace().next().unwrap_or_default();
            if language != "dockerfile" {
                continue;
            }
            if let Some(problem) = (self.outside.dockerfile_problem)(block) {
                self.say(
                    file,
                    format!("a `dockerfile` block does not parse: {}", problem.message),
                );
            }
        }
    }

    /// Whether a link leads to a lesson, an anchor, an exercise or a page on the web.
    fn resolves(&self, link: &str, own: Option<&Lesson>) -> bool {
        if link.starts_with("https://") {
            return true;
        }
        let (target, anchor) = match link.split_once('#') {
            Some((target, anchor)) => (target, Some(anchor)),
            None => (link, None),
        };
        if let Some(exercise) = target.strip_prefix("exercise:") {
            return self.course.exercise(exercise).is_some();
        }
        let lesson = match target {
            "" => own,
            id => self.course.lessons.iter().find(|lesson| lesson.id() == id),
        };
        let Some(lesson) = lesson else {
            return false;
        };
        anchor.is_none_or(|anchor| lesson.anchors.iter().any(|known| known == anchor))
    }

    fn exercise(&mut self, exercise: &Exercise) {
        let folder = format!("exercises/{}", exercise.id);
        let file = format!("{folder}/exercise.yaml");
        self.markdown(&format!("{folder}/brief.md"), &exercise.brief, None);
        for reference in exercise
            .bases
            .iter()
            .filter(|base| !(self.outside.is_base)(base))
        {
            self.say(
                &file,
                format!("the base `{reference}` is not in the catalogue"),
            );
        }
        if exercise.starter_misses.is_empty() {
            self.say(&file, "a starter has to miss at least one required goal");
        }
        for (entry, _) in exercise.all_goals() {
            if let Some(link) = &entry.read
                && !self.resolves(link, None)
            {
                self.say(
                    &file,
                    format!("`read: {link}` of `{}` leads nowhere", entry.id),
                );
            }
        }
        match &exercise.solution {
            None if self.are_withheld() => {}
            None => self.say(&file, "the exercise has no solution"),
            Some(solution) => {
                let why = format!("solutions/{}/why.md", exercise.id);
                self.markdown(&why, &solution.why, None);
            }
        }
        self.hints(&file, exercise);
        self.edited_files(&file, exercise);
        if let Some(solution) = &exercise.solution {
            self.solution(&folder, exercise, solution);
        }
    }

    /// The solution changes something, and its Dockerfile can be read.
    fn solution(&mut self, folder: &str, exercise: &Exercise, solution: &Solution) {
        let own = format!("solutions/{}", exercise.id);
        let mut files = solution.files.iter();
        if files.all(|(path, text)| exercise.files.get(path) == Some(text)) {
            let hint = format!("put the worked answer there, such as `{own}/{DOCKERFILE}`");
            let error = CourseError::of_file(&own, "the solution changes no file");
            self.found.push(error.with_hint(hint));
            return;
        }
        // What it does not change is the starter's.
        let (file, text) = match solution.files.get(DOCKERFILE) {
            Some(text) => (format!("{own}/{DOCKERFILE}"), text),
            None => match exercise.files.get(DOCKERFILE) {
                Some(text) => (format!("{folder}/files/{DOCKERFILE}"), text),
                None => return,
            },
        };
        let text = String::from_utf8_lossy(text);
        if let Some(problem) = (self.outside.dockerfile_problem)(&text) {
            let message = format!("the solution does not parse: {}", problem.message);
            let error = CourseError::at(&file, &text, problem.line, problem.column, message);
            let hint = problem.hint.as_deref().unwrap_or("mend this line");
            self.found.push(error.with_hint(hint));
        }
    }

    /// Whether solutions are kept from learners: no exercise has one.
    fn are_withheld(&self) -> bool {
        let mut exercises = self.course.exercises.iter();
        exercises.all(|exercise| exercise.solution.is_none())
    }

    fn hints(&mut self, file: &str, exercise: &Exercise) {
        for id in exercise.goals.iter().map(|goal| &goal.id) {
            let count = exercise.hints_for(id).count();
            if count != 0 && count != HINT_LEVELS {
                self.say(file, format!("`{id}` has {count} of {HINT_LEVELS} hints"));
            }
        }
        for id in &exercise.starter_misses {
            if exercise.hints_for(id).count() == 0 {
                self.say(
                    file,
                    format!("the starter misses `{id}`, and no hint helps with it"),
                );
            }
        }
        for hint in &exercise.hints {
            if hint.text.trim().is_empty() {
                self.say(
                    file,
                    format!("hint {} for `{}` is empty", hint.level, hint.goal),
                );
            }
            if usize::from(hint.level) < HINT_LEVELS
                && let Some(line) = answer_in(exercise, &hint.text)
            {
                let (level, goal) = (hint.level, &hint.goal);
                self.say(
                    file,
                    format!("hint {level} for `{goal}` gives the answer: `{line}`"),
                );
            }
        }
    }

    /// The solution changes only what the learner may change.
    fn edited_files(&mut self, file: &str, exercise: &Exercise) {
        let solution = exercise
            .solution
            .iter()
            .flat_map(|solution| solution.files.keys());
        for path in solution.filter(|path| !exercise.edit.contains(path)) {
            self.say(
                file,
                format!("the solution changes `{path}`, which is not in `edit`"),
            );
        }
        let there = |path: &&String| {
            exercise.files.contains_key(*path)
                || exercise
                    .solution
                    .as_ref()
                    .is_some_and(|it| it.files.contains_key(*path))
        };
        // One that learners are to make is in the solution alone.
        if self.are_withheld() {
            return;
        }
        for path in exercise.edit.iter().filter(|path| !there(path)) {
            self.say(
                file,
                format!("`{path}` in `edit` is in no starter and no solution"),
            );
        }
    }

    /// Whether an exercise names a file of tests beside it.
    fn imports(&self, id: &str, name: &str) -> bool {
        let yaml = self.files.get(&format!("exercises/{id}/exercise.yaml"));
        let text = yaml.map_or_else(String::new, |yaml| {
            String::from_utf8_lossy(yaml).into_owned()
        });
        let mut lines = text.lines();
        lines.any(|line| line.contains("structure_tests") && line.contains(name))
    }

    fn stray_files(&mut self) {
        let known: BTreeSet<&ExerciseId> = self.course.exercises.iter().map(|it| &it.id).collect();
        let mut stray = Vec::new();
        for path in self.files.keys() {
            let mut parts = path.splitn(3, '/');
            let (room, id, rest) = (parts.next(), parts.next(), parts.next());
            let belongs = match (room, id, rest) {
                (Some("lessons"), Some(_), None) => true,
                (Some("exercises"), Some(id), Some(rest)) => {
                    known.contains(&ExerciseId(id.to_owned()))
                        && (rest.starts_with("files/")
                            || matches!(rest, "exercise.yaml" | "brief.md")
                            || self.imports(id, rest))
                }
                (Some("solutions"), Some(id), Some(_)) => {
                    known.contains(&ExerciseId(id.to_owned()))
                }
                _ => false,
            };
            let junk = path.ends_with('~') || path.ends_with(".swp") || path.ends_with(".DS_Store");
            if !belongs || junk {
                stray.push(path.clone());
            }
        }
        for path in stray {
            self.say(&path, "nothing uses this file");
        }
    }
}

/// A line of the solution's Dockerfile that a text gives away and the starter does not have.
fn answer_in(exercise: &Exercise, text: &str) -> Option<String> {
    let solution = exercise.solution.as_ref()?.files.get("Dockerfile")?;
    let starter = String::from_utf8_lossy(exercise.files.get("Dockerfile")?).into_owned();
    let given: BTreeSet<&str> = starter.lines().map(str::trim).collect();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let solution = String::from_utf8_lossy(solution).into_owned();
    let mut lines = solution.lines().map(str::trim);
    lines
        .find(|line| {
            line.len() >= ANSWER_LENGTH
                && !line.starts_with('#')
                && !given.contains(line)
                && text.contains(*line)
        })
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::course::whole;

    const LESSON: &str = "---\ntitle: A\nminutes: 1\nexercises: [a]\ngoals_of_lesson: [read]\n---\n\
                          # One\n[up](#one) [ex](exercise:a) [web](https://example.org)\n";
    const YAML: &str = "format: 1\ntitle: A\nminutes: 3\nedit: [Dockerfile]\nbases: [busybox]\n\
                        starter_misses: [builds]\ngoals:\n  - builds\nhints:\n  \
                        - { for: builds, text: look }\n  - { for: builds, text: think }\n  \
                        - { for: builds, text: nearly }\n";

    fn files() -> Files {
        let file = |path: &str, text: &str| (path.to_owned(), text.as_bytes().into());
        Files::from([
            file("lessons/course.yaml", "format: 1\nid: c\ntitle: C\n"),
            file("lessons/01-a.md", LESSON),
            file("exercises/a/exercise.yaml", YAML),
            file("exercises/a/brief.md", "# A\n"),
            file("exercises/a/files/Dockerfile", "FROM busybox\nRUN fals\n"),
            file("solutions/a/Dockerfile", "FROM busybox\nRUN echo one two\n"),
            file("solutions/a/why.md", "Because.\n"),
        ])
    }

    fn lint(change: impl FnOnce(&mut Files)) -> Vec<String> {
        let mut files = files();
        change(&mut files);
        let course = whole::parse(&files).unwrap_or_else(|error| panic!("{error}"));
        let outside = Outside {
            is_base: &|reference| reference == "busybox",
            dockerfile_problem: &|text| {
                let before = text.split("FORM").next().filter(|before| *before != text)?;
                Some(DockerfileProblem {
                    line: before.lines().count() + 1,
                    column: 1,
                    message: "unknown".to_owned(),
                    hint: None,
                })
            },
        };
        let found = check(&course, &files, &outside);
        found
            .iter()
            .map(|error| format!("{}: {}", error.place(), error.message()))
            .collect()
    }

    fn put(files: &mut Files, path: &str, from: &str, to: &str) {
        let text = String::from_utf8_lossy(&files[path]).into_owned();
        assert!(text.contains(from), "{from}");
        files.insert(path.to_owned(), text.replace(from, to).into_bytes().into());
    }

    #[test]
    fn a_sound_course_has_no_findings() {
        assert_eq!(lint(|_| {}), Vec::<String>::new());
    }

    fn find_each(path: &str, slips: &[(&str, &str, &str)]) {
        for (from, to, wanted) in slips {
            let found = lint(|files| put(files, path, from, to));
            assert_eq!(found.len(), 1, "{found:#?}");
            assert!(
                found[0].starts_with(path) && found[0].contains(wanted),
                "{found:#?}"
            );
        }
    }

    #[test]
    fn each_slip_in_an_exercise_is_found() {
        find_each(
            "exercises/a/exercise.yaml",
            &[
                ("text: think", "text: ''", "hint 2 for `builds` is empty"),
                (
                    "text: look",
                    "text: put RUN echo one two there",
                    "gives the answer",
                ),
                (
                    "  - { for: builds, text: nearly }\n",
                    "",
                    "`builds` has 2 of 3 hints",
                ),
                (
                    "[busybox]",
                    "[busyboxx]",
                    "the base `busyboxx` is not in the catalogue",
                ),
                ("[builds]", "[]", "has to miss at least one"),
                (
                    "[Dockerfile]",
                    "[Dockerfile, x]",
                    "`x` in `edit` is in no starter",
                ),
            ],
        );
    }

    #[test]
    fn each_slip_in_a_lesson_is_found() {
        find_each(
            "lessons/01-a.md",
            &[
                ("#one", "#two", "the link `#two` leads nowhere"),
                (
                    "exercise:a",
                    "exercise:b",
                    "the link `exercise:b` leads nowhere",
                ),
                ("# One", "# One\n{{ size x }}", "reference value"),
                (
                    "# One",
                    "# One\n{{ mine b best | 1 MB }}",
                    "names the exercise `b`",
                ),
                (
                    "# One",
                    "# One\n```dockerfile\nFORM x\n```",
                    "does not parse: unknown",
                ),
            ],
        );
    }

    #[test]
    fn a_file_that_nothing_uses_is_found() {
        for stray in [
            "exercises/a/notes.txt",
            "solutions/b/why.md",
            "exercises/a/files/x.swp",
        ] {
            let found = lint(|files| {
                files.insert(stray.to_owned(), b"x".as_slice().into());
            });
            assert_eq!(found.len(), 1, "{found:#?}");
            assert_eq!(found[0], format!("{stray}: nothing uses this file"));
        }
    }

    #[test]
    fn a_solution_that_cannot_be_read_is_found_at_its_line() {
        let told = "the solution does not parse: unknown";
        let own = "solutions/a/Dockerfile";
        let found = lint(|files| put(files, own, "RUN echo", "FORM echo"));
        assert_eq!(found, [format!("{own}:2:1: {told}")]);
        // It changes another file, and the Dockerfile is the starter's.
        let starter = "exercises/a/files/Dockerfile";
        let found = lint(|files| {
            put(files, starter, "FROM", "FORM");
            let edit = ("[Dockerfile]", "[Dockerfile, b]");
            put(files, "exercises/a/exercise.yaml", edit.0, edit.1);
            let answer = files.remove(own).unwrap();
            files.insert("solutions/a/b".to_owned(), answer);
        });
        assert_eq!(found, [format!("{starter}:1:1: {told}")]);
        let found = lint(|files| put(files, starter, "FROM", "FORM"));
        assert_eq!(found, [""; 0], "mended by the solution");
    }

    #[test]
    fn a_solution_that_is_not_there_is_found() {
        let found = lint(|files| {
            files.remove("solutions/a/Dockerfile");
        });
        let told = ["solutions/a: the solution changes no file"];
        assert_eq!(found, told);
        // Beside a file that is as the starter has it.
        let found = lint(|files| {
            let edit = ("[Dockerfile]", "[Dockerfile, b]");
            put(files, "exercises/a/exercise.yaml", edit.0, edit.1);
            for file in ["exercises/a/files/b", "solutions/a/b"] {
                files.insert(file.to_owned(), b"x".as_slice().into());
            }
            files.remove("solutions/a/Dockerfile");
        });
        assert_eq!(found, told);
    }

    #[test]
    fn a_solution_that_changes_what_is_not_the_learners_is_found() {
        let found = lint(|files| {
            files.insert("solutions/a/app.py".to_owned(), b"x".as_slice().into());
        });
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].contains("changes `app.py`"), "{found:#?}");
    }
}

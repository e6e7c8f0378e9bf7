//! What contradicts itself in an exercise: cause, place, next step.

use std::collections::BTreeSet;

use super::CANARY_MARK;
use super::CourseError;
use super::Exercise;
use super::file::is_safe_path;
use super::suggest;

/// The levels of hints.
const HINT_LEVELS: u8 = 3;

/// A contradiction, and where in `exercise.yaml` it stands.
pub(super) struct Fault {
    message: String,
    /// The key of the part that it is in, and a word there.
    at: Option<(&'static str, String)>,
    hint: String,
}

impl Fault {
    fn new(message: String, hint: impl Into<String>) -> Self {
        Self {
            message,
            at: None,
            hint: hint.into(),
        }
    }

    fn at(self, part: &'static str, word: &str) -> Self {
        Self {
            at: Some((part, word.to_owned())),
            ..self
        }
    }

    /// The error for whoever wrote `source`, which is all of `file`.
    pub(super) fn told(self, file: &str, source: &str) -> CourseError {
        let place = self.at.and_then(|(part, word)| find(source, part, &word));
        let error = match place {
            Some((line, column)) => CourseError::at(file, source, line, column, self.message),
            None => CourseError::of_file(file, self.message),
        };
        error.with_hint(self.hint)
    }
}

/// The line and column, from 1, of the last time that `word` stands by itself in a part.
fn find(source: &str, part: &str, word: &str) -> Option<(usize, usize)> {
    let is_part = |line: &str| {
        line.strip_prefix(part)
            .is_some_and(|rest| rest.starts_with(':'))
    };
    let is_other = |line: &str| {
        let begins = line.chars().next();
        begins.is_some_and(|first| first.is_ascii_alphabetic()) && !is_part(line)
    };
    let lines = source
        .lines()
        .enumerate()
        .skip_while(|(_, line)| !is_part(line));
    let lines = lines.take_while(|(_, line)| !is_other(line));
    let places = lines.filter_map(|(index, line)| Some((index + 1, column(line, word)?)));
    places.last()
}

/// The column of a word that is no part of a longer one.
fn column(line: &str, word: &str) -> Option<usize> {
    let of_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    let stands_alone = |at: &usize| {
        let (before, rest) = line.split_at(*at);
        let after = rest.strip_prefix(word).unwrap_or_default();
        !before.ends_with(of_word) && !after.starts_with(of_word)
    };
    let at = line
        .match_indices(word)
        .map(|(at, _)| at)
        .find(stands_alone)?;
    Some(line.get(..at)?.chars().count() + 1)
}

/// What contradicts itself first.
pub(super) fn of(exercise: &Exercise) -> Option<Fault> {
    of_goals(exercise)
        .or_else(|| of_hints(exercise))
        .or_else(|| of_misses(exercise))
        .or_else(|| of_files(exercise))
        .or_else(|| of_canary(exercise))
}

fn of_goals(exercise: &Exercise) -> Option<Fault> {
    if exercise.goals.iter().all(|goal| goal.hidden) {
        return Some(
            Fault::new(
                "an exercise needs at least one goal that its learners see".to_owned(),
                "add one below `goals:`; `loadline goals` lists the kinds",
            )
            .at("goals", "goals"),
        );
    }
    let mut ids = BTreeSet::new();
    let mut all = exercise.all_goals().map(|(goal, _)| goal.id.as_str());
    let twice = all.find(|id| !ids.insert(*id))?;
    let is_stretch = exercise.stretch.iter().any(|goal| goal.id == twice);
    let part = if is_stretch { "stretch" } else { "goals" };
    Some(
        Fault::new(
            format!("two goals have the id `{twice}`"),
            "give one of them its own `id`",
        )
        .at(part, twice),
    )
}

fn of_hints(exercise: &Exercise) -> Option<Fault> {
    let ids: BTreeSet<&str> = exercise.all_goals().map(|(goal, _)| &*goal.id).collect();
    let hints = &exercise.hints;
    if let Some(hint) = hints.iter().find(|hint| !ids.contains(&*hint.goal)) {
        return Some(
            Fault::new(
                format!("a hint is for the goal `{}`, which is not here", hint.goal),
                near(&hint.goal, &ids, "a hint is `for` the `id` of a goal"),
            )
            .at("hints", &hint.goal),
        );
    }
    let hint = hints.iter().find(|hint| hint.level > HINT_LEVELS)?;
    Some(
        Fault::new(
            format!("the goal `{}` has more than {HINT_LEVELS} hints", hint.goal),
            "leave the best ones: where to look, the idea, almost there",
        )
        .at("hints", &hint.goal),
    )
}

fn of_misses(exercise: &Exercise) -> Option<Fault> {
    let required: BTreeSet<&str> = exercise.goals.iter().map(|goal| &*goal.id).collect();
    let mut misses = exercise.starter_misses.iter();
    let id = misses.find(|id| !required.contains(&***id))?;
    Some(
        Fault::new(
            format!("the starter is said to miss `{id}`, which is not a required goal"),
            near(id, &required, "name the `id` of a required goal"),
        )
        .at("starter_misses", id),
    )
}

fn of_files(exercise: &Exercise) -> Option<Fault> {
    if !exercise.files.contains_key("Dockerfile") {
        return Some(Fault::new(
            "the starter has no `files/Dockerfile`".to_owned(),
            "put the Dockerfile that learners begin with into `files`",
        ));
    }
    if let Some(file) = exercise.edit.iter().find(|file| !is_safe_path(file)) {
        return Some(
            Fault::new(
                format!("`{file}` in `edit` is not a plain path inside the exercise"),
                "name a file of the learner's folder: `Dockerfile`",
            )
            .at("edit", file),
        );
    }
    let Some(first) = exercise.edit.first() else {
        return Some(
            Fault::new(
                "there is nothing to edit".to_owned(),
                "name the files that learners change: `edit: [Dockerfile]`",
            )
            .at("edit", "edit"),
        );
    };
    // A file that the learner is to make, such as `.dockerignore`, need not be there.
    let there: BTreeSet<&str> = exercise.files.keys().map(String::as_str).collect();
    if exercise.edit.iter().any(|file| there.contains(&**file)) {
        return None;
    }
    Some(
        Fault::new(
            "no file in `edit` is one of the starter's".to_owned(),
            near(first, &there, "name at least one file of `files`"),
        )
        .at("edit", first),
    )
}

fn of_canary(exercise: &Exercise) -> Option<Fault> {
    let file = exercise.canary.as_ref()?;
    let content = exercise.files.get(file);
    let holds_mark =
        content.is_some_and(|content| String::from_utf8_lossy(content).contains(CANARY_MARK));
    if !holds_mark {
        let there: BTreeSet<&str> = exercise.files.keys().map(String::as_str).collect();
        let other = match content {
            Some(_) => format!("write `{CANARY_MARK}` where the token is to stand"),
            None => near(file, &there, "name a file of `files`"),
        };
        return Some(
            Fault::new(
                format!("`{file}` does not hold `{CANARY_MARK}`, so no token can be planted"),
                other,
            )
            .at("canary", file),
        );
    }
    let edited = exercise.edit.contains(file);
    edited.then(|| {
        Fault::new(
            format!("`{file}` holds the planted token, so a learner must not edit it"),
            "plant the token in another file, or take this one out of `edit`",
        )
        .at("edit", file)
    })
}

/// What may have been meant, or what is wanted at all.
fn near(word: &str, known: &BTreeSet<&str>, otherwise: &str) -> String {
    match suggest::nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => otherwise.to_owned(),
    }
}

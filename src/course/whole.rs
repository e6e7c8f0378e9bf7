//! The files of a course to a [`Course`].

use std::collections::BTreeSet;

use sha2::Digest as _;
use sha2::Sha256;

use super::Course;
use super::CourseError;
use super::Exercise;
use super::ExerciseId;
use super::Files;
use super::Lesson;
use super::exercise;
use super::file::is_id;
use super::file::is_safe_path;
use super::file::text;
use super::lesson;
use super::yaml;
use super::yaml::CourseYaml;
use crate::text::hex;

/// The largest file that a course may hold.
pub const MAX_FILE: usize = 1 << 20;

/// The most files that a course may hold.
pub const MAX_FILES: usize = 2_000;

/// The most bytes that a course may hold.
pub const MAX_TOTAL: usize = 32 << 20;

/// The format that this program reads.
const FORMAT: u32 = 1;

/// Reads a whole course.
///
/// # Errors
/// With the first thing that cannot be used: nothing is taught from half a course.
pub fn parse(files: &Files) -> Result<Course, CourseError> {
    refuse_what_is_too_much(files)?;
    let file = "lessons/course.yaml";
    let source = text(files, file)?;
    let head: CourseYaml = yaml::read(file, source, source, 0)?;
    if head.format != FORMAT {
        let message = format!("this course has format {}, not {FORMAT}", head.format);
        return Err(CourseError::of_file(file, message).with_hint("a newer `loadline` may read it"));
    }
    if !is_id(&head.id) {
        return Err(CourseError::of_file(
            file,
            "a course's `id` is made of a-z, 0-9 and `-`",
        ));
    }
    let lessons = lessons(files)?;
    let exercises = exercises(files, &lessons)?;
    Ok(Course {
        id: head.id,
        version: version(files),
        title: head.title,
        lessons,
        exercises,
    })
}

fn lessons(files: &Files) -> Result<Vec<Lesson>, CourseError> {
    let mut lessons: Vec<Lesson> = Vec::new();
    for file in files.keys().filter(|path| path.starts_with("lessons/")) {
        let name = file.rsplit('/').next().unwrap_or(file);
        // Some systems leave files of their own in every folder.
        if file == "lessons/course.yaml" || name.starts_with('.') {
            continue;
        }
        let lesson = lesson::parse(file, text(files, file)?)?;
        if let Some(other) = lessons.iter().find(|other| other.number == lesson.number) {
            let message = format!(
                "lesson {} is there twice, as `{}`",
                lesson.number,
                other.id()
            );
            return Err(
                CourseError::of_file(file, message).with_hint("give one of them another number")
            );
        }
        lessons.push(lesson);
    }
    lessons.sort_by_key(|lesson| lesson.number);
    Ok(lessons)
}

/// The exercises in the order in which the lessons name them.
fn exercises(files: &Files, lessons: &[Lesson]) -> Result<Vec<Exercise>, CourseError> {
    let there: BTreeSet<&str> = files
        .keys()
        // A file beside their folders, such as a README, is none.
        .filter_map(|path| Some(path.strip_prefix("exercises/")?.split_once('/')?.0))
        .collect();
    let mut exercises: Vec<Exercise> = Vec::new();
    for lesson in lessons {
        for ExerciseId(id) in &lesson.exercises {
            let file = format!("lessons/{}.md", lesson.id());
            if !there.contains(id.as_str()) {
                let message = format!("there is no exercise `{id}`");
                let near = super::suggest::nearest(id, there.iter().copied());
                let error = CourseError::of_file(&file, message);
                return Err(match near {
                    Some(near) => error.with_hint(format!("did you mean `{near}`?")),
                    None => error.with_hint(format!("its folder would be `exercises/{id}`")),
                });
            }
            if exercises.iter().any(|exercise| exercise.id.as_str() == id) {
                let message = format!("the exercise `{id}` hangs on two lessons");
                let hint = "name it in the one after which it is done";
                return Err(CourseError::of_file(&file, message).with_hint(hint));
            }
            exercises.push(exercise::parse(id, files)?);
        }
    }
    for id in there {
        if !exercises.iter().any(|exercise| exercise.id.as_str() == id) {
            let file = format!("exercises/{id}");
            return Err(
                CourseError::of_file(&file, "no lesson names this exercise").with_hint(format!(
                    "add `{id}` to `exercises` of the lesson that it belongs to"
                )),
            );
        }
    }
    Ok(exercises)
}

/// A digest of every path and every byte: the same files are the same version.
fn version(files: &Files) -> String {
    let mut digest = Sha256::new();
    for (path, content) in files {
        digest.update(path.as_bytes());
        digest.update([0]);
        digest.update((content.len() as u64).to_le_bytes());
        digest.update(content);
    }
    let mut version = hex(&digest.finalize());
    version.truncate(12);
    version
}

fn refuse_what_is_too_much(files: &Files) -> Result<(), CourseError> {
    if files.len() > MAX_FILES {
        return Err(CourseError::of_file(
            "lessons",
            format!("a course holds at most {MAX_FILES} files"),
        ));
    }
    let mut total = 0;
    for (path, content) in files {
        total += content.len();
        if !is_safe_path(path) {
            return Err(CourseError::of_file(
                path,
                "this is not a plain path inside the course",
            ));
        }
        if content.len() > MAX_FILE {
            return Err(CourseError::of_file(
                path,
                "a file of a course holds at most 1 MiB",
            ));
        }
    }
    if total > MAX_TOTAL {
        return Err(CourseError::of_file(
            "lessons",
            "a course holds at most 32 MiB",
        ));
    }
    Ok(())
}

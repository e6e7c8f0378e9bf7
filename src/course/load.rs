//! Where the files of a course come from: the program itself, or a folder.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the edge of the course: it reads the folder given with `--course`"
)]

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::path::PathBuf;

use include_dir::Dir;
use include_dir::include_dir;

use super::Course;
use super::CourseError;
use super::Files;
use super::whole;
use crate::text::io_cause;

static LESSONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/lessons");
static EXERCISES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/exercises");
static SOLUTIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/solutions");

/// The folders that make a course.
const FOLDERS: [&str; 3] = ["lessons", "exercises", "solutions"];

/// The deepest folder that is read.
const MAX_DEPTH: usize = 12;

/// The course that is part of the program.
///
/// # Errors
/// When it cannot be used; a test proves that it can.
pub fn embedded() -> Result<Course, CourseError> {
    whole::parse(&embedded_files())
}

/// The files of the course that is part of the program.
#[must_use]
pub fn embedded_files() -> Files {
    let mut files = Files::new();
    for (folder, dir) in FOLDERS.into_iter().zip([&LESSONS, &EXERCISES, &SOLUTIONS]) {
        collect(folder, dir, &mut files);
    }
    files
}

fn collect(folder: &str, dir: &Dir<'_>, files: &mut Files) {
    for file in dir.files() {
        let path = file.path().to_string_lossy();
        files.insert(format!("{folder}/{path}"), file.contents().into());
    }
    for inner in dir.dirs() {
        collect(folder, inner, files);
    }
}

/// The course in a folder with `lessons`, `exercises` and `solutions`.
///
/// # Errors
/// When the folder cannot be read, holds something that is no plain file, is too large, or says
/// something that cannot be used.
pub fn folder(root: &Path) -> Result<Course, CourseError> {
    whole::parse(&folder_files(root)?)
}

/// The files of the course in a folder; what lies beside the three folders is not looked at.
///
/// # Errors
/// As [`folder`], but for what the files say.
pub fn folder_files(root: &Path) -> Result<Files, CourseError> {
    let mut reader = Reader {
        files: Files::new(),
        total: 0,
    };
    for name in FOLDERS {
        let path = root.join(name);
        match fs::symlink_metadata(&path) {
            Ok(meta) if meta.is_dir() => reader.folder(&path, name, 1)?,
            Ok(_) => return Err(CourseError::of_file(name, "this is not a folder")),
            Err(_) if name == "solutions" => {}
            Err(error) => {
                let (shown, why) = (root.display(), io_cause(&error));
                let message = format!("the course in `{shown}` cannot be read: {why}");
                let hint = "`--course` takes a folder with `lessons`, `exercises` and `solutions`";
                return Err(CourseError::of_file(name, message).with_hint(hint));
            }
        }
    }
    Ok(reader.files)
}

struct Reader {
    files: Files,
    total: usize,
}

impl Reader {
    fn folder(&mut self, path: &Path, name: &str, depth: usize) -> Result<(), CourseError> {
        let failed = |error: std::io::Error| {
            let why = io_cause(&error);
            CourseError::of_file(name, format!("this folder cannot be read: {why}"))
        };
        if depth > MAX_DEPTH {
            return Err(CourseError::of_file(
                name,
                "the folders of a course are nested too deep",
            ));
        }
        let mut entries: Vec<(String, PathBuf)> = Vec::new();
        for entry in fs::read_dir(path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let inner = entry.file_name().into_string().map_err(|raw| {
                let raw = raw.to_string_lossy().into_owned();
                CourseError::of_file(name, format!("the name `{raw}` is not UTF-8"))
            })?;
            entries.push((format!("{name}/{inner}"), entry.path()));
            if entries.len() + self.files.len() > whole::MAX_FILES {
                let message = format!("a course holds at most {} files", whole::MAX_FILES);
                return Err(CourseError::of_file(name, message));
            }
        }
        entries.sort();
        for (inner, path) in entries {
            let kind = fs::symlink_metadata(&path).map_err(|error| {
                let why = io_cause(&error);
                CourseError::of_file(&inner, format!("this file cannot be read: {why}"))
            })?;
            if kind.is_dir() {
                self.folder(&path, &inner, depth + 1)?;
            } else if kind.is_file() {
                self.file(&path, inner)?;
            } else {
                return Err(CourseError::of_file(
                    &inner,
                    "only plain files and folders belong here",
                )
                .with_hint("replace the link or device by the file itself"));
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, name: String) -> Result<(), CourseError> {
        let failed = |error: std::io::Error| {
            let why = io_cause(&error);
            CourseError::of_file(&name, format!("this file cannot be read: {why}"))
        };
        let mut content = Vec::new();
        let cap = whole::MAX_FILE as u64 + 1;
        let file = fs::File::open(path).map_err(failed)?;
        file.take(cap).read_to_end(&mut content).map_err(failed)?;
        self.total += content.len();
        if content.len() > whole::MAX_FILE {
            return Err(CourseError::of_file(
                &name,
                "a file of a course holds at most 1 MiB",
            ));
        }
        if self.total > whole::MAX_TOTAL {
            return Err(CourseError::of_file(&name, "a course holds at most 32 MiB"));
        }
        self.files.insert(name, content.into());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, name: &str, content: &str) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn minimal() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        write(
            dir.path(),
            "lessons/course.yaml",
            "format: 1\nid: mine\ntitle: Mine\n",
        );
        write(
            dir.path(),
            "lessons/01-a.md",
            "---\ntitle: A\nminutes: 1\ngoals_of_lesson: [read]\n---\n# A\n",
        );
        fs::create_dir_all(dir.path().join("exercises")).unwrap();
        dir
    }

    #[test]
    fn the_course_in_the_program_is_sound() {
        let course = embedded().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(course.id, "minimal-images");
        let names: Vec<&str> = course.exercises.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(
            names,
            ["first-build", "distroless-python", "shrink-that-image"]
        );
        assert_eq!(course.version.len(), 12);
    }

    #[test]
    fn a_folder_is_a_course_and_a_changed_byte_is_another_version() {
        let dir = minimal();
        let first = folder(dir.path()).unwrap();
        assert_eq!((first.id.as_str(), first.lessons.len()), ("mine", 1));
        assert_eq!(folder(dir.path()).unwrap().version, first.version);
        write(
            dir.path(),
            "lessons/course.yaml",
            "format: 1\nid: mine\ntitle: Mine!\n",
        );
        assert_ne!(folder(dir.path()).unwrap().version, first.version);
    }

    #[test]
    fn a_folder_that_is_not_there_says_what_is_wanted() {
        let error = folder(Path::new("/nowhere/at/all")).unwrap_err();
        assert!(error.to_string().contains("--course"), "{error}");
        let why = "cannot be read: no such file or directory";
        assert!(error.message().ends_with(why), "{error}");
    }

    #[test]
    fn a_link_out_of_the_course_is_refused() {
        let dir = minimal();
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("lessons/02-b.md")).unwrap();
        let error = folder(dir.path()).unwrap_err();
        assert_eq!(error.place(), "lessons/02-b.md");
        assert!(error.message().contains("plain files"), "{error}");
    }

    #[test]
    fn a_file_without_end_is_refused() {
        let dir = minimal();
        write(
            dir.path(),
            "exercises/big.bin",
            &"x".repeat(whole::MAX_FILE + 1),
        );
        assert!(folder(dir.path()).unwrap_err().message().contains("1 MiB"));
    }

    #[test]
    fn an_exercise_that_is_named_but_not_there_is_an_error_with_a_guess() {
        let dir = minimal();
        write(
            dir.path(),
            "lessons/01-a.md",
            "---\ntitle: A\nminutes: 1\nexercises: [frist]\ngoals_of_lesson: [read]\n---\n",
        );
        write(dir.path(), "exercises/first/exercise.yaml", "format: 1\n");
        let error = folder(dir.path()).unwrap_err();
        assert_eq!(error.message(), "there is no exercise `frist`");
        assert_eq!(error.hint(), Some("did you mean `first`?"));
    }
}

//! What a workspace promises.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::course::CANARY_MARK;
use crate::course::ExerciseId;
use crate::course::Solution;

fn exercise() -> Exercise {
    let file = |name: &str, text: &str| (name.to_owned(), Arc::from(text.as_bytes()));
    Exercise {
        id: ExerciseId("an-exercise".to_owned()),
        title: "An exercise".to_owned(),
        minutes: 1,
        brief: String::new(),
        edit: vec!["Dockerfile".to_owned(), ".dockerignore".to_owned()],
        bases: Vec::new(),
        baseline: None,
        canary: Some(".env".to_owned()),
        starter_misses: Vec::new(),
        goals: Vec::new(),
        stretch: Vec::new(),
        hints: Vec::new(),
        files: Files::from([
            file("Dockerfile", "FROM busybox\n"),
            file("src/app.py", "print()\n"),
            file(".env", &format!("TOKEN={CANARY_MARK}\n")),
        ]),
        solution: None,
    }
}

struct Desk {
    _dir: tempfile::TempDir,
    workspace: Workspace,
    home: Home,
}

fn desk() -> Desk {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::at(dir.path().join("loadline"));
    let workspace = Workspace::open(&home, Arc::new(exercise().planted("tok-1"))).unwrap();
    Desk {
        _dir: dir,
        workspace,
        home,
    }
}

impl Desk {
    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.workspace.file(name)).unwrap()
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.workspace.file(name), text).unwrap();
    }
}

#[test]
fn a_workspace_is_made_from_the_starter_with_its_own_token() {
    let desk = desk();
    assert_eq!(desk.text("Dockerfile"), "FROM busybox\n");
    assert_eq!(desk.text("src/app.py"), "print()\n");
    assert_eq!(desk.text(".env"), "TOKEN=tok-1\n");
    let mode = fs::metadata(desk.workspace.file("Dockerfile"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o644);
}

#[test]
fn opening_again_overwrites_nothing() {
    let desk = desk();
    desk.put("Dockerfile", "FROM mine\n");
    fs::remove_file(desk.workspace.file("src/app.py")).unwrap();
    Workspace::open(&desk.home, Arc::new(exercise())).unwrap();
    assert_eq!(desk.text("Dockerfile"), "FROM mine\n");
    let leftovers: Vec<_> = fs::read_dir(desk.home.root())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| *path != desk.home.state())
        .collect();
    assert_eq!(leftovers, [desk.workspace.path()]);
}

#[test]
fn a_text_of_the_course_that_it_replaces_is_not_the_learners() {
    let desk = desk();
    let updated = |text: &str| {
        let mut exercise = exercise().planted("tok-1");
        let files = [("src/app.py".to_owned(), Arc::from(text.as_bytes()))];
        exercise.files.extend(files);
        Workspace::open(&desk.home, Arc::new(exercise)).unwrap()
    };
    let unsaved = desk.home.state().join("kept/an-exercise/unsaved");
    for text in ["print(2)\n", "print(3)\n"] {
        let workspace = updated(text);
        assert_eq!(workspace.restore().unwrap(), ["src/app.py"]);
        assert_eq!(desk.text("src/app.py"), text);
        assert!(!unsaved.exists(), "nobody wrote what the course replaced");
    }
    desk.put("src/app.py", "import cheat\n");
    assert_eq!(updated("print(4)\n").restore().unwrap(), ["src/app.py"]);
    assert!(unsaved.join("000001/src/app.py").exists());
}

#[test]
fn what_belongs_to_the_exercise_is_put_back_and_nothing_else() {
    let desk = desk();
    desk.put("Dockerfile", "FROM mine\n");
    desk.put("src/app.py", "import cheat\n");
    fs::remove_file(desk.workspace.file(".env")).unwrap();
    desk.put("notes.txt", "my notes");
    assert_eq!(desk.workspace.restore().unwrap(), [".env", "src/app.py"]);
    assert_eq!(desk.text("src/app.py"), "print()\n");
    assert_eq!(desk.text("Dockerfile"), "FROM mine\n");
    assert_eq!(desk.text("notes.txt"), "my notes");
    assert!(desk.workspace.restore().unwrap().is_empty());
    let kept = desk.home.state().join("kept/an-exercise/unsaved/000001");
    assert_eq!(
        fs::read_to_string(kept.join("src/app.py")).unwrap(),
        "import cheat\n"
    );
}

#[test]
fn a_reset_keeps_what_was_there_and_can_be_undone_and_redone() {
    let desk = desk();
    assert!(!desk.workspace.undo().unwrap());
    desk.put("Dockerfile", "FROM mine\n");
    desk.put(".dockerignore", "*\n");
    desk.workspace.reset().unwrap();
    assert_eq!(desk.text("Dockerfile"), "FROM busybox\n");
    assert!(!desk.workspace.file(".dockerignore").exists());
    assert!(desk.workspace.undo().unwrap());
    assert_eq!(desk.text("Dockerfile"), "FROM mine\n");
    assert_eq!(desk.text(".dockerignore"), "*\n");
    assert!(desk.workspace.undo().unwrap());
    assert_eq!(desk.text("Dockerfile"), "FROM busybox\n");
}

#[test]
fn what_the_course_wrote_is_nothing_to_bring_back() {
    let desk = desk();
    desk.workspace.reset().unwrap();
    assert!(!desk.workspace.is_undoable().unwrap());
    desk.put("Dockerfile", "FROM mine\n");
    desk.workspace.reset().unwrap();
    assert!(desk.workspace.is_undoable().unwrap());
}

#[test]
fn resetting_what_was_already_put_back_hides_nothing() {
    let mut solvable = exercise();
    let answer = ("Dockerfile".to_owned(), Arc::from(&b"FROM answer\n"[..]));
    solvable.solution = Some(Solution {
        files: Files::from([answer]),
        why: String::new(),
    });
    let mut desk = desk();
    desk.workspace = Workspace::open(&desk.home, Arc::new(solvable)).unwrap();
    for between in ["FROM busybox\n", "FROM answer\n"] {
        desk.put("Dockerfile", "FROM mine\n");
        desk.workspace.reset().unwrap();
        desk.put("Dockerfile", between);
        desk.workspace.reset().unwrap();
        assert_eq!(desk.text("Dockerfile"), "FROM busybox\n");
        assert!(desk.workspace.undo().unwrap());
        assert_eq!(desk.text("Dockerfile"), "FROM mine\n");
    }
}

#[test]
fn undoing_goes_to_the_newest_files_that_are_not_there_already_and_takes_none_away() {
    let desk = desk();
    desk.put("Dockerfile", "FROM older\n");
    desk.workspace.reset().unwrap();
    desk.put("Dockerfile", "FROM mine\n");
    desk.workspace.reset().unwrap();
    // What the last reset put away is typed anew: the one before it is what is missing.
    desk.put("Dockerfile", "FROM mine\n");
    assert!(desk.workspace.undo().unwrap());
    assert_eq!(desk.text("Dockerfile"), "FROM older\n");
    // A file that was deleted before a reset is nothing to bring back.
    fs::remove_file(desk.workspace.file("Dockerfile")).unwrap();
    desk.workspace.reset().unwrap();
    assert!(desk.workspace.undo().unwrap());
    assert_eq!(desk.text("Dockerfile"), "FROM mine\n");
}

#[test]
fn only_the_last_fifty_kept_copies_stay() {
    let desk = desk();
    for number in 0..53 {
        desk.put("Dockerfile", &format!("FROM n{number}\n"));
        desk.workspace.reset().unwrap();
    }
    let kept = desk.home.state().join("kept/an-exercise");
    assert_eq!(fs::read_dir(kept).unwrap().count(), 50);
    desk.workspace.undo().unwrap();
    assert_eq!(desk.text("Dockerfile"), "FROM n52\n");
}

#[test]
fn a_text_that_was_not_saved_is_told_of_once_and_not_where_it_is_on_disk() {
    let desk = desk();
    let untold = || desk.workspace.untold().unwrap();
    assert_eq!(untold(), Vec::<PathBuf>::new());
    let one = desk.workspace.keep("Dockerfile", b"FROM one\n").unwrap();
    let other = desk.workspace.keep(".dockerignore", b"*\n").unwrap();
    assert_eq!(untold(), [one, other]);
    assert_eq!(untold(), Vec::<PathBuf>::new());
    let two = desk.workspace.keep("Dockerfile", b"FROM two\n").unwrap();
    desk.workspace.keep("Dockerfile", b"FROM three\n").unwrap();
    desk.put("Dockerfile", "FROM three\n");
    assert_eq!(untold(), [two]);
    desk.workspace.keep("Dockerfile", b"FROM four\n").unwrap();
    assert_eq!(untold().len(), 1);
}

#[test]
fn a_file_that_two_sides_changed_is_not_overwritten() {
    let desk = desk();
    let before = desk.workspace.state("Dockerfile").unwrap();
    let saved = desk
        .workspace
        .save("Dockerfile", b"FROM one\n", before)
        .unwrap();
    let Saved::Done(before) = saved else {
        panic!("{saved:?}")
    };
    desk.put("Dockerfile", "FROM other\n");
    let saved = desk
        .workspace
        .save("Dockerfile", b"FROM two\n", before)
        .unwrap();
    let Saved::Conflict { content, .. } = saved else {
        panic!("{saved:?}")
    };
    assert_eq!(content.as_deref(), Some(&b"FROM other\n"[..]));
    assert_eq!(desk.text("Dockerfile"), "FROM other\n");
}

#[test]
fn a_deleted_file_is_missing_and_saving_over_it_is_a_conflict() {
    let desk = desk();
    let before = desk.workspace.state("Dockerfile").unwrap();
    fs::remove_file(desk.workspace.file("Dockerfile")).unwrap();
    assert_eq!(
        desk.workspace.states().unwrap()["Dockerfile"],
        FileState::Missing
    );
    assert!(desk.workspace.read().unwrap().is_empty());
    let saved = desk
        .workspace
        .save("Dockerfile", b"FROM two\n", before)
        .unwrap();
    assert!(
        matches!(saved, Saved::Conflict { content: None, .. }),
        "{saved:?}"
    );
    let saved = desk
        .workspace
        .save("Dockerfile", b"FROM two\n", FileState::Missing)
        .unwrap();
    assert!(matches!(saved, Saved::Done(_)), "{saved:?}");
}

#[test]
fn a_read_only_file_is_left_as_it_is() {
    let desk = desk();
    let path = desk.workspace.file("Dockerfile");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    let before = desk.workspace.state("Dockerfile").unwrap();
    assert!(matches!(
        before,
        FileState::There {
            read_only: true,
            ..
        }
    ));
    let error = desk.workspace.save("Dockerfile", b"x", before).unwrap_err();
    assert!(matches!(error, WorkspaceError::ReadOnly(_)), "{error}");
    assert!(matches!(
        desk.workspace.reset(),
        Err(WorkspaceError::ReadOnly(_))
    ));
    assert_eq!(desk.text("Dockerfile"), "FROM busybox\n");
}

fn link(to: &Path, at: &Path) {
    fs::remove_file(at).unwrap();
    std::os::unix::fs::symlink(to, at).unwrap();
}

#[test]
fn a_link_within_the_folder_is_followed_and_stays_a_link() {
    let desk = desk();
    desk.put("my-dockerfile", "FROM linked\n");
    let path = desk.workspace.file("Dockerfile");
    link(Path::new("my-dockerfile"), &path);
    let before = desk.workspace.state("Dockerfile").unwrap();
    desk.workspace
        .save("Dockerfile", b"FROM saved\n", before)
        .unwrap();
    assert_eq!(desk.text("my-dockerfile"), "FROM saved\n");
    assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
}

#[test]
fn a_link_that_leads_out_of_the_folder_is_neither_read_nor_written_through() {
    let desk = desk();
    let mine = desk.home.root().join("mine");
    for target in [mine.as_path(), Path::new("/nonexistent/file")] {
        fs::write(&mine, "precious\n").unwrap();
        let before = desk.workspace.state("Dockerfile").unwrap();
        link(target, &desk.workspace.file("Dockerfile"));
        let saved = desk.workspace.save("Dockerfile", b"FROM saved\n", before);
        assert!(matches!(saved, Err(WorkspaceError::LeadsOut(_))));
        assert!(matches!(
            desk.workspace.read(),
            Err(WorkspaceError::LeadsOut(_))
        ));
        assert!(desk.workspace.reset().is_err());
        // What belongs to the exercise takes the place of the link.
        link(target, &desk.workspace.file("src/app.py"));
        assert_eq!(desk.workspace.restore().unwrap(), ["src/app.py"]);
        assert_eq!(desk.text("src/app.py"), "print()\n");
        assert_eq!(fs::read_to_string(&mine).unwrap(), "precious\n");
        fs::remove_file(desk.workspace.file("Dockerfile")).unwrap();
        desk.put("Dockerfile", "FROM busybox\n");
    }
    // Nor is anything written where a folder of the exercise is a link.
    let elsewhere = desk.home.root().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::remove_dir_all(desk.workspace.file("src")).unwrap();
    std::os::unix::fs::symlink(&elsewhere, desk.workspace.file("src")).unwrap();
    assert!(matches!(
        desk.workspace.restore(),
        Err(WorkspaceError::LeadsOut(_))
    ));
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
}

#[test]
fn a_pipe_and_a_giant_are_refused_without_reading_them() {
    let desk = desk();
    let path = desk.workspace.file("Dockerfile");
    desk.put("Dockerfile", &"x".repeat((1 << 20) + 1));
    assert!(matches!(
        desk.workspace.read(),
        Err(WorkspaceError::TooLarge(_))
    ));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(matches!(
        desk.workspace.read(),
        Err(WorkspaceError::NotAFile(_))
    ));
}

#[test]
fn files_of_the_exercise_cannot_be_saved_over() {
    let desk = desk();
    let error = desk
        .workspace
        .save("src/app.py", b"x", FileState::Missing)
        .unwrap_err();
    assert!(matches!(error, WorkspaceError::NotYours(_)), "{error}");
}

#[test]
fn a_folder_that_cannot_be_made_is_no_file_that_is_missing() {
    let home = Home::at("/proc/nowhere");
    let error = Workspace::open(&home, Arc::new(exercise())).expect_err("nothing is made there");
    assert!(error.to_string().contains("cannot be made"), "{error}");
    assert!(error.hint().contains("LOADLINE_HOME"), "{}", error.hint());
}

#[test]
fn two_that_keep_a_text_at_once_keep_both() {
    let desk = desk();
    let together = std::sync::Barrier::new(4);
    let keep = |text: String| {
        together.wait();
        let kept = desk.workspace.keep("Dockerfile", text.as_bytes()).unwrap();
        assert_eq!(fs::read_to_string(&kept).unwrap(), text);
        kept
    };
    for round in 0..5 {
        let places: std::collections::BTreeSet<PathBuf> = std::thread::scope(|scope| {
            let one = |number| scope.spawn(move || keep(format!("FROM {round}-{number}\n")));
            let all: Vec<_> = (0..4).map(one).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(places.len(), 4, "{places:?}");
    }
}

#[test]
fn what_cannot_be_put_aside_is_named_with_what_to_do() {
    let desk = desk();
    let path = desk.workspace.file("src/app.py");
    let refused = || {
        let error = desk.workspace.restore().unwrap_err();
        assert!(error.hint().starts_with("move it away"), "{}", error.hint());
        error.to_string().replace(path.to_str().unwrap(), "app.py")
    };
    fs::write(&path, vec![b'#'; 2 << 20]).unwrap();
    assert_eq!(
        refused(),
        "`app.py` belongs to the exercise, and a file of more than 1 MiB is in its place"
    );
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(
        refused(),
        "`app.py` belongs to the exercise, and a folder is in its place"
    );
    fs::remove_dir(&path).unwrap();
    assert_eq!(desk.workspace.restore().unwrap(), ["src/app.py"]);
}

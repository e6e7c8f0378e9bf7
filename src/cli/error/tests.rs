//! What errors say, word for word.

use super::*;

fn plain(error: &CliError) -> String {
    error.render(Paint::none())
}

#[test]
fn an_unknown_exercise_names_the_nearest() {
    let known = ["first-build", "shrink-that-image"];
    let error = CliError::UnknownExercise(UnknownId::among("shrink-that-imge", known));
    insta::assert_snapshot!(plain(&error), @"
    error: the course has no exercise `shrink-that-imge`
      hint: did you mean `shrink-that-image`?
      hint: it has first-build, shrink-that-image
    ");
    assert_eq!(error.exit(), Exit::Usage);
    let none = plain(&CliError::UnknownExercise(UnknownId::among("a", [])));
    assert!(none.ends_with("\n  hint: it has none at all\n"), "{none}");
}

#[test]
fn a_course_error_keeps_its_line_and_caret() {
    let error = CourseError::at(
        "exercises/a/exercise.yaml",
        "format: 1\ngoals:\n  - max_sze: 100 MB\n",
        3,
        5,
        "unknown goal kind `max_sze`".to_owned(),
    )
    .with_hint("did you mean `max_size`?");
    insta::assert_snapshot!(plain(&error.into()), @"
    error: unknown goal kind `max_sze`
      --> exercises/a/exercise.yaml:3:5
       |
     3 |   - max_sze: 100 MB
       |     ^^^^^^^
      hint: did you mean `max_size`?
    ");
}

#[test]
fn what_cannot_be_fixed_prints_the_commands_of_someone_who_can() {
    let error = CliError::CannotFix {
        reason: "installing an engine needs root, and there is no `sudo` here".to_owned(),
        commands: vec!["apt-get install -y docker.io".to_owned()],
    };
    insta::assert_snapshot!(plain(&error), @"
    error: installing an engine needs root, and there is no `sudo` here
      hint: run `apt-get install -y docker.io`
      hint: then run `loadline doctor` to see what was tried
    ");
}

#[test]
fn what_others_fail_at_is_no_mistake_of_the_program() {
    let failed = CliError::Scan(ScanError::TooLong {
        program: "trivy",
        within: std::time::Duration::from_secs(600),
    });
    let refused = CliError::Advisories(AdvisoriesError::Status {
        place: String::from("http://mirror.example"),
        status: 500,
    });
    let away = CliError::Advisories(AdvisoriesError::Network {
        place: String::from("http://mirror.example"),
        why: Clean::line("connection refused"),
        kept: crate::units::Bytes(0),
    });
    let damaged = CliError::Lookup(LookupError(String::from("an index has another size")));
    for error in [failed, refused, away, damaged] {
        assert_eq!(error.exit(), Exit::NotJudged, "{error:?}");
        assert!(
            !plain(&error).contains("mistake of the program"),
            "{error:?}"
        );
    }
}

#[test]
fn file_names_cannot_steer_the_terminal() {
    let error = CliError::NoDockerfile {
        folder: PathBuf::from("a\u{1b}[2Jb"),
    };
    assert!(!plain(&error).contains('\u{1b}'));
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let error = CliError::Unwritable {
        path: PathBuf::from("no/such/app.spdx.json"),
        cause: std::io::Error::from_raw_os_error(2),
    };
    insta::assert_snapshot!(plain(&error), @r"
    error: `no/such/app.spdx.json` cannot be written
      caused by: no such file or directory
      hint: check the path and its permissions
    ");
}

#[test]
fn a_home_that_cannot_be_made_says_why() {
    let error = CliError::NoHome(HomeError::Make {
        path: PathBuf::from("/proc/x"),
        source: std::io::Error::from_raw_os_error(13),
    });
    let plain = plain(&error);
    assert!(plain.contains("caused by: permission denied\n"), "{plain}");
}

#[test]
fn causes_are_words_not_numbers() {
    let error = CliError::Unreadable {
        what: "the folder",
        path: PathBuf::from("x"),
        cause: std::io::Error::from_raw_os_error(2),
    };
    insta::assert_snapshot!(plain(&error), @"
    error: the folder `x` cannot be read
      caused by: no such file or directory
      hint: check the path and its permissions
    ");
}

#[test]
fn a_cause_keeps_the_letters_of_its_names() {
    let error = CliError::Unreadable {
        what: "the Dockerfile",
        path: PathBuf::from("pipe"),
        cause: std::io::Error::other("It is a FIFO of 1 MB"),
    };
    insta::assert_snapshot!(plain(&error), @"
    error: the Dockerfile `pipe` cannot be read
      caused by: it is a FIFO of 1 MB
      hint: check the path and its permissions
    ");
}

//! What the records promise.

use super::*;
use crate::course::Exercise;
use crate::course::ExerciseId;
use crate::course::Files;
use crate::report::CourseRef;
use crate::report::ImageReport;
use crate::report::Outcome;
use crate::report::Report;
use crate::units::Bytes;

fn exercise() -> Exercise {
    Exercise {
        id: ExerciseId("an-exercise".to_owned()),
        title: String::new(),
        minutes: 1,
        brief: String::new(),
        edit: vec!["Dockerfile".to_owned()],
        bases: Vec::new(),
        baseline: None,
        canary: None,
        starter_misses: Vec::new(),
        goals: Vec::new(),
        stretch: Vec::new(),
        hints: Vec::new(),
        files: dockerfile("FROM starter\n"),
        solution: None,
    }
}

fn dockerfile(text: &str) -> Files {
    Files::from([("Dockerfile".to_owned(), text.as_bytes().into())])
}

fn report(outcome: Outcome, bytes: u64, version: &str) -> Report {
    Report {
        course: CourseRef {
            id: "a-course".to_owned(),
            version: version.to_owned(),
        },
        exercise: "an-exercise".to_owned(),
        image: Some(ImageReport {
            id: "sha256:0".to_owned(),
            shipped_bytes: Bytes(bytes),
            exact: true,
            layers: Vec::new(),
            builder_lines: Vec::new(),
        }),
        started_at: "2026-11-24T00:00:00Z".to_owned(),
        finished_at: "2026-11-24T00:00:09Z".to_owned(),
        ..crate::report::fixture::report(outcome)
    }
}

fn home() -> (tempfile::TempDir, Home) {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::at(dir.path().join("loadline"));
    (dir, home)
}

async fn open(home: &Home) -> Records {
    Records::open(home).await.unwrap().records
}

#[tokio::test]
async fn an_attempt_comes_back_with_its_report_and_files() {
    let (_dir, home) = home();
    let records = open(&home).await;
    let sent = report(Outcome::Passed, 64_000_000, "v1");
    let id = records
        .add_attempt(&exercise(), &sent, &dockerfile("FROM mine\n"), None)
        .await
        .unwrap();
    records.close().await;
    let records = open(&home).await;
    assert_eq!(records.report(id).await.unwrap(), Some(sent));
    assert_eq!(records.files(id).await.unwrap(), dockerfile("FROM mine\n"));
    assert_eq!(records.report(id + 1).await.unwrap(), None);
}

#[tokio::test]
async fn progress_survives_an_update_of_the_course() {
    let (_dir, home) = home();
    let records = open(&home).await;
    let all = [
        (Outcome::Failed, 1_167_000_000, "v1", "FROM starter\n"),
        (Outcome::Passed, 90_000_000, "v1", "FROM a\n"),
        (Outcome::Passed, 64_000_000, "v1", "FROM b\n"),
        (Outcome::Failed, 10_000_000, "v2", "FROM c\n"),
    ];
    for (outcome, bytes, version, text) in all {
        let report = report(outcome, bytes, version);
        records
            .add_attempt(&exercise(), &report, &dockerfile(text), None)
            .await
            .unwrap();
    }
    let progress = records.progress().await.unwrap();
    assert_eq!(
        progress["an-exercise"],
        Progress {
            attempts: 4,
            passed: true,
            best: Some(Bytes(64_000_000)),
            last: Some(Bytes(10_000_000)),
            baseline: Some(Bytes(1_167_000_000)),
        }
    );
    let attempts = records.attempts("an-exercise", 2).await.unwrap();
    assert_eq!(attempts.len(), 2);
    assert_eq!(attempts[0].course_version, "v2");
    assert_eq!(attempts[1].outcome, Outcome::Passed);
}

#[tokio::test]
async fn a_number_is_given_once_whatever_comes_of_the_attempt() {
    let (_dir, home) = home();
    let records = open(&home).await;
    assert_eq!(records.last_number("an-exercise").await.unwrap(), 0);
    let shown = records.next_number("an-exercise").await.unwrap();
    let cancelled = report(Outcome::Cancelled, 1, "v1");
    records
        .add_attempt(
            &exercise(),
            &cancelled,
            &dockerfile("FROM a\n"),
            Some(shown),
        )
        .await
        .unwrap();
    // This one ended with the power.
    records.next_number("an-exercise").await.unwrap();
    records.close().await;
    let records = open(&home).await;
    let next = records.next_number("an-exercise").await.unwrap();
    assert_eq!((shown, next), (1, 3));
    assert_eq!(records.next_number("another").await.unwrap(), 1);
    let failed = report(Outcome::Failed, 1, "v1");
    records
        .add_attempt(&exercise(), &failed, &dockerfile("FROM a\n"), Some(next))
        .await
        .unwrap();
    // Whoever has no number yet gets the next one.
    records
        .add_attempt(&exercise(), &failed, &dockerfile("FROM a\n"), None)
        .await
        .unwrap();
    let attempts = records.attempts("an-exercise", 9).await.unwrap();
    let numbers = attempts.iter().map(|one| (one.number, one.outcome));
    assert_eq!(
        numbers.collect::<Vec<_>>(),
        [
            (Some(4), Outcome::Failed),
            (Some(3), Outcome::Failed),
            (Some(1), Outcome::Cancelled)
        ]
    );
    assert_eq!(records.last_number("an-exercise").await.unwrap(), 4);
}

#[tokio::test]
async fn attempts_of_an_older_program_keep_the_numbers_that_were_shown() {
    let (_dir, home) = home();
    home.make().unwrap();
    let old = SqliteConnectOptions::new()
        .filename(home.state().join("records.db"))
        .create_if_missing(true);
    let mut old = old.connect().await.unwrap();
    sqlx::raw_sql(migrate::STEPS[0])
        .execute(&mut old)
        .await
        .unwrap();
    for (exercise, outcome) in [
        ("an-exercise", "failed"),
        ("other", "passed"),
        ("an-exercise", "cancelled"),
        ("an-exercise", "build_failed"),
    ] {
        sqlx::query(
            "INSERT INTO attempts (course, course_version, exercise, outcome, is_starter, \
             started_at, finished_at, report) VALUES ('c', 'v', ?, ?, 0, '', '', '{}')",
        )
        .bind(exercise)
        .bind(outcome)
        .execute(&mut old)
        .await
        .unwrap();
    }
    sqlx::raw_sql("PRAGMA user_version = 1")
        .execute(&mut old)
        .await
        .unwrap();
    old.close().await.unwrap();
    let records = open(&home).await;
    let attempts = records.attempts("an-exercise", 9).await.unwrap();
    let numbers = attempts.iter().map(|one| one.number);
    assert_eq!(numbers.collect::<Vec<_>>(), [Some(2), None, Some(1)]);
    assert_eq!(records.next_number("an-exercise").await.unwrap(), 3);
    assert_eq!(records.next_number("other").await.unwrap(), 2);
}

#[tokio::test]
async fn hints_lessons_answers_and_position_come_back() {
    let (_dir, home) = home();
    let records = open(&home).await;
    records.open_hint("e", "http", 1).await.unwrap();
    records.open_hint("e", "http", 1).await.unwrap();
    records.mark_read("why-small-matters").await.unwrap();
    let mut answer = Answer {
        lesson: "why-small-matters".to_owned(),
        quiz: "hidden-bytes".to_owned(),
        chosen: vec![0],
        right: false,
        tries: 1,
    };
    let first_try = answer.clone();
    records.answer(&answer).await.unwrap();
    answer.chosen = vec![1, 2];
    answer.right = true;
    answer.tries = 2;
    records.answer(&answer).await.unwrap();
    records.answer(&first_try).await.unwrap();
    records.keep(POSITION, "work:e").await.unwrap();
    records.keep(POSITION, "brief:e").await.unwrap();
    records.close().await;
    let records = open(&home).await;
    assert_eq!(records.hints("e").await.unwrap(), [("http".to_owned(), 1)]);
    assert_eq!(records.lessons_read().await.unwrap(), ["why-small-matters"]);
    assert_eq!(records.answers().await.unwrap(), [answer]);
    assert_eq!(
        records.kept(POSITION).await.unwrap().as_deref(),
        Some("brief:e")
    );
    assert_eq!(records.kept("nothing").await.unwrap(), None);
}

#[tokio::test]
async fn a_token_is_random_and_stays() {
    let (_dir, home) = home();
    let records = open(&home).await;
    let token = records.token("e").await.unwrap();
    assert!(token.len() > 32, "{token}");
    assert_eq!(records.token("e").await.unwrap(), token);
    assert_ne!(records.token("other").await.unwrap(), token);
    assert_ne!(new_token(), new_token());
}

#[tokio::test]
async fn a_number_that_came_with_an_attempt_is_not_given_again() {
    let (_dir, home) = home();
    let records = open(&home).await;
    let failed = report(Outcome::Failed, 1, "v1");
    for (came, next) in [(7, 8), (2, 9)] {
        records
            .add_attempt(&exercise(), &failed, &dockerfile("FROM a\n"), Some(came))
            .await
            .unwrap();
        assert_eq!(records.next_number("an-exercise").await.unwrap(), next);
    }
}

#[tokio::test]
async fn damaged_records_are_set_aside_and_new_ones_begun() {
    let (_dir, home) = home();
    let records = open(&home).await;
    records.mark_read("a").await.unwrap();
    records.close().await;
    let path = home.state().join("records.db");
    let size = fs::metadata(&path).unwrap().len();
    for damage in [vec![b'x'; 5000], {
        let mut half = vec![0xa5; usize::try_from(size).unwrap()];
        half[..16].copy_from_slice(b"SQLite format 3\0");
        half
    }] {
        fs::write(&path, &damage).unwrap();
        let opened = Records::open(&home).await.unwrap();
        let aside = opened.set_aside.expect("the damage was noticed");
        assert_eq!(fs::read(&aside).unwrap(), damage);
        opened.records.mark_read("b").await.unwrap();
        assert_eq!(opened.records.lessons_read().await.unwrap(), ["b"]);
        opened.records.close().await;
    }
}

#[tokio::test]
async fn records_of_a_newer_program_are_left_alone() {
    let (_dir, home) = home();
    let records = open(&home).await;
    sqlx::raw_sql("PRAGMA user_version = 99")
        .execute(&mut *records.connection().await.unwrap())
        .await
        .unwrap();
    records.close().await;
    let before = fs::read(home.state().join("records.db")).unwrap();
    let error = Records::open(&home).await.unwrap_err();
    assert!(
        matches!(error, RecordsError::Newer { found: 99, .. }),
        "{error}"
    );
    assert_eq!(fs::read(home.state().join("records.db")).unwrap(), before);
}

#[tokio::test]
async fn a_full_disk_is_named_and_what_was_recorded_stays() {
    let (_dir, home) = home();
    open(&home).await.close().await;
    let path = home.state().join("records.db");
    let Ok(records) = Records::open_file(&path, Some(40)).await else {
        panic!("the records do not open");
    };
    let report = report(Outcome::Failed, 1, "v1");
    let big = |n: u8| {
        let noise: Vec<u8> = (0..20_000u32)
            .map(|i| (i.wrapping_mul(31) >> 3).to_le_bytes()[0] ^ n)
            .collect();
        Files::from([("Dockerfile".to_owned(), noise.into())])
    };
    let mut saved = 0;
    let error = loop {
        match records
            .add_attempt(&exercise(), &report, &big(saved), None)
            .await
        {
            Ok(_) => saved += 1,
            Err(error) => break error,
        }
        assert!(saved < 100, "the limit does not work");
    };
    assert!(matches!(error, RecordsError::Full(_)), "{error:?}");
    assert!(error.hint(&home).contains("your files are safe"));
    assert_eq!(
        records.attempts("an-exercise", 100).await.unwrap().len(),
        usize::from(saved)
    );
    records.close().await;
    let records = open(&home).await;
    assert_eq!(
        records.attempts("an-exercise", 100).await.unwrap().len(),
        usize::from(saved)
    );
    records
        .add_attempt(&exercise(), &report, &big(200), None)
        .await
        .unwrap();
}

#[tokio::test]
async fn two_programs_may_write_at_the_same_time() {
    let (_dir, home) = home();
    let (one, two) = tokio::join!(open(&home), open(&home));
    let report = report(Outcome::Failed, 1, "v1");
    let write = |records: Records| {
        let report = report.clone();
        async move {
            for _ in 0..20 {
                records
                    .add_attempt(&exercise(), &report, &dockerfile("FROM a\n"), None)
                    .await
                    .unwrap();
            }
        }
    };
    tokio::join!(write(one.clone()), write(two));
    assert_eq!(one.attempts("an-exercise", 100).await.unwrap().len(), 40);
}

#[tokio::test]
async fn a_place_that_cannot_be_written_names_the_way_out() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let home = Home::at(file.join("x"));
    let error = Records::open(&home).await.unwrap_err();
    assert!(error.hint(&home).contains("LOADLINE_HOME"), "{error}");
}

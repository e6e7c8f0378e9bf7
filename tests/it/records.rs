//! Records under the worst that can happen: the program is killed while it writes.

use std::io::BufRead as _;
use std::io::BufReader;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use loadline::course::load;
use loadline::learner::Home;
use loadline::learner::Records;
use loadline::learner::Workspace;
use loadline::report::CourseRef;
use loadline::report::Outcome;
use loadline::report::Report;
use loadline::report::SCHEMA;
use loadline::report::Timings;
use loadline::workshop::Local;
use loadline::workshop::Workshop as _;

/// Names the home to the writer, which is this very test program started again.
const WRITER_HOME: &str = "LOADLINE_TEST_WRITER_HOME";

fn report(exercise: &str) -> Report {
    Report {
        warnings: Vec::new(),
        schema: SCHEMA.to_owned(),
        tool_version: "0.1.0".to_owned(),
        course: CourseRef {
            id: "minimal-images".to_owned(),
            version: "v1".to_owned(),
        },
        exercise: exercise.to_owned(),
        outcome: Outcome::Failed,
        problem: None,
        goals: Vec::new(),
        image: None,
        baseline: None,
        bases: Vec::new(),
        engine: None,
        timings_ms: Timings::default(),
        started_at: "2026-11-24T00:00:00Z".to_owned(),
        finished_at: "2026-11-24T00:00:09Z".to_owned(),
    }
}

/// The writer: saves the Dockerfile, records an attempt and says so, for ever. In an ordinary run
/// of the tests nobody names a home, and there is nothing to do.
#[tokio::test]
async fn writer_to_be_killed() {
    let Some(home) = std::env::var_os(WRITER_HOME) else {
        return;
    };
    let home = Home::at(home);
    let course = load::embedded().expect("the course is sound");
    let exercise = course.exercise("first-build").expect("it is in the course");
    let workspace = Workspace::open(&home, exercise.clone().into()).expect("a workspace");
    let records = Records::open(&home).await.expect("records").records;
    for number in 0u64.. {
        let text = format!("FROM busybox\n# {}\n", number.to_string().repeat(2000));
        let before = workspace.state("Dockerfile").expect("a state");
        workspace
            .save("Dockerfile", text.as_bytes(), before)
            .expect("saved");
        let files = workspace.read().expect("readable");
        let id = records
            .add_attempt(exercise, &report("first-build"), &files, None)
            .await
            .expect("recorded");
        println!("recorded {id}");
    }
}

struct Writer {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

fn start_writer(home: &Home) -> Writer {
    let program = std::env::current_exe().expect("this program has a path");
    let mut child = Command::new(program)
        .args(["--exact", "records::writer_to_be_killed", "--nocapture"])
        .env(WRITER_HOME, home.root())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the writer starts");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    Writer { child, lines }
}

impl Writer {
    /// The number of the next attempt that the writer claims to have recorded.
    fn next(&mut self) -> i64 {
        loop {
            let line = self
                .lines
                .next()
                .expect("the writer still runs")
                .expect("text");
            if let Some((_, number)) = line.split_once("recorded ") {
                return number.trim().parse().expect("a number");
            }
        }
    }

    /// Kills it without a warning and returns the last number that it still claimed.
    fn kill(mut self, mut last: i64) -> i64 {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it has ended");
        for line in self.lines.by_ref().map_while(Result::ok) {
            // The last line may be cut in the middle of its number.
            if let Some((_, number)) = line.split_once("recorded ") {
                last = number.parse().unwrap_or(last).max(last);
            }
        }
        last
    }
}

#[tokio::test]
async fn a_kill_at_any_moment_loses_no_record_and_no_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let home = Home::at(dir.path().join("loadline"));
    let mut before = 0;
    for round in 0u64..12 {
        let mut writer = start_writer(&home);
        let first = writer.next();
        assert!(first > before, "an attempt was numbered twice");
        // Each round dies at another moment of the writing.
        tokio::time::sleep(Duration::from_micros(700 * round * round)).await;
        let claimed = writer.kill(first);
        let opened = Records::open(&home).await.expect("the records open again");
        assert_eq!(opened.set_aside, None, "the records were damaged");
        let newest = &opened
            .records
            .attempts("first-build", 1)
            .await
            .expect("readable")[0];
        assert!(
            newest.id >= claimed,
            "{} is there, {claimed} was claimed",
            newest.id
        );
        let files = opened.records.files(newest.id).await.expect("readable");
        assert_eq!(files.len(), 1, "an attempt without its files");
        whole(&files["Dockerfile"]);
        whole(&std::fs::read(home.workspace("first-build").join("Dockerfile")).expect("there"));
        opened.records.close().await;
        before = newest.id;
    }
}

/// A Dockerfile of the writer is there from its first byte to its last.
fn whole(content: &[u8]) {
    let text = std::str::from_utf8(content).expect("text");
    let repeated = text
        .strip_prefix("FROM busybox\n# ")
        .and_then(|rest| rest.strip_suffix('\n'))
        .expect("it begins and ends as it was written");
    assert_eq!(repeated.len() % 2000, 0);
    let number = &repeated[..repeated.len() / 2000];
    assert_eq!(repeated, number.repeat(2000));
}

#[tokio::test]
async fn whoever_opens_damaged_records_is_told_where_they_lie_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::at(folder.path());
    std::fs::create_dir_all(home.state()).expect("a folder");
    std::fs::write(home.state().join("records.db"), [b'x'; 5000]).expect("written");
    let course = load::embedded().expect("the course is sound");
    let workshop = Local::new(course.into(), home);
    let told = workshop.progress().await.expect("new records").damaged;
    let told = told.expect("the damage is told").message.to_string();
    let (_, rest) = told.split_once("they lie in ").expect("it says where");
    let (path, _) = rest.split_once(", and").expect("a path");
    assert_eq!(std::fs::read(path).expect("they lie there"), [b'x'; 5000]);
    let again = workshop.progress().await.expect("records");
    assert_eq!(again.damaged, None);
}

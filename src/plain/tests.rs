//! A person who types numbers, in front of a workshop that is not there.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;

use tokio::sync::mpsc;
use tokio::sync::watch;

use super::*;
use crate::attempt::AttemptEvent;
use crate::attempt::Traced;
use crate::course::Choice;
use crate::course::Course;
use crate::course::Exercise;
use crate::course::Hint;
use crate::course::Quiz;
use crate::course::Solution;
use crate::finding::Scan;
use crate::image::Contents;
use crate::image::run::RunOutcome;
use crate::image::touched::FolderUse;
use crate::image::touched::Part;
use crate::image::touched::Touched;
use crate::report::GoalReport;
use crate::report::ImageReport;
use crate::report::Outcome;
use crate::report::Report;
use crate::report::VerdictName;
use crate::report::fixture;
use crate::text::Clean;
use crate::units::Bytes;
use crate::workshop::Answered;
use crate::workshop::BaseEvent;
use crate::workshop::Check;
use crate::workshop::CheckState;
use crate::workshop::KeptTexts;
use crate::workshop::NotSaved;
use crate::workshop::Workshop;
use crate::workshop::Workspace;
use crate::workshop::WorkspaceFile;
use crate::workshop::insight::Advised;
use crate::workshop::insight::Insight;

/// Answers one after the other, then nothing; keeps what was said.
#[derive(Default)]
struct Person {
    answers: VecDeque<String>,
    heard: Vec<String>,
    edited: Vec<PathBuf>,
    /// Whether `EDITOR` names none.
    bare: bool,
    /// Why the editor that it names edits nothing.
    refused: Option<NotEdited>,
}

#[async_trait]
impl Teletype for Person {
    fn say(&mut self, line: &str) {
        self.heard.push(line.to_owned());
    }

    async fn ask(&mut self, prompt: &str) -> Option<String> {
        let answer = self.answers.pop_front();
        let shown = answer.as_deref().unwrap_or("(end)");
        self.heard.push(format!("{prompt}{shown}"));
        answer
    }

    fn has_editor(&self) -> bool {
        !self.bare
    }

    async fn edit(&mut self, file: &Path) -> Result<(), NotEdited> {
        self.edited.push(file.to_owned());
        self.refused.clone().map_or(Ok(()), Err)
    }

    fn stop(&mut self) -> CancellationToken {
        CancellationToken::new()
    }
}

/// Remembers what it was asked to do.
#[derive(Default)]
struct Fake {
    done: Mutex<Vec<String>>,
    progress: Mutex<Progress>,
    /// What came to the disk after the files were read.
    meanwhile: Mutex<Option<String>>,
    /// What was kept when the workshop was left.
    unsaved: Mutex<Option<KeptTexts>>,
    /// The number of an attempt that is cancelled.
    cancelled: Mutex<Option<u32>>,
    /// A place where an engine is that says nothing.
    mute: Option<Tried>,
}

impl Fake {
    fn note(&self, what: impl Into<String>) {
        self.done.lock().expect("one thread").push(what.into());
    }
}

fn workspace() -> Workspace {
    Workspace {
        folder: PathBuf::from("/w/first-build"),
        log: PathBuf::from("/w/log"),
        files: vec![WorkspaceFile {
            name: "Dockerfile".to_owned(),
            text: Some("FROM scratch\nCMD\u{1b}[2J\n".to_owned()),
            barred: None,
        }],
        put_away: true,
    }
}

fn report() -> Report {
    Report {
        exercise: "first-build".to_owned(),
        goals: vec![GoalReport {
            title: "it runs".to_owned(),
            expected: "ends with 0".to_owned(),
            actual: Some(Clean::line("ended with 2")),
            why: Some(Clean::line("It looked for a file that is not there.")),
            next_step: Some(Clean::line("Compare the name with that in COPY.")),
            ..fixture::goal("run", VerdictName::Unmet)
        }],
        image: Some(ImageReport {
            id: "sha256:1".to_owned(),
            shipped_bytes: Bytes(412_000_000),
            exact: true,
            layers: Vec::new(),
            builder_lines: Vec::new(),
        }),
        ..fixture::report(Outcome::Failed)
    }
}

#[async_trait]
impl Workshop for Fake {
    async fn progress(&self) -> Result<Progress, Trouble> {
        let mut progress = self.progress.lock().expect("one thread");
        let damaged = progress.damaged.take();
        Ok(Progress {
            damaged,
            ..progress.clone()
        })
    }

    async fn find_engine(&self) -> EngineState {
        if self.mute.is_some() {
            tokio::time::sleep(PATIENCE + PATIENCE / 4).await;
        }
        EngineState::Missing {
            trouble: Trouble::new("cannot reach a container engine").advise("Start Docker."),
            tried: self.mute.iter().cloned().collect(),
        }
    }

    async fn prepare_bases(
        &self,
        first: Vec<String>,
        events: mpsc::Sender<BaseEvent>,
        cancel: CancellationToken,
    ) {
        self.note(format!("prepare {first:?}"));
        if first.is_empty() {
            let state = BaseState::Working {
                doing: Clean::line("configuring packages"),
                bytes: None,
            };
            let reference = "python:3.13".to_owned();
            let told = BaseEvent { reference, state };
            events.send(told).await.expect("somebody hears it");
            cancel.cancelled().await;
            let reference = "python:3.13".to_owned();
            let state = BaseState::Waiting;
            let told = BaseEvent { reference, state };
            events.send(told).await.expect("somebody takes it");
        }
        for reference in first {
            let state = BaseState::Ready { size: None };
            let told = BaseEvent { reference, state };
            events.send(told).await.expect("somebody hears it");
        }
    }

    async fn open(&self, exercise: &ExerciseId) -> Result<Workspace, Trouble> {
        self.note(format!("open {exercise}"));
        Ok(workspace())
    }

    async fn save(
        &self,
        _: &ExerciseId,
        file: &str,
        text: &str,
        read: Option<&str>,
    ) -> Result<(), NotSaved> {
        self.note(format!("save {file}: {text}"));
        let meanwhile = self.meanwhile.lock().expect("one thread").clone();
        if meanwhile.is_some_and(|there| Some(there.as_str()) != read) {
            return Err(NotSaved::Changed);
        }
        Ok(())
    }

    async fn keep(&self, _: &ExerciseId, file: &str, text: &str) -> Result<PathBuf, Trouble> {
        self.note(format!("keep {file}: {text}"));
        Ok(PathBuf::from("/w/kept").join(file))
    }

    async fn unsaved(&self, _: &ExerciseId) -> Option<KeptTexts> {
        self.unsaved.lock().expect("one thread").take()
    }

    async fn reset(&self, exercise: &ExerciseId) -> Result<Workspace, Trouble> {
        self.note(format!("reset {exercise}"));
        Ok(workspace())
    }

    async fn undo_reset(&self, _: &ExerciseId) -> Result<Workspace, Trouble> {
        Err(Trouble::new(
            "Nothing was reset, so there is nothing to bring back.",
        ))
    }

    fn start_attempt(
        &self,
        exercise: &ExerciseId,
        _cancel: CancellationToken,
    ) -> mpsc::Receiver<AttemptEvent> {
        self.note(format!("attempt {exercise}"));
        let (sender, receiver) = mpsc::channel(4);
        let mut report = report();
        if let Some(number) = *self.cancelled.lock().expect("one thread") {
            let numbered = AttemptEvent::Numbered(number);
            sender.try_send(numbered).expect("there is room");
            report = fixture::report(Outcome::Cancelled);
        }
        let event = AttemptEvent::Finished(Box::new(report));
        sender.try_send(event).expect("there is room");
        receiver
    }

    async fn look(
        &self,
        image: &str,
        _read: mpsc::Sender<Bytes>,
        _cancel: CancellationToken,
    ) -> Result<Arc<Insight>, Trouble> {
        self.note(format!("look {image}"));
        Ok(Arc::new(Insight::of(
            image,
            &Contents::default(),
            Ok(Advised::default()),
        )))
    }

    async fn scan(&self, _: &str, _: CancellationToken) -> Result<Arc<Scan>, Trouble> {
        Ok(Arc::default())
    }

    async fn trace(
        &self,
        _: &ExerciseId,
        _: &str,
        _: &[Option<u32>],
        _: CancellationToken,
    ) -> Result<Traced, Trouble> {
        self.note("trace");
        Ok(traced())
    }

    async fn hint_opened(&self, _: &ExerciseId, goal: &str, level: u8) -> Result<(), Trouble> {
        self.note(format!("hint {goal} {level}"));
        Ok(())
    }

    async fn lesson_read(&self, slug: &str) -> Result<(), Trouble> {
        self.note(format!("read {slug}"));
        Ok(())
    }

    async fn answered(&self, lesson: &str, quiz: &str, answer: Answered) -> Result<(), Trouble> {
        self.note(format!("answered {lesson} {quiz} {answer:?}"));
        let mut progress = self.progress.lock().expect("one thread");
        let key = (lesson.to_owned(), quiz.to_owned());
        progress.answers.insert(key, answer);
        Ok(())
    }

    async fn doctor(&self) -> Vec<Check> {
        let check = |title: &str, state, found: &str, fix: &str| Check {
            title: title.to_owned(),
            state,
            found: Clean::line(found),
            fix: Some(Clean::line(fix)),
            mendable: true,
        };
        vec![
            check(
                "Engine",
                CheckState::Bad,
                "none answers",
                "Run `loadline doctor --fix`.",
            ),
            check("Base images", CheckState::Limited, "0 of 1 ready", "Wait."),
        ]
    }
}

fn course() -> Course {
    let id = ExerciseId("first-build".to_owned());
    let hint = |level, text: &str| Hint {
        goal: "run".to_owned(),
        level,
        text: text.to_owned(),
    };
    Course {
        id: "c".to_owned(),
        version: "1".to_owned(),
        title: "Minimal images".to_owned(),
        lessons: vec![Lesson {
            slug: "why".to_owned(),
            number: 1,
            title: "Why small matters".to_owned(),
            minutes: 5,
            fast_track: true,
            exercises: vec![id.clone()],
            goals: Vec::new(),
            markdown: "# Why\n\nBecause {{ size python:3.13 | 1.17 GB }} travels.\n".to_owned(),
            quizzes: Vec::new(),
            anchors: Vec::new(),
        }],
        exercises: vec![Exercise {
            id,
            title: "First build".to_owned(),
            minutes: 3,
            brief: "Make it run.".to_owned(),
            edit: vec!["Dockerfile".to_owned()],
            bases: Vec::new(),
            baseline: None,
            canary: None,
            starter_misses: Vec::new(),
            goals: Vec::new(),
            stretch: Vec::new(),
            hints: vec![hint(1, "Look at the error."), hint(2, "Compare names.")],
            files: BTreeMap::new(),
            solution: Some(Solution {
                files: BTreeMap::from([(
                    "Dockerfile".to_owned(),
                    Arc::from("FROM scratch\nCMD [\"/app\"]\n".as_bytes()),
                )]),
                why: "The exec form needs no shell.".to_owned(),
            }),
        }],
    }
}

/// Nothing is prepared; base images stand as `states` says.
fn at_rest(states: BaseStates) -> Preparation {
    Preparation {
        states: watch::channel(states).1,
        first: watch::channel(Vec::new()).0,
    }
}

async fn visit(answers: &[&str]) -> (Person, Arc<Fake>) {
    visit_course(course(), BaseStates::new(), answers).await
}

async fn visit_course(course: Course, states: BaseStates, answers: &[&str]) -> (Person, Arc<Fake>) {
    let workshop = Arc::new(Fake::default());
    let services = Services {
        course: Arc::new(course),
        workshop: workshop.clone(),
    };
    let mut person = Person {
        answers: answers.iter().map(|answer| (*answer).to_owned()).collect(),
        ..Person::default()
    };
    run(services, &mut person, at_rest(states), None).await;
    (person, workshop)
}

fn done(workshop: &Fake) -> Vec<String> {
    workshop.done.lock().expect("one thread").clone()
}

#[tokio::test]
async fn the_menu_is_numbered_and_says_what_is_missing() {
    let (person, _) = visit(&["q"]).await;
    insta::assert_snapshot!(person.heard.join("\n"), @"
    Loadline: Minimal images

    Engine: none answers. Lessons open; nothing can be built.
    Trouble: cannot reach a container engine
    Next: Start Docker.

      1  Lesson 1: Why small matters (5 min)
      2    Exercise: First build (3 min)
      3  Doctor: what this machine needs
    Number, or q to leave: q
    Your files and progress are kept. Goodbye.
    ");
}

#[tokio::test]
async fn a_slip_is_told_and_asked_about_again_and_help_helps() {
    let slips = ["build", "x", "99", "-1", "help", "menu", "y"];
    let (person, workshop) = visit(&[&slips[..], &["1", "q"]].concat()).await;
    assert_eq!(done(&workshop), ["read why"], "the lesson opens after them");
    let shown = |line: &str| person.heard.iter().filter(|heard| *heard == line).count();
    // At the start, after the lesson, and twice because it was asked for.
    assert_eq!(shown("  1  Lesson 1: Why small matters (5 min)"), 4);
    let told = "Please type a number from 1 to 3, q, or help for the list.";
    assert_eq!(shown(told), slips.len());
    // In an exercise as well.
    let (_, workshop) = visit(&["2", "x", "y", "z", "?", "5", "q", "q"]).await;
    assert_eq!(done(&workshop), ["open first-build", "hint run 1"]);
}

#[tokio::test]
async fn where_nobody_reads_the_menu_it_is_left() {
    let (person, _) = visit(&["", "", "", "1"]).await;
    assert_eq!(person.answers.len(), 1, "nothing more was asked");
    // One word between them, and somebody reads.
    let (person, _) = visit(&["", "", "x", "", "", "q"]).await;
    assert!(person.answers.is_empty());
}

#[tokio::test]
async fn an_engine_that_says_nothing_is_not_waited_for_in_silence_and_is_named() {
    let mute = Tried {
        address: Clean::line("unix:///x.sock"),
        because: Clean::line("the variable `DOCKER_HOST`"),
        outcome: Clean::line("no answer within 5 s"),
    };
    let services = Services {
        course: Arc::new(course()),
        workshop: Arc::new(Fake {
            mute: Some(mute),
            ..Fake::default()
        }),
    };
    let mut person = Person {
        answers: ["q"].map(str::to_owned).into(),
        ..Person::default()
    };
    run(services, &mut person, at_rest(BaseStates::new()), None).await;
    let told = person.heard.join("\n");
    let waits = "Waiting for the container engine, which takes its time to answer.";
    assert_eq!(
        person.heard.get(1).map(String::as_str),
        Some(waits),
        "{told}"
    );
    let why = "Tried unix:///x.sock (the variable `DOCKER_HOST`): no answer within 5 s";
    assert!(told.contains(why), "{told}");
}

#[tokio::test]
async fn damaged_records_are_told_once() {
    let workshop = Arc::new(Fake::default());
    let trouble = Trouble::new("Your records were damaged").advise("Nothing else is lost.");
    workshop.progress.lock().expect("one thread").damaged = Some(trouble);
    let services = Services {
        course: Arc::new(course()),
        workshop,
    };
    let mut person = Person {
        answers: ["3", "q"].map(str::to_owned).into(),
        ..Person::default()
    };
    run(services, &mut person, at_rest(BaseStates::new()), None).await;
    let told = |line: &&String| *line == "Trouble: Your records were damaged";
    assert_eq!(person.heard.iter().filter(told).count(), 1);
}

#[tokio::test]
async fn a_lesson_is_read_to_its_end_and_noted() {
    let (person, workshop) = visit(&["1", "q"]).await;
    assert_eq!(done(&workshop), ["read why"]);
    assert!(
        person
            .heard
            .iter()
            .any(|line| line == "Because ≈1.17 GB travels.")
    );
}

#[tokio::test]
async fn a_lesson_says_what_a_base_weighs_here() {
    let state = BaseState::Ready {
        size: Some(Bytes(1_080_000_000)),
    };
    let states = BaseStates::from([("python:3.13".to_owned(), state)]);
    let (person, _) = visit_course(course(), states, &["1", "q"]).await;
    assert!(
        person
            .heard
            .contains(&"Because 1.08 GB travels.".to_owned())
    );
}

#[tokio::test]
async fn the_bases_of_an_exercise_come_before_those_that_it_does_not_need() {
    let mut course = course();
    course.exercises[0].bases = vec!["busybox".to_owned()];
    let workshop = Arc::new(Fake::default());
    let services = Services {
        course: Arc::new(course),
        workshop: workshop.clone(),
    };
    let (telling, states) = watch::channel(BaseStates::new());
    let (first, asked) = watch::channel(Vec::new());
    let mut seen = states.clone();
    let leave = CancellationToken::new();
    let others = meanwhile::prepare(&*workshop, telling, asked, leave.clone());
    let mut person = Person {
        answers: ["2", "q", "q"].map(str::to_owned).into(),
        ..Person::default()
    };
    let visiting = async {
        seen.wait_for(|states| states.contains_key("python:3.13"))
            .await
            .expect("others are prepared");
        // Who holds this could still ask.
        let held = first.clone();
        let preparation = Preparation { states, first };
        run(services, &mut person, preparation, None).await;
        seen.wait_for(|states| states.contains_key("busybox"))
            .await
            .expect("its own are prepared");
        drop(held);
    };
    tokio::join!(others, visiting);
    assert_eq!(
        done(&workshop),
        ["prepare []", "open first-build", "prepare [\"busybox\"]"]
    );
}

#[tokio::test]
async fn an_answer_is_kept_and_shown_the_next_time() {
    let mut course = course();
    let choice = |text: &str, right| Choice {
        text: text.to_owned(),
        right,
        why: "so".to_owned(),
    };
    course.lessons[0].quizzes = vec![Quiz {
        id: "which".to_owned(),
        question: "Which?".to_owned(),
        choices: vec![choice("this", false), choice("that", true)],
    }];
    // Number 7 is no choice, and so no try.
    let answers = ["1", "1", "7", "2", "1", "q"];
    let (person, workshop) = visit_course(course, BaseStates::new(), &answers).await;
    let answer = |chosen: usize, right, tries| {
        let chosen = [chosen].into();
        let answer = Answered {
            chosen,
            right,
            tries,
        };
        format!("answered why which {answer:?}")
    };
    // Read twice, asked in the first reading only.
    let wanted = [
        answer(0, false, 1),
        answer(1, true, 2),
        "read why".to_owned(),
        "read why".to_owned(),
    ];
    assert_eq!(done(&workshop), wanted);
    let again = person
        .heard
        .iter()
        .position(|line| line == "You answered: 2");
    let again = again.expect("it is shown");
    assert_eq!(person.heard[again + 1], "Right.");
}

#[tokio::test]
async fn an_attempt_says_its_verdicts_in_words() {
    let (person, workshop) = visit(&["2", "1", "q", "q"]).await;
    assert_eq!(
        done(&workshop),
        [
            "open first-build",
            "open first-build",
            "attempt first-build"
        ]
    );
    let text = person.heard.join("\n");
    assert!(text.contains("FAIL     it runs: ended with 2"), "{text}");
    assert!(text.contains("Next: Compare the name with that in COPY."));
    assert!(
        text.contains("Not yet. It does not run as it should. 0 of 1 goal met."),
        "{text}"
    );
}

#[tokio::test]
async fn hints_open_one_by_one_for_the_goal_that_was_missed() {
    let (person, workshop) = visit(&["2", "1", "5", "5", "5", "q", "q"]).await;
    assert_eq!(
        done(&workshop)[3..],
        ["hint run 1".to_owned(), "hint run 2".to_owned()]
    );
    assert!(
        person
            .heard
            .iter()
            .any(|line| line.starts_with("Every hint is open"))
    );
}

#[tokio::test]
async fn the_layers_are_those_of_the_last_image() {
    let (person, workshop) = visit(&["2", "7", "1", "7", "q", "q"]).await;
    let heard = &person.heard;
    assert!(heard.contains(&"Nothing was built yet: build first.".to_owned()));
    assert!(
        heard.contains(&"0 B in 0 layers, nothing wasted".to_owned()),
        "{heard:?}"
    );
    assert_eq!(done(&workshop).last().unwrap(), "look sha256:1");
    let (person, _) = visit(&["2", "1", "8", "q", "q"]).await;
    let text = person.heard.join("\n");
    assert!(text.contains("this image: not known"), "{text}");
    assert!(text.contains("not seen: no package records"), "{text}");
}

#[tokio::test]
async fn base_images_that_nobody_looked_at_yet_are_not_counted() {
    let said = async |states: &[(&str, BaseState)]| {
        let workshop = Arc::new(Fake::default());
        let services = Services {
            course: Arc::new(course()),
            workshop,
        };
        let mut person = Person {
            answers: ["q"].map(str::to_owned).into(),
            ..Person::default()
        };
        let states = states.iter().cloned();
        let states = states.map(|(name, state)| (name.to_owned(), state));
        run(services, &mut person, at_rest(states.collect()), None).await;
        let about = person
            .heard
            .iter()
            .skip_while(|line| !line.contains("Base images"));
        let about = about.take_while(|line| !line.is_empty());
        about.cloned().collect::<Vec<String>>()
    };
    let failed = || BaseState::Failed(Clean::line("no registry answers"));
    assert!(said(&[("busybox", BaseState::Waiting)]).await.is_empty());
    assert_eq!(
        said(&[("busybox", BaseState::Waiting), ("python:3.13", failed())]).await,
        ["Base images:", "  python:3.13: no registry answers"]
    );
    assert_eq!(
        said(&[("python:3.13", failed())]).await,
        [
            "Base images: 0 of 0 ready.",
            "  python:3.13: no registry answers"
        ]
    );
}

#[tokio::test]
async fn a_reset_asks_first() {
    let (_, workshop) = visit(&["2", "9", "no", "q", "q"]).await;
    assert_eq!(done(&workshop), ["open first-build"]);
    let (_, workshop) = visit(&["2", "9", "yes", "q", "q"]).await;
    assert_eq!(done(&workshop), ["open first-build", "reset first-build"]);
}

#[tokio::test]
async fn files_are_shown_without_what_could_steer_a_terminal() {
    let (person, _) = visit(&["2", "3", "6", "yes", "q", "q"]).await;
    let text = person.heard.join("\n");
    assert!(text.contains("   1  FROM scratch"));
    assert!(text.contains("+ CMD [\"/app\"]"));
    assert!(text.contains("The exec form needs no shell."));
    assert!(!text.contains('\u{1b}'));
}

#[tokio::test]
async fn the_only_file_opens_in_the_editor_at_once() {
    let (person, _) = visit(&["2", "2", "q", "q"]).await;
    assert_eq!(person.edited, [PathBuf::from("/w/first-build/Dockerfile")]);
}

#[tokio::test]
async fn without_an_editor_a_file_is_changed_line_by_line() {
    let workshop = Arc::new(Fake::default());
    let services = Services {
        course: Arc::new(course()),
        workshop: workshop.clone(),
    };
    let typed = [
        "2",
        "2",
        "2 CMD [\"/app\"]",
        "+1 COPY app /app",
        "-9",
        "s",
        "2",
        "-1",
        "q",
        "yes",
        "q",
        "q",
    ];
    let mut person = Person {
        answers: typed.map(str::to_owned).into(),
        bare: true,
        ..Person::default()
    };
    run(services, &mut person, at_rest(BaseStates::new()), None).await;
    let done = done(&workshop);
    let saves: Vec<&String> = done
        .iter()
        .filter(|done| done.starts_with("save"))
        .collect();
    assert_eq!(
        saves,
        ["save Dockerfile: FROM scratch\nCOPY app /app\nCMD [\"/app\"]\n"]
    );
    let text = person.heard.join("\n");
    assert!(
        text.contains("There is no line 9; the file has 3 lines."),
        "{text}"
    );
    assert!(text.contains("Nothing was saved."), "{text}");
    assert!(!text.contains('\u{1b}'));
}

#[tokio::test]
async fn an_editor_that_does_not_start_leaves_the_way_line_by_line() {
    let why = || "`code` does not start: not found.".to_owned();
    for (refused, by_lines) in [
        (NotEdited::NoEditor(why()), true),
        (NotEdited::Ended(why()), false),
    ] {
        let services = Services {
            course: Arc::new(course()),
            workshop: Arc::new(Fake::default()),
        };
        let mut person = Person {
            answers: ["2", "2", "q", "q", "q"].map(str::to_owned).into(),
            refused: Some(refused),
            ..Person::default()
        };
        run(services, &mut person, at_rest(BaseStates::new()), None).await;
        let heard = person.heard.join("\n");
        assert!(heard.contains(&why()), "{heard}");
        assert_eq!(heard.contains("Dockerfile, line by line:"), by_lines);
    }
}

/// Types these lines into the editor of the only file; what was said and done.
async fn line_by_line(workshop: Fake, typed: &[&str]) -> (String, Vec<String>) {
    let workshop = Arc::new(workshop);
    let services = Services {
        course: Arc::new(course()),
        workshop: workshop.clone(),
    };
    let answers = ["2", "2"].iter().chain(typed);
    let mut person = Person {
        answers: answers.map(|answer| (*answer).to_owned()).collect(),
        bare: true,
        ..Person::default()
    };
    run(services, &mut person, at_rest(BaseStates::new()), None).await;
    let done = done(&workshop).into_iter();
    let kept = done.filter(|done| done.starts_with("keep")).collect();
    (person.heard.join("\n"), kept)
}

#[tokio::test]
async fn a_file_that_changed_meanwhile_is_not_overwritten_and_the_draft_is_kept() {
    let workshop = Fake::default();
    let theirs = Some("FROM theirs\n".to_owned());
    *workshop.meanwhile.lock().expect("one thread") = theirs;
    let (heard, kept) = line_by_line(workshop, &["1 FROM mine", "-2", "s", "q", "q"]).await;
    assert_eq!(kept, ["keep Dockerfile: FROM mine\n"]);
    assert!(
        heard.contains("Dockerfile changed on disk meanwhile"),
        "{heard}"
    );
    assert!(
        heard.contains("Your text is kept in /w/kept/Dockerfile.\nEdit the file again"),
        "{heard}"
    );
    assert!(!heard.contains("is saved"), "{heard}");
}

#[tokio::test]
async fn a_text_that_was_kept_is_told_of_at_the_next_opening_and_once() {
    let workshop = Fake::default();
    let place = PathBuf::from("/w/kept/000001/Dockerfile");
    *workshop.unsaved.lock().expect("one thread") = KeptTexts::at(vec![place]);
    let (heard, _) = line_by_line(workshop, &["q", "q", "2", "q", "q"]).await;
    let told = "the folder is kept in /w/kept/000001/Dockerfile";
    assert_eq!(heard.matches(told).count(), 1, "{heard}");
    assert!(heard.find(told) < heard.find("Build and check"), "{heard}");
}

#[tokio::test]
async fn the_end_of_the_input_keeps_a_draft() {
    for typed in [&["1 FROM mine", "-2"][..], &["1 FROM mine", "-2", "q"]] {
        let (heard, kept) = line_by_line(Fake::default(), typed).await;
        assert_eq!(kept, ["keep Dockerfile: FROM mine\n"]);
        let told = "Your changes were not saved.\nYour text is kept in /w/kept/Dockerfile.";
        assert!(heard.contains(told), "{heard}");
        assert!(!heard.contains("Nothing was"), "{heard}");
        let rest = heard.split(told).nth(1).expect("it is told");
        assert_eq!(rest, "\nYour files and progress are kept. Goodbye.");
    }
    let (heard, kept) = line_by_line(Fake::default(), &[]).await;
    assert!(heard.contains("Nothing was changed."), "{heard}");
    assert_eq!(kept, [""; 0]);
}

#[tokio::test]
async fn the_worked_answer_is_put_into_the_files_by_who_asks_for_it() {
    let (_, workshop) = visit(&["2", "12", "no", "q", "q"]).await;
    assert_eq!(done(&workshop), ["open first-build"]);
    let (_, workshop) = visit(&["2", "12", "yes", "q", "q"]).await;
    assert_eq!(
        done(&workshop),
        [
            "open first-build",
            "reset first-build",
            "save Dockerfile: FROM scratch\nCMD [\"/app\"]\n",
            "open first-build"
        ]
    );
}

#[tokio::test]
async fn the_end_of_the_input_leaves_from_anywhere() {
    for answers in [
        &[][..],
        &["1"],
        &["2"],
        &["2", "9"],
        &["2", "2"],
        &["x", "y", "z"],
    ] {
        let (person, _) = visit(answers).await;
        assert!(person.heard.len() > 3, "{answers:?}");
    }
}

#[tokio::test]
async fn the_doctor_says_one_finding_per_line() {
    let (person, _) = visit(&["3", "q"]).await;
    let text = person.heard.join("\n");
    assert!(text.contains("Engine: bad. none answers\n  Next: Run `loadline doctor --fix`."));
    assert!(text.contains("Base images: limited. 0 of 1 ready\n  Next: Wait."));
    // With the reason of what could not be had meanwhile.
    let why = BaseState::Failed(Clean::line("no registry answers"));
    let states = BaseStates::from([("python:3.13".to_owned(), why)]);
    let (person, _) = visit_course(course(), states, &["3", "q"]).await;
    let text = person.heard.join("\n");
    let told = "Base images: limited. 0 of 1 ready; python:3.13: no registry answers";
    assert!(text.contains(told), "{text}");
}

/// What a run of the exercise's image opened.
fn traced() -> Traced {
    let part = |files, bytes| Part {
        files,
        bytes: Bytes(bytes),
    };
    Traced {
        outcome: RunOutcome {
            exit: Some(2),
            ..RunOutcome::default()
        },
        gaps: None,
        touched: Touched {
            live: part(48_281, 852_000_000),
            opened: part(117, 23_600_000),
            unopened: vec![FolderUse {
                path: "/usr/lib/jvm".to_owned(),
                live: part(900, 290_000_000),
                opened: part(0, 0),
            }],
            ..Touched::default()
        },
    }
}

/// A workshop in which somebody has reached this in the first exercise.
fn with_record(course: Course, workshop: &Arc<Fake>, record: crate::workshop::Record) -> Services {
    let id = course.exercises[0].id.clone();
    *workshop.progress.lock().expect("one thread") = Progress {
        exercises: BTreeMap::from([(id, record)]),
        ..Progress::default()
    };
    Services {
        course: Arc::new(course),
        workshop: workshop.clone(),
    }
}

#[tokio::test]
async fn what_a_run_opens_is_told_once_there_is_an_image() {
    let mut course = course();
    let goal = crate::goal::registry::parse_bare::<serde::de::value::Error>("run");
    course.exercises[0].goals = vec![crate::course::GoalEntry {
        id: "run".to_owned(),
        title: None,
        points: 1,
        why: None,
        read: None,
        hidden: false,
        goal: goal.expect("a goal"),
    }];
    let answers = ["2", "11", "q", "q"];
    let (person, workshop) = visit_course(course.clone(), BaseStates::new(), &answers).await;
    assert_eq!(done(&workshop), ["open first-build"]);
    let text = person.heard.join("\n");
    assert!(text.contains("build and check first"), "{text}");

    let workshop = Arc::new(Fake::default());
    let mut last = report();
    last.image = Some(ImageReport {
        id: "sha256:1".to_owned(),
        shipped_bytes: Bytes(852_000_000),
        exact: true,
        layers: Vec::new(),
        builder_lines: Vec::new(),
    });
    let record = crate::workshop::Record {
        last: Some(Box::new(last)),
        ..crate::workshop::Record::default()
    };
    let services = with_record(course, &workshop, record);
    let mut person = Person {
        answers: ["2", "11", "q", "q"].map(str::to_owned).into(),
        ..Person::default()
    };
    run(services, &mut person, at_rest(BaseStates::new()), None).await;
    assert_eq!(done(&workshop), ["open first-build", "trace"]);
    let from = person
        .heard
        .iter()
        .position(|line| line.starts_with("Running the image"));
    let told = person.heard[from.expect("it is said")..].join("\n");
    let told = told.split("\n\n  1").next().expect("a page");
    insta::assert_snapshot!(told, @r#"
    Running the image once more. Ctrl-C stops it.
    Not seen to its end: the container ended with status 2.
    2.8 % of what the image ships was opened: 23.6 MB of 852 MB, 117 of 48281 files

    Folders without any
      /usr/lib/jvm                                    290 MB in 900 files

    Opened in this run, no more than that: a file that only a rare request needs was not opened either. So none of this says "safe to delete".
    "#);
}

#[tokio::test]
async fn after_a_build_that_was_cancelled_it_is_said_of_which_build_all_is_known() {
    let course = course();
    let workshop = Arc::new(Fake::default());
    let record = crate::workshop::Record {
        numbered: 4,
        number: 4,
        last: Some(Box::new(report())),
        ..crate::workshop::Record::default()
    };
    *workshop.cancelled.lock().expect("one thread") = Some(5);
    let services = with_record(course, &workshop, record);
    let mut person = Person {
        answers: ["2", "1", "q", "q"].map(str::to_owned).into(),
        ..Person::default()
    };
    run(services, &mut person, at_rest(BaseStates::new()), None).await;
    let from = person.heard.iter().position(|line| line == "build 5");
    let told = person.heard[from.expect("it is said")..].join("\n");
    let told = told.split("\n\n  1").next().expect("a page");
    insta::assert_snapshot!(told, @r"
    build 5

    Stopped. The attempt was cancelled.
    Build 5 judged nothing: what is known is still of build 4.
    ");
}

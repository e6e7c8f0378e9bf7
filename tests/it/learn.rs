//! The workshop where nobody can type, on a real engine.

use crate::host;
use crate::sandbox::Sandbox;

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_a_demonstration_passes_and_what_the_workshop_needs_is_prepared() {
    if host::engine().await.is_none() {
        return;
    }
    let ended = Sandbox::new().run(&["learn"]);
    let shown = ended.shown();
    assert_eq!(ended.code, Some(0), "{shown}");
    assert!(ended.stdout.contains("Done."), "{shown}");
    for base in ["busybox", "python:3.13", "python:3.13-slim"] {
        let line = format!("\n  {base}: ready");
        assert!(ended.stderr.contains(&line), "{base}: {shown}");
    }
    let last = ended.stderr.lines().last().unwrap_or_default();
    // As it was called: the path need not lead to it.
    let program = env!("CARGO_BIN_EXE_loadline");
    let wanted = format!(
        "Open the workshop in a terminal with `{program}`, or anywhere with `{program} --plain`."
    );
    assert!(last == wanted, "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_course_without_worked_answers_needs_is_prepared_as_well() {
    if host::engine().await.is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    for (name, text) in [
        (
            "lessons/course.yaml",
            "format: 1\nid: probe\ntitle: Probe\n",
        ),
        (
            "lessons/01-a.md",
            "---\ntitle: A\nminutes: 1\nexercises: [bare]\ngoals_of_lesson: [read]\n---\n\n# A\n",
        ),
        (
            "exercises/bare/exercise.yaml",
            "format: 1\ntitle: Bare\nminutes: 1\nedit: [Dockerfile]\nbases: [busybox]\n\
             starter_misses: [builds]\ngoals: [builds]\nhints:\n  - { for: builds, text: look }\n",
        ),
        ("exercises/bare/brief.md", "# Bare\n"),
        (
            "exercises/bare/files/Dockerfile",
            "FROM busybox\nCOPY absent .\n",
        ),
    ] {
        sandbox.write(&format!("course/{name}"), text);
    }
    let ended = sandbox.run(&["--course", "course"]);
    let shown = ended.shown();
    assert_eq!(ended.code, Some(0), "{shown}");
    assert!(ended.stderr.contains("\n  busybox: ready"), "{shown}");
}

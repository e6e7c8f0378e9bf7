//! No room for the learner's records: a limit on the size of files, and a disk that is full. What
//! cannot be kept is said, with the next step, and what was kept before stays.

use loadline::course::Course;
use loadline::course::load;
use loadline::learner::Home;
use loadline::learner::Records;

use crate::sandbox::Sandbox;

/// What a person types who reads a lesson to its end, whatever it asks, and leaves.
fn typed() -> String {
    "1\n".repeat(40)
}

fn course() -> Course {
    load::embedded().expect("the course is sound")
}

/// The lessons that were read, and the answers, as they are in the records.
fn kept(home: &Home) -> (Vec<String>, usize) {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    runtime.block_on(async {
        let opened = Records::open(home).await.expect("they open");
        assert_eq!(opened.set_aside, None, "they were damaged");
        let read = opened.records.lessons_read().await.expect("readable");
        let answers = opened.records.answers().await.expect("readable").len();
        opened.records.close().await;
        (read, answers)
    })
}

/// Reads lesson `$1` under a limit of `$2` blocks on the size of files.
const LIMITED: &str = r#"ulimit -f "$2" && exec "$0" learn --plain "$1" <typed"#;

#[test]
fn a_limit_on_the_size_of_files_is_told_and_loses_nothing() {
    let course = course();
    let [first, second] = [&course.lessons[0].slug, &course.lessons[1].slug];
    let mut told = 0;
    for blocks in ["0", "1", "8", "40", "64", "72", "128", "200"] {
        let sandbox = Sandbox::without_engine();
        sandbox.write("typed", &typed());
        let before = sandbox.script(LIMITED, &[first, "unlimited"]);
        assert_eq!(before.code, Some(0), "{}", before.shown());
        let home = Home::at(sandbox.path("home/loadline"));
        let (read, answers) = kept(&home);
        assert_eq!(read, std::slice::from_ref(first), "{}", before.shown());

        let limited = sandbox.script(LIMITED, &[second, blocks]);
        let shown = limited.shown();
        assert_eq!(limited.code, Some(0), "{blocks} blocks: {shown}");
        assert!(!shown.contains("please report"), "{blocks} blocks: {shown}");
        let said = shown.contains("the disk takes no more");
        told += usize::from(said);
        assert_eq!(said, shown.contains("`ulimit -f unlimited`"), "{shown}");
        assert_eq!(said, shown.contains("home/loadline/.loadline`"), "{shown}");

        let (after, answered) = kept(&home);
        assert!(after.contains(first), "{blocks} blocks: {after:?}");
        assert!(answered >= answers, "{blocks} blocks lost an answer");
        assert!(said || after.contains(second), "{blocks} blocks: {shown}");
    }
    assert!(told > 2, "the limit was met {told} times");
}

/// Reads lesson `$1` with the home on a small disk of its own, fills the disk, reads lesson `$2`,
/// and copies the home to `kept`.
const ON_A_SMALL_DISK: &str = r#"
set -e
mkdir -p home/loadline
mount -t tmpfs -o size=1m tmpfs home/loadline
"$0" learn --plain "$1" <typed >one
cat /dev/zero >home/loadline/other 2>/dev/null || true
"$0" learn --plain "$2" <typed
rm home/loadline/other
cp -r home/loadline kept
"#;

#[test]
fn a_full_disk_is_told_and_loses_nothing() {
    let course = course();
    let [first, second] = [&course.lessons[0].slug, &course.lessons[1].slug];
    let sandbox = Sandbox::without_engine();
    sandbox.write("typed", &typed());
    sandbox.write("script", ON_A_SMALL_DISK);
    // A mount of our own that ends with the script; root needs no user namespace for it.
    let alone = if rustix::process::geteuid().is_root() {
        "-m"
    } else {
        "-rm"
    };
    let script = format!(r#"exec unshare {alone} sh -c "$(cat script)" "$0" "$@""#);
    let ended = sandbox.script(&script, &[first, second]);
    let shown = ended.shown();
    assert_eq!(ended.code, Some(0), "{shown}");
    assert!(shown.contains("the disk takes no more"), "{shown}");
    assert!(shown.contains("free some space where `"), "{shown}");
    assert!(!shown.contains("please report"), "{shown}");
    let (read, _) = kept(&Home::at(sandbox.path("kept")));
    assert!(read.contains(first), "{read:?}");
}

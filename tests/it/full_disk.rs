//! No room for the learner's records and for what base images are made of: a limit on the size of
//! files, and a disk that is full. What cannot be kept is said, with the next step, and what was kept
//! before stays.

use loadline::course::Course;
use loadline::course::load;
use loadline::learner::Home;
use loadline::learner::Records;

use crate::mirror::Mirror;
use crate::mirror::TRUSTED;
use crate::sandbox::Ended;
use crate::sandbox::Sandbox;
use crate::scan::image;

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

/// Runs a script with mounts of its own that end with it; root needs no user namespace for that.
pub(crate) fn with_own_mounts(sandbox: &Sandbox, text: &str, args: &[&str]) -> Ended {
    sandbox.write("script", text);
    let alone = if rustix::process::geteuid().is_root() {
        "-m"
    } else {
        "-rm"
    };
    let script = format!(r#"exec unshare {alone} sh -c "$(cat script)" "$0" "$@""#);
    sandbox.script(&script, args)
}

#[test]
fn a_full_disk_is_told_and_loses_nothing() {
    let course = course();
    let [first, second] = [&course.lessons[0].slug, &course.lessons[1].slug];
    let sandbox = Sandbox::without_engine();
    sandbox.write("typed", &typed());
    let ended = with_own_mounts(&sandbox, ON_A_SMALL_DISK, &[first, second]);
    let shown = ended.shown();
    assert_eq!(ended.code, Some(0), "{shown}");
    assert!(shown.contains("the disk takes no more"), "{shown}");
    assert!(shown.contains("Free some space where `"), "{shown}");
    assert!(!shown.contains("please report"), "{shown}");
    let (read, _) = kept(&Home::at(sandbox.path("kept")));
    assert!(read.contains(first), "{read:?}");
}

/// Mends a Dockerfile that is mounted by itself from a small disk, which is `$1`.
const MOUNTED: &str = r#"
mkdir disk && mount -t tmpfs -o size=64k tmpfs disk
cat text >disk/text && : >Dockerfile && mount --bind disk/text Dockerfile
if [ "$1" = full ]; then cat /dev/zero >disk/other 2>/dev/null; fi
"$0" lint --fix --fail-on never Dockerfile >/dev/null
code=$?
cat Dockerfile
exit $code
"#;

#[test]
fn a_dockerfile_that_can_only_be_written_over_is_mended_or_stays() {
    // A little longer, and it takes a second page of the disk.
    let text = |last: &str| format!("FROM a:1\nUSER 1\n# {}\n{last}\n", "a".repeat(4055));
    let before = text("CMD python app.py");
    let sandbox = Sandbox::without_engine();
    sandbox.write("text", &before);
    let mended = with_own_mounts(&sandbox, MOUNTED, &["empty"]);
    assert_eq!(mended.code, Some(0), "{}", mended.shown());
    assert_eq!(mended.stdout, text("CMD [\"python\", \"app.py\"]"));

    let sandbox = Sandbox::without_engine();
    sandbox.write("text", &before);
    let full = with_own_mounts(&sandbox, MOUNTED, &["full"]);
    assert_eq!(full.code, Some(2), "{}", full.shown());
    assert_eq!(full.stdout, before);
    let told = "caused by: no space left on device\n  hint: make room there";
    assert!(full.stderr.contains(told), "{}", full.stderr);
}

/// Writes a list of packages to a full disk, by its name and through a link to nothing.
const LISTED: &str = r#"
mkdir disk && mount -t tmpfs -o size=64k tmpfs disk
cat /dev/zero >disk/other 2>/dev/null
ln -s disk/made link
for name in disk/plain link; do
    "$0" sbom image.tar --format spdx -o "$name" && exit 9
done
readlink link
ls disk
"#;

#[test]
fn of_a_list_of_packages_that_a_full_disk_stopped_nothing_is_left() {
    let sandbox = Sandbox::without_engine();
    let steps: [(&str, &[(&str, &str)]); 1] = [("COPY motd /etc/", &[("etc/motd", "hello")])];
    image(&sandbox.path("image.tar"), &steps);
    let ended = with_own_mounts(&sandbox, LISTED, &[]);
    assert_eq!(ended.code, Some(0), "{}", ended.shown());
    let full = ended.stderr.matches("no space left on device").count();
    assert_eq!(full, 2, "{}", ended.shown());
    assert_eq!(ended.stdout, "disk/made\nother\n", "{}", ended.shown());
}

/// An engine with no image but those that it was given whole; `loads` says what came, and `loaded`
/// is what came last.
const EMPTY_ENGINE: &str = r##"#!/usr/bin/perl
# An engine with no image but those that it is given whole: `loads` says what came, `loaded` has it.
use strict; use IO::Socket::UNIX;
$SIG{CHLD} = "IGNORE";
my ($socket) = @ARGV;
my $listener = IO::Socket::UNIX->new(Local => $socket, Listen => 20) or die "no socket: $!\n";
while (my $client = $listener->accept) {
    next if fork;
    my ($path, $chunked) = ("", 0);
    while (my $line = <$client>) {
        $path = $1 if $line =~ m{^\w+ (\S+)};
        $chunked = 1 if $line =~ /^transfer-encoding: chunked/i;
        last if $line eq "\r\n";
    }
    my $whole = !$chunked;
    my $loading = $path =~ m{/images/load\b};
    open my $loaded, ">", $loading ? "loaded" : "/dev/null";
    while ($chunked and defined(my $size = <$client>)) {
        my $left = hex($size) or do { $whole = 1; last };
        while (my $got = $left && read($client, my $some, $left)) { print $loaded $some; $left -= $got }
        read($client, my $end, 2);
    }
    close $loaded;
    if ($loading) {
        open my $loads, ">>", "loads"; print $loads $whole ? "whole\n" : "cut\n"; close $loads;
    }
    my $has = `cat loads 2>/dev/null` =~ /whole/;
    my $body = $path =~ /version/ ? '{"Version":"20.10.24","ApiVersion":"1.41","Os":"linux","Arch":"amd64"}'
        : $path =~ /info/ ? '{"Name":"elsewhere"}'
        : $path =~ m{/images/json} && $has ? '[{"Id":"sha256:1","ParentId":"","RepoTags":["loadline.local/busybox:latest"],"RepoDigests":[],"Created":1,"Size":1,"SharedSize":-1,"Labels":{},"Containers":-1}]'
        : $path =~ m{/images/loadline.local/busybox:latest/json} && $has ? '{"Id":"sha256:1","RepoTags":["loadline.local/busybox:latest"],"Size":1}'
        : $path =~ m{/images/(load\b|json)} ? '[]' : '{"message":"no"}';
    $body = '{"stream":"Loaded"}' if $path =~ m{/images/load\b};
    my $status = $body =~ /message/ ? 404 : 200;
    printf $client "HTTP/1.1 $status OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", length $body, $body;
    exit;
}
"##;

/// Makes a base image with the home on a disk of size `$1`, moves the home to a larger one (who is not
/// root may not enlarge the first), and makes it again.
const BUILT_TWICE: &str = r#"
size=$1; shift
perl engine "$PWD/engine.sock" & engine=$!
trap 'kill "$engine"' EXIT
while [ ! -S engine.sock ]; do sleep 0.05; done
mkdir -p home/loadline
mount -t tmpfs -o "size=$size" tmpfs home/loadline
"$0" bases build "$@" 2>first && exit 9
cp loads loads-of-first 2>/dev/null
mkdir larger
mount -t tmpfs -o size=1g tmpfs larger
cp -a home/loadline/. larger
mount --bind larger home/loadline
"$0" bases build "$@"
"#;

/// A sandbox with that engine.
pub(crate) fn with_empty_engine() -> Sandbox {
    let sandbox = Sandbox::new();
    let address = format!("unix://{}", sandbox.path("engine.sock").display());
    sandbox.write("engine", EMPTY_ENGINE);
    sandbox.with("DOCKER_HOST", &address)
}

/// Asserts what was said on the small disk, and that nothing half made came of it.
fn assert_told(sandbox: &Sandbox, wanted: &str) {
    let first = std::fs::read_to_string(sandbox.path("first")).expect("it ran");
    assert!(first.contains(wanted), "{first}");
    assert!(first.contains("hint: "), "{first}");
    let loads = std::fs::read_to_string(sandbox.path("loads-of-first")).unwrap_or_default();
    assert!(!loads.contains("whole"), "something was half made: {loads}");
}

#[test]
fn a_base_image_that_a_full_disk_stopped_is_made_once_there_is_room() {
    let sandbox = with_empty_engine();
    let ended = with_own_mounts(&sandbox, BUILT_TWICE, &["1m", "busybox"]);
    assert_told(&sandbox, "the disk is full while packages are downloaded");
    assert_eq!(ended.code, Some(0), "{}", ended.shown());
    let loads = std::fs::read_to_string(sandbox.path("loads")).unwrap_or_default();
    assert_eq!(loads, "whole\n");
}

#[test]
fn a_disk_that_is_full_while_packages_are_unpacked_is_told_and_nothing_half_is_loaded() {
    let sandbox = with_empty_engine();
    // Small while it is downloaded, and not any more once it is unpacked.
    let zeros = vec![0; 48 << 20];
    let large: [(&str, &[u8]); 1] = [("usr/share/large", &zeros)];
    let mirror = Mirror::of(
        &sandbox,
        &[
            ("base-files", "Essential: yes\nPriority: required\n", &large),
            ("apt", "", &[]),
            ("adduser", "", &[]),
        ],
    );
    let script = format!("set -e\n{TRUSTED}set +e\n{BUILT_TWICE}");
    let args = ["32m", "--mirror", &mirror.address, "debian:trixie-slim"];
    let ended = with_own_mounts(&sandbox, &script, &args);
    assert_told(
        &sandbox,
        "the disk takes no more while layers are put together",
    );
    // With room all layers come; this engine runs none of the scripts that would configure them.
    let loads = std::fs::read_to_string(sandbox.path("loads")).unwrap_or_default();
    assert!(loads.ends_with("whole\n"), "{loads}{}", ended.shown());
    assert_ne!(ended.code, Some(0), "{}", ended.shown());
}

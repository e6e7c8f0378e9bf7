//! Whether the image's user may start what the image starts: the bits of the file and of every
//! folder on the way to it, for the user, its groups and everybody else.
//!
//! Engines let root pass over these bits, the execute bit of a file apart.

use super::libraries::Libraries;
use super::remark::Remark;
use super::remark::RemarkKind;
use super::remark::Weight;
use super::start::Started;
use crate::image::Config;
use crate::image::Entry;
use crate::image::EntryKind;
use crate::image::binary::Program;
use crate::image::tree::Node;
use crate::image::tree::Tree;
use crate::image::user::Identity;

/// The bit of a file that may be executed, or of a folder that may be entered.
const EXECUTE: u32 = 1;

/// The bit of a file that may be read.
const READ: u32 = 4;

/// Programs that start another one as somebody else.
const SWITCHES: [&str; 5] = ["gosu", "su-exec", "setpriv", "su", "sudo"];

/// What is started and cannot be, for lack of permission.
pub(super) fn remarks(
    config: &Config,
    tree: &Tree<'_>,
    libraries: &Libraries<'_>,
    starts: &[Started],
) -> Vec<Remark> {
    let mut user = user(config, tree, libraries);
    let mut found = Vec::new();
    for one in starts {
        let Some(path) = &one.path else {
            continue;
        };
        let Ok(node) = tree.find(path) else {
            continue;
        };
        if node.entry.kind != EntryKind::File {
            continue;
        }
        found.extend(refused(path, &node, tree, user.as_ref()));
        let name = one.word.rsplit('/').next().unwrap_or_default();
        if SWITCHES.contains(&name) || node.entry.mode & 0o4000 != 0 {
            // Who comes after it is not the image's user.
            user = None;
        }
    }
    found
}

/// Whoever a container runs as and what the config calls it; `None` for root, for whom the bits do
/// not count, and where nobody knows.
fn user<'c>(
    config: &'c Config,
    tree: &Tree<'_>,
    libraries: &Libraries<'_>,
) -> Option<(Identity, &'c str)> {
    // A file that is there and was not read leaves open what is in it.
    let read = |path: &str| match libraries.file(path) {
        Some(file) => Some(String::from_utf8_lossy(file)),
        None => tree.find(path).is_err().then(|| "".into()),
    };
    let (passwd, group) = (read("etc/passwd")?, read("etc/group")?);
    let identity = Identity::resolve(&config.user, &passwd, &group).ok()?;
    (identity.uid != 0).then(|| (identity, config.user.trim()))
}

/// Why a file cannot be started, where it cannot.
fn refused(
    path: &str,
    node: &Node<'_>,
    tree: &Tree<'_>,
    user: Option<&(Identity, &str)>,
) -> Option<Remark> {
    let remark = |text: String, at: &Node<'_>| {
        let text = format!(
            "What it starts, {path}, {text}: a container of it does not start, permission denied."
        );
        Some(Remark::new(RemarkKind::NotExecutable, Weight::Problem, text).at(&at.path, at.layer))
    };
    if !node.is_executable() {
        let mode = node.entry.mode & 0o7777;
        return remark(format!("has no execute bit (its mode is {mode:03o})"), node);
    }
    let (identity, name) = user?;
    let mut way = tree.folders_to(path).into_iter();
    let closed = way.find(|folder| {
        let is_folder = folder.entry.kind == EntryKind::Directory;
        is_folder && !may(identity, folder.entry, EXECUTE)
    });
    if let Some(folder) = closed {
        let text = format!(
            "lies in /{}, which its user {name} may not enter ({})",
            folder.path,
            whose(folder.entry)
        );
        return remark(text, &folder);
    }
    let whose = whose(node.entry);
    if !may(identity, node.entry, EXECUTE) {
        return remark(
            format!("may not be executed by its user {name} ({whose})"),
            node,
        );
    }
    // A program is read by the kernel, a script by its interpreter.
    let is_script = matches!(node.program, Some(Program::Script { .. }));
    if is_script && !may(identity, node.entry, READ) {
        let text = format!("is a script that its user {name} may not read ({whose})");
        return remark(text, node);
    }
    None
}

/// Whether somebody has a permission: the first of owner, group and everybody that fits decides.
fn may(identity: &Identity, entry: &Entry, bit: u32) -> bool {
    let in_group = |gid: u64| {
        let mut groups = std::iter::once(&identity.gid).chain(&identity.groups);
        groups.any(|group| u64::from(*group) == gid)
    };
    let shift = if u64::from(identity.uid) == entry.uid {
        6
    } else if in_group(entry.gid) {
        3
    } else {
        0
    };
    entry.mode >> shift & bit != 0
}

fn whose(entry: &Entry) -> String {
    format!(
        "it belongs to {}:{}, its mode is {:03o}",
        entry.uid,
        entry.gid,
        entry.mode & 0o7777
    )
}

#[cfg(test)]
mod tests {
    use super::super::probe::testing;
    use super::super::tests::image;
    use super::super::tests::layer;
    use super::super::tests::script;
    use super::super::tests::shown;
    use super::super::tests::starts;
    use super::*;
    use crate::image::Layer;

    const NAMES: [&str; 2] = ["644 etc/passwd", "644 etc/group"];

    /// A layer with these entries beside the files that know `app`, of the group `web` too.
    fn files(entries: &[&str]) -> Layer {
        let mut files = layer(&[&NAMES, entries].concat());
        let passwd = b"root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/:/bin/sh\n";
        files.notes.push(testing::of_file("etc/passwd", passwd));
        let group = b"root:x:0:\nweb:x:50:app\n";
        files.notes.push(testing::of_file("etc/group", group));
        files
    }

    /// Gives an entry to somebody.
    fn give(files: &mut Layer, path: &str, uid: u64, gid: u64) {
        let entry = files.entries.iter_mut().find(|entry| entry.path == path);
        let entry = entry.unwrap();
        (entry.uid, entry.gid) = (uid, gid);
    }

    fn told(files: Layer, user: &str, words: &[&str]) -> Vec<String> {
        let config = Config {
            user: user.to_owned(),
            ..starts(words)
        };
        shown(&image(vec![files], config), &[RemarkKind::NotExecutable])
    }

    #[test]
    fn what_only_its_owner_may_execute_is_a_problem_for_others() {
        let run = || files(&["700 app/run"]);
        assert_eq!(
            told(run(), "app", &["/app/run"]),
            [
                "Problem: What it starts, /app/run, may not be executed by its user app (it belongs to 0:0, its mode is 700): a container of it does not start, permission denied."
            ]
        );
        for anybody in ["", "0", "root", "root:web", "nobody-knows"] {
            assert_eq!(told(run(), anybody, &["/app/run"]), Vec::<String>::new());
        }
        assert_eq!(told(run(), "65532:65532", &["/app/run"]).len(), 1);
        let mut own = run();
        give(&mut own, "app/run", 1000, 0);
        assert_eq!(
            told(own.clone(), "app", &["/app/run"]),
            Vec::<String>::new()
        );
        assert_eq!(
            told(own.clone(), "1000", &["/app/run"]),
            Vec::<String>::new()
        );
        assert_eq!(told(own, "1001", &["/app/run"]).len(), 1);
    }

    #[test]
    fn the_first_of_owner_group_and_others_decides() {
        let with = |mode: &str, uid, gid, user| {
            let mut files = files(&[&format!("{mode} app/run")]);
            give(&mut files, "app/run", uid, gid);
            told(files, user, &["/app/run"]).is_empty()
        };
        // `app` is of the group 50 by the image's own file, and not where another group is named.
        assert!(with("750", 0, 50, "app"));
        assert!(!with("750", 0, 50, "app:1000"));
        assert!(with("750", 0, 50, "7:web"));
        assert!(!with("750", 0, 51, "app"));
        // An owner without the bit is not helped by what others may.
        assert!(!with("655", 1000, 0, "app"));
        assert!(!with("705", 0, 50, "app"));
        assert!(with("701", 0, 51, "app"));
        assert!(with("700", 5, 5, "5"));
        // A user that the files do not know is of group 0.
        assert!(with("750", 5, 0, "65532"));
    }

    #[test]
    fn a_folder_that_the_user_cannot_enter_is_on_the_way() {
        let mut closed = files(&[
            "700 root/",
            "root/bin/",
            "root/bin/run",
            "bin/run -> /root/bin/run",
        ]);
        let problem = "Problem: What it starts, /bin/run, lies in /root, which its user app may not enter (it belongs to 0:0, its mode is 700): a container of it does not start, permission denied.";
        assert_eq!(told(closed.clone(), "app", &["run"]), [problem]);
        assert_eq!(told(closed.clone(), "", &["run"]), Vec::<String>::new());
        give(&mut closed, "root", 1000, 0);
        assert_eq!(told(closed, "app", &["run"]), Vec::<String>::new());
        // What an archive leaves out is not known to be closed.
        assert_eq!(
            told(files(&["x/run"]), "app", &["/x/run"]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_script_is_read_by_its_interpreter() {
        let mut files = files(&["711 run.sh", "bin/sh"]);
        script(&mut files, "run.sh", "/bin/sh", None);
        let found = told(files.clone(), "app", &["/run.sh"]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("is a script that its user app may not read"));
        assert_eq!(told(files, "", &["/run.sh"]), Vec::<String>::new());
    }

    #[test]
    fn who_comes_after_a_switch_of_users_is_not_judged_by_the_bits() {
        let closed = || files(&["usr/bin/gosu", "usr/bin/tini", "700 app/run"]);
        let free = |words: &[&str]| told(closed(), "app", words).is_empty();
        assert!(free(&["gosu", "root", "/app/run"]));
        assert!(!free(&["tini", "--", "/app/run"]));
    }
}

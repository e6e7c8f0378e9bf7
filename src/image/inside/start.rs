//! What a container of an image starts, as far as its config and its files tell.

use serde::Serialize;

use super::wrapper;
use crate::image::Config;
use crate::image::EntryKind;
use crate::image::binary::Program;
use crate::image::shells::SHELLS;
use crate::image::tree::Node;
use crate::image::tree::Tree;
use crate::text::is_shell_builtin;

/// Where programs are looked up in an image that does not say.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How many programs one start may lead through.
const DEEPEST: usize = 8;

/// Programs that do not last: what a container is there for comes behind them.
const PASSING: [&str; 6] = ["echo", "false", "printf", "sleep", "test", "true"];

/// Something that a container starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Started {
    /// As it is written: `python3`, `/app/start.sh`.
    pub word: String,
    /// The path that it leads to, with a leading slash and links not followed; `None` where it is
    /// not there.
    pub path: Option<String>,
    /// Who says so.
    pub because: Because,
}

/// Why something is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// The image's config names it.
    Config,
    /// The program before it is given its name.
    Program,
    /// The first line of the script before it names it.
    Script,
}

/// The folders of the image's `PATH`, in order.
pub fn path_folders(config: &Config) -> impl Iterator<Item = &str> {
    let path = config
        .env
        .iter()
        .find_map(|line| line.strip_prefix("PATH="));
    path.unwrap_or(PATH)
        .split(':')
        .filter(|folder| !folder.is_empty())
}

/// The words that a container of the image starts with. To engines an entrypoint of one empty word
/// is none.
pub fn words(config: &Config) -> impl Iterator<Item = &String> {
    let entrypoint = config.entrypoint.iter();
    let entrypoint = entrypoint.filter(|_| config.entrypoint != [""]);
    entrypoint.chain(&config.cmd)
}

/// The path of the program that an image starts.
#[must_use]
pub fn program_of(config: &Config, tree: &Tree<'_>) -> Option<String> {
    let name = words(config).next()?;
    look_up(name, config, tree).or_else(|| Some(written(name, config)))
}

/// The path that a program's name leads to; `None` where it is not there.
fn look_up(name: &str, config: &Config, tree: &Tree<'_>) -> Option<String> {
    if name.contains('/') {
        return Some(written(name, config)).filter(|path| tree.find(path).is_ok());
    }
    let is_folder = |node: &Node<'_>| node.entry.kind == EntryKind::Directory;
    let paths: Vec<String> = path_folders(config)
        .map(|folder| format!("{}/{name}", folder.trim_end_matches('/')))
        .filter(|path| tree.find(path).is_ok_and(|node| !is_folder(&node)))
        .collect();
    // What may not be executed is passed over, as long as there is another one.
    let may = |path: &&String| tree.find(path).is_ok_and(|node| node.is_executable());
    paths.iter().find(may).or_else(|| paths.first()).cloned()
}

/// The path that a name with a slash stands for.
#[must_use]
pub fn written(name: &str, config: &Config) -> String {
    if name.starts_with('/') || !name.contains('/') {
        return name.to_owned();
    }
    format!("{}/{name}", config.working_dir.trim_end_matches('/'))
}

/// Everything that a container is known to start before its own program decides.
#[must_use]
pub fn started(config: &Config, tree: &Tree<'_>) -> Vec<Started> {
    let mut words: Vec<String> = words(config).cloned().collect();
    let mut found: Vec<Started> = Vec::new();
    let mut because = Because::Config;
    while let Some(word) = words.first().cloned() {
        if found.len() >= DEEPEST {
            break;
        }
        let path = look_up(&word, config, tree);
        found.push(Started {
            word: word.clone(),
            path: path.clone(),
            because,
        });
        let Some(path) = path else {
            break;
        };
        let script = follow_script(&path, config, tree, &mut found);
        because = Because::Program;
        words = match next_words(&word, &words) {
            Some(next) if !script => next,
            _ => break,
        };
    }
    found
}

/// Adds the interpreters of a script, and tells whether it is one.
fn follow_script(path: &str, config: &Config, tree: &Tree<'_>, found: &mut Vec<Started>) -> bool {
    let mut path = path.to_owned();
    let mut is_script = false;
    while found.len() < DEEPEST {
        let Ok(node) = tree.find(&path) else {
            break;
        };
        let Some(Program::Script {
            interpreter,
            argument,
        }) = node.program
        else {
            break;
        };
        is_script = true;
        let resolved = look_up(interpreter, config, tree);
        found.push(Started {
            word: interpreter.clone(),
            path: resolved.clone(),
            because: Because::Script,
        });
        if let Some(name) = env_argument(interpreter, argument.as_deref()) {
            found.push(Started {
                word: name.to_owned(),
                path: look_up(name, config, tree),
                because: Because::Script,
            });
            break;
        }
        match resolved {
            Some(next) => path = next,
            None => break,
        }
    }
    is_script
}

/// The program that `#!/usr/bin/env python3` or `#!/usr/bin/env -S node --x` asks for. What follows
/// the interpreter is one word to the system, which only an option of env takes apart.
#[must_use]
pub fn env_argument<'a>(interpreter: &str, argument: Option<&'a str>) -> Option<&'a str> {
    let is_env = interpreter.rsplit('/').next() == Some("env");
    let argument = argument.filter(|_| is_env)?;
    if !argument.starts_with('-') {
        return Some(argument).filter(|name| !name.contains('='));
    }
    let mut words = argument.split([' ', '\t']).filter(|word| !word.is_empty());
    words.find(|word| !word.starts_with('-') && !word.contains('='))
}

/// Programs that become the one that they start. Others stay beside it, and are process 1.
const BECOMES_ANOTHER: [&str; 6] = ["env", "gosu", "su-exec", "setpriv", "nice", "stdbuf"];

/// Whether a command is a shell that is given its text, `sh -c …`, also by the name of a program
/// that is many tools or that becomes another one.
#[must_use]
pub fn is_a_shell_with_a_text(command: &[String]) -> bool {
    let mut words = command.to_vec();
    while let Some((first, arguments)) = words.split_first() {
        let name = first.rsplit('/').next().unwrap_or(first);
        let next = if matches!(name, "busybox" | "toybox") {
            Some(arguments.to_vec())
        } else if BECOMES_ANOTHER.contains(&name) {
            wrapper::started(name, arguments)
        } else {
            return SHELLS.contains(&name) && is_given_a_text(arguments);
        };
        let Some(next) = next else {
            return false;
        };
        words = next;
    }
    false
}

/// Whether one of a shell's options hands it a text.
fn is_given_a_text(arguments: &[String]) -> bool {
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        let Some(letters) = word.strip_prefix(['-', '+']) else {
            return false;
        };
        if word.starts_with('-') && !letters.starts_with('-') && letters.contains('c') {
            return true;
        }
        // `-o pipefail`, `-O extglob`
        if letters.ends_with(['o', 'O']) || matches!(letters, "-rcfile" | "-init-file") {
            rest.next();
        }
    }
    false
}

/// The words that a program starts in its turn.
fn next_words(word: &str, words: &[String]) -> Option<Vec<String>> {
    let name = word.rsplit('/').next().unwrap_or(word);
    let arguments = words.get(1..)?;
    if matches!(name, "sh" | "bash" | "dash" | "ash") {
        let command = arguments
            .iter()
            .position(|word| word.starts_with('-') && word.ends_with('c'))?;
        return of_shell(arguments.get(command + 1)?);
    }
    wrapper::started(name, arguments)
}

/// The first command of a shell's text, where it is a plain one.
fn of_shell(text: &str) -> Option<Vec<String>> {
    let words = shell_words::split(text).ok()?;
    let is_assignment = |word: &str| {
        word.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        })
    };
    let words: Vec<String> = words
        .into_iter()
        .skip_while(|word| word == "exec" || is_assignment(word))
        .take_while(|word| !matches!(word.as_str(), "&&" | "||" | ";" | "|" | "&"))
        .collect();
    let first = words.first()?;
    // `exec` itself has options.
    let plain = !first.is_empty()
        && !first.starts_with('-')
        && !PASSING.contains(&first.as_str())
        && !is_shell_builtin(first)
        && first
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "/._+-".contains(c));
    plain.then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Contents;
    use crate::image::Entry;
    use crate::image::Layer;
    use crate::units::Bytes;

    fn shown(entrypoint: &[&str], cmd: &[&str]) -> Vec<String> {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let config = Config {
            entrypoint: owned(entrypoint),
            cmd: owned(cmd),
            working_dir: String::from("/srv"),
            ..Config::default()
        };
        let mut layer = Layer::default();
        for path in [
            "bin/sh",
            "usr/bin/env",
            "usr/bin/python3",
            "sbin/tini",
            "usr/bin/dumb-init",
            "usr/bin/nice",
            "usr/bin/setpriv",
            "usr/bin/timeout",
            "srv/run.sh",
            "srv/app.py",
        ] {
            layer.entries.push(Entry {
                path: path.to_owned(),
                kind: EntryKind::File,
                size: Bytes(1),
                mode: 0o755,
                uid: 0,
                gid: 0,
                content: None,
                capabilities: false,
            });
        }
        layer.entries.push(Entry {
            path: String::from("usr/sbin/dumb-init"),
            kind: EntryKind::Directory,
            ..layer.entries[0].clone()
        });
        for (path, interpreter, argument) in [
            ("srv/run.sh", "/bin/sh", None),
            ("srv/app.py", "/usr/bin/env", Some("python3")),
        ] {
            let script = Program::Script {
                interpreter: interpreter.to_owned(),
                argument: argument.map(str::to_owned),
            };
            layer.programs.insert(path.to_owned(), script);
        }
        let contents = Contents {
            layers: vec![layer],
            ..Contents::default()
        };
        let tree = Tree::of(&contents);
        started(&config, &tree)
            .iter()
            .map(|one| format!("{} = {}", one.word, one.path.as_deref().unwrap_or("?")))
            .collect()
    }

    #[test]
    fn a_program_is_looked_up_and_its_arguments_are_none() {
        assert_eq!(
            shown(&["python3"], &["app.py"]),
            ["python3 = /usr/bin/python3"]
        );
        assert_eq!(shown(&[], &["gunicorn", "app"]), ["gunicorn = ?"]);
        assert_eq!(shown(&[], &[]), Vec::<String>::new());
        assert_eq!(shown(&[""], &["python3"]), ["python3 = /usr/bin/python3"]);
        // A folder of that name is passed over.
        let folder = "dumb-init = /usr/bin/dumb-init";
        assert_eq!(shown(&["dumb-init"], &[]), [folder]);
    }

    #[test]
    fn wrappers_shells_and_scripts_are_followed() {
        assert_eq!(
            shown(&["tini", "--"], &["./run.sh"]),
            [
                "tini = /sbin/tini",
                "./run.sh = /srv/./run.sh",
                "/bin/sh = /bin/sh"
            ]
        );
        assert_eq!(
            shown(&["/bin/sh", "-c", "A=b exec python3 app.py && true"], &[]),
            ["/bin/sh = /bin/sh", "python3 = /usr/bin/python3"]
        );
        assert_eq!(
            shown(&["/srv/app.py"], &[]),
            [
                "/srv/app.py = /srv/app.py",
                "/usr/bin/env = /usr/bin/env",
                "python3 = /usr/bin/python3"
            ]
        );
        for script in [
            "cd /x && make",
            "command -v make",
            "exec -a x make",
            "sleep 5 && ./run.sh",
        ] {
            assert_eq!(shown(&["sh", "-c", script], &[]), ["sh = /bin/sh"]);
        }
        assert_eq!(
            shown(&["env", "-i", "A=b", "node"], &[]),
            ["env = /usr/bin/env", "node = ?"]
        );
        // The value of an option is not the program.
        for line in [
            "tini -e 143 -- python3",
            "dumb-init --rewrite 15:2 -- python3",
            "nice -n 10 python3",
            "setpriv --reuid 1000 python3",
            "timeout -s KILL 30 python3",
        ] {
            let words: Vec<&str> = line.split(' ').collect();
            let shown = shown(&words, &[]);
            let last = shown.last().map(String::as_str);
            let python = Some("python3 = /usr/bin/python3");
            assert_eq!((shown.len(), last), (2, python), "{line}");
        }
    }

    #[test]
    fn the_argument_of_env_is_the_program() {
        assert_eq!(
            env_argument("/usr/bin/env", Some("-S node --x")),
            Some("node")
        );
        assert_eq!(
            env_argument("/usr/bin/env", Some("python3 -u")),
            Some("python3 -u")
        );
        assert_eq!(env_argument("/usr/bin/env", Some("A=b python3")), None);
        assert_eq!(env_argument("/bin/sh", Some("-e")), None);
        assert_eq!(env_argument("/usr/bin/env", None), None);
    }
}

//! Which instruction of the image brought which files, as far as the text alone says it.
//!
//! Only what can be read is known: paths with variables, and what scripts do, are not.

use std::collections::BTreeMap;

use super::super::ast::Body;
use super::super::ast::Instruction;
use super::super::ast::Keyword;
use super::super::ast::Word;
use super::super::shell::ShellCommand;
use super::super::shell::base_name;
use super::subject::RunView;
use super::subject::Subject;

/// The longest path that is looked at, in bytes.
const LONGEST: usize = 4096;

/// Files and folders with the line that brought each.
#[derive(Debug, Clone, Default)]
pub(super) struct Brought {
    paths: BTreeMap<String, Place>,
    /// Folders that were made and hold nothing that is known of.
    empty: BTreeMap<String, u32>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    line: u32,
    /// Whether it is a folder whose content came along.
    tree: bool,
}

/// What a command makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    /// A file, or something of which nothing is known.
    File,
    /// A folder with its content.
    Tree,
    /// A folder without content.
    Empty,
}

impl Brought {
    fn add(&mut self, path: String, line: u32, made: Made) {
        if made == Made::Empty {
            self.empty.insert(path, line);
        } else {
            let tree = made == Made::Tree;
            self.paths.insert(path, Place { line, tree });
        }
    }

    /// The line that brought `path`, something below it, or a folder that it was in.
    pub(super) fn within(&self, path: &str) -> Option<u32> {
        let empty = || at_or_below(&self.empty, path).copied();
        let full = self.at_or_below(path);
        full.or_else(empty).or_else(|| self.above(path))
    }

    /// The line that brought bytes to `path`, or to something below it.
    pub(super) fn at_or_below(&self, path: &str) -> Option<u32> {
        at_or_below(&self.paths, path).map(|place| place.line)
    }

    /// The line that brought a folder above `path` with its content.
    pub(super) fn above(&self, path: &str) -> Option<u32> {
        let places = parents(path).filter_map(|parent| self.paths.get(parent));
        places.filter(|place| place.tree).last().map(|one| one.line)
    }

    /// Whether `path` itself, or a folder above it, is among them.
    pub(super) fn holds(&self, path: &str) -> bool {
        let has = |path: &str| self.paths.contains_key(path) || self.empty.contains_key(path);
        has(path) || parents(path).any(has)
    }

    /// Forgets `path` and what is below it.
    fn remove(&mut self, path: &str) {
        remove(&mut self.paths, path);
        remove(&mut self.empty, path);
    }

    /// Adds what came later.
    fn append(&mut self, mut later: Self) {
        self.paths.append(&mut later.paths);
        self.empty.append(&mut later.empty);
    }
}

/// The folders that an absolute path lies in, the highest first, without the root.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    let ends = path.match_indices('/').map(|(at, _)| at);
    ends.filter_map(|at| path.get(..at))
        .filter(|parent| !parent.is_empty())
}

/// What is known of `path`, otherwise of the first path below it.
fn at_or_below<'m, T>(paths: &'m BTreeMap<String, T>, path: &str) -> Option<&'m T> {
    if let Some(found) = paths.get(path) {
        return Some(found);
    }
    let folder = format!("{}/", path.trim_end_matches('/'));
    let below = paths.range(folder.clone()..).next();
    below
        .filter(|(found, _)| found.starts_with(&folder))
        .map(|(_, value)| value)
}

fn remove<T>(paths: &mut BTreeMap<String, T>, path: &str) {
    paths.remove(path);
    let folder = format!("{}/", path.trim_end_matches('/'));
    let below: Vec<String> = paths
        .range(folder.clone()..)
        .map(|(found, _)| found.clone())
        .take_while(|found| found.starts_with(&folder))
        .collect();
    for found in below {
        paths.remove(&found);
    }
}

/// A command of a `RUN` that is part of the image.
#[derive(Debug)]
pub(super) struct Step<'s> {
    pub(super) run: &'s RunView<'s>,
    pub(super) command: &'s ShellCommand,
    /// What earlier instructions brought.
    pub(super) earlier: &'s Brought,
    /// What this `RUN` made so far.
    pub(super) here: &'s Brought,
    folder: Option<&'s str>,
}

impl Step<'_> {
    /// The absolute path that an argument means.
    pub(super) fn resolve(&self, text: &str) -> Option<String> {
        resolve(self.folder, text)
    }
}

/// Walks through the commands of the image in the order in which they run.
pub(super) fn walk(subject: &Subject<'_>, see: &mut dyn FnMut(&Step<'_>)) {
    let mut earlier = Brought::default();
    let mut folder: Option<String> = None;
    for stage in subject.shipping() {
        let mut runs = stage.runs.iter();
        for instruction in &stage.stage.instructions {
            match &instruction.body {
                Body::Word(path) if instruction.keyword == Keyword::Workdir => {
                    folder = resolve(folder.as_deref(), &path.text);
                }
                Body::Copy {
                    sources,
                    destination,
                } => copy(
                    instruction,
                    sources,
                    destination,
                    folder.as_deref(),
                    &mut earlier,
                ),
                Body::Command(_) if instruction.keyword == Keyword::Run => {
                    let run = runs.find(|run| std::ptr::eq(run.instruction, instruction));
                    if let Some(run) = run {
                        walk_run(run, folder.as_deref(), &mut earlier, see);
                    }
                }
                _ => {}
            }
        }
    }
}

fn walk_run(
    run: &RunView<'_>,
    folder: Option<&str>,
    earlier: &mut Brought,
    see: &mut dyn FnMut(&Step<'_>),
) {
    let mut here = Brought::default();
    let mut folder = folder.map(str::to_owned);
    for command in &run.commands {
        see(&Step {
            run,
            command,
            earlier,
            here: &here,
            folder: folder.as_deref(),
        });
        let words = command.arguments();
        match command.program() {
            "cd" | "pushd" => {
                let target = words.iter().find(|word| !word.is_option());
                folder = target.and_then(|word| resolve(folder.as_deref(), &word.text));
            }
            "rm" | "unlink" => {
                for word in words.iter().filter(|word| !word.is_option()) {
                    if let Some(path) = resolve(folder.as_deref(), &word.text) {
                        here.remove(&path);
                    }
                }
            }
            _ => {
                for (path, what) in made(command) {
                    if let Some(path) = resolve(folder.as_deref(), &path) {
                        here.add(path, run.instruction.line, what);
                    }
                }
            }
        }
    }
    earlier.append(here);
}

fn copy(
    instruction: &Instruction,
    sources: &[Word],
    destination: &Word,
    folder: Option<&str>,
    brought: &mut Brought,
) {
    let Some(path) = resolve(folder, &destination.text) else {
        return;
    };
    let line = instruction.line;
    let is_folder = destination.text.ends_with('/') || destination.text == "." || sources.len() > 1;
    for source in sources {
        let name = base_name(source.text.trim_end_matches('/'));
        let looks_like_file = name.trim_start_matches('.').contains('.') && !name.contains('*');
        if is_folder && looks_like_file {
            brought.add(
                format!("{}/{name}", path.trim_end_matches('/')),
                line,
                Made::File,
            );
        } else if looks_like_file {
            brought.add(path.clone(), line, Made::File);
        } else {
            brought.add(path.clone(), line, Made::Tree);
        }
    }
}

/// Files and folders that a command makes, and what they hold.
fn made(command: &ShellCommand) -> Vec<(String, Made)> {
    let words = command.arguments();
    let last = words.iter().rfind(|word| !word.is_option());
    let mut made: Vec<(String, Made)> = command
        .redirects
        .iter()
        .filter(|one| matches!(one.operator, ">" | ">>" | ">|"))
        .map(|one| (one.target.text.clone(), Made::File))
        .collect();
    let one = match command.program() {
        "curl" => downloaded(command, 'o', &["--output"], &[]).map(|path| (path, Made::File)),
        "wget" => downloaded(
            command,
            'O',
            &["--output-document"],
            &["-P", "--directory-prefix"],
        )
        .map(|path| (path, Made::File)),
        "git" if command.has("clone") => cloned(command).map(|path| (path, Made::Tree)),
        "tar" | "bsdtar" => value(command, &["-C", "--directory"]).map(|path| (path, Made::Tree)),
        "unzip" => value(command, &["-d"]).map(|path| (path, Made::Tree)),
        "mkdir" => {
            made.extend(folders(command));
            None
        }
        "install" if command.has_option('d', "directory") => {
            made.extend(folders(command));
            None
        }
        "cp" | "mv" | "install" | "touch" => last.map(|word| (word.text.clone(), Made::File)),
        "npm" | "yarn" | "pnpm" => Some((String::from("node_modules"), Made::Tree)),
        _ => None,
    };
    made.extend(one.filter(|(path, _)| !path.is_empty() && path != "-"));
    made
}

/// The empty folders that a command makes: all that it names.
fn folders(command: &ShellCommand) -> impl Iterator<Item = (String, Made)> {
    let named = command.arguments().iter().filter(|word| !word.is_option());
    named.map(|word| (word.text.clone(), Made::Empty))
}

/// The word behind one of these options.
fn value(command: &ShellCommand, names: &[&str]) -> Option<String> {
    let words = command.arguments();
    let at = words
        .iter()
        .position(|word| names.contains(&word.text.as_str()))?;
    words.get(at + 1).map(|word| word.text.clone())
}

/// The address that a command is given.
fn address(command: &ShellCommand) -> Option<&str> {
    let mut words = command.arguments().iter();
    let word = words.find(|word| word.text.contains("://"))?;
    word.text.split('?').next()
}

/// Where a download goes: behind the option `short` at the end of a cluster (`-fsSLo x`) or one of
/// the `long` ones, otherwise under its own name.
fn downloaded(
    command: &ShellCommand,
    short: char,
    long: &[&str],
    folder: &[&str],
) -> Option<String> {
    let words = command.arguments();
    let cluster = words.iter().position(|word| {
        word.is_option() && !word.text.starts_with("--") && word.text.ends_with(short)
    });
    let behind = cluster.and_then(|at| words.get(at + 1));
    let named = behind
        .map(|word| word.text.clone())
        .or_else(|| value(command, long));
    // Without `-O` curl writes to its standard output.
    let own_name = short == 'O' || command.has_option('O', "remote-name");
    if named.is_some() || !own_name {
        return named;
    }
    let name = base_name(address(command)?);
    match value(command, folder) {
        Some(folder) => Some(format!("{folder}/{name}")),
        None => Some(name.to_owned()),
    }
}

/// The folder of a clone: the last word, otherwise the name of the repository.
fn cloned(command: &ShellCommand) -> Option<String> {
    let last = command
        .arguments()
        .iter()
        .rfind(|word| !word.is_option())?
        .text
        .as_str();
    if last != "clone" && !last.contains("://") && !last.contains('@') {
        return Some(last.to_owned());
    }
    let name = base_name(address(command)?);
    Some(name.trim_end_matches(".git").to_owned())
}

/// The absolute path that `text` means in `folder`; `None` where that cannot be read.
pub(super) fn resolve(folder: Option<&str>, text: &str) -> Option<String> {
    let text = text.trim_matches(['"', '\'']);
    // Longer ones no system takes.
    if text.len() > LONGEST {
        return None;
    }
    if text.contains(['$', '`', '\\']) || text.is_empty() || text.starts_with('~') {
        return None;
    }
    let whole = if text.starts_with('/') {
        text.to_owned()
    } else {
        format!(
            "{}/{text}",
            folder.filter(|folder| folder.len() <= LONGEST)?
        )
    };
    // `/a/*` is what is in `/a`.
    let whole = whole.strip_suffix("/*").unwrap_or(&whole);
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    Some(format!("/{}", parts.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_resolved_as_far_as_they_can_be_read() {
        for (folder, text, wanted) in [
            (None, "/a/./b/../c/", Some("/a/c")),
            (Some("/app"), "x", Some("/app/x")),
            (Some("/app"), ".", Some("/app")),
            (None, "x", None),
            (Some("/"), "$X/y", None),
            (None, "/var/cache/apk/*", Some("/var/cache/apk")),
            (None, "/../..", Some("/")),
        ] {
            assert_eq!(resolve(folder, text).as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_below_a_path_and_the_folder_around_it_count() {
        let mut brought = Brought::default();
        brought.add("/app".to_owned(), 3, Made::Tree);
        brought.add("/tmp/x.tar".to_owned(), 5, Made::File);
        assert_eq!(brought.within("/app/node_modules"), Some(3));
        assert_eq!(brought.within("/tmp"), Some(5));
        assert_eq!(brought.within("/tmp/x.tar/y"), None);
        assert_eq!(brought.within("/application"), None);
        brought.remove("/tmp");
        assert_eq!(brought.within("/tmp"), None);
    }
}

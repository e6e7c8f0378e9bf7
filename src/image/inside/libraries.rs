//! Which libraries a program loads in this image, and which of them its loader would not find.
//!
//! Follows the manuals of the two loaders that images have. GNU: `DT_RPATH` of the file and of those
//! that load it (where the file has no `DT_RUNPATH`), `LD_LIBRARY_PATH`, `DT_RUNPATH`,
//! `/etc/ld.so.cache`, the default folders. musl: `LD_LIBRARY_PATH`, both paths of the file and of
//! those that load it, the folders of `/etc/ld-musl-ARCH.path` or the default ones.

use std::cell::OnceCell;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::collections::HashMap;

use super::dynamic::Dynamic;
use super::loader_cache;
use super::probe::Remembered;
use crate::image::Config;
use crate::image::Contents;
use crate::image::EntryKind;
use crate::image::tree::Node;
use crate::image::tree::Tree;

/// How many files of one name are looked at for why none of them does.
const MOST_NAMESAKES: usize = 64;

/// What the folder of a default folder is called in which libraries for some processors lie.
const PROCESSORS: &str = "/glibc-hwcaps/";

/// The most files that one program may load, and the most places that are tried for them.
const MOST_LOADED: usize = 512;
const MOST_TRIED: usize = 20_000;

/// A library that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Its name: `libssl.so.3`.
    pub name: String,
    /// The file that asks for it, with a leading slash.
    pub by: String,
    /// Where its loader finds it; `None` where it does not.
    pub found: Option<String>,
    /// A place where it is all the same, where its loader finds it nowhere.
    pub elsewhere: Option<Elsewhere>,
}

/// Where a library is that its loader does not find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// The path, with a leading slash.
    pub path: String,
    /// Why the loader does not find it there.
    pub why: Unfit,
}

/// Why a library does not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unfit {
    /// The loader does not look there.
    NotLookedFor,
    /// It is for another architecture.
    OtherMachine,
    /// It is a link that leads nowhere.
    LeadsNowhere,
}

/// What a program needs to start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Its loader, and whether the image has it.
    pub loader: Option<(String, bool)>,
    /// The libraries that it loads, and those that they load, each once.
    pub libraries: Vec<Asked>,
    /// Whether everything that it asks for is known.
    pub complete: bool,
}

impl Needs {
    /// The libraries that its loader does not find.
    pub fn missing(&self) -> impl Iterator<Item = &Asked> {
        self.libraries.iter().filter(|asked| asked.found.is_none())
    }

    /// The missing libraries in a phrase: `libssl.so.3 and libcrypto.so.3`; `None` where none is.
    #[must_use]
    pub fn missing_names(&self) -> Option<String> {
        let names: Vec<&str> = self.missing().map(|asked| asked.name.as_str()).collect();
        enumerate(&names)
    }
}

/// Names in a phrase, the first few of many.
pub(super) fn enumerate(names: &[&str]) -> Option<String> {
    const SHOWN: usize = 6;
    if names.len() > SHOWN {
        let shown = names.get(..SHOWN)?.join(", ");
        return Some(format!("{shown} and {} more", names.len() - SHOWN));
    }
    let (last, before) = names.split_last()?;
    if before.is_empty() {
        return Some((*last).to_owned());
    }
    Some(format!("{} and {last}", before.join(", ")))
}

/// Which loader a program has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Gnu,
    Musl,
}

/// A library that a program of one machine asks one loader for.
type Wish = (Kind, bool, String, String);

fn wish(name: &str, asking: &Dynamic, kind: Kind) -> Wish {
    (kind, asking.wide, asking.machine.clone(), name.to_owned())
}

/// A file that is loaded.
struct Loaded<'a> {
    dynamic: &'a Dynamic,
    /// Its path, with a leading slash.
    path: String,
    /// What `$ORIGIN` stands for: as it was found, and with links followed.
    origins: [String; 2],
    parent: Option<usize>,
}

impl<'a> Loaded<'a> {
    /// The program itself.
    fn main(dynamic: &'a Dynamic, path: &str, node: &Node<'_>) -> Self {
        let path = format!("/{}", path.trim_start_matches('/'));
        Self {
            dynamic,
            origins: origins(&path, &node.path),
            path,
            parent: None,
        }
    }
}

/// Finds libraries in one image.
pub struct Libraries<'a> {
    tree: &'a Tree<'a>,
    config: &'a Config,
    remembered: Remembered<'a>,
    cache: Option<HashMap<String, Vec<String>>>,
    /// Whether there is a cache that could not be read: then nothing is missing for sure.
    unread_cache: bool,
    /// The paths of library files, by the name of the file.
    names: HashMap<String, Vec<String>>,
    /// Those of them for some processors alone.
    for_processors: HashMap<String, Vec<String>>,
    /// The folders that musl's loader searches, once they were asked for.
    musl_folders: OnceCell<Vec<String>>,
    /// What was found without being told where to look.
    defaults: RefCell<HashMap<Wish, Option<String>>>,
    /// Where what was not found is all the same.
    elsewhere: RefCell<HashMap<Wish, Option<Elsewhere>>>,
}

impl std::fmt::Debug for Libraries<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Libraries").finish_non_exhaustive()
    }
}

impl<'a> Libraries<'a> {
    /// Prepares the search in an image whose pass had [`super::probe()`].
    #[must_use]
    pub fn of(contents: &'a Contents, tree: &'a Tree<'a>) -> Self {
        let remembered = Remembered::of(&contents.layers);
        let cache = tree.find("etc/ld.so.cache").ok();
        let read = cache
            .as_ref()
            .and_then(|node| remembered.file(node))
            .and_then(loader_cache::read);
        let is_library = |path: &String| path.contains(".so");
        let mut names: HashMap<String, Vec<String>> = HashMap::new();
        let mut for_processors: HashMap<String, Vec<String>> = HashMap::new();
        for path in tree.paths().filter(is_library) {
            let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
            if path.contains(PROCESSORS) {
                let paths = for_processors.entry(name.clone()).or_default();
                paths.push(path.clone());
            }
            names.entry(name).or_default().push(path);
        }
        Self {
            tree,
            config: &contents.config,
            unread_cache: cache.is_some() && read.is_none(),
            cache: read,
            names,
            for_processors,
            remembered,
            musl_folders: OnceCell::new(),
            defaults: RefCell::default(),
            elsewhere: RefCell::default(),
        }
    }

    /// What a file asks of a loader, as far as the pass looked.
    pub fn dynamic(&self, node: &Node<'a>) -> Option<&Dynamic> {
        self.remembered.dynamic(node)
    }

    /// The content of a small file that the pass remembers.
    pub(super) fn file(&self, path: &str) -> Option<&[u8]> {
        let node = self.tree.find(path).ok()?;
        self.remembered.file(&node)
    }

    /// Where a library of that name lies, whether or not a loader looks there.
    #[must_use]
    pub fn anywhere(&self, name: &str) -> Option<String> {
        let path = self.names.get(name)?.last()?;
        Some(format!("/{path}"))
    }

    /// Where a library of that name lies that the loader of `asking` does not find.
    fn elsewhere(&self, name: &str, asking: &Dynamic, kind: Kind) -> Option<Elsewhere> {
        let key = wish(name, asking, kind);
        if let Some(known) = self.elsewhere.borrow().get(&key) {
            return known.clone();
        }
        let found = self.look_elsewhere(name, asking);
        self.elsewhere.borrow_mut().insert(key, found.clone());
        found
    }

    fn look_elsewhere(&self, name: &str, asking: &Dynamic) -> Option<Elsewhere> {
        let paths = self.names.get(name)?.iter().take(MOST_NAMESAKES);
        let places = paths.filter_map(|path| {
            let path = format!("/{path}");
            let why = match self.tree.find(&path) {
                Err(_) => Unfit::LeadsNowhere,
                Ok(_) if self.fits(&path, asking) => Unfit::NotLookedFor,
                Ok(node) if node.entry.kind == EntryKind::File => Unfit::OtherMachine,
                Ok(_) => return None,
            };
            Some(Elsewhere { path, why })
        });
        places.min_by_key(|place| place.why)
    }

    /// Whether a loader itself is what is asked for, under one of its names.
    #[must_use]
    pub fn is_loader(name: &str) -> bool {
        name.starts_with("ld-linux") || name.starts_with("ld-musl-") || name.starts_with("ld64.so")
    }

    /// Whether musl's loader stands in for a library of this name.
    #[must_use]
    pub fn is_of_musl(name: &str) -> bool {
        let parts = ["c.", "pthread.", "rt.", "m.", "dl.", "util.", "xnet."];
        let rest = name.strip_prefix("lib").unwrap_or_default();
        parts.iter().any(|part| rest.starts_with(part))
    }

    /// What a program needs; `None` where it needs no loader, or is not there.
    #[must_use]
    pub fn needs(&self, path: &str) -> Option<Needs> {
        let node = self.tree.find(path).ok()?;
        let main = self.remembered.dynamic(&node)?;
        let loader = main.interpreter.as_ref().map(|loader| {
            let here = self.tree.find(loader).is_ok();
            (loader.clone(), here)
        });
        let kind = match &main.interpreter {
            Some(loader) if loader.contains("ld-musl") => Kind::Musl,
            _ => Kind::Gnu,
        };
        let mut needs = Needs {
            loader,
            complete: main.complete && !self.unread_cache,
            ..Needs::default()
        };
        let mut loaded = vec![Loaded::main(main, path, &node)];
        let mut names: BTreeSet<String> = BTreeSet::new();
        let mut tries = MOST_TRIED;
        let mut next = 0;
        while let Some(here) = loaded.get(next) {
            let (by, dynamic) = (here.path.clone(), here.dynamic);
            for name in dynamic.needed.clone() {
                let own = Self::is_loader(&name) || (kind == Kind::Musl && Self::is_of_musl(&name));
                if own || !names.insert(name.clone()) {
                    continue;
                }
                let found = self.find(&name, next, &loaded, kind, &mut tries);
                let elsewhere = match found {
                    Some(_) => None,
                    None => self.elsewhere(&name, dynamic, kind),
                };
                if let Some((path, node, dynamic)) = found
                    .as_ref()
                    .filter(|_| loaded.len() < MOST_LOADED)
                    .and_then(|path| self.loadable(path))
                {
                    needs.complete &= dynamic.complete;
                    names.extend(dynamic.soname.clone());
                    loaded.push(Loaded {
                        dynamic,
                        origins: origins(path, &node.path),
                        path: path.to_owned(),
                        parent: Some(next),
                    });
                }
                needs.libraries.push(Asked {
                    name,
                    by: by.clone(),
                    found,
                    elsewhere,
                });
            }
            next += 1;
        }
        needs.complete &= tries > 0;
        Some(needs)
    }

    /// A library of which the pass remembers what it asks for.
    fn loadable<'p>(&self, path: &'p str) -> Option<(&'p str, Node<'a>, &Dynamic)> {
        let node = self.tree.find(path).ok()?;
        let dynamic = self.remembered.dynamic(&node)?;
        Some((path, node, dynamic))
    }

    /// Where the loader finds a library that the file number `asking` wants.
    fn find(
        &self,
        name: &str,
        asking: usize,
        loaded: &[Loaded<'a>],
        kind: Kind,
        tries: &mut usize,
    ) -> Option<String> {
        let dynamic = loaded.get(asking)?.dynamic;
        if name.contains('/') {
            let path = absolute(name, &self.config.working_dir);
            return self.fits(&path, dynamic).then_some(path);
        }
        let environment = self
            .config
            .env
            .iter()
            .find_map(|line| line.strip_prefix("LD_LIBRARY_PATH="))
            .unwrap_or_default();
        let environment = || environment.split([':', ';']).map(str::to_owned);
        let mut folders: Vec<String> = Vec::new();
        match kind {
            Kind::Gnu => {
                if dynamic.runpath.is_empty() {
                    folders.extend(inherited(loaded, asking, kind));
                }
                folders.extend(environment());
                folders.extend(expanded(loaded.get(asking)?, &dynamic.runpath));
            }
            Kind::Musl => {
                folders.extend(environment());
                folders.extend(inherited(loaded, asking, kind));
            }
        }
        for folder in folders.iter().filter(|folder| !folder.is_empty()) {
            *tries = tries.saturating_sub(1);
            if *tries == 0 {
                return None;
            }
            let folder = absolute(folder, &self.config.working_dir);
            let path = format!("{}/{name}", folder.trim_end_matches('/'));
            if self.fits(&path, dynamic) {
                return Some(path);
            }
        }
        self.by_default(name, dynamic, kind)
    }

    /// Where a loader finds a library without being told where to look.
    fn by_default(&self, name: &str, dynamic: &Dynamic, kind: Kind) -> Option<String> {
        let key = wish(name, dynamic, kind);
        if let Some(known) = self.defaults.borrow().get(&key) {
            return known.clone();
        }
        let cached = self.cache.as_ref().filter(|_| kind == Kind::Gnu);
        let cached = cached.and_then(|cache| cache.get(name));
        let cached = cached.into_iter().flatten().cloned();
        let folders = match kind {
            Kind::Gnu => gnu_folders(&dynamic.machine),
            // A walk over all paths: once for an image, however many libraries are asked for.
            Kind::Musl => self
                .musl_folders
                .get_or_init(|| self.musl_folders())
                .clone(),
        };
        let in_folders = folders.iter().map(|folder| format!("{folder}/{name}"));
        let found = cached
            .chain(in_folders)
            .find(|path| self.fits(path, dynamic))
            .or_else(|| self.for_some_processors(name, dynamic, &folders, kind))
            // Somewhere in a cache that could not be read.
            .or_else(|| {
                self.anywhere(name)
                    .filter(|_| self.unread_cache && kind == Kind::Gnu)
            });
        self.defaults.borrow_mut().insert(key, found.clone());
        found
    }

    /// A library in the part of a default folder that the GNU loader (2.33 and later) searches on
    /// processors of a kind: which one a container will run on is not known.
    fn for_some_processors(
        &self,
        name: &str,
        asking: &Dynamic,
        folders: &[String],
        kind: Kind,
    ) -> Option<String> {
        let paths = self.for_processors.get(name);
        let paths = paths.filter(|_| kind == Kind::Gnu)?.iter();
        let mut paths = paths.take(MOST_NAMESAKES).map(|path| format!("/{path}"));
        let is_below = |path: &String| {
            let folder = path.split_once(PROCESSORS).map(|(folder, _)| folder);
            folder.is_some_and(|folder| folders.iter().any(|one| one == folder))
        };
        paths.find(|path| is_below(path) && self.fits(path, asking))
    }

    fn musl_folders(&self) -> Vec<String> {
        let file = self.tree.paths().find(|path| {
            path.strip_prefix("etc/ld-musl-")
                .is_some_and(|rest| rest.ends_with(".path"))
        });
        match file.and_then(|path| self.file(&path)) {
            Some(text) => {
                let text = String::from_utf8_lossy(text).into_owned();
                let folders = text.split(['\n', ':']).map(str::trim);
                folders
                    .filter(|one| !one.is_empty())
                    .map(str::to_owned)
                    .collect()
            }
            None => ["/lib", "/usr/local/lib", "/usr/lib"]
                .map(str::to_owned)
                .into(),
        }
    }

    /// Whether there is a file that a program of this machine can load.
    fn fits(&self, path: &str, asking: &Dynamic) -> bool {
        let Ok(node) = self.tree.find(path) else {
            return false;
        };
        let is_file = node.entry.kind == EntryKind::File;
        let same = self
            .remembered
            .dynamic(&node)
            .is_none_or(|library| library.machine == asking.machine && library.wide == asking.wide);
        is_file && same
    }
}

/// The folders that a file and those that load it name the old way (for musl: in either way).
fn inherited(loaded: &[Loaded<'_>], asking: usize, kind: Kind) -> Vec<String> {
    let mut folders = Vec::new();
    let mut at = Some(asking);
    while let Some(here) = at.and_then(|at| loaded.get(at)) {
        match kind {
            // A file that names folders the new way takes no part in the old one.
            Kind::Gnu if here.dynamic.runpath.is_empty() => {
                folders.extend(expanded(here, &here.dynamic.rpath));
            }
            Kind::Gnu => {}
            Kind::Musl => {
                folders.extend(expanded(here, &here.dynamic.rpath));
                folders.extend(expanded(here, &here.dynamic.runpath));
            }
        }
        at = here.parent;
    }
    folders
}

/// Folders with what a loader puts in: `$ORIGIN`, `$LIB`, `$PLATFORM`.
fn expanded(of: &Loaded<'_>, folders: &[String]) -> Vec<String> {
    let mut all = Vec::new();
    for folder in folders {
        if !folder.contains('$') {
            all.push(folder.clone());
            continue;
        }
        let multiarch = triplet(&of.dynamic.machine).map(|triplet| format!("lib/{triplet}"));
        let libraries = multiarch.iter().map(String::as_str).chain(["lib64", "lib"]);
        for library in libraries {
            for origin in &of.origins {
                let put = |text: String, name: &str, value: &str| {
                    text.replace(&format!("${{{name}}}"), value)
                        .replace(&format!("${name}"), value)
                };
                let text = put(folder.clone(), "ORIGIN", origin);
                let text = put(text, "LIB", library);
                let text = put(text, "PLATFORM", platform(&of.dynamic.machine));
                if !all.contains(&text) {
                    all.push(text);
                }
            }
        }
    }
    all
}

/// The folder of a file, as it was found and with links followed.
fn origins(found: &str, own: &str) -> [String; 2] {
    let folder = |path: &str| match path.trim_start_matches('/').rsplit_once('/') {
        Some((folder, _)) => format!("/{folder}"),
        None => String::from("/"),
    };
    [folder(found), folder(own)]
}

fn absolute(path: &str, working_dir: &str) -> String {
    if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{}/{path}", working_dir.trim_matches('/'))
    }
}

/// Debian's name for an architecture, which its default folders have.
fn triplet(machine: &str) -> Option<&'static str> {
    match machine {
        "amd64" => Some("x86_64-linux-gnu"),
        "arm64" => Some("aarch64-linux-gnu"),
        "386" => Some("i386-linux-gnu"),
        "arm" => Some("arm-linux-gnueabihf"),
        "riscv64" => Some("riscv64-linux-gnu"),
        "ppc64le" => Some("powerpc64le-linux-gnu"),
        "s390x" => Some("s390x-linux-gnu"),
        _ => None,
    }
}

fn platform(machine: &str) -> &str {
    match machine {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        "386" => "i686",
        other => other,
    }
}

/// The folders that distributions build into the GNU loader, of any of them.
fn gnu_folders(machine: &str) -> Vec<String> {
    let multiarch = triplet(machine).into_iter();
    let multiarch = multiarch.flat_map(|one| [format!("/lib/{one}"), format!("/usr/lib/{one}")]);
    let plain = [
        "/lib64",
        "/usr/lib64",
        "/lib",
        "/usr/lib",
        "/lib32",
        "/usr/lib32",
    ];
    multiarch.chain(plain.map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::probe::testing;
    use super::super::tests::image;
    use super::super::tests::layer;
    use super::*;

    #[test]
    fn many_namesakes_cost_one_look_for_all_programs_of_a_machine() {
        let mut files = layer(&["a", "b", "c", "lib/glibc-hwcaps/v2/libz.so"]);
        for number in 0..200 {
            let namesake = format!("d/{number}/libx.so");
            files.entries.extend(layer(&[namesake.as_str()]).entries);
        }
        for (path, machine) in [("a", "amd64"), ("b", "amd64"), ("c", "arm64")] {
            let program = Dynamic {
                machine: machine.to_owned(),
                needed: vec![String::from("libx.so")],
                ..Dynamic::default()
            };
            files.notes.push(testing::of_dynamic(path, program));
        }
        let contents = image(vec![files], Config::default());
        let tree = Tree::of(&contents);
        let libraries = Libraries::of(&contents, &tree);
        let programs: Vec<&String> = libraries.for_processors.keys().collect();
        assert_eq!(programs, ["libz.so"]);
        for path in ["a", "b", "c"] {
            assert_eq!(libraries.needs(path).unwrap().missing().count(), 1);
        }
        assert_eq!(libraries.elsewhere.borrow().len(), 2);
    }
}

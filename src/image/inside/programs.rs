//! Programs that cannot start in this image, and scripts that nothing here can run.

use std::collections::BTreeSet;

use super::libraries::Asked;
use super::libraries::Elsewhere;
use super::libraries::Libraries;
use super::libraries::Unfit;
use super::libraries::enumerate;
use super::remark::Remark;
use super::remark::RemarkKind;
use super::remark::Weight;
use super::start::Because;
use super::start::Started;
use super::start::env_argument;
use super::start::path_folders;
use super::start::words;
use crate::image::Config;
use crate::image::Contents;
use crate::image::EntryKind;
use crate::image::binary;
use crate::image::binary::Elf;
use crate::image::binary::Linking;
use crate::image::binary::Program;
use crate::image::tree::Node;
use crate::image::tree::Tree;
use crate::text::shown_text;
use crate::units::Bytes;

/// How many scripts may be the interpreters of one another before Linux gives up.
const SCRIPTS: usize = 5;

/// What there is to say of every program.
pub(super) fn remarks<'b>(
    contents: &Contents,
    tree: &Tree<'b>,
    libraries: &Libraries<'b>,
    starts: &[Started],
) -> Vec<Remark> {
    let config = &contents.config;
    let own = |path: &String| tree.find(path).ok().map(|node| node.path);
    let started: BTreeSet<String> = starts
        .iter()
        .filter_map(|one| one.path.as_ref().and_then(own))
        .collect();
    let folders: BTreeSet<String> = path_folders(config)
        .map(|folder| match tree.find(folder) {
            Ok(node) => node.path,
            // An archive may leave folders out.
            Err(_) => folder.trim_matches('/').to_owned(),
        })
        .collect();
    let mut found = missing_starts(starts, words(config).next().is_none());
    found.extend(unrunnable(config, tree, starts));
    for node in tree
        .nodes()
        .filter(|node| node.entry.kind == EntryKind::File)
    {
        let folder = node.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let weight = if started.contains(&node.path) {
            Weight::Problem
        } else if folders.contains(folder) && node.is_executable() {
            Weight::Warning
        } else {
            Weight::Note
        };
        let look = Look {
            architecture: &config.architecture,
            contents,
            tree,
            libraries,
            weight,
        };
        found.extend(look.at(&node));
    }
    found
}

/// What is started and not there.
fn missing_starts(starts: &[Started], nothing: bool) -> Vec<Remark> {
    if nothing {
        return vec![Remark::new(
            RemarkKind::StartsNothing,
            Weight::Note,
            "It has neither an entrypoint nor a command: a container of it needs to be told what to start.",
        )];
    }
    // What a script misses is told with the script.
    let missing = starts
        .iter()
        .filter(|one| one.path.is_none() && one.because != Because::Script);
    missing
        .map(|one| {
            let place = if one.word.contains('/') {
                "is not there"
            } else {
                "is in no folder of its PATH"
            };
            Remark::new(
                RemarkKind::MissingProgram,
                Weight::Problem,
                format!("What it starts, {}, {place}.", shown_text(&one.word)),
            )
        })
        .collect()
}

/// What is started, is there, and is nothing that the system can run.
fn unrunnable(config: &Config, tree: &Tree<'_>, starts: &[Started]) -> Vec<Remark> {
    // Other systems have programs of other forms.
    let is_linux = matches!(config.os.as_str(), "" | "linux");
    if !is_linux || config.architecture.starts_with("wasm") {
        return Vec::new();
    }
    let one = |one: &Started| {
        let node = tree.find(one.path.as_ref()?).ok()?;
        // What a program starts is left out: shells and most wrappers run any text as a script.
        let direct = one.because == Because::Config && node.is_executable();
        let what = match (&node.entry.kind, node.program) {
            // A shell may only try it.
            (EntryKind::Directory, _) if one.because == Because::Config => "is a folder",
            (_, None) if direct => {
                "is neither machine code for Linux nor a script whose first line names an interpreter, as `#!/bin/sh` does"
            }
            (_, Some(Program::Elf(elf))) if direct && is_cut(elf, node.entry.size) => {
                "is machine code that breaks off before its end"
            }
            _ => return None,
        };
        let text = format!(
            "What it starts, {}, {what}: a container of it does not start.",
            one.word
        );
        let remark = Remark::new(RemarkKind::CannotRun, Weight::Problem, text);
        Some(remark.at(&node.path, node.layer))
    };
    starts.iter().filter_map(one).collect()
}

/// Whether a file that was looked at as a whole has no place for what its first bytes announce.
fn is_cut(elf: &Elf, size: Bytes) -> bool {
    let whole = size.0 <= binary::HEAD as u64;
    whole && elf.linking == Linking::Cut
}

struct Look<'a, 'b> {
    architecture: &'a str,
    contents: &'a Contents,
    tree: &'a Tree<'b>,
    libraries: &'a Libraries<'b>,
    weight: Weight,
}

impl<'b> Look<'_, 'b> {
    fn at(&self, node: &Node<'b>) -> Option<Remark> {
        let path = format!("/{}", node.path);
        let remark = |kind, text: String| {
            Some(Remark::new(kind, self.weight, text).at(&node.path, node.layer))
        };
        match node.program {
            Some(Program::Script {
                interpreter,
                argument,
            }) => {
                let (kind, text) = self.script(&path, interpreter, argument.as_deref())?;
                remark(kind, text)
            }
            Some(Program::Elf(elf)) if self.is_foreign(elf) => remark(
                RemarkKind::WrongArchitecture,
                format!(
                    "{path} was built for {}, and this image is for {}.",
                    elf.machine, self.architecture
                ),
            ),
            Some(Program::Elf(elf))
                if matches!(elf.linking, Linking::Static | Linking::StaticPie) =>
            {
                None
            }
            Some(Program::Elf(_)) | None => {
                let (kind, text) = self.linked(&path, node)?;
                remark(kind, text)
            }
        }
    }

    /// A program for another architecture; a kernel for 64 bits runs the same maker's 32 too.
    fn is_foreign(&self, elf: &Elf) -> bool {
        let runs_too = matches!(
            (self.architecture, elf.machine.as_str()),
            ("amd64", "386") | ("arm64", "arm")
        );
        let known = !elf.machine.is_empty() && !elf.machine.starts_with("ELF machine");
        let is_program = !matches!(
            elf.linking,
            Linking::Library | Linking::Unknown | Linking::Cut
        );
        let other = elf.machine != self.architecture && !self.architecture.is_empty();
        known && is_program && other && !runs_too
    }

    fn script(
        &self,
        path: &str,
        interpreter: &str,
        argument: Option<&str>,
    ) -> Option<(RemarkKind, String)> {
        let words = [Some(interpreter), argument];
        if words.into_iter().flatten().any(|word| word.ends_with('\r')) {
            let text = format!(
                "The first line of {path} ends as on Windows: what is looked for is `{}` with an invisible character behind it, and there is no such program.",
                interpreter.trim_end()
            );
            return Some((RemarkKind::CarriageReturn, text));
        }
        if self.tree.find(interpreter).is_err() {
            let text =
                format!("{path} is a script for {interpreter}, which the image does not have.");
            return Some((RemarkKind::MissingInterpreter, text));
        }
        if self.leads_on(interpreter) {
            let text = format!(
                "{path} is a script for {interpreter}, which is a script itself, and so on: the system gives up after {SCRIPTS} of them."
            );
            return Some((RemarkKind::CannotRun, text));
        }
        let name = env_argument(interpreter, argument)?;
        let config = &self.contents.config;
        let here = if name.contains('/') {
            self.tree.find(name).is_ok()
        } else {
            path_folders(config).any(|folder| self.tree.find(&format!("{folder}/{name}")).is_ok())
        };
        (!here).then(|| {
            let all = if name.contains(' ') {
                " Without `-S`, all that follows env is one name."
            } else {
                ""
            };
            let text = format!(
                "{path} is a script for {name}, which no folder of the image's PATH has.{all}"
            );
            (RemarkKind::MissingInterpreter, text)
        })
    }

    /// Whether an interpreter is a script, whose interpreter is one, and so on for too long.
    fn leads_on(&self, interpreter: &str) -> bool {
        let mut next = interpreter;
        for _ in 0..SCRIPTS {
            match self.tree.find(next).ok().and_then(|node| node.program) {
                Some(Program::Script { interpreter, .. }) => next = interpreter,
                _ => return false,
            }
        }
        true
    }

    /// What a program or library with a loader lacks.
    fn linked(&self, path: &str, node: &Node<'b>) -> Option<(RemarkKind, String)> {
        let dynamic = self.libraries.dynamic(node)?;
        if self.weight == Weight::Note && dynamic.interpreter.is_none() {
            return self.library(path, &dynamic.needed);
        }
        let needs = self.libraries.needs(path)?;
        let missing = needs.missing_names().filter(|_| needs.complete);
        match &needs.loader {
            Some((loader, false)) => {
                let more =
                    missing.map_or_else(String::new, |names| format!(" It also needs {names}."));
                let text = format!(
                    "{path} starts through {loader}, which the image does not have: it was linked for another C library.{more}"
                );
                Some((RemarkKind::MissingLoader, text))
            }
            _ => {
                let missing = missing?;
                let text = format!("{path} needs {missing}, {}.", whereabouts(needs.missing()));
                Some((RemarkKind::MissingLibrary, text))
            }
        }
    }

    /// A library that nobody is known to load: who loads it may have loaded what it needs before,
    /// so only what is nowhere is missing.
    fn library(&self, path: &str, needed: &[String]) -> Option<(RemarkKind, String)> {
        let missing: Vec<&str> = needed
            .iter()
            .map(String::as_str)
            .filter(|name| {
                !Libraries::is_loader(name)
                    && !name.starts_with("libc.musl-")
                    && self.libraries.anywhere(name).is_none()
            })
            .collect();
        let names = enumerate(&missing)?;
        let text = format!("{path} needs {names}, which the image does not have.");
        Some((RemarkKind::MissingLibrary, text))
    }
}

/// Where missing libraries are, as the rest of a sentence.
pub(super) fn whereabouts<'a>(missing: impl Iterator<Item = &'a Asked>) -> String {
    let places: Option<Vec<&Elsewhere>> = missing.map(|asked| asked.elsewhere.as_ref()).collect();
    let places = places.unwrap_or_default();
    let Some(first) = places.first() else {
        return String::from("which the image does not have");
    };
    let why = match first.why {
        _ if places.iter().any(|place| place.why != first.why) => {
            "which its loader does not find or cannot load where the image has it"
        }
        Unfit::NotLookedFor => "which its loader does not look for where the image has it",
        Unfit::OtherMachine => "which the image has for another architecture alone",
        Unfit::LeadsNowhere => "which the image has as a link that leads nowhere",
    };
    let folder = first.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("{why}, in {}", if folder.is_empty() { "/" } else { folder })
}

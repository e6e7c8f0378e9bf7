//! `copy-before-install`: everything is copied before the dependencies are installed.

use std::collections::BTreeSet;

use super::super::ast::Body;
use super::super::ast::Instruction;
use super::super::ast::Keyword;
use super::super::ast::Word;
use super::super::shell::ShellCommand;
use super::Found;
use super::Rule;
use super::Severity;
use super::subject::RunView;
use super::subject::Subject;
use super::tool::Tool;
use super::tool::Use;

pub(super) const RULE: Rule = Rule {
    id: "copy-before-install",
    aliases: &[],
    severity: Severity::Warning,
    title: "everything is copied before the dependencies are installed",
    why: "A step is taken from the cache only while everything before it is the same. With all \
          sources copied first, every change of one line installs all dependencies anew. Copy the \
          files that name the dependencies, install, then copy the rest.",
    bad: "FROM node:22-slim\nWORKDIR /app\nCOPY . .\nRUN npm ci\n",
    good: "FROM node:22-slim\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci\nCOPY . .\n",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for stage in &subject.stages {
        // What was installed before everything was copied comes from the cache.
        let mut installed: BTreeSet<&str> = BTreeSet::new();
        let mut everything: Option<(&Instruction, &Word)> = None;
        let mut runs = stage.runs.iter();
        for instruction in &stage.stage.instructions {
            if let Some(source) = all_of_it(instruction) {
                everything = everything.or(Some((instruction, source)));
                continue;
            }
            let Some(run) = runs
                .as_slice()
                .first()
                .filter(|run| std::ptr::eq(run.instruction, instruction))
            else {
                continue;
            };
            runs.next();
            let Some((what, files)) = run.commands.iter().find_map(dependencies) else {
                continue;
            };
            match everything {
                None => {
                    installed.insert(family(what));
                }
                Some(_) if installed.contains(family(what)) || caches(run) => {}
                Some((_, source)) => {
                    found
                        .note(
                            source.span,
                            format!(
                                "each change of a file runs `{what}` of line {} again",
                                instruction.line
                            ),
                        )
                        .hint(format!("copy {files} first, install, then copy the rest"))
                        .with_line(instruction.line);
                    break;
                }
            }
        }
    }
}

/// `go` for `go build` and `go mod download`: what one of them fetched, the other finds.
fn family(command: &str) -> &str {
    command.split(' ').next().unwrap_or(command)
}

/// Whether the downloads of a `RUN` are kept in a cache that the builder mounts.
fn caches(run: &RunView<'_>) -> bool {
    let mut mounts = run.instruction.flags.iter();
    mounts.any(|flag| {
        flag.name == "mount"
            && flag
                .value
                .as_deref()
                .is_some_and(|one| one.contains("type=cache"))
    })
}

/// The source of a `COPY` of the whole context.
fn all_of_it(instruction: &Instruction) -> Option<&Word> {
    let Body::Copy { sources, .. } = &instruction.body else {
        return None;
    };
    let copies = matches!(instruction.keyword, Keyword::Copy | Keyword::Add);
    if !copies || instruction.flag("from").is_some() {
        return None;
    }
    sources
        .iter()
        .find(|source| matches!(&*source.text, "." | "./" | "*" | "./*" | "/"))
}

/// The command that installs dependencies, and the files that name them.
fn dependencies(command: &ShellCommand) -> Option<(&'static str, &'static str)> {
    if let Some(used) = Use::of(command) {
        let bare = used.operands.is_empty();
        return match (used.tool, used.action()) {
            (Tool::Npm, "ci") => Some(("npm ci", "`package.json` and `package-lock.json`")),
            (Tool::Npm, "install" | "i") if bare && !used.has(&["-g", "--global"]) => {
                Some(("npm install", "`package.json` and `package-lock.json`"))
            }
            (Tool::Yarn, "" | "install") if bare && !used.has(&["--version"]) => {
                Some(("yarn install", "`package.json` and `yarn.lock`"))
            }
            (Tool::Pnpm, "install" | "i") if bare => {
                Some(("pnpm install", "`package.json` and `pnpm-lock.yaml`"))
            }
            (Tool::Pip, "install") if used.has(&["-r", "--requirement"]) => {
                Some(("pip install", "the file with the requirements"))
            }
            (Tool::Go, "mod") if command.has("download") => {
                Some(("go mod download", "`go.mod` and `go.sum`"))
            }
            (Tool::Go, "build") => {
                Some(("go build", "`go.mod` and `go.sum`, run `go mod download`"))
            }
            _ => None,
        };
    }
    let has = |word: &str| command.has(word);
    match command.program() {
        "poetry" if has("install") => {
            Some(("poetry install", "`pyproject.toml` and `poetry.lock`"))
        }
        "uv" if has("sync") => Some(("uv sync", "`pyproject.toml` and `uv.lock`")),
        "pipenv" if has("install") || has("sync") => {
            Some(("pipenv install", "`Pipfile` and `Pipfile.lock`"))
        }
        "bundle" | "bundler" if has("install") => {
            Some(("bundle install", "`Gemfile` and `Gemfile.lock`"))
        }
        "composer" if has("install") => {
            Some(("composer install", "`composer.json` and `composer.lock`"))
        }
        "dotnet" if has("restore") => Some(("dotnet restore", "the project files")),
        "mvn" | "mvnw" if !has("--version") => {
            Some(("mvn", "`pom.xml`, run `mvn dependency:go-offline`"))
        }
        "cargo" if has("build") || has("fetch") || has("cook") => {
            Some(("cargo", "`Cargo.toml` and `Cargo.lock`"))
        }
        "mix" if has("deps.get") => Some(("mix deps.get", "`mix.exs` and `mix.lock`")),
        _ => None,
    }
}

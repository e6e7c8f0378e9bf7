//! `build-tools-shipped`: compilers in the image.

use super::super::shell::ShellWord;
use std::collections::HashSet;

use super::Found;
use super::Rule;
use super::Severity;
use super::found::quote;
use super::known;
use super::subject::Subject;
use super::tool::Tool;
use super::tool::Use;

pub(super) const RULE: Rule = Rule {
    id: "build-tools-shipped",
    aliases: &[],
    severity: Severity::Warning,
    title: "the image ships the tools that built it",
    why: "Compilers, headers and package managers are needed to build, not to run. In the image \
          they are the larger part of its size, and what somebody who breaks in would wish for. \
          Build in one stage, and copy what came out into another.",
    bad: "FROM python:3.13-slim\nRUN apt-get update && apt-get install -y --no-install-recommends gcc libpq-dev && rm -rf /var/lib/apt/lists/*\n",
    good: "FROM python:3.13-slim AS build\nRUN apt-get update && apt-get install -y --no-install-recommends gcc libpq-dev && rm -rf /var/lib/apt/lists/*\nFROM python:3.13-slim\nCOPY --from=build /deps /deps\n",
    check,
};

/// Packages that build, by their whole name.
const TOOLS: [&str; 34] = [
    "autoconf",
    "automake",
    "bison",
    "build-base",
    "build-essential",
    "cargo",
    "clang",
    "cmake",
    "default-jdk",
    "flex",
    "g++",
    "gcc",
    "gcc-c++",
    "gfortran",
    "go",
    "golang",
    "golang-go",
    "gradle",
    "libtool",
    "linux-headers",
    "make",
    "maven",
    "meson",
    "musl-dev",
    "nasm",
    "ninja",
    "ninja-build",
    "node-gyp",
    "pkg-config",
    "pkgconf",
    "python3-dev",
    "rust",
    "rustc",
    "yasm",
];

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    let Some(last) = subject.last() else { return };
    if let Some(what) = last.image().and_then(known::builder) {
        found
            .note(
                last.stage.base.span,
                format!(
                    "`{}` brings {what} into the image",
                    quote(&last.stage.base.text)
                ),
            )
            .hint("build in a stage of its own, and start the last one from a smaller image");
    }
    for run in subject.shipping().flat_map(|stage| &stage.runs) {
        let uses = || run.commands.iter().filter_map(Use::of);
        // The same `RUN` may remove what it installed for a build.
        let removed: HashSet<Tool> = uses().filter(removes).map(|used| used.tool).collect();
        let mut tools: Vec<&ShellWord> = Vec::new();
        for used in uses().filter(Use::installs) {
            let system = matches!(
                used.tool,
                Tool::Apt | Tool::Apk | Tool::Yum | Tool::Dnf | Tool::Zypper
            );
            if system && !removed.contains(&used.tool) {
                let packages = used.operands.iter().copied();
                tools.extend(packages.filter(|word| is_tool(&word.text)));
            }
        }
        let Some(first) = tools.first() else { continue };
        let names: Vec<String> = tools
            .iter()
            .take(4)
            .map(|word| format!("`{}`", quote(&word.text)))
            .collect();
        let more = tools.len().saturating_sub(4);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        found
            .note(
                first.span,
                format!("{}{more} will be in the image", names.join(", ")),
            )
            .hint("install them in a stage that only builds, or remove them in the same RUN");
    }
}

/// Whether packages are removed.
fn removes(used: &Use<'_>) -> bool {
    matches!(
        used.action(),
        "purge" | "remove" | "autoremove" | "del" | "erase"
    )
}

fn is_tool(package: &str) -> bool {
    let name = package
        .split(['=', '~', '<', '>', ':'])
        .next()
        .unwrap_or_default();
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-' || c == '.');
    TOOLS.contains(&name)
        || TOOLS.contains(&stem)
        || name.ends_with("-dev")
        || name.ends_with("-devel")
}

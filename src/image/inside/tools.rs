//! Tools in an image that an intruder would use and an application seldom does.

use super::remark::Remark;
use super::remark::RemarkKind;
use super::remark::Weight;
use crate::image::shells;
use crate::image::shells::Tool;
use crate::image::tree::Tree;

/// Compilers, and tools that fetch, connect or look into other programs.
const TOOLS: [&str; 40] = [
    "ar", "as", "bun", "c++", "cargo", "cc", "clang", "cmake", "curl", "deno", "dig", "ftp", "g++",
    "gcc", "gdb", "git", "go", "hg", "javac", "ld", "ltrace", "make", "mvn", "nc", "ncat",
    "netcat", "nmap", "perl", "rsync", "rustc", "scp", "socat", "ssh", "strace", "sudo", "svn",
    "tcpdump", "telnet", "tftp", "wget",
];

/// Compilers and tools, the shortest path first.
#[must_use]
pub(super) fn tools(tree: &Tree<'_>) -> Vec<Tool> {
    let in_bin = |tool: &Tool| {
        let folder = tool.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        matches!(folder.rsplit('/').next(), Some("bin" | "sbin" | "busybox"))
    };
    let mut found = shells::tools(tree, |name| TOOLS.contains(&name));
    found.retain(in_bin);
    found
}

/// Shells, package managers and tools.
pub(super) fn remarks(tree: &Tree<'_>) -> Vec<Remark> {
    let shells = shells::shells(tree)
        .into_iter()
        .map(|tool| told(&tool, RemarkKind::Shell, "is a shell"));
    let managers = shells::package_managers(tree)
        .into_iter()
        .map(|tool| told(&tool, RemarkKind::PackageManager, "installs packages"));
    let tools = tools(tree).into_iter().map(|tool| {
        told(
            &tool,
            RemarkKind::Tool,
            "is a tool that an application seldom needs",
        )
    });
    shells.chain(managers).chain(tools).collect()
}

fn told(tool: &Tool, kind: RemarkKind, what: &str) -> Remark {
    let text = if tool.path == tool.program {
        format!("/{} {what}.", tool.path)
    } else {
        format!("/{}, which is /{}, {what}.", tool.path, tool.program)
    };
    Remark::new(kind, Weight::Note, text).at(&tool.path, tool.layer)
}

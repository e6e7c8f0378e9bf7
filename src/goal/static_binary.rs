//! `static_binary`: a program runs without a loader and without shared libraries.

use serde::Deserialize;

use super::Blame;
use super::Evidence;
use super::Goal;
use super::Known;
use super::Missing;
use super::Needs;
use super::Verdict;
use super::base;
use super::kind::About;
use super::kind::Kind;
use super::kind::may;
use crate::dockerfile::Keyword;
use crate::image::binary::Linking;
use crate::image::binary::Program;
use crate::image::inside::start::program_of;
use crate::image::tree::Node;
use crate::image::tree::Tree;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StaticBinary {
    #[serde(default)]
    path: Option<String>,
}

impl StaticBinary {
    /// The path to look at: the one that is given, else what the image starts.
    fn path(&self, evidence: &Evidence, tree: &Tree<'_>) -> Known<String> {
        if let Some(path) = &self.path {
            return Ok(path.clone());
        }
        let config = &evidence.summary.as_ref().map_err(Clone::clone)?.config;
        program_of(config, tree).ok_or_else(|| Missing::because("The image starts no program."))
    }

    /// The line to look at where the program is not there: the one that starts it, or the beginning
    /// of the stage that ships.
    fn line(&self, evidence: &Evidence) -> Option<u32> {
        let file = &evidence.dockerfile;
        let started = evidence.summary.as_ref().ok();
        let started = started.and_then(|summary| summary.config.entrypoint.first());
        if self.path.is_none() || self.path.as_ref() == started {
            base::line_of(file, Keyword::Entrypoint)
        } else {
            base::base(file).map(|(_, line)| line)
        }
    }
}

impl Kind for StaticBinary {
    const ABOUT: About = About {
        name: "static_binary",
        asks: "A program needs no loader and no shared library.",
        parameters: &[may("path", "path", "The program; what the image starts.")],
        example: "static_binary: /app",
    };

    fn from_text(text: &str) -> Option<Result<Self, String>> {
        Some(Ok(Self {
            path: Some(text.to_owned()),
        }))
    }
}

impl Goal for StaticBinary {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        String::from("static binary")
    }

    fn wanted(&self) -> String {
        match &self.path {
            Some(path) => format!("`{path}` is linked statically"),
            None => String::from("what the image starts is linked statically"),
        }
    }

    fn needs(&self) -> Needs {
        Needs {
            contents: true,
            ..Needs::default()
        }
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let contents = match &evidence.contents {
            Ok(contents) => contents,
            Err(missing) => return Verdict::unknown(missing),
        };
        let tree = Tree::of(contents);
        let path = match self.path(evidence, &tree) {
            Ok(path) => path,
            Err(missing) => return Verdict::unknown(&missing),
        };
        let shown = format!("/{}", path.trim_start_matches('/'));
        let Ok(node) = tree.find(&path) else {
            return Verdict::unmet(
                format!("no `{shown}`"),
                "No instruction of the final stage puts it there.",
                "Follow the program from where it is built to the final stage.",
                Blame::line(self.line(evidence)).at_path(shown),
            );
        };
        let blame = Blame::line(evidence.line_of_layer(node.layer))
            .in_layer(node.layer)
            .at_path(&shown);
        judge_program(&node, &shown, blame)
    }
}

fn judge_program(node: &Node<'_>, shown: &str, blame: Blame) -> Verdict {
    let file = match node.program {
        Some(Program::Elf(file)) => file,
        Some(Program::Script { interpreter, .. }) => {
            return Verdict::unmet(
                format!("`{shown}` is a script for `{interpreter}`"),
                "A script needs its interpreter in the image; only machine code can stand alone.",
                "Look at which file of the builder is the program itself.",
                blame,
            );
        }
        None if !node.is_executable() => {
            return Verdict::unmet(
                format!("`{shown}` is not a program"),
                "It is no regular file that may be executed.",
                "Look at how it gets there and with which permissions.",
                blame,
            );
        }
        None => {
            return Verdict::unmet(
                format!("`{shown}` is not machine code"),
                "It is neither an ELF file nor a script.",
                "Look at which file of the builder is the program itself.",
                blame,
            );
        }
    };
    match file.linking.is_static() {
        Some(true) if !node.is_executable() => Verdict::unmet(
            format!("`{shown}` may not be executed"),
            format!(
                "It is a program, with the permissions {:03o}.",
                node.entry.mode
            ),
            "Look at how it gets there and with which permissions.",
            blame,
        ),
        Some(true) => Verdict::met(file.linking.to_string()),
        None => Verdict::unknown(&Missing::because(format!(
            "The headers of `{shown}` do not tell how it is linked."
        ))),
        Some(false) => {
            let libraries = if file.needed.is_empty() {
                String::new()
            } else {
                format!(" and {}", file.needed.join(", "))
            };
            let needs = match &file.linking {
                Linking::Dynamic { interpreter } => format!("`{interpreter}`{libraries}"),
                _ => file.needed.join(", "),
            };
            Verdict::unmet(
                format!("`{shown}` is {}", file.linking),
                format!("It starts only where these are in the image too: {needs}."),
                "Look at how the build links it, and for which C library.",
                blame,
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goal::fixture::contents;
    use crate::goal::fixture::goal;
    use crate::goal::fixture::layer;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::show;
    use crate::goal::fixture::sizes;
    use crate::goal::fixture::starts;
    use crate::goal::fixture::summary;
    use crate::image::binary::Elf;

    fn elf(linking: Linking, needed: &[&str]) -> Program {
        let needed = needed.iter().map(|name| (*name).to_owned()).collect();
        Program::Elf(Elf {
            linking,
            machine: String::from("amd64"),
            needed,
        })
    }

    fn judge(yaml: &str, entrypoint: &[&str], program: Option<Program>) -> String {
        let mut evidence = nothing("FROM scratch\nCOPY --from=b /app /usr/bin/app");
        let mut copied = layer(&["usr/bin/app", "644 usr/bin/data"]);
        if let Some(program) = program {
            copied.programs.insert(String::from("usr/bin/app"), program);
        }
        evidence.contents = Ok(contents(vec![copied]));
        evidence.sizes = Ok(sizes(&[(Some(2), 1)]));
        evidence.summary = Ok(summary(starts(entrypoint, &[])));
        show(&goal(yaml).evaluate(&evidence))
    }

    #[test]
    fn static_programs_meet_it() {
        let program = Some(elf(Linking::Static, &[]));
        assert_eq!(
            judge("static_binary: /usr/bin/app", &[], program.clone()),
            "met: static"
        );
        assert_eq!(
            judge("static_binary", &["app"], program.clone()),
            "met: static"
        );
        assert_eq!(
            judge("static_binary", &["/usr/bin/app", "x"], program),
            "met: static"
        );
        let pie = judge(
            "static_binary",
            &["app"],
            Some(elf(Linking::StaticPie, &[])),
        );
        assert_eq!(pie, "met: static, position-independent");
    }

    #[test]
    fn what_a_dynamic_program_needs_is_named() {
        let interpreter = String::from("/lib64/ld-linux-x86-64.so.2");
        let program = elf(Linking::Dynamic { interpreter }, &["libc.so.6"]);
        insta::assert_snapshot!(judge("static_binary", &["app"], Some(program)), @r"
        unmet: `/usr/bin/app` is dynamic, loaded by /lib64/ld-linux-x86-64.so.2
        why:   It starts only where these are in the image too: `/lib64/ld-linux-x86-64.so.2` and libc.so.6.
        next:  Look at how the build links it, and for which C library.
        blame: line 2, layer 0, /usr/bin/app
        ");
    }

    #[test]
    fn what_is_no_program_is_named() {
        let script = Program::Script {
            interpreter: String::from("/bin/sh"),
            argument: None,
        };
        insta::assert_snapshot!(judge("static_binary", &["app"], Some(script)), @r"
        unmet: `/usr/bin/app` is a script for `/bin/sh`
        why:   A script needs its interpreter in the image; only machine code can stand alone.
        next:  Look at which file of the builder is the program itself.
        blame: line 2, layer 0, /usr/bin/app
        ");
        insta::assert_snapshot!(judge("static_binary: /usr/bin/data", &[], None), @r"
        unmet: `/usr/bin/data` is not a program
        why:   It is no regular file that may be executed.
        next:  Look at how it gets there and with which permissions.
        blame: line 2, layer 0, /usr/bin/data
        ");
        insta::assert_snapshot!(judge("static_binary: /app", &[], None), @r"
        unmet: no `/app`
        why:   No instruction of the final stage puts it there.
        next:  Follow the program from where it is built to the final stage.
        blame: line 1, /app
        ");
        insta::assert_snapshot!(judge("static_binary", &["app"], None), @r"
        unmet: `/usr/bin/app` is not machine code
        why:   It is neither an ELF file nor a script.
        next:  Look at which file of the builder is the program itself.
        blame: line 2, layer 0, /usr/bin/app
        ");
    }

    #[test]
    fn the_line_of_another_program_is_not_to_blame() {
        let text = "FROM a\nENTRYPOINT [\"/app\"]";
        for (yaml, line) in [("/app", Some(2)), ("/bin/nope", Some(1))] {
            let mut evidence = nothing(text);
            evidence.contents = Ok(contents(vec![layer(&["etc/passwd"])]));
            evidence.summary = Ok(summary(starts(&["/app"], &[])));
            let verdict = goal(&format!("static_binary: {yaml}")).evaluate(&evidence);
            let Verdict::Unmet(unmet) = verdict else {
                panic!("{yaml}: {verdict:?}");
            };
            assert_eq!(unmet.blame.line, line, "{yaml}");
        }
    }

    #[test]
    fn what_is_not_known_is_not_met() {
        let unknown = judge("static_binary", &["app"], Some(elf(Linking::Unknown, &[])));
        assert!(unknown.starts_with("unknown: The headers of `/usr/bin/app`"));
        let verdict = goal("static_binary").evaluate(&nothing("FROM a"));
        assert_eq!(show(&verdict), "unknown: It was not gathered.");
        assert_eq!(
            judge("static_binary", &[], None),
            "unknown: The image starts no program."
        );
    }
}

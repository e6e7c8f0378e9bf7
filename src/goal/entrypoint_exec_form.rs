//! `entrypoint_exec_form`: what the image starts is started directly, not by a shell.

use serde::Deserialize;

use super::Blame;
use super::Evidence;
use super::Goal;
use super::Needs;
use super::Verdict;
use super::base;
use super::kind::About;
use super::kind::Kind;
use crate::dockerfile::Body;
use crate::dockerfile::Command;
use crate::dockerfile::Instruction;
use crate::dockerfile::Keyword;
use crate::image::inside::start::is_a_shell_with_a_text;
use crate::image::inside::start::words;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EntrypointExecForm {}

impl Kind for EntrypointExecForm {
    const ABOUT: About = About {
        name: "entrypoint_exec_form",
        asks: "ENTRYPOINT and CMD are JSON lists, so that signals reach the program.",
        parameters: &[],
        example: "entrypoint_exec_form",
    };
}

/// Whether an instruction is written in the shell form.
fn is_shell_form(instruction: &Instruction) -> bool {
    matches!(&instruction.body, Body::Command(Command::Shell(_)))
}

impl Goal for EntrypointExecForm {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        String::from("exec form")
    }

    fn wanted(&self) -> String {
        String::from("ENTRYPOINT and CMD are JSON lists that start the program itself")
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let config = match &evidence.summary {
            Ok(summary) => &summary.config,
            Err(missing) => return Verdict::unknown(missing),
        };
        let file = &evidence.dockerfile;
        // An ENTRYPOINT takes back the CMD of the stage or image that it builds on.
        let written = [
            (Keyword::Entrypoint, &config.entrypoint),
            (Keyword::Cmd, &config.cmd),
        ];
        let mut written = written
            .into_iter()
            .filter(|(_, words)| !words.is_empty())
            .filter_map(|(keyword, _)| base::last(file, keyword));
        if let Some(instruction) = written.find(|one| is_shell_form(one)) {
            return Verdict::unmet(
                format!("line {} is in the shell form", instruction.line),
                format!(
                    "{} is run by a shell, which is process 1 then: a stop signal ends there and does not reach the program.",
                    base::quote(instruction)
                ),
                "Compare the two forms in which this instruction can be written.",
                Blame::line(Some(instruction.line)),
            );
        }
        // An entrypoint may lead to what the command names: `env`, `gosu app`, one empty word.
        let command: Vec<String> = words(config).cloned().collect();
        if command.is_empty() {
            return Verdict::unmet(
                "nothing is started",
                "The image has neither an entrypoint nor a command.",
                "Look for the instruction that says what a container runs.",
                Blame::line(base::base(file).map(|(_, line)| line)),
            );
        }
        if is_a_shell_with_a_text(&command) {
            let [of_entrypoint, of_cmd] =
                [&config.entrypoint, &config.cmd].map(|words| is_a_shell_with_a_text(words));
            // Behind a shell with a text of its own, the command is only its argument.
            let keyword = if of_cmd && !of_entrypoint {
                Keyword::Cmd
            } else {
                Keyword::Entrypoint
            };
            return Verdict::unmet(
                format!(
                    "`{}` starts it",
                    command
                        .iter()
                        .take(2)
                        .cloned()
                        .collect::<Vec<_>>()
                        .join(" ")
                ),
                "A shell is process 1 then: a stop signal ends there and does not reach the program.",
                "Look at what the image starts first, and whether it needs to.",
                Blame::line(base::line_of(file, keyword)),
            );
        }
        Verdict::met(command.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use crate::goal::fixture::goal;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::show;
    use crate::goal::fixture::starts;
    use crate::goal::fixture::with_config;

    fn judge(file: &str, entrypoint: &[&str], cmd: &[&str]) -> String {
        let evidence = with_config(file, starts(entrypoint, cmd));
        show(&goal("entrypoint_exec_form").evaluate(&evidence))
    }

    #[test]
    fn a_json_list_meets_it() {
        let file = "FROM a\nENTRYPOINT [\"python\"]\nCMD [\"app.py\"]";
        assert_eq!(judge(file, &["python"], &["app.py"]), "met: python app.py");
        assert_eq!(judge("FROM a", &[], &["node", "x.js"]), "met: node x.js");
    }

    #[test]
    fn the_line_in_the_shell_form_is_to_blame() {
        let file = "FROM a\nCMD [\"b\"]\nCMD python app.py";
        insta::assert_snapshot!(judge(file, &[], &["/bin/sh", "-c", "python app.py"]), @r"
        unmet: line 3 is in the shell form
        why:   `CMD python app.py` is run by a shell, which is process 1 then: a stop signal ends there and does not reach the program.
        next:  Compare the two forms in which this instruction can be written.
        blame: line 3
        ");
    }

    #[test]
    fn a_shell_as_a_list_is_still_a_shell() {
        let file = "FROM a\nENTRYPOINT [\"sh\", \"-ec\", \"exec x\"]";
        insta::assert_snapshot!(judge(file, &["sh", "-ec", "exec x"], &[]), @r"
        unmet: `sh -ec` starts it
        why:   A shell is process 1 then: a stop signal ends there and does not reach the program.
        next:  Look at what the image starts first, and whether it needs to.
        blame: line 2
        ");
    }

    #[test]
    fn a_shell_is_found_behind_options_and_other_names() {
        for (command, shell) in [
            ("/bin/sh -e -c x", true),
            ("sh -eu -o pipefail -c x", true),
            ("bash --login -c x", true),
            ("bash -O extglob -c x", true),
            ("bash --rcfile /rc -c x", true),
            ("zsh -c x", true),
            ("busybox sh -c x", true),
            ("/usr/bin/env -i A=b sh -c x", true),
            ("gosu app sh -ec x", true),
            ("sh /entry.sh", false),
            ("sh -e /entry.sh -c", false),
            ("bash -O extglob /entry.sh -c", false),
            ("busybox httpd -c x", false),
            // This one passes signals on.
            ("tini -- sh -c x", false),
        ] {
            let words: Vec<&str> = command.split(' ').collect();
            let verdict = judge("FROM a", &words, &[]);
            assert_eq!(verdict.starts_with("unmet"), shell, "{command}: {verdict}");
        }
        // The entrypoint becomes what the command names, or is none.
        let file = "FROM a\nENTRYPOINT [\"env\"]\nCMD [\"sh\", \"-c\", \"x\"]";
        for entrypoint in [&["env"][..], &[""]] {
            let verdict = judge(file, entrypoint, &["sh", "-c", "x"]);
            assert!(verdict.starts_with("unmet"), "{entrypoint:?}: {verdict}");
            assert!(verdict.ends_with("blame: line 3"), "{verdict}");
        }
        assert!(judge(file, &[""], &[]).starts_with("unmet: nothing is started"));
        assert!(judge(file, &["sh"], &["-c", "x"]).ends_with("blame: line 2"));
        let both = judge(file, &["sh", "-c", "y"], &["sh", "-c", "x"]);
        assert!(both.ends_with("blame: line 2"), "{both}");
    }

    #[test]
    fn an_image_that_starts_nothing_misses_it() {
        insta::assert_snapshot!(judge("FROM scratch\nCOPY a b", &[], &[]), @r"
        unmet: nothing is started
        why:   The image has neither an entrypoint nor a command.
        next:  Look for the instruction that says what a container runs.
        blame: line 1
        ");
    }

    #[test]
    fn a_command_that_was_taken_back_starts_nothing() {
        let file = "FROM a AS base\nCMD sleep 100\nFROM base\nENTRYPOINT [\"sleep\", \"100\"]";
        assert_eq!(judge(file, &["sleep", "100"], &[]), "met: sleep 100");
    }

    #[test]
    fn without_an_image_it_is_unknown() {
        let verdict = goal("entrypoint_exec_form").evaluate(&nothing("FROM a\nCMD x"));
        assert_eq!(show(&verdict), "unknown: It was not gathered.");
    }
}

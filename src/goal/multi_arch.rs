//! `multi_arch`: the Dockerfile is tied to no architecture.

use serde::Deserialize;

use super::Blame;
use super::Evidence;
use super::Goal;
use super::Needs;
use super::Verdict;
use super::base;
use super::kind::About;
use super::kind::Kind;
use crate::dockerfile::Decides;
use crate::dockerfile::HardCoded;
use crate::dockerfile::hard_coded;
use crate::text::plural;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MultiArch {}

impl Kind for MultiArch {
    const ABOUT: About = About {
        name: "multi_arch",
        asks: "The Dockerfile names no architecture where it could ask the builder.",
        parameters: &[],
        example: "multi_arch",
    };
}

impl Goal for MultiArch {
    fn kind(&self) -> &'static str {
        Self::ABOUT.name
    }

    fn title(&self) -> String {
        String::from("any architecture")
    }

    fn wanted(&self) -> String {
        String::from("no instruction is tied to one architecture")
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn evaluate(&self, evidence: &Evidence) -> Verdict {
        let file = &evidence.dockerfile;
        let found = hard_coded(file);
        let Some(first) = found.first() else {
            // Nothing is met by a file that says nothing.
            return if file.stages.is_empty() {
                Verdict::unknown(&super::Missing::because("The Dockerfile has no stage."))
            } else {
                Verdict::met("tied to no architecture")
            };
        };
        let more = match found.iter().filter(|one| one.line != first.line).count() {
            0 => String::new(),
            more => format!(", and {}", plural(more, "more place")),
        };
        let quoted = base::quote_line(file, first.line)
            .map_or_else(String::new, |quoted| format!(", {quoted},"));
        Verdict::unmet(
            format!("`{}` on line {}{more}", first.word, first.line),
            format!("Line {}{quoted} {}", first.line, consequence(first)),
            next_step(first),
            Blame::line(Some(first.line)),
        )
    }
}

/// What follows, as the rest of a sentence.
fn consequence(found: &HardCoded) -> String {
    let architecture = found.architecture;
    match found.decides {
        Decides::Platform => format!(
            "takes the base image for {architecture}, whatever the image is built for: elsewhere its programs run through an emulator, or not at all."
        ),
        Decides::Base => format!(
            "starts from an image that exists for {architecture} alone: elsewhere its programs cannot start."
        ),
        Decides::Variable => format!(
            "says {architecture}, whatever the image is built for: what is made with that value cannot start elsewhere."
        ),
        Decides::Command => format!(
            "fetches or makes something for {architecture}, whatever the image is built for: it cannot start elsewhere."
        ),
        Decides::Files => format!(
            "names a file of {architecture}: in a build for another architecture it is not there, or cannot be used."
        ),
        Decides::Start => format!(
            "starts a program for {architecture}, which does not exist in an image for another architecture."
        ),
    }
}

const fn next_step(found: &HardCoded) -> &'static str {
    match found.decides {
        Decides::Platform | Decides::Base => {
            "Ask who knows for which architecture an image is built, and whether this line has to say it."
        }
        Decides::Variable | Decides::Command | Decides::Files | Decides::Start => {
            "Find out how a build learns for which architecture it is made."
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::goal::fixture::goal;
    use crate::goal::fixture::nothing;
    use crate::goal::fixture::show;

    fn judge(file: &str) -> String {
        show(&goal("multi_arch").evaluate(&nothing(file)))
    }

    #[test]
    fn a_file_that_asks_the_builder_meets_it() {
        assert_eq!(
            judge("FROM a\nARG TARGETARCH\nRUN curl https://a/$TARGETARCH"),
            "met: tied to no architecture"
        );
        assert_eq!(judge(""), "unknown: The Dockerfile has no stage.");
    }

    #[test]
    fn a_target_that_is_named_is_explained() {
        let file = "FROM rust AS b\nRUN cargo build --release --target x86_64-unknown-linux-musl\nFROM scratch\nCOPY --from=b /target/x86_64-unknown-linux-musl/release/app /app";
        insta::assert_snapshot!(judge(file), @r"
        unmet: `x86_64` on line 2, and 1 more place
        why:   Line 2, `RUN cargo build --release --target x86_64-unkno…`, fetches or makes something for amd64, whatever the image is built for: it cannot start elsewhere.
        next:  Find out how a build learns for which architecture it is made.
        blame: line 2
        ");
    }

    #[test]
    fn each_place_has_its_consequence() {
        for (file, part) in [
            ("FROM --platform=linux/amd64 a", "through an emulator"),
            ("FROM amd64/debian", "exists for amd64 alone"),
            ("FROM a\nENV GOARCH=arm64", "says arm64"),
            ("FROM a\nCOPY lib/aarch64 /lib", "names a file of arm64"),
            ("FROM a\nCMD [\"/app-amd64\"]", "starts a program for amd64"),
        ] {
            let told = judge(file);
            assert!(told.contains(part), "{told}");
        }
    }
}

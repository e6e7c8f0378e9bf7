//! How stages build on one another, and which images from outside they use.

use std::collections::BTreeSet;
use std::collections::HashMap;

use super::ast::Body;
use super::ast::Dockerfile;
use super::ast::Flag;
use super::ast::Instruction;
use super::ast::Keyword;
use super::ast::Span;
use super::ast::Stage;
use super::flags::mount_option;
use super::reference::ImageName;
use super::scope::BuildArgs;
use super::scope::Scope;

/// Where an image from outside is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferenceUse {
    /// `FROM`.
    From,
    /// `COPY --from=`.
    CopyFrom,
    /// `RUN --mount=…,from=`.
    MountFrom,
}

/// An image that the build needs and does not make itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalReference {
    /// The reference, variables expanded, otherwise as written.
    pub reference: String,
    /// The same with everything filled in: `docker.io/library/python:3.13`; `None` for one that no
    /// engine accepts.
    pub canonical: Option<String>,
    /// Where it is named: the image of a `FROM`, otherwise the whole flag.
    pub span: Span,
    /// The line of its instruction.
    pub line: u32,
    /// The stage that uses it.
    pub stage: usize,
    /// How it is used.
    pub usage: ReferenceUse,
    /// Whether the final stage needs that stage. Docker's classic builder builds the others too.
    pub needed: bool,
}

/// What a name in `FROM` or `--from=` means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// An earlier, or for a copy any, stage.
    Stage(usize),
    /// Nothing at all.
    Scratch,
    /// An image from outside.
    Image(String),
}

impl Dockerfile {
    /// The stage that makes the image.
    #[must_use]
    pub fn final_stage(&self) -> Option<&Stage> {
        self.stages.last()
    }

    /// `stage`, then the stage that it starts from, and so on down to the one that starts from an
    /// image or from `scratch`.
    #[must_use]
    pub fn chain(&self, stage: &Stage, given: &BuildArgs) -> Vec<&Stage> {
        let scope = self.global_scope(given);
        let names = StageNames::new(self);
        let mut chain = Vec::new();
        let mut next = self.stages.get(stage.index);
        while let Some(stage) = next {
            chain.push(stage);
            next = match names.base(stage, &scope) {
                // Only earlier stages can be started from, so this ends.
                Some(Source::Stage(below)) => self.stages.get(below),
                _ => None,
            };
        }
        chain
    }

    /// The first `FROM` whose platform comes to nothing: its line, and the platform as written.
    #[must_use]
    pub fn empty_platform(&self, given: &BuildArgs) -> Option<(u32, &str)> {
        let scope = self.global_scope(given);
        self.stages.iter().find_map(|stage| {
            let written = stage.from.flag("platform")?;
            let platform = scope.expand(written).ok()?;
            platform
                .text
                .is_empty()
                .then_some((stage.from.line, written))
        })
    }

    /// For each stage the one that it starts from, where that is a stage of the file.
    #[must_use]
    pub fn stages_below(&self, given: &BuildArgs) -> Vec<Option<usize>> {
        let scope = self.global_scope(given);
        let names = StageNames::new(self);
        let below = |stage| match names.base(stage, &scope) {
            Some(Source::Stage(below)) => Some(below),
            _ => None,
        };
        self.stages.iter().map(below).collect()
    }

    /// For each stage the stages that it starts from, copies from or mounts, each once.
    #[must_use]
    pub fn stages_used(&self, given: &BuildArgs) -> Vec<BTreeSet<usize>> {
        let scope = self.global_scope(given);
        let names = StageNames::new(self);
        let used = |stage| {
            let uses = names.uses(stage, &scope).into_iter();
            let stages = uses.filter_map(|one| match one.source {
                Source::Stage(index) if !one.later => Some(index),
                _ => None,
            });
            stages.collect()
        };
        self.stages.iter().map(used).collect()
    }

    /// The image from outside below `stage`; `None` for `scratch`, or where it cannot be read.
    #[must_use]
    pub fn base_image(&self, stage: &Stage, given: &BuildArgs) -> Option<String> {
        let chain = self.chain(stage, given);
        let scope = self.global_scope(given);
        match StageNames::new(self).base(chain.last()?, &scope)? {
            Source::Image(reference) => Some(reference),
            Source::Stage(_) | Source::Scratch => None,
        }
    }

    /// The indices of the stages that the final stage needs, itself included, in order.
    #[must_use]
    pub fn needed_stages(&self, given: &BuildArgs) -> Vec<usize> {
        let scope = self.global_scope(given);
        let names = StageNames::new(self);
        let mut needed = vec![false; self.stages.len()];
        let mut open: Vec<usize> = self.stages.len().checked_sub(1).into_iter().collect();
        while let Some(index) = open.pop() {
            let Some(stage) = self.stages.get(index) else {
                continue;
            };
            if std::mem::replace(&mut needed[index], true) {
                continue;
            }
            for used in names.uses(stage, &scope) {
                if let Source::Stage(below) = used.source {
                    open.push(below);
                }
            }
        }
        (0..needed.len()).filter(|index| needed[*index]).collect()
    }
}

/// Every use of an image from outside, in the order of the file.
#[must_use]
pub fn external_references(file: &Dockerfile, given: &BuildArgs) -> Vec<ExternalReference> {
    let scope = file.global_scope(given);
    let names = StageNames::new(file);
    let needed = file.needed_stages(given);
    let mut references = Vec::new();
    for stage in &file.stages {
        for used in names.uses(stage, &scope) {
            let Source::Image(reference) = used.source else {
                continue;
            };
            references.push(ExternalReference {
                canonical: ImageName::parse(&reference)
                    .ok()
                    .map(|name| name.canonical()),
                reference,
                span: used.span,
                line: used.line,
                stage: stage.index,
                usage: used.usage,
                needed: needed.binary_search(&stage.index).is_ok(),
            });
        }
    }
    references
}

/// One name in `FROM` or `--from=`.
#[derive(Debug)]
pub(super) struct Use {
    pub(super) source: Source,
    pub(super) span: Span,
    pub(super) line: u32,
    pub(super) usage: ReferenceUse,
    /// Whether it is the `ONBUILD` of a stage that others may start from: it is they who use it.
    pub(super) later: bool,
}

/// The stages by name.
#[derive(Debug)]
pub(super) struct StageNames<'f> {
    /// Each name with the stages that have it, in order.
    by_name: HashMap<&'f str, Vec<usize>>,
    count: usize,
}

impl<'f> StageNames<'f> {
    pub(super) fn new(file: &'f Dockerfile) -> Self {
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
        for stage in &file.stages {
            if let Some(name) = stage.name.as_deref() {
                by_name.entry(name).or_default().push(stage.index);
            }
        }
        Self {
            by_name,
            count: file.stages.len(),
        }
    }

    /// The stages called `name`, in any case.
    pub(super) fn called(&self, name: &str) -> &[usize] {
        self.by_name
            .get(name.to_lowercase().as_str())
            .map_or(&[], Vec::as_slice)
    }

    /// What the `FROM` of `stage` names; `None` where it cannot be read or is empty.
    pub(super) fn base(&self, stage: &Stage, scope: &Scope) -> Option<Source> {
        let base = scope.expand(&stage.base.text).ok()?.text;
        if base.is_empty() {
            return None;
        }
        let earlier = self.called(&base);
        let end = earlier.partition_point(|index| *index < stage.index);
        if let Some(index) = end.checked_sub(1).and_then(|last| earlier.get(last)) {
            return Some(Source::Stage(*index));
        }
        Some(if base == "scratch" {
            Source::Scratch
        } else {
            Source::Image(base)
        })
    }

    /// What `--from=` names: a stage by its name or number, otherwise an image. `None` where it is
    /// empty, holds a variable, or is the number of no stage.
    pub(super) fn copied(&self, name: &str) -> Option<Source> {
        if name.is_empty() || name.contains('$') {
            return None;
        }
        if let Ok(index) = name.parse::<usize>() {
            return (index < self.count).then_some(Source::Stage(index));
        }
        Some(match self.called(name).last() {
            Some(index) => Source::Stage(*index),
            None if name == "scratch" => Source::Scratch,
            None => Source::Image(name.to_owned()),
        })
    }

    /// Everything that `stage`, and a stage that starts from it, takes from stages and images, in
    /// order.
    pub(super) fn uses(&self, stage: &Stage, scope: &Scope) -> Vec<Use> {
        let mut uses = Vec::new();
        if let Some(source) = self.base(stage, scope) {
            uses.push(Use {
                source,
                span: stage.base.span,
                line: stage.from.line,
                usage: ReferenceUse::From,
                later: false,
            });
        }
        // Nothing in the file starts from the last stage.
        let is_base = stage.index + 1 < self.count;
        for instruction in &stage.instructions {
            let (acting, later) = match &instruction.body {
                Body::Onbuild(inner) if is_base => (&**inner, true),
                _ => (instruction, false),
            };
            for (flag, name, usage) in from_flags(acting) {
                if let Some(source) = self.copied(name) {
                    uses.push(Use {
                        source,
                        span: flag.span,
                        line: instruction.line,
                        usage,
                        later,
                    });
                }
            }
        }
        uses
    }
}

/// The flags of an instruction that name a stage or an image, with that name.
pub(crate) fn from_flags(instruction: &Instruction) -> Vec<(&Flag, &str, ReferenceUse)> {
    let mut found = Vec::new();
    for flag in &instruction.flags {
        let value = flag.value.as_deref().unwrap_or_default();
        match (instruction.keyword, flag.name.as_str()) {
            (Keyword::Copy, "from") => found.push((flag, value, ReferenceUse::CopyFrom)),
            (Keyword::Run, "mount") => {
                if let Some(from) = mount_option(value, &["from"]) {
                    found.push((flag, from, ReferenceUse::MountFrom));
                }
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
ARG PY=3.13
FROM python:${PY} AS Builder
RUN --mount=type=bind,from=busybox:1,target=/b make
FROM alpine AS unused
COPY --from=nginx /a /a
FROM builder AS mid
FROM gcr.io/distroless/cc-debian13:nonroot
COPY --from=mid /app /app
COPY --from=0 /lib /lib
COPY --from=ghcr.io/x/y@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef /z /z
";

    #[test]
    fn every_image_from_outside_is_found_with_its_place() {
        let file = Dockerfile::parse(TEXT);
        assert_eq!(file.problems, []);
        let found: Vec<(String, u32, bool)> = external_references(&file, &BuildArgs::new())
            .into_iter()
            .map(|one| (one.reference, one.line, one.needed))
            .collect();
        let pinned =
            "ghcr.io/x/y@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        assert_eq!(
            found,
            [
                ("python:3.13".to_owned(), 2, true),
                ("busybox:1".to_owned(), 3, true),
                ("alpine".to_owned(), 4, false),
                ("nginx".to_owned(), 5, false),
                ("gcr.io/distroless/cc-debian13:nonroot".to_owned(), 7, true),
                (pinned.to_owned(), 10, true),
            ]
        );
    }

    #[test]
    fn spans_point_at_what_names_the_image() {
        let file = Dockerfile::parse(TEXT);
        let found = external_references(&file, &BuildArgs::new());
        let text = |index: usize| TEXT.get(found[index].span.range()).unwrap_or_default();
        assert_eq!(text(0), "python:${PY}");
        assert_eq!(text(1), "--mount=type=bind,from=busybox:1,target=/b");
        assert_eq!(text(3), "--from=nginx");
        assert_eq!(
            found[0].canonical.as_deref(),
            Some("docker.io/library/python:3.13")
        );
    }

    #[test]
    fn a_stage_is_followed_down_to_its_image() {
        let file =
            Dockerfile::parse("FROM a AS x\nFROM x AS y\nFROM y\nFROM scratch AS x\nFROM x\n");
        let chain = |stage: usize| -> Vec<usize> {
            file.chain(&file.stages[stage], &BuildArgs::new())
                .iter()
                .map(|stage| stage.index)
                .collect()
        };
        assert_eq!(chain(2), [2, 1, 0]);
        assert_eq!(chain(4), [4, 3]);
        let none = BuildArgs::new();
        assert_eq!(
            file.base_image(&file.stages[2], &none).as_deref(),
            Some("a")
        );
        assert_eq!(file.base_image(&file.stages[4], &none), None);
    }

    #[test]
    fn a_stage_named_like_its_image_starts_from_the_image() {
        let file = Dockerfile::parse("FROM node AS node\nFROM node AS node\n");
        let found = external_references(&file, &BuildArgs::new());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 1);
    }

    #[test]
    fn a_platform_that_comes_to_nothing_is_found() {
        let found = |text: &str| {
            let file = Dockerfile::parse(text);
            let found = file.empty_platform(&BuildArgs::new());
            found.map(|(line, written)| (line, written.to_owned()))
        };
        let text = "ARG A\nFROM --platform=$TARGETPLATFORM a\nFROM --platform=$A b\n";
        assert_eq!(found(text), Some((3, "$A".to_owned())));
        assert_eq!(found(&text.replace("ARG A", "ARG A=linux/amd64")), None);
        assert_eq!(found("FROM --platform=linux/$A a\n"), None);
    }
}

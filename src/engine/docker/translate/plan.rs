//! Where a builder's step numbers are in the Dockerfile.
//!
//! The three builders count differently. BuildKit counts within a stage what makes or changes
//! files, and the base only where it is an image from outside; the classic builder counts every
//! instruction of the file; Podman counts every instruction within a stage.

use std::collections::HashMap;

use crate::dockerfile::Body;
use crate::dockerfile::Dockerfile;
use crate::dockerfile::Instruction;
use crate::dockerfile::Keyword;
use crate::dockerfile::from_flags;
use crate::image::maker;
use crate::text::Clean;

/// An instruction's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The line it starts on.
    pub(super) line: u32,
    /// The index of its stage.
    pub(super) stage: usize,
    /// The instruction in the learner's words.
    pub(super) title: Clean,
}

#[derive(Debug, Clone)]
struct Step {
    place: Place,
    /// Whether BuildKit makes a step of it.
    works: bool,
}

#[derive(Debug, Clone)]
struct Stage {
    name: Option<String>,
    from: Place,
    steps: Vec<Step>,
    /// How many steps the ONBUILD of a stage that it starts from adds.
    left: usize,
}

/// An image that the Dockerfile takes from outside.
#[derive(Debug, Clone)]
struct Reference {
    written: String,
    line: u32,
}

/// The Dockerfile as builders count it.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    stages: Vec<Stage>,
    /// All instructions in order, for the classic builder.
    all: Vec<Place>,
    references: Vec<Reference>,
    /// What RUN runs, without flags.
    commands: Vec<String>,
    /// The addresses that ADD fetches from.
    addresses: Vec<(Place, String)>,
    /// The lines of the instructions that our own parser refuses, without what an `ONBUILD` keeps.
    refused: Vec<u32>,
}

impl Plan {
    /// The plan of a Dockerfile.
    pub(super) fn of(dockerfile: &Dockerfile) -> Self {
        let place = |instruction: &Instruction, stage| Place {
            line: instruction.line,
            stage,
            title: title(instruction, &dockerfile.text),
        };
        let mut plan = Self::default();
        let syntax = dockerfile.syntax();
        plan.references
            .extend(syntax.map(|(line, written)| Reference {
                written: written.to_owned(),
                line,
            }));
        for argument in &dockerfile.global_args {
            plan.all.push(place(argument, 0));
        }
        let mut left: HashMap<String, usize> = HashMap::new();
        for stage in &dockerfile.stages {
            let from = place(&stage.from, stage.index);
            let parent = left.get(&stage.base.text.to_lowercase()).copied();
            if parent.is_none() {
                plan.references.push(Reference {
                    written: stage.base.text.clone(),
                    line: stage.from.line,
                });
            }
            plan.all.push(from.clone());
            let mut steps = Vec::new();
            for instruction in &stage.instructions {
                let place = place(instruction, stage.index);
                plan.all.push(place.clone());
                plan.note(instruction, &place);
                steps.push(Step {
                    place,
                    works: works(instruction),
                });
            }
            plan.stages.push(Stage {
                name: stage.name.clone(),
                from,
                steps,
                left: parent.unwrap_or(0),
            });
            left.extend(stage.name.clone().map(|name| (name, leaves(stage))));
        }
        plan.refused = refused(dockerfile);
        plan
    }

    /// Notes what an instruction runs, fetches and takes from images.
    fn note(&mut self, instruction: &Instruction, place: &Place) {
        let acting = match &instruction.body {
            Body::Onbuild(inner) => inner,
            _ => instruction,
        };
        if instruction.keyword == Keyword::Run && !instruction.arguments.is_empty() {
            self.commands.push(instruction.arguments.clone());
        }
        if acting.keyword == Keyword::Add {
            let words = acting.arguments.split([' ', '"', ',', '[', ']']);
            let addresses = words.filter(|word| word.contains("://"));
            self.addresses
                .extend(addresses.map(|word| (place.clone(), word.to_owned())));
        }
        for (_, image, _) in from_flags(acting) {
            self.references.push(Reference {
                written: image.to_owned(),
                line: instruction.line,
            });
        }
    }

    /// BuildKit's `[stage n/of]`; `stage` is `None` where there is only one.
    pub(super) fn buildkit(&self, stage: Option<&str>, n: usize, of: usize) -> Option<Place> {
        let stage = match stage {
            None => self.stages.last()?,
            Some(name) => self
                .stages
                .iter()
                .rfind(|stage| stage.name.as_deref() == Some(name))
                .or_else(|| {
                    let index: usize = name.strip_prefix("stage-")?.parse().ok()?;
                    self.stages.get(index)
                })?,
        };
        let works: Vec<&Place> = stage
            .steps
            .iter()
            .filter(|step| step.works)
            .map(|step| &step.place)
            .collect();
        // What is counted beyond the instructions comes first: the base from outside, and what its
        // ONBUILD adds.
        let before = match of.checked_sub(works.len())? {
            // Docker 20.10 counts that on and does not add it up.
            0 => stage.left,
            before => before,
        };
        match n.checked_sub(before) {
            Some(0) | None => Some(stage.from.clone()),
            Some(n) => works.get(n - 1).map(|place| (*place).clone()),
        }
    }

    /// Where BuildKit carries out an instruction that it names without a stage: one of an `ONBUILD`,
    /// in a stage without a step of its own.
    pub(super) fn triggered(&self, instruction: &str) -> Option<Place> {
        let keyword = instruction.split(' ').next()?;
        let is_step = ["ADD", "COPY", "RUN", "WORKDIR"].contains(&keyword);
        let is_meant =
            |stage: &&Stage| stage.left > 0 && !stage.steps.iter().any(|step| step.works);
        let stage = self.stages.iter().rfind(is_meant).filter(|_| is_step)?;
        Some(stage.from.clone())
    }

    /// Whether our own parser refuses what is on a line; without one, anything at all.
    pub(super) fn refuses(&self, line: Option<u32>) -> bool {
        match line {
            Some(line) => self.refused.contains(&line),
            None => !self.refused.is_empty(),
        }
    }

    /// The classic builder's `Step n`.
    pub(super) fn classic(&self, n: usize) -> Option<Place> {
        self.all.get(n.checked_sub(1)?).cloned()
    }

    /// Podman's `[stage/of] STEP n`; `stage` counts from 1.
    pub(super) fn podman(&self, stage: usize, n: usize) -> Option<Place> {
        let stage = self.stages.get(stage.checked_sub(1)?)?;
        match n.checked_sub(2) {
            None => Some(stage.from.clone()),
            Some(index) => stage.steps.get(index).map(|step| step.place.clone()),
        }
    }

    /// Whether a stage is meant, by its name or number, and no image.
    pub(super) fn is_stage(&self, reference: &str) -> bool {
        let named = |stage: &Stage| {
            let name = stage.name.as_deref();
            name.is_some_and(|name| name.eq_ignore_ascii_case(reference))
        };
        let number: Option<usize> = reference.parse().ok();
        number.is_some_and(|number| number < self.stages.len()) || self.stages.iter().any(named)
    }

    /// What the Dockerfile's RUN instructions run.
    pub(super) fn commands(&self) -> impl Iterator<Item = &String> {
        self.commands.iter()
    }

    /// The first ADD that fetches what `wanted` says yes to, by its place and an address.
    pub(super) fn fetching(&self, wanted: impl Fn(&Place, &str) -> bool) -> Option<&Place> {
        let mut addresses = self.addresses.iter();
        addresses
            .find(|(place, address)| wanted(place, address))
            .map(|(place, _)| place)
    }

    /// The line that names `reference`, whatever way the builder writes it.
    pub(super) fn line_of(&self, reference: &str) -> Option<u32> {
        self.find(reference).map(|found| found.line)
    }

    /// The reference as the Dockerfile has it.
    pub(super) fn as_written(&self, reference: &str) -> String {
        self.find(reference)
            .map_or_else(|| reference.to_owned(), |found| found.written.clone())
    }

    /// The reference on a line.
    pub(super) fn on_line(&self, line: u32) -> Option<&str> {
        self.references
            .iter()
            .find(|found| found.line == line)
            .map(|found| found.written.as_str())
    }

    fn find(&self, reference: &str) -> Option<&Reference> {
        let wanted = plain(reference);
        let same = self
            .references
            .iter()
            .find(|found| plain(&found.written) == wanted);
        // A reference with variables in it is written by the builder with their values.
        same.or_else(|| {
            let mut open = self
                .references
                .iter()
                .filter(|found| found.written.contains('$'));
            open.next().filter(|_| open.next().is_none())
        })
    }
}

/// A reference without what is added to it on the way: the default registry, namespace and tag, the
/// digest that it was resolved to, and the name of a base that was built here.
fn plain(reference: &str) -> &str {
    let reference = reference
        .split_once('@')
        .map_or(reference, |(name, _)| name);
    let reference = reference
        .strip_prefix("docker.io/library/")
        .or_else(|| reference.strip_prefix("docker.io/"))
        .or_else(|| reference.strip_prefix("loadline.local/"))
        .unwrap_or(reference);
    reference.strip_suffix(":latest").unwrap_or(reference)
}

/// The lines of the instructions that the parser refuses and a builder does not let wait.
fn refused(dockerfile: &Dockerfile) -> Vec<u32> {
    let instructions = dockerfile.instructions();
    let problems = dockerfile.stopping();
    problems
        .map(|problem| {
            let around = |one: &&&Instruction| (one.line..=one.last_line).contains(&problem.line);
            let found = instructions.iter().find(around);
            found.map_or(problem.line, |one| one.line)
        })
        .collect()
}

/// How many steps the ONBUILD of a stage leaves to those that start from it.
fn leaves(stage: &crate::dockerfile::Stage) -> usize {
    let is_step = |one: &&Instruction| matches!(&one.body, Body::Onbuild(inner) if works(inner));
    stage.instructions.iter().filter(is_step).count()
}

/// Whether BuildKit makes a step of an instruction.
const fn works(instruction: &Instruction) -> bool {
    matches!(
        instruction.keyword,
        Keyword::Add | Keyword::Copy | Keyword::Run | Keyword::Workdir
    )
}

/// An instruction as the learner wrote it, on one line, as it may be [`told`](maker::told).
fn title(instruction: &Instruction, text: &str) -> Clean {
    let mut words = vec![instruction.keyword.as_str()];
    words.extend(
        instruction
            .flags
            .iter()
            .filter_map(|flag| text.get(flag.span.range())),
    );
    let arguments = match &instruction.body {
        Body::Invalid => text.get(instruction.span.range()).unwrap_or_default(),
        _ => instruction.arguments.as_str(),
    };
    words.push(arguments);
    Clean::line(&maker::told(&words.join(" ")))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::dockerfile::Span;
    use crate::dockerfile::Word;

    /// A Dockerfile from lines that need no real parser.
    pub(in crate::engine::docker::translate) fn dockerfile(lines: &str) -> Dockerfile {
        let mut dockerfile = Dockerfile {
            text: lines.to_owned(),
            ..Dockerfile::default()
        };
        for (index, text) in lines.lines().enumerate() {
            let (word, arguments) = text.split_once(' ').unwrap();
            let keyword = Keyword::parse(word).unwrap_or(Keyword::Unknown);
            let from = arguments
                .strip_prefix("--from=")
                .map(|rest| rest.split(' ').next().unwrap().to_owned());
            let instruction = Instruction {
                keyword,
                line: u32::try_from(index + 1).unwrap(),
                last_line: u32::try_from(index + 1).unwrap(),
                span: Span::default(),
                keyword_span: Span::default(),
                flags: from
                    .map(|value| crate::dockerfile::Flag {
                        name: "from".to_owned(),
                        value: Some(value),
                        span: Span::default(),
                    })
                    .into_iter()
                    .collect(),
                body: Body::Words(Vec::new()),
                heredocs: Vec::new(),
                arguments: arguments.to_owned(),
                places: crate::dockerfile::Places::default(),
            };
            if keyword == Keyword::From {
                let mut words = arguments.split(' ');
                dockerfile.stages.push(crate::dockerfile::Stage {
                    index: dockerfile.stages.len(),
                    base: Word {
                        text: words.next().unwrap().to_owned(),
                        span: Span::default(),
                    },
                    name: words.nth(1).map(str::to_owned),
                    from: instruction,
                    instructions: Vec::new(),
                });
            } else if let Some(stage) = dockerfile.stages.last_mut() {
                stage.instructions.push(instruction);
            } else {
                dockerfile.global_args.push(instruction);
            }
        }
        dockerfile
    }

    pub(in crate::engine::docker::translate) const STAGES: &str = "ARG V=1
FROM python:3.13 AS build
ARG V
WORKDIR /src
RUN make
FROM build
ENV A=1
COPY --from=build /a /a
CMD [\"/a\"]
";

    #[test]
    fn each_builder_counts_in_its_own_way() {
        let plan = Plan::of(&dockerfile(STAGES));
        let line = |place: Option<Place>| place.map(|place| place.line);
        assert_eq!(line(plan.buildkit(Some("build"), 1, 3)), Some(2), "FROM");
        assert_eq!(line(plan.buildkit(Some("build"), 2, 3)), Some(4));
        assert_eq!(line(plan.buildkit(Some("build"), 3, 3)), Some(5));
        // A base that is a stage is not counted.
        assert_eq!(line(plan.buildkit(Some("stage-1"), 1, 1)), Some(8));
        // What ONBUILD adds belongs to FROM.
        assert_eq!(line(plan.buildkit(Some("build"), 2, 4)), Some(2));
        assert_eq!(line(plan.buildkit(Some("build"), 4, 4)), Some(5));
        assert_eq!(line(plan.buildkit(Some("nope"), 1, 1)), None);
        assert_eq!(line(plan.classic(1)), Some(1));
        assert_eq!(line(plan.classic(9)), Some(9));
        assert_eq!(line(plan.classic(10)), None, "the builder's own LABEL");
        assert_eq!(line(plan.podman(1, 1)), Some(2));
        assert_eq!(line(plan.podman(1, 4)), Some(5));
        assert_eq!(line(plan.podman(2, 3)), Some(8));
    }

    #[test]
    fn a_step_is_named_without_its_secrets() {
        let plan = Plan::of(&dockerfile(
            "FROM a\nRUN export TOKEN=correct-horse && false\nENV DB_PASSWORD=my long one\n",
        ));
        let title = |step| plan.podman(1, step).unwrap().title.to_string();
        assert_eq!(title(2), "RUN export TOKEN=… && false");
        assert_eq!(title(3), "ENV DB_PASSWORD=…");
    }

    #[test]
    fn references_are_found_however_a_builder_writes_them() {
        let plan = Plan::of(&dockerfile("FROM python:3.13\nCOPY --from=alpine /a /a\n"));
        assert_eq!(plan.line_of("docker.io/library/python:3.13"), Some(1));
        assert_eq!(
            plan.as_written("docker.io/library/python:3.13@sha256:00"),
            "python:3.13"
        );
        assert_eq!(plan.line_of("docker.io/library/alpine:latest"), Some(2));
        assert_eq!(plan.line_of("other"), None);
        let plan = Plan::of(&Dockerfile::parse(
            "FROM a\nRUN --mount=from=zz,target=/a true\nONBUILD COPY --from=yy /a /a\n",
        ));
        assert_eq!(plan.line_of("docker.io/library/zz:latest"), Some(2));
        assert_eq!(plan.as_written("docker.io/library/zz:latest"), "zz");
        assert_eq!(plan.line_of("docker.io/library/yy:latest"), Some(3));
    }
}

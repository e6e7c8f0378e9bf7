//! Which line of the Dockerfile made each layer of the image. Pure.
//!
//! Builders record a step per instruction, each in its own words, and not always the same ones: an
//! instruction that changed nothing, a step that a base image's `ONBUILD` added, a label of ours.
//! So steps and instructions are aligned as a whole, and a layer without a partner stays without a
//! line.

use crate::dockerfile::Body;
use crate::dockerfile::BuildArgs;
use crate::dockerfile::Dockerfile;
use crate::dockerfile::Instruction;
use crate::dockerfile::Keyword;
use crate::image::HistoryStep;

/// The most steps, and the most instructions, that are aligned; images have at most 127 layers.
const MOST: usize = 600;

/// The line that made each of `layers` layers, bottom first. The `base_layers` at the bottom are
/// those of the image that the final stage starts from, and get the line of that `FROM`. Where the
/// final stage starts from another stage, that stage's instructions count as well.
#[must_use]
pub fn layer_lines(
    dockerfile: &Dockerfile,
    given: &BuildArgs,
    history: &[HistoryStep],
    layers: usize,
    base_layers: usize,
) -> Vec<Option<u32>> {
    let Some(last) = dockerfile.final_stage() else {
        return vec![None; layers];
    };
    let chain = dockerfile.chain(last, given);
    let from = chain.last().map(|stage| stage.from.line);
    let instructions: Vec<&Instruction> = chain
        .iter()
        .rev()
        .flat_map(|stage| &stage.instructions)
        .take(MOST)
        .collect();
    let mut lines = vec![from; base_layers.min(layers)];
    let made = history.iter().filter(|step| !step.empty_layer).count();
    if made == layers {
        let steps = after_base(history, base_layers);
        lines.extend(of_steps(&steps, &instructions, from));
    } else {
        lines.extend(by_count(&instructions, layers.saturating_sub(base_layers)));
    }
    lines.resize(layers, None);
    lines
}

/// The steps after the base's last layer.
fn after_base(history: &[HistoryStep], base_layers: usize) -> Vec<&HistoryStep> {
    let mut below = base_layers;
    history
        .iter()
        .skip_while(|step| {
            let skip = below > 0;
            if skip && !step.empty_layer {
                below -= 1;
            }
            skip
        })
        .take(MOST)
        .collect()
}

/// The lines of the steps that made a layer.
fn of_steps(
    steps: &[&HistoryStep],
    instructions: &[&Instruction],
    from: Option<u32>,
) -> Vec<Option<u32>> {
    let partners = align(steps, instructions);
    let first = partners.iter().position(Option::is_some);
    steps
        .iter()
        .zip(&partners)
        .enumerate()
        .filter(|(_, (step, _))| !step.empty_layer)
        .map(|(index, (_, partner))| match partner {
            Some(instruction) => Some(instruction.line),
            // Before the first instruction of ours comes what ONBUILD of the base added.
            None if first.is_none_or(|first| index < first) => from,
            None => None,
        })
        .collect()
}

/// Without a history: the instructions that always make a layer, where there are as many.
fn by_count(instructions: &[&Instruction], wanted: usize) -> Vec<Option<u32>> {
    let makers = instructions.iter().filter(|instruction| {
        matches!(
            instruction.keyword,
            Keyword::Run | Keyword::Copy | Keyword::Add
        )
    });
    let lines: Vec<Option<u32>> = makers.map(|instruction| Some(instruction.line)).collect();
    if lines.len() == wanted {
        lines
    } else {
        vec![None; wanted]
    }
}

/// For each step the instruction that it stands for: the pairing, in order, that fits best.
fn align<'i>(
    steps: &[&HistoryStep],
    instructions: &[&'i Instruction],
) -> Vec<Option<&'i Instruction>> {
    let width = instructions.len() + 1;
    // best[step * width + instruction]: the best that can be had from there on.
    let mut best = vec![0_u32; (steps.len() + 1) * width];
    let fits: Vec<Vec<u32>> = steps
        .iter()
        .map(|step| {
            let shown = Shown::of(step);
            let fits = instructions.iter();
            fits.map(|instruction| shown.fits(instruction)).collect()
        })
        .collect();
    for (s, row) in fits.iter().enumerate().rev() {
        for (i, fit) in row.iter().enumerate().rev() {
            let skip = best[(s + 1) * width + i].max(best[s * width + i + 1]);
            let pair = match fit {
                0 => 0,
                fit => fit + best[(s + 1) * width + i + 1],
            };
            best[s * width + i] = skip.max(pair);
        }
    }
    let mut partners = vec![None; steps.len()];
    let (mut s, mut i) = (0, 0);
    while s < steps.len() && i < instructions.len() {
        let here = best[s * width + i];
        let fit = fits[s][i];
        if fit > 0 && here == fit + best[(s + 1) * width + i + 1] {
            partners[s] = Some(instructions[i]);
            s += 1;
            i += 1;
        } else if here == best[(s + 1) * width + i] {
            s += 1;
        } else {
            i += 1;
        }
    }
    partners
}

/// A step of the history, read.
struct Shown {
    keyword: Keyword,
    /// What follows the keyword, white space made single.
    text: String,
}

impl Shown {
    fn of(step: &HistoryStep) -> Self {
        let text = step.created_by.trim();
        let text = text.strip_suffix("# buildkit").unwrap_or(text);
        let nop = text
            .split_once("#(nop)")
            .filter(|(before, _)| before.trim() == "/bin/sh -c" || before.trim().is_empty());
        let plain = nop.map_or(text, |(_, after)| after.trim_start());
        let (word, rest) = plain.split_once(char::is_whitespace).unwrap_or((plain, ""));
        let known = Keyword::ALL
            .into_iter()
            .find(|keyword| keyword.as_str() == word);
        match known {
            Some(keyword) => Self {
                keyword,
                text: single_spaced(rest),
            },
            // The classic builder shows a RUN by its shell: `/bin/sh -c make`, `|1 A=b /bin/sh …`.
            None => Self {
                keyword: Keyword::Run,
                text: single_spaced(plain),
            },
        }
    }

    /// How well an instruction fits: 0 is not at all.
    fn fits(&self, instruction: &Instruction) -> u32 {
        if instruction.keyword != self.keyword {
            return 0;
        }
        let says = match &instruction.body {
            // The sources become digests, the destination stays.
            Body::Copy { destination, .. } => single_spaced(&destination.text),
            _ => single_spaced(&instruction.arguments),
        };
        let start: String = says.chars().take(60).collect();
        if !start.is_empty() && self.text.contains(&start) {
            3
        } else {
            2
        }
    }
}

fn single_spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn steps(lines: &[&str]) -> Vec<HistoryStep> {
        lines
            .iter()
            .map(|line| {
                let (empty, text) = match line.strip_prefix("- ") {
                    Some(text) => (true, text),
                    None => (false, *line),
                };
                HistoryStep {
                    created_by: text.to_owned(),
                    empty_layer: empty,
                }
            })
            .collect()
    }

    fn lines(dockerfile: &str, history: &[&str], base_layers: usize) -> Vec<u32> {
        let history = steps(history);
        let layers = history.iter().filter(|step| !step.empty_layer).count();
        let file = Dockerfile::parse(dockerfile);
        layer_lines(&file, &BuildArgs::new(), &history, layers, base_layers)
            .into_iter()
            .map(|line| line.unwrap_or(0))
            .collect()
    }

    const TEXT: &str = "\
FROM golang AS build
RUN go build
FROM python:3.13
ENV A=1
WORKDIR /app
COPY . .
ARG T
RUN make   \\
    install
USER nobody
CMD [\"x\"]
";

    const BASE: [&str; 3] = [
        "/bin/sh -c #(nop) ADD file:1 in / ",
        "RUN /bin/sh -c apt-get # buildkit",
        "- CMD [\"python3\"]",
    ];

    #[test]
    fn each_builder_is_understood() {
        let buildkit = [
            "- ENV A=1",
            "WORKDIR /app",
            "COPY . . # buildkit",
            "- ARG T",
            "RUN |1 T=x /bin/sh -c make       install # buildkit",
            "- USER nobody",
            "- CMD [\"x\"]",
        ];
        let classic = [
            "- /bin/sh -c #(nop)  ENV A=1",
            "/bin/sh -c #(nop) WORKDIR /app",
            "/bin/sh -c #(nop) COPY dir:12ab in /app ",
            "- /bin/sh -c #(nop)  ARG T",
            "|1 T=x /bin/sh -c make       install",
            "- /bin/sh -c #(nop)  USER nobody",
            "- /bin/sh -c #(nop)  CMD [\"x\"]",
            "- /bin/sh -c #(nop)  LABEL loadline=1",
        ];
        for history in [buildkit.as_slice(), &classic] {
            let all = [BASE.as_slice(), history].concat();
            assert_eq!(lines(TEXT, &all, 2), [3, 3, 5, 6, 8]);
        }
    }

    #[test]
    fn an_instruction_that_made_no_layer_moves_nothing() {
        let all = [
            BASE.as_slice(),
            &["- WORKDIR /app", "COPY . . # buildkit", "RUN make install"],
        ]
        .concat();
        assert_eq!(lines(TEXT, &all, 2), [3, 3, 6, 8]);
    }

    #[test]
    fn what_the_base_adds_belongs_to_from() {
        let all = [
            BASE.as_slice(),
            &[
                "COPY req /req",
                "RUN pip",
                "WORKDIR /app",
                "COPY . .",
                "RUN make install",
            ],
        ]
        .concat();
        assert_eq!(lines(TEXT, &all, 2), [3, 3, 3, 3, 5, 6, 8]);
    }

    #[test]
    fn a_stage_below_the_final_one_is_part_of_the_image() {
        let text = "FROM scratch AS one\nCOPY a /\nFROM one AS two\nFROM two\nCOPY b /\n";
        assert_eq!(
            lines(text, &["COPY a / # buildkit", "COPY b / # buildkit"], 0),
            [2, 5]
        );
    }

    #[test]
    fn a_run_in_another_shell_is_a_run() {
        let text = "FROM a\nSHELL [\"/bin/bash\", \"-c\"]\nRUN one\nRUN two\n";
        let history = [
            "base",
            "- SHELL [/bin/bash -c]",
            "/bin/bash -c one",
            "/bin/bash -c two",
        ];
        assert_eq!(lines(text, &history, 1), [1, 3, 4]);
    }

    #[test]
    fn without_a_history_only_a_count_that_agrees_is_believed() {
        let file = Dockerfile::parse("FROM a\nRUN b\nCOPY c /\n");
        let of = |layers| layer_lines(&file, &BuildArgs::new(), &[], layers, 1);
        assert_eq!(of(3), [Some(1), Some(2), Some(3)]);
        assert_eq!(of(4), [Some(1), None, None, None]);
        assert_eq!(of(0), []);
    }

    proptest! {
        #[test]
        fn there_is_one_answer_per_layer(
            words in proptest::collection::vec("(- )?(RUN|COPY|ENV|x) [ab]", 0..12),
            layers in 0usize..9,
            base in 0usize..9,
        ) {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let file = Dockerfile::parse(TEXT);
            let lines = layer_lines(&file, &BuildArgs::new(), &steps(&words), layers, base);
            prop_assert_eq!(lines.len(), layers);
            let known: Vec<u32> = lines.into_iter().flatten().collect();
            prop_assert!(known.is_sorted());
        }
    }
}

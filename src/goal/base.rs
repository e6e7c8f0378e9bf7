//! The stages that lead to the final image, and the base image that they start from.

use crate::dockerfile::BuildArgs;
use crate::dockerfile::Dockerfile;
use crate::dockerfile::Instruction;
use crate::dockerfile::Keyword;
use crate::dockerfile::Stage;
use crate::image::maker;

/// The final stage and the stages that it is built upon, the lowest first.
pub(super) fn chain(dockerfile: &Dockerfile) -> Vec<&Stage> {
    let Some(last) = dockerfile.final_stage() else {
        return Vec::new();
    };
    let mut chain = dockerfile.chain(last, &BuildArgs::new());
    chain.reverse();
    chain
}

/// The base image of the final image as the Dockerfile names it, variables expanded, and the line
/// of its `FROM`.
pub(super) fn base(dockerfile: &Dockerfile) -> Option<(String, u32)> {
    let lowest = *chain(dockerfile).first()?;
    Some((image_of(dockerfile, lowest), lowest.from.line))
}

/// The instructions that make the final image, in order.
pub(super) fn instructions(dockerfile: &Dockerfile) -> impl Iterator<Item = &Instruction> {
    chain(dockerfile)
        .into_iter()
        .flat_map(|stage| stage.instructions.iter())
}

/// The last instruction of a kind on the way to the final image: the one that counts.
pub(super) fn last(dockerfile: &Dockerfile, keyword: Keyword) -> Option<&Instruction> {
    instructions(dockerfile)
        .filter(|instruction| instruction.keyword == keyword)
        .last()
}

/// The line of the last instruction of a kind, else of the `FROM` that the image starts from.
pub(super) fn line_of(dockerfile: &Dockerfile, keyword: Keyword) -> Option<u32> {
    last(dockerfile, keyword)
        .map(|instruction| instruction.line)
        .or_else(|| base(dockerfile).map(|(_, line)| line))
}

/// Every instruction of the file, `FROM`s included, in order.
pub(super) fn every(dockerfile: &Dockerfile) -> impl Iterator<Item = &Instruction> {
    let stages = dockerfile.stages.iter();
    let staged =
        stages.flat_map(|stage| std::iter::once(&stage.from).chain(stage.instructions.iter()));
    dockerfile.global_args.iter().chain(staged)
}

/// An instruction in a few words, for a sentence: `` `RUN pip install flask` ``, with no more in
/// it than may be [`told`](maker::told).
pub(super) fn quote(instruction: &Instruction) -> String {
    const WIDTH: usize = 48;
    let flags: String = instruction
        .flags
        .iter()
        .map(|flag| match &flag.value {
            Some(value) => format!("--{}={value} ", flag.name),
            None => format!("--{} ", flag.name),
        })
        .collect();
    let all = format!(
        "{} {flags}{}",
        instruction.keyword,
        instruction.arguments.trim()
    );
    let all: Vec<&str> = all.split_whitespace().collect();
    let all = maker::told(&all.join(" "));
    if all.chars().count() <= WIDTH {
        return format!("`{all}`");
    }
    let short: String = all.chars().take(WIDTH - 1).collect();
    format!("`{}…`", short.trim_end())
}

/// The instruction that starts on a line, in a few words.
pub(super) fn quote_line(dockerfile: &Dockerfile, line: u32) -> Option<String> {
    every(dockerfile)
        .find(|instruction| instruction.line == line)
        .map(quote)
}

/// What a stage starts from, variables expanded; as written where that fails.
pub(super) fn image_of(dockerfile: &Dockerfile, stage: &Stage) -> String {
    match dockerfile.expand_base(stage, &BuildArgs::new()) {
        Ok(expanded) => expanded.text,
        Err(_) => stage.base.text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_follows_stage_names_to_the_base() {
        let file = Dockerfile::parse(
            "ARG TAG=3.13-slim\nFROM python:${TAG} AS base\nUSER 5\nFROM golang:1 AS other\nFROM base\nCMD [\"a\"]",
        );
        let indexes: Vec<usize> = chain(&file).iter().map(|stage| stage.index).collect();
        assert_eq!(indexes, [0, 2]);
        assert_eq!(base(&file), Some((String::from("python:3.13-slim"), 2)));
        assert_eq!(line_of(&file, Keyword::User), Some(3));
        assert_eq!(line_of(&file, Keyword::Entrypoint), Some(2));
    }

    #[test]
    fn a_long_instruction_is_cut() {
        let file = Dockerfile::parse(
            "FROM a\nRUN apt-get update && apt-get install -y --no-install-recommends curl git",
        );
        assert_eq!(
            quote_line(&file, 2).unwrap(),
            "`RUN apt-get update && apt-get install -y --no-i…`"
        );
        assert_eq!(quote_line(&file, 9), None);
    }

    #[test]
    fn an_instruction_is_quoted_without_its_secrets() {
        let token = format!("ghp_{}", "aZ3bY7cX9dW1eV5fU2gT8hS4iR6jQ0kPmN2L");
        let file = Dockerfile::parse(&format!(
            "FROM a\nRUN export API_TOKEN={token} && make\nENV DB_PASSWORD correct horse\nADD https://admin:gl9x8y7z@git.corp/a /a"
        ));
        for (line, wanted) in [
            (2, "`RUN export API_TOKEN=… && make`"),
            (3, "`ENV DB_PASSWORD …`"),
            (4, "`ADD https://admin:…@git.corp/a /a`"),
        ] {
            assert_eq!(quote_line(&file, line).unwrap(), wanted);
        }
    }
}

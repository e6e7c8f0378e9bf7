//! What a build was seen to waste, told where the rules could only guess.

use std::collections::BTreeMap;

use super::super::ast::Dockerfile;
use super::super::ast::Instruction;
use super::Finding;
use super::found::Found;
use super::pragma::Pragmas;
use super::registry;
use crate::text::Clean;
use crate::units::Bytes;

/// Waste below this is not worth a finding of its own.
const WORTH_A_WORD: Bytes = Bytes(100_000);

/// Bytes that are in the image and cannot be seen in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waste {
    /// The line of the instruction that shipped them.
    pub shipped: u32,
    /// The line of the instruction that hid them.
    pub hidden: u32,
    /// How many.
    pub bytes: Bytes,
}

/// Names the bytes that a build was seen to waste: in the findings that guessed so, and in one of
/// its own for each pair of lines that no rule saw. The order of the lines is kept.
#[must_use]
pub fn with_measured(
    mut findings: Vec<Finding>,
    file: &Dockerfile,
    measured: &[Waste],
) -> Vec<Finding> {
    let instructions = file.instructions();
    let mut sums: BTreeMap<(u32, u32), Bytes> = BTreeMap::new();
    for waste in measured {
        let sum = sums.entry((waste.shipped, waste.hidden)).or_default();
        *sum = sum.plus(waste.bytes);
    }
    for finding in &mut findings {
        let (Some(shipped), true) = (finding.other_line, tells_waste(finding)) else {
            continue;
        };
        let hidden = instruction_of(&instructions, finding.line).map_or(0, |one| one.line);
        if let Some(bytes) = sums.remove(&(shipped, hidden)) {
            finding.message = Clean::line(&format!("{}: {bytes}", finding.message));
        }
    }
    let Some(rule) = registry::rule("remove-in-later-layer") else {
        return findings;
    };
    let pragmas = Pragmas::read(file);
    for ((shipped, hidden), bytes) in sums {
        let Some(instruction) = instruction_of(&instructions, hidden) else {
            continue;
        };
        let silent = pragmas.silences(rule, Some(instruction.span.start));
        if bytes < WORTH_A_WORD || shipped == hidden || silent {
            continue;
        }
        let first = findings.len();
        let mut found = Found {
            rule,
            findings: &mut findings,
        };
        let message = format!("{bytes} of line {shipped} still ship, hidden from here on");
        let _ = found
            .note(instruction.keyword_span, message)
            .hint("remove or change it in the instruction that brings it")
            .with_line(shipped);
        if let Some(new) = findings.get_mut(first) {
            new.line = instruction.line;
        }
    }
    findings.sort_by_key(|one| (one.line, one.span.start));
    findings
}

/// Whether a finding is about bytes that ship and cannot be seen.
fn tells_waste(finding: &Finding) -> bool {
    matches!(finding.rule.id, "remove-in-later-layer" | "recursive-chown")
}

/// The instruction that holds a line.
fn instruction_of<'f>(instructions: &[&'f Instruction], line: u32) -> Option<&'f Instruction> {
    let next = instructions.partition_point(|one| one.line <= line);
    let one = instructions.get(next.checked_sub(1)?)?;
    (line <= one.last_line).then_some(one)
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    const TEXT: &str = "\
FROM debian:13-slim
RUN curl -fsSLo /tmp/sdk.tar https://example.com/sdk.tar
RUN tar -xf /tmp/sdk.tar -C /opt \\
    && rm /tmp/sdk.tar
RUN ./configure
";

    fn told(measured: &[(u32, u32, u64)]) -> Vec<(u32, String)> {
        let file = Dockerfile::parse(TEXT);
        let measured: Vec<Waste> = measured
            .iter()
            .map(|(shipped, hidden, bytes)| Waste {
                shipped: *shipped,
                hidden: *hidden,
                bytes: Bytes(*bytes),
            })
            .collect();
        with_measured(check(&file), &file, &measured)
            .into_iter()
            .filter(|one| one.rule.id == "remove-in-later-layer")
            .map(|one| (one.line, one.message.to_string()))
            .collect()
    }

    #[test]
    fn a_guess_gets_its_bytes() {
        let guess = (
            4,
            "`/tmp/sdk.tar` still ships in the layer of line 2".to_owned(),
        );
        assert_eq!(told(&[]), std::slice::from_ref(&guess));
        assert_eq!(
            told(&[(2, 3, 41_000_000), (2, 3, 500_000)]),
            [(4, format!("{}: 41.5 MB", guess.1))]
        );
    }

    #[test]
    fn what_no_rule_saw_is_told_where_it_is_much() {
        let found = told(&[(2, 3, 5), (1, 5, 2_000_000), (2, 5, 99_999)]);
        assert_eq!(found.len(), 2);
        let message = "2 MB of line 1 still ship, hidden from here on".to_owned();
        assert_eq!(found[1], (5, message));
    }
}

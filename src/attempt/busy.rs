//! Dockerfiles that would keep an engine busy long after the build was given up, for whoever else
//! builds on it: they are refused.

use std::collections::BTreeMap;

use super::prepare::Refused;
use super::problem;
use crate::dockerfile::Body;
use crate::dockerfile::BuildArgs;
use crate::dockerfile::Dockerfile;
use crate::dockerfile::ExpandError;
use crate::dockerfile::Instruction;
use crate::dockerfile::Keyword;
use crate::dockerfile::Scope;
use crate::dockerfile::Stage;
use crate::report::Outcome;

/// The most work that words may be, as the sum of the squares of their bytes: BuildKit copies a word
/// for each letter that it adds. One word of 64 kB takes Docker 20.10 seven seconds, one of 128 kB
/// 26; variables that double each other come there in a dozen lines.
const WORK: u64 = 1 << 32;

/// What a byte of the variables that a stage starts with is counted as.
const COPIED: u64 = 1024;

/// Why a Dockerfile is not built, and the line.
pub(super) fn refused(dockerfile: &Dockerfile) -> Option<Refused> {
    many_variables(dockerfile).or_else(|| long_words(dockerfile))
}

fn long_words(dockerfile: &Dockerfile) -> Option<Refused> {
    let given = BuildArgs::new();
    let global = dockerfile.global_scope(&given);
    let below = dockerfile.stages_below(&given);
    // What the stages that others start from set, as long as one of those is still to come.
    let mut ended: BTreeMap<usize, Scope> = BTreeMap::new();
    let mut to_come: BTreeMap<usize, usize> = BTreeMap::new();
    for below in below.iter().flatten() {
        *to_come.entry(*below).or_default() += 1;
    }
    let mut work = 0_u64;
    for (index, stage) in dockerfile.stages.iter().enumerate() {
        let mut scope = dockerfile.stage_scope();
        if let Some(below) = below.get(index).copied().flatten() {
            let left = to_come.entry(below).or_default();
            *left = left.saturating_sub(1);
            let inherited = match *left {
                0 => ended.remove(&below),
                _ => ended.get(&below).cloned(),
            };
            scope = inherited.unwrap_or(scope);
            // Each stage is a copy, to us and to the builder.
            work = work.saturating_add(scope.bytes().saturating_mul(COPIED));
        }
        let above = to_come.get(&index).copied().unwrap_or_default();
        for instruction in &stage.instructions {
            let (inner, times) = match &instruction.body {
                Body::Onbuild(inner) => (&**inner, above.saturating_add(1)),
                _ => (instruction, 1),
            };
            work = work.saturating_add(work_of(inner, times, &scope));
            if work > WORK {
                return Some(too_long(instruction.line));
            }
            scope.apply(inner, &global, &given);
        }
        if above > 0 {
            ended.insert(index, scope);
        }
    }
    None
}

/// The work of an instruction that is carried out so many times.
fn work_of(instruction: &Instruction, times: usize, scope: &Scope) -> u64 {
    let squared = words(instruction).into_iter().map(|word| {
        let length = match scope.expand(word) {
            Ok(expanded) => expanded.text.len().max(word.len()),
            Err(ExpandError::TooLong) => usize::MAX,
            Err(_) => word.len(),
        };
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        length.saturating_mul(length)
    });
    let once = squared.fold(0, u64::saturating_add);
    once.saturating_mul(u64::try_from(times).unwrap_or(u64::MAX))
}

fn too_long(line: u32) -> Refused {
    let message = "With the variables filled in, the words up to here are so long that the builder would work on them for a long time.";
    let next = "Put long text into a file, and copy that.";
    let told = problem::problem(message, next, Some(line));
    (Outcome::BuildFailed, told)
}

/// What BuildKit fills variables into, word by word.
fn words(instruction: &Instruction) -> Vec<&str> {
    let mut words: Vec<&str> = match &instruction.body {
        Body::Pairs(pairs) => {
            let raw = pairs.iter().map(|pair| pair.raw.as_deref());
            raw.flatten().collect()
        }
        Body::Copy {
            sources,
            destination,
        } => {
            let sources = sources.iter().chain([destination]);
            sources.map(|word| word.text.as_str()).collect()
        }
        Body::Words(words) => words.iter().map(|word| word.text.as_str()).collect(),
        Body::Word(word) => vec![&word.text],
        _ => return Vec::new(),
    };
    let heredocs = instruction.heredocs.iter().filter(|text| text.expand);
    words.extend(heredocs.map(|text| text.content.as_str()));
    words
}

/// The most variables that a Dockerfile may set. For each of them BuildKit looks at all others, more
/// than once: 500 take Docker 20.10 two seconds, 1,500 take it 46, and of 10,000 it did not let go
/// for hours after the build had been given up.
const VARIABLES: usize = 500;

/// A Dockerfile that would keep the engine busy, for whoever else builds on it too.
fn many_variables(dockerfile: &Dockerfile) -> Option<Refused> {
    // What a stage holds behind ONBUILD is carried out in each that starts from it.
    let held: Vec<usize> = dockerfile.stages.iter().map(held_back).collect();
    let below = dockerfile.stages_below(&BuildArgs::new());
    let carried_out: BTreeMap<u32, usize> = dockerfile
        .stages
        .iter()
        .zip(below)
        .filter_map(|(stage, below)| Some((stage.from.line, *held.get(below?)?)))
        .collect();
    let mut count = 0;
    let beyond = dockerfile.instructions().into_iter().find(|instruction| {
        let carried_out = carried_out.get(&instruction.line).copied();
        count += set_by(instruction) + carried_out.unwrap_or_default();
        count > VARIABLES
    })?;
    let (how, next) = if beyond.keyword == Keyword::From {
        (
            ", those of an ONBUILD once for each stage that starts from its own",
            "Let fewer stages start from that one, or put what the program reads into a file, and copy that.",
        )
    } else {
        ("", "Put what the program reads into a file, and copy that.")
    };
    let message = format!("The Dockerfile sets more than {VARIABLES} variables{how}.");
    let told = problem::problem(&message, next, Some(beyond.line));
    Some((Outcome::BuildFailed, told))
}

/// How many variables an instruction sets, at once or later.
fn set_by(instruction: &Instruction) -> usize {
    let inner = match &instruction.body {
        Body::Onbuild(inner) => inner,
        _ => instruction,
    };
    match (inner.keyword, &inner.body) {
        (Keyword::Env | Keyword::Arg, Body::Pairs(pairs)) => pairs.len(),
        _ => 0,
    }
}

/// How many variables a stage sets in each stage that starts from it.
fn held_back(stage: &Stage) -> usize {
    let is_held = |one: &&Instruction| matches!(one.body, Body::Onbuild(_));
    stage.instructions.iter().filter(is_held).map(set_by).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dockerfile_that_would_keep_the_engine_busy_is_refused_with_its_line() {
        let most = format!("FROM a\n{}", "ENV A=1 B=2\n".repeat(VARIABLES / 2));
        assert_eq!(refused(&Dockerfile::parse(&most)), None);
        for beyond in ["ENV C=3\n", "ONBUILD ENV C=3\n", "ARG C\n"] {
            let file = Dockerfile::parse(&format!("{most}USER b\n{beyond}"));
            let (outcome, problem) = refused(&file).expect("one too many");
            assert_eq!(outcome, Outcome::BuildFailed);
            assert_eq!(problem.blame.line, Some(253), "{beyond}");
        }
    }

    #[test]
    fn variables_of_an_onbuild_count_in_each_stage_that_starts_from_its_own() {
        let text = |stages: usize| {
            let held = "ONBUILD ENV A=1 B=2\n".repeat(50);
            let from = (0..stages).map(|at| format!("FROM Held AS s{at}\n"));
            format!("FROM a AS held\n{held}{}", from.collect::<String>())
        };
        // Those that start from a stage of these start without them.
        let most = format!("{}FROM s0\nENV A=1\n", text(3));
        assert_eq!(refused(&Dockerfile::parse(&most)), None);
        let (_, problem) = refused(&Dockerfile::parse(&text(9_000))).expect("too many");
        assert_eq!(problem.blame.line, Some(56));
        assert!(problem.message.as_str().contains("ONBUILD"), "{problem:?}");
    }

    #[test]
    fn words_that_would_keep_the_engine_busy_are_refused_with_their_line() {
        let line = |text: &str| {
            let refused = refused(&Dockerfile::parse(text));
            refused.map(|(_, problem)| problem.blame.line)
        };
        let doubled = |times: usize| {
            let mut text = "FROM a\nENV A0=0123456789abcdef\n".to_owned();
            for next in 1..=times {
                let last = next - 1;
                text.push_str(&format!("ENV A{next}=$A{last}$A{last}\n"));
            }
            text
        };
        assert_eq!(line(&doubled(11)), None);
        assert_eq!(line(&doubled(30)), Some(Some(14)));
        let long =
            |keyword: &str, bytes: usize| format!("FROM a\n{keyword}{}\n", "x".repeat(bytes));
        for keyword in [
            "LABEL a=",
            "ENV a=",
            "USER ",
            "EXPOSE ",
            "ONBUILD LABEL a=",
            "COPY a /",
        ] {
            assert_eq!(line(&long(keyword, 60_000)), None, "{keyword}");
            assert_eq!(line(&long(keyword, 70_000)), Some(Some(2)), "{keyword}");
        }
        // Each begins without what the one before it has set, and inherits of the one below.
        let stage = |number: usize, below: &str| {
            let part = "x".repeat(1024);
            format!("FROM {below} AS s{number}\nENV CP=\"$CP:{part}\"\nLABEL a=$CP\n")
        };
        let apart: String = (0..60).map(|number| stage(number, "a")).collect();
        assert_eq!(line(&apart), None);
        let chained = (1..60).map(|number| stage(number, &format!("s{}", number - 1)));
        let chained: String = [stage(0, "a")].into_iter().chain(chained).collect();
        assert!(line(&chained).is_some());
        // A shell's own words are not BuildKit's.
        assert_eq!(line(&long("RUN echo ", 70_000)), None);
        let taken = format!(
            "{}FROM b\n",
            long("ONBUILD LABEL a=", 40_000).replace("a\n", "a AS b\n")
        );
        assert_eq!(line(&taken), None);
        assert_eq!(line(&format!("{taken}FROM b\nFROM b\n")), Some(Some(2)));
    }
}

//! Dockerfiles that would keep an engine busy long after the build was given up, for whoever else
//! builds on it: they are refused.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::prepare::Refused;
use super::problem;
use crate::dockerfile::Body;
use crate::dockerfile::BuildArgs;
use crate::dockerfile::Dockerfile;
use crate::dockerfile::ExpandError;
use crate::dockerfile::Expanded;
use crate::dockerfile::Instruction;
use crate::dockerfile::Keyword;
use crate::dockerfile::Scope;
use crate::dockerfile::Stage;
use crate::report::Outcome;

/// The most work that words may be, as the sum of the squares of their bytes: BuildKit copies a word
/// for each letter that it adds. One word of 64 kB takes Docker 20.10 seven seconds, one of 128 kB
/// 26; variables that double each other come there in a dozen lines.
const WORK: u64 = 1 << 32;

/// How long the `PATH` of a base image may be: some hundred bytes.
const PATH_OF_A_BASE: usize = 256;

/// How long any other variable may be that a base image sets. Most of what has no value here has
/// none at all: a file of nginx that is written in a heredoc names a hundred of its own.
const OF_A_BASE: usize = 64;

/// What a byte of the variables that a stage starts with is counted as.
const COPIED: u64 = 1024;

/// Why a Dockerfile is not built, and the line.
pub(super) fn refused(dockerfile: &Dockerfile) -> Option<Refused> {
    many_variables(dockerfile)
        .or_else(|| long_words(dockerfile))
        .or_else(|| many_ways(dockerfile))
}

fn long_words(dockerfile: &Dockerfile) -> Option<Refused> {
    weigh(dockerfile).err().map(too_long)
}

/// Adds up the work of all words; the line where it is too much.
fn weigh(dockerfile: &Dockerfile) -> Result<(), u32> {
    let given = BuildArgs::new();
    let global = dockerfile.global_scope(&given);
    // What a base image sets is not known here.
    let start = dockerfile
        .stage_scope()
        .assuming(&"x".repeat(PATH_OF_A_BASE), &"x".repeat(OF_A_BASE));
    let mut work = Work(0);
    let mut before = start.clone();
    for instruction in &dockerfile.global_args {
        work.add(work_of(instruction, 1, &before), instruction.line)?;
        before.apply(instruction, &start, &given);
    }
    let below = dockerfile.stages_below(&given);
    // What the stages that others start from set, as long as one of those is still to come.
    let mut ended: BTreeMap<usize, Scope> = BTreeMap::new();
    let mut to_come: BTreeMap<usize, usize> = BTreeMap::new();
    for below in below.iter().flatten() {
        *to_come.entry(*below).or_default() += 1;
    }
    for (index, stage) in dockerfile.stages.iter().enumerate() {
        work.add(work_of(&stage.from, 1, &global), stage.from.line)?;
        let mut scope = start.clone();
        if let Some(below) = below.get(index).copied().flatten() {
            let left = to_come.entry(below).or_default();
            *left = left.saturating_sub(1);
            let inherited = match *left {
                0 => ended.remove(&below),
                _ => ended.get(&below).cloned(),
            };
            scope = inherited.unwrap_or(scope);
            // Each stage is a copy, to us and to the builder.
            work.add(scope.bytes().saturating_mul(COPIED), stage.from.line)?;
        }
        let above = to_come.get(&index).copied().unwrap_or_default();
        for instruction in &stage.instructions {
            let (inner, times) = match &instruction.body {
                Body::Onbuild(inner) => (&**inner, above.saturating_add(1)),
                _ => (instruction, 1),
            };
            work.add(work_of(inner, times, &scope), instruction.line)?;
            scope.apply(inner, &global, &given);
        }
        if above > 0 {
            ended.insert(index, scope);
        }
    }
    Ok(())
}

/// The work so far.
struct Work(u64);

impl Work {
    /// Adds some of a line; the line where it is too much.
    fn add(&mut self, more: u64, line: u32) -> Result<(), u32> {
        self.0 = self.0.saturating_add(more);
        if self.0 > WORK { Err(line) } else { Ok(()) }
    }
}

/// The work of an instruction that is carried out so many times.
fn work_of(instruction: &Instruction, times: usize, scope: &Scope) -> u64 {
    let squared = |word: &str, expanded: Result<Expanded, ExpandError>| {
        let length = match expanded {
            Ok(expanded) => expanded.text.len().max(word.len()),
            Err(ExpandError::TooLong) => usize::MAX,
            Err(_) => word.len(),
        };
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        length.saturating_mul(length)
    };
    let words = words(instruction).into_iter();
    let words = words.map(|word| squared(word, scope.expand(word)));
    // The text of a command is the shell's, but its variables are filled in where it is shown; those
    // that are not set stay as they are.
    let shown = matches!(instruction.body, Body::Command(_)) && instruction.keyword == Keyword::Run;
    let shown = shown.then_some(instruction.arguments.as_str());
    let shown = shown.map(|text| squared(text, scope.expand_known(text)));
    let once = words.chain(shown).fold(0, u64::saturating_add);
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
        Body::From { image, .. } => vec![&image.text],
        Body::Pairs(pairs) => {
            let keys = pairs.iter().map(|pair| pair.key.as_str());
            let values = pairs.iter().filter_map(|pair| pair.raw.as_deref());
            keys.chain(values).collect()
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
        _ => Vec::new(),
    };
    let flags = instruction.flags.iter();
    words.extend(flags.filter_map(|flag| flag.value.as_deref()));
    // Those of a command are the shell's.
    let is_command = matches!(instruction.body, Body::Command(_));
    let heredocs = instruction.heredocs.iter();
    let heredocs = heredocs.filter(|text| text.expand && !is_command);
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

/// The most steps that stages may cost: BuildKit asks of each whether the last one needs it, and
/// goes down from there until it comes to it, all ways where it does not. Docker 20.10 takes some
/// twenty million steps in a second. Where each takes from the two before it, 33 stages are built at
/// once if all are needed; with 30 others beside them they take seconds, and each three more four
/// times as long.
const STEPS: u64 = 1 << 28;

/// A Dockerfile whose last stage leads to the others in very many ways.
fn many_ways(dockerfile: &Dockerfile) -> Option<Refused> {
    let used = dockerfile.stages_used(&BuildArgs::new());
    let last = dockerfile.final_stage()?;
    let stages = u64::try_from(used.len()).unwrap_or(u64::MAX);
    if ways(&used, last.index).saturating_mul(stages) <= STEPS {
        return None;
    }
    let message = "The last stage leads to the others in so many ways that the builder would go through them for a long time.";
    let next = "Let the stages take what they need from fewer others.";
    let told = problem::problem(message, next, Some(last.from.line));
    Some((Outcome::BuildFailed, told))
}

/// How many ways lead down from a stage, all that are a part of another one counted.
fn ways(used: &[BTreeSet<usize>], from: usize) -> u64 {
    let none = BTreeSet::new();
    let mut known: BTreeMap<usize, u64> = BTreeMap::new();
    let mut begun = BTreeSet::new();
    let mut open = vec![from];
    while let Some(stage) = open.last().copied() {
        let below = used.get(stage).unwrap_or(&none);
        if begun.insert(stage) {
            // One that was begun and is not known goes in a circle, which builders refuse.
            open.extend(below.iter().filter(|one| !begun.contains(one)));
            continue;
        }
        open.pop();
        if !known.contains_key(&stage) {
            let ways = below.iter().filter_map(|one| known.get(one));
            let all = ways.fold(1_u64, |sum, ways| sum.saturating_add(*ways));
            known.insert(stage, all);
        }
    }
    known.get(&from).copied().unwrap_or_default()
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
            "COPY --chown=",
            "RUN echo ",
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
        // Nobody fills in a list, nor what a shell reads.
        assert_eq!(line(&long("CMD echo ", 70_000)), None);
        assert_eq!(line(&long("RUN <<A\n", 70_000)), None);
        let taken = format!(
            "{}FROM b\n",
            long("ONBUILD LABEL a=", 40_000).replace("a\n", "a AS b\n")
        );
        assert_eq!(line(&taken), None);
        assert_eq!(line(&format!("{taken}FROM b\nFROM b\n")), Some(Some(2)));
    }

    #[test]
    fn words_that_are_long_by_what_stands_elsewhere_are_refused() {
        let line = |text: &str| weigh(&Dockerfile::parse(text)).err();
        let doubled = |keyword: &str, first: &str, end: &str| {
            let mut text = format!("{keyword} A0={first}\n");
            for next in 1..=30 {
                let last = next - 1;
                text.push_str(&format!("{keyword} A{next}=$A{last}$A{last}\n"));
            }
            text + end
        };
        // Before the first FROM, and from what a base image sets.
        assert_eq!(
            line(&doubled("ARG", "0123456789abcdef", "FROM a\n")),
            Some(13)
        );
        for (first, at) in [("$PATH", 10), ("${PATH:-}", 10), ("$LANG", 12)] {
            let text = format!("FROM a\n{}", doubled("ENV", first, ""));
            assert_eq!(line(&text), Some(at), "{first}");
        }
        // A value that is used again and again.
        let value = "x".repeat(20_000);
        for again in [
            "RUN : $A",
            "COPY --chown=$A b /",
            "LABEL $A=b",
            "ONBUILD RUN : $A",
        ] {
            let text = |times| {
                format!(
                    "FROM a\nENV A={value}\n{}",
                    format!("{again}\n").repeat(times)
                )
            };
            assert_eq!(line(&text(9)), None, "{again}");
            assert_eq!(line(&text(12)), Some(12), "{again}");
        }
        let bases = format!("ARG A={value}\n{}", "FROM $A\n".repeat(12));
        assert_eq!(line(&bases), Some(11));
        // A script's own variables are none.
        let script = format!(
            "FROM a\nRUN for i in a; do {}done\n",
            "echo $i; ".repeat(5_000)
        );
        assert_eq!(line(&script), None);
        // Nor are those of a file that somebody forgot to quote.
        let written = |times| {
            let proxied = "proxy_set_header Host $host; log $remote_addr $request;\n".repeat(times);
            format!("FROM a\nCOPY <<E /etc/nginx/nginx.conf\n{proxied}E\n")
        };
        assert_eq!(line(&written(150)), None);
        assert_eq!(line(&written(1_000)), Some(2));
        let appended = format!("FROM a\n{}", "ENV PATH=/opt/tool/bin:$PATH\n".repeat(100));
        assert_eq!(line(&appended), None);
    }

    #[test]
    fn stages_that_lead_to_one_another_in_many_ways_are_refused() {
        let line = |text: &str| {
            let refused = refused(&Dockerfile::parse(text));
            refused.map(|(_, problem)| problem.blame.line)
        };
        let text = |stages: usize, take: &dyn Fn(usize) -> String| {
            let one = |at: usize| format!("FROM a AS s{at}\n{}", take(at));
            (0..stages).map(one).collect::<String>()
        };
        let two = |at: usize| match at {
            0 | 1 => String::new(),
            _ => format!(
                "COPY --from=s{} / /\nRUN --mount=from=s{} b\n",
                at - 1,
                at - 2
            ),
        };
        assert_eq!(line(&text(33, &two)), None);
        assert_eq!(line(&text(60, &two)), Some(Some(174)));
        // Each on the one before it, the last on all of them, and in a circle.
        let one = |at: usize| match at {
            0 => String::new(),
            _ => format!("COPY --from={} / /\n", at - 1),
        };
        let all: String = (0..200)
            .map(|at| format!("COPY --from=s{at} / /\n"))
            .collect();
        assert_eq!(line(&format!("{}FROM b\n{all}", text(200, &one))), None);
        let circle = |at: usize| format!("COPY --from=s{} / /\n", (at + 1) % 9);
        assert_eq!(line(&text(9, &circle)), None);
    }
}

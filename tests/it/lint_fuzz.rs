//! Lint on bytes that nobody would write: no panic, every place inside the text.
//!
//! Deterministic: the same seed makes the same bytes. `LOADLINE_FUZZ_BYTES` sets how many bytes are
//! tried in place of the default; ten million were when this was written.

use loadline::dockerfile::Dockerfile;
use loadline::dockerfile::Ignore;
use loadline::dockerfile::lint;
use loadline::dockerfile::lint::IgnoreFile;
use loadline::dockerfile::lint::Surroundings;

use crate::source::root;

/// How many bytes are tried where the environment does not say.
const BYTES: usize = 1_000_000;

/// Parts that Dockerfiles, and shells, are sensitive to.
const TOKENS: &[&str] = &[
    "FROM ",
    "FROM a AS b\n",
    "RUN ",
    "COPY --from=0 ",
    "ADD ",
    "ENV A=",
    "ARG ",
    "USER ",
    "CMD [",
    "ONBUILD ",
    "HEALTHCHECK CMD ",
    "SHELL [\"sh\"]\n",
    "EXPOSE 80/",
    "WORKDIR ",
    "\\\n",
    "`\n",
    "\r\n",
    "\n",
    "\u{feff}",
    "# loadline ignore=",
    "# hadolint global ignore=DL3008\n",
    "# escape=`\n",
    "# syntax=x\n",
    "# check=skip=all\n",
    "<<EOF\n",
    "\nEOF\n",
    "<<-'A B'\n",
    "$(",
    "${",
    "))",
    "`",
    "\"",
    "'",
    "&& ",
    "|| ",
    "| ",
    "; ",
    "case x in ",
    "esac ",
    "if ",
    "fi ",
    "{ ",
    "} ",
    "sh -c '",
    "apt-get update ",
    "apt-get install -y x ",
    "apk add ",
    "pip install ",
    "npm ci ",
    "rm -rf /x ",
    "curl -fsSLo /x http://a/b ",
    "chown -R a /x ",
    "sudo ",
    "go build ",
    "cargo build ",
    "://u:p@h ",
    "--mount=type=cache,target=/x ",
    "--mount=type=cahce, target=/x,,",
    "--network=hots ",
    "CMD ['a', 'b']\n",
    "RUN [\"apt-get\", \"install\", \"x\"]\n",
    "USER a\n",
    "set -o pipefail ",
    "mkdir -p /x/y ",
    "--platform=linux/amd64 ",
    "\u{0}",
    "\u{1b}[2J",
    "\u{202e}",
    "é",
    "日本語",
    "🐳",
    "\u{300}",
    " ",
    "\t",
    "=",
    "[",
    "]",
    "\\",
    "#",
    ":",
    "@sha256:",
];

/// xorshift64*: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).expect("a small number");
        usize::try_from(self.next() % end).expect("a small number")
    }
}

/// One input: a file of the corpus changed in some places, or tokens alone.
fn input(random: &mut Random, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = match random.below(4) {
        0 => Vec::new(),
        _ => corpus[random.below(corpus.len())].clone(),
    };
    for _ in 0..1 + random.below(24) {
        let at = random.below(bytes.len() + 1);
        let upto = (at + random.below(40)).min(bytes.len());
        match random.below(6) {
            0 if !bytes.is_empty() => {
                let at = at.min(bytes.len() - 1);
                bytes[at] = u8::try_from(random.below(256)).expect("a byte");
            }
            1 => {
                bytes.drain(at..upto);
            }
            2 => {
                let part = bytes[at..upto].to_vec();
                bytes.splice(at..at, part);
            }
            3 => {
                let other = &corpus[random.below(corpus.len())];
                let from = random.below(other.len() + 1);
                let to = (from + random.below(200)).min(other.len());
                bytes.splice(at..at, other[from..to].iter().copied());
            }
            _ => {
                for _ in 0..1 + random.below(6) {
                    let token = TOKENS[random.below(TOKENS.len())];
                    bytes.splice(at..at, token.bytes());
                }
            }
        }
    }
    bytes
}

fn surroundings() -> Surroundings {
    let ignore = Ignore::parse("*.md\nsrc\n!src/a\n").expect("an ignore file");
    Surroundings {
        registries: vec!["docker.io".to_owned()],
        ignore: IgnoreFile::Read(ignore),
        deaf: false,
    }
}

/// Lints one input and checks every place.
fn lawful(bytes: &[u8], around: &Surroundings, mend: bool) {
    let file = Dockerfile::parse_bytes(bytes);
    let text = file.text.as_str();
    let findings = lint::check_in(&file, around);
    let lines = u32::try_from(text.matches('\n').count() + 1).expect("few lines");
    let mut last = 0;
    for finding in &findings {
        assert!(
            text.get(finding.span.range()).is_some(),
            "{finding:?}\n{text}"
        );
        assert!(
            (last..=lines).contains(&finding.line) && finding.line > 0,
            "{finding:?}\n{text}"
        );
        last = finding.line;
        for edit in &finding.fix {
            assert!(text.get(edit.span.range()).is_some(), "{finding:?}\n{text}");
        }
    }
    if mend {
        let fixed = lint::fix(text, around, &|_| true);
        let faults = |file: &Dockerfile| file.problems.len() + file.warnings.len();
        let after = faults(&Dockerfile::parse(&fixed.text));
        assert!(after <= faults(&file), "{text}\n{}", fixed.text);
    }
}

#[test]
fn no_bytes_panic_and_every_place_is_inside_the_text() {
    let folder = root().join("tests/corpus/dockerfiles");
    let entries = std::fs::read_dir(&folder).expect("the corpus");
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let corpus: Vec<Vec<u8>> = paths
        .iter()
        .map(|path| std::fs::read(path).expect("a file of the corpus"))
        .collect();
    let wanted = std::env::var("LOADLINE_FUZZ_BYTES");
    let wanted = wanted.map_or(BYTES, |text| text.parse().expect("a number of bytes"));
    let around = surroundings();
    let mut random = Random(0x10ad_11e5);
    let (mut tried, mut round) = (0, 0);
    while tried < wanted {
        let bytes = input(&mut random, &corpus);
        lawful(&bytes, &around, round % 8 == 0);
        tried += bytes.len();
        round += 1;
    }
}

#[test]
fn hostile_files_are_linted_in_time_that_grows_with_them() {
    let many = |part: &str| format!("FROM a\n{}", part.repeat(1_000_000 / part.len()));
    let stages = (0..9_000).map(|n| format!("FROM s{} AS s{}\nRUN rm /a\n", n.max(1) - 1, n));
    for text in [
        many("RUN apt-get install x\n"),
        format!("FROM a\nRUN {}", "apt-get install x && ".repeat(40_000)),
        format!("FROM a\nRUN {}\n", "$(".repeat(30_000)),
        format!(
            "FROM a\nRUN {}\n",
            "sudo sh -c \"$(curl x)\" | sh; ".repeat(2_000)
        ),
        many("COPY a b c /x\n"),
        many("ENV A=$B B=$A\n"),
        many("# loadline ignore=a,b,c\n"),
        many("ARG A\nRUN echo $A $B\n"),
        many("RUN apt-get update\n"),
        many("RUN mkdir -p /a/b && chown -R x /a\n"),
        many("ENV A \"b\" \"c\"\n"),
        format!("FROM a\nRUN --mount={} x\n", "a,".repeat(30_000)),
        many("RUN rm -rf /a/b/c/d/e && cp x /a/b/c/d/e/f\n"),
        format!("FROM a\nRUN {}\n", "a=b ".repeat(15_000)),
        stages.collect(),
    ] {
        let file = Dockerfile::parse(&text);
        let found = lint::check(&file);
        let (_, count) = lint::apply(&file.text, &found);
        assert!(count <= found.len());
    }
}

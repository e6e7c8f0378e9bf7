//! Our findings beside those of two other linters, over one corpus.
//!
//! `tests/corpus/oracle.json` holds what the others found; it was recorded once and they are not
//! needed here. `LOADLINE_WRITE_DOCS=1` writes `docs/lint-parity.md` anew.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use loadline::dockerfile::Dockerfile;
use loadline::dockerfile::lint;
use loadline::dockerfile::lint::Surroundings;
use loadline::dockerfile::lint::registry;
use serde_json::Value;

use crate::sandbox::Sandbox;
use crate::source::root;

/// The registries that the other linter was told to trust.
const REGISTRIES: [&str; 3] = ["docker.io", "gcr.io", "mcr.microsoft.com"];

/// The most names of files in one cell.
const NAMED: usize = 6;

type Files = BTreeSet<String>;

/// Every file of the corpus, by its name without the end.
fn corpus() -> BTreeMap<String, Vec<u8>> {
    let folder = root().join("tests/corpus/dockerfiles");
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("the corpus").flatten() {
        let name = entry.file_name().into_string().expect("a plain name");
        if let Some(name) = name.strip_suffix(".Dockerfile") {
            let bytes = std::fs::read(entry.path()).expect("a file of the corpus");
            files.insert(name.to_owned(), bytes);
        }
    }
    files
}

/// The files in which each rule finds something.
fn ours() -> BTreeMap<&'static str, Files> {
    let around = Surroundings {
        registries: REGISTRIES.map(str::to_owned).to_vec(),
        ..Surroundings::default()
    };
    let mut found: BTreeMap<&str, Files> = BTreeMap::new();
    for (name, bytes) in corpus() {
        let file = Dockerfile::parse_bytes(&bytes);
        for finding in lint::check_in(&file, &around) {
            found
                .entry(finding.rule.id)
                .or_default()
                .insert(name.clone());
        }
    }
    found
}

fn data(name: &str) -> Value {
    let path = root().join("tests/corpus").join(name);
    let text = std::fs::read_to_string(path).expect("a file of the corpus");
    serde_json::from_str(&text).expect("it is JSON")
}

/// The files in which the other linter finds something under one of these ids.
fn theirs(oracle: &Value, aliases: &[&str]) -> Files {
    let found = oracle["found"].as_object().expect("a map of files");
    found
        .iter()
        .filter(|(_, ids)| aliases.iter().any(|alias| ids.get(*alias).is_some()))
        .map(|(file, _)| file.clone())
        .collect()
}

/// Every id under which the other linter found something.
fn ids(oracle: &Value) -> BTreeSet<String> {
    let found = oracle["found"].as_object().expect("a map of files");
    let ids = found.values().filter_map(Value::as_object);
    ids.flat_map(|ids| ids.keys().cloned()).collect()
}

fn names(files: &Files) -> String {
    let shown: Vec<&str> = files.iter().take(NAMED).map(String::as_str).collect();
    let more = files.len().saturating_sub(NAMED);
    match (shown.is_empty(), more) {
        (true, _) => String::new(),
        (false, 0) => format!(": {}", shown.join(", ")),
        (false, more) => format!(": {} and {more} more", shown.join(", ")),
    }
}

/// A rule of ours beside what the other linter calls so.
struct Row {
    id: &'static str,
    aliases: Vec<&'static str>,
    both: usize,
    only_ours: Files,
    only_theirs: Files,
}

impl Row {
    fn of(
        rule: &'static lint::Rule,
        oracle: &Value,
        all_ids: &BTreeSet<String>,
        own: &Files,
    ) -> Self {
        let aliases = rule.aliases.iter().copied();
        let aliases: Vec<&str> = aliases.filter(|alias| all_ids.contains(*alias)).collect();
        let theirs = theirs(oracle, &aliases);
        Self {
            id: rule.id,
            both: own.intersection(&theirs).count(),
            only_ours: own.difference(&theirs).cloned().collect(),
            only_theirs: theirs.difference(own).cloned().collect(),
            aliases,
        }
    }

    /// Why the two differ; a difference without a reason, and the other way round, is a mistake.
    fn whys(&self, reasons: &Value) -> String {
        let sides = [("ours", &self.only_ours), ("theirs", &self.only_theirs)];
        let whys: Vec<String> = sides
            .into_iter()
            .filter_map(|(side, files)| {
                let why = reasons[self.id][side].as_str();
                assert_eq!(
                    why.is_some(),
                    !files.is_empty(),
                    "{}, {side}: {files:?}",
                    self.id
                );
                why.map(|why| format!("{side}: {why}"))
            })
            .collect();
        whys.join("; ")
    }
}

/// The section on one of the other linters.
fn section(name: &str, oracle: &Value, reasons: &Value, out: &mut String) {
    let version = oracle["version"].as_str().expect("a version");
    let unread: Files = serde_json::from_value(oracle["unread"].clone()).expect("a list");
    let all_ids = ids(oracle);
    let ours = ours();
    let nothing = Files::new();
    let rows: Vec<Row> = registry::ALL
        .iter()
        .map(|rule| {
            Row::of(
                rule,
                oracle,
                &all_ids,
                ours.get(rule.id).unwrap_or(&nothing),
            )
        })
        .filter(|row| !row.aliases.is_empty())
        .collect();
    let covered: BTreeSet<&str> = rows
        .iter()
        .flat_map(|row| row.aliases.iter().copied())
        .collect();
    let mut other = all_ids.iter().filter(|id| !covered.contains(id.as_str()));
    assert_eq!(
        other.next(),
        None,
        "{name} finds something that no rule of ours is called after"
    );
    let _ = writeln!(out, "\n## Beside {name} {version}\n");
    let _ = writeln!(
        out,
        "It cannot read {} of the files{}.\n",
        unread.len(),
        names(&unread)
    );
    out.push_str("| rule | its ids | both | only ours | only theirs | why they differ |\n");
    out.push_str("|---|---|--:|--:|--:|---|\n");
    for row in &rows {
        let (ours, theirs) = (row.only_ours.len(), row.only_theirs.len());
        let (aliases, whys) = (row.aliases.join(", "), row.whys(reasons));
        let (id, both) = (row.id, row.both);
        let _ = writeln!(
            out,
            "| `{id}` | {aliases} | {both} | {ours} | {theirs} | {whys} |"
        );
    }
    out.push_str("\nThe files that differ:\n\n");
    for row in &rows {
        for (side, files) in [
            ("only ours", &row.only_ours),
            ("only theirs", &row.only_theirs),
        ] {
            if !files.is_empty() {
                let _ = writeln!(out, "- `{}`, {side}{}", row.id, names(files));
            }
        }
    }
}

fn document() -> String {
    let oracle = data("oracle.json");
    let reasons = data("reasons.json");
    let count = corpus().len();
    let mut out = format!(
        "# Lint beside other linters\n\n\
         Generated by `LOADLINE_WRITE_DOCS=1 cargo test --test it lint_corpus`, and compared by the same\n\
         test: {count} Dockerfiles of `tests/corpus`, in how many of them a rule fires here and there.\n\
         What the others found was recorded in `tests/corpus/oracle.json`. Both were told to find all that\n\
         they can, healthchecks included, with {} as trusted registries.\n",
        REGISTRIES.map(|one| format!("`{one}`")).join(", ")
    );
    for name in ["hadolint", "tally"] {
        section(name, &oracle[name], &reasons[name], &mut out);
    }
    let ours = ours();
    let known: BTreeSet<String> = ["hadolint", "tally"]
        .iter()
        .flat_map(|name| ids(&oracle[*name]))
        .collect();
    out.push_str("\n## Rules that neither has\n\n| rule | files |\n|---|--:|\n");
    for rule in registry::ALL {
        if !rule.aliases.iter().any(|alias| known.contains(*alias)) {
            let files = ours.get(rule.id).map_or(0, BTreeSet::len);
            let _ = writeln!(out, "| `{}` | {files} |", rule.id);
        }
    }
    out
}

#[test]
fn the_parity_table_is_what_the_rules_find() {
    let path = root().join("docs/lint-parity.md");
    let document = document();
    if std::env::var_os("LOADLINE_WRITE_DOCS").is_some() {
        std::fs::write(&path, &document).expect("the table is written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == document,
        "docs/lint-parity.md is not what the rules find now: run this test with LOADLINE_WRITE_DOCS=1"
    );
}

#[test]
fn the_corpus_is_large_and_no_file_of_it_is_there_twice() {
    let files = corpus();
    assert!(files.len() >= 200, "{}", files.len());
    let mut seen: BTreeMap<Vec<String>, &str> = BTreeMap::new();
    let mut sizes = Vec::new();
    for (name, bytes) in &files {
        let file = Dockerfile::parse_bytes(bytes);
        let instructions = file.instructions();
        sizes.push(instructions.len());
        let shape: Vec<String> = instructions
            .iter()
            .map(|one| format!("{} {}", one.keyword, one.arguments))
            .collect();
        if !shape.is_empty() {
            let other = seen.insert(shape, name);
            assert_eq!(other, None, "{name} is there twice");
        }
    }
    sizes.sort_unstable();
    assert!(
        sizes[sizes.len() / 2] >= 7 && sizes[sizes.len() - 1] >= 25,
        "{sizes:?}"
    );
}

/// The rules as rows of a table.
fn rows() -> String {
    let mut out =
        String::from("| rule | severity | finds that | also called |\n|---|---|---|---|\n");
    for rule in registry::ALL {
        let aliases = rule.aliases.join(", ");
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {aliases} |",
            rule.id, rule.severity, rule.title
        );
    }
    out
}

/// The file of the manual's example.
const EXAMPLE: &str = "\
FROM python:3.13-slim
COPY . /app
RUN pip install -r /app/requirements.txt
CMD python /app/main.py
";

/// A real run, as a reader sees it.
fn run() -> String {
    let sandbox = Sandbox::without_engine();
    sandbox.write("Dockerfile", EXAMPLE);
    let ended = sandbox.run(&["lint"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    format!(
        "```console\n$ cat Dockerfile\n{EXAMPLE}$ loadline lint\n{}```\n",
        ended.stdout
    )
}

/// A text with what stands between two marks in it written anew.
fn renewed(text: &str, (begin, end): (&str, &str), content: &str) -> String {
    let (head, rest) = text.split_once(begin).expect("the begin of the part");
    let (_, foot) = rest.split_once(end).expect("the end of the part");
    format!("{head}{begin}\n\n{content}\n{end}{foot}")
}

#[test]
fn the_manual_shows_a_real_run_and_the_rules_that_there_are() {
    let path = root().join("docs/lint.md");
    let text = std::fs::read_to_string(&path).expect("docs/lint.md");
    let parts = [
        (("<!-- run -->", "<!-- end of the run -->"), run()),
        (("<!-- rules -->", "<!-- end of the rules -->"), rows()),
    ];
    let wanted = parts.iter().fold(text.clone(), |text, (marks, content)| {
        renewed(&text, *marks, content)
    });
    if std::env::var_os("LOADLINE_WRITE_DOCS").is_some() {
        std::fs::write(&path, wanted).expect("the manual is written");
        return;
    }
    assert!(
        text == wanted,
        "docs/lint.md does not show what the program prints: run this test with LOADLINE_WRITE_DOCS=1"
    );
}

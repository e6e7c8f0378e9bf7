//! The house rules that a compiler does not know: who may import whom, and what a file looks like.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::source::Source;
use crate::source::code_only;
use crate::source::root;

/// What a row says that allows whatever stands above it.
const ALL_ABOVE: &str = "all of the above";

/// The first two cells of each row of the import table: rooms, and what they may import.
fn rows() -> Vec<(String, String)> {
    let file = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("it is there");
    file.lines()
        .skip_while(|line| !line.starts_with("| folder |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|row| {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let [_, rooms, allowed, _, _] = cells.as_slice() else {
                panic!("a row of three cells: {row}");
            };
            ((*rooms).to_owned(), (*allowed).to_owned())
        })
        .collect()
}

/// Who may import whom: the import table of `ARCHITECTURE.md`, which is read here. A room may always
/// import itself.
fn may_import() -> BTreeMap<String, BTreeSet<String>> {
    let mut table: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (rooms, allowed) in rows() {
        let allowed: BTreeSet<String> = match allowed.as_str() {
            "nothing" => BTreeSet::new(),
            ALL_ABOVE => table.keys().cloned().collect(),
            names => names.split(", ").map(str::to_owned).collect(),
        };
        for name in &allowed {
            assert!(table.contains_key(name), "`{name}` stands below {rooms}");
        }
        table.extend(
            rooms
                .split(", ")
                .map(|room| (room.to_owned(), allowed.clone())),
        );
    }
    // What wires the rooms together is no room.
    let all = table.keys().cloned().collect();
    table.insert("lib".to_owned(), all);
    table.insert("main".to_owned(), BTreeSet::new());
    table
}

/// Libraries that only some rooms or files may know, so that a swap stays small.
const KNOWN_ONLY_BY: &[(&str, &[&str])] = &[
    ("bollard", &["engine/docker"]),
    ("tonic", &["engine/docker"]),
    (
        "serde_yaml",
        &[
            "course",
            "goal",
            "bases/catalogue.rs",
            "cli/layers/rules.rs",
        ],
    ),
    ("ratatui", &["tui"]),
    ("crossterm", &["tui", "cli"]),
    ("clap", &["cli"]),
    ("sqlx", &["learner"]),
    ("ureq", &["advisories/fetch.rs", "bases/quota.rs"]),
    ("pulldown_cmark", &["course", "tui", "plain/prose.rs"]),
];

/// The first names of all paths that start at the crate's root, with the line of each.
fn imports(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let word_before = code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        // `$crate::` in a macro is the same root.
        if word_before {
            continue;
        }
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            found.extend(group_names(group).into_iter().map(|name| (line, name)));
        } else {
            found.push((line, first_name(rest)));
        }
    }
    found
}

fn first_name(path: &str) -> String {
    path.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

/// The first name of each member of `{a::b, c::{d, e}}`, whose opening brace is already read.
fn group_names(group: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0;
    let mut start = 0;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.push(first_name(group[start..at].trim_start()));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(first_name(group[start..at].trim_start()));
                start = at + 1;
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// Lines where a chain of `super::` leaves the room and so hides an import from the table.
fn escapes(source: &Source) -> Vec<usize> {
    let code = code_only(&source.text);
    let product = code_only(source.product()).len();
    let mut lines = Vec::new();
    let mut at = 0;
    while let Some(found) = code[at..].find("super::") {
        let start = at + found;
        let mut length = 0;
        let mut rest = &code[start..];
        while let Some(after) = rest.strip_prefix("super::") {
            length += 1;
            rest = after;
        }
        let inline_module = usize::from(start >= product);
        if length >= source.depth() + inline_module {
            lines.push(code[..start].matches('\n').count() + 1);
        }
        at = code.len() - rest.len();
    }
    lines
}

/// What `rooms` of the house import against the table, one sentence each.
fn departures(sources: &[Source]) -> Vec<String> {
    let table = may_import();
    let mut found = Vec::new();
    for source in sources {
        let room = source.room();
        let Some(allowed) = table.get(room) else {
            found.push(format!(
                "src/{}: the import table has no row for the room `{room}`",
                source.path
            ));
            continue;
        };
        for line in escapes(source) {
            found.push(format!(
                "src/{}:{line}: `super::` leaves the room; write `crate::`",
                source.path
            ));
        }
        for (line, name) in imports(&code_only(&source.text)) {
            let is_room = table.contains_key(&name);
            if is_room && name != room && !allowed.contains(&name) {
                found.push(format!(
                    "src/{}:{line}: `{room}` may not import `{name}`",
                    source.path
                ));
            }
        }
    }
    found
}

#[test]
fn rooms_import_only_what_the_table_allows() {
    let found = departures(&Source::all());
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn a_forbidden_import_is_found_however_it_is_written() {
    let file = |path: &str, text: &str| Source {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let wrong = [
        file("goal/x.rs", "use crate::engine::Engine;"),
        file("goal/y.rs", "use crate::{units::Bytes, report::{self}};"),
        file("course.rs", "fn f() {\n    crate::learner::open();\n}"),
        file("units.rs", "use super::text::Clean;"),
        file("text/z.rs", "use super::super::units;"),
        file("cellar.rs", ""),
    ];
    assert_eq!(
        departures(&wrong),
        [
            "src/goal/x.rs:1: `goal` may not import `engine`",
            "src/goal/y.rs:1: `goal` may not import `report`",
            "src/course.rs:2: `course` may not import `learner`",
            "src/units.rs:1: `super::` leaves the room; write `crate::`",
            "src/text/z.rs:1: `super::` leaves the room; write `crate::`",
            "src/cellar.rs: the import table has no row for the room `cellar`",
        ]
    );
    let right = [
        file("goal/x.rs", "// crate::engine\nuse crate::goal::Goal;"),
        file("goal.rs", "#[cfg(test)]\nmod tests {\n    use super::*;\n}"),
        file("goal/y.rs", "use super::Goal;"),
    ];
    assert_eq!(departures(&right), [""; 0]);
}

/// A row that allows more than its rooms need keeps nothing out.
#[test]
fn rooms_import_what_their_row_names() {
    let sources = Source::all();
    let mut unused = Vec::new();
    for (rooms, allowed) in rows() {
        for room in rooms.split(", ") {
            let own = sources.iter().filter(|source| source.room() == room);
            let used: BTreeSet<String> = own
                .flat_map(|source| imports(&code_only(source.product())))
                .map(|(_, name)| name)
                .collect();
            let named = allowed.split(", ");
            let named = named.filter(|name| !matches!(*name, "nothing" | ALL_ABOVE));
            unused.extend(
                named
                    .filter(|name| !used.contains(*name))
                    .map(|name| format!("`{room}` imports nothing of `{name}`: take it out")),
            );
        }
    }
    assert!(unused.is_empty(), "\n{}", unused.join("\n"));
}

#[test]
fn libraries_stay_where_they_are_known() {
    let mut found = Vec::new();
    for source in Source::all() {
        let code = code_only(source.product());
        for (library, places) in KNOWN_ONLY_BY {
            let named = code.contains(&format!("{library}::"));
            let known = places.iter().any(|place| {
                source.path == *place
                    || source.path == format!("{place}.rs")
                    || source.path.starts_with(&format!("{place}/"))
            });
            if named && !known {
                found.push(format!("src/{} knows `{library}`", source.path));
            }
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn every_module_says_what_it_is_for() {
    for source in Source::all() {
        let documented = source
            .text
            .lines()
            .take_while(|line| !line.starts_with("use ") && !line.starts_with("mod "))
            .any(|line| line.starts_with("//! "));
        assert!(
            documented,
            "src/{} does not open with `//!`: say what it is responsible for",
            source.path
        );
    }
}

/// The one file that may say `unsafe`: a program of its own, which the build script compiles, and
/// which asks the kernel for what the standard library cannot ask for. The crate itself forbids it.
const MAY_BE_UNSAFE: &str = "engine/helper/trace.rs";

/// Lines with `unsafe` that are not allowed: anywhere but in the one file, and there where the
/// comment above does not say why it is sound. Declaring what another library has needs no reason.
fn unsafe_lines(source: &Source) -> Vec<usize> {
    let code = code_only(&source.text);
    let lines: Vec<&str> = source.text.lines().collect();
    let is_word = |line: &str| {
        let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.any(|word| word == "unsafe")
    };
    let mut found = Vec::new();
    for (index, line) in code.lines().enumerate() {
        if !is_word(line) || (source.path == MAY_BE_UNSAFE && line.contains("extern")) {
            continue;
        }
        let above = lines[..index].iter().rev();
        let reason = above
            .take_while(|line| line.trim_start().starts_with("//"))
            .any(|line| line.trim_start().starts_with("// SAFETY: "));
        if source.path != MAY_BE_UNSAFE || !reason {
            found.push(index + 1);
        }
    }
    found
}

#[test]
fn unsafe_stands_in_one_file_and_each_block_gives_its_reason() {
    let mut found = Vec::new();
    for source in Source::all() {
        for line in unsafe_lines(&source) {
            found.push(format!("src/{}:{line}", source.path));
        }
    }
    assert!(
        found.is_empty(),
        "`unsafe` outside of {MAY_BE_UNSAFE}, or without a `// SAFETY:` above:\n{}",
        found.join("\n")
    );
    let file = |path: &str, text: &str| Source {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let text = "unsafe extern \"C\" {}\n// SAFETY: a\n// b\nunsafe { f() };\n\nunsafe { g() };";
    assert_eq!(unsafe_lines(&file(MAY_BE_UNSAFE, text)), [6]);
    assert_eq!(unsafe_lines(&file("units.rs", text)), [1, 4, 6]);
    assert_eq!(
        unsafe_lines(&file("units.rs", "// unsafe\nlet not_unsafe;")),
        [0usize; 0]
    );
}

#[test]
fn every_room_of_the_house_is_listed_in_lib_rs() {
    let lib = std::fs::read_to_string(root().join("src/lib.rs")).expect("lib.rs is readable");
    for source in Source::all() {
        let room = source.room();
        if matches!(room, "lib" | "main") {
            continue;
        }
        let listed = lib
            .lines()
            .any(|line| line.trim_end_matches(';').ends_with(&format!("mod {room}")));
        assert!(listed, "src/lib.rs does not list `{room}`");
    }
}

#[test]
fn files_stay_small_enough_to_read() {
    for source in Source::all() {
        if source.path.ends_with("/tests.rs") {
            continue;
        }
        let lines = source.product().lines().count();
        assert!(
            lines <= 600,
            "src/{} has {lines} lines without its tests; split it",
            source.path
        );
    }
}

#[test]
fn names_say_what_a_file_is_about() {
    for source in Source::all() {
        let name = source.path.rsplit('/').next().expect("a path has a name");
        let vague = [
            "mod.rs",
            "utils.rs",
            "helpers.rs",
            "common.rs",
            "manager.rs",
        ];
        assert!(
            !vague.contains(&name),
            "src/{}: choose a name that says what it is about",
            source.path
        );
    }
}

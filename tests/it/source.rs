//! The program's own source text, for tests that guard its shape.

use std::path::Path;
use std::path::PathBuf;

/// One file under `src/`.
pub(crate) struct Source {
    /// Relative to `src/`, with `/` between its parts.
    pub(crate) path: String,
    /// Its whole text.
    pub(crate) text: String,
}

/// The folder of `Cargo.toml`.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

impl Source {
    /// Every Rust file under `src/`, in the order of its path.
    pub(crate) fn all() -> Vec<Self> {
        let top = root().join("src");
        let mut paths = Vec::new();
        collect(&top, &mut paths);
        paths.sort();
        paths
            .into_iter()
            .map(|path| Self {
                text: std::fs::read_to_string(&path).expect("a source file is readable"),
                path: path
                    .strip_prefix(&top)
                    .expect("it was found below src")
                    .to_str()
                    .expect("names of source files are plain")
                    .to_owned(),
            })
            .collect()
    }

    /// The room that it belongs to: `goal` for `goal.rs` and for `goal/max_size.rs`.
    pub(crate) fn room(&self) -> &str {
        let end = self.path.find(['/', '.']).unwrap_or(self.path.len());
        &self.path[..end]
    }

    /// How many modules lie between it and the crate's root: 1 for `goal.rs`, 2 for
    /// `goal/max_size.rs`.
    pub(crate) fn depth(&self) -> usize {
        self.path.matches('/').count() + 1
    }

    /// Its text without the tests at its foot.
    pub(crate) fn product(&self) -> &str {
        let mut marks = self.text.match_indices("#[cfg(test)]\n");
        // Not where a test module's file is named: the lines below that are the program's.
        let foot = marks.find(|(at, _)| {
            let mut lines = self.text[*at..].lines();
            // Attributes may take several lines.
            let item = lines.find(|line| !line.starts_with(['#', ' ', ')']));
            item.is_some_and(|item| item.contains("mod ") && item.ends_with('{'))
        });
        &self.text[..foot.map_or(self.text.len(), |(at, _)| at)]
    }
}

/// The Rust files in a folder and in those in it.
pub(crate) fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a source folder is readable") {
        let path = entry.expect("an entry is readable").path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

/// Rust code without its comments and without the contents of its string literals; line breaks
/// stay where they are.
pub(crate) fn code_only(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skip = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with("r\"") || rest.starts_with("r#") {
            raw_string(rest)
        } else if c == '"' {
            quoted(rest)
        } else if rest.starts_with("'\"'") || rest.starts_with("'\\\"'") {
            rest.find("\"'").map_or(1, |end| end + 2)
        } else {
            0
        };
        if skip == 0 {
            out.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        }
        out.extend(rest[..skip].chars().filter(|c| *c == '\n'));
        rest = &rest[skip..];
    }
    out
}

/// The length of the string literal that `text` starts with.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of the raw string literal that `text` starts with; 0 for a raw identifier.
fn raw_string(text: &str) -> usize {
    let hashes = text[1..].chars().take_while(|c| *c == '#').count();
    let Some(body) = text[1 + hashes..].strip_prefix('"') else {
        return 0;
    };
    let close = format!("\"{}", "#".repeat(hashes));
    body.find(&close)
        .map_or(text.len(), |end| 2 + hashes + end + close.len())
}

#[test]
fn comments_and_strings_are_not_code() {
    let text = "a // crate::b\n/* crate::c */ \"crate::d \\\" x\" e r#\"crate::f \" \"# g '\"' h";
    assert_eq!(
        code_only(text).split_whitespace().collect::<String>(),
        "aegh"
    );
}

#[test]
fn only_a_test_module_with_its_text_ends_the_program() {
    let product = |text: &str| {
        let (path, text) = ("x.rs".to_owned(), text.to_owned());
        Source { path, text }.product().to_owned()
    };
    let named =
        "mod a;\n#[cfg(test)]\nmod tests;\n#[cfg(test)]\n#[path = \"x\"]\nmod y;\n\nfn f() {\n}\n";
    assert_eq!(product(named), named);
    let one = "#[cfg(test)]\nfn g() {\n    1\n}\n";
    assert_eq!(product(one), one);
    for attribute in ["", "#[expect(one)]\n", "#[expect(\n    one,\n    two\n)]\n"] {
        for module in ["mod tests", "pub(crate) mod fixture"] {
            let text = format!("{named}{one}#[cfg(test)]\n{attribute}{module} {{\n}}\n");
            assert_eq!(product(&text), format!("{named}{one}"), "{text}");
        }
    }
}

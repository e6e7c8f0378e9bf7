//! The ignore file: which files of a context are not sent to the builder.
//!
//! The rules are those of Docker, and not those of `.gitignore`: a pattern without a slash matches
//! at the top only, a pattern that matches a folder matches all that is below it, and the last
//! pattern that matches decides.

mod go_regex;
mod pattern;

use pattern::Pattern;
use thiserror::Error;

/// The longest ignore file that is read, in bytes.
const LONGEST: usize = 256 * 1024;

/// The most patterns in one ignore file.
const MOST: usize = 5_000;

/// An ignore file that Docker refuses.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {message}")]
pub struct IgnoreError {
    /// The line, from 1.
    pub line: u32,
    /// What is wrong, as a fragment.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// A pattern with its line.
#[derive(Debug, Clone)]
struct Rule {
    line: u32,
    /// As written, without the white space around it.
    written: String,
    /// Whether it takes back what patterns above it excluded.
    brings_back: bool,
    /// Without what is only spelling.
    cleaned: String,
    pattern: Pattern,
}

impl Rule {
    /// Whether it may match something below the folder `path`, part by part.
    fn reaches_below(&self, path: &str) -> bool {
        let mut parts = self.cleaned.split('/');
        for folder in path.split('/') {
            match parts.next() {
                // It ends at a folder above, or at this one.
                None => return false,
                Some(part) if part.contains("**") => return true,
                Some(part) if part == folder || part.contains(['*', '?', '[', '\\']) => {}
                Some(_) => return false,
            }
        }
        parts.next().is_some()
    }
}

/// An ignore file.
#[derive(Debug, Clone, Default)]
pub struct Ignore {
    rules: Vec<Rule>,
}

/// Why a path is sent or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The line that decided, from 1.
    pub line: u32,
    /// Its pattern as written.
    pub pattern: String,
    /// Whether the path is left out.
    pub excluded: bool,
}

/// Which ignore file holds for the Dockerfile at `dockerfile`: its own one where `exists` knows it,
/// otherwise `.dockerignore` at the top of the context.
#[must_use]
pub fn ignore_file(dockerfile: &str, exists: impl Fn(&str) -> bool) -> Option<String> {
    let own = format!("{dockerfile}.dockerignore");
    [own, String::from(".dockerignore")]
        .into_iter()
        .find(|name| exists(name))
}

impl Ignore {
    /// Reads an ignore file.
    ///
    /// # Errors
    /// When a pattern is one that Docker refuses; the error has its line.
    pub fn parse(text: &str) -> Result<Self, IgnoreError> {
        if text.len() > LONGEST {
            return Err(IgnoreError {
                line: 1,
                message: String::from("the ignore file is longer than 256 kB"),
                hint: None,
            });
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut rules = Vec::new();
        for (index, line) in text.split('\n').enumerate() {
            let number = super::lines::number(index);
            rules.extend(rule(line, number)?);
            if rules.len() > MOST {
                return Err(IgnoreError {
                    line: number,
                    message: format!("there are more than {MOST} patterns"),
                    hint: Some(String::from("name folders instead of the files in them")),
                });
            }
        }
        Ok(Self { rules })
    }

    /// Whether `path` is left out. Parts are separated by `/`; the path is relative to the context.
    #[must_use]
    pub fn excludes(&self, path: &str) -> bool {
        self.explain(path).is_some_and(|decision| decision.excluded)
    }

    /// The line that decides on `path`; `None` where no pattern matches, so that it is sent.
    #[must_use]
    pub fn explain(&self, path: &str) -> Option<Decision> {
        let path = pattern::clean(path);
        if path == "." {
            return None;
        }
        // From the top down, as Docker walks: what matched a folder matches all that is below it,
        // and a rule that was passed over at the folder, because it could change nothing there, is
        // compared with what is below and with nothing above.
        let mut matched = vec![false; self.rules.len()];
        let mut decided = None;
        for part in parents(&path).into_iter().chain([path.as_str()]) {
            decided = None;
            let mut excluded = false;
            for (rule, matched) in self.rules.iter().zip(&mut matched) {
                if !*matched && rule.brings_back == excluded {
                    *matched = rule.pattern.matches(part);
                }
                if *matched && rule.brings_back == excluded {
                    excluded = !rule.brings_back;
                    decided = Some(rule);
                }
            }
        }
        decided.map(|rule| Decision {
            line: rule.line,
            pattern: rule.written.clone(),
            excluded: !rule.brings_back,
        })
    }

    /// Whether nothing below the folder `path`, itself excluded, can be sent: no need to look.
    #[must_use]
    pub fn excludes_all_below(&self, path: &str) -> bool {
        self.excludes(path) && !self.rules.iter().any(|rule| rule.brings_back)
    }

    /// Whether a pattern may bring back something below the folder `path`; what it says of the path
    /// itself is for [`Self::explain`] to tell.
    #[must_use]
    pub fn may_bring_back_below(&self, path: &str) -> bool {
        let path = pattern::clean(path);
        let mut back = self.rules.iter().filter(|rule| rule.brings_back);
        back.any(|rule| rule.reaches_below(&path))
    }

    /// Whether there are no patterns.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

/// The folders that `path` lies in, from the top.
fn parents(path: &str) -> Vec<&str> {
    path.match_indices('/')
        .filter_map(|(at, _)| path.get(..at))
        // The top of an absolute path has an empty name.
        .map(|parent| if parent.is_empty() { "/" } else { parent })
        .collect()
}

fn rule(line: &str, number: u32) -> Result<Option<Rule>, IgnoreError> {
    let line = line.strip_suffix('\r').unwrap_or(line);
    // Only at the very start of a line: a name may hold a `#`.
    if line.starts_with('#') {
        return Ok(None);
    }
    let written = line.trim();
    if written.is_empty() {
        return Ok(None);
    }
    let (mark, rest) = match written.strip_prefix('!') {
        Some(rest) => ("!", rest.trim()),
        None => ("", written),
    };
    let cleaned = if rest.is_empty() {
        String::new()
    } else {
        pattern::clean(rest)
    };
    // A leading slash means the top of the context, which is what every pattern starts at. What is
    // left is read once more, mark and all: `/!x` brings back `x`.
    let cleaned = match cleaned.strip_prefix('/') {
        Some(below) if !below.is_empty() => below,
        _ => &cleaned,
    };
    let again = format!("{mark}{cleaned}");
    if again.trim().is_empty() {
        return Ok(None);
    }
    let cleaned = pattern::clean(again.trim());
    let (brings_back, cleaned) = match cleaned.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, cleaned.as_str()),
    };
    if cleaned.is_empty() {
        return Err(IgnoreError {
            line: number,
            message: String::from("`!` stands alone"),
            hint: Some(String::from(
                "write the pattern to bring back after it, such as `!README.md`",
            )),
        });
    }
    let pattern = Pattern::compile(cleaned).ok_or_else(|| IgnoreError {
        line: number,
        message: format!("`{written}` is not a pattern"),
        hint: Some(String::from(if ends_in_an_escape(cleaned) {
            "remove the backslash at its end, or write two of them for one that stands for itself"
        } else if !pattern::is_well_formed(cleaned) {
            "close each `[`, and put a backslash before a `[` that stands for itself"
        } else if is_escaped_letter(cleaned) {
            "write `/` between folders: before a letter, a backslash is no separator"
        } else {
            "put a backslash before each `[`, `{` and `|` that stands for itself"
        })),
    })?;
    Ok(Some(Rule {
        line: number,
        written: written.to_owned(),
        brings_back,
        cleaned: cleaned.to_owned(),
        pattern,
    }))
}

/// Whether it ends in a backslash with nothing behind it to stand for itself.
fn ends_in_an_escape(pattern: &str) -> bool {
    let backslashes = pattern.chars().rev().take_while(|c| *c == '\\');
    backslashes.count() % 2 == 1
}

/// Whether a backslash stands before a letter or a digit.
fn is_escaped_letter(pattern: &str) -> bool {
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c == '\\' && chars.next().is_some_and(char::is_alphanumeric) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn excludes(patterns: &[&str], path: &str) -> bool {
        Ignore::parse(&patterns.join("\n"))
            .expect("it parses")
            .excludes(path)
    }

    /// Pattern, path, and whether it is left out.
    const TABLE: &[(&str, &str, bool)] = &[
        ("**", "file", true),
        ("**", "file/", true),
        ("**/", "file", true),
        ("**", "dir/file", true),
        ("**/**", "dir/file", true),
        ("dir/**", "dir/file", true),
        ("dir/**", "dir/dir2/file", true),
        ("**/dir", "dir", true),
        ("**/dir", "dir/file", true),
        ("**/dir2/*", "dir/dir2/file", true),
        ("**/dir2/*", "dir/dir2/file/", true),
        ("**/dir2/**", "dir/dir2/dir3/file", true),
        ("**file", "file", true),
        ("**file", "dir/file", true),
        ("**/file", "dir/dir/file", true),
        ("**/file*", "dir/dir/file.txt", true),
        ("**/file*txt", "dir/dir/file.txt", true),
        ("**/file*.txt*", "dir/dir/file.txt", true),
        ("**/**/*.txt", "dir/dir/file.txt", true),
        ("**/**/*.txt2", "dir/dir/file.txt", false),
        ("**/*.txt", "file.txt", true),
        ("a**/*.txt", "a/file.txt", true),
        ("a**/*.txt", "a/dir/dir/file.txt", true),
        ("a/*.txt", "a/dir/file.txt", false),
        ("a/*.txt**", "a/file.txt", true),
        ("a[b-d]e", "ae", false),
        ("a[b-d]e", "ace", true),
        ("a[b-d]e", "aae", false),
        ("a[^b-d]e", "aze", true),
        (".*", ".foo", true),
        (".*", "foo", false),
        ("abc.def", "abcdef", false),
        ("abc.def", "abcZdef", false),
        ("abc?def", "abcZdef", true),
        ("abc?def", "abcdef", false),
        ("**/foo/bar", "foo/bar", true),
        ("**/foo/bar", "dir/dir2/foo/bar", true),
        ("abc/**", "abc", false),
        ("abc/**", "abc/def/ghi", true),
        ("**/.foo", ".foo", true),
        ("**/.foo", "bar.foo", false),
        ("a(b)c/def", "a(b)c/def", true),
        ("a(b)c/def", "a(b)c/xyz", false),
        ("a.|)$(}+{bc", "a.|)$(}+{bc", true),
        (
            "dist/*.whl",
            "dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl",
            true,
        ),
        ("a\\\\", "a\\", true),
        ("a\\*b", "a*b", true),
        ("a\\*b", "ab", false),
        // Before a letter it has the meaning that it has in a regular expression.
        ("a\\db", "adb", false),
        ("a\\db", "a7b", true),
        ("a\\Debug", "a-ebug", true),
        ("[\\d_]", "7", true),
        ("[^\\w]", "é", true),
        ("a\\b", "ab", false),
        ("\\x61\\142\\x{63}", "abc", true),
        ("\\pL\\P{L}", "é1", true),
        ("\\p{^L}", "a", false),
        // Up to the end, where nothing else ends it, and to no other place.
        ("\\Q.*\\E[a]", ".a", false),
        ("\\Qx\\E[a]", "xa", true),
        ("x\\Qa", "xa", false),
        // What builders leave as it is: all but the simplest patterns are regular expressions.
        ("*|b", "b", true),
        ("*|b", "a/b", true),
        ("a|b", "b", false),
        ("a|b", "a|b", true),
        ("*^a", "^a", false),
        ("[a]{2}", "aa", true),
        ("[a]{2,}b", "ab", false),
        ("*{2,x}", "a{2,x}", true),
        ("*.{js,ts}", "a.js", false),
        ("*.{js,ts}", "a.{js,ts}", true),
        // Stars and question marks are replaced in brackets, too.
        ("[*]", "*", false),
        ("[*]", "^]", true),
        ("[?b]", "^b]", true),
        ("[[:digit:]]", "7", true),
        ("[[:^digit:]]", "7", false),
        ("[:digit:]", "g", true),
        ("[a&&b]", "&", true),
        ("[[a]", "[", true),
        ("a b\\bc", "a bc", false),
        ("*", "abc", true),
        ("*c", "abc", true),
        ("a*", "ab/c", true),
        ("a*/b", "a/c/b", false),
        ("a*b*c*d*e*/f", "axbxcxdxexxx/f", true),
        ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false),
        ("a*b?c*x", "abxbbxdbxebxczzx", true),
        ("a*b?c*x", "abxbbxdbxebxczzy", false),
        ("ab[^e-g]", "abc", true),
        ("a?b", "a\u{263a}b", true),
        ("a[^a]b", "a\u{263a}b", true),
        ("a???b", "a\u{263a}b", false),
        ("[a-\u{3b6}]*", "\u{3b1}", true),
        ("*[a-\u{3b6}]", "A", false),
        ("a?b", "a/b", false),
        ("a*b", "a/b", false),
        ("[\\]a]", "]", true),
        ("[\\-]", "-", true),
        ("[x\\-]", "z", false),
        ("[\\-x]", "a", false),
        ("*x", "xxx", true),
        // What is learnt the hard way by those who know another ignore file.
        ("node_modules", "node_modules/a", true),
        ("node_modules", "web/node_modules/a", false),
        ("*.pyc", "pkg/a.pyc", false),
        ("/secret", "secret", true),
        ("./a/../b/", "b/c", true),
        ("docs/", "docs/a", true),
        ("#not", "#not", false),
        (" #is", "#is", true),
        ("a b", "a b", true),
        (".", "a", false),
        ("..", "a", false),
    ];

    #[test]
    fn patterns_match_as_in_docker() {
        for (pattern, path, wanted) in TABLE {
            assert_eq!(excludes(&[pattern], path), *wanted, "{pattern} on {path}");
        }
    }

    #[test]
    fn the_last_pattern_that_matches_decides() {
        for (patterns, path, wanted) in [
            (&["!f.go", "*.go"][..], "f.go", true),
            (&["*.go", "!f.go"], "f.go", false),
            (&["docs", "!docs/README.md"], "docs/README.md", false),
            (&["docs/*", "!docs/README.md"], "docs/README.md", false),
            (&["docs", "  !docs/README.md  "], "docs/a", true),
            (&["docs", "! docs/README.md"], "docs/README.md", false),
            (&["*", "/!a"], "a", false),
            (&["*", "/!a"], "!a", true),
            (&["*", "!!a"], "!a", false),
            (&["*", "/ !a"], "a", false),
            (&["docs /"], "docs", true),
            (&["/ a", "/ /"], "a", true),
            (&["**", "!util/docker/web"], "util/docker/web/foo", false),
            (
                &["**", "!util/docker/web", "util/docker/web/foo"],
                "util/docker/web/foo",
                true,
            ),
            (&["*", "!src"], "src/a/b", false),
            (&["*", "!src", "src/a"], "src/a/b", true),
            // A folder that nothing left out is not brought back either.
            (&["docs/private", "!docs"], "docs/private/key", true),
            (&["docs/private", "!docs"], "docs/a", false),
            (&["b/c", "!b"], "b/c", true),
            (&["b/*", "!b", "!b/c"], "b/c/d", false),
        ] {
            assert_eq!(excludes(patterns, path), wanted, "{patterns:?} on {path}");
        }
    }

    #[test]
    fn the_top_of_the_context_is_never_left_out() {
        assert!(!excludes(&["**"], "."));
        assert!(!excludes(&["*"], ""));
    }

    #[test]
    fn bad_patterns_are_refused_with_their_line() {
        for bad in [
            "!",
            "[",
            "[^",
            "[^bc",
            "a[",
            "[]a]",
            "[-]",
            "[x-]",
            "[-x]",
            "\\",
            "[a-b-c]",
            "! ",
            "/!",
            "!/",
            "src\\out",
            "\\é",
            "[\\b]",
            "*\\1",
            "*{2}",
            "*[c-a]",
            "[[:no:]]",
            "*a{1001}",
            "?{900}",
            "\\p{No such}",
            "\\xg1",
        ] {
            let error = Ignore::parse(&format!("# x\n\nfine\n{bad}\n")).expect_err(bad);
            assert_eq!(error.line, 4, "{bad}");
        }
    }

    #[test]
    fn the_hint_is_about_what_is_wrong_with_the_pattern() {
        let hint = |pattern: &str| Ignore::parse(pattern).expect_err(pattern).hint;
        for (pattern, about) in [
            ("a\\", "backslash at its end"),
            ("a[b", "close each `[`"),
            ("src\\out", "`/` between"),
            ("a\\d[b", "close each `[`"),
            ("*{2}", "`{` and"),
        ] {
            let hint = hint(pattern).expect("one");
            assert!(hint.contains(about), "{pattern}: {hint}");
        }
    }

    #[test]
    fn the_line_that_decides_is_named() {
        let ignore = Ignore::parse("\u{feff}# all\r\n*\r\n!src\r\nsrc/*.log\r\n").expect("fine");
        let decided = |path: &str| {
            let decision = ignore.explain(path).expect("something matches");
            (decision.line, decision.pattern, decision.excluded)
        };
        assert_eq!(decided("a"), (2, "*".to_owned(), true));
        assert_eq!(decided("src/a"), (3, "!src".to_owned(), false));
        assert_eq!(decided("src/a.log"), (4, "src/*.log".to_owned(), true));
        assert_eq!(Ignore::parse("b").expect("fine").explain("a"), None);
    }

    #[test]
    fn the_ignore_file_of_a_dockerfile_goes_first() {
        let both = ["app.Dockerfile.dockerignore", ".dockerignore"];
        let found = |name: &str, files: &[&str]| ignore_file(name, |file| files.contains(&file));
        assert_eq!(found("app.Dockerfile", &both).as_deref(), Some(both[0]));
        assert_eq!(found("Dockerfile", &both).as_deref(), Some(both[1]));
        assert_eq!(found("Dockerfile", &[]), None);
    }

    #[test]
    fn a_hostile_pattern_takes_no_time() {
        let pattern = "*a".repeat(200) + "b";
        let path = "a".repeat(4_000);
        assert!(!excludes(&[&pattern], &path));
        let folders = "**/".repeat(100) + "x";
        assert!(!excludes(&[&folders], &"a/".repeat(400)));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[ab*?!/\\[\\]^\\-\\\\.# \n]{0,40}", path in "[ab/.]{0,12}") {
            if let Ok(ignore) = Ignore::parse(&text) {
                let decision = ignore.explain(&path);
                prop_assert_eq!(
                    ignore.excludes(&path),
                    decision.is_some_and(|decision| decision.excluded)
                );
            }
        }

        #[test]
        fn what_is_below_an_excluded_folder_is_excluded(
            pattern in "[ab*?/]{1,8}", folder in "[ab]{1,3}(/[ab]{1,3}){0,2}", name in "[ab]{1,3}",
        ) {
            let ignore = Ignore::parse(&pattern).expect("no brackets, no mistakes");
            if ignore.excludes(&folder) {
                let below = format!("{folder}/{name}");
                prop_assert!(ignore.excludes(&below));
            }
        }
    }
}

//! Shell text as people write it, and the laws that hold for every text.

use proptest::prelude::*;

use super::super::lines::slice;
use super::*;

fn read(text: &str) -> Vec<ShellCommand> {
    commands(text, &Places::from(0))
}

/// Each command as its words, with what joins it to the one before.
fn shape(text: &str) -> Vec<String> {
    let joint = |joint| match joint {
        Joint::Then => "",
        Joint::And => "&& ",
        Joint::Or => "|| ",
        Joint::Pipe => "| ",
    };
    read(text)
        .iter()
        .map(|command| {
            let words: Vec<&str> = command.words.iter().map(|word| &*word.text).collect();
            format!("{}{}", joint(command.joint), words.join(" "))
        })
        .collect()
}

#[test]
fn operators_part_commands() {
    assert_eq!(
        shape("a 1 && b|c; d || e & f\ng |& h"),
        ["a 1", "&& b", "| c", "d", "|| e", "f", "g", "| h"]
    );
    let pipelines: Vec<u32> = read("a && b | c | d; e")
        .iter()
        .map(|c| c.pipeline)
        .collect();
    assert!(pipelines[1] == pipelines[2] && pipelines[2] == pipelines[3]);
    assert!(pipelines[0] != pipelines[1] && pipelines[3] != pipelines[4]);
}

#[test]
fn quotes_hold_words_together_and_go() {
    let found = read(r#"echo 'a && b' "c \" $D" e\ f g"h"i $'j'"#);
    let words: Vec<&str> = found[0].words.iter().map(|word| &*word.text).collect();
    assert_eq!(words, ["echo", "a && b", "c \" $D", "e f", "ghi", "j"]);
    assert!(found[0].words[2].expands && !found[0].words[1].expands);
    assert!(found[0].words[1].quoted && !found[0].words[0].quoted);
}

#[test]
fn a_pattern_expands_where_it_is_not_quoted_itself() {
    let found = read(r#"ls "a"/*.c b\*"[c]" ~/d e~ '~' f"g"? $$ "h$-" "i"$'\n'"#);
    let words = found[0].words.iter().filter(|word| word.expands);
    let words: Vec<&str> = words.map(|word| &*word.text).collect();
    assert_eq!(words, ["a/*.c", "~/d", "fg?", "$$", "h$-", "i\\n"]);
}

#[test]
fn words_that_steer_the_shell_are_no_commands() {
    assert_eq!(
        shape("if [ -f x ]; then a; elif ! b; then c; else { d; }; fi && e"),
        ["[ -f x ]", "a", "b", "c", "d", "&& e"]
    );
    assert_eq!(shape("for x in a b; do c $x; done | d"), ["c $x", "| d"]);
    assert_eq!(
        shape("case \"$(uname -m)\" in x86_64) a=1;; arm*|x) b;; esac; c"),
        ["uname -m", "", "b", "c"]
    );
    assert_eq!(shape("f() { a; }; f"), ["f", "a", "f"]);
}

#[test]
fn commands_inside_commands_are_found() {
    assert_eq!(
        shape("echo \"$(a | b)\" `c d` <(e) && f"),
        ["echo $(a | b) `c d` <(e)", "a", "| b", "c d", "e", "&& f"]
    );
    assert_eq!(
        shape("bash -euxc 'a && b' && sh -c \"sh -c c\""),
        [
            "bash -euxc a && b",
            "&& sh -c sh -c c",
            "a",
            "&& b",
            "sh -c c",
            "c"
        ]
    );
    let text = "sh -c 'apt-get \"x\"'";
    let found = read(text);
    assert!(found[1].nested);
    assert_eq!(slice(text, found[1].words[1].span), "\"x\"");
}

#[test]
fn what_only_starts_a_program_is_not_the_program() {
    for (text, program, first) in [
        (
            "sudo -u root -E /usr/bin/apt-get install",
            "apt-get",
            "install",
        ),
        ("DEBIAN_FRONTEND=x apt-get update", "apt-get", "update"),
        ("env -i A=b apk add", "apk", "add"),
        ("xargs -n 1 rm -rf", "rm", "-rf"),
        ("timeout 10 curl x", "curl", "x"),
        ("exec sudo", "sudo", ""),
        ("command -v curl", "command", "-v"),
    ] {
        let found = read(text);
        assert_eq!(found[0].program(), program, "{text}");
        let argument = found[0].arguments().first();
        assert_eq!(argument.map_or("", |word| &word.text), first, "{text}");
    }
}

#[test]
fn redirections_are_no_words() {
    let text = "a 2>&1 >/dev/null <in b &>> log 3<x";
    let found = read(text);
    let words: Vec<&str> = found[0].words.iter().map(|word| &*word.text).collect();
    assert_eq!(words, ["a", "b"]);
    let targets: Vec<(&str, &str)> = found[0]
        .redirects
        .iter()
        .map(|one| (one.operator, one.target.text.as_str()))
        .collect();
    assert_eq!(
        targets,
        [
            (">&", "1"),
            (">", "/dev/null"),
            ("<", "in"),
            ("&>>", "log"),
            ("<", "x")
        ]
    );
}

#[test]
fn texts_of_heredocs_are_no_commands() {
    assert_eq!(
        shape("cat <<'A' <<-B > x && y\na\nA\n\t\tb\n\tB\nz # w\n# v\nu"),
        ["cat", "&& y", "z", "u"]
    );
}

#[test]
fn hostile_texts_end() {
    for text in [
        "$(".repeat(50_000),
        "${".repeat(50_000),
        "`".repeat(50_001),
        "\"$(`".repeat(20_000),
        "(".repeat(50_000),
        "case x in ".repeat(10_000),
        "<<a\n".repeat(20_000),
        "sh -c '".repeat(10_000),
        ")".repeat(50_000),
    ] {
        assert!(read(&text).len() <= text.len());
    }
}

proptest! {
    #[test]
    fn places_are_right_for_every_text(text in "([a-z]{1,3}|[ \t\n'\"$(){}`<>;&|\\\\#=-]|sh -c |case |esac|\u{e9}){0,60}") {
        for command in read(&text) {
            let words = command.assignments.iter().chain(&command.words);
            for word in words.chain(command.redirects.iter().map(|one| &one.target)) {
                prop_assert!(text.get(word.span.range()).is_some(), "{:?}", word);
                let part = word.places.span(&word.text, 0..word.text.len());
                prop_assert!(text.get(part.range()).is_some(), "{:?}", word);
            }
            prop_assert!(text.get(command.span().range()).is_some());
        }
    }
}

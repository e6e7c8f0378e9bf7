//! Searches a text for secrets in two steps: words that secrets have, found in one pass, then the
//! form around each word.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use aho_corasick::AhoCorasickKind;

use super::Fingerprint;
use super::assignment;
use super::assignment::Proof;
use super::rules;
use super::rules::ALL;
use super::rules::BY_NAME;
use super::rules::IN_URL;
use super::rules::SecretKind;

/// The most secrets of one text that are told.
const MOST: usize = 64;

/// What looking at a name or a URL costs, in bytes.
const GLANCE: usize = 256;

/// A secret in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// What it is.
    pub kind: &'static SecretKind,
    /// The line that it starts on, from 1.
    pub line: u32,
    /// Tells whether another one is the same.
    pub fingerprint: Fingerprint,
}

/// What a word of the search stands for.
#[derive(Debug, Clone, Copy)]
enum Word {
    Of(&'static SecretKind),
    Url,
    Name,
}

struct Search {
    automaton: Option<AhoCorasick>,
    words: Vec<Word>,
}

static SEARCH: LazyLock<Search> = LazyLock::new(|| {
    let mut texts: Vec<&str> = Vec::new();
    let mut words = Vec::new();
    for kind in ALL {
        texts.extend(kind.words);
        words.resize(texts.len(), Word::Of(kind));
    }
    texts.push("://");
    words.push(Word::Url);
    texts.extend(assignment::SPELLINGS);
    words.resize(texts.len(), Word::Name);
    let automaton = AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::DFA))
        .build(texts);
    Search {
        automaton: automaton.ok(),
        words,
    }
});

/// Every secret in a text, by line. `certain` says that a name is enough to make a value one: the
/// text sets values for a program, and is no program itself.
#[must_use]
pub fn scan(text: &[u8], certain: bool) -> Vec<Match> {
    matches(text, if certain { Proof::Name } else { Proof::Looks })
}

/// Every secret in a command, by line: a name is enough where a shell sets it.
pub(super) fn scan_command(text: &[u8]) -> Vec<Match> {
    matches(text, Proof::Shell)
}

fn matches(text: &[u8], proof: Proof) -> Vec<Match> {
    let (mut found, _) = candidates(text, proof);
    // What has a form of its own is not told once more by its name.
    let sure: Vec<Range<usize>> = found
        .iter()
        .filter(|(kind, _)| !kind.form.is_empty())
        .map(|(_, place)| place.clone())
        .collect();
    found.retain(|(kind, place)| {
        let same = |other: &Range<usize>| place.start < other.end && other.start < place.end;
        !kind.form.is_empty() || !sure.iter().any(same)
    });
    let rank = |kind: &SecretKind| ALL.iter().position(|one| one.form == kind.form);
    found.sort_by_key(|(kind, place)| (place.start, rank(kind), kind.id));
    found.dedup_by(|(_, later), (_, before)| later.start < before.end);
    let (mut line, mut counted) = (1_u32, 0);
    found
        .into_iter()
        .filter_map(|(kind, place)| {
            let between = text.get(counted..place.start)?;
            let lines = between.iter().filter(|byte| **byte == b'\n').count();
            line = line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
            counted = place.start;
            Some(Match {
                kind,
                line,
                fingerprint: Fingerprint::of(text.get(place)?),
            })
        })
        .collect()
}

/// Where the values are that look like secrets of any kind, those that only their names call so
/// included; in no order. `None` where there are more than are looked for, or more to look at than
/// is sensible.
pub(in crate::image) fn values(text: &[u8]) -> Option<Vec<Range<usize>>> {
    let (found, whole) = candidates(text, Proof::Name);
    whole.then(|| found.into_iter().map(|(_, place)| place).collect())
}

/// Secrets with their places, in no order, and whether these are all. The work is bounded by the
/// length of the text, whatever it is made of.
fn candidates(text: &[u8], proof: Proof) -> (Vec<(&'static SecretKind, Range<usize>)>, bool) {
    let mut found = Vec::new();
    let Some(automaton) = &SEARCH.automaton else {
        return (found, false);
    };
    let mut work = text.len().saturating_mul(16).saturating_add(256 * 1024);
    for hit in automaton.find_overlapping_iter(text) {
        let Some(word) = SEARCH.words.get(hit.pattern().as_usize()) else {
            continue;
        };
        let cost = match word {
            Word::Of(kind) => kind.reach.0 + kind.reach.1,
            Word::Url | Word::Name => GLANCE,
        };
        let Some(left) = work.checked_sub(cost) else {
            return (found, false);
        };
        work = left;
        let secret = match word {
            Word::Of(kind) => by_form(text, hit.start(), kind, proof).map(|place| (*kind, place)),
            Word::Url => {
                let password = assignment::password_of_url(text, hit.start());
                password.map(|password| (&IN_URL, place_of(text, password)))
            }
            Word::Name => {
                let value = assignment::value_at(text, hit.start(), proof);
                value.map(|value| (&BY_NAME, place_of(text, value)))
            }
        };
        found.extend(secret);
        if found.len() >= MOST {
            return (found, false);
        }
    }
    (found, true)
}

/// Where a part of a text is in it.
fn place_of(text: &[u8], part: &[u8]) -> Range<usize> {
    let start = (part.as_ptr().addr()).saturating_sub(text.as_ptr().addr());
    start..start + part.len()
}

fn by_form(text: &[u8], at: usize, kind: &SecretKind, proof: Proof) -> Option<Range<usize>> {
    let start = at.saturating_sub(kind.reach.0);
    let end = text.len().min(at.saturating_add(kind.reach.1));
    let window = text.get(start..end)?;
    let captures = kind.regex()?.captures(window)?;
    let secret = captures.iter().skip(1).flatten().next()?;
    // The form may fit something else nearby: that has a word of its own.
    let around = secret.start() + start..secret.end() + start;
    let near = at + kind.reach.1 >= around.start;
    (near && kind.check.holds(secret.as_bytes(), proof)).then_some(around)
}

/// The kind of a note, by its id.
pub(super) fn kind_of(id: &str) -> Option<&'static SecretKind> {
    rules::of_id(id)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str, certain: bool) -> Vec<String> {
        scan(text.as_bytes(), certain)
            .iter()
            .map(|one| format!("{} {}", one.line, one.kind.id))
            .collect()
    }

    /// A token of `length` characters that no maker ever gave away, so that no scanner of
    /// repositories takes this file for a leak.
    fn random(length: usize) -> String {
        let alphabet = b"aZ3bY7cX9dW1eV5fU2gT8hS4iR6jQ0kP";
        let mut state = 7_usize;
        (0..length)
            .map(|_| {
                state = (state * 73 + 11) % 1021;
                char::from(alphabet[state % alphabet.len()])
            })
            .collect()
    }

    const HEX: &str = "9f8e1d7c6b5a40312f4e6d8c7b9a0815c3d2e1f0a9b8c7d6e5f4132435465768";

    /// Texts with one secret each, and its kind.
    fn samples() -> Vec<(String, &'static str)> {
        let mut all = tokens();
        all.extend(settings());
        all
    }

    fn tokens() -> Vec<(String, &'static str)> {
        let upper = |length: usize| -> String {
            let letters = random(64).to_uppercase();
            letters
                .chars()
                .filter(|c| !"0189".contains(*c))
                .take(length)
                .collect()
        };
        vec![
            (format!("AKIA{}", upper(16)), "aws-access-key"),
            (format!("ghp_{}", random(36)), "github-token"),
            (
                format!("github_pat_{}_{}", random(22), random(59)),
                "github-token",
            ),
            (format!("glpat-{}", random(20)), "gitlab-token"),
            (
                format!("xoxb-{}-{}", "123498765432", random(24)),
                "slack-token",
            ),
            (
                format!(
                    "https://hooks.slack.com/services/T0{u}/B0{u}/{}",
                    random(24),
                    u = upper(8)
                ),
                "slack-webhook",
            ),
            (format!("sk_live_{}", random(24)), "stripe-key"),
            (format!("npm_{}", random(36)), "npm-token"),
            (format!("pypi-AgE{}", random(90)), "pypi-token"),
            (format!("AIza{}", random(35)), "google-api-key"),
            (format!("dckr_pat_{}", random(27)), "docker-token"),
            (
                format!("sk-proj-{}T3BlbkFJ{}", random(24), random(24)),
                "openai-key",
            ),
            (format!("sk-ant-api03-{}", random(95)), "anthropic-key"),
            (format!("dop_v1_{HEX}"), "digitalocean-token"),
            (format!("SG.{}.{}", random(22), random(43)), "sendgrid-key"),
            (format!("123456789:AA{}", random(33)), "telegram-token"),
        ]
    }

    fn settings() -> Vec<(String, &'static str)> {
        vec![
            (
                format!("aws_secret_access_key = {}", random(40)),
                "aws-secret-key",
            ),
            (
                format!("//registry.corp/:_authToken={}", random(20)),
                "npmrc-token",
            ),
            (
                format!("\"private_key_id\": \"{}\"", HEX.split_at(40).0),
                "gcp-service-account",
            ),
            (
                String::from("machine git.corp login ci password gl9x8y7z"),
                "netrc-password",
            ),
            (
                String::from("{\"auths\":{\"r.corp\":{\"auth\":\"Y2k6Z2w5eDh5N3o=\"}}}"),
                "docker-auth",
            ),
            (
                format!("client-key-data: {}", random(200)),
                "kubeconfig-key",
            ),
            (
                String::from("git clone https://ci:gl9x8y7z@git.corp/a"),
                "url-password",
            ),
            (format!("SESSION_TOKEN={}", random(20)), "named-secret"),
        ]
    }

    #[test]
    fn passwords_of_commands_are_found_and_examples_are_not() {
        let secret = "3Tz8pkNGcVxaRHLKXSfQ";
        for (text, kind) in [
            ("curl -u ci:S https://a.b/c", "command-password"),
            ("curl -sfu 'ci:S' https://a.b/c", "command-password"),
            (
                "curl -H \"A: b; c\" \\\n  --user=ci:S a.b",
                "command-password",
            ),
            ("[\"curl\", \"-s\", \"-u\", \"ci:S\"]", "command-password"),
            (
                "curl -H \"Authorization: Bearer S\" a.b",
                "authorization-header",
            ),
            (
                "curl -H 'authorization: Basic S' a.b",
                "authorization-header",
            ),
            ("sshpass -p S ssh a@b", "command-password"),
            ("sshpass -p 'S' ssh a@b", "command-password"),
            ("mysql -u root -pS app", "command-password"),
            ("mysqldump --all -p\"S\" app", "command-password"),
            ("docker login -u ci -p S r.corp", "command-password"),
        ] {
            let full = text.replace('S', secret);
            let found: Vec<&str> = scan_command(full.as_bytes())
                .iter()
                .map(|one| one.kind.id)
                .collect();
            assert_eq!(found, [kind], "{full}");
            for none in ["$TOKEN", "${TOKEN}", "$(cat /x)", "<token>", "changeme"] {
                let text = text.replace('S', none);
                assert_eq!(scan_command(text.as_bytes()), [], "{text}");
                assert_eq!(values(text.as_bytes()), Some(Vec::new()), "{text}");
            }
        }
        for none in [
            "curl a.b && docker run -u 1000:1000 x",
            "curl -u user:password a.b",
            "curl -u $USER:$PASSWORD a.b",
            "mkdir -p/var/lib/mysql && chown mysql -pretty",
            "docker run mysql -p3306:3306",
            "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            "Authorization: Basic dXNlcjpwYXNzd29yZA==",
            "Authorization: Bearer mF_9.B5f-4.1JqM",
            "Authorization: Bearer your_access_token_here",
            "authorization: basic authentication is not supported",
        ] {
            assert_eq!(shown(none, false), Vec::<String>::new(), "{none}");
        }
        let token = format!("curl -H 'Authorization: token ghp_{}'", random(36));
        assert_eq!(shown(&token, false), ["1 github-token"]);
    }

    #[test]
    fn each_kind_of_token_is_found_by_its_form() {
        for (text, kind) in samples() {
            let text = format!("# first line\n  {text}\n");
            assert_eq!(shown(&text, false), [format!("2 {kind}")], "{text}");
        }
    }

    #[test]
    fn a_private_key_needs_a_body() {
        let body = format!("{}\n{}\n{}", random(64), random(63), random(64));
        for name in ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "] {
            let key = format!(
                "x\n-----BEGIN {name}PRIVATE KEY-----\n{body}\n-----END {name}PRIVATE KEY-----\n"
            );
            assert_eq!(shown(&key, false), ["2 private-key"], "{name}");
            let json = key.replace('\n', "\\n");
            assert_eq!(shown(&json, false), ["1 private-key"], "{name}");
        }
        let headers =
            "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,0F1E2D3C4B5A69788796A5B4C3D2E1F0\n\n";
        let key = format!(
            "-----BEGIN RSA PRIVATE KEY-----\n{headers}{body}\n-----END RSA PRIVATE KEY-----\n"
        );
        assert_eq!(shown(&key, false), ["1 private-key"]);
        let json = key.replace('\n', "\\n");
        assert_eq!(shown(&json, false), ["1 private-key"]);
        let program =
            "BEGIN = \"-----BEGIN RSA PRIVATE KEY-----\"\nEND = \"-----END RSA PRIVATE KEY-----\"";
        assert_eq!(shown(program, false), Vec::<String>::new());
        let manual = "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----";
        assert_eq!(shown(manual, false), Vec::<String>::new());
    }

    #[test]
    fn a_web_token_says_what_it_is() {
        let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJjaSIsImFkbSI6dHJ1ZX0.k7Jq2Xv9Lm4Rt8Wzk7Jq2Xv9Lm4Rt8Wz";
        assert_eq!(shown(token, false), ["1 json-web-token"]);
        let manual = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.k7Jq2Xv9Lm4Rt8Wzk7Jq2Xv9Lm4Rt8Wz";
        assert_eq!(shown(manual, false), Vec::<String>::new());
        assert_eq!(
            shown("eyJabcdefghij.eyJabcdefghij.abcdefghijabcdefghij", false),
            Vec::<String>::new()
        );
    }

    #[test]
    fn one_value_is_told_once_and_by_its_surest_kind() {
        let text = format!("GITHUB_TOKEN=ghp_{}", random(36));
        assert_eq!(shown(&text, true), ["1 github-token"]);
        let text = format!("aws_secret_access_key={}", random(40));
        assert_eq!(shown(&text, true), ["1 aws-secret-key"]);
    }

    #[test]
    fn equal_values_have_equal_fingerprints_and_no_value_is_kept() {
        let token = format!("ghp_{}", random(36));
        let text = format!("a {token}\nb {token}\nc ghp_{}", random(40));
        let found = scan(text.as_bytes(), false);
        assert_eq!(found[0].fingerprint, found[1].fingerprint);
        assert_ne!(found[0].fingerprint, found[2].fingerprint);
        assert!(!format!("{found:?}").contains(&token));
        assert_eq!(found[0].fingerprint.to_string().len(), 8);
    }

    #[test]
    fn what_manuals_and_programs_say_is_no_secret() {
        for text in [
            "export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "def npm_config_global_style_is_deprecated_no():",
            "password: '********'",
            "token = secrets.token_urlsafe(16)",
            "//registry.npmjs.org/:_authToken=${NPM_TOKEN}",
            "sk-ant-",
            "machine imap login bob password bobwillknow",
            "https://user:pass@example.com",
        ] {
            assert_eq!(shown(text, false), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn a_text_of_nothing_but_words_is_read_in_time() {
        for word in ["://", "token", "-----BEGIN PRIVATE KEY-----", "eyJ", ":AA"] {
            let text = word.repeat(200_000 / word.len());
            assert_eq!(shown(&text, true), Vec::<String>::new());
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), certain in any::<bool>()) {
            let _ = scan(&bytes, certain);
        }

        #[test]
        fn no_text_of_parts_panics(parts in proptest::collection::vec(0usize..14, 0..40), certain in any::<bool>()) {
            let words = ["://", "a:b@", "TOKEN", "=", "\"", "-----BEGIN ", "PRIVATE KEY-----", "\n", "eyJ", ".", "é", "ghp_", "\u{0}", "aZ3bY7cX9dW1eV5f"];
            let text: String = parts.iter().map(|part| words[*part]).collect();
            for one in scan(text.as_bytes(), certain) {
                prop_assert!(one.line as usize <= text.lines().count().max(1) + 1);
            }
        }
    }
}

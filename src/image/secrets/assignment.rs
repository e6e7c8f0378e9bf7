//! `NAME = value`: names that say that a value is secret, and values that are none.

use super::rules::entropy;

/// Words that make the value of a name a secret, without the marks between words.
pub(super) const WORDS: [&str; 9] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "credential",
];

/// The same as they are written, for the first look at a text. A name in another case is not seen
/// there.
pub(super) const SPELLINGS: [&str; 29] = [
    "password",
    "PASSWORD",
    "Password",
    "passwd",
    "PASSWD",
    "passphrase",
    "PASSPHRASE",
    "secret",
    "SECRET",
    "Secret",
    "token",
    "TOKEN",
    "Token",
    "apikey",
    "APIKEY",
    "apiKey",
    "api_key",
    "API_KEY",
    "api-key",
    "accesskey",
    "access_key",
    "ACCESS_KEY",
    "access-key",
    "private_key",
    "PRIVATE_KEY",
    "privateKey",
    "credential",
    "CREDENTIAL",
    "Credential",
];

/// Ends of names whose values are about a secret and are none themselves.
const ABOUT: [&str; 18] = [
    "file", "path", "dir", "url", "uri", "name", "id", "type", "length", "size", "ttl", "expiry",
    "policy", "version", "public", "format", "regex", "header",
];

/// The shortest value that counts where its name is enough.
const SHORTEST_SET: usize = 4;

/// The shortest value that counts where only its looks speak for it.
const SHORTEST: usize = 16;

/// The longest name and the longest value that are read.
const NAME_CAP: usize = 64;
const VALUE_CAP: usize = 512;

/// How sure one has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// The name is enough: the value is set for a program to use.
    Name,
    /// The value has to look random too: the text is a program, a manual or anything else.
    Looks,
}

/// Whether a name says that its value is secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let plain: String = lower.chars().filter(|c| !"_-.".contains(*c)).collect();
    let about = ABOUT
        .iter()
        .any(|word| plain.ends_with(word) || plain.starts_with("public"));
    !about && WORDS.iter().any(|word| plain.contains(word))
}

/// Whether a setting with this name has a value that is a secret.
pub(in crate::image) fn is_secret(name: &str, value: &str) -> bool {
    is_secret_name(name) && value.len() >= SHORTEST_SET && !is_placeholder(value.as_bytes())
}

/// Whether a value stands for one that is filled in elsewhere, or is an example.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    let text = String::from_utf8_lossy(value).to_ascii_lowercase();
    let text = text.trim();
    // `<token>`, `${TOKEN}`, `$(cmd)`, `{{token}}`, `%(token)s`, `%s`, `****`, `...`, `/run/secrets/x`
    let marks = ["<", "${", "$(", "{", "%(", "%s", "**", "...", "…", "`"];
    let words = [
        "example",
        "changeme",
        "change-me",
        "change_me",
        "placeholder",
        "your",
        "redacted",
        "dummy",
        "xxxx",
        "sample",
        "insert",
        "replace",
        "1234567890",
        "0123456789",
        "abcdefgh",
        "notasecret",
        "not-a-secret",
        "undefined",
        "foobar",
        "hunter2",
    ];
    let alone = [
        "", "-", "none", "null", "nil", "true", "false", "yes", "no", "pass", "password", "passwd",
        "pwd", "secret", "token", "user", "username", "test", "testing", "foo", "bar", "baz",
        "root", "admin", "guest", "string", "str", "bytes", "empty", "key", "value", "default",
        "pw", "p", "x", "abc", "123", "1234", "12345", "123456", "s3cret", "s3cr3t", "hello",
    ];
    marks.iter().any(|mark| text.contains(mark))
        || words.iter().any(|word| text.contains(word))
        || alone.contains(&text)
        || text.starts_with(['$', '/', '@', ':', '&', '*', '%'])
        || has_one_character(text)
}

fn has_one_character(text: &str) -> bool {
    let mut characters = text.chars();
    let first = characters.next();
    characters.all(|c| Some(c) == first)
}

/// Whether a value looks as if it was made at random: long, letters with digits, nothing that a
/// language would say.
fn looks_random(value: &[u8]) -> bool {
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let letters = value
        .iter()
        .filter(|byte| byte.is_ascii_alphabetic())
        .count();
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=_-.~!@#$%^&*".contains(byte);
    // Names in a program have their parts in words; random text has digits all over.
    let mixed = digits >= 3 && letters >= 3;
    value.len() >= SHORTEST && value.iter().all(allowed) && mixed && entropy(value) >= 3.3
}

/// The secret value that a name around `word` is given; `word` is the place of one of the words.
///
/// Reads `name = value`, `name: "value"`, `"name": "value"`, `name => 'value'` and `--name value`.
pub(super) fn value_at(text: &[u8], word: usize, proof: Proof) -> Option<&[u8]> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
    let before = text.get(word.saturating_sub(NAME_CAP)..word)?;
    let start = word - before.iter().rev().take_while(|byte| is_name(byte)).count();
    let rest = text.get(start..)?;
    let length = rest
        .iter()
        .take(NAME_CAP * 2)
        .take_while(|byte| is_name(byte))
        .count();
    let name = std::str::from_utf8(rest.get(..length)?).ok()?;
    if !is_secret_name(name) {
        return None;
    }
    let value = value_behind(rest.get(length..)?, name)?;
    let holds = match proof {
        Proof::Name => value.len() >= SHORTEST_SET && !is_placeholder(value),
        Proof::Looks => looks_random(value) && !is_placeholder(value),
    };
    holds.then_some(value)
}

/// The value behind a name.
fn value_behind<'a>(rest: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let spaces = |text: &[u8]| {
        let blanks = text.iter().take(8);
        blanks
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count()
    };
    let mut at = 0;
    if matches!(rest.first(), Some(b'"' | b'\'')) {
        at += 1;
    }
    at += spaces(rest.get(at..)?);
    match rest.get(at..)? {
        [b'=', b'=' | b'~', ..] => return None,
        [b'=', b'>', ..] | [b':', b'=', ..] => at += 2,
        [b'=' | b':', ..] => at += 1,
        // `--token value`
        _ if name.starts_with("--") && at > 0 => {}
        _ => return None,
    }
    at += spaces(rest.get(at..)?);
    let rest = rest.get(at..)?;
    let rest = rest.get(..VALUE_CAP).unwrap_or(rest);
    let quote = rest.first().filter(|byte| matches!(byte, b'"' | b'\''));
    match quote {
        Some(quote) => {
            let inside = rest.get(1..)?;
            let end = inside.iter().position(|byte| byte == quote)?;
            inside.get(..end)
        }
        None => {
            let ends = |byte: &u8| byte.is_ascii_whitespace() || b"\"',;)}]|&`\\".contains(byte);
            let end = rest.iter().position(ends).unwrap_or(rest.len());
            rest.get(..end)
        }
    }
}

/// The password of a URL whose `://` is at `mark`.
pub(super) fn password_of_url(text: &[u8], mark: usize) -> Option<&[u8]> {
    let rest = text.get(mark + 3..)?;
    let rest = rest.get(..256).unwrap_or(rest);
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"/?#\"'<>`\\,;()[]{}|*".contains(byte);
    let authority = rest.get(..rest.iter().position(ends).unwrap_or(rest.len()))?;
    let at = authority.iter().rposition(|byte| *byte == b'@')?;
    let (who, host) = (authority.get(..at)?, authority.get(at + 1..)?);
    let colon = who.iter().position(|byte| *byte == b':')?;
    let (name, password) = (who.get(..colon)?, who.get(colon + 1..)?);
    let host = String::from_utf8_lossy(host).to_ascii_lowercase();
    let host = host.split(':').next().unwrap_or_default();
    // Manuals are full of such URLs; a real one names a real host.
    let manual = [
        "example",
        "localhost",
        "host",
        "hostname",
        "server",
        "proxy",
        "test",
        "domain",
    ]
    .iter()
    .any(|word| host == *word || host.contains("example") || host.ends_with(".test"))
        || host.starts_with("127.")
        || host.starts_with("my")
        || host.is_empty();
    let plain = |text: &[u8]| text.iter().all(|byte| byte.is_ascii_graphic());
    let secret = password.len() >= 4
        && !is_placeholder(password)
        && !is_placeholder(name)
        && !name.eq_ignore_ascii_case(password);
    (!manual && plain(who) && secret).then_some(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, word: &str, proof: Proof) -> Option<String> {
        let at = text.find(word).unwrap();
        let found = value_at(text.as_bytes(), at, proof)?;
        Some(String::from_utf8_lossy(found).into_owned())
    }

    #[test]
    fn names_say_what_is_secret() {
        for name in [
            "DB_PASSWORD",
            "apiKey",
            "AWS_SECRET_ACCESS_KEY",
            "github.token",
            "client-secret",
            "SECRET_KEY_BASE",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "PWD",
            "GPG_KEY",
            "TOKEN_FILE",
            "password_path",
            "TOKEN_URL",
            "publicToken",
            "KEY",
            "secret_name",
            "token_type",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn values_are_read_in_every_form() {
        let random = "k7Jq2Xv9Lm4Rt8Wz";
        for (text, word) in [
            (format!("export API_TOKEN={random}"), "TOKEN"),
            (format!("password: \"{random}\""), "password"),
            (format!("{{\"client_secret\": \"{random}\"}}"), "secret"),
            (format!("apiKey => '{random}',"), "apiKey"),
            (format!("run --token {random} x"), "token"),
            (format!("secret := \"{random}\""), "secret"),
        ] {
            let found = value(&text, word, Proof::Looks);
            assert_eq!(found.as_deref(), Some(random), "{text}");
        }
    }

    #[test]
    fn what_a_program_says_of_secrets_is_none() {
        for (text, word) in [
            ("if token == 'k7Jq2Xv9Lm4Rt8Wz':", "token"),
            ("token = self.next_token(stream)", "token"),
            ("PASSWORD=${DB_PASSWORD}", "PASSWORD"),
            ("secret: <your-secret-1234-here>", "secret"),
            ("token_type: k7Jq2Xv9Lm4Rt8Wz", "token"),
            ("the secret is a word", "secret"),
            ("password = getpass()", "password"),
            ("TOKEN=/run/secrets/k7Jq2Xv9Lm4", "TOKEN"),
            ("token: tokenizer.word_tokenize", "token"),
        ] {
            assert_eq!(value(text, word, Proof::Looks), None, "{text}");
        }
    }

    #[test]
    fn where_the_name_is_enough_a_word_counts() {
        let found = value("DB_PASSWORD=correct-horse", "PASSWORD", Proof::Name);
        assert_eq!(found.as_deref(), Some("correct-horse"));
        assert_eq!(value("DB_PASSWORD=changeme", "PASSWORD", Proof::Name), None);
        assert_eq!(value("DB_PASSWORD=", "PASSWORD", Proof::Name), None);
    }

    #[test]
    fn passwords_of_urls_are_found_and_examples_are_not() {
        let of = |text: &str| {
            let found = password_of_url(text.as_bytes(), text.find("://")?)?;
            Some(String::from_utf8_lossy(found).into_owned())
        };
        assert_eq!(
            of("postgres://app:Tr0ub4dor@db.corp:5432/x").as_deref(),
            Some("Tr0ub4dor")
        );
        assert_eq!(
            of("https://ci:gl-9x8y7z@git.corp.io/a.git").as_deref(),
            Some("gl-9x8y7z")
        );
        for none in [
            "https://a.b/c",
            "https://user:password@host/",
            "http://user:Tr0ub4dor@proxy.example.com",
            "https://git@github.com/a",
            "https://x:${TOKEN}@github.com",
            "https://a.b/c:d@e",
            "redis://:Tr0ub4dor@localhost:6379",
        ] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}

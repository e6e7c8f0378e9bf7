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

/// Words that a variable is set behind.
const BEFORE: [&[u8]; 12] = [
    b"RUN",
    b"export",
    b"declare",
    b"typeset",
    b"local",
    b"readonly",
    b"env",
    b"then",
    b"do",
    b"else",
    b"exec",
    b"sudo",
];

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
    /// The text is a command: the name is enough where a shell sets it, as in `export NAME=value`.
    Shell,
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
        // What the documents about `Authorization` have.
        "open sesame",
        "mf_9.b5f-4.1jqm",
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
pub(super) fn looks_random(value: &[u8]) -> bool {
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let letters = value
        .iter()
        .filter(|byte| byte.is_ascii_alphabetic())
        .count();
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=_-.~!@#$%^&*".contains(byte);
    if value.len() < SHORTEST || !value.iter().all(allowed) {
        return false;
    }
    // Names in a program have their parts in words; random text has digits all over.
    if digits >= 3 && letters >= 3 {
        return entropy(value) >= 3.3;
    }
    // A third of all random texts have less of them; what is none is made of words.
    let has = |class: fn(&u8) -> bool| value.iter().any(class);
    let cases = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
    cases && entropy(value) >= 3.5 && !is_wordy(value)
}

/// Whether a value may be a password that somebody uses: it looks random, or has letters and
/// digits where manuals have words. Whether it is an example is not asked.
pub(super) fn is_drawn(value: &[u8]) -> bool {
    let has = |class: fn(&u8) -> bool| value.iter().any(class);
    has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic) || looks_random(value)
}

/// Whether a value reads like a name in a program: most of it is words, in small letters but for
/// their first, or letters of one case and digits stand together.
fn is_wordy(value: &[u8]) -> bool {
    let (mut at, mut in_words) = (0, 0);
    while let Some(first) = value.get(at) {
        let capital = usize::from(first.is_ascii_uppercase());
        let rest = value.get(at + capital..).unwrap_or_default();
        let word = capital
            + rest
                .iter()
                .take_while(|byte| byte.is_ascii_lowercase())
                .count();
        in_words += if word >= 3 { word } else { 0 };
        at += word.max(1);
    }
    let class = |byte: u8| match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let changes = value.windows(2);
    let changes = changes.filter(|pair| matches!(pair, [a, b] if class(*a) != class(*b)));
    in_words * 5 >= value.len() * 3 || changes.count() * 5 < value.len() * 2
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
    let is_set = match proof {
        Proof::Name => true,
        Proof::Looks => false,
        Proof::Shell => is_assignment(text, start, name),
    };
    let holds = if is_set {
        value.len() >= SHORTEST_SET
    } else {
        looks_random(value)
    };
    (holds && !is_placeholder(value)).then_some(value)
}

/// Whether a shell sets the name at `start`: `export NAME=value`, `NAME=value make`.
fn is_assignment(text: &[u8], start: usize, name: &str) -> bool {
    let sound = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_variable = name.chars().all(sound) && !name.starts_with(|c: char| c.is_ascii_digit());
    if !is_variable || text.get(start + name.len()) != Some(&b'=') {
        return false;
    }
    let mut before = text
        .get(start.saturating_sub(VALUE_CAP)..start)
        .unwrap_or_default();
    // As many words before it are looked at: flags, and other variables that are set.
    for _ in 0..8 {
        let trimmed = before.trim_ascii_end();
        let between = before.get(trimmed.len()..).unwrap_or_default();
        let (joined, continued) = match trimmed.strip_suffix(b"\\") {
            Some(joined) if between.contains(&b'\n') => (joined.trim_ascii_end(), true),
            _ => (trimmed, false),
        };
        let is_line = !continued && between.contains(&b'\n');
        if is_line
            || joined.is_empty()
            || joined.last().is_some_and(|last| b";|&({`".contains(last))
        {
            return true;
        }
        let space = joined.iter().rposition(u8::is_ascii_whitespace);
        let word = joined
            .get(space.map_or(0, |at| at + 1)..)
            .unwrap_or_default();
        if BEFORE.contains(&word) || word.starts_with(b"-") && word.ends_with(b"c") {
            return true;
        }
        if !word.starts_with(b"-") && !word.contains(&b'=') {
            return false;
        }
        before = joined.get(..joined.len() - word.len()).unwrap_or_default();
    }
    false
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
    let plain = |text: &[u8]| text.iter().all(|byte| byte.is_ascii_graphic());
    // `cvs://:pserver:anoncvs@…`: CVS names its method before the user.
    if name.is_empty() && password.starts_with(b"pserver:") {
        return None;
    }
    // Most real URLs have a name that manuals use too: `root`, `admin`, none at all.
    let secret =
        password.len() >= 4 && !is_placeholder(password) && !name.eq_ignore_ascii_case(password);
    let counts = match Host::of(host) {
        Host::Real => true,
        Host::Either => is_drawn(password) || !is_placeholder(name),
        Host::Manual => false,
    };
    (counts && plain(who) && secret).then_some(password)
}

/// Whose host a URL names. Manuals are full of URLs with passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Host {
    /// One that somebody runs.
    Real,
    /// Manuals say so, and so do those who name a service by what it does.
    Either,
    /// One of a manual, or this machine.
    Manual,
}

impl Host {
    fn of(host: &[u8]) -> Self {
        let host = String::from_utf8_lossy(host).to_ascii_lowercase();
        let host = host.split(':').next().unwrap_or_default();
        let is_manual = ["localhost", "hostname", "test", "domain", ""].contains(&host)
            || host.contains("example")
            || host.ends_with(".test")
            || host.starts_with("127.");
        if is_manual {
            Self::Manual
        } else if ["host", "server", "proxy"].contains(&host) || host.starts_with("my") {
            Self::Either
        } else {
            Self::Real
        }
    }
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
    fn a_value_with_few_digits_is_random_where_it_is_not_made_of_words() {
        for random in [
            "hQzRkWvTbYpLxNcMdJ7g",
            "KpWzqVtRmXbGhYdNsLcJ",
            "3Tz8pkNGcVxaRHLKXSfQ",
            "vBqZtGwYrXkPnMdHs2Lj",
        ] {
            assert!(looks_random(random.as_bytes()), "{random}");
        }
        for words in [
            "getOAuth2AccessToken",
            "kSecAttrKeyClass2",
            "Sha2PasswordHasherImpl",
            "ServiceAccountTokenV1",
            "NEXT_PUBLIC_API_TOKEN",
            "correct-horse-battery",
            "self.NextToken1Stream",
        ] {
            assert!(!looks_random(words.as_bytes()), "{words}");
        }
    }

    #[test]
    fn what_a_shell_sets_needs_no_random_value() {
        for text in [
            "export PASSWORD=correct-horse",
            "RUN export A=b PASSWORD='correct-horse' && make",
            "RUN --mount=type=cache,target=/x PASSWORD=correct-horse make",
            "/bin/sh -c PASSWORD=correct-horse make",
            "/bin/bash -o pipefail -ec declare -x PASSWORD=correct-horse",
            "make && PASSWORD=correct-horse make",
            "make \\\n  && \\\n  PASSWORD=correct-horse make",
            "set -e\nPASSWORD=correct-horse",
            "(PASSWORD=correct-horse make)",
        ] {
            let found = value(text, "PASSWORD", Proof::Shell);
            assert_eq!(found.as_deref(), Some("correct-horse"), "{text}");
        }
        for text in [
            "echo PASSWORD=correct-horse",
            "make PASSWORD=correct-horse",
            "make \\\n  PASSWORD=correct-horse",
            "curl -d PASSWORD=correct-horse",
            "export PASSWORD=$(cat /x)",
            "export PASSWORD=\"$1\"",
            "export PASSWORD=changeme",
            "export PASSWORD: correct-horse",
        ] {
            assert_eq!(value(text, "PASSWORD", Proof::Shell), None, "{text}");
        }
        let random = "echo PASSWORD=k7Jq2Xv9Lm4Rt8Wz";
        assert!(value(random, "PASSWORD", Proof::Shell).is_some());
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
        let random = "3Tz85pkNGcVx2RHLKXSf";
        for who in ["", "root", "admin", "user", "guest", "test", "x", "app"] {
            for host in ["db.corp.com/app", "proxy:3128", "server", "mysql:3306/app"] {
                let text = format!("mysql://{who}:{random}@{host}");
                assert_eq!(of(&text).as_deref(), Some(random), "{text}");
            }
        }
        assert_eq!(
            of("http://ci:correct-horse@proxy:3128").as_deref(),
            Some("correct-horse")
        );
        for none in [
            "http://user:correct-horse@proxy:3128",
            "http://user:pw@proxy:3128",
            "postgres://postgres:postgres@db/app",
            "mysql://root:${PASSWORD}@db.corp.com/app",
            "mysql://root:$PASSWORD@db.corp.com/app",
            "mysql://root:changeme@db.corp.com/app",
            "https://a.b/c",
            "https://user:password@host/",
            "http://user:Tr0ub4dor@proxy.example.com",
            "https://git@github.com/a",
            "https://x:${TOKEN}@github.com",
            "https://a.b/c:d@e",
            "redis://:Tr0ub4dor@localhost:6379",
            "cvs://:pserver:anoncvs@sourceware.org:/cvs/src",
        ] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}

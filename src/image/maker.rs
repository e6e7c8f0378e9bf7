//! What is told of a step of an image's history: never a value that was given to the build, never a
//! secret; and the instruction behind it, as a Dockerfile has it.

use std::ops::Range;

use super::secrets;

/// Words of instructions that builders record as they are.
const KEYWORDS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// Shells that builders give a command to.
const SHELLS: [&str; 8] = ["sh", "bash", "ash", "dash", "zsh", "ksh", "mksh", "fish"];

/// How many words may stand between a shell and its `-c`.
const FLAGS: usize = 8;

/// A step of the history as it may be shown: as the builder recorded it, without the arguments of
/// the build, and with `…` for each value that looks like a secret. `RUN …` where it cannot be told
/// where the arguments end.
#[must_use]
pub fn told(created_by: &str) -> String {
    let step = without_arguments(created_by);
    let Some(hidden) = hidden(&step) else {
        let keyword = step.split_whitespace().next().unwrap_or_default();
        let known = KEYWORDS.contains(&keyword);
        return format!("{} …", if known { keyword } else { "RUN" });
    };
    let mut told = Vec::with_capacity(step.len());
    let mut at = 0;
    for place in hidden {
        told.extend_from_slice(step.as_bytes().get(at..place.start).unwrap_or_default());
        told.extend_from_slice("…".as_bytes());
        at = place.end;
    }
    told.extend_from_slice(step.as_bytes().get(at..).unwrap_or_default());
    String::from_utf8_lossy(&told).into_owned()
}

/// The secrets that a text of a Dockerfile holds, looked for once, for all that is said of it.
#[derive(Debug)]
pub struct Secrets<'a> {
    /// Each of them; `None` where the text is too long to look at all of it.
    values: Option<Vec<&'a str>>,
}

impl<'a> Secrets<'a> {
    /// Those of `source`.
    #[must_use]
    pub fn of(source: &'a str) -> Self {
        let hidden = hidden(source);
        let value = |place| source.get(place).unwrap_or_default();
        Self {
            values: hidden.map(|places| places.into_iter().map(value).collect()),
        }
    }

    /// A sentence about the text, with `…` for each secret that it quotes from there, one that is
    /// cut included.
    #[must_use]
    pub fn told(&self, sentence: &str) -> String {
        // Fewer characters give nothing away and stand in any sentence; more are never quoted.
        const LEAST: usize = 4;
        const MOST: usize = 64;
        let mut told = told(sentence);
        let values = self.values.iter().flatten();
        for value in values.filter(|value| value.len() >= LEAST) {
            told = told.replace(value, "…");
            let ends: Vec<usize> = value.char_indices().map(|(at, _)| at).collect();
            let cut = ends.into_iter().rev();
            let cut = cut.filter(|end| (LEAST..=MOST).contains(end));
            for start in cut.filter_map(|end| value.get(..end)) {
                told = told.replace(&format!("{start}…"), "…");
            }
        }
        told
    }

    /// Whether a text repeats one of them; yes where that cannot be told.
    #[must_use]
    pub fn are_in(&self, text: &str) -> bool {
        match &self.values {
            Some(values) => values.iter().any(|value| text.contains(value)),
            None => true,
        }
    }
}

/// `RUN make` for `/bin/sh -c make`, `RUN /bin/sh -c make # buildkit` or `|1 A=b /bin/sh -c make`,
/// whatever the shell, with no more in it than may be [`told`]; a text that no builder writes stays
/// as it is. White space is made single.
#[must_use]
pub fn instruction(created_by: &str) -> String {
    let text = told(created_by);
    let text = text.trim();
    let text = text.strip_suffix("# buildkit").unwrap_or(text);
    let text: Vec<&str> = text.split_whitespace().collect();
    let text = text.join(" ");
    let (word, rest) = text.split_once(' ').unwrap_or((&text, ""));
    let is_run = word == "RUN";
    if !is_run && KEYWORDS.contains(&word) {
        return text;
    }
    let bare = command(if is_run { rest } else { &text });
    if let Some(plain) = bare.strip_prefix("#(nop)") {
        return plain.trim_start().to_owned();
    }
    if is_run || bare.len() < text.len() {
        return format!("RUN {bare}");
    }
    text
}

/// A command without the shell before it: `make` of `/bin/bash -o pipefail -c make`.
fn command(text: &str) -> &str {
    let words = words(text);
    let shell = text.starts_with('/').then(|| shell(&words)).flatten();
    let start = shell.and_then(|count| words.get(count)).map(|word| word.0);
    start.and_then(|start| text.get(start..)).unwrap_or(text)
}

/// A step without the arguments of its build: `/bin/sh -c make` of `|1 TOKEN=x /bin/sh -c make`.
fn without_arguments(created_by: &str) -> String {
    let text = created_by.trim();
    let (keyword, command) = match text.strip_prefix("RUN ") {
        Some(command) => ("RUN ", command.trim_start()),
        None => ("", text),
    };
    if !has_arguments(command) {
        return text.to_owned();
    }
    match behind_arguments(command).and_then(|start| command.get(start..)) {
        Some(rest) => format!("{keyword}{rest}"),
        None => String::from("RUN …"),
    }
}

/// Whether a command begins with arguments of the build: `|1 TOKEN=x`.
fn has_arguments(command: &str) -> bool {
    let count = command.strip_prefix('|');
    count.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Where the arguments of the build end and the shell begins. Values are recorded without quotes
/// and may hold spaces, so as many names as there are arguments have to be passed first.
pub(super) fn behind_arguments(command: &str) -> Option<usize> {
    let words = words(command);
    let (count, rest) = words.split_first()?;
    let mut names: usize = count.1.strip_prefix('|')?.parse().ok()?;
    (0..rest.len()).find_map(|index| {
        let from = rest.get(index..)?;
        let (at, word) = from.first()?;
        if names > 0 {
            names -= usize::from(name_of(word).is_some());
            return None;
        }
        shell(from).is_some().then_some(*at)
    })
}

/// How many words are a shell and its flags, where these words begin with one that is given a
/// command: 4 for `/bin/bash -o pipefail -c make`.
fn shell(words: &[(usize, &str)]) -> Option<usize> {
    let name = words.first()?.1.rsplit('/').next()?;
    if !SHELLS.contains(&name) {
        return None;
    }
    let mut is_value = false;
    for (index, (_, word)) in words.iter().enumerate().skip(1).take(FLAGS) {
        if std::mem::take(&mut is_value) {
            continue;
        }
        let short = word.starts_with(['-', '+']) && !word.starts_with("--");
        if short && word.ends_with('c') {
            return Some(index + 1);
        }
        if !word.starts_with(['-', '+']) {
            return None;
        }
        is_value = short && word.ends_with('o');
    }
    None
}

/// The words of a text and where they begin.
fn words(text: &str) -> Vec<(usize, &str)> {
    let mut at = 0;
    let pieces = text.split_inclusive(char::is_whitespace).map(|piece| {
        let start = at;
        at += piece.len();
        (start, piece.trim_end())
    });
    pieces.filter(|(_, word)| !word.is_empty()).collect()
}

/// `TOKEN` of the word `TOKEN=x`.
fn name_of(word: &str) -> Option<&str> {
    let (name, _) = word.split_once('=')?;
    let sound = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    (!name.is_empty() && name.chars().all(sound)).then_some(name)
}

/// Where a step or an instruction of a Dockerfile holds values that look like secrets, in its
/// order and apart from each other; `None` where it is too long to look at all of it.
#[must_use]
pub fn hidden(step: &str) -> Option<Vec<Range<usize>>> {
    let mut found: Vec<Range<usize>> = secrets::values(step.as_bytes())?;
    for place in &mut found {
        place.end = end_of(step, place);
    }
    found.extend(settings(step));
    found.sort_by_key(|place| (place.start, place.end));
    let mut apart: Vec<Range<usize>> = Vec::with_capacity(found.len());
    for place in found {
        match apart.last_mut() {
            // Places that touch are one.
            Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
            _ => apart.push(place),
        }
    }
    Some(apart)
}

/// Where a value really ends: rules that look for secrets know what they begin with, and their
/// rest need not be told either.
fn end_of(step: &str, place: &Range<usize>) -> usize {
    let bytes = step.as_bytes();
    let before = place.start.checked_sub(1).and_then(|at| bytes.get(at));
    let is_quoted = matches!(before, Some(b'"' | b'\''));
    if is_quoted || bytes.get(place.end) == Some(&b'@') {
        return place.end;
    }
    let rest = bytes.get(place.end..).unwrap_or_default();
    let more = rest.iter().position(u8::is_ascii_whitespace);
    let more = more.unwrap_or(rest.len());
    // The quote that ends an argument is no part of its value.
    if matches!(rest.get(..more), Some([b'"' | b'\''])) {
        return place.end;
    }
    place.end + more
}

/// The secret values that `ENV`, `ARG` and `LABEL` set. They are recorded without quotes: a value
/// goes on until the next name. `ENV NAME value` is one name with the rest.
fn settings(step: &str) -> Vec<Range<usize>> {
    let start = step.find("#(nop)").map_or(0, |at| at + "#(nop)".len());
    let rest = step.get(start..).unwrap_or_default().trim_end();
    let rest = rest.strip_suffix("# buildkit").unwrap_or(rest);
    let mut words = words(rest).into_iter().peekable();
    let keyword = words.next().map(|word| word.1);
    if !matches!(keyword, Some("ENV" | "ARG" | "LABEL")) {
        return Vec::new();
    }
    let legacy = words.peek().filter(|(_, word)| !word.contains('='));
    if let (Some("ENV"), Some((at, name))) = (keyword, legacy) {
        let from = at + name.len();
        let value = rest.get(from..).unwrap_or_default().trim();
        let from = start + rest.len() - rest.get(from..).unwrap_or_default().trim_start().len();
        let is_secret = secrets::is_secret(name, value);
        return Vec::from_iter(is_secret.then(|| from..from + value.len()));
    }
    let named: Vec<(usize, &str)> = words
        .filter_map(|(at, word)| Some((at, name_of(word)?)))
        .collect();
    let ends = named.iter().skip(1).map(|next| next.0);
    let ends = ends.chain(std::iter::once(rest.len()));
    let secret = |((at, name), end): (&(usize, &str), usize)| {
        let value = rest.get(at + name.len() + 1..end)?.trim_end();
        let from = start + at + name.len() + 1;
        secrets::is_secret(name, value).then(|| from..from + value.len())
    };
    named.iter().zip(ends).filter_map(secret).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_builder_s_words_become_a_dockerfile_s() {
        let cases = [
            (
                "RUN /bin/sh -c apt-get  update # buildkit",
                "RUN apt-get update",
            ),
            ("/bin/sh -c apt-get update", "RUN apt-get update"),
            ("|1 T=x /bin/sh -c make\t install", "RUN make install"),
            ("RUN |1 T=x /bin/sh -c make # buildkit", "RUN make"),
            ("|2 A=1 2 T=x /bin/bash -o pipefail -c make", "RUN make"),
            (
                "RUN /bin/bash -euxo pipefail -c make # buildkit",
                "RUN make",
            ),
            (
                "/bin/sh -c #(nop) COPY dir:12ab in /app ",
                "COPY dir:12ab in /app",
            ),
            ("/bin/bash -c #(nop)  USER web", "USER web"),
            ("COPY . . # buildkit", "COPY . ."),
            ("ADD rootfs.tar / ", "ADD rootfs.tar /"),
            ("RUN rm -rf /big", "RUN rm -rf /big"),
            ("RUN make # buildkit", "RUN make"),
            (
                "RUN /usr/bin/gcc -c x.c # buildkit",
                "RUN /usr/bin/gcc -c x.c",
            ),
            ("debuerreotype 0.16", "debuerreotype 0.16"),
            ("", ""),
        ];
        for (recorded, shown) in cases {
            assert_eq!(instruction(recorded), shown);
        }
    }

    #[test]
    fn arguments_of_the_build_are_not_told_whatever_the_shell() {
        for (recorded, shown) in [
            ("|1 TOKEN=correct-horse /bin/sh -c make", "/bin/sh -c make"),
            (
                "RUN |2 A=b c /bin/x TOKEN=correct horse /bin/bash -o pipefail -c make # buildkit",
                "RUN /bin/bash -o pipefail -c make # buildkit",
            ),
            (
                "RUN |1 TOKEN=correct-horse bash -ec make",
                "RUN bash -ec make",
            ),
            ("|0 /bin/sh -c make", "/bin/sh -c make"),
            // Nobody can tell where the value ends and the command begins.
            (
                "RUN |1 TOKEN=correct-horse make install # buildkit",
                "RUN …",
            ),
            ("|9 TOKEN=correct-horse /bin/sh -c make", "RUN …"),
            ("|1", "RUN …"),
        ] {
            assert_eq!(told(recorded), shown);
        }
    }

    #[test]
    fn values_that_look_like_secrets_are_not_told() {
        let token = format!("ghp_{}", "aZ3bY7cX9dW1eV5fU2gT8hS4iR6jQ0kPmN2L");
        let cases = [
            (
                String::from("ENV PATH=/bin DB_PASSWORD=correct horse, battery LANG=C # buildkit"),
                "ENV PATH=/bin DB_PASSWORD=… LANG=C # buildkit",
            ),
            (
                String::from("/bin/sh -c #(nop)  ENV DB_PASSWORD=my long one"),
                "/bin/sh -c #(nop)  ENV DB_PASSWORD=…",
            ),
            (
                String::from(
                    "RUN /bin/sh -c curl -u ci --token=correct-horse;x https://ci:gl9x8y7z@git.corp/a",
                ),
                "RUN /bin/sh -c curl -u ci --token=… https://ci:…@git.corp/a",
            ),
            (
                format!("RUN /bin/sh -c echo {token} >/k && echo '{token}' # buildkit"),
                "RUN /bin/sh -c echo … >/k && echo '…' # buildkit",
            ),
            (String::from("LABEL maintainer=me"), "LABEL maintainer=me"),
            (
                String::from("ENV DB_PASSWORD my long one"),
                "ENV DB_PASSWORD …",
            ),
            (
                String::from(
                    "RUN mysql://root:3Tz8pkNGcVxaRHLKXSfQ@db.corp.com/app -pcorrect-horse",
                ),
                "RUN mysql://root:…@db.corp.com/app -p…",
            ),
            (
                String::from(
                    "RUN curl -u 'ci:my long one' -H \"Authorization: Bearer x9y8z7w6\" a.b",
                ),
                "RUN curl -u 'ci:…' -H \"Authorization: Bearer …\" a.b",
            ),
        ];
        for (recorded, shown) in cases {
            assert_eq!(told(&recorded), shown);
            assert_eq!(told(shown), shown, "what is told stays");
        }
        let many = format!("RUN echo {}", "TOKEN=correct-horse ".repeat(100));
        assert_eq!(told(&many), "RUN …");
    }

    #[test]
    fn a_sentence_tells_no_secret_of_what_it_is_about_not_even_a_part() {
        let source = "ADD https://ci:gl9x8y7zk7Jq2Xv9@git.corp/a /a";
        for (sentence, wanted) in [
            (
                "nobody compares `https://ci:gl9x8y7z…`",
                "nobody compares `https://ci:…`",
            ),
            ("`gl9x8y7zk7Jq2Xv9` is there", "`…` is there"),
            (
                "`https://ci:gl9x8y7zk7Jq2Xv9@git.corp/a`",
                "`https://ci:…@git.corp/a`",
            ),
            ("`gl…` is short", "`gl…` is short"),
        ] {
            assert_eq!(Secrets::of(source).told(sentence), wanted);
        }
    }

    proptest! {
        #[test]
        fn places_are_in_order_and_apart(parts in proptest::collection::vec(0usize..14, 0..30)) {
            let words = ["ARG ", "ENV ", "curl -u ", "#(nop) ", "TOKEN=", "é", "\"", "'", " ", "a:b", "correct-horse", "@", "://a:", "x9y8z7w6"];
            let text: String = parts.iter().map(|part| words[*part]).collect();
            let mut end = 0;
            for place in hidden(&text).unwrap_or_default() {
                prop_assert!(place.start >= end && place.end > place.start, "{text:?}");
                prop_assert!(place.end <= text.len());
                end = place.end;
            }
        }

        #[test]
        fn no_text_of_parts_panics(parts in proptest::collection::vec(0usize..14, 0..30)) {
            let words = ["|1 ", "|", "RUN ", "ENV ", "#(nop) ", "TOKEN=", "é", "\"", "'", " ", "/bin/sh -c ", "correct-horse", "@", "://a:"];
            let text: String = parts.iter().map(|part| words[*part]).collect();
            let _ = instruction(&text);
        }
    }
}

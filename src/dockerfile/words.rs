//! Words of an argument: quoted as in `ENV`, or the strings of a JSON array.

use super::ast::Word;
use super::lines::Piece;

/// Words between white space; white space inside quotes, or after the escape character, does not
/// end a word. Quotes are kept.
pub(super) fn quoted_words(piece: Piece<'_>, escape: char) -> Vec<Piece<'_>> {
    let mut words = Vec::new();
    let mut start = None;
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in piece.text().char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        match quote {
            None if c.is_whitespace() => {
                if let Some(from) = start.take() {
                    words.push(piece.part(from..at));
                }
                continue;
            }
            None if matches!(c, '\'' | '"') => quote = Some(c),
            None => escaped = c == escape,
            Some(open) if c == open => quote = None,
            // Nothing can be escaped between single quotes.
            Some(open) => escaped = c == escape && open != '\'',
        }
        start.get_or_insert(at);
    }
    if let Some(from) = start {
        words.push(piece.from(from));
    }
    words
}

/// What an argument is that may be a JSON array.
#[derive(Debug)]
pub(super) enum Json {
    /// An array of strings, each with its place, quotes included.
    Strings(Vec<Word>),
    /// An array that holds something else: builders refuse it.
    NotStrings,
    /// It looks like an array and is not JSON: builders take it as plain text.
    Broken,
    /// Plain text.
    No,
}

/// Reads an argument that may be a JSON array.
pub(super) fn json(piece: Piece<'_>) -> Json {
    let piece = piece.trim();
    let text = piece.text();
    if !text.starts_with('[') {
        return Json::No;
    }
    let Ok(values) = serde_json::from_str::<Vec<serde_json::Value>>(text) else {
        return if means_array(text) {
            Json::Broken
        } else {
            Json::No
        };
    };
    let mut strings = Vec::with_capacity(values.len());
    for value in values {
        let serde_json::Value::String(string) = value else {
            return Json::NotStrings;
        };
        strings.push(string);
    }
    let places = string_places(piece);
    let words = strings.into_iter().zip(places).map(|(text, place)| Word {
        text,
        span: place.span(),
    });
    Json::Strings(words.collect())
}

/// Whether a text that is no JSON was most likely meant as an array: it ends like one, or begins
/// as no shell text does.
pub(super) fn means_array(text: &str) -> bool {
    text.starts_with('[') && text.ends_with(']') || opens_array(text)
}

/// Whether a text begins as an array of strings does, and as no shell text does: the test of a
/// shell has a space behind its bracket.
pub(super) fn opens_array(text: &str) -> bool {
    text.starts_with("[\"") || text.starts_with("['")
}

/// Where the strings of valid JSON without nesting are written.
fn string_places(piece: Piece<'_>) -> Vec<Piece<'_>> {
    let mut places = Vec::new();
    let mut start = None;
    let mut escaped = false;
    for (at, c) in piece.text().char_indices() {
        match start {
            _ if escaped => escaped = false,
            None if c == '"' => start = Some(at),
            None => {}
            Some(from) if c == '"' => {
                places.push(piece.part(from..at + 1));
                start = None;
            }
            Some(_) => escaped = c == '\\',
        }
    }
    places
}

/// A piece as a word of the tree.
pub(super) fn word(piece: Piece<'_>) -> Word {
    Word {
        text: piece.text().to_owned(),
        span: piece.span(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::lines::Joined;
    use super::*;

    fn joined(text: &str) -> Joined {
        let mut joined = Joined::default();
        joined.push(text, 0);
        joined
    }

    #[test]
    fn quotes_hold_words_together() {
        let line = joined(r#"a=1 b="x y" c='\' d=q\ r  "#);
        let words: Vec<&str> = quoted_words(line.whole(), '\\')
            .into_iter()
            .map(Piece::text)
            .collect();
        assert_eq!(words, ["a=1", "b=\"x y\"", "c='\\'", "d=q\\ r"]);
    }

    #[test]
    fn strings_of_an_array_are_found_with_their_quotes() {
        let line = joined(r#" [ "a", "b \" ]", "" ] "#);
        let Json::Strings(words) = json(line.whole()) else {
            panic!("it is JSON")
        };
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(texts, ["a", "b \" ]", ""]);
        assert_eq!(words[0].span.range(), 3..6);
    }

    #[test]
    fn what_is_not_json_is_plain_text() {
        for text in ["['a']", "['a'", "[\"a\", \"b\"", "[\"a\",]", "[“a”]"] {
            assert!(matches!(json(joined(text).whole()), Json::Broken), "{text}");
        }
        for text in ["[ -f x ] && y", "[ \"$A\" = b ] && y", "[a-z]*.sh x"] {
            assert!(matches!(json(joined(text).whole()), Json::No), "{text}");
        }
        assert!(matches!(json(joined("[1]").whole()), Json::NotStrings));
    }
}

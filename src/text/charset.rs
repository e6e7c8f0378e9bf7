//! Which characters a terminal shows, by what the environment says of it.

/// Whether a terminal shows only ASCII; `variable` reads the environment, and what is not set is
/// empty. No locale at all is common in containers on terminals that show everything, so only one
/// that names another character set counts.
#[must_use]
pub fn is_ascii_only(variable: impl Fn(&str) -> String) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .map(&variable)
        .find(|value| !value.is_empty())
        .unwrap_or_default()
        .to_ascii_lowercase();
    let unicode = locale.contains("utf-8") || locale.contains("utf8");
    let named = !matches!(locale.as_str(), "" | "c" | "posix");
    (named && !unicode) || variable("TERM") == "linux"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_named_other_character_set_means_ascii() {
        let shown = |set: &[(&str, &str)]| {
            is_ascii_only(|name| {
                let known = set.iter().find(|(known, _)| *known == name);
                known.map_or("", |(_, value)| *value).to_owned()
            })
        };
        assert!(!shown(&[]));
        assert!(!shown(&[("LC_ALL", "C.UTF-8"), ("TERM", "xterm")]));
        assert!(!shown(&[("LANG", "C"), ("TERM", "tmux-256color")]));
        assert!(shown(&[("LANG", "de_DE.ISO-8859-1"), ("TERM", "xterm")]));
        assert!(shown(&[("LANG", "de_DE.utf8"), ("TERM", "linux")]));
        // The first that is set counts.
        assert!(!shown(&[("LC_ALL", "C.UTF-8"), ("LANG", "de_DE")]));
        assert!(shown(&[("LC_CTYPE", "de_DE"), ("LANG", "C.UTF-8")]));
    }
}

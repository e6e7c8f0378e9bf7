//! The instruction behind a step of an image's history, as a Dockerfile has it.

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

/// `RUN make` for `/bin/sh -c make`, `RUN /bin/sh -c make # buildkit` or `|1 A=b /bin/sh -c make`;
/// a text that no builder writes stays as it is. White space is made single.
#[must_use]
pub fn instruction(created_by: &str) -> String {
    let text = created_by.trim();
    let text = text.strip_suffix("# buildkit").unwrap_or(text);
    let text: Vec<&str> = text.split_whitespace().collect();
    let text = text.join(" ");
    if let Some(plain) = text.strip_prefix("/bin/sh -c #(nop) ") {
        return plain.to_owned();
    }
    let (word, rest) = text.split_once(' ').unwrap_or((&text, ""));
    if word == "RUN" {
        return format!("RUN {}", command(rest));
    }
    if KEYWORDS.contains(&word) {
        return text;
    }
    match command(&text) {
        bare if bare.len() < text.len() => format!("RUN {bare}"),
        _ => text,
    }
}

/// A command without the shell and the build arguments before it: `make` of `|1 A=b /bin/sh -c
/// make`.
fn command(text: &str) -> &str {
    let shell = "/bin/sh -c ";
    if let Some(bare) = text.strip_prefix(shell) {
        return bare;
    }
    if text.starts_with('|')
        && let Some((_, bare)) = text.split_once(&format!(" {shell}"))
    {
        return bare;
    }
    text
}

#[cfg(test)]
mod tests {
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
            (
                "/bin/sh -c #(nop) COPY dir:12ab in /app ",
                "COPY dir:12ab in /app",
            ),
            ("COPY . . # buildkit", "COPY . ."),
            ("RUN rm -rf /big", "RUN rm -rf /big"),
            ("debuerreotype 0.16", "debuerreotype 0.16"),
            ("", ""),
        ];
        for (recorded, shown) in cases {
            assert_eq!(instruction(recorded), shown);
        }
    }
}

//! Figures in a lesson that come from the learner's own machine.
//!
//! `{{ size python:3.13 | 1.08 GB }}` is what an image weighs here, `{{ mine shrink-that-image best
//! | … }}` the learner's own result, `{{ baseline shrink-that-image | … }}` what a starter weighed.
//! After the bar stands the reference value, which is shown with `≈` until there is an own one.

/// A figure to be looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directive {
    /// What an image on this machine weighs.
    Size {
        /// As a Dockerfile names it.
        reference: String,
    },
    /// The learner's own result.
    Mine {
        /// The exercise's id.
        exercise: String,
        /// Which of the learner's images.
        which: Which,
    },
    /// What the starter of an exercise weighs here.
    Baseline {
        /// The exercise's id.
        exercise: String,
    },
}

/// One of the images that a learner built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The smallest that met every required goal.
    Best,
    /// The newest.
    Last,
}

/// A directive in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found<'a> {
    before: &'a str,
    inside: &'a str,
    after: &'a str,
}

/// The next `{{ … }}` on one line.
fn next(text: &str) -> Option<Found<'_>> {
    let (before, rest) = text.split_once("{{")?;
    let (inside, after) = rest.split_once("}}")?;
    if inside.contains('\n') {
        let shorter = next(rest)?;
        let end = text.len() - rest.len() + shorter.before.len();
        return Some(Found {
            before: text.get(..end)?,
            ..shorter
        });
    }
    Some(Found {
        before,
        inside,
        after,
    })
}

/// Reads what stands between the braces: the figure and its reference value.
///
/// # Errors
/// When it is not one of the known figures with a reference value.
pub fn parse(inside: &str) -> Result<(Directive, String), String> {
    let (figure, reference) = inside
        .split_once('|')
        .ok_or_else(|| "a figure needs its reference value after `|`".to_owned())?;
    let reference = reference.trim();
    if reference.is_empty() {
        return Err("the reference value after `|` is empty".to_owned());
    }
    let words: Vec<&str> = figure.split_whitespace().collect();
    let directive = match words.as_slice() {
        ["size", image] => Directive::Size {
            reference: (*image).to_owned(),
        },
        ["mine", exercise, "best"] => Directive::Mine {
            exercise: (*exercise).to_owned(),
            which: Which::Best,
        },
        ["mine", exercise, "last"] => Directive::Mine {
            exercise: (*exercise).to_owned(),
            which: Which::Last,
        },
        ["baseline", exercise] => Directive::Baseline {
            exercise: (*exercise).to_owned(),
        },
        _ => {
            return Err(format!(
                "unknown figure `{}`; there are `size IMAGE`, `mine EXERCISE best`, `mine EXERCISE \
                 last` and `baseline EXERCISE`",
                figure.trim()
            ));
        }
    };
    Ok((directive, reference.to_owned()))
}

/// All directives of a text, each parsed or with what is wrong with it, in order.
#[must_use]
pub fn all(text: &str) -> Vec<Result<(Directive, String), String>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(hit) = next(rest) {
        found.push(parse(hit.inside));
        rest = hit.after;
    }
    found
}

/// The text with each figure replaced by what `look_up` knows, or by `≈` and its reference value.
///
/// Text in double braces that is no figure (a template in a code block, say) stays as it is.
#[must_use]
pub fn expand(text: &str, look_up: impl Fn(&Directive) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(hit) = next(rest) {
        out.push_str(hit.before);
        match parse(hit.inside) {
            Ok((directive, reference)) => match look_up(&directive) {
                Some(own) => out.push_str(&own),
                None => {
                    out.push('≈');
                    out.push_str(&reference);
                }
            },
            Err(_) => {
                out.push_str("{{");
                out.push_str(hit.inside);
                out.push_str("}}");
            }
        }
        rest = hit.after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "Full: {{ size python:3.13 | 1.08 GB }}, yours: {{ mine a best | 63 MB }}.";

    #[test]
    fn a_figure_that_is_not_known_here_shows_its_reference_value() {
        assert_eq!(expand(TEXT, |_| None), "Full: ≈1.08 GB, yours: ≈63 MB.");
        let own = expand(TEXT, |directive| match directive {
            Directive::Size { reference } if reference == "python:3.13" => {
                Some("1.1 GB".to_owned())
            }
            _ => None,
        });
        assert_eq!(own, "Full: 1.1 GB, yours: ≈63 MB.");
    }

    #[test]
    fn a_template_in_a_code_block_stays_as_it_is() {
        let text = "docker inspect -f '{{.Config.User}}'";
        assert_eq!(expand(text, |_| Some("x".to_owned())), text);
    }

    #[test]
    fn a_figure_with_a_slip_is_an_error_with_the_reason() {
        let errors: Vec<_> =
            all("{{ sise x | 1 }} {{ size x }} {{ size x | }} {{ baseline a | 2 }}");
        assert!(
            errors[0]
                .as_ref()
                .is_err_and(|why| why.contains("unknown figure `sise x`"))
        );
        assert!(errors[1].is_err() && errors[2].is_err());
        assert!(errors[3].is_ok());
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_expansion(text in "[{}| a-z\n]{0,80}") {
            let expanded = expand(&text, |_| None);
            prop_assert!(expanded.len() >= text.matches('\n').count());
        }

        #[test]
        fn a_text_without_braces_is_untouched(text in "[^{}]{0,80}") {
            prop_assert_eq!(expand(&text, |_| None), text);
        }
    }
}

//! Secrets that a Dockerfile itself holds.

use crate::dockerfile::Body;
use crate::dockerfile::Dockerfile;
use crate::dockerfile::Keyword;
use crate::image::secrets;
use crate::image::secrets::Secret;

/// Every secret in the instructions: values of `ENV` and `ARG` by their names, anything else by its
/// looks.
#[must_use]
pub fn in_dockerfile(dockerfile: &Dockerfile) -> Vec<Secret> {
    let mut texts: Vec<(u32, String, bool)> = Vec::new();
    for instruction in dockerfile.instructions() {
        let text_of = |span: std::ops::Range<usize>| dockerfile.text.get(span).unwrap_or_default();
        match &instruction.body {
            Body::Pairs(pairs) if instruction.keyword != Keyword::Label => {
                for pair in pairs {
                    let before = text_of(instruction.span.start..pair.span.start);
                    let lines = before.matches('\n').count();
                    let line = instruction
                        .line
                        .saturating_add(u32::try_from(lines).unwrap_or(0));
                    let value = pair.value.as_deref().unwrap_or_default();
                    texts.push((line, format!("{}={value}", pair.key), true));
                }
            }
            _ => texts.push((
                instruction.line,
                text_of(instruction.span.range()).to_owned(),
                false,
            )),
        }
    }
    let texts: Vec<(u32, &str, bool)> = texts
        .iter()
        .map(|(line, text, certain)| (*line, text.as_str(), *certain))
        .collect();
    secrets::in_dockerfile(&texts)
}

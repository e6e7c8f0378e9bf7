//! Changes of the text that several rules share.

use super::super::shell::Joint;
use super::Edit;
use super::subject::RunView;
use super::subject::Subject;

/// Puts `text`, which begins with an operator, at the end of a `RUN`. Nothing where that could
/// change what the commands before it mean.
pub(super) fn append(subject: &Subject<'_>, run: &RunView<'_>, text: &str) -> Vec<Edit> {
    let instruction = run.instruction;
    if run.exec || run.onbuild || !instruction.heredocs.is_empty() {
        return Vec::new();
    }
    let mut plain = run.commands.iter().filter(|one| !one.nested);
    let first = plain.next();
    let chained = first.is_some() && plain.all(|one| matches!(one.joint, Joint::And | Joint::Pipe));
    let arguments = instruction.arguments.trim_end();
    let last = arguments.chars().next_back();
    let whole = instruction.places.span(arguments, 0..arguments.len());
    // Whatever is not words and `&&` alone is left to a person.
    if !chained
        || arguments.contains([';', '#', '(', '{', '\n'])
        || last.is_none_or(|c| "&|\\".contains(c))
    {
        return Vec::new();
    }
    let many_lines = subject.text(whole).contains('\n');
    let joined = if many_lines {
        format!(" {}{}    {text}", subject.file.escape(), subject.line_end())
    } else {
        format!(" {text}")
    };
    vec![Edit::insert(whole.end, joined)]
}

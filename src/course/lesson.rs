//! A lesson file to a [`Lesson`]: front matter, text, quizzes, anchors, links.

use std::collections::BTreeSet;
use std::ops::Range;

use pulldown_cmark::CodeBlockKind;
use pulldown_cmark::Event;
use pulldown_cmark::Options;
use pulldown_cmark::Parser;
use pulldown_cmark::Tag;
use pulldown_cmark::TagEnd;

use super::Choice;
use super::CourseError;
use super::ExerciseId;
use super::Lesson;
use super::Quiz;
use super::yaml;
use super::yaml::LessonYaml;
use super::yaml::QuizYaml;

/// The most questions that a lesson may ask.
const MAX_QUIZZES: usize = 20;

/// The Markdown that course texts are written in.
#[must_use]
pub fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_GFM
}

/// Reads the lesson that stands in `file` (`lessons/01-why-small-matters.md`).
///
/// # Errors
/// When the name, the front matter or a quiz cannot be used.
pub fn parse(file: &str, source: &str) -> Result<Lesson, CourseError> {
    let (number, slug) = named(file)?;
    let (front, body) = front_matter(file, source)?;
    let yaml: LessonYaml = yaml::read(file, source, front.text, front.skipped)?;
    let outline = outline(body.text);
    if outline.quizzes.len() > MAX_QUIZZES {
        return Err(CourseError::of_file(
            file,
            format!("a lesson asks at most {MAX_QUIZZES} questions"),
        ));
    }
    let mut quizzes: Vec<Quiz> = Vec::new();
    for range in &outline.quizzes {
        let skipped = body.skipped + lines_before(body.text, range.start);
        let text = body.text.get(range.clone()).unwrap_or_default();
        let quiz = quiz(file, source, text, skipped)?;
        if quizzes.iter().any(|other| other.id == quiz.id) {
            let message = format!("two questions have the id `{}`", quiz.id);
            return Err(CourseError::at(file, source, skipped + 1, 1, message));
        }
        quizzes.push(quiz);
    }
    Ok(Lesson {
        slug,
        number,
        title: yaml.title,
        minutes: yaml.minutes,
        fast_track: yaml.fast_track,
        exercises: yaml.exercises.into_iter().map(ExerciseId).collect(),
        goals: yaml.goals_of_lesson,
        markdown: body.text.to_owned(),
        quizzes,
        anchors: outline.anchors,
    })
}

/// The number and the slug in a lesson's file name.
fn named(file: &str) -> Result<(u32, String), CourseError> {
    let name = file.rsplit('/').next().unwrap_or(file);
    let parts = name
        .strip_suffix(".md")
        .and_then(|name| name.split_once('-'));
    parts
        .filter(|(number, slug)| number.len() == 2 && super::file::is_id(slug))
        .and_then(|(number, slug)| Some((number.parse().ok()?, slug.to_owned())))
        .ok_or_else(|| {
            CourseError::of_file(file, "this is not the name of a lesson")
                .with_hint("name it by two digits and a few words: `02-layers.md`")
        })
}

/// A part of a file.
struct Part<'a> {
    text: &'a str,
    /// Lines of the file before it.
    skipped: usize,
}

fn front_matter<'a>(file: &str, source: &'a str) -> Result<(Part<'a>, Part<'a>), CourseError> {
    let missing = || {
        CourseError::of_file(file, "the lesson does not begin with its front matter")
            .with_hint("put `title`, `minutes` and `goals_of_lesson` between two lines `---`")
    };
    let rest = source.strip_prefix("---\n").ok_or_else(missing)?;
    let (front, body) = match rest.split_once("\n---\n") {
        Some(parts) => parts,
        None => (rest.strip_suffix("\n---").ok_or_else(missing)?, ""),
    };
    let skipped = front.matches('\n').count() + 3;
    Ok((
        Part {
            text: front,
            skipped: 1,
        },
        Part {
            text: body,
            skipped,
        },
    ))
}

fn lines_before(text: &str, offset: usize) -> usize {
    text.get(..offset).unwrap_or(text).matches('\n').count()
}

fn quiz(file: &str, source: &str, text: &str, skipped: usize) -> Result<Quiz, CourseError> {
    let yaml: QuizYaml = yaml::read(file, source, text, skipped)?;
    let wrong = |message: String| Err(CourseError::at(file, source, skipped + 1, 1, message));
    if !super::file::is_id(&yaml.id) {
        return wrong(format!("`{}` cannot be the id of a question", yaml.id));
    }
    if !(2..=8).contains(&yaml.choices.len()) {
        return wrong("a question has two to eight choices".to_owned());
    }
    if !yaml.choices.iter().any(|choice| choice.right) {
        return wrong(format!(
            "no choice of the question `{}` is `right: true`",
            yaml.id
        ));
    }
    let choice = |choice: yaml::ChoiceYaml| Choice {
        text: choice.text,
        right: choice.right,
        why: choice.why,
    };
    Ok(Quiz {
        id: yaml.id,
        question: yaml.question,
        choices: yaml.choices.into_iter().map(choice).collect(),
    })
}

/// What else in a Markdown text has to hold.
#[derive(Debug, Default)]
pub struct Outline {
    /// What its headings can be linked by.
    pub anchors: Vec<String>,
    /// Where the text of each `quiz` block stands.
    pub quizzes: Vec<Range<usize>>,
    /// Where each link points to.
    pub links: Vec<String>,
    /// Fenced blocks that are not quizzes: what stands after the fence, and the text.
    pub blocks: Vec<(String, String)>,
}

/// Reads the outline of a Markdown text.
#[must_use]
pub fn outline(markdown: &str) -> Outline {
    let mut found = Outline::default();
    let mut heading: Option<String> = None;
    let mut fence: Option<(String, Range<usize>)> = None;
    let mut taken = BTreeSet::new();
    for (event, range) in Parser::new_ext(markdown, options()).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                found.anchors.extend(
                    heading
                        .take()
                        .map(|text| unique(&anchor(&text), &mut taken)),
                );
            }
            Event::Start(Tag::Link { dest_url, .. }) => found.links.push(dest_url.into_string()),
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                fence = Some((info.into_string(), range.end..range.end));
            }
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                } else if let Some((_, span)) = &mut fence {
                    *span = span.start.min(range.start)..range.end;
                }
            }
            Event::End(TagEnd::CodeBlock) => match fence.take() {
                Some((info, span)) if info.trim() == "quiz" => found.quizzes.push(span),
                Some((info, span)) => {
                    let text = markdown.get(span).unwrap_or_default().to_owned();
                    found.blocks.push((info, text));
                }
                None => {}
            },
            _ => {}
        }
    }
    found
}

/// What a heading is linked by: its words in small letters with `-` between them.
#[must_use]
pub fn anchor(heading: &str) -> String {
    let lower = heading.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    words.join("-")
}

/// A second heading of the same words gets a number, as on the usual code forges.
fn unique(anchor: &str, taken: &mut BTreeSet<String>) -> String {
    let mut name = anchor.to_owned();
    let mut number = 1;
    while !taken.insert(name.clone()) {
        name = format!("{anchor}-{number}");
        number += 1;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    const LESSON: &str = "---\ntitle: Layers\nminutes: 4\nexercises: [tidy-layers]\ngoals_of_lesson: \
                          [read a history]\n---\n# What a layer is\n\nText with a [link](13-ship-it#take-it-home).\n\n\
                          ```quiz\nid: deleted\nquestion: Does it shrink?\nchoices:\n  - text: yes it does\n    why: no\n  \
                          - text: it does not\n    right: true\n    why: the layer below keeps it\n```\n\n## Layers, `again`\n\n## Layers again\n";

    #[test]
    fn a_lesson_is_read_whole() {
        let lesson = parse("lessons/02-layers.md", LESSON).unwrap();
        assert_eq!((lesson.number, lesson.slug.as_str()), (2, "layers"));
        assert_eq!(lesson.id(), "02-layers");
        assert_eq!(
            lesson.anchors,
            ["what-a-layer-is", "layers-again", "layers-again-1"]
        );
        assert_eq!(lesson.quizzes.len(), 1);
        assert!(lesson.quizzes[0].is_right(&[1]));
        assert_eq!(outline(&lesson.markdown).links, ["13-ship-it#take-it-home"]);
    }

    #[test]
    fn a_slip_in_a_quiz_is_shown_at_its_line_of_the_file() {
        let broken = LESSON.replace("right: true", "rigth: true");
        let error = parse("lessons/02-layers.md", &broken).unwrap_err();
        assert_eq!(error.place(), "lessons/02-layers.md:18:5");
        assert_eq!(error.hint(), Some("did you mean `right`?"));
    }

    #[test]
    fn a_question_without_a_right_answer_is_refused() {
        let broken = LESSON.replace("    right: true\n", "");
        let error = parse("lessons/02-layers.md", &broken).unwrap_err();
        assert!(error.message().contains("no choice"), "{error}");
    }

    #[test]
    fn a_lesson_without_front_matter_or_number_is_refused() {
        assert!(parse("lessons/02-layers.md", "# Layers\n").is_err());
        assert!(parse("lessons/layers.md", LESSON).is_err());
        assert!(parse("lessons/02-../x.md", LESSON).is_err());
    }
}

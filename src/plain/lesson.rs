//! A lesson, page by page, and its questions.

use crate::course::Lesson;
use crate::course::Quiz;
use crate::course::directive;
use crate::course::quiz::TRIES;
use crate::plain::Plain;
use crate::plain::prose;

/// How many lines are said before the person is asked to go on.
const PAGE: usize = 20;

impl Plain<'_> {
    /// Reads a lesson out, asks its questions, and notes that it was read to its end.
    pub(super) async fn lesson(&mut self, lesson: &Lesson) {
        self.say("");
        self.say(format!("Lesson {}: {}", lesson.number, lesson.title));
        let text = directive::expand(&lesson.markdown, |_| None);
        if !self.pages(&prose::lines(&text)).await {
            return;
        }
        for quiz in &lesson.quizzes {
            if !self.quiz(quiz).await {
                return;
            }
        }
        self.say("This is the end of the lesson.");
        if let Err(trouble) = self.services.workshop.lesson_read(&lesson.slug).await {
            self.say_trouble(&trouble);
        }
    }

    /// Says lines a page at a time. False where the person stopped reading.
    pub(super) async fn pages(&mut self, lines: &[String]) -> bool {
        let mut pages = lines.chunks(PAGE).peekable();
        while let Some(page) = pages.next() {
            self.say_all(page.to_vec());
            if pages.peek().is_none() {
                return true;
            }
            let answer = self.tty.ask("Enter for more, q to stop: ").await;
            if answer.is_none_or(|answer| answer.trim().eq_ignore_ascii_case("q")) {
                return false;
            }
        }
        true
    }

    /// Asks a question, twice at most, and explains every choice. False where the person left.
    async fn quiz(&mut self, quiz: &Quiz) -> bool {
        self.say("");
        self.say("Question:");
        self.say_all(prose::lines(&quiz.question));
        for (index, choice) in quiz.choices.iter().enumerate() {
            self.say(format!("{:>3}  {}", index + 1, choice.text));
        }
        let prompt = if quiz.several() {
            "Numbers with spaces between, Enter to skip: "
        } else {
            "Number, Enter to skip: "
        };
        let mut right = false;
        for attempt in 1..=TRIES {
            let Some(answer) = self.tty.ask(prompt).await else {
                return false;
            };
            if answer.trim().eq_ignore_ascii_case("q") {
                return false;
            }
            let chosen = chosen(&answer);
            if chosen.is_empty() {
                break;
            }
            right = quiz.is_right(&chosen);
            if right || attempt == TRIES {
                break;
            }
            self.say("Not quite. Try once more.");
        }
        self.say(if right {
            "Right."
        } else {
            "Here is what each choice means:"
        });
        for (index, choice) in quiz.choices.iter().enumerate() {
            let word = if choice.right { "right" } else { "wrong" };
            self.say(format!("{:>3}  {word}: {}", index + 1, choice.why));
        }
        true
    }
}

/// The choices that an answer names, from 0.
fn chosen(answer: &str) -> Vec<usize> {
    answer
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter_map(|word| word.parse::<usize>().ok())
        .filter_map(|number| number.checked_sub(1))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_numbers_in_any_dress() {
        assert_eq!(chosen("1, 3"), [0, 2]);
        assert_eq!(chosen(" 2\n"), [1]);
        assert_eq!(chosen("0 x"), [0; 0]);
        assert_eq!(chosen(""), [0; 0]);
    }
}

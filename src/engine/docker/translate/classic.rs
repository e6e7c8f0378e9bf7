//! The classic builder's text as events.

use super::Ledger;
use crate::engine::LogStream;
use crate::engine::StepEnd;
use crate::engine::StepId;

/// Where the stream stands.
#[derive(Debug, Default)]
pub(super) struct Text {
    step: Option<StepId>,
    /// The container in which the step's command runs: before there is one, and once it is removed,
    /// lines are the builder's own.
    running: Option<String>,
    /// Whether the step ran something: what did is not from the cache, whatever it wrote.
    ran: bool,
}

impl Text {
    pub(super) fn feed(&mut self, text: &str, ledger: &mut Ledger) {
        if let (None, Some((n, instruction))) = (&self.running, step_line(text)) {
            self.next(n, instruction, ledger);
            return;
        }
        let line = text.trim_end();
        match &self.running {
            Some(container) if is_removed(line, container) => self.running = None,
            Some(_) => self.wrote(text, ledger),
            None if line == USING_CACHE => {
                if let Some(step) = self.step.filter(|_| !self.ran) {
                    ledger.cache(step);
                }
            }
            None => match line.strip_prefix(" ---> Running in ") {
                Some(container) => {
                    self.running = Some(container.to_owned());
                    self.ran = true;
                }
                None => {
                    ledger.moved = ledger.now;
                    let own = line.is_empty() || line.starts_with(" --->") || is_end(line);
                    if !own {
                        ledger.log(self.step, LogStream::Out, text.as_bytes());
                    }
                }
            },
        }
    }

    /// Output of the step's command.
    fn wrote(&self, text: &str, ledger: &mut Ledger) {
        if text.trim_end().is_empty() {
            ledger.moved = ledger.now;
        } else if let Some(coloured) = text.strip_prefix("\u{1b}[91m") {
            // Standard error comes in red.
            let coloured = coloured.strip_suffix("\u{1b}[0m").unwrap_or(coloured);
            ledger.log(self.step, LogStream::Err, coloured.as_bytes());
        } else {
            ledger.log(self.step, LogStream::Out, text.as_bytes());
        }
    }

    fn next(&mut self, n: usize, instruction: &str, ledger: &mut Ledger) {
        if let Some(step) = self.step.take() {
            ledger.finish(step, false, None, StepEnd::Done);
        }
        self.ran = false;
        let step = ledger.name(ledger.plan.classic(n), instruction);
        ledger.start(step);
        let base = base(instruction).filter(|base| !ledger.plan.is_stage(base));
        if let Some(known) = ledger.known_mut(step) {
            known.reference = base;
        }
        self.step = Some(step);
    }
}

/// What the builder says of a step that it takes from the cache.
const USING_CACHE: &str = " ---> Using cache";

/// Whether the builder says that it removed a container: from Docker 25 on, as it says the rest.
fn is_removed(line: &str, container: &str) -> bool {
    let line = line.strip_prefix(" ---> ").unwrap_or(line);
    let removed = line
        .strip_prefix("Removing intermediate container ")
        .or_else(|| line.strip_prefix("Removed intermediate container "));
    removed == Some(container)
}

/// `Step 4/6 : RUN make`.
fn step_line(text: &str) -> Option<(usize, &str)> {
    let (numbers, instruction) = text.strip_prefix("Step ")?.split_once(" : ")?;
    let (n, of) = numbers.split_once('/')?;
    of.parse::<usize>().ok()?;
    Some((n.parse().ok()?, instruction.trim_end()))
}

/// The image that an instruction asks a registry for, or the stage that it takes files from.
fn base(instruction: &str) -> Option<String> {
    let mut words = instruction.split_whitespace();
    let keyword = words.next()?;
    let image = if keyword.eq_ignore_ascii_case("FROM") {
        words.find(|word| !word.starts_with("--"))?
    } else if keyword.eq_ignore_ascii_case("COPY") || keyword.eq_ignore_ascii_case("ADD") {
        // Flags come first; what looks like one later is a file's name.
        words
            .take_while(|word| word.starts_with("--"))
            .find_map(|word| word.strip_prefix("--from="))?
    } else {
        return None;
    };
    (image != "scratch").then(|| image.to_owned())
}

/// The builder's last lines.
fn is_end(line: &str) -> bool {
    line.starts_with("Successfully built ") || line.starts_with("Successfully tagged ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Item;
    use super::super::Translator;
    use super::super::plan::tests::STAGES;
    use super::super::plan::tests::dockerfile;
    use crate::engine::BuildEvent;
    use crate::engine::Builder;
    use crate::engine::LogStream;
    use crate::engine::StepEnd;
    use crate::engine::StepId;
    use crate::text::Clean;

    #[test]
    fn recorded_text_becomes_steps_with_lines_and_streams() {
        let stream = [
            "Step 5/9 : RUN make",
            "\n",
            " ---> Running in 14031af8cc78\n",
            "hi\n",
            "\u{1b}[91merr\n\u{1b}[0m",
            "Removing intermediate container 14031af8cc78\n",
            " ---> 1335a006dcfd\n",
            "Step 6/9 : FROM build",
            "\n",
            " ---> Using cache\n",
            " ---> f64b3e54cb90\n",
            "Successfully built 644b711be0c6\n",
        ];
        let mut translator = Translator::new(Builder::Classic, &dockerfile(STAGES));
        let mut events = Vec::new();
        for (second, text) in stream.iter().enumerate() {
            let now = Duration::from_secs(u64::try_from(second).unwrap());
            events.extend(translator.feed(Item::Text((*text).to_owned()), now));
        }
        events.extend(translator.close(StepEnd::Done, Duration::from_secs(20)));
        let (first, second) = (StepId(0), StepId(1));
        let log = |stream, text| BuildEvent::Log {
            step: Some(first),
            stream,
            line: Clean::line(text),
        };
        assert_eq!(
            events,
            [
                BuildEvent::StepPlanned {
                    step: first,
                    line: Some(5),
                    stage: Some(0),
                    title: Clean::line("RUN make"),
                },
                BuildEvent::StepStarted { step: first },
                log(LogStream::Out, "hi"),
                log(LogStream::Err, "err"),
                BuildEvent::StepFinished {
                    step: first,
                    cached: false,
                    took: Duration::from_secs(7),
                    end: StepEnd::Done,
                },
                BuildEvent::StepPlanned {
                    step: second,
                    line: Some(6),
                    stage: Some(1),
                    title: Clean::line("FROM build"),
                },
                BuildEvent::StepStarted { step: second },
                BuildEvent::StepFinished {
                    step: second,
                    cached: true,
                    took: Duration::from_secs(13),
                    end: StepEnd::Done,
                },
            ]
        );
    }
    /// What a stream of the classic builder comes to: the lines that began, with whether each was
    /// cached.
    fn steps(dockerfile: &crate::dockerfile::Dockerfile, stream: &[&str]) -> Vec<(u32, bool)> {
        let mut translator = Translator::new(Builder::Classic, dockerfile);
        let mut events = Vec::new();
        for text in stream {
            events.extend(translator.feed(Item::Text((*text).to_owned()), Duration::ZERO));
        }
        events.extend(translator.close(StepEnd::Done, Duration::ZERO));
        let lines = |wanted| {
            let planned = events.iter().find_map(|event| match event {
                BuildEvent::StepPlanned { step, line, .. } if *step == wanted => *line,
                _ => None,
            });
            planned.unwrap()
        };
        let ends = events.iter().filter_map(|event| match event {
            BuildEvent::StepFinished { step, cached, .. } => Some((lines(*step), *cached)),
            _ => None,
        });
        ends.collect()
    }

    #[test]
    fn what_a_command_writes_is_no_word_of_the_builder() {
        let file = dockerfile(STAGES);
        for removed in [
            "Removing intermediate container 14031af8cc78\n",
            " ---> Removed intermediate container 14031af8cc78\n",
        ] {
            let stream = [
                "Step 5/9 : RUN make",
                " ---> Running in 14031af8cc78\n",
                " ---> Using cache\n",
                "Step 6/9 : FROM build",
                "Removing intermediate container 0000\n",
                " ---> Using cache\n",
                removed,
                " ---> Using cache\n",
                " ---> 1335a006dcfd\n",
                "Step 6/9 : FROM build",
                " ---> Using cache\n",
            ];
            assert_eq!(steps(&file, &stream), [(5, false), (6, true)]);
        }
    }

    #[test]
    fn only_what_asks_a_registry_waits_for_one() {
        let asks = |instruction: &str| {
            let mut translator = Translator::new(Builder::Classic, &dockerfile(STAGES));
            let text = format!("Step 8/9 : {instruction}");
            translator.feed(Item::Text(text), Duration::ZERO);
            translator.waiting().map(|(waiting, _)| waiting.reference)
        };
        for none in [
            "RUN echo --from=2020 && sleep 24",
            "COPY --from=build /a /a",
            "COPY --chown=1 --from=0 /a /a",
            "FROM Build",
            "COPY a --from=b /",
            "FROM scratch",
        ] {
            assert_eq!(asks(none), None, "{none}");
        }
        for (some, image) in [
            ("FROM --platform=linux/amd64 alpine AS x", "alpine"),
            ("COPY --chown=1 --from=lab:5000/x /a /a", "lab:5000/x"),
            ("COPY --from=7 /a /a", "7"),
        ] {
            assert_eq!(asks(some).as_deref(), Some(image), "{some}");
        }
    }
}

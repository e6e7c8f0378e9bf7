//! The output of a build: the last lines, followed, filtered and searched.

use std::collections::VecDeque;

use crate::engine::StepId;
use crate::text::Clean;

/// How many lines are kept; the whole log is in a file, unless that cannot be written.
pub const RING: usize = 20_000;

/// One line of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The step that wrote it.
    pub step: Option<StepId>,
    /// The words.
    pub text: Clean,
}

/// The last lines of output.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    lines: VecDeque<LogLine>,
    /// Lines that came, kept or not.
    total: u64,
    /// Whether what is not kept here is not in a file either.
    pub unkept: bool,
    /// Whether the newest line stays in sight.
    pub unfollowed: bool,
    /// The first line shown, counted in the lines that pass the filter; used where not following.
    pub top: usize,
    /// Only lines with these words are shown; empty shows all.
    pub filter: String,
    /// The words that are searched for.
    pub search: String,
}

impl Log {
    /// Adds a line; the oldest is let go where the ring is full.
    pub fn push(&mut self, line: LogLine) {
        self.total += 1;
        if self.lines.len() == RING {
            self.lines.pop_front();
            if self.unfollowed && self.filter.is_empty() {
                self.top = self.top.saturating_sub(1);
            }
        }
        self.lines.push_back(line);
    }

    /// Counts lines that do not come here.
    pub fn skip(&mut self, lines: u64) {
        self.total += lines;
    }

    /// How many lines came in all.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// How many lines came that are not kept here.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.total - self.lines.len() as u64
    }

    /// How many lines pass the filter.
    #[must_use]
    pub fn len(&self) -> usize {
        if self.filter.is_empty() {
            self.lines.len()
        } else {
            self.lines
                .iter()
                .filter(|line| self.passes(&line.text))
                .count()
        }
    }

    /// Whether no line passes the filter.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The lines to show in `height` rows, oldest first.
    #[must_use]
    pub fn window(&self, height: usize) -> Vec<&LogLine> {
        if self.filter.is_empty() {
            let top = self.first(self.lines.len(), height);
            return self.lines.iter().skip(top).take(height).collect();
        }
        let passing: Vec<&LogLine> = self
            .lines
            .iter()
            .filter(|line| self.passes(&line.text))
            .collect();
        let top = self.first(passing.len(), height);
        passing.into_iter().skip(top).take(height).collect()
    }

    /// Moves by `by` lines in a window of `height`; at the end the log is followed again.
    pub fn scroll(&mut self, by: isize, height: usize) {
        let len = self.len();
        let top = self.first(len, height).saturating_add_signed(by);
        self.show(top, height);
    }

    /// Shows from line `top` on.
    pub fn show(&mut self, top: usize, height: usize) {
        let last = self.len().saturating_sub(height);
        self.top = top.min(last);
        self.unfollowed = self.top < last;
    }

    /// Goes to the next line with the searched words, or to the one before; says whether there is
    /// one.
    pub fn find(&mut self, backward: bool, height: usize) -> bool {
        let wanted = self.search.to_lowercase();
        if wanted.is_empty() {
            return false;
        }
        let top = self.first(self.len(), height);
        let hits: Vec<usize> = self
            .lines
            .iter()
            .filter(|line| self.passes(&line.text))
            .enumerate()
            .filter(|(_, line)| line.text.as_str().to_lowercase().contains(&wanted))
            .map(|(index, _)| index)
            .collect();
        let next = if backward {
            let before = hits.iter().rev().find(|hit| **hit < top);
            before.or_else(|| hits.last())
        } else {
            let after = hits.iter().find(|hit| **hit > top);
            after.or_else(|| hits.first())
        };
        let Some(next) = next.copied() else {
            return false;
        };
        self.top = next;
        self.unfollowed = true;
        true
    }

    fn first(&self, len: usize, height: usize) -> usize {
        let last = len.saturating_sub(height);
        if self.unfollowed {
            self.top.min(len.saturating_sub(1))
        } else {
            last
        }
    }

    fn passes(&self, text: &Clean) -> bool {
        self.filter.is_empty()
            || text
                .as_str()
                .to_lowercase()
                .contains(&self.filter.to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(lines: usize) -> Log {
        let mut log = Log::default();
        for number in 0..lines {
            log.push(LogLine {
                step: None,
                text: Clean::line(&format!("line {number}")),
            });
        }
        log
    }

    fn shown(log: &Log, height: usize) -> Vec<&str> {
        log.window(height)
            .into_iter()
            .map(|line| line.text.as_str())
            .collect()
    }

    #[test]
    fn the_newest_line_stays_in_sight_until_someone_scrolls() {
        let mut log = log(10);
        assert_eq!(shown(&log, 2), ["line 8", "line 9"]);
        log.scroll(-3, 2);
        assert_eq!(shown(&log, 2), ["line 5", "line 6"]);
        log.push(LogLine {
            step: None,
            text: Clean::line("line 10"),
        });
        assert_eq!(shown(&log, 2), ["line 5", "line 6"]);
        log.scroll(100, 2);
        assert!(!log.unfollowed);
        assert_eq!(shown(&log, 2), ["line 9", "line 10"]);
    }

    #[test]
    fn the_ring_lets_the_oldest_go_and_counts_it() {
        let mut log = log(RING + 5);
        log.skip(7);
        assert_eq!(log.len(), RING);
        assert_eq!(log.missing(), 12);
        assert_eq!(log.total(), RING as u64 + 12);
    }

    #[test]
    fn a_filter_hides_the_rest_and_search_wraps_around() {
        let mut log = log(30);
        log.filter = "line 2".to_owned();
        assert_eq!(log.len(), 11);
        assert_eq!(shown(&log, 1), ["line 29"]);
        log.filter.clear();
        log.search = "LINE 1".to_owned();
        log.show(0, 5);
        assert!(log.find(false, 5));
        assert_eq!(shown(&log, 1), ["line 1"]);
        assert!(log.find(true, 5));
        assert_eq!(log.top, 19);
        log.search = "nothing".to_owned();
        assert!(!log.find(false, 5));
    }
}

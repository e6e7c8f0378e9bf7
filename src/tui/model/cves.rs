//! What of an image's vulnerabilities is looked at. The rows are worked out when something about
//! them changes: a large base has thousands.

use std::cmp::Reverse;

use crate::finding::Finding;
use crate::finding::Scan;
use crate::workshop::insight::Comparison;
use crate::workshop::insight::Names;

/// Which findings are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Listed {
    /// Those of this image.
    #[default]
    Here,
    /// Those of the first image that this one has not.
    Gone,
    /// Those of this image that the first one had not.
    New,
}

/// The order of the list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// The worst first.
    #[default]
    Severity,
    /// By package.
    Package,
}

/// What of the vulnerabilities is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CvesState {
    /// Which findings.
    pub listed: Listed,
    /// Their order.
    pub order: Order,
    /// Words that a finding must have.
    pub filter: String,
    /// The chosen row.
    pub selected: usize,
    /// The first row in sight.
    pub top: usize,
    /// Whether the chosen one is shown with all that is known of it.
    pub open: bool,
    /// Both images beside each other.
    pub compared: Comparison,
    rows: Vec<usize>,
}

impl CvesState {
    /// The listed findings, by their position in their scan.
    #[must_use]
    pub fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// The scan that the listed findings are in.
    #[must_use]
    pub const fn scan<'a>(&self, now: &'a Scan, before: Option<&'a Scan>) -> Option<&'a Scan> {
        match self.listed {
            Listed::Gone => before,
            Listed::Here | Listed::New => Some(now),
        }
    }

    /// Compares anew.
    pub fn compare(&mut self, now: (&Scan, &Names<'_>), before: Option<(&Scan, &Names<'_>)>) {
        self.compared = Comparison::of(now, before);
        if before.is_none() {
            self.listed = Listed::Here;
        }
        self.refresh(now.0, before.map(|(scan, _)| scan));
    }

    /// Lists other findings.
    pub fn list_next(&mut self, now: &Scan, before: Option<&Scan>) {
        self.listed = match (self.listed, before) {
            (Listed::Here, Some(_)) => Listed::Gone,
            (Listed::Gone, Some(_)) if !self.compared.new.is_empty() => Listed::New,
            (Listed::Here | Listed::Gone | Listed::New, _) => Listed::Here,
        };
        self.refresh(now, before);
    }

    /// Changes the order.
    pub fn order_next(&mut self, now: &Scan, before: Option<&Scan>) {
        self.order = match self.order {
            Order::Severity => Order::Package,
            Order::Package => Order::Severity,
        };
        self.refresh(now, before);
    }

    /// Lists only findings with these words.
    pub fn filter(&mut self, words: &str, now: &Scan, before: Option<&Scan>) {
        words.clone_into(&mut self.filter);
        self.refresh(now, before);
    }

    /// Chooses a row.
    pub fn select(&mut self, row: usize) {
        let row = row.min(self.rows.len().saturating_sub(1));
        self.open &= row == self.selected;
        self.selected = row;
    }

    /// Keeps the chosen row, with `more` rows below it, in a window of so many rows.
    pub fn keep_in(&mut self, height: usize, more: usize) {
        let height = height.max(1);
        let end = self.selected + 1 + more.min(height - 1);
        self.top = self
            .top
            .max(end.saturating_sub(height))
            .min(self.selected)
            .min((self.rows.len() + more).saturating_sub(height));
    }

    fn refresh(&mut self, now: &Scan, before: Option<&Scan>) {
        let Some(scan) = self.scan(now, before) else {
            self.rows.clear();
            return;
        };
        let all: Vec<usize> = match self.listed {
            Listed::Here => (0..scan.findings.len()).collect(),
            Listed::Gone => self.compared.gone.clone(),
            Listed::New => self.compared.new.clone(),
        };
        let words = self.filter.trim().to_lowercase();
        let finding = |index: &usize| scan.findings.get(*index);
        let mut rows: Vec<usize> = all
            .into_iter()
            .filter(|index| finding(index).is_some_and(|finding| has(finding, &words)))
            .collect();
        rows.sort_by_key(|index| {
            let finding = finding(index);
            let severity = Reverse(finding.map(|finding| finding.severity));
            let name = finding.map(|finding| finding.package.name.clone());
            match self.order {
                // What can be mended comes before what cannot.
                Order::Severity => {
                    let fixed = Reverse(finding.is_some_and(|finding| finding.fixed.is_some()));
                    (Some(severity), fixed, name, severity, *index)
                }
                Order::Package => (None, Reverse(false), name, severity, *index),
            }
        });
        self.rows = rows;
        self.open = false;
        self.selected = self.selected.min(self.rows.len().saturating_sub(1));
    }
}

fn has(finding: &Finding, words: &str) -> bool {
    let texts = [
        finding.id.as_str(),
        finding.package.name.as_str(),
        finding.severity.as_str(),
        finding.summary.as_str(),
    ];
    words.is_empty() || texts.iter().any(|text| text.to_lowercase().contains(words))
}

//! What of an image's layers is looked at: a layer, its tree with open folders, an order, a filter.
//!
//! The rows in sight are worked out when something about them changes and not per frame: a tree may
//! have hundreds of thousands of files.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::image::changes::Change;
use crate::workshop::insight::FileTree;
use crate::workshop::insight::Insight;

/// Rows that a tree opens with besides those of its root: the heavy way down.
const FIRST_ROWS: usize = 14;
/// A folder with a smaller share of the whole, in percent, is not opened by itself.
const HEAVY: u64 = 20;

/// A part of the screen that can have the keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LayersPane {
    /// The list of layers.
    #[default]
    Layers,
    /// The files of the chosen one.
    Files,
}

/// The order of the rows of a folder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// The heaviest first.
    #[default]
    Size,
    /// By name.
    Name,
}

/// Which files are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Show {
    /// All of them.
    #[default]
    All,
    /// Those whose bytes are shipped and cannot be seen.
    Wasted,
    /// Those that the layer adds.
    Added,
    /// Those that it changes.
    Changed,
    /// Those that it removes.
    Removed,
}

impl Show {
    /// What a key shows next; the whole image knows only wasted bytes.
    #[must_use]
    pub const fn next(self, whole: bool) -> Self {
        match (self, whole) {
            (Self::All, _) => Self::Wasted,
            (Self::Wasted, false) => Self::Added,
            (Self::Added, false) => Self::Changed,
            (Self::Changed, false) => Self::Removed,
            (Self::Wasted | Self::Added | Self::Changed | Self::Removed, _) => Self::All,
        }
    }
}

/// A row of the tree: a file, or a folder with the folders above it that hold nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The node.
    pub node: u32,
    /// The first node of its name: the node, or a folder around it that holds nothing else.
    pub first: u32,
    /// How far it is set in.
    pub depth: u16,
    /// Whether it is a folder whose rows follow.
    pub open: bool,
}

/// How one tree is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct View {
    open: BTreeSet<u32>,
    /// The node of the chosen row.
    node: u32,
    top: usize,
}

/// What of the layers is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LayersState {
    /// 0 is the whole image, then come its layers from the bottom.
    pub at: usize,
    /// What has the keys.
    pub pane: LayersPane,
    /// The order.
    pub sort: Sort,
    /// Which files.
    pub show: Show,
    /// Words that a path must have.
    pub filter: String,
    /// The chosen row.
    pub selected: usize,
    /// The first row in sight.
    pub top: usize,
    rows: Vec<Row>,
    views: BTreeMap<(usize, Show), View>,
}

impl LayersState {
    /// The rows of the tree, as they are now.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The chosen row.
    #[must_use]
    pub fn row(&self) -> Option<Row> {
        self.rows.get(self.selected).copied()
    }

    /// Looks at another image: what was open is forgotten, the order and the choice of files stay.
    pub fn reset(&mut self, insight: &Insight) {
        self.views.clear();
        self.filter.clear();
        self.at = self.at.min(insight.layers.len());
        self.refresh(insight);
    }

    /// Chooses a layer.
    pub fn choose(&mut self, insight: &Insight, at: usize) {
        let at = at.min(insight.layers.len());
        if at == self.at {
            return;
        }
        self.keep();
        self.at = at;
        if at == 0 && !matches!(self.show, Show::All | Show::Wasted) {
            self.show = Show::All;
        }
        self.refresh(insight);
    }

    /// Shows other files.
    pub fn show_next(&mut self, insight: &Insight) {
        self.keep();
        self.show = self.show.next(self.at == 0);
        self.refresh(insight);
    }

    /// Changes the order.
    pub fn sort_next(&mut self, insight: &Insight) {
        self.keep();
        self.sort = match self.sort {
            Sort::Size => Sort::Name,
            Sort::Name => Sort::Size,
        };
        self.refresh(insight);
    }

    /// Shows only paths with these words.
    pub fn filter(&mut self, insight: &Insight, words: &str) {
        self.keep();
        words.clone_into(&mut self.filter);
        self.refresh(insight);
    }

    /// Chooses a row.
    pub fn select(&mut self, row: usize) {
        self.selected = row.min(self.rows.len().saturating_sub(1));
    }

    /// Opens the chosen folder, or goes into it where it is open.
    pub fn open(&mut self, insight: &Insight) {
        let Some(row) = self.row() else {
            return;
        };
        if row.open {
            self.select(self.selected + 1);
        } else if self
            .tree(insight)
            .node(row.node)
            .is_some_and(|node| node.is_folder())
        {
            self.keep();
            self.view().open.insert(row.node);
            self.refresh(insight);
        }
    }

    /// Closes the chosen folder, or goes to the one around it; says whether there was either.
    pub fn close(&mut self, insight: &Insight) -> bool {
        let Some(row) = self.row() else {
            return false;
        };
        // What a filter holds open cannot be closed.
        if row.open && self.view().open.contains(&row.node) {
            self.keep();
            self.view().open.remove(&row.node);
            self.refresh(insight);
            if self.row().is_some_and(|row| !row.open) {
                return true;
            }
        }
        let above = self.rows.get(..self.selected).unwrap_or_default();
        let parent = above.iter().rposition(|other| other.depth < row.depth);
        if let Some(parent) = parent {
            self.select(parent);
        }
        parent.is_some()
    }

    /// Keeps the chosen row in a window of so many rows.
    pub fn keep_in(&mut self, height: usize) {
        let height = height.max(1);
        self.top = self
            .top
            .min(self.selected)
            .max((self.selected + 1).saturating_sub(height))
            .min(self.rows.len().saturating_sub(height));
    }

    /// The tree that is looked at.
    #[must_use]
    pub fn tree<'a>(&self, insight: &'a Insight) -> &'a FileTree {
        insight.tree(self.at)
    }

    fn view(&mut self) -> &mut View {
        self.views.entry((self.at, self.show)).or_default()
    }

    /// Notes what is chosen, to come back to it.
    fn keep(&mut self) {
        let (node, top) = (self.row().map_or(0, |row| row.node), self.top);
        let view = self.view();
        view.node = node;
        view.top = top;
    }

    /// Works out the rows anew.
    fn refresh(&mut self, insight: &Insight) {
        let tree = self.tree(insight);
        let (key, show, sort) = ((self.at, self.show), self.show, self.sort);
        let marks = marks(tree, &self.filter);
        let view = self.views.entry(key).or_insert_with(|| View {
            open: heavy_way(tree, show),
            ..View::default()
        });
        let lister = Lister {
            tree,
            open: &view.open,
            sort,
            show,
            marks: marks.as_deref(),
        };
        self.rows = lister.rows();
        // The row that was chosen, or the folder that it went into.
        let mut node = Some(view.node);
        self.selected = 0;
        while let Some(wanted) = node.filter(|node| *node != 0) {
            let found = self
                .rows
                .iter()
                .position(|row| row.node == wanted || row.first == wanted);
            if let Some(found) = found {
                self.selected = found;
                break;
            }
            node = tree.parent(wanted);
        }
        self.top = view.top;
    }
}

/// What a node weighs in the order.
fn weight(tree: &FileTree, show: Show, node: u32) -> u64 {
    tree.node(node).map_or(0, |node| match show {
        Show::Wasted => node.dead().0 + node.hides().0,
        Show::All | Show::Added | Show::Changed | Show::Removed => node.bytes().0 + node.hides().0,
    })
}

/// Whether a node has something to show.
fn is_shown(tree: &FileTree, show: Show, node: u32) -> bool {
    tree.node(node).is_some_and(|node| match show {
        Show::All => true,
        Show::Wasted => node.dead().0 + node.hides().0 > 0,
        Show::Added => node.has(Change::Added),
        Show::Changed => node.has(Change::Changed),
        Show::Removed => node.has(Change::Removed),
    })
}

/// The folders that are open at first: the heaviest, while few rows come of it.
fn heavy_way(tree: &FileTree, show: Show) -> BTreeSet<u32> {
    let whole = weight(tree, show, 0);
    let mut open = BTreeSet::new();
    let shown = |node: u32| {
        tree.children(node)
            .filter(|child| is_shown(tree, show, *child))
    };
    let mut seen: Vec<u32> = shown(0).collect();
    let mut rows = 0;
    loop {
        let heaviest = seen
            .iter()
            .enumerate()
            .filter(|(_, node)| tree.node(**node).is_some_and(|node| node.is_folder()))
            .max_by_key(|(_, node)| weight(tree, show, **node));
        let Some((index, node)) = heaviest.map(|(index, node)| (index, *node)) else {
            break;
        };
        let inside = shown(node).count();
        let heavy = weight(tree, show, node).saturating_mul(100) >= whole.saturating_mul(HEAVY);
        // A folder that holds nothing but a folder takes no row of its own.
        if whole == 0 || !heavy || (inside > 1 && rows + inside > FIRST_ROWS) {
            break;
        }
        rows += if inside > 1 { inside } else { 0 };
        seen.swap_remove(index);
        open.insert(node);
        seen.extend(shown(node));
    }
    open
}

/// Nodes that a filter shows: `WAY` leads to a hit, `HIT` is one or is in one. `None` without a
/// filter.
fn marks(tree: &FileTree, words: &str) -> Option<Vec<u8>> {
    if words.trim().is_empty() {
        return None;
    }
    let mut marks = vec![0; tree.len()];
    for hit in tree.matching(words.trim()) {
        // What is in a hit was marked with it.
        if marks.get(hit as usize) == Some(&HIT) {
            continue;
        }
        for below in tree.subtree(hit) {
            if let Some(mark) = marks.get_mut(below as usize) {
                *mark = HIT;
            }
        }
        let mut above = tree.parent(hit);
        while let Some(node) = above {
            match marks.get_mut(node as usize) {
                Some(mark) if *mark == 0 => *mark = WAY,
                _ => break,
            }
            above = tree.parent(node);
        }
    }
    Some(marks)
}

const WAY: u8 = 1;
const HIT: u8 = 2;

/// Lists the rows of a tree.
struct Lister<'a> {
    tree: &'a FileTree,
    open: &'a BTreeSet<u32>,
    sort: Sort,
    show: Show,
    marks: Option<&'a [u8]>,
}

impl Lister<'_> {
    fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        // What is still to be listed, the next one last.
        let mut todo: Vec<(u32, u16)> = Vec::new();
        self.push(0, 0, &mut todo);
        while let Some((first, depth)) = todo.pop() {
            let node = self.last_of_chain(first);
            let open = self.is_open(node);
            rows.push(Row {
                node,
                first,
                depth,
                open,
            });
            if open {
                self.push(node, depth.saturating_add(1), &mut todo);
            }
        }
        rows
    }

    fn mark(&self, node: u32) -> u8 {
        let mark = |marks: &[u8]| marks.get(node as usize).copied().unwrap_or(0);
        self.marks.map_or(HIT, mark)
    }

    fn is_open(&self, node: u32) -> bool {
        let folder = self.tree.node(node).is_some_and(|node| node.is_folder());
        folder
            && (self.open.contains(&node) || self.mark(node) == WAY)
            && self.children(node).next().is_some()
    }

    fn children(&self, node: u32) -> impl Iterator<Item = u32> {
        self.tree
            .children(node)
            .filter(|child| self.mark(*child) > 0 && is_shown(self.tree, self.show, *child))
    }

    /// The folder at the end of folders that hold nothing but the next one.
    fn last_of_chain(&self, first: u32) -> u32 {
        let mut node = first;
        loop {
            let mut children = self.children(node);
            let (Some(only), None) = (children.next(), children.next()) else {
                return node;
            };
            let is_folder = |node: u32| self.tree.node(node).is_some_and(|node| node.is_folder());
            // A folder that something happened to has a row of its own.
            let changed = self
                .tree
                .node(node)
                .is_some_and(|node| node.change() == Some(Change::Removed));
            if changed || !is_folder(node) || !is_folder(only) {
                return node;
            }
            node = only;
        }
    }

    fn push(&self, node: u32, depth: u16, todo: &mut Vec<(u32, u16)>) {
        let from = todo.len();
        todo.extend(self.children(node).map(|child| (child, depth)));
        let Some(new) = todo.get_mut(from..) else {
            return;
        };
        match self.sort {
            Sort::Name => new.reverse(),
            // The last one is listed first; equal weights go by name.
            Sort::Size => new.sort_by_key(|(child, _)| {
                (
                    weight(self.tree, self.show, *child),
                    std::cmp::Reverse(*child),
                )
            }),
        }
    }
}

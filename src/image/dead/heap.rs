//! Dead files as people think of them: what one instruction did to what another one brought.

use std::collections::BTreeMap;

use super::Dead;
use super::How;
use crate::units::Bytes;

/// Folders this near to the root say too little to stand for what is in them.
const TELLING: usize = 2;

/// Dead files that one layer ships and another hides, in one place and one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heap {
    /// The file, or a folder that all of them are in; empty for the root. Without a leading slash.
    pub path: String,
    /// Their payload.
    pub bytes: Bytes,
    /// How many they are.
    pub files: usize,
    /// The layer that ships them, from 0 at the bottom.
    pub shipped_in: usize,
    /// The layer that hides them.
    pub hidden_in: usize,
    /// How.
    pub how: How,
}

/// What one entry hides, or one file.
#[derive(Debug, Clone, Copy)]
struct Item<'a> {
    path: &'a str,
    bytes: Bytes,
    files: usize,
}

/// Heaps up dead files, the largest heap first.
pub(super) fn heaps(dead: &[Dead]) -> Vec<Heap> {
    let mut classes: BTreeMap<(usize, usize, How), BTreeMap<&str, Item<'_>>> = BTreeMap::new();
    for file in dead {
        // A deleted folder is one thing, whatever was in it.
        let path = match file.how {
            How::Deleted | How::Opaque | How::Replaced => file.by.as_str(),
            How::Overwritten | How::MetadataOnly => file.path.as_str(),
        };
        let class = (file.shipped_in, file.hidden_in, file.how);
        let items = classes.entry(class).or_default();
        let item = items.entry(path).or_insert(Item {
            path,
            bytes: Bytes(0),
            files: 0,
        });
        item.bytes = item.bytes.plus(file.bytes);
        item.files += 1;
    }
    let mut all = Vec::new();
    for ((shipped_in, hidden_in, how), items) in classes {
        let items: Vec<Item<'_>> = items.into_values().collect();
        fold(&items, 0, &mut |path, items| {
            all.push(Heap {
                path,
                bytes: items.iter().map(|item| item.bytes).sum(),
                files: items.iter().map(|item| item.files).sum(),
                shipped_in,
                hidden_in,
                how,
            });
        });
    }
    all.sort_by(|a, b| (b.bytes, &a.path).cmp(&(a.bytes, &b.path)));
    all
}

/// Divides items that share their first `depth` parts: a folder stands for what is in it, unless
/// most of it is in one place further down.
fn fold(items: &[Item<'_>], depth: usize, tell: &mut impl FnMut(String, &[Item<'_>])) {
    if let [only] = items {
        tell(only.path.to_owned(), items);
        return;
    }
    let mut groups: BTreeMap<Option<&str>, Vec<Item<'_>>> = BTreeMap::new();
    for item in items {
        let part = item.path.split('/').nth(depth);
        groups.entry(part).or_default().push(*item);
    }
    let weigh = |items: &[Item<'_>]| items.iter().map(|item| item.bytes).sum::<Bytes>();
    let all = weigh(items);
    let most = groups.values().map(|group| weigh(group)).max();
    let most_in_one = most.is_some_and(|most| most.0 >= all.0 / 3 * 2);
    if groups.len() > 1 && depth >= TELLING && !most_in_one {
        tell(prefix(items, depth), items);
        return;
    }
    let mut crumbs = Vec::new();
    for (part, group) in groups {
        let small = weigh(&group).0 < all.0 / 10;
        if part.is_none() || (small && depth >= TELLING) {
            crumbs.extend(group);
        } else {
            fold(&group, depth + 1, tell);
        }
    }
    match crumbs.as_slice() {
        [] => {}
        [only] => tell(only.path.to_owned(), &crumbs),
        _ => tell(prefix(&crumbs, depth), &crumbs),
    }
}

/// The first `depth` parts of the items' paths.
fn prefix(items: &[Item<'_>], depth: usize) -> String {
    let path = items.first().map_or("", |item| item.path);
    let parts: Vec<&str> = path.split('/').take(depth).collect();
    parts.join("/")
}

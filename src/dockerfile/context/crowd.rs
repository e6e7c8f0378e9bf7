//! Which folder it is that makes a context too large.

use std::collections::BTreeMap;

/// The folder that holds most of `paths`: the deepest one that still has more than half of them,
/// or else the largest at the top. `None` where none lies in a folder.
pub(super) fn in_folder<'a>(paths: impl Iterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let mut counts: BTreeMap<&[u8], usize> = BTreeMap::new();
    let mut all = 0;
    for path in paths {
        all += 1;
        for (at, byte) in path.iter().enumerate() {
            if *byte == b'/' {
                *counts
                    .entry(path.get(..at).unwrap_or_default())
                    .or_default() += 1;
            }
        }
    }
    let deep = |folder: &[u8]| folder.iter().filter(|byte| **byte == b'/').count();
    let most = counts.iter().filter(|(_, count)| **count * 2 > all);
    let most = most.max_by_key(|(folder, _)| deep(folder));
    let top = || {
        let tops = counts.iter().filter(|(folder, _)| deep(folder) == 0);
        tops.max_by_key(|(_, count)| **count)
    };
    most.or_else(top).map(|(folder, _)| folder.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn most(paths: &[&str]) -> Option<String> {
        let paths = paths.iter().map(|path| path.as_bytes());
        in_folder(paths).map(|path| String::from_utf8(path).unwrap())
    }

    #[test]
    fn the_folder_is_named_that_holds_most_files() {
        let app = ["app/lib/a/1", "app/lib/b/1", "app/lib/c/1", "app/main", "x"];
        assert_eq!(most(&app).as_deref(), Some("app/lib"));
        assert_eq!(
            most(&["a/1", "b/1", "b/2", "c/1", "d/1"]).as_deref(),
            Some("b")
        );
        assert_eq!(most(&["1", "2"]), None);
    }
}

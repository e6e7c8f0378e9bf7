//! What a reset took away, and what was not saved: numbered folders, the newest with the highest
//! number.

use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use super::atomic;
use crate::course::Files;

/// How many are kept; older ones go.
const KEPT: usize = 50;

/// The file with the number of the newest that somebody was told of.
const TOLD: &str = "told";

/// Keeps these files as the newest; says in which folder.
pub(super) fn keep(folder: &Path, files: &Files) -> io::Result<PathBuf> {
    let numbers = numbers(folder)?;
    let mut next = numbers.last().map_or(1, |last| last + 1);
    let path = |number: u64| folder.join(format!("{number:06}"));
    // Another workshop of this home may keep something at the same time.
    while !atomic::make_folder(&path(next), files)? {
        next += 1;
    }
    let surplus = (numbers.len() + 1).saturating_sub(KEPT);
    for old in numbers.into_iter().take(surplus) {
        match fs::remove_dir_all(path(old)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(path(next))
}

/// The newest that is wanted, if there is one.
pub(super) fn newest(folder: &Path, wanted: impl Fn(&Files) -> bool) -> io::Result<Option<Files>> {
    for number in numbers(folder)?.into_iter().rev() {
        let mut files = Files::new();
        collect(&folder.join(format!("{number:06}")), "", &mut files)?;
        if wanted(&files) {
            return Ok(Some(files));
        }
    }
    Ok(None)
}

/// Those that nobody was told of yet, each with its folder, oldest first; from now on somebody was.
pub(super) fn untold(folder: &Path) -> io::Result<Vec<(PathBuf, Files)>> {
    let marker = folder.join(TOLD);
    let told = fs::read_to_string(&marker).unwrap_or_default();
    let told: u64 = told.trim().parse().unwrap_or(0);
    let mut untold = Vec::new();
    let mut last = told;
    for number in numbers(folder)?.into_iter().filter(|one| *one > told) {
        let kept = folder.join(format!("{number:06}"));
        let mut files = Files::new();
        collect(&kept, "", &mut files)?;
        untold.push((kept, files));
        last = number;
    }
    if last > told {
        // Where there is no room for it they are told once more.
        let _ = atomic::replace(&marker, last.to_string().as_bytes());
    }
    Ok(untold)
}

fn collect(folder: &Path, prefix: &str, files: &mut Files) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.insert(name, fs::read(entry.path())?.into());
        }
    }
    Ok(())
}

fn numbers(folder: &Path) -> io::Result<Vec<u64>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut numbers = Vec::new();
    for entry in entries {
        numbers.extend(
            entry?
                .file_name()
                .to_str()
                .and_then(|name| name.parse::<u64>().ok()),
        );
    }
    numbers.sort_unstable();
    Ok(numbers)
}

//! Facts of layers that were read before: when they are believed, and what they save.

use std::sync::Mutex;

use super::*;
use crate::image::HistoryStep;

/// A cache in memory.
#[derive(Debug, Default)]
struct Memory(Mutex<BTreeMap<String, Vec<u8>>>);

impl Facts for Memory {
    fn knows(&self, key: &str) -> bool {
        self.0.lock().unwrap().contains_key(key)
    }

    fn recall(&self, key: &str) -> Option<Vec<u8>> {
        self.0.lock().unwrap().get(key).cloned()
    }

    fn remember(&self, key: &str, facts: &[u8]) {
        self.0
            .lock()
            .unwrap()
            .insert(key.to_owned(), facts.to_vec());
    }
}

fn with(memory: &Arc<Memory>, change: impl FnOnce(&mut Options)) -> Options {
    let mut options = Options {
        facts: Some(memory.clone()),
        ..Options::default()
    };
    change(&mut options);
    options
}

/// The archive with other bytes in place of its first large part.
fn spoiled(bytes: &[u8]) -> Vec<u8> {
    let mut files = unpacked(bytes);
    let large = files
        .iter_mut()
        .find(|(path, bytes)| path.starts_with("blobs/") && !bytes.starts_with(b"{"));
    large.unwrap().1.fill(b'x');
    pack(&files.into_iter().collect::<Vec<_>>())
}

#[test]
fn a_part_that_is_remembered_is_not_read_again() {
    let image = Image::usual();
    let plain: fn(&[u8]) -> Vec<u8> = <[u8]>::to_vec;
    for pack in [plain, gzip, zstd] {
        let memory = Arc::new(Memory::default());
        let trusting = with(&memory, |options| options.trusted = true);
        let bytes = image.oci(pack, true, false);
        let first = read(bytes.as_slice(), &trusting).unwrap();
        assert_eq!(read(bytes.as_slice(), &trusting).unwrap(), first);
        // Nothing of it is looked at, or this would be noticed.
        let second = read(spoiled(&bytes).as_slice(), &trusting).unwrap();
        assert_eq!(second, first);
        // Who does not trust the source still hashes what is there.
        let checking = with(&memory, |options| options.verify = true);
        assert_eq!(read(bytes.as_slice(), &checking).unwrap(), first);
        let error = refusal(&spoiled(&bytes), &checking);
        assert!(error.contains("is not what it is called"), "{error}");
    }
}

#[test]
fn only_what_was_checked_is_remembered() {
    let image = Image::usual();
    let stored = |options: &dyn Fn(&mut Options), bytes: &[u8]| {
        let memory = Arc::new(Memory::default());
        let _ = read(bytes, &with(&memory, |all| options(all)));
        memory.0.lock().unwrap().len()
    };
    let gzipped = image.oci(gzip, true, false);
    assert_eq!(stored(&|_| {}, &gzipped), 0);
    // Two layers, and the names of the parts that they are packed in.
    assert_eq!(stored(&|options| options.verify = true, &gzipped), 4);
    assert_eq!(stored(&|options| options.trusted = true, &gzipped), 4);
    assert_eq!(stored(&|options| options.verify = true, &image.legacy()), 2);
    // A part that lies about its name is remembered by its layer's digest alone, or not at all.
    let mut files = unpacked(&gzipped);
    let blob = files
        .keys()
        .find(|path| path.starts_with("blobs/") && files[*path].starts_with(&[0x1f, 0x8b]));
    let blob = blob.unwrap().clone();
    let liar = format!("blobs/sha256/{}", "0".repeat(64));
    let bytes = files.remove(&blob).unwrap();
    files.insert(liar.clone(), bytes);
    let renamed: Vec<(String, Vec<u8>)> = files
        .into_iter()
        .map(|(path, bytes)| {
            let text = String::from_utf8(bytes.clone());
            let told = text.map(|text| {
                let old = blob.trim_start_matches("blobs/sha256/");
                text.replace(old, &"0".repeat(64)).into_bytes()
            });
            (path, told.unwrap_or(bytes))
        })
        .collect();
    assert_eq!(stored(&|options| options.verify = true, &pack(&renamed)), 0);
}

#[test]
fn facts_for_another_question_are_not_the_answer() {
    let memory = Arc::new(Memory::default());
    let bytes = Image::usual().oci(gzip, true, false);
    let plain = with(&memory, |options| options.trusted = true);
    read(bytes.as_slice(), &plain).unwrap();
    let curious = with(&memory, |options| {
        options.trusted = true;
        options.keep = [String::from("etc/passwd")].into();
        options.needles = vec![b"exit".to_vec()];
    });
    for _ in 0..2 {
        let contents = read(bytes.as_slice(), &curious).unwrap();
        assert_eq!(contents.layers[0].kept.len(), 1);
        assert_eq!(contents.hits.len(), 1);
    }
    let stored = memory.0.lock().unwrap();
    let all: Vec<u8> = stored.values().flatten().copied().collect();
    // What was searched for is in no key and no value.
    assert!(!stored.keys().any(|key| key.contains("exit")));
    assert!(!all.windows(4).any(|four| four == b"exit"));
}

#[test]
fn an_image_whose_layers_are_remembered_needs_no_archive() {
    let memory = Arc::new(Memory::default());
    let trusting = with(&memory, |options| options.trusted = true);
    let contents = read(Image::usual().legacy().as_slice(), &trusting).unwrap();
    let summary = Summary {
        id: String::from("sha256:1"),
        tags: Vec::new(),
        config: contents.config.clone(),
        history: contents.history.clone(),
        diff_ids: contents
            .layers
            .iter()
            .map(|layer| layer.diff_id.clone())
            .collect(),
        engine_size: Bytes(0),
        layer_sizes: None,
    };
    assert_eq!(recall(&summary, &trusting), Some(contents.clone()));
    // The same layers under another config: nothing was built but that.
    let mut other = summary.clone();
    other.config.user = String::from("nobody");
    other.history.push(HistoryStep {
        created_by: String::from("USER nobody"),
        empty_layer: true,
    });
    let again = recall(&other, &trusting).unwrap();
    assert_eq!(
        (again.config.user.as_str(), again.layers),
        ("nobody", contents.layers)
    );
    let mut more = summary.clone();
    more.diff_ids.push(String::from("sha256:new"));
    assert_eq!(recall(&more, &trusting), None);
    let untrusting = with(&memory, |_| {});
    assert_eq!(recall(&summary, &untrusting), None);
    // What has no layers is not exported by every engine, and needs no memory.
    let mut bare = summary.clone();
    bare.diff_ids.clear();
    let trusting_alone = Options {
        trusted: true,
        ..Options::default()
    };
    let empty = recall(&bare, &trusting_alone).unwrap();
    assert_eq!((empty.config, empty.layers), (summary.config, Vec::new()));
    bare.engine_size = Bytes(1);
    assert_eq!(
        recall(&bare, &trusting_alone),
        None,
        "its layers are not told"
    );
}

#[test]
fn what_is_remembered_counts_against_the_limits_too() {
    let memory = Arc::new(Memory::default());
    let bytes = Image::usual().oci(gzip, true, false);
    let trusting = with(&memory, |options| options.trusted = true);
    read(bytes.as_slice(), &trusting).unwrap();
    let narrow = with(&memory, |options| {
        options.trusted = true;
        options.limits.entries = 8;
    });
    assert!(refusal(&bytes, &narrow).contains("more files than is sensible"));
}

#[test]
fn facts_that_cannot_be_read_are_left_aside() {
    let memory = Arc::new(Memory::default());
    let bytes = Image::usual().oci(gzip, true, false);
    let trusting = with(&memory, |options| options.trusted = true);
    let first = read(bytes.as_slice(), &trusting).unwrap();
    for facts in memory.0.lock().unwrap().values_mut() {
        facts.truncate(facts.len() / 2);
    }
    assert_eq!(read(bytes.as_slice(), &trusting).unwrap(), first);
}

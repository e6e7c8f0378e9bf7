//! Files whose layers are hashed by two.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;

use super::*;
use crate::image::archive::Probe;
use crate::image::archive::Seen;
use crate::image::archive::Sink;

/// Layers that are large enough for it.
fn large() -> Image {
    let layer = |byte: u8, size: usize| {
        let bytes = vec![byte; size];
        archive_of(&[(&format!("f{byte}"), &bytes)])
    };
    Image::of(vec![
        layer(1, 3_000_000),
        layer(2, 1_100_000),
        layer(3, 10),
        layer(4, 2_500_000),
        layer(5, 1_200_000),
    ])
}

fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    io::Seek::rewind(&mut file).unwrap();
    file
}

#[test]
fn a_file_gives_what_a_stream_gives() {
    let image = large();
    let plain: fn(&[u8]) -> Vec<u8> = <[u8]>::to_vec;
    let expected = read(image.legacy().as_slice(), &options()).unwrap();
    for (name, bytes) in [
        ("legacy", image.legacy()),
        ("podman", image.podman()),
        ("graph driver", image.oci(plain, true, false)),
        ("containerd", image.oci(gzip, true, false)),
        ("zstd as a whole", zstd(&image.legacy())),
    ] {
        // Who comes first to a layer is another one each time.
        for _ in 0..5 {
            let contents = read_file(file(&bytes), &options()).unwrap();
            assert!(contents == expected, "{name}");
        }
    }
}

#[test]
fn whoever_hashes_a_layer_notices_that_it_was_changed() {
    for changed in 0..5 {
        let mut image = large();
        image.layers[changed][515] ^= 1;
        let error = read_file(file(&image.legacy()), &options()).unwrap_err();
        assert!(
            matches!(error, ArchiveError::WrongDigest { layer, .. } if layer == changed),
            "layer {changed}: {error}"
        );
    }
}

/// Writes to the file that is being read.
#[derive(Debug)]
struct Meddler(File);

impl Probe for Meddler {
    fn name(&self) -> &'static str {
        "meddler/1"
    }

    fn look(&self, _file: &Seen<'_>) -> Option<Box<dyn Sink>> {
        let before = state(&self.0).unwrap();
        // The clock of a file system is a coarse one.
        while state(&self.0).unwrap() == before {
            let mut first = [0];
            self.0.read_exact_at(&mut first, 0).unwrap();
            self.0.write_all_at(&first, 0).unwrap();
        }
        None
    }
}

#[test]
fn a_file_that_is_changed_while_it_is_read_is_refused() {
    let file = file(&large().legacy());
    let meddler = Meddler(file.try_clone().unwrap());
    let options = Options {
        probes: vec![Arc::new(meddler)],
        ..options()
    };
    let error = read_file(file, &options).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("it was changed while it was read"),
        "{error}"
    );
}

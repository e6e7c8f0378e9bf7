//! Dead bytes: the same truth on every engine, whatever its layers look like.

use futures_util::TryStreamExt;
use loadline::engine::Engine as _;
use loadline::image::archive;
use loadline::image::archive::Options;
use loadline::image::dead::How;
use loadline::image::dead::Ledger;
use loadline::units::Bytes;

use super::bench::BASE;
use super::bench::Bench;
use super::bench::fresh;
use super::bench::on_each_engine;

/// Every way in which bytes die, each with a size of its own.
fn dockerfile() -> String {
    let write = |bytes: u32, path: &str| format!("busybox head -c {bytes} /dev/zero >{path}");
    let made = [
        "busybox mkdir -p /big/sub /d /swap /hard".to_owned(),
        write(30_001, "/big/a"),
        write(2_002, "/big/sub/b"),
        write(4_003, "/solo"),
        write(5_004, "/over"),
        write(6_005, "/chmod"),
        write(7_006, "/d/below"),
        write(8_007, "/swap/in"),
        write(9_008, "/hard/one"),
        "busybox ln /hard/one /hard/two".to_owned(),
        write(1_009, "/kept"),
    ];
    let steps = [
        made.join(" && "),
        "busybox rm -rf /big && busybox rm /solo".to_owned(),
        write(5_005, "/over"),
        "busybox chmod 700 /chmod".to_owned(),
        format!(
            "busybox rm -rf /d && busybox mkdir /d && {}",
            write(707, "/d/new")
        ),
        format!("busybox rm -rf /swap && {}", write(88, "/swap")),
        "busybox rm /hard/one".to_owned(),
        "busybox chmod 600 /hard/two".to_owned(),
        // Nothing that was there below: no trace of it may count.
        format!("{} && busybox rm /gone", write(99, "/gone")),
    ];
    let steps = steps.map(|step| format!("RUN {step}\n"));
    format!("{BASE}{}", steps.concat())
}

#[test]
fn dead_bytes_are_the_truth_to_the_byte_on_every_engine() {
    on_each_engine(async |bench: &Bench| {
        let tag = fresh("dead");
        bench
            .build(&tag, &dockerfile())
            .await
            .unwrap_or_else(|error| panic!("{}: {error:?}", bench.address));
        let chunks: Vec<bytes::Bytes> = bench
            .engine
            .export(&tag)
            .await
            .expect("an export")
            .try_collect()
            .await
            .expect("an archive");
        let options = Options {
            verify: true,
            ..Options::default()
        };
        let contents = archive::read(chunks.concat().as_slice(), &options)
            .unwrap_or_else(|error| panic!("{}: {error}", bench.address));
        bench.remove(&tag).await;

        let ledger = Ledger::of(&contents);
        let found: Vec<String> = ledger
            .dead
            .iter()
            .map(|file| {
                // An engine may list what a new folder hides instead of making it opaque.
                let how = match file.how {
                    How::Opaque | How::Replaced => How::Deleted,
                    how => how,
                };
                format!(
                    "{} {} {}>{} {how:?}",
                    file.path, file.bytes.0, file.shipped_in, file.hidden_in
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                "big/a 30001 2>3 Deleted",
                "hard/two 9008 2>9 MetadataOnly",
                "swap/in 8007 2>7 Deleted",
                "d/below 7006 2>6 Deleted",
                "chmod 6005 2>5 MetadataOnly",
                "over 5004 2>4 Overwritten",
                "solo 4003 2>3 Deleted",
                "big/sub/b 2002 2>3 Deleted",
            ],
            "{}",
            bench.address
        );
        let base: Bytes = ledger
            .layers
            .iter()
            .take(2)
            .map(|layer| layer.shipped)
            .sum();
        let live = 1_009 + 5_005 + 6_005 + 707 + 88 + 9_008;
        assert_eq!(ledger.live(), base.plus(Bytes(live)), "{}", bench.address);
    });
}

//! Documents about an image that has something of everything.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::image::package::Distribution;
use crate::image::package::Gap;
use crate::image::package::Package;
use crate::image::package::PackageKind;
use crate::image::package::Runtime;
use crate::image::package::SourcePackage;

fn package(kind: PackageKind, name: &str, version: &str, licences: &[&str]) -> Package {
    Package {
        kind,
        name: name.to_owned(),
        version: version.to_owned(),
        source: None,
        architecture: None,
        licences: licences.iter().map(|one| (*one).to_owned()).collect(),
        layer: 0,
        path: String::from("some/record"),
    }
}

fn subject() -> Subject {
    Subject {
        name: String::from("app:latest"),
        chain_id: format!("sha256:{}", "ab".repeat(32)),
        created: String::from("2026-11-25T10:00:00Z"),
        architecture: String::from("amd64"),
        layers: vec![
            SubjectLayer {
                diff_id: format!("sha256:{}", "01".repeat(32)),
                created_by: Some(String::from("ADD rootfs")),
            },
            SubjectLayer {
                diff_id: format!("sha256:{}", "02".repeat(32)),
                created_by: None,
            },
        ],
    }
}

fn inventory() -> Inventory {
    let mut deb = package(PackageKind::Deb, "libc6", "2.41-12", &["LGPL-2.1+", "BSD"]);
    deb.architecture = Some(String::from("amd64"));
    deb.source = Some(SourcePackage {
        name: String::from("glibc"),
        version: String::from("2.41-12"),
    });
    let mut twice = package(PackageKind::Node, "@a/b", "1.0.0", &["(MIT OR Apache-2.0)"]);
    let once = twice.clone();
    twice.path = String::from("other/record");
    twice.layer = 1;
    Inventory {
        distribution: Some(Distribution {
            id: String::from("debian"),
            version: String::from("13"),
            title: String::from("Debian GNU/Linux 13 (trixie)"),
        }),
        packages: vec![
            deb,
            package(PackageKind::Python, "flask", "3.1.0", &["BSD-3-Clause"]),
            once,
            twice,
            package(
                PackageKind::Java,
                "org.x:core",
                "1",
                &["MIT", "Own licence / v2"],
            ),
            package(PackageKind::Go, "example.com/app", "(devel)", &[]),
        ],
        runtimes: vec![Runtime {
            name: String::from("python"),
            version: String::from("3.13.9"),
            layer: 0,
            path: String::from("usr/local/bin/python"),
        }],
        gaps: vec![Gap::OpaqueBinary {
            path: String::from("usr/bin/tool"),
            layer: 1,
        }],
        ..Inventory::default()
    }
}

fn json(format: Format) -> Value {
    let text = document(format, &subject(), &inventory()).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn texts<'v>(list: &'v Value, field: &str) -> Vec<&'v str> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|one| one[field].as_str().unwrap())
        .collect()
}

#[test]
fn cyclonedx_holds_each_package_with_its_layer() {
    let bom = json(Format::CycloneDx);
    assert_eq!(bom["bomFormat"], "CycloneDX");
    assert_eq!(bom["specVersion"], "1.6");
    assert_eq!(bom["metadata"]["timestamp"], "2026-11-25T10:00:00Z");
    let components = bom["components"].as_array().unwrap();
    assert_eq!(components.len(), 8);
    let libc = components
        .iter()
        .find(|one| one["name"] == "libc6")
        .unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(libc).unwrap(), @r#"
    {
      "bom-ref": "package-7f1d3b7ac5191cef",
      "licenses": [
        {
          "license": {
            "id": "LGPL-2.1-or-later"
          }
        },
        {
          "license": {
            "name": "BSD"
          }
        }
      ],
      "name": "libc6",
      "properties": [
        {
          "name": "loadline:path",
          "value": "some/record"
        },
        {
          "name": "loadline:layer",
          "value": "0"
        },
        {
          "name": "loadline:layer:diffID",
          "value": "sha256:0101010101010101010101010101010101010101010101010101010101010101"
        },
        {
          "name": "loadline:layer:createdBy",
          "value": "ADD rootfs"
        }
      ],
      "purl": "pkg:deb/debian/libc6@2.41-12?arch=amd64&distro=debian-13&upstream=glibc",
      "type": "library",
      "version": "2.41-12"
    }
    "#);
    let node = components.iter().find(|one| one["name"] == "b").unwrap();
    assert_eq!(node["group"], "@a");
    assert_eq!(
        node["licenses"],
        serde_json::json!([{ "expression": "MIT OR Apache-2.0" }])
    );
    assert_eq!(bom["compositions"][0]["aggregate"], "incomplete");
    assert_eq!(
        bom["metadata"]["properties"][0]["value"],
        "/usr/bin/tool does not say what it was made of"
    );
}

#[test]
fn cyclonedx_refers_to_what_is_there_and_names_nothing_twice() {
    let bom = json(Format::CycloneDx);
    let own = bom["metadata"]["component"]["bom-ref"].as_str().unwrap();
    let references = texts(&bom["components"], "bom-ref");
    let unique: BTreeSet<&str> = references.iter().copied().chain([own]).collect();
    assert_eq!(unique.len(), references.len() + 1);
    assert_eq!(bom["dependencies"][0]["ref"], own);
    let named: Vec<&str> = bom["dependencies"][0]["dependsOn"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one.as_str().unwrap())
        .collect();
    assert_eq!(named, references);
    for component in bom["components"].as_array().unwrap() {
        for licence in component["licenses"].as_array().into_iter().flatten() {
            if let Some(id) = licence["license"]["id"].as_str() {
                assert!(crate::image::package::licence::spdx(id).is_some(), "{id}");
            }
        }
    }
}

#[test]
fn spdx_has_sound_and_unique_ids_and_explains_every_licence() {
    let document = json(Format::Spdx);
    assert_eq!(document["spdxVersion"], "SPDX-2.3");
    assert_eq!(document["dataLicense"], "CC0-1.0");
    let ids = texts(&document["packages"], "SPDXID");
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(unique.len(), ids.len());
    for id in &ids {
        let rest = id.strip_prefix("SPDXRef-").unwrap();
        assert!(
            rest.chars()
                .all(|c| c.is_ascii_alphanumeric() || ".-".contains(c)),
            "{id}"
        );
    }
    let related = texts(&document["relationships"], "relatedSpdxElement");
    assert_eq!(related.len(), ids.len());
    assert!(related.iter().all(|id| unique.contains(id)));
    let declared = texts(&document["packages"], "licenseDeclared");
    let explained = texts(&document["hasExtractedLicensingInfos"], "licenseId");
    let used: BTreeSet<&str> = declared
        .iter()
        .flat_map(|one| licences::references(one))
        .collect();
    assert_eq!(used, explained.iter().copied().collect());
    assert!(declared.contains(&"LGPL-2.1-or-later AND LicenseRef-BSD"));
    assert!(declared.contains(&"MIT AND LicenseRef-Own-licence-v2"));
    assert!(declared.contains(&"NOASSERTION"));
    let namespace = document["documentNamespace"].as_str().unwrap();
    assert!(
        namespace.starts_with("https://spdx.org/spdxdocs/app-latest-"),
        "{namespace}"
    );
    assert!(!namespace.contains('#'));
}

#[test]
fn the_same_image_gives_the_same_bytes() {
    for format in [Format::CycloneDx, Format::Spdx, Format::Own] {
        let once = document(format, &subject(), &inventory()).unwrap();
        assert_eq!(once, document(format, &subject(), &inventory()).unwrap());
        assert!(once.ends_with("}\n"));
    }
    let mut other = subject();
    other.chain_id = String::from("sha256:other");
    assert_ne!(subject().uuid("spdx"), other.uuid("spdx"));
    assert_ne!(subject().uuid("spdx"), subject().uuid("cyclonedx"));
}

#[test]
fn layers_chain_as_the_specification_says() {
    // printf 'sha256:a sha256:b' | sha256sum
    let chained = chain_id(["sha256:a", "sha256:b"].into_iter());
    assert_eq!(
        chained,
        "sha256:970a948bffa8de94d6e22d747ba8c95030e6e546909f98f54e99a13005e173a8"
    );
    assert_eq!(chain_id(["sha256:a"].into_iter()), "sha256:a");
}

#[test]
fn times_are_in_utc_and_whole() {
    assert_eq!(
        whole_seconds("2026-11-24T10:00:00.123456789+02:00").as_deref(),
        Some("2026-11-24T08:00:00Z")
    );
    assert_eq!(whole_seconds("yesterday"), None);
}

#[test]
fn an_empty_image_is_a_document_too() {
    let subject = Subject {
        name: String::new(),
        chain_id: String::new(),
        created: NO_TIME.to_owned(),
        architecture: String::new(),
        layers: Vec::new(),
    };
    for format in [Format::CycloneDx, Format::Spdx, Format::Own] {
        let text = document(format, &subject, &Inventory::default()).unwrap();
        assert!(serde_json::from_str::<Value>(&text).is_ok());
    }
}

proptest! {
    /// Whatever a record names: ids stay sound and unique.
    #[test]
    fn odd_names_make_sound_ids(names in proptest::collection::btree_set(".{1,12}", 1..5)) {
        let mut inventory = Inventory::default();
        for name in &names {
            inventory.packages.push(package(PackageKind::Python, name, "1", &[name]));
        }
        let text = document(Format::Spdx, &subject(), &inventory).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        let ids = texts(&document["packages"], "SPDXID");
        let sound = |id: &&str| id.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c));
        prop_assert!(ids.iter().all(sound));
        prop_assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), names.len() + 1);
    }
}

#[test]
fn a_document_of_nothing_says_that_nothing_can_be_known() {
    let of = |format| -> Value {
        let text = document(format, &subject(), &Inventory::default()).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let bom = of(Format::CycloneDx);
    assert_eq!(bom["compositions"][0]["aggregate"], "incomplete");
    let why = "no record of any package is there";
    assert_eq!(bom["metadata"]["properties"][0]["value"], why);
    let comment = format!("The list may be incomplete: {why}.");
    assert_eq!(of(Format::Spdx)["comment"], comment);
    assert_eq!(of(Format::Own)["gaps"][0]["gap"], "no_records");
}

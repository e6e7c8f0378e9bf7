//! SPDX 2.3.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Subject;
use super::licences;
use super::mark;
use super::purl;
use crate::image::package::Distribution;
use crate::image::package::Inventory;
use crate::image::package::Package;
use crate::image::package::Runtime;
use crate::image::package::licence;

/// What a document says where nobody looked.
const NO_ASSERTION: &str = "NOASSERTION";

const DOCUMENT: &str = "SPDXRef-DOCUMENT";
const IMAGE: &str = "SPDXRef-Image";

/// A document; the names are the format's.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    spdx_version: &'static str,
    data_license: &'static str,
    #[serde(rename = "SPDXID")]
    id: &'static str,
    name: String,
    document_namespace: String,
    creation_info: CreationInfo,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    packages: Vec<Listed>,
    relationships: Vec<Relationship>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    has_extracted_licensing_infos: Vec<Extracted>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CreationInfo {
    created: String,
    creators: Vec<String>,
    license_list_version: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    #[serde(rename = "SPDXID")]
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_info: Option<String>,
    download_location: &'static str,
    files_analyzed: bool,
    primary_package_purpose: &'static str,
    license_concluded: &'static str,
    license_declared: String,
    copyright_text: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_info: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_refs: Vec<ExternalRef>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    annotations: Vec<Annotation>,
}

impl Listed {
    fn new(id: String, name: &str, version: &str, purpose: &'static str) -> Self {
        Self {
            id,
            name: name.to_owned(),
            version_info: (!version.is_empty()).then(|| version.to_owned()),
            download_location: NO_ASSERTION,
            files_analyzed: false,
            primary_package_purpose: purpose,
            license_concluded: NO_ASSERTION,
            license_declared: NO_ASSERTION.to_owned(),
            copyright_text: NO_ASSERTION,
            source_info: None,
            comment: None,
            external_refs: Vec::new(),
            annotations: Vec::new(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ExternalRef {
    reference_category: &'static str,
    reference_type: &'static str,
    reference_locator: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Annotation {
    annotation_date: String,
    annotation_type: &'static str,
    annotator: String,
    comment: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Relationship {
    spdx_element_id: &'static str,
    relationship_type: &'static str,
    related_spdx_element: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Extracted {
    license_id: String,
    name: String,
    extracted_text: String,
}

/// The document about an image.
pub(super) fn document(subject: &Subject, inventory: &Inventory) -> Document {
    let mut packages = vec![image(subject)];
    packages.extend(inventory.distribution.as_ref().map(operating_system));
    let runtimes = inventory.runtimes.iter();
    packages.extend(runtimes.map(|one| of_runtime(one, subject)));
    let listed = inventory.packages.iter();
    packages.extend(listed.map(|one| of_package(one, subject, inventory)));
    let mut relationships = vec![Relationship {
        spdx_element_id: DOCUMENT,
        relationship_type: "DESCRIBES",
        related_spdx_element: IMAGE.to_owned(),
    }];
    let parts = packages.iter().skip(1);
    relationships.extend(parts.map(|part| Relationship {
        spdx_element_id: IMAGE,
        relationship_type: "CONTAINS",
        related_spdx_element: part.id.clone(),
    }));
    let gaps = inventory.unknown();
    let gaps: Vec<String> = gaps.iter().map(ToString::to_string).collect();
    let comment = format!("The list may be incomplete: {}.", gaps.join("; "));
    Document {
        spdx_version: "SPDX-2.3",
        data_license: "CC0-1.0",
        id: DOCUMENT,
        name: subject.name.clone(),
        document_namespace: format!(
            "https://spdx.org/spdxdocs/{}-{}",
            id_part(&subject.name),
            subject.uuid("spdx")
        ),
        creation_info: CreationInfo {
            created: subject.created.clone(),
            creators: vec![tool()],
            license_list_version: licence::list_version(),
        },
        comment: (!gaps.is_empty()).then_some(comment),
        has_extracted_licensing_infos: extracted(inventory),
        packages,
        relationships,
    }
}

fn tool() -> String {
    format!("Tool: loadline-{}", env!("CARGO_PKG_VERSION"))
}

/// Letters, digits, dots and hyphens: all that an id may have.
fn id_part(text: &str) -> String {
    let mut part = String::new();
    for c in text.chars().take(80) {
        let sound = c.is_ascii_alphanumeric() || c == '.';
        match sound {
            true => part.push(c),
            false if part.ends_with('-') => {}
            false => part.push('-'),
        }
    }
    part.trim_matches('-').to_owned()
}

fn image(subject: &Subject) -> Listed {
    let layers = subject.layers.iter().enumerate().map(|(index, layer)| {
        let step = match &layer.created_by {
            Some(step) => format!(", made by {step}"),
            None => String::new(),
        };
        Annotation {
            annotation_date: subject.created.clone(),
            annotation_type: "OTHER",
            annotator: tool(),
            comment: format!("layer {index}: {}{step}", layer.diff_id),
        }
    });
    Listed {
        annotations: layers.collect(),
        ..Listed::new(
            IMAGE.to_owned(),
            &subject.name,
            &subject.chain_id,
            "CONTAINER",
        )
    }
}

fn operating_system(distribution: &Distribution) -> Listed {
    let id = format!("SPDXRef-OperatingSystem-{}", id_part(&distribution.id));
    let comment = (!distribution.title.is_empty()).then(|| distribution.title.clone());
    Listed {
        comment,
        ..Listed::new(
            id,
            &distribution.id,
            &distribution.version,
            "OPERATING-SYSTEM",
        )
    }
}

fn of_runtime(runtime: &Runtime, subject: &Subject) -> Listed {
    let purl = purl::of_runtime(runtime);
    let id = format!(
        "SPDXRef-Runtime-{}-{}",
        id_part(&runtime.name),
        mark(&[&purl, &runtime.path])
    );
    Listed {
        source_info: Some(place(subject, runtime.layer, &runtime.path)),
        external_refs: vec![reference(purl)],
        ..Listed::new(id, &runtime.name, &runtime.version, "FRAMEWORK")
    }
}

fn of_package(package: &Package, subject: &Subject, inventory: &Inventory) -> Listed {
    let purl = purl::of(package, inventory.distribution.as_ref());
    let id = format!(
        "SPDXRef-Package-{}-{}-{}",
        package.kind.purl_type(),
        id_part(&package.name),
        mark(&[&purl, &package.path])
    );
    let declared = licences::together(&package.licences);
    Listed {
        license_declared: declared.unwrap_or_else(|| NO_ASSERTION.to_owned()),
        source_info: Some(place(subject, package.layer, &package.path)),
        external_refs: vec![reference(purl)],
        ..Listed::new(id, &package.name, &package.version, "LIBRARY")
    }
}

fn reference(purl: String) -> ExternalRef {
    ExternalRef {
        reference_category: "PACKAGE-MANAGER",
        reference_type: "purl",
        reference_locator: purl,
    }
}

/// Which file of which layer says so.
fn place(subject: &Subject, layer: usize, path: &str) -> String {
    let step = subject
        .layers
        .get(layer)
        .and_then(|layer| layer.created_by.as_ref());
    match step {
        Some(step) => format!("found in /{path}, brought by layer {layer}: {step}"),
        None => format!("found in /{path}, brought by layer {layer}"),
    }
}

/// The licences that are not in SPDX's list, by the names that the records give them.
fn extracted(inventory: &Inventory) -> Vec<Extracted> {
    let mut found: BTreeMap<String, &str> = BTreeMap::new();
    let named = inventory.packages.iter().flat_map(|one| &one.licences);
    for name in named {
        let expression = licence::expression(name);
        for reference in licences::references(&expression) {
            found.entry(reference.to_owned()).or_insert(name);
        }
    }
    found
        .into_iter()
        .map(|(id, name)| Extracted {
            name: id.trim_start_matches("LicenseRef-").to_owned(),
            extracted_text: format!(
                "The package's records name it in \"{name}\" and nothing more."
            ),
            license_id: id,
        })
        .collect()
}

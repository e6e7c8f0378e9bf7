//! CycloneDX 1.6.

use serde::Serialize;

use super::Subject;
use super::licences;
use super::mark;
use super::purl;
use crate::image::package::Distribution;
use crate::image::package::Inventory;
use crate::image::package::Package;
use crate::image::package::PackageKind;
use crate::image::package::Runtime;
use crate::image::package::licence;

/// A bill of materials; the names are the format's.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bom {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u32,
    metadata: Metadata,
    components: Vec<Component>,
    dependencies: Vec<Dependency>,
    compositions: Vec<Composition>,
}

#[derive(Debug, Serialize)]
struct Metadata {
    timestamp: String,
    tools: Tools,
    component: Component,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
}

#[derive(Debug, Serialize)]
struct Tools {
    components: Vec<Component>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Component {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref", skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<Licence>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
}

/// The format allows a list of single licences, or one expression.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Licence {
    License(Named),
    #[serde(untagged)]
    Expression {
        expression: String,
    },
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Named {
    Id(String),
    Name(String),
}

#[derive(Debug, Serialize)]
struct Property {
    name: String,
    value: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency {
    #[serde(rename = "ref")]
    reference: String,
    depends_on: Vec<String>,
}

/// How complete the list of the image's parts is.
#[derive(Debug, Serialize)]
struct Composition {
    aggregate: &'static str,
    assemblies: Vec<String>,
}

/// The bill of materials of an image.
pub(super) fn bom(subject: &Subject, inventory: &Inventory) -> Bom {
    let image = image(subject);
    let own = image.reference.clone().unwrap_or_default();
    let mut components: Vec<Component> = Vec::new();
    components.extend(inventory.distribution.as_ref().map(operating_system));
    let runtimes = inventory.runtimes.iter();
    components.extend(runtimes.map(|one| of_runtime(one, subject)));
    let packages = inventory.packages.iter();
    components.extend(packages.map(|one| of_package(one, subject, inventory)));
    let parts = components.iter().filter_map(|one| one.reference.clone());
    let gaps = inventory.unknown();
    Bom {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        bom_format: "CycloneDX",
        spec_version: "1.6",
        serial_number: format!("urn:uuid:{}", subject.uuid("cyclonedx")),
        version: 1,
        dependencies: vec![Dependency {
            reference: own.clone(),
            depends_on: parts.collect(),
        }],
        compositions: vec![Composition {
            aggregate: match gaps.is_empty() {
                true => "unknown",
                false => "incomplete",
            },
            assemblies: vec![own],
        }],
        metadata: Metadata {
            timestamp: subject.created.clone(),
            tools: Tools {
                components: vec![Component {
                    kind: "application",
                    name: String::from("loadline"),
                    version: Some(env!("CARGO_PKG_VERSION").to_owned()),
                    ..Component::default()
                }],
            },
            component: image,
            properties: gaps
                .iter()
                .map(|gap| property("loadline:gap", gap.to_string()))
                .collect(),
        },
        components,
    }
}

/// A text, where there is one.
fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn property(name: impl Into<String>, value: impl Into<String>) -> Property {
    Property {
        name: name.into(),
        value: value.into(),
    }
}

fn image(subject: &Subject) -> Component {
    let mut properties = vec![property("loadline:architecture", &subject.architecture)];
    for (index, layer) in subject.layers.iter().enumerate() {
        let name = format!("loadline:layer:{index}");
        properties.push(property(format!("{name}:diffID"), &layer.diff_id));
        if let Some(step) = &layer.created_by {
            properties.push(property(format!("{name}:createdBy"), step));
        }
    }
    Component {
        kind: "container",
        reference: Some(format!(
            "image-{}",
            mark(&[&subject.name, &subject.chain_id])
        )),
        name: subject.name.clone(),
        version: filled(&subject.chain_id),
        properties,
        ..Component::default()
    }
}

fn operating_system(distribution: &Distribution) -> Component {
    Component {
        kind: "operating-system",
        reference: Some(format!(
            "os-{}",
            mark(&[&distribution.id, &distribution.version])
        )),
        name: distribution.id.clone(),
        version: filled(&distribution.version),
        description: filled(&distribution.title),
        ..Component::default()
    }
}

fn of_runtime(runtime: &Runtime, subject: &Subject) -> Component {
    let purl = purl::of_runtime(runtime);
    Component {
        kind: "platform",
        reference: Some(format!("runtime-{}", mark(&[&purl, &runtime.path]))),
        name: runtime.name.clone(),
        version: filled(&runtime.version),
        purl: Some(purl),
        properties: place(subject, runtime.layer, &runtime.path),
        ..Component::default()
    }
}

fn of_package(package: &Package, subject: &Subject, inventory: &Inventory) -> Component {
    let distribution = inventory.distribution.as_ref();
    let purl = purl::of(package, distribution);
    let (group, name) = match package.kind {
        PackageKind::Deb | PackageKind::Apk => (String::new(), package.name.clone()),
        _ => purl::parts(package, distribution),
    };
    Component {
        kind: "library",
        reference: Some(format!("package-{}", mark(&[&purl, &package.path]))),
        group: (!group.is_empty()).then_some(group),
        name,
        version: Some(package.version.clone()),
        licenses: licenses(&package.licences),
        purl: Some(purl),
        properties: place(subject, package.layer, &package.path),
        ..Component::default()
    }
}

/// Which file of which layer says so, and the step that made the layer.
fn place(subject: &Subject, layer: usize, path: &str) -> Vec<Property> {
    let mut properties = vec![
        property("loadline:path", path),
        property("loadline:layer", layer.to_string()),
    ];
    if let Some(found) = subject.layers.get(layer) {
        properties.push(property("loadline:layer:diffID", &found.diff_id));
        if let Some(step) = &found.created_by {
            properties.push(property("loadline:layer:createdBy", step));
        }
    }
    properties
}

/// Single licences by id or name; as soon as one of them is a choice, one expression for all.
fn licenses(licences: &[String]) -> Vec<Licence> {
    let written: Vec<(&String, String)> = licences
        .iter()
        .map(|one| (one, licence::expression(one)))
        .collect();
    if written.iter().any(|(_, text)| text.contains(' ')) {
        let expression = licences::together(licences);
        return expression
            .map(|expression| Licence::Expression { expression })
            .into_iter()
            .collect();
    }
    let mut found: Vec<Licence> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for (name, text) in &written {
        if seen.contains(&text.as_str()) {
            continue;
        }
        seen.push(text);
        found.push(Licence::License(match text.starts_with("LicenseRef-") {
            true => Named::Name((*name).clone()),
            false => Named::Id(text.clone()),
        }));
    }
    found
}

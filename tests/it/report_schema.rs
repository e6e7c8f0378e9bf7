//! Reports against their published JSON Schema.

use loadline::goal::Blame;
use loadline::report::BaseReport;
use loadline::report::BaselineReport;
use loadline::report::CourseRef;
use loadline::report::EngineReport;
use loadline::report::GoalReport;
use loadline::report::ImageReport;
use loadline::report::LayerReport;
use loadline::report::LineBytes;
use loadline::report::Outcome;
use loadline::report::Problem;
use loadline::report::Report;
use loadline::report::SCHEMA;
use loadline::report::Timings;
use loadline::report::VerdictName;
use loadline::report::WarningReport;
use loadline::text::Clean;
use loadline::units::Bytes;
use proptest::prelude::*;
use serde_json::Value;

use crate::source::root;

fn schema() -> Value {
    let path = root().join("assets/schema/loadline.report.v1.json");
    let text = std::fs::read_to_string(path).expect("the schema is there");
    serde_json::from_str(&text).expect("the schema is JSON")
}

/// What does not fit; fails on a keyword that it does not know.
fn faults(whole: &Value, schema: &Value, value: &Value, path: &str) -> Vec<String> {
    let rules = schema.as_object().expect("a schema is an object").iter();
    rules
        .flat_map(|(keyword, rule)| match keyword.as_str() {
            "$schema" | "$id" | "title" | "description" | "$defs" | "format" => Vec::new(),
            "required" => missing(rule, value, path),
            "properties" => below(whole, rule, value, path),
            "items" => {
                let items = value.as_array().into_iter().flatten().enumerate();
                items
                    .flat_map(|(at, one)| faults(whole, rule, one, &format!("{path}[{at}]")))
                    .collect()
            }
            "$ref" => {
                let name = rule
                    .as_str()
                    .expect("a name")
                    .trim_start_matches("#/$defs/");
                faults(whole, &whole["$defs"][name], value, path)
            }
            "anyOf" => {
                let mut shapes = rule.as_array().expect("a list").iter();
                let fits = shapes.any(|shape| faults(whole, shape, value, path).is_empty());
                unless(fits, || format!("{path}: fits none of the shapes"))
            }
            "const" => unless(rule == value, || format!("{path}: is not {rule}")),
            "enum" => unless(rule.as_array().expect("a list").contains(value), || {
                format!("{path}: {value} is not one of {rule}")
            }),
            "type" => {
                let one = std::slice::from_ref(rule);
                let mut names = rule.as_array().map_or(one, Vec::as_slice).iter();
                let fits = names.any(|name| is_type(name.as_str().expect("a name"), value));
                unless(fits, || format!("{path}: {value} is no {rule}"))
            }
            "minimum" => unless(value.as_u64() >= rule.as_u64(), || {
                format!("{path}: {value} is less than {rule}")
            }),
            other => panic!("the schema uses `{other}`, which this test does not check"),
        })
        .collect()
}

fn unless(fits: bool, fault: impl FnOnce() -> String) -> Vec<String> {
    if fits { Vec::new() } else { vec![fault()] }
}

fn missing(required: &Value, value: &Value, path: &str) -> Vec<String> {
    let names = required.as_array().expect("a list").iter();
    names
        .map(|name| name.as_str().expect("a name"))
        .filter(|name| value.is_object() && value.get(name).is_none())
        .map(|name| format!("{path}: `{name}` is missing"))
        .collect()
}

/// The fields; one that a report holds and the schema does not describe is a fault as well.
fn below(whole: &Value, properties: &Value, value: &Value, path: &str) -> Vec<String> {
    let fields = value.as_object().into_iter().flatten();
    fields
        .flat_map(|(name, value)| match properties.get(name) {
            Some(schema) => faults(whole, schema, value, &format!("{path}.{name}")),
            None => vec![format!("{path}: `{name}` is not described")],
        })
        .collect()
}

fn is_type(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "null" => value.is_null(),
        other => panic!("the schema uses the type `{other}`"),
    }
}

fn check(report: &Value) -> Vec<String> {
    let schema = schema();
    faults(&schema, &schema, report, "report")
}

fn text() -> impl Strategy<Value = String> {
    "[ -~\u{e4}\u{2264}]{0,24}"
}

fn clean() -> impl Strategy<Value = Clean> {
    text().prop_map(|text| Clean::line(&text))
}

fn maybe<T: std::fmt::Debug>(inner: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    proptest::option::of(inner)
}

fn blame() -> impl Strategy<Value = Blame> {
    (maybe(1u32..9999), maybe(0usize..130), maybe(clean())).prop_map(|(line, layer, path)| Blame {
        line,
        layer,
        path,
    })
}

fn goal() -> impl Strategy<Value = GoalReport> {
    let verdict = prop_oneof![
        Just(VerdictName::Met),
        Just(VerdictName::Unmet),
        Just(VerdictName::Unknown)
    ];
    let lines = proptest::collection::vec(clean(), 0..4);
    let texts = (maybe(clean()), maybe(clean()), maybe(clean()), lines);
    (text(), text(), any::<bool>(), verdict, texts, blame()).prop_map(
        |(id, title, required, verdict, (actual, why, next_step, output), blame)| GoalReport {
            kind: id.clone(),
            id,
            title: title.clone(),
            required,
            verdict,
            expected: title,
            actual,
            why,
            next_step,
            blame,
            output,
        },
    )
}

fn image() -> impl Strategy<Value = ImageReport> {
    let layer =
        (maybe(clean()), maybe(1u32..9999), any::<u64>()).prop_map(|(created_by, line, bytes)| {
            LayerReport {
                created_by,
                line,
                shipped_bytes: Bytes(bytes),
            }
        });
    let line = (1u32..9999, any::<u64>()).prop_map(|(line, bytes)| LineBytes {
        line,
        bytes: Bytes(bytes),
    });
    let layers = proptest::collection::vec(layer, 0..4);
    let lines = proptest::collection::vec(line, 0..3);
    (text(), any::<u64>(), any::<bool>(), layers, lines).prop_map(
        |(id, bytes, exact, layers, builder_lines)| ImageReport {
            id,
            shipped_bytes: Bytes(bytes),
            exact,
            layers,
            builder_lines,
        },
    )
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Passed),
        Just(Outcome::Failed),
        Just(Outcome::BuildFailed),
        Just(Outcome::EngineUnavailable),
        Just(Outcome::CouldNotJudge),
        Just(Outcome::Cancelled)
    ]
}

fn warning() -> impl Strategy<Value = WarningReport> {
    (maybe(1u32..9999), clean()).prop_map(|(line, text)| WarningReport { line, text })
}

fn report() -> impl Strategy<Value = Report> {
    let problem =
        (clean(), maybe(clean()), blame()).prop_map(|(message, next_step, blame)| Problem {
            message,
            next_step,
            blame,
        });
    let base = (text(), any::<bool>()).prop_map(|(reference, stand_in)| BaseReport {
        resolved: reference.clone(),
        reference,
        stand_in,
    });
    let engine = text().prop_map(|version| EngineReport {
        name: "docker".to_owned(),
        version,
        store: "graphdriver".to_owned(),
        builder: "buildkit".to_owned(),
    });
    let timings =
        (any::<u64>(), any::<u64>(), any::<u64>()).prop_map(|(build, evidence, judge)| Timings {
            build,
            evidence,
            judge,
        });
    let warnings = proptest::collection::vec(warning(), 0..4);
    let goals = proptest::collection::vec(goal(), 0..4);
    let bases = proptest::collection::vec(base, 0..3);
    let parts = (maybe(image()), maybe(any::<u64>()), maybe(engine), timings);
    let found = (outcome(), maybe(problem), warnings, goals);
    (text(), found, bases, parts).prop_map(
        |(
            exercise,
            (outcome, problem, warnings, goals),
            bases,
            (image, baseline, engine, timings_ms),
        )| {
            Report {
                warnings,
                schema: SCHEMA.to_owned(),
                tool_version: "0.1.0".to_owned(),
                course: CourseRef {
                    id: "minimal-images".to_owned(),
                    version: "0".to_owned(),
                },
                exercise,
                outcome,
                problem,
                goals,
                image,
                baseline: baseline.map(|bytes| BaselineReport {
                    shipped_bytes: Bytes(bytes),
                }),
                bases,
                engine,
                timings_ms,
                started_at: "2026-11-24T02:00:00Z".to_owned(),
                finished_at: "2026-11-24T02:00:09.5Z".to_owned(),
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_report_comes_back_and_fits_its_schema(report in report()) {
        let text = serde_json::to_string(&report).expect("a report is JSON");
        let back: Report = serde_json::from_str(&text).expect("a report is read back");
        prop_assert_eq!(&back, &report);
        let value: Value = serde_json::from_str(&text).expect("JSON");
        prop_assert_eq!(check(&value), Vec::<String>::new());
    }
}

#[test]
fn a_report_that_does_not_fit_is_noticed() {
    let mut value = serde_json::json!({
        "schema": "loadline.report/v2", "tool_version": 1, "course": {"id": "a"},
        "exercise": "a", "outcome": "won", "goals": [{"id": "a"}], "image": 3,
        "baseline": null, "bases": [], "engine": null,
        "timings_ms": {"build": -1, "evidence": 0, "judge": 0},
        "started_at": "", "more": true
    });
    let found = check(&value);
    for wanted in [
        "report.schema: is not",
        "report.tool_version: 1 is no",
        "report.course: `version` is missing",
        "report.outcome: \"won\" is not one of",
        "report.goals[0]: `verdict` is missing",
        "report.image: fits none",
        "report: `finished_at` is missing",
        "report: `more` is not described",
    ] {
        let there = found.iter().any(|fault| fault.starts_with(wanted));
        assert!(there, "{wanted} is not in {found:#?}");
    }
    value["outcome"] = "passed".into();
    assert!(check(&value).len() < found.len());
}

#[test]
fn a_report_of_a_later_release_is_still_read() {
    let text = r#"{"schema":"loadline.report/v1","tool_version":"9","course":{"id":"a","version":"b","new":1},
        "exercise":"e","outcome":"passed","goals":[],"image":null,"baseline":null,"bases":[],"engine":null,
        "timings_ms":{"build":1,"evidence":2,"judge":3},"started_at":"","finished_at":"","added_later":[1]}"#;
    let report: Report = serde_json::from_str(text).expect("unknown fields are ignored");
    assert_eq!(report.outcome, Outcome::Passed);
}

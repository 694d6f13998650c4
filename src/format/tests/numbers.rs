//! Numbers with a point: one that is whole is that number, one that is not is none of a kind of whole numbers.

use super::*;
use crate::{
    graph::{Facts, WhyUnusable},
    model::Reader,
};

const U: &str = "1eb25301-52dc-4085-af2d-99410dd7edf8";

/// Values of all entities, then what is lost as no whole number.
fn told(facts: &Facts) -> Vec<String> {
    let observables = facts.entities.iter().flat_map(|it| &it.observables);
    let mut told: Vec<String> = observables.map(|it| format!("{}={}", it.kind, it.value)).collect();
    let lost = facts.entities.iter().flat_map(|it| &it.unusable);
    let broken = lost.filter(|it| it.why == WhyUnusable::NotWhole);
    told.extend(broken.map(|it| format!("lost {}={}", it.kind, it.value)));
    told
}

fn assert_told(text: &str, now: &[&str]) {
    let facts = decode(text.as_bytes(), &Symbol::new("f"), Format::Auto).unwrap();
    assert_eq!(told(&facts), now, "{text}");
    assert!(facts.issues.is_empty(), "{text}: {:?}", facts.issues);
    let then: Vec<_> = facts.as_read_by(Reader::THIRD).entities;
    let known = then.iter().flat_map(|it| &it.observables);
    assert!(known.into_iter().all(|it| !now.contains(&&*format!("{}={}", it.kind, it.value))));
}

#[test]
fn numbers_of_stix_with_a_point() {
    let object = |kind: &str, rest: &str| {
        format!(r#"{{"type":"bundle","objects":[{{"type":"{kind}","id":"{kind}--{U}",{rest}}}]}}"#)
    };
    let number = |number: &str| object("autonomous-system", &format!(r#""number":{number}"#));
    let misp = |kind: &str, number: &str| {
        object("x-misp-attribute", &format!(r#""x_misp_type":"{kind}","x_misp_value":{number}"#))
    };
    let pattern = |pattern: &str| object("indicator", &format!(r#""pattern":"[{pattern}]""#));
    assert_told(&number("64500.0"), &["asn=64500"]);
    assert_told(&number("6.45e4"), &["asn=64500"]);
    assert_told(&number("64500.1"), &["lost autonomous-system:number=64500.1"]);
    assert_told(&object("network-traffic", r#""dst_port":443.0"#), &["port=443"]);
    assert_told(&object("file", r#""size":10.0"#), &["file-size=10"]);
    assert_told(
        &object(
            "observed-data",
            r#""objects":{"0":{"type":"autonomous-system","number":64500.0},"1":{"type":"autonomous-system","number":1.5}}"#,
        ),
        &["asn=64500", "lost autonomous-system:number=1.5"],
    );
    assert_told(&misp("AS", "64500.0"), &["misp-AS=64500"]);
    assert_told(&misp("cc-number", "4.5"), &["lost x-misp:cc-number=4.5"]);
    assert_told(&pattern("autonomous-system:number = 64500.0"), &["asn=64500"]);
    let broken = "autonomous-system:number = 64500.1";
    assert_told(&pattern(broken), &[&format!("stix-pattern=[{broken}]")]);
}

#[test]
fn numbers_of_eclecticiq_with_a_point() {
    let package = |list: &str| {
        format!(
            r#"{{"entities":[{{"id":"{U}","data":{{"type":"incident","title":"x",
                "timestamp":"2024-05-14T11:00:00Z"}},"meta":{{}},{list}}}]}}"#
        )
    };
    let of = |kind: &str, value: &str| format!(r#"{{"kind":"{kind}","value":{value}}}"#);
    let all = [
        of("asn", "64502.0"),
        of("port", r#"{"value":443.0}"#),
        of("asn", "64502.1"),
        of("geo-lat", "52.5"),
    ]
    .join(",");
    let told = ["asn=64502", "port=443", "geo-lat=52.5", "lost asn=64502.1"];
    assert_told(&package(&format!(r#""extracts":[{all}]"#)), &told);
    assert_told(&package(&format!(r#""observables":[{all}]"#)), &told);
}

/// A text is what it says, whatever it looks like.
#[test]
fn a_text_that_looks_like_such_a_number_stays_as_it_is() {
    let text = format!(
        r#"{{"type":"bundle","objects":[{{"type":"autonomous-system","id":"autonomous-system--{U}","number":"64500.1"}}]}}"#
    );
    let facts = decode(text.as_bytes(), &Symbol::new("f"), Format::Auto).unwrap();
    assert_eq!(told(&facts), ["asn=64500.1"]);
    assert_eq!(told(&facts.as_read_by(Reader::FIRST)), ["asn=64500.1"]);
}

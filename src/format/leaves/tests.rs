//! What the leaves of an object say.

use super::*;

#[test]
fn every_text_is_there_with_its_keys_also_under_a_key_that_stands_there_twice() {
    let text = r#"{"A": "x", "a": ["y", {"B": 1, "c": null}], "d": {"e": {"f": true}}}"#;
    let leaves = Leaves::of(text).unwrap();
    let all: Vec<String> =
        leaves.0.iter().map(|leaf| format!("{} {}", leaf.path.join("/"), leaf.text)).collect();
    assert_eq!(all, ["a x", "a y", "a/b 1", "a/c null", "d/e/f true"]);
    assert!(leaves.0[2].is_in("a") && leaves.0[2].key() == "b");
    let respelled: Vec<Option<usize>> = leaves.0.iter().map(|leaf| leaf.respelled).collect();
    assert_eq!(respelled, [Some(0), None, Some(1), None, None]);
}

#[test]
fn a_key_among_labels_or_markings_may_be_one_unless_its_value_is_a_plain_no() {
    let strictest = |text: &str| {
        let leaves = Leaves::of(text).unwrap().0;
        leaves.iter().filter_map(|leaf| leaf.tlp()?.ok()).max()
    };
    for text in [
        r#"{"labels": {"tlp:red": null}}"#,
        r#"{"tags": {"TLP:RED": {"a": [1, 2]}}}"#,
        r#"{"x_markings": {"RED": true}}"#,
        r#"{"handling": [{"TLP:RED": []}]}"#,
        r#"{"taxonomy_paths": {"TLP": {"RED": {}}}}"#,
        r#"{"x_tlp": {"red": null, "green": []}}"#,
        r#"{"tlpred": true}"#,
        r#"{"x": {"tlp_red": "yes", "tlp_green": "no"}}"#,
        r#"{"x-tlp-red": 1, "is_tlp_green": "on"}"#,
        r#"{"tlpred": "green"}"#,
    ] {
        assert_eq!(strictest(text), Some(Tlp::Red), "{text}");
    }
    for text in [
        r#"{"labels": {"tlp:red": false, "tlp_id": 3, "red": true}}"#,
        r#"{"counts": {"tlp:red": 3}}"#,
        r#"{"tlp_red": false, "x": {"tlpred": 0, "is_tlp_amber": "no", "x-tlp-red": ""}}"#,
    ] {
        assert_eq!(strictest(text), None, "{text}");
    }
}

#[test]
fn an_object_with_more_places_than_memory_is_given_for_is_looked_at_no_further() {
    let flat = |count: usize| format!("{{\"tags\": [{}]}}", vec!["1"; count].join(","));
    assert!(Leaves::of(&flat(100_000)).is_ok());
    assert!(Leaves::of(&flat(PLACES_MAX / 4)).is_err());
    let deep = format!("{}{}{}", "[".repeat(60), "1,".repeat(99_999) + "1", "]".repeat(60));
    assert!(Leaves::of(&deep).is_err());
}

#[test]
fn a_text_that_is_json_says_what_stands_in_it_however_deep() {
    let said = |text: &str| {
        let leaves = Leaves::of(text).unwrap().0;
        leaves.iter().map(|it| format!("{} {}", it.path.join("/"), it.text)).collect::<Vec<_>>()
    };
    let quoted = |value: &str| serde_json::to_string(value).unwrap();
    let inner = r#"{"B": [1, "c"], "d": 1e999}"#;
    let one_by_one = "{\"b\": 1}\n{\"c\": 2}";
    for (value, expected) in [
        (inner, &["a/b 1", "a/b c", "a/d 1e999"][..]),
        (r#"[{"b": "c"} and"#, &["a/b c"]),
        (one_by_one, &["a/b 1", "a/c 2"]),
        ("\u{feff} {\"b\": \"c\"}", &["a/b c"]),
        (&quoted(r#"{"b": "c"}"#), &[r#"a {"b": "c"}"#, "a/b c"]),
        ("[domain-name:value = 'x']", &[]),
    ] {
        let text = format!(r#"{{"a": {}, "z": 1}}"#, quoted(value));
        let own = [format!("a {value}"), "z 1".to_owned()];
        let expected: Vec<String> = expected.iter().map(|it| (*it).to_owned()).collect();
        assert_eq!(said(&text), [&own[..], &expected].concat(), "{text}");
    }
    assert_eq!(said(&format!(r#"{{"description": {}}}"#, quoted(inner))).len(), 1);
    let (mut deep, mut times) = (r#"{"a": 1}"#.to_owned(), 1);
    while deep.len() < 100_000 {
        (deep, times) = (format!(r#"{{"a": {}}}"#, quoted(&deep)), times + 1);
    }
    assert!(times > 10);
    assert_eq!(said(&deep).len(), times);
}

#[test]
fn what_is_too_large_or_nested_too_deep_in_a_text_is_not_passed_over() {
    let within = |text: &str| Leaves::of(&format!(r#"{{"a": "{text}"}}"#));
    assert!(within(&"[".repeat(126)).is_ok());
    assert!(within(&"[".repeat(200)).is_err());
    let many = vec!["1"; PLACES_MAX / 4].join(",");
    assert!(within(&format!("[{many}]")).is_err());
}

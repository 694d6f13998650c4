//! Objects one a line, of which some are damaged.

use super::*;
use crate::graph::Facts;

fn object(number: u8) -> String {
    format!(
        r#"{{"type":"tool","id":"tool--1eb25301-52dc-4085-af2d-99410dd7ed0{number}","name":"{number}"}}"#
    )
}

fn read(text: impl AsRef<[u8]>, file: &str) -> Result<Facts, FormatError> {
    decode(text.as_ref(), &Symbol::new(file), Format::Auto)
}

fn titles(facts: &Facts) -> Vec<&str> {
    facts.entities.iter().map(|entity| &*entity.title).collect()
}

#[test]
fn a_damaged_line_costs_only_itself_and_is_told_with_its_number() {
    let (first, last) = (object(1), object(3));
    let id = "tool--1eb25301-52dc-4085-af2d-99410dd7ed02";
    for (bad, why) in [
        (format!(r#"{{"type":"tool","id":"{id}","name":"x"#), "breaks off"),
        (format!(r#"{{"type":"tool","id":"{id}","#), "breaks off"),
        (format!(r#"{{"type":"tool","id":"{id}""#), "breaks off"),
        (format!(r#"{{"type":"tool","id":"{id}","a":[}}"#), "breaks off"),
        (format!(r#"{{"id" "{id}"}}"#), "is no JSON: expected `:`"),
        (format!(r#"{{"id":"{id}",}}"#), "is no JSON: "),
        (format!(r#"{{"id":"{id}"}}"#), "says nowhere what it is"),
        (format!("x {id}"), "holds something that is no object"),
        (format!("\"{id}\""), "holds something that is no object"),
        (format!("<html>{id}"), "holds something that is no object"),
        (format!("}},{id}"), "holds something that is no object"),
    ] {
        for end in ["\n", "\r\n"] {
            let found = read([&*first, &bad, &last].join(end), "f").unwrap();
            assert_eq!((titles(&found), found.skipped), (vec!["1", "3"], 1), "{bad}");
            let told = found.issues[0].to_string();
            assert!(told.starts_with("f (document 2): skipped: line 2 "), "{told}");
            assert!(told.contains(why) && told.ends_with("; left out"), "{told}");
            // As the last one it is a line as well.
            let found = read(format!("{first}{end}{last}{end}{bad}"), "f").unwrap();
            assert_eq!((titles(&found), found.skipped), (vec!["1", "3"], 1), "{bad}");
            // By the name of the file it is known from the first line on.
            for file in ["a.jsonl", "a.NDJSON.gz"] {
                let found = read([&*bad, &first, &last].join(end), file);
                match found {
                    Ok(found) => assert_eq!((titles(&found), found.skipped), (vec!["1", "3"], 1)),
                    Err(error) => {
                        assert!(!bad.starts_with('{') || bad.ends_with('}'), "{bad}: {error}");
                    }
                }
            }
        }
    }
}

#[test]
fn what_a_damaged_line_may_be_counts_as_lost() {
    let green = r#"{"type":"tool","id":"tool--1eb25301-52dc-4085-af2d-99410dd7ed02","name":"x","modified":"2024-01-01T00:00:00Z"}"#;
    let red =
        r#"{"type":"tool","id":"tool--1eb25301-52dc-4085-af2d-99410dd7ed02","labels":["tlp:r"#;
    let in_list = format!(
        r#"{{"objects":[{green},{{"type":"tool","id":"tool--1eb25301-52dc-4085-af2d-99410dd7ed02","a":01}}]}}"#
    );
    let digest = |mut facts: Facts| {
        facts.settle(&crate::graph::Said::new());
        facts.entities.iter().map(|it| (it.tlp, it.partly)).collect::<Vec<_>>()
    };
    let in_list = digest(read(in_list, "f").unwrap());
    assert_eq!(digest(read(format!("{green}\n{red}"), "f").unwrap()), in_list);
    assert_eq!(digest(read(format!("{red}\n{green}"), "f.jsonl").unwrap()), in_list);
}

#[test]
fn lines_and_objects_that_go_on_behind_them_are_told_apart() {
    let (one, two) = (object(1), object(2));
    let pretty = |text: &str| {
        serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(text).unwrap())
    };
    let (one_long, two_long) = (pretty(&one).unwrap(), pretty(&two).unwrap());
    let package = format!("{{\"objects\":[\n{two}\n]}}");
    for text in [
        format!("{one}\n{two}"),
        format!("{one}\n\n {two} \n"),
        format!("{one}\n{two_long}"),
        format!("{one_long}\n{two_long}"),
        format!("{one_long}\n{two}"),
        format!("{one}\n{package}"),
        format!("{one}\n[\n{two}\n]"),
        format!("[\n{one},\n{two}\n]"),
        format!("{one} {two}"),
    ] {
        for file in ["f", "f.jsonl"] {
            let found = read(&text, file).unwrap();
            assert_eq!((titles(&found), found.skipped), (vec!["1", "2"], 0), "{file}: {text}");
        }
    }
    // A package that breaks off is no line, and where no line is sound nothing is.
    let cut = &package[..package.len() - 3];
    assert!(read(format!("{one}\n{cut}"), "f").is_err());
    let error = read(&one[..20], "f.jsonl").unwrap_err().to_string();
    assert!(error.contains("no line of it holds an object"), "{error}");
}

#[test]
fn a_line_without_end_is_passed_over_whatever_the_reads() {
    let sound = r#"{"type":"x","id":"x--1"}"#;
    let long = format!(r#"{{"type":"x","id":"x--2","a":"{}"#, "y".repeat(1_000));
    let text = format!("{sound}\n{long}\n{sound}\n{long}");
    for size in [1, 7, 100, 10_000] {
        let input = Dribble { rest: text.as_bytes(), sizes: vec![size], reads: 0 };
        let mut scribe = Scribe::default();
        split(input, &Symbol::new("f.jsonl"), SMALL, &mut scribe).unwrap();
        let told: Vec<_> = scribe.0.iter().filter(|line| line.contains("skipped")).collect();
        let expected = |document: u8| {
            format!(
                "f.jsonl (document {document}): skipped: line {document} is longer than 200 bytes; left out (x--2)"
            )
        };
        assert_eq!(told, [&expected(2), &expected(4)], "{size}");
    }
}

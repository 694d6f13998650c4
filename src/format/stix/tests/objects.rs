//! What each kind of object gives.

use super::*;

#[test]
fn an_incident_keeps_all_that_facts_can_hold() {
    let entity = one(&json!({
        "type": "incident", "spec_version": "2.1", "id": format!("incident--{U1}").to_uppercase(),
        "created": "2024-05-14T11:00:00Z", "modified": "2024-05-15T11:00:00.5Z",
        "name": " Breach ", "labels": ["a", "b"], "confidence": 80, "x_custom": {"deep": [1]},
        "external_references": [
            {"source_name": "blog", "url": "HTTPS://example.com/x", "external_id": "T1059"},
            {"source_name": "mail", "url": "mailto:a@example.com"},
        ],
    }));
    assert_eq!(entity.key.as_str(), format!("incident--{U1}"));
    assert_eq!(&*entity.id, format!("INCIDENT--{U1}"));
    assert_eq!((&*entity.kind, &*entity.title), ("incident", " Breach "));
    assert_eq!(entity.created, Timestamp::parse("2024-05-14T11:00:00Z").ok());
    assert_eq!(entity.modified, Timestamp::parse("2024-05-15T11:00:00.5Z").ok());
    assert_eq!(entity.tags, ["a".into(), "b".into()]);
    assert_eq!(entity.references, ["HTTPS://example.com/x".into()]);
    assert_eq!(entity.external_ids, ["T1059".into()]);
    assert_eq!((entity.tlp, entity.removed), (None, false));
}

#[test]
fn an_indicator_gives_what_its_pattern_says() {
    let indicator = |properties: Value| {
        let mut object = json!({"type": "indicator", "id": format!("indicator--{U1}")});
        object.as_object_mut().unwrap().extend(properties.as_object().unwrap().clone());
        one(&object)
    };
    let entity = indicator(json!({
        "pattern": "[url:value = 'https://example.com/']", "pattern_type": "stix",
        "valid_from": "2024-01-01T00:00:00Z", "valid_until": "2025-01-01T00:00:00Z",
    }));
    assert_eq!(kinds_and_values(&entity.observables), [("uri", "https://example.com/")]);
    assert!(entity.observables[0].links.has("test-mechanism"));
    assert_eq!(entity.start.unwrap().day(), "2024-01-01");
    assert_eq!(entity.end.unwrap().day(), "2025-01-01");
    for (pattern_type, kind) in [
        ("yara", "yara"),
        ("Snort", "snort"),
        ("suricata", "snort"),
        ("sigma", "sigma"),
        ("pcre", "pcre-pattern"),
        ("ipv4", "ipv4-pattern"),
    ] {
        let entity = indicator(json!({"pattern": "rule x", "pattern_type": pattern_type}));
        assert_eq!(kinds_and_values(&entity.observables), [(kind, "rule x")]);
        assert!(entity.observables[0].links.has("test-mechanism"));
    }
    let entity = indicator(json!({"pattern": "[url:value = 'https://example.com/'"}));
    assert_eq!(entity.observables, []);
    assert!(matches!(entity.unusable[0].why, WhyUnusable::PatternSyntax(35, _)));
}

#[test]
fn a_benign_indicator_is_never_bad() {
    let maliciousness = |types: Value| {
        one(&json!({
            "type": "indicator", "id": format!("indicator--{U1}"),
            "pattern": "[url:value = 'a']", "indicator_types": types,
        }))
        .observables[0]
            .maliciousness
    };
    assert_eq!(maliciousness(json!(["benign"])), Maliciousness::Safe);
    assert_eq!(maliciousness(json!(["benign", "malicious-activity"])), Maliciousness::Unknown);
    assert_eq!(maliciousness(json!(["anonymization"])), Maliciousness::Unknown);
}

#[test]
fn an_indicator_without_a_pattern_is_kept_with_a_warning() {
    let facts = decode(&json!([{"type": "indicator", "id": format!("indicator--{U1}")}]));
    assert_eq!((facts.entities.len(), facts.skipped), (1, 0));
    assert_eq!(
        facts.issues[0].to_string(),
        format!(
            "bundle.json#/objects/0: warning: indicator--{U1} has no pattern, so no observables"
        )
    );
    for (pattern, shape) in
        [(json!(["[url:value = 'a']"]), "a list"), (json!({"a": 1}), "an object")]
    {
        let id = format!("indicator--{U1}");
        let facts = decode(&json!([{"type": "indicator", "id": id, "pattern": pattern}]));
        let told = facts.issues[0].to_string();
        assert!(told.contains(&format!("the pattern of {id} is {shape} and no text")), "{told}");
    }
}

#[test]
fn titles_where_there_is_no_name() {
    for (kind, properties, title) in [
        ("location", json!({"country": "NL", "city": "Utrecht"}), "Utrecht, NL"),
        ("location", json!({"region": "northern-europe"}), "northern-europe"),
        ("note", json!({"abstract": "a", "content": "b"}), "a"),
        ("malware-analysis", json!({"product": "p"}), "p"),
        ("threat-actor", json!({"description": "d"}), ""),
        ("url", json!({"value": "https://example.com/"}), "https://example.com/"),
        ("file", json!({"hashes": {"MD5": "aa"}}), "aa"),
        ("file", json!({"hashes": {"MD5": "aa"}, "name": "n"}), "n"),
        ("network-traffic", json!({"dst_port": 443}), ""),
        ("x-acme-thing", json!({"name": "n"}), "n"),
    ] {
        let mut object = json!({"type": kind, "id": format!("{kind}--{U1}")});
        object.as_object_mut().unwrap().extend(properties.as_object().unwrap().clone());
        let entity = one(&object);
        assert_eq!((&*entity.kind, &*entity.title), (kind, title));
    }
}

#[test]
fn a_vulnerability_has_the_ids_of_its_name_and_references() {
    let entity = one(&json!({
        "type": "vulnerability", "id": format!("vulnerability--{U1}"),
        "name": "CVE-2021-44228 and CVE-2021-45046",
        "external_references": [{"source_name": "cve", "external_id": "CVE-2021-44228"}],
    }));
    assert_eq!(entity.external_ids, ["CVE-2021-44228".into(), "CVE-2021-45046".into()]);
}

#[test]
fn observed_data_has_the_observables_of_its_objects() {
    let facts = decode(&json!([
        {"type": "observed-data", "id": format!("observed-data--{U1}"),
         "first_observed": "2024-01-01T00:00:00Z", "last_observed": "2024-01-02T00:00:00Z",
         "object_refs": [format!("network-traffic--{U2}"), format!("process--{U4}")]},
        {"type": "network-traffic", "id": format!("network-traffic--{U2}"), "dst_port": 443,
         "src_ref": format!("ipv4-addr--{U3}"), "dst_ref": format!("ipv4-addr--{U4}")},
        {"type": "ipv4-addr", "id": format!("ipv4-addr--{U3}"), "value": "198.51.100.3"},
    ]));
    assert_eq!(facts.issues, []);
    let by_kind = |kind: &str| facts.entities.iter().find(|e| &*e.kind == kind).unwrap();
    let traffic = by_kind("network-traffic");
    let expected = [("port", "443"), ("ip-src", "198.51.100.3")];
    assert_eq!(kinds_and_values(&traffic.observables), expected);
    assert!(traffic.observables.iter().all(|o| o.context_only && !o.links.has("observed")));
    let observed = by_kind("observed-data");
    assert_eq!(kinds_and_values(&observed.observables), expected);
    assert!(observed.observables.iter().all(|o| o.context_only && o.links.has("observed")));
    assert_eq!(observed.start.unwrap().day(), "2024-01-01");
    assert_eq!(observed.end.unwrap().day(), "2024-01-02");
    assert_eq!(kinds_and_values(&by_kind("ipv4-addr").observables), [("ipv4", "198.51.100.3")]);
}

#[test]
fn observed_data_of_stix_2_0_holds_its_objects_itself() {
    let entity = one(&json!({
        "type": "observed-data", "id": format!("observed-data--{U1}"),
        "objects": {"0": {"type": "domain-name", "value": "a.example", "resolves_to_refs": ["1"]},
                    "1": {"type": "ipv4-addr", "value": "198.51.100.3"}},
    }));
    let mut shown = kinds_and_values(&entity.observables);
    shown.sort_unstable();
    assert_eq!(
        shown,
        [("domain", "a.example"), ("ipv4", "198.51.100.3"), ("ipv4", "198.51.100.3")]
    );
}

#[test]
fn objects_about_objects_give_no_entity() {
    let facts = decode(&json!([
        {"type": "language-content", "id": format!("language-content--{U1}"),
         "object_ref": format!("malware--{U2}")},
        {"type": "extension-definition", "id": format!("extension-definition--{U1}"), "name": "x"},
    ]));
    assert_eq!((facts.entities.len(), facts.issues.len()), (0, 0));
}

#[test]
fn labels_stand_where_stix_2_0_has_no_indicator_types() {
    let maliciousness = |properties: Value| {
        let mut object = json!({"type": "indicator", "id": format!("indicator--{U1}"),
                                "pattern": "[url:value = 'a']"});
        object.as_object_mut().unwrap().extend(properties.as_object().unwrap().clone());
        one(&object).observables[0].maliciousness
    };
    for (properties, expected) in [
        (json!({"labels": ["benign"]}), Maliciousness::Safe),
        (json!({"labels": [" Benign", "x"]}), Maliciousness::Safe),
        (json!({"labels": ["benign", "malicious-activity"]}), Maliciousness::Unknown),
        (json!({"labels": ["x"]}), Maliciousness::Unknown),
        (
            json!({"labels": ["benign"], "indicator_types": ["malicious-activity"]}),
            Maliciousness::Unknown,
        ),
    ] {
        assert_eq!(maliciousness(properties.clone()), expected, "{properties}");
    }
}

/// Kind and value of what an object gives, then what no rule knows of it.
fn gives(object: &Value) -> Vec<String> {
    let mut object = object.clone();
    object["id"] = json!(format!("{}--{U1}", object["type"].as_str().unwrap()));
    let entity = one(&object);
    assert!(entity.observables.iter().all(|it| it.context_only), "{object}");
    let values = entity.observables.iter().map(|it| format!("{}={}", it.kind, it.value));
    values.chain(entity.unusable.iter().map(|it| format!("?{}={}", it.kind, it.value))).collect()
}

#[test]
fn every_value_of_an_observable_is_there() {
    for (object, expected) in [
        (json!({"type": "hostname", "value": "a.example"}), &["host=a.example"][..]),
        (json!({"type": "x-opencti-hostname", "value": "b.example"}), &["host=b.example"]),
        (json!({"type": "user-agent", "value": "Bot/1"}), &["user-agent=Bot/1"]),
        (json!({"type": "phone-number", "value": "+49 30 1"}), &["telephone=+49 30 1"]),
        (json!({"type": "text", "value": "words"}), &["text=words"]),
        (json!({"type": "credential", "value": "s3cret"}), &["?credential:value=s3cret"]),
        (
            json!({"type": "bank-account", "value": "x", "iban": "DE89", "bic": "AB"}),
            &["bank-account=x", "bank-account=DE89", "bic=AB"],
        ),
        (
            json!({"type": "payment-card", "value": "4111", "card_number": "4111", "cvv": "1"}),
            &["card=4111", "card=4111", "?payment-card:cvv=1"],
        ),
        (
            json!({"type": "artifact", "hashes": {"SHA-256": "aa", "X": "b"}, "payload_bin": "QQ==",
                   "mime_type": "text/plain"}),
            &[
                "hash-sha256=aa",
                "mime-type=text/plain",
                "?artifact:hashes.X=b",
                "?artifact:payload_bin=QQ==",
            ],
        ),
        (
            json!({"type": "email-message", "is_multipart": true, "subject": "s", "body": "b",
                   "message_id": "<1>", "date": "2024-01-01T00:00:00Z",
                   "received_lines": ["from x"], "additional_header_fields": {
                       "X-Mailer": "M", "reply-to": ["r@x.example"], "X-Originating-IP": "1.2.3.4"},
                   "body_multipart": [{"body": "c", "content_type": "text/html"}]}),
            &[
                "email-subject=s",
                "email-message-id=<1>",
                "email-header=from x",
                "email-x-mailer=M",
                "email-reply-to=r@x.example",
                "email-header=X-Originating-IP: 1.2.3.4",
                "email-body=b",
                "email-body=c",
                "?email-message:body_multipart.content_type=text/html",
                "?email-message:date=2024-01-01T00:00:00Z",
            ],
        ),
        (
            json!({"type": "windows-registry-key", "key": "HKCU\\Run",
                   "values": [{"name": "Upd", "data": "e.exe", "data_type": "REG_SZ"}]}),
            &[
                "winregistry=HKCU\\Run",
                "?windows-registry-key:values.data=e.exe",
                "?windows-registry-key:values.name=Upd",
            ],
        ),
        (json!({"type": "directory", "path": "/tmp"}), &["?directory:path=/tmp"]),
        (json!({"type": "x-acme-beacon", "key": 7, "on": true}), &["?x-acme-beacon:key=7"]),
        (
            json!({"type": "acme-beacon", "created": "2024-01-01T00:00:00Z", "key": 7,
                   "extensions": {"extension-definition--1": {"extension_type": "new-sco"}}}),
            &["?acme-beacon:key=7"],
        ),
        (json!({"type": "acme-thing", "created": "2024-01-01T00:00:00Z", "key": 7}), &[]),
        (json!({"type": "campaign", "objective": "x"}), &[]),
    ] {
        assert_eq!(gives(&object), expected, "{object}");
    }
}

#[test]
fn an_object_takes_over_what_it_refers_to() {
    let facts = decode(&json!([
        {"type": "email-message", "id": format!("email-message--{U1}"),
         "from_ref": format!("email-addr--{U2}"), "to_refs": [format!("email-addr--{U3}")],
         "bcc_refs": [format!("email-addr--{U3}")],
         "body_multipart": [{"body_raw_ref": format!("file--{U4}")}]},
        {"type": "email-addr", "id": format!("email-addr--{U2}"), "value": "a@x.example"},
        {"type": "email-addr", "id": format!("email-addr--{U3}"), "value": "b@x.example"},
        {"type": "file", "id": format!("file--{U4}"), "name": "i.exe", "hashes": {"MD5": "aa"},
         "ctime": "2024", "content_ref": format!("artifact--55555555-5555-4555-8555-555555555555")},
        {"type": "artifact", "id": "artifact--55555555-5555-4555-8555-555555555555",
         "hashes": {"MD5": "bb"}},
    ]));
    assert_eq!(facts.issues, []);
    let of = |kind: &str| facts.entities.iter().find(|it| &*it.kind == kind).unwrap();
    assert_eq!(
        kinds_and_values(&of("email-message").observables),
        [
            ("email-src", "a@x.example"),
            ("email-dst", "b@x.example"),
            ("email-dst", "b@x.example"),
            ("hash-md5", "aa"),
            ("email-attachment", "i.exe"),
        ]
    );
    assert_eq!(&*of("email-message").unusable[0].kind, "file:ctime");
    assert_eq!(
        kinds_and_values(&of("file").observables),
        [("hash-md5", "aa"), ("file", "i.exe"), ("hash-md5", "bb")]
    );
}

#[test]
fn a_name_that_is_null_in_words_is_none_and_nothing_that_is_written_twice_is_lost() {
    for name in ["null", " None ", ""] {
        let facts = decode(&json!([
            {"type": "incident", "id": format!("incident--{U1}"), "name": name},
        ]));
        assert_eq!(&*facts.entities[0].title, "", "{name}");
    }
    let raw = format!(
        r#"{{"type": "domain-name", "id": "domain-name--{U1}", "value": "a.example", "value": "b.example"}}"#
    );
    let facts = decode_raw(&[&raw]);
    let values: Vec<&str> = facts.entities[0].observables.iter().map(|it| &*it.value).collect();
    assert_eq!(values, ["a.example", "b.example"]);
}

#[test]
fn a_pattern_of_what_is_no_indicator_is_told_not_passed_over() {
    for kind in ["indicators", " indicator ", "x-rule"] {
        let object = format!(
            r#"{{"type":"{kind}","id":"indicator--{U1}","pattern":"[domain-name:value='a.example']"}}"#
        );
        let facts = decode_raw(&[&object]);
        let told = facts.issues.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert!(told[0].contains("only that of an `indicator` is read"), "{told:?}");
        assert_eq!((told.len(), facts.skipped), (1, 0));
    }
}

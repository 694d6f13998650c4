//! What becomes of each observable and entity.

use super::*;

#[test]
fn each_kind_has_its_type_and_category() {
    let md5 = "d41d8cd98f00b204e9800998ecf8427e";
    const BTC: &str = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa";
    let long = |count: usize| "a".repeat(count);
    let sigma = "title: x\nlogsource: y\ndetection: z";
    for (kind, value, wanted, category, stored) in [
        ("ipv4", "198.51.100.7", "ip-dst", "Network activity", "198.51.100.7"),
        ("ipv6-cidr", "2001:db8::/32", "ip-dst", "Network activity", "2001:db8::/32"),
        ("ip-src", "198.51.100.7", "ip-src", "Network activity", "198.51.100.7"),
        ("domain", "example.org", "domain", "Network activity", "example.org"),
        ("host", "www.example.org.", "hostname", "Network activity", "www.example.org"),
        ("host", "198.51.100.7.", "ip-dst", "Network activity", "198.51.100.7"),
        ("host", "2001:db8::1", "ip-dst", "Network activity", "2001:db8::1"),
        ("uri", "http://example.org/a", "url", "Network activity", "http://example.org/a"),
        ("uri", "example.org:80/a", "uri", "Network activity", "example.org:80/a"),
        ("email", "a@example.org", "email", "Payload delivery", "a@example.org"),
        ("email-subject", "Hello", "email-subject", "Payload delivery", "Hello"),
        ("file", "a.exe", "filename", "Payload delivery", "a.exe"),
        ("file-size", "17", "size-in-bytes", "Other", "17"),
        ("hash-md5", md5, "md5", "Payload delivery", md5),
        ("hash-sha256", &long(64), "sha256", "Payload delivery", &long(64)),
        ("hash-authentihash", &long(64), "authentihash", "Payload delivery", &long(64)),
        ("ja3-hash", md5, "ja3-fingerprint-md5", "Network activity", md5),
        ("mutex", "Global\\x", "mutex", "Artifacts dropped", "Global\\x"),
        ("winregistry", "HKLM\\x", "regkey", "Persistence mechanism", "HKLM\\x"),
        ("port", "443", "port", "Network activity", "443"),
        ("asn", "AS-6400", "AS", "Network activity", "6400"),
        ("cve", "2021-45105", "vulnerability", "External analysis", "CVE-2021-45105"),
        ("cwe", "79", "weakness", "External analysis", "CWE-79"),
        ("snort", "alert x", "snort", "Network activity", "alert x"),
        ("yara", "rule x {}", "yara", "Payload installation", "rule x {}"),
        ("rule", "[url:value = 'x']", "stix2-pattern", "Payload installation", "[url:value = 'x']"),
        ("rule", sigma, "sigma", "Payload installation", sigma),
        ("malware", "Ebury", "malware-type", "Payload delivery", "Ebury"),
        ("actor-id", "Turla", "threat-actor", "Attribution", "Turla"),
        (
            "bank-account",
            "DE89370400440532013000",
            "iban",
            "Financial fraud",
            "DE89370400440532013000",
        ),
        ("bank-account", "12345678", "bank-account-nr", "Financial fraud", "12345678"),
        ("bank-account", BTC, "btc", "Financial fraud", BTC),
        ("mac48", "00-11-22-33-44-55", "mac-address", "Network activity", "00:11:22:33:44:55"),
        ("telephone", "+4930123456", "phone-number", "Person", "+4930123456"),
        ("person", "Ann", "full-name", "Person", "Ann"),
        ("registrar", "X Inc", "whois-registrar", "Attribution", "X Inc"),
    ] {
        let mapped = mapped(holding(vec![observable(kind, value)]));
        assert_eq!(rows(&mapped), [(wanted, category, stored)], "{kind}");
        let source = &only(&mapped).sources[0];
        assert_eq!((&source.entity, &*source.kind), (&key(2), kind));
        assert_eq!(&*source.rule, format!("observable.{kind}/{wanted}"));
        assert_eq!(source.raw.as_deref(), (value != stored).then_some(value));
    }
}

#[test]
fn a_kind_or_form_without_a_rule_is_lost_or_becomes_text() {
    let kinds = [
        ("ja3s-hash", "x"),
        ("bank-account", "DE00"),
        ("crypto-address", "x"),
        ("rule", "x"),
        ("name", "x"),
        ("organization", "ACME"),
        ("test-mechanism", "x"),
        ("attack", "T1566.001"),
        ("nobody-knows", "x"),
    ];
    for (kind, value) in kinds {
        let lost = mapped(holding(vec![observable(kind, value)]));
        assert!(lost.event.attributes.is_empty(), "{kind}");
        assert_eq!(lost.losses[0].reason, LossReason::NoMispType);
        assert_eq!(lost.tally.lost, BTreeMap::from([("no_misp_type", 1)]));
    }
    let settings = Settings { text_fallback: true, ..Rules::standard().settings() };
    let rules = Rules::standard().with_settings(settings);
    let held = vec![observable("name", "x"), bad("nobody-knows", "x")];
    let text = mapped_via("x", holding(held), &rules);
    assert_eq!(rows(&text), [("text", "Other", "x")]);
    let attribute = &only(&text).attribute;
    assert_eq!(&*attribute.comment, "name, nobody-knows: indicator 2");
    assert!(!attribute.to_ids);
    assert_eq!((text.tally.mapped, text.tally.merged), (1, 1));
}

#[test]
fn victims_are_known_by_their_link() {
    for (kind, link, wanted) in [
        ("organization", "targeted-victim", Some("target-org")),
        ("company", "affected-asset", Some("target-org")),
        ("country", "targeted-victim", Some("target-location")),
        ("city", "affected-asset", None),
        ("organization", "related", None),
    ] {
        let links = LinkTypes::default().with(link);
        let held = vec![Observable { links, ..observable(kind, "ACME") }, observable(kind, "ACME")];
        let mapped = mapped(holding(held));
        let kinds: Vec<&str> = rows(&mapped).iter().map(|row| row.0).collect();
        assert_eq!(kinds, wanted.into_iter().collect::<Vec<_>>(), "{kind} {link}");
        assert_eq!(mapped.tally.occurrences, 1);
    }
}

#[test]
fn detection_needs_a_reason_and_no_good_word() {
    let tested = LinkTypes::default().with("test-mechanism");
    let cases = [
        (observable("ipv4", "a"), false, false),
        (bad("ipv4", "a"), false, true),
        (Observable { links: tested, ..observable("ipv4", "a") }, false, true),
        (observable("ipv4", "a"), true, true),
        (Observable { maliciousness: Maliciousness::Safe, ..observable("ipv4", "a") }, true, false),
        (Observable { context_only: true, ..bad("ipv4", "a") }, true, false),
        (bad("port", "443"), true, false),
    ];
    for (mut given, is_tagged, wanted) in cases {
        if &*given.kind == "ipv4" {
            given.value = "198.51.100.7".into();
        }
        let mut entities = holding(vec![given.clone()]);
        entities[1].tags = if is_tagged { vec!["IDS".into()] } else { vec![] };
        let desired = mapped(entities.clone());
        assert_eq!(only(&desired).attribute.to_ids, wanted, "{given:?}");
        entities[1].end = Some(NOW.plus_seconds(-1));
        let expired = mapped(entities);
        assert!(!only(&expired).attribute.to_ids);
        assert_eq!(only(&expired).attribute.last_seen, Some(NOW.plus_seconds(-1)));
    }
}

#[test]
fn what_is_good_or_the_victims_own_never_detects_whoever_calls_it_bad() {
    let linked = |link: &str| Observable {
        links: LinkTypes::default().with(link),
        ..bad("domain", "a.example")
    };
    let good =
        Observable { maliciousness: Maliciousness::Safe, ..observable("domain", "A.example") };
    let tagged = |mut entity: Entity| {
        entity.tags = vec!["IDS".into()];
        entity
    };
    for (barrier, wanted) in [
        (good, false),
        (linked("affected-asset"), false),
        (linked("targeted-victim"), false),
        (linked("related"), true),
        (observable("domain", "a.example"), true),
        (Observable { context_only: true, ..observable("domain", "a.example") }, true),
    ] {
        let tested =
            Observable { links: linked("test-mechanism").links, ..bad("domain", "a.example") };
        let apart = vec![
            entity("incident", 1),
            Entity { observables: vec![barrier.clone()], ..entity("indicator", 2) },
            tagged(Entity { observables: vec![tested.clone()], ..entity("indicator", 3) }),
        ];
        let together = holding(vec![tested, barrier.clone()]);
        for entities in [apart, together] {
            let desired = mapped(entities);
            assert_eq!(only(&desired).attribute.to_ids, wanted, "{barrier:?}");
        }
    }
}

#[test]
fn a_name_apart_from_the_title_is_what_an_entity_gives() {
    let actor = Entity { name: Some("FIN7".into()), ..entity("threat-actor", 2) };
    let held = Entity { observables: vec![observable("domain", "a.example")], ..actor };
    let mapped = mapped(vec![entity("incident", 1), held]);
    let named = ("threat-actor", "Attribution", "FIN7");
    assert_eq!(rows(&mapped), [("domain", "Network activity", "a.example"), named]);
    let comments: Vec<_> =
        mapped.event.attributes.iter().map(|it| &*it.attribute.comment).collect();
    assert_eq!(comments, ["threat-actor 2", "threat-actor 2"]);
}

#[test]
fn entities_give_attributes_themselves() {
    for (kind, via, title, wanted) in [
        ("threat-actor", "x", " Turla\n", Some(("threat-actor", "Attribution", "Turla"))),
        ("intrusion-set", "x", "Turla", Some(("threat-actor", "Attribution", "Turla"))),
        ("campaign", "x", "Ghost", Some(("campaign-name", "Attribution", "Ghost"))),
        ("malware", "x", "Ebury", Some(("malware-type", "Payload delivery", "Ebury"))),
        ("identity", "targets", "ACME", Some(("target-org", "Targeting data", "ACME"))),
        ("identity", "affected_assets", "ACME", Some(("target-org", "Targeting data", "ACME"))),
        ("identity", "related-to", "ACME", None),
        ("location", "located-at", "Oz", Some(("target-location", "Targeting data", "Oz"))),
        ("location", "related-to", "Oz", None),
        ("indicator", "x", "Any", None),
        ("threat-actor", "x", "  ", None),
    ] {
        let entities =
            vec![entity("incident", 1), Entity { title: title.into(), ..entity(kind, 2) }];
        let mapped = mapped_via(via, entities, &Rules::standard());
        assert_eq!(rows(&mapped), wanted.into_iter().collect::<Vec<_>>(), "{kind} {via}");
    }
}

#[test]
fn vulnerabilities_give_their_ids_and_incidents_their_links() {
    let weak = Entity {
        title: "Log4Shell CVE-2021-44228 (CWE-502)".into(),
        external_ids: ["cve-2021-44228", "T1059"].map(Into::into).to_vec(),
        references: vec!["https://example.org/not-of-the-incident".into()],
        ..entity("vulnerability", 2)
    };
    let references = ["https://example.org/a", "ftp://example.org/", ""].map(Into::into).to_vec();
    let mapped = mapped(vec![Entity { references, ..entity("incident", 1) }, weak]);
    assert!(rows(&mapped).contains(&("link", "External analysis", "https://example.org/a")));
    assert!(rows(&mapped).contains(&("weakness", "External analysis", "CWE-502")));
    assert_eq!(mapped.tally.lost, BTreeMap::from([("not_a_link", 1)]));
    assert_eq!(mapped.tally.occurrences, 5);
}

#[test]
fn a_last_seen_before_the_first_is_dropped_and_counted() {
    let mut entities = holding(vec![observable("domain", "example.org")]);
    entities[1].start = Some(Timestamp::from_seconds(20));
    entities[1].end = Some(Timestamp::from_seconds(10));
    let mapped = mapped(entities);
    assert_eq!(only(&mapped).attribute.first_seen, Some(Timestamp::from_seconds(20)));
    assert_eq!(only(&mapped).attribute.last_seen, None);
    assert_eq!(mapped.tally.last_seen_dropped, 1);
}

#[test]
fn comments_are_cut_and_may_be_left_out() {
    let mut entities = holding(vec![observable("domain", "example.org")]);
    entities[1].title = format!("{}\u{1f600} end", "ä".repeat(118)).into();
    let rules = Rules::standard();
    let cut = mapped_via("x", entities.clone(), &rules);
    assert_eq!(*only(&cut).attribute.comment, format!("{}?", "ä".repeat(118)));
    let settings = Settings { comment: Comment::None, ..rules.settings() };
    let none = mapped_via("x", entities, &rules.with_settings(settings));
    assert_eq!(&*only(&none).attribute.comment, "");
}

#[test]
fn what_cannot_be_an_observable_is_a_loss_too() {
    let mut entities = holding(vec![]);
    let unusable = |why| Unusable { kind: "stix-pattern".into(), value: "[".into(), why };
    let wanted: Box<str> = "an object path".into();
    entities[1].unusable = vec![unusable(WhyUnusable::PatternSyntax(1, wanted.clone()))];
    entities[1].unusable.push(Unusable { value: "b".into(), ..unusable(WhyUnusable::Enrichment) });
    let mapped = mapped(entities);
    assert_eq!(mapped.losses[0].reason, LossReason::PatternSyntax { offset: 1, wanted });
    assert_eq!(
        mapped.losses[0].reason.to_string(),
        "the pattern does not parse at byte 1: an object path"
    );
    assert_eq!(mapped.losses[1].reason, LossReason::Enrichment);
    assert!(mapped.tally.adds_up());
}

#[test]
fn unlinked_observables_are_losses() {
    let lonely = Entity { observables: vec![observable("ipv4", "a")], ..entity("indicator", 1) };
    let graph = Graph::build(facts(vec![lonely], vec![]), &Aliases::default(), &Options::default());
    let losses: Vec<Loss> = unlinked(&graph).collect();
    assert_eq!(losses.len(), 1);
    assert_eq!((&losses[0].entity, losses[0].reason.name()), (&key(1), "not_linked"));
}

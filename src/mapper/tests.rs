//! The default profile rule by rule, merging, and the promises that hold for any input.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{
    graph::{
        Aliases, Entity, Graph, LinkTypes, Maliciousness, Observable, Options, Relation, Unusable,
        WhyUnusable,
        sample::{any_facts, entity, facts, key, observable, relation, shuffled_facts},
    },
    misp::{AttributeType, DesiredAttribute, normalise},
    model::{Symbol, Tlp},
};

const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

/// Maps incident 1 with the other entities linked to it by `kind`.
fn mapped_via(kind: &str, entities: Vec<Entity>, rules: &Rules) -> Mapped {
    let link = |entity: &Entity| Relation { target: entity.key.clone(), ..relation(kind, 1, 0) };
    let links = entities.iter().map(link).collect();
    let graph = Graph::build(facts(entities, links), &Aliases::default(), &Options::default());
    map(&graph.incidents().next().unwrap(), rules, NOW)
}

fn mapped(entities: Vec<Entity>) -> Mapped {
    mapped_via("related_indicators", entities, &Rules::standard())
}

fn holding(observables: Vec<Observable>) -> Vec<Entity> {
    vec![entity("incident", 1), Entity { observables, ..entity("indicator", 2) }]
}

/// Type, category and value of every attribute, sorted.
fn rows(mapped: &Mapped) -> Vec<(&str, &str, &str)> {
    let attributes = mapped.event.attributes.iter().map(|desired| &desired.attribute);
    let mut rows: Vec<_> = attributes
        .map(|attribute| {
            (attribute.kind.name(), attribute.category.name(), attribute.value.as_str())
        })
        .collect();
    rows.sort_unstable();
    rows
}

fn only(mapped: &Mapped) -> &DesiredAttribute {
    assert_eq!(mapped.event.attributes.len(), 1, "{mapped:?}");
    &mapped.event.attributes[0]
}

fn bad(kind: &str, value: &str) -> Observable {
    Observable { maliciousness: Maliciousness::High, ..observable(kind, value) }
}

#[test]
fn each_kind_has_its_type_and_category() {
    let md5 = "d41d8cd98f00b204e9800998ecf8427e";
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
        ("nobody-knows", "x"),
    ];
    for (kind, value) in kinds {
        let lost = mapped(holding(vec![observable(kind, value)]));
        assert!(lost.event.attributes.is_empty(), "{kind}");
        assert_eq!(lost.losses[0].reason, LossReason::NoMispType);
        assert_eq!(lost.tally.lost, BTreeMap::from([("no MISP type", 1)]));
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
    assert_eq!(mapped.tally.lost, BTreeMap::from([("not a link", 1)]));
    assert_eq!(mapped.tally.occurrences, 5);
}

#[test]
fn equal_values_become_one_attribute() {
    let first = Entity {
        title: "Zeta".into(),
        observables: vec![observable("domain", "example.org")],
        start: Some(Timestamp::from_seconds(200)),
        end: Some(Timestamp::from_seconds(2_000_000)),
        tlp: Some(Tlp::Green),
        ..entity("indicator", 2)
    };
    let second = Entity {
        title: "Alpha".into(),
        observables: vec![bad("domain", " example.org ")],
        start: Some(Timestamp::from_seconds(100)),
        tlp: Some(Tlp::Amber),
        ..entity("indicator", 3)
    };
    let incident = Entity { tlp: Some(Tlp::Clear), ..entity("incident", 1) };
    let mapped = mapped(vec![first, incident, second]);
    let desired = only(&mapped);
    assert!(desired.attribute.to_ids);
    assert_eq!(&*desired.attribute.comment, "Alpha; Zeta");
    assert_eq!(desired.attribute.first_seen, Some(Timestamp::from_seconds(100)));
    assert_eq!(desired.attribute.last_seen, Some(Timestamp::from_seconds(2_000_000)));
    assert_eq!(desired.marking, Marking { tlp: Some(Tlp::Amber), unmarked: false });
    assert_eq!(desired.attribute.tags, ["tlp:amber".into()]);
    let sources: Vec<_> = desired.sources.iter().map(|source| source.entity.clone()).collect();
    assert_eq!(sources, [key(2), key(3)]);
    assert_eq!(desired.sources[1].raw.as_deref(), Some(" example.org "));
    assert_eq!((mapped.tally.mapped, mapped.tally.merged), (1, 1));
}

#[test]
fn one_unmarked_source_leaves_the_attribute_unmarked() {
    let mut entities = holding(vec![bad("domain", "example.org")]);
    entities[0].tlp = Some(Tlp::Green);
    let mapped = mapped(entities);
    let marking = Marking { tlp: Some(Tlp::Green), unmarked: true };
    assert_eq!(only(&mapped).marking, marking);
    assert_eq!(mapped.event.marking, Marking::of(Some(Tlp::Green)));
    assert!(only(&mapped).attribute.tags.is_empty());
}

#[test]
fn entities_on_the_way_count_in_the_marking() {
    let held = Entity {
        observables: vec![bad("domain", "example.org")],
        tlp: Some(Tlp::Green),
        ..entity("indicator", 3)
    };
    let entities = vec![
        Entity { tlp: Some(Tlp::Clear), ..entity("incident", 1) },
        Entity { tlp: Some(Tlp::Red), ..entity("ttp", 2) },
        held,
    ];
    let links = vec![relation("x", 1, 2), relation("x", 3, 2)];
    let options = Options { depth: 2, ..Options::default() };
    let graph = Graph::build(facts(entities, links), &Aliases::default(), &options);
    let mapped = map(&graph.incidents().next().unwrap(), &Rules::standard(), NOW);
    assert_eq!(only(&mapped).marking, Marking { tlp: Some(Tlp::Red), unmarked: false });
    assert_eq!(only(&mapped).attribute.tags, ["tlp:red".into()]);
}

#[test]
fn tags_follow_the_setting() {
    let tagged = |include_tags| {
        let mut entities = holding(vec![bad("domain", "example.org")]);
        entities[0] = Entity {
            tlp: Some(Tlp::Clear),
            reliability: Some('B'),
            tags: ["ESET", "IDS", "misp-galaxy:tool=\"x\"", "tlp:red", "eset"]
                .map(Into::into)
                .into(),
            ..entity("incident", 1)
        };
        entities[1].tlp = Some(Tlp::Red);
        entities[1].tags = ["ESET", "c2", "IDS", "TLP:GREEN"].map(Into::into).into();
        let settings = Settings { include_tags, ..Rules::standard().settings() };
        let rules = Rules::standard().with_settings(settings);
        let mapped = mapped_via("x", entities, &rules);
        let attribute = only(&mapped).attribute.clone();
        (mapped.event.fields.tags, attribute.tags, attribute.comment)
    };
    let of_event = ["ESET", "admiralty-scale:source-reliability=\"b\"", "tlp:clear"];
    let (event, attribute, comment) = tagged(IncludeTags::Event);
    assert_eq!(event, of_event.map(Into::into));
    assert_eq!(attribute, ["tlp:red".into()]);
    assert_eq!(&*comment, "indicator 2");
    let (event, attribute, _) = tagged(IncludeTags::All);
    assert_eq!(event, of_event.map(Into::into));
    assert_eq!(attribute, ["c2".into(), "tlp:red".into()]);
    let (event, attribute, comment) = tagged(IncludeTags::None);
    assert!(event.is_empty() && attribute.is_empty());
    assert_eq!(&*comment, "", "a stricter title without its tag");
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
    let settings = Settings { comment: CommentStyle::None, ..rules.settings() };
    let none = mapped_via("x", entities, &rules.with_settings(settings));
    assert_eq!(&*only(&none).attribute.comment, "");
}

#[test]
fn event_fields_come_from_the_incident() {
    let event = |change: fn(&mut Entity)| {
        let mut incident = entity("incident", 1);
        change(&mut incident);
        mapped(vec![incident]).event
    };
    let plain = event(|_| {});
    assert_eq!(plain.uuid.to_string(), key(1).as_str());
    assert_eq!(&*plain.fields.info, "incident 1");
    assert_eq!(&*plain.fields.date, "1970-01-01");
    assert_eq!((plain.fields.analysis, plain.create), (0, true));
    let folded = event(|incident| incident.title = " a \n\t b\u{1f600} ".into());
    assert_eq!(&*folded.fields.info, "a b?");
    let untitled = event(|incident| incident.title = " \n".into());
    assert_eq!(*untitled.fields.info, format!("Incident {}", key(1)));
    let dated =
        event(|incident| incident.start = Timestamp::parse("2024-05-14T23:30:00-02:00").ok());
    assert_eq!(&*dated.fields.date, "2024-05-15");
    let early = event(|incident| incident.start = Timestamp::parse("0001-01-01").ok());
    assert_eq!(&*early.fields.date, "1970-01-01");
    let analysed = |status: &str, analysis: u8, create: bool| {
        let incident = Entity { status: Some(Symbol::new(status)), ..entity("incident", 1) };
        let event = mapped(vec![incident]).event;
        assert_eq!((event.fields.analysis, event.create), (analysis, create), "{status}");
    };
    analysed("New", 0, true);
    analysed("Open", 1, true);
    analysed("Containment Achieved", 1, true);
    analysed("Closed", 2, true);
    analysed("rejected", 2, false);
    analysed("Deleted", 2, false);
}

#[test]
fn what_cannot_be_an_observable_is_a_loss_too() {
    let mut entities = holding(vec![]);
    let unusable = |why| Unusable { kind: "stix-pattern".into(), value: "[".into(), why };
    let wanted: Box<str> = "an object path".into();
    entities[1].unusable = vec![unusable(WhyUnusable::PatternSyntax(1, wanted.clone()))];
    let mapped = mapped(entities);
    assert_eq!(mapped.losses[0].reason, LossReason::PatternSyntax { offset: 1, wanted });
    assert_eq!(
        mapped.losses[0].reason.to_string(),
        "the pattern does not parse at byte 1: an object path"
    );
    assert!(mapped.tally.adds_up());
}

#[test]
fn a_user_overrides_by_key() {
    let text = "\
[settings]
comment_chars_max = 3
skip_entities = [\"threat-actor\"]

[observable]
name = [{ type = \"text\" }]
ipv4 = []
domain = [{ type = \"hostname\", to_ids = false }]
";
    let rules = Rules::with_overrides(text, "rules.toml").unwrap();
    assert_ne!(rules.fingerprint(), Rules::standard().fingerprint());
    let mut entities = holding(vec![
        observable("name", "x"),
        observable("ipv4", "198.51.100.7"),
        bad("domain", "example.org"),
        observable("port", "443"),
    ]);
    entities.push(Entity { observables: vec![bad("port", "80")], ..entity("threat-actor", 3) });
    let mapped = mapped_via("x", entities, &rules);
    assert_eq!(
        rows(&mapped),
        [
            ("hostname", "Network activity", "example.org"),
            ("port", "Network activity", "443"),
            ("text", "Other", "x"),
        ]
    );
    assert!(mapped.event.attributes.iter().all(|desired| !desired.attribute.to_ids));
    assert!(mapped.event.attributes.iter().all(|desired| &*desired.attribute.comment == "ind"));
    let lost = BTreeMap::from([("no MISP type", 1), ("entity kind not supported", 1)]);
    assert_eq!(mapped.tally.lost, lost);
}

#[test]
fn rules_survive_being_written() {
    let text = "[observable]\n'od\"d \\n' = [{ type = \"text\", when = \"ip\" }]\nipv4 = []\n";
    let settings = Settings {
        comment: CommentStyle::None,
        include_tags: IncludeTags::All,
        text_fallback: true,
    };
    for rules in [
        Rules::standard(),
        Rules::with_overrides(text, "x").unwrap(),
        Rules::standard().with_settings(settings),
    ] {
        let again = Rules::from_toml(&rules.to_toml()).unwrap();
        assert_eq!(again.fingerprint(), rules.fingerprint());
        assert_eq!(again.to_toml(), rules.to_toml());
        assert_eq!(again.settings(), rules.settings());
    }
    let same = Rules::with_overrides("# nothing\n[settings]\ncomment = 'title'\n", "x").unwrap();
    assert_eq!(same.fingerprint(), Rules::standard().fingerprint());
}

#[test]
fn errors_name_file_line_and_key() {
    for (text, line, key, why) in [
        (
            "[observable]\n\nipv4 = [{ type = \"ip-dest\" }]",
            3,
            "observable.ipv4",
            "no attribute type",
        ),
        (
            "[observable]\nipv4 = [{ type = \"md5\", category = \"Other\" }]",
            2,
            "observable.ipv4",
            "Payload delivery",
        ),
        ("[observable]\na = [{ type = \"text\", when = \"x\" }]", 2, "observable.a", "scheme"),
        (
            "[observable]\na = [{ type = \"text\", linked = [\"x\"] }]",
            2,
            "observable.a",
            "targeted-victim",
        ),
        ("[observable]\na = [{ type = \"filename|md5\" }]", 2, "observable.a", "composite"),
        ("[entity]\na = [{ from = \"x\", type = \"text\" }]", 2, "entity.a", "references"),
        ("[settings]\ncomment = \"x\"", 2, "settings.comment", "title, none"),
        ("[settings]\ncolour = 1", 2, "settings.colour", "unknown field"),
        ("format = 2", 1, "format", "another version"),
        ("\n[observable", 2, "observable", ""),
    ] {
        let error = Rules::with_overrides(text, "rules.toml").unwrap_err();
        assert_eq!((&*error.file, error.line, &*error.key), ("rules.toml", line, key), "{error}");
        assert!(error.why.contains(why), "{error}");
    }
}

#[test]
fn unlinked_observables_are_losses() {
    let lonely = Entity { observables: vec![observable("ipv4", "a")], ..entity("indicator", 1) };
    let graph = Graph::build(facts(vec![lonely], vec![]), &Aliases::default(), &Options::default());
    let losses: Vec<Loss> = unlinked(&graph).collect();
    assert_eq!(losses.len(), 1);
    assert_eq!((&losses[0].entity, losses[0].reason.name()), (&key(1), "not linked"));
}

fn any_rules() -> impl Strategy<Value = Rules> {
    let tags =
        proptest::sample::select(vec![IncludeTags::None, IncludeTags::Event, IncludeTags::All]);
    let comment = prop_oneof![
        Just(CommentStyle::None),
        (0..200_u32).prop_map(|max_chars| CommentStyle::Title { max_chars }),
    ];
    (tags, comment, any::<bool>()).prop_map(|(include_tags, comment, text_fallback)| {
        Rules::standard().with_settings(Settings { include_tags, comment, text_fallback })
    })
}

fn map_all(graph: &Graph, rules: &Rules) -> Vec<Mapped> {
    graph.incidents().map(|incident| map(&incident, rules, NOW)).collect()
}

fn is_short(text: &str) -> bool {
    text.len() <= 65_535 && text.chars().all(|c| c <= '\u{ffff}' && !c.is_control())
}

proptest! {
    #[test]
    fn order_of_input_has_no_say((one, other) in shuffled_facts(), rules in any_rules()) {
        let [one, other] = [one, other]
            .map(|facts| Graph::build(facts, &Aliases::default(), &Options::default()));
        prop_assert_eq!(map_all(&one, &rules), map_all(&other, &rules));
    }

    #[test]
    fn every_event_is_one_that_misp_takes(facts in any_facts(), rules in any_rules(), depth in 0..3_u8) {
        let options = Options { depth, ..Options::default() };
        let graph = Graph::build(facts, &Aliases::default(), &options);
        for mapped in map_all(&graph, &rules) {
            let Mapped { event, losses, tally } = mapped;
            prop_assert!(tally.adds_up());
            prop_assert_eq!(tally.mapped, event.attributes.len() as u64);
            prop_assert_eq!(tally.lost_total(), losses.len() as u64);
            let sources: usize = event.attributes.iter().map(|desired| desired.sources.len()).sum();
            prop_assert_eq!(tally.mapped + tally.merged, sources as u64);
            prop_assert!(!event.fields.info.is_empty() && is_short(&event.fields.info));
            prop_assert!(&*event.fields.date >= "1600-01-01" && event.fields.date.len() == 10);
            let uuids: Vec<_> = event.attributes.iter().map(|desired| desired.attribute.uuid).collect();
            prop_assert!(uuids.is_sorted_by(|one, next| one < next));
            for DesiredAttribute { attribute, marking, .. } in &event.attributes {
                let kind: AttributeType = attribute.kind;
                prop_assert!(kind.allows(attribute.category));
                prop_assert_eq!(normalise(kind, attribute.value.as_str()), Ok(attribute.value.clone()));
                prop_assert!(is_short(&attribute.comment));
                prop_assert!(marking.tlp >= event.marking.tlp);
                prop_assert!(marking.unmarked || !event.marking.unmarked);
                let seen = attribute.first_seen.zip(attribute.last_seen);
                prop_assert!(seen.is_none_or(|(first, last)| first <= last));
                prop_assert!(attribute.tags.is_sorted());
            }
        }
    }
}

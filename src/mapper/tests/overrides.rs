//! Rules of the user.

use super::*;

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
    let lost = BTreeMap::from([("no_misp_type", 1), ("entity_kind_not_supported", 1)]);
    assert_eq!(mapped.tally.lost, lost);
}

#[test]
fn rules_survive_being_written() {
    let text = "[observable]\n'od\"d \\n' = [{ type = \"text\", when = \"ip\" }]\nipv4 = []\n";
    let settings = Settings {
        comment: Comment::None,
        comment_max: 120,
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
        ("format = 3", 1, "format", "another version"),
        ("\n[observable", 2, "observable", ""),
    ] {
        let error = Rules::with_overrides(text, "rules.toml").unwrap_err();
        assert_eq!((&*error.file, error.line, &*error.key), ("rules.toml", line, key), "{error}");
        assert!(error.why.contains(why), "{error}");
    }
}

#[test]
fn rules_of_an_earlier_format_mean_what_they_meant_and_are_others() {
    let now = Rules::standard();
    let then = Rules::from_toml(&now.to_toml().replacen("format = 2", "format = 1", 1)).unwrap();
    assert!(then.to_toml().starts_with("format = 1\n"));
    assert_ne!(then.fingerprint(), now.fingerprint());
    assert_eq!(Rules::from_toml(&then.to_toml()).unwrap().fingerprint(), then.fingerprint());
    // A user's file that was copied from an earlier one is read as one of now.
    let copied = Rules::with_overrides("format = 1", "rules.toml").unwrap();
    assert_eq!(copied.fingerprint(), now.fingerprint());
}

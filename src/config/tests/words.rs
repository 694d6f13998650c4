//! Settings that are one of a few words.

use super::*;

/// Reads a key with each of its words, and with another; the template lists the same words, if it lists any.
fn check_words<T: Words>(table: &str, key: &str) {
    let text = |word: &str| match table.strip_prefix("destinations.main") {
        Some("") => with_destination(&format!("{key} = \"{word}\"\n")),
        Some(_) => with_destination(&format!("[{table}]\n{key} = \"{word}\"\n")),
        None => format!("[{table}]\n{key} = \"{word}\"\n"),
    };
    let words: BTreeSet<&str> = T::WORDS.iter().map(|(word, _)| *word).collect();
    for word in &words {
        let shown = effective(&good(&text(word)));
        let table = if table == "source" { "feeds.main" } else { table };
        let found = table.split('.').fold(&shown, |found, name| &found[name]);
        assert_eq!(found[key], **word, "{table}.{key}");
    }
    let fault = &faults(&text("other"))[0];
    assert!(words.iter().all(|word| fault.contains(&format!("{word:?}"))), "{fault}");
    let template = template(&init_args());
    let line = template.lines().find(|line| line.starts_with(&format!("{key} = ")));
    if let Some((_, list)) = line.and_then(|line| line.split_once('#'))
        && list.contains(" | ")
    {
        let first = |part: &'_ str| part.split([' ', ':', ';']).next().map(str::to_owned);
        let listed: BTreeSet<_> = list.trim().split(" | ").filter_map(first).collect();
        assert_eq!(listed, words.into_iter().map(str::to_owned).collect(), "{table}.{key}");
    }
}

#[test]
fn every_word_is_read_and_printed_and_all_of_them_are_listed() {
    check_words::<StorePrivacy>("store", "private");
    check_words::<Format>("source", "format");
    check_words::<Strategy>("source", "update_strategy");
    check_words::<AuthHeader>("destinations.main", "auth_header");
    check_words::<CompressionChoice>("destinations.main", "compression");
    check_words::<OnForeign>("destinations.main", "on_foreign");
    check_words::<Publish>("destinations.main.event", "publish");
    check_words::<IncludeTags>("destinations.main.event", "include_tags");
    check_words::<Unmarked>("destinations.main.policy", "unmarked");
    check_words::<Comment>("mapping", "comment");
    check_words::<MappingChange>("mapping", "on_change");
    check_words::<FirstRun>("schedule", "first_run");
}

#[test]
fn every_kind_of_files_is_read_and_printed_and_listed() {
    for kind in ["file", "folder", "stdin"] {
        let shown = effective(&good(&format!("[source]\nkind = \"{kind}\"\n")));
        assert_eq!(shown["feeds"]["main"]["kind"], kind);
    }
    let fault = &faults("[source]\nkind = \"other\"\n")[0];
    assert!(fault.contains("\"file\", \"folder\", \"stdin\", \"eiq-feed\""), "{fault}");
    let template = template(&init_args());
    assert!(template.contains("# file | folder | stdin"), "{template}");
}

#[test]
fn every_domain_object_of_stix_can_become_an_event_and_a_wrong_word_lists_them() {
    let of_spec = [
        "attack-pattern",
        "campaign",
        "course-of-action",
        "grouping",
        "identity",
        "incident",
        "indicator",
        "infrastructure",
        "intrusion-set",
        "location",
        "malware",
        "malware-analysis",
        "note",
        "observed-data",
        "opinion",
        "report",
        "threat-actor",
        "tool",
        "vulnerability",
        "case-incident",
        "case-rfi",
        "case-rft",
    ];
    let text =
        |words: &[&str]| with_destination("") + &format!("[mapping]\ncontainers = {words:?}\n");
    assert_eq!(good(&text(&of_spec)).mapping.containers, of_spec.into());
    for wrong in ["ipv4-addr", "relationship", "Report", "case-task", ""] {
        let found = faults(&text(&["report", wrong]));
        assert_eq!(found.len(), 1, "{found:?}");
        for word in of_spec {
            assert!(found[0].contains(&format!("{word:?}")), "{word} of {found:?}");
        }
    }
}

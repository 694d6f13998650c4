//! Languages of patterns beside STIX, and the kinds of rules in them.

/// Names of languages, as indicators write them, and kinds. The kind of any other language is its name and
/// `-pattern`, so that it is counted as what it is.
const LANGUAGES: [(&str, &str); 12] = [
    ("bro", "zeek"),
    ("eql", "eql-pattern"),
    ("kql", "kusto-query"),
    ("kusto", "kusto-query"),
    ("pcre", "pcre-pattern"),
    ("shodan", "shodan-pattern"),
    ("sigma", "sigma"),
    ("snort", "snort"),
    ("spl", "spl-pattern"),
    ("suricata", "snort"),
    ("yara", "yara"),
    ("zeek", "zeek"),
];

/// The kind of a rule in a language.
pub(in crate::format::stix) fn kind(language: &str) -> String {
    let known = LANGUAGES.iter().find(|(name, _)| *name == language);
    known.map_or_else(|| format!("{language}-pattern"), |(_, kind)| (*kind).to_owned())
}

/// The kinds of the languages that are known.
pub(in crate::format::stix) fn kinds() -> impl Iterator<Item = &'static str> {
    LANGUAGES.iter().map(|(_, kind)| *kind)
}

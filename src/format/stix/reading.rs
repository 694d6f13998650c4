//! What a pattern says, as observables: one for each value compared by `=` or `IN`.
//!
//! A pattern that says more than "this value was seen" stays whole, as one observable of the kind
//! `stix-pattern`: nothing is invented, and nothing is lost. That is so where
//! - an operator other than `=` and `IN` stands in it, or a qualifier, or `NOT`;
//! - no comparison of it has a path that a rule knows.
//!
//! A comparison on an unknown path beside known ones is judged by what it does:
//! - under AND it only narrows down the values that are kept: it is reported as unusable;
//! - outside any AND it is an alternative of its own, and to leave it out would lose an indicator. The
//!   pattern is kept whole for its sake, and the values of the other alternatives beside it.
//!
//! Observations joined by AND or FOLLOWEDBY are under AND, too. A comparison of a `…_ref.type` says
//! only how its neighbour is written; it is dropped, and an AND of what remains is an AND no more.

use std::borrow::Cow;

use super::{
    kinds::{
        paths::{self, Scope},
        table::Rule,
    },
    pattern::{self, Comparison, Literal, ObjectPath, Observation, Predicate, Step, Test},
};
use crate::{
    format::scalar::number::{self, Written},
    graph::{LinkTypes, Maliciousness, Observable, Unusable, WhyUnusable},
    model::{self, Interner, Symbol},
};

/// The kind of a pattern that is kept whole.
pub(super) const PATTERN_KIND: &str = "stix-pattern";

/// What a pattern gives.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    /// In the order of the pattern, perhaps the same one twice.
    pub(super) observables: Vec<Observable>,
    /// What can be no observable.
    pub(super) unusable: Vec<Unusable>,
}

/// Reads a STIX pattern.
pub(super) fn read(text: &str, symbols: &mut Interner) -> Reading {
    let pattern = match pattern::parse(text) {
        Ok(pattern) => pattern,
        Err(error) => {
            let why = WhyUnusable::PatternSyntax(error.offset, error.expected.to_string().into());
            let unusable = Unusable { kind: symbols.symbol(PATTERN_KIND), value: text.into(), why };
            return Reading { unusable: vec![unusable], ..Reading::default() };
        }
    };
    let mut reading = Reading::default();
    let mut whole = Some(model::Reader::FIRST);
    if names_values(&pattern) {
        let mut reader = Reader { symbols, reading, lost_alternative: None, is_broken: false };
        reader.observation(&pattern, Joined::Alone);
        let new = if reader.is_broken { model::Reader::FOURTH } else { model::Reader::FIRST };
        (reading, whole) = (reader.reading, reader.lost_alternative);
        if reading.observables.is_empty() {
            reading.unusable.clear();
            whole = whole.or(Some(new));
        }
    }
    if let Some(since) = whole {
        reading.observables.push(tested(symbols.symbol(PATTERN_KIND), text).since(since));
    }
    reading
}

/// An observable that detection may use.
pub(super) fn tested(kind: Symbol, value: &str) -> Observable {
    Observable {
        kind,
        value: value.into(),
        maliciousness: Maliciousness::Unknown,
        links: LinkTypes::default().with("test-mechanism"),
        context_only: false,
        since: model::Reader::FIRST,
    }
}

/// How a part of a pattern is joined to its neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joined {
    /// It suffices by itself, or is one of several alternatives.
    Alone,
    /// It counts only together with others.
    ByAnd,
}

/// Whether every comparison names its values, and no qualifier adds a condition.
fn names_values(observation: &Observation<'_>) -> bool {
    match observation {
        Observation::Qualified(..) => false,
        Observation::Test(comparison) => compares_values(comparison),
        Observation::And(parts) | Observation::Or(parts) | Observation::FollowedBy(parts) => {
            parts.iter().all(names_values)
        }
    }
}

fn compares_values(comparison: &Comparison<'_>) -> bool {
    match comparison {
        Comparison::And(parts) | Comparison::Or(parts) => parts.iter().all(compares_values),
        Comparison::Test(test) => {
            !test.negated && matches!(test.predicate, Predicate::Equal(_) | Predicate::In(_))
        }
        Comparison::Exists { .. } => false,
    }
}

/// Whether an observation tests nothing but the types of references.
fn is_only_type(observation: &Observation<'_>) -> bool {
    match observation {
        Observation::Test(comparison) => compares_only_type(comparison),
        Observation::And(parts) | Observation::Or(parts) | Observation::FollowedBy(parts) => {
            parts.iter().all(is_only_type)
        }
        Observation::Qualified(observation, _) => is_only_type(observation),
    }
}

fn compares_only_type(comparison: &Comparison<'_>) -> bool {
    match comparison {
        Comparison::And(parts) | Comparison::Or(parts) => parts.iter().all(compares_only_type),
        Comparison::Test(test) => is_reference_type(&test.path),
        Comparison::Exists { path, .. } => is_reference_type(path),
    }
}

/// `network-traffic:dst_ref.type`, `domain-name:resolves_to_refs[*].type`.
fn is_reference_type(path: &ObjectPath<'_>) -> bool {
    let mut properties = properties(path).rev();
    properties.next() == Some("type")
        && properties.next().is_some_and(|name| name.ends_with("_ref") || name.ends_with("_refs"))
}

/// The steps of a path without its list indices.
fn properties<'p>(path: &'p ObjectPath<'_>) -> impl DoubleEndedIterator<Item = &'p str> + Clone {
    path.steps.iter().filter_map(|step| match step {
        Step::Property(name) => Some(&**name),
        Step::Index(_) | Step::AnyIndex => None,
    })
}

/// A constant that can be the value of an observable: one that stands for itself.
fn plain<'p>(literal: &'p Literal<'_>) -> Option<(Cow<'p, str>, Written)> {
    match literal {
        Literal::Text(text) => Some((Cow::Borrowed(text), Written::Plain)),
        Literal::Integer(number) | Literal::Float(number) => Some(number::of_pattern(number)),
        Literal::Boolean(_) | Literal::Binary(_) | Literal::Hex(_) | Literal::Timestamp(_) => None,
    }
}

struct Reader<'s> {
    symbols: &'s mut Interner,
    reading: Reading,
    /// Whether a comparison outside any AND gives no value, and the first reader to which it gives none.
    lost_alternative: Option<model::Reader>,
    /// Whether a comparison is with a number that is not whole where one is meant.
    is_broken: bool,
}

impl Reader<'_> {
    fn observation(&mut self, observation: &Observation<'_>, joined: Joined) {
        match observation {
            Observation::Test(comparison) => self.comparison(comparison, joined),
            Observation::Or(parts) => {
                parts.iter().for_each(|part| self.observation(part, joined));
            }
            Observation::And(parts) | Observation::FollowedBy(parts) => {
                let joined = joined.among(parts, is_only_type);
                parts.iter().for_each(|part| self.observation(part, joined));
            }
            Observation::Qualified(observation, _) => self.observation(observation, joined),
        }
    }

    fn comparison(&mut self, comparison: &Comparison<'_>, joined: Joined) {
        match comparison {
            Comparison::Or(parts) => parts.iter().for_each(|part| self.comparison(part, joined)),
            Comparison::And(parts) => {
                let joined = joined.among(parts, compares_only_type);
                parts.iter().for_each(|part| self.comparison(part, joined));
            }
            Comparison::Test(test) if !is_reference_type(&test.path) => self.test(test, joined),
            Comparison::Test(_) | Comparison::Exists { .. } => {}
        }
    }

    fn test(&mut self, test: &Test<'_>, joined: Joined) {
        let values = match &test.predicate {
            Predicate::Equal(literal) => std::slice::from_ref(literal),
            Predicate::In(set) => set.as_slice(),
            // No pattern with another operator is read by its parts.
            _ => &[],
        };
        let rule = paths::find(test.path.object, &properties(&test.path), Scope::Objects);
        let key = properties(&test.path).next_back().unwrap_or_default();
        // The first reader to which not all of it is values.
        let mut lost = values.is_empty().then_some(model::Reader::FIRST);
        for value in values {
            let found = plain(value).zip(rule).and_then(
                |((value, written), (_, Rule { gives, since, .. }))| {
                    let (kind, since) = gives.read(key, &value, *since)?;
                    Some((gives.shown(key, &value).into_owned(), kind, since, written.since(kind)))
                },
            );
            match found {
                Some((value, kind, since, Some(read))) => {
                    let context_only = joined == Joined::ByAnd && !paths::stands_alone(kind);
                    let observable =
                        tested(self.symbols.symbol(kind), &value).since(since.max(read));
                    self.reading.observables.push(Observable { context_only, ..observable });
                }
                Some(_) => {
                    self.is_broken = true;
                    lost = lost.or(Some(model::Reader::FOURTH));
                }
                None => lost = Some(model::Reader::FIRST),
            }
        }
        let Some(lost) = lost else { return };
        match joined {
            Joined::Alone => {
                self.lost_alternative = Some(self.lost_alternative.unwrap_or(lost).min(lost));
            }
            Joined::ByAnd => self.reading.unusable.push(Unusable {
                kind: self.symbols.symbol(PATTERN_KIND),
                value: test.to_string().into(),
                why: match lost {
                    model::Reader::FIRST => WhyUnusable::PathNotMapped,
                    _ => WhyUnusable::NotWhole,
                },
            }),
        }
    }
}

impl Joined {
    /// How each part of an AND is joined: by AND, if more than one says something.
    fn among<T>(self, parts: &[T], is_only_type: impl Fn(&T) -> bool) -> Self {
        if parts.iter().filter(|part| !is_only_type(part)).count() > 1 { Self::ByAnd } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `kind=value`, with `~` before what is only context and `!` before what is unusable.
    fn read_as(pattern: &str) -> Vec<String> {
        let reading = read(pattern, &mut Interner::default());
        let observables = reading.observables.iter().map(|observable| {
            assert!(observable.links.has("test-mechanism"));
            let mark = if observable.context_only { "~" } else { "" };
            let value = if &*observable.kind == PATTERN_KIND {
                assert_eq!(&*observable.value, pattern);
                ""
            } else {
                &*observable.value
            };
            format!("{mark}{}={value}", observable.kind)
        });
        let unusable = reading.unusable.iter().map(|unusable| match &unusable.why {
            WhyUnusable::PathNotMapped => format!("!{}", unusable.value),
            WhyUnusable::NotWhole => format!("!{} is not whole", unusable.value),
            WhyUnusable::PatternSyntax(at, _) => format!("!syntax at {at}"),
            WhyUnusable::Enrichment => "!enrichment".to_owned(),
        });
        observables.chain(unusable).collect()
    }

    const WHOLE: &str = "stix-pattern=";

    /// Every shape found in 30,873 real indicators, most frequent first, and the rules for each.
    const SHAPES: &[(&str, &[&str])] = &[
        // One comparison.
        ("[domain-name:value = 'a.example']", &["domain=a.example"]),
        ("[network-traffic:dst_port = 443]", &["port=443"]),
        (
            "[ipv4-addr:value IN ('198.51.100.1', '198.51.100.0/24')]",
            &["ipv4=198.51.100.1", "ipv4-cidr=198.51.100.0/24"],
        ),
        ("[process:name = 'x']", &[WHOLE]),
        // AND of comparisons.
        (
            "[network-traffic:dst_ref.type = 'ipv4-addr' AND \
             network-traffic:dst_ref.value = '198.51.100.1']",
            &["ipv4=198.51.100.1"],
        ),
        (
            "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_port = 80]",
            &["port=80"],
        ),
        ("[network-traffic:dst_ref.type = 'ipv4-addr']", &[WHOLE]),
        (
            "[domain-name:value = 'a.example' AND \
             domain-name:resolves_to_refs[*].value = '198.51.100.1']",
            &["domain=a.example", "ipv4=198.51.100.1"],
        ),
        (
            "[file:name = 'a.exe' AND file:hashes.SHA256 = 'ff' AND file:x_ID = '7']",
            &["~file=a.exe", "hash-sha256=ff", "!file:x_ID = '7'"],
        ),
        ("[process:name = 'x' AND process:pid = 3]", &[WHOLE]),
        // OR of comparisons.
        ("[file:hashes.MD5 = 'aa' OR file:name = 'b']", &["hash-md5=aa", "file=b"]),
        ("[file:hashes.MD5 = 'aa' OR process:name = 'b']", &["hash-md5=aa", WHOLE]),
        // Not a pattern.
        ("file:name = 'a'", &["!syntax at 0"]),
        ("[file:name = 'a\\b']", &["!syntax at 16"]),
        // Several observations.
        (
            "[file:name = 'a' OR file:name = 'b'] OR [url:value = 'c']",
            &["file=a", "file=b", "uri=c"],
        ),
        (
            "[(file:hashes.MD5 = 'aa' OR file:hashes.'SHA-1' = 'bb') AND file:name = 'c']",
            &["hash-md5=aa", "hash-sha1=bb", "~file=c"],
        ),
        (
            "[file:hashes.MD5 = 'aa' OR (file:name = 'b' AND file:size = 0)]",
            &["hash-md5=aa", "~file=b", "~file-size=0"],
        ),
        ("[file:name = 'a'] AND [url:value = 'b']", &["~file=a", "uri=b"]),
        ("[file:name = 'a'] FOLLOWEDBY [mutex:name = 'b']", &["~file=a", "~mutex=b"]),
        (
            "([file:name = 'a'] OR [url:value = 'b']) AND [mutex:name = 'c']",
            &["~file=a", "uri=b", "~mutex=c"],
        ),
        ("[url:value = 'a' AND process:name = 'x'] REPEATS 5 TIMES WITHIN 9 SECONDS", &[WHOLE]),
        ("([url:value = 'a'] WITHIN 5 SECONDS) OR [url:value = 'b']", &[WHOLE]),
        // Operators without a single value, anywhere.
        ("[url:value != 'a']", &[WHOLE]),
        ("[url:value NOT = 'a']", &[WHOLE]),
        ("[url:value = 'a' OR url:value LIKE 'b%']", &[WHOLE]),
        ("[url:value = 'a' AND file:size > 5]", &[WHOLE]),
        ("[EXISTS url:value]", &[WHOLE]),
        ("[url:value = 'a' AND NOT EXISTS url:x]", &[WHOLE]),
        ("[ipv4-addr:value ISSUBSET '198.51.100.0/24'] OR [url:value = 'a']", &[WHOLE]),
        // Values that are none.
        ("[file:name = h'00']", &[WHOLE]),
        ("[file:name IN ()]", &[WHOLE]),
        // Numbers with a point.
        ("[network-traffic:dst_port = 443.0]", &["port=443"]),
        ("[autonomous-system:number = 64500.1]", &[WHOLE]),
        ("[autonomous-system:number = '64500.1']", &["asn=64500.1"]),
        ("[autonomous-system:number IN (64500.00, 64500.1)]", &["asn=64500", WHOLE]),
        (
            "[url:value = 'a' AND autonomous-system:number = 64500.1]",
            &["uri=a", "!autonomous-system:number = 64500.1 is not whole"],
        ),
        ("[file:name = h'00' AND url:value = 'a']", &["uri=a", "!file:name = h'00'"]),
    ];

    #[test]
    fn shapes_of_real_patterns() {
        for (pattern, expected) in SHAPES {
            assert_eq!(read_as(pattern), *expected, "{pattern}");
        }
    }

    #[test]
    fn values_have_their_escapes_resolved() {
        assert_eq!(read_as(r"[file:name = 'c:\\it\'s']"), [r"file=c:\it's"]);
    }

    #[test]
    fn a_syntax_error_says_what_was_expected() {
        let reading = read("[file:name = ]", &mut Interner::default());
        let why = WhyUnusable::PatternSyntax(13, "a constant".into());
        assert_eq!(reading.unusable[0].why, why);
    }
}

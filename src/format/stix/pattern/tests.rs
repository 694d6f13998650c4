//! The grammar, production by production, and its errors with their offsets.

use proptest::prelude::*;

use super::*;

fn parsed(text: &str) -> Observation<'_> {
    parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The one comparison of a pattern in brackets.
fn test(text: &str) -> Test<'_> {
    match parsed(text) {
        Observation::Test(Comparison::Test(test)) => test,
        other => panic!("{other:?}"),
    }
}

fn literal(constant: &str) -> String {
    let text = format!("[a:b = {constant}]");
    match test(&text).predicate {
        Predicate::Equal(literal) => format!("{literal:?}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn canonical_forms() {
    for (text, printed) in [
        ("[a:b=1]", "[a:b = 1]"),
        ("  [ a : b == 'x' ]\n", "[a:b = 'x']"),
        ("[a:b<>1]", "[a:b != 1]"),
        ("[a:b<1]", "[a:b < 1]"),
        ("[a:b<=1.5]", "[a:b <= 1.5]"),
        ("[a:b>-1]", "[a:b > -1]"),
        ("[a:b>=+1]", "[a:b >= 1]"),
        ("[a:b IN('x',2,true)]", "[a:b IN ('x', 2, true)]"),
        ("[a:b IN()]", "[a:b IN ()]"),
        ("[a:b NOT IN ('x')]", "[a:b NOT IN ('x')]"),
        ("[a:b LIKE 'x%']", "[a:b LIKE 'x%']"),
        ("[a:b NOT MATCHES '^x\\\\.']", "[a:b NOT MATCHES '^x\\\\.']"),
        ("[a:b ISSUBSET '10.0.0.0/8']", "[a:b ISSUBSET '10.0.0.0/8']"),
        ("[a:b ISSUPERSET '10.0.0.0/8']", "[a:b ISSUPERSET '10.0.0.0/8']"),
        ("[EXISTS a:b]", "[EXISTS a:b]"),
        ("[NOT EXISTS a:b]", "[NOT EXISTS a:b]"),
        ("[a:b=5AND a:c=.5OR a:d='x'OR a:e=6]", "[(a:b = 5 AND a:c = .5) OR a:d = 'x' OR a:e = 6]"),
        ("[a:b=1 AND a:c=2 AND a:d=3]", "[a:b = 1 AND a:c = 2 AND a:d = 3]"),
        ("[a:b=1 OR a:c=2 AND a:d=3]", "[a:b = 1 OR (a:c = 2 AND a:d = 3)]"),
        ("[(a:b=1 OR a:c=2) AND a:d=3]", "[(a:b = 1 OR a:c = 2) AND a:d = 3]"),
        ("[((a:b=1))]", "[a:b = 1]"),
        ("([a:b=1])", "[a:b = 1]"),
        (
            "[a:b=1] FOLLOWEDBY [a:b=2] OR [a:b=3] AND [a:b=4]",
            "[a:b = 1] FOLLOWEDBY ([a:b = 2] OR ([a:b = 3] AND [a:b = 4]))",
        ),
        ("[a:b=1]WITHIN 5 SECONDS", "[a:b = 1] WITHIN 5 SECONDS"),
        ("[a:b=1] WITHIN 0.5 SECONDS", "[a:b = 1] WITHIN 0.5 SECONDS"),
        (
            "[a:b=1] REPEATS 5 TIMES WITHIN 1800 SECONDS",
            "[a:b = 1] REPEATS 5 TIMES WITHIN 1800 SECONDS",
        ),
        (
            "([a:b=1] AND [a:c=2]) START t'2024-01-01T00:00:00Z' STOP t'2024-01-02T00:00:00.5Z'",
            "([a:b = 1] AND [a:c = 2]) START t'2024-01-01T00:00:00Z' STOP t'2024-01-02T00:00:00.5Z'",
        ),
        ("[a:b=1] /* one */ OR // two\n[a:b=2]", "[a:b = 1] OR [a:b = 2]"),
        ("[a:b=1/*]*/]", "[a:b = 1]"),
    ] {
        let pattern = parsed(text);
        assert_eq!(pattern.to_string(), printed, "{text}");
        assert_eq!(parsed(printed), pattern, "{printed}");
    }
}

#[test]
fn object_paths() {
    let steps = |text| test(text).path.steps;
    let property = |name: &'static str| Step::Property(name.into());
    assert_eq!(
        steps("[file:hashes.'SHA-256' = 'x']"),
        [property("hashes"), property("SHA-256")],
        "quoted"
    );
    assert_eq!(steps("[file:hashes.SHA-256 = 'x']"), [property("hashes"), property("SHA-256")]);
    assert_eq!(
        steps("[domain-name:resolves_to_refs[*].value = 'x']"),
        [property("resolves_to_refs"), Step::AnyIndex, property("value")]
    );
    assert_eq!(steps("[x:y[12][*] = 1]"), [property("y"), Step::Index("12"), Step::AnyIndex]);
    assert_eq!(steps(r"[x:'it\'s' = 1]"), [property("it's")]);
    assert_eq!(test("[x-custom_type:_y = 1]").path.object, "x-custom_type");
}

#[test]
fn constants() {
    for (constant, literal_is) in [
        ("'it\\'s \\\\ a'", r#"Text("it's \\ a")"#),
        ("''", r#"Text("")"#),
        ("'\\\\'", r#"Text("\\")"#),
        ("'é]('", r#"Text("é](")"#),
        ("0", r#"Integer("0")"#),
        ("-12", r#"Integer("-12")"#),
        ("99999999999999999999999", r#"Integer("99999999999999999999999")"#),
        ("+.5", r#"Float(".5")"#),
        ("-0.50", r#"Float("-0.50")"#),
        ("true", "Boolean(true)"),
        ("false", "Boolean(false)"),
        ("b'TQ=='", r#"Binary("TQ==")"#),
        ("b''", r#"Binary("")"#),
        ("h'00fF'", r#"Hex("00fF")"#),
        (
            "t'2024-02-29T23:59:60.123456789123Z'",
            r#"Timestamp("2024-02-29T23:59:60.123456789123Z")"#,
        ),
    ] {
        assert_eq!(literal(constant), literal_is, "{constant}");
    }
}

#[test]
fn errors_say_where_and_what() {
    use Expected as E;
    for (text, offset, expected) in [
        ("", 0, E::Observation),
        ("a:b = 1", 0, E::Observation),
        ("[a:b = 1] AND", 13, E::Observation),
        ("[a:b = 1] x", 10, E::EndOfPattern),
        ("[a:b = 1] and [a:b = 1]", 10, E::EndOfPattern),
        ("[a:b = 1]]", 9, E::EndOfPattern),
        ("[a:b = 1] /* no end", 10, E::EndOfPattern),
        ("([a:b = 1]", 10, E::EndOfObservations),
        ("(a:b = 1)", 1, E::Observation),
        ("[]", 1, E::Comparison),
        ("[a:b = 1 AND ]", 13, E::Comparison),
        ("[a:b = 1", 8, E::EndOfBrackets),
        ("[a:b = 1 FOLLOWEDBY a:b = 1]", 9, E::EndOfBrackets),
        ("[(a:b = 1]", 9, E::EndOfParentheses),
        ("[EXISTS 1]", 8, E::ObjectPath),
        ("[NOT a:b = 1]", 5, E::Exists),
        ("[a = 1]", 3, E::Colon),
        ("[a: = 1]", 4, E::Property),
        ("[a:b. = 1]", 6, E::Property),
        ("[a:b.7 = 1]", 5, E::Property),
        ("[a:b[] = 1]", 5, E::Index),
        ("[a:b[-1] = 1]", 5, E::Index),
        ("[a:b[1 = 1]", 7, E::EndOfIndex),
        ("[a:b 1]", 5, E::Operator),
        ("[a:b:c = 1]", 4, E::Operator),
        ("[a:b INVALID-CONDITION 80]", 5, E::Operator),
        ("[a:b NOT EXISTS 1]", 9, E::Operator),
        ("[a:b like 'x']", 5, E::Operator),
        ("[a:b = ]", 7, E::Constant),
        ("[a:b = c]", 7, E::Constant),
        ("[a:b = 007]", 8, E::EndOfBrackets),
        ("[a:b = 1.]", 8, E::EndOfBrackets),
        ("[a:b = 1e5]", 8, E::EndOfBrackets),
        ("[a:b = -]", 7, E::Constant),
        ("[a:b = \"x\"]", 7, E::Constant),
        ("[a:b = TRUE]", 7, E::Constant),
        ("[a:b > true]", 7, E::OrderedConstant),
        ("[a:b LIKE 5]", 10, E::Text),
        ("[a:b IN 5]", 8, E::Set),
        ("[a:b IN (5]", 10, E::EndOfSet),
        ("[a:b IN (5,)]", 11, E::Constant),
        ("[a:b = 'x]", 10, E::Quote),
        ("[a:b = 'x\\'", 11, E::Quote),
        ("[a:b = 'é\\d']", 11, E::Escape),
        ("[a:b = 'x\\", 10, E::Escape),
        ("[a:b = b'TQ=']", 7, E::Base64),
        ("[a:b = h'0']", 7, E::HexPairs),
        ("[a:b = h'00]", 7, E::HexPairs),
        ("[a:b = t'2024-01-01']", 7, E::Timestamp),
        ("[a:b = t'2024-02-30T00:00:00Z']", 7, E::Timestamp),
        ("[a:b = t'2024-01-01T00:00:00.Z']", 7, E::Timestamp),
        ("[a:b = 1] START 5", 16, E::Timestamp),
        ("[a:b = 1] START t'2024-01-01T00:00:00Z'", 39, E::Stop),
        ("[a:b = 1] WITHIN 0 SECONDS", 17, E::Seconds),
        ("[a:b = 1] WITHIN -5 SECONDS", 17, E::Seconds),
        ("[a:b = 1] WITHIN 5", 18, E::SecondsWord),
        ("[a:b = 1] REPEATS 1.5 TIMES", 18, E::Times),
        ("[a:b = 1] REPEATS 5 TIME", 20, E::TimesWord),
    ] {
        assert_eq!(parse(text), Err(SyntaxError { offset, expected }), "{text}");
    }
}

#[test]
fn nesting_is_limited_and_never_overflows_the_stack() {
    let nested = |depth: usize, of: (&str, &str), body: &str| {
        format!("{}{body}{}", of.0.repeat(depth), of.1.repeat(depth))
    };
    let deep = |depth| {
        let inner = nested(depth, ("(", " OR a:b = 2)"), "a:b = 1");
        format!("[{inner}]")
    };
    assert!(parse(&deep(PATTERN_DEPTH_MAX)).is_ok());
    let too_deep = SyntaxError { offset: 1 + PATTERN_DEPTH_MAX, expected: Expected::LessDepth };
    assert_eq!(parse(&deep(PATTERN_DEPTH_MAX + 1)), Err(too_deep));
    for text in ["(".repeat(1_000_000), format!("[{}", "(".repeat(1_000_000))] {
        assert_eq!(parse(&text).unwrap_err().expected, Expected::LessDepth);
    }
    let qualifiers = format!("[a:b = 1]{}", " WITHIN 1 SECONDS".repeat(100_000));
    assert!(parse(&qualifiers).is_ok());
}

#[test]
fn the_number_of_values_is_limited() {
    let chain = |count: usize| format!("[{}]", vec!["a:b = 1"; count].join(" OR "));
    assert!(parse(&chain(PATTERN_COMPARISONS_MAX)).is_ok());
    let text = chain(PATTERN_COMPARISONS_MAX + 1);
    let error = parse(&text).unwrap_err();
    assert_eq!(error, SyntaxError { offset: text.len() - 2, expected: Expected::FewerComparisons });
    let set = format!("[a:b IN ({}1)]", "1,".repeat(PATTERN_COMPARISONS_MAX));
    assert_eq!(parse(&set).unwrap_err().expected, Expected::FewerComparisons);
}

#[test]
fn errors_read_as_sentences() {
    let error = parse("[a:b = ").unwrap_err();
    assert_eq!(error.to_string(), "expected a constant at byte 7");
}

fn arbitrary_comparison() -> impl Strategy<Value = Comparison<'static>> {
    let text = || any::<String>().prop_map(Cow::Owned);
    let literal = prop_oneof![
        text().prop_map(Literal::Text),
        Just(Literal::Integer("-7")),
        Just(Literal::Float(".5")),
        any::<bool>().prop_map(Literal::Boolean),
        Just(Literal::Binary("TQ==")),
        Just(Literal::Hex("0a")),
        Just(Literal::Timestamp("2024-05-14T11:00:00.5Z")),
    ];
    let step =
        prop_oneof![text().prop_map(Step::Property), Just(Step::Index("0")), Just(Step::AnyIndex)];
    let steps = (text(), prop::collection::vec(step, 0..3))
        .prop_map(|(first, rest)| std::iter::once(Step::Property(first)).chain(rest).collect());
    let path = steps.prop_map(|steps| ObjectPath { object: "x-y", steps });
    let predicate = prop_oneof![
        literal.clone().prop_map(Predicate::Equal),
        literal.clone().prop_map(Predicate::NotEqual),
        Just(Predicate::GreaterOrEqual(Literal::Integer("1"))),
        prop::collection::vec(literal, 0..3).prop_map(Predicate::In),
        text().prop_map(Predicate::Like),
        text().prop_map(Predicate::Matches),
    ];
    let test = (path.clone(), any::<bool>(), predicate)
        .prop_map(|(path, negated, predicate)| Comparison::Test(Test { path, negated, predicate }));
    let leaf = prop_oneof![
        test,
        (path, any::<bool>()).prop_map(|(path, negated)| Comparison::Exists { path, negated })
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        let parts = prop::collection::vec(inner, 2..4);
        prop_oneof![parts.clone().prop_map(Comparison::And), parts.prop_map(Comparison::Or)]
    })
}

fn arbitrary_pattern() -> impl Strategy<Value = Observation<'static>> {
    let qualifiers = prop::collection::vec(
        prop_oneof![
            Just(Qualifier::Within("5.5")),
            Just(Qualifier::Repeats("2")),
            Just(Qualifier::StartStop("2024-05-14T11:00:00Z", "2024-05-14T12:00:00Z")),
        ],
        1..3,
    );
    let leaf = arbitrary_comparison().prop_map(Observation::Test);
    leaf.prop_recursive(4, 16, 3, move |inner| {
        let parts = prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            parts.clone().prop_map(Observation::And),
            parts.clone().prop_map(Observation::Or),
            parts.prop_map(Observation::FollowedBy),
            (inner, qualifiers.clone())
                .prop_map(|(part, all)| Observation::Qualified(Box::new(part), all)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_printed_parses_to_the_same(pattern in arbitrary_pattern()) {
        let printed = pattern.to_string();
        prop_assert_eq!(parse(&printed), Ok(pattern));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        if let Err(error) = parse(&text) {
            prop_assert!(text.is_char_boundary(error.offset));
        }
    }

    #[test]
    fn no_soup_of_tokens_makes_the_parser_panic(
        tokens in prop::collection::vec(
            prop::sample::select(vec![
                "[", "]", "(", ")", "a:b", "=", "!=", "'x'", "'\\", "'", "1", ",", "IN", "AND",
                "OR", "NOT", "EXISTS", "FOLLOWEDBY", "WITHIN", "SECONDS", "b'", "t'", "h'", "é",
                "/*", "*/", "//", "\n", " ", "-", "+", ".", "[*]",
            ]),
            0..40,
        ),
    ) {
        let text = tokens.concat();
        match parse(&text) {
            Ok(pattern) => {
                let printed = pattern.to_string();
                prop_assert_eq!(parse(&printed), Ok(pattern));
            }
            Err(error) => prop_assert!(text.is_char_boundary(error.offset)),
        }
    }
}

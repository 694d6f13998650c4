//! STIX 2.1 patterns (OASIS STIX 2.1 part 9): the syntax tree, its parser and its printer.
//!
//! The parser takes the whole grammar and nothing else, with one exception: a step of an object path
//! may hold a hyphen without quotes (`file:hashes.SHA-256`), as many producers write it and as it can
//! mean nothing else. Nesting is limited by [`PATTERN_DEPTH_MAX`], and chains of operators are lists,
//! so that a hostile pattern makes neither the parser nor the tree deep.

mod literal;
mod parser;
mod print;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use parser::parse;

use crate::model::limits::{PATTERN_COMPARISONS_MAX, PATTERN_DEPTH_MAX};

/// Why a pattern does not parse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} at byte {offset}")]
pub struct SyntaxError {
    /// Where, in bytes from the start of the pattern; at most its length.
    pub offset: usize,
    /// What the grammar wants there.
    pub expected: Expected,
}

/// What the grammar wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// The start of an observation: `[` or `(`.
    Observation,
    /// After an observation: an operator, a qualifier, or the end of the pattern.
    EndOfPattern,
    /// After an observation in parentheses: an operator, a qualifier, or `)`.
    EndOfObservations,
    /// The start of a comparison: an object path, `EXISTS` or `(`.
    Comparison,
    /// The word `EXISTS` after a leading `NOT`.
    Exists,
    /// After a comparison in brackets: an operator or `]`.
    EndOfBrackets,
    /// After a comparison in parentheses: an operator or `)`.
    EndOfParentheses,
    /// An object path.
    ObjectPath,
    /// The colon between object type and first property.
    Colon,
    /// A property of an object path.
    Property,
    /// A list index of an object path: a number or `*`.
    Index,
    /// The `]` behind a list index.
    EndOfIndex,
    /// A comparison operator.
    Operator,
    /// A constant of any type.
    Constant,
    /// A constant that has an order: any but a truth value.
    OrderedConstant,
    /// A string constant.
    Text,
    /// The `(` of a set.
    Set,
    /// In a set, after a constant: `,` or `)`.
    EndOfSet,
    /// The quote at the end of a string.
    Quote,
    /// What may follow a backslash in a string.
    Escape,
    /// The content of `b'…'`.
    Base64,
    /// The content of `h'…'`.
    HexPairs,
    /// A timestamp constant.
    Timestamp,
    /// The word `STOP` of a `START … STOP …` qualifier.
    Stop,
    /// The number of seconds of `WITHIN`.
    Seconds,
    /// The word `SECONDS`.
    SecondsWord,
    /// The number of `REPEATS`.
    Times,
    /// The word `TIMES`.
    TimesWord,
    /// Less nesting.
    LessDepth,
    /// Fewer comparisons.
    FewerComparisons,
}

/// A pattern, or a part of it that stands for whole observations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation<'a> {
    /// `[ … ]`
    Test(Comparison<'a>),
    /// `… AND …`, two or more.
    And(Vec<Self>),
    /// `… OR …`, two or more.
    Or(Vec<Self>),
    /// `… FOLLOWEDBY …`, two or more.
    FollowedBy(Vec<Self>),
    /// An observation with one or more qualifiers.
    Qualified(Box<Self>, Vec<Qualifier<'a>>),
}

/// A qualifier of an observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Qualifier<'a> {
    /// `WITHIN n SECONDS`; the number as it stands, perhaps with a fraction.
    Within(&'a str),
    /// `REPEATS n TIMES`; the number as it stands.
    Repeats(&'a str),
    /// `START t'…' STOP t'…'`; both times as they stand.
    StartStop(&'a str, &'a str),
}

/// What is tested of one observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison<'a> {
    /// `… AND …`, two or more.
    And(Vec<Self>),
    /// `… OR …`, two or more.
    Or(Vec<Self>),
    /// One property against a constant or a set.
    Test(Test<'a>),
    /// Whether a property is there at all: `EXISTS path`.
    Exists {
        /// What is to be there.
        path: ObjectPath<'a>,
        /// Whether `NOT` stands before `EXISTS`.
        negated: bool,
    },
}

/// One comparison of a property with a constant or a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test<'a> {
    /// What is compared.
    pub path: ObjectPath<'a>,
    /// Whether `NOT` stands before the operator.
    pub negated: bool,
    /// How and with what it is compared.
    pub predicate: Predicate<'a>,
}

/// The right side of a comparison, operator included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Predicate<'a> {
    /// `=`, also written `==`.
    Equal(Literal<'a>),
    /// `!=`, also written `<>`.
    NotEqual(Literal<'a>),
    /// `<`
    Less(Literal<'a>),
    /// `<=`
    LessOrEqual(Literal<'a>),
    /// `>`
    Greater(Literal<'a>),
    /// `>=`
    GreaterOrEqual(Literal<'a>),
    /// `IN ( … )`, perhaps empty.
    In(Vec<Literal<'a>>),
    /// `LIKE`, with `%` and `_` as wildcards.
    Like(Cow<'a, str>),
    /// `MATCHES`, a PCRE.
    Matches(Cow<'a, str>),
    /// `ISSUBSET`, a CIDR block.
    IsSubset(Cow<'a, str>),
    /// `ISSUPERSET`, a CIDR block.
    IsSuperset(Cow<'a, str>),
}

/// A constant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal<'a> {
    /// `'…'`, its escapes resolved.
    Text(Cow<'a, str>),
    /// A whole number as it stands, without a plus sign.
    Integer(&'a str),
    /// A number with a fraction as it stands, without a plus sign.
    Float(&'a str),
    /// `true` or `false`
    Boolean(bool),
    /// `b'…'`, the Base64 text.
    Binary(&'a str),
    /// `h'…'`, the hexadecimal digits.
    Hex(&'a str),
    /// `t'…'`, the time as it stands.
    Timestamp(&'a str),
}

/// An object path: `file:hashes.'SHA-256'`, `domain-name:resolves_to_refs[*].value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectPath<'a> {
    /// The type of the object.
    pub object: &'a str,
    /// The steps from the object to the property, at least one; the first is a property.
    pub steps: Vec<Step<'a>>,
}

/// A step of an object path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<'a> {
    /// A property or the key of a dictionary, without its quotes.
    Property(Cow<'a, str>),
    /// One item of a list.
    Index(&'a str),
    /// Any item of a list: `[*]`.
    AnyIndex,
}

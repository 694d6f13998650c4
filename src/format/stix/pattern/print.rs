//! Patterns as text, in one canonical form that parses to the same tree.

use std::fmt::{self, Display, Formatter, Write};

use super::{
    Comparison, Expected, Literal, ObjectPath, Observation, PATTERN_COMPARISONS_MAX,
    PATTERN_DEPTH_MAX, Predicate, Qualifier, Step, Test,
};

impl Display for Expected {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Observation => "'[' or '('",
            Self::EndOfPattern => "AND, OR, FOLLOWEDBY, a qualifier or the end of the pattern",
            Self::EndOfObservations => "AND, OR, FOLLOWEDBY, a qualifier or ')'",
            Self::Comparison => "an object path, EXISTS or '('",
            Self::Exists => "EXISTS; elsewhere NOT stands before the operator",
            Self::EndOfBrackets => "AND, OR or ']'",
            Self::EndOfParentheses => "AND, OR or ')'",
            Self::ObjectPath => "an object path",
            Self::Colon => "':' after the object type",
            Self::Property => "the name of a property, quoted if it is not a plain word",
            Self::Index => "a list index or '*'",
            Self::EndOfIndex => "']' after the list index",
            Self::Operator => "a comparison operator",
            Self::Constant => "a constant",
            Self::OrderedConstant => "a constant that has an order, not a truth value",
            Self::Text => "a string in single quotes",
            Self::Set => "'(' and a set of constants",
            Self::EndOfSet => "',' or ')'",
            Self::Quote => "the closing quote of the string",
            Self::Escape => "a backslash or a single quote after the backslash",
            Self::Base64 => "Base64 in quotes",
            Self::HexPairs => "pairs of hexadecimal digits in quotes",
            Self::Timestamp => "a timestamp such as t'2024-05-14T11:00:00Z'",
            Self::Stop => "STOP and a timestamp",
            Self::Seconds => "a number of seconds",
            Self::SecondsWord => "SECONDS",
            Self::Times => "a number of times, at least 1",
            Self::TimesWord => "TIMES",
            Self::LessDepth => {
                return write!(f, "at most {PATTERN_DEPTH_MAX} levels of parentheses");
            }
            Self::FewerComparisons => {
                return write!(f, "at most {PATTERN_COMPARISONS_MAX} compared values");
            }
        })
    }
}

/// Writes the parts with a separator between them; compound parts in parentheses.
fn chain<T: Display>(
    f: &mut Formatter<'_>,
    parts: &[T],
    separator: &str,
    is_compound: impl Fn(&T) -> bool,
) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(separator)?;
        }
        if is_compound(part) {
            write!(f, "({part})")?;
        } else {
            part.fmt(f)?;
        }
    }
    Ok(())
}

impl Display for Observation<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let is_compound =
            |part: &Self| matches!(part, Self::And(_) | Self::Or(_) | Self::FollowedBy(_));
        match self {
            Self::Test(comparison) => write!(f, "[{comparison}]"),
            Self::And(parts) => chain(f, parts, " AND ", is_compound),
            Self::Or(parts) => chain(f, parts, " OR ", is_compound),
            Self::FollowedBy(parts) => chain(f, parts, " FOLLOWEDBY ", is_compound),
            Self::Qualified(observation, qualifiers) => {
                match **observation {
                    Self::Test(_) => observation.fmt(f)?,
                    _ => write!(f, "({observation})")?,
                }
                qualifiers.iter().try_for_each(|qualifier| write!(f, " {qualifier}"))
            }
        }
    }
}

impl Display for Qualifier<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Within(seconds) => write!(f, "WITHIN {seconds} SECONDS"),
            Self::Repeats(times) => write!(f, "REPEATS {times} TIMES"),
            Self::StartStop(start, stop) => write!(f, "START t'{start}' STOP t'{stop}'"),
        }
    }
}

impl Display for Comparison<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let is_compound = |part: &Self| matches!(part, Self::And(_) | Self::Or(_));
        match self {
            Self::And(parts) => chain(f, parts, " AND ", is_compound),
            Self::Or(parts) => chain(f, parts, " OR ", is_compound),
            Self::Test(test) => test.fmt(f),
            Self::Exists { path, negated: false } => write!(f, "EXISTS {path}"),
            Self::Exists { path, negated: true } => write!(f, "NOT EXISTS {path}"),
        }
    }
}

impl Display for Test<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.path.fmt(f)?;
        f.write_str(if self.negated { " NOT " } else { " " })?;
        self.predicate.fmt(f)
    }
}

impl Display for Predicate<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let word = match self {
            Self::Equal(literal) => return write!(f, "= {literal}"),
            Self::NotEqual(literal) => return write!(f, "!= {literal}"),
            Self::Less(literal) => return write!(f, "< {literal}"),
            Self::LessOrEqual(literal) => return write!(f, "<= {literal}"),
            Self::Greater(literal) => return write!(f, "> {literal}"),
            Self::GreaterOrEqual(literal) => return write!(f, ">= {literal}"),
            Self::In(set) => {
                f.write_str("IN (")?;
                chain(f, set, ", ", |_| false)?;
                return f.write_char(')');
            }
            Self::Like(_) => "LIKE ",
            Self::Matches(_) => "MATCHES ",
            Self::IsSubset(_) => "ISSUBSET ",
            Self::IsSuperset(_) => "ISSUPERSET ",
        };
        f.write_str(word)?;
        match self {
            Self::Like(text)
            | Self::Matches(text)
            | Self::IsSubset(text)
            | Self::IsSuperset(text) => quoted(f, text),
            _ => Ok(()),
        }
    }
}

impl Display for Literal<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => quoted(f, text),
            Self::Integer(number) | Self::Float(number) => f.write_str(number),
            Self::Boolean(truth) => truth.fmt(f),
            Self::Binary(base64) => write!(f, "b'{base64}'"),
            Self::Hex(digits) => write!(f, "h'{digits}'"),
            Self::Timestamp(time) => write!(f, "t'{time}'"),
        }
    }
}

impl Display for ObjectPath<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.object)?;
        for (at, step) in self.steps.iter().enumerate() {
            match step {
                Step::Property(name) => {
                    f.write_char(if at == 0 { ':' } else { '.' })?;
                    property(f, name)?;
                }
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::AnyIndex => f.write_str("[*]")?,
            }
        }
        Ok(())
    }
}

/// A property, in quotes unless it is a plain word.
fn property(f: &mut Formatter<'_>, name: &str) -> fmt::Result {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
    if plain { f.write_str(name) } else { quoted(f, name) }
}

fn quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('\'')?;
    for char in text.chars() {
        if matches!(char, '\\' | '\'') {
            f.write_char('\\')?;
        }
        f.write_char(char)?;
    }
    f.write_char('\'')
}

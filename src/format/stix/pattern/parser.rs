//! The parser: recursive descent over the text, its depth counted.

use super::{
    Comparison, Expected, Literal, ObjectPath, Observation, PATTERN_COMPARISONS_MAX,
    PATTERN_DEPTH_MAX, Predicate, Qualifier, Step, SyntaxError, Test,
};

/// Parses a whole pattern.
///
/// # Errors
/// If the text is not a pattern of the grammar, or is beyond [`PATTERN_DEPTH_MAX`] or
/// [`PATTERN_COMPARISONS_MAX`].
pub fn parse(text: &str) -> Parsed<Observation<'_>> {
    let mut parser = Parser { text, at: 0, depth: 0, values: 0 };
    let pattern = parser.observations()?;
    parser.skip();
    if parser.at < text.len() {
        return Err(parser.wanted(Expected::EndOfPattern));
    }
    Ok(pattern)
}

pub(super) type Parsed<T> = Result<T, SyntaxError>;

pub(super) struct Parser<'a> {
    text: &'a str,
    /// Bytes read so far, always a character boundary.
    pub(super) at: usize,
    depth: usize,
    values: usize,
}

/// How the text goes on: spaces, marks, words.
impl<'a> Parser<'a> {
    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Passes white space and comments; an endless comment stays, for the next rule to refuse.
    pub(super) fn skip(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            let comment = if let Some(block) = trimmed.strip_prefix("/*") {
                block.find("*/").map_or(0, |end| end + 4)
            } else if trimmed.starts_with("//") {
                trimmed.find(['\r', '\n']).unwrap_or(trimmed.len())
            } else {
                0
            };
            self.at += rest.len() - trimmed.len() + comment;
            if comment == 0 {
                return;
            }
        }
    }

    pub(super) fn wanted(&self, expected: Expected) -> SyntaxError {
        SyntaxError { offset: self.at, expected }
    }

    fn eat(&mut self, mark: &str) -> bool {
        self.skip();
        let is_next = self.rest().starts_with(mark);
        if is_next {
            self.at += mark.len();
        }
        is_next
    }

    fn want(&mut self, mark: &str, expected: Expected) -> Parsed<()> {
        if self.eat(mark) { Ok(()) } else { Err(self.wanted(expected)) }
    }

    /// The word that comes next, perhaps empty: a letter or `_`, then letters, digits, `_`, `-`.
    fn peek_word(&mut self) -> &'a str {
        self.skip();
        let rest = self.rest();
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        match rest.bytes().next() {
            Some(first) if first.is_ascii_alphabetic() || first == b'_' => {
                &rest[..rest.bytes().position(|byte| !is_word(byte)).unwrap_or(rest.len())]
            }
            _ => "",
        }
    }

    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let is_next = self.peek_word() == word;
        if is_next {
            self.at += word.len();
        }
        is_next
    }

    /// A part in parentheses, one level deeper.
    fn nested<T>(&mut self, part: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == PATTERN_DEPTH_MAX {
            return Err(SyntaxError { offset: self.at - 1, expected: Expected::LessDepth });
        }
        self.depth += 1;
        let part = part(self)?;
        self.depth -= 1;
        Ok(part)
    }

    /// Parts with a word between them; one part alone stays itself.
    fn chain<T>(
        &mut self,
        word: &str,
        part: impl Fn(&mut Self) -> Parsed<T>,
        join: impl FnOnce(Vec<T>) -> T,
    ) -> Parsed<T> {
        let first = part(self)?;
        if !self.eat_word(word) {
            return Ok(first);
        }
        let mut parts = vec![first, part(self)?];
        while self.eat_word(word) {
            parts.push(part(self)?);
        }
        Ok(join(parts))
    }
}

/// Observations: what is seen, and in which order.
impl<'a> Parser<'a> {
    fn observations(&mut self) -> Parsed<Observation<'a>> {
        let all_of = |parser: &mut Self| parser.chain("AND", Self::observation, Observation::And);
        let any_of = |parser: &mut Self| parser.chain("OR", all_of, Observation::Or);
        self.chain("FOLLOWEDBY", any_of, Observation::FollowedBy)
    }

    fn observation(&mut self) -> Parsed<Observation<'a>> {
        let observation = if self.eat("[") {
            let comparison = self.comparisons()?;
            self.want("]", Expected::EndOfBrackets)?;
            Observation::Test(comparison)
        } else if self.eat("(") {
            let inner = self.nested(Self::observations)?;
            self.want(")", Expected::EndOfObservations)?;
            inner
        } else {
            return Err(self.wanted(Expected::Observation));
        };
        let mut qualifiers = Vec::new();
        while let Some(qualifier) = self.qualifier()? {
            qualifiers.push(qualifier);
        }
        Ok(if qualifiers.is_empty() {
            observation
        } else {
            Observation::Qualified(Box::new(observation), qualifiers)
        })
    }

    fn qualifier(&mut self) -> Parsed<Option<Qualifier<'a>>> {
        Ok(Some(if self.eat_word("WITHIN") {
            let seconds = self.qualifier_number(Expected::Seconds)?;
            self.want_word("SECONDS", Expected::SecondsWord)?;
            Qualifier::Within(seconds)
        } else if self.eat_word("REPEATS") {
            let times = self.qualifier_number(Expected::Times)?;
            self.want_word("TIMES", Expected::TimesWord)?;
            Qualifier::Repeats(times)
        } else if self.eat_word("START") {
            let start = self.timestamp()?;
            self.want_word("STOP", Expected::Stop)?;
            Qualifier::StartStop(start, self.timestamp()?)
        } else {
            return Ok(None);
        }))
    }

    fn want_word(&mut self, word: &str, expected: Expected) -> Parsed<()> {
        if self.eat_word(word) { Ok(()) } else { Err(self.wanted(expected)) }
    }

    /// Seconds may have a fraction, times may not; zero and less mean nothing for either.
    fn qualifier_number(&mut self, expected: Expected) -> Parsed<&'a str> {
        self.skip();
        let start = self.wanted(expected);
        match self.number() {
            Some(Literal::Integer(number)) if number != "0" && !number.starts_with('-') => {
                Ok(number)
            }
            Some(Literal::Float(number))
                if expected == Expected::Seconds && !number.starts_with('-') =>
            {
                Ok(number)
            }
            _ => Err(start),
        }
    }
}

/// Comparisons: what is tested of one observation.
impl<'a> Parser<'a> {
    fn comparisons(&mut self) -> Parsed<Comparison<'a>> {
        let all_of = |parser: &mut Self| parser.chain("AND", Self::comparison, Comparison::And);
        self.chain("OR", all_of, Comparison::Or)
    }

    fn comparison(&mut self) -> Parsed<Comparison<'a>> {
        if self.eat("(") {
            let inner = self.nested(Self::comparisons)?;
            self.want(")", Expected::EndOfParentheses)?;
            return Ok(inner);
        }
        let negated = self.eat_word("NOT");
        if self.eat_word("EXISTS") {
            self.count_value()?;
            return Ok(Comparison::Exists { path: self.path()?, negated });
        }
        if negated {
            return Err(self.wanted(Expected::Exists));
        }
        if self.peek_word().is_empty() {
            return Err(self.wanted(Expected::Comparison));
        }
        let path = self.path()?;
        let negated = self.eat_word("NOT");
        Ok(Comparison::Test(Test { path, negated, predicate: self.predicate()? }))
    }

    fn predicate(&mut self) -> Parsed<Predicate<'a>> {
        // The longer marks first: `<=` begins with `<`.
        if self.eat("!=") || self.eat("<>") {
            return Ok(Predicate::NotEqual(self.constant()?));
        }
        if self.eat("<=") {
            return Ok(Predicate::LessOrEqual(self.ordered_constant()?));
        }
        if self.eat(">=") {
            return Ok(Predicate::GreaterOrEqual(self.ordered_constant()?));
        }
        if self.eat("<") {
            return Ok(Predicate::Less(self.ordered_constant()?));
        }
        if self.eat(">") {
            return Ok(Predicate::Greater(self.ordered_constant()?));
        }
        if self.eat("==") || self.eat("=") {
            return Ok(Predicate::Equal(self.constant()?));
        }
        let word = self.peek_word();
        let of_text = match word {
            "IN" => {
                self.at += word.len();
                return Ok(Predicate::In(self.set()?));
            }
            "LIKE" => Predicate::Like,
            "MATCHES" => Predicate::Matches,
            "ISSUBSET" => Predicate::IsSubset,
            "ISSUPERSET" => Predicate::IsSuperset,
            _ => return Err(self.wanted(Expected::Operator)),
        };
        self.at += word.len();
        self.skip();
        self.count_value()?;
        Ok(of_text(self.text(Expected::Text)?))
    }

    fn set(&mut self) -> Parsed<Vec<Literal<'a>>> {
        self.want("(", Expected::Set)?;
        let mut set = Vec::new();
        if self.eat(")") {
            return Ok(set);
        }
        loop {
            set.push(self.constant()?);
            if self.eat(")") {
                return Ok(set);
            }
            self.want(",", Expected::EndOfSet)?;
        }
    }

    fn constant(&mut self) -> Parsed<Literal<'a>> {
        self.skip();
        self.count_value()?;
        self.literal()
    }

    fn ordered_constant(&mut self) -> Parsed<Literal<'a>> {
        self.skip();
        let start = self.wanted(Expected::OrderedConstant);
        match self.constant()? {
            Literal::Boolean(_) => Err(start),
            literal => Ok(literal),
        }
    }

    fn count_value(&mut self) -> Parsed<()> {
        self.values += 1;
        if self.values > PATTERN_COMPARISONS_MAX {
            return Err(self.wanted(Expected::FewerComparisons));
        }
        Ok(())
    }

    fn path(&mut self) -> Parsed<ObjectPath<'a>> {
        let object = self.peek_word();
        if object.is_empty() {
            return Err(self.wanted(Expected::ObjectPath));
        }
        self.at += object.len();
        self.want(":", Expected::Colon)?;
        let mut steps = vec![self.property()?];
        loop {
            if self.eat(".") {
                steps.push(self.property()?);
            } else if self.eat("[") {
                steps.push(self.index()?);
                self.want("]", Expected::EndOfIndex)?;
            } else {
                return Ok(ObjectPath { object, steps });
            }
        }
    }

    fn property(&mut self) -> Parsed<Step<'a>> {
        let name = self.peek_word();
        if name.is_empty() {
            return Ok(Step::Property(self.text(Expected::Property)?));
        }
        self.at += name.len();
        Ok(Step::Property(name.into()))
    }

    fn index(&mut self) -> Parsed<Step<'a>> {
        if self.eat("*") {
            return Ok(Step::AnyIndex);
        }
        let start = self.wanted(Expected::Index);
        match self.number() {
            Some(Literal::Integer(index)) if !index.starts_with('-') => Ok(Step::Index(index)),
            _ => Err(start),
        }
    }
}

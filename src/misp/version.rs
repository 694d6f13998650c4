//! Versions of MISP, for rules that hold from one of them on.

use std::fmt;

/// A version of MISP. Rules are read off 2.5.1; what changed later carries the version it changed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    major: u16,
    minor: u16,
    patch: u16,
}

impl Version {
    /// The version that all rules are known of, and that is assumed where none is known.
    pub const BASE: Self = Self::new(2, 5, 1);

    /// A version by its numbers.
    #[must_use]
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self { major, minor, patch }
    }

    /// Reads `2.5.19`; what stands behind the third number, such as `-rc1`, does not count.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().splitn(3, '.');
        let mut number = || {
            let part = parts.next()?;
            let end = part.find(|char: char| !char.is_ascii_digit()).unwrap_or(part.len());
            part[..end].parse().ok()
        };
        Some(Self::new(number()?, number()?, number()?))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        assert!(Version::parse("2.5.9") < Version::parse("2.5.19"));
        assert_eq!(Version::parse("2.5.19-rc1"), Some(Version::new(2, 5, 19)));
        assert_eq!(Version::parse("2.5.1"), Some(Version::BASE));
        assert_eq!(Version::parse("2.5").or(Version::parse("x.5.1")), None);
        assert_eq!(Version::BASE.to_string(), "2.5.1");
    }
}

//! Marking definitions of STIX whose ids stand for a colour everywhere.

use super::Tlp;

/// Marking definitions with a fixed id, which a source may use without holding them: those of TLP 1.0
/// (STIX 2.1, 7.2.1.4), those of the TLP 2.0 extension (OASIS common object repository), and the statement by which
/// OpenCTI says AMBER+STRICT.
const FIXED: [(&str, Tlp); 10] = [
    ("613f2e26-407d-48c7-9eca-b8e91df99dc9", Tlp::Clear),
    ("34098fce-860f-48ae-8e50-ebd3cc5e41da", Tlp::Green),
    ("f88d31f6-486f-44da-b317-01333bde0b82", Tlp::Amber),
    ("5e57c739-391a-4eb3-b6be-7d15ca92d5ed", Tlp::Red),
    ("94868c89-83c2-464b-929b-a1a8aa3c8487", Tlp::Clear),
    ("bab4a63c-aed9-4cf5-a766-dfca5abac2bb", Tlp::Green),
    ("55d920b0-5e8b-4f79-9ee9-91f868d9b421", Tlp::Amber),
    ("939a9414-2ddd-4d32-a0cd-375ea402b003", Tlp::AmberStrict),
    ("e828b379-4e03-4974-9ac4-e53a884c97c1", Tlp::Red),
    ("826578e1-40ad-459f-bc73-ede076f81f37", Tlp::AmberStrict),
];

/// The id of a marking definition: white space and case make no other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MarkingId(Box<str>);

impl MarkingId {
    /// How the id of a marking definition begins.
    pub const PREFIX: &str = "marking-definition--";

    /// An id as it is written; a bare UUID is one, too.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let id = text.trim().to_ascii_lowercase();
        let is_bare = id.len() == 36 && uuid::Uuid::parse_str(&id).is_ok();
        Self(if is_bare { format!("{}{id}", Self::PREFIX) } else { id }.into())
    }

    /// The id in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The colour that the id stands for wherever it is used.
    #[must_use]
    pub fn fixed(&self) -> Option<Tlp> {
        let uuid = self.0.strip_prefix(Self::PREFIX)?;
        FIXED.iter().find(|(id, _)| *id == uuid).map(|(_, tlp)| *tlp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_ids_are_known_in_any_case_and_without_their_type() {
        let red = "e828b379-4e03-4974-9ac4-e53a884c97c1";
        for id in [red, &red.to_uppercase(), &format!(" Marking-Definition--{red} ")] {
            assert_eq!(MarkingId::of(id).fixed(), Some(Tlp::Red), "{id}");
        }
        for id in ["", "marking-definition--", "red", &format!("statement--{red}"), &red[1..]] {
            assert_eq!(MarkingId::of(id).fixed(), None, "{id}");
        }
    }
}

//! MISP's attribute types and categories, from the recorded table `types.json` (MISP 2.5.1).

use std::{collections::BTreeMap, fmt, sync::LazyLock};

use serde::Deserialize;

use crate::model::as_text;

/// One of MISP's attribute types, such as `ip-dst`. Names are compared with case, as MISP does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttributeType(u16);

/// One of MISP's categories, such as `Network activity`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Category(u8);

#[derive(Deserialize)]
struct File {
    types: BTreeMap<String, (String, u8)>,
    categories: BTreeMap<String, Vec<String>>,
}

struct Table {
    types: Vec<TypeRow>,
    categories: Vec<String>,
}

struct TypeRow {
    name: String,
    default_category: Category,
    default_to_ids: bool,
    categories: Vec<Category>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let file: File = serde_json::from_str(include_str!("types.json"))
        .expect("types.json is part of the program");
    let categories: Vec<String> = file.categories.keys().cloned().collect();
    let category = |name: &str| {
        let at = categories.iter().position(|known| known == name);
        let at = at.expect("every category of types.json is listed there");
        Category(u8::try_from(at).expect("MISP has some sixteen categories"))
    };
    let types = file.types.into_iter().map(|(name, (default, to_ids))| TypeRow {
        default_category: category(&default),
        default_to_ids: to_ids == 1,
        categories: file
            .categories
            .iter()
            .filter(|(_, types)| types.contains(&name))
            .map(|(in_category, _)| category(in_category))
            .collect(),
        name,
    });
    Table { types: types.collect(), categories: categories.clone() }
});

impl AttributeType {
    /// The type of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let at = TABLE.types.binary_search_by(|row| row.name.as_str().cmp(name)).ok()?;
        u16::try_from(at).ok().map(Self)
    }

    /// All types, sorted by name.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..u16::try_from(TABLE.types.len()).expect("MISP has some two hundred types")).map(Self)
    }

    /// The place in [`AttributeType::all`].
    pub(super) fn index(self) -> usize {
        usize::from(self.0)
    }

    fn row(self) -> &'static TypeRow {
        &TABLE.types[self.index()]
    }

    /// The name, such as `ip-dst`.
    #[must_use]
    pub fn name(self) -> &'static str {
        &self.row().name
    }

    /// The category MISP takes when a request names none.
    #[must_use]
    pub fn default_category(self) -> Category {
        self.row().default_category
    }

    /// The `to_ids` MISP takes when a request names none.
    #[must_use]
    pub fn default_to_ids(self) -> bool {
        self.row().default_to_ids
    }

    /// Whether MISP takes the type in this category.
    #[must_use]
    pub fn allows(self, category: Category) -> bool {
        self.row().categories.contains(&category)
    }

    /// Whether a value of this type is two values joined by `|`.
    #[must_use]
    pub fn is_composite(self) -> bool {
        self.name().contains('|') || self.name() == "malware-sample"
    }
}

impl Category {
    /// The category of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let at = TABLE.categories.iter().position(|known| known == name)?;
        u8::try_from(at).ok().map(Self)
    }

    /// All categories, sorted by name.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..u8::try_from(TABLE.categories.len()).expect("MISP has some sixteen categories"))
            .map(Self)
    }

    /// The name, such as `Network activity`.
    #[must_use]
    pub fn name(self) -> &'static str {
        &TABLE.categories[usize::from(self.0)]
    }
}

impl fmt::Debug for AttributeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

as_text!(AttributeType, "type of MISP", AttributeType::named);
as_text!(Category, "category of MISP", Category::named);

impl fmt::Display for AttributeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_found_again_and_fits_its_default_category() {
        assert_eq!(AttributeType::all().count(), 191);
        for kind in AttributeType::all() {
            assert_eq!(AttributeType::named(kind.name()), Some(kind));
            assert!(kind.allows(kind.default_category()), "{kind}");
        }
        for category in Category::all() {
            assert_eq!(Category::named(category.name()), Some(category));
        }
        assert_eq!(AttributeType::named("IP-DST"), None);
    }
}

//! Names of entities: ids, and ends of relations, in all the forms in which they are written.

use crate::model::EntityKey;

/// The key of a name: a UUID, `{https://eiq.example}incident-<uuid>`, `incident--<uuid>`, or the URL of an
/// entity, perhaps with a slash, a query or a fragment behind it. A name without a UUID is one as a whole.
pub(in crate::format) fn key(name: &str) -> EntityKey {
    let name = name.trim();
    let path = name.split(['?', '#']).next().unwrap_or_default();
    uuid_in(path).or_else(|| uuid_in(name)).unwrap_or_else(|| EntityKey::of(name))
}

/// The last part that ends with a UUID. What stands in the braces of a qualified id says where it is from.
fn uuid_in(name: &str) -> Option<EntityKey> {
    let edges: &[char] = &['{', '}', ' ', '"', '<', '>'];
    let own = match name.trim_end_matches(edges).rsplit_once('}') {
        Some((_, own)) if name.starts_with('{') => own,
        _ => name,
    };
    let mut parts = own.rsplit('/').map(|part| EntityKey::of(part.trim_matches(edges)));
    parts.find(|key| key.uuid().is_some())
}

/// Whether an end of a relation is a place in a list, as in the JSON of extensions.
pub(super) fn is_index(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "13cb1207-0674-4a54-a999-df5ff8e35c1a";

    #[test]
    fn all_forms_of_a_name_have_one_key() {
        for form in [
            "U",
            " U ",
            "{U}",
            "urn:uuid:U",
            "incident--U",
            "Incident-U",
            "{https://eiq.example/}incident-U",
            "{{https://eiq.example/}}Incident-U",
            "{{https://eiq.example/}incident-U}",
            "{https://eiq.example/}incident-U/",
            "https://eiq.example/api/v2/entities/U",
            "https://eiq.example/api/v2/entities/U/",
            "https://eiq.example/api/v2/entities/U//",
            "https://eiq.example/api/v2/entities/U?x=1",
            "https://eiq.example/api/v2/entities/U/?from=99999999-0674-4a54-a999-df5ff8e35c1a",
            "https://eiq.example/entity/U#history",
            "https://eiq.example/entity/U/#/x",
            "https://eiq.example/entity?id=U",
            "https://eiq.example/entity/{U}/",
            "/api/v1/entities/U/relationships/",
        ] {
            for uuid in [UUID.to_owned(), UUID.to_uppercase()] {
                assert_eq!(key(&form.replace('U', &uuid)).as_str(), UUID, "{form}");
            }
        }
    }

    #[test]
    fn what_has_no_uuid_of_its_own_is_a_name_as_a_whole() {
        let of_another = format!("{{https://eiq.example/{UUID}/}}incident-5");
        for name in ["x", "", "{https://eiq.example/}incident-5", &of_another, "7"] {
            assert_eq!(key(name), EntityKey::of(name), "{name}");
        }
        assert!(is_index("0") && !is_index("") && !is_index(UUID));
    }
}

//! taxonomies/*: the one taxonomy that is loaded, `tlp`. Neither loading nor enabling it makes a tag.

use crate::sandbox::{
    Call,
    http::answer::{Answer, Halt, Outcome},
    output::{json::Json, views},
    rows::{row::Attached, state::State, tag_table::TagRow},
};

/// MISP's number of the taxonomy.
const TLP: u32 = 1;

/// Its tags and their colours, version 10.
const TAGS: [(&str, &str); 8] = [
    ("tlp:red", "#CC0033"),
    ("tlp:amber", "#FFC000"),
    ("tlp:amber+strict", "#FFC000"),
    ("tlp:green", "#339900"),
    ("tlp:white", "#ffffff"),
    ("tlp:clear", "#ffffff"),
    ("tlp:ex:chr", "#c0c0c0"),
    ("tlp:unclear", "#7e7eae"),
];

/// Those that may stand beside each other although only one tag is allowed.
const ALIKE: [&str; 2] = ["tlp:white", "tlp:clear"];

/// Whether a tag may stand beside those that are there. Only the calls of the web interface ask.
pub(crate) fn allows(state: &State, tag: u32, there: &[Attached]) -> bool {
    let of_taxonomy = |id: u32| {
        let tag = state.tag(id)?;
        TAGS.iter().map(|(name, _)| *name).find(|name| *name == tag.name)
    };
    let Some(new) = of_taxonomy(tag).filter(|_| state.tlp_enabled) else { return true };
    let mut known = there.iter().filter_map(|attached| of_taxonomy(attached.tag));
    known.all(|name| name == new || (ALIKE.contains(&name) && ALIKE.contains(&new)))
}

fn taxonomy(state: &State) -> Json<'_> {
    Json::map([
        ("id", Json::id(TLP)),
        ("namespace", Json::text("tlp")),
        ("description", Json::text("The Traffic Light Protocol (TLP) (v2.0).")),
        ("version", Json::text("10")),
        ("enabled", Json::Flag(state.tlp_enabled)),
        ("exclusive", Json::Flag(true)),
        ("required", Json::Flag(false)),
        ("highlighted", Json::Flag(false)),
    ])
}

/// GET taxonomies/index.
pub(crate) fn index(state: &State, call: &Call<'_>) -> Outcome {
    let made = TAGS.iter().filter(|(name, _)| state.tags.named(name).is_some()).count();
    let count = |count: usize| Json::Count(i64::try_from(count).unwrap_or(i64::MAX));
    let entry = Json::map([
        ("Taxonomy", taxonomy(state)),
        ("total_count", count(TAGS.len())),
        ("current_count", count(made)),
    ]);
    Ok(Answer::data(&Json::List(vec![entry]), call.style))
}

/// GET taxonomies/view/{id or namespace}.
pub(crate) fn view(state: &State, call: &Call<'_>) -> Outcome {
    check(call)?;
    let entries = TAGS.iter().map(|(name, _)| {
        let existing = state.tags.named(name).and_then(|id| state.tag(id));
        let existing =
            existing.map_or(Json::Flag(false), |tag| Json::map([("Tag", views::tag_row(tag))]));
        Json::map([("tag", Json::text(*name)), ("existing_tag", existing)])
    });
    let entries = Json::List(entries.collect());
    let json = Json::map([("Taxonomy", taxonomy(state)), ("entries", entries)]);
    Ok(Answer::data(&json, call.style))
}

/// POST taxonomies/enable/{id} and disable/{id}.
pub(crate) fn enable(state: &mut State, call: &Call<'_>, enabled: bool) -> Outcome {
    check(call)?;
    state.tlp_enabled = enabled;
    let (verb, message) = match enabled {
        true => ("enable", "Taxonomy enabled"),
        false => ("disable", "Taxonomy disabled"),
    };
    Ok(Answer::saved(message, format!("/taxonomies/{verb}/{TLP}"), Some("1"), call.style))
}

/// POST taxonomies/addTag/{id}: makes all its tags.
pub(crate) fn add_tags(state: &mut State, call: &Call<'_>) -> Outcome {
    check(call)?;
    for (name, colour) in TAGS {
        if state.tags.named(name).is_none() {
            state.tags.insert(TagRow::new(name, colour.to_owned()));
        }
    }
    let message = "The tag(s) has been saved.";
    Ok(Answer::saved(message, format!("/taxonomies/addTag/{TLP}"), Some("1"), call.style))
}

fn check(call: &Call<'_>) -> Result<(), Halt> {
    match call.route.id() {
        Some("1" | "tlp") => Ok(()),
        _ => Err(Halt::exception(404, "Taxonomy not found.")),
    }
}

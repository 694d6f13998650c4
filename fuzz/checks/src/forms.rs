//! Forms of marking as `docs/mapping.md` promises them, each with the colour that it means: of the whole, or of a part,
//! which makes the whole as strict and nothing marked.

use arbitrary::{Result, Unstructured};
use serde_json::{Value, json};

use misp_trickle::model::{Marking, Tlp};

/// What an element is marked with.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Marked {
    pub(super) whole: Option<Tlp>,
    pub(super) part: Option<Tlp>,
}

impl Marked {
    pub(super) fn marking(self) -> Marking {
        Marking { tlp: self.strictest(), unmarked: self.whole.is_none() }
    }

    pub(super) fn strictest(self) -> Option<Tlp> {
        self.whole.max(self.part)
    }

    fn whole(&mut self, tlp: Tlp) {
        self.whole = self.whole.max(Some(tlp));
    }

    fn part(&mut self, tlp: Tlp) {
        self.part = self.part.max(Some(tlp));
    }
}

/// Ids that stand for a colour everywhere: TLP 1.0, TLP 2.0, and OpenCTI's.
const IDS: [(&str, Tlp); 10] = [
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
const WORDS: [(&str, Tlp); 9] = [
    ("RED", Tlp::Red),
    ("red", Tlp::Red),
    ("Amber", Tlp::Amber),
    ("AMBER+STRICT", Tlp::AmberStrict),
    ("amber-strict", Tlp::AmberStrict),
    ("green", Tlp::Green),
    ("GREEN", Tlp::Green),
    ("WHITE", Tlp::Clear),
    ("clear", Tlp::Clear),
];
const BEFORE: [&str; 8] =
    ["TLP:", "tlp:", "TLP ", "Tlp : ", "tlp=", "TLP-", "Traffic Light Protocol: ", "TLP 2.0: "];
const EXTENSION: &str = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";

fn word(input: &mut Unstructured<'_>) -> Result<(&'static str, Tlp)> {
    Ok(*input.choose(&WORDS)?)
}

fn tag(input: &mut Unstructured<'_>) -> Result<(String, Tlp)> {
    let (word, tlp) = word(input)?;
    Ok((format!("{}{word}", input.choose(&BEFORE)?), tlp))
}

/// The id of a marking that needs no definition, as producers write it.
fn fixed(input: &mut Unstructured<'_>) -> Result<(String, Tlp)> {
    let (uuid, tlp) = *input.choose(&IDS)?;
    Ok(match input.int_in_range(0..=3_u8)? {
        0 => (uuid.to_owned(), tlp),
        1 => (format!("MARKING-DEFINITION--{}", uuid.to_uppercase()), tlp),
        _ => (format!("marking-definition--{uuid}"), tlp),
    })
}

/// One of several names.
fn one(input: &mut Unstructured<'_>, names: &[&str]) -> Result<String> {
    Ok((*input.choose(names)?).to_owned())
}

/// Sets a property that is not there yet; whether it was not.
fn set(object: &mut Value, key: &str, value: Value) -> bool {
    let is_new = object[key].is_null();
    if is_new {
        object[key] = value;
    }
    is_new
}

/// Puts an item into a list of an object, which is made where it is not there.
fn push(object: &mut Value, list: &str, item: Value) {
    match object[list].as_array_mut() {
        Some(items) => items.push(item),
        None => object[list] = json!([item]),
    }
}

/// Marks a STIX object in some forms; gives the definitions of the markings that it uses.
pub(super) fn stix(
    input: &mut Unstructured<'_>,
    number: usize,
    object: &mut Value,
) -> Result<(Marked, Vec<Value>)> {
    let (mut marked, mut definitions) = (Marked::default(), Vec::new());
    for form in 0..input.int_in_range(0..=3_usize)? {
        let id = format!("marking-definition--00000000-0000-4000-8000-{number:06}{form:06}");
        stix_form(input, &id, object, &mut marked, &mut definitions)?;
    }
    Ok((marked, definitions))
}

fn stix_form(
    input: &mut Unstructured<'_>,
    id: &str,
    object: &mut Value,
    marked: &mut Marked,
    definitions: &mut Vec<Value>,
) -> Result<()> {
    let refs = "object_marking_refs";
    match input.int_in_range(0..=17_u8)? {
        0 => {
            let (id, tlp) = fixed(input)?;
            push(object, refs, json!(id));
            marked.whole(tlp);
        }
        1..=4 => {
            let defined = definition(input, id, definitions)?;
            push(object, refs, json!(id));
            marked.whole = marked.whole.max(defined.whole);
            marked.part = marked.part.max(defined.part);
        }
        5 => {
            let (id, tlp) = fixed(input)?;
            push(object, "granular_markings", json!({"marking_ref": id, "selectors": ["name"]}));
            marked.part(tlp);
        }
        6 => {
            let items = [json!({"selectors": ["name"]}), json!(7), json!({"marking_ref": "so"})];
            push(object, "granular_markings", input.choose(&items)?.clone());
            marked.part(Tlp::Red);
        }
        7 => {
            let (tag, tlp) = tag(input)?;
            let list = one(input, &["labels", "x_opencti_labels", "tags", "indicator_types"])?;
            push(object, &list, json!(tag));
            marked.whole(tlp);
        }
        8 => {
            let (tag, tlp) = tag(input)?;
            let items = [json!({"value": tag}), json!({"name": tag, "id": 7}), json!([[tag]])];
            let item = input.choose(&items)?.clone();
            let is_object = item.is_object();
            push(object, "x_labels", item);
            if is_object { marked.part(tlp) } else { marked.whole(tlp) }
        }
        9 => {
            let (word, tlp) = word(input)?;
            let key = one(
                input,
                &[
                    "tlp",
                    "x_tlp",
                    "TLP",
                    "x_tlp_color",
                    "tlpLevel",
                    "x_traffic_light",
                    "t_l_p",
                    "x_t_l_p_color",
                ],
            )?;
            let (said, tlp) = *input.choose(&[
                (word, tlp),
                (word, tlp),
                ("purple", Tlp::Red),
                ("strict", Tlp::Red),
            ])?;
            if set(object, &key, json!(said)) {
                marked.whole(tlp);
            }
        }
        10 => {
            let (word, tlp) = word(input)?;
            if set(object, "extensions", json!({"x": {"tlp_2_0": word}})) {
                marked.whole(tlp);
            }
        }
        11 => {
            let (uuid, tlp) = *input.choose(&IDS)?;
            let id = format!("marking-definition--{uuid}");
            let keys = [
                "Object_Marking_Refs",
                "OBJECT_MARKING_REFS",
                "objectMarkingRefs",
                "object_marking_ref",
                "x_markings",
            ];
            push(object, &one(input, &keys)?, json!(id));
            marked.part(tlp);
        }
        12 => {
            let (tag, tlp) = tag(input)?;
            push(object, &one(input, &["Labels", "LABELS", "Tags"])?, json!(tag));
            marked.part(tlp);
        }
        13 => {
            let (id, tlp) = fixed(input)?;
            if set(object, "x_part", json!([{ refs: [id] }])) {
                marked.part(tlp);
            }
        }
        14 => {
            let (word, tlp) = word(input)?;
            let items = [
                (json!(format!("TLP:{word}")), tlp),
                (json!("so"), Tlp::Red),
                (json!(7), Tlp::Red),
                (Value::Null, Tlp::Red),
                (json!([]), Tlp::Red),
            ];
            let (item, tlp) = input.choose(&items)?.clone();
            push(object, refs, item);
            marked.whole(tlp);
        }
        15 => {
            let ((id, tlp), (tag, tagged)) = (fixed(input)?, tag(input)?);
            let quoted = [
                (json!({ refs: [id] }), tlp),
                (json!([{"labels": [tag]}]), tagged),
                (json!({"x": json!({"name": "TLP", "value": "RED"}).to_string()}), Tlp::Red),
            ];
            let (quoted, tlp) = input.choose(&quoted)?.clone();
            let mut quoted = quoted.to_string();
            for _ in 0..input.int_in_range(0..=6_u8)? {
                quoted = match input.int_in_range(0..=3_u8)? {
                    0 => json!({ "x": quoted }).to_string(),
                    1 => json!(quoted).to_string(),
                    2 => format!("\u{feff}{quoted}"),
                    _ => format!("{{}}\n{quoted}"),
                };
            }
            if set(object, "x_original", json!(quoted)) {
                marked.part(tlp);
            }
        }
        16 => {
            let (word, tlp) = word(input)?;
            let name = one(input, &["report_tlp", "Sharing TLP", "sharing.tlp.max"])?;
            push(object, "x_attributes", json!({"key": name, "value": word}));
            marked.part(tlp);
        }
        _ => {
            let (tag, tlp) = tag(input)?;
            let (word, word_tlp) = word(input)?;
            match input.int_in_range(0..=3_u8)? {
                3 => {
                    if set(object, "x_tags", json!(["TLP", word])) {
                        // The one colour that is TLP's alone marks by itself.
                        match word_tlp {
                            Tlp::AmberStrict => marked.whole(word_tlp),
                            _ => marked.part(word_tlp),
                        }
                    }
                }
                0 => {
                    if set(object, "x_classification", json!(tag)) {
                        marked.whole(tlp);
                    }
                }
                // What people read marks nothing, nor does a bare word but for the last.
                1 => object["description"] = json!(tag),
                _ => {
                    push(object, "x_words", json!(word));
                    if word_tlp == Tlp::AmberStrict {
                        marked.whole(word_tlp);
                    }
                }
            }
        }
    }
    Ok(())
}

/// What a marking means that is defined in one of the forms, or not at all.
fn definition(
    input: &mut Unstructured<'_>,
    id: &str,
    definitions: &mut Vec<Value>,
) -> Result<Marked> {
    let (mut marked, (word, tlp), (tag, tagged)) = (Marked::default(), word(input)?, tag(input)?);
    let mut define = |properties: Value| {
        let mut definition = json!({"type": "marking-definition", "id": id});
        let all = definition.as_object_mut().expect("it is an object");
        all.extend(properties.as_object().expect("they are properties").clone());
        definitions.push(definition);
    };
    match input.int_in_range(0..=13_u8)? {
        0 => marked.whole(Tlp::Red),
        1 => define(
            json!({"definition_type": "statement", "definition": {"statement": "Copyright"}}),
        ),
        2 => {
            let kind = one(input, &["tlp", "TLP", "Tlp"])?;
            define(json!({"definition_type": kind, "definition": {"tlp": word}}));
            marked.whole(tlp);
        }
        3 => {
            define(json!({"name": tag}));
            marked.whole(tagged);
        }
        4 => {
            let statement = format!("For members. TLP:{word}, until May");
            define(json!({"definition_type": "statement", "definition": {"statement": statement}}));
            marked.whole(tlp);
        }
        5 => {
            define(json!({"extensions": {EXTENSION: {"tlp_2_0": word}}}));
            marked.whole(tlp);
        }
        6 => {
            define(json!({"definition_type": "statement", "definition": {"statement": "custom"},
                          "x_opencti_definition_type": "TLP", "x_opencti_definition": word}));
            marked.whole(tlp);
        }
        7 => {
            let body = one(input, &["Definition", "DEFINITION"])?;
            define(json!({"Definition_Type": "TLP", body: {"TLP": word}}));
            marked.whole(tlp);
        }
        8 => {
            define(json!({one(input, &["Name", "NAME"])?: tag}));
            marked.whole(tagged);
        }
        9 => {
            // The definition is marked itself.
            let (own, strict) = fixed(input)?;
            let list = one(input, &["object_marking_refs", "Object_Marking_Refs"])?;
            define(json!({"name": "TLP:CLEAR", list: [own]}));
            marked.whole(Tlp::Clear);
            marked.part(strict);
        }
        10 => {
            let (own, strict) = fixed(input)?;
            let granular = json!([{"marking_ref": own, "selectors": ["definition"]}]);
            define(json!({"definition": {"statement": "x"}, "granular_markings": granular}));
            marked.part(strict);
        }
        11 => {
            define(json!({"name": tag}));
            define(json!({"definition_type": "tlp", "definition": {"tlp": word}}));
            marked.whole(tlp.max(tagged));
        }
        12 => {
            let bare = [
                json!({"name": word}),
                json!({"definition_type": "statement", "definition": {"statement": word}}),
            ];
            define(input.choose(&bare)?.clone());
            marked.whole(tlp);
        }
        _ => {
            let bodies = [json!({"tlp": "purple"}), json!({"tlp": null}), json!({})];
            define(json!({"definition_type": "tlp", "definition": input.choose(&bodies)?}));
            marked.whole(Tlp::Red);
        }
    }
    Ok(marked)
}

/// Marks an element of EclecticIQ JSON in some forms beside `meta.tlp_color`.
pub(super) fn eclecticiq(input: &mut Unstructured<'_>, element: &mut Value) -> Result<Marked> {
    let mut marked = Marked::default();
    for _ in 0..input.int_in_range(0..=2_u8)? {
        eiq_form(input, element, &mut marked)?;
    }
    Ok(marked)
}

fn eiq_form(input: &mut Unstructured<'_>, element: &mut Value, marked: &mut Marked) -> Result<()> {
    let ((word, tlp), (tag, tagged)) = (word(input)?, tag(input)?);
    let structures = |key: &str| json!([{"marking_structures": [{key: word}]}, null]);
    match input.int_in_range(0..=9_u8)? {
        0 => {
            let forms = [
                structures("color"),
                structures("tlp"),
                json!(format!("TLP:{word}")),
                json!(word),
                json!({"tlp": word}),
                json!([{"marking_structures": [{"Color": {"value": word}}]}]),
            ];
            let form = input.choose(&forms)?.clone();
            if set(&mut element["data"], "handling", form) {
                marked.whole(tlp);
            }
        }
        1 => {
            push(&mut element["meta"], "tags", json!(tag));
            marked.whole(tagged);
        }
        2 => {
            let paths = [json!(["x", "TLP", word]), json!(["TLP", "2.0", word]), json!([tag])];
            let place = input.choose_index(paths.len())?;
            push(&mut element["meta"], "taxonomy_paths", paths[place].clone());
            marked.whole(if place == 2 { tagged } else { tlp });
        }
        3 => {
            let key = one(input, &["Handling", "HANDLING"])?;
            if set(&mut element["data"], &key, structures("color")) {
                marked.part(tlp);
            }
        }
        4 => {
            let key = one(input, &["Tlp_color", "TLP_COLOR", "tlpColor", "Tlp_Color_Override"])?;
            if set(&mut element["meta"], &key, json!(word)) {
                marked.part(tlp);
            }
        }
        5 => {
            push(&mut element["data"], &one(input, &["tags", "Tags"])?, json!(tag));
            marked.part(tagged);
        }
        6 => {
            let key = one(input, &["tlp", "tlp_color", "x_tlp", "T.L.P"])?;
            let place = one(input, &["data", ""])?;
            let object = if place.is_empty() { element } else { &mut element[&place] };
            if set(object, &key, json!(word)) {
                marked.part(tlp);
            }
        }
        7 => {
            push(element, "sources", json!({"name": "s", "tlp_color": word}));
            marked.part(tlp);
        }
        8 => {
            push(element, "Meta", json!({"tlp_color": word}));
            marked.part(tlp);
        }
        _ => element["data"]["description"] = json!(tag),
    }
    Ok(())
}

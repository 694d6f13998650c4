//! Rule tables as TOML text; errors name file, line and key.

use std::{collections::BTreeMap, ops::Range};

use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::{
    graph::LinkTypes,
    misp::{AttributeType, Category},
    model::{Context, Digest, Encoder, Symbol, Words},
};

use super::{
    form::Meaning,
    rules::{Comment, EntityRule, IncludeTags, ObservableRule, Rules, RulesError, Settings},
};

/// Longest comment where a table does not say it, in characters.
const COMMENT_MAX: u32 = 120;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Of what the rules mean; a table with a number that nobody knows is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<Spanned<u32>>,
    #[serde(default)]
    settings: SettingsTable,
    #[serde(skip_serializing_if = "Option::is_none")]
    incident: Option<Vec<EntityRow>>,
    #[serde(default)]
    observable: BTreeMap<String, Vec<ObservableRow>>,
    #[serde(default)]
    entity: BTreeMap<String, Vec<EntityRow>>,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct SettingsTable {
    include_tags: Option<Spanned<String>>,
    comment: Option<Spanned<String>>,
    comment_chars_max: Option<u32>,
    text_fallback: Option<bool>,
    skip_entities: Option<Vec<String>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ObservableRow {
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<Spanned<String>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    linked: Vec<Spanned<String>>,
    r#type: Spanned<String>,
    category: Option<Spanned<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Spanned<String>>,
    to_ids: Option<bool>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntityRow {
    from: Spanned<String>,
    r#type: Spanned<String>,
    category: Option<Spanned<String>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    via: Vec<String>,
}

/// Something wrong at a place in the text.
struct Fault {
    span: Range<usize>,
    key: String,
    why: String,
}

/// Reads a table, and lays it over the one `below`, if any.
pub(super) fn read(below: Option<&str>, text: &str, name: &str) -> Result<Rules, RulesError> {
    let read = |text: &str| -> Result<Table, Fault> { Table::of(parse(text)?) };
    let error = |fault: Fault| RulesError {
        file: name.to_owned(),
        line: 1 + text[..fault.span.start.min(text.len())].matches('\n').count(),
        key: fault.key,
        why: fault.why,
    };
    let over = read(text).map_err(error)?;
    let table = match below {
        Some(below) => read(below).map_err(error)?.overridden(over),
        None => over,
    };
    Ok(table.into_rules())
}

fn parse(text: &str) -> Result<File, Fault> {
    let file: File = toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        Fault { key: key_at(text, span.start), span, why: error.message().to_owned() }
    })?;
    match &file.format {
        Some(format) if Meaning::of_format(*format.get_ref()).is_none() => Err(Fault {
            span: format.span(),
            key: "format".to_owned(),
            why: format!(
                "{} is of another version of the program, which reads up to {}",
                format.get_ref(),
                Meaning::NOW.format()
            ),
        }),
        _ => Ok(file),
    }
}

/// The key that stands on the line of an offset, under the table header above it.
fn key_at(text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    let table = text[..start]
        .lines()
        .rev()
        .find_map(|line| line.trim().strip_prefix('[')?.split(']').next())
        .filter(|_| !line.trim_start().starts_with('['));
    let key = line.split(['=', '#']).next().unwrap_or_default().trim();
    match table {
        Some(table) => format!("{}.{key}", table.trim_matches(['[', ' '])),
        None => key.trim_matches(['[', ']', ' ']).to_owned(),
    }
}

/// A checked file; settings that it leaves out are `None`.
#[derive(Default)]
struct Table {
    meaning: Option<Meaning>,
    include_tags: Option<IncludeTags>,
    comment: Option<Comment>,
    comment_chars_max: Option<u32>,
    text_fallback: Option<bool>,
    skip_entities: Option<Vec<Symbol>>,
    incident: Option<Vec<EntityRule>>,
    observable: BTreeMap<Symbol, Vec<ObservableRule>>,
    entity: BTreeMap<Symbol, Vec<EntityRule>>,
}

impl Table {
    fn of(file: File) -> Result<Self, Fault> {
        let settings = file.settings;
        let key = "settings.include_tags";
        let include_tags = settings.include_tags.map(|given| choose(&given, key)).transpose()?;
        let key = "settings.comment";
        let comment = settings.comment.map(|given| choose(&given, key)).transpose()?;
        let entity_rules = |key: &str, rows: Vec<EntityRow>| {
            rows.into_iter().map(|row| row.into_rule(key)).collect::<Result<Vec<_>, _>>()
        };
        let mut table = Self {
            meaning: file.format.and_then(|format| Meaning::of_format(*format.get_ref())),
            include_tags,
            comment,
            comment_chars_max: settings.comment_chars_max,
            text_fallback: settings.text_fallback,
            skip_entities: settings
                .skip_entities
                .map(|kinds| kinds.iter().map(|kind| Symbol::new(kind)).collect()),
            incident: file.incident.map(|rows| entity_rules("incident", rows)).transpose()?,
            ..Self::default()
        };
        for (kind, rows) in file.observable {
            let rules: Result<Vec<_>, _> =
                rows.into_iter().map(|row| row.into_rule(&kind)).collect();
            table.observable.insert(Symbol::new(&kind), rules?);
        }
        for (kind, rows) in file.entity {
            let rules = entity_rules(&format!("entity.{kind}"), rows)?;
            table.entity.insert(Symbol::new(&kind), rules);
        }
        Ok(table)
    }

    fn overridden(mut self, over: Self) -> Self {
        self.observable.extend(over.observable);
        self.entity.extend(over.entity);
        Self {
            // What a user writes means what it means now, whatever it was copied from.
            meaning: self.meaning,
            include_tags: over.include_tags.or(self.include_tags),
            comment: over.comment.or(self.comment),
            comment_chars_max: over.comment_chars_max.or(self.comment_chars_max),
            text_fallback: over.text_fallback.or(self.text_fallback),
            skip_entities: over.skip_entities.or(self.skip_entities),
            incident: over.incident.or(self.incident),
            observable: self.observable,
            entity: self.entity,
        }
    }

    /// A kind without rules is the same as one that is not named.
    fn into_rules(mut self) -> Rules {
        self.observable.retain(|_, rules| !rules.is_empty());
        self.entity.retain(|_, rules| !rules.is_empty());
        let mut skip_entities = self.skip_entities.unwrap_or_default();
        skip_entities.sort_unstable();
        skip_entities.dedup();
        let settings = Settings {
            include_tags: self.include_tags.unwrap_or(IncludeTags::Event),
            comment: self.comment.unwrap_or(Comment::Title),
            comment_max: self.comment_chars_max.unwrap_or(COMMENT_MAX),
            text_fallback: self.text_fallback.unwrap_or(false),
        };
        let incident = self.incident.unwrap_or_default();
        let meaning = self.meaning.unwrap_or(Meaning::NOW);
        Rules::new(meaning, settings, skip_entities, incident, self.observable, self.entity)
    }
}

impl ObservableRow {
    fn into_rule(self, kind: &str) -> Result<ObservableRule, Fault> {
        let key = format!("observable.{kind}");
        let (attribute, category) = type_and_category(&self.r#type, self.category.as_ref(), &key)?;
        let mut linked = LinkTypes::default();
        for name in &self.linked {
            if !LinkTypes::NAMES.contains(&name.get_ref().as_str()) {
                let known = LinkTypes::NAMES.join(", ");
                return Err(unknown(name, &key, "link type", &known));
            }
            linked = linked.with(name.get_ref());
        }
        Ok(ObservableRule {
            id: Symbol::new(&format!("{key}/{attribute}")),
            when: self.when.map(|given| choose(&given, &key)).transpose()?,
            linked,
            kind: attribute,
            category,
            value: self.value.map(|given| choose(&given, &key)).transpose()?,
            to_ids: self.to_ids.unwrap_or(true) && attribute.default_to_ids(),
        })
    }
}

impl EntityRow {
    fn into_rule(self, key: &str) -> Result<EntityRule, Fault> {
        let (attribute, category) = type_and_category(&self.r#type, self.category.as_ref(), key)?;
        Ok(EntityRule {
            id: Symbol::new(&format!("{key}/{attribute}")),
            from: choose(&self.from, key)?,
            kind: attribute,
            category,
            via: self.via.into_iter().map(Into::into).collect(),
        })
    }
}

fn type_and_category(
    kind: &Spanned<String>,
    category: Option<&Spanned<String>>,
    key: &str,
) -> Result<(AttributeType, Category), Fault> {
    let fault =
        |at: &Spanned<String>, why: String| Fault { span: at.span(), key: key.to_owned(), why };
    let name = kind.get_ref();
    let attribute = AttributeType::named(name).ok_or_else(|| {
        fault(kind, format!("{name:?} is no attribute type of MISP, which compares with case"))
    })?;
    if attribute.is_composite() {
        return Err(fault(
            kind,
            format!("{name:?} is composite; only simple types can be mapped to"),
        ));
    }
    let Some(given) = category else {
        return Ok((attribute, attribute.default_category()));
    };
    match Category::named(given.get_ref()).filter(|&category| attribute.allows(category)) {
        Some(category) => Ok((attribute, category)),
        None => {
            let allowed: Vec<&str> = Category::all()
                .filter(|&category| attribute.allows(category))
                .map(Category::name)
                .collect();
            Err(unknown(given, key, &format!("category of {attribute}"), &allowed.join(", ")))
        }
    }
}

fn choose<T: Words>(given: &Spanned<String>, key: &str) -> Result<T, Fault> {
    T::of_word(given.get_ref()).ok_or_else(|| {
        let words: Vec<&str> = T::WORDS.iter().map(|&(word, _)| word).collect();
        unknown(given, key, "known word", &words.join(", "))
    })
}

fn unknown(given: &Spanned<String>, key: &str, what: &str, known: &str) -> Fault {
    Fault {
        span: given.span(),
        key: key.to_owned(),
        why: format!("{:?} is no {what}; take one of: {known}", given.get_ref()),
    }
}

/// Writes a table in full, defaults included.
pub(super) fn write(rules: &Rules) -> String {
    toml::to_string(&file(rules)).expect("a rule table holds nothing that TOML cannot say")
}

/// Digest of a table's content; not of its text, which is a matter of how TOML is written.
pub(super) fn fingerprint(rules: &Rules) -> Digest {
    let file = file(rules);
    let word = |encoder: &mut Encoder, word: &Spanned<String>| {
        encoder.text(word.get_ref());
    };
    let entity_rows = |encoder: &mut Encoder, rows: &Vec<EntityRow>| {
        encoder.list(rows.iter(), |encoder, row| {
            encoder.text(row.from.get_ref()).text(row.r#type.get_ref());
            encoder.option(row.category.as_ref(), word).list(row.via.iter(), |encoder, via| {
                encoder.text(via);
            });
        });
    };
    let settings = &file.settings;
    let mut encoder = Encoder::new(Context::Rules);
    encoder
        .u64(rules.meaning.format().into())
        .option(settings.include_tags.as_ref(), word)
        .option(settings.comment.as_ref(), word)
        .option(settings.comment_chars_max, |encoder, chars| {
            encoder.u64(chars.into());
        })
        .option(settings.text_fallback, |encoder, fallback| {
            encoder.flag(fallback);
        })
        .option(settings.skip_entities.as_ref(), |encoder, kinds| {
            encoder.list(kinds.iter(), |encoder, kind| {
                encoder.text(kind);
            });
        })
        .option(file.incident.as_ref(), entity_rows)
        .list(file.observable.iter(), |encoder, (kind, rows)| {
            encoder.text(kind).list(rows.iter(), |encoder, row| {
                encoder.option(row.when.as_ref(), word).list(row.linked.iter(), word);
                encoder.text(row.r#type.get_ref()).option(row.category.as_ref(), word);
                encoder.option(row.value.as_ref(), word).option(row.to_ids, |encoder, to_ids| {
                    encoder.flag(to_ids);
                });
            });
        })
        .list(file.entity.iter(), |encoder, (kind, rows)| {
            entity_rows(encoder.text(kind), rows);
        });
    encoder.finish()
}

/// A table as the file that says all of it.
fn file(rules: &Rules) -> File {
    let Settings { include_tags, comment, comment_max, text_fallback } = rules.settings;
    File {
        format: Some(spanned(rules.meaning.format())),
        settings: SettingsTable {
            include_tags: Some(word(include_tags)),
            comment: Some(word(comment)),
            comment_chars_max: (comment == Comment::Title).then_some(comment_max),
            text_fallback: Some(text_fallback),
            skip_entities: Some(rules.skip_entities.iter().map(ToString::to_string).collect()),
        },
        incident: Some(rules.incident.iter().map(entity_row).collect()),
        observable: rules
            .observable
            .iter()
            .map(|(kind, rules)| (kind.to_string(), rules.iter().map(observable_row).collect()))
            .collect(),
        entity: rules
            .entity
            .iter()
            .map(|(kind, rules)| (kind.to_string(), rules.iter().map(entity_row).collect()))
            .collect(),
    }
}

fn observable_row(rule: &ObservableRule) -> ObservableRow {
    let linked = LinkTypes::NAMES.iter().filter(|name| rule.linked.has(name));
    ObservableRow {
        when: rule.when.map(word),
        linked: linked.map(|&name| spanned(name.to_owned())).collect(),
        r#type: spanned(rule.kind.name().to_owned()),
        category: Some(spanned(rule.category.name().to_owned())),
        value: rule.value.map(word),
        to_ids: Some(rule.to_ids),
    }
}

fn entity_row(rule: &EntityRule) -> EntityRow {
    EntityRow {
        from: word(rule.from),
        r#type: spanned(rule.kind.name().to_owned()),
        category: Some(spanned(rule.category.name().to_owned())),
        via: rule.via.iter().map(ToString::to_string).collect(),
    }
}

fn word<T: Words>(value: T) -> Spanned<String> {
    spanned(value.word().to_owned())
}

fn spanned<T>(value: T) -> Spanned<T> {
    Spanned::new(0..0, value)
}

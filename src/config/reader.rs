//! Reads a TOML table key by key and knows the place of everything.
//!
//! serde stops at the first fault and forgets which key it was in; here all faults are gathered, and a
//! key is known if and only if the code reads it.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    num::NonZeroU64,
    ops::{Range, RangeInclusive},
    path::{Path, PathBuf},
    time::Duration,
};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::model::{Locus, Place, Symbol, Words, nearest, shortened};

use super::{Notice, parse_duration, parse_size, shown::looks_like_secret};

/// Longest key that is shown, in characters.
const KEY_CHARS_MAX: usize = 200;

/// A file that is being read, and what was found to say about it.
pub(super) struct Reader<'t> {
    file: Symbol,
    folder: PathBuf,
    text: &'t str,
    faults: RefCell<Vec<Notice>>,
    warnings: RefCell<Vec<Notice>>,
    named_files: RefCell<Vec<(String, PathBuf)>>,
}

/// A value with the key it stands under.
#[derive(Debug, Clone)]
pub(super) struct At<T> {
    pub(super) key: String,
    pub(super) span: Range<usize>,
    pub(super) value: T,
}

impl<T> At<T> {
    fn with<U>(&self, value: U) -> At<U> {
        At { key: self.key.clone(), span: self.span.clone(), value }
    }
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str, file: &Path) -> Self {
        Self {
            file: Symbol::new(&file.display().to_string()),
            folder: file.parent().unwrap_or(Path::new("")).to_owned(),
            text,
            faults: RefCell::default(),
            warnings: RefCell::default(),
            named_files: RefCell::default(),
        }
    }

    fn notice(&self, key: &str, span: &Range<usize>, what: String, cure: &str) -> Notice {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        // What stands there may be a secret in the wrong place, or have no end.
        let value = self.text.get(span.clone()).unwrap_or("").trim_matches(['"', '\'']);
        let what = if looks_like_secret(value) { what.replace(value, "…") } else { what };
        let key = match key.char_indices().nth(KEY_CHARS_MAX) {
            Some((end, _)) => format!("{}…", &key[..end]),
            None => key.to_owned(),
        };
        Notice {
            place: Place { file: self.file.clone(), locus: Locus::Line(line, column) },
            key,
            what: shortened(&what).into_owned(),
            cure: shortened(cure).into_owned(),
        }
    }

    pub(super) fn fault(&self, key: &str, span: &Range<usize>, what: String, cure: &str) {
        let notice = self.notice(key, span, what, cure);
        self.faults.borrow_mut().push(notice);
    }

    pub(super) fn wrong<T>(&self, at: &At<T>, what: String, cure: &str) {
        self.fault(&at.key, &at.span, what, cure);
    }

    pub(super) fn warn<T>(&self, at: &At<T>, what: String, cure: &str) {
        let notice = self.notice(&at.key, &at.span, what, cure);
        self.warnings.borrow_mut().push(notice);
    }

    /// The folder of the file with something in it.
    pub(super) fn join(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    /// A path that stands in the file, from the file's folder.
    pub(super) fn path(&self, at: &At<&str>) -> PathBuf {
        if at.value == "~" || at.value.starts_with("~/") {
            let what = "begins with `~`, which only a shell knows".to_owned();
            self.wrong(at, what, "write the path of the home folder");
        }
        let path = self.join(at.value);
        self.named_files.borrow_mut().push((at.key.clone(), path.clone()));
        path
    }

    /// All paths that stand in the file so far, each with its key.
    pub(super) fn named_files(&self) -> Vec<(String, PathBuf)> {
        self.named_files.borrow().clone()
    }

    /// Faults in the order of the file, and warnings.
    pub(super) fn finish(self) -> (Vec<Notice>, Vec<Notice>) {
        let mut faults = self.faults.into_inner();
        faults.sort_by(|a, b| (&a.place, &a.key).cmp(&(&b.place, &b.key)));
        (faults, self.warnings.into_inner())
    }
}

/// Whether a text can be the name of an environment variable.
pub(super) fn is_variable_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.chars().all(fits) && !text.starts_with(|c: char| c.is_ascii_digit())
}

/// A text or a table, behind a name.
pub(super) enum Named<'r, 't> {
    Text(At<&'r str>),
    Table(Section<'r, 't>),
}

/// One table.
pub(super) struct Section<'r, 't> {
    reader: &'r Reader<'t>,
    path: String,
    pub(super) span: Range<usize>,
    table: &'r DeTable<'t>,
    asked: BTreeSet<&'static str>,
    refused: BTreeSet<&'static str>,
}

impl<'r, 't> Section<'r, 't> {
    pub(super) fn root(reader: &'r Reader<'t>, table: &'r DeTable<'t>) -> Self {
        let (asked, refused) = (BTreeSet::new(), BTreeSet::new());
        Self { reader, path: String::new(), span: 0..0, table, asked, refused }
    }

    pub(super) fn reader(&self) -> &'r Reader<'t> {
        self.reader
    }

    pub(super) fn key(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// The value under a key, which is known from now on.
    pub(super) fn item(&mut self, key: &'static str) -> Option<At<&'r DeValue<'t>>> {
        self.asked.insert(key);
        self.table.get(key).map(|found| self.at(key, found))
    }

    fn at(&self, key: &str, found: &'r Spanned<DeValue<'t>>) -> At<&'r DeValue<'t>> {
        At { key: self.key(key), span: found.span(), value: found.get_ref() }
    }

    pub(super) fn mistyped<T>(&self, at: &At<&DeValue<'_>>, wanted: &str) -> Option<T> {
        let is = at.value.type_str();
        self.reader.wrong(at, format!("is {} {is}", article(is)), &format!("write {wanted}"));
        None
    }

    /// Text; an empty one counts as absent.
    pub(super) fn text(&mut self, key: &'static str) -> Option<At<&'r str>> {
        let at = self.item(key)?;
        match at.value.as_str() {
            Some("") => None,
            Some(text) => Some(at.with(text)),
            None => self.mistyped(&at, "a text in quotes"),
        }
    }

    pub(super) fn flag(&mut self, key: &'static str, default: bool) -> bool {
        let found = self.item(key).and_then(|at| match at.value.as_bool() {
            Some(flag) => Some(flag),
            None => self.mistyped(&at, "true or false, without quotes"),
        });
        found.unwrap_or(default)
    }

    pub(super) fn integer(
        &mut self,
        key: &'static str,
        range: RangeInclusive<i64>,
    ) -> Option<At<i64>> {
        let at = self.item(key)?;
        let Some(integer) = at.value.as_integer() else {
            return self.mistyped(&at, "a whole number, without quotes");
        };
        match i64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(number) if range.contains(&number) => Some(at.with(number)),
            _ => {
                let (least, most) = (range.start(), range.end());
                let what = format!("is {}, out of range", integer.as_str());
                let cure = if *most == i64::MAX {
                    format!("write a number from {least} up")
                } else {
                    format!("write a number from {least} to {most}")
                };
                self.reader.wrong(&at, what, &cure);
                None
            }
        }
    }

    /// One of a few words; the first is the default.
    pub(super) fn choice<T: Words>(&mut self, key: &'static str) -> T {
        self.text(key).and_then(|at| self.word(&at, T::WORDS)).unwrap_or(T::WORDS[0].1)
    }

    /// A word that must be one of a few.
    pub(super) fn word<T: Copy>(&self, at: &At<&str>, words: &[(&str, T)]) -> Option<T> {
        let found = words.iter().find(|(word, _)| *word == at.value);
        if found.is_none() {
            let all: Vec<String> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
            let meant = nearest(at.value, words.iter().map(|(word, _)| *word));
            let meant = meant.map(|word| format!("; did you mean {word:?}?"));
            let cure = format!("write one of {}{}", all.join(", "), meant.unwrap_or_default());
            self.reader.wrong(at, format!("{:?} is not known here", at.value), &cure);
        }
        found.map(|(_, meaning)| *meaning)
    }

    /// A list of texts, each with its place; `None` where the key is absent.
    pub(super) fn texts(&mut self, key: &'static str) -> Option<Vec<At<&'r str>>> {
        let at = self.item(key)?;
        let Some(list) = at.value.as_array() else {
            return self.mistyped(&at, "a list of texts, such as [\"a\", \"b\"]");
        };
        let texts = list.iter().filter_map(|item| {
            let item = At { key: at.key.clone(), span: item.span(), value: item.get_ref() };
            match item.value.as_str() {
                Some(text) => Some(item.with(text)),
                None => self.mistyped(&item, "texts in quotes"),
            }
        });
        Some(texts.collect())
    }

    pub(super) fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        self.text(key).map(|at| self.reader.path(&at))
    }

    /// A span of time, longer than none.
    pub(super) fn duration(&mut self, key: &'static str, default: Duration) -> Duration {
        let Some(at) = self.text(key) else { return default };
        let cure = "write whole numbers with d, h, m or s, at least \"1s\"";
        match parse_duration(at.value) {
            Ok(span) if !span.is_zero() => return span,
            Ok(_) => self.reader.wrong(&at, "is no time at all".to_owned(), cure),
            Err(what) => self.reader.wrong(&at, what, cure),
        }
        default
    }

    /// A span of time, or the word `never`.
    pub(super) fn duration_or_never(
        &mut self,
        key: &'static str,
        default: Option<Duration>,
    ) -> Option<Duration> {
        match self.text(key) {
            None => default,
            Some(at) if at.value == "never" => None,
            Some(_) => Some(self.duration(key, Duration::ZERO)),
        }
    }

    /// A number of bytes, or the word `none`.
    pub(super) fn size_or_none(&mut self, key: &'static str, least: u64) -> Option<NonZeroU64> {
        let at = self.text(key).filter(|at| at.value != "none")?;
        let what = match parse_size(at.value) {
            Ok(size) if size.get() >= least => return Some(size),
            Ok(_) => format!("{:?} is less than {least} bytes", at.value),
            Err(what) => what,
        };
        let cure =
            "write a number of bytes, with k, m or g for 1024, 1024² or 1024³ of them, or \"none\"";
        self.reader.wrong(&at, what, cure);
        None
    }

    /// A table within.
    pub(super) fn section(&mut self, key: &'static str) -> Option<Self> {
        let at = self.item(key)?;
        self.inner(at)
    }

    fn inner(&self, at: At<&'r DeValue<'t>>) -> Option<Self> {
        let Some(table) = at.value.as_table() else {
            return self.mistyped(&at, &format!("a table: [{}]", at.key));
        };
        Some(Self {
            reader: self.reader,
            path: at.key,
            span: at.span,
            table,
            asked: BTreeSet::new(),
            refused: BTreeSet::new(),
        })
    }

    /// Tables within a table, each by its name.
    pub(super) fn sections(&mut self, key: &'static str) -> Vec<(At<&'r str>, Self)> {
        let Some(outer) = self.section(key) else { return Vec::new() };
        let named = outer.table.iter().filter_map(|(name, value)| {
            let section = outer.inner(outer.at(name.get_ref(), value))?;
            let name: &'r str = name.get_ref();
            Some((
                At { key: section.path.clone(), span: section.span.clone(), value: name },
                section,
            ))
        });
        named.collect()
    }

    /// A table of texts and tables, each behind its name, which may be any.
    pub(super) fn named(&mut self, key: &'static str) -> Vec<(At<&'r str>, Named<'r, 't>)> {
        let Some(outer) = self.section(key) else { return Vec::new() };
        let named = outer.table.iter().filter_map(|(name, value)| {
            let at = outer.at(name.get_ref(), value);
            let name = at.with(&**name.get_ref());
            let value = match (at.value.as_str(), at.value.as_table()) {
                (Some(text), _) => Named::Text(at.with(text)),
                (None, Some(_)) => Named::Table(outer.inner(at)?),
                (None, None) => return outer.mistyped(&at, "a text in quotes, or a table"),
            };
            Some((name, value))
        });
        named.collect()
    }

    /// A table of texts, each behind its name, which may be any.
    pub(super) fn named_texts(&mut self, key: &'static str) -> Vec<(&'r str, At<&'r str>)> {
        let Some(table) = self.section(key) else { return Vec::new() };
        let texts = table.table.iter().filter_map(|(name, value)| {
            let name: &'r str = name.get_ref();
            let at = table.at(name, value);
            match at.value.as_str() {
                Some(text) => Some((name, at.with(text))),
                None => table.mistyped(&at, "a text in quotes"),
            }
        });
        texts.collect()
    }

    /// Refuses a key that must not be there.
    pub(super) fn refuse(&mut self, key: &'static str, what: &str, cure: &str) {
        self.refused.insert(key);
        if let Some(found) = self.table.get(key) {
            self.reader.wrong(&self.at(key, found), what.to_owned(), cure);
        }
    }

    /// Reports every key that was not read.
    pub(super) fn finish(self) {
        for (name, _) in self.table.iter() {
            let key: &str = name.get_ref();
            if self.asked.contains(key) || self.refused.contains(key) {
                continue;
            }
            let known: Vec<&str> = self.asked.iter().copied().collect();
            let meant = nearest(key, known.iter().copied());
            let meant = meant.map(|known| format!("; did you mean {known}?")).unwrap_or_default();
            let cure = format!("remove it or write one of {}{meant}", known.join(", "));
            self.reader.fault(&self.key(key), &name.span(), "is not a known key".to_owned(), &cure);
        }
    }
}

pub(super) fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u', 'A']) { "an" } else { "a" }
}

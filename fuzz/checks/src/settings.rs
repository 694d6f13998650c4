//! Texts of configurations, right ones and wrong ones.

use arbitrary::{Result, Unstructured};

/// A text, and what is known of it.
pub(super) struct Draft {
    pub(super) text: String,
    /// What must not be repeated.
    pub(super) secrets: Vec<String>,
    pub(super) lines: Vec<Line>,
    /// Whether nothing is wrong with it for sure.
    pub(super) is_right: bool,
    /// How much may still be wrong.
    wrongs: u8,
}

/// A setting with its section; without a key the section alone.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) section: String,
    pub(super) key: String,
    pub(super) value: String,
}

type Known = &'static [(&'static str, &'static [&'static str])];

/// The keys of a section, each with some right values; none if there is no such section.
pub(super) fn known(section: &str) -> Known {
    let mut names = section.split('.');
    match (names.next(), names.next(), names.next()) {
        (Some("store"), None, _) => &[("path", &["\"state\"", "\"\""])],
        (Some("source"), None, _) | (Some("feeds"), Some(_), None) => FEED,
        (Some("destinations"), Some(_), None) => DESTINATION,
        (Some("destinations"), Some(_), Some("event")) => EVENT,
        (Some("destinations"), Some(_), Some("policy")) => {
            &[("allow_tlp", &["[\"red\"]", "[]"]), ("unmarked", &["\"deny\"", "\"allow\""])]
        }
        (Some("mapping"), None, _) => MAPPING,
        (Some("schedule"), None, _) => SCHEDULE,
        _ => &[],
    }
}

const FEED: Known = &[
    ("kind", &["\"file\"", "\"folder\""]),
    ("path", &["\"x.json\"", "\"/x\""]),
    ("format", &["\"auto\"", "\"eclecticiq\"", "\"stix21\""]),
    ("update_strategy", &["\"replace\"", "\"append\"", "\"diff\""]),
];
const DESTINATION: Known = &[
    ("url", &["\"https://misp.example\"", "\"http://127.0.0.1/x\""]),
    ("api_key_env", &["\"MISP_API_KEY\"", "\"\""]),
    ("api_key_file", &["\"key.txt\"", "\"\""]),
    ("auth_header", &["\"Authorization\"", "\"X-MISP-AUTH\""]),
    ("verify_tls", &["true", "false"]),
    ("ca_bundle", &["\"ca.pem\""]),
    ("client_cert", &["\"cert.pem\""]),
    ("client_key", &["\"key.pem\""]),
    ("proxy", &["\"none\"", "\"http://proxy.example:3128\""]),
    ("timeout", &["\"90s\"", "\"5m\""]),
    ("compression", &["\"auto\"", "\"br\"", "\"gzip\"", "\"off\""]),
    ("concurrency", &["\"auto\"", "1", "32"]),
    ("on_foreign", &["\"block\"", "\"append\""]),
    ("verify_every", &["\"never\"", "\"7d\""]),
];
const EVENT: Known = &[
    ("distribution", &["0", "1", "2", "3"]),
    ("sharing_group_id", &["1", "7"]),
    ("threat_level_id", &["1", "2", "3", "4"]),
    ("tags", &["[]", "[\"source:x\", \"tlp:red\"]"]),
    ("disable_correlation", &["true", "false"]),
    ("publish", &["\"never\"", "\"keep\"", "\"always\""]),
    ("include_tags", &["\"event\"", "\"none\"", "\"all\""]),
];
const MAPPING: Known = &[
    ("rules_file", &["\"rules.toml\"", "\"\""]),
    ("text_fallback", &["true", "false"]),
    ("comment", &["\"title\"", "\"none\""]),
    ("comment_max", &["1", "21845"]),
    ("depth", &["1", "8"]),
    ("containers", &["[]", "[\"report\", \"grouping\"]", "[\"case-rfi\", \"tool\"]"]),
    ("rest", &["false"]),
    ("rest_uuid", &["\"9b3c7e5a-0d1f-4c2b-8a6e-5f4d3c2b1a09\""]),
    ("rest_title", &["\"x\""]),
    ("rest_tlp", &["\"red\"", "\"clear\""]),
    ("on_change", &["\"hold\"", "\"apply\""]),
];
const SCHEDULE: Known = &[
    ("every", &["\"15m\"", "\"1d2h\"", "\"none\""]),
    ("at", &["\"02:30\"", "\"23:59\""]),
    ("on", &["[\"mon\"]", "[\"tue\", \"sun\"]"]),
    ("cron", &["\"*/5 * * * *\"", "\"0 2 1 jan,jul sun\""]),
    ("timezone", &["\"UTC\"", "\"Europe/Berlin\""]),
    ("jitter", &["\"90s\"", "\"0s\""]),
    ("deadline", &["\"10m\"", "\"never\""]),
];
/// Keys that are right only if another line says so.
const TOGETHER: [&str; 3] = ["api_key_env", "api_key_file", "sharing_group_id"];
/// Keys of which one stands alone.
const TIMES: [&str; 3] = ["every", "at", "cron"];

const SECTIONS: [&str; 12] = [
    "store",
    "source",
    "feeds.other",
    "destinations.main",
    "destinations.main",
    "destinations.main",
    "destinations.main.event",
    "destinations.main.policy",
    "destinations.second",
    "mapping",
    "schedule",
    "unknown",
];

const KEYS: [&str; 45] = [
    "version",
    "path",
    "kind",
    "format",
    "update_strategy",
    "url",
    "url",
    "api_key_env",
    "api_key_env",
    "api_key_file",
    "api_key",
    "apikey",
    "authkey",
    "key",
    "password",
    "verify_tls",
    "ca_bundle",
    "client_cert",
    "client_key",
    "proxy",
    "compression",
    "concurrency",
    "on_foreign",
    "verify_every",
    "distribution",
    "sharing_group_id",
    "threat_level_id",
    "tags",
    "publish",
    "include_tags",
    "allow_tlp",
    "unmarked",
    "rules_file",
    "comment_max",
    "depth",
    "containers",
    "rest",
    "rest_uuid",
    "every",
    "at",
    "on",
    "cron",
    "timezone",
    "jitter",
    "x",
];

/// Values of every type, right and wrong. `SECRET` is put in later.
const VALUES: [&str; 51] = [
    "0",
    "1",
    "2",
    "5",
    "33",
    "0x10",
    "-1",
    "99999999999999999999",
    "1.5",
    "true",
    "false",
    "\"\"",
    "\"file\"",
    "\"stdin\"",
    "\"taxii2\"",
    "\"state\"",
    "\"~/state\"",
    "\"auto\"",
    "\"replace\"",
    "\"https://misp.example/\"",
    "\"http://misp.example/x?y#z\"",
    "\"ftp://misp.example\"",
    "\"no url\"",
    "\"MISP_API_KEY\"",
    "\"1 no name\"",
    "\"key.txt\"",
    "\"never\"",
    "\"15m\"",
    "\"0s\"",
    "\"999999999999d\"",
    "\"gzip\"",
    "\"none\"",
    "\"02:30\"",
    "\"0 0 * * *\"",
    "\"Europe/Berlin\"",
    "[\"mon\"]",
    "[]",
    "[\"red\", \"pink\"]",
    "[\"tlp:red\", \"\", \"misp-galaxy:x\"]",
    "[1, \"report\"]",
    "{ a = 1 }",
    "1979-05-27",
    "'''\nx'''",
    "\"\u{fc}\"",
    "keep",
    "\"https://user:SECRET@misp.example/\"",
    "\"https://SECRET@misp.example\"",
    "\"http://proxy:SECRET@[::1\"",
    "\"SECRET\"",
    "SECRET",
    "\"SECRET",
];

/// Keys under which a secret may be put by mistake: what the text says of it must not come back.
const SECRET_KEYS: [&str; 8] =
    ["api_key_env", "api_key", "apikey", "authkey", "key", "password", "url", "proxy"];

/// Values that hold a secret, in a text that is TOML.
const SECRET_VALUES: [&str; 4] = [
    "\"https://user:SECRET@misp.example/\"",
    "\"https://SECRET@misp.example\"",
    "\"http://proxy:SECRET@[::1\"",
    "\"SECRET\"",
];

impl Draft {
    /// A text of which nothing is known.
    pub(super) fn of(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            secrets: Vec::new(),
            lines: Vec::new(),
            is_right: false,
            wrongs: 0,
        }
    }

    pub(super) fn read(input: &mut Unstructured<'_>) -> Result<Self> {
        // The first byte is what says that this is a recipe.
        input.arbitrary::<u8>()?;
        let wrongs = *input.choose(&[0, 1, 1, 2, u8::MAX])?;
        let mut draft = Self { is_right: true, wrongs, ..Self::of("") };
        if !input.ratio(1, 4)? {
            draft.text.push_str("version = 1\n");
        }
        let is_tidy = input.ratio(3, 4)?;
        for _ in 0..input.int_in_range(1..=6_u8)? {
            let section = *input.choose(&SECTIONS)?;
            let is_there = draft.lines.iter().any(|line| line.section == section);
            if is_there && (is_tidy || !input.ratio(1, 6)?)
                || known(section).is_empty() && !draft.may_err()
            {
                continue;
            }
            let parent = section.rsplit_once('.').map_or("", |(parent, _)| parent);
            let orphan = is_destination(parent) && !draft.has(parent, "");
            for table in [parent, section].into_iter().skip(usize::from(!orphan)) {
                draft.text.push_str(&format!("[{table}]\n"));
                draft.note(table, "", "");
                if is_destination(table) {
                    draft.address(input, table)?;
                }
            }
            for _ in 0..input.int_in_range(0..=5_u8)? {
                if is_tidy { draft.tidy(input, section)? } else { draft.untidy(input, section)? }
            }
        }
        let named = |line: &Line| {
            let name = line.section.split('.').nth(1).unwrap_or_default();
            let section = format!("destinations.{name}");
            let has_key = |line: &Line| line.section == section && line.value == "\"key\"";
            !line.section.starts_with("destinations.") || draft.lines.iter().any(has_key)
        };
        draft.is_right &= is_tidy && draft.lines.iter().all(named);
        Ok(draft)
    }

    fn note(&mut self, section: &str, key: &str, value: &str) {
        self.is_right &= !known(section).is_empty();
        let [section, key, value] = [section, key, value].map(str::to_owned);
        self.lines.push(Line { section, key, value });
    }

    fn line(&mut self, section: &str, key: &str, value: &str) {
        self.text.push_str(&format!("{key} = {value}\n"));
        self.note(section, key, value);
    }

    /// Takes one of the wrongs, if there is one left.
    fn may_err(&mut self) -> bool {
        let may = self.wrongs > 0;
        self.wrongs = self.wrongs.saturating_sub(1);
        may
    }

    /// Where a destination is, and its key.
    fn address(&mut self, input: &mut Unstructured<'_>, section: &str) -> Result<()> {
        if input.ratio(1, 6)? && self.may_err() {
            return Ok(());
        }
        if input.ratio(1, 4)? && self.may_err() {
            self.is_right = false;
            let url = self.with_secret(input.choose(&SECRET_VALUES)?, input)?;
            self.line(section, "url", &url);
        } else {
            self.line(section, "url", "\"https://misp.example\"");
        }
        if input.ratio(1, 4)? && self.may_err() {
            self.is_right = false;
            let secret = self.with_secret("\"SECRET\"", input)?;
            self.line(section, "api_key_env", &secret);
        } else {
            self.line(section, "api_key_file", "\"key\"");
        }
        Ok(())
    }

    /// A line that is TOML, and mostly right; no key stands twice.
    fn tidy(&mut self, input: &mut Unstructured<'_>, section: &str) -> Result<()> {
        let known = known(section);
        if known.is_empty() || input.ratio(1, 3)? && self.may_err() {
            let (key, value) = wrong(input, section, known)?;
            if !self.has(section, key) {
                self.is_right = false;
                let value = self.with_secret(&value, input)?;
                self.line(section, key, &value);
            }
            return Ok(());
        }
        let (key, values) = *input.choose(known)?;
        let fits = match key {
            "client_key" => self.has(section, "client_cert"),
            "on" => self.has(section, "at"),
            _ if TIMES.contains(&key) => !TIMES.iter().any(|other| self.has(section, other)),
            _ => !TOGETHER.contains(&key),
        };
        let value = *input.choose(values)?;
        if fits && !self.has(section, key) {
            self.line(section, key, value);
        }
        Ok(())
    }

    fn has(&self, section: &str, key: &str) -> bool {
        self.lines.iter().any(|line| line.section == section && line.key == key)
    }

    fn with_secret(&mut self, value: &str, input: &mut Unstructured<'_>) -> Result<String> {
        if !value.contains("SECRET") {
            return Ok(value.to_owned());
        }
        // MISP's keys are 40 letters and digits.
        let secret = format!("Zq7{:020}{:017}", self.secrets.len(), input.arbitrary::<u32>()?);
        self.secrets.push(secret.clone());
        Ok(value.replace("SECRET", &secret))
    }

    /// A line that may be no TOML at all.
    fn untidy(&mut self, input: &mut Unstructured<'_>, section: &str) -> Result<()> {
        let key = *input.choose(&KEYS)?;
        let value = input.choose(&VALUES)?.to_string();
        let in_place = SECRET_KEYS.contains(&key) && is_destination(section);
        if value.contains("SECRET") && !in_place {
            return Ok(());
        }
        let value = self.with_secret(&value, input)?;
        self.text.push_str(key);
        self.text.push_str(input.choose(&[" = ", "=", " = ", " = ", " : ", "."])?);
        self.text.push_str(&value);
        self.text.push_str(input.choose(&["\n", "\n", "\r\n", " # note\n", ""])?);
        self.note(section, key, &value);
        Ok(())
    }
}

/// Whether it is the table of a destination itself.
fn is_destination(section: &str) -> bool {
    section.starts_with("destinations.") && section.matches('.').count() == 1
}

/// A key and a value of which something is probably wrong.
fn wrong(
    input: &mut Unstructured<'_>,
    section: &str,
    known: Known,
) -> Result<(&'static str, String)> {
    Ok(match (input.int_in_range(0..=3_u8)?, known) {
        (0, _) if is_destination(section) => {
            (*input.choose(&SECRET_KEYS)?, input.choose(&SECRET_VALUES)?.to_string())
        }
        (1, [_, ..]) => {
            let numbers = ["0", "5", "9", "33", "65", "-1", "21846"];
            let is_number = |(_, values): &&(_, &[&str])| values.contains(&"1");
            let keys: Vec<_> = known.iter().filter(is_number).map(|(key, _)| *key).collect();
            let key = if keys.is_empty() { known[0].0 } else { *input.choose(&keys)? };
            (key, input.choose(&numbers)?.to_string())
        }
        (2, [_, ..]) => {
            let (key, values) = *input.choose(known)?;
            (key, input.choose(values)?.to_string())
        }
        _ => {
            let is_toml = |value: &&&str| !value.contains("SECRET") && **value != "keep";
            let values: Vec<&&str> = VALUES.iter().filter(is_toml).collect();
            (*input.choose(&KEYS)?, input.choose(&values)?.to_string())
        }
    })
}

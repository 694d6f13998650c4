//! Secrets in what others answer: whoever repeats one must not bring it into a message.

use std::sync::Arc;

use crate::model::Secret;

/// All that no answer may bring into a message.
#[derive(Debug, Clone, Default)]
pub(crate) struct Secrets(Arc<[Secret]>);

impl Secrets {
    /// These.
    pub(crate) fn new(secrets: impl IntoIterator<Item = Secret>) -> Self {
        Self(secrets.into_iter().collect())
    }

    /// These, and others.
    pub(crate) fn and(&self, others: impl IntoIterator<Item = Secret>) -> Self {
        Self(self.0.iter().cloned().chain(others).collect())
    }

    /// A text without them.
    pub(crate) fn hidden_in(&self, text: &str) -> String {
        match self.hidden_in_body(text.as_bytes()) {
            Some(clean) => String::from_utf8_lossy(&clean).into_owned(),
            None => text.to_owned(),
        }
    }

    /// The body of an answer without them. `None` if it holds none.
    pub(crate) fn hidden_in_body(&self, body: &[u8]) -> Option<Vec<u8>> {
        self.0.iter().fold(None, |clean: Option<Vec<u8>>, secret| {
            let cleaner = without(clean.as_deref().unwrap_or(body), secret);
            cleaner.or(clean)
        })
    }
}

/// Takes a secret out of what somebody answers who repeats it, so that no message can. `None` if it is not in it.
fn without(answer: &[u8], secret: &Secret) -> Option<Vec<u8>> {
    forms(secret.expose()).iter().fold(None, |clean: Option<Vec<u8>>, form| {
        let cleaner = without_text(clean.as_deref().unwrap_or(answer), form);
        cleaner.or(clean)
    })
}

/// A text as it is, and as it stands in JSON, in HTML, which MISP puts into its JSON, and in an address. For most secrets
/// these are the same.
fn forms(text: &str) -> Vec<String> {
    let in_html = text.replace('&', "&amp;").replace('"', "&quot;").replace('\'', "&#039;");
    let in_json = |text: &str| {
        let written = serde_json::Value::from(text).to_string();
        written[1..written.len() - 1].to_owned()
    };
    let in_address = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let mut forms: Vec<String> = Vec::new();
    for form in [text.to_owned(), in_json(text), in_json(&in_html), in_html, in_address] {
        if !forms.contains(&form) {
            forms.push(form);
        }
    }
    forms
}

fn without_text(answer: &[u8], text: &str) -> Option<Vec<u8>> {
    let key = text.as_bytes();
    if key.is_empty() {
        return None;
    }
    let plain = without_needless_escapes(answer);
    let mut rest = plain.as_deref().unwrap_or(answer);
    let finder = memchr::memmem::Finder::new(key);
    finder.find(rest)?;
    let mut clean = Vec::with_capacity(answer.len());
    while let Some(at) = finder.find(rest) {
        clean.extend_from_slice(&rest[..at]);
        clean.extend_from_slice(b"(the key)");
        rest = &rest[at + key.len()..];
    }
    clean.extend_from_slice(rest);
    Some(clean)
}

/// JSON with every character of ASCII as itself that may stand there so: `\u0041` and `\/` are other forms of `A` and
/// `/`, in which the key would not be found. `None` for what has no such escape, or is no JSON.
fn without_needless_escapes(answer: &[u8]) -> Option<Vec<u8>> {
    let is_json = answer.trim_ascii_start().first().is_some_and(|byte| b"{[\"".contains(byte));
    let mut next = memchr::memchr(b'\\', answer).filter(|_| is_json)?;
    let (mut plain, mut kept) = (Vec::new(), 0);
    loop {
        let (letter, length) = match answer[next..] {
            [_, b'/', ..] => (Some(b'/'), 2),
            [_, b'u', b'0', b'0', high, low, ..] => (printable(high, low), 6),
            // Also a backslash that is escaped itself.
            _ => (None, 2),
        };
        if let Some(letter) = letter {
            plain.extend_from_slice(&answer[kept..next]);
            plain.push(letter);
            kept = next + length;
        }
        let from = answer.len().min(next + length);
        let Some(at) = memchr::memchr(b'\\', &answer[from..]) else { break };
        next = from + at;
    }
    if kept == 0 {
        return None;
    }
    plain.extend_from_slice(&answer[kept..]);
    Some(plain)
}

/// The character of two hexadecimal digits, if JSON takes it without an escape.
fn printable(high: u8, low: u8) -> Option<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let letter = u8::try_from(digit(high)? * 16 + digit(low)?).ok()?;
    ((b' '..=b'~').contains(&letter) && !b"\"\\".contains(&letter)).then_some(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_found_in_other_forms_of_json() {
        let key = Secret::new("hunter2/A".to_owned());
        let clean = |text: &str| without(text.as_bytes(), &key);
        for form in [
            r"hunter2\/A",
            r"\u0068unter2/A",
            r"hunt\u0065r\u0032\/\u0041",
            r"\u0068unter2\u002f\u0041",
        ] {
            let text = format!("{{\"message\":\"\\\\ {form}\\n\"}}");
            let expected = "{\"message\":\"\\\\ (the key)\\n\"}";
            assert_eq!(clean(&text).as_deref(), Some(expected.as_bytes()), "{text}");
            // A list of values has no escapes.
            assert_eq!(clean(&format!("uuid,value\n{form}")), None, "{form}");
        }
        for other in
            [r#"["hunter2\\/A"]"#, r#"["hunter2\\u002fA"]"#, r#"["\u00"#, r#"["\"#, r#"["\u00zz"]"#]
        {
            assert_eq!(clean(other), None, "{other}");
        }
        let quoted = Secret::new(r#"a"b\c"#.to_owned());
        let told = without(br#"["\u0061\"b\\c"]"#, &quoted);
        assert_eq!(told.as_deref(), Some(&br#"["(the key)"]"#[..]));
        let quote = r#"["\u0022\u005c \u0068unter2/A"]"#;
        assert_eq!(clean(quote).unwrap(), br#"["\u0022\u005c (the key)"]"#);
    }

    #[test]
    fn a_secret_is_found_as_it_is_written_in_html_and_in_an_address() {
        let secrets = Secrets::new([Secret::new(r#"a&b"c'd/e"#.to_owned())]);
        for form in [r#"a&b"c'd/e"#, "a&amp;b&quot;c&#039;d/e", "a%26b%22c%27d%2Fe"] {
            assert_eq!(secrets.hidden_in(&format!("<b>{form}</b>")), "<b>(the key)</b>");
        }
        let json = r#"{"message":"no a&amp;b&quot;c&#039;d\/e, a&b\"c'd/e"}"#;
        assert_eq!(secrets.hidden_in(json), r#"{"message":"no (the key), (the key)"}"#);
    }

    #[test]
    fn an_answer_that_repeats_the_key_is_cleaned() {
        let key = Secret::new("hunter2".to_owned());
        let clean = |text: &str| without(text.as_bytes(), &key);
        assert_eq!(clean("hunter2 and hunter2.").unwrap(), b"(the key) and (the key).");
        assert_eq!(clean("hunter"), None);
        assert_eq!(without(b"x", &Secret::new(String::new())), None);
    }
}

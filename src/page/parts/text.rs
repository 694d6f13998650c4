//! Texts of others, amounts and times as markup.

use std::borrow::Cow;

use maud::{Markup, html};

use crate::{
    misp::AttributeType,
    model::{Count, Span, Timestamp, Tlp, steers},
};

/// Longer texts are shortened; what is left is behind a click.
const PROSE_CHARS_MAX: usize = 180;
const VALUE_CHARS_MAX: usize = 96;

/// Parts of the names of types whose values somebody may reach by a click or a look-up.
const NETWORK: [&str; 9] =
    ["domain", "hostname", "ip-", "url", "uri", "link", "email", "server-name", "jabber"];

/// A text of others in its own direction of writing: what could steer the page is shown, and what is long is shortened, with
/// all of it behind a click.
pub(in crate::page) fn prose(text: &str) -> Markup {
    let text = &*without_schemes(text);
    match cut(text, PROSE_CHARS_MAX) {
        None => visible(text),
        Some(head) => html! {
            details.more { summary { (visible(head)) "…" } span.whole { (visible(text)) } }
        },
    }
}

/// The same where nothing can be behind a click: the whole is what a pointer shows.
pub(in crate::page) fn heading(text: &str) -> Markup {
    let text = &*without_schemes(text);
    match cut(text, PROSE_CHARS_MAX) {
        None => visible(text),
        Some(head) => html! { span title=(shown(text)) { (visible(head)) "…" } },
    }
}

/// A text for an attribute of markup, with what could steer the page shown.
fn shown(text: &str) -> String {
    let each = parts(text).map(|(part, letter)| match letter {
        Some(letter) => format!("{part}{}", letter.escape_default()),
        None => part.to_owned(),
    });
    each.collect()
}

/// A value, made harmless; where that makes it another, the exact one is behind a click.
pub(in crate::page) fn value(kind: AttributeType, exact: &str) -> Markup {
    let shown = defanged(kind, exact);
    let head = cut(&shown, VALUE_CHARS_MAX);
    if head.is_none() && *shown == *exact {
        return html! { code { (visible(exact)) } };
    }
    html! {
        details.exact {
            summary {
                code {
                    @match head { Some(head) => { (visible(head)) "…" } None => { (visible(&shown)) } }
                }
            }
            code { (visible(exact)) }
        }
    }
}

/// A value that nobody reaches by mistake.
pub(in crate::page) fn defanged(kind: AttributeType, exact: &str) -> Cow<'_, str> {
    let mut shown = without_schemes(exact);
    if NETWORK.iter().any(|part| kind.name().contains(part)) {
        shown = Cow::Owned(shown.replace('.', "[.]").replace('@', "[@]"));
    }
    shown
}

/// A text of which nothing makes a link.
fn without_schemes(text: &str) -> Cow<'_, str> {
    let mut shown = Cow::Borrowed(text);
    for (scheme, harmless) in [("http", "hxxp"), ("ftp", "fxp")] {
        if let Some(changed) = without_scheme(&shown, scheme, harmless) {
            shown = Cow::Owned(changed);
        }
    }
    shown
}

/// Each `scheme://` and `schemes://`, whatever its case, written in another way.
fn without_scheme(text: &str, scheme: &str, harmless: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let (mut changed, mut taken) = (String::new(), 0);
    for (at, _) in lower.match_indices(scheme) {
        let rest = &lower[at + scheme.len()..];
        if at >= taken && rest.strip_prefix('s').unwrap_or(rest).starts_with("://") {
            changed.push_str(&text[taken..at]);
            changed.push_str(harmless);
            taken = at + scheme.len();
        }
    }
    (taken > 0).then(|| changed + &text[taken..])
}

/// The beginning of a text, if it is longer.
fn cut(text: &str, max: usize) -> Option<&str> {
    text.char_indices().nth(max).map(|(end, _)| &text[..end])
}

/// All of a text, with what could steer the page shown.
pub(in crate::page) fn visible(text: &str) -> Markup {
    html! {
        bdi {
            @for (part, harmful) in parts(text) {
                (part)
                @if let Some(letter) = harmful { span.hidden-letter { (letter.escape_default()) } }
            }
        }
    }
}

/// A text between the letters that could steer, each part with the one that follows it.
fn parts(text: &str) -> impl Iterator<Item = (&str, Option<char>)> {
    text.split_inclusive(steers).map(|part| match part.chars().next_back() {
        Some(last) if steers(last) => (&part[..part.len() - last.len_utf8()], Some(last)),
        _ => (part, None),
    })
}

/// A point in time, to the minute.
pub(in crate::page) fn time(at: Timestamp) -> Markup {
    let whole = at.to_string();
    let shown = match whole.split_once('T') {
        Some((day, clock)) if clock.len() >= 5 => format!("{day} {} UTC", &clock[..5]),
        _ => whole.clone(),
    };
    html! { time datetime=(whole) { (shown) } }
}

/// A time, and how long ago it was.
pub(in crate::page) fn ago(at: Timestamp, now: Timestamp) -> Markup {
    html! { (time(at)) ", " (since(at, now)) }
}

/// How long ago something was, which nobody knows of what lies in the future.
pub(in crate::page) fn since(at: Timestamp, now: Timestamp) -> String {
    match at.age(now) {
        Some(age) => format!("{} ago", Span(age.as_secs())),
        None => "in the future by this machine's clock".to_owned(),
    }
}

/// A number, and what it is a number of.
pub(in crate::page) fn counted(number: u64, one: &str, more: &str) -> String {
    format!("{} {}", Count(number), if number == 1 { one } else { more })
}

/// How things are, by a word, a sign and a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::page) enum Tone {
    Good,
    Quiet,
    Warning,
    Bad,
}

/// A word that says how things are.
pub(in crate::page) fn badge(tone: Tone, word: &str) -> Markup {
    let (class, sign) = match tone {
        Tone::Good => ("good", "✓"),
        Tone::Quiet => ("quiet", "·"),
        Tone::Warning => ("warning", "▲"),
        Tone::Bad => ("bad", "✕"),
    };
    html! { span.badge.(class) { span aria-hidden="true" { (sign) } " " (word) } }
}

/// What is said where something is not shown.
pub(in crate::page) fn hidden(count: u64, limit: Option<Tlp>) -> Markup {
    let limit = limit.map_or("", Tlp::name);
    html! { span.muted { (Count(count).to_string()) " not shown: marked stricter than " (limit) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: &str, exact: &str) -> String {
        defanged(AttributeType::named(kind).unwrap(), exact).into_owned()
    }

    #[test]
    fn indicators_lose_what_makes_them_a_link() {
        for (kind, exact, shown) in [
            ("domain", "a.example", "a[.]example"),
            ("url", "HTTPS://a.example/x?u=http://b", "hxxpS://a[.]example/x?u=hxxp://b"),
            ("email-src", "me@a.example", "me[@]a[.]example"),
            ("domain|ip", "a.example|192.0.2.1", "a[.]example|192[.]0[.]2[.]1"),
            ("filename", "setup.exe", "setup.exe"),
            (
                "comment",
                "see ftp://a.example, http and httpd",
                "see fxp://a.example, http and httpd",
            ),
            ("sha256", "00ff", "00ff"),
        ] {
            assert_eq!(of(kind, exact), shown);
        }
    }

    #[test]
    fn the_exact_value_is_there_where_another_is_shown() {
        let kind = AttributeType::named("domain").unwrap();
        let shown = value(kind, "a.example").into_string();
        assert_eq!(
            shown,
            "<details class=\"exact\"><summary><code><bdi>a[.]example</bdi></code></summary>\
             <code><bdi>a.example</bdi></code></details>"
        );
        let file = AttributeType::named("filename").unwrap();
        assert_eq!(value(file, "a.exe").into_string(), "<code><bdi>a.exe</bdi></code>");
        let long = "a".repeat(VALUE_CHARS_MAX + 1);
        let shown = value(file, &long).into_string();
        assert!(shown.contains(&format!("<code><bdi>{long}</bdi></code>")), "{shown}");
        assert!(shown.contains("a</bdi>…</code></summary>"), "{shown}");
    }

    #[test]
    fn what_could_steer_the_page_is_shown() {
        let shown = prose("<b>\u{202e}evil\u{0}\n&\"").into_string();
        assert_eq!(
            shown,
            "<bdi>&lt;b&gt;<span class=\"hidden-letter\">\\u{202e}</span>evil\
             <span class=\"hidden-letter\">\\u{0}</span><span class=\"hidden-letter\">\\n</span>&amp;&quot;</bdi>"
        );
    }
}

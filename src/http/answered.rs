//! What an answer looks like that is none of the server that was asked.

use crate::model::shortened;

use super::misread::BYTE_ORDER_MARK;

/// Where the title of a page is looked for.
const TITLE_BYTES_MAX: usize = 16 * 1024;
/// What stands in a body that is not the server's own, in a few words.
pub(crate) fn answered(body: &[u8]) -> String {
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body).trim_ascii_start();
    match body.first() {
        None => "with nothing".to_owned(),
        Some(b'<') => match title(body) {
            Some(title) => format!("with the web page {title:?}"),
            None => "with a web page".to_owned(),
        },
        Some(b'{' | b'[') => match serde_json::from_slice::<serde::de::IgnoredAny>(body) {
            Err(error) if error.is_eof() => "with JSON that ends in the middle".to_owned(),
            _ => "with JSON of another program".to_owned(),
        },
        Some(_) => {
            let text = String::from_utf8_lossy(&body[..body.len().min(TITLE_BYTES_MAX)]);
            format!("with {:?}", shortened(text.trim()))
        }
    }
}

fn title(page: &[u8]) -> Option<String> {
    let page = String::from_utf8_lossy(&page[..page.len().min(TITLE_BYTES_MAX)]);
    let lower = page.to_ascii_lowercase();
    let from = lower.find("<title")?;
    let from = from + lower[from..].find('>')? + 1;
    let length = lower[from..].find("</")?;
    let title = page[from..from + length].split_whitespace().collect::<Vec<_>>().join(" ");
    (!title.is_empty()).then(|| shortened(&title).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_named_by_its_title() {
        assert_eq!(
            answered(b"<html><head><title>\n404  Not Found</title>"),
            "with the web page \"404 Not Found\""
        );
        assert_eq!(answered(b" <html>"), "with a web page");
        assert_eq!(answered(b"{}"), "with JSON of another program");
        assert_eq!(answered(b"{\"a\": [1,"), "with JSON that ends in the middle");
        assert_eq!(answered("\u{feff} ".as_bytes()), "with nothing");
        assert_eq!(answered(b"no"), "with \"no\"");
        assert_eq!(answered(b""), "with nothing");
        assert_eq!(
            answered("<TITLE>\u{130}\u{130}</TITLE>".as_bytes()),
            "with the web page \"\u{130}\u{130}\""
        );
    }
}

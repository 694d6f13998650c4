//! What an answer looks like that MISP's API did not give.

use crate::{http::answered, model::shortened, remote::json};

use super::decode::Answer;

/// Where a notice is looked for.
const NOTICE_BYTES_MAX: usize = 16 * 1024;
/// What PHP begins a notice with.
const LEVELS: [&str; 6] =
    ["Notice", "Warning", "Deprecated", "Strict Standards", "Fatal error", "Parse error"];

/// Nobody at this address knows a question that every MISP answers.
pub(super) fn elsewhere(answer: &Answer) -> Box<str> {
    let status = answer.status;
    let what = match json::errors(&answer.body) {
        Ok(error) => format!("says {:?}", error.words()),
        Err(_) => format!("answers {}", answered(&answer.body)),
    };
    format!(
        "HTTP {status}: what is there {what}, and knows no servers/getVersion; `url` is MISP's own address without \
         the path of any of its pages: correct its path"
    )
    .into()
}

/// A refusal of a question that every key may ask, with a status that says nothing of the key.
pub(super) fn no_matter_of_the_key(status: u16, words: &str) -> Box<str> {
    format!(
        "HTTP {status}: it says {words:?} to a question that everybody may ask, which is no matter of the key: \
         something before MISP may have changed the request, or `url` may have the path of one of its pages; look \
         into the log of what stands before MISP, and have requests passed on as they are, or correct its path"
    )
    .into()
}

/// What to do about a server that prints PHP's notices before its answer; `None` if it does not.
pub(super) fn php_notice(body: &[u8]) -> Option<Box<str>> {
    let text = String::from_utf8_lossy(&body[..body.len().min(NOTICE_BYTES_MAX)]);
    let mut text = text.trim_start();
    while let Some(rest) =
        ["<br />", "<br>", "<b>", "PHP "].iter().find_map(|it| text.strip_prefix(it))
    {
        text = rest.trim_start();
    }
    let level = LEVELS.iter().find(|level| text.starts_with(**level))?;
    let rest = text[level.len()..].trim_start_matches("</b>");
    let notice = rest.strip_prefix(':')?.lines().next().unwrap_or_default();
    let notice = notice.replace("<b>", "").replace("</b>", "").replace("<br />", "");
    Some(
        format!(
            "PHP prints its own messages into the answers of MISP ({level}: {}): have its administrator set \
             display_errors = Off",
            shortened(notice.trim())
        )
        .into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_of_php_are_told_from_pages_and_answers() {
        let html = b"<br />\n<b>Notice</b>:  Undefined index: x in <b>/var/www/a.php</b> on line <b>3</b><br />\n{\"version\":\"2.5.1\"}";
        let told = php_notice(html).unwrap();
        assert!(told.contains("Notice: Undefined index: x in /var/www/a.php on line 3"), "{told}");
        assert!(php_notice(b"\nWarning: x in /a.php on line 3\n{}").is_some());
        assert!(php_notice(b"PHP Deprecated:  x in /a.php on line 3\n{}").is_some());
        for other in [
            &b"{\"version\":\"2.5.1\"}"[..],
            b"<html><b>Notice</b></html>",
            b"",
            b"<br />",
            b"Warning",
        ] {
            assert_eq!(php_notice(other), None);
        }
    }
}

//! What of a setting may be shown: nothing that may be a secret.

use url::Url;
use uuid::Uuid;

/// Shortest text that is taken for a secret by how letters and digits take turns in it.
const MIXED_BYTES_MIN: usize = 20;
/// Words before a secret in a header.
const SCHEMES: [&str; 4] = ["bearer ", "basic ", "token ", "apikey "];
/// Parts of the names of headers and options whose values are secret.
const SECRET_PARTS: [&str; 7] = ["auth", "cookie", "cred", "key", "pass", "secret", "token"];
/// What stands in place of what is not shown.
const HIDDEN: &str = "…";

/// Whether something of this name, such as a header, holds a secret.
pub(super) fn names_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_PARTS.iter().any(|part| name.contains(part))
}

/// Whether a text is rather a key, a token, an address or a certificate's key than the name of something. Names have words;
/// in a secret of random letters there are digits all over.
pub(super) fn looks_like_secret(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let is_long = |word: &str| word.len() >= 32 && word.bytes().any(|byte| byte.is_ascii_digit());
    let mut words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    text.contains("://")
        || text.contains(['\n', '\r'])
        || SCHEMES.iter().any(|scheme| lower.starts_with(scheme))
        || super::looks_like_key(text)
        || Uuid::try_parse(text).is_ok()
        || words.any(is_long)
        || !is_variable(text) && text.split(['/', '\\']).any(is_mixed)
}

fn is_mixed(part: &str) -> bool {
    part.len() >= MIXED_BYTES_MIN && turns(part) >= (part.len() / 8).max(4)
}

/// Whether a text is written as names of variables are: words of capitals and digits, with `_` between.
fn is_variable(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    };
    text.contains('_') && text.split('_').all(is_word)
}

/// How often a letter and a digit stand side by side.
fn turns(text: &str) -> usize {
    let bytes = text.as_bytes();
    let takes_turn = |pair: &&[u8]| {
        pair[0].is_ascii_alphabetic() && pair[1].is_ascii_digit()
            || pair[0].is_ascii_digit() && pair[1].is_ascii_alphabetic()
    };
    bytes.windows(2).filter(takes_turn).count()
}

/// Whether a text says itself that it is a path.
pub(super) fn is_plainly_path(text: &str) -> bool {
    let is_drive = |text: &str| matches!(text.as_bytes(), [_, b':', b'\\' | b'/', ..]);
    (["/", "./", "../", "~/", "\\", ".\\", "..\\"].iter().any(|start| text.starts_with(start))
        || is_drive(text))
        && !text.contains(['\n', '\r'])
}

/// An address without what may open it: user and password, query, and what looks like a secret in its path.
pub(super) fn shown_url(url: &Url) -> String {
    let mut shown = url.clone();
    // An address that can have neither user nor password has none to take away.
    let _ = (shown.set_username(""), shown.set_password(None));
    shown.set_fragment(None);
    shown.set_query(None);
    let query = url.query().map_or("", |_| "?…");
    let text = format!("{shown}{query}");
    let parts = text.split_inclusive('/').map(|part| {
        let word = part.trim_end_matches('/');
        if looks_like_secret(word) { part.replace(word, HIDDEN) } else { part.to_owned() }
    });
    parts.collect()
}

/// Where an address leads, without its path: a hook's is often its only secret.
pub(super) fn shown_origin(url: &Url) -> String {
    format!("{}/{HIDDEN}", url.origin().ascii_serialization())
}

/// A command without its arguments: nobody knows which of them is a secret.
pub(super) fn shown_command(command: &[String]) -> Vec<String> {
    let (program, arguments) = command.split_first().expect("the configuration has one");
    let hidden = (!arguments.is_empty()).then(|| HIDDEN.to_owned());
    std::iter::once(program.clone()).chain(hidden).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_from_names_and_paths() {
        for secret in [
            "S3CRETS3CRETS3CRETS3CRETS3CRETS3CRET1234",
            "abcdefghijabcdefghijabcdefghijabcdefghij",
            "0123456789abcdef0123456789abcdef",
            "3f2a9c1e-7b4d-4e6f-8a0b-1c2d3e4f5a6b",
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0In0.c2ln",
            "q8Zr3/Tn5Kx1Vb7+Wd2Lp9Ys4Gh6Jm0Qc8Rf3Nt5Xz1=",
            "https://hooks.example/services/T0/B0/x",
            "Bearer abc",
            "-----BEGIN PRIVATE KEY-----\nx",
        ] {
            assert!(looks_like_secret(secret), "{secret}");
            assert!(!is_plainly_path(secret), "{secret}");
        }
        for name in [
            "MISP_API_KEY",
            "EIQ_TOKEN_OF_THE_2ND_PLATFORM_2024",
            "K8S_PROD1_MISP2_API_KEY",
            "secrets/k8s/prod1/misp2/s3/api.key",
            "misp-trickle.api-key-2",
            "keys/eiq_token_production_2024.txt",
            "MyKeys/MispApiKey2024.txt",
            "secrets/misp.example.org/api-key-of-the-sync-user",
            "pass",
        ] {
            assert!(!looks_like_secret(name), "{name}");
        }
        for path in ["/nix/store/0c9xdlrcpgq6gjakbvyy7kqnzaqzwqwd-key", "./x", "C:\\keys\\misp"] {
            assert!(is_plainly_path(path), "{path}");
        }
    }

    #[test]
    fn addresses_and_commands_are_shown_without_what_opens_them() {
        for (url, shown) in [
            ("https://u:p@h.example/a", "https://h.example/a"),
            ("https://h.example/hook?token=x", "https://h.example/hook?…"),
            ("https://h.example/T01/a1b2c3d4e5f6a7b8c9d0e1/x", "https://h.example/T01/…/x"),
            ("https://h.example/hook", "https://h.example/hook"),
        ] {
            assert_eq!(shown_url(&Url::parse(url).unwrap()), shown);
        }
        let hook = Url::parse("https://u:p@hooks.example:8443/services/T0/B0/x?y").unwrap();
        assert_eq!(shown_origin(&hook), "https://hooks.example:8443/…");
        let shown = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            shown_command(&words).join(" ")
        };
        assert_eq!(shown(&["/usr/local/bin/alarm"]), "/usr/local/bin/alarm");
        assert_eq!(shown(&["sshpass", "-p", "hunter2", "alarm"]), "sshpass …");
    }
}

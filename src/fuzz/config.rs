//! The configuration: any text is read or refused, a refusal names a line of it, and no secret that
//! somebody put there is repeated.

use std::path::Path;

use arbitrary::{Result, Unstructured};

use crate::{
    config::{Config, ConfigError, Notice, effective},
    model::Locus,
};

use super::json::{is_text, lossy};

/// Reads the bytes, or a text made of them, as a configuration.
///
/// # Panics
/// If two readings differ, a fault is nowhere in the text, or a secret comes back out.
pub fn config(data: &[u8]) {
    if is_text(data) {
        check(&lossy(data), &[]);
    } else if let Ok((text, secrets)) = text(&mut Unstructured::new(data)) {
        check(&text, &secrets);
    }
}

fn check(text: &str, secrets: &[String]) {
    let file = Path::new("some/misp-trickle.toml");
    let once = Config::parse(text, file);
    let again = Config::parse(text, file);
    assert_eq!(format!("{once:?}"), format!("{again:?}"));
    let (notices, shown) = match &once {
        Ok(config) => (config.warnings.clone(), effective(config).to_string()),
        Err(error @ ConfigError::Invalid { faults }) => {
            assert!(!faults.is_empty(), "refused without a fault: {text:?}");
            (faults.clone(), error.to_string())
        }
        Err(other) => panic!("{other}"),
    };
    notices.iter().for_each(|notice| inside(notice, text));
    let notices: Vec<String> = notices.iter().map(ToString::to_string).collect();
    for secret in secrets {
        let told = notices.iter().find(|notice| notice.contains(secret));
        assert_eq!(told, None, "a secret of {text:?}");
        assert!(!shown.contains(secret), "{shown} tells a secret of {text:?}");
        assert!(!format!("{once:?}").contains(secret), "{once:?} holds a secret of {text:?}");
    }
}

/// The line is there and long enough, and the notice says something.
fn inside(notice: &Notice, text: &str) {
    let Locus::Line(line, column) = notice.place.locus else { panic!("{notice} names no line") };
    let there = line.checked_sub(1).and_then(|before| text.split('\n').nth(before));
    let there = there.unwrap_or_else(|| panic!("{notice}: no such line"));
    assert!((1..=there.chars().count() + 1).contains(&column), "{notice}: no such column");
    assert!(!notice.what.is_empty() && !notice.cure.is_empty(), "{notice}");
}

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

const KEYS: [&str; 38] = [
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
    "every",
    "x",
];

/// Values of every type, right and wrong. `SECRET` is put in later.
const VALUES: [&str; 44] = [
    "1",
    "2",
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

/// A text, and the secrets in it.
fn text(input: &mut Unstructured<'_>) -> Result<(String, Vec<String>)> {
    // The first byte is what says that this is a recipe.
    input.arbitrary::<u8>()?;
    let mut text = String::new();
    let mut secrets = Vec::new();
    if !input.ratio(1, 4)? {
        text.push_str("version = 1\n");
    }
    for _ in 0..input.int_in_range(1..=6_u8)? {
        let mut section = input.choose(&SECTIONS)?.to_owned();
        if !input.ratio(1, 6)? && text.contains(&format!("[{section}]")) {
            section = "destinations.third";
        }
        text.push_str(&format!("[{section}]\n"));
        if section.starts_with("destinations.")
            && section.matches('.').count() == 1
            && input.arbitrary()?
        {
            text.push_str("url = \"https://misp.example\"\napi_key_file = \"key\"\n");
        }
        for _ in 0..input.int_in_range(0..=5_u8)? {
            line(input, section, &mut text, &mut secrets)?;
        }
    }
    Ok((text, secrets))
}

fn line(
    input: &mut Unstructured<'_>,
    section: &str,
    text: &mut String,
    secrets: &mut Vec<String>,
) -> Result<()> {
    let key = input.choose(&KEYS)?;
    let value = input.choose(&VALUES)?;
    let mut value = value.to_string();
    if value.contains("SECRET") {
        let in_place = SECRET_KEYS.contains(key) && section.starts_with("destinations.");
        if !in_place {
            return Ok(());
        }
        // MISP's keys are 40 letters and digits.
        let secret = format!("{:020}Zq7{:017}", secrets.len(), input.arbitrary::<u32>()?);
        value = value.replace("SECRET", &secret);
        secrets.push(secret);
    }
    text.push_str(key);
    text.push_str(input.choose(&[" = ", "=", " = ", " = ", " : ", "."])?);
    text.push_str(&value);
    text.push_str(input.choose(&["\n", "\n", "\r\n", " # note\n", ""])?);
    Ok(())
}

//! Keys and other secrets: where they may stand, who may read them, and that nothing repeats them.

use super::*;

/// A key as MISP makes them, where the name of what holds it should stand.
const PASTED: &str = "S3CRETS3CRETS3CRETS3CRETS3CRETS3CRET1234";

#[cfg(unix)]
fn set_mode(file: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_secret_in_the_text_is_refused_and_not_repeated() {
    let key = "0123456789abcdefghijABCDEFGHIJ0123456789";
    for line in [
        format!(
            "[destinations.main]\nurl = \"https://a\"\napi_key = \"{key}\"\napi_key_env = \"A\""
        ),
        format!("[destinations.main]\nurl = \"https://u:{key}@a\"\napi_key_env = \"A\""),
        format!("[destinations.main]\nurl = \"ftp://u:{key}@a\"\napi_key_env = \"A\""),
        format!("[destinations.main]\nurl = \"https://u:{key}@[a\"\napi_key_env = \"A\""),
        format!("[destinations.main]\nurl = \"https://a\"\napi_key_env = \"{key}\""),
        with_destination(&format!("proxy = \"http://u:{key}@proxy\"")),
    ] {
        let error = parse(&line).unwrap_err();
        assert!(!error.to_string().contains(key), "{error}");
        assert!(error.to_string().contains("; "), "{error}");
    }
}

#[test]
fn the_key_comes_from_a_file_without_its_newline() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    let key = "0123456789abcdefghijABCDEFGHIJ0123456789";
    let text = "[destinations.main]\nurl = \"https://a\"\napi_key_file = \"key\"\n";
    let config = Config::parse(text, &folder.path().join("c.toml")).unwrap();
    let destination = config.destination(None).unwrap();
    let error = destination.api_key().unwrap_err().to_string();
    assert!(error.contains("destinations.main: no API key from the file"), "{error}");

    fs::write(&file, format!("{key}\n")).unwrap();
    let secret = destination.api_key().unwrap();
    assert_eq!(secret.expose(), key);
    set_mode(&file, 0o600);
    assert_eq!(destination.key_warnings(&secret), Vec::<String>::new());
    set_mode(&file, 0o644);
    assert!(destination.key_warnings(&secret)[0].contains("chmod 600"));

    for text in ["", "\n", "two words\n", "ключ"] {
        fs::write(&file, text).unwrap();
        assert!(destination.api_key().is_err(), "{text:?}");
    }
    fs::write(&file, "short").unwrap();
    let short = destination.api_key().unwrap();
    assert!(destination.key_warnings(&short)[0].contains("40 letters and digits"));
}

#[test]
fn each_file_of_a_secret_that_others_can_read_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let lines = [
        ("api_key_file = \"key\"", "API key", "key"),
        (
            "api_key_env = \"K\"\nheaders = { \"X-Token\" = { file = \"token\" } }",
            "header x-token",
            "token",
        ),
        ("api_key_env = \"K\"\nclient_cert = \"both\"", "private key", "both"),
        (
            "api_key_env = \"K\"\nclient_cert = \"pem\"\nclient_key = \"pem.key\"",
            "private key",
            "pem.key",
        ),
    ];
    for name in ["pem", "pem.key", "both", "token", "key"] {
        fs::write(folder.path().join(name), "0123456789abcdefghijABCDEFGHIJ0123456789").unwrap();
    }
    for (lines, noun, file) in lines {
        let text = format!("[destinations.main]\nurl = \"https://a\"\n{lines}\n");
        let config = Config::parse(&text, &folder.path().join("c.toml")).unwrap();
        let destination = config.destination(None).unwrap();
        let key = Secret::new("0123456789abcdefghijABCDEFGHIJ0123456789".to_owned());
        let file = folder.path().join(file);
        for (mode, told) in [(0o600, None), (0o644, Some(noun))] {
            set_mode(&file, mode);
            let told = told.map(|noun| {
                format!("other users can read the {noun}; run: chmod 600 {}", file.display())
            });
            assert_eq!(destination.key_warnings(&key), Vec::from_iter(told), "{lines}");
        }
    }
}

#[test]
fn who_may_read_the_file_of_an_address_to_tell_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hook");
    fs::write(&file, "https://chat.example/secret").unwrap();
    let text = "[destinations.main]\nurl = \"https://a\"\napi_key_file = \"key\"\n[serve]\non_failure_url_file = \"hook\"\n";
    let config = Config::parse(text, &folder.path().join("c.toml")).unwrap();
    set_mode(&file, 0o600);
    assert_eq!(config.serve.secret_warnings(), Vec::<String>::new());
    set_mode(&file, 0o640);
    let told = "other users can read the address of on_failure_url; run: chmod 600";
    assert_eq!(config.serve.secret_warnings(), [format!("{told} {}", file.display())]);
}

#[test]
fn an_unset_variable_is_named_with_a_cure() {
    let text = with_destination("").replace("MISP_API_KEY", "MISP_TRICKLE_TEST_UNSET");
    let error = good(&text).destinations[0].api_key().unwrap_err().to_string();
    assert!(error.contains("variable MISP_TRICKLE_TEST_UNSET: it is not set; "), "{error}");
}

#[test]
fn headers_are_printed_without_their_secrets_and_read_again() {
    let lines = "auth_header = \"X-MISP-AUTH\"\n[destinations.main.headers]\nAuthorization = { env = \"BASIC\" }\n\
                 \"X-Client-Id\" = \"me\"\n\"x-pass\" = { file = \"pass\" }\n";
    let config = good(&with_destination(lines));
    let destination = &config.destinations[0];
    assert_eq!(destination.auth_header, AuthHeader::XMispAuth);
    let names: Vec<_> = destination.connection.headers.keys().map(String::as_str).collect();
    assert_eq!(names, ["authorization", "x-client-id", "x-pass"]);
    assert_eq!(
        destination.connection.headers["x-pass"],
        HeaderSource::Secret(KeySource::File("/etc/trickle/pass".into()))
    );
    let printed = toml::to_string(&effective(&config)).unwrap();
    assert_eq!(effective(&good(&printed)), effective(&config), "{printed}");
}

#[test]
fn a_secret_where_its_variable_or_file_is_named_is_told_and_not_repeated() {
    let taxii = "kind = \"taxii2\"\nurl = \"https://x\"\ncollections = [\"a\"]\n";
    let eiq = "kind = \"eiq-feed\"\nurl = \"https://x\"\nfeed = 1\n";
    let key = |name: &str| {
        with_destination("")
            .replace("api_key_env = \"MISP_API_KEY\"", &format!("{name} = {PASTED:?}"))
    };
    let hook = |name: &str| format!("[serve]\n{name} = \"https://hooks.example/{PASTED}\"\n");
    for text in [
        key("api_key_env"),
        key("api_key_file"),
        with_destination(&format!("headers = {{ X-T = {{ env = {PASTED:?} }} }}\n")),
        with_destination(&format!("headers = {{ X-T = {{ file = {PASTED:?} }} }}\n")),
        with_destination(&format!("client_cert = \"-----BEGIN\\n{PASTED}\"\n")),
        with_destination(&format!("client_cert = \"c\"\nclient_key = {PASTED:?}\n")),
        format!("[source]\n{eiq}token_env = {PASTED:?}\n"),
        format!("[source]\n{eiq}token_file = {PASTED:?}\n"),
        format!("[source]\n{taxii}token_file = {PASTED:?}\n"),
        format!("[source]\n{taxii}username = \"me\"\npassword_file = {PASTED:?}\n"),
        hook("on_failure_url_env"),
        hook("on_failure_url_file"),
    ] {
        let found = faults(&text).join("\n");
        assert!(found.contains("itself, not like"), "{text}\n{found}");
        assert!(!found.contains("S3CRET"), "{found}");
    }
    // Where no such thing is named at all.
    for line in ["compression", "bwlimit", "timeout", "include_tags"] {
        let found = faults(&with_destination(&format!("{line} = {PASTED:?}\n"))).join("\n");
        assert!(!found.contains("S3CRET"), "{found}");
    }
    // A file may be called so, if it is said that it is one.
    let named = key("api_key_file").replace(PASTED, &format!("./{PASTED}"));
    assert!(matches!(good(&named).destinations[0].key, KeySource::File(_)));
}

#[test]
fn what_is_printed_of_alarms_opens_nothing() {
    let printed = |lines: &str| effective(&good(&format!("[serve]\n{lines}"))).to_string();
    for lines in [
        "on_failure = [\"curl\", \"-H\", \"Authorization: hunter2\", \"http://h\"]\n",
        "on_failure = [\"sshpass\", \"-p\", \"hunter2\", \"alarm\"]\n",
        "on_failure_url = \"https://h.example/x?token=hunter2\"\n",
        "on_failure_url = \"https://h.example/hunter2\"\n",
    ] {
        assert!(!printed(lines).contains("hunter2"), "{}", printed(lines));
    }
    assert!(printed("on_failure = [\"alarm\", \"ops\"]\n").contains("\"alarm\""));
}

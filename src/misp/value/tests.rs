//! Rules beyond the recorded cases of `tests/it/attribute_values.rs`.

use super::*;

#[track_caller]
fn stored(kind: &str, raw: &str, expected: &str) {
    let value = normalise(AttributeType::named(kind).unwrap(), raw);
    assert_eq!(value.as_ref().map(Value::as_str), Ok(expected), "{kind} {raw:?}");
}

#[track_caller]
fn refused(kind: &str, raw: &str) {
    let value = normalise(AttributeType::named(kind).unwrap(), raw);
    assert!(value.is_err(), "{kind} {raw:?} {value:?}");
}

#[test]
fn addresses_are_compressed_as_by_inet_ntop() {
    stored("ip-dst", "2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a");
    stored("ip-dst", "0:0:0:0:0:FFFF:1.2.3.4", "::ffff:1.2.3.4");
    stored("ip-dst", "0:0:0:0:0:0:102:304", "::1.2.3.4");
    stored("ip-dst", "0:0:0:0:0:0:0:1", "::1");
    stored("ip-dst", "1:0:0:2:0:0:0:3", "1:0:0:2::3");
    // A colon in front keeps MISP from compressing at all.
    stored("ip-dst", "::0001", "::0001");
    stored("ip-dst", "::FFFF:1.2.3.4", "::FFFF:1.2.3.4");
    stored("ip-dst", "::1/128", "::1/128");
    stored("ip-dst", "2001:DB8::/032", "2001:db8::/032");
    refused("ip-dst", "2001:db8::/129");
    refused("ip-dst", "1.2.3.4/99999999999999999999999");
}

#[test]
fn address_and_port_are_told_apart() {
    stored("ip-dst|port", "2001:DB8::1 port 80", "2001:db8::1|80");
    stored("ip-dst|port", "[::1]:443", "::1|443");
    refused("ip-dst|port", "|80");
    refused("ip-dst|port", "1.2.3.4|");
}

#[test]
fn international_names_become_punycode_for_domains_only() {
    stored("domain", "Straße.Example.", "strasse.example");
    stored("domain", "ÖBB.example", "xn--bb-eka.example");
    refused("domain", "münchen");
    refused("domain", "-ü.example");
    refused("hostname", "münchen.de");
}

#[test]
fn links_have_to_please_php() {
    for link in [
        "http://example.com:80a/",
        "http://a-./",
        "http://a.example./x",
        "HTTPS://[::1]:8443/",
        "mailto:",
        "ftp://under_score/",
        "svn+ssh://h/x",
        "http://u%2Dx:p@h/",
        "file://host/x",
        "http://1.2.3.999/",
    ] {
        stored("link", link, link);
    }
    for no_link in [
        "http://",
        "http:///x",
        "http://-a/",
        "http://a-.b/",
        "http://a:123456/",
        "http://a:-1/",
        "MAILTO:a@b",
        "example.com:80",
        "a:80/x",
        "http://u x@h/",
        "http://u%xx@h/",
        "://a",
        "1 http://a",
        "http://[::g]/",
        "FILE:///x",
        "http://a..b/",
        "http:a",
    ] {
        refused("link", no_link);
    }
    stored("link", "http://[1:2:3:4:5:6:7::]", "http://[1:2:3:4:5:6:7::]");
    let label = "a".repeat(63);
    stored("link", &format!("http://{label}.b/"), &format!("http://{label}.b/"));
    refused("link", &format!("http://{label}a.b/"));
}

#[test]
fn phones_are_compared_with_00_as_numbers() {
    stored("phone-number", "0 123", "+123");
    stored("phone-number", "0.5", "+5");
    stored("phone-number", "01 23", "0123");
    stored("phone-number", "0032(0)2", "+322");
}

#[test]
fn oddities_of_single_types() {
    stored("onion-address", "A{56.onion", "a{56.onion");
    stored("AS", "as0.0", "0");
    refused("AS", "AS99999999999999999999.1");
    stored("boolean", " FALSE ", "0");
    stored("float", " 1.e-5\x0C", "1.e-5\x0C");
    refused("float", "1e");
    refused("float", ".");
    stored("cortex", "{\"a\": [1, null]} ", "{\"a\": [1, null]}");
    stored("http-method", "xgety", "XGETY");
    stored(
        "ssh-fingerprint",
        "MD5:286b5d4adc072833d2a2ba847803c7c3",
        "MD5:286b5d4adc072833d2a2ba847803c7c3",
    );
    refused("ssh-fingerprint", "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==");
    refused("text", "\u{1}");
    refused("x509-fingerprint-md5", "::");
}

#[test]
fn control_characters_in_one_half_of_a_composite_are_told() {
    let refusal = normalise(AttributeType::named("regkey|value").unwrap(), "a|\u{1}").unwrap_err();
    assert_eq!(refusal.stage, Stage::ControlCharacters);
    let refusal = normalise(AttributeType::named("filename|md5").unwrap(), "\u{2}|x").unwrap_err();
    assert_eq!(refusal.stage, Stage::ControlCharacters);
}

#[test]
fn four_byte_characters_become_question_marks() {
    assert_eq!(fold_bmp("a😀é\u{FFFF}"), "a?é\u{FFFF}");
    assert!(matches!(fold_bmp("aé"), Cow::Borrowed("aé")));
    stored("url", "h[tt]p://é[.]example/😀", "http://é.example/?");
}

#[test]
fn what_is_settled_is_left_as_it_is() {
    let url = AttributeType::named("url").unwrap();
    let half_done = normalise(url, "http://example[[.]]org/").unwrap();
    assert_eq!(half_done.as_str(), "http://example[.]org/");
    let settled = settle(url, "http://example[[.]]org/").unwrap();
    assert_eq!(settled.as_str(), "http://example.org/");
    assert_eq!(normalise(url, settled.as_str()), Ok(settled));
}

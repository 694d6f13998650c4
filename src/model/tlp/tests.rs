//! What texts say about TLP, spelling by spelling.

use super::*;

#[test]
fn the_order_is_that_of_strictness() {
    assert!(Tlp::ALL.windows(2).all(|pair| pair[0] < pair[1]));
}

#[test]
fn reads_both_versions() {
    assert_eq!("WHITE".parse(), Ok(Tlp::Clear));
    assert_eq!("TLP:AMBER+STRICT".parse(), Ok(Tlp::AmberStrict));
    for wrong in ["purple", "tlp:purple", "", "tlp", "tlp:", "red green", "ambers trict"] {
        assert!(wrong.parse::<Tlp>().is_err(), "{wrong}");
    }
    for tlp in Tlp::ALL {
        assert_eq!(tlp.tag().parse(), Ok(tlp));
        assert_eq!(tlp.name().parse(), Ok(tlp));
    }
}

#[test]
fn a_tag_is_read_in_every_spelling() {
    let spellings = [
        "tlp:X",
        "TLP:X",
        "Tlp : X",
        " tlp:X ",
        "tlp: X",
        "tlp=X",
        "tlp=\"X\"",
        "tlp:\"X\"",
        "tlp = 'X'",
        "TLP-X",
        "TLP_X",
        "tlp X",
        "[TLP:X]",
        "tlpX",
        "TLP 2.0: X",
        "tlp:2.0:X",
        "TLPv2:X",
        "tlp\u{a0}:\u{a0}X",
        "t\u{200b}lp:X\u{feff}",
        "\u{ff34}\u{ff2c}\u{ff30}\u{ff1a}X",
        "tlp::X",
        "TLP\t:\nX.",
    ];
    for (name, tlp) in [
        ("white", Tlp::Clear),
        ("CLEAR", Tlp::Clear),
        ("Green", Tlp::Green),
        ("amber", Tlp::Amber),
        ("RED", Tlp::Red),
        ("amber+strict", Tlp::AmberStrict),
        ("AMBER-STRICT", Tlp::AmberStrict),
        ("Amber Strict", Tlp::AmberStrict),
        ("amber_strict", Tlp::AmberStrict),
        ("amber + strict", Tlp::AmberStrict),
        ("amberstrict", Tlp::AmberStrict),
    ] {
        for tag in spellings.map(|spelling| spelling.replace('X', name)) {
            assert_eq!(Tlp::of_tag(&tag), Some(tlp), "{tag:?}");
            assert_eq!(tag.parse(), Ok(tlp), "{tag:?}");
            assert_eq!(Tlp::said_in(&format!("It is {tag}, mind.")), Some(tlp), "{tag:?}");
        }
    }
}

#[test]
fn what_is_meant_as_tlp_and_has_no_colour_is_red() {
    for tag in [
        "tlp:unclear",
        "TLP:",
        "tlp =",
        "tlp:purple",
        "tlp:\"\"",
        "tlp:red:x",
        "tlp:ambers trict",
        "tlp:ex",
        "tlp:ex:chr:x",
        "tlp:2",
        "tlp:gr\u{fc}n",
        "TLP ROT",
        "tlp-purple",
        "TLP-R",
        "TLP RED\u{b9}",
        "TLP \u{1f534}",
        "tlp:green:x",
        "TLP:AMBER+",
        "TLP:AMBER ++",
        "TLP:GREEN for the title, the rest is red",
        "TLP:GREEN. The red team wrote it.",
        "Traffic Light \u{26d4}",
    ] {
        assert_eq!(Tlp::of_tag(tag), Some(Tlp::Red), "{tag}");
    }
}

#[test]
fn the_name_of_amber_strict_needs_no_name_of_tlp_before_it() {
    for tag in
        ["AMBER+STRICT", " Amber-Strict", "amber strict", "amberstrict", "\u{ff21}MBER+STRICT"]
    {
        assert_eq!(Tlp::of_tag(tag), Some(Tlp::AmberStrict), "{tag}");
    }
    for text in [
        "[AMBER+STRICT]",
        "*amber+strict*",
        "AMBER+STRICT only",
        "AMBER+STRICT - own org",
        "v2 AMBER+STRICT",
        "internal,AMBER+STRICT",
        "sharing:amber+strict",
        "x-amberstrict-y",
    ] {
        assert_eq!(Tlp::of_tag(text), Some(Tlp::AmberStrict), "{text}");
        assert_eq!(Tlp::marked_by(text), Some(Tlp::AmberStrict), "{text}");
    }
}

/// Where a colour must stand a text that says more is unreadable, and so red.
#[test]
fn amber_strict_with_words_around_it_is_no_colour_of_tlp() {
    for text in [
        "AMBER+STRICT only",
        "AMBER+STRICT - own org",
        "internal,AMBER+STRICT",
        "v2 AMBER+STRICT",
        "sharing:amber+strict",
        "x-amberstrict-y",
    ] {
        assert_eq!(Tlp::meant_by(text), None, "{text}");
    }
    for text in ["[AMBER+STRICT]", "*amber+strict*"] {
        assert_eq!(Tlp::meant_by(text), Some(Tlp::AmberStrict), "{text}");
    }
}

#[test]
fn a_colour_stands_apart_at_an_end_of_a_text_about_marking() {
    for (text, tlp) in [
        ("RED", Some(Tlp::Red)),
        ("RED - recipients only", Some(Tlp::Red)),
        ("Red: named recipients", Some(Tlp::Red)),
        ("Sharing level: RED", Some(Tlp::Red)),
        ("marking:amber", Some(Tlp::Amber)),
        ("GREEN (annex: RED)", Some(Tlp::Red)),
        ("Amber + Strict: own organisation only", Some(Tlp::AmberStrict)),
        ("level: amber strict", Some(Tlp::AmberStrict)),
        ("PAP:RED", None),
        ("Red Hat, Inc.", None),
        ("red-team report", None),
        ("Copyright: all red", None),
        ("", None),
    ] {
        assert_eq!(Tlp::set_apart_in(text), tlp, "{text}");
    }
}

#[test]
fn a_text_may_begin_with_a_tag() {
    for (text, tlp) in [
        ("TLP:RED - internal only", Some(Tlp::Red)),
        ("TLP RED (recipients only)", Some(Tlp::Red)),
        ("TLP:AMBER+STRICT", Some(Tlp::AmberStrict)),
        ("tlp-red.example.com", None),
        ("tlp_report.pdf", None),
        ("tlp:purple", None),
        ("https://x.example/tlp-red", None),
    ] {
        assert_eq!(Tlp::of_tag_in_front(text), tlp, "{text}");
    }
}

#[test]
fn real_traffic_lights_are_no_marking() {
    for tag in ["traffic-light-hacking", "Traffic Light controllers", "traffic lights systems"] {
        assert_eq!(Tlp::of_tag(tag), None, "{tag}");
    }
    for tag in ["traffic-light: hacking", "traffic-light-purple", "TLP hacking"] {
        assert_eq!(Tlp::of_tag(tag), Some(Tlp::Red), "{tag}");
    }
}

#[test]
fn a_tag_that_goes_on_as_a_text_means_the_strictest_colour_in_it() {
    for (text, tlp) in [
        ("TLP:GREEN (https://www.first.org/tlp/)", Tlp::Green),
        ("TLP:GREEN (community)", Tlp::Green),
        ("TLP: GREEN, Released on Monday", Tlp::Green),
        ("TLP:GREEN | PAP:GREEN", Tlp::Green),
        ("TLP:GREEN+PAP:RED", Tlp::Green),
        ("tlp:green or so", Tlp::Green),
        ("TLP:CLEAR: recipients can spread this to the world", Tlp::Red),
        ("TLP:CLEAR - recipients can spread this to the world", Tlp::Clear),
        ("TLP:AMBER. Limited disclosure, strictly need to know.", Tlp::Amber),
        ("TLP:AMBER (strict)", Tlp::AmberStrict),
        ("TLP:GREEN, or amber where it says so", Tlp::Amber),
        ("TLP:GREEN, au-del\u{e0} rouge", Tlp::Red),
    ] {
        assert_eq!(Tlp::of_tag(text), Some(tlp), "{text}");
    }
}

#[test]
fn other_tags_are_no_tlp() {
    for tag in [
        "red",
        "RED",
        "amber",
        "amber red strict",
        "tlp",
        "TLP",
        "",
        " ",
        ":",
        "tlp:ex:chr",
        "TLP:EX:CHR",
        "tlp=\"ex:chr\"",
        "tlpx:red",
        "xtlp:red",
        "misp:tlp",
        "tlp is fine",
        "type:osint",
        "\u{4e2d}",
    ] {
        assert_eq!(Tlp::of_tag(tag), None, "{tag}");
    }
}

#[test]
fn a_text_means_the_strictest_that_it_says() {
    for (text, tlp) in [
        ("TLP:GREEN, in part TLP: AMBER + STRICT", Some(Tlp::AmberStrict)),
        ("Sharing: tlp amber", Some(Tlp::Amber)),
        ("TLP: as agreed", Some(Tlp::Red)),
        ("Traffic Light Protocol: Amber", Some(Tlp::Amber)),
        ("the TLP level is amber", Some(Tlp::Amber)),
        ("TLP&#58;AMBER", Some(Tlp::Amber)),
        ("TLP%3AAMBER%2BSTRICT", Some(Tlp::AmberStrict)),
        ("AMBER (TLP)", Some(Tlp::Amber)),
        ("\u{422}LP:\u{410}MBER", Some(Tlp::Amber)),
        ("TLP marking (v2.0): TLP:AMBER", Some(Tlp::Amber)),
        ("<p><strong>TLP</strong>: RED</p>", Some(Tlp::Red)),
        ("<span class=\"tlp-red\">for us</span>", Some(Tlp::Red)),
        ("&lt;b&gt;TLP&lt;/b&gt; RED", Some(Tlp::Red)),
        ("TLP&colon;RED", Some(Tlp::Red)),
        ("TLP&#x3a;RED", Some(Tlp::Red)),
        ("TLP&#58RED", Some(Tlp::Red)),
        ("&#84;&#x4c;P:RED", Some(Tlp::Red)),
        ("TLP&#58;AMBER&#43;STRICT", Some(Tlp::AmberStrict)),
        ("TLP%3aAMBER%2bSTRICT", Some(Tlp::AmberStrict)),
        ("TLP%253ARED", Some(Tlp::Red)),
        ("TLP:AMBER PLUS STRICT", Some(Tlp::AmberStrict)),
        ("TLP:AMBER with strict", Some(Tlp::AmberStrict)),
        ("TLP: GREEN or RED", Some(Tlp::Red)),
        ("TLP:GREEN/red", Some(Tlp::Red)),
        ("TLP:GREEN | AMBER", Some(Tlp::Amber)),
        ("TLP:WHITE, GREEN, RED", Some(Tlp::Red)),
        ("TLP: GREEN for the report, RED for its annex.", Some(Tlp::Red)),
        ("TLP:AMBER or GREEN", Some(Tlp::Amber)),
        ("TLP rating: RED", Some(Tlp::Red)),
        ("The TLP designation of this report is RED", Some(Tlp::Red)),
        ("Its TLP has been set to amber.", Some(Tlp::Amber)),
        ("T.L.P.: RED", Some(Tlp::Red)),
        ("RED according to the Traffic Light Protocol", Some(Tlp::Red)),
        ("TrafficLightProtocol: RED", Some(Tlp::Red)),
        ("TrafficLight Protocol RED", Some(Tlp::Red)),
        ("Traffic Light: RED", Some(Tlp::Red)),
        ("TRAFFIC-LIGHT=AMBER", Some(Tlp::Amber)),
        ("TL<wbr>P:RED", Some(Tlp::Red)),
        ("T&shy;LP:RED", Some(Tlp::Red)),
        ("T&unheardOf;LP:RED", Some(Tlp::Red)),
        ("\u{1d413}\u{1d40b}\u{1d40f}:\u{1d411}\u{1d404}\u{1d403}", Some(Tlp::Red)),
        ("TLP%C2%A0RED", Some(Tlp::Red)),
        ("STRICT TLP:AMBER", Some(Tlp::AmberStrict)),
        ("Strictly TLP:AMBER", Some(Tlp::AmberStrict)),
        ("AMBER (TLP), strict", Some(Tlp::AmberStrict)),
        ("TLP:AMBER (STRICT)", Some(Tlp::AmberStrict)),
        ("TLP:AMBER+S", Some(Tlp::AmberStrict)),
        ("TLP:AMBER/S", Some(Tlp::AmberStrict)),
        ("TLP:AMBER-S", Some(Tlp::AmberStrict)),
        ("TLP:AMBER/EU", Some(Tlp::AmberStrict)),
        ("TLP:AMBER+EU", Some(Tlp::Red)),
        ("TLP:GREEN+X", Some(Tlp::Red)),
        ("TLP:GREEN+PAP:RED", Some(Tlp::Green)),
        ("TLP:AMBER / PAP:RED", Some(Tlp::Amber)),
        ("TLP:AMBER. It is strictly for you.", Some(Tlp::Amber)),
        ("Restricted: TLP:AMBER", Some(Tlp::Amber)),
        ("TLP:GREEN. The red team wrote it.", Some(Tlp::Green)),
        ("TLP:GREEN for red teams, their red lines and more", Some(Tlp::Green)),
        ("TLP:Green for members, Red for others", Some(Tlp::Red)),
        ("TLP:Green [Red]", Some(Tlp::Red)),
        ("Sharing: tlp:green for members, RED for others", Some(Tlp::Red)),
        ("Marked tlp:green (annex RED)", Some(Tlp::Red)),
        ("This report is tlp:green, its annex RED", Some(Tlp::Red)),
        ("Report tlp:white, rest RED", Some(Tlp::Red)),
        ("Report tlp:green RED", Some(Tlp::Red)),
        ("Report tlp:green, rest red", Some(Tlp::Red)),
        ("It is TLP:GREEN until 5 May, thereafter red", Some(Tlp::Red)),
        ("see Traffic Light Protocol green; indicators are RED", Some(Tlp::Red)),
        ("TLP AMBER (S)", Some(Tlp::AmberStrict)),
        ("It is TLP:AMBER+", Some(Tlp::Red)),
        ("TLP:WHITE for the title, rest RED", Some(Tlp::Red)),
        ("TLP:GREEN => RED", Some(Tlp::Red)),
        ("TLP: green, red", Some(Tlp::Red)),
        ("TLP:GREEN (annex: RED)", Some(Tlp::Red)),
        ("TLP: was GREEN now RED", Some(Tlp::Red)),
        ("TLP:GREEN RED", Some(Tlp::Red)),
        ("TLP:AMBER>RED", Some(Tlp::Red)),
        ("RED (FIRST TLP)", Some(Tlp::Red)),
        ("TLP2.0RED", Some(Tlp::Red)),
        ("TLP:GREEN now RED", Some(Tlp::Red)),
        ("TLP:GREEN PAP:RED", Some(Tlp::Green)),
        ("TLP:GREEN, PAP: RED", Some(Tlp::Green)),
        ("TLP:GREEN TLP RED", Some(Tlp::Red)),
        ("TLP-Stufe RED", Some(Tlp::Red)),
        ("TLP sharing level RED", Some(Tlp::Red)),
        ("Niveau TLP ROUGE", Some(Tlp::Red)),
        ("TLP-Stufe ROT", Some(Tlp::Red)),
        ("Nivel TLP: ROJO", Some(Tlp::Red)),
        ("Le niveau TLP de ce rapport est orange.", Some(Tlp::Red)),
        ("Livello TLP rosso", Some(Tlp::Red)),
        ("TLP-niveau is rood", Some(Tlp::Red)),
        ("N\u{ed}vel TLP \u{e2}mbar", Some(Tlp::Red)),
        ("Poziom TLP czerwony", Some(Tlp::Red)),
        ("TLP \u{43a}\u{440}\u{430}\u{441}\u{43d}\u{44b}\u{439}", Some(Tlp::Red)),
        ("TLP \u{447}\u{435}\u{440}\u{432}\u{43e}\u{43d}\u{438}\u{439}", Some(Tlp::Red)),
        ("Le protocole TLP. Le rouge est une couleur.", None),
        ("Rot, siehe TLP", None),
        ("TLP should be considered RED", Some(Tlp::Red)),
        ("T-L-P R-E-D", Some(Tlp::Red)),
        ("RED (TLPv2)", Some(Tlp::Red)),
        ("RED level TLP", Some(Tlp::Red)),
        ("TLPs: RED", Some(Tlp::Red)),
        ("Traffic Lights: RED", Some(Tlp::Red)),
        ("TLP is a protocol. The light is red.", None),
        ("A red line under it, see TLP", None),
        ("see https://www.first.org/tlp/ for red lines", None),
        ("Copyright 2024, all rights red", None),
        ("tlp:ex:chr", None),
        ("", None),
    ] {
        assert_eq!(Tlp::said_in(text), tlp, "{text}");
    }
    assert_eq!(Tlp::first_in("GREEN (annex: RED)"), Some(Tlp::Red));
}

/// Each place is read to the end of its sentence: the work must not grow with the square of the text.
#[test]
fn a_text_that_names_tlp_over_and_over_is_red_and_read_at_once() {
    for text in ["TLP GREEN ", "TLP:GREEN or ", "tlp is is ", "TLP:AMBER/ ", "amber tlp "] {
        assert_eq!(Tlp::said_in(&text.repeat(100_000)), Some(Tlp::Red), "{text}");
    }
    let long = "TLP GREEN ".repeat(99) + &"word ".repeat(1_000_000);
    assert_eq!(Tlp::said_in(&long), Some(Tlp::Red));
}

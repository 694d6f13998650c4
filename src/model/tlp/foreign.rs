//! Words for the colours of TLP in other languages, but for the freest: which colour they mean nobody is sure of, so that what is
//! marked by one is red.

use std::{collections::BTreeSet, sync::LazyLock};

use crate::model::plain;

/// Words, in small letters. Few are words of English too, for what speaks of TLP in English must not be red for one of them.
const WORDS: &str = "
    rot rote roter rotes rotem roten gelb gelbe gelber gelbes gr\u{fc}n gr\u{fc}ne gr\u{fc}ner gr\u{fc}nes gruen bernstein
    rouge orange ambre jaune vert verte
    rojo roja \u{e1}mbar ambar amarillo amarilla verde naranja
    rosso rossa ambra giallo gialla
    vermelho vermelha \u{e2}mbar amarelo amarela laranja
    rood oranje geel groen
    r\u{f6}d r\u{f8}d gr\u{f6}n gr\u{f8}nn punainen keltainen vihre\u{e4} punane
    czerwony czerwona czerwone \u{17c}\u{f3}\u{142}ty \u{17c}\u{f3}\u{142}ta bursztynowy bursztynowa zielony zielona
    \u{10d}erven\u{fd} \u{10d}erven\u{e1} \u{10d}erven\u{e9} cerveny cervena jantarov\u{fd} \u{17e}lut\u{fd} zelen\u{fd}
    \u{10d}ervena crvena crveni crveno rde\u{10d}a rde\u{10d}e rde\u{10d}i rdeca zelena
    piros v\u{f6}r\u{f6}s s\u{e1}rga borosty\u{e1}n z\u{f6}ld
    ro\u{219}u ro\u{15f}u ro\u{219}ie chihlimbar galben
    k\u{131}rm\u{131}z\u{131} kirmizi sar\u{131} kehribar ye\u{15f}il
    raudona raudonas sarkans merah kuning \u{111}\u{1ecf}
    \u{43a}\u{440}\u{430}\u{441}\u{43d}\u{44b}\u{439} \u{43a}\u{440}\u{430}\u{441}\u{43d}\u{430}\u{44f} \u{43a}\u{440}\u{430}\u{441}\u{43d}\u{43e}\u{435}
    \u{44f}\u{43d}\u{442}\u{430}\u{440}\u{43d}\u{44b}\u{439} \u{436}\u{435}\u{43b}\u{442}\u{44b}\u{439} \u{436}\u{451}\u{43b}\u{442}\u{44b}\u{439}
    \u{437}\u{435}\u{43b}\u{435}\u{43d}\u{44b}\u{439} \u{43e}\u{440}\u{430}\u{43d}\u{436}\u{435}\u{432}\u{44b}\u{439}
    \u{447}\u{435}\u{440}\u{432}\u{43e}\u{43d}\u{438}\u{439} \u{447}\u{435}\u{440}\u{432}\u{43e}\u{43d}\u{430} \u{447}\u{435}\u{440}\u{432}\u{435}\u{43d}\u{43e}
    \u{431}\u{443}\u{440}\u{448}\u{442}\u{438}\u{43d}\u{43e}\u{432}\u{438}\u{439} \u{436}\u{43e}\u{432}\u{442}\u{438}\u{439} \u{437}\u{435}\u{43b}\u{435}\u{43d}\u{438}\u{439}
    \u{3ba}\u{3cc}\u{3ba}\u{3ba}\u{3b9}\u{3bd}\u{3bf} \u{3ba}\u{3bf}\u{3ba}\u{3ba}\u{3b9}\u{3bd}\u{3bf} \u{3c0}\u{3bf}\u{3c1}\u{3c4}\u{3bf}\u{3ba}\u{3b1}\u{3bb}\u{3af}
    \u{5d0}\u{5d3}\u{5d5}\u{5dd} \u{5e2}\u{5e0}\u{5d1}\u{5e8} \u{623}\u{62d}\u{645}\u{631} \u{627}\u{62d}\u{645}\u{631} \u{643}\u{647}\u{631}\u{645}\u{627}\u{646}\u{64a} \u{642}\u{631}\u{645}\u{632}
    \u{932}\u{93e}\u{932}
";

/// Those of languages that write no space between words: another word may follow at once.
const JOINED: [&str; 22] = [
    "\u{8d64}",
    "\u{7ea2}",
    "\u{7d05}",
    "\u{9ec4}",
    "\u{9ec3}",
    "\u{6a59}",
    "\u{7425}\u{73c0}",
    "\u{7eff}",
    "\u{7da0}",
    "\u{7dd1}",
    "\u{30ec}\u{30c3}\u{30c9}",
    "\u{30a2}\u{30f3}\u{30d0}\u{30fc}",
    "\u{30b0}\u{30ea}\u{30fc}\u{30f3}",
    "\u{30a4}\u{30a8}\u{30ed}\u{30fc}",
    "\u{be68}\u{ac15}",
    "\u{bd89}",
    "\u{c801}\u{c0c9}",
    "\u{b808}\u{b4dc}",
    "\u{c570}\u{bc84}",
    "\u{c8fc}\u{d669}",
    "\u{e2a}\u{e35}\u{e41}\u{e14}\u{e07}",
    "\u{e41}\u{e14}\u{e07}",
];

/// Whether a word in small letters is one for a colour in another language, or begins with one where words are not apart.
pub(super) fn is_foreign(word: &str) -> bool {
    // As texts are read: some letters look like those of English.
    static PLAIN: LazyLock<BTreeSet<String>> =
        LazyLock::new(|| WORDS.split_whitespace().map(|it| plain(it).to_lowercase()).collect());
    static BEGINNINGS: LazyLock<Vec<String>> =
        LazyLock::new(|| JOINED.iter().map(|it| plain(it).to_lowercase()).collect());
    PLAIN.contains(word)
        || (!word.is_ascii() && BEGINNINGS.iter().any(|it| word.starts_with(&**it)))
}

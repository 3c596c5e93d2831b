//! How many columns of a terminal a text takes, and texts that take no more than so many.
//!
//! By the East Asian widths of Unicode (UAX 11) as far as terminals agree on them. Where one does not agree a
//! table is crooked by a column, no more: nothing here is relied on for safety.

use super::Place;

/// What stands where something was cut out.
const CUT: char = '…';

/// Characters that take no column of their own: marks that combine with the one before, joiners, selectors.
const NARROW: &[(u32, u32)] = &[
    (0x0300, 0x036f),
    (0x0483, 0x0489),
    (0x0591, 0x05bd),
    (0x0610, 0x061c),
    (0x064b, 0x065f),
    (0x0900, 0x0902),
    (0x093c, 0x093c),
    (0x0941, 0x0948),
    (0x094d, 0x094d),
    (0x0e31, 0x0e31),
    (0x0e34, 0x0e3a),
    (0x0e47, 0x0e4e),
    (0x1ab0, 0x1aff),
    (0x1dc0, 0x1dff),
    (0x200b, 0x200f),
    (0x2060, 0x2064),
    (0x20d0, 0x20ff),
    (0x302a, 0x302d),
    (0xfe00, 0xfe0f),
    (0xfe20, 0xfe2f),
    (0xfeff, 0xfeff),
    (0xe0000, 0xe0fff),
];

/// Characters that take two.
const WIDE: &[(u32, u32)] = &[
    (0x1100, 0x115f),
    (0x231a, 0x231b),
    (0x23e9, 0x23ec),
    (0x2614, 0x2615),
    (0x26a1, 0x26a1),
    (0x2705, 0x2705),
    (0x274c, 0x274c),
    (0x2e80, 0x3029),
    (0x302e, 0x303e),
    (0x3041, 0x4dbf),
    (0x4e00, 0xa4cf),
    (0xa960, 0xa97f),
    (0xac00, 0xd7a3),
    (0xf900, 0xfaff),
    (0xfe30, 0xfe6f),
    (0xff00, 0xff60),
    (0xffe0, 0xffe6),
    (0x1f300, 0x1f64f),
    (0x1f680, 0x1f6ff),
    (0x1f7e0, 0x1f7eb),
    (0x1f900, 0x1faff),
    (0x20000, 0x3fffd),
];

/// Columns that a text takes in which nothing is harmful.
pub(in crate::remote) fn width(text: &str) -> usize {
    text.chars().map(width_of).sum()
}

fn width_of(character: char) -> usize {
    let is_in = |ranges: &[(u32, u32)]| {
        let code = u32::from(character);
        let at = ranges.partition_point(|(_, last)| *last < code);
        ranges.get(at).is_some_and(|(first, _)| *first <= code)
    };
    match character {
        '\0'..'\u{300}' => 1,
        _ if is_in(NARROW) => 0,
        _ if is_in(WIDE) => 2,
        _ => 1,
    }
}

/// A text in no more columns than these, with a mark where something is missing.
pub(in crate::remote) fn cut(text: &str, room: usize, place: Place) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let Some(room) = room.checked_sub(1) else { return String::new() };
    let tail_room = match place {
        Place::Middle => room / 2,
        Place::End => 0,
    };
    let tail = text.char_indices().rev().scan(0, |taken, (at, character)| {
        *taken += width_of(character);
        (*taken <= tail_room).then_some(at)
    });
    let tail = tail.last().map_or("", |at| &text[at..]);
    let mut taken = width(tail);
    let mut out: String = text
        .chars()
        .take_while(|character| {
            taken += width_of(*character);
            taken <= room
        })
        .collect();
    out.push(CUT);
    out.push_str(tail);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ranges_are_in_order() {
        for ranges in [NARROW, WIDE] {
            assert!(ranges.iter().all(|(first, last)| first <= last));
            assert!(ranges.windows(2).all(|pair| pair[0].1 < pair[1].0));
        }
    }

    #[test]
    fn marks_take_nothing_and_ideographs_two() {
        for (text, expected) in [
            ("", 0),
            ("web/1", 5),
            ("é", 1),
            ("e\u{301}", 1),
            ("網", 2),
            ("ｗ", 2),
            ("🔥", 2),
            ("a\u{200b}b", 2),
        ] {
            assert_eq!(width(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_cut_fits_and_says_so() {
        for (text, room, place, expected) in [
            ("web/1", 5, Place::End, "web/1"),
            ("gateway/backend-01", 10, Place::End, "gateway/b…"),
            ("gateway/backend-01", 10, Place::Middle, "gatew…d-01"),
            ("gateway/backend-01", 9, Place::Middle, "gate…d-01"),
            ("網網網網", 5, Place::End, "網網…"),
            ("網網網網", 4, Place::End, "網…"),
            ("網網網網", 6, Place::Middle, "網…網"),
            ("abc", 1, Place::Middle, "…"),
            ("abc", 0, Place::End, ""),
        ] {
            let cut = cut(text, room, place);
            assert_eq!(cut, expected);
            assert!(width(&cut) <= room);
        }
    }

    #[test]
    fn any_text_fits_any_room() {
        let text = "a\u{301}網🔥e\u{200b}/ｗ\u{301}x".repeat(3);
        for room in 0..40 {
            for place in [Place::End, Place::Middle] {
                assert!(width(&cut(&text, room, place)) <= room, "{room}");
            }
        }
    }
}

//! "Did you mean": which of the known words a misspelt one is closest to.

/// Longest word that is compared at all, in characters; nobody misspells a longer one by a letter or two.
const WORD_CHARS_MAX: usize = 128;

/// The candidate closest to `word` in any letter case, if one is close enough to have been meant.
///
/// Of equally close ones the first counts.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(WORD_CHARS_MAX + 1).flat_map(char::to_lowercase).collect();
    if word.len() > WORD_CHARS_MAX {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    let mut rows = Rows::default();
    for candidate in candidates {
        let limit = best.map_or(wrong_letters_max(word.len()), |(distance, _)| distance.saturating_sub(1));
        if best.is_some_and(|(distance, _)| distance == 0) {
            break;
        }
        if candidate.len().abs_diff(word.len()) > limit + 3 * WORD_CHARS_MAX {
            continue;
        }
        if let Some(distance) = rows.distance_within(&word, candidate, limit) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// How many letters may be wrong in a word of this length.
fn wrong_letters_max(length: usize) -> usize {
    match length {
        0..=1 => 0,
        2..=4 => 1,
        5..=8 => 2,
        _ => 3,
    }
}

/// The three rows of the table that the distance is reckoned in, kept from word to word.
#[derive(Default)]
struct Rows {
    candidate: Vec<char>,
    before_last: Vec<usize>,
    last: Vec<usize>,
    row: Vec<usize>,
}

impl Rows {
    /// The Damerau-Levenshtein distance (optimal string alignment), unless it is above `limit`.
    fn distance_within(&mut self, word: &[char], candidate: &str, limit: usize) -> Option<usize> {
        self.candidate.clear();
        self.candidate.extend(candidate.chars().take(WORD_CHARS_MAX + 1).flat_map(char::to_lowercase));
        if self.candidate.len().abs_diff(word.len()) > limit {
            return None;
        }
        let width = self.candidate.len() + 1;
        self.last.clear();
        self.last.extend(0..width);
        self.before_last.clone_from(&self.last);
        for (i, letter) in word.iter().enumerate() {
            self.row.clear();
            self.row.push(i + 1);
            for (j, other) in self.candidate.iter().enumerate() {
                let replaced = self.last[j] + usize::from(letter != other);
                let mut cost = replaced.min(self.last[j + 1] + 1).min(self.row[j] + 1);
                if i > 0 && j > 0 && *letter == self.candidate[j - 1] && word[i - 1] == *other {
                    cost = cost.min(self.before_last[j - 1] + 1);
                }
                self.row.push(cost);
            }
            if self.row.iter().all(|cost| *cost > limit) {
                return None;
            }
            std::mem::swap(&mut self.before_last, &mut self.last);
            std::mem::swap(&mut self.last, &mut self.row);
        }
        let distance = self.last[width - 1];
        (distance <= limit).then_some(distance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distance(a: &str, b: &str) -> usize {
        let word: Vec<char> = a.chars().collect();
        Rows::default().distance_within(&word, b, 100).expect("no limit")
    }

    #[test]
    fn a_letter_more_less_other_or_swapped_counts_one() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("runs", "runs", 0),
            ("run", "runs", 1),
            ("runss", "runs", 1),
            ("ruxs", "runs", 1),
            ("rnus", "runs", 1),
            ("urns", "runs", 1),
            ("intreval", "interval", 1),
            ("kitten", "sitting", 3),
            ("ca", "abc", 3),
            ("é", "e", 1),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
            assert_eq!(distance(b, a), expected, "{b} {a}");
        }
    }

    #[test]
    fn a_distance_above_the_limit_is_not_reckoned_to_the_end() {
        let word: Vec<char> = "interval".chars().collect();
        assert_eq!(Rows::default().distance_within(&word, "status", 3), None);
        assert_eq!(Rows::default().distance_within(&word, "intervals_", 1), None);
    }

    #[test]
    fn the_closest_wins_and_of_equals_the_first() {
        assert_eq!(nearest("intervall", ["interval_fail", "interval", "runs"]), Some("interval"));
        assert_eq!(nearest("bat", ["cat", "hat"]), Some("cat"));
        assert_eq!(nearest("INTERVAL", ["interval_fail", "interval"]), Some("interval"));
    }

    #[test]
    fn short_words_allow_fewer_wrong_letters() {
        assert_eq!(nearest("x", ["y"]), None);
        assert_eq!(nearest("tset", ["test"]), Some("test"));
        assert_eq!(nearest("abcd", ["test"]), None);
        assert_eq!(nearest("tiem", ["test"]), None);
        assert_eq!(nearest("", ["a"]), None);
    }

    #[test]
    fn a_very_long_word_is_near_nothing() {
        let long = "interval".repeat(100_000);
        assert_eq!(nearest(&long, ["interval"]), None);
        assert_eq!(nearest("interval", [long.as_str()]), None);
    }
}

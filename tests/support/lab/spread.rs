//! Values of several times, for tables.

use std::time::Duration;

/// From the least to the most.
pub(crate) fn spread(values: impl Iterator<Item = usize>) -> String {
    let mut values: Vec<usize> = values.collect();
    values.sort_unstable();
    match values[..] {
        [first, .., last] if first != last => format!("{first}-{last}"),
        [first, ..] => first.to_string(),
        [] => String::new(),
    }
}

/// The median and the longest of all that there are.
pub(crate) fn longest(values: impl Iterator<Item = Option<Duration>>) -> String {
    let mut values: Vec<Duration> = values.flatten().collect();
    values.sort_unstable();
    match values[..] {
        [] => "-".to_owned(),
        [only] => format!("{} ms", only.as_millis()),
        [.., last] => format!("{} ms, at most {} ms", values[values.len() / 2].as_millis(), last.as_millis()),
    }
}

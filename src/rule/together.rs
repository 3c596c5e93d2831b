//! What many rules have of a kind, kept in one piece: beside each other, without an allocation for each.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut, Range};
use std::sync::Arc;

/// A text that may be a part of a longer one, which is there as long as any part of it. It compares as the text does.
#[derive(Clone, Default)]
pub struct Passage {
    whole: Arc<String>,
    from: u32,
    bytes: u32,
}

impl Passage {
    /// A part of it; `None` where there is none at these places.
    pub fn part(&self, of: Range<usize>) -> Option<Self> {
        self.get(of.clone())?;
        let from = u32::try_from(of.start).ok()?.checked_add(self.from)?;
        Some(Self { whole: self.whole.clone(), from, bytes: u32::try_from(of.len()).ok()? })
    }

    /// How long the text is that it is a part of.
    #[cfg(test)]
    pub(super) fn whole_bytes(&self) -> usize {
        self.whole.len()
    }

    /// Makes these the parts of one text.
    pub fn gather(texts: Vec<&mut Self>) {
        let mut whole = String::with_capacity(texts.iter().map(|text| text.len()).sum());
        texts.iter().for_each(|text| whole.push_str(text));
        // More than four gigabytes stay as they are.
        if u32::try_from(whole.len()).is_err() {
            return;
        }
        let (whole, mut from) = (Self::from(whole), 0);
        for text in texts {
            let to = from + text.len();
            if let Some(part) = whole.part(from..to) {
                *text = part;
            }
            from = to;
        }
    }
}

impl Deref for Passage {
    type Target = str;

    fn deref(&self) -> &str {
        let from = self.from as usize;
        &self.whole[from..from + self.bytes as usize]
    }
}

impl From<String> for Passage {
    /// A text of its own.
    fn from(whole: String) -> Self {
        let bytes = u32::try_from(whole.len()).expect("texts of files have 256 MiB at most");
        Self { whole: Arc::new(whole), from: 0, bytes }
    }
}

impl From<&str> for Passage {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<Box<str>> for Passage {
    fn from(text: Box<str>) -> Self {
        text.into_string().into()
    }
}

impl PartialEq for Passage {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Passage {}

impl Hash for Passage {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Debug for Passage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for Passage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

/// A value that may be one of several kept together, which are there as long as any of them is in use. It compares as
/// the value does; one that is changed is one's own from then on.
pub struct Together<T> {
    all: Arc<Vec<T>>,
    index: u32,
}

impl<T> Together<T> {
    /// Keeps these together; gives them back one by one, in their order.
    pub fn all(values: Vec<T>) -> impl Iterator<Item = Self> {
        let all = Arc::new(values);
        let indices = 0..u32::try_from(all.len()).unwrap_or(u32::MAX);
        indices.map(move |index| Self { all: all.clone(), index })
    }
}

impl<T> Clone for Together<T> {
    fn clone(&self) -> Self {
        Self { all: self.all.clone(), index: self.index }
    }
}

impl<T> From<T> for Together<T> {
    /// One by itself.
    fn from(value: T) -> Self {
        Self { all: Arc::new(vec![value]), index: 0 }
    }
}

impl<T> Deref for Together<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.all[self.index as usize]
    }
}

impl<T: Clone> DerefMut for Together<T> {
    fn deref_mut(&mut self) -> &mut T {
        if self.all.len() > 1 {
            *self = Self::from(T::clone(self));
        }
        &mut Arc::make_mut(&mut self.all)[self.index as usize]
    }
}

impl<T: PartialEq> PartialEq for Together<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Eq> Eq for Together<T> {}

impl<T: fmt::Debug> fmt::Debug for Together<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_text_is_a_text() {
        let whole = Passage::from("web1tcp://h:1");
        let name = whole.part(0..4).unwrap();
        let url = whole.part(4..13).unwrap();
        assert_eq!((&*name, &*url), ("web1", "tcp://h:1"));
        assert_eq!(url.part(6..9).as_deref(), Some("h:1"), "and of a part");
        assert_eq!(name, Passage::from("web1"), "it compares as the text does");
        assert_eq!(format!("{name} {name:?}"), "web1 \"web1\"");
    }

    #[test]
    fn what_lies_beyond_a_text_is_no_part_of_it() {
        let name = Passage::from("web1tcp://h:1").part(0..4).unwrap();
        assert_eq!(name.part(3..5), None);
        assert_eq!(name.part(5..5), None);
        assert_eq!(Passage::from("\u{e4}").part(0..1), None, "half a character");
    }

    #[test]
    fn gathered_texts_say_what_they_said_and_are_one() {
        let mut texts = ["", "web1", "\u{e4}", "web1"].map(Passage::from);
        let before = texts.clone();
        Passage::gather(texts.iter_mut().collect());
        assert_eq!(texts, before);
        assert!(texts.iter().all(|text| Arc::ptr_eq(&text.whole, &texts[0].whole)));
        assert_eq!(*texts[0].whole, "web1\u{e4}web1");
    }

    #[test]
    fn those_kept_together_come_back_in_their_order() {
        let all: Vec<Together<u8>> = Together::all(vec![7, 8, 9]).collect();
        assert_eq!(all.iter().map(|value| **value).collect::<Vec<_>>(), [7, 8, 9]);
    }

    #[test]
    fn one_that_is_changed_leaves_the_others_alone() {
        let all: Vec<Together<u8>> = Together::all(vec![7, 8]).collect();
        let (mut mine, mut alone) = (all[1].clone(), Together::from(8));
        let theirs = alone.clone();
        *mine = 1;
        *alone = 2;
        assert_eq!((*mine, *alone, *theirs), (1, 2, 8));
        assert_eq!(all.iter().map(|value| **value).collect::<Vec<_>>(), [7, 8]);
    }
}

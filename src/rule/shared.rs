//! What many rules say alike, kept once.

use std::collections::HashSet;
use std::hash::Hash;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A value that others may have too. It compares as the value does; one that is changed is one's own from then on.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub struct Shared<T>(Arc<T>);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> From<T> for Shared<T> {
    fn from(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

/// Finds what is alike.
#[derive(Debug)]
pub struct Alike<T>(HashSet<Shared<T>>);

impl<T> Default for Alike<T> {
    fn default() -> Self {
        Self(HashSet::new())
    }
}

impl<T: Eq + Hash> Alike<T> {
    /// The same value, shared with all that came here before and equal it.
    pub fn share(&mut self, value: impl Into<Shared<T>>) -> Shared<T> {
        let value = value.into();
        match self.0.get(&value) {
            Some(known) => known.clone(),
            None => {
                self.0.insert(value.clone());
                value
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_one<T>(a: &Shared<T>, b: &Shared<T>) -> bool {
        Arc::ptr_eq(&a.0, &b.0)
    }

    #[test]
    fn what_is_alike_is_kept_once() {
        let mut alike = Alike::default();
        let [a, b, c] = ["same", "other", "same"].map(|text| alike.share(text.to_owned()));
        assert!(is_one(&a, &c));
        assert!(!is_one(&a, &b));
    }

    #[test]
    fn one_that_is_changed_leaves_the_others_alone() {
        let mut alike = Alike::default();
        let [mut mine, theirs] = [1, 1].map(|number| alike.share(number));
        *mine = 2;
        assert_eq!((*mine, *theirs), (2, 1));
        assert!(is_one(&alike.share(1), &theirs), "it is still found");
        assert!(!is_one(&alike.share(2), &mine), "one that was changed was never found");
    }
}

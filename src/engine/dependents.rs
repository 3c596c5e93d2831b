//! Who requires whom, the other way round.

use std::ops::Index;

use crate::rule::{Rule, RuleId};

/// For each rule, those that require it, in their order. Takes no memory where none requires any.
#[derive(Debug, Default)]
pub(super) struct Dependents {
    /// All of them, those of one rule next to each other.
    all: Box<[RuleId]>,
    /// Where those of each rule end, which is where those of the next begin.
    ends: Box<[u32]>,
}

impl Dependents {
    pub(super) fn of(rules: &[Rule]) -> Self {
        let mut pairs: Vec<(RuleId, RuleId)> = Vec::new();
        for (rule, id) in rules.iter().zip((0..).map(RuleId)) {
            pairs.extend(rule.requires.iter().map(|required| (*required, id)));
        }
        if pairs.is_empty() {
            return Self::default();
        }
        pairs.sort_by_key(|(required, _)| *required);
        let end = |index: usize| pairs.partition_point(|(required, _)| required.index() <= index);
        let end = |index| u32::try_from(end(index)).expect("the configuration bounds what rules require");
        Self { ends: (0..rules.len()).map(end).collect(), all: pairs.iter().map(|(_, id)| *id).collect() }
    }
}

impl Index<RuleId> for Dependents {
    type Output = [RuleId];

    fn index(&self, rule: RuleId) -> &[RuleId] {
        let Some(end) = self.ends.get(rule.index()) else { return &[] };
        let begin = rule.index().checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.all[begin as usize..*end as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(requires: &[&[u32]]) -> Vec<Vec<u32>> {
        let ids = |of: &[u32]| of.iter().copied().map(RuleId).collect();
        let rules: Vec<Rule> =
            requires.iter().map(|of| Rule::vacant().with(|rule| rule.requires = ids(of))).collect();
        let dependents = Dependents::of(&rules);
        let of = |rule| dependents[RuleId(rule)].iter().map(|id| id.0).collect();
        (0..).take(rules.len()).map(of).collect()
    }

    #[test]
    fn each_has_those_that_require_it_in_their_order() {
        let none = Vec::new;
        assert_eq!(of(&[&[], &[]]), [none(), none()]);
        assert_eq!(of(&[&[], &[0], &[0]]), [vec![1, 2], none(), none()]);
        assert_eq!(of(&[&[3, 1], &[], &[3, 0], &[]]), [vec![2], vec![0], none(), vec![0, 2]]);
    }
}

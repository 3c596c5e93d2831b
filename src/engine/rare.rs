//! What only few rules ever have, apart from the state that each has.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::now::Now;
use crate::rule::RuleId;
use crate::verdict::Reason;

/// For rules that have it: of a run that brings nothing new to it, nothing is allocated.
#[derive(Debug, Default)]
pub(super) struct Rare {
    /// How often runs failed for another reason than the rule's first failure.
    reasons: BTreeMap<(RuleId, Reason), u64>,
    /// When the certificate that was seen last ends, in seconds after 1970.
    certificates: HashMap<RuleId, i64>,
}

impl Rare {
    /// A run failed for this reason, which is not that of the rule's first failure.
    pub(super) fn count(&mut self, rule: RuleId, reason: Reason) {
        *self.reasons.entry((rule, reason)).or_default() += 1;
    }

    /// A run that ended now, after `elapsed`, was shown a certificate with so many seconds left.
    pub(super) fn saw_certificate(&mut self, rule: RuleId, left_s: i64, elapsed: Duration, now: Now) {
        let now_s = now.wall.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let ends_s = left_s.saturating_add_unsigned(now_s);
        // What is left was measured before the end of the run: the earliest end is nearest the truth.
        let later_s = elapsed.as_secs().saturating_add(1);
        let is_the_same = |known_s: &i64| ends_s >= *known_s && ends_s.abs_diff(*known_s) <= later_s;
        if !self.certificates.get(&rule).is_some_and(is_the_same) {
            self.certificates.insert(rule, ends_s);
        }
    }

    /// A rule begins anew.
    pub(super) fn forget(&mut self, rule: RuleId) {
        let reasons: Vec<(RuleId, Reason)> =
            self.reasons_of(rule).map(|(reason, _)| (rule, reason)).collect();
        reasons.iter().for_each(|of| _ = self.reasons.remove(of));
        self.certificates.remove(&rule);
    }

    /// Failures by reason, but for the reason of the first.
    pub(super) fn reasons_of(&self, rule: RuleId) -> impl Iterator<Item = (Reason, u64)> + use<'_> {
        let (first, last) = Reason::ENDS;
        self.reasons.range((rule, first)..=(rule, last)).map(|((_, reason), count)| (*reason, *count))
    }

    /// When the certificate that was seen last ends.
    pub(super) fn certificate_of(&self, rule: RuleId) -> Option<SystemTime> {
        let ends_s = *self.certificates.get(&rule)?;
        // One that ended before 1970 ended long enough ago.
        UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(ends_s).unwrap_or_default()))
    }
}

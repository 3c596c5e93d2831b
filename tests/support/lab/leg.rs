//! A stretch of time, and the requests that began in it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::clients::Request;

/// An answer that took longer than this came too late for people not to notice.
const LATE: Duration = Duration::from_millis(500);

/// A stretch that began with something that happened.
#[derive(Debug)]
pub(crate) struct Leg {
    pub(crate) began: Instant,
    pub(crate) requests: Vec<Request>,
}

impl Leg {
    pub(crate) fn failed(&self) -> impl Iterator<Item = &Request> {
        self.requests.iter().filter(|request| request.outcome.is_err())
    }

    /// How requests failed, and how many in each way.
    pub(crate) fn failures(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for error in self.requests.iter().filter_map(|request| request.outcome.as_ref().err()) {
            *counts.entry(error.to_string()).or_default() += 1;
        }
        counts
    }

    /// How many requests were answered late.
    pub(crate) fn late(&self) -> usize {
        self.requests.iter().filter(|request| request.outcome.is_ok() && request.took > LATE).count()
    }

    /// How long after what happened the last of the requests began for which this holds.
    pub(crate) fn last(&self, is_such: impl Fn(&Request) -> bool) -> Option<Duration> {
        let such = self.requests.iter().filter(|request| is_such(request));
        such.map(|request| request.began.saturating_duration_since(self.began)).max()
    }

    /// How long after what happened the last failed request began.
    pub(crate) fn last_failed(&self) -> Option<Duration> {
        self.last(|request| request.outcome.is_err())
    }

    /// How long after what happened the last client was served by one of these hosts, or not, or late.
    pub(crate) fn over_after(&self, is_lost: impl Fn(usize) -> bool) -> Option<Duration> {
        self.last(|request| match request.outcome {
            Ok(host) => is_lost(host) || request.took > LATE,
            Err(_) => true,
        })
    }

    /// Who served each client, other than at home.
    pub(crate) fn elsewhere(&self, homes: &[usize]) -> BTreeMap<usize, BTreeSet<usize>> {
        let mut moved: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for request in &self.requests {
            if let Ok(host) = request.outcome
                && host != homes[request.client]
            {
                moved.entry(request.client).or_default().insert(host);
            }
        }
        moved
    }
}

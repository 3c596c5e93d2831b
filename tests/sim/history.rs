//! Debounce, reset and hold-down, read off a rule's whole past.

use hfm::health::State;
use hfm::rule::HealthSettings;

use crate::model::ns_of;

/// What a verdict that did not change the state is to be told as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Nothing,
    Debounced { toward: State, remaining: u16 },
    Held { remaining: u64 },
    Change(State),
}

#[derive(Clone, Debug)]
pub(crate) struct History {
    settings: HealthSettings,
    /// Conclusive verdicts since the last change of state, `true` for success.
    verdicts: Vec<bool>,
    /// All changes of state.
    changes: Vec<(u64, State)>,
    held_until: Option<u64>,
    streak: (Option<bool>, u32),
}

impl History {
    pub(crate) fn new(settings: HealthSettings) -> Self {
        Self { settings, verdicts: Vec::new(), changes: Vec::new(), held_until: None, streak: (None, 0) }
    }

    /// Adds a conclusive verdict; the caller makes the change that it asks for.
    pub(crate) fn add(&mut self, success: bool, now: u64) -> Told {
        self.verdicts.push(success);
        match (self.state(), success) {
            (State::Unknown, true) => Told::Change(State::Success),
            (State::Unknown, false) => Told::Change(State::Fail),
            (State::Success, true) | (State::Fail, false) => Told::Nothing,
            (State::Success, false) => {
                let needed = u64::from(self.settings.fail_debounce.get());
                match needed.saturating_sub(self.failures_counted()) {
                    0 => Told::Change(State::Fail),
                    more => Told::Debounced { toward: State::Fail, remaining: small(more) },
                }
            }
            (State::Fail, true) => {
                let more = u64::from(self.settings.success_debounce.get()).saturating_sub(self.successes());
                let held = self.held_until.filter(|until| now < *until);
                match (more, held) {
                    (0, None) => Told::Change(State::Success),
                    (0, Some(until)) => Told::Held { remaining: until - now },
                    (more, _) => Told::Debounced { toward: State::Success, remaining: small(more) },
                }
            }
        }
    }

    pub(crate) fn change(&mut self, to: State, now: u64) {
        self.verdicts.clear();
        self.held_until = None;
        self.changes.push((now, to));
        if to == State::Fail && !self.settings.hold_down.is_zero() {
            self.held_until = Some(now + self.standing());
        }
    }

    /// What comes next does not follow what was before: nothing counts towards a change any more.
    pub(crate) fn begin_row(&mut self) {
        self.verdicts.clear();
    }

    /// One more verdict of this kind (`None` for an inconclusive one): how many there were in a row.
    pub(crate) fn streak(&mut self, success: Option<bool>) -> u32 {
        self.streak = if self.streak.0 == success { (success, self.streak.1 + 1) } else { (success, 1) };
        self.streak.1
    }

    pub(crate) fn state(&self) -> State {
        self.changes.last().map_or(State::Unknown, |(_, state)| *state)
    }

    pub(crate) fn since(&self) -> Option<u64> {
        self.changes.last().map(|(at, _)| *at)
    }

    pub(crate) fn changes_to_failed(&self) -> usize {
        self.changes.iter().filter(|(_, to)| *to == State::Fail).count()
    }

    /// Whether only a hold-down kept the rule failed, and it is over.
    pub(crate) fn held_to(&self, now: u64) -> bool {
        self.wakes_at().is_some_and(|until| until <= now)
    }

    pub(crate) fn wakes_at(&self) -> Option<u64> {
        let met = || self.successes() >= u64::from(self.settings.success_debounce.get());
        self.held_until.filter(|_| self.state() == State::Fail && met())
    }

    /// Whether results are being counted that more of them would make a change of state.
    pub(crate) fn counts_towards_change(&self) -> bool {
        match self.state() {
            State::Unknown => false,
            State::Success => self.failures_counted() > 0,
            State::Fail => (1..u64::from(self.settings.success_debounce.get())).contains(&self.successes()),
        }
    }

    fn successes(&self) -> u64 {
        self.verdicts.iter().rev().take_while(|success| **success).count() as u64
    }

    /// Failures that no `fail_reset` successes in a row have cleared.
    fn failures_counted(&self) -> u64 {
        let reset = usize::from(self.settings.fail_reset.get());
        let cleared = |end: &usize| self.verdicts[end - reset..*end].iter().all(|success| *success);
        let from = (reset..=self.verdicts.len()).rev().find(cleared).unwrap_or(0);
        self.verdicts[from..].iter().filter(|success| !**success).count() as u64
    }

    /// The hold-down that the last change, one to failed, brings: worked out from all changes there were.
    fn standing(&self) -> u64 {
        let least = ns_of(self.settings.hold_down);
        let most = ns_of(self.settings.hold_down_max);
        let mut standing: Option<u64> = None;
        let mut up_since = None;
        for (at, to) in &self.changes {
            if *to == State::Success {
                up_since = Some(*at);
                continue;
            }
            let mut up = up_since.map_or(0, |since| at - since);
            while let Some(time) = standing.filter(|time| up >= *time) {
                up -= time;
                standing = Some(time / 2).filter(|half| *half >= least);
            }
            standing = Some(standing.map_or(least, |time| (2 * time).min(most)));
        }
        standing.expect("the last change was one to failed")
    }
}

fn small(n: u64) -> u16 {
    u16::try_from(n).expect("a debounce is small")
}

//! Who is in a table: a pure function of what rules say, of what was wanted before, and of the file.
//!
//! In this order: `combine`; `backup`; `panic`; `min_up`. Each step sees what those before it left. Overrides come
//! before them all, and are in what rules say.

use std::time::Instant;

use crate::rule::{Combine, Member, RuleId, Share, Table};
use crate::standing::Contribution;

/// What a rule says, overrides included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Says {
    /// What it contributes.
    pub contribution: Contribution,
    /// Since when.
    pub since: Instant,
    /// It has had no conclusive verdict for too long.
    pub stale: bool,
}

/// What is to become of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fate {
    /// Whether it is to be in the table.
    pub is_in: bool,
    /// Why.
    pub why: Why,
}

/// Why an address is in a table or not: the step that decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Enough of its rules are up.
    Up,
    /// Too few of its rules are up.
    Down,
    /// The same, because an operator drains one.
    Drained,
    /// Not known yet: it stays as it is.
    Unknown,
    /// No rule has a say in it: it stays as it is, and whoever changes it is not corrected.
    NoSay,
    /// A backup that is up, while no other address is.
    BackupServes,
    /// A backup that stands by, because another address is up.
    BackupStands,
    /// In although it is down: too few are up (`panic`).
    Panic,
    /// In although it is down: it stays, so that enough are in (`min_up`).
    Kept,
    /// In although it is down: it was put back, so that the table is not empty (`min_up`).
    Added,
}

impl Why {
    /// Whether the address is in only because of a brake, not because it is up.
    pub fn is_held(self) -> bool {
        match self {
            Self::Panic | Self::Kept | Self::Added => true,
            Self::Up
            | Self::Down
            | Self::Drained
            | Self::Unknown
            | Self::NoSay
            | Self::BackupServes
            | Self::BackupStands => false,
        }
    }

    /// Whether anything was decided; if not, the address stays as it is.
    pub fn is_decided(self) -> bool {
        !matches!(self, Self::Unknown | Self::NoSay)
    }

    /// In a word or a few, for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Drained => "drained",
            Self::Unknown => "not known yet",
            Self::NoSay => "no rule has a say",
            Self::BackupServes => "backup serves",
            Self::BackupStands => "backup stands by",
            Self::Panic => "held by panic",
            Self::Kept => "held by min_up",
            Self::Added => "put back by min_up",
        }
    }
}

/// What the rules of one address come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Combined {
    /// None of them contributes.
    NoSay,
    Unknown {
        /// None of them is stale.
        fresh: bool,
    },
    Up,
    Down {
        /// Since so many were down that the others could not make up for it.
        since: Instant,
        drained: bool,
    },
}

/// The fates of a table's members, in their order, into `fates`.
///
/// `is_in` says of each member whether it is in: as last wanted, at the start as found. `others_in`: whether
/// addresses are in the table that are not its members.
pub fn decide(
    table: &Table,
    says: impl Fn(RuleId) -> Says,
    is_in: impl Fn(usize) -> bool,
    others_in: bool,
    fates: &mut Vec<Fate>,
) {
    let combined: Vec<Combined> = table.members.iter().map(|member| combine(member, &says)).collect();
    let mut choice = Choice { table, combined: &combined, is_in: &is_in, fates };
    choice.follow_rules();
    choice.stand_backups_by();
    if choice.up_backup_serves() {
        return;
    }
    choice.panic();
    choice.keep_min_up(others_in);
}

/// Three-valued: `all` and `any` are the two ends of "at least so many".
pub(super) fn combine(member: &Member, says: impl Fn(RuleId) -> Says) -> Combined {
    let (mut contributing, mut up, mut unknown) = (0_usize, 0, 0);
    let (mut fresh, mut drained) = (true, false);
    let mut down_since = Vec::new();
    for rule in &member.rules {
        let Says { contribution, since, stale } = says(*rule);
        match contribution {
            Contribution::Nothing => continue,
            Contribution::Unknown => unknown += 1,
            Contribution::Up => up += 1,
            Contribution::Down { drained: this } => {
                drained |= this;
                down_since.push(since);
            }
        }
        contributing += 1;
        fresh &= !stale;
    }
    if contributing == 0 {
        return Combined::NoSay;
    }
    let wanted = match member.combine {
        Combine::All => contributing,
        Combine::Any => 1,
        Combine::AtLeast(count) => (count.get() as usize).min(contributing),
    };
    if up >= wanted {
        return Combined::Up;
    }
    if up + unknown >= wanted {
        return Combined::Unknown { fresh };
    }
    // It went down with the first rule that was one too many.
    down_since.sort_unstable();
    Combined::Down { since: down_since[contributing - wanted], drained }
}

struct Choice<'a, F> {
    table: &'a Table,
    combined: &'a [Combined],
    is_in: &'a F,
    fates: &'a mut Vec<Fate>,
}

impl<F: Fn(usize) -> bool> Choice<'_, F> {
    /// Step 2; the first, overrides, is in what rules say.
    fn follow_rules(&mut self) {
        self.fates.clear();
        for (index, combined) in self.combined.iter().enumerate() {
            let stays = |why| Fate { is_in: (self.is_in)(index), why };
            self.fates.push(match combined {
                Combined::NoSay => stays(Why::NoSay),
                Combined::Unknown { .. } => stays(Why::Unknown),
                Combined::Up => Fate { is_in: true, why: Why::Up },
                Combined::Down { drained: false, .. } => Fate { is_in: false, why: Why::Down },
                Combined::Down { drained: true, .. } => Fate { is_in: false, why: Why::Drained },
            });
        }
    }

    /// Step 3: backups are in only while no other address is up. One in which no rule has a say stays as it is;
    /// so does one of which nothing is known yet, until another is up for sure: tables are left until first
    /// verdicts.
    fn stand_backups_by(&mut self) {
        let counts_as_up = |index: usize| match self.combined[index] {
            Combined::Up => true,
            Combined::Unknown { fresh } => fresh && (self.is_in)(index),
            Combined::NoSay | Combined::Down { .. } => false,
        };
        let others = || (0..self.combined.len()).filter(|index| !self.is_backup(*index));
        let (any_counts, any_up) =
            (others().any(counts_as_up), others().any(|index| self.combined[index] == Combined::Up));
        for index in 0..self.combined.len() {
            if !self.is_backup(index) || self.combined[index] == Combined::NoSay {
                continue;
            }
            let is_unknown = matches!(self.combined[index], Combined::Unknown { .. });
            if any_up || any_counts && !is_unknown {
                let why = match self.combined[index] {
                    Combined::Down { .. } => self.fates[index].why,
                    Combined::Up | Combined::Unknown { .. } | Combined::NoSay => Why::BackupStands,
                };
                self.fates[index] = Fate { is_in: false, why };
            } else if self.combined[index] == Combined::Up {
                self.fates[index].why = Why::BackupServes;
            }
        }
    }

    fn up_backup_serves(&self) -> bool {
        self.fates.iter().any(|fate| fate.why == Why::BackupServes)
    }

    /// Step 4: when too few are up, all go in.
    fn panic(&mut self) {
        let Some(percent) = self.table.panic else { return };
        let up = self.counted().filter(|index| match self.combined[*index] {
            Combined::Up => true,
            Combined::Unknown { fresh } => fresh,
            Combined::NoSay | Combined::Down { .. } => false,
        });
        if up.count() * 100 >= usize::from(percent) * self.counted().count() {
            return;
        }
        for index in 0..self.combined.len() {
            if self.is_counted(index) && !self.fates[index].is_in {
                self.fates[index] = Fate { is_in: true, why: Why::Panic };
            }
        }
    }

    /// Step 5: enough of those that are in stay in; one is added where the table would be empty.
    fn keep_min_up(&mut self, others_in: bool) {
        let counted = self.counted().count();
        let needed = match self.table.min_up {
            None => return,
            Some(Share::Count(count)) => (count as usize).min(counted),
            Some(Share::Percent(percent)) => (usize::from(percent) * counted).div_ceil(100),
        };
        let inside = self.counted().filter(|index| self.fates[*index].is_in).count();
        if inside >= needed {
            return;
        }
        let mut leaving: Vec<usize> =
            self.counted().filter(|index| !self.fates[*index].is_in && (self.is_in)(*index)).collect();
        self.sort_by_latest_failure(&mut leaving);
        for index in leaving.into_iter().take(needed - inside) {
            self.fates[index] = Fate { is_in: true, why: Why::Kept };
        }
        let is_empty = !others_in && !self.fates.iter().any(|fate| fate.is_in);
        let may_become_up = |combined: &Combined| matches!(combined, Combined::Unknown { fresh: true });
        if is_empty && !self.combined.iter().any(may_become_up) {
            let mut outside: Vec<usize> = self.counted().collect();
            self.sort_by_latest_failure(&mut outside);
            if let Some(index) = outside.first() {
                self.fates[*index] = Fate { is_in: true, why: Why::Added };
            }
        }
    }

    /// The latest failure first; then those that never failed; of equals, the first of the file.
    fn sort_by_latest_failure(&self, indices: &mut [usize]) {
        let failed = |index: &usize| match self.combined[*index] {
            Combined::Down { since, .. } => Some(since),
            Combined::NoSay | Combined::Unknown { .. } | Combined::Up => None,
        };
        indices.sort_by_key(|index| (std::cmp::Reverse(failed(index)), *index));
    }

    /// Those over which `panic` and `min_up` count.
    fn counted(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.combined.len()).filter(|index| self.is_counted(*index))
    }

    fn is_counted(&self, index: usize) -> bool {
        let is_out_of_it = match self.combined[index] {
            Combined::NoSay | Combined::Down { drained: true, .. } => true,
            Combined::Unknown { .. } | Combined::Up | Combined::Down { drained: false, .. } => false,
        };
        !is_out_of_it && !self.is_backup(index)
    }

    fn is_backup(&self, index: usize) -> bool {
        self.table.members[index].backup
    }
}

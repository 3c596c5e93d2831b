//! Bugs on the test's side of the wire: what hfm does is as wrong then as if they were its own.

use std::fs;
use std::path::Path;

use crate::configuration::{MinUp, Terms, table};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sabotage {
    ForgetDrain,
    ForceDrains,
    DropReload,
    EnableAll,
    TurnSets,
    /// `min_up` keeps one more.
    MinUpOneMore,
    NoPanic,
    NoBackup,
    /// `combine` is `all` everywhere.
    CombineAll,
    /// A restart knows nothing of what was set.
    ForgetOverrides,
    /// A restart takes away what is not ours.
    SweepOthers,
    /// A restart is announced again without need.
    AnnounceTwice,
}

pub(crate) const ALL: &[Sabotage] = &[
    Sabotage::ForgetDrain,
    Sabotage::ForceDrains,
    Sabotage::DropReload,
    Sabotage::EnableAll,
    Sabotage::TurnSets,
    Sabotage::MinUpOneMore,
    Sabotage::NoPanic,
    Sabotage::NoBackup,
    Sabotage::CombineAll,
    Sabotage::ForgetOverrides,
    Sabotage::SweepOthers,
    Sabotage::AnnounceTwice,
];

impl Sabotage {
    /// What hfm is told instead.
    pub(crate) fn falsify(self, terms: &mut Terms) {
        for table in &mut terms.tables {
            match (self, &mut table.min_up) {
                (Self::MinUpOneMore, Some(MinUp::Count(n))) => *n += 1,
                (Self::MinUpOneMore, Some(MinUp::Percent(n))) => *n = 100,
                (Self::NoPanic, _) => table.panic = None,
                _ => {}
            }
        }
        for address in &mut terms.addresses {
            address.backup &= self != Self::NoBackup;
            if self == Self::CombineAll {
                address.combine = crate::configuration::Combine::All;
            }
        }
    }

    /// What happens while hfm does not run.
    pub(crate) fn at_the_end(self, directory: &Path) {
        if self == Self::ForgetOverrides {
            let _ = fs::remove_file(directory.join("state/overrides"));
        }
        if self == Self::SweepOthers {
            for path in (0..3).map(|number| directory.join("pf").join(table(number))) {
                let held = fs::read_to_string(&path).unwrap_or_default();
                let kept: String = held
                    .lines()
                    .filter(|line| !line.starts_with("10.9."))
                    .map(|line| format!("{line}\n"))
                    .collect();
                if path.exists() {
                    fs::write(path, kept).expect("a table");
                }
            }
        }
        if self == Self::AnnounceTwice {
            for file in fs::read_dir(directory.join("changes")).expect("a directory").flatten() {
                let text = fs::read_to_string(file.path()).expect("a file");
                let last = text.lines().last().unwrap_or_default();
                fs::write(file.path(), format!("{text}{last}\n")).expect("a file");
            }
        }
    }
}

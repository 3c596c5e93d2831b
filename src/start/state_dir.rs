//! The directory of what is remembered: made while this process may, opened and locked as who it becomes.

use std::sync::Arc;

use log::Level;

use super::patiently;
use crate::rule::{DataPlaneChoice, Firewall, STATE_DIR_DEFAULT, Table};
use crate::sys::identity::Identity;
use crate::sys::state_dir::{self, Lock, Place, StateDir, StateDirError};

/// What is to be remembered, and where.
#[derive(Debug)]
pub(super) struct Remembering<'a> {
    path: &'a str,
    /// Nothing is made, locked or written.
    dry_run: bool,
    /// What is managed in tables that outlive the process.
    addresses: bool,
    /// What operators set.
    overrides: bool,
}

impl<'a> Remembering<'a> {
    /// What these tables need; `overrides` whether operators can set any.
    pub(super) fn of(firewall: &'a Firewall, tables: &[Table], overrides: bool) -> Self {
        let outlives = match firewall.dataplane {
            DataPlaneChoice::Auto
            | DataPlaneChoice::Pf
            | DataPlaneChoice::Pfctl
            | DataPlaneChoice::Nftables => true,
            DataPlaneChoice::Memory => false,
        };
        Self {
            path: &firewall.state_dir,
            dry_run: firewall.dry_run,
            addresses: outlives && !tables.is_empty(),
            overrides,
        }
    }

    /// Makes the directory for who this process is to become, if only its last part is missing.
    pub(super) fn make(&self, owner: &Identity) -> Result<(), StateDirError> {
        if self.dry_run || !self.addresses && !self.overrides {
            return Ok(());
        }
        state_dir::make(self.path, owner)
    }

    /// Opens the directory that was made. Whatever goes wrong is said once and refuses no start.
    pub(super) fn open(&self, made: Result<(), StateDirError>, news: &mut Vec<(Level, String)>) -> Place {
        if !self.addresses && !self.overrides {
            return Err("nothing is to be remembered".into());
        }
        let lock = if self.dry_run { Lock::None } else { Lock::Exclusive };
        let open = || StateDir::open(self.path, lock);
        let is_held = |error: &StateDirError| matches!(error, StateDirError::Locked);
        made.and_then(|()| patiently(open, is_held)).map(Arc::new).map_err(|error| {
            news.push(self.failure(&error));
            format!("state_dir {}: {error}", self.path).into()
        })
    }

    fn failure(&self, error: &StateDirError) -> (Level, String) {
        let Self { path, .. } = self;
        if self.addresses {
            let what = if self.overrides {
                "neither what is managed nor overrides are"
            } else {
                "what is managed is not"
            };
            let line = format!(
                "state_dir {path}: {error}; {what} remembered: an address that leaves the file while hfm is not \
                 running stays in its table"
            );
            return (Level::Warn, line);
        }
        // Who has not asked for it may well do without, on a desk as in a test.
        let level = if self.path == STATE_DIR_DEFAULT { Level::Info } else { Level::Warn };
        (level, format!("overrides are not remembered: state_dir {path}: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::rule::{Combine, Firewall, Member, RuleId, Table};
    use crate::sys::identity;

    fn firewall(state_dir: &str, dataplane: DataPlaneChoice, dry_run: bool) -> Firewall {
        Firewall { dataplane, dry_run, state_dir: state_dir.into(), ..Firewall::default() }
    }

    fn remembering(firewall: &Firewall, overrides: bool) -> Remembering<'_> {
        let member = Member {
            address: "10.0.0.1".parse().unwrap(),
            combine: Combine::All,
            backup: false,
            kill_states: false,
            rules: vec![RuleId(0)],
        };
        let table = Table { name: "web".into(), min_up: None, panic: None, members: vec![member] };
        Remembering::of(firewall, &[table], overrides)
    }

    fn open(firewall: &Firewall, overrides: bool) -> (Place, Vec<(Level, String)>) {
        let remembering = remembering(firewall, overrides);
        let made = remembering.make(&identity::look_up(None, None).unwrap());
        let mut news = Vec::new();
        (remembering.open(made, &mut news), news)
    }

    fn place(name: &str) -> String {
        let path = std::env::temp_dir().join(format!("hfm-start-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        path.to_str().expect("a plain path").to_owned()
    }

    #[test]
    fn it_is_made_only_for_what_is_remembered() {
        use DataPlaneChoice::{Memory, Pfctl};
        for (name, plane, dry_run, overrides, is_made) in [
            ("tables", Pfctl, false, false, true),
            ("overrides", Memory, false, true, true),
            ("neither", Memory, false, false, false),
            ("dry", Pfctl, true, true, false),
        ] {
            let path = place(name);
            let (found, news) = open(&firewall(&path, plane, dry_run), overrides);
            assert_eq!(fs::exists(&path).unwrap(), is_made, "{name}");
            assert_eq!(news, [], "{name}");
            match found {
                Ok(dir) => assert_eq!(dir.is_read_only(), dry_run, "{name}"),
                Err(why) => assert_eq!((name, &*why), ("neither", "nothing is to be remembered")),
            }
            let _ = fs::remove_dir_all(&path);
        }
    }

    #[test]
    fn what_cannot_be_had_is_said_once_as_loud_as_it_matters() {
        let path = place("missing") + "/deeper";
        let said = |plane, overrides| {
            let (found, news) = open(&firewall(&path, plane, false), overrides);
            assert!(found.unwrap_err().starts_with(&format!("state_dir {path}: cannot make it: ")));
            let [(level, line)] = <[_; 1]>::try_from(news).unwrap();
            (level, line)
        };
        let (level, line) = said(DataPlaneChoice::Pfctl, true);
        assert_eq!(level, Level::Warn);
        assert!(
            line.contains("; neither what is managed nor overrides are remembered: an address"),
            "{line}"
        );
        let (level, line) = said(DataPlaneChoice::Pfctl, false);
        assert_eq!(level, Level::Warn);
        assert!(line.contains("; what is managed is not remembered: an address"), "{line}");
        let (level, line) = said(DataPlaneChoice::Memory, true);
        assert_eq!(level, Level::Warn);
        assert!(line.starts_with("overrides are not remembered: state_dir "), "{line}");
    }

    #[test]
    fn nobody_is_warned_of_a_default_that_only_overrides_would_need() {
        let level = |state_dir: &str, plane| {
            remembering(&firewall(state_dir, plane, false), true).failure(&StateDirError::Locked).0
        };
        assert_eq!(level(STATE_DIR_DEFAULT, DataPlaneChoice::Memory), Level::Info);
        assert_eq!(level("/elsewhere", DataPlaneChoice::Memory), Level::Warn);
        assert_eq!(level(STATE_DIR_DEFAULT, DataPlaneChoice::Auto), Level::Warn);
    }
}

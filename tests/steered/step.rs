//! What is done to hfm, and what the model makes of it.

use crate::configuration::Configuration;
use crate::decision::Ambiguous;
use crate::model::{Model, Override};

/// For how long something is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lasts {
    /// Until it is enabled.
    On,
    /// Longer than any history.
    Long,
    /// It ends by itself before the next step.
    Short,
}

/// A way in which a file is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// Cut off in the middle.
    Cut,
    /// An unknown scheme.
    Scheme,
    /// What it includes is not there.
    NoInclude,
    /// Nothing at all, not even what must stay as it is.
    Blank,
    /// Another data plane.
    Plane,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Toggle(usize),
    Reload(&'static str, Configuration),
    Broken(Broken),
    Drain {
        rules: String,
        lasts: Lasts,
        force: bool,
        is_refused: bool,
    },
    Set {
        rules: String,
        kind: Override,
        lasts: Lasts,
    },
    Enable {
        rules: String,
    },
    /// An address of others comes into a table or goes.
    Foreign {
        table: usize,
        address: String,
        comes: bool,
    },
    /// An address of ours is put in or taken out behind hfm's back.
    Tamper {
        table: usize,
        address: usize,
        comes: bool,
        ask: bool,
    },
    Kill,
    Terminate,
}

impl Step {
    pub(crate) fn ends_hfm(&self) -> bool {
        matches!(self, Self::Kill | Self::Terminate)
    }

    /// What comes of it is seen at an end of its own.
    pub(crate) fn stands_alone(&self) -> bool {
        match self {
            Self::Toggle(_) | Self::Broken(_) | Self::Foreign { .. } | Self::Tamper { .. } => true,
            Self::Drain { lasts, force, is_refused, .. } => *lasts == Lasts::Short || *is_refused || !force,
            Self::Set { lasts, kind, .. } => *lasts == Lasts::Short || *kind == Override::Disabled,
            Self::Reload(..) | Self::Enable { .. } | Self::Kill | Self::Terminate => false,
        }
    }
}

/// Those that a pattern of ours matches.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(head) => name.starts_with(head),
        None => pattern == name,
    }
}

/// The rules that it matches.
pub(crate) fn matching(configuration: &Configuration, pattern: &str) -> Vec<String> {
    let names = configuration.rules.iter().map(|rule| rule.name.clone());
    names.filter(|name| matches(pattern, name)).collect()
}

/// What a step does to the model, before anything follows from it.
pub(crate) fn apply(model: &mut Model, step: &Step) -> Result<(), Ambiguous> {
    let set = |model: &mut Model, rules: &str, kind: Override, lasts: Lasts| {
        let names = matching(&model.configuration, rules);
        let before = model.clone();
        for name in &names {
            model.overrides.insert(name.clone(), kind);
        }
        if lasts == Lasts::Short {
            let directly = {
                let mut model = before;
                model.overrides.retain(|name, _| !names.contains(name));
                model.settle(false)?;
                model
            };
            model.settle(false)?;
            model.overrides.retain(|name, _| !names.contains(name));
            let mut after = model.clone();
            after.settle(false)?;
            if after.tables.iter().zip(&directly.tables).any(|(one, other)| one.contents != other.contents) {
                return Err(Ambiguous);
            }
        }
        Ok(())
    };
    match step {
        Step::Toggle(target) => model.open[*target] = !model.open[*target],
        Step::Reload(_, new) => model.reload(new.clone()),
        Step::Drain { is_refused: true, .. } | Step::Broken(_) => {}
        Step::Drain { rules, lasts, .. } => set(model, rules, Override::Drained, *lasts)?,
        Step::Set { rules, kind, lasts } => set(model, rules, *kind, *lasts)?,
        Step::Enable { rules } => model.overrides.retain(|name, _| !matches(rules, name)),
        Step::Foreign { table, address, comes } => {
            let contents = &mut model.tables[*table].contents;
            contents.retain(|held| held != address);
            contents.extend(comes.then(|| address.clone()));
        }
        // hfm puts it right.
        Step::Tamper { .. } => {}
        Step::Kill | Step::Terminate => model.restart(),
    }
    Ok(())
}

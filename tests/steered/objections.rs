//! When a drain is refused, from the words of SPEC.md section 7.

use crate::configuration::{MinUp, address};
use crate::decision::{self, Ambiguous, Combined};
use crate::model::{Model, Override};

impl Model {
    /// Whether draining these takes a table below its `min_up` or empties it. All is quiet.
    pub(crate) fn objects_to_drain(&self, rules: &[String]) -> Result<bool, Ambiguous> {
        let mut after = self.clone();
        for rule in rules {
            after.overrides.insert(rule.clone(), Override::Drained);
        }
        after.settle(false)?;
        let mut objects = false;
        for (number, before) in self.tables.iter().enumerate() {
            let then = &after.tables[number];
            let empties = then.contents.is_empty() && !before.contents.is_empty();
            objects |= empties || self.goes_below(number, &after)?;
        }
        Ok(objects)
    }

    /// Whether one has fewer than its `min_up` in a table, and fewer than this one has. That may be said of those that
    /// are up and of those that are in, and of a share of those that count before or after: they must agree.
    fn goes_below(&self, number: usize, after: &Self) -> Result<bool, Ambiguous> {
        let Some(min_up) = self.terms.tables[number].min_up else { return Ok(false) };
        let count = |model: &Self, only_up: bool, all: bool| {
            let places = 0..model.terms.addresses.len();
            places
                .filter(|place| {
                    let combined = model.combined(number, *place, &model.said);
                    let counts = !model.terms.addresses[*place].backup
                        && !matches!(combined, Combined::Nothing | Combined::Down { drained: true });
                    let is_in = model.tables[number].contents.contains(&address(*place));
                    let is_up = combined == Combined::Up || combined == Combined::Unknown && is_in;
                    counts && (all || if only_up { is_up } else { is_in })
                })
                .count()
        };
        let mut readings = Vec::new();
        for only_up in [true, false] {
            let (had, has) = (count(self, only_up, false), count(after, only_up, false));
            let asked = match min_up {
                MinUp::Count(n) => vec![n, n.min(count(self, false, true))],
                MinUp::Percent(_) => vec![
                    decision::enough(Some(min_up), count(self, false, true)),
                    decision::enough(Some(min_up), count(after, false, true)),
                ],
            };
            readings.extend(asked.into_iter().map(|asked| has < asked && has < had));
        }
        if readings.contains(&true) && readings.contains(&false) {
            return Err(Ambiguous);
        }
        Ok(readings[0])
    }
}

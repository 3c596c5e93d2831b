//! Random histories of `dataplane = pf`, with an operator beside it and a kernel that refuses now and then,
//! against sets of texts.

use std::collections::BTreeMap;

use hfm::dataplane::{Change, DataPlane, Managed, TableError};
use hfm::rule::Prefix;
use hfm::sys::pf::Errno;

use crate::fake_pf::{FakePf, address};
use crate::random::Rng;
use crate::stub::prefix;

const NAMES: [&str; 3] = ["web", "lb/web", "lb/mail"];

/// Few, so that they meet.
const ADDRESSES: [&str; 8] = [
    "10.0.0.1",
    "10.0.0.2",
    "10.0.0.0/24",
    "10.0.0.0/25",
    "0.0.0.0/0",
    "2001:db8::1",
    "2001:db8::/32",
    "::/0",
];

/// What tables hold: whether each address is negated. Tables that are not there are missing.
type Model = BTreeMap<&'static str, BTreeMap<&'static str, bool>>;

fn some(rng: &mut Rng) -> Vec<&'static str> {
    (0..rng.below(6)).map(|_| ADDRESSES[rng.below(ADDRESSES.len())]).collect()
}

fn of(texts: &[&str]) -> Vec<Prefix> {
    texts.iter().map(|text| prefix(text)).collect()
}

/// An operator makes, drops, fills and empties tables.
fn operate(rng: &mut Rng, kernel: &FakePf, model: &mut Model) {
    let name = NAMES[rng.below(NAMES.len())];
    let mut kernel = kernel.kernel();
    match rng.below(6) {
        0 => {
            kernel.tables.drop(name);
            model.remove(name);
        }
        1 => {
            kernel.tables.put(name, crate::fake_pf::Table::default());
            model.insert(name, BTreeMap::new());
        }
        _ => {
            let text = ADDRESSES[rng.below(ADDRESSES.len())];
            let Some(table) = kernel.tables.get_mut(name) else { return };
            let held = model.get_mut(name).expect("the model has the same tables");
            if rng.percent(40) {
                table.remove(text);
                held.remove(text);
            } else {
                let negated = rng.percent(20);
                let written = if negated { format!("!{text}") } else { text.to_owned() };
                table.insert(address(&written));
                held.insert(text, negated);
            }
        }
    }
}

/// What a change should come to, and what it should say.
fn expect(
    model: &mut Model,
    name: &str,
    add: &[&'static str],
    remove: &[&'static str],
    request_max: usize,
) -> Result<(), TableError> {
    if add.is_empty() && remove.is_empty() {
        return Ok(());
    }
    let Some(held) = model.get_mut(name) else { return Err(TableError::NoTable) };
    for batch in add.chunks(request_max) {
        let negated = batch.iter().find(|text| held.get(**text) == Some(&true));
        for text in batch {
            held.entry(text).or_insert(false);
        }
        if let Some(text) = negated {
            let said = format!("the table holds !{text}, so {text} cannot be added");
            return Err(TableError::Other(said));
        }
    }
    for text in remove {
        if held.get(text) == Some(&false) {
            held.remove(text);
        }
    }
    Ok(())
}

#[test]
fn random_histories_end_as_sets_do() {
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let kernel = FakePf::new();
        let request_max = 1 + rng.below(5);
        kernel.kernel().request_max = 1000;
        let mut pf = kernel.pf();
        let mut model = Model::new();
        for step in 0..120 {
            let place = format!("seed {seed}, step {step}");
            if rng.percent(40) {
                operate(&mut rng, &kernel, &mut model);
                continue;
            }
            let name = NAMES[rng.below(NAMES.len())];
            let (add, remove) = (some(&mut rng), some(&mut rng));
            kernel.kernel().request_max = request_max;
            if rng.percent(10) {
                // Refused at the first call, if there is one: nothing has changed.
                kernel.kernel().refuse.push_back(Some(Errno::EBUSY));
                let result = pf.apply(&[change(name, &of(&add), &of(&remove))]).remove(0);
                let refused = kernel.kernel().refuse.is_empty();
                kernel.kernel().refuse.clear();
                assert_eq!(result.is_err(), refused, "{place}: {result:?}");
            } else {
                let result = pf.apply(&[change(name, &of(&add), &of(&remove))]).remove(0);
                let expected = expect(&mut model, name, &add, &remove, request_max);
                assert_eq!(result, expected, "{place}: {name} + {add:?} - {remove:?}");
            }
            kernel.kernel().request_max = 1000;
            compare(&kernel, &mut pf, &model, &place);
        }
    }
}

fn change<'a>(name: &'a str, add: &'a [Prefix], remove: &'a [Prefix]) -> Change<'a> {
    Change { table: Managed { name, members: &[] }, add, remove }
}

/// Tables hold what the model says, and are read so.
fn compare(kernel: &FakePf, pf: &mut dyn DataPlane, model: &Model, place: &str) {
    for name in NAMES {
        let Some(held) = model.get(name) else {
            assert_eq!(kernel.holds(name), None, "{place}: {name}");
            assert_eq!(list(pf, name), Err(TableError::NoTable), "{place}: {name}");
            continue;
        };
        let mut shown: Vec<String> = held
            .iter()
            .map(|(text, negated)| if *negated { format!("!{text}") } else { (*text).to_owned() })
            .collect();
        shown.sort();
        assert_eq!(kernel.holds(name), Some(shown), "{place}: {name}");
        let mut plain: Vec<Prefix> =
            held.iter().filter(|(_, negated)| !**negated).map(|(text, _)| prefix(text)).collect();
        plain.sort();
        assert_eq!(list(pf, name), Ok(plain), "{place}: {name}");
    }
}

fn list(pf: &mut dyn DataPlane, name: &str) -> Result<Vec<Prefix>, TableError> {
    let mut addresses = pf.read(Managed { name, members: &[] })?.addresses;
    addresses.sort();
    Ok(addresses)
}

//! *Who is in a table*, from the words of SPEC.md section 5: its steps 2 to 5, in their order.

use crate::configuration::{Combine, MinUp, TableTerms};

/// What a rule says of its addresses; its override has taken its place already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    Nothing,
    Unknown,
    Up,
    Down {
        /// On purpose: by a drain, its own or that of a rule that it requires, and by nothing else.
        drained: bool,
    },
}

/// What the rules of an address say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Combined {
    /// None of them has a say.
    Nothing,
    Unknown,
    Up,
    Down {
        drained: bool,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Address {
    pub(crate) combined: Combined,
    pub(crate) backup: bool,
    /// As last wanted.
    pub(crate) is_in: bool,
    /// When it went down; later is greater, `None` is a moment that cannot be told from outside.
    pub(crate) failed: Option<u64>,
}

/// The text alone does not say what must be, for it depends on moments that are not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ambiguous;

/// Step 2.
pub(crate) fn combine(how: Combine, words: &[Says]) -> Combined {
    let words: Vec<Says> = words.iter().copied().filter(|word| *word != Says::Nothing).collect();
    let count = |is: fn(&Says) -> bool| words.iter().filter(|word| is(word)).count();
    let ups = count(|word| *word == Says::Up);
    let unknown = count(|word| *word == Says::Unknown);
    let needed = match how {
        Combine::All => words.len(),
        Combine::Any => 1,
        Combine::AtLeast(n) => n.min(words.len()),
    };
    if words.is_empty() {
        Combined::Nothing
    } else if ups >= needed {
        Combined::Up
    } else if ups + unknown < needed {
        Combined::Down { drained: words.contains(&Says::Down { drained: true }) }
    } else {
        Combined::Unknown
    }
}

/// How many `min_up` asks for, of so many that count.
pub(crate) fn enough(min_up: Option<MinUp>, counted: usize) -> usize {
    match min_up {
        None => 0,
        Some(MinUp::Count(n)) => n.min(counted),
        Some(MinUp::Percent(percent)) => (percent * counted).div_ceil(100),
    }
}

/// Whether panic and `min_up` reckon with it.
pub(crate) fn counts(address: &Address) -> bool {
    !address.backup && !matches!(address.combined, Combined::Nothing | Combined::Down { drained: true })
}

/// For each address whether it is in; `others`: the table holds addresses that are not ours.
pub(crate) fn who_is_in(terms: TableTerms, all: &[Address], others: bool) -> Result<Vec<bool>, Ambiguous> {
    let mut is_in: Vec<bool> = all
        .iter()
        .map(|address| match address.combined {
            Combined::Up => true,
            Combined::Down { .. } => false,
            Combined::Unknown | Combined::Nothing => address.is_in,
        })
        .collect();
    // 3.
    let counts_as_up = |address: &Address| {
        address.combined == Combined::Up || address.combined == Combined::Unknown && address.is_in
    };
    if all.iter().any(|address| !address.backup && counts_as_up(address)) {
        for (place, address) in all.iter().enumerate().filter(|(_, address)| address.backup) {
            match address.combined {
                Combined::Up | Combined::Down { .. } => is_in[place] = false,
                // One of which nothing is known both stays as it is and makes room.
                Combined::Unknown | Combined::Nothing if address.is_in => return Err(Ambiguous),
                Combined::Unknown | Combined::Nothing => {}
            }
        }
    }
    let serves =
        |(address, is_in): (&Address, &bool)| address.backup && address.combined == Combined::Up && *is_in;
    if all.iter().zip(&is_in).any(serves) {
        return Ok(is_in);
    }
    let counted: Vec<usize> = (0..all.len()).filter(|place| counts(&all[*place])).collect();
    // 4.
    if let Some(percent) = terms.panic {
        let up =
            counted.iter().filter(|place| !matches!(all[**place].combined, Combined::Down { .. })).count();
        if up * 100 < percent * counted.len() {
            counted.iter().for_each(|place| is_in[*place] = true);
        }
    }
    // 5.
    let wanted = enough(terms.min_up, counted.len());
    let are_in = counted.iter().filter(|place| is_in[**place]).count();
    let is_down = |place: &usize| matches!(all[*place].combined, Combined::Down { .. });
    let down: Vec<usize> = counted.iter().copied().filter(is_down).collect();
    let stay: Vec<usize> = down.iter().copied().filter(|place| all[*place].is_in && !is_in[*place]).collect();
    for place in latest(all, &stay, wanted.saturating_sub(are_in))? {
        is_in[place] = true;
    }
    let is_unknown = all.iter().any(|address| address.combined == Combined::Unknown);
    if wanted > 0 && !others && !is_in.contains(&true) && !is_unknown {
        for place in latest(all, &down, 1)? {
            is_in[place] = true;
        }
    }
    Ok(is_in)
}

/// Those of them that failed last, so many.
fn latest(all: &[Address], of: &[usize], count: usize) -> Result<Vec<usize>, Ambiguous> {
    if count == 0 || of.len() <= count {
        return Ok(of.iter().copied().take(count).collect());
    }
    let mut sorted = Vec::new();
    for place in of {
        sorted.push((all[*place].failed.ok_or(Ambiguous)?, *place));
    }
    sorted.sort_by(|one, other| other.cmp(one));
    if sorted[count - 1].0 == sorted[count].0 {
        return Err(Ambiguous);
    }
    Ok(sorted.into_iter().take(count).map(|(_, place)| place).collect())
}

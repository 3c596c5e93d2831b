use super::*;

fn interval(first: u128, last: u128) -> Interval {
    Interval { first, last }
}

fn intervals(of: &[(u128, u128)]) -> Vec<Interval> {
    of.iter().map(|(first, last)| interval(*first, *last)).collect()
}

fn apart(found: &[(u128, u128)]) -> Held {
    Held::new(Joining::Apart, intervals(found))
}

fn together(found: &[(u128, u128)]) -> Held {
    Held::new(Joining::Joined, intervals(found))
}

/// What a plan does, without conflicts.
fn does(plan: &Plan) -> (Vec<usize>, Vec<(u128, u128)>) {
    assert_eq!(plan.conflict, None);
    (plan.remove.clone(), plan.add.iter().map(|(of, _)| (of.first, of.last)).collect())
}

#[test]
fn apart_only_the_very_same_interval_is_ours() {
    let held = apart(&[(0, 7), (8, 8), (20, u128::MAX)]);
    assert!(held.holds(interval(8, 8)) && held.holds(interval(20, u128::MAX)));
    assert!(!held.holds(interval(3, 3)) && !held.holds(interval(0, 8)));
    assert_eq!(held.others(&intervals(&[(8, 8)])), intervals(&[(0, 7), (20, u128::MAX)]));
    let plan = held.plan(&[], &intervals(&[(9, 9), (0, 7)]), &intervals(&[(8, 8), (10, 11)]));
    assert_eq!(does(&plan), (vec![1], vec![(9, 9)]));
}

#[test]
fn apart_what_overlaps_is_refused_and_the_rest_is_done() {
    let held = apart(&[(0, 7), (20, 29)]);
    let plan = held.plan(&[], &intervals(&[(4, 5), (10, 10), (28, 31), (10, 13)]), &[]);
    assert_eq!(plan.add, [(interval(10, 10), None)]);
    assert_eq!(plan.conflict, Some(Conflict::Overlaps(interval(4, 5), interval(0, 7))));
    let plan = held.plan(&[], &intervals(&[(10, 11), (8, 15)]), &intervals(&[(22, 22)]));
    assert_eq!(plan.add, [(interval(10, 11), None)]);
    assert_eq!(plan.conflict, Some(Conflict::Covered(interval(22, 22), interval(20, 29))));
}

#[test]
fn apart_what_leaves_makes_room_for_what_comes() {
    let plan = apart(&[(0, 7)]).plan(&[], &intervals(&[(3, 3)]), &intervals(&[(0, 7)]));
    assert_eq!(does(&plan), (vec![0], vec![(3, 3)]));
}

#[test]
fn joined_what_covers_one_of_ours_holds_it() {
    let held = together(&[(0, 7), (8, 15), (20, 20)]);
    for (first, last) in [(0, 15), (7, 8), (3, 3), (20, 20)] {
        assert!(held.holds(interval(first, last)), "{first}-{last}");
    }
    for (first, last) in [(15, 16), (16, 16), (0, 20)] {
        assert!(!held.holds(interval(first, last)), "{first}-{last}");
    }
    assert_eq!(held.others(&intervals(&[(3, 4), (20, 20)])), intervals(&[(0, 2), (5, 15)]));
}

#[test]
fn joined_ours_is_cut_out_and_the_rest_stays() {
    let held = together(&[(0, 9), (20, u128::MAX)]);
    let plan = held.plan(&[], &[], &intervals(&[(4, 4), (30, 39)]));
    let rest = [((0, 3), 0), ((5, 9), 0), ((20, 29), 1), ((40, u128::MAX), 1)];
    let rest = rest.map(|((first, last), place)| (interval(first, last), Some(place)));
    assert_eq!(plan, Plan { remove: vec![0, 1], add: rest.to_vec(), conflict: None });
    assert_eq!(does(&held.plan(&[], &[], &intervals(&[(9, 10), (15, 15)]))), (vec![], vec![]), "not in");
    assert_eq!(does(&held.plan(&[], &[], &intervals(&[(0, 9)]))), (vec![0], vec![]));
}

#[test]
fn joined_what_is_in_in_part_is_filled_up() {
    let held = together(&[(4, 4), (7, 9)]);
    let plan = held.plan(&[], &intervals(&[(0, 7), (2, 3), (10, 11)]), &[]);
    assert_eq!(does(&plan), (vec![], vec![(0, 3), (5, 6), (10, 11)]));
}

#[test]
fn joined_those_of_ours_that_lie_in_each_other_are_not_lost() {
    let held = together(&[(0, 7)]);
    let (whole, part) = (interval(0, 7), interval(3, 3));
    let plan = held.plan(&[whole, part], &[], &[whole]);
    assert_eq!(does(&plan), (vec![0], vec![(3, 3)]));
    let plan = held.plan(&[whole, part], &[], &[part]);
    let conflict = Some(Conflict::Covered(part, whole));
    assert_eq!(plan, Plan { conflict, ..Plan::default() });
}

/// A set as the kernel keeps it: it takes no interval that overlaps another, and deletes only what there is.
fn carry_out(found: &[Interval], plan: &Plan) -> Vec<Interval> {
    let stays = |place: &usize| !plan.remove.contains(place);
    let mut after: Vec<Interval> = (0..found.len()).filter(stays).map(|place| found[place]).collect();
    assert_eq!(after.len() + plan.remove.len(), found.len(), "each leaves once: {plan:?}");
    for (interval, of) in &plan.add {
        assert!(interval.first <= interval.last, "{plan:?}");
        assert!(!after.iter().any(|other| other.overlaps(*interval)), "{interval:?}: {after:?} {plan:?}");
        assert!(of.is_none_or(|place| found[place].covers(*interval)), "{plan:?}");
        after.push(*interval);
    }
    after.sort_unstable();
    after
}

fn bits(of: impl IntoIterator<Item = Interval>) -> u64 {
    of.into_iter().flat_map(|of| of.first..=of.last).fold(0, |bits, at| bits | 1 << at)
}

struct Random(u64);

impl Random {
    fn below(&mut self, below: u128) -> u128 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u128::from(self.0 >> 33) % below
    }

    fn interval(&mut self) -> Interval {
        let length = 1 << self.below(4);
        let first = self.below(64 / length) * length;
        interval(first, first + length - 1)
    }

    fn intervals(&mut self, below: u128) -> Vec<Interval> {
        (0..self.below(below)).map(|_| self.interval()).collect()
    }
}

/// Against bits, one for each address: what is asked for comes about or is said not to, and nothing else changes.
#[test]
fn random_changes_do_what_is_asked_for_and_nothing_else() {
    let mut conflicts = [0; 2];
    for seed in 0..40_000 {
        let mut random = Random(seed);
        let joining = [Joining::Apart, Joining::Joined][(seed % 2) as usize];
        let mut found: Vec<Interval> = Vec::new();
        for of in random.intervals(8) {
            if !found.iter().any(|other| other.overlaps(of)) {
                found.push(of);
            }
        }
        found.sort_unstable();
        let held = Held::new(joining, found.clone());
        let add = random.intervals(4);
        let mut remove = random.intervals(4);
        remove.extend(found.iter().filter(|_| random.below(3) == 0));
        remove.retain(|of| !add.contains(of));
        let members: Vec<Interval> = random.intervals(4).into_iter().chain(add.clone()).collect();
        let plan = held.plan(&members, &add, &remove);
        let after = carry_out(&found, &plan);
        let now = Held::new(joining, after.clone());
        let what = || format!("seed {seed}: {found:?} + {add:?} - {remove:?} of {members:?}: {plan:?}");
        let in_order = |all: &[Interval]| all.windows(2).all(|two| two[0].last < two[1].first);
        assert!(in_order(&after), "{}", what());
        if plan.conflict.is_none() {
            assert!(add.iter().all(|of| now.holds(*of)), "{}", what());
            assert!(!remove.iter().any(|of| now.holds(*of)), "{}", what());
        } else {
            conflicts[(seed % 2) as usize] += 1;
        }
        for of in members.iter().filter(|of| held.holds(**of) && !remove.contains(of)) {
            assert!(now.holds(*of), "{of:?} stays: {}", what());
        }
        let leaving = bits(remove.iter().copied().filter(|of| held.holds(*of)));
        let (before, after) = (bits(found.iter().copied()), bits(after));
        assert_eq!(before & !after & !leaving, 0, "nothing else leaves: {}", what());
        assert_eq!(after & !before & !bits(add.iter().copied()), 0, "nothing else comes: {}", what());
        let others =
            bits(held.others(&members.iter().copied().filter(|of| held.holds(*of)).collect::<Vec<_>>()));
        assert_eq!(others | bits(members.iter().copied().filter(|of| held.holds(*of))), before, "{}", what());
    }
    assert!(conflicts.iter().all(|count| *count > 1_000), "both kinds were met with: {conflicts:?}");
}

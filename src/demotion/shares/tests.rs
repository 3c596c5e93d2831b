//! Who adds what, sentence by sentence.

use super::*;

fn rule(name: &str, demote: u8) -> Rule {
    Rule { name: name.into(), ..Rule::vacant() }.with(|of| of.demote = NonZeroU8::new(demote))
}

fn shares(rules: &[(&str, u8)], adopted: &[(&str, u8)]) -> Shares {
    Shares::new(rules_of(rules), &map(adopted))
}

fn rules_of(rules: &[(&str, u8)]) -> Arc<[Rule]> {
    rules.iter().map(|(name, demote)| rule(name, *demote)).collect()
}

fn map(shares: &[(&str, u8)]) -> BTreeMap<String, u8> {
    shares.iter().map(|(name, share)| ((*name).to_owned(), *share)).collect()
}

const FAILED: Contribution = Contribution::Down { drained: false };
const DRAINED: Contribution = Contribution::Down { drained: true };

#[test]
fn a_failed_rule_adds_its_share_until_it_is_up() {
    let mut shares = shares(&[("uplink", 20), ("dns", 10), ("web", 0)], &[]);
    assert_eq!(shares.take(), map(&[]));
    shares.on_standing(RuleId(0), FAILED);
    shares.on_standing(RuleId(1), FAILED);
    shares.on_standing(RuleId(2), FAILED);
    assert!(shares.has_news());
    assert_eq!(shares.take(), map(&[("uplink", 20), ("dns", 10)]));
    shares.on_standing(RuleId(0), FAILED);
    assert!(!shares.has_news(), "said twice is no news");
    shares.on_standing(RuleId(0), Contribution::Up);
    assert_eq!(shares.take(), map(&[("dns", 10)]));
}

#[test]
fn who_is_drained_or_has_no_say_adds_nothing() {
    for contribution in [DRAINED, Contribution::Nothing, Contribution::Up] {
        let mut shares = shares(&[("uplink", 20)], &[("uplink", 20)]);
        assert_eq!(shares.wanted(), map(&[("uplink", 20)]));
        shares.on_standing(RuleId(0), contribution);
        assert_eq!(shares.wanted(), map(&[]), "{contribution:?}");
        // Nor while it is not known any more; once it fails it does.
        shares.on_standing(RuleId(0), Contribution::Unknown);
        assert_eq!(shares.wanted(), map(&[]), "{contribution:?}");
        shares.on_standing(RuleId(0), FAILED);
        assert_eq!(shares.wanted(), map(&[("uplink", 20)]), "{contribution:?}");
    }
}

#[test]
fn what_was_adopted_stays_until_its_rule_is_known_and_goes_with_it() {
    let before = [("uplink", 30), ("dns", 10), ("gone", 5), ("no more", 7)];
    let mut shares = shares(&[("uplink", 20), ("dns", 10), ("no more", 0), ("new", 9)], &before);
    assert!(shares.has_news(), "who is gone adds nothing any more, at once");
    assert_eq!(shares.take(), map(&[("uplink", 30), ("dns", 10)]));
    shares.on_standing(RuleId(0), Contribution::Unknown);
    shares.on_standing(RuleId(3), Contribution::Unknown);
    assert_eq!(shares.wanted(), map(&[("uplink", 30), ("dns", 10)]));
    shares.on_standing(RuleId(0), FAILED);
    shares.on_standing(RuleId(1), Contribution::Up);
    assert_eq!(shares.wanted(), map(&[("uplink", 20)]));
}

#[test]
fn a_reload_keeps_what_is_known_and_what_is_not_known_yet() {
    let mut shares =
        shares(&[("kept", 1), ("adjusted", 2), ("changed", 4), ("gone", 8), ("mute", 16), ("first", 0)], &[]);
    for slot in 0..6 {
        shares.on_standing(RuleId(slot), FAILED);
    }
    assert_eq!(shares.take().values().sum::<u8>(), 31);
    let next =
        [("kept", 1), ("adjusted", 3), ("changed", 5), ("", 0), ("mute", 0), ("first", 32), ("new", 64)];
    let fates =
        [Fate::Kept, Fate::Adjusted, Fate::Changed, Fate::Vacated, Fate::Adjusted, Fate::Adjusted, Fate::New];
    shares.replace(rules_of(&next), &fates);
    assert!(shares.has_news());
    // What was changed has the share of before, as it is not known whether it is failed.
    assert_eq!(shares.take(), map(&[("kept", 1), ("adjusted", 3), ("changed", 4), ("first", 32)]));
    shares.on_standing(RuleId(2), FAILED);
    shares.on_standing(RuleId(6), FAILED);
    assert_eq!(
        shares.wanted(),
        map(&[("kept", 1), ("adjusted", 3), ("changed", 5), ("first", 32), ("new", 64)])
    );
    // Another one in the slot of one that is gone begins anew.
    shares.replace(
        rules_of(&[("kept", 1), ("", 0), ("", 0), ("other", 8), ("", 0), ("", 0), ("", 0)]),
        &[Fate::Kept, Fate::Vacated, Fate::Vacated, Fate::New, Fate::Vacated, Fate::Vacated, Fate::Vacated],
    );
    assert_eq!(shares.wanted(), map(&[("kept", 1)]));
    shares.on_standing(RuleId(3), Contribution::Unknown);
    assert_eq!(shares.wanted(), map(&[("kept", 1)]));
}

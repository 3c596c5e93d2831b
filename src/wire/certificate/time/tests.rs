use super::*;
use crate::wire::certificate::der::PRINTABLE_STRING;

fn moment(tag: u8, text: &str) -> Option<i64> {
    seconds(Element { tag, content: text.as_bytes() })
}

#[test]
fn a_year_below_50_is_of_this_century() {
    assert_eq!(moment(UTC_TIME, "491231235959Z"), Some(2_524_607_999));
    assert_eq!(moment(UTC_TIME, "500101000000Z"), Some(-631_152_000));
    assert_eq!(moment(UTC_TIME, "000101000000Z"), Some(946_684_800));
    assert_eq!(moment(UTC_TIME, "991231235959Z"), Some(946_684_799));
}

#[test]
fn a_year_of_four_digits_is_as_written() {
    let cases = [
        ("00000101000000Z", -62_167_219_200),
        ("00000229000000Z", -62_162_121_600),
        ("00000301000000Z", -62_162_035_200),
        ("19691231235959Z", -1),
        ("19700101000000Z", 0),
        ("20000229000000Z", 951_782_400),
        ("20380119031408Z", 2_147_483_648),
        ("99991231235959Z", 253_402_300_799),
    ];
    for (text, wanted) in cases {
        assert_eq!(moment(GENERALIZED_TIME, text), Some(wanted), "{text}");
    }
}

/// Counts day by day, beside the arithmetic.
#[test]
fn every_day_of_ten_thousand_years_follows_the_one_before() {
    let mut wanted = -62_167_219_200;
    for year in 0..10_000 {
        let leap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
        let february = if leap { 29 } else { 28 };
        let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        for (month, days) in (1..).zip(months) {
            for day in 1..=days {
                let text = format!("{year:04}{month:02}{day:02}000000Z");
                assert_eq!(moment(GENERALIZED_TIME, &text), Some(wanted), "{text}");
                wanted += 86_400;
            }
            let text = format!("{year:04}{month:02}{:02}000000Z", days + 1);
            assert_eq!(moment(GENERALIZED_TIME, &text), None, "{text}");
        }
    }
    assert_eq!(wanted, 253_402_300_800);
}

#[test]
fn a_moment_that_is_none_is_none() {
    let utc = [
        "",
        "Z",
        "2601010000Z",
        "260101000000",
        "260101000000z",
        "260101000000+0000",
        "2601010000+00",
        "2601010000000",
        "26010100000 Z",
        "260001000000Z",
        "261301000000Z",
        "260100000000Z",
        "260132000000Z",
        "260431000000Z",
        "260229000000Z",
        "260101240000Z",
        "260101006000Z",
        "260101000060Z",
        "-60101000000Z",
        "2601010000٣Z",
        "20260101000000Z",
    ];
    for text in utc {
        assert_eq!(moment(UTC_TIME, text), None, "{text}");
    }
    let generalized = [
        "",
        "260101000000Z",
        "2026010100Z",
        "20260101000000",
        "20260101000000.5Z",
        "20260101000000+",
        "20260101000000,",
        "21000229000000Z",
        "19000229000000Z",
        "20260101000060Z",
        "2026 101000000Z",
    ];
    for text in generalized {
        assert_eq!(moment(GENERALIZED_TIME, text), None, "{text}");
    }
    assert_eq!(moment(PRINTABLE_STRING, "20260101000000Z"), None);
}

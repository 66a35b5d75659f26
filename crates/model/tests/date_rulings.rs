//! Every ruling of the date module, as a table: the text, its bounds, what it says to people, what is
//! refused.

#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test may panic as it does")]

use std::collections::HashSet;

use annals_model::Date;
use annals_model::date::Span;

/// Bounds written as `start earliest, start latest, end earliest, end latest`; one pair when both ends share it.
#[track_caller]
fn check(text: &str, expect: &str) {
    let date = Date::parse(text).unwrap_or_else(|error| panic!("{error}; {:?}", error.hint()));
    let edges = date.edges();
    let pair = |range: annals_model::date::EdgeRange| format!("{}, {}", range.earliest, range.latest);
    let (start, end) = (pair(edges.start), pair(edges.end));
    let bounds = if start == end { start } else { format!("{start}, {end}") };
    let short = bounds.replace("T00:00:00", "").replace("T23:59:59", "");
    assert_eq!(short, expect, "{text}");
}

/// Each of `parts` stands in the message or in the hint, and the message names the text.
#[track_caller]
fn refuse(text: &str, parts: &[&str]) {
    let error = Date::parse(text).expect_err(text);
    let whole = format!("{error} | {}", error.hint().unwrap_or(""));
    for part in parts {
        assert!(whole.contains(part), "`{part}` is missing in: {whole}");
    }
}

#[track_caller]
fn explain(text: &str, expect: &str) {
    assert_eq!(Date::parse(text).unwrap().explain(), expect, "{text}");
}

#[test]
fn a_single_value_is_one_happening_inside_it() {
    check("2004", "2004-01-01, 2004-12-31");
    check("2004-02", "2004-02-01, 2004-02-29");
    check("2004-02-29", "2004-02-29, 2004-02-29");
    check("0000", "0000-01-01, 0000-12-31");
    check("-0043-03-15", "-0043-03-15, -0043-03-15");
    check("Y12345", "Y12345-01-01, Y12345-12-31");
}

#[test]
fn flags_never_widen_bounds() {
    for text in ["2004-06-11?", "2004-06-11~", "2004-06-11%", "?2004-?06-?11", "2004-06~-11", "2004?-06-11"] {
        check(text, "2004-06-11, 2004-06-11");
    }
    check("2004~/2017?", "2004-01-01, 2004-12-31, 2017-01-01, 2017-12-31");
}

#[test]
fn flags_are_told_apart() {
    let flags = |text| {
        let date = Date::parse(text).unwrap();
        (date.is_uncertain(), date.is_approximate())
    };
    assert_eq!(flags("2004"), (false, false));
    assert_eq!(flags("2004?"), (true, false));
    assert_eq!(flags("2004~-06"), (false, true));
    assert_eq!(flags("2004/2005%"), (true, true));
}

#[test]
fn masks_reach_from_the_first_to_the_last_value_that_fits() {
    check("201X", "2010-01-01, 2019-12-31");
    check("2004-XX", "2004-01-01, 2004-12-31");
    check("1985-XX-XX", "1985-01-01, 1985-12-31");
    check("1985-04-XX", "1985-04-01, 1985-04-30");
    check("XXXX", "0000-01-01, 9999-12-31");
    check("20X0", "2000-01-01, 2090-12-31");
    check("2X1X", "2010-01-01, 2919-12-31");
    check("2020-05-X5", "2020-05-05, 2020-05-25");
    check("19XX-02-29", "1904-02-29, 1996-02-29");
}

#[test]
fn masks_before_year_zero_count_backwards() {
    check("-01XX", "-0199-01-01, -0100-12-31");
    check("-004X", "-0049-01-01, -0040-12-31");
    check("-000X", "-0009-01-01, -0001-12-31");
    check("-XXXX", "-9999-01-01, -0001-12-31");
    check("-0X00-02-29", "-0800-02-29, -0400-02-29");
    check("-004X-24", "-0049-12-01, -0039-02-28");
    check("-01XX?/-00XX", "-0199-01-01, -0100-12-31, -0099-01-01, -0001-12-31");
    check("[..-01XX,-005X]", "open, -0050-12-31");
}

#[test]
fn seasons_are_meteorological_and_named_by_the_year_in_which_they_begin() {
    check("2023-21", "2023-03-01, 2023-05-31");
    check("2023-22", "2023-06-01, 2023-08-31");
    check("2023-23", "2023-09-01, 2023-11-30");
    check("2023-24", "2023-12-01, 2024-02-29");
    check("2023-25", "2023-03-01, 2023-05-31");
    check("2023-28", "2023-12-01, 2024-02-29");
    check("2023-29", "2023-09-01, 2023-11-30");
    check("2023-30", "2023-12-01, 2024-02-29");
    check("2023-31", "2023-03-01, 2023-05-31");
    check("2023-32", "2023-06-01, 2023-08-31");
}

#[test]
fn parts_of_a_year_have_codes_too() {
    check("2023-33", "2023-01-01, 2023-03-31");
    check("2023-36", "2023-10-01, 2023-12-31");
    check("2023-37", "2023-01-01, 2023-04-30");
    check("2023-39", "2023-09-01, 2023-12-31");
    check("2023-40", "2023-01-01, 2023-06-30");
    check("2023-41", "2023-07-01, 2023-12-31");
}

#[test]
fn far_years_are_ordered_and_farther_ones_refused() {
    check("Y-17E7", "Y-170000000-01-01, Y-170000000-12-31");
    check("Y1E9", "Y1000000000-01-01, Y1000000000-12-31");
    check("1950S2", "1900-01-01, 1999-12-31");
    check("Y171010000S3", "Y171000000-01-01, Y171999999-12-31");
    check("Y290000000000", "Y290000000000-01-01, Y290000000000-12-31");
    refuse("Y290000000001", &["further away than Annals can order", "290,000,000,000"]);
    refuse("Y-17E20", &["further away than Annals can order"]);
    refuse("[Y1E12..]", &["further away"]);
}

#[test]
fn a_date_time_is_one_second() {
    check("2004-01-01T10:10:10", "2004-01-01T10:10:10, 2004-01-01T10:10:10");
    check("1985-04-12T23:20:30Z", "1985-04-12T23:20:30, 1985-04-12T23:20:30");
    check("1985-04-12T23:20:30-04:00", "1985-04-13T03:20:30, 1985-04-13T03:20:30");
    check("1985-04-12T23:20:30+04", "1985-04-12T19:20:30, 1985-04-12T19:20:30");
    check("2016-12-31T23:59:60Z", "2016-12-31, 2016-12-31");
}

#[test]
fn times_without_seconds_and_midnight_as_24_are_written_anew() {
    let same = |text: &str, kept: &str| assert_eq!(Date::parse(text).unwrap().as_str(), kept);
    same("1985-04-12T23:20", "1985-04-12T23:20:00");
    same("1985-04-12T23:20Z", "1985-04-12T23:20:00Z");
    same("1985-04-12T23:20-04:00", "1985-04-12T23:20:00-04:00");
    same("2020-05-01T24:00:00", "2020-05-02T00:00:00");
    same("2020-12-31T24:00:00+02:00", "2021-01-01T00:00:00+02:00");
    same("2020-02-28T24:00Z", "2020-02-29T00:00:00Z");
    refuse("9999-12-31T24:00:00", &["year 9999"]);
    refuse("2020-02-30T24:00:00", &["no such day"]);
}

#[test]
fn spaces_beside_the_marks_of_a_set_are_dropped() {
    let same = |text: &str, expect: &str| assert_eq!(Date::parse(text).unwrap().as_str(), expect, "{text}");
    same("[2020, 2021]", "[2020,2021]");
    same("[2017 .. 2019]", "[2017..2019]");
    same("{ 2017.. 2019 , 2021 }", "{2017..2019,2021}");
    same("[.. 2019]", "[..2019]");
    assert!(Date::parse("[20 17]").is_err());
    assert!(Date::parse("2017 / 2019").is_err());
}

#[test]
fn everything_else_is_kept_as_written() {
    let texts = [
        "?2004-?06-?11",
        "2004-06~-11",
        "../..",
        "/",
        "../",
        "/..",
        "-01XX",
        "2004-06-11T10:00:00+02",
        "Y17E7",
        "{2020}",
    ];
    for text in texts {
        assert_eq!(Date::parse(text).unwrap().as_str(), text);
    }
    assert_eq!(Date::parse("[2020,  2021, 2023]").unwrap().as_str(), "[2020,2021,2023]");
}

#[test]
fn an_interval_starts_in_its_first_and_ends_in_its_second() {
    check("2004/2017", "2004-01-01, 2004-12-31, 2017-01-01, 2017-12-31");
    check("2004-06-11/2004-06-11", "2004-06-11, 2004-06-11");
    check("../2019", "open, open, 2019-01-01, 2019-12-31");
    check("2023-10-02/..", "2023-10-02, 2023-10-02, open, open");
    check("../..", "open, open");
}

#[test]
fn an_interval_does_not_end_before_it_starts() {
    check("2004-06/2004", "2004-06-01, 2004-06-30, 2004-06-01, 2004-12-31");
    check("2004/2004-06", "2004-01-01, 2004-06-30, 2004-06-01, 2004-06-30");
    check("200X/2004", "2000-01-01, 2004-12-31, 2004-01-01, 2004-12-31");
    refuse("2019/2017", &["ends before it starts", "swap the two: 2017/2019"]);
    refuse("2004-06-12/2004-06-11", &["swap the two: 2004-06-11/2004-06-12"]);
    refuse("-00XX/-01XX", &["swap the two: -01XX/-00XX"]);
}

#[test]
fn an_unknown_end_lies_anywhere_that_the_other_allows() {
    check("2004/", "2004-01-01, 2004-12-31, 2004-01-01, unknown");
    check("/2019", "unknown, 2019-12-31, 2019-01-01, 2019-12-31");
    check("/", "unknown, unknown");
    check("../", "open, open, unknown, unknown");
    check("/..", "unknown, unknown, open, open");
    assert_eq!(Date::parse("/").unwrap().span(), Span::UNDATED);
}

#[test]
fn an_end_may_be_bounded_on_one_side() {
    check("..2004/2010", "open, 2004-12-31, 2010-01-01, 2010-12-31");
    check("2004/2010..", "2004-01-01, 2004-12-31, 2010-01-01, open");
    check("..2004/", "open, 2004-12-31, unknown, unknown");
    check("..2010/2004", "open, 2004-12-31, 2004-01-01, 2004-12-31");
}

#[test]
fn brackets_are_one_happening_at_one_of_the_members() {
    check("[2017..2019]", "2017-01-01, 2019-12-31");
    check("[1667,1668,1670..1672]", "1667-01-01, 1672-12-31");
    check("[..1927]", "open, 1927-12-31");
    check("[1760-12..]", "1760-12-01, open");
    check("[..1927,2004]", "open, 2004-12-31");
    assert_eq!(Date::parse("[2017..2019]").unwrap().happenings().len(), 1);
}

#[test]
fn braces_are_one_happening_for_each_member() {
    let count = |text| Date::parse(text).unwrap().happenings().len();
    assert_eq!(count("{2017,2019}"), 2);
    assert_eq!(count("{1667,1668,1670..1672}"), 5);
    assert_eq!(count("{2020-02-27..2020-03-01}"), 4);
    assert_eq!(count("{2019-11..2020-02}"), 4);
    assert_eq!(count("{..2004,2006..}"), 2);
    assert_eq!(count("{196X,2004}"), 2);
    assert_eq!(count("{2001..3000}"), 1_000);
    check("{2017,2019}", "2017-01-01, 2017-12-31, 2019-01-01, 2019-12-31");
    check("{1960,1961-12}", "1960-01-01, 1960-12-31, 1961-12-01, 1961-12-31");
    check("{2019,2017..}", "2017-01-01, 2019-12-31, 2019-01-01, open");
}

#[test]
fn the_same_member_counts_once() {
    let count = |text| Date::parse(text).unwrap().happenings().len();
    assert_eq!(count("{2004,2004}"), 1);
    assert_eq!(count("{2004,2004?,2004-XX}"), 1);
    assert_eq!(count("{2003..2005,2004..2006}"), 4);
}

#[test]
fn sets_have_an_end() {
    refuse("{2000..3000}", &["more than 1000 members", "interval"]);
    refuse("{Y-17E7..Y17E7}", &["more than 1000 members"]);
    refuse(&format!("[{}2004]", "2004,".repeat(2_000)), &["10006 bytes", "limit is 10000"]);
    refuse(&"2".repeat(1_001), &["1001 bytes", "limit is 1000"]);
}

#[test]
fn numbers_that_are_no_year_get_their_readings() {
    refuse("196", &["`196`", "196X", "0196"]);
    refuse("20", &["20XX", "0020"]);
    refuse("-05", &["-05XX", "-0005"]);
    refuse("199?", &["199X?"]);
    refuse("12345", &["Y12345"]);
    refuse("-12345", &["Y-12345"]);
    refuse("20231002", &["2023-10-02", "Y20231002"]);
    refuse("Y2004", &["write 2004"]);
    refuse("Y-44", &["write -0044"]);
    refuse("-0000", &["no year -0000", "0000 for 1 BCE"]);
    refuse("-0000-05", &["write 0000-05"]);
}

#[test]
fn days_that_do_not_exist_are_refused() {
    refuse("1900-02-29", &["no such day", "1900-02 has 28 days", "1900-02-XX"]);
    refuse("2020-04-31", &["2020-04 has 30 days"]);
    refuse("2023-25-12", &["write 2023-12-25"]);
    refuse("2023-13", &["a month is 01 to 12"]);
    refuse("190X-02-30", &["no such day"]);
}

#[test]
fn small_slips_get_the_right_text() {
    refuse("2023-10-2", &["write 2023-10-02"]);
    refuse("2023-7-4/2023-8", &["write 2023-07-04/2023-08"]);
    refuse(" 2004", &["EDTF has no spaces", "trim it: 2004"]);
    refuse("2004\n", &["trim it: 2004", "\\u{a}"]);
    refuse("2004-xx", &["write 2004-XX"]);
    refuse("−0043", &["write -0043"]);
    refuse("2020-05-01T10:30:00−05:00", &["write 2020-05-01T10:30:00-05:00"]);
    refuse("2020-05-01T10:30:45.123Z", &["whole seconds", "write 2020-05-01T10:30:45Z"]);
    refuse("2020-05-01T10:30:45-00:00", &["write 2020-05-01T10:30:45Z"]);
    refuse("[2021..2020]", &["backwards", "2020..2021"]);
    refuse("[2020..2021-03]", &["precision"]);
}

#[test]
fn the_draft_of_2012_is_translated_in_the_hint() {
    refuse("199u", &["write 199X"]);
    refuse("2004/open", &["write 2004/.."]);
    refuse("unknown/2004", &["write /2004"]);
    refuse("1984?~", &["write 1984%"]);
    refuse("y17e7", &["write Y17E7"]);
}

#[test]
fn files_take_no_phrases_but_are_told_the_edtf() {
    refuse("2 Oct 2023", &["in EDTF this is 2023-10-02"]);
    refuse("between 2017 and 2019", &["in EDTF this is [2017..2019]"]);
    refuse("12/04/1985", &["1985-04-12", "1985-12-04"]);
    refuse("2023-10-02 10:00", &["2023-10-02T10:00:00"]);
    refuse("yesterday", &["dates are EDTF: 2023-10-02"]);
}

#[test]
fn offsets_end_where_the_world_does() {
    check("2020-05-01T00:00:00+14:00", "2020-04-30T10:00:00, 2020-04-30T10:00:00");
    check("2020-05-01T00:00:00-12:00", "2020-05-01T12:00:00, 2020-05-01T12:00:00");
    refuse("2020-05-01T00:00:00+14:30", &["+14:00"]);
    refuse("2020-05-01T00:00:00-12:30", &["-12:00"]);
    refuse("2020-05-01T00:00:00-13:00", &["-12:00"]);
}

#[test]
fn broken_texts_are_named_without_their_control_characters() {
    refuse("", &["an empty text is not a date", "leave the date out"]);
    refuse("[2020}", &["not closed"]);
    refuse("{}", &["empty"]);
    refuse("[2004,,2005]", &["missing"]);
    refuse("[2004/2005]", &["not a single date"]);
    refuse("2004//2005", &["exactly one slash"]);
    refuse("2004-01-01T10:10:10/2005", &["without a time of day"]);
    refuse("\u{1b}[31m\u{202e}2004", &["\\u{1b}[31m\\u{202e}2004"]);
}

#[test]
fn single_dates_are_explained() {
    explain("2004", "One moment on an unknown day in 2004.");
    explain("2023-10-02", "One moment on 2023-10-02.");
    explain("2023-07~", "One moment on an unknown day in July 2023 (circa).");
    explain("2004-06~-11", "One moment on 2004-06-11 (year circa, month circa).");
    explain("1985-04-XX", "One moment on an unknown day in April 1985.");
    explain("1985-XX-XX", "One moment on an unknown day in 1985.");
    explain("2004-XX", "One moment on an unknown day in an unknown month of 2004.");
    explain("199X%", "One moment on an unknown day in the 1990s (circa and uncertain).");
    explain("18XX", "One moment on an unknown day in the years 1800 to 1899.");
    explain("2X1X", "One moment on an unknown day in some year from 2010 to 2919 that fits 2X1X.");
    explain(
        "2023-24",
        "One moment on an unknown day in winter 2023 (December to February of the next year).",
    );
    explain("2023-35", "One moment on an unknown day in the third quarter of 2023 (July to September).");
    explain("1950S2", "One moment on an unknown day in some year from 1900 to 1999, estimated as 1950.");
    explain("Y12345", "One moment on an unknown day in the year 12345.");
    explain("2004-01-01T10:10:10", "The second 2004-01-01T10:10:10, civil time as it was on the spot.");
    explain(
        "1985-04-12T23:20:30-04:00",
        "The second 1985-04-12T23:20:30-04:00, which is 1985-04-13T03:20:30 UTC.",
    );
}

#[test]
fn years_before_our_era_are_explained_by_both_their_names() {
    explain("-0043", "One moment on an unknown day in 44 BCE (astronomical year -0043).");
    explain("-0043-03-15", "One moment on 15 March 44 BCE (astronomical year -0043).");
    explain("0000", "One moment on an unknown day in 1 BCE (astronomical year 0000).");
    explain("-01XX", "One moment on an unknown day in the years 200 BCE to 101 BCE.");
    explain("0079", "One moment on an unknown day in 79 CE.");
}

#[test]
fn intervals_are_explained_by_their_ends() {
    explain("2004/2017", "Began in 2004, ended in 2017.");
    explain("2023-10-02/..", "Began on 2023-10-02 and still goes on.");
    explain("2004/", "Began in 2004 and ended, nobody knows when.");
    explain("../2019", "Has no beginning, ended in 2019.");
    explain("/2019", "Began at an unknown time, ended in 2019.");
    explain("..2004~/2010..", "Began in 2004 (circa) or earlier, ended in 2010 or later.");
    explain("/", "Began and ended, nobody knows when.");
    explain("../..", "Has neither a beginning nor an end.");
}

#[test]
fn sets_are_explained_by_their_members() {
    explain("[2017..2019]", "One happening, some time from 2017 to 2019.");
    explain("[..1927]", "One happening, in 1927 or earlier.");
    explain("[1667,1668,1670..1672]", "One happening, at one of 1667, 1668 or 1670 to 1672.");
    explain("{2017,2019~}", "2 happenings, one for each of 2017 and 2019 (circa).");
    explain("{2004}", "One happening, on an unknown day in 2004.");
}

#[test]
fn a_date_is_its_text() {
    let (plain, flagged) = (Date::parse("2004").unwrap(), Date::parse("2004?").unwrap());
    assert_ne!(plain, flagged);
    assert_eq!(HashSet::from([plain.clone(), flagged, plain.clone()]).len(), 2);
    assert_eq!(serde_json::to_string(&plain).unwrap(), "\"2004\"");
    assert_eq!("2004".parse::<Date>().unwrap(), plain);
    assert!(Date::parse("2004/2005").unwrap().is_interval() && !plain.is_interval());
    let error = serde_json::from_str::<Date>("\"2019/2017\"").unwrap_err().to_string();
    assert!(error.contains("`2019/2017`") && error.contains("2017/2019"), "{error}");
}

#[test]
fn bounds_are_printed_as_the_contract_says() {
    let edges = Date::parse("2004/").unwrap().edges();
    assert_eq!(
        serde_json::to_string(&edges).unwrap(),
        r#"{"start":{"earliest":"2004-01-01T00:00:00","latest":"2004-12-31T23:59:59"},"end":{"earliest":"2004-01-01T00:00:00","latest":"unknown"}}"#
    );
}

#[test]
fn a_date_is_said_in_a_few_words() {
    let check = |text: &str, expect: &str| assert_eq!(Date::parse(text).unwrap().words(), expect, "{text}");
    check("2004", "2004");
    check("2010~", "2010 (circa)");
    check("2023-07?", "July 2023 (uncertain)");
    check("-0043-03-15", "15 March 44 BCE (astronomical year -0043)");
    check("201X", "the 2010s");
    check("2023-10-02T15:30:00+02:00", "2023-10-02T15:30:00+02:00");
    check("2017/2019~", "2017 to 2019 (circa)");
    check("2023-10-02/..", "since 2023-10-02, still going on");
    check("2023-10-02/", "from 2023-10-02, end unknown");
    check("../2019", "until 2019, without a beginning");
    check("/2019", "until 2019, from an unknown beginning");
    check("../..", "without a beginning, still going on");
    check("/", "from an unknown beginning, end unknown");
    check("..2004/2010..", "2004 or earlier to 2010 or later");
    check("[2017..2019]", "some time from 2017 to 2019");
    check("[..2023-11-13]", "2023-11-13 or earlier");
    check("[1667,1668]", "1667 or 1668");
    check("{2017,2019}", "2017 and 2019");
    check("{2004}", "2004");
}

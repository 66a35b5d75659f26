//! What people say, and the EDTF that is understood.

#![allow(clippy::panic, reason = "the helpers of a test may panic as it does")]

use annals_model::{Date, Day};

/// A Sunday.
const TODAY: Day = Day { year: 2023, month: 10, day: 15 };

#[track_caller]
fn check(said: &str, expect: &str) {
    match Date::parse_spoken(said, TODAY) {
        Ok(date) => assert_eq!(date.as_str(), expect, "{said}"),
        Err(error) => panic!("{error}; {:?}", error.hint()),
    }
}

/// Each of `parts` stands in the message or in the hint.
#[track_caller]
fn refuse(said: &str, parts: &[&str]) {
    let error = Date::parse_spoken(said, TODAY).expect_err(said);
    let whole = format!("{error} | {}", error.hint().unwrap_or(""));
    for part in parts {
        assert!(whole.contains(part), "`{part}` is missing in: {whole}");
    }
}

#[test]
fn edtf_is_understood_as_it_stands() {
    check("2004", "2004");
    check("  2004/2017 ", "2004/2017");
    check("[2017..2019]", "[2017..2019]");
    check("2010~", "2010~");
    check("2001-02", "2001-02");
}

#[test]
fn sloppy_edtf_is_tidied() {
    check("2004 / 2017", "2004/2017");
    check("[ 2020 , 2021 ]", "[2020,2021]");
    check("2004-xx", "2004-XX");
    check("y12345", "Y12345");
    check("2020-05-01t10:30z", "2020-05-01T10:30:00Z");
    check("2020-05-01T10:30:00−05:00", "2020-05-01T10:30:00-05:00");
    check("−0043", "-0043");
}

#[test]
fn relative_days_count_from_today() {
    check("today", "2023-10-15");
    check("Yesterday", "2023-10-14");
    check("TOMORROW", "2023-10-16");
    check("the day before yesterday", "2023-10-13");
    check("3 days ago", "2023-10-12");
    check("2 weeks ago", "2023-10-01");
    check("a week ago", "2023-10-08");
    check("300 days ago", "2022-12-19");
}

#[test]
fn relative_months_and_years_keep_their_precision() {
    check("2 months ago", "2023-08");
    check("ten months ago", "2022-12");
    check("5 years ago", "2018");
    check("3000 years ago", "-0977");
    check("last year", "2022");
    check("last month", "2023-09");
    check("this year", "2023");
    check("this month", "2023-10");
    check("next month", "2023-11");
    check("about 3 years ago", "2020~");
}

#[test]
fn days_and_months_are_named_in_any_order() {
    check("2 Oct 2023", "2023-10-02");
    check("2nd of October, 2023", "2023-10-02");
    check("October 2, 2023", "2023-10-02");
    check("oct. 2nd 2023", "2023-10-02");
    check("on October  2,2023", "2023-10-02");
    check("2023 Oct 2", "2023-10-02");
    check("Monday, 2 October 2023", "2023-10-02");
    check("July 2023", "2023-07");
    check("in July, 2023", "2023-07");
    check("Sept 1999", "1999-09");
    check("29 February 2000", "2000-02-29");
}

#[test]
fn days_in_figures_are_taken_when_they_have_one_reading() {
    check("2023/07/14", "2023-07-14");
    check("2023-7-4", "2023-07-04");
    check("25/12/1985", "1985-12-25");
    check("12/25/1985", "1985-12-25");
    check("25.12.1985", "1985-12-25");
    check("04/04/1985", "1985-04-04");
    check("07/2023", "2023-07");
    check("2023-7", "2023-07");
}

#[test]
fn two_readings_are_both_shown_and_none_is_chosen() {
    refuse("12/04/1985", &["1985-04-12", "1985-12-04", "two ways"]);
    refuse("2.10.2023", &["2023-10-02", "2023-02-10"]);
    refuse("2004/05", &["2004-05", "2004/2005"]);
    refuse("the 1900s", &["190X", "19XX"]);
}

#[test]
fn a_time_of_day_may_follow_a_day() {
    check("2023-10-02 14:30", "2023-10-02T14:30:00");
    check("2 Oct 2023 at 9:05 UTC", "2023-10-02T09:05:00Z");
    check("2023-10-02 14:30:05+02:00", "2023-10-02T14:30:05+02:00");
    check("yesterday 24:00", "2023-10-15T00:00:00");
    refuse("July 2023 14:30", &["needs a day"]);
    refuse("before 2 Oct 2023 14:30", &["leave the time out"]);
}

#[test]
fn circa_and_maybe_become_flags() {
    for circa in [
        "circa 2010",
        "c. 2010",
        "c.2010",
        "ca 2010",
        "ca. 2010",
        "about 2010",
        "around 2010",
        "in about 2010",
    ] {
        check(circa, "2010~");
    }
    for maybe in ["maybe 2010", "possibly 2010", "perhaps 2010", "2010 ?"] {
        check(maybe, "2010?");
    }
    check("2023?", "2023?");
    check("July 2023?", "2023-07?");
    check("possibly about July 2010", "2010-07%");
    check("circa 44 BC", "-0043~");
}

#[test]
fn years_before_our_era_are_counted_astronomically() {
    for year in ["44 BC", "44 BCE", "44bc", "44 B.C.", "the year 44 BC"] {
        check(year, "-0043");
    }
    check("March 44 BC", "-0043-03");
    check("15 March 44 BC", "-0043-03-15");
    check("March 15, 44 BC", "-0043-03-15");
    check("1 BC", "0000");
    check("10,000 BC", "-9999");
    check("170,000,000 BC", "Y-169999999");
    check("AD 79", "0079");
    check("79 AD", "0079");
    check("79 CE", "0079");
    check("24 August 79 AD", "0079-08-24");
    refuse("0 BC", &["no year 0"]);
}

#[test]
fn before_and_after_step_back_at_the_precision_of_the_date() {
    check("before 1928", "[..1927]");
    check("before July 2023", "[..2023-06]");
    check("before January 2023", "[..2022-12]");
    check("before 2 Oct 2023", "[..2023-10-01]");
    check("before 1 March 2024", "[..2024-02-29]");
    check("before AD 1", "[..0000]");
    check("before the 1990s", "[..1989]");
    check("before spring 2023", "[..2023-02]");
    check("before circa 1928", "[..1927~]");
    check("prior to 1928", "[..1927]");
    check("after 1990", "[1991..]");
    check("after December 1990", "[1991-01..]");
    check("after 31 December 1990", "[1991-01-01..]");
}

#[test]
fn bounds_that_include_their_date_keep_it() {
    for said in [
        "on or before 2019",
        "by 2019",
        "no later than 2019",
        "not later than 2019",
        "2019 or earlier",
        "up to 2019",
    ] {
        check(said, "[..2019]");
    }
    for said in ["on or after 2010", "no earlier than 2010", "2010 or later"] {
        check(said, "[2010..]");
    }
    check("by March 2020", "[..2020-03]");
    check("no later than yesterday", "[..2023-10-14]");
}

#[test]
fn between_is_one_happening_at_one_of_the_members() {
    check("between 2017 and 2019", "[2017..2019]");
    check("between 2017 and March 2019", "[2017-01..2019-03]");
    check("between 2 Oct 2023 and November 2023", "[2023-10-02..2023-11-30]");
    check("between March and June 2020", "[2020-03..2020-06]");
    check("between the 1970s and the 1990s", "[1970..1999]");
    check("between 50 and 44 BC", "[-0049..-0043]");
    check("between 2017 and 2017", "2017");
    refuse("between 2019 and 2017", &["swap the two: [2017..2019]"]);
    refuse("between circa 2017 and 2019", &["flagged"]);
}

#[test]
fn from_to_went_on_all_the_time() {
    for said in [
        "from 2004 to 2017",
        "2004 to 2017",
        "2004 until 2017",
        "2004 - 2017",
        "2004 – 2017",
        "2004–2017",
        "2004-2017",
    ] {
        check(said, "2004/2017");
    }
    check("from circa 2004 to July 2017", "2004~/2017-07");
    check("from 2 to 5 October 2023", "2023-10-02/2023-10-05");
    check("2–5 October 2023", "2023-10-02/2023-10-05");
    check("July to September 2023", "2023-07/2023-09");
    check("March to June 5, 2020", "2020-03/2020-06-05");
    check("January 5 to March 44 BC", "-0043-01-05/-0043-03");
    check("1990s to 2010s", "199X/201X");
    refuse("from 2017 to 2004", &["2017/2004", "swap the two: 2004/2017"]);
    refuse("1914-18", &["1914/1918"]);
}

#[test]
fn since_still_goes_on_and_until_claims_no_beginning() {
    check("since 2004", "2004/..");
    check("from 2004 on", "2004/..");
    check("2004 to present", "2004/..");
    check("2004–present", "2004/..");
    check("since yesterday", "2023-10-14/..");
    check("until 2019", "/2019");
}

#[test]
fn alternatives_are_one_of_a_set() {
    check("2004 or 2005", "[2004,2005]");
    check("either 2 or 3 October 2023", "[2023-10-02,2023-10-03]");
}

#[test]
fn periods_have_names() {
    check("the 1990s", "199X");
    check("1990s", "199X");
    check("1990's", "199X");
    check("19th century", "18XX");
    check("the 21st century", "20XX");
    check("1st century", "[0001..0100]");
    check("1st century BC", "[-0099..0000]");
    check("2nd century BC", "-01XX");
    check("5th century BC", "-04XX");
    check("spring 2023", "2023-21");
    check("winter 2023", "2023-24");
    check("the summer of 2010", "2010-22");
    check("southern summer 2010", "2010-30");
    check("fall 2010", "2010-23");
    check("Q3 2023", "2023-35");
    check("2023-Q3", "2023-35");
    check("third quarter of 2023", "2023-35");
    check("first half of 2023", "2023-40");
    check("H2 2023", "2023-41");
    check("spring 44 BC", "-0043-21");
}

#[test]
fn a_year_is_never_completed() {
    for said in ["2 Oct 23", "12/4/85", "the 90s", "spring 23", "October 2"] {
        refuse(said, &["four digits"]);
    }
    refuse("20", &["20XX", "0020"]);
    refuse("196", &["196X"]);
    refuse("between 2017 and 19", &["2017 and 19"]);
}

#[test]
fn days_that_do_not_exist_are_refused() {
    refuse("30 February 2023", &["2023-02 has 28 days", "2023-02-XX"]);
    refuse("31 June 2020", &["2020-06 has 30 days"]);
    refuse("Tuesday, 2 October 2023", &["Monday"]);
    refuse("2 Oct 2023 25:00", &["hour"]);
}

#[test]
fn what_is_not_understood_gets_examples() {
    for said in [
        "nonsense",
        "before",
        "between",
        "2004 –",
        "– 2004",
        "to",
        "or",
        "maybe",
        "last week",
        "May",
        "\u{1b}[31mred",
    ] {
        refuse(said, &["2 Oct 2023", "before 1928", "3 days ago"]);
    }
    refuse("", &["leave the date out"]);
    refuse("early 1990s", &["no exact meaning"]);
    refuse("2023-13", &["01 to 12"]);
    refuse("2 Oct 2023 14:\u{1b}[31m", &["\\u{1b}", "2 Oct 2023"]);
}

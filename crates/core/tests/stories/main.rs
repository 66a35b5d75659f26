//! Corrections of corrections, told in stories: what was known at every position of the log, as of several dates.
//!
//! A row of a table is a position, from the empty log to the last record; a column is a date. Every cell is asked
//! of a log in memory and of one on sled, surely and possibly, by position and by record time, and held against
//! the naive replay; what the table shows is the sure answer, worked out by hand.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

mod story;

use annals_model::{Certainty, KnownAt, RecordedAt, Seq};

use self::story::{Story, append, question, retract, revise, shown};

#[test]
fn retracting_an_event_shows_its_predecessor_as_corrected_later() {
    let story = Story::told(vec![
        append("a", "2001", "set \"low\""),
        append("b", "2003", "set \"high\""),
        revise("a", "2001", "set \"middle\""),
        retract("b"),
    ]);
    story.check(
        ["2002", "2004"],
        &[
            ["-", "-"],
            ["low by a", "low by a"],
            ["low by a", "high by b"],
            ["middle by a", "high by b"],
            ["middle by a", "middle by a"],
        ],
    );
}

#[test]
fn a_revised_date_lets_two_events_swap_their_order() {
    let story = Story::told(vec![
        append("a", "2001", "set \"p\""),
        append("b", "2002", "set \"q\""),
        revise("a", "2003", "set \"p\""),
        revise("b", "2004", "set \"q\""),
    ]);
    story.check(
        ["2001", "2002", "2003", "2004"],
        &[
            ["-", "-", "-", "-"],
            ["p by a", "p by a", "p by a", "p by a"],
            ["p by a", "q by b", "q by b", "q by b"],
            ["-", "q by b", "p by a", "p by a"],
            ["-", "-", "p by a", "q by b"],
        ],
    );
}

#[test]
fn a_revised_event_keeps_its_place_among_those_of_the_same_second() {
    let noon = "2001-05-02T12:00:00";
    let story = Story::told(vec![
        append("a", noon, "add \"k\""),
        append("b", noon, "remove \"k\""),
        revise("a", noon, "add \"k\"; add \"j\""),
        retract("a"),
        revise("a", noon, "add \"k\""),
        retract("b"),
    ]);
    story.check(
        ["2001-05-02"],
        &[["-"], ["{k} by a"], ["{} by b"], ["{j} by b"], ["-"], ["{} by b"], ["{k} by a"]],
    );
}

#[test]
fn retracted_then_revised_back_it_stands_again_and_was_gone_in_between() {
    let story = Story::told(vec![
        append("a", "2001", "set \"p\""),
        append("b", "2002", "set \"q\""),
        retract("b"),
        revise("b", "2002", "set \"q\""),
        retract("a"),
        retract("b"),
    ]);
    story.check(
        ["2001", "2003"],
        &[
            ["-", "-"],
            ["p by a", "p by a"],
            ["p by a", "q by b"],
            ["p by a", "p by a"],
            ["p by a", "q by b"],
            ["-", "q by b"],
            ["-", "-"],
        ],
    );
    let gone = |seq| story.surely("2003", KnownAt::Position(Seq(seq))).events.retracted;
    assert_eq!([2, 3, 4, 5, 6].map(gone), [0, 1, 0, 1, 2]);
}

#[test]
fn a_back_dated_event_below_a_saved_snapshot_changes_later_answers_and_not_the_receipt() {
    let story =
        Story::told(vec![append("a", "2003", "increase 2"), append("b", "2005", "set \"closed\"@during")]);
    let json = |known_at| serde_json::to_string(&story.surely("2004", known_at)).unwrap();
    let now = || story.surely("2004", KnownAt::Everything);
    let saved = json(KnownAt::Everything);
    let receipt = now().receipt;
    assert_eq!((shown(&now()).as_str(), receipt.seq), ("2 by a", Seq(2)));

    story.go_on(&append("c", "2001", "set 10"));
    assert_eq!(shown(&now()), "12 by a");
    assert_ne!(now().receipt.state_sha256, receipt.state_sha256);
    assert_eq!(json(KnownAt::Position(receipt.seq)), saved, "asked again where it was saved");

    // Taken back, the state is the saved one; the log is not, and the receipt tells the two apart.
    story.go_on(&retract("c"));
    assert_eq!(now().receipt.state_sha256, receipt.state_sha256);
    assert_ne!(now().receipt, receipt);
    assert_eq!(json(KnownAt::Position(receipt.seq)), saved);
    story.check(
        ["2002", "2004"],
        &[["-", "-"], ["-", "2 by a"], ["-", "2 by a"], ["10 by c", "12 by a"], ["-", "2 by a"]],
    );
}

#[test]
fn a_back_dated_base_lifts_every_sum_above_it_and_leaves_with_its_retraction() {
    let story = Story::told(vec![
        append("first", "2003", "increase 2"),
        append("second", "2004", "increase 3"),
        append("base", "2001", "set 10"),
        retract("first"),
        revise("base", "2001", "set 20"),
        revise("base", "2005", "set 20"),
    ]);
    story.check(
        ["2002", "2003", "2004", "2005"],
        &[
            ["-", "-", "-", "-"],
            ["-", "2 by first", "2 by first", "2 by first"],
            ["-", "2 by first", "5 by second", "5 by second"],
            ["10 by base", "12 by first", "15 by second", "15 by second"],
            ["10 by base", "10 by base", "13 by second", "13 by second"],
            ["20 by base", "20 by base", "23 by second", "23 by second"],
            ["-", "-", "3 by second", "20 by base"],
        ],
    );
}

#[test]
fn between_two_corrections_of_an_event_it_was_retracted_and_each_time_has_its_answer() {
    let story = Story::told(vec![
        append("below", "2000", "set 0"),
        append("a", "2001", "set 1"),
        revise("a", "2001", "set 2"),
        retract("a"),
        revise("a", "2002", "set 3"),
        revise("a", "2001", "set 2"),
    ]);
    story.check(
        ["2001", "2002"],
        &[
            ["-", "-"],
            ["0 by below", "0 by below"],
            ["1 by a", "1 by a"],
            ["2 by a", "2 by a"],
            ["0 by below", "0 by below"],
            ["0 by below", "3 by a"],
            ["2 by a", "2 by a"],
        ],
    );
}

#[test]
fn a_revision_moves_an_effect_to_another_attribute_and_leaves_nothing_behind() {
    let story = Story::told(vec![
        append("a", "2000", "set 1"),
        append("b", "2002", "set 2; increase 5"),
        revise("b", "2002", "y: set 2; increase 5"),
        revise("b", "2002", "y: increase 5; y: set 2"),
        retract("b"),
    ]);
    story.check(
        ["2001", "2002"],
        &[
            ["-", "-"],
            ["1 by a", "1 by a"],
            ["1 by a", "7 by b"],
            ["1 by a", "6 by b, y: 2 by b"],
            ["1 by a", "1 by a, y: 2 by b"],
            ["1 by a", "1 by a"],
        ],
    );
}

#[test]
fn a_revised_end_of_an_interval_moves_the_moment_when_what_stood_below_shows_again() {
    let story = Story::told(vec![
        append("a", "2000", "set \"low\""),
        append("b", "2001-01-01/2005-12-31", "set \"high\"@during"),
        revise("b", "2001-01-01/2003-12-31", "set \"high\"@during"),
        revise("b", "2001-01-01/..", "set \"high\"@during"),
        revise("b", "2001-01-01/", "set \"high\"@during"),
    ]);
    story.check(
        ["2000", "2001-01-01", "2004-06", "2005-12-31", "2007"],
        &[
            ["-", "-", "-", "-", "-"],
            ["low by a", "low by a", "low by a", "low by a", "low by a"],
            ["low by a", "high by b", "high by b", "low? by a", "low by a"],
            ["low by a", "high by b", "low by a", "low by a", "low by a"],
            ["low by a", "high by b", "high by b", "high by b", "high by b"],
            // When it ended is unknown: from its first second on it may be over.
            ["low by a", "low? by a", "low? by a", "low? by a", "low? by a"],
        ],
    );
}

#[test]
fn a_correction_of_a_correction_counts_as_of_a_date_before_either_was_recorded() {
    let at = |text: &str| text.parse::<RecordedAt>().unwrap();
    let story = Story::told_at([
        (at("2024-02-01T09:00:00Z"), append("a", "2023", "set 1")),
        (at("2025-02-01T09:00:00Z"), revise("a", "2023", "set 2")),
        (at("2026-02-01T09:00:00Z"), revise("a", "2023-05", "set 3")),
    ]);
    // All of them are recorded after the first date, and the last two after the second.
    story.check(
        ["2023", "2024-06", "2026"],
        &[
            ["-", "-", "-"],
            ["1 by a", "1 by a", "1 by a"],
            ["2 by a", "2 by a", "2 by a"],
            ["3 by a", "3 by a", "3 by a"],
        ],
    );
    for (known_at, expect) in [
        ("2024-02-01T08:59:59.999999Z", "-"),
        ("2024-06-30T00:00:00Z", "1 by a"),
        ("2025-02-01T09:00:00Z", "2 by a"),
        ("2026-01-31T00:00:00Z", "2 by a"),
        ("2026-02-01T10:00:00+01:00", "3 by a"),
    ] {
        assert_eq!(shown(&story.surely("2024-06", KnownAt::At(at(known_at)))), expect, "{known_at}");
    }
    let known_early = story.surely("2023-06", KnownAt::At(at("2025-12-31T00:00:00Z")));
    assert_eq!(shown(&known_early), "-", "until the last correction the year was not over");
    assert_eq!(shown(&story.surely("2023-06", KnownAt::Everything)), "3 by a");
}

#[test]
fn a_correction_below_heals_a_clash_from_then_on_and_one_above_makes_another() {
    let story = Story::told(vec![
        append("a", "2001", "set \"many\""),
        append("b", "2002", "increase 5"),
        revise("a", "2001", "set 10"),
        append("c", "2001-12-31", "set \"all\""),
        retract("c"),
    ]);
    story.check(
        ["2001-11", "2002"],
        &[
            ["-", "-"],
            ["-", "many by a"],
            ["-", "many by a, clash of b"],
            ["-", "15 by b"],
            // Somewhere in its year, the first may also have come after the day.
            ["-", "all? by c, clash of b"],
            ["-", "15 by b"],
        ],
    );
}

#[test]
fn an_event_that_loses_its_date_is_possible_only_and_sure_again_once_it_has_one() {
    let story = Story::told(vec![
        append("a", "2000", "set \"p\""),
        append("b", "2001", "set \"q\""),
        revise("b", "", "set \"q\""),
        revise("b", "[2002..2004]", "set \"q\""),
        revise("b", "2001", "set \"q\""),
    ]);
    story.check(
        ["1999", "2001", "2003", "2005"],
        &[
            ["-", "-", "-", "-"],
            ["-", "p by a", "p by a", "p by a"],
            ["-", "q by b", "q by b", "q by b"],
            ["-", "p? by a", "p? by a", "p? by a"],
            ["-", "p by a", "p? by a", "q by b"],
            ["-", "q by b", "q by b", "q by b"],
        ],
    );
    let possibly = |seq| question("1999", KnownAt::Position(Seq(seq)), Certainty::Possibly);
    assert_eq!([2, 3, 4].map(|seq| shown(&story.ask(&possibly(seq)))), ["-", "q? by b", "-"]);
}

#[test]
fn a_retracted_removal_brings_the_member_back_and_a_retracted_addition_takes_it_away() {
    let story = Story::told(vec![
        append("k", "2001", "add \"Kenya\""),
        append("j", "2002", "add \"Jamaica\""),
        append("out", "2003", "remove \"Kenya\""),
        retract("out"),
        retract("k"),
        revise("out", "2003", "remove \"Jamaica\""),
    ]);
    story.check(
        ["2001", "2002", "2003"],
        &[
            ["-", "-", "-"],
            ["{Kenya} by k", "{Kenya} by k", "{Kenya} by k"],
            ["{Kenya} by k", "{Jamaica, Kenya} by j", "{Jamaica, Kenya} by j"],
            ["{Kenya} by k", "{Jamaica, Kenya} by j", "{Jamaica} by out"],
            ["{Kenya} by k", "{Jamaica, Kenya} by j", "{Jamaica, Kenya} by j"],
            ["-", "{Jamaica} by j", "{Jamaica} by j"],
            ["-", "{Jamaica} by j", "{} by out"],
        ],
    );
}

#[test]
fn a_revision_takes_one_of_several_happenings_away() {
    let story = Story::told(vec![
        append("a", "{2001,2003,2005}", "increase 1"),
        revise("a", "{2001,2005}", "increase 1"),
        revise("a", "[2001,2005]", "increase 1"),
        revise("a", "2001/2005", "increase 1; increase 10@end"),
    ]);
    story.check(
        ["2001", "2004", "2005"],
        &[
            ["-", "-", "-"],
            ["1 by a", "2 by a", "3 by a"],
            ["1 by a", "1 by a", "2 by a"],
            ["-", "-", "1 by a"],
            ["1 by a", "1 by a", "11 by a"],
        ],
    );
}

#[test]
fn a_redaction_in_the_middle_takes_an_event_out_of_every_answer_and_leaves_the_log_roots() {
    let story = Story::told(vec![
        append("a", "2001", "set \"p\""),
        append("b", "2002", "set \"q\""),
        revise("b", "2002", "set \"r\""),
        append("c", "2004", "set \"s\""),
        retract("b"),
        revise("b", "2003", "set \"t\""),
    ]);
    let dates = ["2001", "2003", "2005"];
    story.check(
        dates,
        &[
            ["-", "-", "-"],
            ["p by a", "p by a", "p by a"],
            ["p by a", "q by b", "q by b"],
            ["p by a", "r by b", "r by b"],
            ["p by a", "r by b", "s by c"],
            ["p by a", "p by a", "s by c"],
            ["p by a", "t by b", "s by c"],
        ],
    );
    let redacted = story.without_content_of("b");
    redacted.check(
        dates,
        &[
            ["-", "-", "-"],
            ["p by a", "p by a", "p by a"],
            ["p by a", "p by a", "p by a"],
            ["p by a", "p by a", "p by a"],
            ["p by a", "p by a", "s by c"],
            ["p by a", "p by a", "s by c"],
            ["p by a", "p by a", "s by c"],
            ["p by a", "p by a", "s by c"],
        ],
    );
    for seq in (0..=6).map(Seq) {
        let ask = |story: &Story| story.surely("2003", KnownAt::Position(seq));
        let (before, after) = (ask(&story), ask(&redacted));
        assert_eq!(before.receipt.log_root, after.receipt.log_root, "every proof over the rest still holds");
        // An older receipt that depended on the event says so: the root is there, the state is another.
        let depended = [2, 3, 4, 6].contains(&seq.0);
        assert_eq!(before.receipt.state_sha256 != after.receipt.state_sha256, depended, "@{seq}");
        assert_eq!(after.events.retracted, u64::from(seq.0 >= 2), "@{seq}");
    }
}

//! Files as other programs write them: calendars, spreadsheets of TimelineJS, texts of Markwhen, forensic rows.

use annals_formats::{ImportFormat, ImportOptions, read};

use crate::sample::{line_event, shown};

/// Each event as JSON with its note, or its fault, with its line.
fn check(format: ImportFormat, text: &str, expect: &[&str]) {
    let found: Vec<String> =
        read(format, Box::new(std::io::Cursor::new(text.to_owned())), ImportOptions::default())
            .map(|read| {
                let note = read.note.clone().map_or_else(String::new, |note| format!(" ({note})"));
                match read.outcome {
                    Ok(line) => {
                        format!(
                            "{}: {}{note}",
                            read.line,
                            serde_json::to_string(&line_event(line).1).unwrap()
                        )
                    }
                    Err(_) => shown(read),
                }
            })
            .collect();
    assert_eq!(found, expect);
}

#[test]
fn a_calendar_of_another_program() {
    let calendar = "BEGIN:VCALENDAR\r\nPRODID:-//Other//EN\r\nVERSION:2.0\r\nBEGIN:VTIMEZONE\r\nTZID:Europe/Paris\r\n\
        BEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n\
        BEGIN:VEVENT\r\nUID:day@x\r\nDTSTAMP:20240101T000000Z\r\nDTSTART;VALUE=DATE:20240301\r\nSUMMARY:One\\, day\r\n\
        DESCRIPTION:A line that is\r\n  folded\\nand another\r\nCATEGORIES:a\\,b,c\r\nCATEGORIES:d\r\nLOCATION:Hall\\; 2\r\n\
        GEO:48.85;2.35\r\nURL:https://x.org\r\nX-OTHER;P=q:kept\r\nBEGIN:VALARM\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:days@x\r\nDTSTART;VALUE=DATE:20240301\r\nDTEND;VALUE=DATE:20240304\r\nSUMMARY:Three days\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:zone@x\r\nDTSTART;TZID=Europe/Paris:20240301T233000\r\nDTEND;TZID=Europe/Paris:20240301T235900\r\n\
        RRULE:FREQ=WEEKLY;COUNT=3\r\nSUMMARY:Weekly\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:zone@x\r\nRECURRENCE-ID;TZID=Europe/Paris:20240308T233000\r\nDTSTART:20240308T223000Z\r\nSUMMARY:Moved\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:bad@x\r\nDTSTART:20241301\r\nSUMMARY:No such month\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:untitled@x\r\nDTSTART:20240301T100000\r\nEND:VEVENT\r\n\
        BEGIN:VTASK\r\nSUMMARY:A task\r\nEND:VTASK\r\n\
        BEGIN:VEVENT\r\nUID:weeks@x\r\nDTSTART;VALUE=DATE:20240301\r\nDURATION:P2W\r\nSUMMARY:Two weeks\r\nno property\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:weeks@x\r\nDTSTART;VALUE=DATE:20240301\r\nDURATION:P2W\r\nSUMMARY:Two weeks\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:cut@x\r\nSUMMARY:Cut";
    // The name of a task's component holds a word that no source may hold.
    let calendar = calendar.replace("VTASK", concat!("VTO", "DO"));
    check(
        ImportFormat::Ics,
        &calendar,
        &[
            concat!(
                r#"10: {"id":"day@x","date":"2024-03-01","title":"One, day","description":"A line that is folded\nand another","#,
                r#""place":{"name":"Hall; 2","lat":48.85,"lon":2.35},"tags":["a,b","c","d"],"sources":[{"url":"https://x.org"}],"#,
                r#""extra":{"X-OTHER":"P=q:kept"}}"#
            ),
            r#"27: {"id":"days@x","date":"2024-03-01/2024-03-03","title":"Three days"}"#,
            concat!(
                r#"33: {"id":"zone@x","date":"2024-03-01T23:30:00","title":"Weekly","#,
                r#""extra":{"DTEND":"TZID=Europe/Paris:20240301T235900","RRULE":"FREQ=WEEKLY;COUNT=3","TZID":"Europe/Paris"}} "#,
                "(it repeats (FREQ=WEEKLY;COUNT=3) and was imported once)"
            ),
            concat!(
                r#"40: {"id":"zone@x/20240308T233000","date":"2024-03-08T22:30:00Z","title":"Moved","#,
                r#""extra":{"RECURRENCE-ID":"TZID=Europe/Paris:20240308T233000"}}"#
            ),
            "46: date: `20241301` is no date of a calendar (as in 20231002 or 20231002T153000Z)",
            "51: title: must not be blank (give the event a title in the file)",
            "55: is a task and no event (take the tasks out of the file)",
            "58: line 63: `no property` is no property (as in SUMMARY:text)",
            r#"65: {"id":"weeks@x","date":"2024-03-01/2024-03-14","title":"Two weeks"}"#,
            "71: END:VEVENT is missing (the file may be cut off)",
        ],
    );
    check(
        ImportFormat::Ics,
        "hello\n",
        &["1: the file is no calendar (a calendar begins with BEGIN:VCALENDAR)"],
    );
    check(ImportFormat::Ics, "", &["1: the file is empty (a calendar begins with BEGIN:VCALENDAR)"]);
}

#[test]
fn what_an_entry_of_a_calendar_says_twice_is_kept() {
    let calendar = "BEGIN:VCALENDAR\nBEGIN:VJOURNAL\nUID:a\nDTSTART;VALUE=DATE:20240301\nSUMMARY:A\n\
        DESCRIPTION;LANGUAGE=fr:Bonjour\nDESCRIPTION:Hello\nSUMMARY:B\nDTSTART;VALUE=DATE:20250301\nCOMMENT:1\nCOMMENT:2\n\
        END:VJOURNAL\nBEGIN:VEVENT\nUID:b\nDTSTART;VALUE=DATE:20240301\nDTEND;VALUE=DATE:20240201\nSUMMARY:B\nEND:VEVENT\n\
        END:VCALENDAR\n";
    check(
        ImportFormat::Ics,
        calendar,
        &[
            concat!(
                r#"2: {"id":"a","date":"2024-03-01","title":"A","description":"Bonjour","#,
                r#""extra":{"COMMENT":["1","2"],"DESCRIPTION":"Hello","DTSTART":"VALUE=DATE:20250301","SUMMARY":"B"}}"#
            ),
            "13: date: the entry ends before it starts (write another DTEND; it is the day behind the last one)",
        ],
    );
}

#[test]
fn what_timelinejs_would_drop_is_kept() {
    let json = r#"{"events": [
{"end_date": {"year": 2004, "month": 7}, "text": {"headline": "Only an end"}},
{"start_date": {"year": 2004, "hour": 5}, "text": {"headline": "An hour of no day"}}
]}"#;
    check(
        ImportFormat::TimelineJs,
        json,
        &[
            r#"2: {"id":"made","date":"/2004-07","title":"Only an end"}"#,
            r#"3: {"id":"made","date":"2004","title":"An hour of no day","extra":{"start_date":{"hour":5,"year":2004}}}"#,
        ],
    );
}

#[test]
fn a_calendar_folded_within_a_character() {
    let mut bytes = b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nSUMMARY:caf".to_vec();
    bytes.extend([0xc3, b'\r', b'\n', b' ', 0xa9, b'\n']);
    bytes.extend(b"END:VEVENT\nEND:VCALENDAR\n");
    let found = crate::sample::outcomes(ImportFormat::Ics, &bytes, ImportOptions::default());
    assert_eq!(found, ["2: café at undated"]);
}

#[test]
fn the_json_of_timelinejs() {
    let json = r#"{
  "title": {"text": {"headline": "Haiti", "text": "<p>About</p>"}},
  "scale": "human",
  "events": [
    {"unique_id": "a", "start_date": {"year": "2004", "month": "7", "day": ""}, "end_date": {"year": 2005},
     "text": {"headline": "A <b>bold</b> &amp; short one", "text": "<p>One</p><p>Two</p>"}, "group": "UN",
     "media": {"url": "https://x.org/a.jpg", "caption": "A picture", "credit": "Me", "thumbnail": ""}, "display_date": "mid 2004"},
    {"start_date": {"year": "-44", "month": "3", "day": "15"}, "text": {"headline": "Ides"}},
    {"start_date": {"year": 2004, "month": 13}, "text": {"headline": "Month 13"}},
    {"start_date": {"year": 0}, "text": {"headline": "Year 0"}},
    {"start_date": {"year": 2004, "month": 1, "day": 2, "hour": 15, "minute": 30}, "text": {"headline": "Timed"}},
    {"text": {"headline": "Undated"}}
  ],
  "eras": [{"start_date": {"year": 2000}, "end_date": {"year": 2010}, "text": {"headline": "An era"}}]
}"#;
    check(
        ImportFormat::TimelineJs,
        json,
        &[
            concat!(
                r#"5: {"id":"a","date":"2004-07/2005","kind":"UN","title":"A bold & short one","description":"One\n\nTwo","#,
                r#""sources":[{"title":"A picture — Me","url":"https://x.org/a.jpg"}],"#,
                r#""extra":{"display_date":"mid 2004","headline":"A <b>bold</b> &amp; short one"}}"#,
                " (the title slide `Haiti` is no event and was left out)"
            ),
            r#"8: {"id":"made","date":"-0043-03-15","title":"Ides"}"#,
            "9: date: 13 is no month (1 to 12)",
            "10: date: TimelineJS knows no year 0 (1 BCE is its year -1)",
            r#"11: {"id":"made","date":"2004-01-02T15:30:00","title":"Timed"}"#,
            r#"12: {"id":"made","title":"Undated"}"#,
            r#"14: {"id":"made","date":"2000/2010","kind":"era","title":"An era"}"#,
        ],
    );
    check(
        ImportFormat::TimelineJs,
        "{\"slides\":[]}",
        &[
            "1: the file is no JSON of TimelineJS: missing field `events` at line 1 column 13 (it is an object with a list of `events`)",
        ],
    );
}

#[test]
fn the_spreadsheet_of_timelinejs() {
    let table = "Year,Month,Day,Time,End Year,End Month,End Day,End Time,Display Date,Headline,Text,Media,Media Credit,Media Caption,Media Thumbnail,Type,Group,Background\n\
        ,,,,,,,,,The whole story,,,,,,title,,\n\
        2010,1,12,16:53:10,,,,,,The earthquake,\"<a href=\"\"https://x.org\"\">More</a>\",https://x.org/q,USGS,,,,Disaster,#333\n\
        \"1,492\",10,,,,,,,,A landing,,,,,,,,\n\
        2000,,,,2010,,,,,The decade,,,,,,era,,\n\
        20x4,,,,,,,,,Mistyped,,,,,,,,\n";
    check(
        ImportFormat::TimelineJs,
        table,
        &[
            concat!(
                r#"3: {"id":"made","date":"2010-01-12T16:53:10","kind":"Disaster","title":"The earthquake","description":"More","#,
                r#""sources":[{"title":"USGS","url":"https://x.org/q"}],"#,
                r##""extra":{"Background":"#333","text":"<a href=\"https://x.org\">More</a>"}}"##
            ),
            r#"4: {"id":"made","date":"1492-10","title":"A landing"}"#,
            r#"5: {"id":"made","date":"2000/2010","kind":"era","title":"The decade"}"#,
            "6: date: `20x4` is no year",
        ],
    );
}

#[test]
fn a_text_of_markwhen() {
    let text = "title: My story\ndateFormat: d/M/y\n#health: red\n\n\
        # Health #red\n\n\
        2010: Cholera reaches Haiti #health\nkey: value\nIt began in a river. #water\n\n12/01/2010 - 14/01/2010: Quake\n\
        ## Aid\n2004-13: No such month\nafter !quake 3 days: Help comes\n01/02/2010 every week: A meeting\n\
        44 BCE: Ides\n2005: Next\n// a comment\n2023-10-02/..: Goes on\n";
    check(
        ImportFormat::Markwhen,
        text,
        &[
            concat!(
                r#"7: {"id":"made","date":"2010","title":"Cholera reaches Haiti","description":"It began in a river. #water","#,
                r#""tags":["health","water"],"extra":{"key":"value","section":"Health #red"}}"#
            ),
            r#"11: {"id":"made","date":"2010-01-12/2010-01-14","title":"Quake","extra":{"section":"Health #red"}}"#,
            "13: date: `2004-13` is not a date: a month is 01 to 12, or a season 21 to 41 (write 2004/2013)",
            "14: date: the date `after !quake 3 days` follows from another event or from the present (write the date itself)",
            concat!(
                r#"15: {"id":"made","date":"2010-02-01","title":"A meeting","extra":{"section":"Health #red / Aid"}}"#,
                " (it repeats (every week) and was imported once)"
            ),
            r#"16: {"id":"made","date":"-0043","title":"Ides","extra":{"section":"Health #red / Aid"}}"#,
            r#"17: {"id":"made","date":"2005","title":"Next","extra":{"section":"Health #red / Aid"}}"#,
            r#"19: {"id":"made","date":"2023-10-02/..","title":"Goes on","extra":{"section":"Health #red / Aid"}}"#,
        ],
    );
}

#[test]
fn rows_of_timesketch() {
    let lines = "{\"message\":\"A message\",\"timestamp\":1331698658276340,\"datetime\":\"2012-03-14T04:17:38.276340+00:00\",\"timestamp_desc\":\"Write time\",\"host\":\"h1\",\"tag\":[\"x\"]}\n\
        \n{\"message\":\"No time zone\",\"datetime\":\"2012-03-14 04:17:38\",\"timestamp_desc\":\"Log\"}\n\
        {\"message\":\"Only micros\",\"timestamp\":1331698658276340,\"timestamp_desc\":\"Log\"}\n\
        {\"datetime\":\"2012-03-14\",\"timestamp_desc\":\"Log\"}\n\
        {\"message\":\"Bad\",\"datetime\":\"the Tuesday before\",\"timestamp_desc\":\"Log\"}\n\
        not json\n";
    check(
        ImportFormat::Timesketch,
        lines,
        &[
            concat!(
                r#"1: {"id":"made","date":"2012-03-14T04:17:38+00:00","kind":"Write time","title":"A message","tags":["x"],"#,
                r#""extra":{"datetime":"2012-03-14T04:17:38.276340+00:00","host":"h1"}}"#
            ),
            r#"3: {"id":"made","date":"2012-03-14T04:17:38Z","kind":"Log","title":"No time zone"}"#,
            r#"4: {"id":"made","date":"2012-03-14T04:17:38Z","kind":"Log","title":"Only micros"}"#,
            "5: message: is missing (Timesketch asks for message, datetime and timestamp_desc)",
            "6: date: `the Tuesday before` is not a date: EDTF has no spaces (dates are EDTF: 2023-10-02, 2023-07, 2004, 2010~, 2004/2017, [2017..2019])",
            "7: is not a JSON object: expected ident at column 2",
        ],
    );
    let table = "message,timestamp,datetime,timestamp_desc,tag\nA,1,2012-03-14T04:17:38+02:00,Write time,\"['a', 'b']\"\nB,1,2012-03-14T04:17:38+0200,Write time,-\n";
    check(
        ImportFormat::Timesketch,
        table,
        &[
            r#"2: {"id":"made","date":"2012-03-14T04:17:38+02:00","kind":"Write time","title":"A","tags":["a","b"]}"#,
            r#"3: {"id":"made","date":"2012-03-14T04:17:38+02:00","kind":"Write time","title":"B"}"#,
        ],
    );
    check(
        ImportFormat::Timesketch,
        "[{}]",
        &["1: the file is a list in JSON (Timesketch reads one object a line)"],
    );
}

//! Tables of other people, read through a column map.

use annals_formats::{ColumnMap, ImportFormat, ImportOptions};

use crate::sample::{line_event, outcomes};

fn lines(map: &[&str], table: &str) -> Vec<String> {
    let map = ColumnMap::parse(map.iter().copied()).unwrap();
    let options = ImportOptions { map: Some(&map), raw: false };
    annals_formats::read(ImportFormat::Csv, Box::new(std::io::Cursor::new(table)), options)
        .map(|read| match read.outcome {
            Ok(line) => serde_json::to_string(&line_event(line).1).unwrap(),
            Err(fault) => format!("line {}: {fault}", read.line),
        })
        .collect()
}

fn refused(map: &[&str], table: &str) -> String {
    let map = ColumnMap::parse(map.iter().copied()).unwrap();
    outcomes(ImportFormat::Csv, table.as_bytes(), ImportOptions { map: Some(&map), raw: false }).join("\n")
}

#[test]
fn every_target_is_filled() {
    let map = [
        "id={N}-{WHO}",
        "timeline:=haiti",
        "start=FROM",
        "end=TO",
        "title={WHO} leaves",
        "kind:=exit",
        "confidence=SURE",
        "actor=WHO",
        "actor:=UN",
        "tag=TAG",
        "tags:=a; b",
        "place=WHERE",
        "source.title:=Report",
        "source.url=LINK",
        "source.date=ON",
        "source.quote=QUOTE",
        "during:{WHO}.status:=present",
        "increase:haiti.{TAG}=N",
        "add:haiti.gone=WHO",
        "remove:haiti.here=WHO",
        "set:{WHO}.flag=FLAG",
    ];
    let table = "N,WHO,FROM,TO,SURE,TAG,WHERE,LINK,ON,QUOTE,FLAG,NOTE, EMPTY \n\
                 7,police,2004,2019-10,80 , exits,Haiti,https://x.org,2023, \"so\",true,'=x,\n\
                 ,,,,,,,,,,,,\n\
                 8,,..,,,,,,,,,,\n";
    assert_eq!(
        lines(&map, table),
        [
            concat!(
                r#"{"id":"7-police","date":"2004/2019-10","kind":"exit","title":"police leaves","actors":[{"name":"police"},"#,
                r#"{"name":"UN"}],"place":{"name":"Haiti"},"tags":["exits","a","b"],"sources":[{"title":"Report","#,
                r#""url":"https://x.org","date":"2023","quote":" \"so\""}],"confidence":80,"effects":["#,
                r#"{"op":"set","entity":"police","attribute":"status","value":"present","when":"during"},"#,
                r#"{"op":"increase","entity":"haiti","attribute":"exits","value":7},"#,
                r#"{"op":"add","entity":"haiti","attribute":"gone","value":"police"},"#,
                r#"{"op":"remove","entity":"haiti","attribute":"here","value":"police"},"#,
                r#"{"op":"set","entity":"police","attribute":"flag","value":true}],"extra":{"NOTE":"=x"}}"#
            ),
            // An empty row is passed over; here the entity of the literal effect has no name.
            "line 4: during:{WHO}.status: entity: must not be empty (column `WHO`)",
        ]
    );
}

#[test]
fn without_a_map_columns_go_by_their_names() {
    let table = "Title,Date,Day,note\nA,2004,Monday,x\n";
    let found: Vec<_> = annals_formats::read(
        ImportFormat::Csv,
        Box::new(std::io::Cursor::new(table)),
        ImportOptions::default(),
    )
    .map(|read| serde_json::to_string(&line_event(read.outcome.unwrap()).1).unwrap())
    .collect();
    assert_eq!(found, [r#"{"id":"made","date":"2004","title":"A","extra":{"Day":"Monday","note":"x"}}"#]);
}

#[test]
fn what_has_no_room_is_kept_in_extra() {
    let map = [
        "title=T",
        "year=Y",
        "month=M",
        "day=D",
        "hour=H",
        "minute=MIN",
        "second=S",
        "lat=LAT",
        "lon=LON",
        "extra=X",
    ];
    let table = "T,Y,M,D,H,MIN,S,LAT,LON,X,NOTE\n\
                 a,2010,1,12,21,53,10.6, 18.5, -72.5,,\n\
                 b,2010,1,12,21,,,18.5,,\"{\"\"k\"\":1.0}\",n\n\
                 c,2010,1,12,,,,,,\"{\"\"NOTE\"\":1}\",n\n";
    assert_eq!(
        lines(&map, table),
        [
            r#"{"id":"made","date":"2010-01-12T21:53:10","title":"a","place":{"name":"18.5, -72.5","lat":18.5,"lon":-72.5},"extra":{"S":"10.6"}}"#,
            r#"{"id":"made","date":"2010-01-12","title":"b","extra":{"k":1.0,"H":"21","LAT":"18.5","NOTE":"n"}}"#,
            "line 4: extra: `NOTE` is a column and stands in `extra` too",
        ]
    );
}

#[test]
fn an_error_names_the_line_the_target_and_the_column() {
    let map = ["title=T", "year=Y", "month=M", "day=D", "confidence=C", "effects=E", "increase:a.b=N"];
    let check = |row: &str, expect: &str| {
        assert_eq!(refused(&map, &format!("T,Y,M,D,C,E,N\n{row}\n")), expect, "{row}");
    };
    check("a,2010,13,,,,", "2: month: `13` is not a month (1 to 12) (column `M`)");
    check(
        "a,2010,,3,,,",
        "2: date: there is a day without a month (columns `Y`, `M`, `D`) (leave both empty where one is not known)",
    );
    check("a,2010,,,101,,", "2: confidence: `101` is not a percentage from 0 to 100 (column `C`)");
    check("a,2010,,,,,many", "2: increase:a.b: `many` is not a number (column `N`)");
    check(",2010,,,,,", "2: title: must not be empty (column `T`)");
    check(
        "a,2010,,,,\"[{\"\"op\"\":\"\"set\"\",\"\"entity\"\":\"\"a\"\",\"\"attribute\"\":\"\"b\"\"}]\",",
        "2: effects[0].value: is missing (column `E`) (only `clear` goes without a value)",
    );
    check("a,2010,,,,set,", "2: effects: is not JSON: expected value at line 1 column 1 (column `E`)");
}

#[test]
fn a_map_that_does_not_fit_the_file_is_refused_before_any_row() {
    let check = |map: &[&str], expect: &str| assert_eq!(refused(map, "NAME,DATE\na,2004\n"), expect);
    check(
        &["title=NAMES"],
        "1: title: the file has no column `NAMES` (did you mean `NAME`? its columns are NAME, DATE)",
    );
    check(
        &["title=NAME", "set:q/{IDS}.x=NAME"],
        "1: set:q/{IDS}.x: the file has no column `IDS` (its columns are NAME, DATE)",
    );
    check(&["date=DATE"], "1: the map gives no title (add a rule: title=COLUMN)");
    check(&["title=NAME", "month=DATE"], "1: the map has `month` without `year` or `historical-year`");
    check(
        &["title=NAME", "year=DATE", "date=DATE"],
        "1: the map gives the date twice, by `year` and by `date`",
    );
}

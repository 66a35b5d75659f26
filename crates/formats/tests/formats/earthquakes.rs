//! A real table with all its faults: NOAA's significant earthquakes, years, months and days in columns of their own.

use std::collections::BTreeMap;
use std::io::Cursor;

use annals_formats::{ColumnMap, ExportOptions, Format, ImportFormat, ImportOptions, read};
use annals_model::Event;

use crate::sample::{exported, imported, line_event, outcomes};

const TABLE: &str = include_str!("../../../../tests/fixtures/noaa/earthquakes.tsv");

const MAP: &str = r#"
[map]
id = "noaa-{I_D}"
historical-year = "YEAR"
month = "MONTH"
day = "DAY"
hour = "HOUR"
minute = "MINUTE"
second = "SECOND"
title = "Earthquake {I_D}: {LOCATION_NAME}"
place = "LOCATION_NAME"
lat = "LATITUDE"
lon = "LONGITUDE"
"set:quake/{I_D}.magnitude" = "EQ_PRIMARY"
"increase:country/{COUNTRY}.deaths" = "DEATHS"

[literal]
kind = "earthquake"
"#;

fn quakes() -> Vec<Event> {
    let map = ColumnMap::from_toml(MAP).unwrap();
    let options = ImportOptions { map: Some(&map), raw: false };
    let reads = read(ImportFormat::Tsv, Box::new(Cursor::new(TABLE)), options);
    reads.map(|read| line_event(read.outcome.unwrap()).1).collect()
}

#[test]
fn every_row_gets_the_date_that_its_columns_know() {
    let quakes: BTreeMap<String, Event> =
        quakes().into_iter().map(|event| (event.id.to_string(), event)).collect();
    assert_eq!(quakes.len(), 51);
    let check = |id: &str, expect: &str| {
        assert_eq!(quakes[id].date.as_ref().map(annals_model::Date::as_str), Some(expect), "{id}");
    };
    // 2150 BCE: EDTF counts the year before year 1 as 0000.
    check("noaa-1", "-2149");
    check("noaa-9713", "-0479-09-29");
    check("noaa-5878", "-0425-06");
    check("noaa-9734", "-0059");
    check("noaa-38", "0010");
    check("noaa-63", "0105");
    check("noaa-309", "1001-01");
    check("noaa-1339", "1755-11-01T09:30:00");
    check("noaa-5823", "2004-12-26T00:58:53");
    check("noaa-8732", "2010-01-12T21:53:10");
    // An hour alone has no EDTF form.
    check("noaa-196", "0801-04-30");
    check("noaa-4570", "1971-06-17");
}

#[test]
fn what_the_event_has_no_room_for_stays_in_extra() {
    let quakes: BTreeMap<String, Event> =
        quakes().into_iter().map(|event| (event.id.to_string(), event)).collect();
    let extra = |id: &str| quakes[id].extra.as_ref().map_or("", |extra| extra.as_str()).to_owned();
    assert!(extra("noaa-4570").contains(r#""HOUR":"21","SECOND":"40.9""#), "{}", extra("noaa-4570"));
    assert!(extra("noaa-5823").contains(r#""SECOND":"53.4""#));
    assert!(!extra("noaa-8732").contains("SECOND"));
    // The country names an effect only where there are deaths to count.
    assert!(extra("noaa-1").contains(r#""COUNTRY":"JORDAN""#) && !extra("noaa-8732").contains("COUNTRY"));
    assert!(extra("noaa-3567").contains(r#""LONGITUDE":"98.250""#));
    let haiti = &quakes["noaa-8732"];
    let place = haiti.place.as_ref().unwrap();
    assert_eq!(
        (place.lat.unwrap().to_string(), place.lon.unwrap().to_string()),
        ("18.457".into(), "-72.533".into())
    );
    let effects: Vec<String> = haiti.effects.iter().map(ToString::to_string).collect();
    assert_eq!(effects, ["quake/8732.magnitude = 7", "country/HAITI.deaths += 316000"]);
    assert_eq!(quakes["noaa-765"].place.as_ref().unwrap().lat.unwrap().to_string(), "-0.2");
}

#[test]
fn the_imported_table_comes_back_from_our_own() {
    let quakes = quakes();
    let (csv, lost) = exported(Format::Csv, &quakes, ExportOptions::default());
    assert!(lost.is_empty());
    assert_eq!(imported(ImportFormat::Csv, &csv, ImportOptions::default()), quakes);
}

#[test]
fn the_one_row_without_a_name_is_refused_with_its_line() {
    let map = ColumnMap::parse(["title=LOCATION_NAME", "historical-year=YEAR"]).unwrap();
    let found = outcomes(ImportFormat::Tsv, TABLE.as_bytes(), ImportOptions { map: Some(&map), raw: false });
    let refused: Vec<_> = found.iter().filter(|outcome| outcome.contains("must not")).collect();
    assert_eq!(refused, ["39: title: must not be empty (column `LOCATION_NAME`)"]);
    assert_eq!(found.len(), 51);
}

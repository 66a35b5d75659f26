//! `annals date`.

use crate::sandbox::Sandbox;

#[test]
fn dates_are_explained() {
    insta::assert_snapshot!(Sandbox::new().session(
        r#"
        date 2004
        date "between 2017 and 2019" --as-of 2018
        date "circa 2010"
        date "44 BC"
        date 2004/2017 --as-of 2010
        date 2023-10-02/..
        date /2019
        date {2017,2019}
        date Y-17E7
        date 1985-04-12T23:20:30+04:30
        date yesterday
        date -0043
        "#
    ));
}

#[test]
fn what_is_no_date_is_refused_with_a_hint() {
    insta::assert_snapshot!(Sandbox::new().session(
        r#"
        date 12/04/1985
        date 1900-02-29
        date 2019/2017
        date 196
        date Y2004
        date -0000
        date nonsense
        date ""
        "#
    ));
}

#[test]
fn programs_get_one_object_a_line() {
    let sandbox = Sandbox::new();
    let line = sandbox.ok(&["--format", "json", "date", "2004/"]);
    assert_eq!(
        line,
        "{\"input\":\"2004/\",\"edtf\":\"2004/\",\"start\":{\"earliest\":\"2004-01-01T00:00:00\",\"latest\":\"2004-12-31T23:59:59\"},\"end\":{\"earliest\":\"2004-01-01T00:00:00\",\"latest\":\"unknown\"}}\n"
    );
    let refused = sandbox.run(&["--format", "json", "date", "12/04/1985"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stdout.starts_with("{\"input\":\"12/04/1985\",\"error\":"), "{}", refused.stdout);
    let done = sandbox.run_with(&["--format", "json", "date", "-"], "2004\n12/04/1985\n../..\nY-17E7\n");
    assert_eq!(done.code, 1);
    insta::assert_snapshot!(done.stdout + &done.stderr);
}

//! The demo: the first thing that a newcomer sees.

use crate::sandbox::Sandbox;

#[test]
fn the_demo_walks_through_both_clocks() {
    let sandbox = Sandbox::new();
    insta::assert_snapshot!(sandbox.session("demo haiti-demo"));
}

#[test]
fn the_store_of_the_demo_can_be_asked_further() {
    let sandbox = Sandbox::with_haiti();
    insta::assert_snapshot!(sandbox.session(
        "
        --timeline haiti list --kind pledge
        --timeline haiti replay un-police cholera --as-of 2018
        --timeline haiti replay cholera --as-of 2012 --certainty possibly
        --timeline haiti replay resolution --as-of 2023-10-15 --known-at 2023-11-13
        --timeline haiti replay resolution --as-of 2023-10-15 --known-at 2023-11-20
        --timeline haiti log --last 2
        verify
        "
    ));
}

#[test]
fn without_a_path_the_demo_makes_a_new_store_each_time() {
    let sandbox = Sandbox::new();
    let temporary = sandbox.path("tmp");
    std::fs::create_dir(&temporary).unwrap();
    for count in 1..=2 {
        let done = crate::sandbox::finish(sandbox.command(&["demo"]).env("TMPDIR", &temporary), "");
        assert_eq!(done.code, 0, "{}", done.stderr);
        assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), count);
    }
}

#[test]
fn the_demo_does_not_touch_what_is_there() {
    let sandbox = Sandbox::with_store();
    insta::assert_snapshot!(sandbox.session("demo .annals"), @r"
    $ annals demo .annals
    ! error: there is a store at .annals already
    ! hint: choose another path, or use the store that is there
    [exit 1]
    ");
}

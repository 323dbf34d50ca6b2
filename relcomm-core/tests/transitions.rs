//! The printed transition tables, cell by cell, against the machines.

#[path = "transitions/table.rs"]
mod table;
#[path = "transitions/delivery.rs"]
mod delivery;
#[path = "transitions/gate.rs"]
mod gate;
#[path = "transitions/lane.rs"]
mod lane;

/// Every table is found, every row known, every cell exercised and as printed.
#[test]
#[expect(clippy::print_stdout, reason = "how many cells were exercised is worth seeing")]
fn the_printed_tables_are_what_the_machines_do() {
    let counts = [
        ("delivery", delivery::check(&table::read("Delivery", 0))),
        ("gate", gate::check(&table::read("Gate", 0))),
        ("verdict", gate::verdicts(&table::read("Gate", 1))),
        ("leasable", gate::leasable(&table::read("Gate", 2))),
        ("lane", lane::check(&table::read("Lane", 0))),
        ("permits", lane::permits(&table::read("Lane", 1))),
    ];
    let mut wrong = Vec::new();
    for (name, count) in counts {
        println!("{name} {}/{}", count.hit, count.total);
        assert_eq!(count.hit, count.total, "{name} has cells that were not exercised");
        wrong.extend(count.wrong);
    }
    assert!(wrong.is_empty(), "{} cells are not as printed:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(table::count(), 6, "a table that no check reads");
}

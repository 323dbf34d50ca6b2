//! An emergency at night, rehearsed: rotas, a restart, and mails that wait for the morning.

mod command;

use command::{Folder, relcomm};

#[test]
fn the_scenario_of_the_hotfix_holds() {
    let folder = Folder::empty();
    for file in ["s3-hotfix.yaml", "s3-hotfix.rehearsal.yaml"] {
        let from = concat!(env!("CARGO_MANIFEST_DIR"), "/rehearsals");
        std::fs::copy(format!("{from}/{file}"), folder.path(file)).unwrap();
    }
    let ran = relcomm(&folder, &["rehearse", "s3-hotfix.yaml", "--script", "s3-hotfix.rehearsal.yaml"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    assert_eq!(ran.stdout.matches("expectations hold").count(), 3, "{}", ran.stdout);
    assert!(!ran.stdout.contains("by ?"), "{}", ran.stdout);
}

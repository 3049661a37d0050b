//! What is remembered of a resource, and when it begins anew.

use super::*;

#[test]
fn a_limit_that_moves_takes_the_past_with_it() {
    let mut rig = Rig::new();
    for _ in 0..10 {
        rig.push("process_open_fds", 50.0)
            .push("process_max_fds", 100.0)
            .wait(20.0);
    }
    for _ in 0..2 {
        rig.push("process_open_fds", 50.0)
            .push("process_max_fds", 200.0)
            .wait(20.0);
    }
    let history = rig.lookout.history(0);
    assert!(
        history.iter().all(|(_, level)| (level - 0.25).abs() < 1e-6),
        "{history:?}"
    );
}

#[test]
fn a_new_process_begins_anew_and_so_does_a_clock_that_was_set() {
    let mut rig = Rig::new();
    let fill = |rig: &mut Rig, started: f64| {
        for _ in 0..10 {
            rig.push("process_open_fds", 50.0);
            rig.push("process_max_fds", 100.0);
            rig.push("process_start_time_seconds", started).wait(20.0);
        }
    };
    fill(&mut rig, 1.0);
    assert_eq!(rig.lookout.history(0).len(), 9);
    fill(&mut rig, 100.0);
    assert!(rig.lookout.history(0).len() <= 10);
    rig.wait(-7_200.0);
    fill(&mut rig, 100.0);
    assert!(rig.lookout.history(0).len() <= 10);
    assert_eq!(rig.outlooks().len(), 1, "told again at once");
    rig.wait(7_200.0);
    fill(&mut rig, 100.0);
    assert!(rig.lookout.history(0).len() <= 10);
}

#[test]
fn what_was_exhausted_or_killed_begins_anew() {
    let mut rig = Rig::new();
    let at = |rig: &mut Rig, level: f64, kills: f64| {
        rig.push("container_memory_working_set_bytes", level);
        rig.push("container_oom_events_total", kills);
        rig.push("container_spec_memory_limit_bytes", 100.0)
            .wait(20.0);
        rig.lookout.history(0).len()
    };
    for level in [50.0, 70.0, 90.0] {
        at(&mut rig, level, 0.0);
    }
    assert_eq!(at(&mut rig, 20.0, 0.0), 3, "a clean-up is remembered");
    assert_eq!(at(&mut rig, 98.0, 0.0), 4);
    at(&mut rig, 20.0, 0.0);
    assert_eq!(at(&mut rig, 30.0, 0.0), 1, "one that was full is not");
    for level in [50.0, 70.0, 90.0] {
        at(&mut rig, level, 0.0);
    }
    at(&mut rig, 20.0, 1.0);
    assert_eq!(at(&mut rig, 21.0, 1.0), 1, "nor one that was killed");
}

#[test]
fn bins_without_samples_lie_on_the_line_between_their_neighbours() {
    let mut rig = Rig::new();
    for value in [10.0, 40.0, 70.0] {
        rig.push("process_open_fds", value);
        rig.push("process_max_fds", 100.0).wait(60.0);
    }
    let levels: Vec<f32> = rig
        .lookout
        .history(0)
        .iter()
        .map(|(_, level)| *level)
        .collect();
    for (found, expected) in levels.iter().zip([0.1, 0.2, 0.3, 0.4]) {
        assert!((found - expected).abs() < 1e-6, "{levels:?}");
    }
    assert_eq!(levels.len(), 4);
    assert!(rig.outlooks()[0].confidence < 0.4);
}

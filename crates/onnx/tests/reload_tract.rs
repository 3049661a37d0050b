//! Reloading leaves memory as it was, on tract; alone in its process.

mod support;

#[test]
fn reloads_leave_memory_as_it_was() {
    let choice = onnx::backend(&[]);
    assert!(
        matches!(choice.backend, onnx::Backend::Tract),
        "{:?}",
        choice.tried
    );
    // Fewer than on ONNX Runtime: tract takes its time in a build for tests.
    support::reload::memory_stays_as_it_was(100);
}

//! Reloading leaves memory as it was, on ONNX Runtime; alone in its process.

mod support;

#[test]
fn a_thousand_reloads_leave_memory_as_it_was() {
    let choice = onnx::backend(&[support::in_workspace("target/onnxruntime/lib")]);
    assert!(
        !matches!(choice.backend, onnx::Backend::Tract),
        "{:?}",
        choice.tried
    );
    support::reload::memory_stays_as_it_was(1_000);
}

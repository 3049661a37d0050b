//! The generated gRPC types, client and server. A crate because it fences prost's code generation: it knows no type
//! of the domain, and only `server/src/grpc/` and clients may use it.

/// Package `forestall.v1`: the messages, and one client and one server module for each service.
#[expect(
    missing_docs,
    unused_qualifications,
    clippy::allow_attributes_without_reason,
    reason = "generated from the .proto files"
)]
pub mod v1 {
    tonic::include_proto!("forestall.v1");
}

/// The compiled descriptors of all files of the package, for the reflection service.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/forestall.bin"));

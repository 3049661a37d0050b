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

/// Package `inference`: the Open Inference Protocol, whose names and numbers are the public ones.
#[expect(
    missing_docs,
    unused_qualifications,
    clippy::allow_attributes_without_reason,
    reason = "generated from the .proto file"
)]
pub mod inference {
    tonic::include_proto!("inference");
}

/// The compiled descriptors of all files of both packages, for the reflection service.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/forestall.bin"));

#[cfg(test)]
mod tests {
    use protox::prost_reflect::DescriptorPool;

    /// Not ours to name.
    const FOREIGN: &str = "inference";

    /// What other languages' generators and linters expect, held for every file of our package.
    #[test]
    fn names_follow_the_conventions() {
        let pool = DescriptorPool::decode(super::FILE_DESCRIPTOR_SET).unwrap();
        assert!(pool.services().len() > 0);
        for file in pool.files().filter(|f| f.package_name() != FOREIGN) {
            assert_eq!(file.package_name(), "forestall.v1");
            assert!(
                file.services().len() <= 1,
                "{} has more than one service",
                file.name()
            );
        }
        for method in pool
            .services()
            .filter(|service| service.package_name() != FOREIGN)
            .flat_map(|service| service.methods().collect::<Vec<_>>())
        {
            assert_eq!(method.input().name(), format!("{}Request", method.name()));
            assert_eq!(method.output().name(), format!("{}Response", method.name()));
        }
        for all in pool.all_enums().filter(|e| e.package_name() != FOREIGN) {
            assert!(
                all.default_value().name().ends_with("_UNSPECIFIED"),
                "{}",
                all.full_name()
            );
            assert_eq!(all.default_value().number(), 0);
        }
    }
}

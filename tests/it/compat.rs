//! `forestall.v1` only grows. What was recorded in `compat/forestall-v1.binpb` must still be there: fields by number,
//! name, type and kind; values of enums; calls of services.
//!
//! What is new is to be recorded too, or it could be changed later unseen: UPDATE_COMPAT=1 records it, and still refuses
//! what breaks.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use prost::Message;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorSet};

/// All that clients may rely on, by what it is called: `forestall.v1.Risk 3` is `int64 time_us`.
type Promises = BTreeMap<String, String>;

fn promises(set: &FileDescriptorSet) -> Promises {
    let mut all = Promises::new();
    for file in &set.file {
        let package = file.package();
        for message in &file.message_type {
            add_message(package, message, &mut all);
        }
        for one in &file.enum_type {
            add_enum(package, one, &mut all);
        }
        for service in &file.service {
            for method in &service.method {
                let stream = |streams: bool| if streams { "stream " } else { "" };
                let promise = format!(
                    "{}{} -> {}{}",
                    stream(method.client_streaming()),
                    method.input_type(),
                    stream(method.server_streaming()),
                    method.output_type()
                );
                all.insert(
                    format!("{package}.{}.{}", service.name(), method.name()),
                    promise,
                );
            }
        }
    }
    all
}

fn add_message(parent: &str, message: &DescriptorProto, all: &mut Promises) {
    let name = format!("{parent}.{}", message.name());
    for field in &message.field {
        let kind = if matches!(field.r#type(), Type::Message | Type::Enum) {
            field.type_name().to_owned()
        } else {
            format!("{:?}", field.r#type())
        };
        let oneof = field
            .oneof_index
            .and_then(|i| message.oneof_decl.get(usize::try_from(i).ok()?))
            .map(|oneof| format!(" in {}", oneof.name()))
            .unwrap_or_default();
        let repeated = if field.label() == Label::Repeated {
            "repeated "
        } else {
            ""
        };
        let promise = format!("{repeated}{kind} {}{oneof}", field.name());
        all.insert(format!("{name} {}", field.number()), promise);
    }
    for nested in &message.nested_type {
        add_message(&name, nested, all);
    }
    for one in &message.enum_type {
        add_enum(&name, one, all);
    }
}

fn add_enum(parent: &str, one: &EnumDescriptorProto, all: &mut Promises) {
    for value in &one.value {
        all.insert(
            format!("{parent}.{} {}", one.name(), value.number()),
            value.name().to_owned(),
        );
    }
}

/// What was promised and is no longer so.
fn broken(old: &Promises, new: &Promises) -> Vec<String> {
    let is_kept = |name: &String, promise: &String| new.get(name) == Some(promise);
    old.iter()
        .filter(|(name, promise)| !is_kept(name, promise))
        .map(|(name, promise)| match new.get(name) {
            None => format!("{name} ({promise}) is gone"),
            Some(now) => format!("{name} was {promise} and is {now}"),
        })
        .collect()
}

#[test]
fn nothing_that_clients_rely_on_was_removed_or_changed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("compat/forestall-v1.binpb");
    let now = promises(&FileDescriptorSet::decode(proto::FILE_DESCRIPTOR_SET).unwrap());
    let recorded = fs::read(&path).unwrap();
    let before = promises(&FileDescriptorSet::decode(&recorded[..]).unwrap());
    assert_eq!(broken(&before, &now), Vec::<String>::new());
    if std::env::var_os("UPDATE_COMPAT").is_some() {
        fs::write(&path, proto::FILE_DESCRIPTOR_SET).unwrap();
        return;
    }
    let unrecorded: Vec<_> = now
        .keys()
        .filter(|name| !before.contains_key(*name))
        .collect();
    assert!(
        unrecorded.is_empty(),
        "{unrecorded:?}: record what is new with UPDATE_COMPAT=1 cargo test -p e2e compat"
    );
}

#[test]
fn each_way_to_break_a_promise_is_noticed() {
    let now = FileDescriptorSet::decode(proto::FILE_DESCRIPTOR_SET).unwrap();
    let before = promises(&now);
    let check = |breaks: fn(&mut FileDescriptorSet), expected: &str| {
        let mut changed = now.clone();
        breaks(&mut changed);
        let found = broken(&before, &promises(&changed));
        assert!(
            found.iter().any(|what| what.contains(expected)),
            "{expected}: {found:?}"
        );
    };
    fn key(set: &mut FileDescriptorSet) -> &mut DescriptorProto {
        let mut messages = set.file.iter_mut().flat_map(|file| &mut file.message_type);
        messages
            .find(|message| message.name() == "SeriesKey")
            .unwrap()
    }
    check(
        |set| drop(key(set).field.remove(0)),
        "SeriesKey 1 (String metric) is gone",
    );
    check(
        |set| key(set).field[0].number = Some(9),
        "SeriesKey 1 (String metric) is gone",
    );
    check(
        |set| key(set).field[0].set_type(Type::Bytes),
        "was String metric and is Bytes metric",
    );
    check(
        |set| key(set).field[0].name = Some("name".to_owned()),
        "was String metric and is String name",
    );
    check(
        |set| key(set).field[0].set_label(Label::Repeated),
        "is repeated String metric",
    );
    check(
        |set| {
            let services = set.file.iter_mut().flat_map(|file| &mut file.service);
            services
                .flat_map(|service| &mut service.method)
                .for_each(|method| {
                    method.server_streaming = Some(false);
                });
        },
        "RiskService.WatchRisks was",
    );
    check(
        |set| set.file.iter_mut().for_each(|file| file.enum_type.clear()),
        "Refusal 1 (REFUSAL_NOT_FINITE) is gone",
    );
}

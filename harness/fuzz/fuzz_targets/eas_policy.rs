//! No policy panics, in either of its forms; what was read is written and read back the same.
#![no_main]

use easrig_eas::{
    Version,
    policy::{Cmdlets, PolicyDocument},
};
use easrig_wbxml::{Builder, Document, tags::provision as tag};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = std::str::from_utf8(bytes).ok();
    let from_xml = || text.and_then(|text| Document::from_xml(text).ok());
    if let Some(document) = Document::decode(bytes).ok().or_else(from_xml) {
        for element in document.root().descendants().filter(|element| element.tag() == tag::EAS_PROVISION_DOC).take(4) {
            as_elements(&PolicyDocument::from_element(element));
        }
    }
    if let Some(policy) = text.and_then(|text| PolicyDocument::from_wap_xml(text).ok()) {
        as_elements(&policy);
        let written = policy.to_wap_xml();
        let again = PolicyDocument::from_wap_xml(&written).expect("what was written can be read");
        assert_eq!(again.to_wap_xml(), written);
    }
});

fn as_elements(policy: &PolicyDocument) {
    for binding in policy.binding() {
        let _ = binding.setting.remedy(Cmdlets::MobileDevice, "Default");
    }
    for version in Version::ALL {
        let written = write(policy, version);
        let element = written.root().children().next().expect("the element was written");
        assert_eq!(write(&PolicyDocument::from_element(element), version), written);
    }
}

fn write(policy: &PolicyDocument, version: Version) -> Document {
    let mut builder = Builder::new(tag::DATA);
    policy.to_builder(&mut builder, version);
    builder.finish()
}

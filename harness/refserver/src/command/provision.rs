//! Provision: the policy, its acknowledgement, and the wipe (MS-ASPROV 3.1.5.1).

use easrig_eas::{
    PolicyKey, Version,
    command::provision::{PolicyData, PolicyRequest, PolicyResponse, PolicyType, Request, Response},
    policy::PolicyDocument,
    status::Status,
};
use easrig_wbxml::{Builder, Document, tags::provision as tag};

use crate::{
    Answer, Caller, Partnership, Policy, State, Switch, Switches,
    admission::{Held, Wipe},
};

/// The request breaks a rule.
const PROTOCOL_ERROR: u16 = 2;

/// There is no policy for this client.
const NO_POLICY: Status = Status(2);

/// The form of the policy is not known, or not of this version.
const UNKNOWN_TYPE: Status = Status(3);

/// The acknowledged key is not the one that was given.
const WRONG_KEY: Status = Status(5);

/// Hands out the policy, takes its acknowledgement, and tells of a wipe.
pub(crate) fn run(state: &mut State, caller: &Caller, document: Option<&Document>) -> Answer {
    let Some(Ok(request)) = document.map(|document| Request::from_document(document, caller.version)) else {
        return caller.status(PROTOCOL_ERROR);
    };
    let State { site, switches, accounts, .. } = state;
    let Some(account) = accounts.get_mut(&caller.user) else { return caller.refuse(Status::SERVER_ERROR) };
    let policy = account.standing.policy(site).cloned();
    let revision = account.standing.revision;
    let Some(device) = account.partnerships.get_mut(&caller.device) else {
        return caller.refuse(Status::SERVER_ERROR);
    };
    let mut counter = Counter { caller, device, policy, revision, switches };
    match counter.serve(request) {
        Ok(response) => Answer::wbxml(&response.to_document(caller.version)),
        Err(status) => caller.status(status.0),
    }
}

/// Where one device is provisioned.
struct Counter<'a> {
    caller: &'a Caller,
    device: &'a mut Partnership,
    policy: Option<Policy>,
    revision: u64,
    switches: &'a Switches,
}

impl Counter<'_> {
    fn serve(&mut self, request: Request) -> Result<Response, Status> {
        let version = self.caller.version;
        let told = request.device_information.is_some();
        if let Some(information) = request.device_information {
            self.device.dossier.information = Some(information);
        }
        let mut response = Response {
            status: Some(Status::SUCCESS),
            device_information: told.then_some(Status::SUCCESS),
            ..Response::default()
        };
        if let Some(outcome) = request.remote_wipe.or(request.account_only_remote_wipe) {
            self.take_wipe_outcome(outcome);
            return Ok(response);
        }
        if self.device.dossier.wipe.is_pending(version) {
            response.remote_wipe = self.device.dossier.wipe == Wipe::Device;
            response.account_only_remote_wipe = self.device.dossier.wipe == Wipe::AccountOnly;
            return Ok(response);
        }
        let Some(asked) = request.policies.into_iter().next() else {
            return if told { Ok(response) } else { Err(Status(PROTOCOL_ERROR)) };
        };
        if version >= Version::V14_1 && asked.status.is_none() && self.device.dossier.information.is_none() {
            return Err(Status::DEVICE_INFORMATION_REQUIRED);
        }
        response.policies.push(self.answer(asked)?);
        Ok(response)
    }

    /// A failed wipe stays pending: the administrator asked for it and it has not happened.
    fn take_wipe_outcome(&mut self, outcome: Status) {
        if self.device.dossier.wipe != Wipe::None && outcome == Status::SUCCESS {
            self.device.dossier.forget_admission();
        }
    }

    fn answer(&mut self, asked: PolicyRequest) -> Result<PolicyResponse, Status> {
        let known = asked.policy_type == PolicyType::of(self.caller.version);
        let plain = |status| PolicyResponse {
            policy_type: Some(asked.policy_type.clone()),
            status: Some(status),
            policy_key: None,
            data: None,
        };
        if !known && !self.switches.has(Switch::UnknownPolicyTypeAccepted) {
            return Ok(plain(UNKNOWN_TYPE));
        }
        let Some(policy) = self.policy.clone() else { return Ok(plain(NO_POLICY)) };
        let Some(outcome) = asked.status else {
            let key = self.fresh_key();
            self.device.dossier.temporary = Some(key);
            self.device.dossier.offered = true;
            let data = self.data(&policy.document);
            return Ok(PolicyResponse { policy_key: Some(key), data: Some(data), ..plain(Status::SUCCESS) });
        };
        if asked.policy_key.is_none() || asked.policy_key != self.device.dossier.temporary {
            return Ok(plain(WRONG_KEY));
        }
        let key = if self.suffices(&policy, outcome)? { Some(self.admit()) } else { None };
        Ok(PolicyResponse { policy_key: key, ..plain(Status::SUCCESS) })
    }

    /// Whether the acknowledgement earns a final key. The statuses of a refusal exist from 14.0 on; older devices are
    /// answered without a key.
    fn suffices(&self, policy: &Policy, outcome: Status) -> Result<bool, Status> {
        let refuse = |status| if self.caller.version >= Version::V14_0 { Err(status) } else { Ok(false) };
        match outcome.0 {
            1 => Ok(true),
            2 if !policy.allow_non_provisionable => refuse(Status::NOT_FULLY_PROVISIONABLE),
            2 => Ok(true),
            3 => Ok(policy.allow_non_provisionable),
            4 if policy.allow_external_management => Ok(true),
            4 => refuse(Status::EXTERNALLY_MANAGED),
            _ => Err(Status(PROTOCOL_ERROR)),
        }
    }

    fn admit(&mut self) -> PolicyKey {
        let key = if self.switches.has(Switch::PolicyKeyZero) { PolicyKey(0) } else { self.fresh_key() };
        let dossier = &mut self.device.dossier;
        dossier.held = Held::Final { key, revision: self.revision, since: self.caller.now };
        dossier.arrival.provisions();
        dossier.temporary = None;
        dossier.forget_lenience();
        key
    }

    /// A key that is not 0.
    fn fresh_key(&mut self) -> PolicyKey {
        let number = self.device.keys.number() % u64::from(u32::MAX);
        PolicyKey(u32::try_from(number).unwrap_or(0).saturating_add(1))
    }

    fn data(&self, document: &PolicyDocument) -> PolicyData {
        let version = self.caller.version;
        if version < Version::V12_0 {
            return PolicyData::Wap(document.to_wap_xml());
        }
        let mut builder = Builder::new(tag::DATA);
        document.to_builder(&mut builder, version);
        let whole = builder.finish();
        let settings = whole.root().child(tag::EAS_PROVISION_DOC);
        PolicyData::Wbxml(settings.map_or_else(|| Builder::empty_root(tag::EAS_PROVISION_DOC), |at| at.to_document()))
    }
}

//! Provision: ask for the policy, see what of it the device can apply, and acknowledge it or not (MS-ASPROV 3.1.5.1).

use easrig_eas::{
    Command, PolicyKey, Version,
    command::{
        provision::{PolicyData, PolicyRequest, PolicyType, Request, Response},
        settings,
    },
    status::Status,
};

use crate::{
    Condition, Obeyed, PolicySetting, Wipe,
    answer::Answer,
    persona::word::Placement,
    phone::{
        line::{Line, Stop},
        request::Call,
    },
    reaction,
};

/// The common status of a first Provision without DeviceInformation.
const DEVICE_INFORMATION_REQUIRED: u16 = 165;

impl Line {
    /// Provision as a habit of its own: a device that then keeps silent has done all it does.
    pub(super) async fn provision_for_itself(&self) -> Result<(), Stop> {
        self.version().await?;
        self.provision().await.map(drop)
    }

    /// One whole Provision. `Some` names the settings for which the device kept silent.
    pub(in crate::phone) async fn provision(&self) -> Result<Option<Vec<String>>, Stop> {
        let version = self.version().await?;
        self.with(|core| core.policy_key = None);
        let placement = self.with(|core| core.persona.provisioning.device_information.value.at(version));
        let policy_type = if version == Version::V2_5 { PolicyType::Wap } else { PolicyType::Wbxml };
        let first = Request {
            device_information: (placement == Some(Placement::Provision))
                .then(|| self.with(|core| core.describe(version))),
            policies: vec![PolicyRequest { policy_type: policy_type.clone(), policy_key: None, status: None }],
            ..Request::default()
        };
        let said = self.ask(first, version).await?;
        if let Some(what) = reaction::wipe(&said) {
            return Err(self.wipe(&said, what, version).await);
        }
        let Some(policy) = said.policies.first().filter(|policy| policy.status != Some(Status(2))) else {
            self.describe_after(placement, version).await?;
            return Ok(None);
        };
        if let Some(status) = policy.status.filter(|status| status.0 != 1) {
            return Err(Stop::GaveUp(format!("the policy came with Status {status}")));
        }
        let refused = policy.data.as_ref().map(|data| self.refused(data)).unwrap_or_default();
        let status = match self.acknowledgement(&refused) {
            Some(status) => status,
            None => return Ok(Some(refused)),
        };
        let Some(temporary) = policy.policy_key else {
            return Err(Stop::GaveUp("the policy came without a key to acknowledge".to_owned()));
        };
        self.acknowledge(policy_type, temporary, status, refused, version).await?;
        self.describe_after(placement, version).await?;
        Ok(None)
    }

    async fn acknowledge(
        &self,
        policy_type: PolicyType,
        temporary: PolicyKey,
        status: Status,
        refused: Vec<String>,
        version: Version,
    ) -> Result<(), Stop> {
        let policy = PolicyRequest { policy_type, policy_key: Some(temporary), status: Some(status) };
        let request = Request { policies: vec![policy], ..Request::default() };
        let answer = self.post_provision(&request, Some(temporary), version).await?;
        let key = match self.read_provision(&answer, version) {
            Ok(said) => {
                said.policies.first().filter(|policy| is_fine(policy.status)).and_then(|policy| policy.policy_key)
            }
            Err(stop) if refused.is_empty() => return Err(stop),
            Err(_) => None,
        };
        match key {
            Some(key) => {
                self.with(|core| core.policy_key = Some(key));
                Ok(())
            }
            None if !self.rest(|core| &core.persona.provisioning.key_required) => Ok(()),
            None if refused.is_empty() => {
                Err(Stop::GaveUp("the acknowledged policy was answered without a final key".to_owned()))
            }
            None => Err(self.stop(&Condition::PolicyRefused { settings: refused })),
        }
    }

    /// The status the device acknowledges with; `None` when it keeps silent.
    fn acknowledgement(&self, refused: &[String]) -> Option<Status> {
        if refused.is_empty() {
            return Some(Status(1));
        }
        self.rest(|core| &core.persona.provisioning.cannot).status()
    }

    /// The binding settings that this device cannot apply.
    fn refused(&self, data: &PolicyData) -> Vec<String> {
        let treated = self.with(|core| core.persona.treated(data));
        for setting in &treated {
            self.rest_on(&setting.treatment);
        }
        self.with(|core| core.policy = treated.iter().map(PolicySetting::from).collect());
        reaction::unable(treated)
    }

    async fn ask(&self, request: Request, version: Version) -> Result<Response, Stop> {
        let answer = self.post_provision(&request, None, version).await?;
        self.read_provision(&answer, version)
    }

    async fn post_provision(
        &self,
        request: &Request,
        key: Option<PolicyKey>,
        version: Version,
    ) -> Result<Answer, Stop> {
        let mut call = Call::new(Command::Provision, request.to_document(version).encode());
        call.policy_key = key;
        self.transfer(&call).await
    }

    fn read_provision(&self, answer: &Answer, version: Version) -> Result<Response, Stop> {
        if let Some(condition) = answer.trouble() {
            if condition == Condition::Status(DEVICE_INFORMATION_REQUIRED) {
                self.rest(|core| &core.persona.provisioning.device_information);
            }
            return Err(self.stop(&condition));
        }
        let document = answer.document.as_ref().ok_or_else(|| self.stop(&Condition::BadAnswer))?;
        let said = Response::from_document(document, version)
            .map_err(|error| Stop::GaveUp(format!("the answer to Provision: {error}")))?;
        match said.status.filter(|status| status.0 != 1) {
            Some(status) => Err(Stop::GaveUp(format!("Provision was answered with Status {status}"))),
            None => Ok(said),
        }
    }

    async fn describe_after(&self, placement: Option<Placement>, version: Version) -> Result<(), Stop> {
        if placement != Some(Placement::SettingsAfter) {
            return Ok(());
        }
        let request = settings::Request {
            device_information: Some(self.with(|core| core.describe(version))),
            ..settings::Request::default()
        };
        // Not by `command`: a server that challenges here would start the whole round again.
        let answer = self.transfer(&Call::new(Command::Settings, request.to_document(version).encode())).await?;
        answer.trouble().map_or(Ok(()), |condition| Err(self.stop(&condition)))
    }

    /// A wipe is acknowledged only where that was allowed; either way nothing follows.
    async fn wipe(&self, said: &Response, what: Wipe, version: Version) -> Stop {
        if !self.with(|core| core.wipe_allowed) {
            return self.stop(&Condition::Wipe(what, Obeyed::NotYet));
        }
        let request = Request {
            remote_wipe: said.remote_wipe.then_some(Status(1)),
            account_only_remote_wipe: said.account_only_remote_wipe.then_some(Status(1)),
            ..Request::default()
        };
        match self.ask(request, version).await {
            Ok(_) => self.stop(&Condition::Wipe(what, Obeyed::Done)),
            Err(stop) => stop,
        }
    }
}

fn is_fine(status: Option<Status>) -> bool {
    status.is_none_or(|status| status.0 == 1)
}

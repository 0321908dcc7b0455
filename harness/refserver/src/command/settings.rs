//! Settings: out of office, the device's password and description, the owner's addresses (MS-ASCMD 2.2.1.18).

use easrig_eas::{
    Version,
    command::settings::{
        Account as AccountInformation, DevicePassword, OofMessage, OofRequest, OofResponse, OofSettings, OofState,
        Request, Response, RightsManagementInformation, UserInformation,
    },
    date::EasDate,
    policy::Setting,
    status::Status,
};
use easrig_exchange::Secret;
use easrig_wbxml::Document;

use crate::{Account, Answer, Caller, State, Switch, Switches};

/// The request breaks a rule.
const PROTOCOL_ERROR: u16 = 2;

/// An argument is out of bounds.
const INVALID_ARGUMENT: Status = Status(5);

/// Arguments contradict each other.
const CONFLICTING_ARGUMENTS: Status = Status(6);

/// The policy forbids it.
const DENIED_BY_POLICY: Status = Status(7);

/// Rights management is not there.
const RIGHTS_DISABLED: Status = Status(168);

/// The longest recovery password, in characters (MS-ASCMD Password).
const PASSWORD_MOST: usize = 256;

/// The longest out-of-office text, in bytes.
const OOF_TEXT_MOST: usize = 256 * 1024;

/// Answers each part of the request by itself.
pub(crate) fn run(state: &mut State, caller: &Caller, document: Option<&Document>) -> Answer {
    let Some(Ok(request)) = document.map(|document| Request::from_document(document, caller.version)) else {
        return caller.status(PROTOCOL_ERROR);
    };
    let State { site, switches, accounts, .. } = state;
    let Some(account) = accounts.get_mut(&caller.user) else { return caller.refuse(Status::SERVER_ERROR) };
    let policy = account.standing.policy(site).map(|policy| &policy.document);
    let recovery = policy.is_some_and(|policy| policy.get(Setting::PasswordRecoveryEnabled) == Some("1"));
    let mut response = Response {
        status: (!switches.has(Switch::StatusMissing)).then_some(Status::SUCCESS),
        oof: request.oof.map(|oof| answer_oof(account, oof, switches)),
        user_information: request.user_information.then(|| user_information(account, caller.version, switches)),
        rights_management_information: request
            .rights_management_information
            .then(|| RightsManagementInformation { status: Some(RIGHTS_DISABLED), templates: Vec::new() }),
        ..Response::default()
    };
    let Some(device) = account.partnerships.get_mut(&caller.device) else {
        return caller.refuse(Status::SERVER_ERROR);
    };
    if let Some(information) = request.device_information {
        device.dossier.information = Some(information);
        response.device_information = Some(Status::SUCCESS);
    }
    response.device_password = request.device_password.map(|password| match password {
        DevicePassword::Clear => {
            device.dossier.recovery_password = None;
            Status::SUCCESS
        }
        DevicePassword::Set(password) if password.chars().count() > PASSWORD_MOST => INVALID_ARGUMENT,
        DevicePassword::Set(_) if !recovery => DENIED_BY_POLICY,
        DevicePassword::Set(password) => {
            device.dossier.recovery_password = Some(Secret::new(password));
            Status::SUCCESS
        }
    });
    Answer::wbxml(&response.to_document(caller.version))
}

fn answer_oof(account: &mut Account, request: OofRequest, switches: &Switches) -> OofResponse {
    match request {
        OofRequest::Get { body_type } => {
            OofResponse { status: Some(Status::SUCCESS), settings: Some(shown(&account.standing.oof, &body_type)) }
        }
        OofRequest::Set(settings) => {
            let status = check(&settings);
            if status == Status::SUCCESS && !switches.has(Switch::OofNotStored) {
                account.standing.oof.take(settings);
            }
            OofResponse { status: Some(status), settings: None }
        }
    }
}

/// The settings as asked for: a state always, times only while they count, texts in the form they were set in.
fn shown(known: &OofSettings, body_type: &str) -> OofSettings {
    let state = known.state.unwrap_or(OofState::DISABLED);
    let timed = state == OofState::TIME_BASED;
    let message = |message: &OofMessage| OofMessage {
        body_type: message.body_type.clone().or_else(|| Some(body_type.to_owned())),
        ..message.clone()
    };
    OofSettings {
        state: Some(state),
        start_time: known.start_time.clone().filter(|_| timed),
        end_time: known.end_time.clone().filter(|_| timed),
        messages: known.messages.iter().map(message).collect(),
    }
}

fn check(settings: &OofSettings) -> Status {
    if settings.state.is_some_and(|state| state.0 > 2) {
        return INVALID_ARGUMENT;
    }
    let whole = settings.messages.iter().all(|message| {
        message.audience.is_some() && message.reply_message.as_ref().is_none_or(|text| text.len() <= OOF_TEXT_MOST)
    });
    let audiences = settings.messages.iter().filter_map(|message| message.audience);
    let twice = audiences.clone().any(|one| audiences.clone().filter(|other| *other == one).count() > 1);
    if !whole || twice {
        return INVALID_ARGUMENT;
    }
    let time = |text: &Option<String>| text.as_deref().map(str::parse::<EasDate>).transpose();
    match (time(&settings.start_time), time(&settings.end_time)) {
        (Ok(None), Ok(None)) if settings.state == Some(OofState::TIME_BASED) => CONFLICTING_ARGUMENTS,
        (Ok(None), Ok(None)) => Status::SUCCESS,
        (Ok(Some(start)), Ok(Some(end))) if start.at < end.at => Status::SUCCESS,
        (Ok(_), Ok(_)) => CONFLICTING_ARGUMENTS,
        _ => INVALID_ARGUMENT,
    }
}

/// What was set replaces what was known, part by part.
trait Take {
    fn take(&mut self, new: Self);
}

impl Take for OofSettings {
    fn take(&mut self, new: Self) {
        self.state = new.state.or(self.state);
        if new.start_time.is_some() {
            (self.start_time, self.end_time) = (new.start_time, new.end_time);
        }
        for message in new.messages {
            match self.messages.iter_mut().find(|known| known.audience == message.audience) {
                Some(known) => *known = message,
                None => self.messages.push(message),
            }
        }
    }
}

fn user_information(account: &Account, version: Version, switches: &Switches) -> UserInformation {
    let addresses = if switches.has(Switch::UserInformationEmpty) { Vec::new() } else { vec![account.address.clone()] };
    let mut information = AccountInformation { smtp_addresses: addresses.clone(), ..AccountInformation::default() };
    if version >= Version::V14_1 {
        information.primary_smtp_address = addresses.into_iter().next();
        information.user_display_name = Some(account.display_name.clone());
        information.send_disabled = Some(false);
    }
    UserInformation { status: Some(Status::SUCCESS), accounts: vec![information] }
}

//! The protocol read in the most naive way: three parts, standard library, no speed. The real parser must agree with it.

use stocking_proto::{
    AckId, ChannelName, ClientFrame, Count, Destination, ErrorCode, MAX_INTEGER, MembershipChange, PingCode,
    ServerFrame,
};

/// Not a frame.
const FRAME: i32 = -32600;
/// Not a channel name.
const NAME: i32 = -32003;

/// What a text from a client means, or the code it is answered with.
pub fn client(text: &str) -> Result<ClientFrame<'_>, i32> {
    let [kind, code, content] = split(text);
    match (kind, code) {
        ("0", "0") => Ok(ClientFrame::Open),
        ("0", "1") => Ok(ClientFrame::Resume(content)),
        ("2", _) => Ok(ClientFrame::Close),
        ("3", _) => Ok(ClientFrame::Ping(PingCode::new(code).ok_or(FRAME)?)),
        ("4", "0") => Ok(ClientFrame::Message { id: None, content }),
        ("4", _) => Ok(ClientFrame::Message { id: Some(id(code)?), content }),
        ("5", _) => Ok(ClientFrame::Broadcast { to: destination(code)?, content }),
        ("6", "1") => Ok(ClientFrame::Join(channel(content)?)),
        ("6", "0") => Ok(ClientFrame::Leave(channel(content)?)),
        _ => Err(FRAME),
    }
}

/// What a text from a server means, or the code that says why it means nothing.
pub fn server(text: &str) -> Result<ServerFrame<'_>, i32> {
    let [kind, code, content] = split(text);
    match (kind, code) {
        ("0", "") => Ok(ServerFrame::Connected),
        ("0", "0") => Ok(ServerFrame::Opened(content)),
        ("0", "1") => Ok(ServerFrame::Resumed(content)),
        ("1", _) => Ok(ServerFrame::Error { code: error_code(code)?, text: content }),
        ("2", _) => Ok(ServerFrame::Close),
        ("3", "") => Ok(ServerFrame::Pong(None)),
        ("3", _) => Ok(ServerFrame::Pong(Count::new(integer(code)?))),
        ("4", _) => Ok(ServerFrame::Reply { id: id(code)?, content }),
        ("5", _) => Ok(ServerFrame::Broadcast { to: destination(code)?, content }),
        ("6", _) => {
            let change = match code {
                "0" => MembershipChange::Left,
                "1" => MembershipChange::Joined,
                "2" => MembershipChange::TakenOut,
                "3" => MembershipChange::PutIn,
                _ => return Err(FRAME),
            };
            Ok(ServerFrame::Membership { channel: channel(content)?, change })
        }
        _ => Err(FRAME),
    }
}

/// Whether the type alone says that a text is counted.
pub fn counts(text: &str, types: &[&str]) -> bool {
    types.contains(&split(text)[0])
}

fn split(text: &str) -> [&str; 3] {
    let mut parts = text.splitn(3, ',');
    [(); 3].map(|()| parts.next().unwrap_or(""))
}

fn integer(code: &str) -> Result<u64, i32> {
    let value: u64 = code.parse().map_err(|_| FRAME)?;
    if value.to_string() == code && value <= MAX_INTEGER { Ok(value) } else { Err(FRAME) }
}

fn id(code: &str) -> Result<AckId, i32> {
    AckId::new(integer(code)?).ok_or(FRAME)
}

fn error_code(code: &str) -> Result<ErrorCode, i32> {
    let value: i32 = code.parse().map_err(|_| FRAME)?;
    if value.to_string() == code { ErrorCode::new(value).ok_or(FRAME) } else { Err(FRAME) }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 255 && !name.chars().any(|c| c == ',' || c.is_control())
}

fn destination(name: &str) -> Result<Destination<'_>, i32> {
    if is_name(name) { Destination::new(name).map_err(|_| FRAME) } else { Err(NAME) }
}

fn channel(name: &str) -> Result<ChannelName<'_>, i32> {
    if is_name(name) && !name.starts_with('@') {
        ChannelName::new(name).map_err(|_| FRAME)
    } else {
        Err(NAME)
    }
}

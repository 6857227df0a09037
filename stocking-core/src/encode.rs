//! Frames of the server, dressed as WebSocket messages: header and text in one run of bytes.

use std::{borrow::Cow, sync::Arc};

use stocking_proto::{AckId, Destination, ServerFrame, SuccessFrame};

use crate::{
    router::Reply,
    websocket::{Encoded, text_frame},
};

/// Appends `frame` as one message.
pub(crate) fn put(frame: &ServerFrame<'_>, output: &mut Vec<u8>) {
    text_frame(output, |output| frame.encode(output));
}

/// A broadcast, encoded once for everybody it goes to.
pub(crate) fn broadcast(to: Destination<'_>, content: &str) -> Encoded {
    let mut message = Vec::new();
    put(&ServerFrame::Broadcast { to, content }, &mut message);
    Arc::from(message)
}

/// Appends the success of a call that began with `head`, its `4,<id>,`. Nothing looks at the payload, which is JSON.
#[inline]
pub(crate) fn success(head: &str, payload: &[u8], output: &mut Vec<u8>) {
    text_frame(output, |output| SuccessFrame::encode_after(head, payload, output));
}

/// Appends what the sender of a request is told of its outcome: with a callback the reply, without one an error or
/// nothing.
pub(crate) fn answer(id: Option<AckId>, reply: &Reply, output: &mut Vec<u8>) {
    match (id, reply) {
        (Some(id), Ok(payload)) => {
            let frame = SuccessFrame { id, payload: payload.as_str() };
            text_frame(output, |output| frame.encode(output));
        }
        (Some(id), Err(error)) => {
            let reason = Cow::Borrowed(error.message());
            let failure = stocking_proto::Reply::Failure { code: error.code(), reason };
            text_frame(output, |output| {
                ServerFrame::Reply { id, content: "" }.encode(output);
                failure.encode(output);
            });
        }
        (None, Ok(_)) => {}
        (None, Err(error)) => put(&ServerFrame::Error { code: error.code(), text: error.message() }, output),
    }
}

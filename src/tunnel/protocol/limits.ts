/** The limits of the link protocol, version 1, as in docs/protocol.md; a peer is held to each of them. */

export const SUBPROTOCOL = 'private-connect.v1'

/** `type u8 | flags u8 | stream u32`, big-endian. */
export const HEADER_BYTES = 6

/** Bytes of DATA's payload: what one read brings, at most, fills a frame. */
export const MAX_DATA_BYTES = 64 * 1024

/** Bytes of a CTRL frame's JSON. */
export const MAX_CTRL_BYTES = 64 * 1024

/** Bytes of the text in OPEN_ERR, RST and GOAWAY: these frames go as control, ahead of all data. */
export const MAX_TEXT_BYTES = 512

/** The `maxPayload` of the WebSocket: the largest frame there is. */
export const MAX_FRAME_BYTES = HEADER_BYTES + MAX_CTRL_BYTES

/** Unacknowledged bytes of all streams of an agent, beyond which each may have INITIAL_WINDOW only. */
export const UNACKED_BUDGET_BYTES = 128 * 1024 * 1024

/** How long a nonce of the hub's may be signed, in seconds. */
export const NONCE_SECONDS = 30

/** Nonces that one agent may use in NONCE_SECONDS. */
export const MAX_NONCES = 256

/** Connections without a link at a time: 10,000 agents may come back at once. */
export const MAX_STRANGERS = 16_384

/**
 * The same where the hub speaks TLS: one that has begun its handshake takes 80 KB, and a quarter of a
 * millisecond or more, and all can begin theirs in the same moment.
 */
export const MAX_TLS_STRANGERS = 4096

/** Links of one agent at a time: its own process, and each `reach` beside it. */
export const MAX_LINKS = 64

/** Streams of one link at a time. */
export const MAX_STREAMS = 1024

/** An agent opens no more streams to a link while it has so many times as many there as are free. */
export const SHARE_OF_FREE = 3

/** Streams opened by one link that may wait for their OPEN_OK. */
export const MAX_PENDING_OPENS = 256

/** Streams that a connection may come through before the hub takes it for one that goes round. */
export const MAX_HOPS = 8

/** Lists of services of one link that the hub has not answered. */
export const MAX_WAITING_LISTS = 64

/** How long an OPEN may wait for its answer, in ms. */
export const OPEN_TIMEOUT_MS = 15_000

/** How long a stream waits for another link after it has lost one, in ms. */
export const RESUME_MS = 30_000

/** Streams of one agent that may wait at the hub for another link. */
export const MAX_LOST_STREAMS = 4096

/** A link queues what it has to send while its socket holds this many bytes, overhead included. */
export const SOCKET_BACKLOG_BYTES = 128 * 1024

/** A stream asks its source to pause while this many of its bytes wait. */
export const STREAM_BACKLOG_BYTES = 128 * 1024

/** Data for a link: above the first the hub keeps back the link's WINDOWs, below the second it sends them. */
export const LINK_BACKLOG_HIGH_BYTES = 4 * 1024 * 1024
export const LINK_BACKLOG_LOW_BYTES = 1024 * 1024

/** What a waiting frame counts for besides its bytes: many tiny frames take memory, too. */
export const FRAME_OVERHEAD_BYTES = 256

/** Past this backlog of all links of one agent, the hub resets that agent's streams, the largest first. */
export const AGENT_BACKLOG_MAX_BYTES = 128 * 1024 * 1024

/** Past this backlog of all links, the hub resets streams of the agent with the largest backlog. */
export const HUB_BACKLOG_MAX_BYTES = 512 * 1024 * 1024

/**
 * Control that may wait on one link; a peer that doesn't read its answers loses the link. What others can
 * make wait there, a few frames for each stream of the link, is less than half: they can't cost it the link.
 */
export const MAX_CONTROL_BACKLOG_BYTES = 4 * 1024 * 1024

/** The hub opens no more streams to a link on which this much control waits. */
export const CONTROL_BACKLOG_HIGH_BYTES = 512 * 1024

/** The work that frames of one agent may cause in one turn of the event loop, counted as bytes. */
export const TURN_WORK_BYTES = 1024 * 1024

/** The work of a frame, besides its bytes … */
export const FRAME_WORK_BYTES = 8 * 1024

/** … and of a frame that makes, ends or brings back a stream, or is a message (CTRL). */
export const HEAVY_WORK_BYTES = 32 * 1024

/** Streams that an agent may give up in a second before they were answered. */
export const MAX_GIVEN_UP = 256

/** A PING goes out after this long without any inbound byte, in ms … */
export const PING_AFTER_MS = 14_000

/** … and the link is lost after this long without any more, in ms. */
export const DEAD_AFTER_PING_MS = 10_000

/** A side that receives and has sent nothing for this long, in ms, sends a PING, to show that it lives. */
export const TELL_AFTER_MS = 4000

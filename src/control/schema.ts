import * as v from 'valibot'
import { AgentId } from '../config/agent-id.ts'
import { NumericAddress } from '../config/reaches.ts'
import { ExposedService, ExposedTarget } from '../config/services.ts'
import { InstanceProcess } from './process-record.ts'

/** The agent's local API: HTTP over a Unix socket, JSON bodies. */

const HubStatus = v.variant('state', [
  v.object({ state: v.literal('connecting'), since: v.string() }),
  v.object({ state: v.literal('connected'), since: v.string() }),
  v.object({ state: v.literal('retrying'), since: v.string(), reason: v.string() }),
])

/** Why connections through a kept reach fail now. */
export const ReachFailure = v.object({
  /** Who or what is in the way. */
  cause: v.picklist(['hub', 'service', 'agent', 'owner', 'target', 'limit', 'loop', 'other']),
  /** Of the last connection that failed. */
  reason: v.string(),
  /** RFC 3339; when the first one failed for this cause, none having succeeded since. */
  since: v.string(),
})
export type ReachFailure = v.InferOutput<typeof ReachFailure>

/** A kept reach, and how it stands. */
export const ReachStatus = v.object({
  name: v.string(),
  port: v.number(),
  /** Local address to listen on; null for both loopbacks. */
  bind: v.nullable(v.string()),
  /** The agent that alone may serve it; null until one is known; an older agent does not say. */
  agent: v.optional(v.nullable(v.string()), null),
  /** Those that are listened on now; none while the port can't be had. */
  addresses: v.array(v.string()),
  /** Of the error that keeps the port from being held; null while it is held. */
  code: v.nullable(v.string()),
  /** Why the port is not held, in words; null while it is. */
  reason: v.nullable(v.string()),
  /** RFC 3339; since when the port has been held, or not. */
  since: v.string(),
  /** How many clients are connected, those included that wait. */
  connections: v.number(),
  failure: v.nullable(ReachFailure),
})
export type ReachStatus = v.InferOutput<typeof ReachStatus>

/** GET /v1/status, of an agent or the hub: which process answers. */
export const Identified = v.object({ agent: InstanceProcess })

/** GET /v1/status */
export const AgentStatus = v.object({
  agent: InstanceProcess,
  agentId: v.string(),
  label: v.string(),
  hubUrl: v.string(),
  hub: HubStatus,
  services: v.array(ExposedService),
  /** What is kept; an older agent does not say. */
  reaches: v.optional(v.array(ReachStatus)),
  streams: v.number(),
})
export type AgentStatus = v.InferOutput<typeof AgentStatus>

/** A service of the workspace, as the hub says it. */
export const Offer = v.object({
  name: v.string(),
  /** Null if what is behind it has none, as a Unix socket. */
  port: v.nullable(v.number()),
  /** The id of the machine that exposes it, and its label. */
  agent: v.string(),
  label: v.string(),
  /** That machine is connected. */
  online: v.boolean(),
})
export type Offer = v.InferOutput<typeof Offer>

/** GET /v1/offers: the agent asks the hub; a command would have to load all that takes first. */
export const OffersReply = v.object({ offers: v.array(Offer) })
export type OffersReply = v.InferOutput<typeof OffersReply>

/**
 * GET /v1/ports/PORT: whether one of the agent’s connections to a target comes from that local port, and
 * the hops of its stream.
 */
export const PortReply = v.object({ carries: v.boolean(), hops: v.optional(v.number()) })
export type PortReply = v.InferOutput<typeof PortReply>

/** PUT /v1/services/NAME */
export const ExposeRequest = ExposedTarget
export type ExposeRequest = v.InferOutput<typeof ExposeRequest>

/** What became of the request: saved in any case; the hub may not have heard of it yet. */
export const ExposeReply = v.object({
  confirmed: v.boolean(),
  reason: v.optional(v.string()),
  /** The target that the name had before, if it was another one. */
  was: v.optional(ExposedTarget),
})
export type ExposeReply = v.InferOutput<typeof ExposeReply>

/** DELETE /v1/services/NAME or /v1/reaches/NAME; an older agent ends no connections, whatever it is asked. */
export const TakeBackRequest = v.object({
  /** The connections that are open go on until they end by themselves. */
  drain: v.optional(v.boolean(), false),
})
export type TakeBackRequest = v.InferOutput<typeof TakeBackRequest>

export const UnexposeReply = v.object({
  removed: v.boolean(),
  /** How many were ended; an older agent ends none, and does not say so. */
  ended: v.optional(v.number()),
  /** How many connections to the service stay open; an older agent does not say. */
  connections: v.optional(v.number()),
})
export type UnexposeReply = v.InferOutput<typeof UnexposeReply>

const Port = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535))

/** PUT /v1/reaches/NAME: what a reach is to be kept as, as far as somebody has said. */
export const KeepRequest = v.object({
  /** 0 for a free one; without it the one that is kept, else the service's own or the next free one. */
  port: v.optional(Port),
  /** Null for both loopbacks; without it as it is kept, else both loopbacks. */
  bind: v.optional(v.nullable(NumericAddress)),
  /** The service's own port, and whether an agent of this machine exposes it; null if it has none. */
  own: v.optional(v.nullable(v.object({ port: Port, isTaken: v.boolean() }))),
  /** The agent that alone may serve it; without it the one that is kept, else the first that does. */
  agent: v.optional(AgentId),
})
export type KeepRequest = v.InferOutput<typeof KeepRequest>

export const KeepReply = v.object({
  outcome: v.picklist(['kept', 'moved', 'accepted', 'unchanged']),
  reach: ReachStatus,
  /** Why the port is not the service's own; null if it is, or was asked for. */
  because: v.nullable(v.string()),
})
export type KeepReply = v.InferOutput<typeof KeepReply>

export const UnreachReply = v.object({
  removed: v.boolean(),
  /** How many connections were ended. */
  ended: v.number(),
  /** How many stay open. */
  connections: v.number(),
})
export type UnreachReply = v.InferOutput<typeof UnreachReply>

export const ErrorReply = v.object({ error: v.object({ code: v.string(), message: v.string() }) })

import * as v from 'valibot'
import { ExposedService } from '../config/services.ts'
import { AgentIdentity } from './agent-record.ts'

/** The agent's local API: HTTP over a Unix socket, JSON bodies. */

const HubStatus = v.variant('state', [
  v.object({ state: v.literal('connecting'), since: v.string() }),
  v.object({ state: v.literal('connected'), since: v.string() }),
  v.object({ state: v.literal('retrying'), since: v.string(), reason: v.string() }),
])

/** GET /v1/status */
export const AgentStatus = v.object({
  agent: AgentIdentity,
  agentId: v.string(),
  label: v.string(),
  hubUrl: v.string(),
  hub: HubStatus,
  services: v.array(ExposedService),
  streams: v.number(),
})
export type AgentStatus = v.InferOutput<typeof AgentStatus>

/**
 * GET /v1/ports/PORT: whether one of the agent’s connections to a target comes from that local port, and
 * the hops of its stream.
 */
export const PortReply = v.object({ carries: v.boolean(), hops: v.optional(v.number()) })
export type PortReply = v.InferOutput<typeof PortReply>

/** PUT /v1/services/NAME */
export const ExposeRequest = v.omit(ExposedService, ['name'])
export type ExposeRequest = v.InferOutput<typeof ExposeRequest>

/** What became of the request: saved in any case; the hub may not have heard of it yet. */
export const ExposeReply = v.object({ confirmed: v.boolean(), reason: v.optional(v.string()) })
export type ExposeReply = v.InferOutput<typeof ExposeReply>

/** DELETE /v1/services/NAME */
export const UnexposeReply = v.object({
  removed: v.boolean(),
  /** How many connections to the service stay open; an older agent does not say. */
  streams: v.optional(v.number()),
})
export type UnexposeReply = v.InferOutput<typeof UnexposeReply>

export const ErrorReply = v.object({ error: v.object({ code: v.string(), message: v.string() }) })

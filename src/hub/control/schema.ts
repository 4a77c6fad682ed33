import * as v from 'valibot'
import { InstanceProcess } from '../../control/process-record.ts'

/** The hub's local API, for commands on its machine, on the socket of its instance: HTTP, JSON bodies. */

/** GET /v1/status */
export const HubStatus = v.object({
  /** Which process it is, and of which version; named as an agent's is, so that either is found alike. */
  agent: InstanceProcess,
  hubId: v.string(),
  /** HOST:PORT, with the port that it has. */
  listen: v.string(),
  /** The address that others are told. */
  url: v.string(),
  /** Of the certificate that it speaks HTTPS with; null on plain http. */
  certificate: v.nullable(
    v.object({
      /** When it ends, RFC 3339. */
      notAfter: v.string(),
      /** Whether the hub has made it itself. */
      own: v.boolean(),
      /** SHA-256 of the topmost certificate that is sent, in DER, as openssl prints it. */
      fingerprint: v.string(),
      /** The file of the authority that machines are to trust, where it is the hub's own. */
      authority: v.nullable(v.string()),
      /** What is to be said of its dates, a sentence without a full stop. */
      warning: v.nullable(v.string()),
      /** Why no agent accepts it at `url`, a sentence without a full stop; an older hub does not say. */
      misfit: v.optional(v.nullable(v.string())),
    }),
  ),
  /** Machines that have joined, without those that were revoked. */
  joined: v.number(),
  /** Those of them whose agent is connected. */
  online: v.number(),
  /** Those of agents and of reaches. */
  links: v.number(),
  /** Whether one of them comes from an address of another machine; an older hub does not say. */
  outside: v.optional(v.boolean()),
  /** Connections that pass through, those included that wait for a link. */
  streams: v.number(),
  /**
   * Why the hub can't save what changes, and how many changes are in effect that would be lost if it ended:
   * none where it has refused what is new. Null while it can.
   */
  unsaved: v.nullable(v.object({ changes: v.number(), reason: v.string() })),
})
export type HubStatus = v.InferOutput<typeof HubStatus>

/** A machine that has joined. */
export const HubAgent = v.object({
  id: v.string(),
  label: v.string(),
  /** RFC 3339 */
  joinedAt: v.string(),
  revoked: v.boolean(),
  /** Whether its agent is connected; a mere reach doesn't count. */
  online: v.boolean(),
  /** RFC 3339; when it was connected last, a mere reach included; null if that isn't known. */
  lastSeen: v.nullable(v.string()),
})
export type HubAgent = v.InferOutput<typeof HubAgent>

/** How many machines one answer tells of at the most: their labels may have 255 characters. */
export const AGENTS_A_PAGE = 500

/** GET /v1/agents, or /v1/agents?after=ID for those behind that one: in the order of their ids. */
export const AgentsReply = v.object({ agents: v.array(HubAgent), more: v.boolean() })
export type AgentsReply = v.InferOutput<typeof AgentsReply>

/**
 * DELETE /v1/agents/ID or /v1/tokens/ID revokes, POST /v1/agents/ID/remove forgets: it is in effect, saved or
 * not yet, and why not.
 */
export const RevokeReply = v.variant('saved', [
  v.object({ saved: v.literal(true) }),
  v.object({ saved: v.literal(false), reason: v.string() }),
])
export type RevokeReply = v.InferOutput<typeof RevokeReply>

/** POST /v1/tokens?ttlMs=N&uses=N */
export const TokenReply = v.object({
  id: v.string(),
  token: v.string(),
  /** ms since 1970 */
  expiresAt: v.number(),
})

/** How many join tokens one answer tells of at the most. */
export const MAX_TOKENS = 500

/** GET /v1/tokens: the join tokens that are valid, never the tokens themselves, the newest first. */
export const TokensReply = v.object({
  tokens: v.array(
    v.object({
      id: v.string(),
      usesLeft: v.number(),
      /** RFC 3339 */
      expiresAt: v.string(),
    }),
  ),
})
export type TokensReply = v.InferOutput<typeof TokensReply>

/** Every join token that was made and is still known, never the token itself. */
export const HubToken = v.object({
  id: v.string(),
  state: v.picklist(['valid', 'used up', 'expired', 'revoked']),
  usesLeft: v.number(),
  /** RFC 3339 */
  createdAt: v.string(),
  /** RFC 3339 */
  expiresAt: v.string(),
})
export type HubToken = v.InferOutput<typeof HubToken>

/** GET /v1/tokens/all, or /v1/tokens/all?after=ID for those behind that one: in the order of their ids. */
export const AllTokensReply = v.object({ tokens: v.array(HubToken), more: v.boolean() })
export type AllTokensReply = v.InferOutput<typeof AllTokensReply>

/** GET /v1/saved: what a hub that starts would find, and what it would not. */
export const SavedReply = v.object({
  id: v.string(),
  generation: v.number(),
  unsaved: HubStatus.entries.unsaved,
})
export type SavedReply = v.InferOutput<typeof SavedReply>

/** With status 507 (RFC 4918 §11.5): nothing was done, since that can't be saved, and why not. */
export const NOT_SAVED = 507
export const NotSavedReply = v.object({ reason: v.string() })

/** With status 404: there is nothing with that id. */
export const NOT_THERE = 404

import * as v from 'valibot'
import { AgentId } from '../../config/agent-id.ts'
import { ServiceName } from '../../config/service-name.ts'
import { MAX_SERVICES } from '../../config/services.ts'
import { printable } from '../../text/printable.ts'

/** What agent and hub say to each other besides frames: HTTP bodies, token claims, CTRL messages. */

export const PROTOCOL_VERSION = 1

/** Every answer of a hub has this header, so that a proxy's error page is told from the hub's own word. */
export const HUB_HEADER = 'x-private-connect-hub'

export const HubId = v.pipe(v.string(), v.regex(/^hub_[0-9a-f]{16}$/))
export const Label = v.pipe(v.string(), v.minLength(1), v.maxLength(255))
export const Port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535))

/** A hub's words for a person: they hold what other agents call themselves, and end up on a terminal. */
const Message = v.pipe(v.string(), v.maxLength(500), v.transform(printable))

/** An agent's public key: RFC 8037 JWK. */
export const PublicKey = v.object({
  kty: v.literal('OKP'),
  crv: v.literal('Ed25519'),
  // 32 bytes, in the one way of writing them: the two bits too many are zero (RFC 4648 §3.5).
  x: v.pipe(v.string(), v.regex(/^[\w-]{42}[AEIMQUYcgkosw048]$/)),
})
export type PublicKey = v.InferOutput<typeof PublicKey>

/** `agent` is the kept-alive process that serves; `client` is a `reach` beside it. */
export const Role = v.picklist(['agent', 'client'])
export type Role = v.InferOutput<typeof Role>

/** What the hub has made to be signed. */
const Nonce = v.pipe(v.string(), v.regex(/^[\w-]{16,128}$/))

/** Claims of every token. */
export const TokenClaims = v.object({
  /** The agent. */
  iss: AgentId,
  /** The hub: its id, not its address. */
  aud: v.string(),
  nonce: Nonce,
})
export type TokenClaims = v.InferOutput<typeof TokenClaims>

/** What the token that opens a link claims besides. */
export const LinkClaims = v.object({
  purpose: v.literal('link'),
  /** Random per process: the same link comes back on a new connection with a higher epoch. */
  link: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
  epoch: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  role: Role,
})
export type LinkClaims = v.InferOutput<typeof LinkClaims>

/** Claims of a token for the HTTP API. */
export const ApiClaims = v.object({ purpose: v.literal('api') })

/** Claims of the proof in a request to join. */
export const JoinClaims = v.object({ purpose: v.literal('join') })

/** GET /v1/hub */
export const HubInfo = v.object({
  hub: HubId,
  protocol: v.number(),
  version: v.string(),
  /** For the proof of whoever joins next. */
  nonce: Nonce,
})
export type HubInfo = v.InferOutput<typeof HubInfo>

/** GET /v1/nonce */
export const NonceReply = v.object({ nonce: Nonce })

/** POST /v1/join, signed by the key that it brings (`proof`): nobody registers a key that isn't theirs. */
export const JoinRequest = v.object({
  token: v.pipe(v.string(), v.maxLength(128)),
  key: PublicKey,
  label: Label,
  proof: v.pipe(v.string(), v.maxLength(2048)),
})
export type JoinRequest = v.InferOutput<typeof JoinRequest>

export const JoinReply = v.object({ agent: AgentId, hub: HubId })
export type JoinReply = v.InferOutput<typeof JoinReply>

/** Why the hub says no. Only these words, in the hub's own answer, are its word. */
export const Refusal = v.object({
  error: v.picklist([
    'bad_request',
    'bad_token',
    'internal',
    'nonce',
    'not_found',
    'revoked',
    'storage',
    'token_refused',
    'unknown_agent',
    'superseded',
    'too_many',
  ]),
  message: Message,
  /** With the word `nonce`: the nonce to sign in place of the one that was signed. */
  nonce: v.optional(Nonce),
  /** With the word `token_refused`, to whoever has such a token: `used up`, `expired` or `revoked`. */
  tokenState: v.optional(v.string()),
})
export type Refusal = v.InferOutput<typeof Refusal>

/** GET /v1/services */
export const OfferedService = v.object({
  name: ServiceName,
  /** None if what is behind it has none, as a Unix socket. */
  port: v.optional(Port),
  agent: AgentId,
  label: Label,
  online: v.boolean(),
})
export type OfferedService = v.InferOutput<typeof OfferedService>
export const ServiceList = v.object({ services: v.array(OfferedService) })

/** The parameter of its query by which a client asks for services without a port, too: `true`. */
export const PORTLESS = 'portless'

/** The head of ServicesMessage: enough to answer it. */
export const ServicesHead = v.object({
  type: v.literal('services'),
  /** Counts up; the answer has the same. */
  seq: v.pipe(v.number(), v.safeInteger()),
})

/**
 * First CTRL of an agent, and again whenever what it exposes changes: all of it, each time. Services without
 * a port only to a hub that has said `portless`: another one would not understand the list.
 */
export const ServicesMessage = v.object({
  ...ServicesHead.entries,
  services: v.pipe(
    v.array(v.object({ name: ServiceName, port: v.optional(Port) })),
    v.maxLength(MAX_SERVICES),
  ),
})

/** First CTRL of either role. */
export const HelloMessage = v.object({ type: v.literal('hello'), version: v.string(), label: Label })

export type AgentMessage = v.InferOutput<typeof HelloMessage> | v.InferOutput<typeof ServicesMessage>

/** The hub's answer to `hello`: the link is registered. */
const WelcomeMessage = v.object({
  type: v.literal('welcome'),
  hub: HubId,
  version: v.string(),
  /** The hub takes services without a port. */
  portless: v.optional(v.boolean(), false),
  /** The hub opens a stream to no other agent than the one that its OPEN names. */
  named: v.optional(v.boolean(), false),
})

/** The hub's answer to `services`. A refused name is someone else's, or can't be saved (error `storage`). */
const ServicesReply = v.object({
  type: v.literal('services'),
  seq: v.number(),
  refused: v.array(v.object({ name: v.string(), error: v.optional(v.string()), message: Message })),
})

export const HubMessage = v.variant('type', [WelcomeMessage, ServicesReply])
export type HubMessage = v.InferOutput<typeof HubMessage>

import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import * as v from 'valibot'
import { WebSocket } from 'ws'
import type { PrivateKey } from '../../../src/config/config.ts'
import { newKey, Signer } from '../../../src/hub-client/credential.ts'
import { startHub, type HubOptions } from '../../../src/hub/server.ts'
import { Store } from '../../../src/hub/store/store.ts'
import { agentIdOf } from '../../../src/tunnel/protocol/agent-id.ts'
import {
  HUB_HEADER,
  JoinReply,
  NonceReply,
  Refusal,
  type Role,
} from '../../../src/tunnel/protocol/handshake.ts'
import { SUBPROTOCOL } from '../../../src/tunnel/protocol/limits.ts'
import { makeHome } from '../../helpers/home.ts'
import { RawPeer } from './raw-peer.ts'

/** A machine that has joined: what it is called, and what it signs with. */
export interface Joined {
  readonly agentId: string
  readonly hubId: string
  readonly key: PrivateKey
  readonly signer: Signer
}

/** What came of asking for a link. */
export type Dialled =
  | { readonly status: 101; readonly peer: RawPeer }
  | {
      readonly status: number
      readonly error: Refusal['error']
      /** Another one to sign. */
      readonly nonce: string | undefined
      readonly peer?: never
    }

export interface DialOptions {
  readonly path?: string
  readonly headers?: Record<string, string>
  readonly protocols?: string[]
}

/** A real hub in this process, and clients that are written from docs/protocol.md alone. */
export class RealHub {
  readonly id: string
  /** Host and port. */
  readonly url: string
  readonly #newToken: () => Promise<string>
  readonly #revoke: (agentId: string) => Promise<void>
  readonly #stop: () => Promise<void>
  readonly #sockets: WebSocket[] = []

  private constructor(
    { id, url }: { id: string; url: string },
    by: Pick<RealHub, 'stop'> & {
      newToken: () => Promise<string>
      revoke: (agentId: string) => Promise<void>
    },
  ) {
    this.id = id
    this.url = url
    this.#newToken = by.newToken
    this.#revoke = by.revoke
    this.#stop = by.stop
  }

  static async start(options: Pick<HubOptions, 'openTimeoutMs'> = {}): Promise<RealHub> {
    const home = makeHome('hub')
    const folder = home.file('hub')
    const hub = await startHub({
      folder,
      host: '127.0.0.1',
      port: 0,
      version: '0.0.0',
      log() {},
      ...options,
    })
    const withStore = async <T>(work: (store: Store) => T): Promise<T> => {
      const store = await Store.open(folder)
      try {
        return work(store)
      } finally {
        store.close()
      }
    }
    const address = { id: hub.id, url: `127.0.0.1:${hub.port}` }
    return new RealHub(address, {
      newToken: () => withStore((store) => store.createToken({ ttlMs: 60_000, uses: 1 }).token),
      revoke: async (agentId) => {
        await withStore((store) => store.revokeAgent(agentId))
      },
      async stop() {
        await hub.close()
        home.remove()
      },
    })
  }

  /** One that runs as a process of its own, and is stopped by whoever has started it. */
  static async at(hubUrl: string, newToken: () => Promise<string>): Promise<RealHub> {
    const response = await fetch(`${hubUrl}/v1/hub`)
    const { hub: id } = v.parse(v.object({ hub: v.string() }), await response.json())
    const revoke = () => Promise.reject(new Error('whoever has started it revokes'))
    return new RealHub({ id, url: new URL(hubUrl).host }, { newToken, revoke, async stop() {} })
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.terminate()
    await this.#stop()
  }

  async join(): Promise<Joined> {
    const key = await newKey()
    const publicKey = { kty: key.kty, crv: key.crv, x: key.x }
    const agentId = agentIdOf(publicKey)
    const signer = new Signer({ agentId, hubId: this.id, key })
    const token = await this.#newToken()
    const response = await fetch(`http://${this.url}/v1/join`, {
      method: 'POST',
      body: JSON.stringify({
        token,
        key: publicKey,
        label: 'test',
        proof: await signer.sign({ purpose: 'join' }, await this.nonce()),
      }),
    })
    const reply = v.parse(JoinReply, await response.json())
    if (reply.agent !== agentId || reply.hub !== this.id) throw new Error('joined as somebody else')
    return { agentId, hubId: this.id, key, signer }
  }

  /** Something to sign. */
  async nonce(): Promise<string> {
    const response = await fetch(`http://${this.url}/v1/nonce`)
    return v.parse(NonceReply, await response.json()).nonce
  }

  async revoke({ agentId }: Joined): Promise<void> {
    await this.#revoke(agentId)
  }

  /** Asks for a link with this token. */
  async dial(token: string, options: DialOptions = {}): Promise<Dialled> {
    const socket = new WebSocket(
      `ws://${this.url}${options.path ?? '/v1/link'}`,
      options.protocols ?? [SUBPROTOCOL],
      { headers: { authorization: `Bearer ${token}`, ...options.headers }, perMessageDeflate: false },
    )
    this.#sockets.push(socket)
    const { promise, resolve, reject } = Promise.withResolvers<RawPeer | IncomingMessage>()
    // At once: the hub's first frames may come with its answer.
    socket.once('upgrade', ({ socket: raw }) => resolve(new RawPeer({ socket, raw })))
    socket.once('unexpected-response', (_request, response) => resolve(response))
    socket.on('error', reject)
    const answer = await promise
    if (answer instanceof RawPeer) return { status: 101, peer: answer }
    if (answer.headers[HUB_HEADER] !== this.id) throw new Error('an answer without the hub’s header')
    const { error, nonce } = v.parse(Refusal, JSON.parse(await text(answer)))
    return { status: answer.statusCode ?? 0, error, nonce }
  }

  /** Has a link; throws if the hub refuses it. */
  async link(
    joined: Joined,
    { link = linkId(), epoch = 1, role = 'agent' }: { link?: string; epoch?: number; role?: Role } = {},
  ): Promise<RawPeer> {
    const claims = { purpose: 'link', link, epoch, role }
    const dialled = await this.dial(await joined.signer.sign(claims, await this.nonce()))
    if (!dialled.peer) throw new Error(`the hub refused: ${JSON.stringify(dialled)}`)
    return dialled.peer
  }

  /** GET or DELETE over the HTTP API. */
  async call(method: string, path: string, token: string): Promise<{ status: number; body: unknown }> {
    const headers = { authorization: `Bearer ${token}` }
    const response = await fetch(`http://${this.url}${path}`, { method, headers })
    return { status: response.status, body: await response.json() }
  }
}

export function linkId(): string {
  return randomBytes(16).toString('hex')
}

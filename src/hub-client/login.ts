import { prepareConfig, type Config } from '../config/config.ts'
import type { Instance } from '../config/instance.ts'
import { ConnectError } from '../errors.ts'
import { agentIdOf } from '../tunnel/protocol/agent-id.ts'
import { openUnverified, type HubAddress } from './connection.ts'
import { newKey, Signer } from './credential.ts'
import { HubClient } from './hub-client.ts'
import { hubUnreachable } from './hub-unreachable.ts'
import { invitedAuthority } from './tls/invited-authority.ts'
import { wrongAuthority } from './tls/wrong-authority.ts'

export interface LoginOptions extends Omit<HubAddress, 'authority'> {
  readonly insecure: boolean
  readonly label: string
  readonly token: string
  /** The hub that is to be joined, if that is known: no token is sent to another one. */
  readonly hubId?: string | undefined
  /** Of the certificate that the hub's must lead to, see invite.ts; then nothing is sent to any other. */
  readonly fingerprint?: string | undefined
}

/**
 * Joins a hub: makes a key, spends the token to register it, and saves both.
 *
 * @throws ConnectError HUB_UNREACHABLE, PROXY_FAILED, NOT_A_HUB, WRONG_HUB, WRONG_AUTHORITY, TOKEN_REFUSED,
 * WRITE_FAILED
 */
export async function login(instance: Instance, options: LoginOptions): Promise<Config> {
  const { hub, proxy, ca, insecure, label, token, fingerprint } = options
  const invited = fingerprint === undefined ? undefined : await lookAt(options, fingerprint)
  // Also where the authority is known: between the look and now another could have come in between.
  const api = new HubClient({ ...options, authority: invited?.authority })
  const info = await api.info()
  if (options.hubId !== undefined && info.hub !== options.hubId)
    throw new ConnectError('WRONG_HUB', `${hub} leads to another hub (${info.hub}) than this one`)
  const key = await newKey()
  const publicKey = { kty: key.kty, crv: key.crv, x: key.x }
  const config: Config = {
    agentId: agentIdOf(publicKey),
    label,
    hub,
    hubId: info.hub,
    insecure,
    proxy,
    ca,
    authority: invited?.isKnown ? undefined : invited?.authority,
    key,
  }
  // Before the token is spent: on a full disk the token would be lost, and the key with it.
  const pending = prepareConfig(instance, config)
  try {
    const joined = await api.join(new Signer(config), { token, key: publicKey, label }, info.nonce)
    if (joined.hub !== info.hub || joined.agent !== config.agentId)
      throw new ConnectError(
        'NOT_A_HUB',
        `${hub} said at first that it is ${info.hub}, and then something else`,
      )
  } catch (error) {
    pending.discard()
    throw error
  }
  pending.commit()
  return config
}

/**
 * Looks which certificates a hub shows, and takes the one that an invite names. Nothing is sent but the
 * handshake.
 *
 * @returns the certificate in PEM, and whether what this machine trusts by itself leads to that hub as well:
 * then its authority may change, and is not remembered
 */
async function lookAt(
  address: HubAddress,
  fingerprint: string,
): Promise<{ authority: string; isKnown: boolean }> {
  const { hub } = address
  if (!hub.startsWith('https:'))
    throw new ConnectError(
      'INSECURE_HUB',
      `The invite is for a hub with a certificate, and ${hub} is plain http`,
      {
        hints: [`Give its https address: --hub ${hub.replace(/^http/, 'https')}; or leave --hub out.`],
      },
    )
  const socket = await openUnverified(address).catch((error: unknown) => {
    throw hubUnreachable(hub, error)
  })
  try {
    const authority = invitedAuthority(socket, fingerprint)
    if (authority === undefined) throw wrongAuthority(hub)
    return { authority, isKnown: socket.authorized }
  } finally {
    socket.destroy()
  }
}

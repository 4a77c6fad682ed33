import { prepareConfig, type Config } from '../config/config.ts'
import type { Instance } from '../config/instance.ts'
import { ConnectError } from '../errors.ts'
import { agentIdOf } from '../tunnel/protocol/agent-id.ts'
import type { HubAddress } from './connection.ts'
import { newKey, Signer } from './credential.ts'
import { HubClient } from './hub-client.ts'

const JOIN_TOKEN = /^tok_\w{1,100}$/

/** @throws ConnectError BAD_TOKEN, without the token in it */
export function parseJoinToken(text: string): string {
  const token = text.trim()
  if (token === '') throw new ConnectError('BAD_TOKEN', 'The join token is empty')
  if (!JOIN_TOKEN.test(token))
    throw new ConnectError('BAD_TOKEN', 'This is not a join token: one begins with tok_')
  return token
}

/**
 * Joins a hub: makes a key, spends the token to register it, and saves both.
 *
 * @param options.token asked for only once the hub has answered
 * @throws ConnectError HUB_UNREACHABLE, PROXY_FAILED, NOT_A_HUB, TOKEN_REFUSED, WRITE_FAILED
 */
export async function login(
  instance: Instance,
  options: HubAddress & { insecure: boolean; label: string; token: () => Promise<string> },
): Promise<Config> {
  const { hub, proxy, ca, insecure, label } = options
  const api = new HubClient(options)
  const info = await api.info()
  const token = await options.token()
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

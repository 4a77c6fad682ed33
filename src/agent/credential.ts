import { exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose'
import * as v from 'valibot'
import { PrivateKey, type Config } from '../config/config.ts'
import { ConnectError } from '../errors.ts'
import { TOKEN_SECONDS } from '../tunnel/handshake.ts'

/** Makes the key pair that this machine is known by. It never leaves the config file. */
export async function newKey(): Promise<PrivateKey> {
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  const { kty, crv, x, d } = await exportJWK(privateKey)
  return v.parse(PrivateKey, { kty, crv, x, d })
}

/** Signs short-lived tokens for one hub, by the hub's clock. */
export class Signer {
  readonly #config: Pick<Config, 'agentId' | 'hubId' | 'key'>
  /** The hub's clock minus ours, in ms. */
  offsetMs = 0

  constructor(config: Pick<Config, 'agentId' | 'hubId' | 'key'>) {
    this.#config = config
  }

  /** @throws ConnectError CONFIG_DAMAGED if the two halves of the key don't belong together */
  async sign(claims: Record<string, string | number>): Promise<string> {
    const now = Math.floor((Date.now() + this.offsetMs) / 1000)
    const { agentId, hubId } = this.#config
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'EdDSA' })
      .setIssuer(agentId)
      .setAudience(hubId)
      .setIssuedAt(now)
      .setExpirationTime(now + TOKEN_SECONDS)
      .sign(await this.#importedKey())
  }

  async #importedKey(): ReturnType<typeof importJWK> {
    try {
      return await importJWK(this.#config.key, 'EdDSA')
    } catch (error) {
      throw new ConnectError('CONFIG_DAMAGED', 'The private key in the config is damaged', { cause: error })
    }
  }
}

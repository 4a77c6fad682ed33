import { SignJWT } from 'jose/jwt/sign'
import { exportJWK } from 'jose/key/export'
import { generateKeyPair } from 'jose/key/generate/keypair'
import { importJWK } from 'jose/key/import'
import * as v from 'valibot'
import { PrivateKey, type Config } from '../config/config.ts'
import { ConnectError } from '../errors.ts'

/** Makes the key pair that this machine is known by. It never leaves the config file. */
export async function newKey(): Promise<PrivateKey> {
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  const { kty, crv, x, d } = await exportJWK(privateKey)
  return v.parse(PrivateKey, { kty, crv, x, d })
}

/** Signs tokens for one hub. */
export class Signer {
  readonly #config: Pick<Config, 'agentId' | 'hubId' | 'key'>

  constructor(config: Pick<Config, 'agentId' | 'hubId' | 'key'>) {
    this.#config = config
  }

  /**
   * @param nonce what the hub has made to be signed: no clock has a say in how long a token is good
   * @throws ConnectError CONFIG_DAMAGED if the two halves of the key don't belong together
   */
  async sign(claims: Record<string, string | number>, nonce: string): Promise<string> {
    const { agentId, hubId } = this.#config
    return new SignJWT({ ...claims, nonce })
      .setProtectedHeader({ alg: 'EdDSA' })
      .setIssuer(agentId)
      .setAudience(hubId)
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

import { hubInstance } from '../../config/hub/hub-instance.ts'
import { requestHub } from '../../hub/control/client.ts'
import { TokenReply } from '../../hub/control/schema.ts'
import type { MadeToken, TokenOptions } from '../../hub/store/store.ts'
import { withStore } from './with-store.ts'

/**
 * Makes a join token: through the hub if one runs, so that it is one that lasts; else in its database, which
 * may well be before the hub's first start.
 *
 * @throws ConnectError HUB_DATA_DAMAGED, WRITE_FAILED
 */
export async function createToken(folder: string, { ttlMs, uses }: TokenOptions): Promise<MadeToken> {
  const hub = hubInstance({ dataDir: folder })
  const made = await requestHub(hub, 'POST', `/v1/tokens?ttlMs=${ttlMs}&uses=${uses}`, TokenReply)
  return made ?? withStore(folder, (store) => store.createToken({ ttlMs, uses }), { existing: false })
}

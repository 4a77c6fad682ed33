import { NOT_THERE, TokenReply } from '../../hub/control/schema.ts'
import type { MadeToken, TokenOptions } from '../../hub/store/store.ts'
import { requestHub } from './request-hub.ts'
import { withStore } from './with-store.ts'

/**
 * Makes a join token: through the hub if one runs, so that it is one that lasts; else in its database, which
 * may well be before the hub's first start.
 *
 * @throws ConnectError HUB_DATA_DAMAGED, WRITE_FAILED
 */
export async function createToken(folder: string, { ttlMs, uses }: TokenOptions): Promise<MadeToken> {
  const made = await requestHub(folder, 'POST', `/v1/tokens?ttlMs=${ttlMs}&uses=${uses}`, TokenReply)
  if (made !== undefined && made !== NOT_THERE) return made
  return withStore(folder, (store) => store.createToken({ ttlMs, uses }), { existing: false })
}

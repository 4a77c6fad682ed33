import { hubInstance } from '../../config/hub/hub-instance.ts'
import { unlessSilent } from '../../control/ask-process.ts'
import { allHubTokens } from '../../hub/control/client.ts'
import type { HubToken } from '../../hub/control/schema.ts'
import { hubToken } from '../../hub/control/tokens-reply.ts'
import { withStore } from './with-store.ts'

/**
 * The join tokens that were made, in that order: by the word of the hub that runs, which knows of revocations
 * that it can't save; else from its database.
 *
 * @throws ConnectError HUB_DATA_MISSING, HUB_DATA_DAMAGED, WRITE_FAILED
 */
export async function listTokens(folder: string): Promise<HubToken[]> {
  const told = await unlessSilent(allHubTokens(hubInstance({ dataDir: folder })))
  const tokens = told ?? (await withStore(folder, (store) => store.tokens())).map(hubToken)
  return tokens.toSorted((one, other) => Date.parse(one.createdAt) - Date.parse(other.createdAt))
}

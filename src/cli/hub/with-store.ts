import { storeErrorOf } from '../../hub/store/store-error.ts'
import { Store } from '../../hub/store/store.ts'

/**
 * Opens a hub's database for one command, beside a hub that may be running on it.
 *
 * @throws ConnectError HUB_DATA_MISSING, HUB_DATA_DAMAGED, WRITE_FAILED
 */
export async function withStore<T>(
  folder: string,
  work: (store: Store) => T,
  options: { existing: boolean } = { existing: true },
): Promise<T> {
  const store = await Store.open(folder, options)
  try {
    return work(store)
  } catch (error) {
    throw storeErrorOf(folder, error)
  } finally {
    store.close()
  }
}

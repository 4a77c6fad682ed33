import { Store } from '../hub/store.ts'

/** Opens a hub's database for one command, beside a hub that may be running on it. */
export async function withStore<T>(folder: string, work: (store: Store) => T): Promise<T> {
  const store = await Store.open(folder)
  try {
    return work(store)
  } finally {
    store.close()
  }
}

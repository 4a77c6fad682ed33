import { Store } from '../hub/store.ts'

/** Opens a hub's database for one command, beside a hub that may be running on it. */
export async function withStore<T>(
  folder: string,
  work: (store: Store) => T,
  options: { existing: boolean } = { existing: true },
): Promise<T> {
  const store = await Store.open(folder, options)
  try {
    return work(store)
  } finally {
    store.close()
  }
}

import type { Topology } from './topology.ts'

/** No tunnel: what client and target alone can do is the most that any could show here. */
export const direct: Topology = {
  name: 'no tunnel',
  hops: 0,
  about: 'client and target alone',
  start: async ({ target }) => ({
    port: target,
    processes: { hub: [], ends: [] },
    stop: async () => {},
  }),
}

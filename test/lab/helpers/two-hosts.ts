import { run, runOk } from './run.ts'

/** Two hosts as far as the network is concerned, each with a cable to the other and to nobody else. */
export class TwoHosts {
  readonly #names: readonly string[]

  private constructor(names: readonly string[]) {
    this.#names = names
  }

  /**
   * @param addresses one for each of the two
   * @throws Error if this machine doesn't allow it
   */
  static async start(addresses: readonly [string, string]): Promise<TwoHosts> {
    const names = addresses.map((_, at) => `pc${process.pid}-${at}`)
    const [first = '', second = ''] = names
    const hosts = new TwoHosts(names)
    try {
      for (const name of names) await runOk('ip', ['netns', 'add', name])
      const far = ['peer', 'name', 'eth0', 'netns', second]
      await runOk('ip', ['-n', first, 'link', 'add', 'eth0', 'type', 'veth', ...far])
      for (const [at, name] of names.entries()) {
        await runOk('ip', ['-n', name, 'address', 'add', `${addresses[at]}/24`, 'dev', 'eth0'])
        for (const link of ['lo', 'eth0']) await runOk('ip', ['-n', name, 'link', 'set', link, 'up'])
      }
    } catch (error) {
      await hosts.stop()
      throw error
    }
    return hosts
  }

  /** The network namespaces, by their files. */
  get files(): readonly string[] {
    return this.#names.map((name) => `/run/netns/${name}`)
  }

  async stop(): Promise<void> {
    for (const name of this.#names) await run('ip', ['netns', 'delete', name])
  }
}

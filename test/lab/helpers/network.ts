import { run, runOk } from './run.ts'

/** A host of its own, as far as the network is concerned, on a cable to this machine. */
export class Network {
  readonly name: string
  readonly #subnet: string

  private constructor(name: string, subnet: string) {
    this.name = name
    this.#subnet = subnet
  }

  /** @throws Error if this machine doesn't allow it */
  static async start(): Promise<Network> {
    const name = `pc${process.pid}`
    const network = new Network(name, `10.88.${process.pid % 250}`)
    await runOk('ip', ['netns', 'add', name])
    await runOk('ip', ['link', 'add', `${name}h`, 'type', 'veth', 'peer', 'name', 'cable', 'netns', name])
    await runOk('ip', ['address', 'add', `${network.host}/24`, 'dev', `${name}h`])
    await runOk('ip', ['link', 'set', `${name}h`, 'up'])
    await network.#inside('address', 'add', `${network.#subnet}.2/24`, 'dev', 'cable')
    await network.#inside('link', 'set', 'lo', 'up')
    await network.plug()
    return network
  }

  /** This machine's address, as seen from there. */
  get host(): string {
    return `${this.#subnet}.1`
  }

  /** What to put before a command to run it there. */
  get prefix(): readonly [string, ...string[]] {
    return ['ip', 'netns', 'exec', this.name]
  }

  async unplug(): Promise<void> {
    await this.#inside('link', 'set', 'cable', 'down')
  }

  async plug(): Promise<void> {
    await this.#inside('link', 'set', 'cable', 'up')
  }

  async stop(): Promise<void> {
    await run('ip', ['netns', 'delete', this.name])
  }

  async #inside(...args: string[]): Promise<void> {
    await runOk('ip', ['-n', this.name, ...args])
  }
}

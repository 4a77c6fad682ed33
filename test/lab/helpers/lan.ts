import { run, runOk } from './run.ts'

let lans = 0

/** Hosts that share a network with nobody else: each has an address of its own, and a loopback of its own. */
export class Lan {
  readonly #name: string
  readonly #subnet: string
  readonly #hosts: readonly string[]

  private constructor(name: string, subnet: string, hosts: readonly string[]) {
    this.#name = name
    this.#subnet = subnet
    this.#hosts = hosts
  }

  /**
   * @param subnet the first three parts of all addresses
   * @throws Error if this machine doesn't allow it
   */
  static async start(hosts: readonly string[], subnet = `10.89.${process.pid % 250}`): Promise<Lan> {
    const lan = new Lan(`pc${process.pid}-${++lans}`, subnet, hosts)
    const hub = lan.#namespace('switch')
    await runOk('ip', ['netns', 'add', hub])
    await runOk('ip', ['-n', hub, 'link', 'add', 'switch', 'type', 'bridge'])
    await runOk('ip', ['-n', hub, 'link', 'set', 'switch', 'up'])
    for (const [at, host] of hosts.entries()) await lan.#plugIn(host, `port${at}`)
    return lan
  }

  /** Of a host, as all others see it: the first ends in 10, the second in 20, and so on. */
  address(host: string): string {
    return `${this.#subnet}.${(this.#hosts.indexOf(host) + 1) * 10}`
  }

  /** What to put before a command to run it there, with this machine's files. */
  via(host: string): readonly [string, ...string[]] {
    return ['nsenter', `--net=/run/netns/${this.#namespace(host)}`]
  }

  async stop(): Promise<void> {
    for (const host of [...this.#hosts, 'switch']) await run('ip', ['netns', 'delete', this.#namespace(host)])
  }

  async #plugIn(host: string, port: string): Promise<void> {
    const [there, hub] = [this.#namespace(host), this.#namespace('switch')]
    await runOk('ip', ['netns', 'add', there])
    const cable = ['link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', port, 'netns', hub]
    await runOk('ip', ['-n', there, ...cable])
    await runOk('ip', ['-n', hub, 'link', 'set', port, 'up', 'master', 'switch'])
    await runOk('ip', ['-n', there, 'address', 'add', `${this.address(host)}/24`, 'dev', 'eth0'])
    for (const link of ['lo', 'eth0']) await runOk('ip', ['-n', there, 'link', 'set', link, 'up'])
  }

  #namespace(host: string): string {
    return `${this.#name}-${host}`
  }
}

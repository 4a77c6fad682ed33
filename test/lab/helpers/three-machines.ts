import { waitFor } from '../../../src/runtime/wait-for.ts'
import { monotonicMs } from './boot-clock.ts'
import { Lan } from './lan.ts'
import { Machine, machineNeeds } from './machine.ts'
import type { Own } from './owned.ts'
import { postgresPrograms, psql, startPostgres, type Postgres } from './postgres.ts'
import type { Needs } from './suite.ts'

export const threeMachinesNeed: Needs = {
  ...machineNeeds,
  programs: [...machineNeeds.programs!, ...postgresPrograms, 'ip', 'tmux'],
}

const HOSTS = ['hub', 'server', 'laptop'] as const
export type Host = (typeof HOSTS)[number]

/** How long psql may take to have its answer, in ms: longer than any test allows. */
const ANSWER_MS = 120_000

/** Three machines with a systemd on a network of their own, and a PostgreSQL on the server's loopback. */
export class ThreeMachines {
  readonly lan: Lan
  readonly postgres: Postgres
  readonly machines: Readonly<Record<Host, Machine>>

  private constructor(lan: Lan, postgres: Postgres, machines: Readonly<Record<Host, Machine>>) {
    this.lan = lan
    this.postgres = postgres
    this.machines = machines
  }

  /** To be owned by the suite: all of it ends with that. */
  static async start(own: Own): Promise<ThreeMachines> {
    const lan = own(await Lan.start(HOSTS), (it) => it.stop())
    const postgres = own(await startPostgres({ via: lan.via('server') }), (it) => it.stop())
    const booted = HOSTS.map(async (name) => {
      const machine = await Machine.start({ polkit: true, name, via: lan.via(name) })
      return own(machine, (it) => it.stop())
    })
    const [hub, server, laptop] = (await Promise.all(booted)) as [Machine, Machine, Machine]
    return new ThreeMachines(lan, postgres, { hub, server, laptop })
  }

  get all(): readonly Machine[] {
    return Object.values(this.machines)
  }

  /**
   * Waits until psql on the laptop has its answer.
   *
   * @returns when that was, in ms of the clock that all machines share
   */
  async answers(port: number): Promise<number> {
    const ask = async () =>
      (await psql(port, 'select 6 * 7', this.lan.via('laptop')).catch(() => '')) === '42' || undefined
    if (!(await waitFor(ask, { timeoutMs: ANSWER_MS, everyMs: 100 }))) throw new Error('psql has no answer')
    return monotonicMs()
  }

  /** Leaves nothing of the product on any machine. */
  async reset(): Promise<void> {
    const remove = 'connect daemon uninstall; connect hub uninstall; rm -rf ~/.privateconnect'
    await Promise.all(this.all.map((machine) => machine.runOk(remove)))
  }
}

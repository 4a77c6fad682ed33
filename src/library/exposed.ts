import type { ListedTarget } from '../config/target.ts'
import type { InstanceOptions } from './instance-options.ts'

export interface ExposeOptions extends InstanceOptions {
  /** What others reach it by. */
  readonly name: string
}

export interface UnexposeOptions extends InstanceOptions {
  /** Leave open connections until they end by themselves; default false: they are ended. */
  readonly drain?: boolean | undefined
}

/** As `connect expose --json` tells it: the target is a host and a port, or a path. */
export type Exposed = ListedTarget & {
  readonly name: string
  /** The target that the name had before; null if it had none, or the same. */
  readonly was: ListedTarget | null
  /**
   * `confirmed` by the hub; `saved`: an agent runs here, and goes on trying; `no agent`: nobody can reach it
   * before one runs.
   */
  readonly state: 'confirmed' | 'saved' | 'no agent'
  /** Why the hub has not confirmed it yet. */
  readonly reason: string | null
  /** Something listens at the target now. */
  readonly answering: boolean
}

/** One way to bring bytes from a client over a middle to a target, all on loopback. */
export interface Topology {
  /** The title of its column. */
  readonly name: string
  /** How many processes pass on each byte. */
  readonly hops: number
  /** What it consists of, in Markdown. */
  readonly about: string
  /** @throws NotThereError if this machine lacks what it takes */
  start(options: StartOptions): Promise<Tunnel>
}

export interface StartOptions {
  /** The target's port. */
  readonly target: number
  /** For files of its own; removed at the end. */
  readonly folder: string
  /** Whether its Node.js processes are to open their inspectors: to measure memory, or to profile. */
  readonly inspect: boolean
}

export interface Tunnel {
  /** Where the client connects. */
  readonly port: number
  /** Of the programs. */
  readonly version?: string
  /** First process of each part; what they have forked counts too. */
  readonly processes: { readonly hub: readonly number[]; readonly ends: readonly number[] }
  /** The inspectors' addresses by part, if asked for. */
  readonly inspectors?: Readonly<Record<string, string>>
  /** A tunnel that agents can join: its hub's address, and a token for many. */
  readonly hub?: { readonly url: string; readonly token: string; readonly env: NodeJS.ProcessEnv }
  stop(): Promise<void>
}

/** This machine lacks what a topology takes; the others are measured all the same. */
export class NotThereError extends Error {
  override readonly name = 'NotThereError'
}

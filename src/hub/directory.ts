import type { Owner, SwitchPort } from './switch-port.ts'

/** Who offers what, and to whom. */
export interface Directory {
  /** Finds the link where a service is, or says why there is none. */
  resolve(from: SwitchPort, service: string): SwitchPort | { code: number; message: string }
  /** Whether a stream from one agent to a service of another may go on. */
  mayReach(opener: Owner, service: string, acceptor: Owner): boolean
}

import type { Sandbox } from '../harness/sandbox.ts'

/** One promise that every platform keeps, and how it is proven. */
export interface Check {
  /** The promise. */
  readonly title: string
  /** What the home folder is called. */
  readonly home?: string
  prove(sandbox: Sandbox): Promise<void>
}

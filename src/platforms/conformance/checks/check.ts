import type { Kind } from '../../../config/kind.ts'
import type { Sandbox } from '../harness/sandbox.ts'

/** One promise that every platform keeps, and how it is proven. */
export interface Check {
  /** The promise. */
  readonly title: string
  /** Left out where the other kind is kept. */
  readonly only?: Kind
  /** What the home folder is called. */
  readonly home?: string
  prove(sandbox: Sandbox): Promise<void>
}

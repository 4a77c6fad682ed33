import type { Scene } from './scene.ts'

/** One promise that every platform keeps, and how it is proven. */
export interface Check {
  /** The promise. */
  readonly title: string
  /** What the home folder is called. */
  readonly home?: string
  prove(scene: Scene): Promise<void>
}

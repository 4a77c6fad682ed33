import type { Figures, Metric } from './measures/measure.ts'
import { spreadOf, type Spread } from './statistics.ts'

/** What was found of each tunnel, by name: a version, a set of figures a round, or why there is none. */
export class Results {
  readonly names: readonly string[]
  readonly versions = new Map<string, string>()
  readonly #figures = new Map<string, Figures[]>()
  readonly #missing = new Map<string, string>()

  constructor(names: readonly string[]) {
    this.names = names
    for (const name of names) this.#figures.set(name, [])
  }

  add(name: string, round: number, figures: Figures): void {
    const rounds = this.#figures.get(name)!
    rounds[round] = { ...rounds[round], ...figures }
  }

  /** @param why of which tables show the first line */
  setMissing(name: string, why: string): void {
    this.#missing.set(name, why.split('\n', 1)[0]!)
  }

  whyMissing(name: string): string | undefined {
    return this.#missing.get(name)
  }

  of(name: string, metric: Metric): Spread | undefined {
    const values = this.#values(name, metric).filter((value) => value !== undefined)
    return values.length > 0 ? spreadOf(values) : undefined
  }

  /**
   * One figure by another, compared only within a round: on a busy machine the speed drifts from one to the
   * next.
   *
   * @param under if there are several, the smallest in each round
   */
  ratio(over: Figure, under: readonly Figure[]): Spread | undefined {
    const below = under.map((figure) => this.#values(...figure))
    const ratios = this.#values(...over).flatMap((value, round) => {
      const bases = below.flatMap((values) => values[round] ?? [])
      return value === undefined || bases.length === 0 ? [] : [value / Math.min(...bases)]
    })
    return ratios.length > 0 ? spreadOf(ratios) : undefined
  }

  #values(name: string, metric: Metric): (number | undefined)[] {
    return this.#figures.get(name)!.map((figures) => figures?.[metric])
  }
}

export type Figure = readonly [name: string, metric: Metric]

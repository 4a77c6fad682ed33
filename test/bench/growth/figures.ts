import type { Growth } from '../report/growth.ts'

/** Collects the figures of one table, size by size and round by round. */
export class GrowthFigures {
  readonly #growths = new Map<string, Growth & { readonly figures: Map<number, (number | undefined)[]> }>()

  add(about: Omit<Growth, 'figures'>, size: number, figure: number | undefined): void {
    const growth = this.#growths.get(about.title) ?? { ...about, figures: new Map() }
    this.#growths.set(about.title, growth)
    growth.figures.set(size, [...(growth.figures.get(size) ?? []), figure])
  }

  get all(): Growth[] {
    return [...this.#growths.values()]
  }
}

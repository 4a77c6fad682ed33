const COMPARATOR = /^(\^|~|>=|<=|>|<|=)?v?([\dx*]+)(?:\.([\dx*]+))?(?:\.([\dx*]+))?(?:[-+][\w.+-]*)?$/i

/** One number for a version, to compare. */
const SCALE = [1e12, 1e6, 1] as const

/**
 * Whether a version is in a range, by npm's rules (https://github.com/npm/node-semver#ranges), but for what
 * follows a hyphen. npm's own semver takes 10 ms to load.
 *
 * @returns undefined for a range of another form
 */
export function isInRange(version: string, range: string): boolean | undefined {
  const wanted = valueOf(partsOf(/^v?(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1) ?? []))
  const alternatives = range.split('||').map((alternative) => {
    const words = alternative
      .replaceAll(/([<>=~^])\s+/g, '$1')
      .trim()
      .split(/\s+/)
    return words.map((word) => (word === '' ? ANY : boundsOf(word)))
  })
  if (alternatives.flat().includes(undefined)) return undefined
  return alternatives.some((all) => all.every((bounds) => bounds!.min <= wanted && wanted < bounds!.end))
}

interface Bounds {
  readonly min: number
  /** The first one above. */
  readonly end: number
}

const ANY: Bounds = { min: 0, end: Number.POSITIVE_INFINITY }

function boundsOf(comparator: string): Bounds | undefined {
  const [, operator = '=', ...texts] = COMPARATOR.exec(comparator) ?? []
  if (texts.length === 0) return undefined
  const parts = partsOf(texts)
  if (parts.length === 0) return ANY
  const min = valueOf(parts)
  // The part that may not change: of ^ the first that is not 0, of ~ the minor one, else the last.
  const last = parts.length - 1
  const fixed = {
    '^': parts.findIndex((part) => part > 0),
    '~': Math.min(1, last),
  }[operator]
  const end = valueOf(bumped(parts, fixed === undefined || fixed === -1 ? last : fixed))
  switch (operator) {
    case '>=': {
      return { min, end: ANY.end }
    }
    case '>': {
      return { min: end, end: ANY.end }
    }
    case '<': {
      return { min: 0, end: min }
    }
    case '<=': {
      return { min: 0, end }
    }
    default: {
      return { min, end }
    }
  }
}

/** Those before the first that may be any: `1.x` is 1. */
function partsOf(texts: readonly (string | undefined)[]): number[] {
  const any = texts.findIndex((text) => text === undefined || !/^\d+$/.test(text))
  return texts.slice(0, any === -1 ? undefined : any).map(Number)
}

function bumped(parts: readonly number[], at: number): number[] {
  return [...parts.slice(0, at), parts[at]! + 1]
}

function valueOf(parts: readonly number[]): number {
  return parts.reduce((sum, part, at) => sum + part * SCALE[at]!, 0)
}

const VERSION = /^(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/

/**
 * Compares two versions by the precedence of https://semver.org/#spec-item-11, pre-releases included.
 *
 * @returns less than 0 if the first one is older, more than 0 if it is newer; undefined if one is no version
 */
export function compareVersions(one: string, other: string): number | undefined {
  const [first, second] = [VERSION.exec(one), VERSION.exec(other)]
  if (!first || !second) return undefined
  for (const part of [1, 2, 3]) {
    const difference = compareNumbers(first[part]!, second[part]!)
    if (difference !== 0) return difference
  }
  return comparePrereleases(first[4], second[4])
}

function comparePrereleases(one: string | undefined, other: string | undefined): number {
  // A version comes after its own pre-releases.
  if (one === undefined || other === undefined) return Number(one === undefined) - Number(other === undefined)
  const [names, others] = [one.split('.'), other.split('.')]
  for (const [at, name] of names.entries()) {
    const second = others[at]
    if (second === undefined) return 1
    const difference = compareIdentifiers(name, second)
    if (difference !== 0) return difference
  }
  return names.length - others.length
}

function compareIdentifiers(one: string, other: string): number {
  const [isNumber, isOtherNumber] = [/^\d+$/.test(one), /^\d+$/.test(other)]
  if (isNumber && isOtherNumber) return compareNumbers(one, other)
  if (isNumber !== isOtherNumber) return isNumber ? -1 : 1
  return Number(one > other) - Number(one < other)
}

/** They may have more digits than a number holds. */
function compareNumbers(one: string, other: string): number {
  const difference = BigInt(one) - BigInt(other)
  return Number(difference > 0n) - Number(difference < 0n)
}

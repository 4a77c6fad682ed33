import type { Address } from './known-addresses.ts'

/**
 * The order in which addresses are tried: the families in turn, that of the first address first (RFC 8305 §4,
 * with a First Address Family Count of 1), each family in the order in which its addresses came.
 */
export function interleave(addresses: readonly Address[]): Address[] {
  // A target's address is mostly one, and each connection comes by here.
  if (addresses.length <= 1) return [...addresses]
  const first = addresses[0]?.family
  const [own, other] = [true, false].map((isFirst) =>
    addresses.filter(({ family }) => (family === first) === isFirst),
  ) as [Address[], Address[]]
  const longest = Math.max(own.length, other.length)
  return Array.from({ length: longest }, (_, index) => [own[index], other[index]])
    .flat()
    .filter((address) => address !== undefined)
}

import { parseArgs } from 'node:util'

const PARTS = ['startup', 'memory', 'tunnel', 'transport', 'profile', 'trace', 'hostile', 'growth'] as const
type Part = (typeof PARTS)[number]

export interface Options {
  readonly parts: readonly Part[]
  /** How often the tunnels are measured in turns. */
  readonly rounds: number
  /** Short transfers: for a look, not for figures to quote. */
  readonly quick: boolean
}

const DEFAULT_PARTS: readonly Part[] = ['startup', 'tunnel']
const DEFAULT_ROUNDS = 7
const QUICK_ROUNDS = 3

/** @throws Error if the arguments make no sense */
export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { rounds: { type: 'string' }, quick: { type: 'boolean', default: false } },
  })
  const parts = positionals.map((name) => {
    const part = PARTS.find((known) => known === name)
    if (!part) throw new Error(`There is no part "${name}": ${PARTS.join(', ')}`)
    return part
  })
  const rounds = Number(values.rounds ?? (values.quick ? QUICK_ROUNDS : DEFAULT_ROUNDS))
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds takes a number from 1 on')
  return { parts: parts.length > 0 ? parts : DEFAULT_PARTS, rounds, quick: values.quick }
}

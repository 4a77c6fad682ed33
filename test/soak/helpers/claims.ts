/** What a daemon command has said that it found and did. */
export type Claim =
  | { readonly kind: 'status'; readonly pid: number | null }
  | { readonly kind: 'already running'; readonly pid: number }
  /** It runs now, whether before or not. */
  | { readonly kind: 'runs'; readonly pid: number }
  | { readonly kind: 'not running' }
  | { readonly kind: 'stopped' }
  /** `after`: what was there before, where the command says so. */
  | { readonly kind: 'started'; readonly pid: number; readonly after: 'a stop' | 'nothing' | 'either' }

export interface Said {
  readonly title: string
  readonly claim: Claim
  /** Of performance.now(). */
  readonly began: number
  readonly ended: number
}

/**
 * Reads what a command has printed.
 *
 * @throws Error if it said nothing that such a command says
 */
export function claimOf(action: string, stdout: string): Claim {
  const claim = stdout.startsWith('{')
    ? fromJson(action, JSON.parse(stdout) as object)
    : fromText(action, stdout)
  if (claim) return claim
  throw new Error(`daemon ${action} said: ${stdout}`)
}

function fromText(action: string, text: string): Claim | undefined {
  const pid = Number(/PID: (\d+)/.exec(text)?.[1])
  if (action === 'status') {
    if (/^ {2}● Status: running$/m.test(text)) return { kind: 'status', pid }
    return /^ {2}○ Status: stopped$/m.test(text) ? { kind: 'status', pid: null } : undefined
  }
  if (action === 'stop') {
    if (text.startsWith('[ok] Daemon stopped\n')) return { kind: 'stopped' }
    return text.startsWith('The daemon was not running') ? { kind: 'not running' } : undefined
  }
  if (text.includes('[ok] Daemon already running')) return { kind: 'already running', pid }
  if (!text.includes('[ok] Daemon started')) return undefined
  if (action === 'start --replace') return { kind: 'started', pid, after: 'either' }
  if (action !== 'restart') return { kind: 'started', pid, after: 'nothing' }
  if (text.startsWith('No daemon was running\n')) return { kind: 'started', pid, after: 'nothing' }
  return text.startsWith('[ok] Daemon stopped\n') ? { kind: 'started', pid, after: 'a stop' } : undefined
}

interface Report {
  status?: string
  pid?: number
  stopped?: string | null
  outcome?: string
}

function fromJson(action: string, { status, pid, stopped, outcome }: Report): Claim | undefined {
  if (action === 'status') {
    if (status === 'running') return { kind: 'status', pid: pid! }
    return status === 'stopped' ? { kind: 'status', pid: null } : undefined
  }
  if (action === 'stop') return stopped === null ? { kind: 'not running' } : { kind: 'stopped' }
  if (outcome === 'already running') return { kind: 'already running', pid: pid! }
  if (action === 'up --detach') return { kind: 'runs', pid: pid! }
  return { kind: 'started', pid: pid!, after: stopped === null ? 'nothing' : 'a stop' }
}

/**
 * Whether there is an order in which all that was said is true, one command after the other: a command that
 * had ended before another began comes first.
 *
 * @param before the process that ran at first
 * @param after the one that runs in the end
 */
export function canBeTrue(before: number | null, said: readonly Said[], after: number | null): boolean {
  if (said.length === 0) return before === after
  return said.some((first) => {
    const others = said.filter((other) => other !== first)
    if (others.some((other) => other.ended < first.began)) return false
    const next = stateAfter(before, first.claim)
    return next !== undefined && canBeTrue(next, others, after)
  })
}

/** @returns what runs then; undefined if the claim is not true of what ran */
function stateAfter(running: number | null, claim: Claim): number | null | undefined {
  const { kind } = claim
  if (kind === 'not running') return running === null ? null : undefined
  if (kind === 'stopped') return running === null ? undefined : null
  if (kind === 'status' || kind === 'already running') return claim.pid === running ? running : undefined
  if (kind === 'runs') return running === null || claim.pid === running ? claim.pid : undefined
  const isTrue = claim.after === 'either' || (claim.after === 'nothing') === (running === null)
  return isTrue && claim.pid !== running ? claim.pid : undefined
}

import { realPathIfThere } from '../../files/real-path.ts'

/** What `launchctl print` says of a job. Its form is no promise (launchctl(1)): what can't be read is not known. */
export interface JobState {
  /** launchd's own word: `running`, `not running`, `spawn scheduled`, … */
  readonly state: string
  readonly pid: number | undefined
  /** How often it was started since launchd has it; undefined where that isn't told. */
  readonly runs: number | undefined
  /** How its last process ended; undefined if none has, or it can't be read. */
  readonly exit: { readonly by: 'code' | 'signal'; readonly number: number } | undefined
  /** Why its process was started: `inefficient` is a restart after a crash. */
  readonly startReason: string | undefined
  /** The plist that launchd has read it from; undefined where that isn't told. */
  readonly path: string | undefined
  /** The mark of that plist, see definition.ts, or that it has none; undefined where the job's environment isn't told. */
  readonly definition: { readonly mark: string | undefined } | undefined
}

/**
 * Whether launchd has read this plist, and not another one. Where it doesn't tell the job's environment, the path is all
 * that there is to go by.
 */
export function isReadFrom({ path, definition }: JobState, file: string, mark: string | undefined): boolean {
  if (definition) return definition.mark === mark
  return path === undefined || path === file || realPathIfThere(path) === realPathIfThere(file)
}

/** A block of lines that stand deeper. */
const OPENS = /^\t([^\t].*) = \{$/

/** Only a line with exactly one tab tells of the job: below it stand its parts, which have states of their own. */
const FIELD = /^\t(path|state|pid|runs|immediate reason|last exit code|last terminating signal) = (.*)$/

const VARIABLE = /^\t\t(\w+) => (.*)$/

/** @returns undefined if it is not the whole of what is printed for this label, or makes no sense */
export function parseJobState(text: string, label: string): JobState | undefined {
  const [header = '', ...lines] = text.trimEnd().split('\n')
  const name = /^(\S+) = \{$/.exec(header)?.[1]
  // Before macOS 10.15 the domain is missing.
  if (name !== label && !name?.endsWith(`/${label}`)) return undefined
  if (lines.pop() !== '}') return undefined
  const read = readLines(lines)
  if (!read) return undefined
  const { fields, variables } = read
  const [state, pid, runs] = [fields.get('state'), fields.get('pid'), fields.get('runs')].map((it) =>
    it?.trim(),
  )
  if (!state || !isCount(pid) || !isCount(runs)) return undefined
  return {
    state,
    pid: pid === undefined || pid === '0' ? undefined : Number(pid),
    runs: runs === undefined ? undefined : Number(runs),
    exit: exitOf(fields),
    startReason: fields.get('immediate reason'),
    path: fields.get('path'),
    definition: variables && { mark: variables.get('CONNECT_DEFINITION') },
  }
}

function readLines(
  lines: readonly string[],
): { fields: ReadonlyMap<string, string>; variables: ReadonlyMap<string, string> | undefined } | undefined {
  const fields = new Map<string, string>()
  let variables: Map<string, string> | undefined
  let block: string | undefined
  for (const line of lines) {
    if (block !== undefined) {
      const [, name, value] = VARIABLE.exec(line) ?? []
      if (line === '\t}') block = undefined
      else if (block === 'environment' && name !== undefined) variables?.set(name, value!)
      continue
    }
    block = OPENS.exec(line)?.[1]
    if (block === 'environment') variables ??= new Map()
    const [, name, value] = block === undefined ? (FIELD.exec(line) ?? []) : []
    if (name === undefined) continue
    // A field that is told twice, and differently, is not known.
    if (fields.has(name) && fields.get(name) !== value) return undefined
    fields.set(name, value!)
  }
  return block === undefined ? { fields, variables } : undefined
}

function isCount(text: string | undefined): boolean {
  return text === undefined || /^\d{1,10}$/.test(text)
}

/** `last terminating signal = Killed: 9` stands in the place of `last exit code = 78: EX_CONFIG`. */
function exitOf(fields: ReadonlyMap<string, string>): JobState['exit'] {
  const signal = /: (\d{1,2})$/.exec(fields.get('last terminating signal') ?? '')?.[1]
  if (signal !== undefined) return { by: 'signal', number: Number(signal) }
  const code = /^(\d{1,3})(:|$)/.exec(fields.get('last exit code') ?? '')?.[1]
  return code === undefined ? undefined : { by: 'code', number: Number(code) }
}

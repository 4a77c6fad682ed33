import { parseSshWords } from '../../ssh/command-line.ts'
import { destinationOf } from '../../ssh/destination.ts'
import { configFiles, offeredServices } from './on-machine.ts'
import type { Reply } from './shells/reply.ts'

/** Options of ssh(1) whose value is a file. */
const FILE_OPTIONS = new Set(['-E', '-F', '-i', '-S'])

const OURS = [
  { value: '--config', about: 'print an ssh_config; with a FILE first: another instance' },
  { value: '--help', about: 'show help' },
]

/**
 * What `connect ssh` takes.
 *
 * @param words behind it, up to the one under the cursor
 */
export async function sshReply(words: readonly string[], typed: string): Promise<Partial<Reply>> {
  const { configFile, printed, args } = parseSshWords(words)
  const services = () => offeredServices(configFile)
  if (printed) {
    const files: Partial<Reply> = words.at(-1) === '--config' ? { kind: 'files' } : {}
    return { ...files, candidates: [...(await services()), ...(files.kind ? configFiles() : [])] }
  }
  if (FILE_OPTIONS.has(args.at(-1) ?? '')) return { kind: 'files' }
  // What is behind the destination is for the machine there.
  if (destinationOf(args).host !== undefined || isValueOfOption(args)) return {}
  if (typed.startsWith('-')) return { candidates: args.length === 0 ? OURS : [] }
  const prefix = typed.slice(0, typed.lastIndexOf('@') + 1)
  return { candidates: await services(), prefix, typed: typed.slice(prefix.length) }
}

function isValueOfOption(args: readonly string[]): boolean {
  return destinationOf([...args, 'next']).host === undefined
}

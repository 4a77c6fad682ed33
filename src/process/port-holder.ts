import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Who listens on a port, as far as the system tells; each null where it does not. */
export interface PortHolder {
  readonly pid: number | null
  /** The name of its program, of 15 bytes at most (proc(5), comm). */
  readonly command: string | null
  /** The name of its user, or the number where it has no name. */
  readonly user: string
}

/** Who it is, in words. */
export function describeHolder({ pid, command, user }: PortHolder): string {
  return pid === null ? `a process of the user ${user}` : `${command ?? 'a process'} (PID: ${pid})`
}

/** `st` of a socket that listens, in /proc/net/tcp. */
const LISTENING = '0A'

/**
 * Who listens on a TCP port of this machine. Only Linux says: whose the socket is, and of the processes that
 * this user may look at which it is.
 *
 * @returns undefined if nobody does, or that can't be told
 */
export function portHolder(port: number): PortHolder | undefined {
  const [socket] = ['tcp', 'tcp6'].flatMap((table) => listeners(table, port))
  if (!socket) return undefined
  const pid = processOf(socket.inode)
  const command = pid === undefined ? undefined : read(`/proc/${pid}/comm`)?.trim()
  return { pid: pid ?? null, command: command ?? null, user: userOf(socket.uid) }
}

/** proc_pid_net(5): after a heading a line a socket; local address, state, uid and inode are fields of it. */
function listeners(table: string, port: number): { uid: string; inode: string }[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  const lines = (read(`/proc/net/${table}`) ?? '').split('\n').slice(1)
  return lines.flatMap((line) => {
    const [, local = '', , state, , , , uid = '', , inode = ''] = line.trim().split(/\s+/)
    return state === LISTENING && local.endsWith(`:${hex}`) ? [{ uid, inode }] : []
  })
}

function processOf(inode: string): number | undefined {
  const pids = list('/proc').filter((name) => /^\d+$/.test(name))
  const found = pids.find((pid) =>
    list(`/proc/${pid}/fd`).some((fd) => link(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`),
  )
  return found === undefined ? undefined : Number(found)
}

function userOf(uid: string): string {
  const entry = (read('/etc/passwd') ?? '').split('\n').find((line) => line.split(':')[2] === uid)
  return entry?.split(':')[0] ?? uid
}

/* A process that ends meanwhile, or is not ours to look at, tells nothing; nor does another system. */

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function link(file: string): string | undefined {
  try {
    return readlinkSync(file)
  } catch {
    return undefined
  }
}

import { constants, fstatSync, openSync, readFileSync, write, writeSync } from 'node:fs'
import { isatty } from 'node:tty'
import { codeOf } from '../../errors.ts'

/** Where bytes go that nobody waits for. */
export interface Sink {
  /**
   * Takes what it can at once.
   *
   * @returns how many of the bytes; 0 if there is no room now
   * @throws Error of the system; what it has not taken is lost, or can be tried again
   */
  put(bytes: Buffer): number
  /** Bytes that it has taken, and that are still on their way out of this process. */
  readonly pending: number
  /** Whether a thread hangs in a write, which would hold up the end of the process. */
  readonly isStuck: boolean
}

/** Bytes that Node.js may hold for a pipe: by itself it would take any number. */
const STREAM_BYTES = 64 * 1024

/**
 * Opens stdout or stderr for a process that must not be held up: Node.js itself waits for a terminal, queues
 * without bound for a pipe, and gives a file up after the first write that fails.
 *
 * @param options.isShared another program writes to the same pipe: Node.js would have it not wait there, and
 * that holds for everyone who has it open
 */
export function openSink(descriptor: 1 | 2, { isShared = false } = {}): Sink {
  const isPipe = !isatty(descriptor) && !isFile(descriptor)
  if (process.platform !== 'win32' && (isatty(descriptor) || (isPipe && isShared))) {
    const own = openAgain(descriptor)
    return own === undefined ? threadSink(descriptor) : descriptorSink(own)
  }
  return isFile(descriptor) ? descriptorSink(descriptor) : streamSink(descriptor)
}

function descriptorSink(descriptor: number): Sink {
  return {
    put(bytes) {
      try {
        return writeSync(descriptor, bytes)
      } catch (error) {
        if (codeOf(error) === 'EAGAIN') return 0
        throw error
      }
    },
    pending: 0,
    isStuck: false,
  }
}

/** A pipe or a socket, which Node.js writes to without waiting. */
function streamSink(descriptor: 1 | 2): Sink {
  const stream = descriptor === 1 ? process.stdout : process.stderr
  stream.on('error', () => {})
  return {
    put(bytes) {
      if (stream.errored) throw stream.errored
      if (stream.writableLength >= STREAM_BYTES) return 0
      stream.write(bytes)
      return bytes.length
    },
    get pending() {
      return stream.errored ? 0 : stream.writableLength
    },
    isStuck: false,
  }
}

/** What can't be opened again, as a terminal after `sudo -u`: one write at a time waits in a thread. */
function threadSink(descriptor: number): Sink {
  let pending = 0
  let failure: Error | undefined
  return {
    put(bytes) {
      if (pending > 0) return 0
      const error = failure
      failure = undefined
      if (error) throw error
      pending = bytes.length
      write(descriptor, bytes, (failed) => {
        pending = 0
        failure = failed ?? undefined
      })
      return bytes.length
    },
    get pending() {
      return pending
    },
    get isStuck() {
      return pending > 0
    },
  }
}

/**
 * Opens a terminal or a pipe once more, not to wait for it. That this holds for what we have opened alone
 * leaves everyone else's as it was.
 */
function openAgain(descriptor: number): number | undefined {
  const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY
  for (const name of namesOf(descriptor)) {
    try {
      return openSync(name, flags)
    } catch {
      // Another user's terminal, or no /proc: the next way.
    }
  }
  return undefined
}

function namesOf(descriptor: number): string[] {
  if (process.platform !== 'linux') return isatty(descriptor) ? ['/dev/tty'] : []
  const names = [`/proc/self/fd/${descriptor}`]
  try {
    // proc(5): field 7 is the terminal that this process belongs to, the minor number's low byte
    // below the major's.
    const stat = readFileSync('/proc/self/stat', 'latin1')
    const number = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[4])
    if (number !== 0 && number === fstatSync(descriptor).rdev) names.push('/dev/tty')
  } catch {
    // Then it can't be told whether they are the same.
  }
  return names
}

function isFile(descriptor: number): boolean {
  try {
    const found = fstatSync(descriptor)
    return found.isFile() || found.isCharacterDevice() || found.isBlockDevice()
  } catch {
    return false
  }
}

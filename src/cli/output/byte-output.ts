import { closeSync, createWriteStream, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { devNull } from 'node:os'
import { Writable } from 'node:stream'

const STDOUT = 1

/**
 * stdout, for bytes that must not get lost. Whoever writes waits until the reader has room, or learns what
 * went wrong; the process itself never waits. Its end is one for the reader, too, though the process goes on.
 */
export function byteOutput(): Writable {
  const { stdout } = process
  // To a file Node.js writes at once, and not the rest if a disk takes only some; to a terminal it waits.
  const isPipe = stdout instanceof Socket && !stdout.isTTY
  const inner: Writable = isPipe ? stdout : createWriteStream('', { fd: STDOUT, autoClose: false })
  const output = new Writable({
    write: (chunk: Buffer, _encoding, callback) => void inner.write(chunk, callback),
    final(callback) {
      inner.end((error?: Error | null) => {
        if (!error) close()
        callback(error)
      })
    },
  })
  inner.on('error', (error) => output.destroy(error))
  return output
}

/** Node.js never closes stdout. No other file may get its number: something could still be written to it. */
function close(): void {
  closeSync(STDOUT)
  openSync(devNull, 'r+')
}

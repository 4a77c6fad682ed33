import { existsSync, realpathSync } from 'node:fs'
import path from 'node:path'
import { userFolders, type Instance } from '../config/instance.ts'
import { codeOf, ConnectError } from '../errors.ts'
import { isSameFile } from '../files/is-same-file.ts'
import { Neighbours } from './presence/neighbours.ts'

/**
 * Refuses to expose the socket by which commands control an agent or a hub, this instance's or another's:
 * whoever reached it could expose what they like.
 *
 * @param file absolute
 * @throws ConnectError BAD_TARGET
 */
export function refuseControlSocket(file: string, { socketPath }: Instance): void {
  if (!isControlSocket(file, new Neighbours(), [socketPath])) return
  const message = `${file} is how commands control an agent or a hub: whoever reached it could expose anything here`
  throw new ConnectError('BAD_TARGET', message, { hints: ['Give the socket of the service itself.'] })
}

/**
 * Whether commands control an agent or a hub by a socket, whatever name, link or mount it is called by.
 *
 * @param known some such sockets, beside those that the neighbours tell of
 */
export function isControlSocket(
  file: string,
  neighbours: Neighbours,
  known: readonly string[] = [],
): boolean {
  const real = realPath(file)
  const sockets = [...known, ...neighbours.controlSockets()]
  return (
    sockets.some((one) => real === realPath(one) || isSameFile(file, one)) ||
    userFolders().some((folder) => path.dirname(real) === realPath(folder)) ||
    isNamedLikeOne(real)
  )
}

/** Other programs have an agent.sock too, so what lies beside it tells. */
function isNamedLikeOne(file: string): boolean {
  const [folder, name] = [path.dirname(file), path.basename(file)]
  const beside = /(?:^|\.)agent\.sock$/.test(name)
    ? name.replace(/sock$/, 'lock')
    : name === 'hub.sock'
      ? 'hub.db'
      : undefined
  if (beside === undefined) return false
  return path.basename(folder) === '.privateconnect' || existsSync(path.join(folder, beside))
}

/** Without links, as far as it is there. */
function realPath(file: string): string {
  try {
    return realpathSync(file)
  } catch (error) {
    if (codeOf(error) === undefined) throw error
    const folder = path.dirname(file)
    return folder === file ? file : path.join(realPath(folder), path.basename(file))
  }
}

import { existsSync, lstatSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { hubInstance } from '../../../config/hub/hub-instance.ts'
import { readHubSettings } from '../../../config/hub/hub-settings.ts'
import { ownsFolder, placesOf, type Instance } from '../../../config/instance.ts'
import { wordsOf } from '../../../config/kind.ts'
import { clearStale } from '../../../control/process-end.ts'
import { takeInstanceLock } from '../../../control/instance-lock.ts'
import { namesAProcess } from '../../../control/process-record.ts'
import { findProcess } from '../../../control/find-process.ts'
import { codeOf, ConnectError } from '../../../errors.ts'
import { isLeftover } from '../../../files/durable/leftovers.ts'
import { removeFile } from '../../../files/remove-file.ts'
import { tilde } from '../../../text/tilde.ts'
import type { Check } from '../../check.ts'
import type { DoctorContext } from '../../context.ts'
import { namedFiles } from './our-files.ts'

/** What a process leaves that was killed: it misleads people and scripts, and takes space. */
interface Left {
  readonly file: string
  readonly what: string
  readonly clear: () => Promise<unknown>
}

export const leftovers: Check<DoctorContext> = {
  name: 'leftovers',
  group: 'files',
  title: 'What was left over',
  async run({ instance, home }) {
    const left = await Promise.all([instance, ...hubsHere(home)].map((one) => leftOf(one, home))).then(
      (all) => all.flat(),
    )
    if (left.length === 0) return { state: 'ok', seen: 'Nothing' }
    const few = left.slice(0, 3)
    const more = left.length > few.length ? `, and ${left.length - few.length} more` : ''
    return {
      state: 'warning',
      seen: `${few.map(({ what }) => what).join('; ')}${more}`,
      fix: 'Have it removed: connect doctor --fix',
      async mend() {
        for (const { clear } of left) await clear()
        return `removed ${few.map(({ file }) => tilde(file)).join(', ')}${more}`
      },
    }
  },
}

/** What can't be read of the hub is another check’s. */
function hubsHere(home: string): Instance[] {
  try {
    const hub = hubInstance(readHubSettings(home), home)
    return existsSync(hub.folder) ? [hub] : []
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error
    return []
  }
}

async function leftOf(instance: Instance, home: string): Promise<Left[]> {
  return [...(await ofProcess(instance)), ...temporaryFiles(instance, home)]
}

/** Only if it is certain that none runs. */
async function ofProcess(instance: Instance): Promise<Left[]> {
  const { state } = await findProcess(instance)
  const { socketPath } = instance
  const { process } = wordsOf(instance)
  const left: Left[] = []
  if (state === 'stale') {
    const { pidFile, recordFile } = placesOf(instance).find(namesAProcess) ?? instance
    const file = existsSync(pidFile) ? pidFile : recordFile
    const what = `${tilde(file)} names the ${process}, which is gone`
    left.push({ file, what, clear: () => clearStale(instance) })
  }
  const isDown = state === 'stale' || state === 'none'
  if (isDown && lstatSync(socketPath, { throwIfNoEntry: false })?.isSocket())
    left.push({
      file: socketPath,
      what: `nobody listens on ${tilde(socketPath)}`,
      clear: () => removeSocket(instance),
    })
  return left
}

/** Unless one has begun meanwhile. */
async function removeSocket(instance: Instance): Promise<void> {
  const lock = await takeInstanceLock(instance)
  if (!lock) return
  try {
    removeFile(instance.socketPath)
  } finally {
    lock.release()
  }
}

/** Of writers that were killed. */
function temporaryFiles(instance: Instance, home: string): Left[] {
  // A hub’s data may lie elsewhere than its settings.
  const folders = new Set([instance.folder, path.dirname(instance.mainFile)])
  const begins = namedFiles(instance).map((file) => `${path.basename(file)}.`)
  return [...folders]
    .flatMap((folder) => namesIn(folder).map((name) => path.join(folder, name)))
    .filter(
      (file) => ownsFolder(instance, home) || begins.some((begin) => path.basename(file).startsWith(begin)),
    )
    .filter((file) => isLeftover(file))
    .map((file) => ({
      file,
      what: `${tilde(file)} was never finished`,
      clear: async () => rmSync(file, { recursive: true, force: true }),
    }))
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (!['ENOENT', 'EACCES', 'ENOTDIR'].includes(codeOf(error) ?? '')) throw error
    return []
  }
}

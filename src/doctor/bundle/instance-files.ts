import { lstatSync } from 'node:fs'
import type { Instance } from '../../config/instance.ts'
import type { BundledFile } from './bundled.ts'

/** @returns each file of an instance, by what it is for */
export function instanceFiles(instance: Instance): BundledFile[] {
  return Object.entries(instance).flatMap(([kind, file]) =>
    /^(folder|socketPath|\w+File)$/.test(kind) ? [{ kind, ...lookAt(String(file)) }] : [],
  )
}

function lookAt(file: string): Omit<BundledFile, 'kind'> {
  try {
    const { mode, size, uid, mtime } = lstatSync(file)
    return {
      mode: mode.toString(8),
      bytes: size,
      isOurs: uid === process.getuid?.(),
      changedAt: mtime.toISOString(),
    }
  } catch {
    return { mode: null, bytes: null, isOurs: null, changedAt: null }
  }
}

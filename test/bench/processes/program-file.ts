import { accessSync, constants } from 'node:fs'
import path from 'node:path'
import { NotThereError } from '../topologies/topology.ts'

/** Where daemons are that a user's PATH need not have. */
const SYSTEM_FOLDERS = ['/usr/sbin', '/usr/local/sbin']

/** The path of a program. @throws NotThereError */
export function programFile(name: string): string {
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), ...SYSTEM_FOLDERS]
  const file = folders.map((folder) => path.join(folder, name)).find(isExecutable)
  if (file === undefined) throw new NotThereError(`${name} is not on the PATH`)
  return file
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

import { existsSync, lstatSync, readlinkSync } from 'node:fs'
import path from 'node:path'
import { ConnectError, messageOf } from '../../errors.ts'
import { writeFileAtomic } from '../../files/durable/atomic-write.ts'
import { readText } from '../../files/read-text.ts'
import { removeFile } from '../../files/remove-file.ts'
import { tilde } from '../../text/tilde.ts'
import { makeRecordedFolder } from '../made-folders.ts'
import { folderReceipt } from './install-receipt.ts'
import { isForeign, notYoursError } from './manager/bootstrap-error.ts'
import type { JobNames } from './manager/names.ts'

/** A plist as it lies on the disk, whatever launchd has read of it. */
export class PlistFile {
  readonly #names: JobNames

  constructor(names: JobNames) {
    this.#names = names
  }

  /** Whether there is a plist, or a link in its place, also one that leads nowhere. */
  get isThere(): boolean {
    return lstatSync(this.#names.file, { throwIfNoEntry: false }) !== undefined
  }

  /**
   * Before anything is changed.
   *
   * @throws ConnectError WRITE_FAILED, INSTALL_UNSUPPORTED if it is not ours to write
   */
  checkIsOurs(): void {
    const { folder, file } = this.#names
    // Installers run by sudo have left the folder to root.
    if (existsSync(folder) && isForeign(folder)) throw notYoursError(folder, this.#names)
    if (!lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink()) return
    throw new ConnectError('INSTALL_UNSUPPORTED', `${tilde(file)} is a link to ${readlinkSync(file)}`, {
      hints: ['Whatever has put it there keeps the plist; remove the link first.'],
    })
  }

  /** @throws ConnectError CONFIG_UNREADABLE */
  read(): string | undefined {
    return readText(this.#names.file)
  }

  /** @param text undefined if there is to be none @throws ConnectError WRITE_FAILED */
  put(text: string | undefined): void {
    const { file, folder, home } = this.#names
    if (text === undefined) return removeFile(file)
    try {
      makeRecordedFolder(folder, folderReceipt(home))
    } catch (error) {
      const message = `Could not make ${tilde(folder)}: ${messageOf(error)}`
      throw new ConnectError('WRITE_FAILED', message, { cause: error })
    }
    writeFileAtomic(file, text, 0o644)
  }

  /** Keeps what someone has written into the plist by hand. @throws ConnectError WRITE_FAILED */
  keepOld(text: string, instanceFolder: string): void {
    writeFileAtomic(path.join(instanceFolder, `${path.basename(this.#names.file)}.old`), text)
  }
}

import { existsSync, lstatSync, readdirSync, readlinkSync, rmdirSync } from 'node:fs'
import path from 'node:path'
import { ConnectError, messageOf } from '../../errors.ts'
import { writeFileAtomic } from '../../files/durable/atomic-write.ts'
import { readText } from '../../files/read-text.ts'
import { removeFile } from '../../files/remove-file.ts'
import { tilde } from '../../text/tilde.ts'
import { makeRecordedFolder } from '../made-folders.ts'
import { folderReceipt } from './install-receipt.ts'
import type { UnitNames } from './manager/names.ts'

/** A unit as it lies on the disk, whatever the manager has read of it. */
export class UnitFile {
  readonly #names: UnitNames
  readonly #home: string

  constructor(names: UnitNames, home: string) {
    this.#names = names
    this.#home = home
  }

  /** Whether there is a unit, or a link in its place, also one that leads nowhere. */
  get isThere(): boolean {
    return existsAtAll(this.#names.file)
  }

  /** Whether the unit is enabled, by the link that `systemctl enable` makes. */
  get isEnabled(): boolean {
    return existsAtAll(this.#names.wantedBy)
  }

  get isEmpty(): boolean {
    return lstatSync(this.#names.file, { throwIfNoEntry: false })?.size === 0
  }

  /** Where it leads, if someone has put a link in its place. */
  get link(): string | undefined {
    const { file } = this.#names
    return lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(file) : undefined
  }

  /** The folder with settings of the user's own, which stay. */
  get dropIns(): string | undefined {
    const folder = `${this.#names.file}.d`
    return existsSync(folder) ? folder : undefined
  }

  /** @throws ConnectError CONFIG_UNREADABLE */
  read(): string | undefined {
    return readText(this.#names.file)
  }

  /** @throws ConnectError WRITE_FAILED */
  write(text: string): void {
    const { file, folder } = this.#names
    try {
      makeRecordedFolder(folder, folderReceipt(this.#home))
    } catch (error) {
      const message = `Could not make ${tilde(folder)}: ${messageOf(error)}`
      throw new ConnectError('WRITE_FAILED', message, { cause: error })
    }
    writeFileAtomic(file, text, 0o644)
  }

  /** @throws ConnectError WRITE_FAILED */
  remove(): void {
    removeFile(this.#names.file)
  }

  /**
   * Removes what `systemctl disable` does, where systemctl can't be asked or does not see the unit.
   *
   * @throws ConnectError WRITE_FAILED
   */
  disable(): void {
    if (!this.isEnabled) return
    removeFile(this.#names.wantedBy)
    const folder = path.dirname(this.#names.wantedBy)
    if (readdirSync(folder).length === 0) rmdirSync(folder)
  }
}

function existsAtAll(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined
}

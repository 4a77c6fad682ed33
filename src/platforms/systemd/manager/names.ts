import path from 'node:path'
import { wordsOf, type KindWords } from '../../../config/kind.ts'
import type { PlatformContext } from '../../platform.ts'

/** What an instance's unit is called: by systemd, and on the disk. */
export interface UnitNames {
  /** `private-connect.service`, `private-connect-staging.service`, `private-connect-hub.service` */
  readonly name: string
  readonly folder: string
  readonly file: string
  /** The link by which the unit starts by itself. */
  readonly wantedBy: string
  /** What errors and notes say of it. */
  readonly words: KindWords
}

/** The user manager looks there whatever XDG_CONFIG_HOME says in a shell. */
export function unitNames({ instance }: PlatformContext, home: string): UnitNames {
  const words = wordsOf(instance)
  const suffix = instance.name === words.mainInstance ? '' : `-${unitNamePart(instance.name)}`
  const name = `${words.unit}${suffix}.service`
  const folder = path.join(home, '.config', 'systemd', 'user')
  const wantedBy = path.join(folder, 'default.target.wants', name)
  return { name, folder, file: path.join(folder, name), wantedBy, words }
}

/** systemd.unit(5): what a unit's name may hold; anything else is escaped as systemd-escape(1) does it. */
function unitNamePart(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) => {
      const character = String.fromCharCode(byte)
      return /[A-Za-z0-9:_.-]/.test(character) ? character : `\\x${byte.toString(16).padStart(2, '0')}`
    })
    .join('')
}

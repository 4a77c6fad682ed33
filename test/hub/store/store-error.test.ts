import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { ConnectError } from '../../../src/errors.ts'
import { cannotOpen, failureOf, StoreError, storeErrorOf } from '../../../src/hub/store/store-error.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'

/** As node:sqlite throws it: with an extended code, whose low byte is the primary one. */
function sqliteError(code: number, message = 'what SQLite says') {
  return Object.assign(new Error(message), { code: 'ERR_SQLITE_ERROR', errcode: 0x3_00 | code })
}

function systemError(code: string) {
  return Object.assign(new Error(`${code}: it did not work`), { code })
}

const sound = () => {}
const broken = () => {
  throw new Error('*** in database main ***')
}

const PASSING = [
  [3, 'its database may not be written'],
  [5, 'its database is locked by another program'],
  [6, 'its database is locked'],
  [7, 'it is out of memory'],
  [8, 'its database can only be read'],
  [10, 'its disk does not work'],
  [13, 'its disk is full'],
  [14, 'its database can’t be opened'],
  [15, 'its database is locked by another program'],
] as const

describe('an error of the database', () => {
  test.for(PASSING)('with code %i may heal: %s', ([code, reason]) => {
    expect(failureOf(sqliteError(code), scratchFolder(), broken)).toEqual({ kind: 'storage', reason })
  })

  test.runIf(process.platform === 'linux')('comes of a full disk if there is no room', () => {
    // There never is any.
    expect(failureOf(sqliteError(10), '/proc')).toEqual({ kind: 'storage', reason: 'its disk is full' })
  })

  test('is told where even its folder is gone', () => {
    const gone = path.join(scratchFolder(), 'gone')
    expect(failureOf(sqliteError(14), gone).reason).toBe('its database can’t be opened')
  })

  test.for([11, 26])('with code %i is damage, and needs no further look', (code) => {
    expect(failureOf(sqliteError(code), scratchFolder(), sound)).toEqual({
      kind: 'damaged',
      reason: 'what SQLite says',
    })
  })

  test.for([
    ['rejected', 'nothing is found wrong', sound],
    ['rejected', 'nobody has to look', undefined],
    ['damaged', 'damage is found', broken],
    [
      'rejected',
      'it can’t be looked at right now',
      () => {
        throw sqliteError(5)
      },
    ],
    [
      'damaged',
      'the look fails for another reason',
      () => {
        throw sqliteError(1)
      },
    ],
  ] as const)('that may be anything is %s if %s', ([kind, _why, check]) => {
    const reason = 'what SQLite says'
    expect(failureOf(sqliteError(1), scratchFolder(), check)).toEqual({ kind, reason })
  })
})

test.for<[string, unknown, object]>([
  ['the system', systemError('EIO'), { kind: 'storage', reason: 'EIO: it did not work' }],
  ['a program', new TypeError('a bug'), { kind: 'rejected', reason: 'a bug' }],
  ['nobody knows what', undefined, { kind: 'rejected', reason: 'undefined' }],
  ['damage', new ConnectError('HUB_DATA_DAMAGED', 'gone'), { kind: 'damaged', reason: 'gone' }],
  ['what may not be written', new ConnectError('WRITE_FAILED', 'no'), { kind: 'storage', reason: 'no' }],
])('an error of %s is told from the database’s', ([, error, failure]) => {
  expect(failureOf(error, scratchFolder(), broken)).toEqual(failure)
})

test('a failure that was sent from a thread is an error again', () => {
  const error = new StoreError({ kind: 'storage', reason: 'its disk is full' })
  expect(error).toMatchObject({ name: 'StoreError', kind: 'storage', message: 'its disk is full' })
})

describe('to a user', () => {
  test.for<[Error, ConnectError['code'], string]>([
    [sqliteError(5), 'WRITE_FAILED', 'what SQLite says (its database is locked by another program)'],
    [sqliteError(11), 'HUB_DATA_DAMAGED', 'what SQLite says'],
    [sqliteError(1), 'WRITE_FAILED', 'what SQLite says'],
  ])('%s is explained', ([cause, code, why]) => {
    const folder = scratchFolder()
    const error = storeErrorOf(folder, cause)
    expect(error).toBeInstanceOf(ConnectError)
    const message = `Could not change the hub’s data in ${folder}: ${why}`
    expect(error).toMatchObject({ code, message, cause })
  })

  test('what is none of the database’s own is what it was', () => {
    const explained = Object.assign(new ConnectError('NO_SUCH_ENTRY', 'no'), { errcode: 5 })
    for (const error of [explained, new TypeError('a bug'), systemError('EIO'), undefined])
      expect(storeErrorOf('/nowhere', error)).toBe(error)
  })

  test.for<[Error, ConnectError['code']]>([
    ...PASSING.map(([code]) => [sqliteError(code), 'WRITE_FAILED'] as [Error, 'WRITE_FAILED']),
    ...['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT'].map(
      (code) => [systemError(code), 'WRITE_FAILED'] as [Error, 'WRITE_FAILED'],
    ),
    [sqliteError(26), 'HUB_DATA_DAMAGED'],
    [systemError('EISDIR'), 'HUB_DATA_DAMAGED'],
    [new Error('*** in database main ***'), 'HUB_DATA_DAMAGED'],
  ])('a database that can’t be opened since %s is %s', ([cause, code]) => {
    const error = cannotOpen('/data/hub.db', cause)
    const message = `Could not open /data/hub.db: ${cause.message}`
    expect(error).toMatchObject({ code, message, cause })
  })

  test('one that can’t be opened for a reason that is explained already is not explained again', () => {
    const error = new ConnectError('FILE_UNTRUSTED', 'not yours')
    expect(cannotOpen('/data/hub.db', error)).toBe(error)
  })
})

import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { LogFollower } from '../../../src/log/file/follower.ts'
import { openLogFile } from '../../../src/log/file/log-file.ts'
import { readTail } from '../../../src/log/file/tail.ts'
import { upTo } from '../../fixtures/log-folder.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'

interface Followed {
  readonly file: string
  /** What came since the last look: lines, and `rotated` or `emptied` in angle brackets. */
  readonly look: () => string[]
}

/** A log that is followed from its end. */
function followed(content?: string): Followed {
  const file = path.join(scratchFolder(), 'daemon.log')
  if (content !== undefined) writeFileSync(file, content)
  return { file, look: looking(new LogFollower(file)) }
}

function looking(follower: LogFollower): () => string[] {
  onTestFinished(() => follower.close())
  return () => [...follower.look()].flatMap((news) => ('lines' in news ? news.lines : [`<${news.missing}>`]))
}

/** As our own writer does it. */
function rotate(file: string): void {
  shift(file)
  copyFileSync(file, `${file}.1`)
  truncateSync(file)
}

/** As logrotate does it. */
function rename(file: string): void {
  shift(file)
  renameSync(file, `${file}.1`)
}

function shift(file: string, keep = 3): void {
  for (let to = keep; to > 1; to--) {
    if (existsSync(`${file}.${to - 1}`)) renameSync(`${file}.${to - 1}`, `${file}.${to}`)
  }
}

describe('whoever follows a log sees', () => {
  test('only what is new, and a line once its newline has come', () => {
    const { file, look } = followed('old\nhalf ')
    expect(look()).toEqual([])
    appendFileSync(file, 'a line\nnew\nand')
    expect(look()).toEqual(['half a line', 'new'])
    expect(look()).toEqual([])
    appendFileSync(file, '\n')
    expect(look()).toEqual(['and'])
  })

  test('a character that came in two parts', () => {
    const { file, look } = followed('')
    const euro = Buffer.from('€\n')
    appendFileSync(file, euro.subarray(0, 1))
    expect(look()).toEqual([])
    appendFileSync(file, euro.subarray(1))
    expect(look()).toEqual(['€'])
  })

  test('all of a log that was not there yet', () => {
    const { file, look } = followed()
    expect(look()).toEqual([])
    writeFileSync(file, 'a\n')
    expect(look()).toEqual(['a'])
  })

  test('more than fits into one piece', () => {
    const { file, look } = followed('')
    const lines = upTo(100_000).map((number) => `line ${number}`)
    appendFileSync(file, `${lines.join('\n')}\n`)
    expect(look()).toEqual(lines)
  })
})

describe.for([
  ['cut in place after a copy', rotate],
  ['renamed', rename],
] as const)('while the log is %s,', ([, turn]) => {
  test('nothing is lost, once or many times between two looks', () => {
    const { file, look } = followed('old\n')
    appendFileSync(file, 'a\nb\n')
    turn(file)
    expect(look()).toEqual(['a', 'b'])
    writeFileSync(file, 'c\n')
    expect(look()).toEqual(['c'])
    appendFileSync(file, 'd\n')
    for (const line of ['e', 'f']) {
      turn(file)
      writeFileSync(file, `${line}\n`)
    }
    turn(file)
    writeFileSync(file, 'g and more than there was\nh\n')
    expect(look()).toEqual(['d', 'e', 'f', 'g and more than there was', 'h'])
  })

  test('nothing is lost that came and went between two looks at an empty log', () => {
    const { file, look } = followed('')
    writeFileSync(file, 'a\n')
    turn(file)
    writeFileSync(file, 'b\n')
    turn(file)
    writeFileSync(file, '')
    expect(look()).toEqual(['a', 'b'])
    writeFileSync(file, 'c\n')
    expect(look()).toEqual(['c'])
  })

  test('what was rotated out before is not shown', () => {
    const file = path.join(scratchFolder(), 'daemon.log')
    writeFileSync(file, 'one\n')
    turn(file)
    writeFileSync(file, 'two\n')
    turn(file)
    writeFileSync(file, '')
    const look = looking(new LogFollower(file))
    writeFileSync(file, 'a\n')
    turn(file)
    writeFileSync(file, 'b\n')
    expect(look()).toEqual(['a', 'b'])
  })

  test('a line that broke off there is shown as it is, and not joined with the next one', () => {
    const { file, look } = followed('old\n')
    appendFileSync(file, 'a\nbroken')
    expect(look()).toEqual(['a'])
    turn(file)
    writeFileSync(file, 'b\n')
    expect(look()).toEqual(['broken', 'b'])
  })

  test('too often to keep up with, it is said that lines are missing', () => {
    const { file, look } = followed('old\n')
    for (const line of ['a', 'b', 'c', 'd', 'e']) {
      turn(file)
      writeFileSync(file, `${line}\n`)
    }
    expect(look()).toEqual(['<rotated>', 'b', 'c', 'd', 'e'])
    appendFileSync(file, 'f\n')
    expect(look()).toEqual(['f'])
  })
})

describe('between the copy and the cut of a rotation', () => {
  test('lines are shown once', () => {
    const { file, look } = followed('old\n')
    appendFileSync(file, 'a\n')
    copyFileSync(file, `${file}.1`)
    appendFileSync(file, 'b\n')
    expect(look()).toEqual(['a', 'b'])
    // The writer that comes next puts it right.
    copyFileSync(file, `${file}.1`)
    writeFileSync(file, '')
    expect(look()).toEqual([])
    appendFileSync(file, 'c\n')
    expect(look()).toEqual(['c'])
  })

  test('lines are shown once to one who is a whole file behind', () => {
    const { file, look } = followed('old\n')
    rotate(file)
    appendFileSync(file, 'a\nhalf')
    shift(file)
    copyFileSync(file, `${file}.1`)
    appendFileSync(file, ' a line\n')
    expect(look()).toEqual(['a', 'half a line'])
  })
})

describe('a log that somebody', () => {
  test('deleted is read to its end, and the next one from its beginning', () => {
    const { file, look } = followed('old\n')
    appendFileSync(file, 'a\n')
    rmSync(file)
    expect(look()).toEqual(['a'])
    expect(look()).toEqual([])
    writeFileSync(file, 'b\n')
    expect(look()).toEqual(['b'])
  })

  test('emptied goes on from there, and it is said that lines may be missing', () => {
    const { file, look } = followed('old\n')
    writeFileSync(file, '')
    expect(look()).toEqual(['<emptied>'])
    expect(look()).toEqual([])
    writeFileSync(file, 'a line\n')
    expect(look()).toEqual(['a line'])
    writeFileSync(file, 'another line\n')
    expect(look()).toEqual(['<emptied>', 'another line'])
  })

  test('cut to a part of it goes on from there', () => {
    const { file, look } = followed('old\n'.repeat(1000))
    truncateSync(file, 2000)
    expect(look()).toEqual(['<emptied>'])
    appendFileSync(file, 'a\n')
    expect(look()).toEqual(['a'])
  })

  test('edited goes on as it is, since editors write a new file', () => {
    const { file, look } = followed(`${'old\n'.repeat(1000)}one\n`)
    writeFileSync(`${file}.new`, readFileSync(file, 'utf8').replace('one', 'ONE'))
    renameSync(`${file}.new`, file)
    appendFileSync(file, 'three\n')
    expect(look()).toEqual(['three'])
  })
})

test('one who goes on from a position misses nothing that was rotated since', () => {
  const file = path.join(scratchFolder(), 'daemon.log')
  writeFileSync(file, 'one\ntwo\n')
  const { found, end } = readTail(file, (lines) => [...lines], { wholeLines: true })
  expect(found).toEqual(['two', 'one'])
  appendFileSync(file, 'a\n')
  rotate(file)
  appendFileSync(file, 'b\n')
  expect(looking(new LogFollower(file, end))()).toEqual(['a', 'b'])
})

test('every line is seen once and in order, whatever happens to the log between the looks', () => {
  const step = fc.oneof(
    fc.record({ what: fc.constant('write' as const), count: fc.integer({ min: 1, max: 12 }) }),
    fc.constantFrom(...(['look', 'rename', 'delete', 'restart', 'crash'] as const).map((what) => ({ what }))),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const file = path.join(scratchFolder(), 'daemon.log')
      const open = () => openLogFile(file, { maxBytes: 600, keep: 9 })
      let log = open()
      log.takeOver()
      const follower = new LogFollower(file)
      const seen: number[] = []
      const look = () => {
        for (const news of follower.look()) {
          if (!('lines' in news)) throw new Error(`missing: ${news.missing}`)
          seen.push(...news.lines.map((line) => Number(/number (\d+)$/.exec(line)?.[1])))
        }
      }
      let written = 0
      let rotations = 0
      for (const one of steps) {
        if (one.what === 'write') {
          for (let count = 0; count < one.count; count++) log.write(`number ${written++}`)
          rotations += 1
        }
        if (one.what === 'rename' && existsSync(file)) {
          shift(file, 9)
          renameSync(file, `${file}.1`)
          rotations += 1
        }
        if (one.what === 'delete') {
          look()
          rmSync(file, { force: true })
          // A log that is deleted and rotated between two looks is as good as lost.
          log.write(`number ${written++}`)
          look()
        }
        if (one.what === 'restart') {
          log.close()
          log = open()
          log.takeOver()
        }
        // Killed within a rotation; who comes next only appends until the restart.
        if (one.what === 'crash') {
          log.close()
          log = open()
          shift(file, 9)
          copyFileSync(file, `${file}.1`)
          rotations += 1
        }
        // No more than are kept.
        if (one.what === 'look' || rotations >= 8) {
          look()
          rotations = 0
        }
      }
      // What was renamed twice and is not there again is seen with the next line.
      log.write(`number ${written++}`)
      look()
      log.close()
      follower.close()
      expect(seen).toEqual(upTo(written))
    }),
    { numRuns: 200 },
  )
})

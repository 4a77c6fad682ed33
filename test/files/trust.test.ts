import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  constants,
  existsSync,
  lchownSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { describe, expect, test, type TestContext } from 'vitest'
import { readCaFile } from '../../src/config/ca-file.ts'
import { readConfig } from '../../src/config/config.ts'
import { instanceFor } from '../../src/config/instance.ts'
import { readServices } from '../../src/config/services.ts'
import { readProcessRecord } from '../../src/control/process-record.ts'
import { writeFileAtomic } from '../../src/files/durable/atomic-write.ts'
import { tryLock } from '../../src/files/lock.ts'
import { openOurs } from '../../src/files/open-ours.ts'
import { ensurePrivateFolder } from '../../src/files/private-folder.ts'
import { readTrusted } from '../../src/files/read-trusted.ts'
import { readCertificate } from '../../src/hub/tls/certificate.ts'
import { openLogFile } from '../../src/log/file/log-file.ts'
import { openOutputLog } from '../../src/process/spawn-detached.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { rejectionOf, thrownBy } from '../fixtures/thrown-by.ts'

const OTHER = 12_345

function needsRoot(context: TestContext): void {
  context.skip(process.getuid?.() !== 0, 'only root can give a file to another user')
}

function fileWith(text: string, mode = 0o600, folder = scratchFolder()): string {
  const file = path.join(folder, 'file.json')
  writeFileSync(file, text)
  chmodSync(file, mode)
  return file
}

/** A folder where others may write too, and a file of ours outside of it. */
function sharedWith(other: (shared: string, victim: string) => void): { shared: string; victim: string } {
  const folder = scratchFolder()
  const [shared, victim] = [path.join(folder, 'shared'), path.join(folder, 'victim')]
  mkdirSync(shared)
  chmodSync(shared, 0o1777)
  writeFileSync(victim, 'ours\n', { mode: 0o644 })
  other(shared, victim)
  return { shared, victim }
}

/** All that believes what a file says. */
const READERS: readonly [what: string, read: (file: string) => unknown, code: string][] = [
  ['the config', (file) => readConfig(instanceFor(file)), 'FILE_UNTRUSTED'],
  [
    'the list of services',
    (file) => readServices({ ...instanceFor(), servicesFile: file }),
    'FILE_UNTRUSTED',
  ],
  ['the record', (file) => readProcessRecord({ ...instanceFor(), recordFile: file }), 'FILE_UNTRUSTED'],
  ['an authority', readCaFile, 'BAD_CA'],
  ['a certificate', (file) => readCertificate({ cert: file, key: file }), 'BAD_CERTIFICATE'],
]

describe('what is believed', () => {
  // Who may write a config may read it, which is told first.
  test.for(READERS.slice(1))('%s may not be writable by others', ([, read, code]) => {
    for (const mode of [0o602, 0o666, 0o622]) {
      const file = fileWith('{}', mode)
      const error = thrownBy(() => read(file))
      expect(error.code).toBe(code)
      expect(error.message).toContain(`can be changed by other users (mode ${mode.toString(8)})`)
      expect(error.hints).toEqual([`Run: chmod go-w ${file}`])
    }
  })

  test.for(READERS)(
    '%s may not be another user’s, and it is said whose it should be',
    ([, read, code], context) => {
      needsRoot(context)
      const file = fileWith('{}')
      chownSync(file, OTHER, OTHER)
      const error = thrownBy(() => read(file))
      expect(error.code).toBe(code)
      expect(error.message).toContain(`${file} belongs to another user (number ${OTHER})`)
      expect(error.hints[1]).toBe(`  sudo chown 0 ${file}`)
    },
  )

  test.for(READERS)(
    '%s may not lie in another user’s folder, whoever owns the file',
    ([, read, code], context) => {
      needsRoot(context)
      const folder = scratchFolder()
      const file = fileWith('{}', 0o600, folder)
      chownSync(folder, OTHER, OTHER)
      const error = thrownBy(() => read(file))
      expect(error.code).toBe(code)
      expect(error.message).toContain(
        `${file} is not trusted: ${folder} on the way to it belongs to another user`,
      )
    },
  )

  test('may not be led to by a link of another user’s, in whichever part of the path', (context) => {
    needsRoot(context)
    const { shared, victim } = sharedWith((folder, file) => {
      symlinkSync(file, path.join(folder, 'link'))
      symlinkSync(path.dirname(file), path.join(folder, 'folder'))
    })
    for (const name of ['link', 'folder/victim']) {
      expect(readTrusted(path.join(shared, name))).toBe('ours\n')
    }
    for (const [name, link] of [
      ['link', 'link'],
      ['folder/victim', 'folder'],
    ] as const) {
      lchownSync(path.join(shared, link), OTHER, OTHER)
      const error = thrownBy(() => readTrusted(path.join(shared, name)))
      expect(error.message).toContain(`${path.join(shared, link)} `)
    }
    expect(readTrusted(victim)).toBe('ours\n')
  })

  test('is well behind links of our own, as certbot and Kubernetes lay them out', () => {
    const folder = scratchFolder()
    mkdirSync(path.join(folder, '..2026_11_27'))
    chmodSync(folder, 0o1777)
    writeFileSync(path.join(folder, '..2026_11_27', 'tls.crt'), 'PEM', { mode: 0o644 })
    symlinkSync('..2026_11_27', path.join(folder, '..data'))
    symlinkSync('..data/tls.crt', path.join(folder, 'tls.crt'))
    expect(readTrusted(path.join(folder, 'tls.crt'))).toBe('PEM')
  })

  test('is well as root’s, for any other user', (context) => {
    needsRoot(context)
    const folder = scratchFolder()
    chmodSync(folder, 0o755)
    const file = fileWith('{}', 0o644, folder)
    process.seteuid?.(OTHER)
    try {
      expect(readTrusted(file)).toBe('{}')
    } finally {
      process.seteuid?.(0)
    }
  })

  test('may be writable by the group that each user has alone (umask 002)', (context) => {
    needsRoot(context)
    const file = fileWith('{}', 0o664)
    expect(readTrusted(file)).toBe('{}')
    chownSync(file, 0, OTHER)
    expect(() => readTrusted(file)).toThrow('can be changed by other users (mode 664)')
  })

  test('a token may come by a pipe', () => {
    const script = `import { readTrusted } from '${path.resolve('src/files/read-trusted.ts')}'
      console.log(readTrusted(process.argv[1], { pipe: true }))`
    const run = `'${process.execPath}' --input-type=module-typescript -e "$0" <(echo tok_1)`
    expect(execFileSync('bash', ['-c', run, script], { encoding: 'utf8' })).toContain('tok_1')
  })
})

/** All that writes. */
const WRITERS: readonly [what: string, write: (file: string) => unknown][] = [
  ['the log', (file) => openLogFile(file).takeOver()],
  ['what a daemon prints', openOutputLog],
  ['a lock', (file) => tryLock(file)],
  ['a file that is written anew', (file) => writeFileAtomic(path.join(file, 'x'), 'text')],
  ['a folder of ours', (file) => ensurePrivateFolder(path.join(file, 'x'))],
]

describe('what is written', () => {
  test.for(WRITERS)('%s never goes through a link of another user’s', async ([, write], context) => {
    needsRoot(context)
    for (const target of ['victim', 'nothing']) {
      const { shared, victim } = sharedWith((folder, file) => {
        symlinkSync(path.join(path.dirname(file), target), path.join(folder, 'link'))
        lchownSync(path.join(folder, 'link'), OTHER, OTHER)
      })
      const error = await rejectionOf((async () => write(path.join(shared, 'link')))())
      expect(error.code).toBe('FILE_UNTRUSTED')
      expect(readFileSync(victim, 'utf8')).toBe('ours\n')
      expect(statSync(victim).mode & 0o777).toBe(0o644)
      expect(existsSync(path.join(path.dirname(victim), 'nothing'))).toBe(false)
    }
  })

  test('never goes into a file that another user has put in its place', (context) => {
    needsRoot(context)
    const { shared } = sharedWith((folder) => {
      writeFileSync(path.join(folder, 'log'), 'theirs')
      chownSync(path.join(folder, 'log'), OTHER, OTHER)
    })
    expect(() => openLogFile(path.join(shared, 'log'))).toThrow('belongs to another user')
    expect(readFileSync(path.join(shared, 'log'), 'utf8')).toBe('theirs')
  })

  test('may go through a link of our own, also one that leads nowhere yet', () => {
    const folder = scratchFolder()
    symlinkSync('elsewhere', path.join(folder, 'log'))
    openLogFile(path.join(folder, 'log')).write('a line')
    expect(readFileSync(path.join(folder, 'elsewhere'), 'utf8')).toContain('a line')
  })

  test('links that lead in a circle are told', () => {
    const folder = scratchFolder()
    symlinkSync('circle', path.join(folder, 'circle'))
    const error = thrownBy(() => openOurs(path.join(folder, 'circle'), constants.O_WRONLY))
    expect(error).toMatchObject({
      code: 'FILE_UNTRUSTED',
      message: expect.stringContaining('leads in a circle'),
    })
  })
})
